// SPDX-License-Identifier: GPL-2.0
/*
 * Channels: where a descriptor is, the thread that is the hardware, and the
 * interrupt that calls back.  See the picture in sim.h.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "sim.h"

static struct sim_desc *first_desc(struct list_head *list)
{
	return list_first_entry_or_null(list, struct sim_desc, node);
}

/* Take back what the client has acknowledged by now. */
static void sim_chan_reap_locked(struct sim_chan *sc)
{
	struct sim_desc *desc, *next;

	lockdep_assert_held(&sc->lock);
	list_for_each_entry_safe(desc, next, &sc->held, node)
		if (async_tx_test_ack(&desc->tx))
			list_move_tail(&desc->node, &sc->free);
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
	struct sim_desc *desc;
	unsigned long irq;
	bool kick;

	spin_lock_irqsave(&sc->lock, irq);
	sim_chan_reap_locked(sc);
	desc = sc->gone ? NULL : first_desc(&sc->free);
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
		sim_chan_kick(sc);
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
	bool kick;

	spin_lock_irqsave(&sc->lock, flags);
	complete = chan->completed_cookie;
	used = chan->cookie;
	kick = !list_empty(&sc->done);
	spin_unlock_irqrestore(&sc->lock, flags);

	if (kick)
		sim_chan_kick(sc);
	dma_set_tx_state(state, complete, used, 0);
	return dma_async_is_complete(cookie, complete, used);
}

/* Nobody's callback is called any more, but one may still be under way. */
static int sim_terminate_all(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);
	struct sim_desc *desc;
	unsigned long flags;
	LIST_HEAD(dropped);

	spin_lock_irqsave(&sc->lock, flags);
	list_splice_tail_init(&sc->prepared, &dropped);
	list_splice_tail_init(&sc->submitted, &dropped);
	list_splice_tail_init(&sc->issued, &dropped);
	list_splice_tail_init(&sc->done, &dropped);
	list_splice_tail_init(&sc->held, &dropped);
	if (sc->active)
		WRITE_ONCE(sc->abort, true);
	spin_unlock_irqrestore(&sc->lock, flags);
	wake_up(&sc->wait);

	list_for_each_entry(desc, &dropped, node) {
		sim_cache_forget(desc);
		dma_descriptor_unmap(&desc->tx);
		desc->tx.cookie = 0;
	}

	spin_lock_irqsave(&sc->lock, flags);
	list_splice_tail(&dropped, &sc->free);
	spin_unlock_irqrestore(&sc->lock, flags);
	return 0;
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

/* The next one, or NULL: @calling, which the caller had, is over then. */
static struct sim_desc *sim_chan_next_done(struct sim_chan *sc)
{
	struct sim_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	desc = first_desc(&sc->done);
	if (desc)
		list_del(&desc->node);
	else
		sc->calling = false;
	spin_unlock_irqrestore(&sc->lock, flags);
	return desc;
}

static void sim_desc_call_back(struct sim_desc *desc)
{
	struct dmaengine_result result = { .result = desc->result };
	struct dma_async_tx_descriptor *tx = &desc->tx;

	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else if (tx->callback)
		tx->callback(tx->callback_param);
	dma_descriptor_unmap(tx);
	dma_run_dependencies(tx);
}

/* Call back for all that is done. One at a time does it, to keep the order. */
static void sim_chan_call_back(struct sim_chan *sc)
{
	struct sim_desc *desc;
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&sc->lock, flags);
	busy = sc->calling;
	sc->calling = true;
	spin_unlock_irqrestore(&sc->lock, flags);
	if (busy)
		return;

	while ((desc = sim_chan_next_done(sc))) {
		sim_desc_call_back(desc);
		spin_lock_irqsave(&sc->lock, flags);
		list_add_tail(&desc->node, &sc->held);
		sim_chan_reap_locked(sc);
		spin_unlock_irqrestore(&sc->lock, flags);
	}
	wake_up(&sc->wait);
}

static void sim_chan_tasklet(struct tasklet_struct *tasklet)
{
	sim_chan_call_back(container_of(tasklet, struct sim_chan, tasklet));
}

static void sim_chan_irq(struct irq_work *irq)
{
	sim_chan_call_back(container_of(irq, struct sim_chan, irq));
}

/**
 * sim_chan_kick() - raise the interrupt: callbacks are due
 * @sc: the channel
 *
 * Context: any.
 */
