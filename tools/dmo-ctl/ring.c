// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "ring.h"
#include "util.h"

#define MAX_ATTEMPTS	8	/* of a request answered ENOMEM when alone */

unsigned int ring_choose_depth(const struct dmo_function *func, uint64_t len,
			       unsigned int most)
{
	uint64_t regions = (uint64_t)(func->inputs + func->outputs);
	unsigned int depth = most;

	while (depth > 2 && depth * regions * len > RING_BUFFERS)
		depth--;
	return depth;
}

void ring_push(struct ring *ring)
{
	struct ring_slot *slot = ring_slot(ring, ring->tail++);

	slot->state = SLOT_FILLED;
	slot->attempts = 0;
}

static void explain_request(const struct ring *ring,
			    const struct ring_slot *slot, int error)
{
	util_error("%s of %zu bytes at offset %llu: %s", ring->func->name,
		   slot->len, (unsigned long long)slot->offset,
		   session_strerror(error));
	if (error == ENOMEM)
		util_note("try smaller or fewer requests");
}

static int submit(struct ring *ring)
{
	struct dmo_request reqs[RING_MAX_DEPTH];
	struct ring_slot *slots[RING_MAX_DEPTH], *slot;
	unsigned int nr = 0, most = RING_MAX_DEPTH;
	uint64_t i;
	int ret, k;

	if (ring->serial)
		most = ring->session->in_flight ? 0 : 1;
	for (i = ring->head; i < ring->tail && nr < most; i++) {
		slot = ring_slot(ring, i);
		if (slot->state != SLOT_FILLED)
			continue;
		slot->req.id = ring_index(ring, i);
		memcpy(slot->req.immediate, ring->immediate,
		       sizeof(slot->req.immediate));
		slots[nr] = slot;
		reqs[nr++] = slot->req;
	}
	if (!nr)
		return 0;
	ret = session_submit(ring->session, reqs, nr);
	if (ret == -EINTR)
		return 0;
	if (ret < 0) {
		explain_request(ring, slots[0], -ret);
		return -1;
	}
	for (k = 0; k < ret; k++)
		slots[k]->state = SLOT_FLYING;
	return 0;
}

static int take_answer(struct ring *ring, const struct dmo_answer *answer)
{
	struct ring_slot *slot;

	if (answer->id >= ring->depth ||
	    ring->slots[answer->id].state != SLOT_FLYING) {
		util_error("the device answered request %u, which is not in flight",
			   answer->id);
		return -1;
	}
	slot = &ring->slots[answer->id];
	ring->requests++;
	if (!answer->error) {
		slot->state = SLOT_ANSWERED;
		slot->result = answer->result;
		if (ring->serial)
			func_put_immediate(ring->immediate, answer->result);
		return 0;
	}
	/* Others in flight will give memory back; alone, it may not help. */
	if (answer->error == ENOMEM &&
	    (ring->session->in_flight || ++slot->attempts < MAX_ATTEMPTS)) {
		slot->state = SLOT_FILLED;
		ring->retries++;
		return 0;
	}
	explain_request(ring, slot, answer->error);
	return -1;
}

static int reap(struct ring *ring)
{
	struct dmo_answer answers[RING_MAX_DEPTH];
	int i, nr;

	if (!ring->session->in_flight)
		return 0;
	nr = session_reap(ring->session, answers, RING_MAX_DEPTH);
	if (nr == -EINTR)
		return 0;
	if (nr < 0) {
		util_error("reading answers: %s", session_strerror(-nr));
		return -1;
	}
	for (i = 0; i < nr; i++)
		if (take_answer(ring, &answers[i]))
			return -1;
	return 0;
}

int ring_turn(struct ring *ring)
{
	return submit(ring) || reap(ring) ? -1 : 0;
}
