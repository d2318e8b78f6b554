// SPDX-License-Identifier: GPL-2.0
/*
 * Which engine gets a job, and why.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/sizes.h>

#include "../../module/engine_cpu.h"
#include "../../module/policy.h"
#include "../../module/sched.h"
#include "fake.h"
#include "random.h"

#define CPU		DMOVERIO_POLICY_CPU
#define AUTO		DMOVERIO_POLICY_AUTO
#define PREFER		DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_ENGINES	3
#define NR_JOBS		24

/**
 * struct sched_bench - what the cases of this suite work with
 * @dma: engines, to be added if they are wanted
 * @job: jobs
 */
struct sched_bench {
	struct fake dma[NR_ENGINES];
	struct fake_job job[NR_JOBS];
};

static int sched_test_init(struct kunit *test)
{
	struct sched_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_param_set(test, "learn", "0");
	return 0;
}

static void sched_test_exit(struct kunit *test)
{
	if (test->priv)
		fakes_stop(test);
}

/* Where a job went */
enum where { TO_CPU, TO_DMA, NOWHERE };

enum channel { CHANNEL_NONE, CHANNEL_UNABLE, CHANNEL_LEAVING, CHANNEL_ABLE, NR_CHANNELS };

/* By policy: with a channel that can do it, for a large job and for a small one; and without */
static const struct {
	u32 policy;
	struct {
		enum where where;
		enum dmio_reason reason;
	} large, small, without;
} choices[] = {
	{ CPU, { TO_CPU, DMIO_REASON_POLICY }, { TO_CPU, DMIO_REASON_POLICY },
	  { TO_CPU, DMIO_REASON_POLICY } },
	{ AUTO, { TO_DMA, DMIO_REASON_NONE }, { TO_CPU, DMIO_REASON_SMALL },
	  { TO_CPU, DMIO_REASON_NO_CHANNEL } },
	{ PREFER, { TO_DMA, DMIO_REASON_NONE }, { TO_DMA, DMIO_REASON_NONE },
	  { TO_CPU, DMIO_REASON_NO_CHANNEL } },
	{ REQUIRE, { TO_DMA, DMIO_REASON_NONE }, { TO_DMA, DMIO_REASON_NONE },
	  { NOWHERE, DMIO_REASON_NO_CHANNEL } },
};

static void expect_choice(struct kunit *test, u32 policy, enum channel channel, bool small,
			  enum where where, enum dmio_reason reason)
{
	struct sched_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	struct fake_job *fj = &bench->job[0];
	unsigned int may_run;

	*dma = (struct fake){ .cannot = channel == CHANNEL_UNABLE };
	if (channel != CHANNEL_NONE)
		fake_add(dma);
	if (channel == CHANNEL_LEAVING)
		dmio_sched_leave(&dma->engine, 0);

	for (may_run = 0; may_run <= 1; may_run++) {
		fake_cpu.nr_jobs = 0;
		dma->nr_jobs = 0;
		fake_job_init(fj, policy, small ? 100 : SZ_1M);
		fj->job.reason = DMIO_REASON_REMOVED;
		dmio_sched_submit(&fj->job, may_run);

		kunit_info(test, "policy %u, channel %d, small %d\n", policy, channel, small);
		KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, (unsigned int)(where == TO_CPU));
		KUNIT_EXPECT_EQ(test, dma->nr_jobs, (unsigned int)(where == TO_DMA));
		KUNIT_EXPECT_EQ(test, (int)fj->job.reason, (int)reason);
		KUNIT_EXPECT_EQ(test, fj->job.error, where == NOWHERE ? -ENODEV : 0);
		KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
		if (where != NOWHERE)
			KUNIT_EXPECT_EQ(test, where == TO_CPU ? fake_cpu.may_run : dma->may_run,
					where == TO_CPU && may_run);
	}
	if (channel != CHANNEL_NONE)
		fake_remove(dma);
}

static void sched_choice_test(struct kunit *test)
{
	unsigned int i, channel;

	for (i = 0; i < ARRAY_SIZE(choices); i++)
		for (channel = 0; channel < NR_CHANNELS; channel++) {
			bool able = channel == CHANNEL_ABLE;

			expect_choice(test, choices[i].policy, channel, false,
				      able ? choices[i].large.where : choices[i].without.where,
				      able ? choices[i].large.reason : choices[i].without.reason);
			expect_choice(test, choices[i].policy, channel, true,
				      able ? choices[i].small.where : choices[i].without.where,
				      able ? choices[i].small.reason : choices[i].without.reason);
		}
}

