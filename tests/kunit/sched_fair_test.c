// SPDX-License-Identifier: GPL-2.0
/*
 * Whose job is next: shares of engines that have enough to do; what becomes of
 * jobs that wait.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/math.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../../module/dispatch.h"
#include "../../module/engine_cpu.h"
#include "../../module/sched.h"
#include "fake.h"
#include "random.h"

/* How long is waited for what a worker does at once */
#define PATIENCE	(60 * HZ)

#define CPU		DMOVERIO_POLICY_CPU
#define PREFER		DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_ENGINES	3
#define NR_FLOWS	5
#define NR_JOBS		200
#define MOST_BYTES	(2ULL * SZ_2M)

/**
 * struct fair_bench - what the cases of this suite work with
 * @dma: engines, to be added if they are wanted
 * @flow: flows
 * @sent: bytes of each that engines were given
 * @job: jobs
 */
struct fair_bench {
	struct fake dma[NR_ENGINES];
	struct dmio_flow flow[NR_FLOWS];
	u64 sent[NR_FLOWS];
	struct fake_job job[NR_JOBS];
};

static int fair_init(struct kunit *test)
{
	struct fair_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_param_set(test, "learn", "0");
	for (i = 0; i < NR_ENGINES; i++)
		bench->dma[i].holds = true;
	for (i = 0; i < NR_FLOWS; i++)
		dmio_flow_init(&bench->flow[i]);
	return 0;
}

static void fair_exit(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	unsigned int i;

	if (!bench)
		return;
	for (i = 0; i < NR_FLOWS; i++)
		KUNIT_EXPECT_TRUE(test, dmio_flow_is_idle(&bench->flow[i]));
	fakes_stop(test);
	kvfree(bench);
}

static void submit(struct fair_bench *bench, unsigned int i, unsigned int flow, u32 policy,
		   u64 len)
{
	fake_job_init(&bench->job[i], policy, len);
	bench->job[i].job.flow = &bench->flow[flow];
	dmio_sched_submit(&bench->job[i].job, false);
}

static unsigned int flow_of(const struct fair_bench *bench, const struct fake_job *fj)
{
	return fj->job.flow - bench->flow;
}

/* A worker gives it back: wait for that */
static void expect_done(struct kunit *test, struct fake_job *fj, int error)
{
	unsigned long end = jiffies + PATIENCE;

	while (!fake_is_done(fj) && time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, fj->nr_done, 1U);
	KUNIT_EXPECT_EQ(test, fj->job.error, error);
}

