// SPDX-License-Identifier: GPL-2.0
/*
 * Scatterlists of slices: every byte where the table of bytes says, as few
 * entries as physical memory allows, nothing touched behind the last of them.
 *
 * The checks return what is wrong, or NULL.
 */
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "space.h"

#define ROUNDS		400
#define BLOCK_ORDER	4
#define NR_SINGLES	8
#define NR_GUARDS	4
#define POISON		0xa5a5a5a5

/**
 * struct sg_bench - what the cases of this suite work with
 * @block: pages that are neighbours
 * @single: pages that may be anywhere
 * @region: a region
 * @numbers: the pages of a slice
 * @phys: where each byte of the slice is
 */
struct sg_bench {
	struct page *block;
	struct page *single[NR_SINGLES];
	struct test_region region;
	struct test_pages numbers;
	phys_addr_t *phys;
};

static void sg_exit(struct kunit *test)
{
	struct sg_bench *bench = test->priv;
	unsigned int i;

	if (!bench)
		return;
	test_region_free(&bench->region);
	for (i = 0; i < NR_SINGLES; i++)
		if (bench->single[i])
			__free_page(bench->single[i]);
	if (bench->block)
		__free_pages(bench->block, BLOCK_ORDER);
}

static int sg_init(struct kunit *test)
{
	struct sg_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	bench->block = alloc_pages(GFP_KERNEL, BLOCK_ORDER);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->block);
	for (i = 0; i < NR_SINGLES; i++) {
		bench->single[i] = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->single[i]);
	}
	bench->phys = kunit_kmalloc_array(test, REGION_BYTES, sizeof(*bench->phys), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->phys);
	test_region_alloc(test, &bench->region);
	test_pages_alloc(test, &bench->numbers);
	return 0;
}

/* Pages as pinning might give them; often the one behind the one before */
static void choose_pages(struct sg_bench *bench, struct page **pages, unsigned int nr,
			 struct rnd_state *rnd)
{
	unsigned int i, at = 0, disorder = 1 + rnd_below(rnd, 8);

	for (i = 0; i < nr; i++) {
		at = (at + 1) % (1 << BLOCK_ORDER);
		if (rnd_one_in(rnd, disorder))
			at = rnd_below(rnd, 1 << BLOCK_ORDER);
		pages[i] = bench->block + at;
		if (rnd_one_in(rnd, 2 * disorder))
			pages[i] = bench->single[rnd_below(rnd, NR_SINGLES)];
	}
}

/* Where each byte is; returns how many entries that takes */
static unsigned int place_bytes(struct sg_bench *bench, struct page **pages,
				const u64 *addr, unsigned int len)
{
	unsigned int n, nr = 0;

	for (n = 0; n < len; n++) {
		struct page *page = pages[bench->numbers.of_byte[n]];

		bench->phys[n] = page_to_phys(page) + addr[n] % PAGE_SIZE;
		if (!n || bench->phys[n] != bench->phys[n - 1] + 1)
			nr++;
	}
	return nr;
}

static const char *entries_wrong(const struct sg_bench *bench, struct scatterlist *sg,
				 unsigned int nr, unsigned int len)
{
	unsigned int n = 0, i;

	for (; nr; nr--, sg = sg_next(sg)) {
		if (!sg)
			return "number of entries";
		if (!sg->length || sg->length > len - n)
			return "length of an entry";
		for (i = 0; i < sg->length; i++)
			if (page_to_phys(sg_page(sg)) + sg->offset + i != bench->phys[n + i])
				return "place of a byte";
		n += sg->length;
	}
	return n == len ? NULL : "sum of the lengths";
}

/* A table, with entries behind the ones it has room for */
static struct scatterlist *poisoned_table(unsigned int nr)
{
	struct scatterlist *sgl = kmalloc_array(nr + NR_GUARDS, sizeof(*sgl), GFP_KERNEL);
	unsigned int i;

