/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an engine is thought to need for a job, learned from what others took.
 *
 * By function, and by size: each doubling of the bytes has an estimate of its
 * own, a time per byte.  So a time to set up, and whatever else is not in
 * proportion to the size, is found in those of small sizes, and need not be told
 * apart from the rest.
 *
 * Two times are learned: how long it takes, and how much of a processor's time it
 * takes.  An estimate follows the mean of the last eight or so; a single time
 * that is out of all proportion moves it by no more than its double, and it is never
 * more than the double of the last time.
 *
 * An engine that did not take a job counts as one that takes twice as long as was
 * thought, each time; until it does one, and all is as if it were new.
 */
#ifndef DMIO_RATE_H
#define DMIO_RATE_H

#include <linux/types.h>

/* Sizes: up to 8 KiB, 16 KiB, ... 4 MiB, more; see DMIO_FUNC_... for functions */
#define DMIO_NR_SIZES		11
#define DMIO_NR_FUNC_IDS	8

/**
 * struct dmio_mean - the mean of some times
 * @per_kib: in sixteenths of a nanosecond for each KiB
 * @nr: how many times it has learned, as far as that matters
 * @refused: the last job came back undone: @per_kib is what that counts as
 */
struct dmio_mean {
	u32 per_kib;
	u32 nr;
	bool refused;
};

/**
 * struct dmio_rate - of one function and size
 * @elapsed: how long it takes, when its turn has come
 * @busy: time of processors
 * @passed: how long it was not chosen: see choice.c
 */
struct dmio_rate {
	struct dmio_mean elapsed;
	struct dmio_mean busy;
	u32 passed;
};

/**
 * struct dmio_rates - of an engine; guarded by the scheduler's lock
 * @rate: by function and size
 */
struct dmio_rates {
	struct dmio_rate rate[DMIO_NR_FUNC_IDS][DMIO_NR_SIZES];
};

struct dmio_rate *dmio_rate_of(struct dmio_rates *rates, unsigned int func, u64 bytes);
void dmio_mean_learn(struct dmio_mean *mean, u64 bytes, u64 ns);
void dmio_mean_refuse(struct dmio_mean *mean, u64 bytes, u64 ns);
u64 dmio_mean_ns(const struct dmio_mean *mean, u64 bytes);
const struct dmio_mean *dmio_rates_guess(const struct dmio_rates *rates, unsigned int func,
					 u64 bytes);

#endif /* DMIO_RATE_H */
