// SPDX-License-Identifier: GPL-2.0
/*
 * A DMA channel as an engine.
 *
 *	chan_submit()		map the job, queue it, make descriptors
 *	  issue()		for the job at the head of the queue, then the next
 *	...
 *	dmio_dma_desc_done()	a descriptor came back
 *	  go_on_work()		there are descriptors again: go on making them
 *	  finish_work()		it was the last one: unmap, give the job back
 *
 * Callbacks come from any context, with locks of the driver held: they count
 * and queue work, and that is all.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma_drivers.h"
#include "dma_reach.h"
#include "dma_stop.h"
#include "dma_task.h"
#include "dma_watch.h"
#include "engine_dma.h"
#include "engine_sysfs.h"
#include "func.h"
#include "platform.h"
#include "sched.h"

/* What sleeps longer than this, uninterruptibly, looks as if it hung */
#define LONGEST_SLEEP	(60L * HZ)

static unsigned int edge_align;
module_param(edge_align, uint, 0444);
MODULE_PARM_DESC(edge_align,
		 "Least alignment of outputs written by DMA, a power of two up to 4096, for devices that are less coherent than they say");

/* How often, a jiffy apart, an idle channel is asked for a descriptor in vain */
#define MAX_TRIES	10

/* A device that takes no longer segments than this is not worth the trouble */
#define LEAST_MAX_BYTES	SZ_4K

struct workqueue_struct *dmio_dma_wq;

static struct dmio_dma_chan *to_chan(const struct dmio_engine *engine)
{
	return container_of(engine, struct dmio_dma_chan, engine);
}

static bool chan_has(const struct dma_chan *chan, enum dma_transaction_type cap)
{
	return dma_has_cap(cap, chan->device->cap_mask);
}

static bool chan_does(const struct dma_chan *chan, unsigned int id)
{
	switch (id) {
	case DMOVERIO_FUNC_ZERO:
	case DMOVERIO_FUNC_FILL8:
		return chan_has(chan, DMA_MEMSET);
	case DMOVERIO_FUNC_COPY:
		return chan_has(chan, DMA_MEMCPY);
	case DMOVERIO_FUNC_XOR:
		return chan_has(chan, DMA_XOR) && chan->device->max_xor >= 2;
	default:
		return false;
	}
}

static bool chan_can(const struct dmio_engine *engine, const struct dmio_func *func)
{
	return to_chan(engine)->info.funcs & BIT_ULL(func->id);
}

static void chan_describe(const struct dmio_engine *engine, struct dmoverio_engine *info)
{
	const struct dmoverio_engine *known = &to_chan(engine)->info;

	info->funcs = known->funcs;
	info->align = known->align;
	info->max_srcs = known->max_srcs;
	info->max_bytes = known->max_bytes;
	memcpy(info->name, known->name, sizeof(info->name));
	memcpy(info->device, known->device, sizeof(info->device));
	memcpy(info->driver, known->driver, sizeof(info->driver));
}

/* What does not change, nor need the channel to be there */
static void note_info(struct dmio_dma_chan *dc)
{
	struct dmoverio_engine *info = &dc->info;
	unsigned int id;

	dmio_dma_chan_describe(dc->chan, info);
	info->max_bytes = dc->max_bytes;
	info->align = dc->out_align;
	for (id = 0; id < BITS_PER_TYPE(info->funcs); id++)
		if (info->funcs & BIT_ULL(id))
			info->align = max(info->align, dmio_dma_task_align(dc, id));
}

/**
 * dmio_dma_chan_describe() - what a user is told of a channel, held or not
 * @chan: the channel
 * @info: result, as far as the channel knows
 *
 * Context: any; the channel does not go away meanwhile.
 */
void dmio_dma_chan_describe(const struct dma_chan *chan, struct dmoverio_engine *info)
{
	unsigned int id;

	for (id = 0; id < BITS_PER_TYPE(info->funcs); id++)
		if (chan_does(chan, id))
			info->funcs |= BIT_ULL(id);
	info->max_srcs = chan_has(chan, DMA_XOR) ? chan->device->max_xor : 0;
	strscpy(info->name, dma_chan_name((struct dma_chan *)chan), sizeof(info->name));
	strscpy(info->device, dev_name(chan->device->dev), sizeof(info->device));
	strscpy(info->driver, dev_driver_string(chan->device->dev), sizeof(info->driver));
}

/**
 * dmio_dma_task_put() - one less that a task waits for; the last one finishes it
 * @task: the task; may be gone when this returns
 *
 * Context: any.
 */