/* A worker hands over what waits: wait for that */
static void expect_given(struct kunit *test, struct fake *fake, unsigned int nr)
{
	unsigned long end = jiffies + PATIENCE;

	while (READ_ONCE(fake->nr_jobs) < nr && time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_EQ(test, fake->nr_jobs, nr);
}

/* The scheduler's worker has done what it was to do: it was to drop a job */
static void settle(struct kunit *test)
{
	struct fake_job *fj = kunit_kzalloc(test, sizeof(*fj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fj);
	fake_job_init(fj, CPU, SZ_4K);
	dmio_job_abandon(&fj->job);
	dmio_sched_submit(&fj->job, false);
	expect_done(test, fj, -ECANCELED);
}

/* Sizes of a flow's jobs: each its own, the last one's at random */
static u64 size_of(struct rnd_state *rnd, unsigned int flow)
{
	static const u64 sizes[NR_FLOWS - 1] = { SZ_4K, SZ_64K, SZ_1M, SZ_2M };

	return flow < ARRAY_SIZE(sizes) ? sizes[flow] : 1 + rnd_below(rnd, SZ_2M);
}

/*
 * How far two flows may be apart, in bytes moved, if both always have something to
 * send: a quantum, and what one of them has left
 */
#define MOST_APART	(2 * (DMIO_QUANTUM + MOST_BYTES))

static void expect_equal(struct kunit *test, const struct fair_bench *bench, unsigned int nr)
{
	u64 least = bench->sent[0], most = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		least = min(least, bench->sent[i]);
		most = max(most, bench->sent[i]);
	}
	KUNIT_EXPECT_LE(test, most - least, MOST_APART);
}

/* As many jobs of each flow wait as there is room for: keep it so */
#define BACKLOG		(NR_JOBS / NR_FLOWS)

static void share(struct kunit *test, struct fake *fake, u32 policy, u64 seed)
{
	struct fair_bench *bench = test->priv;
	u64 total = 0;
	struct rnd_state rnd;
	unsigned int i;

	dmio_test_seed(test, &rnd, seed);
	for (i = 0; i < NR_JOBS; i++)
		submit(bench, i, i / BACKLOG, policy, size_of(&rnd, i / BACKLOG));
	for (i = 0; i < 20000; i++) {
		struct fake_job *fj = fake_finish_first(fake);
		unsigned int flow;

		KUNIT_ASSERT_NOT_NULL(test, fj);
		flow = flow_of(bench, fj);
		bench->sent[flow] += 2 * fj->job.len;
		total += 2 * fj->job.len;
		expect_equal(test, bench, NR_FLOWS);
		submit(bench, fj - bench->job, flow, policy, size_of(&rnd, flow));
	}
	kunit_info(test, "%llu MiB\n", total >> 20);
	fake_finish_all(fake);
}

/* Whatever the sizes of their jobs are, flows get equal shares at any moment */
static void fair_share_dma_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;

	fake_add(&bench->dma[0]);
	share(test, &bench->dma[0], PREFER, 1301);
	fake_remove(&bench->dma[0]);
}

static void fair_share_cpu_test(struct kunit *test)
{
	fake_cpu.holds = true;
	share(test, &fake_cpu, CPU, 1302);
}

/* One who begins, or comes back, gets no more for it, and waits for one turn */
static void fair_flood_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	unsigned int i, round;

	fake_add(dma);
	for (i = 1; i < NR_JOBS; i++)
		submit(bench, i, 1 + i % 2, PREFER, SZ_2M);
	for (round = 0; round < 30; round++) {
		unsigned int before = dma->nr_jobs;

		submit(bench, 0, 0, PREFER, SZ_4K);
		while (!bench->job[0].nr_done && fake_finish_first(dma))
			;
		/* Those that the engine has, one of each of the others, itself */
		KUNIT_EXPECT_LE(test, dma->nr_jobs - before, 2U + 2U + 1U);
		KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 1U);
	}
	fake_finish_all(dma);
	fake_remove(dma);
}

/* An engine has two jobs as long as there are any; more, while they are small */
static void fair_bounds_test(struct kunit *test)
{
	static const struct {
		u64 len;
		unsigned int nr;
	} bounds[] = {
		{ 1, 64 }, { SZ_4K, 64 }, { SZ_4K + 1, 64 }, { SZ_8K, 32 }, { SZ_64K, 4 },
		{ SZ_64K + 1, 4 }, { SZ_128K, 2 }, { SZ_256K, 2 }, { SZ_2M, 2 },
	};
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		*dma = (struct fake){ .holds = true };
		fake_add(dma);
		for (k = 0; k < NR_JOBS; k++)
			submit(bench, k, k % NR_FLOWS, PREFER, bounds[i].len);
		for (k = 0; k < NR_JOBS - bounds[i].nr; k++) {
			KUNIT_EXPECT_EQ(test, dma->nr_jobs, k + bounds[i].nr);
			KUNIT_EXPECT_NOT_NULL(test, fake_finish_first(dma));
		}
		fake_finish_all(dma);
		KUNIT_EXPECT_EQ(test, dma->nr_jobs, (unsigned int)NR_JOBS);
		fake_remove(dma);
	}
}

