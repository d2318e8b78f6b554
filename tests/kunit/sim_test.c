// SPDX-License-Identifier: GPL-2.0
/*
 * A client of the simulated DMA controller: that it is as strict as it says.
 *
 * The device is dmover-sim.0, see sim_client.h.
 */
#include <linux/module.h>

#include "sim_client.h"

static int sim_test_init(struct kunit *test)
{
	int ret = client_create(test);

	if (!ret)
		client_take(test, "dmover-sim.0");
	return ret;
}

/* What the CPU writes beside an output is lost, as far as the line goes. */
static void lost_neighbours(struct kunit *test)
{
	struct client *client = test->priv;
	struct job job;

	memset(client->mem, 0x11, 1024);
	submit(test, &job, copy(client, 0, 64 + 12, 0, 256, FLAGS));
	memset(client->mem, 0x22, 64 + 12);
	memset(client->mem + 64 + 12 + 256, 0x22, 256);
	dma_async_issue_pending(client->chan[0]);
	await(test, &job, DMA_TRANS_NOERROR);
	expect_filled(test, 0, 64, 0x22);
	expect_filled(test, 64, 64 + 12, 0x11);
	expect_copied(test, 64 + 12, 64 + 12 + 256, 0);
	expect_filled(test, 64 + 12 + 256, 6 * 64, 0x11);
	expect_filled(test, 6 * 64, 64 + 12 + 256 + 256, 0x22);
}

/* What another transfer writes there is not lost, whoever comes first. */
static void kept_neighbours(struct kunit *test)
{
	struct client *client = test->priv;
	struct job left, middle, right;
	unsigned int first;

	for (first = 0; first < 2; first++) {
		client_reset(client);
		submit(test, &left, copy(client, 0, 0, 0, 100, FLAGS));
		submit(test, &right, copy(client, 0, 120, 120, 100, FLAGS));
		submit(test, &middle, copy(client, 1, 100, 100, 20, FLAGS));
		dma_async_issue_pending(client->chan[first]);
		await(test, first ? &middle : &left, DMA_TRANS_NOERROR);
		dma_async_issue_pending(client->chan[!first]);
		await(test, &left, DMA_TRANS_NOERROR);
		await(test, &right, DMA_TRANS_NOERROR);
		if (!first)
			await(test, &middle, DMA_TRANS_NOERROR);
		expect_copied(test, 0, 220, 0);
		expect_filled(test, 220, 512, 0xee);
	}
}

static const struct {
	const char *what;
	u64 dst, src;		/* offsets, or addresses if absolute */
	bool absolute_dst, absolute_src;
	size_t len;
	enum dmaengine_tx_result result;
} refusals[] = {
	{ .what = "misaligned output", .dst = 1, .len = 64, .result = DMA_TRANS_WRITE_FAILED },
	{ .what = "misaligned input", .src = 2, .len = 64, .result = DMA_TRANS_READ_FAILED },
	{ .what = "misaligned length", .len = 63, .result = DMA_TRANS_ABORTED },
	{ .what = "no length", .result = DMA_TRANS_ABORTED },
	{ .what = "too long", .len = 4096 + 4, .result = DMA_TRANS_ABORTED },
	{ .what = "beyond the mask", .dst = (1ULL << 40) - 32, .absolute_dst = true, .len = 64,
	  .result = DMA_TRANS_WRITE_FAILED },
	{ .what = "wraps around", .src = -32ULL, .absolute_src = true, .len = 64,
	  .result = DMA_TRANS_READ_FAILED },
	{ .what = "no memory", .dst = 1ULL << 39, .absolute_dst = true, .len = 64,
	  .result = DMA_TRANS_WRITE_FAILED },
	{ .what = "longest", .len = 4096, .result = DMA_TRANS_NOERROR },
};

static void refused(struct kunit *test)
{
	struct client *client = test->priv;
	struct job job;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		dma_addr_t dst = refusals[i].dst, src = refusals[i].src;

		kunit_info(test, "%s\n", refusals[i].what);
		dst += refusals[i].absolute_dst ? 0 : client->addr;
		src += refusals[i].absolute_src ? 0 : client->addr + HALF;
		submit(test, &job, dmaengine_prep_dma_memcpy(client->chan[0], dst, src,
							     refusals[i].len, FLAGS));
		dma_async_issue_pending(client->chan[0]);
		await(test, &job, refusals[i].result);
		if (refusals[i].result != DMA_TRANS_NOERROR)
			expect_filled(test, 0, HALF, 0xee);
	}
	expect_copied(test, 0, 4096, 0);
}

