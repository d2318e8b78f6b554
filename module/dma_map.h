/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A job's regions as a device sees them.
 */
#ifndef DMIO_DMA_MAP_H
#define DMIO_DMA_MAP_H

#include <linux/dma-direction.h>
#include <linux/types.h>

#include "dma_plan.h"

struct device;

/**
 * struct dmio_dma_map - a region, mapped for a device
 * @sgl: what is mapped; entries are no longer than the device can take
 * @own: @sgl, if it was made for this purpose and has to be freed
 * @nents: entries that were mapped, 0 if none is
 * @bytes: of all of them
 * @dir: in which direction
 * @at: a walk through it: the entry ...
 * @off: ... and bytes into that
 *
 * The output's has the islands of the job, one behind the other, and nothing
 * else; an input's has all of its bytes.
 */
struct dmio_dma_map {
	struct scatterlist *sgl;
	struct scatterlist *own;
	unsigned int nents;
	u64 bytes;
	enum dma_data_direction dir;
	struct scatterlist *at;
	size_t off;
};

int dmio_dma_map_output(struct dmio_dma_map *map, struct device *dev, const struct dmio_job *job,
			const struct dmio_dma_rules *rules, enum dma_data_direction dir);
int dmio_dma_map_input(struct dmio_dma_map *map, struct device *dev, struct scatterlist *sgl,
		       const struct dmio_dma_rules *rules);
void dmio_dma_unmap(struct dmio_dma_map *map, struct device *dev);

dma_addr_t dmio_dma_map_addr(const struct dmio_dma_map *map);
size_t dmio_dma_map_left(const struct dmio_dma_map *map);
void dmio_dma_map_advance(struct dmio_dma_map *map, u64 len);

#endif /* DMIO_DMA_MAP_H */
