/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is found below /sys/class/misc/dmoverio.
 */
#ifndef DMIO_SYSFS_H
#define DMIO_SYSFS_H

struct attribute_group;

extern const struct attribute_group *dmio_sysfs_groups[];

#endif /* DMIO_SYSFS_H */