void dmio_dma_task_put(struct dmio_dma_task *task)
{
	if (atomic_dec_and_test(&task->pending))
		queue_work(dmio_dma_wq, &task->finish);
}

/*
 * Make descriptors for a task, as many as there are.  While some are in flight,
 * the channel is woken when one comes back.  With none in flight they may still
 * be on their way back to the driver, or it may be recovering (ioat): try again
 * a little later, but not for ever, for it may never do what we want (plx_dma,
 * at_xdmac have limits of their own); and not again before it did something.
 */
static enum dmio_issue issue_task(struct dmio_dma_chan *dc, struct dmio_dma_task *task)
{
	enum dmio_issue ret;

	lockdep_assert_held(&dc->lock);

	ret = dmio_dma_task_issue(task);
	if (dc->nr_new)
		dc->nr_tries = 0;
	if (ret != DMIO_ISSUE_FULL)
		return ret;
	WRITE_ONCE(dc->starved, true);
	/* Pairs with the atomic_dec_return() in dmio_dma_desc_done() */
	smp_mb();
	if (atomic_read(&dc->nr_inflight)) {
		/*
		 * Of those the last need not interrupt: a descriptor is free
		 * only once its callback has returned, so that there may be
		 * none although few are in flight.  Then look again.
		 */
		if (dc->since_irq)
			queue_delayed_work(dmio_dma_wq, &dc->go_on, 1);
		return DMIO_ISSUE_FULL;
	}
	if (++dc->nr_tries > MAX_TRIES) {
		task->reason = DMIO_REASON_BUSY;
		return DMIO_ISSUE_GIVE_UP;
	}
	queue_delayed_work(dmio_dma_wq, &dc->go_on, 1);
	return DMIO_ISSUE_FULL;
}

/*
 * Map a task's memory when its turn has come: true if that is done, or the task
 * has a reason to be given up; false if it has to wait for others of the channel.
 * Bounce buffers are few, and all drivers of the machine share them: no more than
 * one task of a channel has some at a time.
 */
static bool map_task(struct dmio_dma_chan *dc, struct dmio_dma_task *task)
{
	lockdep_assert_held(&dc->lock);

	if (task->mapped)
		return true;
	if (dc->bounces && dc->nr_mapped)
		return false;
	task->error = dmio_dma_task_map(task);
	if (task->error == -ENOMEM && dc->nr_mapped)
		return false;
	if (task->error)
		task->reason = task->error == -ENOMEM ? DMIO_REASON_MAPPING :
							DMIO_REASON_NO_CHANNEL;
	return true;
}

/* Make descriptors for all that is queued, as many as there are */
static void issue(struct dmio_dma_chan *dc)
{
	struct dmio_dma_task *task, *next;

	lockdep_assert_held(&dc->lock);

	WRITE_ONCE(dc->starved, false);
	dc->nr_new = 0;
	list_for_each_entry_safe(task, next, &dc->queue, queued) {
		/* Not half way: the last descriptor need not be one that interrupts */
		if (dmio_job_is_abandoned(task->job) && !task->touched)
			task->reason = DMIO_REASON_REMOVED;
		else if (!map_task(dc, task))
			break;
		else if (!task->reason && issue_task(dc, task) == DMIO_ISSUE_FULL)
			break;
		list_del_init(&task->queued);
		dmio_dma_task_put(task);
	}
	/* Some drivers warn if there is nothing new (pl330) */
	if (!dc->nr_new)
		return;
	dmio_dma_watch(dc);
	dma_async_issue_pending(dc->chan);
}

static void go_on_work(struct work_struct *work)
{
	struct dmio_dma_chan *dc = container_of(work, struct dmio_dma_chan, go_on.work);

	mutex_lock(&dc->lock);
	issue(dc);
	mutex_unlock(&dc->lock);
}

/**
 * dmio_dma_desc_done() - a descriptor came back
 * @task: whose it was; may be gone when this returns
 * @failed: the transfer failed
 *
 * Context: any, as the driver pleases.
 */
void dmio_dma_desc_done(struct dmio_dma_task *task, bool failed)
{
	struct dmio_dma_chan *dc = task->dc;

	if (failed)
		WRITE_ONCE(task->failed, true);
	WRITE_ONCE(task->progress, jiffies);
	WRITE_ONCE(dc->progress, jiffies);
	/* Pairs with the smp_mb() in issue_task() */
	if (atomic_dec_return(&dc->nr_inflight) >= 0 && READ_ONCE(dc->starved))
		mod_delayed_work(dmio_dma_wq, &dc->go_on, 0);
	/* The channel is there for as long as it has a task */
	dmio_dma_task_put(task);
}

