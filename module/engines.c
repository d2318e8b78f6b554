// SPDX-License-Identifier: GPL-2.0
/*
 * The list of engines, and what they have.
 */
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/wait.h>

#include "choice.h"
#include "engine.h"
#include "engine_cpu.h"
#include "engines.h"

/*
 * What an engine holds at a time: two jobs, so that it has the next when the first
 * is done; more of them while they are small.  For the CPU, by processor.
 */
#define LEAST_HELD		2
#define MOST_HELD		64
#define ENOUGH_HELD_BYTES	SZ_256K

DEFINE_SPINLOCK(dmio_engines_lock);
LIST_HEAD(dmio_engines);
bool dmio_engines_no_dma;

/* For those who wait until an engine has nothing left */
static DECLARE_WAIT_QUEUE_HEAD(engine_idle);

/**
 * dmio_engine_has_room() - is an engine short of work?
 * @engine: the engine
 *
 * Context: under the engines' lock.
 * Return: true if it should be given more.
 */
bool dmio_engine_has_room(const struct dmio_engine *engine)
{
	unsigned int width = engine == &dmio_engine_cpu ? num_online_cpus() : 1;

	lockdep_assert_held(&dmio_engines_lock);

	return engine->nr_held < LEAST_HELD * width ||
	       (engine->nr_held < MOST_HELD * width &&
		engine->held_bytes < (u64)ENOUGH_HELD_BYTES * width);
}

/**
 * dmio_engines_find_dma() - find a DMA engine
 * @func: what it must be able to do; NULL: anything
 * @now: it must be possible to hand it a job now
 *
 * Context: under the engines' lock.
 * Return: the least loaded; NULL if there is none.
 */
struct dmio_engine *dmio_engines_find_dma(const struct dmio_func *func, bool now)
{
	struct dmio_engine *engine, *best = NULL;

	lockdep_assert_held(&dmio_engines_lock);

	if (dmio_engines_no_dma)
		return NULL;
	list_for_each_entry(engine, &dmio_engines, node) {
		if (engine == &dmio_engine_cpu || engine->leaving ||
		    (func && !engine->ops->can(engine, func)))
			continue;
		if (now && (engine->caller || !dmio_engine_has_room(engine)))
			continue;
		if (!best || engine->load < best->load)
			best = engine;
	}
	return best;
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
	engine->nr_users++;
	engine->queued_bytes += job->len;
	engine->load += dmio_choice_load(job);
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
		info->state = engine->leaving ? DMOVERIO_ENGINE_LEAVING : DMOVERIO_ENGINE_ACTIVE;
		info->queued_bytes = engine->queued_bytes;
		info->windows = engine->windows;
		info->bytes = engine->bytes;
		info->edge_bytes = engine->edge_bytes;
		info->errors = engine->errors;
		info->restarts = engine->restarts;
		engine->ops->describe(engine, info);
		found = true;
		break;
	}
	spin_unlock(&dmio_engines_lock);
	return found;
}
