/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether a device can reach all memory.
 */
#ifndef DMIO_DMA_REACH_H
#define DMIO_DMA_REACH_H

#include <linux/types.h>

struct device;

bool dmio_dma_reaches_all(struct device *dev);

#endif /* DMIO_DMA_REACH_H */
