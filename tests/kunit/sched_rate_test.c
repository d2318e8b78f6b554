// SPDX-License-Identifier: GPL-2.0
/*
 * What engines are learned to take, and who is chosen because of it.  Time is the
 * tests' own: engines take exactly what they are said to take.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../module/engine_cpu.h"
#include "../../module/rate.h"
#include "../../module/sched.h"
#include "fake.h"
#include "random.h"

#define CPU		DMOVERIO_POLICY_CPU
#define AUTO		DMOVERIO_POLICY_AUTO
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_CHANNELS	2
#define NR_JOBS		64

/**
 * struct lane - an engine, and what jobs take it
 * @fake: the engine
 * @setup_ns: whatever their size
 * @ns_per_kib: of each region
 * @free_ns: when it was done with the last one
 * @nr: how many it did ...
 * @busy_ns: ... and how long that took
 */
struct lane {
	struct fake *fake;
	u64 setup_ns;
	u64 ns_per_kib;
	u64 free_ns;
	unsigned int nr;
	u64 busy_ns;
};

/**
 * struct rate_bench - what the cases of this suite work with
 * @dma: channels
 * @lane: the CPU, and the channels in use
 * @nr_lanes: how many these are
 * @flow: of all jobs
 * @job: jobs
 */
struct rate_bench {
	struct fake dma[NR_CHANNELS];
	struct lane lane[1 + NR_CHANNELS];
	unsigned int nr_lanes;
	struct dmio_flow flow;
	struct fake_job job[NR_JOBS];
};

static int rate_init(struct kunit *test)
{
	struct rate_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_cpu.holds = true;
	bench->lane[0].fake = &fake_cpu;
	bench->nr_lanes = 1;
	dmio_flow_init(&bench->flow);
	fake_now = 1;
	return 0;
}

static void rate_exit(struct kunit *test)
{
	struct rate_bench *bench = test->priv;

	if (!bench)
		return;
	while (--bench->nr_lanes)
		fake_remove(bench->lane[bench->nr_lanes].fake);
	fakes_stop(test);
	kvfree(bench);
}

static struct lane *add_channel(struct rate_bench *bench, u64 setup_ns, u64 ns_per_kib)
{
	struct lane *lane = &bench->lane[bench->nr_lanes];

	lane->fake = &bench->dma[bench->nr_lanes++ - 1];
	memset(lane->fake, 0, sizeof(*lane->fake));
	lane->fake->holds = true;
	lane->setup_ns = setup_ns;
	lane->ns_per_kib = ns_per_kib;
	fake_add(lane->fake);
	return lane;
}

static u64 takes(const struct lane *lane, u64 len)
{
	return lane->setup_ns + len * lane->ns_per_kib / SZ_1K;
}

/* When an engine will be done with its first job, or U64_MAX */
static u64 end_ns(const struct lane *lane)
{
	struct fake_job *fj = fake_first(lane->fake);

	if (!fj)
		return U64_MAX;
	return max(fj->job.begun_ns, lane->free_ns) + takes(lane, fj->job.len);
}

/* Let time pass until a job is done: false if there is none */
static bool pass(struct rate_bench *bench)
{
	struct lane *lane, *first = bench->lane;
	struct fake_job *fj;

	for (lane = bench->lane; lane < bench->lane + bench->nr_lanes; lane++)
		if (end_ns(lane) < end_ns(first))
			first = lane;
	fj = fake_first(first->fake);
	if (!fj)
		return false;
	fake_now = end_ns(first);
	first->free_ns = fake_now;
	first->nr++;
	first->busy_ns += takes(first, fj->job.len);
	first->fake->busy_ns = takes(first, fj->job.len);
	fake_finish(first->fake, &fj->job);
	return true;
}

/* So many jobs, @depth of them at a time */
static void run(struct kunit *test, unsigned int nr, unsigned int depth, u32 policy, u64 len)
{
	struct rate_bench *bench = test->priv;
	unsigned int i, begun = 0, done;

	for (i = 0; i < bench->nr_lanes; i++) {
		bench->lane[i].nr = 0;
		bench->lane[i].busy_ns = 0;
	}
	for (done = 0; done < nr; done++) {
		for (; begun < nr && begun < done + depth; begun++) {
			struct fake_job *fj;

			for (fj = bench->job; fj->job.func && !fake_is_done(fj); fj++)
				;
			fake_job_init(fj, policy, len);
			fj->job.flow = &bench->flow;
			dmio_sched_submit(&fj->job, false);
		}
		KUNIT_ASSERT_TRUE(test, pass(bench));
	}
	memset(bench->job, 0, sizeof(bench->job));
}

