// SPDX-License-Identifier: GPL-2.0
/*
 * The functions as the CPU does them.
 *
 * Every region has a block of pages of its own and lies in it in pieces, in
 * any order, with gaps.  After each job whole blocks are compared: the bytes
 * to be written with the oracle's, all others with what they were.
 */
#include <kunit/test.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "../../module/cpu_ops.h"
#include "../../module/engine.h"
#include "../../module/func.h"
#include "random.h"

#define BLOCK_ORDER	3
#define BLOCK_BYTES	(PAGE_SIZE << BLOCK_ORDER)
#define MAX_PIECES	400
#define MAX_LEN		(3 * PAGE_SIZE + 100)

/**
 * struct block - memory in which a region lies
 * @pages: it
 * @bytes: its address
 * @want: what it must hold after the job
 * @pos: byte n of the region is @bytes[@pos[n]]
 * @sgl: the region as the job gets it
 */
struct block {
	struct page *pages;
	u8 *bytes;
	u8 *want;
	u32 *pos;
	struct scatterlist *sgl;
};

/* How a region is cut */
enum cut {
	CUT_NONE,
	CUT_BYTES,
	CUT_PAGES,
	CUT_ALIGNED,	/* as the fast routines of the kernel want it */
	CUT_RANDOM,
	NR_CUTS,
};

struct bench {
	struct rnd_state rnd;
	struct dmio_job job;
	struct block dst;
	struct block src[DMOVERIO_MAX_SRCS];
	const struct block *of_src[DMOVERIO_MAX_SRCS];
};

static void block_alloc(struct kunit *test, struct block *block)
{
	block->pages = alloc_pages(GFP_KERNEL, BLOCK_ORDER);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, block->pages);
	block->bytes = page_address(block->pages);
	block->want = kunit_kmalloc_array(test, BLOCK_BYTES, 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, block->want);
	block->pos = kunit_kmalloc_array(test, MAX_LEN, sizeof(*block->pos), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, block->pos);
	block->sgl = kunit_kmalloc_array(test, MAX_PIECES, sizeof(*block->sgl), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, block->sgl);
}

static void block_free(struct block *block)
{
	if (block->pages)
		__free_pages(block->pages, BLOCK_ORDER);
}

static void block_fill(struct block *block, struct rnd_state *rnd)
{
	prandom_bytes_state(rnd, block->bytes, BLOCK_BYTES);
	memcpy(block->want, block->bytes, BLOCK_BYTES);
}

static int cpu_ops_init(struct kunit *test)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	dmio_test_seed(test, &bench->rnd, 501);
	block_alloc(test, &bench->dst);
	for (i = 0; i < DMOVERIO_MAX_SRCS; i++) {
		block_alloc(test, &bench->src[i]);
		block_fill(&bench->src[i], &bench->rnd);
	}
	return 0;
}

static void cpu_ops_exit(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int i;

	if (!bench)
		return;
	block_free(&bench->dst);
	for (i = 0; i < DMOVERIO_MAX_SRCS; i++)
		block_free(&bench->src[i]);
}

static u32 piece_len(enum cut cut, u32 at, struct rnd_state *rnd)
{
	switch (cut) {
	case CUT_BYTES:
		return 1;
	case CUT_PAGES:
		return PAGE_SIZE - at % PAGE_SIZE;
	case CUT_ALIGNED:
		return 512 * (1 + rnd_below(rnd, 2 * PAGE_SIZE / 512));
	case CUT_RANDOM:
		switch (rnd_below(rnd, 3)) {
		case 0:
			return 1 + rnd_below(rnd, 20);
		case 1:
			return 1 + rnd_below(rnd, 700);
		default:
			return 1 + rnd_below(rnd, 2 * PAGE_SIZE);
		}
	default:
		return MAX_LEN;
	}
}

struct piece {
	u32 at;
	u32 len;
};

static void shuffle(struct piece *pieces, unsigned int nr, struct rnd_state *rnd)
{
	unsigned int i, j;

	for (i = nr; i > 1; i--) {
		j = rnd_below(rnd, i);
		swap(pieces[i - 1], pieces[j]);
	}
}

