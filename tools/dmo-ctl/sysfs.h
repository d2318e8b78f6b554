/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of the kernel that hold one line: the module's parameters, and what
 * the device's class directory has.
 */
#ifndef DMO_CTL_SYSFS_H
#define DMO_CTL_SYSFS_H

#include <stddef.h>
#include <stdint.h>

#define SYSFS_MODULE		"/sys/module/dmoverio"
#define SYSFS_PARAMETERS	SYSFS_MODULE "/parameters"
#define SYSFS_DEVICE		"/sys/class/misc/dmoverio"

/* All return 0 or -errno.  @text gets the first line without its end. */
int sysfs_read(const char *dir, const char *name, char *text, size_t len);
int sysfs_read_u64(const char *dir, const char *name, uint64_t *value);
int sysfs_write(const char *dir, const char *name, const char *text);

/*
 * Say why a file of the module could not be read or written; returns the exit
 * status for it.  @what is what the user wanted.
 */
int sysfs_explain(const char *what, int err);

#endif /* DMO_CTL_SYSFS_H */
