// SPDX-License-Identifier: GPL-2.0
/*
 * Stopping a DMA channel, whatever it is doing.
 *
 *	hold_tasks()	from now on no callback finishes a task
 *	make_quiet()	stop the hardware, if that can be known
 *	give_up_tasks()	then their jobs are done elsewhere
 *	park_tasks()	else they fail, but keep their memory
 *
 * What is parked comes back when the last of its descriptors is called back after
 * all, or when the device has lost its driver.  In between stands an administrator
 * who can see it (parked_pages), and can unbind the driver.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/workqueue.h>

#include "dma_drivers.h"
#include "dma_stop.h"
#include "dma_task.h"
#include "engines.h"

static unsigned int drain_ms = 10000;
module_param(drain_ms, uint, 0644);
MODULE_PARM_DESC(drain_ms,
		 "Milliseconds after which a DMA channel that is given back, and of which nothing comes back, is stopped, even with watchdog_ms=0; 0: at once");

/*
 * Nothing is queued any more, and no callback finishes a task: what is stopped
 * may be called back all the same, early or late, even as a success.
 */
static void hold_tasks(struct dmio_dma_chan *dc, enum dmio_reason reason, int error)
{
	struct dmio_dma_task *task, *next;

	mutex_lock(&dc->lock);
	dc->dead = true;
	WRITE_ONCE(dc->starved, false);
	list_for_each_entry_safe(task, next, &dc->queue, queued) {
		list_del_init(&task->queued);
		task->reason = reason;
		task->error = error;
		dmio_dma_task_put(task);
	}
	list_for_each_entry(task, &dc->tasks, node)
		if (!task->held && !task->aborted)
			task->held = atomic_inc_not_zero(&task->pending);
	mutex_unlock(&dc->lock);
	cancel_delayed_work_sync(&dc->go_on);
}

/*
 * The hardware has stopped: what was held is done elsewhere, whatever was called
 * back since, for some drivers call back what they stop as if it were done.  None
 * of it is freed before no callback can come any more.
 */
static void give_up_tasks(struct dmio_dma_chan *dc, enum dmio_reason reason, int error)
{
	struct dmio_dma_task *task;

	mutex_lock(&dc->lock);
	list_for_each_entry(task, &dc->tasks, node) {
		if (!task->held)
			continue;
		task->held = false;
		task->aborted = true;
		task->reason = reason;
		task->error = error;
		atomic_set(&task->pending, 0);
		queue_work(dmio_dma_wq, &task->finish);
	}
	mutex_unlock(&dc->lock);
}

static void park(struct dmio_dma_task *task)
{
	if (task->parked)
		return;
	task->parked = true;
	task->reason = DMIO_REASON_HANG;
	task->error = -ETIMEDOUT;
	dmio_job_park(task->job);
}

/*
 * The hardware may go on: what was held fails, and keeps its memory.  If the driver
 * was told to stop, what it calls back from then on says nothing: that memory stays
 * until the driver is gone.
 */
static void park_tasks(struct dmio_dma_chan *dc, bool told)
{
	struct dmio_dma_task *task, *next;
	LIST_HEAD(held);

	mutex_lock(&dc->lock);
	list_for_each_entry(task, &dc->tasks, node)
		if (task->held)
			list_add_tail(&task->queued, &held);
	mutex_unlock(&dc->lock);

	list_for_each_entry_safe(task, next, &held, queued) {
		list_del_init(&task->queued);
		if (told || atomic_read(&task->pending) > 1)
			park(task);
		if (told)
			continue;
		task->held = false;
		dmio_dma_task_put(task);
	}
}

/* Returns true if the hardware certainly accesses memory no longer */
static bool make_quiet(struct dmio_dma_chan *dc)
{
	int ret;

	if (!dc->held)
		return true;
	if (dc->driver->quiet == DMIO_DMA_QUIET_NEVER)
		return false;
	ret = dmaengine_terminate_sync(dc->chan);
	if (dc->driver->quiet == DMIO_DMA_QUIET_TERMINATE)
		return !ret;
	dma_release_channel(dc->chan);
	dc->held = false;
	return true;
}

