// SPDX-License-Identifier: GPL-2.0
/*
 * The machine goes down, or sleeps: no DMA any more, or for a while, and what is under
 * way is waited for.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../../module/dispatch.h"
#include "../../module/sched.h"
#include "fake.h"

#define BYTES		SZ_4K

#define NR_JOBS		4

/* More than the scheduler's worker takes care of at once */
#define NR_MANY		600

/**
 * struct stop_bench - what the cases of this suite work with
 * @dma: an engine
 * @other: another
 * @job: jobs
 * @many: more of them
 */
struct stop_bench {
	struct fake dma;
	struct fake other;
	struct fake_job job[NR_JOBS];
	struct fake_job many[NR_MANY];
};

static int stop_init(struct kunit *test)
{
	struct stop_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	return 0;
}

static void stop_exit(struct kunit *test)
{
	fake_start_dma();
	if (!test->priv)
		return;
	fakes_stop(test);
	kvfree(test->priv);
}

static void ignore(struct dmio_job *job)
{
}

/* What comes then is the CPU's, or fails if that is not allowed */
static void expect_stopped(struct kunit *test, struct fake *dma)
{
	static const u32 policies[] = { DMOVERIO_POLICY_AUTO, DMOVERIO_POLICY_PREFER_DMA };
	unsigned int had = dma->nr_jobs, i;
	struct fake_job fj;

	/* The worker must not take it from under our hands */
	fake_settle();
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

/* However many wait, all are told */
static void stop_many_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	unsigned int i;

	dma->holds = true;
	fake_add(dma);
	for (i = 0; i < NR_MANY; i++)
		fake_job_submit(&bench->many[i], DMOVERIO_POLICY_REQUIRE_DMA, SZ_1M);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	dmio_sched_stop_dma();
	fake_settle();
	for (i = 2; i < NR_MANY; i++) {
		KUNIT_EXPECT_EQ(test, bench->many[i].nr_done, 1U);
		KUNIT_EXPECT_EQ(test, bench->many[i].job.error, -ENODEV);
	}
	fake_finish_all(dma);
	fake_remove(dma);
}

/* Whoever looks for a job finds that nobody can do it any more, and has it told */
static void stop_found_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	unsigned int i;

	dma->holds = true;
	fake_add(dma);
	bench->other.cannot = true;
	fake_add(&bench->other);
	for (i = 0; i < 3; i++)
		fake_job_submit(&bench->job[i], DMOVERIO_POLICY_REQUIRE_DMA, SZ_1M);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	/* Nor does the scheduler's worker know yet */
	dma->cannot = true;
	dmio_dispatch();
	fake_settle();
	KUNIT_EXPECT_EQ(test, bench->job[2].nr_done, 1U);
	KUNIT_EXPECT_EQ(test, bench->job[2].job.error, -ENODEV);
	for (i = 0; i < 2; i++)
		fake_finish(dma, &bench->job[i].job);
	fake_remove(&bench->other);
	fake_remove(dma);
}

/* What does not come to its end while the machine goes down is told, and what may not */
static void stop_shutdown_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	struct fake_job *fj = &bench->job[0];

	dma->holds = true;
	fake_add(dma);
	fake_job_init(fj, DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	fj->job.nr_pages = 1;
	fj->job.park = ignore;
	dmio_sched_submit(&fj->job, false);
	KUNIT_EXPECT_FALSE(test, dmio_sched_is_stopped());
	KUNIT_EXPECT_EQ(test, fake_shutdown(), 1U);
	KUNIT_EXPECT_TRUE(test, dmio_sched_is_stopped());
	expect_stopped(test, dma);
	dmio_job_park(&fj->job);
	KUNIT_EXPECT_EQ(test, fake_shutdown(), 1U);
	fake_finish(dma, &fj->job);
	KUNIT_EXPECT_EQ(test, fake_shutdown(), 0U);
	fake_remove(dma);
}

/* Jobs wait until it is awake again; and no longer than that, if it did not sleep */
static void stop_suspend_test(struct kunit *test)
{
	struct stop_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	unsigned int i;

	dma->holds = true;
	fake_add(dma);
	fake_job_submit(&bench->job[0], DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	KUNIT_EXPECT_EQ(test, fake_suspend(), -EBUSY);
	fake_settle();
	fake_job_submit(&bench->job[1], DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	for (i = 0; i < 2; i++)
		fake_finish(dma, &bench->job[i].job);

	KUNIT_EXPECT_EQ(test, fake_suspend(), 0);
	fake_job_submit(&bench->job[2], DMOVERIO_POLICY_REQUIRE_DMA, BYTES);
	fake_settle();
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	KUNIT_EXPECT_EQ(test, fake_resume(), 0);
	fake_settle();
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 3U);
	fake_finish(dma, &bench->job[2].job);
	fake_remove(dma);
}

static struct kunit_case stop_cases[] = {
	KUNIT_CASE(stop_idle_test),
	KUNIT_CASE(stop_busy_test),
	KUNIT_CASE(stop_restart_test),
	KUNIT_CASE(stop_many_test),
	KUNIT_CASE(stop_found_test),
	KUNIT_CASE(stop_shutdown_test),
	KUNIT_CASE(stop_suspend_test),
	{}
};

static struct kunit_suite stop_suite = {
	.name = "dmoverio-sched-stop",
	.init = stop_init,
	.exit = stop_exit,
	.test_cases = stop_cases,
};

kunit_test_suite(stop_suite);
