// SPDX-License-Identifier: GPL-2.0
/*
 * Which DMA channels we hold.
 *
 * Exclusive ones only: those that the kernel shares (async_tx, network) cannot
 * be stopped when one of their users wants it.  As the framework has it, taking
 * one channel makes its whole device private, and a device of which the kernel
 * shares a channel gives none.
 *
 * By default we take every channel that can copy memory and whose device does
 * not serve peripherals: SPI or audio must not starve because of us.  Others are
 * taken when the parameter "channels" names them.
 *
 * When a device is about to lose its driver its channels are given back, once
 * what they have is done; when one has got a driver, we look again.  A channel
 * with parked memory is kept, or, if its driver goes away, freed after that.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/amba/bus.h>
#include <linux/atomic.h>
#include <linux/device/bus.h>
#include <linux/dmaengine.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "dma_chan.h"
#include "dma_drivers.h"
#include "dma_task.h"
#include "dma_unused.h"
#include "dma_watch.h"
#include "engine_dma.h"
#include "platform.h"

/* Drivers often come in flocks: look once they have all come */
#define RESCAN_DELAY	(HZ / 10)

static char *channels = "";
module_param(channels, charp, 0444);
MODULE_PARM_DESC(channels,
		 "DMA channels to take: names (dma0chan3), driver:n, all; separated by commas (default: all that copy memory and serve no peripherals)");

static DEFINE_MUTEX(leave_lock);	/* one at a time gives channels back */
static DEFINE_MUTEX(chans_lock);	/* guards chans; one scan at a time; within leave_lock */
static LIST_HEAD(chans);
static LIST_HEAD(orphans);		/* parked, their driver is leaving; guarded by leave_lock */
static bool closing;			/* nothing is taken any more; guarded by chans_lock */

/* Devices that are losing their driver: nothing is taken meanwhile */
static atomic_t nr_unbinding = ATOMIC_INIT(0);

/* The next look may be far off.  Those being given back have a limit of their own. */
static int set_watchdog(const char *value, const struct kernel_param *param)
{
	int ret = param_set_uint(value, param);
	struct dmio_dma_chan *dc;

	mutex_lock(&chans_lock);
	list_for_each_entry(dc, &chans, node)
		dmio_dma_watch_now(dc);
	mutex_unlock(&chans_lock);
	return ret;
}

static const struct kernel_param_ops watchdog_ops = {
	.set = set_watchdog,
	.get = param_get_uint,
};

module_param_cb(watchdog_ms, &watchdog_ops, &dmio_dma_watchdog_ms, 0644);
__MODULE_PARM_TYPE(watchdog_ms, "uint");
MODULE_PARM_DESC(watchdog_ms,
		 "Milliseconds after which a DMA channel of which nothing comes back has failed; 0: never (but see drain_ms)");

/* The buses on which DMA controllers are found */
static struct {
	typeof(platform_bus_type) *type;
	struct notifier_block nb;
} buses[] = {
	{ .type = &platform_bus_type },
#ifdef CONFIG_PCI
	{ .type = &pci_bus_type },
#endif
#ifdef CONFIG_ARM_AMBA
	{ .type = &amba_bustype },
#endif
};

/* Shall we be told before the device loses its driver? */
static bool is_watched(const struct device *dev)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(buses); i++)
		if (dev->bus == buses[i].type)
			return true;
	return false;
}

/* Does a word of "channels" mean this channel? */
static bool is_named_by(const char *word, size_t len, struct dma_chan *chan)
{
	char name[64];

	if (len == 3 && !strncmp(word, "all", len))
		return true;
	if (len == strlen(dma_chan_name(chan)) && !strncmp(word, dma_chan_name(chan), len))
		return true;
	snprintf(name, sizeof(name), "%s:%d", dev_driver_string(chan->device->dev),
		 chan->chan_id);
	return len == strlen(name) && !strncmp(word, name, len);
}

static bool is_named(struct dma_chan *chan)
{
	const char *word = channels;

	while (*word) {
		size_t len = strcspn(word, ",");

		if (is_named_by(word, len, chan))
			return true;
		word += len;
		word += *word == ',';
	}
	return false;
}

/* A channel in quarantine is ours even if it was released for that */
static bool is_ours(const struct dma_chan *chan)
{
	const struct dmio_dma_chan *dc;

	lockdep_assert_held(&chans_lock);

	list_for_each_entry(dc, &chans, node)
		if (dc->chan == chan)
			return true;
	return false;
}

/* Is another channel of its device in use, by us or others?  dmaengine's lock is held */
static bool has_company(const struct dma_chan *chan)
{
	const struct dma_chan *other;

	list_for_each_entry(other, &chan->device->channels, device_node)
		if (other != chan && other->client_count)
			return true;
	return false;
}

