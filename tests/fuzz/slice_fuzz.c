// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting regions: parts, pages, runs, scatterlists, equality, overlap; against a table
 * that has the address of every single byte, and for long regions one of every page.
 */
#include "../../module/seg.h"
#include "fuzz.h"

#define SPACE_PAGES	8
#define SPACE_BYTES	(SPACE_PAGES * PAGE_SIZE)
#define MAX_SEGS	12
#define MAX_BYTES	(3 * PAGE_SIZE)
/* Of a region known by its pages only: more than is looked at together */
#define MAX_PAGES	1200
#define MAX_RANGES	24

static const u64 bases[] = {
	0, 0x7fff0000ULL, 0xffffc000ULL, 0x7ffffff00000ULL, U64_MAX - SPACE_BYTES + 1,
};

/* A region; byte n lies at @addr[n]; @segs is an allocation that ends with the last */
struct region {
	struct dmio_seg *segs;
	unsigned int nr_segs;
	unsigned int len;
	u64 addr[MAX_BYTES];
};

/* A number in a page, often at one of its edges */
static unsigned int in_place(struct fuzz_in *in)
{
	unsigned int kind = in_below(in, 4);

	return kind < 2 ? kind * (PAGE_SIZE - 1) :
	       kind == 2 ? in_u8(in) : in_u16(in) % PAGE_SIZE;
}

static void region_set(struct region *region, const struct dmio_seg *segs, unsigned int nr)
{
	unsigned int i;
	u64 n;

	region->segs = malloc(nr * sizeof(*segs));
	CHECK(region->segs);
	memcpy(region->segs, segs, nr * sizeof(*segs));
	region->nr_segs = nr;
	region->len = 0;
	for (i = 0; i < nr; i++)
		for (n = 0; n < segs[i].len; n++)
			region->addr[region->len++] = segs[i].addr + n;
}

static void region_make(struct fuzz_in *in, struct region *region)
{
	unsigned int nr = 0, wanted = 1 + in_below(in, MAX_SEGS);
	u64 base = bases[in_below(in, ARRAY_SIZE(bases))];
	struct dmio_seg segs[MAX_SEGS];
	u64 start, end = 0, left = MAX_BYTES, len;

	while (nr < wanted && left) {
		/* Behind the one before, or on any page */
		start = end;
		if (in_below(in, 2))
			start = in_below(in, SPACE_PAGES) * PAGE_SIZE + in_place(in);
		start %= SPACE_BYTES;
		len = min3(1 + (u64)in_place(in), SPACE_BYTES - start, left);
		segs[nr++] = (struct dmio_seg){ .addr = base + start, .len = len };
		end = start + len;
		left -= len;
	}
	region_set(region, segs, nr);
}

/* The same bytes, cut where the input says, and perhaps one of them another */
static void region_recut(struct fuzz_in *in, struct region *region, const struct region *other)
{
	struct dmio_seg segs[MAX_SEGS + 4];
	unsigned int n, nr = 0, spare = in_below(in, 4), cut = in_u16(in);

	for (n = 0; n < other->len; n++) {
		bool whole = n && other->addr[n] == other->addr[n - 1] + 1;

		if (whole && spare && n % (MAX_BYTES / 2) == cut % (MAX_BYTES / 2)) {
			whole = false;
			spare--;
			cut = in_u16(in);
		}
		if (whole)
			segs[nr - 1].len++;
		else
			segs[nr++] = (struct dmio_seg){ .addr = other->addr[n], .len = 1 };
	}
	n = in_u8(in);
	if (n)
		segs[n % nr].addr ^= 1;
	region_set(region, segs, nr);
}

static struct dmio_slice slice_at(const struct region *region, unsigned int from,
				  unsigned int len)
{
	struct dmio_slice slice = { .seg = region->segs, .skip = from, .len = len };

	while (slice.seg < region->segs + region->nr_segs && slice.skip >= slice.seg->len)
		slice.skip -= slice.seg++->len;
	return slice;
}

/* Every byte once, in order, no part longer than @max, no cut without need */
static void check_parts(const struct region *region, struct dmio_slice slice,
			unsigned int from, u64 max)
{
	unsigned int n = from, end = from + slice.len;
	struct dmio_seg part;
	u64 i;

	while (dmio_slice_next(&slice, max, &part)) {
		CHECK(part.len && part.len <= max && part.len <= end - n);
		for (i = 0; i < part.len; i++)
			CHECK(part.addr + i == region->addr[n + i]);
		n += part.len;
		CHECK(slice.len == end - n);
		CHECK(!slice.len || slice.skip < slice.seg->len);
		CHECK(part.len == max || !slice.len || !slice.skip);
	}
	CHECK(n == end && !slice.len);
}

