// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a job that an engine gives back, what is counted, and what a
 * user is told of it.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "../../module/engine_cpu.h"
#include "../../module/engines.h"
#include "../../module/sched.h"
#include "fake.h"

#define CPU		DMOVERIO_POLICY_CPU
#define AUTO		DMOVERIO_POLICY_AUTO
#define PREFER		DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_ENGINES	3
#define NR_JOBS		2
#define LEN		1000000ULL

/**
 * struct count_bench - what the cases of this suite work with
 * @dma: engines, to be added if they are wanted
 * @job: jobs
 */
struct count_bench {
	struct fake dma[NR_ENGINES];
	struct fake_job job[NR_JOBS];
};

static int count_init(struct kunit *test)
{
	struct count_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_param_set(test, "learn", "0");
	return 0;
}

static void count_exit(struct kunit *test)
{
	if (test->priv)
		fakes_stop(test);
}

/* How a DMA engine may end a job, and what comes of it */
static const struct {
	const char *what;
	u32 policy;
	int error;
	enum dmio_reason reason;
	u64 edge_bytes;
	bool again;			/* the CPU does it */
	u64 windows, bytes, edges;	/* counted for the engine */
	u64 errors, restarts;
} endings[] = {
	{ "done", AUTO, .windows = 1, .bytes = LEN },
	{ "done, required", REQUIRE, .windows = 1, .bytes = LEN },
	{ "done but for the edges", PREFER, .edge_bytes = 7, .windows = 1, .bytes = LEN - 7,
	  .edges = 7 },
	{ "all of it edges", REQUIRE, .edge_bytes = LEN, .windows = 1, .edges = LEN },
	{ "failed, not to be done again", PREFER, .error = -EIO, .errors = 1 },
	{ "failed, required", REQUIRE, .error = -EIO, .reason = DMIO_REASON_ERROR, .errors = 1 },
	{ "failed", PREFER, .error = -EIO, .reason = DMIO_REASON_ERROR, .edge_bytes = 7,
	  .again = true, .errors = 1, .restarts = 1 },
	{ "failed, auto", AUTO, .error = -EIO, .reason = DMIO_REASON_ERROR, .again = true,
	  .errors = 1, .restarts = 1 },
	{ "not mapped", PREFER, .error = -ENOMEM, .reason = DMIO_REASON_MAPPING, .again = true,
	  .restarts = 1 },
	{ "not mapped, required", REQUIRE, .error = -ENOMEM, .reason = DMIO_REASON_MAPPING,
	  .errors = 1 },
	{ "busy", AUTO, .error = -EIO, .reason = DMIO_REASON_BUSY, .again = true, .restarts = 1 },
	{ "removed", PREFER, .error = -EIO, .reason = DMIO_REASON_REMOVED, .again = true,
	  .restarts = 1 },
	{ "cancelled", PREFER, .error = -ECANCELED },
	{ "cancelled, required", REQUIRE, .error = -ECANCELED, .reason = DMIO_REASON_ERROR },
	{ "cancelled, by mistake", PREFER, .error = -ECANCELED, .reason = DMIO_REASON_ERROR,
	  .again = true, .restarts = 1 },
};

static void expect_counters(struct kunit *test, const struct dmio_engine *engine, u64 windows,
			    u64 bytes, u64 edges, u64 errors, u64 restarts)
{
	struct dmoverio_engine info = fake_describe(test, engine);

	KUNIT_EXPECT_EQ(test, info.windows, windows);
	KUNIT_EXPECT_EQ(test, info.bytes, bytes);
	KUNIT_EXPECT_EQ(test, info.edge_bytes, edges);
	KUNIT_EXPECT_EQ(test, info.errors, errors);
	KUNIT_EXPECT_EQ(test, info.restarts, restarts);
	KUNIT_EXPECT_EQ(test, info.queued_bytes, 0ULL);
}

/* All that was counted: by DMA, at its edges, by the CPU for a reason */
static void expect_stats(struct kunit *test, const struct dmio_stats *stats, u64 dma, u64 edges,
			 enum dmio_reason reason, u64 cpu)
{
	struct dmio_stats wanted = { };

	atomic64_set(&wanted.dma_bytes, dma);
	atomic64_set(&wanted.edge_bytes, edges);
	atomic64_set(&wanted.cpu_bytes[reason], cpu);
	KUNIT_EXPECT_EQ(test, memcmp(stats, &wanted, sizeof(wanted)), 0);
}

static void count_ending_test(struct kunit *test)
{
	struct count_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct fake_job *fj = &bench->job[0];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		struct dmoverio_engine cpu;
		bool again = endings[i].again;

		kunit_info(test, "%s\n", endings[i].what);
		cpu = fake_describe(test, &dmio_engine_cpu);
		fake_cpu.nr_jobs = 0;
		*dma = (struct fake){ .error = endings[i].error, .reason = endings[i].reason,
				      .edge_bytes = endings[i].edge_bytes };
		fake_add(dma);
		fake_job_init(fj, endings[i].policy, LEN);
		dmio_sched_submit(&fj->job, true);

		KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
		KUNIT_EXPECT_EQ(test, fj->job.error, again ? 0 : endings[i].error);
		KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, (unsigned int)again);
		KUNIT_EXPECT_FALSE(test, fake_cpu.may_run);
		expect_counters(test, &dma->engine, endings[i].windows, endings[i].bytes,
				endings[i].edges, endings[i].errors, endings[i].restarts);
		expect_counters(test, &dmio_engine_cpu, cpu.windows + again,
				cpu.bytes + (again ? LEN : 0), 0, 0, 0);
		expect_stats(test, &fj->stats, endings[i].bytes, endings[i].edges,
			     endings[i].reason, again ? LEN : 0);
		fake_remove(dma);
	}
}

