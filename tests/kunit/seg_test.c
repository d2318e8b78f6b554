// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting regions: parts, pages, runs of pages, equality; against a table that
 * has the address of every single byte.
 *
 * The checks return what is wrong, or NULL.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/slab.h>

#include "space.h"

#define ROUNDS	400

static const char *parts_wrong(const struct test_region *region, unsigned int from,
			       unsigned int len, u64 max)
{
	struct dmio_slice slice = test_region_slice(region, from, len);
	unsigned int n = from, end = from + len;
	struct dmio_seg part;
	u64 i;

	while (dmio_slice_next(&slice, max, &part)) {
		if (!part.len || part.len > max || part.len > end - n)
			return "length of a part";
		for (i = 0; i < part.len; i++)
			if (part.addr + i != region->addr[n + i])
				return "address of a byte";
		n += part.len;
		if (slice.len != end - n)
			return "length of the rest";
		if (slice.len && slice.skip >= slice.seg->len)
			return "start of the rest";
		if (part.len < max && slice.len && slice.skip)
			return "cut without need";
	}
	if (n != end || slice.len)
		return "ends early";
	return NULL;
}

static const char *pages_wrong(const struct test_region *region, unsigned int from,
			       unsigned int len, struct test_pages *pages)
{
	struct dmio_slice slice = test_region_slice(region, from, len);
	struct dmio_slice rest = slice;
	struct dmio_run run;
	unsigned int n = 0;
	u64 i;

	test_pages_number(pages, region->addr + from, len);
	if (dmio_slice_count_pages(slice) != pages->nr)
		return "count of pages";

	while (dmio_slice_next_run(&rest, &run)) {
		if (!run.nr_pages || run.nr_pages > pages->nr - n)
			return "length of a run";
		if (run.addr % PAGE_SIZE)
			return "start of a run";
		for (i = 0; i < run.nr_pages; i++)
			if (run.addr / PAGE_SIZE + i != pages->pfn[n + i])
				return "page of a run";
		n += run.nr_pages;
		if (n < pages->nr && pages->pfn[n] == pages->pfn[n - 1] + 1)
			return "run ends without need";
	}
	if (n != pages->nr || rest.len)
		return "runs end early";
	return NULL;
}

static void seg_parts_test(struct kunit *test)
{
	static const u64 maxima[] = { 1, 2, 7, PAGE_SIZE - 1, PAGE_SIZE, U64_MAX };
	unsigned int round, i, from, len;
	struct test_region region;
	struct rnd_state rnd;
	const char *wrong;

	dmio_test_seed(test, &rnd, 201);
	test_region_alloc(test, &region);
	for (round = 0; round < ROUNDS; round++) {
		test_region_random(test, &region, &rnd,
				   dmio_test_bases[round % dmio_test_nr_bases]);
		test_region_choose(&region, &rnd, &from, &len);
		for (i = 0; i <= ARRAY_SIZE(maxima); i++) {
			u64 max = i < ARRAY_SIZE(maxima) ? maxima[i] :
				  1 + rnd_below(&rnd, PAGE_SIZE);

			wrong = parts_wrong(&region, from, len, max);
			if (wrong)
				KUNIT_FAIL(test, "round %u, at most %llu: %s", round, max, wrong);
		}
	}
	test_region_free(&region);
}

static void seg_pages_test(struct kunit *test)
{
	unsigned int round, from, len;
	struct test_region region;
	struct test_pages pages;
	struct rnd_state rnd;
	const char *wrong;

	dmio_test_seed(test, &rnd, 202);
	test_region_alloc(test, &region);
	test_pages_alloc(test, &pages);
	for (round = 0; round < ROUNDS; round++) {
		test_region_random(test, &region, &rnd,
				   dmio_test_bases[round % dmio_test_nr_bases]);
		test_region_choose(&region, &rnd, &from, &len);
		wrong = pages_wrong(&region, from, len, &pages);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
	}
	test_region_free(&region);
}

/* Takes a slice in two and looks at both */
static const char *take_wrong(const struct test_region *region, unsigned int from,
			      unsigned int len, unsigned int taken)
{
	struct dmio_slice rest = test_region_slice(region, from, len);
	struct dmio_slice head = dmio_slice_take(&rest, taken);
	unsigned int n = from;
	struct dmio_seg part;

	if (head.len != taken || rest.len != len - taken)
		return "lengths";
	for (; dmio_slice_next(&head, 1, &part); n++)
		if (part.addr != region->addr[n])
			return "what was taken";
	for (; dmio_slice_next(&rest, 1, &part); n++)
		if (part.addr != region->addr[n])
			return "what is left";
	return NULL;
}

