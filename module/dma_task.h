/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A job on its way through a DMA channel: mapped, cut into descriptors, unmapped.
 */
#ifndef DMIO_DMA_TASK_H
#define DMIO_DMA_TASK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "dma_map.h"
#include "dma_plan.h"
#include "engine.h"

struct dmio_dma_chan;

/**
 * struct dmio_dma_task - a job that a channel has
 * @job: the job
 * @dc: the channel
 * @node: in dc->tasks, or dc->aborted; guarded by dc->lock
 * @queued: in dc->queue while descriptors are to be made; guarded by dc->lock,
 *	as is everything down to @pass_done
 * @rules: what the channel wants
 * @plan: the islands to come
 * @island: what is left of the present one
 * @pos: how far the inputs' walks have come, in bytes of the job
 * @out: the output
 * @in: the inputs to be read, @nr_in of them; those of XOR that are the output
 *	itself are not among them
 * @nr_in: see there
 * @self: the output is an input, too, of the first pass
 * @left: bytes for which descriptors are still to be made
 * @pass_done: inputs that the descriptors of the present piece have read
 * @touched: a descriptor was submitted: the output may have been written
 * @failed: a descriptor failed; set from any context
 * @reason: why the task was given up
 * @aborted: its descriptors were never called back, and may yet be; guarded by
 *	dc->lock
 * @pending: descriptors in flight, and one for as long as more may come
 * @finish: what is to be done when there are none
 */
struct dmio_dma_task {
	struct dmio_job *job;
	struct dmio_dma_chan *dc;
	struct list_head node;
	struct list_head queued;

	struct dmio_dma_rules rules;
	struct dmio_plan plan;
	struct dmio_island island;
	u64 pos;
	struct dmio_dma_map out;
	struct dmio_dma_map in[DMOVERIO_MAX_SRCS];
	unsigned int nr_in;
	bool self;
	u64 left;
	unsigned int pass_done;
	bool touched;

	bool failed;
	enum dmio_reason reason;
	bool aborted;
	atomic_t pending;
	struct work_struct finish;
};

/**
 * enum dmio_issue - how the making of descriptors ended
 * @DMIO_ISSUE_ALL: all are made
 * @DMIO_ISSUE_FULL: the channel has no more descriptors at the moment
 * @DMIO_ISSUE_GIVE_UP: it cannot be done here; @reason says why
 */
enum dmio_issue {
	DMIO_ISSUE_ALL,
	DMIO_ISSUE_FULL,
	DMIO_ISSUE_GIVE_UP,
};

unsigned int dmio_dma_task_align(const struct dmio_dma_chan *dc, unsigned int id);
struct dmio_dma_task *dmio_dma_task_create(struct dmio_dma_chan *dc, struct dmio_job *job);
enum dmio_issue dmio_dma_task_issue(struct dmio_dma_task *task);
int dmio_dma_task_end(struct dmio_dma_task *task);
void dmio_dma_desc_done(struct dmio_dma_task *task, bool failed);

#endif /* DMIO_DMA_TASK_H */