/* No descriptor is left, until one is complete, called back and acknowledged. */
static void descriptors_run_out(struct kunit *test)
{
	struct client *client = test->priv;
	struct dma_async_tx_descriptor *tx[NR_DESCS];
	struct job job[NR_DESCS];
	unsigned int i;

	for (i = 0; i < NR_DESCS; i++) {
		tx[i] = copy(client, 0, i * 64, 0, 64, DMA_PREP_INTERRUPT);
		submit(test, &job[i], tx[i]);
	}
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 1, 0, 0, 64, FLAGS));
	dma_async_issue_pending(client->chan[0]);
	for (i = 0; i < NR_DESCS; i++)
		await(test, &job[i], DMA_TRANS_NOERROR);
	/* Its being called back includes the end of the callback. */
	dmaengine_synchronize(client->chan[0]);
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	async_tx_ack(tx[2]);
	KUNIT_EXPECT_NOT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
	KUNIT_EXPECT_NULL(test, copy(client, 0, 0, 0, 64, FLAGS));
}

/* Completions that raise no interrupt are noticed with the next that does. */
static void interrupt_on_request(struct kunit *test)
{
	struct client *client = test->priv;
	struct dma_chan *chan = client->chan[0];
	struct job job[3];
	unsigned int i;

	submit(test, &job[0], copy(client, 0, 0, 0, 64, DMA_CTRL_ACK));
	submit(test, &job[1], copy(client, 0, 64, 0, 64, DMA_CTRL_ACK));
	dma_async_issue_pending(chan);
	while (READ_ONCE(chan->completed_cookie) != chan->cookie)
		schedule_timeout_uninterruptible(1);
	schedule_timeout_uninterruptible(HZ / 20);
	KUNIT_EXPECT_EQ(test, client->nr_calls, 0U);
	submit(test, &job[2], copy(client, 0, 128, 0, 64, FLAGS));
	dma_async_issue_pending(chan);
	for (i = 0; i < ARRAY_SIZE(job); i++) {
		await(test, &job[i], DMA_TRANS_NOERROR);
		KUNIT_EXPECT_EQ(test, job[i].turn, i + 1);
	}

	/* Or when somebody asks */
	submit(test, &job[0], copy(client, 0, 0, 0, 64, DMA_CTRL_ACK));
	submit(test, &job[1], copy(client, 0, 64, 0, 64, DMA_CTRL_ACK));
	dma_async_issue_pending(chan);
	while (dmaengine_tx_status(chan, chan->cookie, NULL) != DMA_COMPLETE)
		schedule_timeout_uninterruptible(1);
	await(test, &job[0], DMA_TRANS_NOERROR);
	await(test, &job[1], DMA_TRANS_NOERROR);
}

static void terminated(struct kunit *test)
{
	struct client *client = test->priv;
	struct job job[2], last;
	struct dma_async_tx_descriptor *tx;

	submit(test, &job[0], copy(client, 0, 0, 0, 64, FLAGS));
	submit(test, &job[1], copy(client, 0, 64, 0, 64, FLAGS));
	tx = copy(client, 0, 128, 0, 64, FLAGS);
	KUNIT_ASSERT_NOT_NULL(test, tx);
	KUNIT_EXPECT_EQ(test, dmaengine_terminate_sync(client->chan[0]), 0);
	KUNIT_EXPECT_LT(test, dmaengine_submit(tx), 0);
	dma_async_issue_pending(client->chan[0]);
	submit(test, &last, copy(client, 0, 256, 256, 64, FLAGS));
	dma_async_issue_pending(client->chan[0]);
	await(test, &last, DMA_TRANS_NOERROR);
	KUNIT_EXPECT_EQ(test, client->nr_calls, 1U);
	expect_filled(test, 0, 256, 0xee);
	expect_copied(test, 256, 320, 256);
}

static void submitted_twice(struct kunit *test)
{
	struct client *client = test->priv;
	struct dma_async_tx_descriptor *tx = copy(client, 0, 0, 0, 64, FLAGS);
	struct job job;

	submit(test, &job, tx);
	KUNIT_EXPECT_LT(test, dmaengine_submit(tx), 0);
	dma_async_issue_pending(client->chan[0]);
	await(test, &job, DMA_TRANS_NOERROR);
}

