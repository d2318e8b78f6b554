/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA channels that are there and left alone, with the reason: to be shown, and lest
 * those that an administrator gave back be taken again.
 */
#ifndef DMIO_DMA_UNUSED_H
#define DMIO_DMA_UNUSED_H

#include <linux/types.h>

struct dma_chan;
struct dmoverio_engine;

bool dmio_dma_unused_add(struct dma_chan *chan, u32 reason);
bool dmio_dma_unused_is_released(struct dma_chan *chan);
void dmio_dma_unused_forget_all(void);
void dmio_dma_unused_forget_seen(const char *device);
void dmio_dma_unused_forget_channel(const char *name);
u32 dmio_dma_unused_reason(void);

#ifdef CONFIG_DMA_ENGINE
bool dmio_dma_unused_describe(unsigned int index, struct dmoverio_engine *info);
#else
static inline bool dmio_dma_unused_describe(unsigned int index, struct dmoverio_engine *info)
{
	return false;
}
#endif

#endif /* DMIO_DMA_UNUSED_H */
