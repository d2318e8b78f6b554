/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fairness: whose job is next, by deficit round robin on bytes.
 *
 * Jobs that wait for the same engines are in one ring: those for a DMA channel,
 * and those for the CPU's workers.  In a ring, each flow has a queue of its own,
 * first in, first out, and the flows take turns.  A flow may send what its
 * credit covers; each time it comes round with too little, it gets a quantum
 * more.  So flows that always have something to send get the same number of
 * bytes, give or take a quantum and a job, however large their jobs are; and a
 * flow with little to send waits for one turn of each of the others, however
 * much they have.
 *
 * Bytes are those that have to be moved, in all regions.
 *
 * There is a flow for each session.  It has no reference count: a job is of a
 * request, which holds a reference to the session until job->done() was called,
 * and after that nobody goes from the job to its flow.  A flow is in a ring only
 * while it has jobs there.
 */
#ifndef DMIO_FAIR_H
#define DMIO_FAIR_H

#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct dmio_job;

/* What a flow gets each time it comes round: some windows need several */
#define DMIO_QUANTUM	SZ_256K

/**
 * enum dmio_ring_id - what jobs wait for
 * @DMIO_RING_CPU: the CPU's workers
 * @DMIO_RING_DMA: a DMA channel, any that can do it
 * @DMIO_NR_RINGS: number of rings
 */
enum dmio_ring_id {
	DMIO_RING_CPU,
	DMIO_RING_DMA,
	DMIO_NR_RINGS,
};

/**
 * struct dmio_flow_queue - jobs of a flow in a ring
 * @node: in the ring, while there are jobs
 * @jobs: the jobs
 * @bytes: theirs
 * @credit: bytes that it may still send
 * @granted: those of them that the search under way has given it
 */
struct dmio_flow_queue {
	struct list_head node;
	struct list_head jobs;
	u64 bytes;
	u64 credit;
	u64 granted;
};

/**
 * struct dmio_flow - one who wants his share; guarded by the scheduler's lock
 * @queue: his jobs, by ring
 */
struct dmio_flow {
	struct dmio_flow_queue queue[DMIO_NR_RINGS];
};

/**
 * struct dmio_ring - flows that take turns; guarded by the scheduler's lock
 * @id: which
 * @queues: those with jobs, in the order of their turns
 * @nr: how many
 * @bytes: of all their jobs
 */
struct dmio_ring {
	enum dmio_ring_id id;
	struct list_head queues;
	unsigned int nr;
	u64 bytes;
};

void dmio_flow_init(struct dmio_flow *flow);
bool dmio_flow_is_idle(const struct dmio_flow *flow);

void dmio_ring_add(struct dmio_ring *ring, struct dmio_job *job);
void dmio_ring_remove(struct dmio_job *job);
u64 dmio_ring_ahead(const struct dmio_ring *ring, const struct dmio_job *job);
struct dmio_job *dmio_ring_find(struct dmio_ring *ring, bool (*match)(struct dmio_job *job));
struct dmio_job *dmio_ring_next(struct dmio_ring *ring, bool (*fits)(struct dmio_job *job));

#endif /* DMIO_FAIR_H */
