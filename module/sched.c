// SPDX-License-Identifier: GPL-2.0
/*
 * Who does a job, and when.  DMA channels come and go at any moment; the CPU is
 * always there and takes what no other can.
 *
 *	dmio_sched_submit()	choose: by DMA, or by the CPU?  Wait in that ring
 *	  dmio_dispatch()	an engine has room: hand it the job whose turn it is
 *	...
 *	dmio_job_complete()	that engine has room again: dmio_dispatch()
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "choice.h"
#include "dispatch.h"
#include "engine.h"
#include "engine_cpu.h"
#include "engines.h"
#include "fair.h"
#include "func.h"
#include "sched.h"

/* One in so many jobs that are done at once is timed, once it is known what they take */
#define TIMED			8

/* Guarded by the engines' lock */
static u32 last_id = 1;

/*
 * Where a job waits, and the reason if it is for the CPU; NULL if it requires an
 * engine that is not there
 */
static struct dmio_ring *choose(struct dmio_job *job, bool may_run)
{
	struct dmio_ring *cpu = &dmio_rings[DMIO_RING_CPU];
	struct dmio_look look = { };

	lockdep_assert_held(&dmio_engines_lock);

	if (job->policy == DMOVERIO_POLICY_CPU) {
		job->reason = DMIO_REASON_POLICY;
		return cpu;
	}
	if (!dmio_engines_can_dma(job->func)) {
		job->reason = DMIO_REASON_NO_CHANNEL;
		return job->policy == DMOVERIO_POLICY_REQUIRE_DMA ? NULL : cpu;
	}
	if (!dmio_choice_can_wait(job, &look)) {
		job->reason = DMIO_REASON_SLOWER;
		return cpu;
	}
	if (job->policy == DMOVERIO_POLICY_AUTO &&
	    !dmio_choice_is_dma(job, &dmio_rings[DMIO_RING_DMA], cpu, may_run, &look)) {
		job->reason = dmio_choice_is_small(job) ? DMIO_REASON_SMALL : DMIO_REASON_SLOWER;
		return cpu;
	}
	return &dmio_rings[DMIO_RING_DMA];
}

/**
 * dmio_sched_can() - is there an engine for a function?
 * @func: the function
 * @policy: DMOVERIO_POLICY_*, not the default
 *
 * Context: any.
 * Return: true if there is one at the moment.
 */
bool dmio_sched_can(const struct dmio_func *func, u32 policy)
{
	bool can;

	if (policy != DMOVERIO_POLICY_REQUIRE_DMA)
		return dmio_engine_cpu.ops->can(&dmio_engine_cpu, func);

	spin_lock(&dmio_engines_lock);
	can = dmio_engines_can_dma(func);
	spin_unlock(&dmio_engines_lock);
	return can;
}

/**
 * dmio_job_abandon() - nobody wants the job any more
 * @job: not known to have completed; it completes by itself, soon
 *
 * One that still waits for an engine waits no longer.
 *
 * Context: process context; does not sleep.
 */
void dmio_job_abandon(struct dmio_job *job)
{
	spin_lock(&dmio_engines_lock);
	WRITE_ONCE(job->abandoned, true);
	if (job->ring) {
		dmio_ring_remove(job);
		dmio_dispatch_drop(job);
	}
	spin_unlock(&dmio_engines_lock);
}

/* To look at the clock is dear, on some machines */
static bool is_timed(const struct dmio_job *job)
{
	u64 bytes = dmio_func_bytes(job->func, job->len);

	return !(dmio_engine_cpu.windows % TIMED) ||
	       !dmio_rate_of(&dmio_engine_cpu.rates, job->func->id, bytes)->elapsed.nr;
}

/**
 * dmio_sched_submit() - have a job done
 * @job: the job; it may have completed and be gone when this returns
 * @may_run: the caller is ready to wait while the job is done: if it is the
 *	CPU's, it takes no turn
 *
 * The job fails with -ENODEV if it requires an engine that is not there.
 *
 * Context: may sleep.
 */
void dmio_sched_submit(struct dmio_job *job, bool may_run)
{
	struct dmio_ring *ring;

	job->reason = DMIO_REASON_NONE;
	spin_lock(&dmio_engines_lock);
	ring = choose(job, may_run);
	may_run &= ring == &dmio_rings[DMIO_RING_CPU];
	if (may_run) {
		job->timed = is_timed(job);
		dmio_engine_assign(job, &dmio_engine_cpu);
	} else if (ring && dmio_job_is_abandoned(job)) {
		dmio_dispatch_drop(job);
	} else if (ring) {
		dmio_ring_add(ring, job);
	}
	spin_unlock(&dmio_engines_lock);

	if (may_run) {
		dmio_engine_cpu.ops->submit(&dmio_engine_cpu, job, true);
	} else if (ring) {
		dmio_dispatch();
	} else {
		job->error = -ENODEV;
		job->done(job);
	}
}