	if (!sgl)
		return NULL;
	sg_init_table(sgl, nr + NR_GUARDS);
	for (i = 0; i < nr + NR_GUARDS; i++) {
		sgl[i].offset = POISON;
		sgl[i].length = POISON;
	}
	return sgl;
}

static bool guards_intact(const struct scatterlist *sgl, unsigned int nr)
{
	unsigned int i;

	for (i = nr; i < nr + NR_GUARDS; i++)
		if (sg_page((struct scatterlist *)&sgl[i]) ||
		    sgl[i].offset != POISON || sgl[i].length != POISON)
			return false;
	return sg_is_last((struct scatterlist *)&sgl[nr + NR_GUARDS - 1]);
}

static const char *slice_wrong(struct sg_bench *bench, unsigned int from, unsigned int len,
			       struct rnd_state *rnd)
{
	struct dmio_slice slice = test_region_slice(&bench->region, from, len);
	const u64 *addr = bench->region.addr + from;
	struct scatterlist *sgl;
	const char *wrong = NULL;
	struct page **pages;
	unsigned int nr;

	/* Of the exact size, so that KASAN sees a page too many being looked at */
	test_pages_number(&bench->numbers, addr, len);
	pages = kmalloc_array(bench->numbers.nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return "no memory";
	choose_pages(bench, pages, bench->numbers.nr, rnd);

	nr = place_bytes(bench, pages, addr, len);
	sgl = poisoned_table(nr);
	if (!sgl)
		wrong = "no memory";
	else if (dmio_slice_to_sg(slice, pages, NULL) != nr)
		wrong = "count without a table";
	else if (dmio_slice_to_sg(slice, pages, sgl) != nr)
		wrong = "count with a table";
	else if (!guards_intact(sgl, nr))
		wrong = "wrote behind the last entry";
	else
		wrong = entries_wrong(bench, sgl, nr, len);
	kfree(sgl);
	kfree(pages);
	return wrong;
}

static void sg_random_test(struct kunit *test)
{
	struct sg_bench *bench = test->priv;
	unsigned int round, from, len;
	struct rnd_state rnd;
	const char *wrong;

	dmio_test_seed(test, &rnd, 301);
	for (round = 0; round < ROUNDS; round++) {
		test_region_random(test, &bench->region, &rnd,
				   dmio_test_bases[round % dmio_test_nr_bases]);
		test_region_choose(&bench->region, &rnd, &from, &len);
		wrong = slice_wrong(bench, from, len, &rnd);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
	}
}

/* All pages neighbours, none, or all the same */
static void sg_merge_test(struct kunit *test)
{
	enum { NR = 8 };
	static const struct {
		int step;
		unsigned int first, nr_entries;
		u64 first_len;
	} cases[] = {
		{ 1, 0, 1, NR * PAGE_SIZE - 10 },
		{ 2, 0, NR, PAGE_SIZE - 5 },
		{ -1, NR, NR, PAGE_SIZE - 5 },
		{ 0, 3, NR, PAGE_SIZE - 5 },
	};
	const struct dmio_seg seg = { 5, NR * PAGE_SIZE - 10 };
	const struct dmio_slice slice = { .seg = &seg, .len = seg.len };
	struct sg_bench *bench = test->priv;
	struct scatterlist sgl[NR];
	struct page *pages[NR];
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (j = 0; j < NR; j++)
			pages[j] = bench->block + cases[i].first + (int)j * cases[i].step;
		sg_init_table(sgl, NR);
		KUNIT_EXPECT_EQ_MSG(test, dmio_slice_to_sg(slice, pages, sgl),
				    cases[i].nr_entries, "step %d", cases[i].step);
		KUNIT_EXPECT_PTR_EQ(test, sg_page(&sgl[0]), pages[0]);
		KUNIT_EXPECT_EQ(test, sgl[0].offset, 5u);
		KUNIT_EXPECT_EQ(test, (u64)sgl[0].length, cases[i].first_len);
	}
}

