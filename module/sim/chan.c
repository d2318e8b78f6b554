// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: where a descriptor is, and what a client may ask for.  See the
 * picture in sim.h.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "sim.h"

static struct sim_desc *first_desc(struct list_head *list)
{
	return list_first_entry_or_null(list, struct sim_desc, node);
}

/**
 * sim_chan_reap_locked() - take back what the client has acknowledged by now
 * @sc: the channel
 *
 * Context: any.
 */
void sim_chan_reap_locked(struct sim_chan *sc)
{
	struct sim_desc *desc, *next;

	lockdep_assert_held(&sc->lock);
	list_for_each_entry_safe(desc, next, &sc->held, node)
		if (async_tx_test_ack(&desc->tx) && !sim_desc_is_silent(desc))
			list_move_tail(&desc->node, &sc->free);
}

/**
 * sim_desc_retire_locked() - nobody has a descriptor any more
 * @sc: its channel
 * @desc: on no list, and no callback will be called
 *
 * Context: any.
 */
void sim_desc_retire_locked(struct sim_chan *sc, struct sim_desc *desc)
{
	lockdep_assert_held(&sc->lock);
	sim_cache_forget(desc);
	dma_descriptor_unmap(&desc->tx);
	desc->tx.cookie = 0;
	if (desc->disowned)
		kfree(desc);
	else
		list_add_tail(&desc->node, &sc->free);
}

static dma_cookie_t sim_tx_submit(struct dma_async_tx_descriptor *tx)
{
	struct sim_chan *sc = to_sim_chan(tx->chan);
	struct sim_desc *desc = to_sim_desc(tx);
	dma_cookie_t cookie = -EINVAL;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	if (sc->gone) {
		cookie = -ESHUTDOWN;
	} else if (tx->cookie == -EBUSY) {
		cookie = sc->chan.cookie + 1;
		if (cookie < DMA_MIN_COOKIE)
			cookie = DMA_MIN_COOKIE;
		sc->chan.cookie = cookie;
		tx->cookie = cookie;
		if (!sc->sdev->config.coherent && desc->result == DMA_TRANS_NOERROR)
			sim_cache_read(sc->sdev, desc);
		list_move_tail(&desc->node, &sc->submitted);
	}
	spin_unlock_irqrestore(&sc->lock, flags);

	if (cookie == -EINVAL)
		dev_err_ratelimited(sc->sdev->dma.dev,
				    "channel %d: submit of what is not prepared\n",
				    sc->chan.chan_id);
	return cookie;
}

/**
 * sim_chan_get_desc() - take an unused descriptor
 * @sc: the channel
 * @flags: the client's, enum dma_ctrl_flags
 *
 * Context: any.
 * Return: the descriptor, prepared and empty; NULL if there is none left.
 */
struct sim_desc *sim_chan_get_desc(struct sim_chan *sc, unsigned long flags)
{
	struct sim_desc *desc = NULL;
	unsigned long irq;
	bool kick;

	spin_lock_irqsave(&sc->lock, irq);
	sim_chan_reap_locked(sc);
	if (!sc->gone && !sim_fault_strikes_locked(sc, SIM_NO_DESC))
		desc = first_desc(&sc->free);
	if (desc) {
		list_del(&desc->node);
		memset(desc, 0, sizeof(*desc));
		dma_async_tx_descriptor_init(&desc->tx, &sc->chan);
		desc->tx.tx_submit = sim_tx_submit;
		desc->tx.cookie = -EBUSY;
		desc->tx.flags = flags;
		list_add_tail(&desc->node, &sc->prepared);
	}
	kick = !desc && !list_empty(&sc->done);
	spin_unlock_irqrestore(&sc->lock, irq);

	if (kick)
		sim_call_kick(sc);
	return desc;
}

static void sim_issue_pending(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	list_splice_tail_init(&sc->submitted, &sc->issued);
	spin_unlock_irqrestore(&sc->lock, flags);
	wake_up(&sc->wait);
}

/* Says COMPLETE for failed transfers, too: only the callback tells. */
static enum dma_status sim_tx_status(struct dma_chan *chan, dma_cookie_t cookie,
				     struct dma_tx_state *state)
{
	struct sim_chan *sc = to_sim_chan(chan);
	dma_cookie_t complete, used;
	unsigned long flags;
	u32 residue;
	bool kick;

