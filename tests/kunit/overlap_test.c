// SPDX-License-Identifier: GPL-2.0
/*
 * Does an output overlap anything?  The oracle counts who touches each byte.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "../../module/seg.h"
#include "random.h"

#define MAX_BYTES	64
#define MAX_RANGES	40

static bool overlap_oracle(const struct dmio_range *ranges, size_t nr, u64 base)
{
	u8 users[MAX_BYTES] = { }, writers[MAX_BYTES] = { };
	size_t i;
	u64 at;

	for (i = 0; i < nr; i++)
		for (at = ranges[i].addr - base; at < ranges[i].end - base; at++) {
			users[at]++;
			writers[at] += ranges[i].write;
		}
	for (at = 0; at < MAX_BYTES; at++)
		if (writers[at] && users[at] > 1)
			return true;
	return false;
}

static bool overlap_right(const struct dmio_range *ranges, size_t nr, u64 base)
{
	struct dmio_range copy[MAX_RANGES];

	memcpy(copy, ranges, nr * sizeof(*ranges));
	return dmio_ranges_overlap(copy, nr) == overlap_oracle(ranges, nr, base);
}

/* Range @nr of those in @bytes bytes, read and written; false: no more */
static bool nth_range(unsigned int nr, unsigned int bytes, struct dmio_range *range)
{
	unsigned int addr, end;

	for (addr = 0; addr < bytes; addr++)
		for (end = addr + 1; end <= bytes; end++, nr -= 2)
			if (nr < 2) {
				*range = (struct dmio_range){ addr, end, nr };
				return true;
			}
	return false;
}

/* Every choice of up to four ranges among four bytes, in every order */
static void overlap_exhaustive_test(struct kunit *test)
{
	enum { BYTES = 4, KINDS = BYTES * (BYTES + 1), LONGEST = 4 };
	struct dmio_range kinds[KINDS], ranges[LONGEST];
	unsigned int i, nr, n, code, codes = 1;

	for (i = 0; i < KINDS; i++)
		KUNIT_ASSERT_TRUE(test, nth_range(i, BYTES, &kinds[i]));
	KUNIT_ASSERT_FALSE(test, nth_range(KINDS, BYTES, &ranges[0]));

	for (nr = 0; nr <= LONGEST; nr++, codes *= KINDS)
		for (code = 0; code < codes; code++) {
			for (i = 0, n = code; i < nr; i++, n /= KINDS)
				ranges[i] = kinds[n % KINDS];
			if (!overlap_right(ranges, nr, 0)) {
				KUNIT_FAIL(test, "%u ranges, choice %u", nr, code);
				return;
			}
		}
}

/* Many ranges, mostly apart, at both ends of the address space */
static void overlap_random_test(struct kunit *test)
{
	static const u64 bases[] = { 0, S32_MAX - 10ULL, U32_MAX - 10ULL, S64_MAX - 10ULL,
				     U64_MAX - MAX_BYTES };
	struct dmio_range ranges[MAX_RANGES];
	unsigned int round, nr, hits = 0;
	struct rnd_state rnd;

	dmio_test_seed(test, &rnd, 401);
	for (round = 0; round < 10000; round++) {
		u64 base = bases[round % ARRAY_SIZE(bases)];
		unsigned int wanted = rnd_below(&rnd, MAX_RANGES + 1);
		unsigned int writers = 1 + rnd_below(&rnd, 40);

		for (nr = 0; nr < wanted; nr++) {
			u32 addr = rnd_below(&rnd, MAX_BYTES);
			u32 len = 1 + rnd_below(&rnd, min(MAX_BYTES - addr, 4u));

			ranges[nr] = (struct dmio_range){
				.addr = base + addr,
				.end = base + addr + len,
				.write = rnd_one_in(&rnd, writers),
			};
		}
		hits += overlap_oracle(ranges, nr, base);
		if (!overlap_right(ranges, nr, base)) {
			KUNIT_FAIL(test, "round %u", round);
			return;
		}
	}
	/* Both answers came often enough to mean something */
	KUNIT_EXPECT_GT(test, hits, round / 10);
	KUNIT_EXPECT_LT(test, hits, round - round / 10);
}

/* A long range is remembered behind shorter ones that begin later */
static void overlap_long_test(struct kunit *test)
{
	static const struct {
		struct dmio_range ranges[3];
		bool overlap;
	} cases[] = {
		{ { { 0, U64_MAX, false }, { 1, 2, false }, { U64_MAX - 1, U64_MAX, true } },
		  true },
		{ { { 0, U64_MAX, true }, { 1, 2, false }, { 3, 4, false } }, true },
		{ { { 0, U64_MAX, false }, { 1, 2, false }, { 3, 4, false } }, false },
		{ { { 0, U64_MAX - 1, true }, { U64_MAX - 1, U64_MAX, true },
		    { U64_MAX - 1, U64_MAX, true } }, true },
		{ { { 0, 1, true }, { 1, U64_MAX - 1, true }, { U64_MAX - 1, U64_MAX, true } },
		  false },
	};
	struct dmio_range ranges[3];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memcpy(ranges, cases[i].ranges, sizeof(ranges));
		KUNIT_EXPECT_EQ_MSG(test, dmio_ranges_overlap(ranges, 3), cases[i].overlap,
				    "case %zu", i);
	}
}

static struct kunit_case overlap_cases[] = {
	KUNIT_CASE(overlap_exhaustive_test),
	KUNIT_CASE(overlap_random_test),
	KUNIT_CASE(overlap_long_test),
	{}
};

static struct kunit_suite overlap_suite = {
	.name = "dmoverio-overlap",
	.test_cases = overlap_cases,
};

kunit_test_suite(overlap_suite);
