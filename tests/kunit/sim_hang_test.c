// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated DMA controllers that hang, and what stops them: each of the drivers,
 * whose names say it, has a device, see the guest's suite "kunit".
 */
#include <linux/device.h>

#include "sim_fault.h"

#define STOPS		"dmover-sim.0"
#define RELEASED	"dmover-sim.1"
#define NEVER		"dmover-sim.2"
#define NO_TERMINATE	"dmover-sim.3"

static int sim_hang_init(struct kunit *test)
{
	return client_create(test);
}

/* Whatever the case has left in the hardware, it is done with the memory. */
static void sim_hang_exit(struct kunit *test)
{
	struct client *client = test->priv;

	if (!client->chan[0] && client->name)
		client_take(test, client->name);
	if (client->chan[0])
		fault_end(test);
	client_destroy(test);
}

/* The copy of job @i: 64 bytes of their own */
static void submit_one(struct kunit *test, unsigned int i)
{
	struct client *client = test->priv;

	submit(test, &client->job[i], copy(client, 0, i * 64, i * 64, 64, FLAGS));
	dma_async_issue_pending(client->chan[0]);
}

static void expect_moved(struct kunit *test, unsigned int i)
{
	expect_copied(test, i * 64, i * 64 + 64, i * 64);
}

static void expect_not_moved(struct kunit *test, unsigned int i)
{
	expect_filled(test, i * 64, i * 64 + 64, 0xee);
}

/* The channel of @device stands still at job 0, because of @line; 1 is behind it. */
static struct fault_file hang(struct kunit *test, const char *device, const char *line)
{
	struct client *client = test->priv;
	struct fault_file file;

	client_take(test, device);
	file = fault_file(client, 0);
	KUNIT_ASSERT_EQ(test, fault_write(&file, line), 0);
	submit_one(test, 0);
	submit_one(test, 1);
	fault_wait(test, &file, "still", 1, 1);
	expect_not_moved(test, 0);
	return file;
}

static void wake(struct kunit *test, const struct fault_file *file)
{
	KUNIT_ASSERT_EQ(test, fault_write(file, "wake"), 0);
}

/* Nothing is called back but jobs from @first to @last, each once. */
static void expect_called(struct kunit *test, unsigned int first, unsigned int last)
{
	struct client *client = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(client->job); i++) {
		unsigned int nr = i >= first && i <= last;

		KUNIT_EXPECT_EQ(test, client->job[i].nr_calls, nr);
	}
}

static void woken(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "hang 0");

	KUNIT_EXPECT_FALSE(test, completion_done(&client->job[0].done));
	wake(test, &file);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	await(test, &client->job[1], DMA_TRANS_NOERROR);
	expect_moved(test, 0);
	expect_moved(test, 1);
	KUNIT_EXPECT_EQ(test, fault_write(&file, "wake"), -EAGAIN);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "hang", FAULT_STRUCK), 1);
}

/* By itself, each time; what nobody wakes stands for at least the time. */
static void woken_by_time(struct kunit *test)
{
	struct client *client = test->priv;
	unsigned long start = jiffies;
	struct fault_file file;

	client_take(test, STOPS);
	file = fault_file(client, 0);
	KUNIT_ASSERT_EQ(test, fault_write(&file, "hang 0 2 300"), 0);
	submit_one(test, 0);
	submit_one(test, 1);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	await(test, &client->job[1], DMA_TRANS_NOERROR);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, start + msecs_to_jiffies(600)));
	expect_moved(test, 0);
	expect_moved(test, 1);
}

/* Until it is disarmed, which wakes it, too */
static void hang_for_good(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "hang 0 -1");

	wake(test, &file);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	fault_wait(test, &file, "hang", FAULT_STRUCK, 2);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 1);
	KUNIT_EXPECT_EQ(test, fault_write(&file, "off"), 0);
	await(test, &client->job[1], DMA_TRANS_NOERROR);
	expect_moved(test, 1);
}

/* After a terminate the hardware has stopped, and works again. */
static void stopped_by_terminate(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "hang 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	submit_one(test, 2);
	await(test, &client->job[2], DMA_TRANS_NOERROR);
	expect_not_moved(test, 0);
	expect_not_moved(test, 1);
	expect_called(test, 2, 2);
}

/* Terminated, and not even released, it writes. What comes later waits for it. */
static void late_write(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "late 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 1);
	submit_one(test, 2);
	expect_not_moved(test, 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&client->job[2].done));
	wake(test, &file);
	await(test, &client->job[2], DMA_TRANS_NOERROR);
	expect_moved(test, 0);
	expect_not_moved(test, 1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	expect_called(test, 2, 2);
}

static void late_after_release(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "late-callback 0");

	client_let_go(client);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 1);
	/* For the next client the hardware stands still. */
	client_take(test, STOPS);
	submit_one(test, 2);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 1);
	client_let_go(client);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 1);
	expect_not_moved(test, 0);
	wake(test, &file);
	fault_wait(test, &file, "loose", 1, 0);
	expect_moved(test, 0);
	expect_not_moved(test, 2);
	expect_called(test, NR_DESCS, NR_DESCS);
}

/* Whether it still stood still, for @ms, when it was terminated at @start */
static bool terminated_in_time(struct kunit *test, unsigned int ms, unsigned long *start)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	char line[32];

	client_reset(client);
	snprintf(line, sizeof(line), "late 0 1 %u", ms);
	KUNIT_ASSERT_EQ(test, fault_write(&file, line), 0);
	submit_one(test, 0);
	fault_wait(test, &file, "late", FAULT_STRUCK, 1);
	schedule_timeout_uninterruptible(msecs_to_jiffies(ms / 4));
	*start = jiffies;
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	return fault_read(&file, "loose", 1) == 1;
}

