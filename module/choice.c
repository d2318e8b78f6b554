// SPDX-License-Identifier: GPL-2.0
/*
 * By DMA, or by the CPU; and by which channel?
 *
 * By whom it will be done first: what an engine has to do before, and the job
 * itself, as learned from others of that function and size (rate.h).  Between DMA
 * and the CPU, processors' time counts, too, for that is what DMA is for: each
 * second of it as much as cpu_time_weight hundredths of a second of waiting.
 *
 * What is never chosen is never learned again.  So whoever is passed over gets one
 * try when others have meanwhile taken 32 times the time that it would: what that
 * costs is no more than 3 %, however slow it is.  Until something is known of both
 * DMA and the CPU, dma_threshold decides, and every sixteenth job goes the other
 * way.
 *
 * A channel that gives jobs back undone counts as a slow one (rate.h), and is asked only
 * when such a try is due, unless there is none but such.  Then it is, whatever else it
 * has to do.
 *
 * A channel that has given nothing back for far longer than it should need for all
 * that it has is stuck: nobody waits for it who has another choice.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "choice.h"
#include "engine.h"
#include "engine_cpu.h"
#include "engines.h"
#include "fair.h"
#include "func.h"

/* Less than this is never tried with DMA, for the sake of learning */
#define LEAST_TRIED_BYTES	SZ_4K

/* Tries: one in so many, and in so much of others' time */
#define TRY_UNKNOWN		16
#define TRY_KNOWN		32

/*
 * A channel is stuck after so many times what it is thought to need, and this.  Who
 * prefers DMA has the CPU do it only after so long: a channel that is slow, or a
 * machine that stood still, is no reason.
 */
#define PATIENCE	8
#define GRACE_NS	(10ULL * NSEC_PER_MSEC)
#define PREFER_GRACE_NS	(5ULL * NSEC_PER_SEC)

/* As good as DMA always */
#define MOST_WEIGHT		1000000U

/* Microseconds, roughly: what is passed over need not be told exactly */
#define PASSED_SHIFT		10

static unsigned int dma_threshold = SZ_64K;
module_param(dma_threshold, uint, 0644);
MODULE_PARM_DESC(dma_threshold,
		 "With policy auto, the least bytes that are worth DMA, until that is learned");

static bool learn = true;
module_param(learn, bool, 0644);
MODULE_PARM_DESC(learn, "Choose engines by what they were seen to take");

static unsigned int cpu_time_weight = 300;
module_param(cpu_time_weight, uint, 0644);
MODULE_PARM_DESC(cpu_time_weight,
		 "With policy auto, what CPU time saved is worth, in percent of time waited");

static u64 bytes_of(const struct dmio_job *job)
{
	return dmio_func_bytes(job->func, job->len);
}

static struct dmio_rate *rate_of(struct dmio_engine *engine, const struct dmio_job *job)
{
	return dmio_rate_of(&engine->rates, job->func->id, bytes_of(job));
}

/**
 * dmio_choice_is_small() - too small for DMA, or in too small pieces?
 * @job: the job
 *
 * Context: any.
 * Return: true if so, as far as nothing was learned.
 */
bool dmio_choice_is_small(const struct dmio_job *job)
{
	return job->len < READ_ONCE(dma_threshold) ||
	       bytes_of(job) / DMIO_SEG_BYTES < job->nr_segs;
}

static u64 now_ns(struct dmio_look *look)
{
	if (!look->now_ns)
		look->now_ns = ktime_get_ns();
	return look->now_ns;
}

/* Looks at the clock only where there is something to wait for */
static bool is_stuck(const struct dmio_engine *engine, u64 grace_ns, struct dmio_look *look)
{
	return READ_ONCE(learn) && engine->load &&
	       now_ns(look) > engine->moved_ns + PATIENCE * engine->load_ns + grace_ns;
}

