// SPDX-License-Identifier: GPL-2.0
/*
 * Jobs that wait, and when they are handed to an engine.
 *
 * An engine is given no more than keeps it busy: what waits in a ring can still
 * go to another, and waits for its turn, not for whoever was there before.
 *
 * What has to be done for jobs that wait, but by nobody in particular, a worker
 * does (kick): jobs abandoned, or left without an engine.  And as long as jobs wait
 * for channels it looks now and then whether these still move.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "choice.h"
#include "dispatch.h"
#include "engine.h"
#include "engine_cpu.h"
#include "engines.h"
#include "fair.h"
#include "func.h"

/* Jobs handed to engines, or taken from a ring, before somebody else goes on */
#define DISPATCH_JOBS		16
#define KICK_JOBS		256

/* How often channels that are waited for are looked at */
#define LOOK_MS			20

/* Jobs that wait for an engine; and those abandoned meanwhile */
struct dmio_ring dmio_rings[DMIO_NR_RINGS] = {
	{ DMIO_RING_CPU, LIST_HEAD_INIT(dmio_rings[DMIO_RING_CPU].queues) },
	{ DMIO_RING_DMA, LIST_HEAD_INIT(dmio_rings[DMIO_RING_DMA].queues) },
};

static LIST_HEAD(dropped);

/* The machine is suspended: no DMA for now */
static bool dma_paused;

/*
 * What channels with room can do, as far as it was asked: one bit for each function.
 * Of many jobs that wait, few want something else than those before.  And what time it
 * is for all of them.
 */
static struct {
	u32 asked;
	u32 able;
	struct dmio_look look;
} room;

static_assert(DMIO_NR_FUNC_IDS <= 32);

/* What its worker does takes long, and is no matter of any one processor */
static struct workqueue_struct *dispatch_wq;

static void kick_work(struct work_struct *work);
static DECLARE_WORK(kick, kick_work);

static void look_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(look, look_work);

/**
 * dmio_dispatch_later() - have a worker do what there is to do
 *
 * Context: any.
 */
void dmio_dispatch_later(void)
{
	queue_work(dispatch_wq, &kick);
}

/* Is there no engine any more, or no moving one, for a job that waits for one?  Says why */
static bool is_orphan(struct dmio_job *job)
{
	if (!dmio_engines_can_dma(job->func))
		job->reason = DMIO_REASON_NO_CHANNEL;
	else if (!dmio_choice_can_wait(job, &room.look))
		job->reason = DMIO_REASON_SLOWER;
	else
		return false;
	return true;
}

static bool fits_cpu(struct dmio_job *job)
{
	job->engine = &dmio_engine_cpu;
	return true;
}

static bool has_room(const struct dmio_func *func)
{
	u32 bit = BIT(func->id);

	if (!(room.asked & bit)) {
		room.asked |= bit;
		if (dmio_engines_are_free(func))
			room.able |= bit;
		else if (!dmio_engines_can_dma(func))
			dmio_dispatch_later();
	}
	return room.able & bit;
}

static bool fits_dma(struct dmio_job *job)
{
	if (!has_room(job->func))
		return false;
	job->engine = dmio_choice_channel(job, dmio_rings[DMIO_RING_DMA].bytes, &room.look);
	return job->engine;
}

/* The next job that waits for a channel; if they only wait, that has an end */
static struct dmio_job *next_dma_job(void)
{
	struct dmio_ring *ring = &dmio_rings[DMIO_RING_DMA];
	struct dmio_job *job = NULL;

	if (dma_paused || !ring->nr)
		return NULL;
	room.asked = 0;
	room.able = 0;
	room.look.now_ns = 0;
	if (dmio_engines_are_free(NULL))
		job = dmio_ring_next(ring, fits_dma);
	if (!job)
		queue_delayed_work(dispatch_wq, &look, msecs_to_jiffies(LOOK_MS));
	return job;
}

/* The next job whose engine can be handed one now; or NULL */
static struct dmio_job *next_job(void)
{
	struct dmio_job *job = NULL;

	lockdep_assert_held(&dmio_engines_lock);

	if (dmio_engine_is_free(&dmio_engine_cpu))
		job = dmio_ring_next(&dmio_rings[DMIO_RING_CPU], fits_cpu);
	return job ?: next_dma_job();
}

