/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Our own device: what the kernel suspends, and shuts down, before the DMA
 * controllers that we use.
 */
#ifndef DMIO_PLATFORM_H
#define DMIO_PLATFORM_H

struct device;

int dmio_platform_init(void);
void dmio_platform_fini(void);
struct device *dmio_platform_device(void);

#endif /* DMIO_PLATFORM_H */