static void seg_take_test(struct kunit *test)
{
	unsigned int round, from, len, taken;
	struct test_region region;
	struct rnd_state rnd;
	const char *wrong;

	dmio_test_seed(test, &rnd, 204);
	test_region_alloc(test, &region);
	for (round = 0; round < ROUNDS; round++) {
		test_region_random(test, &region, &rnd,
				   dmio_test_bases[round % dmio_test_nr_bases]);
		test_region_choose(&region, &rnd, &from, &len);
		taken = rnd_below(&rnd, len + 1);
		if (rnd_one_in(&rnd, 4))
			taken = len - taken % 2;
		wrong = take_wrong(&region, from, len, taken);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
	}
	test_region_free(&region);
}

/* Few bytes, all cuts: every slice of two segments around a page's edge */
static void seg_edges_test(struct kunit *test)
{
	enum { WIDTH = 5 };
	struct test_region region;
	struct test_pages pages;
	unsigned int code, from, len;
	const char *wrong = NULL;

	test_region_alloc(test, &region);
	test_pages_alloc(test, &pages);
	for (code = 0; code < WIDTH * WIDTH * WIDTH * WIDTH && !wrong; code++) {
		struct dmio_seg segs[2] = {
			{ PAGE_SIZE - 2 + code % WIDTH, 1 + code / WIDTH % WIDTH },
			{ PAGE_SIZE - 2 + code / (WIDTH * WIDTH) % WIDTH,
			  1 + code / (WIDTH * WIDTH * WIDTH) },
		};

		region = (struct test_region){ .segs = segs, .nr_segs = 2, .addr = region.addr };
		for (region.len = 0; region.len < segs[0].len; region.len++)
			region.addr[region.len] = segs[0].addr + region.len;
		for (len = 0; len < segs[1].len; len++)
			region.addr[region.len++] = segs[1].addr + len;

		for (from = 0; from < region.len && !wrong; from++)
			for (len = 1; len <= region.len - from && !wrong; len++) {
				wrong = parts_wrong(&region, from, len, 1 + code % 4);
				wrong = wrong ?: parts_wrong(&region, from, len, U64_MAX);
				wrong = wrong ?: pages_wrong(&region, from, len, &pages);
			}
	}
	if (wrong)
		KUNIT_FAIL(test, "choice %u: %s", code - 1, wrong);
}

static bool same_oracle(const struct test_region *a, unsigned int from_a, unsigned int len_a,
			const struct test_region *b, unsigned int from_b, unsigned int len_b)
{
	unsigned int n;

	for (n = 0; n < len_a && n < len_b; n++)
		if (a->addr[from_a + n] != b->addr[from_b + n])
			return false;
	return len_a == len_b;
}

/* What two slices to be compared have in common: all, or all but a little */
static void spoil(struct test_region *region, unsigned int *from, unsigned int *len,
		  struct rnd_state *rnd)
{
	switch (rnd_below(rnd, 7)) {
	case 0:
		*len -= rnd_below(rnd, *len);
		break;
	case 1:
		*from -= *from && rnd_one_in(rnd, 2);
		break;
	case 2:
		region->addr[*from + rnd_below(rnd, *len)] ^= PAGE_SIZE;
		break;
	case 3:
		region->addr[*from + *len - 1] ^= 1;
		break;
	}
}

