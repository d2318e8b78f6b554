// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a device reaches all memory, where the kernel takes it for limited: asked
 * of the ends of what memory there is, whose addresses a test chooses.
 */
#include <kunit/test.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/pfn.h>

#include "../../module/dma_reach.h"
#include "reach_shim.h"

/* No limit that is all ones is the last byte of memory that begins here */
#define OFFSET	0x15000000ULL

struct reach_shim reach_shim;

/**
 * reach_shim_limited() - dma_addressing_limited()
 * @dev: of which device
 *
 * Return: what the test wants.
 */
bool reach_shim_limited(struct device *dev)
{
	return reach_shim.limited;
}

/**
 * reach_shim_addr() - phys_to_dma()
 * @dev: for which device
 * @phys: of the processor
 *
 * Return: the address, as the device sees it.
 */
dma_addr_t reach_shim_addr(struct device *dev, phys_addr_t phys)
{
	if (reach_shim.hidden && phys >= reach_shim.hidden)
		return DMA_MAPPING_ERROR;
	return phys + reach_shim.offset;
}

/**
 * struct reach_bench - what the cases of this suite work with
 * @dev: a device, which no driver has
 * @mask: what it can address
 * @end: of the memory
 */
struct reach_bench {
	struct device dev;
	u64 mask;
	phys_addr_t end;
};

static int reach_init(struct kunit *test)
{
	struct reach_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	int nid;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	bench->dev.dma_mask = &bench->mask;
	bench->mask = DMA_BIT_MASK(64);
	for_each_node_state(nid, N_MEMORY)
		bench->end = max_t(phys_addr_t, bench->end, PFN_PHYS(node_end_pfn(nid)));
	reach_shim = (struct reach_shim){ .limited = true, .offset = OFFSET };
	return 0;
}

/* Who is not limited is asked no more */
static void reach_all_test(struct kunit *test)
{
	struct reach_bench *bench = test->priv;

	reach_shim.limited = false;
	bench->mask = 1;
	KUNIT_EXPECT_TRUE(test, dmio_dma_reaches_all(&bench->dev));
}

/* The last byte counts, whoever limits it: the device or its bus */
static void reach_last_test(struct kunit *test)
{
	struct reach_bench *bench = test->priv;
	u64 last = OFFSET + bench->end - 1;

	KUNIT_EXPECT_TRUE(test, dmio_dma_reaches_all(&bench->dev));
	bench->dev.bus_dma_limit = last;
	KUNIT_EXPECT_TRUE(test, dmio_dma_reaches_all(&bench->dev));
	bench->dev.bus_dma_limit = last - 1;
	KUNIT_EXPECT_FALSE(test, dmio_dma_reaches_all(&bench->dev));
	bench->dev.bus_dma_limit = 0;
	bench->mask = last;
	KUNIT_EXPECT_TRUE(test, dmio_dma_reaches_all(&bench->dev));
	bench->mask = last - 1;
	KUNIT_EXPECT_FALSE(test, dmio_dma_reaches_all(&bench->dev));
}

/* A bus may have no window on some of the memory, whatever the limit */
static void reach_hidden_test(struct kunit *test)
{
	struct reach_bench *bench = test->priv;

	reach_shim.hidden = bench->end - 1;
	KUNIT_EXPECT_FALSE(test, dmio_dma_reaches_all(&bench->dev));
}

static struct kunit_case reach_cases[] = {
	KUNIT_CASE(reach_all_test),
	KUNIT_CASE(reach_last_test),
	KUNIT_CASE(reach_hidden_test),
	{}
};

static struct kunit_suite reach_suite = {
	.name = "dmoverio-dma-reach",
	.init = reach_init,
	.test_cases = reach_cases,
};

kunit_test_suite(reach_suite);