	spin_lock_irqsave(&sc->lock, flags);
	complete = chan->completed_cookie;
	used = chan->cookie;
	residue = cookie == sc->residue_cookie ? sc->residue : 0;
	kick = !list_empty(&sc->done);
	spin_unlock_irqrestore(&sc->lock, flags);

	if (kick)
		sim_call_kick(sc);
	dma_set_tx_state(state, complete, used, residue);
	return dma_async_is_complete(cookie, complete, used);
}

/* What drops descriptors, from what the client has to what the hardware has */
enum sim_drop { SIM_TERMINATE_IN_VAIN, SIM_TERMINATE, SIM_HALT };

/* The hardware goes on; to the client's memory it is as if it had not. */
static void loosen_locked(struct sim_chan *sc, struct sim_desc *desc, bool disown)
{
	lockdep_assert_held(&sc->lock);
	sim_cache_forget(desc);
	WRITE_ONCE(desc->loose, true);
	desc->disowned |= disown;
}

static void retire_list_locked(struct sim_chan *sc, struct list_head *list)
{
	struct sim_desc *desc, *next;

	lockdep_assert_held(&sc->lock);
	list_for_each_entry_safe(desc, next, list, node) {
		list_del(&desc->node);
		sim_desc_retire_locked(sc, desc);
	}
}

/* Is it called back although the client has terminated it? */
static bool is_called_back(const struct sim_desc *desc, enum sim_drop drop, bool disown)
{
	return desc->call_anyway && drop != SIM_HALT && !disown;
}

/*
 * Nobody's callback is called any more, with the exception of late ones, but one
 * may still be under way. If the client releases the channel (@disown), what the
 * hardware keeps is nobody's.
 */
static void sim_chan_drop(struct sim_chan *sc, enum sim_drop drop, bool disown)
{
	struct sim_desc *desc, *next;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	retire_list_locked(sc, &sc->prepared);
	retire_list_locked(sc, &sc->submitted);
	retire_list_locked(sc, &sc->held);
	list_for_each_entry_safe(desc, next, &sc->done, node) {
		if (is_called_back(desc, drop, disown))
			continue;
		list_del(&desc->node);
		sim_desc_retire_locked(sc, desc);
	}
	if (drop != SIM_TERMINATE_IN_VAIN)
		retire_list_locked(sc, &sc->issued);
	list_for_each_entry(desc, &sc->issued, node)
		loosen_locked(sc, desc, disown);

	desc = sc->active;
	if (desc && (drop == SIM_HALT || (drop == SIM_TERMINATE && !desc->late)))
		WRITE_ONCE(sc->abort, true);
	else if (desc)
		loosen_locked(sc, desc, disown);
	spin_unlock_irqrestore(&sc->lock, flags);
	wake_up(&sc->wait);
}

static enum sim_drop drop_of_terminate(const struct sim_chan *sc)
{
	return sc->sdev->quiet == SIM_QUIET_TERMINATE ? SIM_TERMINATE : SIM_TERMINATE_IN_VAIN;
}

static int sim_terminate_all(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);
	bool error, aborted, success;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	error = sim_fault_strikes_locked(sc, SIM_TERMINATE_ERROR);
	aborted = sim_fault_strikes_locked(sc, SIM_TERMINATE_ABORTED);
	success = sim_fault_strikes_locked(sc, SIM_TERMINATE_SUCCESS);
	spin_unlock_irqrestore(&sc->lock, flags);

	if (aborted || success)
		sim_call_back_unfinished(sc, success ? DMA_TRANS_NOERROR : DMA_TRANS_ABORTED);
	sim_chan_drop(sc, error ? SIM_TERMINATE_IN_VAIN : drop_of_terminate(sc), false);
	return error ? -ETIMEDOUT : 0;
}

static bool sim_chan_is_quiet(struct sim_chan *sc)
{
	unsigned long flags;
	bool quiet;

	spin_lock_irqsave(&sc->lock, flags);
	quiet = !sc->abort && !sc->calling;
	spin_unlock_irqrestore(&sc->lock, flags);
	return quiet;
}

