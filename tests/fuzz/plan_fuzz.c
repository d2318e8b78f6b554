// SPDX-License-Identifier: GPL-2.0
/*
 * Cutting jobs for a DMA channel: islands, edges, descriptors, mappings; against a table
 * of where every byte lies.
 *
 * A range of a job is fit for DMA if the output is one entry there, which begins and ends
 * at multiples of out_align, and if, where align is more than 1, the same is true for
 * align and each input that is not the output itself.  Islands are the longest such
 * ranges.
 */
#include "../../module/dma_map.h"
#include "../../module/engine.h"
#include "../../module/func.h"
#include "fuzz.h"

#define MAX_ENTRIES	12
#define MAX_BYTES	(3 * PAGE_SIZE)
#define LINK		3
#define FIRST_PFN	5000

/* Byte n lies at @phys[n], and belongs to the entry or island with the number @entry[n] */
struct bytes {
	unsigned int len;
	phys_addr_t phys[MAX_BYTES];
	u8 entry[MAX_BYTES];
};

/* A list, chained of two pieces */
struct list {
	struct scatterlist sgl[MAX_ENTRIES + 2];
	unsigned int nents;
	struct bytes bytes;
};

static struct list lists[DMIO_MAX_REGIONS];
static struct dmio_func func;
static struct dmio_job job;
static struct dmio_dma_rules rules;

/* The device: what it has mapped, whether it is to fail */
static const struct scatterlist *mapped;
static int mapped_nents;
static bool map_fails;

int dma_map_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg = sgl;
	int i;

	CHECK(!mapped && nents > 0);
	if (map_fails)
		return 0;
	mapped = sgl;
	mapped_nents = nents;
	for (i = 0; i < nents; i++, sg = sg_next(sg)) {
		CHECK(sg);
		sg->dma_address = sg_phys(sg) + SZ_2M;
	}
	return nents;
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	CHECK(mapped == sgl && mapped_nents == nents);
	mapped = NULL;
}

static void make_rules(struct fuzz_in *in)
{
	unsigned int log = in_below(in, 7);

	rules.align = 1 << log;
	rules.out_align = max(rules.align, 1U << in_below(in, PAGE_SHIFT + 1));
	rules.max_bytes = in_below(in, 3) * PAGE_SIZE;
	if (!rules.max_bytes)
		rules.max_bytes = round_down((size_t)-1, rules.out_align);
}

/* A number in a page: any, or a multiple of what the rules want and perhaps a little more */
static unsigned int in_place(struct fuzz_in *in)
{
	static const u8 more[] = { 0, 0, 1, 4 };
	unsigned int any = in_u16(in) % PAGE_SIZE;

	switch (in_below(in, 4)) {
	case 0:
		return any;
	case 1:
		return any & 0xff;
	default:
		return round_down(any, in_below(in, 2) ? rules.align : rules.out_align) +
		       more[in_below(in, ARRAY_SIZE(more))];
	}
}

static void add_entry(struct list *list, struct scatterlist *sg, unsigned int start,
		      unsigned int len, unsigned int pages_before)
{
	struct bytes *bytes = &list->bytes;
	unsigned int n;

	/* The offset may be that of a later page */
	sg_set_page(sg, pfn_to_page(FIRST_PFN - pages_before), len,
		    start + pages_before * PAGE_SIZE);
	for (n = 0; n < len; n++) {
		bytes->phys[bytes->len] = FIRST_PFN * PAGE_SIZE + start + n;
		bytes->entry[bytes->len++] = list->nents;
	}
	list->nents++;
}

static void make_list(struct fuzz_in *in, struct list *list, unsigned int total)
{
	unsigned int wanted = 1 + in_below(in, MAX_ENTRIES), start, len, end = 0;
	struct scatterlist *sg = list->sgl;

	sg_init_table(list->sgl, MAX_ENTRIES + 2);
	sg_chain(list->sgl, LINK + 1, &list->sgl[LINK + 1]);
	list->nents = 0;
	list->bytes.len = 0;
	while (list->bytes.len < total && list->nents < wanted) {
		start = in_below(in, 2) ? in_place(in) : end;
		len = min(in_below(in, 2) ? in_place(in) + 1 : 3U * in_u8(in) + 1,
			  total - list->bytes.len);
		if (list->nents)
			sg = sg_next(sg);
		add_entry(list, sg, start, len, in_below(in, 8) ? 0 : 1);
		end = start + len;
	}
	sg_mark_end(sg);
}

static void make_job(struct fuzz_in *in)
{
	unsigned int total = in_below(in, 4) ? 1 + in_u16(in) % 600 : MAX_BYTES, i;

	make_rules(in);
	func = (struct dmio_func){ .has_dst = true, .nr_srcs = in_below(in, 4) };
	if (!in_u8(in))
		func.nr_srcs = in_below(in, DMOVERIO_MAX_SRCS + 1);
	job = (struct dmio_job){ .func = &func, .dst = lists[0].sgl };
	for (i = 0; i <= func.nr_srcs; i++) {
		make_list(in, &lists[i], total);
		total = min(total, lists[i].bytes.len);
	}
	job.len = total - in_u16(in) % total;
	for (i = 0; i < func.nr_srcs; i++) {
		job.src[i] = lists[1 + i].sgl;
		if (in_below(in, 4) == 1) {
			__set_bit(i, &job.aliased);
			job.src[i] = job.dst;
		}
	}
}

static bool input_matters(unsigned int i)
{
	return rules.align > 1 && !test_bit(i, &job.aliased);
}

/* Is what lies in front of byte @n aligned, or what ends behind byte @n - 1? */
static bool is_boundary(u64 n, bool end)
{
	unsigned int i;

	if ((lists[0].bytes.phys[n - end] + end) % rules.out_align)
		return false;
	for (i = 0; i < func.nr_srcs; i++)
		if (input_matters(i) && (lists[1 + i].bytes.phys[n - end] + end) % rules.align)
			return false;
	return true;
}

