// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that fail: who does their jobs then, which of them get more, and what
 * becomes of jobs whose memory they keep.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/jiffies.h>

#include "../../module/engine_cpu.h"
#include "../../module/engines.h"
#include "../../module/sched.h"
#include "fake.h"

#define AUTO		DMOVERIO_POLICY_AUTO
#define PREFER		DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_ENGINES	3
#define LEN		1000000ULL
#define PAGES		245UL

/**
 * struct fail_bench - what the cases of this suite work with
 * @dma: engines, to be added if they are wanted
 * @fj: a job
 * @nr_parked: how often it was parked
 */
struct fail_bench {
	struct fake dma[NR_ENGINES];
	struct fake_job fj;
	unsigned int nr_parked;
};

static int fail_init(struct kunit *test)
{
	struct fail_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	return 0;
}

static void fail_exit(struct kunit *test)
{
	if (test->priv)
		fakes_stop(test);
}

/* Who does a job again that the first of some engines gives back */
static const struct {
	const char *what;
	unsigned int nr_engines;	/* all of which give it back */
	u32 policy;
	enum dmio_reason reason;
	int error;
	unsigned int nr_tries[NR_ENGINES], nr_cpu;
	int result;
} again[] = {
	{ "one", 1, PREFER, DMIO_REASON_ERROR, -EIO, { 1 }, 1, 0 },
	{ "one, hung", 1, AUTO, DMIO_REASON_HANG, -ETIMEDOUT, { 1 }, 1, 0 },
	{ "one, required", 1, REQUIRE, DMIO_REASON_HANG, -ETIMEDOUT, { 1 }, 0, -ETIMEDOUT },
	{ "one, removed, required", 1, REQUIRE, DMIO_REASON_REMOVED, -ENODEV, { 1 }, 0, -ENODEV },
	{ "two", 2, PREFER, DMIO_REASON_ERROR, -EIO, { 1, 1 }, 1, 0 },
	{ "two, removed", 2, AUTO, DMIO_REASON_REMOVED, -ENODEV, { 1, 1 }, 1, 0 },
	{ "two, required", 2, REQUIRE, DMIO_REASON_ERROR, -EIO, { 1, 1 }, 0, -EIO },
	{ "not all, one after the other", 3, PREFER, DMIO_REASON_HANG, -ETIMEDOUT, { 1, 1 }, 1, 0 },
	{ "two, refused", 2, PREFER, DMIO_REASON_MAPPING, -ENOMEM, { 1, 1 }, 1, 0 },
	{ "two, refused, required", 2, REQUIRE, DMIO_REASON_BUSY, -EIO, { 1, 1 }, 0, -EIO },
	{ "three, refused", 3, AUTO, DMIO_REASON_NO_CHANNEL, -EIO, { 1, 1 }, 1, 0 },
	{ "not to be done again", 2, PREFER, DMIO_REASON_NONE, -EIO, { 1, 0 }, 0, -EIO },
};

static void fail_again_test(struct kunit *test)
{
	struct fail_bench *bench = test->priv;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(again); i++) {
		kunit_info(test, "%s\n", again[i].what);
		fake_cpu.nr_jobs = 0;
		for (k = 0; k < again[i].nr_engines; k++) {
			bench->dma[k] = (struct fake){ .error = again[i].error,
						       .reason = again[i].reason };
			fake_add(&bench->dma[k]);
		}
		fake_job_submit(&bench->fj, again[i].policy, LEN);
		KUNIT_EXPECT_EQ(test, bench->fj.nr_done, 1U);
		KUNIT_EXPECT_EQ(test, bench->fj.job.error, again[i].result);
		KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, again[i].nr_cpu);
		for (k = 0; k < again[i].nr_engines; k++) {
			KUNIT_EXPECT_EQ(test, bench->dma[k].nr_jobs, again[i].nr_tries[k]);
			fake_remove(&bench->dma[k]);
		}
	}
}

/* The second try succeeds: it counts as done by DMA */
static void fail_second_try_test(struct kunit *test)
{
	struct fail_bench *bench = test->priv;
	struct dmoverio_engine info;

	bench->dma[0].error = -EIO;
	bench->dma[0].reason = DMIO_REASON_ERROR;
	fake_add(&bench->dma[0]);
	fake_add(&bench->dma[1]);
	fake_job_submit(&bench->fj, REQUIRE, LEN);
	KUNIT_EXPECT_EQ(test, bench->fj.job.error, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&bench->fj.stats.dma_bytes), (s64)LEN);
	info = fake_describe(test, &bench->dma[0].engine);
	KUNIT_EXPECT_EQ(test, info.errors, 1ULL);
	KUNIT_EXPECT_EQ(test, info.restarts, 1ULL);
	KUNIT_EXPECT_EQ(test, info.windows, 0ULL);
	info = fake_describe(test, &bench->dma[1].engine);
	KUNIT_EXPECT_EQ(test, info.windows, 1ULL);
	fake_remove(&bench->dma[0]);
	fake_remove(&bench->dma[1]);
}

