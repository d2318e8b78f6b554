// SPDX-License-Identifier: GPL-2.0
/*
 * Random regions, with a leaning to what goes wrong: single bytes, neighbours,
 * the same page again, parts that begin or end at a page's edge.
 */
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "space.h"

/* Where the space begins; in the last one, its last byte is the last of all */
const u64 dmio_test_bases[] = {
	0, 0x7fff0000ULL, 0xffffc000ULL, 0x7ffffff00000ULL, U64_MAX - SPACE_BYTES + 1,
};

const unsigned int dmio_test_nr_bases = ARRAY_SIZE(dmio_test_bases);

/**
 * test_region_alloc() - prepare a region for test_region_random() and others
 * @test: the case, with which its table of bytes goes
 * @region: result
 */
void test_region_alloc(struct kunit *test, struct test_region *region)
{
	*region = (struct test_region){ };
	region->addr = kunit_kmalloc_array(test, REGION_BYTES, sizeof(*region->addr), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, region->addr);
}

/**
 * test_region_free() - forget a region's segments
 * @region: prepared
 */
void test_region_free(struct test_region *region)
{
	kfree(region->segs);
	region->segs = NULL;
}

static u32 random_start(struct rnd_state *rnd, u32 behind_last)
{
	u32 page = rnd_below(rnd, SPACE_PAGES) * PAGE_SIZE;

	switch (rnd_below(rnd, 6)) {
	case 0:
		return behind_last;
	case 1:
		return rounddown(behind_last ? behind_last - 1 : 0, PAGE_SIZE) +
		       rnd_below(rnd, PAGE_SIZE);
	case 2:
		return roundup(behind_last, PAGE_SIZE);
	case 3:
		return page;
	case 4:
		return page + PAGE_SIZE - 1 - rnd_below(rnd, 4);
	default:
		return page + rnd_below(rnd, PAGE_SIZE);
	}
}

static u32 random_len(struct rnd_state *rnd, u32 start)
{
	u32 to_page_end = PAGE_SIZE - start % PAGE_SIZE;

	switch (rnd_below(rnd, 6)) {
	case 0:
		return 1;
	case 1:
		return 1 + rnd_below(rnd, 16);
	case 2:
		return to_page_end;
	case 3:
		return to_page_end + 1 + rnd_below(rnd, 3);
	case 4:
		return to_page_end + PAGE_SIZE;
	default:
		return 1 + rnd_below(rnd, PAGE_SIZE);
	}
}

static void set_segs(struct kunit *test, struct test_region *region,
		     const struct dmio_seg *segs, unsigned int nr)
{
	unsigned int i;
	u64 n;

	kfree(region->segs);
	region->segs = kmemdup(segs, nr * sizeof(*segs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, region->segs);
	region->nr_segs = nr;
	region->len = 0;
	for (i = 0; i < nr; i++)
		for (n = 0; n < segs[i].len; n++)
			region->addr[region->len++] = segs[i].addr + n;
}

/**
 * test_region_random() - make a region, not empty
 * @test: the case
 * @region: prepared; what it was is forgotten
 * @rnd: chance
 * @base: where the address space begins
 */
void test_region_random(struct kunit *test, struct test_region *region,
			struct rnd_state *rnd, u64 base)
{
	unsigned int nr = 0, wanted = 1 + rnd_below(rnd, REGION_SEGS);
	struct dmio_seg segs[REGION_SEGS];
	u32 start, end = 0, left = REGION_BYTES;

	while (nr < wanted && left) {
		start = random_start(rnd, end) % SPACE_BYTES;
		end = start + min3(random_len(rnd, start), (u32)SPACE_BYTES - start, left);
		segs[nr++] = (struct dmio_seg){ .addr = base + start, .len = end - start };
		left -= end - start;
	}
	set_segs(test, region, segs, nr);
}

/**
 * test_region_recut() - make a region of the bytes of another, cut in its own way
 * @test: the case
 * @region: prepared; what it was is forgotten
 * @other: the other
 * @rnd: chance
 */
void test_region_recut(struct kunit *test, struct test_region *region,
		       const struct test_region *other, struct rnd_state *rnd)
{
	struct dmio_seg segs[4 * REGION_SEGS];
	unsigned int n, nr = 0, spare = 2 * REGION_SEGS;

	for (n = 0; n < other->len; n++) {
		bool whole = n && other->addr[n] == other->addr[n - 1] + 1;

		if (whole && spare && rnd_one_in(rnd, 300)) {
			whole = false;
			spare--;
		}
		if (whole)
			segs[nr - 1].len++;
		else
			segs[nr++] = (struct dmio_seg){ .addr = other->addr[n], .len = 1 };
	}
	set_segs(test, region, segs, nr);
}

/**
 * test_region_slice() - a stretch of a region
 * @region: the region
 * @from: its first byte
 * @len: bytes
 *
 * Return: the slice.
 */
struct dmio_slice test_region_slice(const struct test_region *region,
				    unsigned int from, unsigned int len)
{
	struct dmio_slice slice = { .seg = region->segs, .skip = from, .len = len };

	while (slice.seg < region->segs + region->nr_segs && slice.skip >= slice.seg->len) {
		slice.skip -= slice.seg->len;
		slice.seg++;
	}
	return slice;
}

/**
 * test_region_choose() - choose a slice
 * @region: the region
 * @rnd: chance
 * @from: result: its first byte
 * @len: result: bytes, at least one
 */
void test_region_choose(const struct test_region *region, struct rnd_state *rnd,
			unsigned int *from, unsigned int *len)
{
	*from = rnd_one_in(rnd, 3) ? 0 : rnd_below(rnd, region->len);
	*len = region->len - *from;
	if (rnd_one_in(rnd, 8))
		*len = 1;
	else if (!rnd_one_in(rnd, 3))
		*len = 1 + rnd_below(rnd, *len);
}

/**
 * test_pages_alloc() - prepare a table of pages
 * @test: the case, with which it goes
 * @pages: result
 */
void test_pages_alloc(struct kunit *test, struct test_pages *pages)
{
	pages->of_byte = kunit_kmalloc_array(test, REGION_BYTES, sizeof(*pages->of_byte),
					     GFP_KERNEL);
	pages->pfn = kunit_kmalloc_array(test, REGION_BYTES, sizeof(*pages->pfn), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages->of_byte);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages->pfn);
}

/**
 * test_pages_number() - number the pages of a slice
 * @pages: prepared
 * @addr: address of each of its bytes
 * @len: bytes, not 0
 *
 * Byte by byte: another page than that of the byte before counts.
 */
void test_pages_number(struct test_pages *pages, const u64 *addr, unsigned int len)
{
	unsigned int n;

	pages->nr = 0;
	for (n = 0; n < len; n++) {
		u64 pfn = addr[n] / PAGE_SIZE;

		if (!n || pfn != pages->pfn[pages->nr - 1])
			pages->pfn[pages->nr++] = pfn;
		pages->of_byte[n] = pages->nr - 1;
	}
}