/* Did the last such job come back undone?  Then others are asked, until it is overdue */
static bool has_refused(struct dmio_engine *engine, const struct dmio_job *job)
{
	return READ_ONCE(learn) && rate_of(engine, job)->elapsed.refused;
}

/**
 * dmio_choice_can_wait() - is there a channel that is worth waiting for?
 * @job: the job; a channel can do it
 * @look: of whoever asks
 *
 * Context: under the engines' lock.
 * Return: true if so, or if the job has no other choice.
 */
bool dmio_choice_can_wait(const struct dmio_job *job, struct dmio_look *look)
{
	u64 grace_ns = job->policy == DMOVERIO_POLICY_AUTO ? GRACE_NS : PREFER_GRACE_NS;
	struct dmio_engine *engine;

	if (job->policy == DMOVERIO_POLICY_REQUIRE_DMA)
		return true;
	list_for_each_entry(engine, &dmio_engines, node)
		if (dmio_engine_can_dma(engine, job->func) && !is_stuck(engine, grace_ns, look))
			return true;
	return false;
}

/**
 * struct first - the channel that would be done with a job first
 * @engine: which; NULL: there is none
 * @ns: when, if nobody else came
 * @nr: how many channels there are to do what waits
 */
struct first {
	struct dmio_engine *engine;
	u64 ns;
	unsigned int nr;
};

/* Sets *@shunned to the first of those that refuse, if there are others; or to NULL */
static struct first find_first(const struct dmio_job *job, struct dmio_look *look,
			       struct dmio_engine **shunned)
{
	struct first refusing = { }, able = { };
	struct dmio_engine *engine;
	u64 ns, bytes = bytes_of(job);

	list_for_each_entry(engine, &dmio_engines, node) {
		struct first *first;

		if (!dmio_engine_can_dma(engine, job->func) || is_stuck(engine, GRACE_NS, look))
			continue;
		first = has_refused(engine, job) ? &refusing : &able;
		first->nr++;
		/* Or else it would be one of which nothing is known, but which is not chosen */
		ns = engine->load_ns +
		     dmio_mean_ns(dmio_rates_guess(&engine->rates, job->func->id, bytes), bytes);
		if (first->engine && ns >= first->ns)
			continue;
		first->engine = engine;
		first->ns = ns;
	}
	*shunned = able.engine ? refusing.engine : NULL;
	return able.engine ? able : refusing;
}

/* Was it passed over for long enough? */
static bool is_overdue(const struct dmio_rate *rate, u64 bytes)
{
	u64 limit = dmio_mean_ns(&rate->elapsed, bytes) >> PASSED_SHIFT;

	return rate->passed > min_t(u64, TRY_KNOWN * limit, U32_MAX - 1);
}

/* Shall one that refuses have a job now, which is to show whether it still does? */
static bool is_on_trial(struct dmio_engine *engine, const struct dmio_job *job)
{
	return dmio_engine_is_free(engine) && is_overdue(rate_of(engine, job), bytes_of(job));
}

/* @best was chosen, and not @other */
static void pass_over(struct dmio_rate *best, struct dmio_rate *other, u64 bytes)
{
	u64 more = 1 + (dmio_mean_ns(&best->elapsed, bytes) >> PASSED_SHIFT);

	other->passed = min_t(u64, other->passed + more, U32_MAX);
	best->passed = 0;
}

/* Should @other be tried, though @best was chosen? */
static bool is_due(struct dmio_rate *best, struct dmio_rate *other, u64 bytes)
{
	if (!is_overdue(other, bytes)) {
		pass_over(best, other, bytes);
		return false;
	}
	other->passed = 0;
	return true;
}

/* Something is not known yet: true if the unknown one, @other, should be tried */
static bool is_due_unknown(struct dmio_rate *other, u64 len)
{
	if (other->elapsed.nr || len < LEAST_TRIED_BYTES || ++other->passed < TRY_UNKNOWN)
		return false;
	other->passed = 0;
	return true;
}

