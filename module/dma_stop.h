/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stopping a DMA channel.
 */
#ifndef DMIO_DMA_STOP_H
#define DMIO_DMA_STOP_H

#include <linux/types.h>

#include "stats.h"

struct dmio_dma_chan;

unsigned long dmio_dma_drain_limit(void);
bool dmio_dma_stop(struct dmio_dma_chan *dc, enum dmio_reason reason, int error);
bool dmio_dma_has_parked(struct dmio_dma_chan *dc);
void dmio_dma_abandon(struct dmio_dma_chan *dc);
void dmio_dma_unpark(struct dmio_dma_chan *dc);
void dmio_dma_free_aborted(struct dmio_dma_chan *dc);

#endif /* DMIO_DMA_STOP_H */
