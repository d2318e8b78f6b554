/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Looking after DMA channels.
 */
#ifndef DMIO_DMA_WATCH_H
#define DMIO_DMA_WATCH_H

#include <linux/types.h>

struct dmio_dma_chan;

extern unsigned int dmio_dma_watchdog_ms;	/* a parameter, see dma_chan.c */

void dmio_dma_watch_init(struct dmio_dma_chan *dc);
void dmio_dma_watch(struct dmio_dma_chan *dc);
void dmio_dma_watch_now(struct dmio_dma_chan *dc);
void dmio_dma_watch_end(struct dmio_dma_chan *dc);
void dmio_dma_judge(struct dmio_dma_chan *dc, bool failed);
int dmio_dma_reset(struct dmio_dma_chan *dc);

#endif /* DMIO_DMA_WATCH_H */
