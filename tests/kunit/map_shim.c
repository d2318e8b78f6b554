// SPDX-License-Identifier: GPL-2.0
/*
 * Between dma_map.c and the kernel.
 */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "map_shim.h"

struct map_shim map_shim;

/**
 * map_shim_alloc() - kvmalloc_array()
 * @nr: entries
 * @size: bytes of each
 * @gfp: how
 *
 * Return: memory, or NULL.
 */
void *map_shim_alloc(size_t nr, size_t size, gfp_t gfp)
{
	void *list = map_shim.no_memory ? NULL : kvmalloc_array(nr, size, gfp);

	map_shim.nr_lists += !!list;
	return list;
}

/**
 * map_shim_free() - kvfree()
 * @list: memory, or NULL
 */
void map_shim_free(const void *list)
{
	map_shim.nr_lists -= !!list;
	kvfree(list);
}

/**
 * map_shim_map() - dma_map_sg_attrs()
 * @dev: for which device
 * @sgl: the list
 * @nents: its entries
 * @dir: what the device does with it
 * @attrs: DMA_ATTR_*
 *
 * Return: entries of the mapping, 0 if it failed.
 */
unsigned int map_shim_map(struct device *dev, struct scatterlist *sgl, int nents,
			  enum dma_data_direction dir, unsigned long attrs)
{
	bool bad = map_shim.no_mapping && !map_shim.nr_good;
	unsigned int nr = bad ? 0 : dma_map_sg_attrs(dev, sgl, nents, dir, attrs);

	if (map_shim.no_mapping && !bad)
		map_shim.nr_good--;
	map_shim.attrs = attrs;
	map_shim.dir = dir;
	if (nr)
		map_shim.nr_entries += nents;
	return nr;
}

/**
 * map_shim_unmap() - dma_unmap_sg_attrs()
 * @dev: for which device
 * @sgl: the list
 * @nents: its entries
 * @dir: what the device did with it
 * @attrs: DMA_ATTR_*
 */
void map_shim_unmap(struct device *dev, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, unsigned long attrs)
{
	map_shim.nr_entries -= nents;
	map_shim.dir = dir;
	dma_unmap_sg_attrs(dev, sgl, nents, dir, attrs);
}