/* What policy auto finds worth it; the threshold is a parameter */
static void sched_worth_test(struct kunit *test)
{
	static const struct {
		const char *threshold;
		u64 len;
		unsigned int nr_segs;
		bool worth;
	} cases[] = {
		{ "65536", SZ_64K, 1, true },
		{ "65536", SZ_64K - 1, 1, false },
		/* A kibibyte a segment, in its two regions together */
		{ "65536", SZ_64K, 128, true },
		{ "65536", SZ_64K, 129, false },
		{ "65536", SZ_64K + SZ_512 - 1, 129, false },
		{ "65536", SZ_64K + SZ_512, 129, true },
		{ "65536", 1ULL << 32, 1, true },
		{ "65536", 1ULL << 32, 1 << 23, true },
		{ "65536", 1ULL << 32, (1 << 23) + 1, false },
		{ "1048576", SZ_1M - 1, 1, false },
		{ "1048576", SZ_1M, 1, true },
		{ "0", SZ_512, 1, true },
		{ "0", SZ_512 - 1, 1, false },
		{ "4294967295", 1ULL << 32, 1, true },
		{ "4294967295", (1ULL << 32) - 2, 1, false },
	};
	struct sched_bench *bench = test->priv;
	struct fake_job *fj = &bench->job[0];
	size_t i;

	fake_add(&bench->dma[0]);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ(test, fake_param_set(test, "dma_threshold", cases[i].threshold), 0);
		fake_job_init(fj, AUTO, cases[i].len);
		fj->job.nr_segs = cases[i].nr_segs;
		dmio_sched_submit(&fj->job, false);
		KUNIT_EXPECT_EQ_MSG(test, fj->job.reason != DMIO_REASON_SMALL, cases[i].worth,
				    "%llu bytes in %u, threshold %s", cases[i].len,
				    cases[i].nr_segs, cases[i].threshold);
	}
	fake_remove(&bench->dma[0]);
}

/* Comes first: the other cases set the parameters back to these.  Nothing is learned. */
static void sched_defaults_test(struct kunit *test)
{
	struct sched_bench *bench = test->priv;

	fake_param_expect(test, "policy", "auto\n");
	fake_param_expect(test, "dma_threshold", "65536\n");
	fake_add(&bench->dma[0]);
	KUNIT_EXPECT_GT(test, bench->dma[0].engine.id, dmio_engine_cpu.id);
	fake_remove(&bench->dma[0]);
}

static void sched_policy_test(struct kunit *test)
{
	static const struct {
		u32 policy;
		const char *name;
		const char *shown;
	} policies[] = {
		{ AUTO, "auto", "auto\n" },
		{ PREFER, "prefer-dma", "prefer-dma\n" },
		{ REQUIRE, "require-dma", "require-dma\n" },
		{ CPU, "cpu", "cpu\n" },
	};
	static const char *const refused[] = { "default", "", "dma", "autos", "1" };
	size_t i, j;

	KUNIT_EXPECT_EQ(test, dmio_policy_effective(DMOVERIO_POLICY_DEFAULT), (u32)AUTO);
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		KUNIT_EXPECT_STREQ(test, dmio_policy_name(policies[i].policy),
				   policies[i].name);
		/* As "echo" writes it, too */
		KUNIT_EXPECT_EQ(test, fake_param_set(test, "policy", policies[i].name), 0);
		KUNIT_EXPECT_EQ(test, fake_param_set(test, "policy", policies[i].shown), 0);
		fake_param_expect(test, "policy", policies[i].shown);
		KUNIT_EXPECT_EQ(test, dmio_policy_effective(DMOVERIO_POLICY_DEFAULT),
				policies[i].policy);
		for (j = 0; j < ARRAY_SIZE(policies); j++)
			KUNIT_EXPECT_EQ(test, dmio_policy_effective(policies[j].policy),
					policies[j].policy);
		for (j = 0; j < ARRAY_SIZE(refused); j++)
			KUNIT_EXPECT_EQ_MSG(test, fake_param_set(test, "policy", refused[j]),
					    -EINVAL, "%s", refused[j]);
		fake_param_expect(test, "policy", policies[i].shown);
	}
}