static void check_take(const struct region *region, struct dmio_slice slice,
		       unsigned int from, unsigned int len)
{
	struct dmio_slice rest = slice, head = dmio_slice_take(&rest, len);

	CHECK(head.len == len && rest.len == slice.len - len);
	check_parts(region, head, from, U64_MAX);
	check_parts(region, rest, from + len, U64_MAX);
}

/* The pages of a slice, as seg.h counts them: another page than that of the byte before */
static unsigned int list_pages(const u64 *addr, unsigned int len, u64 *pfns)
{
	unsigned int n, nr = 0;

	for (n = 0; n < len; n++)
		if (!nr || addr[n] / PAGE_SIZE != pfns[nr - 1])
			pfns[nr++] = addr[n] / PAGE_SIZE;
	return nr;
}

static void check_pages(const struct region *region, struct dmio_slice slice, unsigned int from)
{
	static u64 pfns[MAX_BYTES];
	unsigned int nr = list_pages(region->addr + from, slice.len, pfns), n = 0;
	struct dmio_run run;
	u64 i;

	CHECK(dmio_slice_count_pages(slice) == nr);
	while (dmio_slice_next_run(&slice, &run)) {
		CHECK(run.nr_pages && run.nr_pages <= nr - n);
		CHECK(run.addr % PAGE_SIZE == 0);
		for (i = 0; i < run.nr_pages; i++)
			CHECK(run.addr / PAGE_SIZE + i == pfns[n + i]);
		n += run.nr_pages;
		CHECK(n == nr || pfns[n] != pfns[n - 1] + 1);
	}
	CHECK(n == nr && !slice.len);
}

/* Physical pages: the next one, mostly, for which @jumps is small */
static void choose_pages(struct fuzz_in *in, struct page **pages, unsigned int nr)
{
	unsigned int jumps = in_below(in, 3), i;
	u64 pfn = 1000;

	for (i = 0; i < nr; i++) {
		if (jumps && i % (jumps == 1 ? 1 : 500) == 0)
			pfn += in_below(in, 4) - 1;
		pages[i] = pfn_to_page(pfn++);
	}
}

/* An entry for each stretch of physical memory: of pieces of pages that are neighbours */
struct piece {
	phys_addr_t phys;
	u64 len;
};

static unsigned int list_pieces(const struct dmio_seg *segs, unsigned int nr_segs,
				struct page **pages, struct piece *pieces)
{
	unsigned int i, nr = 0;
	u64 pos, len, pfn = 0;

	for (i = 0; i < nr_segs; i++)
		for (pos = 0; pos < segs[i].len; pos += len) {
			u64 addr = segs[i].addr + pos;
			phys_addr_t phys;

			if ((i || pos) && addr / PAGE_SIZE != pfn)
				pages++;
			pfn = addr / PAGE_SIZE;
			phys = page_to_phys(*pages) + addr % PAGE_SIZE;
			len = min(segs[i].len - pos, PAGE_SIZE - addr % PAGE_SIZE);
			if (nr && pieces[nr - 1].phys + pieces[nr - 1].len == phys)
				pieces[nr - 1].len += len;
			else
				pieces[nr++] = (struct piece){ phys, len };
		}
	return nr;
}

/* @segs is what the slice is made of */
static void check_list(struct fuzz_in *in, struct dmio_slice slice,
		       const struct dmio_seg *segs, unsigned int nr_segs)
{
	unsigned int nr_pages = dmio_slice_count_pages(slice), nr, i;
	struct page **pages = malloc(nr_pages * sizeof(*pages));
	struct piece *pieces = malloc((nr_pages + nr_segs) * sizeof(*pieces));
	struct scatterlist *sgl, *sg;

	CHECK(pages && pieces);
	choose_pages(in, pages, nr_pages);
	nr = list_pieces(segs, nr_segs, pages, pieces);
	CHECK(dmio_slice_to_sg(slice, pages, NULL) == nr);

	sgl = malloc(nr * sizeof(*sgl));
	CHECK(sgl);
	sg_init_table(sgl, nr);
	CHECK(dmio_slice_to_sg(slice, pages, sgl) == nr);
	for (i = 0, sg = sgl; i < nr; i++, sg = sg_next(sg)) {
		CHECK(sg_phys(sg) == pieces[i].phys);
		CHECK(sg->length == pieces[i].len);
	}
	free(sgl);
	free(pieces);
	free(pages);
}

