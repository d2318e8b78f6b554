/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engines that the device knows, and the DMA channels that it does not,
 * because others have them.
 */
#ifndef DMO_CTL_ENGINELIST_H
#define DMO_CTL_ENGINELIST_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/dmoverio.h>

#include "func.h"

/* Beyond the kernel's reasons: channels of /sys/class/dma that it does not list */
#define ENGINE_UNUSED_IN_USE	0x100	/* somebody else has it */
#define ENGINE_UNUSED_UNKNOWN	0x101

/**
 * struct engine_list - all of them
 * @rows: engines first, then channels left alone
 * @nr: number of rows
 * @has_dmaengine: the running kernel has the framework for DMA channels
 */
struct engine_list {
	struct dmoverio_engine *rows;
	size_t nr;
	bool has_dmaengine;
};

/* enum dmo_exit, after a message if it failed. */
int engine_list_read(struct engine_list *list, const char *device);
void engine_list_free(struct engine_list *list);

/* A channel that is at work, and can do @func if that is not NULL. */
bool engine_is_channel(const struct dmoverio_engine *e,
		       const struct dmo_function *func);
size_t engine_list_channels(const struct engine_list *list,
			    const struct dmo_function *func);

/* Without a channel: why there is none, and what to do about it. */
void engine_list_explain(const struct engine_list *list, const char **why,
			 const char **what_to_do);

/* Why this one is left alone; @name is one word for it. */
const char *engine_unused_why(const struct dmoverio_engine *e,
			      const char **name);

/* What was the matter with one that failed, or NULL; @name is one word for it. */
const char *engine_failed_why(const struct dmoverio_engine *e,
			      const char **name);

#endif /* DMO_CTL_ENGINELIST_H */
