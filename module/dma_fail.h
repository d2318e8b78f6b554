/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens when a DMA channel fails, or has to stop.
 */
#ifndef DMIO_DMA_FAIL_H
#define DMIO_DMA_FAIL_H

#include <linux/types.h>

struct dmio_dma_chan;

void dmio_dma_watch_init(struct dmio_dma_chan *dc);
void dmio_dma_watch(struct dmio_dma_chan *dc);
void dmio_dma_watch_end(struct dmio_dma_chan *dc);
void dmio_dma_judge(struct dmio_dma_chan *dc, bool failed);

void dmio_dma_stop(struct dmio_dma_chan *dc);
void dmio_dma_abandon(struct dmio_dma_chan *dc);
void dmio_dma_unpark(struct dmio_dma_chan *dc);
void dmio_dma_free_aborted(struct dmio_dma_chan *dc);
bool dmio_dma_has_parked(struct dmio_dma_chan *dc);
int dmio_dma_reset(struct dmio_dma_chan *dc);

#endif /* DMIO_DMA_FAIL_H */