/* A table so long that it is chained of several pieces */
static void sg_chained_test(struct kunit *test)
{
	enum { NR = 700 };
	struct dmio_seg *segs = kunit_kmalloc_array(test, NR, sizeof(*segs), GFP_KERNEL);
	struct page **pages = kunit_kmalloc_array(test, NR, sizeof(*pages), GFP_KERNEL);
	struct dmio_slice slice = { .seg = segs, .len = NR };
	struct sg_bench *bench = test->priv;
	unsigned int i, nr, good = 0;
	struct scatterlist *sg;
	struct sg_table table;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, segs);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	for (i = 0; i < NR; i++) {
		segs[i] = (struct dmio_seg){ .addr = 3 * i * PAGE_SIZE + i, .len = 1 };
		pages[i] = bench->block + i % (1 << BLOCK_ORDER);
	}
	KUNIT_ASSERT_EQ(test, sg_alloc_table(&table, NR, GFP_KERNEL), 0);

	nr = dmio_slice_to_sg(slice, pages, table.sgl);
	for_each_sgtable_sg(&table, sg, i)
		good += sg_page(sg) == pages[i] && sg->offset == i && sg->length == 1 &&
			sg_is_last(sg) == (i == NR - 1);
	sg_free_table(&table);
	KUNIT_EXPECT_EQ(test, nr, (unsigned int)NR);
	KUNIT_EXPECT_EQ(test, good, (unsigned int)NR);
}

/*
 * More neighbours than the length of an entry can tell.  The pages are only
 * numbers here, which needs a machine that computes addresses from them.
 */
static void sg_longest_test(struct kunit *test)
{
	const u64 nr_pages = UINT_MAX / PAGE_SIZE + 3;
	const struct dmio_seg seg = { 0, nr_pages * PAGE_SIZE };
	const struct dmio_slice slice = { .seg = &seg, .len = seg.len };
	struct scatterlist sgl[2 + NR_GUARDS];
	struct page **pages;
	u64 i;

	if (BITS_PER_LONG < 64 || IS_ENABLED(CONFIG_DEBUG_VIRTUAL) ||
	    !(IS_ENABLED(CONFIG_FLATMEM) || IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP)))
		kunit_skip(test, "pages need memory behind them here");

	pages = kvmalloc_array(nr_pages, sizeof(*pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	for (i = 0; i < nr_pages; i++)
		pages[i] = pfn_to_page(0x1000 + i);

	sg_init_table(sgl, ARRAY_SIZE(sgl));
	KUNIT_EXPECT_EQ(test, dmio_slice_to_sg(slice, pages, NULL), 2u);
	KUNIT_EXPECT_EQ(test, dmio_slice_to_sg(slice, pages, sgl), 2u);
	KUNIT_EXPECT_EQ(test, (u64)sgl[0].length + sgl[1].length, seg.len);
	KUNIT_EXPECT_EQ(test, sgl[0].length % PAGE_SIZE, 0UL);
	KUNIT_EXPECT_PTR_EQ(test, sg_page(&sgl[0]), pages[0]);
	KUNIT_EXPECT_PTR_EQ(test, sg_page(&sgl[1]), pages[sgl[0].length / PAGE_SIZE]);
	KUNIT_EXPECT_EQ(test, sgl[2].length, 0u);
	kvfree(pages);
}

static struct kunit_case sg_cases[] = {
	KUNIT_CASE(sg_random_test),
	KUNIT_CASE(sg_merge_test),
	KUNIT_CASE(sg_chained_test),
	KUNIT_CASE(sg_longest_test),
	{}
};

static struct kunit_suite sg_suite = {
	.name = "dmoverio-sg",
	.init = sg_init,
	.exit = sg_exit,
	.test_cases = sg_cases,
};

kunit_test_suite(sg_suite);
