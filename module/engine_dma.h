/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DMA channel as an engine.
 *
 *	holder		taken at			dropped at
 *	------		--------			----------
 *	the list	dmio_dma_chan_create()		dmio_dma_chan_destroy(), which
 *							waits for every job
 */
#ifndef DMIO_ENGINE_DMA_H
#define DMIO_ENGINE_DMA_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "engine.h"

struct dma_chan;
struct dmio_dma_driver;

/**
 * struct dmio_dma_chan - a channel that we hold
 * @engine: the engine that it is
 * @node: in the list of channels, see dma_chan.c
 * @chan: the channel
 * @driver: what is known of its driver
 * @out_align: bytes to which outputs are aligned, but for what a function wants
 * @max_bytes: most bytes of a segment
 * @lock: guards the lists and serialises the making of descriptors
 * @tasks: jobs that the channel has
 * @aborted: tasks whose jobs are gone, but that a late callback may still name
 * @queue: those of @tasks for which descriptors are still to be made
 * @since_irq: descriptors submitted since the last one that interrupts; guarded
 *	by @lock
 * @nr_new: descriptors submitted and not yet issued; guarded by @lock
 * @dead: nothing is issued any more; guarded by @lock
 * @submitter: who is submitting a descriptor at the moment
 * @called_back: it was called back at once; guarded by @lock
 * @nr_inflight: descriptors submitted and not called back
 * @starved: a descriptor was not to be had: go on when one comes back
 * @nr_tries: how often in a row a descriptor was not to be had although none was
 *	in flight; guarded by @lock
 * @go_on: goes on
 */
struct dmio_dma_chan {
	struct dmio_engine engine;
	struct list_head node;
	struct dma_chan *chan;
	const struct dmio_dma_driver *driver;
	unsigned int out_align;
	size_t max_bytes;

	struct mutex lock;		/* see above */
	struct list_head tasks;
	struct list_head aborted;
	struct list_head queue;
	unsigned int since_irq;
	unsigned int nr_new;
	bool dead;
	struct task_struct *submitter;
	bool called_back;
	atomic_t nr_inflight;
	bool starved;
	unsigned int nr_tries;
	struct delayed_work go_on;
};

bool dmio_dma_chan_is_capable(const struct dma_chan *chan);
void dmio_dma_chan_describe(const struct dma_chan *chan, struct dmoverio_engine *info);
const struct dmio_dma_driver *dmio_dma_driver_of(const struct dma_chan *chan);
struct dmio_dma_chan *dmio_dma_chan_create(struct dma_chan *chan);
void dmio_dma_chan_destroy(struct dmio_dma_chan *dc);

int dmio_engine_dma_init(void);
void dmio_engine_dma_fini(void);

#endif /* DMIO_ENGINE_DMA_H */
