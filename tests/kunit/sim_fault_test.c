// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of a simulated DMA controller that end at once: wrong results, missing
 * descriptors, terminate that fails or calls back.
 */
#include "sim_fault.h"

static const struct {
	const char *what;
	enum dmaengine_tx_result result;
	unsigned int moved, residue;
	/* Of the next one, which nobody spoiled */
	enum dmaengine_tx_result next;
} effects[] = {
	{ "read-error", DMA_TRANS_READ_FAILED, 0, 256, DMA_TRANS_NOERROR },
	{ "write-error", DMA_TRANS_WRITE_FAILED, 128, 128, DMA_TRANS_NOERROR },
	{ "abort-next", DMA_TRANS_WRITE_FAILED, 128, 128, DMA_TRANS_ABORTED },
	{ "lost", DMA_TRANS_NOERROR, 0, 0, DMA_TRANS_NOERROR },
	{ "short", DMA_TRANS_NOERROR, 128, 128, DMA_TRANS_NOERROR },
	{ "residue", DMA_TRANS_NOERROR, 256, 256, DMA_TRANS_NOERROR },
};

static int sim_fault_init(struct kunit *test)
{
	int ret = client_create(test);

	if (!ret)
		client_take(test, "dmover-sim.0");
	return ret;
}

static void sim_fault_exit(struct kunit *test)
{
	struct client *client = test->priv;

	if (client->chan[0])
		fault_end(test);
	client_destroy(test);
}

/* Four copies of 256 bytes, queued together, to outputs one behind the other */
static void submit_four(struct kunit *test)
{
	struct client *client = test->priv;
	unsigned int i;

	/* Being called back includes the end of the callback. */
	dmaengine_synchronize(client->chan[0]);
	client_reset(client);
	for (i = 0; i < 4; i++)
		submit(test, &client->job[i], copy(client, 0, i * 256, i * 256, 256, FLAGS));
	dma_async_issue_pending(client->chan[0]);
}

static void expect_moved(struct kunit *test, unsigned int i, unsigned int moved)
{
	expect_copied(test, i * 256, i * 256 + moved, i * 256);
	expect_filled(test, i * 256 + moved, (i + 1) * 256, 0xee);
}

/* The second of four is spoiled, and what is said of it is in place. */
static void spoiled(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	struct job *job = client->job;
	char line[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(effects); i++) {
		kunit_info(test, "%s\n", effects[i].what);
		snprintf(line, sizeof(line), "%s 1", effects[i].what);
		KUNIT_ASSERT_EQ(test, fault_write(&file, line), 0);
		submit_four(test);
		await(test, &job[0], DMA_TRANS_NOERROR);
		await(test, &job[1], effects[i].result);
		await(test, &job[2], effects[i].next);
		await(test, &job[3], DMA_TRANS_NOERROR);
		expect_moved(test, 0, 256);
		expect_moved(test, 1, effects[i].moved);
		expect_moved(test, 2, effects[i].next == DMA_TRANS_NOERROR ? 256 : 0);
		expect_moved(test, 3, 256);
		KUNIT_EXPECT_EQ(test, job[0].residue, 0U);
		KUNIT_EXPECT_EQ(test, job[1].residue, effects[i].residue);
		KUNIT_EXPECT_EQ(test, job[2].residue,
				effects[i].next == DMA_TRANS_NOERROR ? 0U : 256U);
		KUNIT_EXPECT_EQ(test, job[3].residue, 0U);
		KUNIT_EXPECT_EQ(test, fault_read(&file, effects[i].what, FAULT_COUNT), 0);
		KUNIT_EXPECT_EQ(test, fault_read(&file, effects[i].what, FAULT_STRUCK), 1);
	}
}

/* tx_status has the residue, too, and still says that all is well. */
static void wrong_residue(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	struct job *job = client->job;
	struct dma_tx_state state;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!i)
			KUNIT_ASSERT_EQ(test, fault_write(&file, "short 0"), 0);
		submit(test, job, copy(client, 0, 0, 0, 256, FLAGS));
		dma_async_issue_pending(client->chan[0]);
		await(test, job, DMA_TRANS_NOERROR);
		KUNIT_EXPECT_EQ(test, (int)dmaengine_tx_status(client->chan[0], job->cookie,
							       &state), (int)DMA_COMPLETE);
		KUNIT_EXPECT_EQ(test, state.residue, i ? 0U : 128U);
	}
}

/* It is done, and tx_status says so, but nobody is called back. */
static void no_callback(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	struct job *job = client->job;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, fault_write(&file, "no-callback 1"), 0);
	submit_four(test);
	await(test, &job[3], DMA_TRANS_NOERROR);
	dmaengine_synchronize(client->chan[0]);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, job[i].nr_calls, i == 1 ? 0U : 1U);
		KUNIT_EXPECT_EQ(test, (int)dmaengine_tx_status(client->chan[0], job[i].cookie,
							       NULL), (int)DMA_COMPLETE);
		expect_moved(test, i, 256);
	}
	/* The descriptor can be had again */
	submit_four(test);
	await(test, &job[1], DMA_TRANS_NOERROR);
	await(test, &job[3], DMA_TRANS_NOERROR);
}