/* -- means */

static void rate_mean_test(struct kunit *test)
{
	static const u64 sizes[] = { 1, SZ_4K, SZ_64K + 1, SZ_1M, 17 * SZ_2M, 1ULL << 33 };
	static const u64 times[] = { 1000, 123456, 200000000 };
	unsigned int i, k, nr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < ARRAY_SIZE(times); k++) {
			struct dmio_mean mean = { };
			u64 got, slack = times[k] / 50 + max_t(u64, sizes[i], SZ_4K) / 8192;

			KUNIT_EXPECT_EQ(test, dmio_mean_ns(&mean, sizes[i]), 0ULL);
			for (nr = 0; nr < 3; nr++) {
				dmio_mean_learn(&mean, sizes[i], times[k]);
				got = dmio_mean_ns(&mean, sizes[i]);
				KUNIT_EXPECT_LE(test, got, times[k] + slack);
				KUNIT_EXPECT_GE(test, got + slack, times[k]);
			}
		}
}

static void rate_mean_follows_test(struct kunit *test)
{
	struct dmio_mean mean = { };
	unsigned int i;

	/* The mean of the first few */
	for (i = 1; i <= 7; i++)
		dmio_mean_learn(&mean, SZ_1M, i * 1000000);
	KUNIT_EXPECT_LE(test, abs((s64)dmio_mean_ns(&mean, SZ_1M) - 4000000), 40000);

	/* It began with one that is out of proportion */
	mean = (struct dmio_mean){ };
	dmio_mean_learn(&mean, SZ_1M, 30000000);
	for (i = 0; i < 3; i++)
		dmio_mean_learn(&mean, SZ_1M, 1000000);
	KUNIT_EXPECT_LE(test, dmio_mean_ns(&mean, SZ_1M), 2000000ULL);
	dmio_mean_learn(&mean, SZ_1M, 30000000);
	KUNIT_EXPECT_LE(test, dmio_mean_ns(&mean, SZ_1M), 4000000ULL);

	/* One that is out of proportion; what has changed for good */
	for (i = 0; i < 50; i++)
		dmio_mean_learn(&mean, SZ_1M, 1000000);
	dmio_mean_learn(&mean, SZ_1M, U64_MAX);
	KUNIT_EXPECT_LE(test, dmio_mean_ns(&mean, SZ_1M), 2000000ULL);
	for (i = 0; i < 50; i++)
		dmio_mean_learn(&mean, SZ_1M, 100000000);
	KUNIT_EXPECT_GE(test, dmio_mean_ns(&mean, SZ_1M), 90000000ULL);
	for (i = 0; i < 80; i++)
		dmio_mean_learn(&mean, SZ_1M, 1000000);
	KUNIT_EXPECT_LE(test, dmio_mean_ns(&mean, SZ_1M), 1100000ULL);
	for (i = 0; i < 100; i++)
		dmio_mean_learn(&mean, SZ_1M, 0);
	KUNIT_EXPECT_GE(test, dmio_mean_ns(&mean, SZ_1M), 1ULL);
}

