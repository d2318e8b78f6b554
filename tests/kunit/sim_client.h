/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of a simulated DMA controller, with memory to be moved.
 *
 * The devices are those that the guest's suite "kunit" makes: coherent=0 align=2
 * max_seg=4096 bits=40 descs=4. As a transfer begins no earlier than its issue,
 * what is done between submit and issue is certainly done in flight.
 */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/jiffies.h>

#define NR_DESCS	4
#define BYTES		8192
#define HALF		(BYTES / 2)
#define PATIENCE	(60 * HZ)
#define FLAGS		(DMA_PREP_INTERRUPT | DMA_CTRL_ACK)

/* What a transfer's callback was told */
struct job {
	struct client *client;
	struct completion done;
	dma_cookie_t cookie;
	enum dmaengine_tx_result result;
	u32 residue;
	unsigned int turn;
	unsigned int nr_calls;
	bool terminating;
};

/*
 * The memory a client has, mapped once: its first half is output, the rest input.
 * Jobs that may outlive a test function are here.
 */
struct client {
	const char *name;
	struct dma_chan *chan[2];
	struct device *dev;
	u8 *mem;
	dma_addr_t addr;
	unsigned int nr_calls;
	bool terminating;
	struct job job[NR_DESCS];
};

int client_create(struct kunit *test);
void client_take(struct kunit *test, const char *device);
void client_let_go(struct client *client);
void client_unmap(struct client *client);
void client_destroy(struct kunit *test);
void client_reset(struct client *client);

void submit(struct kunit *test, struct job *job, struct dma_async_tx_descriptor *tx);
void await(struct kunit *test, struct job *job, enum dmaengine_tx_result result);
struct dma_async_tx_descriptor *copy(struct client *client, unsigned int chan, unsigned int dst,
				     unsigned int src, size_t len, unsigned long flags);
void expect_copied(struct kunit *test, unsigned int from, unsigned int to, unsigned int src);
void expect_filled(struct kunit *test, unsigned int from, unsigned int to, u8 value);

#endif /* SIM_CLIENT_H */