/* Lay @len bytes into a block */
static void block_cut(struct kunit *test, struct block *block, u32 len, enum cut cut,
		      struct rnd_state *rnd)
{
	struct piece *pieces = kmalloc_array(MAX_PIECES, sizeof(*pieces), GFP_KERNEL);
	u32 slack = BLOCK_BYTES - len, left = len, at, i, n = 0;
	unsigned int nr = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	at = rnd_below(rnd, slack / 2);
	slack -= at;
	for (; left; nr++) {
		u32 gap = rnd_below(rnd, min_t(u32, slack, 40) + 1);

		if (cut == CUT_ALIGNED)
			gap = min(slack, -at & 63);
		at += gap;
		slack -= gap;
		pieces[nr].at = at;
		pieces[nr].len = nr == MAX_PIECES - 1 ? left :
				 min(left, piece_len(cut, at, rnd));
		at += pieces[nr].len;
		left -= pieces[nr].len;
	}
	shuffle(pieces, nr, rnd);

	sg_init_table(block->sgl, nr);
	for (i = 0; i < nr; i++) {
		u32 page = rnd_one_in(rnd, 4) ? 0 : pieces[i].at / PAGE_SIZE;

		/* An offset may well lead out of the page it starts from */
		sg_set_page(&block->sgl[i], block->pages + page, pieces[i].len,
			    pieces[i].at - page * PAGE_SIZE);
		for (at = 0; at < pieces[i].len; at++)
			block->pos[n++] = pieces[i].at + at;
	}
	kfree(pieces);
}

static u8 want_byte(const struct bench *bench, u32 n)
{
	const struct dmio_job *job = &bench->job;
	u8 old = bench->dst.want[bench->dst.pos[n]], value = 0;
	unsigned int i;

	if (!strcmp(job->func->name, "zero"))
		return 0;
	if (!strcmp(job->func->name, "fill8"))
		return job->immediate;
	for (i = 0; i < job->func->nr_srcs; i++)
		value ^= job->aliased >> i & 1 ? old :
			 bench->of_src[i]->bytes[bench->of_src[i]->pos[n]];
	return value;
}

static void expect_block(struct kunit *test, const struct block *block, const char *what)
{
	const struct bench *bench = test->priv;
	const struct dmio_job *job = &bench->job;
	u32 at;

	if (!memcmp(block->bytes, block->want, BLOCK_BYTES))
		return;
	for (at = 0; block->bytes[at] == block->want[at]; at++)
		;
	KUNIT_FAIL(test, "%s %llu bytes, aliased %#lx: %s at %u is %#x, not %#x",
		   job->func->name, job->len, job->aliased, what, at,
		   block->bytes[at], block->want[at]);
}

/* Lay all regions; the job's function, aliases and immediate are set */
static void prepare(struct kunit *test, u32 len, enum cut cut)
{
	struct bench *bench = test->priv;
	struct dmio_job *job = &bench->job;
	unsigned int i;

	job->len = len;
	block_fill(&bench->dst, &bench->rnd);
	block_cut(test, &bench->dst, len, cut, &bench->rnd);
	job->dst = bench->dst.sgl;
	for (i = 0; i < job->func->nr_srcs; i++) {
		/* Some inputs are the same as another: that is no alias */
		bool shared = i && rnd_one_in(&bench->rnd, 5) && !(job->aliased & 1);

		bench->of_src[i] = &bench->src[shared ? 0 : i];
		job->src[i] = job->aliased >> i & 1 ? job->dst : bench->of_src[i]->sgl;
		if (!shared && !(job->aliased >> i & 1))
			block_cut(test, &bench->src[i], len, rnd_below(&bench->rnd, NR_CUTS),
				  &bench->rnd);
	}
}

/* Do and check a part of the job */
static void run_part(struct kunit *test, u32 offset, u32 len)
{
	struct bench *bench = test->priv;
	struct dmio_job *job = &bench->job;
	unsigned int i;
	u32 n;

	for (n = offset; n < offset + len; n++)
		bench->dst.want[bench->dst.pos[n]] = want_byte(bench, n);

	KUNIT_EXPECT_EQ(test, dmio_cpu_run(job, offset, len), 0);

	expect_block(test, &bench->dst, "output");
	for (i = 0; i < job->func->nr_srcs; i++)
		expect_block(test, &bench->src[i], "input");
}

static void run(struct kunit *test, u32 len, enum cut cut)
{
	prepare(test, len, cut);
	run_part(test, 0, len);
}

