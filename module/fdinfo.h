/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc/PID/fdinfo/FD shows.
 */
#ifndef DMIO_FDINFO_H
#define DMIO_FDINFO_H

struct file;
struct seq_file;

void dmio_show_fdinfo(struct seq_file *m, struct file *file);

#endif /* DMIO_FDINFO_H */