static void seg_same_test(struct kunit *test)
{
	unsigned int round, from_a, len_a, from_b, len_b, hits = 0;
	struct test_region a, b, edited;
	struct rnd_state rnd;

	dmio_test_seed(test, &rnd, 203);
	test_region_alloc(test, &a);
	test_region_alloc(test, &b);
	test_region_alloc(test, &edited);
	for (round = 0; round < ROUNDS; round++) {
		struct dmio_slice sa, sb;
		bool want;

		test_region_random(test, &a, &rnd, dmio_test_bases[round % dmio_test_nr_bases]);
		test_region_choose(&a, &rnd, &from_a, &len_a);
		from_b = from_a;
		len_b = len_a;
		memcpy(edited.addr, a.addr, a.len * sizeof(*a.addr));
		edited.len = a.len;
		spoil(&edited, &from_b, &len_b, &rnd);
		test_region_recut(test, &b, &edited, &rnd);

		want = same_oracle(&a, from_a, len_a, &b, from_b, len_b);
		hits += want;
		sa = test_region_slice(&a, from_a, len_a);
		sb = test_region_slice(&b, from_b, len_b);
		if (dmio_slice_same(sa, sb) != want || dmio_slice_same(sb, sa) != want)
			KUNIT_FAIL(test, "round %u: should be %d", round, want);
	}
	/* Both answers came often enough to mean something */
	KUNIT_EXPECT_GT(test, hits, ROUNDS / 4);
	KUNIT_EXPECT_LT(test, hits, ROUNDS * 3 / 4);
	test_region_free(&a);
	test_region_free(&b);
}

/* Nothing may be looked at where there is nothing */
static void seg_empty_test(struct kunit *test)
{
	struct dmio_slice empty = { }, slice = empty;
	struct dmio_seg part;
	struct dmio_run run;

	KUNIT_EXPECT_FALSE(test, dmio_slice_next(&slice, U64_MAX, &part));
	KUNIT_EXPECT_FALSE(test, dmio_slice_next_run(&slice, &run));
	KUNIT_EXPECT_EQ(test, dmio_slice_count_pages(slice), 0ULL);
	KUNIT_EXPECT_TRUE(test, dmio_slice_same(slice, empty));
	KUNIT_EXPECT_EQ(test, dmio_slice_to_sg(slice, NULL, NULL), 0u);
}

/* Sizes that no test can go through byte by byte */
static void seg_extremes_test(struct kunit *test)
{
	static const u64 page = PAGE_SIZE, all = U64_MAX / PAGE_SIZE + 1;
	static const struct {
		struct dmio_seg segs[2];
		u64 skip, len, nr_pages, nr_runs;
	} cases[] = {
		{ { { 0, U64_MAX } }, 0, U64_MAX, all, 1 },
		{ { { 1, U64_MAX } }, 0, U64_MAX, all, 1 },
		{ { { 0, U64_MAX } }, U64_MAX - 1, 1, 1, 1 },
		{ { { 1, U64_MAX } }, page - 2, 2, 2, 1 },
		{ { { U64_MAX, 1 } }, 0, 1, 1, 1 },
		{ { { U64_MAX, 1 }, { 0, 1 } }, 0, 2, 2, 2 },
		{ { { U64_MAX, 1 }, { U64_MAX, 1 } }, 0, 2, 1, 1 },
		{ { { 0, U64_MAX / 2 + 1 }, { U64_MAX / 2 + 1, U64_MAX / 2 } },
		  0, U64_MAX, all, 1 },
		{ { { 0, U64_MAX / 2 }, { U64_MAX / 2, U64_MAX / 2 } }, 0, U64_MAX - 1, all, 1 },
		{ { { 0, U64_MAX / 2 }, { 0, U64_MAX / 2 } }, 0, U64_MAX - 1, all, 2 },
	};
	struct dmio_slice slice;
	struct dmio_run run;
	size_t i;
	u64 n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		slice = (struct dmio_slice){ cases[i].segs, cases[i].skip, cases[i].len };
		KUNIT_EXPECT_EQ_MSG(test, dmio_slice_count_pages(slice), cases[i].nr_pages,
				    "case %zu", i);
		for (n = 0; n <= cases[i].nr_runs && dmio_slice_next_run(&slice, &run); n++)
			;
		KUNIT_EXPECT_EQ_MSG(test, n, cases[i].nr_runs, "case %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, slice.len, 0ULL, "case %zu", i);
	}
}

static struct kunit_case seg_cases[] = {
	KUNIT_CASE(seg_empty_test),
	KUNIT_CASE(seg_edges_test),
	KUNIT_CASE(seg_parts_test),
	KUNIT_CASE(seg_pages_test),
	KUNIT_CASE(seg_take_test),
	KUNIT_CASE(seg_same_test),
	KUNIT_CASE(seg_extremes_test),
	{}
};

static struct kunit_suite seg_suite = {
	.name = "dmoverio-seg",
	.test_cases = seg_cases,
};

kunit_test_suite(seg_suite);
