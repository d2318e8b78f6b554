// SPDX-License-Identifier: GPL-2.0
/*
 * The table of DMA drivers: what must hold for any row that may ever come.
 */
#include <kunit/test.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "../../module/dma_drivers.h"

static void row_check(struct kunit *test, const struct dmio_dma_driver *drv)
{
	KUNIT_EXPECT_GT_MSG(test, (int)strlen(drv->name), 0, "nameless");
	KUNIT_EXPECT_EQ_MSG(test, drv->unread, !strcmp(drv->name, "unknown"), "%s", drv->name);
	KUNIT_EXPECT_LE_MSG(test, (unsigned int)drv->quiet,
			    (unsigned int)DMIO_DMA_QUIET_RELEASE, "%s", drv->name);
	KUNIT_EXPECT_TRUE_MSG(test, is_power_of_2(drv->align), "%s", drv->name);
	/* The edges are done by the CPU and had better be small */
	KUNIT_EXPECT_LE_MSG(test, drv->align, (u32)SZ_256, "%s", drv->name);
	KUNIT_EXPECT_GE_MSG(test, (int)drv->irq_every, 1, "%s", drv->name);
	/* The last in flight has to be noticed */
	if (drv->depth)
		KUNIT_EXPECT_LE_MSG(test, drv->irq_every, drv->depth, "%s", drv->name);
	/* Without order, an interrupt says nothing of those submitted before */
	if (!drv->in_order)
		KUNIT_EXPECT_EQ_MSG(test, (int)drv->irq_every, 1, "%s", drv->name);
	if (drv->max_bytes)
		KUNIT_EXPECT_GE_MSG(test, drv->max_bytes, drv->align, "%s", drv->name);
}

static void drivers_rows_test(struct kunit *test)
{
	size_t i;

	KUNIT_ASSERT_GT(test, (int)dmio_nr_dma_drivers, 0);
	for (i = 0; i < dmio_nr_dma_drivers; i++)
		row_check(test, &dmio_dma_drivers[i]);
	row_check(test, dmio_dma_driver_find(NULL));
}

/* Which makes the names unique as well */
static void drivers_sorted_test(struct kunit *test)
{
	size_t i;

	for (i = 1; i < dmio_nr_dma_drivers; i++)
		KUNIT_EXPECT_LT_MSG(test, strcmp(dmio_dma_drivers[i - 1].name,
						 dmio_dma_drivers[i].name), 0,
				    "%s", dmio_dma_drivers[i].name);
}

static void drivers_find_test(struct kunit *test)
{
	size_t i;

	for (i = 0; i < dmio_nr_dma_drivers; i++)
		KUNIT_EXPECT_PTR_EQ(test, dmio_dma_driver_find(dmio_dma_drivers[i].name),
				    &dmio_dma_drivers[i]);
}

/* What nobody has read is assumed to be as bad as a driver can be */
static void drivers_unknown_test(struct kunit *test)
{
	static const char * const names[] = {
		NULL, "", "ioatdm", "ioatdmaa", "IOATDMA", "unknown"
	};
	const struct dmio_dma_driver *drv;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		drv = dmio_dma_driver_find(names[i]);
		KUNIT_ASSERT_NOT_NULL(test, drv);
		KUNIT_EXPECT_EQ(test, (int)drv->quiet, (int)DMIO_DMA_QUIET_NEVER);
		KUNIT_EXPECT_TRUE(test, drv->unread);
		KUNIT_EXPECT_FALSE(test, drv->reports_errors);
		KUNIT_EXPECT_FALSE(test, drv->in_order);
		KUNIT_EXPECT_EQ(test, (int)drv->irq_every, 1);
	}
}

static struct kunit_case drivers_cases[] = {
	KUNIT_CASE(drivers_rows_test),
	KUNIT_CASE(drivers_sorted_test),
	KUNIT_CASE(drivers_find_test),
	KUNIT_CASE(drivers_unknown_test),
	{}
};

static struct kunit_suite drivers_suite = {
	.name = "dmoverio-dma-drivers",
	.test_cases = drivers_cases,
};

kunit_test_suite(drivers_suite);
