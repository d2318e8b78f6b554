// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that are there and left alone.
 */
#include <linux/device.h>
#include <linux/dmaengine.h>
#include <linux/dmoverio.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dma_unused.h"
#include "engine_dma.h"

struct unused {
	struct list_head node;
	struct dmoverio_engine info;
};

static DEFINE_MUTEX(unused_lock);	/* guards unused */
static LIST_HEAD(unused);

/* As far as the name was kept: some of the device tree's are longer */
static bool is_of(const struct unused *un, const char *device)
{
	return !strncmp(un->info.device, device, sizeof(un->info.device) - 1);
}

static bool is_released(const struct unused *un)
{
	return un->info.reason == DMOVERIO_UNUSED_RELEASED;
}

static struct unused *find_unused(struct dma_chan *chan)
{
	struct unused *un;

	lockdep_assert_held(&unused_lock);

	list_for_each_entry(un, &unused, node)
		if (!strcmp(un->info.name, dma_chan_name(chan)) &&
		    is_of(un, dev_name(chan->device->dev)))
			return un;
	return NULL;
}

static struct unused *make_unused(struct dma_chan *chan, u32 reason)
{
	struct unused *un = kzalloc(sizeof(*un), GFP_KERNEL);

	lockdep_assert_held(&unused_lock);

	if (!un)
		return NULL;
	un->info.state = DMOVERIO_ENGINE_UNUSED;
	un->info.reason = reason;
	dmio_dma_chan_describe(chan, &un->info);
	list_add_tail(&un->node, &unused);
	return un;
}

/**
 * dmio_dma_unused_add() - remember why a channel is left alone
 * @chan: the channel; if it is remembered already, nothing changes
 * @reason: DMOVERIO_UNUSED_*
 *
 * Context: process context; sleeps. dmaengine's lock may be held.
 * Return: false if there is no memory for it.
 */
bool dmio_dma_unused_add(struct dma_chan *chan, u32 reason)
{
	struct unused *un;

	mutex_lock(&unused_lock);
	un = find_unused(chan) ?: make_unused(chan, reason);
	mutex_unlock(&unused_lock);
	return un;
}

/**
 * dmio_dma_unused_is_released() - has an administrator given this channel back?
 * @chan: a channel
 *
 * Context: process context; sleeps. dmaengine's lock may be held.
 * Return: true if so, and it is to be left alone until it is forgotten.
 */
bool dmio_dma_unused_is_released(struct dma_chan *chan)
{
	const struct unused *un;
	bool released;

	mutex_lock(&unused_lock);
	un = find_unused(chan);
	released = un && is_released(un);
	mutex_unlock(&unused_lock);
	return released;
}

/* Those of a name and of a device, if these are given; with or without @released ones */
static void forget(const char *name, const char *device, bool released)
{
	struct unused *un, *next;

	mutex_lock(&unused_lock);
	list_for_each_entry_safe(un, next, &unused, node) {
		if ((name && strcmp(un->info.name, name)) || (device && !is_of(un, device)) ||
		    (is_released(un) && !released))
			continue;
		list_del(&un->node);
		kfree(un);
	}
	mutex_unlock(&unused_lock);
}

/**
 * dmio_dma_unused_forget_all() - remember nothing
 *
 * Context: process context; sleeps.
 */
void dmio_dma_unused_forget_all(void)
{
	forget(NULL, NULL, true);
}

/**
 * dmio_dma_unused_forget_seen() - remember only what was released
 * @device: of which device's channels; NULL: of all
 *
 * Context: process context; sleeps.
 */
void dmio_dma_unused_forget_seen(const char *device)
{
	forget(NULL, device, false);
}

/**
 * dmio_dma_unused_forget_channel() - a channel is in use after all
 * @name: its name
 *
 * Context: process context; sleeps.
 */
void dmio_dma_unused_forget_channel(const char *name)
{
	forget(name, NULL, true);
}

/**
 * dmio_dma_unused_reason() - why are all of them left alone?
 *
 * Context: process context; sleeps.
 * Return: of their reasons, DMOVERIO_UNUSED_*, the one with the highest number; 0 if
 * there is none.
 */
u32 dmio_dma_unused_reason(void)
{
	const struct unused *un;
	u32 reason = 0;

	mutex_lock(&unused_lock);
	list_for_each_entry(un, &unused, node)
		reason = max(reason, un->info.reason);
	mutex_unlock(&unused_lock);
	return reason;
}

/**
 * dmio_dma_unused_describe() - describe a channel that is left alone
 * @index: which, counted from 0
 * @info: result; zeroed by the caller
 *
 * Context: process context; sleeps.
 * Return: true; or false if there are fewer.
 */
bool dmio_dma_unused_describe(unsigned int index, struct dmoverio_engine *info)
{
	const struct unused *un;
	bool found = false;

	mutex_lock(&unused_lock);
	list_for_each_entry(un, &unused, node) {
		if (index--)
			continue;
		*info = un->info;
		found = true;
		break;
	}
	mutex_unlock(&unused_lock);
	return found;
}
