/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The completion queue of a session: answers wait here for their reader.
 *
 * A slot is reserved before a request is accepted and given back when the
 * answer has reached the reader's memory, so posting an answer cannot fail:
 *
 *	free --reserve--> in flight --post--> ready --consume--> free
 *	  ^------------unreserve--'
 */
#ifndef DMIO_CQ_H
#define DMIO_CQ_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "format.h"

/**
 * struct dmio_cq - completion queue
 * @lock: guards @head, @nr_ready, @nr_inflight and the ring's contents
 * @ring: @depth answers; the ready ones begin at @head
 * @depth: slots; 0 before dmio_cq_setup(), constant afterwards
 * @head: the oldest ready answer
 * @nr_ready: answers to be read
 * @nr_inflight: slots reserved for requests not yet answered
 * @read_lock: readers, one at a time; makes peek and consume one step
 * @waiters: readers for answers, writers for slots; one queue for both, as
 *	io_uring polls no more than two of a file, and the user's is another
 */
struct dmio_cq {
	spinlock_t lock;		/* see above */
	struct dmio_response *ring;
	unsigned int depth;
	unsigned int head;
	unsigned int nr_ready;
	unsigned int nr_inflight;

	struct mutex read_lock;		/* one reader at a time */
	wait_queue_head_t waiters;
};

void dmio_cq_init(struct dmio_cq *cq);
int dmio_cq_setup(struct dmio_cq *cq, unsigned int depth);
void dmio_cq_fini(struct dmio_cq *cq);

bool dmio_cq_reserve(struct dmio_cq *cq, bool *idle);
void dmio_cq_unreserve(struct dmio_cq *cq);
void dmio_cq_post(struct dmio_cq *cq, const struct dmio_response *resp);
int dmio_cq_wait_room(struct dmio_cq *cq);

int dmio_cq_read_begin(struct dmio_cq *cq, bool nonblock);
void dmio_cq_read_end(struct dmio_cq *cq);
bool dmio_cq_peek(struct dmio_cq *cq, struct dmio_response *resp);
void dmio_cq_consume(struct dmio_cq *cq);
int dmio_cq_wait_ready(struct dmio_cq *cq, bool or_idle);

unsigned int dmio_cq_nr_ready(struct dmio_cq *cq);
bool dmio_cq_is_idle(struct dmio_cq *cq);
bool dmio_cq_has_room(struct dmio_cq *cq);

#endif /* DMIO_CQ_H */
