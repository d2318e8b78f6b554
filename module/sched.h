/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler: which engine gets a job.
 */
#ifndef DMIO_SCHED_H
#define DMIO_SCHED_H

#include <linux/types.h>

struct dmio_engine;
struct dmio_func;
struct dmio_job;
struct dmoverio_engine;

u32 dmio_sched_policy(u32 policy);
const char *dmio_sched_policy_name(u32 policy);
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
bool dmio_sched_has_parked(void);
u64 dmio_sched_counter(const struct dmio_engine *engine, size_t offset);
bool dmio_sched_describe(unsigned int *index, struct dmoverio_engine *info);

int dmio_sched_init(void);
void dmio_sched_fini(void);

#endif /* DMIO_SCHED_H */
