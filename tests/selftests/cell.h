/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests on a controller that fails: some in flight at once, all of one kind,
 * each with its own memory and with bytes around its output that nobody may touch.
 * As in dmio_test.h, nothing here judges.
 */
#ifndef CELL_H
#define CELL_H

#include "dmio_test.h"

#define CELL_MOST	64
/* Each request has its own pages; its regions begin, and end, in the midst of some */
#define CELL_STRIDE	(4 * 4096UL)
#define CELL_OFFSET	1000UL
#define CELL_LEN	9001UL
#define CELL_PAGES	3		/* of a region */

struct cell {
	int fd;
	unsigned int nr;
	size_t len, in_len;		/* of @out and @want, of @in: no more than is needed */
	uint8_t *in, *out, *want;
	struct dt_req r[CELL_MOST];
	struct dmio_usrreq flat[CELL_MOST];
	int error[CELL_MOST];		/* answers */
};

/* Write @nr requests, all in flight then; in place: XOR into the first input. 0 or -errno */
int cell_depart(struct cell *c, const char *func, bool in_place, uint32_t policy,
		unsigned int nr);
/*
 * Take the answers: NULL; or what is wrong: not one for each, data that are not
 * right although the answer says so, bytes beside the output.
 */
const char *cell_arrive(struct cell *c);
extern const char *const cell_wrong;	/* what is wrong if an answer calls wrong data right */
/* How many answers there were of a kind; 0: successes */
unsigned int cell_count(const struct cell *c, int error);
/*
 * The memory is the program's again: it writes to it. Or, after answers of @lost,
 * replaces it, for that answer says that the hardware may still write to it.
 */
void cell_reuse(struct cell *c, int lost);
/* Is it as the program wrote it? */
bool cell_is_untouched(const struct cell *c);
/* Close, unmap */
void cell_end(struct cell *c);

#endif /* CELL_H */