static void sim_synchronize(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);

	wait_event(sc->wait, sim_chan_is_quiet(sc));
}

/**
 * sim_chan_halt() - stop the hardware, for certain
 * @sc: the channel
 *
 * Context: may sleep.
 */
void sim_chan_halt(struct sim_chan *sc)
{
	sim_chan_drop(sc, SIM_HALT, false);
	sim_synchronize(&sc->chan);
}

/* Those that are nobody's are not among them. */
static void free_descs(struct sim_chan *sc)
{
	struct sim_desc *desc, *next;
	LIST_HEAD(all);

	spin_lock_irq(&sc->lock);
	list_splice_init(&sc->free, &all);
	list_splice_init(&sc->held, &all);
	spin_unlock_irq(&sc->lock);
	list_for_each_entry_safe(desc, next, &all, node)
		kfree(desc);
}

static int sim_alloc_chan_resources(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);
	unsigned int i, nr = sc->sdev->config.nr_descs;

	/* Not -ENODEV, which makes the core forget the device too early */
	if (sc->gone)
		return -ESHUTDOWN;
	for (i = 0; i < nr; i++) {
		struct sim_desc *desc = kzalloc(sizeof(*desc), GFP_KERNEL);

		if (!desc) {
			free_descs(sc);
			return -ENOMEM;
		}
		spin_lock_irq(&sc->lock);
		list_add_tail(&desc->node, &sc->free);
		spin_unlock_irq(&sc->lock);
	}
	spin_lock_irq(&sc->lock);
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	sc->residue_cookie = 0;
	spin_unlock_irq(&sc->lock);
	return nr;
}

/* What the client left behind is dropped. */
static void sim_free_chan_resources(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);

	sim_chan_drop(sc, sc->sdev->quiet == SIM_QUIET_RELEASE ? SIM_HALT : drop_of_terminate(sc),
		      true);
	sim_synchronize(chan);
	free_descs(sc);
}

/**
 * sim_chan_set_ops() - the part of a device that runs channels
 * @dma: the device
 */
void sim_chan_set_ops(struct dma_device *dma)
{
	dma->device_alloc_chan_resources = sim_alloc_chan_resources;
	dma->device_free_chan_resources = sim_free_chan_resources;
	dma->device_issue_pending = sim_issue_pending;
	dma->device_tx_status = sim_tx_status;
	dma->device_terminate_all = sim_terminate_all;
	dma->device_synchronize = sim_synchronize;
	dma->residue_granularity = DMA_RESIDUE_GRANULARITY_DESCRIPTOR;
}

/**
 * sim_chan_start() - bring a channel into being, with its thread
 * @sc: zeroed memory
 * @sdev: its device
 * @id: of the device
 * @index: of the channel
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int sim_chan_start(struct sim_chan *sc, struct sim_device *sdev, unsigned int id,
		   unsigned int index)
{
	struct list_head *lists[] = { &sc->free, &sc->prepared, &sc->submitted, &sc->issued,
				      &sc->done, &sc->held };
	unsigned int i;

	sc->sdev = sdev;
	spin_lock_init(&sc->lock);
	init_waitqueue_head(&sc->wait);
	for (i = 0; i < ARRAY_SIZE(lists); i++)
		INIT_LIST_HEAD(lists[i]);
	sim_call_init(sc);

	sc->thread = kthread_run(sim_chan_thread, sc, "dmover-sim%u.%u", id, index);
	if (IS_ERR(sc->thread))
		return PTR_ERR(sc->thread);
	sc->chan.device = &sdev->dma;
	list_add_tail(&sc->chan.device_node, &sdev->dma.channels);
	return 0;
}

/**
 * sim_chan_stop() - the driver is being unbound: drop everything, for good
 * @sc: a channel that was started; its client may still have it
 *
 * Context: may sleep.
 */
void sim_chan_stop(struct sim_chan *sc)
{
	spin_lock_irq(&sc->lock);
	sc->gone = true;
	spin_unlock_irq(&sc->lock);
	sim_chan_halt(sc);
	kthread_stop(sc->thread);
	sim_call_fini(sc);
}
