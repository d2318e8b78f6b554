// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt: callbacks of what is done, in the context that the device is
 * said to have.
 */
#include "sim.h"

/* A client's callback, taken from a descriptor */
struct sim_call {
	dma_async_tx_callback_result callback_result;
	dma_async_tx_callback callback;
	void *param;
	struct dmaengine_result result;
};

static void call_get(struct sim_call *call, const struct sim_desc *desc)
{
	*call = (struct sim_call) {
		.callback_result = desc->tx.callback_result,
		.callback = desc->tx.callback,
		.param = desc->tx.callback_param,
		.result = { .result = desc->result, .residue = desc->residue },
	};
}

static void call_make(const struct sim_call *call)
{
	if (call->callback_result)
		call->callback_result(call->param, &call->result);
	else if (call->callback)
		call->callback(call->param);
}

/* The next one, or NULL: @calling, which the caller had, is over then. */
static struct sim_desc *next_done(struct sim_chan *sc, struct sim_call *call)
{
	struct sim_desc *desc;
	unsigned long flags;

	spin_lock_irqsave(&sc->lock, flags);
	desc = list_first_entry_or_null(&sc->done, struct sim_desc, node);
	if (desc) {
		list_del(&desc->node);
		call_get(call, desc);
	} else {
		sc->calling = false;
	}
	spin_unlock_irqrestore(&sc->lock, flags);
	return desc;
}

/**
 * sim_call_back() - call back for all that is done
 * @sc: the channel
 *
 * One at a time does it, to keep the order.
 *
 * Context: as the client has to bear it.
 */
void sim_call_back(struct sim_chan *sc)
{
	struct sim_desc *desc;
	struct sim_call call;
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&sc->lock, flags);
	busy = sc->calling;
	sc->calling = true;
	spin_unlock_irqrestore(&sc->lock, flags);
	if (busy)
		return;

	while ((desc = next_done(sc, &call))) {
		call_make(&call);
		dma_descriptor_unmap(&desc->tx);
		dma_run_dependencies(&desc->tx);
		spin_lock_irqsave(&sc->lock, flags);
		list_add_tail(&desc->node, &sc->held);
		sim_chan_reap_locked(sc);
		spin_unlock_irqrestore(&sc->lock, flags);
	}
	wake_up(&sc->wait);
}

static bool is_unfinished(const struct sim_desc *desc, dma_cookie_t last)
{
	return desc && !desc->loose && !desc->late && desc->tx.cookie <= last &&
	       (desc->tx.callback_result || desc->tx.callback);
}

/* In order: those done, which have their own result, the active one, the rest */
static struct sim_desc *find_unfinished_locked(struct sim_chan *sc, dma_cookie_t last,
					       enum dmaengine_tx_result result)
{
	struct sim_desc *desc;

	lockdep_assert_held(&sc->lock);
	list_for_each_entry(desc, &sc->done, node)
		if (is_unfinished(desc, last))
			return desc;
	desc = sc->active;
	if (is_unfinished(desc, last))
		goto found;
	list_for_each_entry(desc, &sc->issued, node)
		if (is_unfinished(desc, last))
			goto found;
	return NULL;

found:
	desc->result = result;
	return desc;
}

/**
 * sim_call_back_unfinished() - call back, too early, what is not finished
 * @sc: the channel
 * @result: what the callbacks are told
 *
 * What is issued only while this goes on is not called back.
 *
 * Context: the client's, as it terminates.
 */
void sim_call_back_unfinished(struct sim_chan *sc, enum dmaengine_tx_result result)
{
	struct sim_desc *desc;
	struct sim_call call;
	unsigned long flags;
	dma_cookie_t last;

	spin_lock_irqsave(&sc->lock, flags);
	last = sc->chan.cookie;
	while ((desc = find_unfinished_locked(sc, last, result))) {
		call_get(&call, desc);
		desc->tx.callback_result = NULL;
		desc->tx.callback = NULL;
		spin_unlock_irqrestore(&sc->lock, flags);
		call_make(&call);
		spin_lock_irqsave(&sc->lock, flags);
	}
	spin_unlock_irqrestore(&sc->lock, flags);
}

static void sim_chan_tasklet(struct tasklet_struct *tasklet)
{
	sim_call_back(container_of(tasklet, struct sim_chan, tasklet));
}

static void sim_chan_irq(struct irq_work *irq)
{
	sim_call_back(container_of(irq, struct sim_chan, irq));
}

/**
 * sim_call_kick() - raise the interrupt: callbacks are due
 * @sc: the channel
 *
 * Context: any.
 */
void sim_call_kick(struct sim_chan *sc)
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

/**
 * sim_call_init() - get ready to call back
 * @sc: the channel
 *
 * Context: any.
 */
void sim_call_init(struct sim_chan *sc)
{
	tasklet_setup(&sc->tasklet, sim_chan_tasklet);
	init_irq_work(&sc->irq, sim_chan_irq);
}

/**
 * sim_call_fini() - no interrupt comes any more
 * @sc: the channel; nothing of it is done any more
 *
 * Context: may sleep.
 */
void sim_call_fini(struct sim_chan *sc)
{
	tasklet_kill(&sc->tasklet);
	irq_work_sync(&sc->irq);
}
