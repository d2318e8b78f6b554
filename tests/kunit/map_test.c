// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping for a device: of an output the islands, of an input all of it, in
 * entries no longer than the device can take.  The device is there only to be
 * mapped for: the DMA it could do, nobody asks for.
 *
 * The checks return what is wrong, or NULL.  That all is unmapped as it was
 * mapped, DMA-API debugging watches, where the kernel has it.
 */
#include <kunit/test.h>
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "../../module/dma_map.h"
#include "job.h"
#include "map_shim.h"

#define ROUNDS		300

/**
 * struct map_bench - what the cases of this suite work with
 * @device: is mapped for
 * @tj: a job
 * @phys: where each byte of the mapping is to be
 * @dma: the same as the device sees it, as the mapped entries have it
 */
struct map_bench {
	struct platform_device *device;
	struct test_job *tj;
	phys_addr_t *phys;
	dma_addr_t *dma;
};

static int map_init(struct kunit *test)
{
	struct map_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	if (!IS_ENABLED(CONFIG_HAS_DMA))
		kunit_skip(test, "no DMA in this kernel");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	bench->phys = kunit_kmalloc_array(test, JOB_BYTES, sizeof(*bench->phys), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->phys);
	bench->dma = kunit_kmalloc_array(test, JOB_BYTES, sizeof(*bench->dma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->dma);

	map_shim = (struct map_shim){ };
	test->priv = bench;
	bench->tj = test_job_alloc(test);
	bench->device = platform_device_register_simple("dmoverio-kunit", PLATFORM_DEVID_NONE,
							NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->device);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&bench->device->dev,
							   DMA_BIT_MASK(64)), 0);
	dma_set_max_seg_size(&bench->device->dev, UINT_MAX);
	return 0;
}

static void map_exit(struct kunit *test)
{
	struct map_bench *bench = test->priv;

	if (!bench)
		return;
	if (!IS_ERR_OR_NULL(bench->device))
		platform_device_unregister(bench->device);
	if (bench->tj)
		test_job_free(bench->tj);
}

static struct device *bench_device(const struct map_bench *bench)
{
	return &bench->device->dev;
}

/* What is to be mapped of the output; returns how many bytes */
static unsigned int output_bytes(struct map_bench *bench)
{
	const struct test_job *tj = bench->tj;
	struct dmio_island island;
	unsigned int nr = 0;
	u64 pos = 0, i;

	while (test_job_next_island(tj, &pos, &island))
		for (i = 0; i < island.len; i++)
			bench->phys[nr++] = tj->list[0].phys[island.offset + i];
	return nr;
}

static unsigned int input_bytes(struct map_bench *bench, const struct test_list *list)
{
	memcpy(bench->phys, list->phys, list->len * sizeof(*list->phys));
	return list->len;
}

/* The entries are as the rules want them, and hold the bytes they should */
static const char *entries_wrong(const struct map_bench *bench, const struct dmio_dma_map *map,
				 unsigned int len)
{
	const struct dmio_dma_rules *rules = &bench->tj->rules;
	struct scatterlist *sg = map->sgl;
	unsigned int nents, n = 0, i;

	if (map->bytes != len)
		return "number of bytes";
	for (nents = map->nents; nents; nents--, sg = sg_next(sg)) {
		if (!sg)
			return "number of entries";
		if (!sg->length || sg->length > rules->max_bytes || sg->length > len - n)
			return "length of an entry";
		for (i = 0; i < sg->length; i++, n++)
			if (sg_phys(sg) + i != bench->phys[n])
				return "place of a byte";
		/* A longer entry was cut: what remains is aligned */
		if (n < len && bench->phys[n] == bench->phys[n - 1] + 1 &&
		    sg->length > rules->max_bytes - rules->align &&
		    bench->phys[n] % rules->align)
			return "alignment of a cut";
	}
	return n == len ? NULL : "sum of the lengths";
}

/* As the device sees it: the walk is checked against this */
static const char *addresses_wrong(struct map_bench *bench, const struct dmio_dma_map *map,
				   unsigned int len)
{
	struct scatterlist *sg;
	unsigned int n = 0, i;

	for (sg = map->sgl; n < len; sg = sg_next(sg))
		for (i = 0; i < sg_dma_len(sg); i++)
			bench->dma[n++] = sg_dma_address(sg) + i;
	for (n = 0; n < len; n++)
		if (offset_in_page(bench->dma[n]) != offset_in_page(bench->phys[n]))
			return "address of a byte, as the device sees it";
	return NULL;
}