/* Only an engine that is active gets jobs */
static void fail_state_test(struct kunit *test)
{
	struct fail_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct dmoverio_engine info;

	fake_add(dma);
	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_QUARANTINED, DMOVERIO_FAILED_ERRORS,
			     jiffies + 100 * HZ);
	info = fake_describe(test, &dma->engine);
	KUNIT_EXPECT_EQ(test, info.state, (u32)DMOVERIO_ENGINE_QUARANTINED);
	KUNIT_EXPECT_EQ(test, info.reason, (u32)DMOVERIO_FAILED_ERRORS);
	KUNIT_EXPECT_GT(test, info.retry_ms, 50000ULL);
	KUNIT_EXPECT_LE(test, info.retry_ms, 100000ULL);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));
	fake_job_submit(&bench->fj, PREFER, LEN);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 1U);
	fake_job_submit(&bench->fj, REQUIRE, LEN);
	KUNIT_EXPECT_EQ(test, bench->fj.job.error, -ENODEV);

	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_QUARANTINED, DMOVERIO_FAILED_HANG,
			     jiffies - 1);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dma->engine).retry_ms, 0ULL);
	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_DISABLED, DMOVERIO_FAILED_HANG, 0);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));

	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_ACTIVE, 0, 0);
	info = fake_describe(test, &dma->engine);
	KUNIT_EXPECT_EQ(test, info.reason, 0U);
	KUNIT_EXPECT_EQ(test, info.retry_ms, 0ULL);
	fake_job_submit(&bench->fj, REQUIRE, LEN);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 1U);

	/* What leaves does not come back by itself */
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, 0));
	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_ACTIVE, 0, 0);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));
	dmio_sched_set_state(&dma->engine, DMOVERIO_ENGINE_DISABLED, DMOVERIO_FAILED_HANG, 0);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dma->engine).state,
			(u32)DMOVERIO_ENGINE_LEAVING);
	/* ... but if it is told to */
	dmio_sched_stay(&dma->engine, DMOVERIO_ENGINE_DISABLED, DMOVERIO_FAILED_HANG);
	info = fake_describe(test, &dma->engine);
	KUNIT_EXPECT_EQ(test, info.state, (u32)DMOVERIO_ENGINE_DISABLED);
	KUNIT_EXPECT_EQ(test, info.reason, (u32)DMOVERIO_FAILED_HANG);
	dmio_sched_remove(&dma->engine);
}

static void count_parked(struct dmio_job *job)
{
	struct fake_job *fj = container_of(job, struct fake_job, job);
	struct fail_bench *bench = container_of(fj, struct fail_bench, fj);

	bench->nr_parked++;
}

/* A parked job has failed; it is not waited for, nor done again */
static void fail_park_test(struct kunit *test)
{
	struct fail_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct fake_job *fj = &bench->fj;
	struct dmoverio_engine info;

	dma->holds = true;
	fake_add(dma);
	fake_add(&bench->dma[1]);
	bench->dma[1].cannot = true;
	fake_job_init(fj, PREFER, LEN);
	fj->job.nr_pages = PAGES;
	fj->job.park = count_parked;
	dmio_sched_submit(&fj->job, false);
	bench->dma[1].cannot = false;
	KUNIT_EXPECT_FALSE(test, dmio_sched_drain(0));

	dmio_job_park(&fj->job);
	KUNIT_EXPECT_EQ(test, bench->nr_parked, 1U);
	KUNIT_EXPECT_EQ(test, fj->nr_done, 0U);
	info = fake_describe(test, &dma->engine);
	KUNIT_EXPECT_EQ(test, info.parked_pages, (u64)PAGES);
	KUNIT_EXPECT_TRUE(test, dmio_engines_have_parked());
	KUNIT_EXPECT_EQ(test, info.queued_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, info.errors, 1ULL);
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, 0));

	dma->error = -ETIMEDOUT;
	dma->reason = DMIO_REASON_HANG;
	fake_finish(dma, &fj->job);
	KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
	KUNIT_EXPECT_EQ(test, fj->job.error, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 0U);
	KUNIT_EXPECT_EQ(test, bench->dma[1].nr_jobs, 0U);
	info = fake_describe(test, &dma->engine);
	KUNIT_EXPECT_EQ(test, info.parked_pages, 0ULL);
	KUNIT_EXPECT_FALSE(test, dmio_engines_have_parked());
	KUNIT_EXPECT_EQ(test, info.errors, 1ULL);
	KUNIT_EXPECT_EQ(test, info.restarts, 0ULL);
	dmio_sched_remove(&dma->engine);
	fake_remove(&bench->dma[1]);
}

static struct kunit_case fail_cases[] = {
	KUNIT_CASE(fail_again_test),
	KUNIT_CASE(fail_second_try_test),
	KUNIT_CASE(fail_state_test),
	KUNIT_CASE(fail_park_test),
	{}
};

static struct kunit_suite fail_suite = {
	.name = "dmoverio-sched-fail",
	.init = fail_init,
	.exit = fail_exit,
	.test_cases = fail_cases,
};

kunit_test_suite(fail_suite);