/* Sizes and functions do not mix; what is not known is guessed from the nearest */
static void rate_size_test(struct kunit *test)
{
	struct dmio_rates *rates = kunit_kzalloc(test, sizeof(*rates), GFP_KERNEL);
	u64 bytes;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rates);
	for (bytes = 1; bytes < 1ULL << 34; bytes *= 2) {
		struct dmio_rate *rate = dmio_rate_of(rates, DMOVERIO_FUNC_COPY, bytes);

		KUNIT_EXPECT_EQ(test, rate == dmio_rate_of(rates, DMOVERIO_FUNC_COPY, 2 * bytes),
				bytes < SZ_4K || bytes >= SZ_4M);
		KUNIT_EXPECT_PTR_EQ(test, rate, dmio_rate_of(rates, DMOVERIO_FUNC_COPY,
							     2 * bytes - 1));
		KUNIT_EXPECT_TRUE(test, rate != dmio_rate_of(rates, DMOVERIO_FUNC_XOR, bytes));
	}

	KUNIT_EXPECT_EQ(test, dmio_rates_guess(rates, DMOVERIO_FUNC_COPY, SZ_64K)->nr, 0U);
	dmio_mean_learn(&dmio_rate_of(rates, DMOVERIO_FUNC_COPY, SZ_8K)->elapsed, SZ_8K, 1000);
	dmio_mean_learn(&dmio_rate_of(rates, DMOVERIO_FUNC_COPY, SZ_1M)->elapsed, SZ_1M, 1000);
	for (bytes = 1; bytes < 1ULL << 34; bytes *= 2)
		KUNIT_EXPECT_PTR_EQ(test, dmio_rates_guess(rates, DMOVERIO_FUNC_COPY, bytes),
				    (const struct dmio_mean *)&dmio_rate_of(rates,
				    DMOVERIO_FUNC_COPY, bytes < SZ_128K ? SZ_8K : SZ_1M)->elapsed);
	KUNIT_EXPECT_EQ(test, dmio_rates_guess(rates, DMOVERIO_FUNC_XOR, SZ_8K)->nr, 0U);

	/* That one was refused is no guess for others */
	dmio_mean_refuse(&dmio_rate_of(rates, DMOVERIO_FUNC_COPY, SZ_32K)->elapsed, SZ_32K, 1);
	KUNIT_EXPECT_TRUE(test, dmio_rates_guess(rates, DMOVERIO_FUNC_COPY, SZ_32K)->refused);
	KUNIT_EXPECT_FALSE(test, dmio_rates_guess(rates, DMOVERIO_FUNC_COPY, SZ_64K)->refused);
}

/* -- DMA or the CPU */

/* How many of 1000 jobs of policy auto go by DMA */
static unsigned int by_dma(struct kunit *test, u64 len)
{
	struct rate_bench *bench = test->priv;

	run(test, 1000, 1, AUTO, len);
	return 1000 - bench->lane[0].nr;
}

/* Who is worth it, once both are known; with some tries of the other one */
static void rate_auto_test(struct kunit *test)
{
	static const struct {
		const char *weight;
		u64 len;
		u64 dma_ns;		/* for a MiB */
		u64 cpu_ns;
		bool dma;
		unsigned int most;	/* by the other one: the slower it is, the fewer */
	} cases[] = {
		{ "0", SZ_1M, 1000000, 1100000, true, 40 },
		{ "0", SZ_1M, 1100000, 1000000, false, 40 },
		{ "100", SZ_1M, 1800000, 1000000, true, 60 },
		{ "100", SZ_1M, 2200000, 1000000, false, 20 },
		{ "300", SZ_1M, 3800000, 1000000, true, 120 },
		{ "300", SZ_1M, 4200000, 1000000, false, 10 },
		{ "300", SZ_16K, 3800000, 1000000, true, 120 },
		{ "300", SZ_16K, 4200000, 1000000, false, 10 },
		{ "300", SZ_4M, 3000000, 1000000, true, 100 },
		{ "300", SZ_4M, 6000000, 1000000, false, 10 },
		{ "10000", SZ_1M, 20000000, 1000000, true, 400 },
		{ "4294967295", SZ_4K, 1000000000, 1000000, true, 501 },
	};
	struct rate_bench *bench = test->priv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lane *dma = add_channel(bench, 0, cases[i].dma_ns / SZ_1K);
		unsigned int nr;

		bench->lane[0].ns_per_kib = cases[i].cpu_ns / SZ_1K;
		fake_param_set(test, "cpu_time_weight", cases[i].weight);
		run(test, 40, 1, CPU, cases[i].len);
		run(test, 40, 1, REQUIRE, cases[i].len);
		nr = by_dma(test, cases[i].len);
		kunit_info(test, "case %zu: %u of 1000 by DMA\n", i, nr);
		if (cases[i].dma)
			nr = 1000 - nr;
		KUNIT_EXPECT_LE(test, nr, cases[i].most);
		fake_remove(dma->fake);
		bench->nr_lanes--;
	}
}

