/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of engines, and the lock that guards it and all of the scheduler.
 */
#ifndef DMIO_ENGINES_H
#define DMIO_ENGINES_H

#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct dmio_engine;
struct dmio_func;
struct dmio_job;
struct dmoverio_engine;

/*
 * Guards what follows, flows (fair.h) and rings, and of each engine what engine.h
 * says
 */
extern spinlock_t dmio_engines_lock;

/* All engines, the CPU first */
extern struct list_head dmio_engines;

/* The machine goes down: no DMA any more */
extern bool dmio_engines_no_dma;

/* A segment is as much work as so many bytes */
#define DMIO_SEG_BYTES	SZ_1K

bool dmio_engine_is_free(const struct dmio_engine *engine);
bool dmio_engine_can_dma(const struct dmio_engine *engine, const struct dmio_func *func);
bool dmio_engines_can_dma(const struct dmio_func *func);
bool dmio_engines_are_free(const struct dmio_func *func);
bool dmio_engines_have_parked(void);

void dmio_engine_assign(struct dmio_job *job, struct dmio_engine *engine);
bool dmio_engine_has_refused(const struct dmio_job *job);
void dmio_engine_learn(struct dmio_job *job);
void dmio_engine_reclaim(struct dmio_job *job);
void dmio_engine_put(struct dmio_engine *engine);
bool dmio_engine_wait_idle(const struct dmio_engine *engine, unsigned long timeout);

u64 dmio_engines_counter(const struct dmio_engine *engine, size_t offset);
bool dmio_engines_describe(unsigned int *index, struct dmoverio_engine *info);

#endif /* DMIO_ENGINES_H */