/* A channel that nobody holds: shall we? */
static bool is_wanted(struct dma_chan *chan, void *arg)
{
	u32 reason = 0;

	if (dmio_dma_unused_is_released(chan) || is_ours(chan) || !is_watched(chan->device->dev))
		return false;
	if (!dmio_dma_chan_is_capable(chan))
		reason = DMOVERIO_UNUSED_NO_FUNCTION;
	else if (*channels && !is_named(chan))
		reason = DMOVERIO_UNUSED_NOT_NAMED;
	else if (!*channels && dmio_dma_driver_of(chan)->on_request)
		reason = DMOVERIO_UNUSED_DRIVER;
	else if (!*channels && (dma_has_cap(DMA_SLAVE, chan->device->cap_mask) ||
				dma_has_cap(DMA_CYCLIC, chan->device->cap_mask)))
		reason = DMOVERIO_UNUSED_PERIPHERALS;
	else if (!*channels && !dma_has_cap(DMA_MEMCPY, chan->device->cap_mask))
		reason = DMOVERIO_UNUSED_NO_COPY;
	else if (dmio_dma_driver_of(chan)->single && has_company(chan))
		reason = DMOVERIO_UNUSED_SINGLE;

	/* For show only: it may fail */
	if (reason)
		dmio_dma_unused_add(chan, reason);
	return !reason;
}

static void scan(void)
{
	struct dmio_dma_chan *dc;
	struct dma_chan *chan;
	dma_cap_mask_t any;

	lockdep_assert_held(&chans_lock);

	/* It is tried again when the last of them has lost its driver */
	if (closing || atomic_read(&nr_unbinding))
		return;
	dmio_dma_unused_forget_seen(NULL);
	dma_cap_zero(any);
	while ((chan = __dma_request_channel(&any, is_wanted, NULL, NULL))) {
		dc = dmio_dma_chan_create(chan);
		if (!dc) {
			dma_release_channel(chan);
			break;
		}
		list_add_tail(&dc->node, &chans);
	}
}

static void rescan_work(struct work_struct *work)
{
	mutex_lock(&chans_lock);
	scan();
	mutex_unlock(&chans_lock);
}

static DECLARE_DELAYED_WORK(rescan, rescan_work);

/**
 * dmio_dma_rescan() - look for channels again, also for those released
 *
 * Context: process context; sleeps.
 */
void dmio_dma_rescan(void)
{
	/* Not what is being given back at the moment */
	mutex_lock(&leave_lock);
	mutex_lock(&chans_lock);
	dmio_dma_unused_forget_all();
	scan();
	mutex_unlock(&chans_lock);
	mutex_unlock(&leave_lock);
}

/* A channel that was to be given back: true if that was not possible */
static bool is_kept(struct dmio_dma_chan *dc, bool unbinding)
{
	lockdep_assert_held(&leave_lock);

	list_del(&dc->node);
	if (dmio_dma_chan_leave(dc, unbinding)) {
		dmio_dma_chan_free(dc);
		return false;
	}
	if (unbinding) {
		list_add_tail(&dc->node, &orphans);
		return false;
	}
	mutex_lock(&chans_lock);
	list_add_tail(&dc->node, &chans);
	mutex_unlock(&chans_lock);
	return true;
}

/*
 * Give back the channels for which @match says so (NULL: all), and note the
 * @reason if there is one, lest the next scan take them again; without one, their
 * driver is leaving, or we are.  It takes as long as transfers take; only others
 * who give back have to wait for that: a driver may not go on to be unbound while
 * somebody else is still giving its channels back.
 */
static int give_back(bool (*match)(const struct dmio_dma_chan *, const void *),
		     const void *arg, u32 reason)
{
	struct dmio_dma_chan *dc, *next;
	LIST_HEAD(leaving);
	int ret = -ENODEV;

	mutex_lock(&leave_lock);
	mutex_lock(&chans_lock);
	list_for_each_entry_safe(dc, next, &chans, node) {
		if (match && !match(dc, arg))
			continue;
		if (reason && !dmio_dma_unused_add(dc->chan, reason)) {
			ret = -ENOMEM;
			break;
		}
		list_move_tail(&dc->node, &leaving);
		ret = 0;
	}
	mutex_unlock(&chans_lock);

	list_for_each_entry_safe(dc, next, &leaving, node) {
		if (!is_kept(dc, !reason))
			continue;
		dmio_dma_unused_forget_channel(dc->info.name);
		ret = -EBUSY;
	}
	mutex_unlock(&leave_lock);
	return ret;
}

static bool is_on(const struct dmio_dma_chan *dc, const void *dev)
{
	return dc->dev == dev;
}

/* A device has lost its driver: nothing can write to memory any more */
static void free_orphans(const struct device *dev)
{
	struct dmio_dma_chan *dc, *next;

	mutex_lock(&leave_lock);
	list_for_each_entry_safe(dc, next, &orphans, node)
		if (is_on(dc, dev)) {
			list_del(&dc->node);
			dmio_dma_chan_free(dc);
		}
	mutex_unlock(&leave_lock);
}

static bool is_called(const struct dmio_dma_chan *dc, const void *name)
{
	return sysfs_streq(name, dc->info.name);
}

/**
 * dmio_dma_release() - give channels back, and do not take them again
 * @name: of a channel, or "all"; may end with a newline
 *
 * Context: process context; sleeps for as long as transfers take.
 * Return: 0, -ENODEV if we hold no such channel, -ENOMEM, or -EBUSY if it has
 * parked memory.
 */
