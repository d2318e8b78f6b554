// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU engine: does every function, on every machine.  It is also the
 * example of how an engine is written.
 *
 * A job that may run in place is done by the submitter at once: for little
 * data a switch to a worker costs more than the work.  Others are cut into
 * parts, for several CPUs to share, and go to an unbound workqueue, whose CPUs
 * and nice value an administrator sets below
 * /sys/devices/virtual/workqueue/dmoverio.  It is freezable: the machine is
 * not suspended or hibernated in the middle of a part.
 */
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "cpu_ops.h"
#include "engine.h"
#include "engine_cpu.h"
#include "func.h"

static struct workqueue_struct *cpu_wq;

static struct dmio_job *job_of(struct dmio_cpu_part *part)
{
	return container_of(part - part->nr, struct dmio_job, part[0]);
}

/* Do a part, unless the job was abandoned; the last one completes the job */
static void cpu_work(struct work_struct *work)
{
	struct dmio_cpu_part *part = container_of(work, struct dmio_cpu_part, work);
	struct dmio_job *job = job_of(part);
	u64 offset = part->nr * job->part_bytes;
	u64 begun_ns = job->timed ? ktime_get_ns() : 0;
	int ret = -ECANCELED;

	if (!dmio_job_is_abandoned(job))
		ret = dmio_cpu_run(job, offset, min(job->part_bytes, job->len - offset));
	if (ret)
		WRITE_ONCE(job->part_error, ret);
	if (job->timed)
		atomic64_add(ktime_get_ns() - begun_ns, &job->busy_ns);

	/* Fully ordered: the last one sees what all the others wrote */
	if (atomic_dec_and_test(&job->nr_parts))
		dmio_job_complete(job, READ_ONCE(job->part_error));
}

static bool cpu_can(const struct dmio_engine *engine, const struct dmio_func *func)
{
	return dmio_cpu_can(func);
}

static unsigned int count_parts(const struct dmio_job *job)
{
	return dmio_cpu_count_parts(job->func, job->len, num_online_cpus());
}

static void cpu_submit(struct dmio_engine *engine, struct dmio_job *job, bool may_run)
{
	u64 each = dmio_cpu_part_bytes(job->len, may_run ? 1 : count_parts(job), PAGE_SIZE);
	unsigned int nr = DIV_ROUND_UP_ULL(job->len, each), i;

	job->part_bytes = each;
	job->part_error = 0;
	atomic_set(&job->nr_parts, nr);
	atomic64_set(&job->busy_ns, 0);
	for (i = 0; i < nr; i++) {
		job->part[i].nr = i;
		INIT_WORK(&job->part[i].work, cpu_work);
	}

	/* The job may be gone once its last part is queued */
	if (may_run)
		cpu_work(&job->part[0].work);
	else
		for (i = 0; i < nr; i++)
			queue_work(cpu_wq, &job->part[i].work);
}

static void cpu_describe(const struct dmio_engine *engine, struct dmoverio_engine *info)
{
	size_t i;

	for (i = 0; i < dmio_nr_funcs; i++)
		if (dmio_cpu_can(&dmio_funcs[i]))
			info->funcs |= BIT_ULL(dmio_funcs[i].id);
	info->align = 1;
	info->max_srcs = DMOVERIO_MAX_SRCS;
	strscpy(info->name, "cpu", sizeof(info->name));
}

static const struct dmio_engine_ops cpu_engine_ops = {
	.can		= cpu_can,
	.submit		= cpu_submit,
	.describe	= cpu_describe,
};

struct dmio_engine dmio_engine_cpu = {
	.ops	= &cpu_engine_ops,
	.node	= LIST_HEAD_INIT(dmio_engine_cpu.node),
	.id	= 1,
};

/**
 * dmio_engine_cpu_init() - start the workers
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int dmio_engine_cpu_init(void)
{
	cpu_wq = alloc_workqueue("dmoverio", WQ_UNBOUND | WQ_SYSFS | WQ_FREEZABLE, 0);
	return cpu_wq ? 0 : -ENOMEM;
}

/**
 * dmio_engine_cpu_fini() - finish every job and stop the workers
 *
 * No job may be submitted any more; those submitted complete first.
 *
 * Context: may sleep.
 */
void dmio_engine_cpu_fini(void)
{
	destroy_workqueue(cpu_wq);
}
