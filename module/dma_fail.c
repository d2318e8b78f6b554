// SPDX-License-Identifier: GPL-2.0
/*
 * What happens when a DMA channel fails, or has to stop.
 *
 * A work item looks after each channel that has something in flight, or is in
 * quarantine:
 *
 *	watch_work()
 *	  chan_hung()		what is the oldest task's has not come back for too long
 *	    hold_tasks()	from now on no callback finishes a task
 *	    make_quiet()	stop the hardware, if that can be known
 *	    give_up_tasks()	then their jobs are done elsewhere
 *	    park_tasks()	else they fail, but keep their memory
 *	  come_back()		the quarantine is over
 *
 * Nothing else terminates a channel, but that it is given back.  The workqueue is
 * frozen while the machine sleeps: no channel comes back then.
 *
 * What is parked comes back when the last of its descriptors is called back after
 * all, or when the device has lost its driver.  In between stands an administrator
 * who can see it (parked_pages), and can unbind the driver.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/workqueue.h>

#include "dma_drivers.h"
#include "dma_fail.h"
#include "dma_task.h"
#include "sched.h"

/* Windows that fail in a row until a channel is left in peace for a while */
#define MAX_ERRORS	3

/* The back-off, which doubles: never longer, nor shorter, than this */
#define LEAST_BACKOFF	(HZ / 10)
#define MOST_BACKOFF	(600 * HZ)

static unsigned int watchdog_ms = 10000;
module_param(watchdog_ms, uint, 0644);
MODULE_PARM_DESC(watchdog_ms,
		 "Milliseconds after which a DMA channel of which nothing comes back has failed; 0: never");

static unsigned int backoff_ms = 1000;
module_param(backoff_ms, uint, 0644);
MODULE_PARM_DESC(backoff_ms,
		 "Milliseconds for which a DMA channel that failed is not used; doubled each time, up to ten minutes");

/* How often a channel is looked at before it is said to hang */
#define LOOKS	4

/* The first task of which something is in flight, or still to come back; or NULL */
static struct dmio_dma_task *oldest(const struct dmio_dma_chan *dc)
{
	struct dmio_dma_task *task;

	lockdep_assert_held(&dc->lock);

	if (dc->dead)
		return NULL;
	list_for_each_entry(task, &dc->tasks, node)
		if (task->touched && atomic_read(&task->pending) > 0)
			return task;
	return NULL;
}

/**
 * dmio_dma_watch() - look after a channel from now on
 * @dc: the channel, which has something in flight, or is in quarantine
 *
 * Context: may sleep; dc->lock is held.
 */
void dmio_dma_watch(struct dmio_dma_chan *dc)
{
	unsigned long limit = msecs_to_jiffies(READ_ONCE(watchdog_ms));

	lockdep_assert_held(&dc->lock);

	if (!dc->leaving)
		queue_delayed_work(system_freezable_wq, &dc->watch,
				   limit ? clamp(limit / LOOKS, 1UL, (unsigned long)HZ) : HZ);
}

static void quarantine(struct dmio_dma_chan *dc, u32 reason)
{
	unsigned long least = max_t(unsigned long, LEAST_BACKOFF,
				    msecs_to_jiffies(READ_ONCE(backoff_ms)));

	lockdep_assert_held(&dc->lock);

	dc->backoff = min_t(unsigned long, MOST_BACKOFF, max(2 * dc->backoff, least));
	dc->retry = jiffies + dc->backoff;
	dc->quarantined = true;
	dmio_sched_set_state(&dc->engine, DMOVERIO_ENGINE_QUARANTINED, reason, dc->retry);
	dmio_dma_watch(dc);
}

/**
 * dmio_dma_judge() - does a channel deserve more work?
 * @dc: the channel
 * @failed: a task of it has failed, or else was done
 *
 * A channel that has worked for as long as it was in quarantine has come clean.
 *
 * Context: may sleep; dc->lock is held.
 */