static void finish_work(struct work_struct *work)
{
	struct dmio_dma_task *task = container_of(work, struct dmio_dma_task, finish);
	struct dmio_dma_chan *dc = task->dc;
	struct dmio_job *job = task->job;
	int error = dmio_dma_task_end(task);

	mutex_lock(&dc->lock);
	dc->nr_mapped -= task->mapped;
	if (!list_empty(&dc->queue))
		mod_delayed_work(dmio_dma_wq, &dc->go_on, 0);
	if (task->reason == DMIO_REASON_ERROR || (task->touched && !task->reason))
		dmio_dma_judge(dc, task->reason);
	if (task->aborted)
		list_move(&task->node, &dc->aborted);
	else
		list_del(&task->node);
	if (!task->aborted)
		kfree(task);
	mutex_unlock(&dc->lock);
	dmio_job_complete(job, error);
}

static void chan_submit(struct dmio_engine *engine, struct dmio_job *job, bool may_run)
{
	struct dmio_dma_chan *dc = to_chan(engine);
	struct dmio_dma_task *task = dmio_dma_task_create(dc, job);

	if (!task) {
		job->reason = DMIO_REASON_MAPPING;
		dmio_job_complete(job, -ENOMEM);
		return;
	}

	INIT_WORK(&task->finish, finish_work);
	mutex_lock(&dc->lock);
	list_add_tail(&task->node, &dc->tasks);
	if (!dc->dead) {
		list_add_tail(&task->queued, &dc->queue);
		issue(dc);
	} else {
		task->reason = DMIO_REASON_REMOVED;
		task->error = -ENODEV;
		dmio_dma_task_put(task);
	}
	mutex_unlock(&dc->lock);
}

static const struct dmio_engine_ops dma_engine_ops = {
	.can		= chan_can,
	.submit		= chan_submit,
	.describe	= chan_describe,
};

static size_t chan_max_bytes(const struct dma_chan *chan)
{
	struct device *dev = dmaengine_get_dma_device((struct dma_chan *)chan);

	return min3((size_t)dma_get_max_seg_size(dev), dma_max_mapping_size(dev),
		    dmio_dma_driver_of(chan)->max_bytes ?: SIZE_MAX);
}

/**
 * dmio_dma_chan_is_capable() - can a channel do any function?
 * @chan: the channel
 *
 * Context: any; the channel does not go away meanwhile.
 * Return: true if it can, in segments that are worth it.
 */
bool dmio_dma_chan_is_capable(const struct dma_chan *chan)
{
	struct device *dev = dmaengine_get_dma_device((struct dma_chan *)chan);

	/* The memory that it cannot reach would be a WARN for each mapping */
	if (dma_max_mapping_size(dev) == SIZE_MAX && !dmio_dma_reaches_all(dev))
		return false;
	return chan_max_bytes(chan) >= LEAST_MAX_BYTES &&
	       (chan_does(chan, DMOVERIO_FUNC_COPY) || chan_does(chan, DMOVERIO_FUNC_ZERO) ||
		chan_does(chan, DMOVERIO_FUNC_XOR));
}

/**
 * dmio_dma_driver_of() - what is known of a channel's driver
 * @chan: the channel
 *
 * Context: any; the channel does not go away meanwhile.
 * Return: a row of the table.
 */
const struct dmio_dma_driver *dmio_dma_driver_of(const struct dma_chan *chan)
{
	const struct device_driver *driver = chan->device->dev->driver;

	return dmio_dma_driver_find(driver ? driver->name : NULL);
}

/**
 * dmio_dma_chan_create() - make an engine of a channel
 * @chan: the channel, ours, and capable
 *
 * Context: may sleep.
 * Return: the engine, which may have jobs by now; or NULL if there is no memory.
 */
struct dmio_dma_chan *dmio_dma_chan_create(struct dma_chan *chan)
{
	struct device *dev = dmaengine_get_dma_device(chan);
	struct dmio_dma_chan *dc = kzalloc(sizeof(*dc), GFP_KERNEL);

