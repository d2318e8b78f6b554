/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs at random: what they can do to the device, and how one is executed.
 *
 * A program is a list of words for each of its threads. A word is an operation and
 * a seed; whatever the operation needs to choose, it chooses by that seed. So words
 * can be exchanged, copied and altered one by one and always mean something.
 */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FZ_THREADS	3
#define FZ_WORDS	32		/* of one thread */
#define FZ_IDS		(1U << 16)	/* of requests of one program */
#define FZ_COVER	(1U << 14)	/* addresses of code, of one thread */
#define FZ_ERRNOS	160

enum fz_op {
	FZ_OPEN, FZ_CLOSE, FZ_SETFUNC, FZ_POLICY, FZ_ENGINE, FZ_IOCTL, FZ_WRITE, FZ_READ,
	FZ_POLL, FZ_ODD, FZ_MEMORY, FZ_FORK, FZ_ADMIN, FZ_LIMIT, FZ_KILL, FZ_QUOTA, FZ_FAULT,
	FZ_DMA, FZ_ORPHANS, FZ_NOMEM, FZ_FDINFO,
	/* Not operations, but what came of some: */
	FZ_ANSWER, FZ_REQUIRED, FZ_ORPHANED,
	FZ_NR_OPS
};

/* Parameters of the module that programs change for a moment, as they are otherwise */
#define FZ_MAX_SESSIONS	256
#define FZ_MAX_REQUESTS	65536

extern const char *const fz_names[FZ_NR_OPS];

struct fz_program {
	unsigned int nr[FZ_THREADS];
	uint64_t word[FZ_THREADS][FZ_WORDS];
};

/* What came of all programs so far; shared with them */
struct fz_board {
	atomic_uint counts[FZ_NR_OPS][FZ_ERRNOS];
	atomic_uint next_id;
	_Atomic uint8_t id[FZ_IDS];	/* of the present program: 1 written, 2 answered */
	atomic_uint wrong;		/* answers that are not to be */
	char why[128];			/* the first of them */
};

/* Where the kernel says which of its code a thread executed; or NULL */
struct fz_cover {
	int fd[FZ_THREADS];
	unsigned long *area[FZ_THREADS];
};

/* False if the kernel does not say it */
bool fz_cover_init(struct fz_cover *cover);

/*
 * A child that executes a program and exits, unless it is killed; or -errno.  What it
 * leaves behind is in its process group.
 */
pid_t fz_start(const struct fz_program *program, struct fz_board *board,
	       const struct fz_cover *cover);

#endif /* FUZZ_OPS_H */
