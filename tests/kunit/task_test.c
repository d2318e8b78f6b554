// SPDX-License-Identifier: GPL-2.0
/*
 * A job on its way through a channel whose driver does what tests want: what drivers
 * may do, and the simulated controller does not.
 */
#include <kunit/test.h>
#include <linux/dma-mapping.h>
#include <linux/dmaengine.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "../../module/dma_drivers.h"
#include "../../module/dma_task.h"
#include "../../module/func.h"
#include "map_shim.h"

#define NR_SRCS		3
#define NR_DESCS	8
#define ORDER		3

static const struct dmio_func copy_func = {
	.id = DMOVERIO_FUNC_COPY, .nr_srcs = 1, .has_dst = true
};

static const struct dmio_func xor_func = {
	.id = DMOVERIO_FUNC_XOR, .nr_srcs = NR_SRCS, .has_dst = true
};

/**
 * struct task_bench - what the cases of this suite work with
 * @pdev: is mapped for
 * @device: the controller ...
 * @chan: ... and its channel
 * @driver: what is known of its driver
 * @dc: the channel as the module has it
 * @job: a job ...
 * @list: ... of these regions, the output first
 * @mem: their memory
 * @tx: descriptors
 * @flags: with which they were made
 * @nr_srcs: ... and of how many inputs
 * @nr_tx: how many were made
 * @submit_error: what tx_submit returns, if not 0
 * @calls_back: ... having called back
 * @nr_done: descriptors that the module was told to be over ...
 * @nr_failed: ... and those of them that failed
 */
struct task_bench {
	struct platform_device *pdev;
	struct dma_device device;
	struct dma_chan chan;
	struct dmio_dma_driver driver;
	struct dmio_dma_chan dc;
	struct dmio_job job;
	struct scatterlist list[1 + NR_SRCS];
	struct page *mem;
	struct dma_async_tx_descriptor tx[NR_DESCS];
	unsigned long flags[NR_DESCS];
	unsigned int nr_srcs[NR_DESCS];
	unsigned int nr_tx;
	dma_cookie_t submit_error;
	bool calls_back;
	unsigned int nr_done;
	unsigned int nr_failed;
};

/**
 * dmio_dma_desc_done() - in place of engine_dma.c's
 * @task: whose descriptor came back
 * @failed: the transfer failed
 */
void dmio_dma_desc_done(struct dmio_dma_task *task, bool failed)
{
	struct task_bench *bench = container_of(task->dc, struct task_bench, dc);

	bench->nr_done++;
	bench->nr_failed += failed;
	if (failed)
		task->failed = true;
	atomic_dec(&task->dc->nr_inflight);
	atomic_dec(&task->pending);
}

static void call_back(struct dma_async_tx_descriptor *tx, enum dmaengine_tx_result how)
{
	struct dmaengine_result result = { .result = how };

	if (tx->callback_result)
		tx->callback_result(tx->callback_param, &result);
	else
		tx->callback(tx->callback_param);
}

static dma_cookie_t fake_submit(struct dma_async_tx_descriptor *tx)
{
	struct task_bench *bench = container_of(tx->chan, struct task_bench, chan);

	if (bench->calls_back)
		call_back(tx, DMA_TRANS_ABORTED);
	return bench->submit_error ?: 1;
}

/* What the client before has left in a descriptor */
static void left_over(void *arg, const struct dmaengine_result *result)
{
}

static struct dma_async_tx_descriptor *fake_prep(struct dma_chan *chan, unsigned int nr_srcs,
						 unsigned long flags)
{
	struct task_bench *bench = container_of(chan, struct task_bench, chan);
	struct dma_async_tx_descriptor *tx = &bench->tx[bench->nr_tx];

	if (bench->nr_tx == NR_DESCS)
		return NULL;
	dma_async_tx_descriptor_init(tx, chan);
	tx->tx_submit = fake_submit;
	tx->callback_result = left_over;
	bench->flags[bench->nr_tx] = flags;
	bench->nr_srcs[bench->nr_tx++] = nr_srcs;
	return tx;
}

static struct dma_async_tx_descriptor *fake_memcpy(struct dma_chan *chan, dma_addr_t dst,
						   dma_addr_t src, size_t len,
						   unsigned long flags)
{
	return fake_prep(chan, 1, flags);
}

static struct dma_async_tx_descriptor *fake_xor(struct dma_chan *chan, dma_addr_t dst,
						dma_addr_t *src, unsigned int nr, size_t len,
						unsigned long flags)
{
	return fake_prep(chan, nr, flags);
}

