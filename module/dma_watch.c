// SPDX-License-Identifier: GPL-2.0
/*
 * Looking after DMA channels: which hang, which are left in peace for a while, and
 * when they come back.
 *
 * A work item does it for each channel that has something in flight or parked, or is
 * in quarantine.  Nothing else stops a channel, but that it is given back.  The
 * workqueue is frozen while the machine sleeps: no channel comes back then.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/workqueue.h>

#include "dma_stop.h"
#include "dma_task.h"
#include "dma_watch.h"
#include "sched.h"

/* Windows that fail in a row until a channel is left in peace for a while */
#define MAX_ERRORS	3

/* The back-off, which doubles: never longer, nor shorter, than this */
#define LEAST_BACKOFF	(HZ / 10)
#define MOST_BACKOFF	(600 * HZ)

unsigned int dmio_dma_watchdog_ms = 10000;

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
 * @dc: the channel, which has something in flight or parked, or is in quarantine
 *
 * Context: may sleep; dc->lock is held.
 */
void dmio_dma_watch(struct dmio_dma_chan *dc)
{
	unsigned long limit = msecs_to_jiffies(READ_ONCE(dmio_dma_watchdog_ms));

	lockdep_assert_held(&dc->lock);

	if (!dc->leaving)
		queue_delayed_work(system_freezable_wq, &dc->watch,
				   limit ? clamp(limit / LOOKS, 1UL, (unsigned long)HZ) : HZ);
}

/**
 * dmio_dma_watch_now() - look after a channel at once
 * @dc: the channel, which may have nothing that needs it, or is being given back
 *
 * Context: process context; sleeps.
 */
void dmio_dma_watch_now(struct dmio_dma_chan *dc)
{
	mutex_lock(&dc->lock);
	if (!dc->leaving)
		mod_delayed_work(system_freezable_wq, &dc->watch, 0);
	mutex_unlock(&dc->lock);
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

	if (dmio_dma_stop(dc, DMIO_REASON_HANG, -ETIMEDOUT))
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

/* The driver has an opportunity to find what has come to its end without an interrupt */
static void ask_driver(struct dmio_dma_chan *dc)
{
	struct dma_tx_state state;

	if (dc->held)
		dmaengine_tx_status(dc->chan, READ_ONCE(dc->cookie), &state);
}

static void look_after(struct dmio_dma_chan *dc)
{
	unsigned long limit = msecs_to_jiffies(READ_ONCE(dmio_dma_watchdog_ms));

	if (limit && is_stuck(dc, limit))
		chan_hung(dc);
	else if (limit && dc->nr_looks > 1)
		ask_driver(dc);
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
	/* Of what is parked, the last descriptor need not interrupt */
	if (dmio_dma_has_parked(dc))
		ask_driver(dc);

	mutex_lock(&dc->lock);
	over = dc->quarantined && time_after_eq(jiffies, dc->retry);
	mutex_unlock(&dc->lock);
	if (over)
		come_back(dc);

	mutex_lock(&dc->lock);
	if (dc->quarantined || oldest(dc) || dmio_dma_has_parked(dc))
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
