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

#define NR_CHANNELS	3
#define NR_MANY		64
#define LEN		SZ_1M
#define MS		((u64)NSEC_PER_MSEC)

/**
 * struct shun_bench - what the cases of this suite work with
 * @dma: channels
 * @nr: how many are in use
 * @dma_ns: how long a job takes each
 * @cpu_ns: ... and the CPU
 * @fj: a job
 * @more: jobs ...
 * @late: ... and those that come later
 * @many: more than channels have room for
 */
struct shun_bench {
	struct fake dma[NR_CHANNELS];
	unsigned int nr;
	u64 dma_ns[NR_CHANNELS];
	u64 cpu_ns;
	struct fake_job fj;
	struct fake_job more[5];
	struct fake_job late[2];
	struct fake_job many[NR_MANY];
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

static void submit(struct fake_job *fj, unsigned int nr, u32 policy)
{
	while (nr--)
		fake_job_submit(fj++, policy, LEN);
}

/* Those that refuse do it at once; the others take their time.  All there is to do */
static void run_many(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	unsigned int nr, i, before;

	submit(bench->many, NR_MANY, REQUIRE);
	for (nr = 0; nr < NR_MANY; ) {
		before = bench->dma[0].nr_jobs + bench->dma[1].nr_jobs + nr;
		for (i = 0; i < bench->nr; i++) {
			struct fake *dma = &bench->dma[i];

			if (!fake_first(dma))
				continue;
			fake_now += bench->dma_ns[i];
			nr += !dma->error;
			fake_finish(dma, &fake_first(dma)->job);
			fake_settle();
		}
		KUNIT_ASSERT_NE(test, bench->dma[0].nr_jobs + bench->dma[1].nr_jobs + nr, before);
	}
	for (i = 0; i < NR_MANY; i++) {
		KUNIT_EXPECT_EQ(test, bench->many[i].nr_done, 1U);
		KUNIT_EXPECT_EQ(test, bench->many[i].job.error, 0);
	}
}

/*
 * Very much waits for a channel that has no room, while another one has, but refuses:
 * that one is no way past those that wait, to be asked for each job anew
 */
static void shun_refused_funnel_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *refuser = add_channel(bench, 1), *other = add_channel(bench, 100 * MS);
	unsigned int i;

	refuse(refuser, true);
	/* Until it counts as one that takes a second, and all that waits takes longer */
	for (i = 0; i < 10; i++)
		run_many(test);
	refuser->nr_jobs = 0;
	other->nr_jobs = 0;
	run_many(test);
	kunit_info(test, "%u of %u in vain\n", refuser->nr_jobs, NR_MANY);
	KUNIT_EXPECT_LE(test, refuser->nr_jobs, 1U);
	KUNIT_EXPECT_EQ(test, other->nr_jobs, (unsigned int)NR_MANY);

	/* It is tried now and then, and is as good as others when it does */
	refuse(refuser, false);
	for (i = 0; i < 10; i++)
		run_many(test);
	refuser->nr_jobs = 0;
	run_many(test);
	KUNIT_EXPECT_GE(test, refuser->nr_jobs, NR_MANY * 3U / 4);
}

/* All that they have, and what waits for them */
static void drain(struct shun_bench *bench)
{
	unsigned int i;

	for (i = 0; i < bench->nr; i++)
		fake_finish_all(&bench->dma[i]);
}

/* One that refused is tried again even if it always has others to do, of another size */
static void shun_refused_busy_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *refuser = add_channel(bench, MS / 2);
	unsigned int i, nr = 0;

	add_channel(bench, MS);
	refuse(refuser, true);
	run(test, 4, REQUIRE);
	refuse(refuser, false);
	submit(bench->many, 6, REQUIRE);
	for (i = 0; i < ARRAY_SIZE(bench->more); i++)
		fake_job_submit(&bench->more[i], REQUIRE, SZ_64K);
	for (i = 0; i < 4000 && !nr; i++) {
		struct fake *dma = &bench->dma[i % 2];
		struct fake_job *fj = fake_first(dma);
		u64 len;

		KUNIT_ASSERT_NOT_NULL(test, fj);
		len = fj->job.len;
		nr += dma == refuser && len == LEN;
		fake_now += MS / 2;
		fake_finish(dma, &fj->job);
		fake_settle();
		KUNIT_ASSERT_TRUE(test, refuser->engine.load);
		fake_job_submit(fj, REQUIRE, len);
	}
	kunit_info(test, "tried after %u jobs\n", i);
	KUNIT_EXPECT_EQ(test, nr, 1U);
	drain(bench);
}

/* It was the best, and refuses now; the CPU is better than the channel beside it */
static struct fake *add_refuser(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *refuser = add_channel(bench, MS / 10);

	add_channel(bench, 100 * MS);
	run(test, 40, REQUIRE);
	run(test, 40, CPU);
	refuse(refuser, true);
	run(test, 4, REQUIRE);
	return refuser;
}

