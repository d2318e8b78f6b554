/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DMA channel, and a job on its way through it: mapped, cut into descriptors,
 * unmapped.
 *
 *	channel	from dmio_dma_chan_create() to dmio_dma_chan_free(), which comes
 *		after every job
 *	task	from dmio_dma_task_create() until its last descriptor was called
 *		back; if the hardware was stopped before that, until no callback
 *		can come any more
 *	parked	a task whose hardware could not be stopped: its job has failed, but
 *		its memory stays pinned and mapped until its last descriptor was
 *		called back, or the device has lost its driver
 */
#ifndef DMIO_DMA_TASK_H
#define DMIO_DMA_TASK_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "dma_map.h"
#include "dma_plan.h"
#include "engine.h"

struct device_link;
struct dma_chan;
struct dmio_dma_driver;
struct dmio_engine_dir;
struct task_struct;

/**
 * struct dmio_dma_chan - a channel that we hold
 * @engine: the engine that it is
 * @node: in the list of channels, see dma_chan.c
 * @chan: the channel; there until the device loses its driver
 * @dev: its device
 * @dma_dev: the device that memory is mapped for
 * @info: what a user is told of it; good also when the channel is gone
 * @driver: what is known of its driver
 * @link: has our device suspended before the channel's
 * @dir: its counters in sysfs
 * @out_align: bytes to which outputs are aligned, but for what a function wants
 * @max_bytes: most bytes of a segment
 * @lock: guards the lists and serialises the making of descriptors
 * @tasks: jobs that the channel has
 * @aborted: tasks whose jobs are gone, but that a late callback may still name
 * @queue: those of @tasks for which descriptors are still to be made
 * @bounces: memory may have to be copied to where the device can reach it
 * @nr_mapped: tasks whose memory is mapped; guarded by @lock
 * @since_irq: descriptors submitted since the last one that interrupts; guarded
 *	by @lock
 * @nr_new: descriptors submitted and not yet issued; guarded by @lock
 * @dead: nothing is issued any more, until the quarantine is over; guarded by
 *	@lock
 * @submitter: who is submitting a descriptor at the moment
 * @called_back: it was called back at once; guarded by @lock
 * @nr_inflight: descriptors submitted and not called back
 * @starved: a descriptor was not to be had: go on when one comes back
 * @nr_tries: how often in a row a descriptor was not to be had although none was
 *	in flight; guarded by @lock
 * @go_on: goes on
 * @watch: looks after it, see dma_watch.c
 * @held: the channel is ours; changed by @watch, and then by who gives it back
 * @leaving: nobody looks after it any more; guarded by @lock, as is all down to
 *	@nr_looks
 * @quarantined: it is not used until @retry
 * @retry: in jiffies
 * @backoff: how long it was, or is, in quarantine, in jiffies; 0: long forgotten
 * @back_since: when the quarantine ended, in jiffies
 * @nr_errors: tasks that failed in a row
 * @watched: the oldest task when @watch last looked, or NULL; may be gone
 * @since: when @watched became that, or something of it came back, in jiffies
 * @nr_looks: how often @watch has looked since
 * @cookie: of the last descriptor that was submitted
 * @progress: when a descriptor last came back, in jiffies; set from any context
 */
struct dmio_dma_chan {
	struct dmio_engine engine;
	struct list_head node;
	struct dma_chan *chan;
	struct device *dev;
	struct device *dma_dev;
	struct dmoverio_engine info;
	const struct dmio_dma_driver *driver;
	struct device_link *link;
	struct dmio_engine_dir *dir;
	unsigned int out_align;
	size_t max_bytes;

	bool bounces;

	struct mutex lock;		/* see above */
	struct list_head tasks;
	struct list_head aborted;
	struct list_head queue;
	unsigned int nr_mapped;
	unsigned int since_irq;
	unsigned int nr_new;
	bool dead;
	struct task_struct *submitter;
	bool called_back;
	atomic_t nr_inflight;
	bool starved;
	unsigned int nr_tries;
	struct delayed_work go_on;

	struct delayed_work watch;
	bool held;
	bool leaving;
	bool quarantined;
	unsigned long retry;
	unsigned long backoff;
	unsigned long back_since;
	unsigned int nr_errors;
	const struct dmio_dma_task *watched;
	unsigned long since;
	unsigned int nr_looks;
	dma_cookie_t cookie;
	unsigned long progress;
};

/**
 * struct dmio_dma_task - a job that a channel has
 * @job: the job
 * @dc: the channel
 * @node: in dc->tasks, or dc->aborted; guarded by dc->lock
 * @queued: in dc->queue while descriptors are to be made; guarded by dc->lock,
 *	as is everything down to @pass_done, and @in
 * @rules: what the channel wants
 * @plan: the islands to come
 * @island: what is left of the present one
 * @pos: how far the inputs' walks have come, in bytes of the job
 * @out: the output
 * @nr_in: how many of @in there are
 * @self: the output is an input, too, of the first pass
 * @left: bytes for which descriptors are still to be made
 * @pass_done: inputs that the descriptors of the present piece have read
 * @touched: a descriptor was submitted: the output may have been written
 * @failed: a descriptor failed; set from any context
 * @mapped: its memory is mapped for the device; guarded by dc->lock
 * @reason: why the task was given up, and ...
 * @error: ... what to answer if nobody else may do it; 0: -EIO
 * @progress: when a descriptor of it last came back, or the first was submitted, in
 *	jiffies; set from any context
 * @held: whoever stops the channel waits with it, and is one of @pending; guarded
 *	by dc->lock, but while that is one alone
 * @aborted: its descriptors were perhaps never called back, and may yet be: not to
 *	be freed yet; guarded by dc->lock
 * @parked: its job has failed; the memory stays for as long as @pending
 * @pending: descriptors in flight, and one for as long as more may come
 * @finish: what is to be done when there are none
 * @in: the inputs to be read, at most as many as the function has; those of XOR
 *	that are the output itself are not among them
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
	unsigned int nr_in;
	bool self;
	u64 left;
	unsigned int pass_done;
	bool touched;

	bool failed;
	bool mapped;
	enum dmio_reason reason;
	int error;
	unsigned long progress;
	bool held;
	bool aborted;
	bool parked;
	atomic_t pending;
	struct work_struct finish;
	struct dmio_dma_map in[];
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

extern struct workqueue_struct *dmio_dma_wq;

unsigned int dmio_dma_task_align(const struct dmio_dma_chan *dc, unsigned int id);
struct dmio_dma_task *dmio_dma_task_create(struct dmio_dma_chan *dc, struct dmio_job *job);
int dmio_dma_task_map(struct dmio_dma_task *task);
enum dmio_issue dmio_dma_task_issue(struct dmio_dma_task *task);
void dmio_dma_task_unmap(struct dmio_dma_task *task);
int dmio_dma_task_end(struct dmio_dma_task *task);
void dmio_dma_task_put(struct dmio_dma_task *task);
void dmio_dma_desc_done(struct dmio_dma_task *task, bool failed);

#endif /* DMIO_DMA_TASK_H */
