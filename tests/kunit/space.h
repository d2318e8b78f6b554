/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small address space for tests, in which regions are known byte by byte.
 */
#ifndef DMIO_TEST_SPACE_H
#define DMIO_TEST_SPACE_H

#include <linux/mm.h>
#include <linux/types.h>

#include "../../module/seg.h"
#include "random.h"

#define SPACE_PAGES	8
#define SPACE_BYTES	(SPACE_PAGES * PAGE_SIZE)

/* Segments of a region, and the bytes of a region */
#define REGION_SEGS	16
#define REGION_BYTES	(4 * PAGE_SIZE)

/**
 * struct test_region - a region and what it means
 * @segs: its segments: an allocation that ends with the last of them
 * @nr_segs: their number
 * @len: bytes
 * @addr: byte n of the region lies at @addr[n]
 */
struct test_region {
	struct dmio_seg *segs;
	unsigned int nr_segs;
	unsigned int len;
	u64 *addr;
};

/**
 * struct test_pages - the pages of a slice, numbered as seg.h says
 * @nr: how many
 * @of_byte: byte n of the slice lies on the page with the number @of_byte[n]
 * @pfn: user page number of each page
 */
struct test_pages {
	unsigned int nr;
	u32 *of_byte;
	u64 *pfn;
};

extern const u64 dmio_test_bases[];
extern const unsigned int dmio_test_nr_bases;

void test_region_alloc(struct kunit *test, struct test_region *region);
void test_region_random(struct kunit *test, struct test_region *region,
			struct rnd_state *rnd, u64 base);
void test_region_recut(struct kunit *test, struct test_region *region,
		       const struct test_region *other, struct rnd_state *rnd);
void test_region_free(struct test_region *region);

struct dmio_slice test_region_slice(const struct test_region *region,
				    unsigned int from, unsigned int len);
void test_region_choose(const struct test_region *region, struct rnd_state *rnd,
			unsigned int *from, unsigned int *len);

void test_pages_alloc(struct kunit *test, struct test_pages *pages);
void test_pages_number(struct test_pages *pages, const u64 *addr, unsigned int len);

#endif /* DMIO_TEST_SPACE_H */