static u64 weigh(u64 ns, const struct dmio_mean *busy, u64 bytes)
{
	u64 percent = min(READ_ONCE(cpu_time_weight), MOST_WEIGHT);

	return ns + div_u64(dmio_mean_ns(busy, bytes) * percent, 100);
}

/**
 * dmio_choice_is_dma() - should a job be done by DMA?
 * @job: the job; it can wait for a channel, and policy lets us choose
 * @dma: where jobs wait for a channel
 * @cpu: where they wait for the CPU
 * @may_run: by the CPU, it would be done at once
 * @look: of whoever asks
 *
 * Context: under the engines' lock.
 * Return: true if so.
 */
bool dmio_choice_is_dma(const struct dmio_job *job, const struct dmio_ring *dma,
			const struct dmio_ring *cpu, bool may_run, struct dmio_look *look)
{
	bool by_dma = !dmio_choice_is_small(job);
	u64 bytes = bytes_of(job), dma_ns, cpu_ns;
	struct dmio_rate *dma_rate, *cpu_rate;
	struct dmio_engine *shunned;
	struct first first;

	if (!READ_ONCE(learn) || bytes / DMIO_SEG_BYTES < job->nr_segs)
		return by_dma;
	first = find_first(job, look, &shunned);
	if (!first.engine)
		return false;
	/* dmio_choice_channel() will see that, too */
	if (shunned && is_on_trial(shunned, job))
		return true;
	dma_rate = rate_of(first.engine, job);
	cpu_rate = rate_of(&dmio_engine_cpu, job);
	if (!dma_rate->elapsed.nr || !cpu_rate->elapsed.nr)
		return by_dma ^ is_due_unknown(by_dma ? cpu_rate : dma_rate, job->len);

	dma_ns = first.ns + div_u64(dmio_mean_ns(&dma_rate->elapsed, dmio_ring_ahead(dma, job)),
				    first.nr);
	cpu_ns = dmio_mean_ns(&cpu_rate->elapsed, bytes);
	if (!may_run)
		cpu_ns += div_u64(dmio_engine_cpu.load_ns +
				  dmio_mean_ns(&cpu_rate->busy, dmio_ring_ahead(cpu, job)),
				  num_online_cpus());
	by_dma = weigh(dma_ns, &dma_rate->busy, bytes) <= weigh(cpu_ns, &cpu_rate->busy, bytes);
	if (shunned && !by_dma)
		pass_over(cpu_rate, rate_of(shunned, job), bytes);
	return by_dma ^ (by_dma ? is_due(dma_rate, cpu_rate, bytes) :
				  is_due(cpu_rate, dma_rate, bytes));
}

/*
 * A channel that has no room would first do what waits, which is the less the more
 * of it others do
 */
static u64 done_ns(struct dmio_engine *engine, const struct dmio_mean *mean, u64 bytes,
		   u64 waiting)
{
	return engine->load_ns +
	       dmio_mean_ns(mean, dmio_engine_is_free(engine) ? bytes : max(waiting, bytes));
}

struct candidate {
	struct dmio_engine *engine;
	u64 ns;
};

/**
 * struct candidates - channels that could do a job
 * @any: are there any?
 * @free: the best of those with room
 * @full: ... and of those without
 */
struct candidates {
	bool any;
	struct candidate free;
	struct candidate full;
};

static void offer(struct candidate *best, struct dmio_engine *engine, u64 ns)
{
	if (best->engine && (ns > best->ns ||
			     (ns == best->ns && engine->load >= best->engine->load)))
		return;
	best->engine = engine;
	best->ns = ns;
}

static void consider(struct candidates *candidates, struct dmio_engine *engine,
		     const struct dmio_job *job, u64 waiting)
{
	bool learned = READ_ONCE(learn);
	u64 ns = 0, bytes = bytes_of(job);
	const struct dmio_mean *mean;

	candidates->any = true;
	mean = dmio_rates_guess(&engine->rates, job->func->id, bytes);
	if (learned)
		ns = done_ns(engine, mean, bytes, waiting);
	if (dmio_engine_is_free(engine))
		offer(&candidates->free, engine, ns);
	else if (learned && mean->nr)
		offer(&candidates->full, engine, ns);
}