/* Work goes to who has time for it */
static void fair_spread_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	unsigned int i, k;

	for (i = 0; i < NR_ENGINES; i++)
		fake_add(&bench->dma[i]);
	for (i = 0; i < NR_JOBS; i++)
		submit(bench, i, 0, PREFER, SZ_1M);
	/* Each is twice as fast as the last one */
	for (i = 0; fake_first(&bench->dma[2]); i++)
		for (k = 0; k < NR_ENGINES; k++)
			if (!(i % (4 >> k)))
				fake_finish_first(&bench->dma[k]);
	for (k = 0; k < NR_ENGINES; k++) {
		fake_finish_all(&bench->dma[k]);
		KUNIT_EXPECT_LE(test, abs((int)bench->dma[k].nr_jobs - (NR_JOBS << k) / 7), 4);
		fake_remove(&bench->dma[k]);
	}
	for (i = 0; i < NR_JOBS; i++)
		KUNIT_EXPECT_EQ(test, bench->job[i].nr_done, 1U);
}

/* One whose function no engine has time for does not keep out others */
static void fair_other_func_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *able = &bench->dma[0], *plain = &bench->dma[1];
	unsigned int i;

	able->other = true;
	fake_add(able);
	for (i = 0; i < 20; i++) {
		fake_job_init(&bench->job[i], REQUIRE, SZ_1M);
		bench->job[i].job.func = &fake_other_func;
		bench->job[i].job.flow = &bench->flow[0];
		dmio_sched_submit(&bench->job[i].job, false);
	}
	fake_add(plain);
	for (i = 20; i < 40; i++)
		submit(bench, i, 1, REQUIRE, SZ_1M);
	fake_finish_all(plain);
	for (i = 0; i < 40; i++)
		KUNIT_EXPECT_EQ(test, bench->job[i].nr_done, (unsigned int)(i >= 20));
	fake_finish_all(able);
	for (i = 0; i < 20; i++)
		expect_done(test, &bench->job[i], 0);
	fake_remove(able);
	fake_remove(plain);
}

/* Who gives up waiting is not kept waiting, although nothing moves */
static void fair_abandon_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	unsigned int i;

	fake_add(dma);
	for (i = 0; i < 40; i++)
		submit(bench, i, i % 2, PREFER, SZ_1M);
	for (i = 0; i < 40; i += 2) {
		dmio_job_abandon(&bench->job[i].job);
		dmio_job_abandon(&bench->job[i].job);
	}
	/* The engine has the first two */
	for (i = 2; i < 40; i += 2)
		expect_done(test, &bench->job[i], -ECANCELED);
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 0U);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	fake_finish_all(dma);
	for (i = 1; i < 40; i += 2)
		expect_done(test, &bench->job[i], 0);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 21U);

	/* Before it was submitted */
	fake_job_init(&bench->job[0], PREFER, SZ_1M);
	dmio_job_abandon(&bench->job[0].job);
	dmio_sched_submit(&bench->job[0].job, false);
	expect_done(test, &bench->job[0], -ECANCELED);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 21U);
	fake_remove(dma);
}

/* What waits for an engine that leaves: another does it; or the CPU; or nobody */
static void fair_leave_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0], *other = &bench->dma[1];
	unsigned int i;

	fake_add(dma);
	for (i = 0; i < 40; i++)
		submit(bench, i, i % 2, i % 2 ? REQUIRE : PREFER, SZ_1M);
	fake_add(other);
	expect_given(test, other, 2);
	KUNIT_EXPECT_FALSE(test, dmio_sched_leave(&dma->engine, 0));
	fake_finish_all(dma);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	KUNIT_EXPECT_EQ(test, other->nr_jobs, 2U);
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, 0));
	dmio_sched_remove(&dma->engine);

	KUNIT_EXPECT_FALSE(test, dmio_sched_leave(&other->engine, 0));
	for (i = 4; i < 40; i++) {
		expect_done(test, &bench->job[i], i % 2 ? -ENODEV : 0);
		KUNIT_EXPECT_EQ(test, (int)bench->job[i].job.reason,
				(int)DMIO_REASON_NO_CHANNEL);
	}
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 18U);
	fake_finish_all(other);
	for (i = 0; i < 4; i++)
		expect_done(test, &bench->job[i], 0);
	dmio_sched_remove(&other->engine);
}