void dmio_dma_judge(struct dmio_dma_chan *dc, bool failed)
{
	lockdep_assert_held(&dc->lock);

	if (failed) {
		if (++dc->nr_errors < MAX_ERRORS || dc->quarantined || dc->dead)
			return;
		dev_warn_ratelimited(dc->dev, "%s: transfers fail: left in peace for a while\n",
				     dc->info.name);
		quarantine(dc, DMOVERIO_FAILED_ERRORS);
		return;
	}
	dc->nr_errors = 0;
	if (dc->backoff && !dc->quarantined &&
	    time_after(jiffies, dc->back_since + dc->backoff))
		dc->backoff = 0;
}

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

/* Returns true if the channel may be used again some time */
static bool stop(struct dmio_dma_chan *dc, enum dmio_reason reason, int error)
{
	hold_tasks(dc, reason, error);
	if (make_quiet(dc)) {
		give_up_tasks(dc, reason, error);
		return true;
	}
	park_tasks(dc, dc->driver->quiet != DMIO_DMA_QUIET_NEVER);
	return false;
}

/**
 * dmio_dma_stop() - stop a channel that is to be given back
 * @dc: the channel; nothing watches it any more
 *
 * Its tasks are done elsewhere, or parked.
 *
 * Context: process context; sleeps.
 */
void dmio_dma_stop(struct dmio_dma_chan *dc)
{
	stop(dc, DMIO_REASON_REMOVED, -ENODEV);
}

static void disable(struct dmio_dma_chan *dc)
{
	mutex_lock(&dc->lock);
	dc->quarantined = false;
	dmio_sched_set_state(&dc->engine, DMOVERIO_ENGINE_DISABLED, DMOVERIO_FAILED_HANG, 0);
	mutex_unlock(&dc->lock);
}

static void chan_hung(struct dmio_dma_chan *dc)
{
	dev_warn_ratelimited(dc->dev, "%s: no transfer has come to its end for %u ms\n",
			     dc->info.name, jiffies_to_msecs(jiffies - dc->since));
	mutex_lock(&dc->lock);
	quarantine(dc, DMOVERIO_FAILED_HANG);
	mutex_unlock(&dc->lock);

	if (stop(dc, DMIO_REASON_HANG, -ETIMEDOUT))
		return;
	dev_warn_ratelimited(dc->dev, "%s: cannot be stopped, and is not used any more\n",
			     dc->info.name);
	disable(dc);
}

/*
 * Has it been too long since something of the oldest task came back?  Others may
 * come and go meanwhile.  Not if this was looked at but a few times: a machine that
 * stood still itself knows nothing of its hardware.
 */
static bool is_stuck(struct dmio_dma_chan *dc, unsigned long limit)
{
	struct dmio_dma_task *task;
	unsigned long progress;

	mutex_lock(&dc->lock);
	task = oldest(dc);
	progress = task ? READ_ONCE(task->progress) : jiffies;
	if (task != dc->watched || time_after(progress, dc->since)) {
		dc->since = task != dc->watched ? jiffies : progress;
		dc->watched = task;
		dc->nr_looks = 0;
	}
	dc->nr_looks++;
	mutex_unlock(&dc->lock);

	return task && dc->nr_looks > LOOKS && time_after(jiffies, dc->since + limit);
}

/*
 * Before it is too late, give the driver an opportunity to find what has come to
 * its end without an interrupt
 */
static void look_after(struct dmio_dma_chan *dc)
{
	unsigned long limit = msecs_to_jiffies(READ_ONCE(watchdog_ms));
	struct dma_tx_state state;

	if (!limit)
		return;
	if (is_stuck(dc, limit))
		chan_hung(dc);
	else if (dc->nr_looks > 1 && dc->held)
		dmaengine_tx_status(dc->chan, READ_ONCE(dc->cookie), &state);
}

static bool is_it(struct dma_chan *chan, void *arg)
{
	return chan == arg;
}

