/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which bytes of a job a DMA channel may do.
 *
 * Pure arithmetic on scatterlists.  A cache line that holds bytes of the output
 * and others must not be written by a device that is not coherent: it, or the
 * CPU, would destroy its neighbours.  And a channel may want addresses and
 * lengths aligned.  So a job is cut into islands, which DMA does, and the
 * edges between them, for the CPU.  Islands are cut before anything is mapped,
 * so that edges lie outside every mapping.
 */
#ifndef DMIO_DMA_PLAN_H
#define DMIO_DMA_PLAN_H

#include <linux/types.h>

#include "dmio.h"

struct dmio_job;
struct scatterlist;

/**
 * struct dmio_dma_rules - what a channel wants
 * @out_align: bytes, a power of two up to PAGE_SIZE: outputs begin and end at
 *	multiples of it; a multiple of @align
 * @align: bytes, a power of two: every address and length is a multiple of it
 * @max_bytes: most bytes of a segment, at least PAGE_SIZE, a multiple of
 *	@out_align
 */
struct dmio_dma_rules {
	unsigned int out_align;
	unsigned int align;
	size_t max_bytes;
};

/**
 * struct dmio_place - a place in a scatterlist that is not mapped
 * @sg: the entry, NULL at the end
 * @off: bytes into it
 */
struct dmio_place {
	struct scatterlist *sg;
	size_t off;
};

/**
 * struct dmio_island - bytes of a job to be done by DMA
 * @offset: where it begins, in bytes of the job
 * @len: bytes, not 0; the output is contiguous there
 */
struct dmio_island {
	u64 offset;
	u64 len;
};

/**
 * struct dmio_plan - a walk through the islands of a job, in order
 * @job: the job; its function has an output
 * @rules: what the channel wants
 * @pos: how far the walk has come, in bytes of the job
 * @out: the same in the output
 * @in: the same in each input that is not the output itself, @nr_in of them
 * @nr_in: see there
 */
struct dmio_plan {
	const struct dmio_job *job;
	const struct dmio_dma_rules *rules;
	u64 pos;
	struct dmio_place out;
	struct dmio_place in[DMOVERIO_MAX_SRCS];
	unsigned int nr_in;
};

void dmio_plan_init(struct dmio_plan *plan, const struct dmio_job *job,
		    const struct dmio_dma_rules *rules);
bool dmio_plan_next(struct dmio_plan *plan, struct dmio_island *island);
size_t dmio_plan_chunk(const struct dmio_dma_rules *rules, size_t addr, size_t len);

#endif /* DMIO_DMA_PLAN_H */
