/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests on memory of our own: made, timed and checked.  Only the requests
 * are timed, neither their preparation nor the check.
 */
#ifndef DMO_CTL_WORK_H
#define DMO_CTL_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "func.h"
#include "ring.h"
#include "session.h"

#define WORK_MAX_SEGMENTS	1024	/* of a region: the device's limit */

/**
 * struct work_plan - what the requests are like
 * @func: the function; it has a model
 * @size: bytes of each region
 * @depth: requests in flight
 * @segments: pieces of each region, each in pages of its own
 * @offset: bytes from the beginning of its page to that of a piece
 */
struct work_plan {
	const struct dmo_function *func;
	size_t size;
	unsigned int depth;
	unsigned int segments;
	size_t offset;
};

/* One region's memory */
struct work_region {
	uint8_t *mem;
	size_t mem_bytes;
	struct iovec *iov;
};

/* What belongs to a slot of the ring */
struct work_slot {
	struct work_region out, in[DMO_MAX_INPUTS];
	struct dmo_region io[DMO_MAX_INPUTS];
	uint8_t *want;
	uint64_t result;
};

/**
 * struct work - the requests and their memory
 * @plan: what they are like
 * @ring: the requests
 * @slots: their memory, by index in the ring
 */
struct work {
	struct work_plan plan;
	struct ring ring;
	struct work_slot slots[RING_MAX_DEPTH];
};

/**
 * struct work_time - what some requests took
 * @requests: how many
 * @bytes: in each region
 * @wall_ns: from the first submission to the last answer
 * @cpu_ns: of this process, meanwhile
 * @busy_ticks: of all CPUs, whoever ran there; see util_busy_ticks()
 */
struct work_time {
	uint64_t requests, bytes;
	uint64_t wall_ns, cpu_ns;
	uint64_t busy_ticks;
};

/* NULL after a message.  Free it after the session's end. */
struct work *work_create(const struct work_plan *plan);
void work_free(struct work *w);

/*
 * Do at least @requests for at least @min_ns by the device, or the same by the
 * program itself, and add the time to @t.  Every result is checked, and what
 * the outputs hold in the end.  0, or -1 after a message or on a signal.
 */
int work_run(struct work *w, struct dmo_session *s, uint64_t requests,
	     uint64_t min_ns, struct work_time *t);
int work_run_here(struct work *w, uint64_t min_ns, struct work_time *t);

/* MB/s, 0 if it took no time */
double work_rate(const struct work_time *t);

#endif /* DMO_CTL_WORK_H */