/* Did the channel fail, and not only the job? */
static bool is_failure(const struct dmio_job *job)
{
	return job->reason == DMIO_REASON_ERROR || job->reason == DMIO_REASON_HANG;
}

/*
 * Who does a job again that a DMA engine gave back: another one, but not one after
 * the other; else the CPU, if that is allowed; or NULL.
 */
static struct dmio_engine *choose_again(struct dmio_job *job)
{
	struct dmio_engine *dma = NULL;

	lockdep_assert_held(&dmio_engines_lock);

	if (!job->error || !job->reason || job->parked || dmio_job_is_abandoned(job) ||
	    job->engine == &dmio_engine_cpu)
		return NULL;
	if (!job->nr_restarts)
		dma = dmio_choice_other(job);
	if (dma || job->policy == DMOVERIO_POLICY_REQUIRE_DMA)
		return dma;
	return &dmio_engine_cpu;
}

/* What a job comes back as; @again: another engine does it again */
static void count_job(const struct dmio_job *job, bool again)
{
	struct dmio_engine *engine = job->engine;

	lockdep_assert_held(&dmio_engines_lock);

	if (job->parked) {
		engine->parked_pages -= job->nr_pages;
	} else if (again) {
		engine->restarts++;
		engine->errors += is_failure(job) && job->error != -ECANCELED;
	} else if (!job->error) {
		engine->windows++;
		engine->bytes += job->len - job->edge_bytes;
		engine->edge_bytes += job->edge_bytes;
	} else if (job->error != -ECANCELED) {
		engine->errors++;
	}
}

/*
 * Take a job back from its engine, and count it there; who does it @again is found.
 * Returns true if others who wait may get its place, and nobody sees to that.
 */
static bool reclaim(struct dmio_job *job, struct dmio_engine **again)
{
	struct dmio_engine *engine = job->engine;
	bool room = false;

	spin_lock(&dmio_engines_lock);
	*again = choose_again(job);
	if (job->held)
		room = engine->caller != current &&
		       (dmio_rings[DMIO_RING_CPU].nr || dmio_rings[DMIO_RING_DMA].nr);
	if (job->timed)
		dmio_engine_learn(job);
	count_job(job, *again);
	if (!job->parked) {
		dmio_engine_reclaim(job);
		dmio_engine_put(engine);
	}
	if (*again) {
		dmio_engine_assign(job, *again);
		(*again)->nr_users++;	/* the call */
	}
	spin_unlock(&dmio_engines_lock);
	return room;
}

/* It had its turn */
static void do_again(struct dmio_job *job, struct dmio_engine *engine)
{
	job->edge_bytes = 0;
	if (engine != &dmio_engine_cpu) {
		job->reason = DMIO_REASON_NONE;
		job->nr_restarts++;
		job->timed = true;
		job->begun_ns = ktime_get_ns();
	}
	engine->ops->submit(engine, job, false);

	spin_lock(&dmio_engines_lock);
	dmio_engine_put(engine);
	spin_unlock(&dmio_engines_lock);
}

static void count_bytes(const struct dmio_job *job)
{
	if (job->error)
		return;
	if (job->reason)
		dmio_stats_cpu(job->stats, job->reason, job->len);
	else
		dmio_stats_dma(job->stats, job->len - job->edge_bytes, job->edge_bytes);
}

/**
 * dmio_job_complete() - give a job back; the one way from an engine upwards
 * @job: the job; may be freed by this call
 * @error: 0 or a negative errno.  With a @job->reason of a DMA engine: another
 *	shall do it, and if that is not possible or not allowed, this is the error.
 *
 * Context: process context, no locks held; may sleep.
 */
void dmio_job_complete(struct dmio_job *job, int error)
{
	struct dmio_engine *again;
	bool room;

	might_sleep();
	job->error = error;
	room = reclaim(job, &again);
	if (again) {
		do_again(job, again);
	} else {
		count_bytes(job);
		job->done(job);
	}
	if (room)
		dmio_dispatch();
}

/**
 * dmio_job_park() - a job has failed, but its memory is still the engine's
 * @job: the job; dmio_job_complete() follows, perhaps much later, perhaps never
 *
 * From now on the engine need not be waited for because of it.
 *
 * Context: process context, no locks held; may sleep.
 */
void dmio_job_park(struct dmio_job *job)
{
	struct dmio_engine *engine = job->engine;

	might_sleep();
	spin_lock(&dmio_engines_lock);
	job->parked = true;
	job->timed = false;
	engine->errors++;
	engine->parked_pages += job->nr_pages;
	dmio_engine_reclaim(job);
	dmio_engine_put(engine);
	spin_unlock(&dmio_engines_lock);

	job->park(job);
}

