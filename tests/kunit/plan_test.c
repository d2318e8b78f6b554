// SPDX-License-Identifier: GPL-2.0
/*
 * Islands and edges: against a model that tries every byte, see job.c, and
 * against examples worked out by hand.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "job.h"

#define ROUNDS		600

static int plan_init(struct kunit *test)
{
	test->priv = test_job_alloc(test);
	return 0;
}

static void plan_exit(struct kunit *test)
{
	if (test->priv)
		test_job_free(test->priv);
}

/* Jobs of each kind, to see that chance made enough of them */
struct tally {
	unsigned int none, some, all, inputs_cut;
};

/* What is wrong with the islands of a job, or NULL */
static const char *islands_wrong(const struct test_job *tj, struct tally *tally)
{
	struct dmio_island island, wanted;
	u64 pos = 0, bytes = 0;
	struct dmio_plan plan;
	unsigned int nr = 0;

	dmio_plan_init(&plan, &tj->job, &tj->rules);
	while (dmio_plan_next(&plan, &island)) {
		if (!test_job_next_island(tj, &pos, &wanted))
			return "an island too many";
		if (island.offset != wanted.offset)
			return "where an island begins";
		if (island.len != wanted.len)
			return "length of an island";
		bytes += island.len;
		nr++;
	}
	if (test_job_next_island(tj, &pos, &wanted))
		return "an island is missing";
	if (dmio_plan_next(&plan, &island))
		return "an island behind the end";

	tally->none += !nr;
	tally->some += nr && bytes < tj->job.len;
	tally->all += bytes == tj->job.len;
	tally->inputs_cut += nr > tj->list[0].nents;
	return NULL;
}

static void plan_random_test(struct kunit *test)
{
	struct test_job *tj = test->priv;
	struct tally tally = { };
	struct rnd_state rnd;
	unsigned int round;
	const char *wrong;

	dmio_test_seed(test, &rnd, 1001);
	for (round = 0; round < ROUNDS; round++) {
		test_job_random(tj, &rnd);
		wrong = islands_wrong(tj, &tally);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
	}
	KUNIT_EXPECT_GT(test, tally.none, ROUNDS / 20U);
	KUNIT_EXPECT_GT(test, tally.some, ROUNDS / 5U);
	KUNIT_EXPECT_GT(test, tally.all, ROUNDS / 20U);
	KUNIT_EXPECT_GT(test, tally.inputs_cut, ROUNDS / 20U);
}

/* A channel that wants nothing does everything, an island for each entry */
static void plan_carefree_test(struct kunit *test)
{
	struct test_job *tj = test->priv;
	unsigned int round, nr;
	struct rnd_state rnd;
	struct dmio_island island;
	struct dmio_plan plan;

	dmio_test_seed(test, &rnd, 1002);
	for (round = 0; round < ROUNDS / 4; round++) {
		u64 pos = 0;

		test_job_random(tj, &rnd);
		tj->rules.align = 1;
		tj->rules.out_align = 1;
		dmio_plan_init(&plan, &tj->job, &tj->rules);
		for (nr = 0; dmio_plan_next(&plan, &island); nr++) {
			KUNIT_ASSERT_EQ(test, island.offset, pos);
			pos += island.len;
		}
		KUNIT_EXPECT_EQ(test, pos, tj->job.len);
		KUNIT_EXPECT_EQ(test, nr, tj->list[0].entry[tj->job.len - 1] + 1U);
	}
}

struct piece {
	unsigned int offset;
	unsigned int len;
};

#define MAX_PIECES	3

/* A copy; the last of the pieces and of the islands have no length */
static const struct {
	const char *what;
	unsigned int align, out_align;
	struct piece out[MAX_PIECES], in[MAX_PIECES];
	u64 len;
	bool aliased;
	struct dmio_island islands[MAX_PIECES + 1];
} examples[] = {
	{ "a byte", 1, 1, { { 5, 1 } }, { { 3, 1 } }, 1, false, { { 0, 1 } } },
	{ "a line", 1, 64, { { 0, 64 } }, { { 3, 64 } }, 64, false, { { 0, 64 } } },
	{ "head and tail", 1, 64, { { 10, 200 } }, { { 3, 200 } }, 200, false, { { 54, 128 } } },
	{ "head only", 1, 64, { { 10, 118 } }, { { 3, 118 } }, 118, false, { { 54, 64 } } },
	{ "tail only", 1, 64, { { 128, 65 } }, { { 3, 65 } }, 65, false, { { 0, 64 } } },
	{ "less than a line", 1, 64, { { 10, 117 } }, { { 0, 117 } }, 117, false, { } },
	{ "all in the head", 1, 64, { { 10, 20 } }, { { 0, 20 } }, 20, false, { } },
	{ "no more than the head", 1, 64, { { 10, 54 } }, { { 0, 54 } }, 54, false, { } },
	{ "two entries in a line", 1, 64, { { 0, 100 }, { 100, 92 } }, { { 0, 192 } }, 192, false,
	  { { 0, 64 }, { 128, 64 } } },
	{ "a shorter job", 1, 64, { { 0, 128 } }, { { 0, 128 } }, 127, false, { { 0, 64 } } },
	{ "a job of an entry", 1, 64, { { 0, 64 }, { 64, 64 } }, { { 0, 128 } }, 64, false,
	  { { 0, 64 } } },
	{ "equally misaligned", 4, 4, { { 2, 30 } }, { { 6, 30 } }, 30, false, { { 2, 28 } } },
	{ "differently misaligned", 4, 4, { { 2, 30 } }, { { 3, 30 } }, 30, false, { } },
	{ "aligned to the line only", 4, 64, { { 2, 126 } }, { { 6, 126 } }, 126, false,
	  { { 62, 64 } } },
	{ "in place", 4, 4, { { 2, 30 } }, { { 3, 30 } }, 30, true, { { 2, 28 } } },
	{ "in place, cut", 1, 64, { { 0, 64 }, { 80, 112 } }, { { 0, 0 } }, 176, true,
	  { { 0, 64 }, { 112, 64 } } },
	{ "an input cut", 4, 4, { { 0, 64 } }, { { 0, 20 }, { 4, 44 } }, 64, false,
	  { { 0, 20 }, { 20, 44 } } },
	{ "an input cut, badly", 4, 4, { { 0, 64 } }, { { 0, 22 }, { 6, 42 } }, 64, false,
	  { { 0, 20 }, { 24, 40 } } },
	{ "an input aligned at times", 4, 4, { { 0, 12 }, { 1, 7 }, { 8, 8 } },
	  { { 0, 16 }, { 0, 3 }, { 4, 8 } }, 27, false, { { 0, 12 }, { 19, 8 } } },
	{ "cut where it does not matter", 1, 4, { { 0, 64 } }, { { 0, 21 }, { 5, 43 } }, 64, false,
	  { { 0, 64 } } },
	{ "a page", 1, 4096, { { 4000, 8192 } }, { { 0, 8192 } }, 8192, false, { { 96, 4096 } } },
	{ "beyond 4 GiB", 1, 4096, { { 1, UINT_MAX }, { 0, SZ_1G }, { 4095, 4098 } },
	  { { 0, UINT_MAX }, { 0, UINT_MAX } }, (u64)UINT_MAX + SZ_1G + 4098, false,
	  { { 4095, UINT_MAX - 4095U }, { UINT_MAX, SZ_1G },
	    { (u64)UINT_MAX + SZ_1G + 1, 4096 } } },
};