/**
 * dmio_dma_drain_limit() - how long does whoever gives back a channel wait for it?
 *
 * Context: any.
 * Return: jiffies, since it last moved.
 */
unsigned long dmio_dma_drain_limit(void)
{
	return msecs_to_jiffies(READ_ONCE(drain_ms));
}

/**
 * dmio_dma_stop() - stop a channel, if that is possible
 * @dc: the channel; nothing else stops it
 * @reason: why its tasks are done elsewhere ...
 * @error: ... or the answer, if that may not be
 *
 * Where it is not known that the hardware has stopped, they are parked.
 *
 * Context: process context; sleeps.
 * Return: true if the hardware has stopped.
 */
bool dmio_dma_stop(struct dmio_dma_chan *dc, enum dmio_reason reason, int error)
{
	bool told = dc->driver->quiet != DMIO_DMA_QUIET_NEVER &&
		    dc->chan->device->device_terminate_all;

	hold_tasks(dc, reason, error);
	if (make_quiet(dc)) {
		give_up_tasks(dc, reason, error);
		return true;
	}
	park_tasks(dc, told);
	return false;
}

/**
 * dmio_dma_free_aborted() - free tasks that were kept for late callbacks
 * @dc: the channel, which was stopped some time ago
 *
 * Few drivers wait for a tasklet that is just about to call back what was aborted;
 * those that call back from threads do.
 *
 * Context: process context; sleeps.
 */
void dmio_dma_free_aborted(struct dmio_dma_chan *dc)
{
	struct dmio_dma_task *task, *next;
	LIST_HEAD(aborted);

	mutex_lock(&dc->lock);
	list_splice_init(&dc->aborted, &aborted);
	mutex_unlock(&dc->lock);

	if (!list_empty(&aborted))
		synchronize_rcu();
	list_for_each_entry_safe(task, next, &aborted, node)
		kfree(task);
}

/**
 * dmio_dma_has_parked() - may the hardware write to memory that it should not?
 * @dc: the channel
 *
 * Context: process context; does not sleep.
 * Return: true if so.
 */
bool dmio_dma_has_parked(struct dmio_dma_chan *dc)
{
	return dmio_engines_counter(&dc->engine, offsetof(struct dmio_engine, parked_pages));
}

/**
 * dmio_dma_abandon() - let the device lose its driver, whatever the hardware does
 * @dc: a channel with parked tasks, watched no longer
 *
 * What is parked is unmapped, which is as much as can be done for others while the
 * device is still there; but bounce buffers would be somebody else's at once, they
 * are kept, too.  Where a driver would not survive this, the hardware is waited for.
 *
 * Context: process context; sleeps.
 */
void dmio_dma_abandon(struct dmio_dma_chan *dc)
{
	struct dmio_dma_task *task;

	if (dc->driver->fragile)
		dev_warn(dc->dev, "%s: does not finish its transfers, nor can it be stopped: waiting\n",
			 dc->info.name);
	while (dc->driver->fragile && dmio_dma_has_parked(dc))
		schedule_timeout_uninterruptible(HZ);

	hold_tasks(dc, DMIO_REASON_HANG, -ETIMEDOUT);
	dmaengine_terminate_sync(dc->chan);
	dma_release_channel(dc->chan);
	dc->held = false;

	/* Those that were called back after all are finishing */
	flush_workqueue(dmio_dma_wq);
	mutex_lock(&dc->lock);
	list_for_each_entry(task, &dc->tasks, node)
		if (task->held && !dc->bounces)
			dmio_dma_task_unmap(task);
	mutex_unlock(&dc->lock);
}

/**
 * dmio_dma_unpark() - give back what is parked, if anything is
 * @dc: a channel that was given back; what was parked was abandoned, and the device
 *	has lost its driver since
 *
 * Context: process context; sleeps.
 */
void dmio_dma_unpark(struct dmio_dma_chan *dc)
{
	if (!dmio_dma_has_parked(dc))
		return;
	give_up_tasks(dc, DMIO_REASON_HANG, -ETIMEDOUT);
	flush_workqueue(dmio_dma_wq);
}
