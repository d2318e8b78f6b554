// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that are there but do nothing: they refuse jobs, or are stuck.  Who does
 * their jobs then, and how often are they given more?  Time is the tests' own.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include "../../module/rate.h"
#include "../../module/sched.h"
#include "fake.h"

#define CPU		DMOVERIO_POLICY_CPU
#define AUTO		DMOVERIO_POLICY_AUTO
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_CHANNELS	2
#define LEN		SZ_1M
#define MS		((u64)NSEC_PER_MSEC)

/**
 * struct shun_bench - what the cases of this suite work with
 * @dma: channels
 * @nr: how many are in use
 * @dma_ns: how long a job takes each
 * @cpu_ns: ... and the CPU
 * @fj: a job
 */
struct shun_bench {
	struct fake dma[NR_CHANNELS];
	unsigned int nr;
	u64 dma_ns[NR_CHANNELS];
	u64 cpu_ns;
	struct fake_job fj;
};

static int shun_init(struct kunit *test)
{
	struct shun_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_cpu.holds = true;
	bench->cpu_ns = MS;
	fake_now = 1;
	return 0;
}

static void shun_exit(struct kunit *test)
{
	struct shun_bench *bench = test->priv;

	if (!bench)
		return;
	while (bench->nr)
		fake_remove(&bench->dma[--bench->nr]);
	fakes_stop(test);
	kvfree(bench);
}

static struct fake *add_channel(struct shun_bench *bench, u64 ns)
{
	struct fake *dma = &bench->dma[bench->nr];

	dma->holds = true;
	bench->dma_ns[bench->nr++] = ns;
	fake_add(dma);
	fake_settle();
	return dma;
}

static void refuse(struct fake *dma, bool refuses)
{
	dma->error = refuses ? -EIO : 0;
	dma->reason = refuses ? DMIO_REASON_BUSY : DMIO_REASON_NONE;
}

/* Whoever has the job is done with it */
static void pass(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	unsigned int i;

	for (i = 0; i < bench->nr; i++)
		if (fake_first(&bench->dma[i])) {
			fake_now += bench->dma_ns[i];
			fake_finish(&bench->dma[i], &bench->fj.job);
			return;
		}
	KUNIT_ASSERT_NOT_NULL(test, fake_first(&fake_cpu));
	fake_now += bench->cpu_ns;
	fake_cpu.busy_ns = bench->cpu_ns;
	fake_finish(&fake_cpu, &bench->fj.job);
}

/* So many jobs, one after the other */
static void run(struct kunit *test, unsigned int nr, u32 policy)
{
	struct shun_bench *bench = test->priv;
	unsigned int i;

	for (i = 0; i < bench->nr; i++)
		bench->dma[i].nr_jobs = 0;
	fake_cpu.nr_jobs = 0;
	while (nr--) {
		fake_job_submit(&bench->fj, policy, LEN);
		while (!fake_is_done(&bench->fj))
			pass(test);
		KUNIT_ASSERT_EQ(test, bench->fj.job.error, 0);
	}
}

/* -- refused */

/* Each time twice as long; the first that is done makes up for it */
static void shun_mean_test(struct kunit *test)
{
	struct dmio_mean mean = { };
	u64 before = 0, now;
	unsigned int i;

	for (i = 0; i < 40; i++) {
		dmio_mean_refuse(&mean, SZ_1M, 1);
		now = dmio_mean_ns(&mean, SZ_1M);
		KUNIT_EXPECT_GE(test, now, min(2 * before, 990 * MS));
		KUNIT_EXPECT_LE(test, now, 1000 * MS);
		before = now;
	}
	dmio_mean_learn(&mean, SZ_1M, MS);
	KUNIT_EXPECT_LE(test, dmio_mean_ns(&mean, SZ_1M), MS);

	/* It took long to say no; what takes longer anyhow does not become better */
	dmio_mean_refuse(&mean, SZ_1M, 50 * MS);
	KUNIT_EXPECT_GE(test, dmio_mean_ns(&mean, SZ_1M), 49 * MS);
	dmio_mean_learn(&mean, SZ_1M, 5000 * MS);
	dmio_mean_refuse(&mean, SZ_1M, 1);
	KUNIT_EXPECT_GE(test, dmio_mean_ns(&mean, SZ_1M), 4950 * MS);
}

/* The CPU does it all, and the channel is asked less and less often; until it can */
static void shun_refused_auto_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *dma = add_channel(bench, MS / 10);

	refuse(dma, true);
	run(test, 20000, AUTO);
	kunit_info(test, "%u of 20000 in vain\n", dma->nr_jobs);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 20000U);
	KUNIT_EXPECT_GE(test, dma->nr_jobs, 4U);
	KUNIT_EXPECT_LE(test, dma->nr_jobs, 16U);

	refuse(dma, false);
	run(test, 40000, AUTO);
	run(test, 1000, AUTO);
	KUNIT_EXPECT_GE(test, dma->nr_jobs, 960U);
}

/* Another channel does it, at once; the one that refuses need not be new */
static void shun_refused_channel_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *fast = add_channel(bench, MS / 10), *other = add_channel(bench, MS);

	refuse(fast, true);
	run(test, 20000, REQUIRE);
	kunit_info(test, "%u of 20000 in vain\n", fast->nr_jobs);
	KUNIT_EXPECT_EQ(test, other->nr_jobs, 20000U);
	KUNIT_EXPECT_LE(test, fast->nr_jobs, 16U);

	refuse(fast, false);
	run(test, 40000, REQUIRE);
	run(test, 1000, REQUIRE);
	KUNIT_EXPECT_GE(test, fast->nr_jobs, 960U);

	refuse(fast, true);
	run(test, 20000, REQUIRE);
	KUNIT_EXPECT_EQ(test, other->nr_jobs, 20000U);
	KUNIT_EXPECT_LE(test, fast->nr_jobs, 20U);
}

static struct kunit_case shun_cases[] = {
	KUNIT_CASE(shun_mean_test),
	KUNIT_CASE(shun_refused_auto_test),
	KUNIT_CASE(shun_refused_channel_test),
	{}
};

static struct kunit_suite shun_suite = {
	.name = "dmoverio-sched-shun",
	.init = shun_init,
	.exit = shun_exit,
	.test_cases = shun_cases,
};

kunit_test_suite(shun_suite);