/**
 * dmio_sched_add() - an engine is ready for jobs
 * @engine: to be added
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_add(struct dmio_engine *engine)
{
	spin_lock(&dmio_engines_lock);
	if (engine != &dmio_engine_cpu)
		engine->id = ++last_id;
	engine->state = DMOVERIO_ENGINE_ACTIVE;
	list_add_tail(&engine->node, &dmio_engines);
	spin_unlock(&dmio_engines_lock);
	dmio_dispatch_later();
}

/**
 * dmio_sched_set_state() - say whether an engine gets jobs
 * @engine: added, and not yet removed
 * @state: DMOVERIO_ENGINE_*; an engine that is leaving goes on leaving
 * @reason: DMOVERIO_FAILED_*, or 0
 * @retry: in quarantine: when it is tried again, in jiffies
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_set_state(struct dmio_engine *engine, u32 state, u32 reason, unsigned long retry)
{
	spin_lock(&dmio_engines_lock);
	if (engine->state != DMOVERIO_ENGINE_LEAVING) {
		engine->state = state;
		engine->reason = reason;
		engine->retry = retry;
	}
	spin_unlock(&dmio_engines_lock);
	/* What waits may have an engine now, or none any more */
	dmio_dispatch_later();
}

/**
 * dmio_sched_stay() - an engine that was leaving stays
 * @engine: added; dmio_sched_leave() was called
 * @state: DMOVERIO_ENGINE_*, not DMOVERIO_ENGINE_ACTIVE
 * @reason: DMOVERIO_FAILED_*, or 0
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_stay(struct dmio_engine *engine, u32 state, u32 reason)
{
	spin_lock(&dmio_engines_lock);
	engine->state = state;
	engine->reason = reason;
	spin_unlock(&dmio_engines_lock);
}

/**
 * dmio_sched_leave() - give an engine no more jobs, and wait for those it has
 * @engine: added, and not yet removed
 * @timeout: how long to wait, in jiffies
 *
 * What waits for an engine goes to others.
 *
 * Context: process context; sleeps.
 * Return: true if it has no job any more, but for parked ones.
 */
bool dmio_sched_leave(struct dmio_engine *engine, unsigned long timeout)
{
	spin_lock(&dmio_engines_lock);
	engine->state = DMOVERIO_ENGINE_LEAVING;
	engine->reason = 0;
	spin_unlock(&dmio_engines_lock);
	dmio_dispatch_later();

	return dmio_engine_wait_idle(engine, timeout);
}

/**
 * dmio_sched_drain() - wait until no DMA engine has anything to do
 * @timeout: how long to wait, in jiffies
 *
 * Of use only while they are given nothing new: paused, or stopped.
 *
 * Context: process context; sleeps.
 * Return: true if so.
 */
bool dmio_sched_drain(unsigned long timeout)
{
	return dmio_engine_wait_idle(NULL, timeout);
}

/**
 * dmio_sched_stop_dma() - give DMA engines no more jobs, ever
 *
 * The CPU does what waits.
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_stop_dma(void)
{
	spin_lock(&dmio_engines_lock);
	WRITE_ONCE(dmio_engines_no_dma, true);
	spin_unlock(&dmio_engines_lock);
	dmio_dispatch_later();
}

/**
 * dmio_sched_is_stopped() - has DMA come to its end?
 *
 * Context: any.
 * Return: true after dmio_sched_stop_dma().
 */
bool dmio_sched_is_stopped(void)
{
	return READ_ONCE(dmio_engines_no_dma);
}

/**
 * dmio_sched_remove() - forget an engine
 * @engine: dmio_sched_leave() said that it has no job
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_remove(struct dmio_engine *engine)
{
	spin_lock(&dmio_engines_lock);
	WARN_ON_ONCE(engine->nr_users || engine->parked_pages);
	list_del_init(&engine->node);
	spin_unlock(&dmio_engines_lock);
}

/**
 * dmio_sched_init() - start the engine that is always there
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_sched_init(void)
{
	int ret = dmio_dispatch_init();

	if (ret)
		return ret;
	ret = dmio_engine_cpu_init();
	if (ret) {
		dmio_dispatch_fini();
		return ret;
	}
	dmio_sched_add(&dmio_engine_cpu);
	return 0;
}

/**
 * dmio_sched_fini() - complete every job and stop it
 *
 * The others have been removed.
 *
 * Context: may sleep.
 */
void dmio_sched_fini(void)
{
	dmio_dispatch_flush();
	/* A worker whose job is over may still be on its way out of dmio_dispatch() */
	dmio_engine_wait_idle(&dmio_engine_cpu, MAX_SCHEDULE_TIMEOUT);
	WARN_ON_ONCE(dmio_rings[DMIO_RING_CPU].nr || dmio_rings[DMIO_RING_DMA].nr);
	dmio_sched_remove(&dmio_engine_cpu);
	dmio_engine_cpu_fini();
	/* ... and may have kicked once more */
	dmio_dispatch_fini();
}