/* Until something is known, the threshold counts, but both are tried */
static void rate_unknown_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;

	/* Of both, far too slow to be tried again */
	bench->lane[0].ns_per_kib = 1000;
	add_channel(bench, 0, 100000);
	run(test, 15, 1, AUTO, SZ_16K);
	KUNIT_EXPECT_EQ(test, bench->lane[0].nr, 15U);
	run(test, 1, 1, AUTO, SZ_16K);
	KUNIT_EXPECT_EQ(test, bench->lane[1].nr, 1U);
	run(test, 1000, 1, AUTO, SZ_16K);
	KUNIT_EXPECT_LE(test, bench->lane[1].nr, 1U);

	run(test, 15, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_EQ(test, bench->lane[1].nr, 15U);
	run(test, 1, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_EQ(test, bench->lane[0].nr, 1U);
	run(test, 1000, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_LE(test, bench->lane[1].nr, 1U);

	/* For DMA, the smallest are not worth a try */
	run(test, 1000, 1, AUTO, SZ_4K - 1);
	KUNIT_EXPECT_EQ(test, bench->lane[1].nr, 0U);
}

/* What is not chosen is tried again: that costs little, and finds what has changed */
static void rate_try_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	struct lane *cpu = &bench->lane[0], *dma = add_channel(bench, 0, 20000);

	cpu->ns_per_kib = 1000;
	run(test, 40, 1, CPU, SZ_1M);
	run(test, 40, 1, REQUIRE, SZ_1M);
	run(test, 20000, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_GE(test, dma->nr, 20U);
	KUNIT_EXPECT_LE(test, dma->busy_ns, div_u64(cpu->busy_ns, 30));

	dma->ns_per_kib = 100;
	run(test, 20000, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_GE(test, dma->nr, 10000U);
	run(test, 1000, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_GE(test, dma->nr, 960U);
	KUNIT_EXPECT_LE(test, cpu->busy_ns, div_u64(dma->busy_ns, 20));
}

/* Small ones by the CPU, large ones by DMA, as one has the other's set-up time */
static void rate_break_even_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	unsigned int nr = 0, i;
	u64 len;

	fake_param_set(test, "cpu_time_weight", "0");
	bench->lane[0].ns_per_kib = 1000;
	add_channel(bench, 100000, 100);
	for (i = 0; i < 4; i++)
		for (len = SZ_4K; len <= SZ_2M; len *= 2)
			run(test, 64, 1, AUTO, len);
	for (len = SZ_4K; len <= SZ_2M; len *= 2) {
		nr = by_dma(test, len);
		/* 111 KiB take both as long */
		KUNIT_EXPECT_EQ_MSG(test, nr > 500, len > 111 * SZ_1K, "%llu: %u", len, nr);
	}
}

/* DMA is better, but it is not left to it alone when it has too much to do */
static void rate_spill_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;

	fake_param_set(test, "cpu_time_weight", "100");
	bench->lane[0].ns_per_kib = 1000;
	add_channel(bench, 0, 1000);
	run(test, 40, 1, CPU, SZ_1M);
	run(test, 40, 1, REQUIRE, SZ_1M);
	run(test, 1000, 1, AUTO, SZ_1M);
	KUNIT_EXPECT_GE(test, bench->lane[1].nr, 960U);
	run(test, 1000, 32, AUTO, SZ_1M);
	KUNIT_EXPECT_GE(test, bench->lane[0].nr, 300U);
	KUNIT_EXPECT_GE(test, bench->lane[1].nr, 300U);
}

/* -- channels */

/* One is four times as fast: it does four times as much, or all of little */
static void rate_channels_test(struct kunit *test)
{
	static const u64 lens[] = { SZ_4K, SZ_64K, SZ_2M };
	struct rate_bench *bench = test->priv;
	struct lane *fast = add_channel(bench, 1000, 1000), *slow = add_channel(bench, 4000, 4000);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		run(test, 64, 32, REQUIRE, lens[i]);
		run(test, 1000, 1, REQUIRE, lens[i]);
		KUNIT_EXPECT_LE(test, slow->nr, 16U);
		run(test, 1000, 32, REQUIRE, lens[i]);
		kunit_info(test, "%llu bytes: %u of 1000 by the slow one\n", lens[i], slow->nr);
		KUNIT_EXPECT_GE(test, fast->nr, 750U);
		KUNIT_EXPECT_GE(test, slow->nr, 150U);
	}
}

/* One that is much too slow is not waited for, and one that was slow once is used again */
static void rate_slow_channel_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	struct lane *fast = add_channel(bench, 0, 1000), *slow = add_channel(bench, 0, 100000);
	u64 before;

	run(test, 64, 8, REQUIRE, SZ_1M);
	before = fake_now;
	run(test, 800, 8, REQUIRE, SZ_1M);
	KUNIT_EXPECT_LE(test, slow->nr, 1U);
	KUNIT_EXPECT_LE(test, fake_now - before, 810 * takes(fast, SZ_1M) + takes(slow, SZ_1M));

	slow->ns_per_kib = 1000;
	run(test, 20000, 8, REQUIRE, SZ_1M);
	run(test, 1000, 8, REQUIRE, SZ_1M);
	KUNIT_EXPECT_GE(test, slow->nr, 400U);
}