static int task_init(struct kunit *test)
{
	struct task_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	if (!IS_ENABLED(CONFIG_HAS_DMA))
		kunit_skip(test, "no DMA in this kernel");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	map_shim = (struct map_shim){ };
	bench->mem = alloc_pages(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->mem);
	bench->pdev = platform_device_register_simple("dmoverio-kunit", PLATFORM_DEVID_NONE,
						      NULL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench->pdev);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&bench->pdev->dev,
							   DMA_BIT_MASK(64)), 0);
	dma_set_max_seg_size(&bench->pdev->dev, UINT_MAX);

	bench->device.device_prep_dma_memcpy = fake_memcpy;
	bench->device.device_prep_dma_xor = fake_xor;
	bench->device.max_xor = NR_SRCS;
	bench->chan.device = &bench->device;
	bench->driver = (struct dmio_dma_driver){ .align = 1, .irq_every = 1 };
	bench->dc.chan = &bench->chan;
	bench->dc.dma_dev = &bench->pdev->dev;
	bench->dc.driver = &bench->driver;
	bench->dc.out_align = 1;
	bench->dc.max_bytes = SZ_1M;
	mutex_init(&bench->dc.lock);
	return 0;
}

static void task_exit(struct kunit *test)
{
	struct task_bench *bench = test->priv;

	if (!bench)
		return;
	if (!IS_ERR_OR_NULL(bench->pdev))
		platform_device_unregister(bench->pdev);
	if (bench->mem)
		__free_pages(bench->mem, ORDER);
}

/* A task for a job of @len bytes, of which each region has a page of its own */
static struct dmio_dma_task *make_task(struct kunit *test, const struct dmio_func *func,
				       size_t len)
{
	struct task_bench *bench = test->priv;
	struct dmio_dma_task *task;
	unsigned int i;

	for (i = 0; i <= func->nr_srcs; i++)
		sg_init_one(&bench->list[i], page_address(bench->mem) + i * PAGE_SIZE, len);
	bench->job = (struct dmio_job){ .func = func, .len = len, .dst = &bench->list[0] };
	for (i = 0; i < func->nr_srcs; i++)
		bench->job.src[i] = &bench->list[1 + i];
	task = dmio_dma_task_create(&bench->dc, &bench->job);
	KUNIT_ASSERT_NOT_NULL(test, task);
	return task;
}

static int map_it(struct dmio_dma_task *task)
{
	int ret;

	mutex_lock(&task->dc->lock);
	ret = dmio_dma_task_map(task);
	mutex_unlock(&task->dc->lock);
	return ret;
}

static enum dmio_issue issue_it(struct dmio_dma_task *task)
{
	enum dmio_issue ret;

	mutex_lock(&task->dc->lock);
	ret = dmio_dma_task_issue(task);
	mutex_unlock(&task->dc->lock);
	return ret;
}

/* Nothing is in flight: the only one who waits is whoever makes descriptors */
static int end_it(struct kunit *test, struct dmio_dma_task *task)
{
	struct task_bench *bench = test->priv;
	int ret;

	KUNIT_EXPECT_EQ(test, atomic_read(&task->pending), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&bench->dc.nr_inflight), 0);
	ret = dmio_dma_task_end(task);
	KUNIT_EXPECT_EQ(test, map_shim.nr_entries, 0U);
	kfree(task);
	return ret;
}

/* Who reports errors is heard; who does not has none to report; nobody is told another's */
static void task_callback_test(struct kunit *test)
{
	static const struct { bool reports, unread, result; } cases[] = {
		{ false, false, false }, { true, false, true }, { false, true, true },
	};
	struct task_bench *bench = test->priv;
	unsigned int i, fails;
	int want;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (fails = 0; fails < 2; fails++) {
			struct dmio_dma_task *task = make_task(test, &copy_func, PAGE_SIZE);

			bench->driver.reports_errors = cases[i].reports;
			bench->driver.unread = cases[i].unread;
			bench->nr_tx = 0;
			KUNIT_ASSERT_EQ(test, map_it(task), 0);
			KUNIT_EXPECT_EQ(test, (int)issue_it(task), (int)DMIO_ISSUE_ALL);
			KUNIT_ASSERT_EQ(test, bench->nr_tx, 1U);
			KUNIT_EXPECT_EQ(test, !!bench->tx[0].callback_result, cases[i].result);
			KUNIT_EXPECT_EQ(test, !!bench->tx[0].callback, !cases[i].result);
			call_back(&bench->tx[0], fails ? DMA_TRANS_READ_FAILED : DMA_TRANS_NOERROR);
			want = 0;
			if (fails && cases[i].result)
				want = -EIO;
			KUNIT_EXPECT_EQ(test, end_it(test, task), want);
		}
}

