// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: when they strike, what they do to a descriptor, and the file "fault"
 * of a channel in sysfs.
 */
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim.h"

static const char * const fault_names[SIM_NR_FAULTS] = {
	[SIM_READ_ERROR]	= "read-error",
	[SIM_WRITE_ERROR]	= "write-error",
	[SIM_ABORT_NEXT]	= "abort-next",
	[SIM_LOST]		= "lost",
	[SIM_SHORT]		= "short",
	[SIM_RESIDUE]		= "residue",
	[SIM_NO_CALLBACK]	= "no-callback",
	[SIM_HANG]		= "hang",
	[SIM_LATE]		= "late",
	[SIM_LATE_CALLBACK]	= "late-callback",
	[SIM_NO_DESC]		= "no-desc",
	[SIM_TERMINATE_ERROR]	= "terminate-error",
	[SIM_TERMINATE_ABORTED]	= "terminate-aborted",
	[SIM_TERMINATE_SUCCESS]	= "terminate-success",
};

/* What is moved, and what is said to be missing, in halves of the length */
static const struct sim_effect {
	enum dmaengine_tx_result result;
	unsigned int moved, residue;
} effects[SIM_NR_EFFECTS] = {
	[SIM_READ_ERROR]	= { DMA_TRANS_READ_FAILED, 0, 2 },
	[SIM_WRITE_ERROR]	= { DMA_TRANS_WRITE_FAILED, 1, 1 },
	[SIM_ABORT_NEXT]	= { DMA_TRANS_WRITE_FAILED, 1, 1 },
	[SIM_LOST]		= { DMA_TRANS_NOERROR, 0, 0 },
	[SIM_SHORT]		= { DMA_TRANS_NOERROR, 1, 1 },
	[SIM_RESIDUE]		= { DMA_TRANS_NOERROR, 2, 2 },
	[SIM_NO_CALLBACK]	= { DMA_TRANS_NOERROR, 2, 0 },
};

static const struct sim_effect aborted = { DMA_TRANS_ABORTED, 0, 2 };

static bool has_duration(enum sim_fault fault)
{
	return fault >= SIM_HANG && fault <= SIM_NO_DESC;
}

/**
 * sim_fault_strikes_locked() - an event happens: does the fault strike?
 * @sc: the channel
 * @fault: which
 *
 * Context: any.
 * Return: true if it strikes.
 */
bool sim_fault_strikes_locked(struct sim_chan *sc, enum sim_fault fault)
{
	struct sim_trigger *trigger = &sc->faults[fault];

	lockdep_assert_held(&sc->lock);
	if (!trigger->count)
		return false;
	if (trigger->before) {
		trigger->before--;
		return false;
	}
	if (fault == SIM_NO_DESC && trigger->ms) {
		if (!trigger->struck)
			trigger->end = jiffies + msecs_to_jiffies(trigger->ms);
		if (time_after(jiffies, trigger->end)) {
			trigger->count = 0;
			return false;
		}
	}
	if (trigger->count > 0)
		trigger->count--;
	trigger->struck++;
	return true;
}

/* What the check refused has no data that could be spoiled. */
static void spoil(struct sim_desc *desc, const struct sim_effect *effect)
{
	if (!desc->is_good)
		return;
	desc->result = effect->result;
	desc->nr_moved = effect->moved == 2 ? desc->len : desc->len * effect->moved / 2;
	desc->residue = effect->residue == 2 ? desc->len : desc->len * effect->residue / 2;
}

/* It is forgotten as if the client had wanted none */
static void forget_callback_locked(struct sim_chan *sc, struct sim_desc *desc)
{
	lockdep_assert_held(&sc->lock);
	desc->tx.callback_result = NULL;
	desc->tx.callback = NULL;
}

static void turn_locked(struct sim_chan *sc, struct sim_desc *desc)
{
	enum sim_fault fault;

	lockdep_assert_held(&sc->lock);
	if (sc->abort_next)
		spoil(desc, &aborted);
	sc->abort_next = false;

	for (fault = 0; fault < SIM_NR_DESC_FAULTS; fault++) {
		if (!sim_fault_strikes_locked(sc, fault))
			continue;
		if (fault < SIM_NR_EFFECTS) {
			spoil(desc, &effects[fault]);
			sc->abort_next |= fault == SIM_ABORT_NEXT;
			if (fault == SIM_NO_CALLBACK)
				forget_callback_locked(sc, desc);
			continue;
		}
		sc->still = true;
		desc->still_ms = sc->faults[fault].ms;
		desc->late = fault != SIM_HANG;
		desc->call_anyway = fault == SIM_LATE_CALLBACK;
	}
}

