/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the operations of fuzz_ops.c and fuzz_hard.c share: the thread that does one, and
 * what it chooses by.
 */
#ifndef FUZZ_THREAD_H
#define FUZZ_THREAD_H

#include <errno.h>

#include "dma.h"
#include "fuzz_ops.h"

/* The memory of programs: outputs in one half, inputs in the other, then lists */
#define FZ_ARENA	((uint8_t *)0x20000000UL)
#define FZ_HALF		(256UL << 10)

struct thread {
	const struct fz_program *program;
	unsigned int nr;
	struct fz_board *board;
	const struct fz_cover *cover;
	struct dt_rng rng;		/* of the present word */
	uint8_t *list;			/* what is free of its lists */
};

static inline size_t below(struct thread *t, size_t n)
{
	return dt_below(&t->rng, n);
}

static inline bool one_in(struct thread *t, size_t n)
{
	return !below(t, n);
}

static inline void count(struct thread *t, enum fz_op op, int error)
{
	if (error >= 0 && error < FZ_ERRNOS)
		atomic_fetch_add(&t->board->counts[op][error], 1);
}

static inline int error_of(long ret)
{
	return ret < 0 ? errno : 0;
}

/* The id of a request that is to be written, which the board then knows */
uint32_t fz_new_id(struct thread *t);
/* Each was written, and not answered before; they are counted as answers of @op */
void fz_check_answers(struct thread *t, enum fz_op op, const uint8_t *records, size_t size,
		      size_t nr);

/* -- operations of fuzz_hard.c: 0 or an errno */

int fz_admin(struct thread *t, unsigned int slot);
int fz_quota(struct thread *t, unsigned int slot);
int fz_fault(struct thread *t, unsigned int slot);
int fz_dma(struct thread *t, unsigned int slot);
int fz_orphans(struct thread *t, unsigned int slot);
int fz_nomem(struct thread *t, unsigned int slot);

#endif /* FUZZ_THREAD_H */