/* A walk in random steps */
static const char *walk_wrong(const struct map_bench *bench, struct dmio_dma_map *map,
			      unsigned int len, struct rnd_state *rnd)
{
	unsigned int n = 0, i, step;

	while (n < len) {
		size_t left = dmio_dma_map_left(map);

		if (!left || left > len - n)
			return "bytes left";
		for (i = 0; i < left; i++)
			if (dmio_dma_map_addr(map) + i != bench->dma[n + i])
				return "address on the walk";
		step = rnd_one_in(rnd, 3) ? left : rnd_below(rnd, left + 1);
		if (rnd_one_in(rnd, 4))
			step = rnd_below(rnd, len - n + 1);
		dmio_dma_map_advance(map, step);
		n += step;
	}
	return map->off || (map->at && map->own) ? "end of the walk" : NULL;
}

static const char *map_wrong(struct map_bench *bench, struct dmio_dma_map *map,
			     unsigned int len, struct rnd_state *rnd)
{
	const char *wrong = entries_wrong(bench, map, len);

	if (!wrong)
		wrong = addresses_wrong(bench, map, len);
	if (!wrong)
		wrong = walk_wrong(bench, map, len, rnd);
	return wrong;
}

static const char *unmap_wrong(struct map_bench *bench, struct dmio_dma_map *map)
{
	dmio_dma_unmap(map, bench_device(bench));
	if (map->own || map->nents || map_shim.nr_lists || map_shim.nr_entries)
		return "what is left when it was unmapped";
	/* It may be told so twice */
	dmio_dma_unmap(map, bench_device(bench));
	return NULL;
}

static void map_output_test(struct kunit *test)
{
	struct map_bench *bench = test->priv;
	unsigned int round, len, own = 0, as_is = 0, none = 0;
	const char *wrong;
	struct rnd_state rnd;

	dmio_test_seed(test, &rnd, 1101);
	for (round = 0; round < ROUNDS; round++) {
		enum dma_data_direction dir = rnd_one_in(&rnd, 2) ? DMA_FROM_DEVICE :
								    DMA_BIDIRECTIONAL;
		struct dmio_dma_map map = { };

		test_job_random(bench->tj, &rnd);
		/* Islands in one line are an error to DMA-API debugging */
		if (bench->tj->rules.align > 1)
			bench->tj->rules.out_align = max_t(unsigned int, L1_CACHE_BYTES,
							   bench->tj->rules.out_align);
		len = output_bytes(bench);
		KUNIT_ASSERT_EQ(test, dmio_dma_map_output(&map, bench_device(bench),
							  &bench->tj->job, &bench->tj->rules,
							  dir), 0);
		if (map.nents)
			KUNIT_EXPECT_EQ(test, (int)map_shim.dir, (int)dir);
		own += !!map.own;
		as_is += map.nents && !map.own;
		none += !map.nents;
		wrong = map_wrong(bench, &map, len, &rnd);
		map_shim.dir = dir;
		wrong = wrong ?: unmap_wrong(bench, &map);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
		KUNIT_EXPECT_EQ(test, (int)map_shim.dir, (int)dir);
	}
	KUNIT_EXPECT_GT(test, own, ROUNDS / 10U);
	KUNIT_EXPECT_GT(test, as_is, ROUNDS / 40U);
	KUNIT_EXPECT_GT(test, none, ROUNDS / 40U);
}

static void map_input_test(struct kunit *test)
{
	struct map_bench *bench = test->priv;
	const struct test_list *list = &bench->tj->list[1];
	unsigned int round, len, own = 0, as_is = 0;
	const char *wrong;
	struct rnd_state rnd;

	dmio_test_seed(test, &rnd, 1102);
	for (round = 0; round < ROUNDS; round++) {
		struct dmio_dma_map map = { };

		do
			test_job_random(bench->tj, &rnd);
		while (!bench->tj->func.nr_srcs);
		len = input_bytes(bench, list);
		KUNIT_ASSERT_EQ(test, dmio_dma_map_input(&map, bench_device(bench),
							 bench->tj->list[1].sgl,
							 &bench->tj->rules), 0);
		own += !!map.own;
		as_is += !map.own;
		wrong = map_wrong(bench, &map, len, &rnd) ?: unmap_wrong(bench, &map);
		if (wrong)
			KUNIT_FAIL(test, "round %u: %s", round, wrong);
	}
	KUNIT_EXPECT_GT(test, own, ROUNDS / 20U);
	KUNIT_EXPECT_GT(test, as_is, ROUNDS / 5U);
}