static struct scatterlist *set_list(struct scatterlist *sgl, const struct piece *pieces,
				    struct page *page)
{
	unsigned int i;

	sg_init_table(sgl, MAX_PIECES);
	for (i = 0; i < MAX_PIECES && pieces[i].len; i++) {
		sg_set_page(&sgl[i], page, pieces[i].len, pieces[i].offset);
		if (i)
			sg_unmark_end(&sgl[i - 1]);
		sg_mark_end(&sgl[i]);
	}
	return sgl;
}

static void plan_examples_test(struct kunit *test)
{
	const struct dmio_func func = { .has_dst = true, .nr_srcs = 1 };
	struct scatterlist out[MAX_PIECES], in[MAX_PIECES];
	struct test_job *tj = test->priv;
	struct dmio_dma_rules rules = { };
	struct dmio_island island;
	struct dmio_plan plan;
	unsigned int i, nr;

	tj->job.func = &func;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		rules.align = examples[i].align;
		rules.out_align = examples[i].out_align;
		tj->job.len = examples[i].len;
		tj->job.dst = set_list(out, examples[i].out, tj->mem);
		tj->job.aliased = examples[i].aliased;
		tj->job.src[0] = examples[i].aliased ? out :
						       set_list(in, examples[i].in, tj->mem);
		dmio_plan_init(&plan, &tj->job, &rules);
		for (nr = 0; nr < MAX_PIECES && dmio_plan_next(&plan, &island); nr++) {
			KUNIT_EXPECT_EQ_MSG(test, island.offset, examples[i].islands[nr].offset,
					    "%s", examples[i].what);
			KUNIT_EXPECT_EQ_MSG(test, island.len, examples[i].islands[nr].len,
					    "%s", examples[i].what);
		}
		KUNIT_EXPECT_EQ_MSG(test, examples[i].islands[nr].len, 0ULL, "%s",
				    examples[i].what);
		KUNIT_EXPECT_FALSE_MSG(test, dmio_plan_next(&plan, &island), "%s",
				       examples[i].what);
	}
}

/*
 * As much as fits, unless something misaligned would remain.  Of a misaligned
 * beginning less than what is aligned may go to waste.
 */
static void plan_chunk_test(struct kunit *test)
{
	struct dmio_dma_rules rules;
	struct rnd_state rnd;
	unsigned int round;

	dmio_test_seed(test, &rnd, 1003);
	for (round = 0; round < 20 * ROUNDS; round++) {
		size_t addr = rnd_below(&rnd, 3 * PAGE_SIZE), len, chunk;

		test_rules_random(&rules, &rnd);
		len = min_t(size_t, rules.max_bytes, 4 * PAGE_SIZE);
		if (rnd_one_in(&rnd, 2))
			len -= rnd_below(&rnd, 2 * rules.align);
		else
			len = 1 + rnd_below(&rnd, 8 * PAGE_SIZE);

		chunk = dmio_plan_chunk(&rules, addr, len);
		KUNIT_ASSERT_GE(test, chunk, (size_t)1);
		KUNIT_ASSERT_LE(test, chunk, min(len, rules.max_bytes));
		if (chunk == len)
			continue;
		KUNIT_ASSERT_EQ(test, (addr + chunk) % rules.align, (size_t)0);
		KUNIT_ASSERT_GT(test, chunk, rules.max_bytes - rules.align);
	}
}

static struct kunit_case plan_cases[] = {
	KUNIT_CASE(plan_random_test),
	KUNIT_CASE(plan_carefree_test),
	KUNIT_CASE(plan_examples_test),
	KUNIT_CASE(plan_chunk_test),
	{}
};

static struct kunit_suite plan_suite = {
	.name = "dmoverio-dma-plan",
	.init = plan_init,
	.exit = plan_exit,
	.test_cases = plan_cases,
};

kunit_test_suite(plan_suite);
