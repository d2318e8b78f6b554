// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that is a channel's hardware: a descriptor at a time, in order.
 */
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>

#include "sim.h"

/* What the thread has to do: call back if kicked, then work on the descriptor */
static bool take(struct sim_chan *sc, bool *kicked, struct sim_desc **desc)
{
	spin_lock_irq(&sc->lock);
	*kicked = sc->kicked;
	sc->kicked = false;
	*desc = list_first_entry_or_null(&sc->issued, struct sim_desc, node);
	if (*desc)
		list_del(&(*desc)->node);
	sc->active = *desc;
	spin_unlock_irq(&sc->lock);
	return *kicked || *desc;
}

/* Let pass the time that the transfer takes, unless it is aborted. */
static void pace(struct sim_chan *sc, const struct sim_desc *desc)
{
	const struct sim_config *config = &sc->sdev->config;
	u64 ns = (u64)config->latency_us * NSEC_PER_USEC;

	if (config->rate_kib)
		ns += div64_u64((u64)desc->len * NSEC_PER_SEC, (u64)config->rate_kib * 1024);
	if (ns)
		wait_event_interruptible_hrtimeout(sc->wait, READ_ONCE(sc->abort),
						   ns_to_ktime(ns));
}

static bool stands(const struct sim_chan *sc)
{
	return READ_ONCE(sc->still) && !READ_ONCE(sc->abort);
}

/* Time begins anew when the client terminates it, in vain. */
static void stand_still(struct sim_chan *sc, const struct sim_desc *desc)
{
	long limit = desc->still_ms ? msecs_to_jiffies(desc->still_ms) : MAX_SCHEDULE_TIMEOUT;
	bool loose;

	do {
		loose = READ_ONCE(desc->loose);
		if (!wait_event_idle_timeout(sc->wait, !stands(sc) ||
					     READ_ONCE(desc->loose) != loose, limit))
			break;
	} while (stands(sc));

	spin_lock_irq(&sc->lock);
	sc->still = false;
	spin_unlock_irq(&sc->lock);
}

/* Loose ones are not called back, nor known to the driver any more. */
static bool is_for_client_locked(const struct sim_chan *sc, const struct sim_desc *desc)
{
	lockdep_assert_held(&sc->lock);
	if (sc->abort || desc->disowned)
		return false;
	return !desc->loose || desc->call_anyway;
}

static void finish(struct sim_chan *sc, struct sim_desc *desc)
{
	bool kick = false;

	spin_lock_irq(&sc->lock);
	sc->active = NULL;
	if (!is_for_client_locked(sc, desc)) {
		sim_desc_retire_locked(sc, desc);
	} else if (sim_desc_is_silent(desc)) {
		/* The driver did not hear of it, and waits for ever. */
		list_add_tail(&desc->node, &sc->held);
	} else {
		kick = desc->tx.flags & DMA_PREP_INTERRUPT || desc->call_anyway ||
		       desc->result != DMA_TRANS_NOERROR;
		sc->chan.completed_cookie = desc->tx.cookie;
		sc->residue_cookie = desc->tx.cookie;
		sc->residue = desc->residue;
		list_add_tail(&desc->node, &sc->done);
	}
	sc->abort = false;
	spin_unlock_irq(&sc->lock);

	if (kick)
		sim_call_kick(sc);
	wake_up(&sc->wait);
}

/**
 * sim_chan_thread() - the hardware, until the thread is stopped
 * @data: the channel
 *
 * Context: a kernel thread.
 * Return: 0.
 */
int sim_chan_thread(void *data)
{
	struct sim_chan *sc = data;
	struct sim_desc *desc;
	bool kicked;

	/* 50 us late by default, with each descriptor: hardware is not */
	current->timer_slack_ns = 1;
	for (;;) {
		wait_event_idle(sc->wait, take(sc, &kicked, &desc) || kthread_should_stop());
		if (kicked)
			sim_call_back(sc);
		if (desc) {
			sim_fault_turn(sc, desc);
			pace(sc, desc);
			stand_still(sc, desc);
			sim_move(sc, desc);
			finish(sc, desc);
		} else if (!kicked) {
			return 0;
		}
	}
}
