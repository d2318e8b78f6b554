// SPDX-License-Identifier: GPL-2.0
/*
 * A job's regions as a device sees them.
 */
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "dma_map.h"
#include "engine.h"

/*
 * Counts the segments of a region and, if there is a list for them, fills it in
 */
struct maker {
	const struct dmio_dma_rules *rules;
	struct scatterlist *sg;
	unsigned int nr;
	u64 bytes;
	bool as_is;		/* each is a whole entry of the job's own list */
};

/* Add @len bytes, @off bytes into the entry @sg, in as many segments as it takes */
static void add(struct maker *maker, struct scatterlist *sg, size_t off, size_t len)
{
	if (len > dmio_plan_chunk(maker->rules, sg->offset + off, len) || len != sg->length)
		maker->as_is = false;
	maker->bytes += len;

	while (len) {
		size_t addr = sg->offset + off;
		size_t chunk = dmio_plan_chunk(maker->rules, addr, len);
		unsigned long pfn = page_to_pfn(sg_page(sg)) + (addr >> PAGE_SHIFT);

		if (maker->sg) {
			sg_set_page(maker->sg, pfn_to_page(pfn), chunk, offset_in_page(addr));
			maker->sg = sg_next(maker->sg);
		}
		maker->nr++;
		off += chunk;
		len -= chunk;
	}
}

static void add_input(struct maker *maker, struct scatterlist *sgl)
{
	struct scatterlist *sg;

	for (sg = sgl; sg; sg = sg_next(sg))
		add(maker, sg, 0, sg->length);
}

/* The islands; each lies within one entry of the output */
static void add_output(struct maker *maker, const struct dmio_job *job)
{
	struct scatterlist *sg = job->dst;
	struct dmio_island island;
	struct dmio_plan plan;
	u64 start = 0;

	dmio_plan_init(&plan, job, maker->rules);
	while (dmio_plan_next(&plan, &island)) {
		for (; island.offset >= start + sg->length; sg = sg_next(sg))
			start += sg->length;
		add(maker, sg, island.offset - start, island.len);
	}
}

/*
 * Map a region: the output of @job, or the input @sgl.  The job's own list
 * serves if it is as the device can take it.
 */
static int map_region(struct dmio_dma_map *map, struct device *dev, const struct dmio_job *job,
		      struct scatterlist *sgl, const struct dmio_dma_rules *rules)
{
	struct maker maker = { .rules = rules, .as_is = true };

	job ? add_output(&maker, job) : add_input(&maker, sgl);
	if (!maker.nr)
		return 0;
	map->sgl = sgl;
	if (!maker.as_is || (job && maker.bytes != job->len)) {
		/* By whoever makes descriptors: not on his account */
		map->own = kvmalloc_array(maker.nr, sizeof(*map->own), GFP_KERNEL);
		if (!map->own)
			return -ENOMEM;
		sg_init_table(map->own, maker.nr);
		map->sgl = map->own;
		maker = (struct maker){ .rules = rules, .sg = map->own };
		job ? add_output(&maker, job) : add_input(&maker, sgl);
	}

	if (!dma_map_sg_attrs(dev, map->sgl, maker.nr, map->dir, DMA_ATTR_NO_WARN)) {
		kvfree(map->own);
		map->own = NULL;
		return -ENOMEM;
	}
	map->nents = maker.nr;
	map->bytes = maker.bytes;
	map->at = map->sgl;
	return 0;
}

/**
 * dmio_dma_map_output() - map the islands of a job's output
 * @map: result; zeroed by the caller
 * @dev: the device
 * @job: the job
 * @rules: what the channel wants
 * @dir: what the device does with it
 *
 * If the job has no islands, nothing is mapped.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int dmio_dma_map_output(struct dmio_dma_map *map, struct device *dev, const struct dmio_job *job,
			const struct dmio_dma_rules *rules, enum dma_data_direction dir)
{
	map->dir = dir;
	return map_region(map, dev, job, job->dst, rules);
}

/**
 * dmio_dma_map_input() - map all of an input
 * @map: result; zeroed by the caller
 * @dev: the device
 * @sgl: the input
 * @rules: what the channel wants
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int dmio_dma_map_input(struct dmio_dma_map *map, struct device *dev, struct scatterlist *sgl,
		       const struct dmio_dma_rules *rules)
{
	map->dir = DMA_TO_DEVICE;
	return map_region(map, dev, NULL, sgl, rules);
}

/**
 * dmio_dma_unmap() - the device is done with a region
 * @map: mapped, or zeroed
 * @dev: the device
 *
 * Context: may sleep.
 */
void dmio_dma_unmap(struct dmio_dma_map *map, struct device *dev)
{
	if (map->nents)
		dma_unmap_sg_attrs(dev, map->sgl, map->nents, map->dir, 0);
	kvfree(map->own);
	map->own = NULL;
	map->nents = 0;
}

/**
 * dmio_dma_map_addr() - where the walk is
 * @map: mapped, and the walk is not at its end
 *
 * Context: any.
 * Return: the address, as the device sees it.
 */
dma_addr_t dmio_dma_map_addr(const struct dmio_dma_map *map)
{
	return sg_dma_address(map->at) + map->off;
}

/**
 * dmio_dma_map_left() - how many bytes are contiguous from here
 * @map: mapped, and the walk is not at its end
 *
 * Context: any.
 * Return: 1 or more.
 */
size_t dmio_dma_map_left(const struct dmio_dma_map *map)
{
	return sg_dma_len(map->at) - map->off;
}

/**
 * dmio_dma_map_advance() - go on with the walk
 * @map: mapped
 * @len: bytes, not more than there are
 *
 * Context: any.
 */
void dmio_dma_map_advance(struct dmio_dma_map *map, u64 len)
{
	while (len) {
		size_t step = min_t(u64, len, dmio_dma_map_left(map));

		map->off += step;
		len -= step;
		if (!dmio_dma_map_left(map)) {
			map->at = sg_next(map->at);
			map->off = 0;
		}
	}
}
