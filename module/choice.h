/* SPDX-License-Identifier: GPL-2.0 */
/*
 * By DMA, or by the CPU?
 */
#ifndef DMIO_CHOICE_H
#define DMIO_CHOICE_H

#include <linux/types.h>

struct dmio_job;

u64 dmio_choice_load(const struct dmio_job *job);
bool dmio_choice_is_worth_dma(const struct dmio_job *job);

#endif /* DMIO_CHOICE_H */
