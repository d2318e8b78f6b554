/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What dma_map.c takes of the kernel: counted, and made to fail on request.
 */
#ifndef DMIO_TEST_MAP_SHIM_H
#define DMIO_TEST_MAP_SHIM_H

#include <linux/dma-direction.h>
#include <linux/types.h>

struct device;
struct scatterlist;

/**
 * struct map_shim - between dma_map.c and the kernel
 * @no_memory: allocations fail
 * @no_mapping: the device cannot reach the memory ...
 * @nr_good: ... but that of the first so many mappings
 * @nr_lists: allocated, and not freed
 * @nr_entries: mapped, and not unmapped
 * @attrs: how the last ones were mapped
 * @dir: in which direction the last ones were mapped, or unmapped
 */
struct map_shim {
	bool no_memory;
	bool no_mapping;
	unsigned int nr_good;
	unsigned int nr_lists;
	unsigned int nr_entries;
	unsigned long attrs;
	enum dma_data_direction dir;
};

extern struct map_shim map_shim;

void *map_shim_alloc(size_t nr, size_t size, gfp_t gfp);
void map_shim_free(const void *list);
unsigned int map_shim_map(struct device *dev, struct scatterlist *sgl, int nents,
			  enum dma_data_direction dir, unsigned long attrs);
void map_shim_unmap(struct device *dev, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs);

#endif /* DMIO_TEST_MAP_SHIM_H */
