// SPDX-License-Identifier: GPL-2.0
/*
 * The functions through the user's mapping, and where they stop.
 *
 * Every region has a page that must not be touched, which begins with any byte
 * of the region, or right behind it.  The oracle: all is done up to the first
 * byte that cannot be reached, and nothing from there on; the address told is
 * that byte's, in the first of the regions, inputs first, if there are several.
 */
#include <kunit/test.h>
#include <linux/crc32c.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../module/cpu_user.h"
#include "../../module/func.h"
#include "random.h"
#include "user_shim.h"

#define MAX_SEGS	5
#define MAX_GAP		40
#define MAX_LEN		(2 * PAGE_SIZE + 100)

/* The page that must not be touched: enough fits in front of it, and behind */
#define BAD_PAGE	(USER_PAGES / 2)

/* The regions are numbered as the blocks are: the output, then the inputs */
#define OUT		0

/**
 * struct user_bench - a job
 * @rnd: random numbers
 * @job: it
 * @segs: of each region
 * @bad: of each region, the byte that cannot be reached; the length: none
 * @of_src: which region an input is
 * @model: the output's block, as it must be afterwards
 */
struct user_bench {
	struct rnd_state rnd;
	struct dmio_user_job job;
	struct dmio_seg segs[DMIO_MAX_REGIONS][MAX_SEGS];
	u32 bad[DMIO_MAX_REGIONS];
	unsigned int of_src[DMOVERIO_MAX_SRCS];
	u8 model[USER_BLOCK];
};

static int cpu_user_init(struct kunit *test)
{
	struct user_bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	memset(&user_shim, 0, sizeof(user_shim));
	user_shim.mem = kvmalloc(USER_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, user_shim.mem);
	dmio_test_seed(test, &b->rnd, 20261125);
	prandom_bytes_state(&b->rnd, user_shim.mem, USER_BYTES);
	for (i = 0; i < DMIO_MAX_REGIONS; i++)
		user_shim.bad[i] = BAD_PAGE;
	for (i = 0; i < DMOVERIO_MAX_SRCS; i++)
		b->of_src[i] = 1 + i;
	test->priv = b;
	return 0;
}

static void cpu_user_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, user_shim.nr_buffers, 0U);
	kvfree(user_shim.mem);
	user_shim.mem = NULL;
}

/* The address of a byte of a region; of the one behind the last one, too */
static u64 address(const struct dmio_seg *segs, u32 n)
{
	unsigned int i;

	for (i = 0; i + 1 < MAX_SEGS && n >= segs[i].len && segs[i + 1].len; i++)
		n -= segs[i].len;
	return segs[i].addr + n;
}

static u8 *byte_at(u64 addr)
{
	return &user_shim.mem[addr - USER_BASE];
}

/* Cut a region anyhow, and have its byte @bad at the beginning of the bad page */
static void place(struct user_bench *b, unsigned int region, u32 len, u32 bad)
{
	struct dmio_seg *segs = b->segs[region];
	u32 at = 0, gaps = 0;
	unsigned int i;
	u64 shift;

	memset(segs, 0, sizeof(b->segs[region]));
	for (i = 0; at < len; at += segs[i++].len) {
		segs[i].addr = at + gaps;
		segs[i].len = i == MAX_SEGS - 1 ? len - at : 1 + rnd_below(&b->rnd, len - at);
		/* Often enough a segment begins there */
		if (at < bad && bad < at + segs[i].len && rnd_one_in(&b->rnd, 3) &&
		    i < MAX_SEGS - 1)
			segs[i].len = bad - at;
		gaps += rnd_below(&b->rnd, MAX_GAP);
	}
	shift = USER_BASE + region * USER_BLOCK + BAD_PAGE * PAGE_SIZE - address(segs, bad);
	while (i--)
		segs[i].addr += shift;
	b->bad[region] = bad;
}

