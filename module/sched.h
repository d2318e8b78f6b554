/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler: which engine gets a job, and when.
 */
#ifndef DMIO_SCHED_H
#define DMIO_SCHED_H

#include <linux/types.h>

struct dmio_engine;
struct dmio_func;
struct dmio_job;

bool dmio_sched_can(const struct dmio_func *func, u32 policy);
void dmio_sched_submit(struct dmio_job *job, bool may_run);

void dmio_sched_add(struct dmio_engine *engine);
void dmio_sched_set_state(struct dmio_engine *engine, u32 state, u32 reason, unsigned long retry);
void dmio_sched_stay(struct dmio_engine *engine, u32 state, u32 reason);
bool dmio_sched_leave(struct dmio_engine *engine, unsigned long timeout);
void dmio_sched_remove(struct dmio_engine *engine);
bool dmio_sched_drain(unsigned long timeout);
void dmio_sched_stop_dma(void);
bool dmio_sched_is_stopped(void);

int dmio_sched_init(void);
void dmio_sched_fini(void);

#endif /* DMIO_SCHED_H */
