/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A DMA channel as an engine.
 */
#ifndef DMIO_ENGINE_DMA_H
#define DMIO_ENGINE_DMA_H

#include <linux/types.h>

struct dma_chan;
struct dmio_dma_chan;
struct dmio_dma_driver;
struct dmoverio_engine;

bool dmio_dma_chan_is_capable(const struct dma_chan *chan);
void dmio_dma_chan_describe(const struct dma_chan *chan, struct dmoverio_engine *info);
const struct dmio_dma_driver *dmio_dma_driver_of(const struct dma_chan *chan);
struct dmio_dma_chan *dmio_dma_chan_create(struct dma_chan *chan);
bool dmio_dma_chan_leave(struct dmio_dma_chan *dc, bool unbinding);
void dmio_dma_chan_free(struct dmio_dma_chan *dc);

int dmio_engine_dma_init(void);
void dmio_engine_dma_fini(void);

#endif /* DMIO_ENGINE_DMA_H */
