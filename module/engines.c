// SPDX-License-Identifier: GPL-2.0
/*
 * The list of engines, and what they have.
 */
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/time64.h>
#include <linux/wait.h>

#include "engine.h"
#include "engine_cpu.h"
#include "engines.h"
#include "func.h"

/*
 * What an engine holds at a time: two jobs, so that it has the next when the first
 * is done; more of them while they are small.  For the CPU, by processor.  But no
 * more when it has enough to do for so long that nobody would miss what passes
 * until it gets the next: whoever comes now would have to wait for all of it.
 */
#define LEAST_HELD		2
#define MOST_HELD		64
#define ENOUGH_HELD_BYTES	SZ_256K
#define ENOUGH_HELD_NS		(10 * NSEC_PER_MSEC)

DEFINE_SPINLOCK(dmio_engines_lock);
LIST_HEAD(dmio_engines);
bool dmio_engines_no_dma;

/* For those who wait until an engine has nothing left */
static DECLARE_WAIT_QUEUE_HEAD(engine_idle);

/**
 * dmio_engine_is_free() - can an engine be handed a job that waits?
 * @engine: the engine
 *
 * Context: under the engines' lock.
 * Return: true if it is short of work, and nobody else is handing it some.
 */
bool dmio_engine_is_free(const struct dmio_engine *engine)
{
	unsigned int width = engine == &dmio_engine_cpu ? num_online_cpus() : 1;

	lockdep_assert_held(&dmio_engines_lock);

	if (engine->caller ||
	    (engine->nr_held >= width && engine->load_ns >= ENOUGH_HELD_NS * width))
		return false;
	return engine->nr_held < LEAST_HELD * width ||
	       (engine->nr_held < MOST_HELD * width &&
		engine->held_bytes < (u64)ENOUGH_HELD_BYTES * width);
}

/**
 * dmio_engine_can_dma() - can an engine do a function, by DMA?
 * @engine: the engine
 * @func: the function; NULL: any
 *
 * Context: under the engines' lock.
 * Return: true if so; whether it has room is another question.
 */
bool dmio_engine_can_dma(const struct dmio_engine *engine, const struct dmio_func *func)
{
	lockdep_assert_held(&dmio_engines_lock);

	return engine != &dmio_engine_cpu && !dmio_engines_no_dma &&
	       engine->state == DMOVERIO_ENGINE_ACTIVE &&
	       (!func || engine->ops->can(engine, func));
}

/**
 * dmio_engines_can_dma() - can any engine do a function by DMA?
 * @func: the function
 *
 * Context: under the engines' lock.
 * Return: true if one can.
 */
bool dmio_engines_can_dma(const struct dmio_func *func)
{
	struct dmio_engine *engine;

	list_for_each_entry(engine, &dmio_engines, node)
		if (dmio_engine_can_dma(engine, func))
			return true;
	return false;
}

/**
 * dmio_engines_are_free() - can any DMA engine be handed a job that waits?
 * @func: the job's function; NULL: any
 *
 * Context: under the engines' lock.
 * Return: true if one can.
 */
bool dmio_engines_are_free(const struct dmio_func *func)
{
	struct dmio_engine *engine;

	list_for_each_entry(engine, &dmio_engines, node)
		if (dmio_engine_can_dma(engine, func) && dmio_engine_is_free(engine))
			return true;
	return false;
}

/* What a job costs an engine, if nothing is known of it: many small segments are a lot */
static u64 load_of(const struct dmio_job *job)
{
	return job->len + (u64)job->nr_segs * DMIO_SEG_BYTES;
}

/* What it is thought to cost: a channel does one after the other; the CPU needs processors */
static u64 cost_of(struct dmio_engine *engine, const struct dmio_job *job)
{
	u64 bytes = dmio_func_bytes(job->func, job->len);
	const struct dmio_mean *mean;

	if (engine == &dmio_engine_cpu)
		mean = &dmio_rate_of(&engine->rates, job->func->id, bytes)->busy;
	else
		mean = dmio_rates_guess(&engine->rates, job->func->id, bytes);
	return dmio_mean_ns(mean, bytes);
}

/**
 * dmio_engine_has_refused() - did a channel give a job back for want of something?
 * @job: the job, still that one's
 *
 * What the job itself is to blame for, as pieces that are too small for the channel,
 * says nothing of others' jobs.
 *
 * Context: any.
 * Return: true if so, and it was not that the channel failed, or goes away.
 */
bool dmio_engine_has_refused(const struct dmio_job *job)
{
	return job->error && job->engine != &dmio_engine_cpu &&
	       (job->reason == DMIO_REASON_BUSY ||
		(job->reason == DMIO_REASON_MAPPING && job->error == -ENOMEM));
}

/**
 * dmio_engine_assign() - give a job to an engine
 * @job: the job
 * @engine: the engine; the caller calls its ->submit()
 *
 * Context: under the engines' lock.
 */
void dmio_engine_assign(struct dmio_job *job, struct dmio_engine *engine)
{
	lockdep_assert_held(&dmio_engines_lock);

	job->engine = engine;
	if (!engine->nr_users++ && engine != &dmio_engine_cpu)
		engine->moved_ns = ktime_get_ns();
	engine->queued_bytes += job->len;
	engine->load += load_of(job);
	job->cost_ns = cost_of(engine, job);
	engine->load_ns += job->cost_ns;
}

/**
 * dmio_engine_learn() - learn how long a job took
 * @job: timed; its engine is done with it
 *
 * Context: under the engines' lock.
 */
