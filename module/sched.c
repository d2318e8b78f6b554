// SPDX-License-Identifier: GPL-2.0
/*
 * Choosing an engine.  There is one today; the ones that come stand in front
 * of it, because the CPU takes what no other can.
 */
#include <linux/bug.h>
#include <linux/kernel.h>

#include "engine.h"
#include "sched.h"

static struct dmio_engine *const engines[] = {
	&dmio_engine_cpu,
};

static struct dmio_engine *choose(const struct dmio_func *func)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(engines); i++)
		if (engines[i]->ops->can(engines[i], func))
			return engines[i];
	return NULL;
}

/**
 * dmio_sched_can() - is there an engine for a function?
 * @func: the function
 *
 * Context: any.
 * Return: true if dmio_sched_submit() will find one.
 */
bool dmio_sched_can(const struct dmio_func *func)
{
	return choose(func);
}

/**
 * dmio_sched_submit() - hand a job to an engine
 * @job: the job; its function passed dmio_sched_can(); it may have completed
 *	and be gone when this returns
 * @may_run: the caller is ready to wait while the job is done
 *
 * Context: may sleep.
 */
void dmio_sched_submit(struct dmio_job *job, bool may_run)
{
	job->engine = choose(job->func);
	job->engine->ops->submit(job->engine, job, may_run);
}

/**
 * dmio_sched_init() - start the engines
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_sched_init(void)
{
	return dmio_engine_cpu_init();
}

/**
 * dmio_sched_fini() - complete every job and stop the engines
 *
 * Context: may sleep.
 */
void dmio_sched_fini(void)
{
	dmio_engine_cpu_fini();
}