/* Others may have taken the channel meanwhile */
static bool take_again(struct dmio_dma_chan *dc)
{
	dma_cap_mask_t any;

	dma_cap_zero(any);
	dc->held = dc->held || __dma_request_channel(&any, is_it, dc->chan, NULL);
	return dc->held;
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

/* What was stopped is never called back, nor counted down */
static void begin_anew(struct dmio_dma_chan *dc)
{
	lockdep_assert_held(&dc->lock);

	atomic_set(&dc->nr_inflight, 0);
	dc->since_irq = 0;
	dc->nr_tries = 0;
	dc->dead = false;
}

static void come_back(struct dmio_dma_chan *dc)
{
	bool back;

	if (dmio_dma_has_parked(dc)) {
		disable(dc);
		return;
	}
	back = take_again(dc);
	/* Callbacks may still be under way if there was no back-off */
	flush_workqueue(dmio_dma_wq);
	dmio_dma_free_aborted(dc);

	mutex_lock(&dc->lock);
	if (!back) {
		quarantine(dc, DMOVERIO_FAILED_LOST);
		goto unlock;
	}
	if (dc->dead)
		begin_anew(dc);
	dc->nr_errors = 0;
	dc->quarantined = false;
	dc->back_since = jiffies;
	dmio_sched_set_state(&dc->engine, DMOVERIO_ENGINE_ACTIVE, 0, 0);
unlock:
	mutex_unlock(&dc->lock);
}

static void watch_work(struct work_struct *work)
{
	struct dmio_dma_chan *dc = container_of(work, struct dmio_dma_chan, watch.work);
	bool over;

	/* The machine goes down, and the controller, perhaps, before us */
	if (dmio_sched_is_stopped())
		return;
	look_after(dc);

	mutex_lock(&dc->lock);
	over = dc->quarantined && time_after_eq(jiffies, dc->retry);
	mutex_unlock(&dc->lock);
	if (over)
		come_back(dc);

	mutex_lock(&dc->lock);
	if (dc->quarantined || oldest(dc))
		dmio_dma_watch(dc);
	mutex_unlock(&dc->lock);
}

/**
 * dmio_dma_watch_init() - prepare for looking after a channel
 * @dc: the channel
 *
 * Context: any.
 */
void dmio_dma_watch_init(struct dmio_dma_chan *dc)
{
	INIT_DELAYED_WORK(&dc->watch, watch_work);
	dc->progress = jiffies;
}

/**
 * dmio_dma_watch_end() - look after a channel no longer
 * @dc: the channel
 *
 * Context: process context; sleeps.
 */
void dmio_dma_watch_end(struct dmio_dma_chan *dc)
{
	mutex_lock(&dc->lock);
	dc->leaving = true;
	mutex_unlock(&dc->lock);
	cancel_delayed_work_sync(&dc->watch);
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
	return dmio_sched_counter(&dc->engine, offsetof(struct dmio_engine, parked_pages));
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

/**
 * dmio_dma_reset() - use a channel again that has failed
 * @dc: the channel, which is not being given back
 *
 * Context: process context; sleeps.
 * Return: 0; -EBUSY while pages are parked, or if the channel is not to be had.
 */
int dmio_dma_reset(struct dmio_dma_chan *dc)
{
	bool back;

	if (dmio_dma_has_parked(dc))
		return -EBUSY;

	mutex_lock(&dc->lock);
	if (dc->quarantined || dc->dead) {
		dc->quarantined = true;
		dc->retry = jiffies;
		dc->backoff = 0;
		mod_delayed_work(system_freezable_wq, &dc->watch, 0);
	}
	mutex_unlock(&dc->lock);
	flush_delayed_work(&dc->watch);

	mutex_lock(&dc->lock);
	back = !dc->quarantined && !dc->dead;
	mutex_unlock(&dc->lock);
	return back ? 0 : -EBUSY;
}