/* Hand a job to an engine; the lock is not held meanwhile */
static void hand_over(struct dmio_job *job, struct dmio_engine *engine)
	__releases(&dmio_engines_lock) __acquires(&dmio_engines_lock)
{
	u64 bytes = dmio_func_bytes(job->func, job->len);
	struct dmio_mean *busy = &dmio_rate_of(&engine->rates, job->func->id, bytes)->busy;
	u64 begun_ns = ktime_get_ns();

	dmio_engine_assign(job, engine);
	job->held = true;
	job->timed = true;
	job->begun_ns = begun_ns;
	engine->nr_held++;
	engine->held_bytes += job->len;
	engine->nr_users++;	/* this call */
	engine->caller = current;
	spin_unlock(&dmio_engines_lock);

	engine->ops->submit(engine, job, false);

	spin_lock(&dmio_engines_lock);
	engine->caller = NULL;
	/* For a channel, making descriptors is what costs CPU time */
	if (engine != &dmio_engine_cpu)
		dmio_mean_learn(busy, bytes, ktime_get_ns() - begun_ns);
	dmio_engine_put(engine);
}

/**
 * dmio_dispatch() - hand jobs to engines that have room
 *
 * An engine has one caller at a time: whoever else finds that it has room leaves
 * it to him.  So an engine that completes jobs while it is called does not have us
 * call it deeper and deeper.
 *
 * Context: process context, no locks held; may sleep.
 */
void dmio_dispatch(void)
{
	unsigned int nr = 0;
	struct dmio_job *job;

	spin_lock(&dmio_engines_lock);
	while ((job = next_job())) {
		hand_over(job, job->engine);
		/* The caller has work of his own */
		if (++nr == DISPATCH_JOBS) {
			dmio_dispatch_later();
			break;
		}
	}
	spin_unlock(&dmio_engines_lock);
}

/* Have jobs without an engine done by the CPU; or, if they require one, fail them */
static void move_orphans(struct list_head *failed)
{
	unsigned int nr = 0;
	struct dmio_job *job;

	lockdep_assert_held(&dmio_engines_lock);

	room.look.now_ns = 0;
	while ((job = dmio_ring_find(&dmio_rings[DMIO_RING_DMA], is_orphan))) {
		if (job->policy != DMOVERIO_POLICY_REQUIRE_DMA) {
			dmio_ring_add(&dmio_rings[DMIO_RING_CPU], job);
		} else {
			job->error = -ENODEV;
			list_add_tail(&job->waiting, failed);
		}
		/* Not for too long under the lock */
		if (++nr == KICK_JOBS) {
			dmio_dispatch_later();
			break;
		}
	}
}

static void kick_work(struct work_struct *work)
{
	struct dmio_job *job, *next;
	LIST_HEAD(failed);

	spin_lock(&dmio_engines_lock);
	list_splice_init(&dropped, &failed);
	move_orphans(&failed);
	spin_unlock(&dmio_engines_lock);

	list_for_each_entry_safe(job, next, &failed, waiting) {
		job->done(job);
		cond_resched();
	}
	dmio_dispatch();
}

static void look_work(struct work_struct *work)
{
	dmio_dispatch_later();
}

/**
 * dmio_dispatch_drop() - give a job back without having done it
 * @job: abandoned; waits nowhere
 *
 * Context: under the engines' lock.
 */
void dmio_dispatch_drop(struct dmio_job *job)
{
	lockdep_assert_held(&dmio_engines_lock);

	job->error = -ECANCELED;
	list_add_tail(&job->waiting, &dropped);
	dmio_dispatch_later();
}

/**
 * dmio_dispatch_pause_dma() - give DMA engines no jobs for a while
 * @pause: or go on
 *
 * Jobs wait.
 *
 * Context: process context; does not sleep.
 */
void dmio_dispatch_pause_dma(bool pause)
{
	spin_lock(&dmio_engines_lock);
	dma_paused = pause;
	spin_unlock(&dmio_engines_lock);
	dmio_dispatch_later();
}

/**
 * dmio_dispatch_init() - start the worker
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int dmio_dispatch_init(void)
{
	dispatch_wq = alloc_workqueue("dmoverio-sched", WQ_UNBOUND, 0);
	return dispatch_wq ? 0 : -ENOMEM;
}

/**
 * dmio_dispatch_flush() - have the worker do now what there is to do
 *
 * Context: may sleep.
 */
void dmio_dispatch_flush(void)
{
	flush_delayed_work(&look);
	flush_work(&kick);
}

/**
 * dmio_dispatch_fini() - stop the worker
 *
 * No job is left, nor anybody who would call it.
 *
 * Context: may sleep.
 */
void dmio_dispatch_fini(void)
{
	/* Each may queue the other one; not again, where nobody waits */
	cancel_delayed_work_sync(&look);
	cancel_work_sync(&kick);
	cancel_delayed_work_sync(&look);
	destroy_workqueue(dispatch_wq);
}
