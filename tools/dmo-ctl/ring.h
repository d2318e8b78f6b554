/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ring of requests of one function.
 *
 * The owner fills slots at the tail and retires them at the head, in that
 * order; in between the device may answer them in any:
 *
 *	EMPTY -> FILLED -> FLYING -> ANSWERED -> (retired) EMPTY
 */
#ifndef DMO_CTL_RING_H
#define DMO_CTL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "func.h"
#include "session.h"

#define RING_MAX_DEPTH	256
#define RING_BUFFERS	(32ull << 20)	/* of all slots, if we choose how many */

enum slot_state { SLOT_EMPTY, SLOT_FILLED, SLOT_FLYING, SLOT_ANSWERED };

/**
 * struct ring_slot - one request
 * @state: how far it has come
 * @attempts: how often it was answered ENOMEM
 * @offset: where in the data it works, for messages
 * @len: bytes of each region
 * @req: the request, but for its number and immediate, which the ring adds
 * @result: of functions that have one
 */
struct ring_slot {
	enum slot_state state;
	unsigned int attempts;
	uint64_t offset;
	size_t len;
	struct dmo_request req;
	uint64_t result;
};

/**
 * struct ring - the slots, and how far they have come
 * @func: the function
 * @session: with the device
 * @immediate: for every request
 * @serial: one flies at a time, and its result is the next one's immediate
 * @depth: number of slots
 * @head, @tail: the oldest slot not retired, the next one to fill; both count
 *	slots and never wrap
 * @requests, @retries: answered, and submitted again after ENOMEM
 * @slots: they
 */
struct ring {
	const struct dmo_function *func;
	struct dmo_session *session;
	uint8_t immediate[8];
	bool serial;
	unsigned int depth;
	uint64_t head, tail;
	uint64_t requests, retries;
	struct ring_slot slots[RING_MAX_DEPTH];
};

static inline unsigned int ring_index(const struct ring *ring, uint64_t nr)
{
	return (unsigned int)(nr % ring->depth);
}

static inline struct ring_slot *ring_slot(struct ring *ring, uint64_t nr)
{
	return &ring->slots[ring_index(ring, nr)];
}

/* A depth whose buffers of @len bytes a region are not too large: 2 to @most. */
unsigned int ring_choose_depth(const struct dmo_function *func, uint64_t len,
			       unsigned int most);

/* The slot at the tail has @offset, @len and @req. */
void ring_push(struct ring *ring);

/*
 * Submit what is filled as far as the device takes it, then wait for at least
 * one answer if anything flies.  0, or -1 after a message; 0 on a signal, too.
 */
int ring_turn(struct ring *ring);

#endif /* DMO_CTL_RING_H */