void dmio_engine_learn(struct dmio_job *job)
{
	u64 bytes = dmio_func_bytes(job->func, job->len), now, begun_ns, busy_ns;
	struct dmio_engine *engine = job->engine;
	struct dmio_rate *rate = dmio_rate_of(&engine->rates, job->func->id, bytes);

	lockdep_assert_held(&dmio_engines_lock);

	job->timed = false;
	if (engine == &dmio_engine_cpu) {
		if (job->error)
			return;
		busy_ns = atomic64_read(&job->busy_ns);
		dmio_mean_learn(&rate->busy, bytes, busy_ns);
		/* Its parts were done at the same time */
		dmio_mean_learn(&rate->elapsed, bytes,
				div64_u64(busy_ns, DIV64_U64_ROUND_UP(job->len, job->part_bytes)));
	} else {
		/* A channel did others before it, one after the other */
		now = ktime_get_ns();
		begun_ns = max(job->begun_ns, engine->moved_ns);
		engine->moved_ns = now;
		if (!job->error)
			dmio_mean_learn(&rate->elapsed, bytes, now - begun_ns);
		else if (dmio_engine_has_refused(job))
			dmio_mean_refuse(&rate->elapsed, bytes, now - begun_ns);
	}
}

/**
 * dmio_engine_reclaim() - take a job back from its engine
 * @job: assigned; the engine is done with it, but still has it as a user
 *
 * Context: under the engines' lock.
 */
void dmio_engine_reclaim(struct dmio_job *job)
{
	struct dmio_engine *engine = job->engine;

	lockdep_assert_held(&dmio_engines_lock);

	engine->queued_bytes -= job->len;
	engine->load -= load_of(job);
	engine->load_ns -= job->cost_ns;
	if (!job->held)
		return;
	job->held = false;
	engine->nr_held--;
	engine->held_bytes -= job->len;
}

/**
 * dmio_engine_put() - one less that an engine has to wait for
 * @engine: the engine; may be gone once the lock is not held
 *
 * Context: under the engines' lock.
 */
void dmio_engine_put(struct dmio_engine *engine)
{
	lockdep_assert_held(&dmio_engines_lock);

	if (!--engine->nr_users)
		wake_up_all(&engine_idle);
}

/* NULL: all but the CPU */
static bool is_idle(const struct dmio_engine *engine)
{
	const struct dmio_engine *each;
	bool idle = true;

	spin_lock(&dmio_engines_lock);
	list_for_each_entry(each, &dmio_engines, node)
		if (engine ? each == engine : each != &dmio_engine_cpu)
			idle &= !each->nr_users;
	spin_unlock(&dmio_engines_lock);
	return idle;
}

/**
 * dmio_engine_wait_idle() - wait until nobody uses an engine
 * @engine: the engine; NULL: all for DMA
 * @timeout: how long, in jiffies
 *
 * Context: process context; sleeps.
 * Return: true if so.
 */
bool dmio_engine_wait_idle(const struct dmio_engine *engine, unsigned long timeout)
{
	return wait_event_timeout(engine_idle, is_idle(engine), timeout);
}

/**
 * dmio_engines_have_parked() - may any engine write to memory that it should not?
 *
 * Context: process context; does not sleep.
 * Return: true if so.
 */
bool dmio_engines_have_parked(void)
{
	const struct dmio_engine *engine;
	bool parked = false;

	spin_lock(&dmio_engines_lock);
	list_for_each_entry(engine, &dmio_engines, node)
		parked |= engine->parked_pages;
	spin_unlock(&dmio_engines_lock);
	return parked;
}

/**
 * dmio_engines_counter() - read a counter of an engine
 * @engine: the engine
 * @offset: of the counter, a u64, in it
 *
 * Context: process context; does not sleep.
 * Return: its value.
 */
u64 dmio_engines_counter(const struct dmio_engine *engine, size_t offset)
{
	u64 value;

	spin_lock(&dmio_engines_lock);
	value = *(const u64 *)((const char *)engine + offset);
	spin_unlock(&dmio_engines_lock);
	return value;
}

static u32 ms_until(unsigned long when)
{
	long left = when - jiffies;

	return left > 0 ? jiffies_to_msecs(left) : 0;
}

/**
 * dmio_engines_describe() - describe an engine
 * @index: which, counted from 0
 * @info: result; zeroed by the caller
 *
 * Context: process context; does not sleep.
 * Return: true; or false, with @index less the number of engines.
 */
bool dmio_engines_describe(unsigned int *index, struct dmoverio_engine *info)
{
	struct dmio_engine *engine;
	bool found = false;

	spin_lock(&dmio_engines_lock);
	list_for_each_entry(engine, &dmio_engines, node) {
		if (*index) {
			--*index;
			continue;
		}
		info->id = engine->id;
		info->state = engine->state;
		info->reason = engine->reason;
		if (engine->state == DMOVERIO_ENGINE_QUARANTINED)
			info->retry_ms = ms_until(engine->retry);
		info->queued_bytes = engine->queued_bytes;
		info->windows = engine->windows;
		info->bytes = engine->bytes;
		info->edge_bytes = engine->edge_bytes;
		info->errors = engine->errors;
		info->restarts = engine->restarts;
		info->parked_pages = engine->parked_pages;
		engine->ops->describe(engine, info);
		found = true;
		break;
	}
	spin_unlock(&dmio_engines_lock);
	return found;
}
