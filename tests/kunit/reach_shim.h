/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What dma_reach.c takes of the kernel: where a device sees memory, as a test says.
 */
#ifndef DMIO_TEST_REACH_SHIM_H
#define DMIO_TEST_REACH_SHIM_H

#include <linux/types.h>

struct device;

/**
 * struct reach_shim - between dma_reach.c and the kernel
 * @limited: what the kernel thinks: the device does not reach all memory
 * @offset: where it sees the memory that is at 0
 * @hidden: ... and none of it from this address on, if not 0
 */
struct reach_shim {
	bool limited;
	u64 offset;
	phys_addr_t hidden;
};

extern struct reach_shim reach_shim;

bool reach_shim_limited(struct device *dev);
dma_addr_t reach_shim_addr(struct device *dev, phys_addr_t phys);

#endif /* DMIO_TEST_REACH_SHIM_H */
