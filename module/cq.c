// SPDX-License-Identifier: GPL-2.0
/*
 * The completion queue: a ring of answers and the two crowds that wait for it.
 */
#include <linux/bug.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "cq.h"

/**
 * dmio_cq_init() - make a queue that nobody can reserve a slot in, yet
 * @cq: to be initialised; it can be waited on from now on
 *
 * Context: any.
 */
void dmio_cq_init(struct dmio_cq *cq)
{
	spin_lock_init(&cq->lock);
	mutex_init(&cq->read_lock);
	init_waitqueue_head(&cq->waiters);
}

/**
 * dmio_cq_setup() - give a queue its slots
 * @cq: initialised; not set up before
 * @depth: number of slots, not 0
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int dmio_cq_setup(struct dmio_cq *cq, unsigned int depth)
{
	cq->ring = kvcalloc(depth, sizeof(*cq->ring), GFP_KERNEL_ACCOUNT);
	if (!cq->ring)
		return -ENOMEM;
	cq->depth = depth;
	return 0;
}

/**
 * dmio_cq_fini() - free a queue's slots
 * @cq: initialised, with nothing in flight
 *
 * Context: may sleep.
 */
void dmio_cq_fini(struct dmio_cq *cq)
{
	WARN_ON_ONCE(cq->nr_inflight);
	kvfree(cq->ring);
}

/**
 * dmio_cq_reserve() - take a slot for a request
 * @cq: set up
 * @idle: result: nothing else was in flight
 *
 * Context: process context; does not sleep.
 * Return: false if the queue is full.
 */
bool dmio_cq_reserve(struct dmio_cq *cq, bool *idle)
{
	bool room;

	spin_lock(&cq->lock);
	room = cq->nr_ready + cq->nr_inflight < cq->depth;
	*idle = !cq->nr_inflight;
	if (room)
		cq->nr_inflight++;
	spin_unlock(&cq->lock);
	return room;
}

/**
 * dmio_cq_unreserve() - give a slot back: the request was refused
 * @cq: set up, with a slot reserved by the caller
 *
 * Who sleeps in dmio_cq_wait_ready() for the last request in flight is woken,
 * too, as sleepers do not look at the events. Who polls for answers is not: in an
 * exclusive wait it would use up the one wake-up that is for a writer.
 *
 * Context: process context; does not sleep.
 */
void dmio_cq_unreserve(struct dmio_cq *cq)
{
	spin_lock(&cq->lock);
	cq->nr_inflight--;
	spin_unlock(&cq->lock);

	wake_up_interruptible_poll(&cq->waiters, EPOLLOUT | EPOLLWRNORM);
}

/**
 * dmio_cq_post() - put an answer into the slot reserved for it
 * @cq: set up, with a slot reserved by the caller
 * @resp: the answer; copied
 *
 * Context: process context; does not sleep.
 */
void dmio_cq_post(struct dmio_cq *cq, const struct dmio_response *resp)
{
	spin_lock(&cq->lock);
	cq->ring[(cq->head + cq->nr_ready) % cq->depth] = *resp;
	cq->nr_ready++;
	cq->nr_inflight--;
	spin_unlock(&cq->lock);

	wake_up_interruptible_poll(&cq->waiters, EPOLLIN | EPOLLRDNORM);
}

/**
 * dmio_cq_wait_room() - sleep until there is a free slot
 * @cq: set up
 *
 * Context: process context, no locks held; sleeps.
 * Return: 0 or -ERESTARTSYS.
 */
int dmio_cq_wait_room(struct dmio_cq *cq)
{
	return wait_event_interruptible(cq->waiters, dmio_cq_has_room(cq));
}

/**
 * dmio_cq_read_begin() - become the reader
 * @cq: set up
 * @nonblock: do not wait for another reader
 *
 * Context: process context; may sleep.
 * Return: 0, and dmio_cq_read_end() is owed; -EAGAIN; -ERESTARTSYS.
 */
