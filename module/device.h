/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The character device.
 */
#ifndef DMIO_DEVICE_H
#define DMIO_DEVICE_H

int dmio_device_register(void);
void dmio_device_unregister(void);

#endif /* DMIO_DEVICE_H */