static const struct dmio_func *func_named(struct kunit *test, const char *name)
{
	const struct dmio_func *func = dmio_func_find(name, strlen(name) + 1);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, func);
	return func;
}

static const u32 lengths[] = {
	1, 2, 3, 7, 8, 9, 31, 64, 65, 500, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1,
	2 * PAGE_SIZE - 1, 2 * PAGE_SIZE, 3 * PAGE_SIZE, MAX_LEN,
};

static void cpu_ops_can_test(struct kunit *test)
{
	struct dmio_func func = { .name = "unknown" };
	unsigned int id, last = 0;
	size_t i;

	for (i = 0; i < dmio_nr_funcs; i++) {
		KUNIT_EXPECT_TRUE_MSG(test, dmio_cpu_can(&dmio_funcs[i]), "%s", dmio_funcs[i].name);
		last = max_t(unsigned int, last, dmio_funcs[i].id);
	}
	KUNIT_EXPECT_FALSE(test, dmio_cpu_can(&func));
	for (id = last + 1; id <= U8_MAX; id++) {
		func.id = id;
		KUNIT_EXPECT_FALSE_MSG(test, dmio_cpu_can(&func), "%u", id);
	}
}

/*
 * Every function, length and cut of the output; the inputs are cut anyhow.
 * With many inputs the cuts take turns, to save time.
 */
static void cpu_ops_all_test(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int i, j, cut;

	for (i = 0; i < dmio_nr_funcs; i++)
		for (j = 0; j < (dmio_funcs[i].has_dst ? ARRAY_SIZE(lengths) : 0); j++)
			for (cut = 0; cut < NR_CUTS; cut++) {
				bench->job.func = &dmio_funcs[i];
				bench->job.immediate = prandom_u32_state(&bench->rnd) | 1ULL << 63;
				if (bench->job.func->nr_srcs <= 4 || (i + j) % NR_CUTS == cut)
					run(test, lengths[j], cut);
			}
}

/* Every byte's value, and nothing but byte 0 of the immediate */
static void cpu_ops_fill8_test(struct kunit *test)
{
	static const u64 above[] = { 0, ~0xffULL, 0x0123456789abcd00ULL };
	struct bench *bench = test->priv;
	unsigned int i;

	bench->job.func = func_named(test, "fill8");
	for (i = 0; i < 256; i++) {
		bench->job.immediate = above[i % ARRAY_SIZE(above)] | i;
		run(test, 1 + rnd_below(&bench->rnd, 100), CUT_RANDOM);
	}
}

/* A copy onto itself */
static void cpu_ops_copy_test(struct kunit *test)
{
	struct bench *bench = test->priv;
	unsigned int i, cut;

	bench->job.func = func_named(test, "copy");
	bench->job.aliased = 1;
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		for (cut = 0; cut < NR_CUTS; cut++)
			run(test, lengths[i], cut);
}

/* Inputs that are the output: all choices of them up to xor4 */
static void cpu_ops_alias_test(struct kunit *test)
{
	static const char * const names[] = { "xor2", "xor3", "xor4" };
	static const u32 few[] = { 1, 77, PAGE_SIZE, MAX_LEN };
	struct bench *bench = test->priv;
	unsigned int i, j, cut;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		bench->job.func = func_named(test, names[i]);
		for (bench->job.aliased = 0; !(bench->job.aliased >> (2 + i));
		     bench->job.aliased++)
			for (j = 0; j < ARRAY_SIZE(few); j++)
				for (cut = 0; cut < NR_CUTS; cut++)
					run(test, few[j], cut);
	}
}

/* Any xor, any aliases, any length */
static void cpu_ops_random_test(struct kunit *test)
{
	struct bench *bench = test->priv;
	const struct dmio_func *xor2 = func_named(test, "xor2");
	unsigned int round;

	for (round = 0; round < 100; round++) {
		bench->job.func = xor2 + rnd_below(&bench->rnd, DMOVERIO_MAX_SRCS - 1);
		bench->job.aliased = prandom_u32_state(&bench->rnd) &
				     prandom_u32_state(&bench->rnd) &
				     (BIT(bench->job.func->nr_srcs) - 1);
		run(test, 1 + rnd_below(&bench->rnd, MAX_LEN), rnd_below(&bench->rnd, NR_CUTS));
	}
	bench->job.func = func_named(test, "xor16");
	for (round = 0; round <= DMOVERIO_MAX_SRCS; round++) {
		bench->job.aliased = BIT(round) - 1;
		run(test, 1 + rnd_below(&bench->rnd, 1000), CUT_RANDOM);
	}
}