	if (!dc)
		return NULL;
	dc->engine.ops = &dma_engine_ops;
	dc->chan = chan;
	dc->held = true;
	dc->dev = get_device(chan->device->dev);
	dc->dma_dev = dev;
	dc->driver = dmio_dma_driver_of(chan);
	dc->out_align = dev_is_dma_coherent(dev) ? 1 : dma_get_cache_alignment();
	dc->out_align = max(dc->out_align, edge_align);
	dc->max_bytes = chan_max_bytes(chan);
	dc->bounces = dma_max_mapping_size(dev) != SIZE_MAX;
	mutex_init(&dc->lock);
	INIT_LIST_HEAD(&dc->tasks);
	INIT_LIST_HEAD(&dc->aborted);
	INIT_LIST_HEAD(&dc->queue);
	INIT_DELAYED_WORK(&dc->go_on, go_on_work);
	dmio_dma_watch_init(dc);
	note_info(dc);
	/* Without either it works, too */
	dc->link = device_link_add(dmio_platform_device(), chan->device->dev,
				   DL_FLAG_STATELESS);
	dc->dir = dmio_engine_dir_create(&dc->engine, dma_chan_name(chan));
	dmio_sched_add(&dc->engine);
	return dc;
}

/**
 * dmio_dma_chan_leave() - give a channel back
 * @dc: the channel
 * @unbinding: its device is about to lose its driver
 *
 * Its jobs are done by it or by others.  Waits until its hardware cannot write to
 * memory of ours any more.  Where that is not to be had, memory stays parked: the
 * channel is kept; but it is given back all the same if the driver is going away,
 * and is freed after that.
 *
 * Context: process context; sleeps.
 * Return: true if nothing of it is left but what dmio_dma_chan_free() frees.
 */
bool dmio_dma_chan_leave(struct dmio_dma_chan *dc, bool unbinding)
{
	long limit = dmio_dma_drain_limit(), left = limit;
	bool idle, parked;

	/* For as long as it moves, it is no matter for how long */
	do {
		idle = dmio_sched_leave(&dc->engine, min(left, LONGEST_SLEEP));
		left = READ_ONCE(dc->progress) + limit - jiffies;
	} while (!idle && left > 0);

	dmio_dma_watch_end(dc);
	if (!idle) {
		dmio_dma_stop(dc, DMIO_REASON_REMOVED, -ENODEV);
		/* What was done elsewhere, or parked, is on its way */
		while (!dmio_sched_leave(&dc->engine, LONGEST_SLEEP))
			;
	}
	parked = dmio_dma_has_parked(dc);
	if (parked && !unbinding) {
		mutex_lock(&dc->lock);
		dc->leaving = false;
		dc->quarantined = false;
		dmio_dma_watch(dc);
		mutex_unlock(&dc->lock);
		dmio_sched_stay(&dc->engine, DMOVERIO_ENGINE_DISABLED, DMOVERIO_FAILED_HANG);
		return false;
	}

	dmio_engine_dir_remove(dc->dir);
	if (dc->link)
		device_link_del(dc->link);
	if (parked)
		dmio_dma_abandon(dc);
	else if (dc->held)
		dma_release_channel(dc->chan);
	return !parked;
}

/**
 * dmio_dma_chan_free() - free a channel that was given back
 * @dc: the channel; if anything is parked, its device has lost its driver
 *
 * Context: process context; sleeps.
 */
void dmio_dma_chan_free(struct dmio_dma_chan *dc)
{
	dmio_dma_unpark(dc);
	dmio_sched_remove(&dc->engine);
	dmio_dma_free_aborted(dc);
	/* No callback can queue it any more */
	cancel_delayed_work_sync(&dc->go_on);
	put_device(dc->dev);
	kfree(dc);
}

/**
 * dmio_engine_dma_init() - get ready for channels
 *
 * Context: may sleep.
 * Return: 0, -EINVAL (a parameter), -ENOMEM.
 */
int dmio_engine_dma_init(void)
{
	if (edge_align && (!is_power_of_2(edge_align) || edge_align > LEAST_MAX_BYTES)) {
		pr_err("edge_align=%u: not a power of two up to %u\n", edge_align,
		       LEAST_MAX_BYTES);
		return -EINVAL;
	}
	dmio_dma_wq = alloc_workqueue("dmoverio-dma", WQ_UNBOUND | WQ_SYSFS, 0);
	return dmio_dma_wq ? 0 : -ENOMEM;
}

/**
 * dmio_engine_dma_fini() - stop
 *
 * No channel is left.
 *
 * Context: may sleep.
 */
void dmio_engine_dma_fini(void)
{
	destroy_workqueue(dmio_dma_wq);
}
