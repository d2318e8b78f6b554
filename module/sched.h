/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler: which engine gets a job.
 */
#ifndef DMIO_SCHED_H
#define DMIO_SCHED_H

#include <linux/types.h>

struct dmio_func;
struct dmio_job;

bool dmio_sched_can(const struct dmio_func *func);
void dmio_sched_submit(struct dmio_job *job, bool may_run);

int dmio_sched_init(void);
void dmio_sched_fini(void);

#endif /* DMIO_SCHED_H */
