/* SPDX-License-Identifier: GPL-2.0 */
/*
 * By DMA, or by the CPU; and by which channel?
 */
#ifndef DMIO_CHOICE_H
#define DMIO_CHOICE_H

#include <linux/types.h>

struct dmio_engine;
struct dmio_job;
struct dmio_ring;

/**
 * struct dmio_look - a look at the clock, for all that is decided at a time
 * @now_ns: when that was; 0: nobody had to look yet
 */
struct dmio_look {
	u64 now_ns;
};

bool dmio_choice_is_dma(const struct dmio_job *job, const struct dmio_ring *dma,
			const struct dmio_ring *cpu, bool may_run, struct dmio_look *look);
bool dmio_choice_can_wait(const struct dmio_job *job, struct dmio_look *look);
struct dmio_engine *dmio_choice_channel(const struct dmio_job *job, u64 waiting,
					struct dmio_look *look);
struct dmio_engine *dmio_choice_other(const struct dmio_job *job);
bool dmio_choice_is_small(const struct dmio_job *job);

#endif /* DMIO_CHOICE_H */