/* Is byte @n in the same entries as the one before? */
static bool continues(u64 n)
{
	unsigned int i;

	if (lists[0].bytes.entry[n] != lists[0].bytes.entry[n - 1])
		return false;
	for (i = 0; i < func.nr_srcs; i++)
		if (input_matters(i) &&
		    lists[1 + i].bytes.entry[n] != lists[1 + i].bytes.entry[n - 1])
			return false;
	return true;
}

/*
 * The next island from @pos on: of each stretch in which nothing changes, from the first
 * byte where one may begin to the last where one may end
 */
static bool next_island(u64 pos, struct dmio_island *island)
{
	u64 n, from = 0, end = 0;
	bool begun = false;

	for (n = pos; n < job.len; n++) {
		if (n > pos && !continues(n))
			begun = false;
		if (!begun && is_boundary(n, false)) {
			from = n;
			end = n;
			begun = true;
		}
		if (begun && is_boundary(n + 1, true))
			end = n + 1;
		if (begun && end > from && (n + 1 == job.len || !continues(n + 1))) {
			*island = (struct dmio_island){ .offset = from, .len = end - from };
			return true;
		}
	}
	return false;
}

/* The islands are what they should be; @bytes are those of all of them */
static void check_islands(struct bytes *bytes)
{
	struct dmio_island island, wanted;
	struct dmio_plan plan;
	unsigned int nr = 0;
	u64 pos = 0, i;

	bytes->len = 0;
	dmio_plan_init(&plan, &job, &rules);
	while (dmio_plan_next(&plan, &island)) {
		CHECK(next_island(pos, &wanted));
		CHECK(island.offset == wanted.offset);
		CHECK(island.len == wanted.len);
		pos = island.offset + island.len;
		for (i = island.offset; i < pos; i++) {
			bytes->phys[bytes->len] = lists[0].bytes.phys[i];
			bytes->entry[bytes->len++] = nr;
		}
		nr++;
	}
	CHECK(!next_island(pos, &wanted));
	CHECK(!dmio_plan_next(&plan, &island));
}

/* The entries hold each byte once, in order, and are as the channel wants them */
static void check_entries(const struct dmio_dma_map *map, const struct bytes *bytes)
{
	const phys_addr_t *phys = bytes->phys;
	struct scatterlist *sg = map->sgl;
	unsigned int nents, n = 0, i;

	CHECK(map->bytes == bytes->len);
	for (nents = map->nents; nents; nents--, sg = sg_next(sg)) {
		CHECK(sg && sg->length && sg->length <= rules.max_bytes);
		CHECK(sg->length <= bytes->len - n);
		for (i = 0; i < sg->length; i++, n++)
			CHECK(sg_phys(sg) + i == phys[n]);
		/* Cut only for its length, and then what remains is aligned */
		if (n < bytes->len && bytes->entry[n] == bytes->entry[n - 1] &&
		    phys[n] == phys[n - 1] + 1) {
			CHECK(sg->length > rules.max_bytes - rules.align);
			CHECK(phys[n] % rules.align == 0);
		}
	}
	CHECK(n == bytes->len);
}

/* The walk, in steps that the input says */
static void check_walk(struct fuzz_in *in, struct dmio_dma_map *map, const struct bytes *bytes)
{
	const phys_addr_t *phys = bytes->phys;
	unsigned int n = 0, step;

	while (n < bytes->len) {
		size_t left = dmio_dma_map_left(map);

		CHECK(left && left <= bytes->len - n);
		CHECK(dmio_dma_map_addr(map) == phys[n] + SZ_2M);
		CHECK(phys[n + left - 1] == phys[n] + left - 1);
		step = min(1U + in_u16(in) % PAGE_SIZE, bytes->len - n);
		dmio_dma_map_advance(map, step);
		n += step;
	}
}

/* The output if @input is NULL */
static void check_map(struct fuzz_in *in, struct scatterlist *input, const struct bytes *bytes)
{
	struct dmio_dma_map map = { };
	unsigned int fail = in_u8(in);
	int ret;

	fuzz_good_allocs = fail == 1 ? 0 : -1;
	fuzz_alloc_failed = false;
	map_fails = fail == 2;
	ret = input ? dmio_dma_map_input(&map, NULL, input, &rules) :
		      dmio_dma_map_output(&map, NULL, &job, &rules, DMA_FROM_DEVICE);
	if (fuzz_alloc_failed || (map_fails && bytes->len)) {
		CHECK(ret == -ENOMEM);
	} else {
		CHECK(!ret);
		CHECK(!map.nents == !bytes->len);
		check_entries(&map, bytes);
		check_walk(in, &map, bytes);
	}
	dmio_dma_unmap(&map, NULL);
	CHECK(!mapped && !fuzz_held_allocs);
}

static void check_chunk(struct fuzz_in *in)
{
	size_t addr = in_u16(in), len = 1 + in_u16(in);
	size_t chunk = dmio_plan_chunk(&rules, addr, len);

	CHECK(chunk && chunk <= len && chunk <= rules.max_bytes);
	if (chunk == len)
		return;
	CHECK((addr + chunk) % rules.align == 0);
	CHECK(chunk > rules.max_bytes - rules.align);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	static struct bytes bytes;
	unsigned int i;

	make_job(&in);
	check_chunk(&in);
	check_islands(&bytes);
	check_map(&in, NULL, &bytes);
	for (i = 0; i < func.nr_srcs; i++)
		check_map(&in, lists[1 + i].sgl, &lists[1 + i].bytes);
	return 0;
}
