/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function applied to whole files.
 *
 * Requests are made in the order of the files, and retired (written out) in
 * the order of the files again, so pipes work on both ends.
 */
#ifndef DMO_CTL_JOB_H
#define DMO_CTL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "func.h"
#include "progress.h"
#include "ring.h"
#include "session.h"

/* What belongs to a slot of the ring */
struct job_slot {
	bool hole;		/* the input has a hole here */
	struct iovec out_iov;
	struct iovec in_iov[DMO_MAX_INPUTS];
	struct dmo_region in[DMO_MAX_INPUTS];
	uint8_t *out_buf;	/* buffers: NULL if mapped */
	uint8_t *in_buf[DMO_MAX_INPUTS];
};

/**
 * struct job - one function, its files, and how far it has come
 * @func: the function
 * @in: the inputs, as many as the function has
 * @out: the output, if the function has one
 * @session: with the device
 * @ring: the requests; of a serial function, its immediate is the last result
 * @slots: their files and buffers, by index in the ring
 * @chunk: bytes per request
 * @map: no buffers
 * @eof: nothing more to fill
 * @total: bytes in all: of functions without inputs, exactly; otherwise what
 *	is expected, 0 if unknown
 * @in_map, @out_map: the whole files, with @map
 * @filled, @bytes: filled and retired so far
 * @progress: the line on the terminal
 */
struct job {
	const struct dmo_function *func;
	struct copy_file in[DMO_MAX_INPUTS], out;
	struct dmo_session session;
	struct ring ring;
	struct job_slot slots[RING_MAX_DEPTH];
	size_t chunk;
	bool map;
	bool eof;
	uint64_t total;
	uint8_t *in_map[DMO_MAX_INPUTS], *out_map;
	uint64_t filled, bytes;
	struct progress progress;
};

static inline unsigned int job_nr_in(const struct job *job)
{
	return (unsigned int)job->func->inputs;
}

/*
 * The files and the session are open; @func, @total, @chunk, @map and the
 * ring's depth
 * are set.  All return 0, or -1 after a message or on a signal.
 */
int job_alloc(struct job *job);		/* buffers, or mappings */
int job_run(struct job *job);
void job_free(struct job *job);		/* after the session's end */

#endif /* DMO_CTL_JOB_H */
