// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting regions: into parts, into runs of pages to pin, into scatterlists
 * for an engine.  The three walk a slice the same way, so that the n-th page
 * pinned is the n-th page looked up.
 */
#include <linux/io.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/sort.h>

#include "seg.h"

/* Of what becomes one entry of a scatterlist, so much is looked at together */
#define MOST_PIECE_BYTES	((u64)SZ_2M)

static u64 first_page(const struct dmio_seg *part)
{
	return part->addr >> PAGE_SHIFT;
}

static u64 last_page(const struct dmio_seg *part)
{
	return (part->addr + part->len - 1) >> PAGE_SHIFT;
}

/**
 * dmio_slice_next() - take the next contiguous part off a slice
 * @slice: consumed from the front
 * @max: most bytes to take, not 0
 * @part: what was taken
 *
 * Context: any.
 * Return: false if the slice was empty.
 */
bool dmio_slice_next(struct dmio_slice *slice, u64 max, struct dmio_seg *part)
{
	u64 rest;

	if (!slice->len)
		return false;

	rest = slice->seg->len - slice->skip;
	part->addr = slice->seg->addr + slice->skip;
	part->len = min3(rest, slice->len, max);

	slice->len -= part->len;
	slice->skip += part->len;
	if (part->len == rest) {
		slice->seg++;
		slice->skip = 0;
	}
	return true;
}

/**
 * dmio_slice_take() - take a stretch off a slice
 * @slice: consumed from the front
 * @len: bytes to take, at most what the slice has
 *
 * Context: any; takes time in proportion to the segments passed over.
 * Return: the stretch taken.
 */
struct dmio_slice dmio_slice_take(struct dmio_slice *slice, u64 len)
{
	struct dmio_slice head = *slice;
	struct dmio_seg part;

	head.len = len;
	for (; len; len -= part.len)
		dmio_slice_next(slice, len, &part);
	return head;
}

/**
 * dmio_slice_count_pages() - how many pages have to be pinned
 * @slice: the stretch to be pinned
 *
 * Context: any.
 * Return: number of pages; see the top of seg.h for how they are counted.
 */
u64 dmio_slice_count_pages(struct dmio_slice slice)
{
	struct dmio_run run;
	u64 nr = 0;

	while (dmio_slice_next_run(&slice, &run))
		nr += run.nr_pages;
	return nr;
}

/**
 * dmio_slice_next_run() - take the next run of neighbouring pages off a slice
 * @slice: consumed from the front, by whole segments
 * @run: the pages that hold what was taken
 *
 * Parts that continue on the same or the next page extend the run, so that
 * many small neighbours are pinned by one call and pinned once.
 *
 * Context: any.
 * Return: false if the slice was empty.
 */
bool dmio_slice_next_run(struct dmio_slice *slice, struct dmio_run *run)
{
	struct dmio_slice ahead = *slice;
	struct dmio_seg part;
	u64 first, last;

	if (!dmio_slice_next(&ahead, U64_MAX, &part))
		return false;

	first = first_page(&part);
	do {
		last = last_page(&part);
		*slice = ahead;
	} while (dmio_slice_next(&ahead, U64_MAX, &part) &&
		 (first_page(&part) == last || first_page(&part) == last + 1));

	run->addr = first << PAGE_SHIFT;
	run->nr_pages = last - first + 1;
	return true;
}

/**
 * dmio_slice_same() - do two slices name the same bytes in the same order?
 * @a: a slice
 * @b: another, perhaps cut differently
 *
 * Context: any.
 * Return: true if byte n of @a is byte n of @b for every n, and both end
 * together.
 */
bool dmio_slice_same(struct dmio_slice a, struct dmio_slice b)
{
	struct dmio_seg pa, pb;

	if (a.len != b.len)
		return false;

	while (a.len) {
		u64 rest = min(a.seg->len - a.skip, b.seg->len - b.skip);

		dmio_slice_next(&a, rest, &pa);
		dmio_slice_next(&b, rest, &pb);
		if (pa.addr != pb.addr)
			return false;
	}
	return true;
}

/*
 * How far physical memory goes on from the beginning of a slice, which is in
 * pages[0]; it may be farther than the segment.  Looking at all pages of a huge
 * one here is much quicker than merging them.
 */
static u64 contiguous_bytes(const struct dmio_slice *slice, struct page **pages)
{
	u64 left = min3(slice->seg->len - slice->skip, slice->len, MOST_PIECE_BYTES);
	u64 len = PAGE_SIZE - offset_in_page(slice->seg->addr + slice->skip);
	unsigned long pfn = page_to_pfn(*pages);

	while (len < left && page_to_pfn(*++pages) == ++pfn)
		len += PAGE_SIZE;
	return len;
}

/**
 * dmio_slice_to_sg() - describe pinned memory to an engine
 * @slice: the stretch that was pinned
 * @pages: its pages, numbered as in the top of seg.h
 * @sgl: scatterlist to fill, with room for all entries; or NULL to count them
 *
 * Pieces that are neighbours in physical memory become one entry, as long
 * as its length fits.
 *
 * Context: any.
 * Return: number of entries.
 */
unsigned int dmio_slice_to_sg(struct dmio_slice slice, struct page **pages,
			      struct scatterlist *sgl)
{
	unsigned int nents = 0, len = 0;
	phys_addr_t prev_end = 0;
	u64 prev_page = 0;

	while (slice.len) {
		struct dmio_seg part;
		phys_addr_t phys;

		if (nents && (slice.seg->addr + slice.skip) >> PAGE_SHIFT != prev_page)
			pages++;
		dmio_slice_next(&slice, contiguous_bytes(&slice, pages), &part);
		phys = page_to_phys(*pages) + offset_in_page(part.addr);

		if (nents && phys == prev_end && len <= UINT_MAX - part.len) {
			len += part.len;
		} else {
			if (sgl && nents)
				sgl = sg_next(sgl);
			if (sgl)
				sg_set_page(sgl, *pages, 0, offset_in_page(part.addr));
			len = part.len;
			nents++;
		}
		if (sgl)
			sgl->length = len;
		prev_end = phys + part.len;
		prev_page = last_page(&part);
		pages += prev_page - first_page(&part);
	}
	return nents;
}

static int cmp_ranges(const void *a, const void *b)
{
	const struct dmio_range *ra = a, *rb = b;

	if (ra->addr != rb->addr)
		return ra->addr < rb->addr ? -1 : 1;
	return 0;
}

/**
 * dmio_ranges_overlap() - does an output overlap anything else?
 * @ranges: the ranges of a request, none empty; sorted by this call
 * @nr: their number
 *
 * Inputs may overlap each other.
 *
 * Context: any; takes time in proportion to @nr * log(@nr).
 * Return: true if a range of an output shares a byte with any other range.
 */
bool dmio_ranges_overlap(struct dmio_range *ranges, size_t nr)
{
	u64 end_all = 0, end_write = 0;
	size_t i;

	sort(ranges, nr, sizeof(*ranges), cmp_ranges, NULL);

	for (i = 0; i < nr; i++) {
		const struct dmio_range *r = &ranges[i];

		if (r->addr < (r->write ? end_all : end_write))
			return true;
		end_all = max(end_all, r->end);
		if (r->write)
			end_write = max(end_write, r->end);
	}
	return false;
}
