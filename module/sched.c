// SPDX-License-Identifier: GPL-2.0
/*
 * Choosing an engine, and the list of those there are.  DMA channels come and
 * go at any moment; the CPU is always there and takes what no other can.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "engine.h"
#include "engine_cpu.h"
#include "func.h"
#include "sched.h"

/* Below so many bytes per segment, descriptors cost more than they save */
#define LEAST_SEG_BYTES		SZ_1K

static const char *const policy_names[] = {
	[DMOVERIO_POLICY_DEFAULT]	= "default",
	[DMOVERIO_POLICY_AUTO]		= "auto",
	[DMOVERIO_POLICY_PREFER_DMA]	= "prefer-dma",
	[DMOVERIO_POLICY_REQUIRE_DMA]	= "require-dma",
	[DMOVERIO_POLICY_CPU]		= "cpu",
};

static u32 default_policy = DMOVERIO_POLICY_AUTO;

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(policy_names, val);

	if (policy < 0 || policy == DMOVERIO_POLICY_DEFAULT)
		return -EINVAL;
	WRITE_ONCE(default_policy, policy);
	return 0;
}

static int get_policy(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", policy_names[READ_ONCE(default_policy)]);
}

static const struct kernel_param_ops policy_ops = {
	.set	= set_policy,
	.get	= get_policy,
};

module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "Who does the work: auto (default), prefer-dma, require-dma, cpu");

static unsigned int dma_threshold = SZ_64K;
module_param(dma_threshold, uint, 0644);
MODULE_PARM_DESC(dma_threshold, "With policy auto, the least bytes that are worth DMA");

/* Guards the list, and of each engine what engine.h says */
static DEFINE_SPINLOCK(engines_lock);
static LIST_HEAD(engines);
static u32 last_id = 1;

/* The machine goes down: no DMA any more */
static bool dma_stopped;

/* For those who wait until an engine has nothing left */
static DECLARE_WAIT_QUEUE_HEAD(engine_idle);

/**
 * dmio_sched_policy() - what a session's policy means
 * @policy: DMOVERIO_POLICY_*
 *
 * Context: any.
 * Return: @policy; of the default, what it is at the moment.
 */
u32 dmio_sched_policy(u32 policy)
{
	return policy == DMOVERIO_POLICY_DEFAULT ? READ_ONCE(default_policy) : policy;
}

/**
 * dmio_sched_policy_name() - what a user is told
 * @policy: DMOVERIO_POLICY_*, not the default
 *
 * Context: any.
 * Return: a word.
 */
const char *dmio_sched_policy_name(u32 policy)
{
	return policy_names[policy];
}

/* The least loaded of the DMA engines that can do a function, but for @not; or NULL */
static struct dmio_engine *find_dma(const struct dmio_func *func, const struct dmio_engine *not)
{
	struct dmio_engine *engine, *best = NULL;

	lockdep_assert_held(&engines_lock);

	if (dma_stopped)
		return NULL;
	list_for_each_entry(engine, &engines, node) {
		if (engine == &dmio_engine_cpu || engine == not ||
		    engine->state != DMOVERIO_ENGINE_ACTIVE ||
		    !engine->ops->can(engine, func))
			continue;
		if (!best || engine->load < best->load)
			best = engine;
	}
	return best;
}

static bool is_worth_dma(const struct dmio_job *job)
{
	return job->len >= READ_ONCE(dma_threshold) &&
	       job->len * (1 + job->func->nr_srcs) / LEAST_SEG_BYTES >= job->nr_segs;
}

/*
 * The engine for a job, and the reason if it is the CPU; NULL if the job
 * requires one that is not there.
 */
static struct dmio_engine *choose(struct dmio_job *job)
{
	struct dmio_engine *dma;

	lockdep_assert_held(&engines_lock);

	if (job->policy == DMOVERIO_POLICY_CPU) {
		job->reason = DMIO_REASON_POLICY;
		return &dmio_engine_cpu;
	}
	dma = find_dma(job->func, NULL);
	if (!dma) {
		job->reason = DMIO_REASON_NO_CHANNEL;
		return job->policy == DMOVERIO_POLICY_REQUIRE_DMA ? NULL : &dmio_engine_cpu;
	}
	if (job->policy == DMOVERIO_POLICY_AUTO && !is_worth_dma(job)) {
		job->reason = DMIO_REASON_SMALL;
		return &dmio_engine_cpu;
	}
	return dma;
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

	spin_lock(&engines_lock);
	can = find_dma(func, NULL);
	spin_unlock(&engines_lock);
	return can;
}

/* What a job costs an engine, in bytes: many small segments are a lot */
static u64 job_load(const struct dmio_job *job)
{
	return job->len + (u64)job->nr_segs * LEAST_SEG_BYTES;
}

