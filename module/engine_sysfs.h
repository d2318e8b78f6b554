/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An engine's counters in sysfs: a directory each below our platform device.
 */
#ifndef DMIO_ENGINE_SYSFS_H
#define DMIO_ENGINE_SYSFS_H

struct dmio_engine;
struct dmio_engine_dir;

struct dmio_engine_dir *dmio_engine_dir_create(const struct dmio_engine *engine, const char *name);
void dmio_engine_dir_remove(struct dmio_engine_dir *dir);

#endif /* DMIO_ENGINE_SYSFS_H */