/* Parts of a job, as several CPUs would do them, in any order; one is left out */
static void cpu_ops_parts_test(struct kunit *test)
{
	static const char * const names[] = { "zero", "fill8", "copy", "xor2", "xor5" };
	struct bench *bench = test->priv;
	unsigned int round, i, nr;
	struct piece parts[8];
	u32 len, at;

	for (round = 0; round < 200; round++) {
		bench->job.func = func_named(test, names[round % ARRAY_SIZE(names)]);
		bench->job.immediate = round;
		bench->job.aliased = rnd_below(&bench->rnd, 4) &
				     (BIT(bench->job.func->nr_srcs) - 1);
		len = 8 + rnd_below(&bench->rnd, MAX_LEN - 8);
		prepare(test, len, rnd_below(&bench->rnd, NR_CUTS));
		for (at = 0, nr = 0; at < len; at += parts[nr++].len) {
			parts[nr].at = at;
			parts[nr].len = 1 + rnd_below(&bench->rnd, len - at);
			if (nr == ARRAY_SIZE(parts) - 1)
				parts[nr].len = len - at;
		}
		shuffle(parts, nr, &bench->rnd);
		for (i = 0; i + 1 < nr; i++)
			run_part(test, parts[i].at, parts[i].len);
	}
}

/* The definition, bit by bit */
static u32 crc32c_oracle(u32 seed, const struct block *src, u32 len)
{
	u32 crc = ~seed, n;
	int bit;

	for (n = 0; n < len; n++) {
		crc ^= src->bytes[src->pos[n]];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void cpu_ops_crc32c_test(struct kunit *test)
{
	static const u64 seeds[] = { 0, 1, 0xffffffff, 0x12345678, 0xffffffff00000000ULL };
	struct bench *bench = test->priv;
	struct block *src = &bench->src[0];
	unsigned int i, cut;
	u32 len, want;

	bench->job.func = func_named(test, "iscsi-crc32c");
	for (i = 0; i < ARRAY_SIZE(lengths) * ARRAY_SIZE(seeds); i++)
		for (cut = 0; cut < NR_CUTS; cut++) {
			len = lengths[i % ARRAY_SIZE(lengths)];
			bench->job.immediate = seeds[i / ARRAY_SIZE(lengths)];
			bench->job.result = 0xa5a5a5a5a5a5a5a5ULL;
			prepare(test, len, CUT_NONE);
			block_cut(test, src, len, cut, &bench->rnd);
			bench->job.dst = NULL;

			want = crc32c_oracle(bench->job.immediate, src, len);
			KUNIT_EXPECT_EQ(test, dmio_cpu_run(&bench->job, 0, len), 0);
			KUNIT_EXPECT_EQ(test, bench->job.result, (u64)want);
			expect_block(test, &bench->dst, "output");
			expect_block(test, src, "input");
		}
}

/* The check value of the standard, in one go and continued at every byte */
static void cpu_ops_crc32c_value_test(struct kunit *test)
{
	static const char digits[] = "123456789";
	struct bench *bench = test->priv;
	struct block *src = &bench->src[0];
	struct scatterlist *sg = src->sgl;
	u64 before;
	u32 cut;

	bench->job.func = func_named(test, "iscsi-crc32c");
	bench->job.src[0] = sg;
	memcpy(src->bytes, digits, 9);
	for (cut = 0; cut < 9; cut++) {
		before = 0;
		if (cut) {
			sg_init_table(sg, 1);
			sg_set_page(sg, src->pages, cut, 0);
			bench->job.len = cut;
			bench->job.immediate = 0;
			dmio_cpu_run(&bench->job, 0, cut);
			before = bench->job.result;
		}
		sg_init_table(sg, 1);
		sg_set_page(sg, src->pages, 9 - cut, cut);
		bench->job.len = 9 - cut;
		bench->job.immediate = before;
		dmio_cpu_run(&bench->job, 0, 9 - cut);
		KUNIT_EXPECT_EQ(test, bench->job.result, 0xe3069283ULL);
	}
}

/*
 * Parts cover a job once, whatever the page size: with 64 KiB pages four parts
 * of 512 KiB + 1 are no longer four.
 */
static void cpu_ops_part_bytes_test(struct kunit *test)
{
	static const u64 lens[] = { 1, 4095, 4096, 4097, SZ_128K, SZ_512K - 1, SZ_512K,
				    SZ_512K + 1, SZ_1M + 12345, SZ_2M - 1, SZ_2M };
	static const u64 aligns[] = { SZ_4K, SZ_16K, SZ_64K };
	unsigned int i, k, nr;

	for (i = 0; i < ARRAY_SIZE(lens); i++)
		for (k = 0; k < ARRAY_SIZE(aligns); k++)
			for (nr = 1; nr <= DMIO_CPU_PARTS; nr++) {
				u64 each = dmio_cpu_part_bytes(lens[i], nr, aligns[k]);
				u64 parts = DIV_ROUND_UP_ULL(lens[i], each);

				KUNIT_EXPECT_EQ(test, each % aligns[k], 0ULL);
				KUNIT_EXPECT_GE(test, parts, 1ULL);
				KUNIT_EXPECT_LE(test, parts, (u64)nr);
				KUNIT_EXPECT_LT(test, (parts - 1) * each, lens[i]);
			}
}

static void cpu_ops_count_parts_test(struct kunit *test)
{
	static const struct { u64 len; unsigned int nr_cpus, nr; } table[] = {
		/* Too little for more than one, however many there are */
		{ 1, 1, 1 }, { 1, 64, 1 }, { SZ_128K - 1, 64, 1 }, { SZ_128K, 64, 1 },
		{ SZ_256K - 1, 64, 1 },
		/* 128 KiB for each at least */
		{ SZ_256K, 64, 2 }, { 3 * SZ_128K - 1, 64, 2 }, { 3 * SZ_128K, 64, 3 },
		{ SZ_512K - 1, 64, 3 }, { SZ_512K, 64, 4 },
		/* No more than CPUs */
		{ SZ_2M, 1, 1 }, { SZ_2M, 2, 2 }, { SZ_2M, 3, 3 }, { SZ_2M, 4, 4 },
		{ SZ_256K, 1, 1 }, { 3 * SZ_128K, 2, 2 },
		/* No more than there is room for */
		{ SZ_2M, 5, 4 }, { SZ_2M, 4096, 4 }, { 1ULL << 40, 64, 4 }, { U64_MAX, 64, 4 },
	};
	unsigned int i;
	size_t k;

	static_assert(DMIO_CPU_PARTS == 4, "the table above");
	for (k = 0; k < dmio_nr_funcs; k++)
		for (i = 0; i < ARRAY_SIZE(table); i++)
			KUNIT_ASSERT_EQ_MSG(test,
					    dmio_cpu_count_parts(&dmio_funcs[k], table[i].len,
								 table[i].nr_cpus),
					    dmio_funcs[k].serial ? 1 : table[i].nr,
					    "%s, %llu bytes, %u CPUs", dmio_funcs[k].name,
					    table[i].len, table[i].nr_cpus);
}

static struct kunit_case cpu_ops_cases[] = {
	KUNIT_CASE(cpu_ops_count_parts_test),
	KUNIT_CASE(cpu_ops_part_bytes_test),
	KUNIT_CASE(cpu_ops_can_test),
	KUNIT_CASE(cpu_ops_all_test),
	KUNIT_CASE(cpu_ops_fill8_test),
	KUNIT_CASE(cpu_ops_copy_test),
	KUNIT_CASE(cpu_ops_alias_test),
	KUNIT_CASE(cpu_ops_random_test),
	KUNIT_CASE(cpu_ops_parts_test),
	KUNIT_CASE(cpu_ops_crc32c_test),
	KUNIT_CASE(cpu_ops_crc32c_value_test),
	{}
};

static struct kunit_suite cpu_ops_suite = {
	.name = "dmoverio-cpu-ops",
	.init = cpu_ops_init,
	.exit = cpu_ops_exit,
	.test_cases = cpu_ops_cases,
};

kunit_test_suite(cpu_ops_suite);