/* A channel with nothing to do that is to have a job, though @best was chosen; or NULL */
static struct dmio_engine *find_due(const struct dmio_job *job, struct dmio_engine *best)
{
	struct dmio_rate *best_rate = rate_of(best, job);
	struct dmio_engine *engine;

	list_for_each_entry(engine, &dmio_engines, node) {
		if (engine == best || !dmio_engine_can_dma(engine, job->func))
			continue;
		/* One that refuses is given a job as soon as it is overdue */
		if (has_refused(engine, job))
			pass_over(best_rate, rate_of(engine, job), bytes_of(job));
		else if (!engine->load && dmio_engine_is_free(engine) &&
			 is_due(best_rate, rate_of(engine, job), bytes_of(job)))
			return engine;
	}
	return NULL;
}

/**
 * dmio_choice_channel() - which channel should have a job now?
 * @job: the job
 * @waiting: bytes that wait for channels, the job's among them
 * @look: of whoever asks
 *
 * One of which nothing is known comes first; one that has refused the last such job,
 * only if all have, or if it is due; one that is stuck, only if all are and there is no
 * other choice.
 *
 * Context: under the engines' lock.
 * Return: one with room for it; NULL if there is none, or if it is better to wait
 * for another.
 */
struct dmio_engine *dmio_choice_channel(const struct dmio_job *job, u64 waiting,
					struct dmio_look *look)
{
	struct candidates refusing = { }, able = { }, *best = &able;
	struct dmio_engine *engine, *stuck = NULL;

	list_for_each_entry(engine, &dmio_engines, node) {
		if (!dmio_engine_can_dma(engine, job->func))
			continue;
		if (is_stuck(engine, GRACE_NS, look)) {
			if (dmio_engine_is_free(engine) && (!stuck || engine->load < stuck->load))
				stuck = engine;
		} else if (!has_refused(engine, job)) {
			consider(&able, engine, job, waiting);
		} else if (!is_on_trial(engine, job)) {
			consider(&refusing, engine, job, waiting);
		} else {
			rate_of(engine, job)->passed = 0;
			return engine;
		}
	}

	/* However long the others take: it would only hand the job to them, before its turn */
	if (!able.any)
		best = &refusing;
	/* Until the CPU takes it, it can be taken back; what a channel has cannot */
	if (!best->any)
		return job->policy == DMOVERIO_POLICY_REQUIRE_DMA ? stuck : NULL;
	if (!best->free.engine || (best->full.engine && best->full.ns < best->free.ns))
		return NULL;
	return (READ_ONCE(learn) ? find_due(job, best->free.engine) : NULL) ?: best->free.engine;
}

/**
 * dmio_choice_other() - another channel for a job that one has not done
 * @job: the job, still that one's
 *
 * Context: under the engines' lock.
 * Return: the least loaded of those that can do it and are not stuck, and if there are
 * such, have not refused the last one; if there is none, of all, for jobs that have no
 * other choice, or NULL.
 */
struct dmio_engine *dmio_choice_other(const struct dmio_job *job)
{
	struct dmio_engine *engine, *able = NULL, *refusing = NULL, *stuck = NULL, **best;
	struct dmio_look look = { };

	list_for_each_entry(engine, &dmio_engines, node) {
		if (engine == job->engine || !dmio_engine_can_dma(engine, job->func))
			continue;
		if (is_stuck(engine, GRACE_NS, &look))
			best = &stuck;
		else
			best = has_refused(engine, job) ? &refusing : &able;
		if (!*best || engine->load < (*best)->load)
			*best = engine;
	}
	if (able || refusing)
		return able ?: refusing;
	return job->policy == DMOVERIO_POLICY_REQUIRE_DMA ? stuck : NULL;
}
