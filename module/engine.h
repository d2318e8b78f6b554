/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an engine is: something that executes jobs.
 *
 * A job is a piece of a request whose memory is pinned and described by
 * scatterlists.  An engine knows nothing of sessions, requests or user
 * addresses.  It is handed a job by ->submit() and gives it back exactly
 * once, by dmio_job_complete().  A job that nobody wants any more is marked
 * abandoned: it has to come back all the same, and the sooner the better.
 *
 * Until an engine has room for it, a job waits with the others of its flow, see
 * fair.h.
 *
 * To write an engine, read engine_cpu.c: it is the example.
 */
#ifndef DMIO_ENGINE_H
#define DMIO_ENGINE_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "dmio.h"
#include "rate.h"
#include "stats.h"

struct dmio_engine;
struct dmio_flow;
struct dmio_func;
struct dmio_ring;
struct scatterlist;
struct task_struct;

/* Workers that one job may be cut over by the CPU engine */
#define DMIO_CPU_PARTS	4

/**
 * struct dmio_cpu_part - a stretch of a job, for one CPU
 * @work: the worker's
 * @nr: which of the job's parts it is
 */
struct dmio_cpu_part {
	struct work_struct work;
	unsigned int nr;
};

/**
 * struct dmio_job - work for an engine
 * @func: what to do
 * @len: bytes in every region, not 0
 * @immediate: the function's immediate, if it has one
 * @dst: the output, if the function has one
 * @src: the inputs, @func->nr_srcs of them; each is cut in its own way
 * @aliased: bit n: input n is the same memory as the output, byte for byte,
 *	and @src[n] is @dst.  No other input overlaps the output.
 * @nr_segs: entries of all scatterlists
 * @nr_pages: pages pinned for it
 * @policy: DMOVERIO_POLICY_*, not the default
 * @stats: counts which way the bytes went
 * @flow: whose turn it takes; stays until @done was called
 * @done: called when the job is over; may sleep; the job may be gone when it
 *	returns
 * @park: called, before @done and at most once, when the job has failed but its
 *	memory cannot be given back yet; may sleep
 * @engine: who does the job; the scheduler's, as all down to @timed are
 * @ring: where it waits for an engine, or NULL
 * @waiting: its place there
 * @cost_ns: what it is thought to take
 * @begun_ns: when a channel was given it
 * @held: it counts as one that its engine holds
 * @timed: it should be found out how long it takes
 * @abandoned: nobody wants the result; set at any moment
 * @reason: why the CPU does it, or is to do it: set by the scheduler; and by an
 *	engine that gives a job back undone, with its output as it was, or such
 *	that it can be done again from the beginning
 * @edge_bytes: for the DMA engine: how much of it the CPU did
 * @nr_restarts: how often it was given to another DMA engine
 * @parked: @park was called; the scheduler's
 * @error: result, 0 or a negative errno; set by dmio_job_complete()
 * @result: the function's result, if it has one; set by the engine
 * @part: for the CPU engine
 * @part_bytes: for the CPU engine: how long a part is, but perhaps the last
 * @nr_parts: for the CPU engine: parts not yet done
 * @busy_ns: for the CPU engine: how long they took, all together, if @timed
 * @part_error: for the CPU engine: an error of a part
 */
struct dmio_job {
	const struct dmio_func *func;
	u64 len;
	u64 immediate;
	struct scatterlist *dst;
	struct scatterlist *src[DMOVERIO_MAX_SRCS];
	unsigned long aliased;
	unsigned int nr_segs;
	unsigned int nr_pages;
	u32 policy;
	unsigned int nr_restarts;
	struct dmio_stats *stats;
	struct dmio_flow *flow;
	void (*done)(struct dmio_job *job);
	void (*park)(struct dmio_job *job);

	struct dmio_engine *engine;
	struct dmio_ring *ring;
	struct list_head waiting;
	u64 cost_ns;
	u64 begun_ns;
	bool held;
	bool timed;
	bool abandoned;
	bool parked;
	enum dmio_reason reason;
	u64 edge_bytes;
	u64 result;
	int error;
	int part_error;

	struct dmio_cpu_part part[DMIO_CPU_PARTS];
	u64 part_bytes;
	atomic64_t busy_ns;
	atomic_t nr_parts;
};

/**
 * struct dmio_engine_ops - what an engine can be asked to do
 * @can: is the function within its power?  Any context, also atomic.
 * @submit: take the job and see to it that it completes; may sleep.  With
 *	@may_run, which only the CPU sees, the caller is ready to wait: the
 *	engine may do the job before it returns.
 * @describe: fill in what a user is told of it, but for what the scheduler
 *	knows; any context, also atomic
 */
struct dmio_engine_ops {
	bool (*can)(const struct dmio_engine *engine, const struct dmio_func *func);
	void (*submit)(struct dmio_engine *engine, struct dmio_job *job, bool may_run);
	void (*describe)(const struct dmio_engine *engine, struct dmoverio_engine *info);
};

/**
 * struct dmio_engine - an engine
 * @ops: how to use it
 * @node: in the scheduler's list; guarded, with all below, by the scheduler's
 *	lock
 * @id: its number: 1 for the CPU, others by the scheduler
 * @state: DMOVERIO_ENGINE_*; it gets jobs only if it is active
 * @reason: DMOVERIO_FAILED_*, if it failed
 * @retry: when it is tried again, in jiffies, if it is in quarantine
 * @caller: who is handing it jobs that had to wait: one at a time does
 * @nr_users: jobs that it has and that are not parked, and calls of @submit
 * @nr_held: those of its jobs that had to wait for room; these are bounded ...
 * @held_bytes: ... and bytes of them
 * @queued_bytes: bytes of all its jobs
 * @load: what they cost, in bytes, to compare engines of which nothing is known
 * @load_ns: what they are thought to take; of the CPU, time of processors
 * @moved_ns: when it last gave a job back, or was given one when it had none
 * @rates: what jobs took
 * @windows: jobs done
 * @bytes: bytes of them done by the engine
 * @edge_bytes: bytes of them at the edges, done by the CPU
 * @errors: jobs that failed
 * @restarts: jobs given back, to be done by another
 * @parked_pages: pages of parked jobs
 */
struct dmio_engine {
	const struct dmio_engine_ops *ops;
	struct list_head node;
	u32 id;
	u32 state;
	u32 reason;
	unsigned long retry;
	struct task_struct *caller;
	unsigned int nr_users;
	unsigned int nr_held;
	u64 held_bytes;
	u64 queued_bytes;
	u64 load;
	u64 load_ns;
	u64 moved_ns;
	struct dmio_rates rates;
	u64 windows;
	u64 bytes;
	u64 edge_bytes;
	u64 errors;
	u64 restarts;
	u64 parked_pages;
};

void dmio_job_complete(struct dmio_job *job, int error);
void dmio_job_park(struct dmio_job *job);
void dmio_job_abandon(struct dmio_job *job);

/**
 * dmio_job_is_abandoned() - need the job still be done?
 * @job: the job
 *
 * Context: any.
 * Return: true if it should be completed without being begun.
 */
static inline bool dmio_job_is_abandoned(const struct dmio_job *job)
{
	return READ_ONCE(job->abandoned);
}

#endif /* DMIO_ENGINE_H */
