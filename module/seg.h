/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments: where the bytes of a region lie in the user's address space.
 *
 * Pure arithmetic: nothing here touches user memory, takes a lock or sleeps.
 * A region is an array of segments; a slice is a stretch of a region's bytes
 * and is what gets pinned.  The pages of a slice are counted and numbered as
 * follows: going through its parts in order, every page counts, except that
 * a part which begins on the very page where the part before it ended shares
 * that page.  dmio_slice_count_pages(), dmio_slice_next_run() and
 * dmio_slice_to_sg() agree on this numbering.
 */
#ifndef DMIO_SEG_H
#define DMIO_SEG_H

#include <linux/types.h>

struct page;
struct scatterlist;

/**
 * struct dmio_seg - contiguous user memory
 * @addr: first byte
 * @len: bytes, never 0; @addr + @len - 1 does not wrap
 */
struct dmio_seg {
	u64 addr;
	u64 len;
};

/**
 * struct dmio_slice - a stretch of a region's bytes
 * @seg: the segment in which it begins; later ones follow in the array
 * @skip: bytes of @seg in front of the slice, less than its length
 * @len: bytes in the slice
 *
 * A slice is a cursor too: the functions below that take a pointer to a
 * mutable slice consume it from the front.
 */
struct dmio_slice {
	const struct dmio_seg *seg;
	u64 skip;
	u64 len;
};

/**
 * struct dmio_run - neighbouring user pages
 * @addr: address of the first page
 * @nr_pages: number of pages
 */
struct dmio_run {
	u64 addr;
	u64 nr_pages;
};

/**
 * struct dmio_range - a segment and its direction, for the overlap check
 * @addr: first byte
 * @end: first byte behind it
 * @write: belongs to an output
 */
struct dmio_range {
	u64 addr;
	u64 end;
	bool write;
};

struct dmio_slice dmio_slice_take(struct dmio_slice *slice, u64 len);
bool dmio_slice_next(struct dmio_slice *slice, u64 max, struct dmio_seg *part);
u64 dmio_slice_count_pages(struct dmio_slice slice);
bool dmio_slice_next_run(struct dmio_slice *slice, struct dmio_run *run);
bool dmio_slice_same(struct dmio_slice a, struct dmio_slice b);
unsigned int dmio_slice_to_sg(struct dmio_slice slice, struct page **pages,
			      struct scatterlist *sgl);
bool dmio_ranges_overlap(struct dmio_range *ranges, size_t nr);

#endif /* DMIO_SEG_H */