/* One that is slow, as far as that is known, is not tried at each size */
static void rate_unknown_size_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	struct lane *fast = add_channel(bench, 0, 10000), *slow = add_channel(bench, 0, 100000);

	bench->lane[0].ns_per_kib = 1000;
	run(test, 40, 1, CPU, SZ_16K);
	run(test, 64, 8, REQUIRE, SZ_64K);
	KUNIT_ASSERT_GT(test, slow->nr, 0U);
	run(test, 1, 1, REQUIRE, SZ_16K);
	KUNIT_ASSERT_EQ(test, fast->nr, 1U);
	KUNIT_EXPECT_LE(test, by_dma(test, SZ_16K), 10U);
}

/* Of those done at once few are timed, but the first of a size is */
static void rate_at_once_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	struct fake_job *fj = bench->job;
	unsigned int i;
	u64 len;

	bench->lane[0].ns_per_kib = 1000;
	for (i = 0; i < 4; i++) {
		len = SZ_4K << i;
		fake_job_init(fj, AUTO, len);
		fj->job.flow = &bench->flow;
		dmio_sched_submit(&fj->job, true);
		KUNIT_ASSERT_TRUE(test, pass(bench));
		KUNIT_EXPECT_EQ(test, 1U, dmio_rate_of(&dmio_engine_cpu.rates, DMOVERIO_FUNC_COPY,
						       2 * len)->elapsed.nr);
	}
}

/* Where one job takes long, the next can wait where it can still be overtaken */
static void rate_held_test(struct kunit *test)
{
	static const struct {
		u64 ns;		/* for a MiB */
		unsigned int nr;
	} cases[] = { { 1000000, 2 }, { 9000000, 2 }, { 11000000, 1 }, { 900000000, 1 } };
	struct rate_bench *bench = test->priv;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lane *dma = add_channel(bench, 0, cases[i].ns / SZ_1K);

		run(test, 20, 1, REQUIRE, SZ_1M);
		dma->fake->nr_jobs = 0;
		for (k = 0; k < 8; k++) {
			fake_job_init(&bench->job[k], REQUIRE, SZ_1M);
			bench->job[k].job.flow = &bench->flow;
			dmio_sched_submit(&bench->job[k].job, false);
		}
		KUNIT_EXPECT_EQ(test, dma->fake->nr_jobs, cases[i].nr);
		while (pass(bench))
			;
		KUNIT_EXPECT_EQ(test, dma->fake->nr_jobs, 8U);
		fake_remove(dma->fake);
		bench->nr_lanes--;
	}
}

static void rate_off_test(struct kunit *test)
{
	struct rate_bench *bench = test->priv;
	struct lane *dma = add_channel(bench, 0, 1000000);

	fake_param_expect(test, "learn", "Y\n");
	fake_param_expect(test, "cpu_time_weight", "300\n");
	fake_param_set(test, "learn", "0");
	run(test, 100, 1, AUTO, SZ_64K);
	KUNIT_EXPECT_EQ(test, dma->nr, 100U);
	run(test, 100, 1, AUTO, SZ_64K - 1);
	KUNIT_EXPECT_EQ(test, dma->nr, 0U);
}

static struct kunit_case rate_cases[] = {
	KUNIT_CASE(rate_mean_test),
	KUNIT_CASE(rate_mean_follows_test),
	KUNIT_CASE(rate_size_test),
	KUNIT_CASE(rate_auto_test),
	KUNIT_CASE(rate_unknown_test),
	KUNIT_CASE(rate_try_test),
	KUNIT_CASE(rate_break_even_test),
	KUNIT_CASE(rate_spill_test),
	KUNIT_CASE(rate_channels_test),
	KUNIT_CASE(rate_slow_channel_test),
	KUNIT_CASE(rate_unknown_size_test),
	KUNIT_CASE(rate_at_once_test),
	KUNIT_CASE(rate_held_test),
	KUNIT_CASE(rate_off_test),
	{}
};

static struct kunit_suite rate_suite = {
	.name = "dmoverio-sched-rate",
	.init = rate_init,
	.exit = rate_exit,
	.test_cases = rate_cases,
};

kunit_test_suite(rate_suite);