/* As often as was said, from where on it was said, or until it is disarmed */
static void counted(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	struct job *job = client->job;

	KUNIT_ASSERT_EQ(test, fault_write(&file, "read-error 2 3\n"), 0);
	submit_four(test);
	await(test, &job[1], DMA_TRANS_NOERROR);
	await(test, &job[2], DMA_TRANS_READ_FAILED);
	await(test, &job[3], DMA_TRANS_READ_FAILED);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "read-error", FAULT_BEFORE), 0);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "read-error", FAULT_COUNT), 1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "read-error", FAULT_STRUCK), 2);
	submit_four(test);
	await(test, &job[0], DMA_TRANS_READ_FAILED);
	await(test, &job[3], DMA_TRANS_NOERROR);

	KUNIT_ASSERT_EQ(test, fault_write(&file, "write-error 1 -1"), 0);
	submit_four(test);
	await(test, &job[0], DMA_TRANS_NOERROR);
	await(test, &job[3], DMA_TRANS_WRITE_FAILED);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "write-error", FAULT_COUNT), -1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "write-error", FAULT_STRUCK), 3);
	KUNIT_ASSERT_EQ(test, fault_write(&file, "off"), 0);
	submit_four(test);
	await(test, &job[3], DMA_TRANS_NOERROR);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "write-error", FAULT_STRUCK), 0);
}

/* The other channel of the device knows nothing of it. */
static void one_channel(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);

	KUNIT_ASSERT_EQ(test, fault_write(&file, "lost 0 -1"), 0);
	submit(test, &client->job[0], copy(client, 0, 0, 0, 256, FLAGS));
	submit(test, &client->job[1], copy(client, 1, 256, 256, 256, FLAGS));
	dma_async_issue_pending(client->chan[0]);
	dma_async_issue_pending(client->chan[1]);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	await(test, &client->job[1], DMA_TRANS_NOERROR);
	expect_moved(test, 0, 0);
	expect_moved(test, 1, 256);
}

static void no_descriptor(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	unsigned long end = jiffies + PATIENCE;

	KUNIT_ASSERT_EQ(test, fault_write(&file, "no-desc 1 2"), 0);
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));

	/* For a time that begins with the first NULL */
	KUNIT_ASSERT_EQ(test, fault_write(&file, "no-desc 0 -1 20"), 0);
	schedule_timeout_uninterruptible(msecs_to_jiffies(40));
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	while (!copy(client, 0, 0, 0, 64, FLAGS) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, fault_read(&file, "no-desc", FAULT_COUNT), 0);
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
}

/* In the middle of a terminate everything unfinished is called back, once. */
static void called_back(struct kunit *test, const char *fault, enum dmaengine_tx_result result)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, fault_write(&file, "hang 1"), 0);
	KUNIT_ASSERT_EQ(test, fault_write(&file, fault), 0);
	submit_four(test);
	fault_wait(test, &file, "still", 1, 1);
	await(test, &client->job[0], DMA_TRANS_NOERROR);
	WRITE_ONCE(client->terminating, true);
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_async(client->chan[0]), 0);
	WRITE_ONCE(client->terminating, false);
	for (i = 1; i < 4; i++) {
		await(test, &client->job[i], result);
		KUNIT_EXPECT_TRUE(test, client->job[i].terminating);
		KUNIT_EXPECT_EQ(test, client->job[i].turn, i + 1);
	}
	dmaengine_synchronize(client->chan[0]);
	KUNIT_EXPECT_EQ(test, client->nr_calls, 4U);
	KUNIT_EXPECT_FALSE(test, client->job[0].terminating);
	for (i = 1; i < 4; i++)
		expect_moved(test, i, 0);
	client->nr_calls = 0;
	submit_four(test);
	await(test, &client->job[3], DMA_TRANS_NOERROR);
	dmaengine_synchronize(client->chan[0]);
	client->nr_calls = 0;
}

static void called_back_by_terminate(struct kunit *test)
{
	called_back(test, "terminate-aborted 0", DMA_TRANS_ABORTED);
	called_back(test, "terminate-success 0", DMA_TRANS_NOERROR);
}

/* Nothing is armed by what the file refuses. */
static void refused_lines(struct kunit *test)
{
	static const char * const lines[] = {
		"\n", "smell 0", "hang", "hang x", "hang -1", "hang 0 1 2 3", "hang 0 x",
		"lost 0 1 5", "terminate-error 0 1 5", "off 1", "wake 1", "HANG 0",
	};
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		kunit_info(test, "'%s'\n", lines[i]);
		KUNIT_EXPECT_EQ(test, fault_write(&file, lines[i]), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, fault_write(&file, "wake"), -EAGAIN);
	submit_four(test);
	await(test, &client->job[3], DMA_TRANS_NOERROR);
	expect_copied(test, 0, 1024, 0);
}

static struct kunit_case sim_fault_cases[] = {
	KUNIT_CASE(spoiled),
	KUNIT_CASE(wrong_residue),
	KUNIT_CASE(no_callback),
	KUNIT_CASE(counted),
	KUNIT_CASE(one_channel),
	KUNIT_CASE(no_descriptor),
	KUNIT_CASE(called_back_by_terminate),
	KUNIT_CASE(refused_lines),
	{}
};

static struct kunit_suite sim_fault_suite = {
	.name = "dmover-sim-fault",
	.init = sim_fault_init,
	.exit = sim_fault_exit,
	.test_cases = sim_fault_cases,
};

kunit_test_suite(sim_fault_suite);
