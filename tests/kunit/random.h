/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random numbers that are the same in every run.
 */
#ifndef DMIO_TEST_RANDOM_H
#define DMIO_TEST_RANDOM_H

#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/types.h>

void dmio_test_seed(struct kunit *test, struct rnd_state *rnd, u64 seed);

/* A number from 0 to @nr - 1 */
static inline u32 rnd_below(struct rnd_state *rnd, u32 nr)
{
	return prandom_u32_state(rnd) % nr;
}

static inline bool rnd_one_in(struct rnd_state *rnd, u32 nr)
{
	return !rnd_below(rnd, nr);
}

#endif /* DMIO_TEST_RANDOM_H */