static void sched_can_test(struct kunit *test)
{
	struct sched_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];

	fake_add(dma);
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, REQUIRE));
	fake_cpu.cannot = true;
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, REQUIRE));
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, AUTO));
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, PREFER));
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, CPU));

	fake_cpu.cannot = false;
	dma->cannot = true;
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, AUTO));
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, PREFER));
	KUNIT_EXPECT_TRUE(test, dmio_sched_can(&fake_func, CPU));

	dma->cannot = false;
	dmio_sched_leave(&dma->engine, 0);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));
	dmio_sched_remove(&dma->engine);
	KUNIT_EXPECT_FALSE(test, dmio_sched_can(&fake_func, REQUIRE));
}

/* The engine with the least load; of equals, the first */
static unsigned int least_loaded(const u64 *load)
{
	unsigned int i, best = 0;

	for (i = 1; i < NR_ENGINES; i++)
		if (load[i] < load[best])
			best = i;
	return best;
}

/* A segment counts as much as a kibibyte */
static u64 load_of(const struct fake_job *fj)
{
	return fj->job.len + (u64)fj->job.nr_segs * SZ_1K;
}

static int engine_of(const struct sched_bench *bench, const struct fake_job *fj)
{
	int i = NR_ENGINES;

	while (--i >= 0 && fj->job.engine != &bench->dma[i].engine)
		;
	return i;
}

/* Jobs come and go; each goes where there is least to do */
static void sched_load_test(struct kunit *test)
{
	struct sched_bench *bench = test->priv;
	u64 queued[NR_ENGINES] = { }, load[NR_ENGINES] = { };
	int who[NR_JOBS];
	struct rnd_state rnd;
	unsigned int round, i;

	dmio_test_seed(test, &rnd, 1201);
	for (i = 0; i < NR_ENGINES; i++) {
		bench->dma[i].holds = true;
		fake_add(&bench->dma[i]);
	}
	for (i = 0; i < NR_JOBS; i++)
		who[i] = -1;
	for (round = 0; round < 2000; round++) {
		struct fake_job *fj;

		i = rnd_below(&rnd, NR_JOBS);
		fj = &bench->job[i];
		if (who[i] < 0) {
			fake_job_init(fj, PREFER, (1 + rnd_below(&rnd, 5)) * SZ_1K);
			fj->job.nr_segs = 1 + rnd_below(&rnd, 5);
			dmio_sched_submit(&fj->job, false);
			who[i] = engine_of(bench, fj);
			KUNIT_EXPECT_EQ(test, who[i], (int)least_loaded(load));
			if (who[i] >= 0) {
				queued[who[i]] += fj->job.len;
				load[who[i]] += load_of(fj);
			}
		} else {
			queued[who[i]] -= fj->job.len;
			load[who[i]] -= load_of(fj);
			bench->dma[who[i]].error = rnd_one_in(&rnd, 3) ? -EIO : 0;
			fake_finish(&bench->dma[who[i]], &fj->job);
			who[i] = -1;
		}
		i = rnd_below(&rnd, NR_ENGINES);
		KUNIT_EXPECT_EQ(test, fake_describe(test, &bench->dma[i].engine).queued_bytes,
				queued[i]);
	}
	for (i = 0; i < NR_JOBS; i++)
		if (who[i] >= 0)
			fake_finish(&bench->dma[who[i]], &bench->job[i].job);
	for (i = 0; i < NR_ENGINES; i++) {
		KUNIT_EXPECT_EQ(test, fake_describe(test, &bench->dma[i].engine).queued_bytes,
				0ULL);
		fake_remove(&bench->dma[i]);
	}
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 0U);
}

static struct kunit_case sched_cases[] = {
	KUNIT_CASE(sched_defaults_test),
	KUNIT_CASE(sched_choice_test),
	KUNIT_CASE(sched_worth_test),
	KUNIT_CASE(sched_policy_test),
	KUNIT_CASE(sched_can_test),
	KUNIT_CASE(sched_load_test),
	{}
};

static struct kunit_suite sched_suite = {
	.name = "dmoverio-sched",
	.init = sched_test_init,
	.exit = sched_test_exit,
	.test_cases = sched_cases,
};

kunit_test_suite(sched_suite);