/* A list of no more than the entry, which is not cut */
static void one_entry(struct test_job *tj, unsigned int offset, unsigned int len)
{
	tj->func = (struct dmio_func){ .has_dst = true };
	tj->job = (struct dmio_job){
		.func = &tj->func, .dst = tj->list[0].sgl, .len = len,
	};
	tj->rules = (struct dmio_dma_rules){
		.out_align = 1, .align = 1, .max_bytes = PAGE_SIZE,
	};
	sg_init_one(tj->list[0].sgl, page_address(tj->mem) + offset, len);
}

/* When the job's own list serves */
static void map_as_is_test(struct kunit *test)
{
	static const struct {
		unsigned int offset, len, job_len, out_align;
		bool own;
	} cases[] = {
		{ 3, PAGE_SIZE, PAGE_SIZE, 1, false },
		{ 3, PAGE_SIZE + 1, PAGE_SIZE + 1, 1, true },
		{ 0, 256, 256, 256, false },
		{ 0, 256, 255, 1, true },
		{ 1, 256, 256, 64, true },
	};
	struct map_bench *bench = test->priv;
	struct test_job *tj = bench->tj;
	struct dmio_dma_map map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		one_entry(tj, cases[i].offset, cases[i].len);
		tj->job.len = cases[i].job_len;
		tj->rules.out_align = cases[i].out_align;
		map = (struct dmio_dma_map){ };
		KUNIT_ASSERT_EQ(test, dmio_dma_map_output(&map, bench_device(bench), &tj->job,
							  &tj->rules, DMA_FROM_DEVICE), 0);
		KUNIT_EXPECT_EQ_MSG(test, !!map.own, cases[i].own, "case %zu", i);
		KUNIT_EXPECT_EQ_MSG(test, map.sgl == tj->job.dst, !cases[i].own, "case %zu", i);
		dmio_dma_unmap(&map, bench_device(bench));
	}
}

/* Nothing is left behind, whatever fails */
static void map_failure_test(struct kunit *test)
{
	struct map_bench *bench = test->priv;
	struct device *dev = bench_device(bench);
	struct test_job *tj = bench->tj;
	unsigned int fail, cut;

	for (fail = 0; fail < 2; fail++)
		for (cut = 0; cut < 2; cut++) {
			struct dmio_dma_map out = { }, in = { };
			int ret;

			/* The job's own list takes no memory */
			ret = fail || cut ? -ENOMEM : 0;
			map_shim.no_memory = !fail;
			map_shim.no_mapping = fail;
			one_entry(tj, 0, PAGE_SIZE + cut);
			KUNIT_EXPECT_EQ(test, dmio_dma_map_output(&out, dev, &tj->job, &tj->rules,
								  DMA_FROM_DEVICE), ret);
			KUNIT_EXPECT_EQ(test, dmio_dma_map_input(&in, dev, tj->job.dst,
								 &tj->rules), ret);
			KUNIT_EXPECT_EQ(test, !out.nents, !!ret);
			KUNIT_EXPECT_EQ(test, !in.nents, !!ret);
			dmio_dma_unmap(&out, dev);
			KUNIT_EXPECT_NULL(test, unmap_wrong(bench, &in));
		}
	map_shim.no_mapping = false;
}

/* What fails is done otherwise: the kernel need not warn of it */
static void map_quiet_test(struct kunit *test)
{
	struct map_bench *bench = test->priv;
	struct dmio_dma_map map = { };

	one_entry(bench->tj, 0, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, dmio_dma_map_output(&map, bench_device(bench), &bench->tj->job,
						  &bench->tj->rules, DMA_FROM_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, map_shim.attrs, DMA_ATTR_NO_WARN);
	dmio_dma_unmap(&map, bench_device(bench));
}

static struct kunit_case map_cases[] = {
	KUNIT_CASE(map_output_test),
	KUNIT_CASE(map_input_test),
	KUNIT_CASE(map_as_is_test),
	KUNIT_CASE(map_failure_test),
	KUNIT_CASE(map_quiet_test),
	{}
};

static struct kunit_suite map_suite = {
	.name = "dmoverio-dma-map",
	.init = map_init,
	.exit = map_exit,
	.test_cases = map_cases,
};

kunit_test_suite(map_suite);