/* One user is the job, the other the call that hands it over */
static void assign(struct dmio_job *job, struct dmio_engine *engine)
{
	lockdep_assert_held(&engines_lock);

	job->engine = engine;
	engine->nr_users += 2;
	engine->queued_bytes += job->len;
	engine->load += job_load(job);
}

/* One less that the engine has to wait for; it may be gone once the lock is not held */
static void engine_put(struct dmio_engine *engine)
{
	lockdep_assert_held(&engines_lock);

	if (!--engine->nr_users)
		wake_up_all(&engine_idle);
}

/* Give an engine the job that was assigned to it; the job may be gone afterwards */
static void hand_over(struct dmio_job *job, struct dmio_engine *engine, bool may_run)
{
	engine->ops->submit(engine, job, may_run);

	spin_lock(&engines_lock);
	engine_put(engine);
	spin_unlock(&engines_lock);
}

/**
 * dmio_sched_submit() - hand a job to an engine
 * @job: the job; it may have completed and be gone when this returns
 * @may_run: the caller is ready to wait while the job is done
 *
 * The job fails with -ENODEV if it requires an engine that is not there.
 *
 * Context: may sleep.
 */
void dmio_sched_submit(struct dmio_job *job, bool may_run)
{
	struct dmio_engine *engine;

	job->reason = DMIO_REASON_NONE;
	spin_lock(&engines_lock);
	engine = choose(job);
	if (engine)
		assign(job, engine);
	spin_unlock(&engines_lock);

	if (!engine) {
		job->error = -ENODEV;
		job->done(job);
		return;
	}
	hand_over(job, engine, may_run);
}

/* Did the channel fail, and not only the job? */
static bool is_failure(const struct dmio_job *job)
{
	return job->reason == DMIO_REASON_ERROR || job->reason == DMIO_REASON_HANG;
}

/*
 * Who does a job again that a DMA engine gave back: another one, if the channel
 * was the matter, but not one after the other; else the CPU, if that is allowed;
 * or NULL.
 */
static struct dmio_engine *choose_again(struct dmio_job *job)
{
	struct dmio_engine *dma = NULL;

	lockdep_assert_held(&engines_lock);

	if (!job->error || !job->reason || job->parked || job->engine == &dmio_engine_cpu)
		return NULL;
	if (!job->nr_restarts && (is_failure(job) || job->reason == DMIO_REASON_REMOVED))
		dma = find_dma(job->func, job->engine);
	if (dma || job->policy == DMOVERIO_POLICY_REQUIRE_DMA)
		return dma;
	return &dmio_engine_cpu;
}

/* Take a job out of what its engine has to do */
static void unassign(struct dmio_job *job)
{
	struct dmio_engine *engine = job->engine;

	lockdep_assert_held(&engines_lock);

	engine->queued_bytes -= job->len;
	engine->load -= job_load(job);
	engine_put(engine);
}

/*
 * Take a job back from its engine, and count it there.  Returns the engine that
 * does it again, if one does.
 */
static struct dmio_engine *reclaim(struct dmio_job *job)
{
	struct dmio_engine *engine = job->engine, *other;

	spin_lock(&engines_lock);
	other = choose_again(job);
	if (job->parked) {
		engine->parked_pages -= job->nr_pages;
	} else if (other) {
		engine->restarts++;
		engine->errors += is_failure(job) && job->error != -ECANCELED;
	} else if (!job->error) {
		engine->windows++;
		engine->bytes += job->len - job->edge_bytes;
		engine->edge_bytes += job->edge_bytes;
	} else if (job->error != -ECANCELED) {
		engine->errors++;
	}
	if (!job->parked)
		unassign(job);
	if (other)
		assign(job, other);
	spin_unlock(&engines_lock);
	return other;
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
	struct dmio_engine *other;

	might_sleep();
	job->error = error;
	other = reclaim(job);
	if (!other) {
		count_bytes(job);
		job->done(job);
		return;
	}

	job->edge_bytes = 0;
	if (other != &dmio_engine_cpu) {
		job->reason = DMIO_REASON_NONE;
		job->nr_restarts++;
	}
	hand_over(job, other, false);
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
	spin_lock(&engines_lock);
	job->parked = true;
	engine->errors++;
	engine->parked_pages += job->nr_pages;
	unassign(job);
	spin_unlock(&engines_lock);

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
	spin_lock(&engines_lock);
	if (engine != &dmio_engine_cpu)
		engine->id = ++last_id;
	engine->state = DMOVERIO_ENGINE_ACTIVE;
	list_add_tail(&engine->node, &engines);
	spin_unlock(&engines_lock);
}

static bool is_idle(const struct dmio_engine *engine)
{
	bool idle;

	spin_lock(&engines_lock);
	idle = !engine->nr_users;
	spin_unlock(&engines_lock);
	return idle;
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
	spin_lock(&engines_lock);
	if (engine->state != DMOVERIO_ENGINE_LEAVING) {
		engine->state = state;
		engine->reason = reason;
		engine->retry = retry;
	}
	spin_unlock(&engines_lock);
}

