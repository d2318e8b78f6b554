/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPU as an engine.
 */
#ifndef DMIO_ENGINE_CPU_H
#define DMIO_ENGINE_CPU_H

struct dmio_engine;

extern struct dmio_engine dmio_engine_cpu;

int dmio_engine_cpu_init(void);
void dmio_engine_cpu_fini(void);

#endif /* DMIO_ENGINE_CPU_H */