static u8 oracle_byte(const struct user_bench *b, u32 n)
{
	const struct dmio_func *func = b->job.func;
	u8 byte = 0;
	unsigned int i;

	if (!func->nr_srcs)
		return func->imm_bytes ? b->job.immediate : 0;
	for (i = 0; i < func->nr_srcs; i++)
		byte ^= *byte_at(address(b->segs[b->of_src[i]], n));
	return byte;
}

/* Where it must stop, and which region stops it */
static u32 oracle_end(const struct user_bench *b, unsigned int *region)
{
	u32 end = b->job.len;
	unsigned int i;

	for (i = 0; i < b->job.func->nr_srcs; i++)
		if (b->bad[b->of_src[i]] < end) {
			*region = b->of_src[i];
			end = b->bad[*region];
		}
	if (b->job.func->has_dst && b->bad[OUT] < end) {
		*region = OUT;
		end = b->bad[OUT];
	}
	return end;
}

/* Make the output's block as it must be: the result, if there is one */
static u32 oracle_run(struct user_bench *b, u32 end)
{
	const u8 *out = user_shim.mem;
	u32 crc = ~(u32)b->job.immediate, n;
	u8 byte;

	memcpy(b->model, out, USER_BLOCK);
	for (n = 0; n < end; n++) {
		byte = oracle_byte(b, n);
		if (b->job.func->has_dst)
			b->model[byte_at(address(b->segs[OUT], n)) - out] = byte;
		else
			crc = crc32c(crc, &byte, 1);
	}
	return ~crc;
}

/* Do a job whose regions have been placed */
static void run(struct kunit *test, const struct dmio_func *func, u32 len)
{
	struct user_bench *b = test->priv;
	struct dmio_user_job *job = &b->job;
	unsigned int i, region = 0;
	u32 end, want;

	memset(job, 0xa5, sizeof(*job));
	job->func = func;
	job->len = len;
	job->immediate = prandom_u32_state(&b->rnd) | 1ULL << 40;
	job->dst = (struct dmio_slice){ .seg = b->segs[OUT], .len = len };
	for (i = 0; i < func->nr_srcs; i++)
		job->src[i] = (struct dmio_slice){ .seg = b->segs[b->of_src[i]], .len = len };
	end = oracle_end(b, &region);
	want = oracle_run(b, end);

	KUNIT_ASSERT_EQ_MSG(test, dmio_cpu_run_user(job), end < len ? -EFAULT : 0, "%s, %u bytes",
			    func->name, len);
	KUNIT_ASSERT_EQ_MSG(test, job->done, (u64)end, "%s, %u bytes", func->name, len);
	if (end < len)
		KUNIT_ASSERT_EQ_MSG(test, job->fault, address(b->segs[region], end),
				    "%s, %u bytes", func->name, len);
	if (func->result_bytes)
		KUNIT_ASSERT_EQ(test, job->result, (u64)want);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(user_shim.mem, b->model, USER_BLOCK), 0,
			    "%s, %u bytes, %u to be done", func->name, len, end);
}

/* One region has its fault at @bad, the others have none */
static void run_with(struct kunit *test, const struct dmio_func *func, u32 len,
		     unsigned int region, u32 bad)
{
	unsigned int i;

	for (i = 0; i <= func->nr_srcs; i++)
		place(test->priv, i, len, i == region ? bad : len);
	run(test, func, len);
}

/* Every function, every region, every byte of it, and none */
static void cpu_user_every_byte_test(struct kunit *test)
{
	static const u32 lens[] = { 1, 2, 37 };
	unsigned int i, k, region;
	u32 bad;

	for (i = 0; i < dmio_nr_funcs; i++)
		for (k = 0; k < ARRAY_SIZE(lens); k++)
			for (region = 0; region <= dmio_funcs[i].nr_srcs; region++)
				for (bad = 0; bad <= lens[k]; bad++)
					run_with(test, &dmio_funcs[i], lens[k], region, bad);
}