/**
 * dmio_sched_stay() - an engine that was leaving stays
 * @engine: added; dmio_sched_leave() was called
 * @state: DMOVERIO_ENGINE_*
 * @reason: DMOVERIO_FAILED_*, or 0
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_stay(struct dmio_engine *engine, u32 state, u32 reason)
{
	spin_lock(&engines_lock);
	engine->state = state;
	engine->reason = reason;
	spin_unlock(&engines_lock);
}

/**
 * dmio_sched_leave() - give an engine no more jobs, and wait for those it has
 * @engine: added, and not yet removed
 * @timeout: how long to wait, in jiffies
 *
 * Context: process context; sleeps.
 * Return: true if it has no job any more, but for parked ones.
 */
bool dmio_sched_leave(struct dmio_engine *engine, unsigned long timeout)
{
	spin_lock(&engines_lock);
	engine->state = DMOVERIO_ENGINE_LEAVING;
	engine->reason = 0;
	spin_unlock(&engines_lock);

	return wait_event_timeout(engine_idle, is_idle(engine), timeout);
}

static bool is_dma_idle(void)
{
	struct dmio_engine *engine;
	bool idle = true;

	spin_lock(&engines_lock);
	list_for_each_entry(engine, &engines, node)
		idle &= engine == &dmio_engine_cpu || !engine->nr_users;
	spin_unlock(&engines_lock);
	return idle;
}

/**
 * dmio_sched_drain() - wait until no DMA engine has anything to do
 * @timeout: how long to wait, in jiffies
 *
 * Of use only while nothing new can come.
 *
 * Context: process context; sleeps.
 * Return: true if so.
 */
bool dmio_sched_drain(unsigned long timeout)
{
	return wait_event_timeout(engine_idle, is_dma_idle(), timeout);
}

/**
 * dmio_sched_stop_dma() - give DMA engines no more jobs, ever
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_stop_dma(void)
{
	spin_lock(&engines_lock);
	WRITE_ONCE(dma_stopped, true);
	spin_unlock(&engines_lock);
}

/**
 * dmio_sched_is_stopped() - has DMA come to its end?
 *
 * Context: any.
 * Return: true after dmio_sched_stop_dma().
 */
bool dmio_sched_is_stopped(void)
{
	return READ_ONCE(dma_stopped);
}

/**
 * dmio_sched_has_parked() - may any DMA engine write to memory that it should not?
 *
 * Context: process context; does not sleep.
 * Return: true if so.
 */
bool dmio_sched_has_parked(void)
{
	const struct dmio_engine *engine;
	bool parked = false;

	spin_lock(&engines_lock);
	list_for_each_entry(engine, &engines, node)
		parked |= engine->parked_pages;
	spin_unlock(&engines_lock);
	return parked;
}

/**
 * dmio_sched_counter() - read a counter of an engine
 * @engine: the engine
 * @offset: of the counter, a u64, in it
 *
 * Context: process context; does not sleep.
 * Return: its value.
 */
u64 dmio_sched_counter(const struct dmio_engine *engine, size_t offset)
{
	u64 value;

	spin_lock(&engines_lock);
	value = *(const u64 *)((const char *)engine + offset);
	spin_unlock(&engines_lock);
	return value;
}

/**
 * dmio_sched_remove() - forget an engine
 * @engine: dmio_sched_leave() said that it has no job
 *
 * Context: process context; does not sleep.
 */
void dmio_sched_remove(struct dmio_engine *engine)
{
	spin_lock(&engines_lock);
	WARN_ON_ONCE(engine->nr_users || engine->parked_pages);
	list_del_init(&engine->node);
	spin_unlock(&engines_lock);
}

static u32 ms_until(unsigned long when)
{
	long left = when - jiffies;

	return left > 0 ? jiffies_to_msecs(left) : 0;
}

/**
 * dmio_sched_describe() - describe an engine
 * @index: which, counted from 0
 * @info: result; zeroed by the caller
 *
 * Context: process context; does not sleep.
 * Return: true; or false, with @index less the number of engines.
 */
bool dmio_sched_describe(unsigned int *index, struct dmoverio_engine *info)
{
	struct dmio_engine *engine;
	bool found = false;

	spin_lock(&engines_lock);
	list_for_each_entry(engine, &engines, node) {
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
	spin_unlock(&engines_lock);
	return found;
}

/**
 * dmio_sched_init() - start the engine that is always there
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_sched_init(void)
{
	int ret = dmio_engine_cpu_init();

	if (!ret)
		dmio_sched_add(&dmio_engine_cpu);
	return ret;
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
	dmio_sched_remove(&dmio_engine_cpu);
	dmio_engine_cpu_fini();
}
