// SPDX-License-Identifier: GPL-2.0
/*
 * By DMA, or by the CPU?
 */
#include <linux/module.h>
#include <linux/sizes.h>

#include "choice.h"
#include "engine.h"
#include "func.h"

/* Below so many bytes per segment, descriptors cost more than they save */
#define LEAST_SEG_BYTES		SZ_1K

static unsigned int dma_threshold = SZ_64K;
module_param(dma_threshold, uint, 0644);
MODULE_PARM_DESC(dma_threshold, "With policy auto, the least bytes that are worth DMA");

/**
 * dmio_choice_load() - what a job costs an engine, to compare engines
 * @job: the job
 *
 * Context: any.
 * Return: bytes: many small segments are a lot.
 */
u64 dmio_choice_load(const struct dmio_job *job)
{
	return job->len + (u64)job->nr_segs * LEAST_SEG_BYTES;
}

/**
 * dmio_choice_is_worth_dma() - is DMA sooner done than the CPU?
 * @job: the job
 *
 * Context: any.
 * Return: true if so.
 */
bool dmio_choice_is_worth_dma(const struct dmio_job *job)
{
	return job->len >= READ_ONCE(dma_threshold) &&
	       job->len * (1 + job->func->nr_srcs) / LEAST_SEG_BYTES >= job->nr_segs;
}
