/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions as the CPU does them, over scatterlists cut at any byte.
 */
#ifndef DMIO_CPU_OPS_H
#define DMIO_CPU_OPS_H

#include <linux/types.h>

struct dmio_func;
struct dmio_job;

unsigned int dmio_cpu_count_parts(const struct dmio_func *func, u64 len, unsigned int nr_cpus);
u64 dmio_cpu_part_bytes(u64 len, unsigned int nr, u64 align);
bool dmio_cpu_can(const struct dmio_func *func);
int dmio_cpu_run(struct dmio_job *job, u64 offset, u64 len);

#endif /* DMIO_CPU_OPS_H */
