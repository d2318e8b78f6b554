// SPDX-License-Identifier: GPL-2.0
/*
 * What the scheduler itself costs: how much it does while all others wait for its
 * lock, and on whose processor it does the rest.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>

#include "../../module/sched.h"
#include "fake.h"

/* How long is waited for what a worker does at once */
#define PATIENCE	(60 * HZ)

#define CPU		DMOVERIO_POLICY_CPU
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_CHANNELS	4
#define NR_FLOWS	200

/**
 * struct cost_bench - what the cases of this suite work with
 * @dma: channels
 * @job: jobs, each of a flow of its own
 * @comm: who gave back one that was abandoned
 */
struct cost_bench {
	struct fake dma[NR_CHANNELS];
	struct fake_job job[NR_FLOWS];
	char comm[TASK_COMM_LEN];
};

static int cost_init(struct kunit *test)
{
	struct cost_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_param_set(test, "learn", "0");
	for (i = 0; i < NR_CHANNELS; i++)
		bench->dma[i].holds = true;
	return 0;
}

static void cost_exit(struct kunit *test)
{
	if (!test->priv)
		return;
	fakes_stop(test);
	kvfree(test->priv);
}

static void submit(struct fake_job *fj, const struct dmio_func *func)
{
	fake_job_init(fj, REQUIRE, SZ_1M);
	fj->job.func = func;
	dmio_sched_submit(&fj->job, false);
}

/*
 * Many wait for what only a busy channel can do: to find the one whose channels
 * have room does not take as many questions as flows and channels make together
 */
static void cost_of_search_test(struct kunit *test)
{
	struct cost_bench *bench = test->priv;
	struct fake *able = &bench->dma[0];
	unsigned int i;

	able->other = true;
	fake_add(able);
	for (i = 0; i < NR_FLOWS - 1; i++)
		submit(&bench->job[i], &fake_other_func);
	for (i = 1; i < NR_CHANNELS; i++)
		fake_add(&bench->dma[i]);

	fake_nr_asked = 0;
	submit(&bench->job[NR_FLOWS - 1], &fake_func);
	KUNIT_EXPECT_PTR_EQ(test, fake_first(&bench->dma[1]), &bench->job[NR_FLOWS - 1]);
	kunit_info(test, "%u questions\n", fake_nr_asked);
	KUNIT_EXPECT_LE(test, fake_nr_asked, 8U * NR_CHANNELS);
	fake_finish(&bench->dma[1], &bench->job[NR_FLOWS - 1].job);

	fake_finish_all(able);
	for (i = 0; i < NR_FLOWS; i++)
		KUNIT_EXPECT_TRUE(test, fake_is_done(&bench->job[i]));
	for (i = 0; i < NR_CHANNELS; i++)
		fake_remove(&bench->dma[i]);
}

/* Whether channels are stuck: what time it is, is the same for all that wait */
static void cost_of_clock_test(struct kunit *test)
{
	struct cost_bench *bench = test->priv;
	struct fake *fast = &bench->dma[0], *slow = &bench->dma[1];
	unsigned int i;

	fake_param_set(test, "learn", "1");
	fake_now = 1;
	fake_add(fast);
	for (i = 0; i < 8; i++) {
		submit(&bench->job[0], &fake_func);
		fake_now += NSEC_PER_USEC;
		fake_finish(fast, &bench->job[0].job);
	}
	fake_add(slow);
	submit(&bench->job[0], &fake_func);
	fake_now += NSEC_PER_SEC;
	fake_finish(slow, &bench->job[0].job);

	/* All wait for the fast one, though the other has room */
	for (i = 0; i < NR_FLOWS - 1; i++)
		submit(&bench->job[i], &fake_func);
	KUNIT_EXPECT_NULL(test, fake_first(slow));
	fake_nr_clocks = 0;
	submit(&bench->job[i], &fake_func);
	kunit_info(test, "%u looks\n", fake_nr_clocks);
	KUNIT_EXPECT_LE(test, fake_nr_clocks, 2U);

	/* Those that may go elsewhere are asked whether they want to */
	for (i = 0; i < NR_FLOWS; i++)
		bench->job[i].job.policy = DMOVERIO_POLICY_PREFER_DMA;
	fake_nr_clocks = 0;
	fake_look();
	kunit_info(test, "%u looks\n", fake_nr_clocks);
	KUNIT_EXPECT_LE(test, fake_nr_clocks, 3U);

	fake_finish_all(fast);
	for (i = 0; i < NR_FLOWS; i++)
		KUNIT_EXPECT_TRUE(test, fake_is_done(&bench->job[i]));
	fake_remove(fast);
	fake_remove(slow);
}

static void note_comm(struct dmio_job *job)
{
	struct fake_job *fj = container_of(job, struct fake_job, job);
	struct cost_bench *bench = container_of(fj, struct cost_bench, job[0]);

	strscpy(bench->comm, current->comm, sizeof(bench->comm));
	/* Pairs with the acquire in fake_is_done() */
	smp_store_release(&fj->nr_done, 1);
}

/* The worker is one of those that belong to no processor */
static void cost_of_worker_test(struct kunit *test)
{
	struct cost_bench *bench = test->priv;
	unsigned long end = jiffies + PATIENCE;
	struct fake_job *fj = &bench->job[0];

	fake_job_init(fj, CPU, SZ_4K);
	fj->job.done = note_comm;
	dmio_job_abandon(&fj->job);
	dmio_sched_submit(&fj->job, false);
	while (!fake_is_done(fj) && time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_ASSERT_TRUE(test, fake_is_done(fj));
	KUNIT_EXPECT_TRUE_MSG(test, !strncmp(bench->comm, "kworker/u", strlen("kworker/u")),
			      "%s", bench->comm);
}

static struct kunit_case cost_cases[] = {
	KUNIT_CASE(cost_of_search_test),
	KUNIT_CASE(cost_of_clock_test),
	KUNIT_CASE(cost_of_worker_test),
	{}
};

static struct kunit_suite cost_suite = {
	.name = "dmoverio-sched-cost",
	.init = cost_init,
	.exit = cost_exit,
	.test_cases = cost_cases,
};

kunit_test_suite(cost_suite);
