// SPDX-License-Identifier: GPL-2.0
/*
 * A cache that is not coherent with the device, as far as it can do harm.
 *
 * Where caches are not coherent, mapping an output for the device writes its
 * cache lines back, and unmapping it invalidates them: what the CPU wrote to
 * those lines in between is lost, be it to bytes that lie in the same line but
 * outside the output.  A provider does not see the mapping; it sees submit and
 * completion, which lie just inside.  So at submit the bytes beside an output,
 * its edges, are remembered, and at completion they are put back.
 *
 * What a device writes reaches memory and is not lost: a neighbour that another
 * transfer wrote in the meantime keeps what it got, because every write of a
 * device goes to the remembered edges, too.
 */
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "sim.h"

/* All edges in flight, of all devices; an edge's bytes are guarded, too. */
static LIST_HEAD(edges);
static DEFINE_SPINLOCK(edges_lock);

/*
 * Edges may belong to anybody, or lie in the red zone of an allocation: no
 * sanitizer may have a say, and nothing may become a call of memcpy().
 */
static __no_sanitize_address __no_kcsan void edge_copy(u8 *to, const u8 *from, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		WRITE_ONCE(to[i], READ_ONCE(from[i]));
}

static void edge_read(struct sim_device *sdev, struct sim_edge *edge, dma_addr_t from,
		      dma_addr_t to)
{
	u8 *ram;

	edge->addr = from;
	edge->len = to - from;
	if (!edge->len)
		return;
	ram = sim_ram_map(sdev, from);
	edge_copy(edge->bytes, ram, edge->len);
	kunmap_local(ram);
	list_add(&edge->node, &edges);
}

/**
 * sim_cache_read() - remember the edges of a descriptor's outputs
 * @sdev: the device
 * @desc: is being submitted
 */
void sim_cache_read(struct sim_device *sdev, struct sim_desc *desc)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&edges_lock, flags);
	for (i = 0; i < ARRAY_SIZE(desc->dst); i++) {
		dma_addr_t begin = desc->dst[i], end = begin + desc->len;

		if (!desc->has_dst[i])
			continue;
		edge_read(sdev, &desc->edge[2 * i], ALIGN_DOWN(begin, SIM_LINE_BYTES), begin);
		edge_read(sdev, &desc->edge[2 * i + 1], end, ALIGN(end, SIM_LINE_BYTES));
	}
	spin_unlock_irqrestore(&edges_lock, flags);
}

static void edge_note_write(struct sim_edge *edge, dma_addr_t addr, const u8 *bytes, size_t len)
{
	dma_addr_t begin = max(addr, edge->addr);
	dma_addr_t end = min(addr + len, edge->addr + edge->len);

	if (begin < end)
		memcpy(edge->bytes + (begin - edge->addr), bytes + (begin - addr), end - begin);
}

/**
 * sim_cache_write() - write what a device writes, to memory and to edges
 * @sdev: the device
 * @addr: where
 * @bytes: what
 * @len: how much, no more than a step
 */
void sim_cache_write(struct sim_device *sdev, dma_addr_t addr, const u8 *bytes, size_t len)
{
	struct sim_edge *edge;
	unsigned long flags;

	spin_lock_irqsave(&edges_lock, flags);
	sim_ram_write(sdev, addr, bytes, len);
	list_for_each_entry(edge, &edges, node)
		edge_note_write(edge, addr, bytes, len);
	spin_unlock_irqrestore(&edges_lock, flags);
}

static void edge_forget(struct sim_edge *edge)
{
	list_del(&edge->node);
	edge->len = 0;
}

/**
 * sim_cache_write_back() - undo what the CPU did to the edges, and forget them
 * @sdev: the device
 * @desc: has written its outputs
 */
void sim_cache_write_back(struct sim_device *sdev, struct sim_desc *desc)
{
	struct sim_edge *edge;
	unsigned long flags;

	spin_lock_irqsave(&edges_lock, flags);
	for (edge = desc->edge; edge < desc->edge + ARRAY_SIZE(desc->edge); edge++) {
		u8 *ram;

		if (!edge->len)
			continue;
		ram = sim_ram_map(sdev, edge->addr);
		edge_copy(ram, edge->bytes, edge->len);
		kunmap_local(ram);
		edge_forget(edge);
	}
	spin_unlock_irqrestore(&edges_lock, flags);
}

/**
 * sim_cache_forget() - forget the edges of a descriptor that did not complete
 * @desc: may have none
 */
void sim_cache_forget(struct sim_desc *desc)
{
	struct sim_edge *edge;
	unsigned long flags;

	spin_lock_irqsave(&edges_lock, flags);
	for (edge = desc->edge; edge < desc->edge + ARRAY_SIZE(desc->edge); edge++)
		if (edge->len)
			edge_forget(edge);
	spin_unlock_irqrestore(&edges_lock, flags);
}