/* With auto, too, and if the CPU is better than any channel that does not refuse */
static void shun_refused_beside_test(struct kunit *test)
{
	struct fake *refuser = add_refuser(test);

	refuse(refuser, false);
	run(test, 400, AUTO);
	kunit_info(test, "%u of 400\n", refuser->nr_jobs);
	KUNIT_EXPECT_GE(test, refuser->nr_jobs, 200U);
}

/* ... and still refuses: what the CPU does meanwhile counts until it is asked again */
static void shun_refused_passed_test(struct kunit *test)
{
	struct fake *refuser = add_refuser(test);

	run(test, 1000, AUTO);
	kunit_info(test, "%u of 1000 in vain\n", refuser->nr_jobs);
	KUNIT_EXPECT_GE(test, refuser->nr_jobs, 2U);
	KUNIT_EXPECT_LE(test, refuser->nr_jobs, 10U);
	KUNIT_EXPECT_GE(test, fake_cpu.nr_jobs, 980U);
	refuse(refuser, false);
	run(test, 40000, AUTO);
	run(test, 1000, AUTO);
	KUNIT_EXPECT_GE(test, refuser->nr_jobs, 960U);
}

/* What one refuses is not given to another that does, because that one has nothing to do */
static void shun_refused_other_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *refuser = add_channel(bench, 1), *able = add_channel(bench, MS);
	struct fake *idle = add_channel(bench, 1);
	struct fake_job *fj = bench->more;
	unsigned int i;

	refuse(idle, true);
	refuse(refuser, true);
	submit(&fj[0], 3, DMOVERIO_POLICY_PREFER_DMA);
	for (i = 0; i < bench->nr; i++)
		KUNIT_ASSERT_EQ(test, bench->dma[i].nr_jobs, 1U);
	/* That is known of one of them */
	fake_finish_first(idle);

	submit(&fj[3], 1, REQUIRE);
	KUNIT_EXPECT_EQ(test, idle->nr_jobs, 1U);
	fake_finish_all(refuser);
	KUNIT_EXPECT_EQ(test, idle->nr_jobs, 1U);
	fake_finish_all(able);
	fake_finish_all(&fake_cpu);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, fj[i].nr_done, 1U);
		KUNIT_EXPECT_EQ(test, fj[i].job.error, 0);
	}
}

/* -- stuck */

/* One that is fast is waited for, as long as it moves */
static void shun_stuck_channel_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *fast = add_channel(bench, MS / 10), *slow = add_channel(bench, MS);
	struct fake_job *fj = bench->more;
	unsigned int i;

	run(test, 40, REQUIRE);
	fast->nr_jobs = 0;
	slow->nr_jobs = 0;
	fake_nr_looks = 0;
	submit(fj, 4, REQUIRE);
	KUNIT_EXPECT_EQ(test, fast->nr_jobs, 2U);
	KUNIT_EXPECT_GT(test, fake_nr_looks, 0U);
	fake_now += 8 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, slow->nr_jobs, 0U);
	/* It gives one back: so it is waited for again */
	fake_finish(fast, &fj[0].job);
	KUNIT_EXPECT_EQ(test, fast->nr_jobs, 3U);
	fake_now += 8 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, slow->nr_jobs, 0U);
	fake_now += 8 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, slow->nr_jobs, 1U);

	/* It gets no more, although it has room */
	fake_finish(slow, &fj[3].job);
	submit(fj, 1, REQUIRE);
	KUNIT_EXPECT_EQ(test, fast->nr_jobs, 3U);
	KUNIT_EXPECT_EQ(test, slow->nr_jobs, 2U);

	fake_finish(fast, &fj[1].job);
	fake_finish(fast, &fj[2].job);
	fake_finish(slow, &fj[0].job);
	for (i = 0; i < 40; i++)
		run(test, 1, REQUIRE);
	submit(fj, 1, REQUIRE);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(fast), fj);
	fake_finish(fast, &fj->job);
}

