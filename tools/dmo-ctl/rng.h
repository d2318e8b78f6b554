/* SPDX-License-Identifier: GPL-2.0-only */
/* Repeatable random numbers (splitmix64): the same seed, the same test. */
#ifndef DMO_CTL_RNG_H
#define DMO_CTL_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* A generator of its own for each value of @salt. */
static inline struct rng rng_derive(uint64_t seed, uint64_t salt)
{
	struct rng r = { .state = seed ^ (salt * 0xd1342543de82ef95ull) };

	rng_next(&r);
	return r;
}

/* 0 to @limit - 1; the tiny bias does not matter here */
static inline uint64_t rng_below(struct rng *r, uint64_t limit)
{
	return limit ? rng_next(r) % limit : 0;
}

/* @lo to @hi, both included */
static inline uint64_t rng_range(struct rng *r, uint64_t lo, uint64_t hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

/* True once in @n times. */
static inline int rng_once_in(struct rng *r, unsigned int n)
{
	return !rng_below(r, n);
}

#endif /* DMO_CTL_RNG_H */