/* Its time counts from the terminate; where that came too late, more of it. */
static void late_by_time(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file;
	unsigned int ms = 400;
	unsigned long start;

	client_take(test, STOPS);
	file = fault_file(client, 0);
	while (!terminated_in_time(test, ms, &start) && ms < 50000)
		ms *= 2;
	client_let_go(client);
	fault_wait(test, &file, "loose", 1, 0);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, start + msecs_to_jiffies(ms)));
	expect_moved(test, 0);
	expect_called(test, NR_DESCS, NR_DESCS);
}

static void late_callback(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "late-callback 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&client->job[0].done));
	wake(test, &file);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	expect_moved(test, 0);
	expect_not_moved(test, 1);
	expect_called(test, 0, 0);
}

/* Nobody terminates it, but it is never called back either. */
static void late_and_silent(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, NEVER, "late 0");

	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	wake(test, &file);
	await(test, &client->job[1], DMA_TRANS_NOERROR);
	expect_moved(test, 0);
	expect_moved(test, 1);
	expect_called(test, 1, 1);
	/* Its descriptor does not come back. */
	dmaengine_synchronize(client->chan[0]);
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
}

static void terminate_fails(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, STOPS, "hang 0");

	KUNIT_ASSERT_EQ(test, fault_write(&file, "terminate-error 0"), 0);
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 2);
	wake(test, &file);
	fault_wait(test, &file, "loose", 1, 0);
	expect_moved(test, 0);
	expect_moved(test, 1);

	/* The next one succeeds, and stops what the first could not. */
	client_reset(client);
	KUNIT_ASSERT_EQ(test, fault_write(&file, "hang 0"), 0);
	KUNIT_ASSERT_EQ(test, fault_write(&file, "terminate-error 0"), 0);
	submit_one(test, 2);
	fault_wait(test, &file, "still", 1, 1);
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	expect_not_moved(test, 2);
	expect_called(test, NR_DESCS, NR_DESCS);
}

/* All that was issued is written although the channel is terminated, released. */
static void never_stopped(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, NEVER, "hang 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 2);
	client_let_go(client);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 2);
	expect_not_moved(test, 0);
	wake(test, &file);
	fault_wait(test, &file, "loose", 1, 0);
	expect_moved(test, 0);
	expect_moved(test, 1);
	expect_called(test, NR_DESCS, NR_DESCS);
}

/* Nothing stops it, but it works as before once it is woken. */
static void never_stopped_woken(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, NEVER, "hang 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	submit_one(test, 2);
	wake(test, &file);
	await(test, &client->job[2], DMA_TRANS_NOERROR);
	expect_moved(test, 0);
	expect_moved(test, 1);
	expect_moved(test, 2);
	expect_called(test, 2, 2);
}

static void stopped_by_release(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, RELEASED, "late-callback 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 2);
	client_let_go(client);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	KUNIT_EXPECT_EQ(test, fault_write(&file, "wake"), -EAGAIN);
	client_take(test, RELEASED);
	submit_one(test, 2);
	await(test, &client->job[2], DMA_TRANS_NOERROR);
	expect_not_moved(test, 0);
	expect_not_moved(test, 1);
	expect_called(test, 2, 2);
}

/* Of the same driver, but without a terminate */
static void cannot_be_terminated(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, NO_TERMINATE, "hang 0");

	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), -EINVAL);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 0);
	client_let_go(client);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "still", 1), 0);
	client_take(test, NO_TERMINATE);
	submit_one(test, 2);
	await(test, &client->job[2], DMA_TRANS_NOERROR);
	expect_not_moved(test, 0);
	expect_called(test, 2, 2);
}

/* Unbind stops everything: what clients left behind, and what they have. */
static void stopped_by_unbind(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = hang(test, NEVER, "late-callback 0");

	client_let_go(client);
	client_take(test, NEVER);
	submit_one(test, 2);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "loose", 1), 2);
	client_unmap(client);
	device_release_driver(client->dev);
	KUNIT_EXPECT_LT(test, fault_write(&file, "wake"), 0);
	client_let_go(client);
	KUNIT_EXPECT_EQ(test, device_attach(client->dev), 1);
	client_take(test, NEVER);
	submit_one(test, 3);
	await(test, &client->job[3], DMA_TRANS_NOERROR);
	expect_not_moved(test, 0);
	expect_not_moved(test, 1);
	expect_not_moved(test, 2);
	expect_called(test, 3, 3);
}

static struct kunit_case sim_hang_cases[] = {
	KUNIT_CASE(woken),
	KUNIT_CASE(woken_by_time),
	KUNIT_CASE(hang_for_good),
	KUNIT_CASE(stopped_by_terminate),
	KUNIT_CASE(late_write),
	KUNIT_CASE(late_after_release),
	KUNIT_CASE(late_by_time),
	KUNIT_CASE(late_callback),
	KUNIT_CASE(late_and_silent),
	KUNIT_CASE(terminate_fails),
	KUNIT_CASE(never_stopped),
	KUNIT_CASE(never_stopped_woken),
	KUNIT_CASE(stopped_by_release),
	KUNIT_CASE(cannot_be_terminated),
	KUNIT_CASE(stopped_by_unbind),
	{}
};

static struct kunit_suite sim_hang_suite = {
	.name = "dmover-sim-hang",
	.init = sim_hang_init,
	.exit = sim_hang_exit,
	.test_cases = sim_hang_cases,
};

kunit_test_suite(sim_hang_suite);
