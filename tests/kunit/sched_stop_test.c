// SPDX-License-Identifier: GPL-2.0
/*
 * The machine goes down: no DMA any more, and what is under way is waited for.
 */
#include <kunit/test.h>
#include <linux/sizes.h>

#include "../../module/sched.h"
#include "fake.h"

#define BYTES		SZ_4K

#define NR_JOBS		4

/**
 * struct stop_bench - what the cases of this suite work with
 * @dma: an engine
 * @other: another
 * @job: jobs
 */
struct stop_bench {
	struct fake dma;
	struct fake other;
	struct fake_job job[NR_JOBS];
};

static int stop_init(struct kunit *test)
{
	struct stop_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	return 0;
}

static void stop_exit(struct kunit *test)
{
	fake_start_dma();
	if (test->priv)
		fakes_stop(test);
}

/* What comes then is the CPU's, or fails if that is not allowed */
static void expect_stopped(struct kunit *test, struct fake *dma)
{
	static const u32 policies[] = { DMOVERIO_POLICY_AUTO, DMOVERIO_POLICY_PREFER_DMA };
	unsigned int had = dma->nr_jobs, i;
	struct fake_job fj;

	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		fake_job_submit(&fj, policies[i], SZ_1M);
		KUNIT_EXPECT_EQ(test, fj.nr_done, 1U);
		KUNIT_EXPECT_EQ(test, fj.job.error, 0);
		KUNIT_EXPECT_EQ(test, (int)fj.job.reason, (int)DMIO_REASON_NO_CHANNEL);
		KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, policies[i]));
	}
	fake_job_submit(&fj, DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	KUNIT_EXPECT_EQ(test, fj.nr_done, 1U);
	KUNIT_EXPECT_EQ(test, fj.job.error, -ENODEV);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, DMOVERIO_POLICY_REQUIRE_DMA));
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, had);
}

static void stop_idle_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;

	fake_add(&bench->dma);
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, DMOVERIO_POLICY_REQUIRE_DMA));
	fake_job_submit(&bench->job[0], DMOVERIO_POLICY_PREFER_DMA, BYTES);
	KUNIT_EXPECT_EQ(test, bench->dma.nr_jobs, 1U);
	dmio_sched_stop_dma();
	expect_stopped(test, &bench->dma);
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	/* Nor does a channel that comes late */
	fake_add(&bench->other);
	expect_stopped(test, &bench->other);
	dmio_sched_stop_dma();
	expect_stopped(test, &bench->dma);
	fake_remove(&bench->other);
	fake_remove(&bench->dma);
}

/* What engines have they keep, and it is waited for, all of it */
static void stop_busy_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *fakes[] = { &bench->dma, &bench->other };
	static const u8 order[NR_JOBS] = { 1, 3, 0, 2 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fakes); i++) {
		fakes[i]->holds = true;
		fake_add(fakes[i]);
	}
	for (i = 0; i < NR_JOBS; i++)
		fake_job_submit(&bench->job[i], DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	KUNIT_EXPECT_EQ(test, bench->dma.nr_jobs, 2U);
	KUNIT_EXPECT_EQ(test, bench->other.nr_jobs, 2U);
	dmio_sched_stop_dma();
	/* First all of one, then all of the other */
	for (i = 0; i < NR_JOBS; i++) {
		struct fake_job *fj = &bench->job[order[i]];

		expect_stopped(test, &bench->dma);
		KUNIT_EXPECT_FALSE(test, dmio_sched_drain(i % 2));
		KUNIT_EXPECT_EQ(test, fj->nr_done, 0U);
		fake_finish(fakes[fj->job.engine == &bench->other.engine], &fj->job);
		KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
		KUNIT_EXPECT_EQ(test, fj->job.error, 0);
	}
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	fake_remove(&bench->other);
	fake_remove(&bench->dma);
}

/* What fails is done again by the CPU, for which nobody waits */
static void stop_restart_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *dma = &bench->dma;

	dma->holds = true;
	dma->error = -EIO;
	dma->reason = DMIO_REASON_ERROR;
	fake_add(dma);
	fake_job_submit(&bench->job[0], DMOVERIO_POLICY_PREFER_DMA, BYTES);
	dmio_sched_stop_dma();
	KUNIT_EXPECT_FALSE(test, dmio_sched_drain(0));
	fake_cpu.holds = true;
	fake_finish(dma, &bench->job[0].job);
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 0U);
	fake_finish(&fake_cpu, &bench->job[0].job);
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 1U);
	KUNIT_EXPECT_EQ(test, bench->job[0].job.error, 0);
	fake_remove(dma);
}

static struct kunit_case stop_cases[] = {
	KUNIT_CASE(stop_idle_test),
	KUNIT_CASE(stop_busy_test),
	KUNIT_CASE(stop_restart_test),
	{}
};

static struct kunit_suite stop_suite = {
	.name = "dmoverio-sched-stop",
	.init = stop_init,
	.exit = stop_exit,
	.test_cases = stop_cases,
};

kunit_test_suite(stop_suite);
