/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One function applied to whole files: a ring of slots, one request each.
 *
 * Slots are filled in the order of the files, may be answered in any order,
 * and are retired (written out) in the order of the files again, so pipes
 * work on both ends:
 *
 *	EMPTY -> FILLED -> FLYING -> ANSWERED -> (retired) EMPTY
 *
 * Of a serial function one slot flies at a time: its answer is the immediate
 * of the next.
 */
#ifndef DMO_CTL_JOB_H
#define DMO_CTL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"
#include "func.h"
#include "progress.h"
#include "session.h"

#define JOB_MAX_DEPTH	256

enum slot_state { SLOT_EMPTY, SLOT_FILLED, SLOT_FLYING, SLOT_ANSWERED };

struct job_slot {
	enum slot_state state;
	bool hole;		/* the input has a hole here */
	unsigned int attempts;
	uint64_t offset;
	size_t len;
	struct iovec out_iov;
	struct iovec in_iov[DMO_MAX_INPUTS];
	struct dmo_region in[DMO_MAX_INPUTS];
	uint8_t *out_buf;	/* buffers: NULL if mapped */
	uint8_t *in_buf[DMO_MAX_INPUTS];
};

/**
 * struct job - one function, its files, and how far it has come
 * @func: the function
 * @immediate: for every request; of a serial function the last result
 * @in: the inputs, as many as the function has
 * @out: the output, if the function has one
 * @session: with the device
 * @slots: ring of @depth slots; @head is the oldest not retired, @tail the
 *	next to fill; both count slots and never wrap
 * @chunk: bytes per request
 * @map: no buffers
 * @eof: nothing more to fill
 * @total: bytes in all: of functions without inputs, exactly; otherwise what
 *	is expected, 0 if unknown
 * @in_map, @out_map: the whole files, with @map
 * @filled, @bytes: filled and retired so far
 * @requests, @retries: answered, and submitted again after ENOMEM
 * @progress: the line on the terminal
 */
struct job {
	const struct dmo_function *func;
	uint8_t immediate[8];
	struct copy_file in[DMO_MAX_INPUTS], out;
	struct dmo_session session;
	struct job_slot slots[JOB_MAX_DEPTH];
	unsigned int depth;
	size_t chunk;
	bool map;
	uint64_t head, tail;
	bool eof;
	uint64_t total;
	uint8_t *in_map[DMO_MAX_INPUTS], *out_map;
	uint64_t filled, bytes;
	uint64_t requests, retries;
	struct progress progress;
};

static inline unsigned int job_nr_in(const struct job *job)
{
	return (unsigned int)job->func->inputs;
}

/*
 * The files and the session are open; @func, @total, @depth, @chunk and @map
 * are set.  All return 0, or -1 after a message or on a signal.
 */
int job_alloc(struct job *job);		/* buffers, or mappings */
int job_run(struct job *job);
void job_free(struct job *job);		/* after the session's end */

#endif /* DMO_CTL_JOB_H */
