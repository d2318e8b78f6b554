// SPDX-License-Identifier: GPL-2.0
/* A client of a simulated DMA controller, with memory to be moved. */
#include <linux/slab.h>

#include "sim_client.h"

static bool is_named(struct dma_chan *chan, void *name)
{
	return !strcmp(dev_name(chan->device->dev), name);
}

static u8 input_byte(unsigned int i)
{
	return i * 7 + i / 256;
}

/**
 * client_reset() - the output's bytes are 0xee again, the input what it was
 * @client: the client
 */
void client_reset(struct client *client)
{
	unsigned int i;

	memset(client->mem, 0xee, HALF);
	for (i = HALF; i < BYTES; i++)
		client->mem[i] = input_byte(i);
}

/**
 * client_create() - a client without channels
 * @test: the case; its private data is the client
 *
 * Context: may sleep.
 * Return: 0.
 */
int client_create(struct kunit *test)
{
	struct client *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, client);
	test->priv = client;
	client->mem = (u8 *)__get_free_pages(GFP_KERNEL, get_order(BYTES));
	KUNIT_ASSERT_NOT_NULL(test, client->mem);
	client_reset(client);
	return 0;
}

/**
 * client_take() - take the channels of a device, and map the memory for it
 * @test: the case
 * @device: name of the device
 *
 * Context: may sleep.
 */
void client_take(struct kunit *test, const char *device)
{
	struct client *client = test->priv;
	dma_cap_mask_t mask;
	unsigned int i;

	client->name = device;
	dma_cap_zero(mask);
	dma_cap_set(DMA_PQ, mask);
	for (i = 0; i < ARRAY_SIZE(client->chan); i++) {
		client->chan[i] = dma_request_channel(mask, is_named, (void *)device);
		KUNIT_ASSERT_NOT_NULL(test, client->chan[i]);
	}
	if (client->addr)
		return;
	if (!client->dev)
		client->dev = get_device(dmaengine_get_dma_device(client->chan[0]));
	client->addr = dma_map_single(client->dev, client->mem, BYTES, DMA_BIDIRECTIONAL);
	KUNIT_ASSERT_EQ(test, dma_mapping_error(client->dev, client->addr), 0);
}

/**
 * client_let_go() - release the channels, but keep the memory
 * @client: may have none
 *
 * Context: may sleep.
 */
void client_let_go(struct client *client)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(client->chan); i++)
		if (client->chan[i]) {
			dmaengine_terminate_sync(client->chan[i]);
			dma_release_channel(client->chan[i]);
			client->chan[i] = NULL;
		}
}

/**
 * client_unmap() - the memory is not the device's, until channels are taken again
 * @client: the client
 */
void client_unmap(struct client *client)
{
	if (client->addr)
		dma_unmap_single(client->dev, client->addr, BYTES, DMA_BIDIRECTIONAL);
	client->addr = 0;
}

/**
 * client_destroy() - everything is given back; kunit frees the client itself
 * @test: the case
 *
 * Context: may sleep.
 */
void client_destroy(struct kunit *test)
{
	struct client *client = test->priv;

	client_let_go(client);
	client_unmap(client);
	put_device(client->dev);
	free_pages((unsigned long)client->mem, get_order(BYTES));
}

static void job_done(void *param, const struct dmaengine_result *result)
{
	struct job *job = param;

	job->result = result->result;
	job->residue = result->residue;
	job->terminating = READ_ONCE(job->client->terminating);
	job->turn = ++job->client->nr_calls;
	job->nr_calls++;
	complete_all(&job->done);
}

/**
 * submit() - submit a descriptor
 * @test: the case
 * @job: where its callback goes
 * @tx: the descriptor
 */
void submit(struct kunit *test, struct job *job, struct dma_async_tx_descriptor *tx)
{
	KUNIT_ASSERT_NOT_NULL(test, tx);
	memset(job, 0, sizeof(*job));
	job->client = test->priv;
	init_completion(&job->done);
	tx->callback_result = job_done;
	tx->callback_param = job;
	job->cookie = dmaengine_submit(tx);
	KUNIT_ASSERT_GT(test, job->cookie, 0);
}

/**
 * await() - wait for a callback
 * @test: fails if it does not come
 * @job: what was submitted
 * @result: what the callback shall have been told
 *
 * Context: may sleep.
 */
void await(struct kunit *test, struct job *job, enum dmaengine_tx_result result)
{
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&job->done, PATIENCE), 0UL);
	KUNIT_EXPECT_EQ(test, (int)job->result, (int)result);
}

/**
 * copy() - a descriptor that copies from the input
 * @client: the client
 * @chan: which channel
 * @dst: offset in the output
 * @src: offset in the input
 * @len: bytes
 * @flags: of dmaengine
 *
 * Return: the descriptor, or NULL if there is none.
 */
struct dma_async_tx_descriptor *copy(struct client *client, unsigned int chan, unsigned int dst,
				     unsigned int src, size_t len, unsigned long flags)
{
	return dmaengine_prep_dma_memcpy(client->chan[chan], client->addr + dst,
					 client->addr + HALF + src, len, flags);
}

/**
 * expect_copied() - bytes of the output are those of the input
 * @test: the case
 * @from: the first
 * @to: behind the last
 * @src: where in the input they begin
 */
void expect_copied(struct kunit *test, unsigned int from, unsigned int to, unsigned int src)
{
	struct client *client = test->priv;

	KUNIT_EXPECT_EQ(test, memcmp(client->mem + from, client->mem + HALF + src, to - from), 0);
}

/**
 * expect_filled() - bytes of the output have a value
 * @test: the case
 * @from: the first
 * @to: behind the last
 * @value: what they shall be
 */
void expect_filled(struct kunit *test, unsigned int from, unsigned int to, u8 value)
{
	struct client *client = test->priv;

	KUNIT_EXPECT_NULL(test, memchr_inv(client->mem + from, value, to - from));
}
