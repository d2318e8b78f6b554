// SPDX-License-Identifier: GPL-2.0
/*
 * Whether a device can reach all memory.
 *
 * The kernel's own dma_addressing_limited() compares the device's limit with the
 * last address of memory as if that were all ones.  It says no to a limit that is
 * not, as a Raspberry Pi's bus has it (0xfeffffff), although all of the memory lies
 * below that.
 */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/kconfig.h>
#include <linux/minmax.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/pfn.h>

#include "dma_reach.h"

static bool reaches(struct device *dev, phys_addr_t phys)
{
	u64 limit = min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
	dma_addr_t addr = phys_to_dma(dev, phys);

	return addr != DMA_MAPPING_ERROR && addr <= limit;
}

/**
 * dmio_dma_reaches_all() - can a device reach all memory?
 * @dev: the device
 *
 * Asked of the ends of what memory there is: a bus whose window on it has holes is
 * not expected.
 *
 * Context: any.
 * Return: true if it can, without bounce buffers.
 */
bool dmio_dma_reaches_all(struct device *dev)
{
	int nid;

	if (!dma_addressing_limited(dev))
		return true;
	/* Where an architecture translates itself, that need not be for modules */
	if (IS_ENABLED(CONFIG_ARCH_HAS_PHYS_TO_DMA))
		return false;
	for_each_node_state(nid, N_MEMORY)
		if (!reaches(dev, PFN_PHYS(node_start_pfn(nid))) ||
		    !reaches(dev, PFN_PHYS(node_end_pfn(nid)) - 1))
			return false;
	return true;
}
