/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Jobs that wait, and when they are handed to an engine.
 */
#ifndef DMIO_DISPATCH_H
#define DMIO_DISPATCH_H

#include <linux/types.h>

#include "fair.h"

struct dmio_job;

/* Jobs that wait for an engine; guarded by the engines' lock */
extern struct dmio_ring dmio_rings[DMIO_NR_RINGS];

void dmio_dispatch(void);
void dmio_dispatch_later(void);
void dmio_dispatch_drop(struct dmio_job *job);
void dmio_dispatch_pause_dma(bool pause);

int dmio_dispatch_init(void);
void dmio_dispatch_flush(void);
void dmio_dispatch_fini(void);

#endif /* DMIO_DISPATCH_H */