void sim_chan_kick(struct sim_chan *sc)
{
	unsigned long flags;

	switch (sc->sdev->config.context) {
	case SIM_TASKLET:
		tasklet_schedule(&sc->tasklet);
		break;
	case SIM_IRQ:
		irq_work_queue(&sc->irq);
		break;
	default:
		spin_lock_irqsave(&sc->lock, flags);
		sc->kicked = true;
		spin_unlock_irqrestore(&sc->lock, flags);
		wake_up(&sc->wait);
	}
}

/* What the thread has to do: call back if kicked, then work on the descriptor */
static bool sim_chan_take(struct sim_chan *sc, bool *kicked, struct sim_desc **desc)
{
	spin_lock_irq(&sc->lock);
	*kicked = sc->kicked;
	sc->kicked = false;
	*desc = first_desc(&sc->issued);
	if (*desc)
		list_del(&(*desc)->node);
	sc->active = *desc;
	spin_unlock_irq(&sc->lock);
	return *kicked || *desc;
}

/* Let pass the time that the transfer takes, unless it is aborted. */
static void sim_chan_pace(struct sim_chan *sc, const struct sim_desc *desc)
{
	const struct sim_config *config = &sc->sdev->config;
	u64 ns = (u64)config->latency_us * NSEC_PER_USEC;

	if (config->rate_kib)
		ns += div64_u64((u64)desc->len * NSEC_PER_SEC, (u64)config->rate_kib * 1024);
	if (ns)
		wait_event_interruptible_hrtimeout(sc->wait, READ_ONCE(sc->abort),
						   ns_to_ktime(ns));
}

static void sim_chan_finish(struct sim_chan *sc, struct sim_desc *desc)
{
	bool aborted, kick = false;

	spin_lock_irq(&sc->lock);
	sc->active = NULL;
	aborted = sc->abort;
	if (!aborted) {
		kick = desc->tx.flags & DMA_PREP_INTERRUPT || desc->result != DMA_TRANS_NOERROR;
		sc->chan.completed_cookie = desc->tx.cookie;
		list_add_tail(&desc->node, &sc->done);
	}
	spin_unlock_irq(&sc->lock);

	if (kick)
		sim_chan_kick(sc);
	if (!aborted)
		return;

	sim_cache_forget(desc);
	dma_descriptor_unmap(&desc->tx);
	spin_lock_irq(&sc->lock);
	desc->tx.cookie = 0;
	list_add_tail(&desc->node, &sc->free);
	sc->abort = false;
	spin_unlock_irq(&sc->lock);
	wake_up(&sc->wait);
}

static int sim_chan_thread(void *data)
{
	struct sim_chan *sc = data;
	struct sim_desc *desc;
	bool kicked;

	/* 50 us late by default, with each descriptor: hardware is not */
	current->timer_slack_ns = 1;
	for (;;) {
		wait_event_idle(sc->wait, sim_chan_take(sc, &kicked, &desc) ||
				kthread_should_stop());
		if (kicked)
			sim_chan_call_back(sc);
		if (desc) {
			sim_chan_pace(sc, desc);
			if (desc->result == DMA_TRANS_NOERROR)
				sim_move(sc, desc);
			sim_chan_finish(sc, desc);
		} else if (!kicked) {
			return 0;
		}
	}
}

static int sim_alloc_chan_resources(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);
	unsigned int i, nr = sc->sdev->config.nr_descs;

	/* Not -ENODEV, which makes the core forget the device too early */
	if (sc->gone)
		return -ESHUTDOWN;
	sc->descs = kvcalloc(nr, sizeof(*sc->descs), GFP_KERNEL);
	if (!sc->descs)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		list_add_tail(&sc->descs[i].node, &sc->free);
	chan->cookie = DMA_MIN_COOKIE;
	chan->completed_cookie = DMA_MIN_COOKIE;
	return nr;
}

/* What the client left behind is dropped. */
static void sim_free_chan_resources(struct dma_chan *chan)
{
	struct sim_chan *sc = to_sim_chan(chan);

	sim_terminate_all(chan);
	sim_synchronize(chan);
	INIT_LIST_HEAD(&sc->free);
	kvfree(sc->descs);
	sc->descs = NULL;
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
	tasklet_setup(&sc->tasklet, sim_chan_tasklet);
	init_irq_work(&sc->irq, sim_chan_irq);

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
	sim_terminate_all(&sc->chan);
	sim_synchronize(&sc->chan);
	kthread_stop(sc->thread);
	tasklet_kill(&sc->tasklet);
	irq_work_sync(&sc->irq);
}