int dmio_dma_release(const char *name)
{
	bool all = sysfs_streq(name, "all");

	return give_back(all ? NULL : is_called, name, DMOVERIO_UNUSED_RELEASED);
}

/**
 * dmio_dma_chan_reset() - use a channel again that is in quarantine, or disabled
 * @name: of the channel; may end with a newline
 *
 * Context: process context; sleeps.
 * Return: 0, -ENODEV if we hold no such channel, or -EBUSY if it has parked memory
 * or somebody else has it.
 */
int dmio_dma_chan_reset(const char *name)
{
	struct dmio_dma_chan *dc, *found = NULL;
	int ret = -ENODEV;

	/* Nothing is given back meanwhile */
	mutex_lock(&leave_lock);
	mutex_lock(&chans_lock);
	list_for_each_entry(dc, &chans, node)
		if (is_called(dc, name))
			found = dc;
	mutex_unlock(&chans_lock);
	if (found)
		ret = dmio_dma_reset(found);
	mutex_unlock(&leave_lock);
	return ret;
}

/*
 * A device is losing its driver.  Channels that were released are left alone when
 * it gets one again, too.
 */
static void device_leaves(struct device *dev)
{
	give_back(is_on, dev, 0);
	dmio_dma_unused_forget_seen(dev_name(dev));
}

static int bus_event(struct notifier_block *nb, unsigned long event, void *arg)
{
	switch (event) {
	case BUS_NOTIFY_UNBIND_DRIVER:
		atomic_inc(&nr_unbinding);
		device_leaves(arg);
		break;
	case BUS_NOTIFY_UNBOUND_DRIVER:
		free_orphans(arg);
		/* We may have come in between the two */
		atomic_dec_if_positive(&nr_unbinding);
		fallthrough;
	case BUS_NOTIFY_BOUND_DRIVER:
		schedule_delayed_work(&rescan, RESCAN_DELAY);
		break;
	}
	return NOTIFY_OK;
}

static void watch_end(size_t nr)
{
	while (nr--)
		bus_unregister_notifier(buses[nr].type, &buses[nr].nb);
	cancel_delayed_work_sync(&rescan);
}

static int watch_begin(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(buses); i++) {
		buses[i].nb.notifier_call = bus_event;
		ret = bus_register_notifier(buses[i].type, &buses[i].nb);
		if (ret) {
			watch_end(i);
			return ret;
		}
	}
	return 0;
}

/* Why there is no channel, by the reason why those there are left alone */
static const char * const none[] = {
	[0] = "no controller is there, or it is in use",
	[DMOVERIO_UNUSED_NO_FUNCTION] = "those there can do none of the functions",
	[DMOVERIO_UNUSED_PERIPHERALS] =
		"those there serve peripherals, name them in \"channels\" to use them",
	[DMOVERIO_UNUSED_NOT_NAMED] = "\"channels\" names none that is there and free",
	[DMOVERIO_UNUSED_DRIVER] =
		"the driver of those there makes it your choice, name them in \"channels\" to use them",
	[DMOVERIO_UNUSED_NO_COPY] =
		"those there cannot copy, name them in \"channels\" to use them",
	[DMOVERIO_UNUSED_SINGLE] =
		"of those there others are in use, and the driver does not bear that",
};

/* In one line.  Nothing was released yet. */
static void report(void)
{
	const struct dmio_dma_chan *dc;
	unsigned int nr = 0;

	lockdep_assert_held(&chans_lock);

	list_for_each_entry(dc, &chans, node)
		nr++;
	if (nr)
		pr_info("%u DMA channels\n", nr);
	else
		pr_info("no DMA channel: %s\n", none[dmio_dma_unused_reason()]);
}

/**
 * dmio_dma_init() - take the channels that there are, and watch for more
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_dma_init(void)
{
	int ret;

	ret = dmio_platform_init();
	if (ret)
		return ret;
	ret = dmio_engine_dma_init();
	if (ret)
		goto err_platform;
	ret = watch_begin();
	if (ret)
		goto err_engine;

	mutex_lock(&chans_lock);
	scan();
	report();
	mutex_unlock(&chans_lock);
	return 0;

err_engine:
	/* A bus that is watched by now may have had us scan */
	give_back(NULL, NULL, 0);
	dmio_dma_unused_forget_all();
	dmio_engine_dma_fini();
err_platform:
	dmio_platform_fini();
	return ret;
}

/**
 * dmio_dma_fini() - give all channels back
 *
 * Context: may sleep for as long as transfers take.
 */
void dmio_dma_fini(void)
{
	mutex_lock(&chans_lock);
	closing = true;
	mutex_unlock(&chans_lock);

	/* In this order: until it has none left, a driver may be unbound */
	give_back(NULL, NULL, 0);
	watch_end(ARRAY_SIZE(buses));
	dmio_dma_unused_forget_all();
	dmio_engine_dma_fini();
	dmio_platform_fini();
}