/* Around the ends of the chunks in which it is done */
static void cpu_user_chunks_test(struct kunit *test)
{
	static const u32 bads[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE - 1,
		2 * PAGE_SIZE, 2 * PAGE_SIZE + 1, MAX_LEN - 1, MAX_LEN,
	};
	static const u32 lens[] = { PAGE_SIZE, 2 * PAGE_SIZE, MAX_LEN };
	unsigned int i, k, l, region;

	for (i = 0; i < dmio_nr_funcs; i++) {
		const struct dmio_func *func = &dmio_funcs[i];

		for (l = 0; l < ARRAY_SIZE(lens); l++)
			for (k = 0; k < ARRAY_SIZE(bads) && bads[k] <= lens[l]; k++)
				for (region = 0; region <= min_t(u8, func->nr_srcs, 2); region++)
					if (func->nr_srcs <= 3)
						run_with(test, func, lens[l], region, bads[k]);
	}
}

/* Several regions with a fault */
static void cpu_user_random_test(struct kunit *test)
{
	struct user_bench *b = test->priv;
	unsigned int round, i;

	for (round = 0; round < 400; round++) {
		const struct dmio_func *func = &dmio_funcs[rnd_below(&b->rnd, dmio_nr_funcs)];
		u32 len = 1 + rnd_below(&b->rnd, rnd_one_in(&b->rnd, 2) ? 20 : MAX_LEN);

		for (i = 0; i <= func->nr_srcs; i++)
			place(b, i, len, rnd_one_in(&b->rnd, 4) ? rnd_below(&b->rnd, len) : len);
		run(test, func, len);
	}
}

/* An input, whichever it is, that is the output */
static void cpu_user_in_place_test(struct kunit *test)
{
	struct user_bench *b = test->priv;
	unsigned int i, src, bad;

	for (i = 0; i < dmio_nr_funcs; i++)
		for (src = 0; src < dmio_funcs[i].nr_srcs && dmio_funcs[i].has_dst; src++) {
			b->of_src[src] = OUT;
			for (bad = 0; bad <= 9; bad++)
				run_with(test, &dmio_funcs[i], 9, OUT, bad);
			run_with(test, &dmio_funcs[i], PAGE_SIZE + 9, OUT, PAGE_SIZE + 5);
			b->of_src[src] = 1 + src;
		}
}

/* Without a buffer nothing is touched */
static void cpu_user_no_memory_test(struct kunit *test)
{
	struct user_bench *b = test->priv;
	unsigned int i, k;

	user_shim.no_memory = true;
	for (i = 0; i < dmio_nr_funcs; i++) {
		b->job.func = &dmio_funcs[i];
		b->job.len = 100;
		for (k = 0; k <= dmio_funcs[i].nr_srcs; k++)
			place(b, k, 100, 100);
		b->job.dst = (struct dmio_slice){ .seg = b->segs[OUT], .len = 100 };
		for (k = 0; k < dmio_funcs[i].nr_srcs; k++)
			b->job.src[k] = (struct dmio_slice){ .seg = b->segs[1 + k], .len = 100 };
		KUNIT_EXPECT_EQ(test, dmio_cpu_run_user(&b->job), -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, user_shim.nr_accesses, 0U);
}

static struct kunit_case cpu_user_cases[] = {
	KUNIT_CASE(cpu_user_every_byte_test),
	KUNIT_CASE(cpu_user_chunks_test),
	KUNIT_CASE(cpu_user_random_test),
	KUNIT_CASE(cpu_user_in_place_test),
	KUNIT_CASE(cpu_user_no_memory_test),
	{}
};

static struct kunit_suite cpu_user_suite = {
	.name = "dmoverio-cpu-user",
	.init = cpu_user_init,
	.exit = cpu_user_exit,
	.test_cases = cpu_user_cases,
};

kunit_test_suite(cpu_user_suite);
