// SPDX-License-Identifier: GPL-2.0
/*
 * Fairness: queues of flows, and deficit round robin; see fair.h.
 */
#include <linux/minmax.h>

#include "engine.h"
#include "fair.h"
#include "func.h"

static u64 bytes_of(const struct dmio_job *job)
{
	return dmio_func_bytes(job->func, job->len);
}

static struct dmio_flow_queue *queue_of(const struct dmio_job *job)
{
	return &job->flow->queue[job->ring->id];
}

/**
 * dmio_flow_init() - make a flow, without jobs
 * @flow: result
 *
 * Context: any.
 */
void dmio_flow_init(struct dmio_flow *flow)
{
	struct dmio_flow_queue *queue;

	for (queue = flow->queue; queue < flow->queue + DMIO_NR_RINGS; queue++) {
		INIT_LIST_HEAD(&queue->node);
		INIT_LIST_HEAD(&queue->jobs);
		queue->bytes = 0;
		queue->credit = 0;
	}
}

/**
 * dmio_flow_is_idle() - has a flow no job that waits?
 * @flow: the flow, about to go away
 *
 * Context: any.
 * Return: true if so.
 */
bool dmio_flow_is_idle(const struct dmio_flow *flow)
{
	unsigned int i;

	for (i = 0; i < DMIO_NR_RINGS; i++)
		if (!list_empty(&flow->queue[i].jobs))
			return false;
	return true;
}

/**
 * dmio_ring_add() - have a job wait
 * @ring: where
 * @job: waits nowhere
 *
 * Context: under the scheduler's lock.
 */
void dmio_ring_add(struct dmio_ring *ring, struct dmio_job *job)
{
	struct dmio_flow_queue *queue;

	job->ring = ring;
	queue = queue_of(job);
	if (list_empty(&queue->jobs)) {
		list_add_tail(&queue->node, &ring->queues);
		ring->nr++;
		/* For its first turn */
		queue->credit = DMIO_QUANTUM;
	}
	list_add_tail(&job->waiting, &queue->jobs);
	queue->bytes += bytes_of(job);
	ring->bytes += bytes_of(job);
}

/**
 * dmio_ring_remove() - have a job wait no longer
 * @job: waits
 *
 * Context: under the scheduler's lock.
 */
void dmio_ring_remove(struct dmio_job *job)
{
	struct dmio_flow_queue *queue = queue_of(job);

	queue->bytes -= bytes_of(job);
	job->ring->bytes -= bytes_of(job);
	list_del(&job->waiting);
	if (list_empty(&queue->jobs)) {
		list_del_init(&queue->node);
		job->ring->nr--;
		/* Nobody saves up for later */
		queue->credit = 0;
	}
	job->ring = NULL;
}

/**
 * dmio_ring_ahead() - what would go before a job?
 * @ring: where it would wait
 * @job: waits nowhere
 *
 * Context: under the scheduler's lock.
 * Return: bytes, roughly: what its flow has, and as much of each other.
 */
u64 dmio_ring_ahead(const struct dmio_ring *ring, const struct dmio_job *job)
{
	u64 own = job->flow->queue[ring->id].bytes + bytes_of(job);

	return min(ring->bytes, own * max(ring->nr, 1U));
}

/**
 * dmio_ring_find() - take a job out of turn
 * @ring: the ring
 * @match: is it one of those? Of each flow only the first job is looked at: those
 *	behind it wait with it, as when it is only they that another policy lets go
 *
 * Context: under the scheduler's lock.
 * Return: the job, which waits no longer; NULL if there is none.
 */
struct dmio_job *dmio_ring_find(struct dmio_ring *ring, bool (*match)(struct dmio_job *job))
{
	struct dmio_flow_queue *queue;

	list_for_each_entry(queue, &ring->queues, node) {
		struct dmio_job *job = list_first_entry(&queue->jobs, struct dmio_job, waiting);

		if (!match(job))
			continue;
		dmio_ring_remove(job);
		return job;
	}
	return NULL;
}

/* The search is over: what was granted meanwhile counts only if it found something */
static void settle(struct dmio_ring *ring, bool found)
{
	struct dmio_flow_queue *queue;

	list_for_each_entry(queue, &ring->queues, node) {
		if (!found)
			queue->credit -= queue->granted;
		queue->granted = 0;
	}
}

/**
 * dmio_ring_next() - take the job whose turn it is
 * @ring: the ring
 * @fits: can a job leave now?  If not, others go before it, and its flow keeps
 *	its credit.
 *
 * Every flow has the credit for its first job after a few rounds, and gets no
 * more then: the search ends.  If it was in vain, nobody has got anything by it.
 *
 * Context: under the scheduler's lock.
 * Return: the job, which waits no longer; NULL if there is none that fits.
 */
struct dmio_job *dmio_ring_next(struct dmio_ring *ring, bool (*fits)(struct dmio_job *job))
{
	unsigned int nr_unfit = 0;

	while (nr_unfit < ring->nr) {
		struct dmio_flow_queue *queue = list_first_entry(&ring->queues,
							struct dmio_flow_queue, node);
		struct dmio_job *job = list_first_entry(&queue->jobs, struct dmio_job, waiting);

		if (queue->credit >= bytes_of(job) && fits(job)) {
			settle(ring, true);
			queue->credit -= bytes_of(job);
			dmio_ring_remove(job);
			return job;
		}
		if (queue->credit >= bytes_of(job)) {
			nr_unfit++;
		} else {
			queue->credit += DMIO_QUANTUM;
			queue->granted += DMIO_QUANTUM;
			nr_unfit = 0;
		}
		list_move_tail(&queue->node, &ring->queues);
	}
	settle(ring, false);
	return NULL;
}