/* A suspended machine: engines finish what they have, the rest waits */
static void fair_pause_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	unsigned int i;

	fake_add(dma);
	for (i = 0; i < 20; i++)
		submit(bench, i, i % 2, PREFER, SZ_1M);
	dmio_dispatch_pause_dma(true);
	fake_finish_all(dma);
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	submit(bench, 20, 0, PREFER, SZ_1M);
	settle(test);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 2U);
	KUNIT_EXPECT_TRUE(test, dmio_sched_drain(0));
	dmio_dispatch_pause_dma(false);
	expect_given(test, dma, 4);
	fake_finish_all(dma);
	for (i = 0; i <= 20; i++)
		expect_done(test, &bench->job[i], 0);
	fake_remove(dma);
}

/* An engine that does all at once is called once, and once again */
static void fair_depth_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct fake *dma = &bench->dma[0];
	unsigned int i;

	dma->holds = false;
	fake_add(dma);
	dmio_dispatch_pause_dma(true);
	for (i = 0; i < NR_JOBS; i++)
		submit(bench, i, i % NR_FLOWS, PREFER, SZ_4K);
	dmio_dispatch_pause_dma(false);
	expect_given(test, dma, NR_JOBS);
	for (i = 0; i < NR_JOBS; i++)
		expect_done(test, &bench->job[i], 0);
	KUNIT_EXPECT_EQ(test, dma->most_deep, 1U);
	settle(test);
	fake_remove(dma);
}

/* A job that runs at once takes no turn, and no room */
static void fair_at_once_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	unsigned int i, nr;

	fake_cpu.holds = true;
	for (i = 1; i < NR_JOBS; i++)
		submit(bench, i, 0, CPU, SZ_2M);
	nr = fake_cpu.nr_jobs;
	KUNIT_EXPECT_LT(test, nr, NR_JOBS - 1U);
	fake_job_init(&bench->job[0], CPU, SZ_4K);
	bench->job[0].job.flow = &bench->flow[0];
	dmio_sched_submit(&bench->job[0].job, true);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, nr + 1);
	fake_finish(&fake_cpu, &bench->job[0].job);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, nr + 1);
	fake_finish_all(&fake_cpu);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, (unsigned int)NR_JOBS);
}

static bool is_idle(const struct fake_job *fj)
{
	return !fj->job.func || fake_is_done(fj);
}

static void anything(struct kunit *test, struct rnd_state *rnd)
{
	struct fair_bench *bench = test->priv;
	unsigned int i = rnd_below(rnd, NR_JOBS), k = rnd_below(rnd, NR_ENGINES);
	static const u32 policies[] = { CPU, PREFER, PREFER, REQUIRE };
	struct fake *dma = &bench->dma[k];

	if (is_idle(&bench->job[i]))
		submit(bench, i, rnd_below(rnd, NR_FLOWS), policies[rnd_below(rnd, 4)],
		       1 + rnd_below(rnd, SZ_2M));
	else if (rnd_one_in(rnd, 8))
		dmio_job_abandon(&bench->job[i].job);
	KUNIT_EXPECT_LE(test, bench->job[i].nr_done, 1U);
	if (dma->engine.ops) {
		dma->error = rnd_one_in(rnd, 5) ? -EIO : 0;
		dma->reason = dma->error ? DMIO_REASON_ERROR : DMIO_REASON_NONE;
		fake_finish_first(dma);
	}
	if (rnd_one_in(rnd, 3))
		fake_finish_first(&fake_cpu);
	if (!rnd_one_in(rnd, 50))
		return;
	if (!dma->engine.ops) {
		fake_add(dma);
	} else if (dmio_sched_leave(&dma->engine, 0)) {
		dmio_sched_remove(&dma->engine);
		*dma = (struct fake){ .holds = true };
	}
}