/* Who may, has the CPU do it: at once, or after a while; who may not, waits */
static void shun_stuck_cpu_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *dma = add_channel(bench, MS / 10);
	struct fake_job *fj = bench->more, *late = bench->late;
	unsigned int i;

	run(test, 40, REQUIRE);
	run(test, 40, CPU);
	fake_cpu.nr_jobs = 0;
	submit(&fj[0], 2, REQUIRE);
	submit(&fj[2], 1, AUTO);
	submit(&fj[3], 1, DMOVERIO_POLICY_PREFER_DMA);
	submit(&fj[4], 1, REQUIRE);
	fake_now += 8 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 0U);
	fake_now += 8 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 1U);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &fj[2]);
	KUNIT_EXPECT_EQ(test, (int)fj[2].job.reason, (int)DMIO_REASON_SLOWER);
	fake_finish(&fake_cpu, &fj[2].job);
	/* The next one does not even begin to wait */
	submit(&late[0], 1, AUTO);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &late[0]);
	fake_finish(&fake_cpu, &late[0].job);

	fake_now += 4000 * MS;
	fake_look();
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 2U);
	fake_now += 1000 * MS;
	fake_look();
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &fj[3]);
	fake_finish(&fake_cpu, &fj[3].job);
	submit(&late[1], 1, DMOVERIO_POLICY_PREFER_DMA);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &late[1]);
	fake_finish(&fake_cpu, &late[1].job);

	fake_now += 1000000 * MS;
	fake_look();
	KUNIT_EXPECT_FALSE(test, fake_is_done(&fj[4]));
	for (i = 0; i < 2; i++)
		fake_finish(dma, &fj[i].job);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(dma), &fj[4]);
	fake_finish(dma, &fj[4].job);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 4U);
	for (i = 0; i < ARRAY_SIZE(bench->more); i++)
		KUNIT_EXPECT_EQ(test, fj[i].nr_done, 1U);
}

/* What a channel has cannot be taken back: who has another choice is not handed to it */
static void shun_stuck_prefer_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *dma = add_channel(bench, MS / 10);
	struct fake_job *fj = bench->more;

	run(test, 40, REQUIRE);
	submit(&fj[0], 1, REQUIRE);
	KUNIT_ASSERT_PTR_EQ(test, fake_first(dma), &fj[0]);
	fake_now += 100 * MS;
	dma->nr_jobs = 0;
	submit(&fj[1], 1, DMOVERIO_POLICY_PREFER_DMA);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 0U);
	KUNIT_EXPECT_NULL(test, fake_first(&fake_cpu));
	fake_now += 6000 * MS;
	fake_look();
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &fj[1]);
	fake_finish(&fake_cpu, &fj[1].job);
	fake_finish(dma, &fj[0].job);
}

/* A job that no channel could do says nothing of the channel */
static void shun_blame_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *dma = add_channel(bench, MS);
	struct dmio_mean *mean = &dmio_rate_of(&dma->engine.rates, DMOVERIO_FUNC_COPY,
					       2 * LEN)->elapsed;

	run(test, 4, REQUIRE);
	dma->error = -EIO;
	dma->reason = DMIO_REASON_MAPPING;
	run(test, 4, DMOVERIO_POLICY_PREFER_DMA);
	KUNIT_EXPECT_EQ(test, fake_cpu.nr_jobs, 4U);
	KUNIT_EXPECT_FALSE(test, mean->refused);
	dma->error = -ENOMEM;
	run(test, 1, DMOVERIO_POLICY_PREFER_DMA);
	KUNIT_EXPECT_TRUE(test, mean->refused);
	dma->error = 0;
	dma->reason = DMIO_REASON_NONE;
}

/* What the other one gives back is not given to it either */
static void shun_stuck_other_test(struct kunit *test)
{
	struct shun_bench *bench = test->priv;
	struct fake *stuck = add_channel(bench, MS / 10), *other;
	struct fake_job *fj = bench->more;

	run(test, 40, REQUIRE);
	submit(&fj[0], 1, REQUIRE);
	fake_now += 100 * MS;
	other = add_channel(bench, MS);
	refuse(other, true);
	submit(&fj[1], 1, DMOVERIO_POLICY_PREFER_DMA);
	fake_finish(other, &fj[1].job);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&fake_cpu), &fj[1]);
	fake_finish(&fake_cpu, &fj[1].job);
	submit(&fj[2], 1, REQUIRE);
	fake_finish(other, &fj[2].job);
	fake_finish(stuck, &fj[0].job);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(stuck), &fj[2]);
	fake_finish(stuck, &fj[2].job);
}

static struct kunit_case shun_cases[] = {
	KUNIT_CASE(shun_mean_test),
	KUNIT_CASE(shun_refused_auto_test),
	KUNIT_CASE(shun_refused_channel_test),
	KUNIT_CASE(shun_refused_funnel_test),
	KUNIT_CASE(shun_refused_busy_test),
	KUNIT_CASE(shun_refused_beside_test),
	KUNIT_CASE(shun_refused_passed_test),
	KUNIT_CASE(shun_refused_other_test),
	KUNIT_CASE(shun_stuck_channel_test),
	KUNIT_CASE(shun_stuck_cpu_test),
	KUNIT_CASE(shun_stuck_prefer_test),
	KUNIT_CASE(shun_stuck_other_test),
	KUNIT_CASE(shun_blame_test),
	{}
};

static struct kunit_suite shun_suite = {
	.name = "dmoverio-sched-shun",
	.init = shun_init,
	.exit = shun_exit,
	.test_cases = shun_cases,
};

kunit_test_suite(shun_suite);
