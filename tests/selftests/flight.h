/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work in flight, and the proof that it was.
 *
 * A test about "in flight" reads from fdinfo that a request was running when
 * the event in question came, and fails if that was not so as often as in nine
 * of ten rounds. That is no luck: the engine is held still (observe.h), and small
 * requests behind a large one are pinned by write() and left to the engine. So
 * they are running when write() returns and as long as nobody sleeps. The large
 * ones are for workers: some of them are queued, some are being pinned. In
 * every other round there is a nap after the first ones, so that they may have
 * come to their end, or to anything in between.
 *
 * But an engine that is held still does nothing at the moment of the event. So
 * in the last third of the rounds it is not: there, other CPUs work while the
 * event comes, and how often something was running is only told.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include <time.h>

#include "dmio_test.h"

#define FL_LARGE	(64UL << 10)	/* with its input too large for write() */
#define FL_SMALL	(16UL << 10)

/*
 * Large ones before a nap, then one more, the small ones, and more large ones.
 * Those before the small ones are fewer than the workers that a user may have:
 * write() pins only what need not stand behind another.
 */
#define FL_EARLY	2
#define FL_NR_SMALL	8
#define FL_NR		(FL_EARLY + 1 + FL_NR_SMALL + 6)

struct flight {
	struct dt_rng *rng;
	struct dt_hold hold;
	struct dt_req req[FL_NR];
	struct dmio_usrreq flat[FL_NR];
	unsigned int rounds;
	unsigned int looked, hits;		/* rounds held, those with one running */
	unsigned int loose, loose_hits;		/* the same of those not held */
	bool is_loose;
	int unheld;				/* what letting loose returned */
};

static inline bool fl_is_small(unsigned int i)
{
	return i > FL_EARLY && i <= FL_EARLY + FL_NR_SMALL;
}

/* Copies of @src, each to its place: @stride bytes behind the last one's */
static inline void fl_init(struct flight *f, struct dt_rng *rng, uint8_t *dst, size_t stride,
			   const uint8_t *src)
{
	f->rng = rng;
	f->rounds = dt_scale(100, 1000);
	for (unsigned int i = 0; i < FL_NR; i++) {
		dt_req_init1(&f->req[i], "copy", i, dst + i * stride,
			     fl_is_small(i) ? FL_SMALL : FL_LARGE, src);
		f->flat[i] = f->req[i].req;
	}
}

/* Write all of them: 0 or -errno */
static inline int fl_submit(struct flight *f, int fd, bool nap)
{
	struct timespec ts = { .tv_nsec = dt_below(f->rng, 200000) };
	int err;

	/*
	 * Workers may have answered the last round's requests and then lost
	 * their CPU to this thread. While they count, new ones have to queue.
	 */
	dt_sleep_ms(2);
	err = dt_write_all(fd, f->flat, FL_EARLY);
	if (!err && nap)
		nanosleep(&ts, NULL);
	return err ? err : dt_write_all(fd, f->flat + FL_EARLY, FL_NR - FL_EARLY);
}

static inline unsigned int fl_to_hold(const struct flight *f)
{
	return f->rounds - f->rounds / 3;
}

/*
 * Is there another round to do? What has to be right is judged in each of them.
 * Those held still that had nothing running, because something slept at the wrong
 * moment on a slow machine, are made up for by others, some at least.
 */
static inline bool fl_more(struct flight *f)
{
	bool lack = f->hits * 10 < fl_to_hold(f) * 9;

	if (!f->is_loose) {
		if (f->looked < fl_to_hold(f) || (lack && f->looked < 5 * fl_to_hold(f)))
			return true;
		f->is_loose = true;
		f->unheld = dt_unhold(&f->hold);
	}
	return f->loose < f->rounds / 3;
}

/* Is there a nap in this round? */
static inline bool fl_naps(const struct flight *f)
{
	return (f->looked + f->loose) % 2;
}

/* A round in which @running requests were seen running when the event came */
static inline void fl_count(struct flight *f, int running)
{
	if (f->is_loose) {
		f->loose++;
		f->loose_hits += running > 0;
		return;
	}
	f->looked++;
	f->hits += running > 0;
}

#define EXPECT_RUNNING(f)							\
do {										\
	EXPECT_EQ(0, (f)->unheld);						\
	EXPECT_LE(fl_to_hold(f) * 9, (f)->hits * 10) {				\
		TH_LOG("%u of %u rounds had a request running",			\
		       (f)->hits, (f)->looked);					\
	}									\
	EXPECT_LT(0, (f)->loose);						\
	TH_LOG("held still, a request was running in %u of %u rounds; not held, in %u of %u",	\
	       (f)->hits, (f)->looked, (f)->loose_hits, (f)->loose);		\
} while (0)

#endif /* FLIGHT_H */