/* What a slice is made of, one segment for each of the region that it touches */
static unsigned int slice_segs(struct dmio_slice slice, struct dmio_seg *segs)
{
	const struct dmio_seg *seg = slice.seg;
	unsigned int nr = 0;
	u64 skip = slice.skip, left = slice.len, len;

	for (; left; left -= len, skip = 0, seg++) {
		len = min(seg->len - skip, left);
		segs[nr++] = (struct dmio_seg){ seg->addr + skip, len };
	}
	return nr;
}

static void try_cut(struct fuzz_in *in)
{
	struct dmio_seg segs[MAX_SEGS];
	static struct region region;
	struct dmio_slice slice;
	unsigned int from, len;

	region_make(in, &region);
	from = in_u16(in) % region.len;
	len = region.len - from;
	len -= in_u16(in) % len;
	slice = slice_at(&region, from, len);

	check_parts(&region, slice, from, U64_MAX);
	check_parts(&region, slice, from, 1 + (u64)in_place(in));
	check_take(&region, slice, from, in_u16(in) % (len + 1));
	check_take(&region, slice, from, len);
	check_pages(&region, slice, from);
	check_list(in, slice, segs, slice_segs(slice, segs));
	free(region.segs);
}

static void try_same(struct fuzz_in *in)
{
	static struct region a, b;
	unsigned int from_a, from_b, len_a, len_b;
	bool same;

	region_make(in, &a);
	region_recut(in, &b, &a);
	from_a = in_u16(in) % a.len;
	from_b = in_u8(in) ? from_a : in_u16(in) % b.len;
	len_a = a.len - from_a;
	len_a -= in_u16(in) % len_a;
	len_b = min(len_a, b.len - from_b);

	same = len_a == len_b &&
	       !memcmp(a.addr + from_a, b.addr + from_b, len_a * sizeof(*a.addr));
	CHECK(dmio_slice_same(slice_at(&a, from_a, len_a), slice_at(&b, from_b, len_b)) == same);
	free(b.segs);
	free(a.segs);
}

/* One long segment, or two on neighbouring pages */
static void try_long(struct fuzz_in *in)
{
	u64 bytes = (u64)(in_u16(in) % MAX_PAGES) * PAGE_SIZE + 1 + in_place(in);
	struct dmio_seg segs[2] = { { 0x40000000 + in_place(in), bytes } };
	unsigned int nr = 1;
	u64 cut = in_u16(in) * 256 + in_u8(in);

	if (cut && cut < bytes) {
		segs[0].len = cut;
		segs[1].addr = segs[0].addr + cut + in_below(in, 2);
		segs[1].len = bytes - cut;
		nr = 2;
	}
	check_list(in, (struct dmio_slice){ .seg = segs, .len = bytes }, segs, nr);
}

static void try_overlap(struct fuzz_in *in)
{
	static const u64 at[] = { 0, 0x7fffffffffffff80, U64_MAX - 256 };
	u64 base = at[in_below(in, ARRAY_SIZE(at))];
	unsigned int nr = in_below(in, MAX_RANGES + 1), i, n;
	struct dmio_range *ranges = malloc((nr + 1) * sizeof(*ranges));
	u8 users[256] = { }, writers[256] = { };
	bool overlap = false;

	CHECK(ranges);
	for (i = 0; i < nr; i++) {
		unsigned int start = in_u8(in), len = in_u8(in);

		/* Mostly short ones */
		len = min(1 + (len & 0x80 ? len & 0x7f : len & 7), 256 - start);
		ranges[i] = (struct dmio_range){
			.addr = base + start, .end = base + start + len, .write = in_below(in, 2),
		};
		for (n = start; n < start + len; n++) {
			users[n]++;
			writers[n] += ranges[i].write;
		}
	}
	for (n = 0; n < 256; n++)
		overlap |= writers[n] && users[n] > 1;
	CHECK(dmio_ranges_overlap(ranges, nr) == overlap);
	free(ranges);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };

	switch (in_below(&in, 4)) {
	case 0:
		try_cut(&in);
		break;
	case 1:
		try_same(&in);
		break;
	case 2:
		try_long(&in);
		break;
	default:
		try_overlap(&in);
		break;
	}
	return 0;
}