/**
 * sim_fault_turn() - the hardware turns to a descriptor
 * @sc: the channel
 * @desc: its active descriptor
 *
 * Context: the channel's thread.
 */
void sim_fault_turn(struct sim_chan *sc, struct sim_desc *desc)
{
	spin_lock_irq(&sc->lock);
	desc->is_good = desc->result == DMA_TRANS_NOERROR;
	desc->nr_moved = desc->is_good ? desc->len : 0;
	turn_locked(sc, desc);
	spin_unlock_irq(&sc->lock);
}

/* Like to_sim_chan(), but of the device in sysfs; its memory outlives the file. */
static struct sim_chan *dev_to_sim_chan(struct device *dev)
{
	struct dma_chan *chan = READ_ONCE(container_of(dev, struct dma_chan_dev, device)->chan);

	return chan ? to_sim_chan(chan) : NULL;
}

/* Terminated descriptors which the hardware nevertheless has */
static unsigned int nr_loose_locked(struct sim_chan *sc)
{
	unsigned int nr = sc->active && sc->active->loose;
	struct sim_desc *desc;

	lockdep_assert_held(&sc->lock);
	list_for_each_entry(desc, &sc->issued, node)
		nr += desc->loose;
	return nr;
}

static ssize_t fault_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct sim_chan *sc = dev_to_sim_chan(dev);
	enum sim_fault fault;
	int len;

	if (!sc)
		return -ENODEV;
	spin_lock_irq(&sc->lock);
	len = sysfs_emit(buf, "still %d\nloose %u\n", sc->still, nr_loose_locked(sc));
	for (fault = 0; fault < SIM_NR_FAULTS; fault++) {
		const struct sim_trigger *trigger = &sc->faults[fault];

		len += sysfs_emit_at(buf, len, "%s %u %d %u %u\n", fault_names[fault],
				     trigger->before, trigger->count, trigger->ms,
				     trigger->struck);
	}
	spin_unlock_irq(&sc->lock);
	return len;
}

/* What stands still goes on; -EAGAIN if nothing does. */
static int wake(struct sim_chan *sc)
{
	bool still;

	spin_lock_irq(&sc->lock);
	still = sc->still;
	WRITE_ONCE(sc->still, false);
	spin_unlock_irq(&sc->lock);
	wake_up(&sc->wait);
	return still ? 0 : -EAGAIN;
}

static int disarm(struct sim_chan *sc)
{
	spin_lock_irq(&sc->lock);
	memset(sc->faults, 0, sizeof(sc->faults));
	sc->abort_next = false;
	spin_unlock_irq(&sc->lock);
	wake(sc);
	return 0;
}

/* @words: BEFORE [COUNT [MS]] */
static int arm(struct sim_chan *sc, enum sim_fault fault, char **words, int nr)
{
	struct sim_trigger trigger = { .count = 1 };
	int ret;

	if (nr < 1 || nr > (has_duration(fault) ? 3 : 2))
		return -EINVAL;
	ret = kstrtouint(words[0], 0, &trigger.before);
	if (!ret && nr > 1)
		ret = kstrtoint(words[1], 0, &trigger.count);
	if (!ret && nr > 2)
		ret = kstrtouint(words[2], 0, &trigger.ms);
	if (ret)
		return ret;
	spin_lock_irq(&sc->lock);
	sc->faults[fault] = trigger;
	spin_unlock_irq(&sc->lock);
	return 0;
}

static int command(struct sim_chan *sc, char **words, int nr)
{
	int fault;

	if (nr < 1)
		return -EINVAL;
	if (nr == 1 && !strcmp(words[0], "wake"))
		return wake(sc);
	if (nr == 1 && !strcmp(words[0], "off"))
		return disarm(sc);
	fault = sysfs_match_string(fault_names, words[0]);
	return fault < 0 ? fault : arm(sc, fault, words + 1, nr - 1);
}

static ssize_t fault_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct sim_chan *sc = dev_to_sim_chan(dev);
	char **words;
	int nr, ret;

	if (!sc)
		return -ENODEV;
	words = argv_split(GFP_KERNEL, buf, &nr);
	if (!words)
		return -ENOMEM;
	ret = command(sc, words, nr);
	argv_free(words);
	return ret ?: count;
}

static DEVICE_ATTR_RW(fault);

/**
 * sim_fault_create_files() - the file "fault" of each channel
 * @dma: registered; the files go when it is unregistered
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int sim_fault_create_files(struct dma_device *dma)
{
	struct dma_chan *chan;
	int ret = 0;

	list_for_each_entry(chan, &dma->channels, device_node)
		ret = ret ?: device_create_file(&chan->dev->device, &dev_attr_fault);
	return ret;
}
