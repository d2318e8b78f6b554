/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must be known of a dmaengine provider's driver beyond what it declares
 * to the framework.  A plain table: it needs no dmaengine to be compiled.
 */
#ifndef DMIO_DMA_DRIVERS_H
#define DMIO_DMA_DRIVERS_H

#include <linux/types.h>

/**
 * enum dmio_dma_quiet - how a channel's hardware is known to have stopped
 * @DMIO_DMA_QUIET_NEVER: by nothing but the end of the driver
 * @DMIO_DMA_QUIET_TERMINATE: dmaengine_terminate_sync() returned 0; its error
 *	is passed on where the driver finds that the hardware did not stop
 * @DMIO_DMA_QUIET_RELEASE: dma_release_channel() returned, after a terminate
 *	where the driver has one
 *
 * Only memory is meant: a callback may still run, or run early.  A driver may
 * call back what it aborts, even as a success, before the hardware stops.
 */
enum dmio_dma_quiet {
	DMIO_DMA_QUIET_NEVER,
	DMIO_DMA_QUIET_TERMINATE,
	DMIO_DMA_QUIET_RELEASE,
};

/**
 * struct dmio_dma_driver - what is known of a provider's driver
 * @name: as dev->driver->name has it
 * @unread: nobody has read the driver, it has no row in the table
 * @quiet: what certainly ends every access of the hardware to memory
 * @fragile: the driver does not survive it if a busy channel is terminated or
 *	released: do neither
 * @on_request: not to be used unless the administrator names it, because of
 *	something that he has to see to
 * @single: of a device, one channel may be in use at a time: the driver does not
 *	keep its channels apart
 * @reports_errors: a transfer that failed is told to callback_result; where
 *	not, it is called back as a success or never
 * @in_order: descriptors of a channel complete, and call back, in the order of
 *	their submission
 * @irq_every: with DMA_PREP_INTERRUPT on one of so many descriptors and on the
 *	last, all are called back and the channel does not run out of
 *	descriptors unnoticed.  1: on each, also where the driver raises an
 *	interrupt for each whatever is asked
 * @depth: most descriptors that may be submitted and not yet called back, where
 *	more of them get stuck, or lost, or make prep sleep; 0: as many as prep
 *	grants
 * @align: bytes, a power of two, to which the hardware needs every address and
 *	length aligned though the framework is not told; 1: nothing
 * @min_bytes: least bytes of one descriptor; 0: 1
 * @max_bytes: most bytes of one descriptor, where the driver does not split
 *	and dma_get_max_seg_size() does not say; 0: not limited
 */
struct dmio_dma_driver {
	const char *name;
	bool unread;
	enum dmio_dma_quiet quiet;
	bool fragile;
	bool on_request;
	bool single;
	bool reports_errors;
	bool in_order;
	u16 irq_every;
	u16 depth;
	u32 align;
	u32 min_bytes;
	u32 max_bytes;
};

extern const struct dmio_dma_driver dmio_dma_drivers[];
extern const size_t dmio_nr_dma_drivers;

const struct dmio_dma_driver *dmio_dma_driver_find(const char *name);

#endif /* DMIO_DMA_DRIVERS_H */