static void filled(struct kunit *test)
{
	struct client *client = test->priv;
	struct job job;

	submit(test, &job, dmaengine_prep_dma_memset(client->chan[0], client->addr + 4, 0x1a5,
						     3000, FLAGS));
	dma_async_issue_pending(client->chan[0]);
	await(test, &job, DMA_TRANS_NOERROR);
	expect_filled(test, 0, 4, 0xee);
	expect_filled(test, 4, 3004, 0xa5);
	expect_filled(test, 3004, HALF, 0xee);
}

/* The output is the second of three inputs. */
static void xored_in_place(struct kunit *test)
{
	struct client *client = test->priv;
	dma_addr_t src[] = { client->addr + HALF, client->addr + 4, client->addr + HALF + 2000 };
	unsigned int i, nr_bad = 0;
	struct job job;

	submit(test, &job, client->chan[0]->device->device_prep_dma_xor(client->chan[0], src[1],
									src, 3, 2000, FLAGS));
	dma_async_issue_pending(client->chan[0]);
	await(test, &job, DMA_TRANS_NOERROR);
	for (i = 0; i < 2000; i++)
		nr_bad += client->mem[4 + i] != (client->mem[HALF + i] ^ 0xee ^
						 client->mem[HALF + 2000 + i]);
	KUNIT_EXPECT_EQ(test, nr_bad, 0U);
}

/* By the book, a bit at a time */
static u8 multiple(u8 byte, u8 coef)
{
	unsigned int sum = 0, bit;

	for (bit = 0; bit < 8; bit++)
		if (coef & 1 << bit)
			sum ^= byte << bit;
	for (bit = 15; bit >= 8; bit--)
		if (sum & 1 << bit)
			sum ^= 0x11d << (bit - 8);
	return sum;
}

static void pq(struct kunit *test, unsigned long flags)
{
	static const u8 coef[] = { 1, 2, 0xff, 0x8e };
	struct client *client = test->priv;
	dma_addr_t dst[] = { client->addr, client->addr + 2048 }, src[ARRAY_SIZE(coef)];
	unsigned int i, k, nr_bad = 0;
	struct job job;

	client_reset(client);
	for (k = 0; k < ARRAY_SIZE(coef); k++)
		src[k] = client->addr + HALF + k * 500;
	submit(test, &job, client->chan[0]->device->device_prep_dma_pq(client->chan[0], dst, src,
								       ARRAY_SIZE(coef), coef,
								       1996, FLAGS | flags));
	dma_async_issue_pending(client->chan[0]);
	await(test, &job, DMA_TRANS_NOERROR);
	for (i = 0; i < 1996; i++) {
		u8 p = flags & DMA_PREP_CONTINUE ? 0xee : 0, q = p;

		for (k = 0; k < ARRAY_SIZE(coef); k++) {
			p ^= client->mem[HALF + k * 500 + i];
			q ^= multiple(client->mem[HALF + k * 500 + i], coef[k]);
		}
		nr_bad += client->mem[i] != (flags & DMA_PREP_PQ_DISABLE_P ? 0xee : p);
		nr_bad += client->mem[2048 + i] != (flags & DMA_PREP_PQ_DISABLE_Q ? 0xee : q);
	}
	KUNIT_EXPECT_EQ(test, nr_bad, 0U);
}

static void pq_all(struct kunit *test)
{
	pq(test, 0);
	pq(test, DMA_PREP_CONTINUE);
	pq(test, DMA_PREP_PQ_DISABLE_P);
	pq(test, DMA_PREP_PQ_DISABLE_Q);
	pq(test, DMA_PREP_PQ_DISABLE_P | DMA_PREP_CONTINUE);
}

static struct kunit_case sim_cases[] = {
	KUNIT_CASE(lost_neighbours),
	KUNIT_CASE(kept_neighbours),
	KUNIT_CASE(refused),
	KUNIT_CASE(descriptors_run_out),
	KUNIT_CASE(interrupt_on_request),
	KUNIT_CASE(terminated),
	KUNIT_CASE(submitted_twice),
	KUNIT_CASE(filled),
	KUNIT_CASE(xored_in_place),
	KUNIT_CASE(pq_all),
	{}
};

static struct kunit_suite sim_suite = {
	.name = "dmover-sim",
	.init = sim_test_init,
	.exit = client_destroy,
	.test_cases = sim_cases,
};

kunit_test_suite(sim_suite);

MODULE_DESCRIPTION("Tests of dmover-sim");
MODULE_LICENSE("GPL");
