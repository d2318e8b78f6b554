/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA channels that we hold: which, and since when.
 */
#ifndef DMIO_DMA_CHAN_H
#define DMIO_DMA_CHAN_H

#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/types.h>

#ifdef CONFIG_DMA_ENGINE
int dmio_dma_init(void);
void dmio_dma_fini(void);
void dmio_dma_rescan(void);
int dmio_dma_release(const char *name);
int dmio_dma_chan_reset(const char *name);
#else
static inline int dmio_dma_init(void)
{
	pr_info(KBUILD_MODNAME ": no DMA channel: this kernel has no dmaengine\n");
	return 0;
}

static inline void dmio_dma_fini(void)
{
}

static inline void dmio_dma_rescan(void)
{
}

static inline int dmio_dma_release(const char *name)
{
	return -ENODEV;
}

static inline int dmio_dma_chan_reset(const char *name)
{
	return -ENODEV;
}
#endif

#endif /* DMIO_DMA_CHAN_H */