/* A descriptor that is not taken has failed, once, whether it was called back or not */
static void task_refused_test(struct kunit *test)
{
	struct task_bench *bench = test->priv;
	unsigned int calls_back;

	bench->submit_error = -EBUSY;
	bench->driver.reports_errors = true;
	for (calls_back = 0; calls_back < 2; calls_back++) {
		struct dmio_dma_task *task = make_task(test, &copy_func, PAGE_SIZE);

		bench->calls_back = calls_back;
		bench->nr_done = 0;
		bench->nr_failed = 0;
		KUNIT_ASSERT_EQ(test, map_it(task), 0);
		KUNIT_EXPECT_EQ(test, (int)issue_it(task), (int)DMIO_ISSUE_GIVE_UP);
		KUNIT_EXPECT_EQ(test, bench->nr_done, 1U);
		KUNIT_EXPECT_EQ(test, bench->nr_failed, 1U);
		KUNIT_EXPECT_FALSE(test, task->touched);
		KUNIT_EXPECT_EQ(test, end_it(test, task), -EIO);
		KUNIT_EXPECT_EQ(test, (int)bench->job.reason, (int)DMIO_REASON_ERROR);
	}
}

/* Pieces that the hardware would not take are not given to it */
static void task_short_test(struct kunit *test)
{
	struct task_bench *bench = test->priv;
	struct dmio_dma_task *task;

	bench->driver.min_bytes = 128;
	task = make_task(test, &copy_func, 127);
	KUNIT_ASSERT_EQ(test, map_it(task), 0);
	KUNIT_EXPECT_EQ(test, (int)issue_it(task), (int)DMIO_ISSUE_GIVE_UP);
	KUNIT_EXPECT_EQ(test, bench->nr_tx, 0U);
	KUNIT_EXPECT_EQ(test, end_it(test, task), -EIO);
	KUNIT_EXPECT_EQ(test, (int)bench->job.reason, (int)DMIO_REASON_MAPPING);

	task = make_task(test, &copy_func, 128);
	KUNIT_ASSERT_EQ(test, map_it(task), 0);
	KUNIT_EXPECT_EQ(test, (int)issue_it(task), (int)DMIO_ISSUE_ALL);
	KUNIT_ASSERT_EQ(test, bench->nr_tx, 1U);
	call_back(&bench->tx[0], DMA_TRANS_NOERROR);
	KUNIT_EXPECT_EQ(test, end_it(test, task), 0);
}

/* Whichever region it is that cannot be mapped, nothing stays mapped */
static void task_unmapped_test(struct kunit *test)
{
	unsigned int good;

	for (good = 0; good <= NR_SRCS; good++) {
		struct dmio_dma_task *task = make_task(test, &xor_func, PAGE_SIZE);

		map_shim.no_mapping = true;
		map_shim.nr_good = good;
		KUNIT_EXPECT_EQ(test, map_it(task), -ENOMEM);
		KUNIT_EXPECT_EQ(test, map_shim.nr_entries, 0U);
		KUNIT_EXPECT_FALSE(test, task->mapped);
		map_shim.no_mapping = false;
		KUNIT_EXPECT_EQ(test, map_it(task), 0);
		KUNIT_EXPECT_EQ(test, map_shim.nr_entries, 1U + NR_SRCS);
		end_it(test, task);
	}
}

/* More inputs than one pass takes: the next one reads what the one before has written */
static void task_passes_test(struct kunit *test)
{
	struct task_bench *bench = test->priv;
	struct dmio_dma_task *task;
	unsigned int i;

	bench->device.max_xor = 2;
	bench->driver.depth = 1;
	task = make_task(test, &xor_func, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, map_it(task), 0);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, (int)issue_it(task),
				(int)(i ? DMIO_ISSUE_ALL : DMIO_ISSUE_FULL));
		KUNIT_ASSERT_EQ(test, bench->nr_tx, i + 1);
		KUNIT_EXPECT_EQ(test, bench->nr_srcs[i], 2U);
		KUNIT_EXPECT_EQ(test, !!(bench->flags[i] & DMA_PREP_FENCE), !i);
		call_back(&bench->tx[i], DMA_TRANS_NOERROR);
	}
	KUNIT_EXPECT_EQ(test, end_it(test, task), 0);
}

static struct kunit_case task_cases[] = {
	KUNIT_CASE(task_callback_test),
	KUNIT_CASE(task_refused_test),
	KUNIT_CASE(task_short_test),
	KUNIT_CASE(task_unmapped_test),
	KUNIT_CASE(task_passes_test),
	{}
};

static struct kunit_suite task_suite = {
	.name = "dmoverio-dma-task",
	.init = task_init,
	.exit = task_exit,
	.test_cases = task_cases,
};

kunit_test_suite(task_suite);
