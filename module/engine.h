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
 * To write an engine, read engine_cpu.c: it is the example.
 */
#ifndef DMIO_ENGINE_H
#define DMIO_ENGINE_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "dmio.h"

struct dmio_engine;
struct dmio_func;
struct scatterlist;

/* Workers that one job may be cut over by the CPU engine */
#define DMIO_CPU_PARTS	4

/**
 * struct dmio_cpu_part - a stretch of a job, for one CPU
 * @work: the worker's
 * @job: the job
 * @offset: where it begins, in bytes of the job
 * @len: bytes
 */
struct dmio_cpu_part {
	struct work_struct work;
	struct dmio_job *job;
	u64 offset;
	u64 len;
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
 * @done: called by dmio_job_complete(); may sleep; the job may be gone when
 *	it returns
 * @engine: who does the job
 * @abandoned: nobody wants the result; set at any moment
 * @error: result, 0 or a negative errno; set by dmio_job_complete()
 * @result: the function's result, if it has one; set by the engine
 * @part: for the CPU engine
 * @nr_parts: for the CPU engine: parts not yet done
 * @part_error: for the CPU engine: an error of a part
 */
struct dmio_job {
	const struct dmio_func *func;
	u64 len;
	u64 immediate;
	struct scatterlist *dst;
	struct scatterlist *src[DMOVERIO_MAX_SRCS];
	unsigned long aliased;
	void (*done)(struct dmio_job *job);

	struct dmio_engine *engine;
	bool abandoned;
	int error;
	u64 result;

	struct dmio_cpu_part part[DMIO_CPU_PARTS];
	atomic_t nr_parts;
	int part_error;
};

/**
 * struct dmio_engine_ops - what an engine can be asked to do
 * @can: is the function within its power?  Any context.
 * @submit: take the job and see to it that it completes; may sleep.  With
 *	@may_run the caller is ready to wait: the engine may complete the job
 *	before it returns.
 */
struct dmio_engine_ops {
	bool (*can)(const struct dmio_engine *engine, const struct dmio_func *func);
	void (*submit)(struct dmio_engine *engine, struct dmio_job *job, bool may_run);
};

/**
 * struct dmio_engine - an engine
 * @name: for messages
 * @ops: how to use it
 */
struct dmio_engine {
	const char *name;
	const struct dmio_engine_ops *ops;
};

/**
 * dmio_job_complete() - give a job back; the one way from an engine upwards
 * @job: the job; may be freed by this call
 * @error: 0 or a negative errno
 *
 * Context: process context, no locks held; may sleep.
 */
static inline void dmio_job_complete(struct dmio_job *job, int error)
{
	might_sleep();
	job->error = error;
	job->done(job);
}

/**
 * dmio_job_abandon() - nobody wants the job any more
 * @job: not known to have completed; it completes by itself, soon
 *
 * Context: any.
 */
static inline void dmio_job_abandon(struct dmio_job *job)
{
	WRITE_ONCE(job->abandoned, true);
}

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

extern struct dmio_engine dmio_engine_cpu;

int dmio_engine_cpu_init(void);
void dmio_engine_cpu_fini(void);

#endif /* DMIO_ENGINE_H */
