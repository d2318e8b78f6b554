// SPDX-License-Identifier: GPL-2.0
/*
 * Learned times; see rate.h.
 */
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/dmoverio.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "rate.h"

/* Less than this takes as long */
#define LEAST_BYTES	SZ_4K

/* Sixteenths of a nanosecond for each KiB, into nanoseconds for each byte */
#define SHIFT		14

/* How many times a mean is about */
#define WEIGHT		8

/* Far slower than anything, and far more than ever waits: their product is below 2^64 */
#define MOST_PER_KIB	BIT(30)
#define MOST_BYTES	BIT_ULL(33)

/* What a job that was not taken counts as, at least and at most */
#define LEAST_REFUSED_NS	NSEC_PER_MSEC
#define MOST_REFUSED_NS		NSEC_PER_SEC

static_assert(DMOVERIO_FUNC_CRC32C < DMIO_NR_FUNC_IDS);

static unsigned int size_of(u64 bytes)
{
	unsigned int log = ilog2(max_t(u64, bytes, LEAST_BYTES)) - ilog2(LEAST_BYTES);

	return min_t(unsigned int, log, DMIO_NR_SIZES - 1);
}

/**
 * dmio_rate_of() - find what is known
 * @rates: of the engine
 * @func: DMOVERIO_FUNC_*
 * @bytes: that have to be moved, in all regions
 *
 * Context: any.
 * Return: what is known of that function and size; perhaps nothing yet.
 */
struct dmio_rate *dmio_rate_of(struct dmio_rates *rates, unsigned int func, u64 bytes)
{
	return &rates->rate[func][size_of(bytes)];
}

static u32 per_kib_of(u64 bytes, u64 ns)
{
	u64 per_kib = div64_u64(min_t(u64, ns, U64_MAX >> SHIFT) << SHIFT,
				max_t(u64, bytes, LEAST_BYTES));

	return clamp_t(u64, per_kib, 1, MOST_PER_KIB);
}

/**
 * dmio_mean_learn() - learn one more time
 * @mean: the mean
 * @bytes: that were moved
 * @ns: the time
 *
 * Context: under the scheduler's lock.
 */
void dmio_mean_learn(struct dmio_mean *mean, u64 bytes, u64 ns)
{
	u64 now = per_kib_of(bytes, ns);

	if (mean->refused)
		mean->nr = 0;
	mean->refused = false;
	if (mean->nr < WEIGHT)
		mean->nr++;
	if (mean->nr > 1)
		now = min(now, (u64)mean->nr * mean->per_kib);
	/* As s64: the new one may be less */
	mean->per_kib += div_s64((s64)now - mean->per_kib, mean->nr);
	/* Chance makes times longer, not shorter: it need not take what it took before */
	mean->per_kib = clamp_t(u64, mean->per_kib, 1, 2 * now);
}

/**
 * dmio_mean_refuse() - learn that a job came back undone
 * @mean: the mean
 * @bytes: that were not moved
 * @ns: the time that it took nevertheless
 *
 * Context: under the scheduler's lock.
 */
void dmio_mean_refuse(struct dmio_mean *mean, u64 bytes, u64 ns)
{
	u64 known = dmio_mean_ns(mean, bytes);

	ns = clamp_t(u64, max(ns, 2 * known), LEAST_REFUSED_NS, MOST_REFUSED_NS);
	mean->per_kib = per_kib_of(bytes, max(ns, known));
	mean->nr = max(mean->nr, 1U);
	mean->refused = true;
}

/**
 * dmio_mean_ns() - what so many bytes are thought to take
 * @mean: the mean
 * @bytes: that have to be moved
 *
 * Context: under the scheduler's lock.
 * Return: nanoseconds; 0 if nothing is known.
 */
u64 dmio_mean_ns(const struct dmio_mean *mean, u64 bytes)
{
	return bytes ? clamp_t(u64, bytes, LEAST_BYTES, MOST_BYTES) * mean->per_kib >> SHIFT : 0;
}

/* That jobs of another size were refused does not say how long they take */
static bool is_known(const struct dmio_mean *mean)
{
	return mean->nr && !mean->refused;
}

/**
 * dmio_rates_guess() - find what is known of sizes like that
 * @rates: of the engine
 * @func: DMOVERIO_FUNC_*
 * @bytes: that have to be moved, in all regions
 *
 * Context: under the scheduler's lock.
 * Return: how long the nearest size takes of which that is known; if of none, one
 * that knows nothing.
 */
const struct dmio_mean *dmio_rates_guess(const struct dmio_rates *rates, unsigned int func,
					 u64 bytes)
{
	const struct dmio_rate *rate = rates->rate[func];
	int size = size_of(bytes), off;

	if (rate[size].elapsed.nr)
		return &rate[size].elapsed;
	for (off = 1; off < DMIO_NR_SIZES; off++) {
		if (size >= off && is_known(&rate[size - off].elapsed))
			return &rate[size - off].elapsed;
		if (size + off < DMIO_NR_SIZES && is_known(&rate[size + off].elapsed))
			return &rate[size + off].elapsed;
	}
	return &rate[size].elapsed;
}