/* Whatever happens, every job comes back, once */
static void fair_nothing_lost_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct rnd_state rnd;
	unsigned int i, nr;

	fake_cpu.holds = true;
	dmio_test_seed(test, &rnd, 1303);
	for (i = 0; i < 30000; i++)
		anything(test, &rnd);
	for (i = 0; i < NR_ENGINES; i++) {
		struct fake *dma = &bench->dma[i];

		if (!dma->engine.ops)
			continue;
		dma->reason = DMIO_REASON_NONE;
		dma->error = 0;
		while (!dmio_sched_leave(&dma->engine, 0))
			fake_finish_first(dma);
		dmio_sched_remove(&dma->engine);
	}
	for (nr = NR_JOBS; nr; ) {
		settle(test);
		fake_finish_all(&fake_cpu);
		for (nr = 0, i = 0; i < NR_JOBS; i++)
			nr += !is_idle(&bench->job[i]);
	}
	for (i = 0; i < NR_JOBS; i++)
		KUNIT_EXPECT_LE(test, bench->job[i].nr_done, 1U);
}

static bool never(struct dmio_job *job)
{
	return false;
}

static bool always(struct dmio_job *job)
{
	return true;
}

/* Searches in vain, how many there may be, do not make the large ones' share larger */
static void fair_in_vain_test(struct kunit *test)
{
	struct fair_bench *bench = test->priv;
	struct dmio_ring ring = { DMIO_RING_DMA, LIST_HEAD_INIT(ring.queues) };
	static const u64 len[] = { SZ_2M, SZ_8K };
	u64 sent[ARRAY_SIZE(len)] = { };
	unsigned int i, turn;

	for (i = 0; i < ARRAY_SIZE(len); i++) {
		fake_job_init(&bench->job[i], REQUIRE, len[i]);
		bench->job[i].job.flow = &bench->flow[i];
	}
	/* Two of each, so that no queue is ever empty */
	for (i = 0; i < 2 * ARRAY_SIZE(len); i++) {
		bench->job[i].job = bench->job[i % ARRAY_SIZE(len)].job;
		dmio_ring_add(&ring, &bench->job[i].job);
	}
	for (turn = 0; turn < 10000; turn++) {
		struct dmio_job *job;

		for (i = 0; i < turn % 3; i++)
			KUNIT_EXPECT_NULL(test, dmio_ring_next(&ring, never));
		KUNIT_EXPECT_NULL(test, dmio_ring_find(&ring, never));
		job = dmio_ring_next(&ring, always);
		KUNIT_ASSERT_NOT_NULL(test, job);
		sent[job->flow - bench->flow] += job->len;
		dmio_ring_add(&ring, job);
	}
	KUNIT_EXPECT_LE(test, sent[0], sent[1] + 2 * MOST_BYTES);
	KUNIT_EXPECT_LE(test, sent[1], sent[0] + 2 * MOST_BYTES);
	for (i = 0; i < 2 * ARRAY_SIZE(len); i++)
		KUNIT_EXPECT_NOT_NULL(test, dmio_ring_find(&ring, always));
	KUNIT_EXPECT_EQ(test, ring.nr, 0U);
}

static struct kunit_case fair_cases[] = {
	KUNIT_CASE(fair_share_dma_test),
	KUNIT_CASE(fair_share_cpu_test),
	KUNIT_CASE(fair_flood_test),
	KUNIT_CASE(fair_bounds_test),
	KUNIT_CASE(fair_spread_test),
	KUNIT_CASE(fair_other_func_test),
	KUNIT_CASE(fair_abandon_test),
	KUNIT_CASE(fair_leave_test),
	KUNIT_CASE(fair_pause_test),
	KUNIT_CASE(fair_depth_test),
	KUNIT_CASE(fair_at_once_test),
	KUNIT_CASE(fair_nothing_lost_test),
	KUNIT_CASE(fair_in_vain_test),
	{}
};

static struct kunit_suite fair_suite = {
	.name = "dmoverio-sched-fair",
	.init = fair_init,
	.exit = fair_exit,
	.test_cases = fair_cases,
};

kunit_test_suite(fair_suite);
