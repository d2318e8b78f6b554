/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that uses the device while everything around it fails, for mix_test: any
 * function, any policy, any size, sessions closed with work in flight, and writers
 * that are killed while somebody else waits for their answers.
 *
 * It judges each answer, and says on the board, which all processes share, what was
 * not as it should be: the first of it, and then all of them end.
 */
#ifndef MIX_WORK_H
#define MIX_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dmio_test.h"

#define MX_WORKERS	8
#define MX_FUNCS	19		/* those of dt_funcs, and at last iscsi-crc32c */
#define MX_ERRNOS	160
#define MX_LARGE	(5UL << 20)	/* the largest request: several windows */
#define MX_POOL		(MX_LARGE + (1UL << 20))

struct mx_board {
	atomic_bool stop;
	/*
	 * Is there hardware, or is there to be, that cannot be stopped? And how often it
	 * was said. Without it nobody's memory is written after the answer.
	 */
	atomic_bool parks;
	atomic_uint nr_parks;
	atomic_uint wrong;
	char why[256];			/* the first of them */
	/* What came of it */
	atomic_uint good[MX_FUNCS];	/* answers */
	atomic_uint errors[MX_ERRNOS];
	atomic_uint closed, orphans;	/* batches: of sessions closed; of writers killed */
	atomic_ullong ways[16];		/* bytes, by enum dt_way */
	atomic_uint batches[MX_WORKERS];
};

/* What is wrong; only the first is kept */
void mx_wrong(struct mx_board *board, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* To be the worker @nr, until it is to stop or something is wrong; does not return */
void mx_work(struct mx_board *board, unsigned int nr, uint64_t seed, const uint8_t *pool)
	__attribute__((noreturn));

#endif /* MIX_WORK_H */