/* Nobody does what the CPU fails to do */
static void count_cpu_failure_test(struct kunit *test)
{
	struct count_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct fake_job *fj = bench->job;

	fake_cpu.error = -EIO;
	fake_job_submit(&fj[0], CPU, LEN);
	KUNIT_EXPECT_EQ(test, fj[0].job.error, -EIO);
	KUNIT_EXPECT_EQ(test, fj[0].nr_done, 1U);
	expect_stats(test, &fj[0].stats, 0, 0, DMIO_REASON_NONE, 0);
	expect_counters(test, &dmio_engine_cpu, 0, 0, 0, 1, 0);

	dma->error = -EIO;
	dma->reason = DMIO_REASON_BUSY;
	fake_add(dma);
	fake_job_submit(&fj[1], PREFER, LEN);
	KUNIT_EXPECT_EQ(test, fj[1].job.error, -EIO);
	KUNIT_EXPECT_EQ(test, fj[1].nr_done, 1U);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 2U);
	expect_stats(test, &fj[1].stats, 0, 0, DMIO_REASON_NONE, 0);
	expect_counters(test, &dmio_engine_cpu, 0, 0, 0, 2, 0);
	expect_counters(test, &dma->engine, 0, 0, 0, 0, 1);
	fake_remove(dma);
}

/* Whose bytes they are while it is not done: the engine's, then the CPU's */
static void count_queued_test(struct kunit *test)
{
	struct count_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct fake_job *fj = &bench->job[0];

	dma->holds = true;
	dma->error = -EIO;
	dma->reason = DMIO_REASON_ERROR;
	fake_cpu.holds = true;
	fake_add(dma);
	fake_job_submit(fj, PREFER, LEN);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dma->engine).queued_bytes, LEN);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dmio_engine_cpu).queued_bytes, 0ULL);
	fake_finish(dma, &fj->job);
	KUNIT_EXPECT_EQ(test, fj->nr_done, 0U);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dma->engine).queued_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dmio_engine_cpu).queued_bytes, LEN);
	fake_finish(&fake_cpu, &fj->job);
	KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &dmio_engine_cpu).queued_bytes, 0ULL);
	fake_remove(dma);
}

/* Engines are listed in the order in which they came */
static void count_describe_test(struct kunit *test)
{
	struct count_bench *bench = test->priv;
	struct dmoverio_engine info = { };
	unsigned int i, index;

	for (i = 0; i < NR_ENGINES; i++)
		fake_add(&bench->dma[i]);
	for (i = 0; i <= NR_ENGINES; i++) {
		index = i;
		KUNIT_EXPECT_TRUE(test, dmio_engines_describe(&index, &info));
		KUNIT_EXPECT_EQ(test, info.id, i ? bench->dma[i - 1].engine.id : 1);
		KUNIT_EXPECT_EQ(test, info.state, (u32)DMOVERIO_ENGINE_ACTIVE);
		KUNIT_EXPECT_STREQ(test, info.name, "fake");
	}
	index = NR_ENGINES + 1;
	KUNIT_EXPECT_FALSE(test, dmio_engines_describe(&index, &info));
	KUNIT_EXPECT_EQ(test, index, 0U);
	index = NR_ENGINES + 11;
	KUNIT_EXPECT_FALSE(test, dmio_engines_describe(&index, &info));
	KUNIT_EXPECT_EQ(test, index, 10U);

	dmio_sched_leave(&bench->dma[1].engine, 0);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &bench->dma[1].engine).state,
			(u32)DMOVERIO_ENGINE_LEAVING);
	KUNIT_EXPECT_EQ(test, fake_describe(test, &bench->dma[2].engine).state,
			(u32)DMOVERIO_ENGINE_ACTIVE);
	dmio_sched_remove(&bench->dma[1].engine);
	index = 2;
	KUNIT_EXPECT_TRUE(test, dmio_engines_describe(&index, &info));
	KUNIT_EXPECT_EQ(test, info.id, bench->dma[2].engine.id);
	fake_remove(&bench->dma[0]);
	fake_remove(&bench->dma[2]);
	index = 1;
	KUNIT_EXPECT_FALSE(test, dmio_engines_describe(&index, &info));
}

/* A number is not given twice, whoever has gone */
static void count_id_test(struct kunit *test)
{
	struct count_bench *bench = test->priv;
	u32 last = 1;
	unsigned int i;

	fake_add(&bench->dma[0]);
	for (i = 0; i < 10; i++) {
		struct fake *dma = &bench->dma[1 + i % 2];

		*dma = (struct fake){ };
		fake_add(dma);
		KUNIT_EXPECT_GT(test, dma->engine.id, last);
		KUNIT_EXPECT_NE(test, dma->engine.id, bench->dma[0].engine.id);
		last = dma->engine.id;
		fake_remove(dma);
	}
	KUNIT_EXPECT_EQ(test, dmio_engine_cpu.id, 1U);
	fake_remove(&bench->dma[0]);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(count_ending_test),
	KUNIT_CASE(count_cpu_failure_test),
	KUNIT_CASE(count_queued_test),
	KUNIT_CASE(count_describe_test),
	KUNIT_CASE(count_id_test),
	{}
};

static struct kunit_suite count_suite = {
	.name = "dmoverio-sched-count",
	.init = count_init,
	.exit = count_exit,
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);
