/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share: the clock, and figures of many rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static inline int compare_double(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static inline void sort(double *value, size_t nr)
{
	qsort(value, nr, sizeof(*value), compare_double);
}

#endif /* BENCH_H */