int dmio_cq_read_begin(struct dmio_cq *cq, bool nonblock)
{
	if (nonblock)
		return mutex_trylock(&cq->read_lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(&cq->read_lock) ? -ERESTARTSYS : 0;
}

/**
 * dmio_cq_read_end() - let others read
 * @cq: the caller is the reader
 *
 * Wakes writers, for the slots that were consumed; and readers, if answers are
 * left: one that was turned away meanwhile may wait for an event.
 *
 * Context: process context; does not sleep.
 */
void dmio_cq_read_end(struct dmio_cq *cq)
{
	mutex_unlock(&cq->read_lock);

	if (dmio_cq_nr_ready(cq))
		wake_up_interruptible_poll(&cq->waiters, EPOLLIN | EPOLLRDNORM);
	if (dmio_cq_has_room(cq))
		wake_up_interruptible_poll(&cq->waiters, EPOLLOUT | EPOLLWRNORM);
}

/**
 * dmio_cq_peek() - look at the oldest answer
 * @cq: the caller is the reader
 * @resp: result
 *
 * The answer stays in the queue until dmio_cq_consume().
 *
 * Context: process context; does not sleep.
 * Return: false if there is none.
 */
bool dmio_cq_peek(struct dmio_cq *cq, struct dmio_response *resp)
{
	bool ready;

	lockdep_assert_held(&cq->read_lock);

	spin_lock(&cq->lock);
	ready = cq->nr_ready;
	if (ready)
		*resp = cq->ring[cq->head];
	spin_unlock(&cq->lock);
	return ready;
}

/**
 * dmio_cq_consume() - drop the answer just peeked: it has reached its reader
 * @cq: the caller has been the reader since dmio_cq_peek()
 *
 * Context: process context; does not sleep.
 */
void dmio_cq_consume(struct dmio_cq *cq)
{
	lockdep_assert_held(&cq->read_lock);

	spin_lock(&cq->lock);
	cq->head = (cq->head + 1) % cq->depth;
	cq->nr_ready--;
	spin_unlock(&cq->lock);
}

static bool is_ready_or_idle(struct dmio_cq *cq)
{
	bool ret;

	spin_lock(&cq->lock);
	ret = cq->nr_ready || !cq->nr_inflight;
	spin_unlock(&cq->lock);
	return ret;
}

/**
 * dmio_cq_wait_ready() - sleep until there is an answer
 * @cq: set up
 * @or_idle: or until nothing is in flight
 *
 * Context: process context, no locks held; sleeps.
 * Return: 0 or -ERESTARTSYS.
 */
int dmio_cq_wait_ready(struct dmio_cq *cq, bool or_idle)
{
	if (or_idle)
		return wait_event_interruptible(cq->waiters, is_ready_or_idle(cq));
	return wait_event_interruptible(cq->waiters, dmio_cq_nr_ready(cq));
}

/**
 * dmio_cq_nr_ready() - how many answers are there to be read?
 * @cq: the queue
 *
 * Context: process context; does not sleep.
 * Return: their number at this moment.
 */
unsigned int dmio_cq_nr_ready(struct dmio_cq *cq)
{
	unsigned int nr;

	spin_lock(&cq->lock);
	nr = cq->nr_ready;
	spin_unlock(&cq->lock);
	return nr;
}

/**
 * dmio_cq_is_idle() - is there neither an answer nor a request in flight?
 * @cq: the queue
 *
 * Context: process context; does not sleep.
 * Return: true if there is nothing to wait for at this moment.
 */
bool dmio_cq_is_idle(struct dmio_cq *cq)
{
	bool idle;

	spin_lock(&cq->lock);
	idle = !cq->nr_ready && !cq->nr_inflight;
	spin_unlock(&cq->lock);
	return idle;
}

/**
 * dmio_cq_has_room() - is there a free slot?
 * @cq: the queue
 *
 * Context: process context; does not sleep.
 * Return: true if there is one at this moment.
 */
bool dmio_cq_has_room(struct dmio_cq *cq)
{
	bool room;

	spin_lock(&cq->lock);
	room = cq->nr_ready + cq->nr_inflight < cq->depth;
	spin_unlock(&cq->lock);
	return room;
}
