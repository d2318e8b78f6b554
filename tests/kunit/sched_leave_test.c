// SPDX-License-Identifier: GPL-2.0
/*
 * An engine that leaves gets no more jobs, and is waited for until it has none
 * and until nobody is inside.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/sizes.h>

#include "../../module/engine_cpu.h"
#include "../../module/sched.h"
#include "fake.h"

/* How long is waited for what must happen at once; and by those who wait for it */
#define PATIENCE	(60 * HZ)
#define LEAVE_TIMEOUT	(2 * PATIENCE)

#define PREFER		DMOVERIO_POLICY_PREFER_DMA
#define BYTES		SZ_4K

#define NR_JOBS		3

/* A thread that submits a job, or waits for an engine to have none */
struct helper {
	struct fake *fake;
	struct fake_job *fj;
	struct task_struct *task;
	struct completion over;
	bool left;
};

/**
 * struct leave_bench - what the cases of this suite work with
 * @dma: an engine that leaves
 * @other: another
 * @job: jobs
 */
struct leave_bench {
	struct fake dma;
	struct fake other;
	struct fake_job job[NR_JOBS];
};

static int leave_init(struct kunit *test)
{
	struct leave_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	fake_param_set(test, "learn", "0");
	return 0;
}

static void leave_exit(struct kunit *test)
{
	if (test->priv)
		fakes_stop(test);
}

static int helper_thread(void *data)
{
	struct helper *helper = data;

	if (helper->fj)
		fake_job_submit(helper->fj, PREFER, BYTES);
	else
		helper->left = dmio_sched_leave(&helper->fake->engine, LEAVE_TIMEOUT);
	complete_all(&helper->over);
	return 0;
}

static void helper_start(struct kunit *test, struct helper *helper, struct fake *fake,
			 struct fake_job *fj)
{
	*helper = (struct helper){ .fake = fake, .fj = fj };
	init_completion(&helper->over);
	helper->task = kthread_create(helper_thread, helper, "dmoverio-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, helper->task);
	get_task_struct(helper->task);
	wake_up_process(helper->task);
}

static bool is_active(const struct fake *fake)
{
	return READ_ONCE(fake->engine.state) == DMOVERIO_ENGINE_ACTIVE;
}

/* Let a thread that waits for an engine get to sleep; it goes on waiting */
static void expect_waiting(struct kunit *test, struct helper *helper)
{
	unsigned int i;

	for (i = 0; i < PATIENCE && (is_active(helper->fake) || task_is_running(helper->task)); i++)
		schedule_timeout_idle(1);
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&helper->over, 2));
}

static void expect_over(struct kunit *test, struct helper *helper)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&helper->over, PATIENCE), 0UL);
	kthread_stop(helper->task);
	put_task_struct(helper->task);
	if (!helper->fj)
		KUNIT_EXPECT_TRUE(test, helper->left);
}

static void leave_idle_test(struct kunit *test)
{
	struct leave_bench *bench = test->priv;
	struct fake *dma = &bench->dma;

	fake_add(dma);
	fake_job_submit(&bench->job[0], PREFER, BYTES);
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, 0));
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, LEAVE_TIMEOUT));
	dmio_sched_remove(&dma->engine);
}

/* A job that does not end: the time is over some day, and it may be tried again */
static void leave_timeout_test(struct kunit *test)
{
	struct leave_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	unsigned int i;

	dma->holds = true;
	fake_add(dma);
	fake_job_submit(&bench->job[0], PREFER, BYTES);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, dmio_sched_leave(&dma->engine, i));
	fake_job_submit(&bench->job[1], PREFER, BYTES);
	KUNIT_EXPECT_EQ(test, dma->nr_jobs, 1U);
	KUNIT_EXPECT_EQ(test, (int)bench->job[1].job.reason, (int)DMIO_REASON_NO_CHANNEL);
	KUNIT_EXPECT_EQ(test, bench->job[1].nr_done, 1U);
	fake_finish(dma, &bench->job[0].job);
	KUNIT_EXPECT_TRUE(test, dmio_sched_leave(&dma->engine, 0));
	dmio_sched_remove(&dma->engine);
}

/* The last of its jobs ends the wait; those of others do not */
static void leave_jobs_test(struct kunit *test)
{
	struct leave_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	struct helper leaver;
	unsigned int i;

	dma->holds = true;
	fake_add(dma);
	for (i = 0; i < NR_JOBS - 1; i++)
		fake_job_submit(&bench->job[i], PREFER, BYTES);
	fake_add(&bench->other);
	helper_start(test, &leaver, dma, NULL);
	expect_waiting(test, &leaver);
	fake_job_submit(&bench->job[NR_JOBS - 1], PREFER, BYTES);
	KUNIT_EXPECT_EQ(test, bench->other.nr_jobs, 1U);
	for (i = 0; i < NR_JOBS - 1; i++) {
		expect_waiting(test, &leaver);
		fake_finish(dma, &bench->job[i].job);
	}
	expect_over(test, &leaver);
	dmio_sched_remove(&dma->engine);
	fake_remove(&bench->other);
}

/* A job that it gives back is not its own any more, though it is not done */
static void leave_restart_test(struct kunit *test)
{
	struct leave_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	struct helper leaver;

	dma->holds = true;
	dma->error = -EIO;
	dma->reason = DMIO_REASON_REMOVED;
	fake_cpu.holds = true;
	fake_add(dma);
	fake_job_submit(&bench->job[0], PREFER, BYTES);
	helper_start(test, &leaver, dma, NULL);
	expect_waiting(test, &leaver);
	fake_finish(dma, &bench->job[0].job);
	expect_over(test, &leaver);
	dmio_sched_remove(&dma->engine);
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 0U);
	fake_finish(&fake_cpu, &bench->job[0].job);
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 1U);
	KUNIT_EXPECT_EQ(test, bench->job[0].job.error, 0);
}

/* Who calls the engine is waited for, even if the job was done meanwhile */
static void leave_call_test(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(proceed);
	struct leave_bench *bench = test->priv;
	struct fake *dma = &bench->dma;
	struct helper caller, leaver;

	dma->proceed = &proceed;
	fake_add(dma);
	helper_start(test, &caller, dma, &bench->job[0]);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&dma->inside, PATIENCE), 0UL);
	KUNIT_EXPECT_EQ(test, bench->job[0].nr_done, 1U);
	KUNIT_EXPECT_FALSE(test, dmio_sched_leave(&dma->engine, 1));
	helper_start(test, &leaver, dma, NULL);
	expect_waiting(test, &leaver);
	complete(&proceed);
	expect_over(test, &leaver);
	expect_over(test, &caller);
	dmio_sched_remove(&dma->engine);
}

static struct kunit_case leave_cases[] = {
	KUNIT_CASE(leave_idle_test),
	KUNIT_CASE(leave_timeout_test),
	KUNIT_CASE(leave_jobs_test),
	KUNIT_CASE(leave_restart_test),
	KUNIT_CASE(leave_call_test),
	{}
};

static struct kunit_suite leave_suite = {
	.name = "dmoverio-sched-leave",
	.init = leave_init,
	.exit = leave_exit,
	.test_cases = leave_cases,
};

kunit_test_suite(leave_suite);
