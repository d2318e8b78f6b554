/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which way bytes went: by DMA, as edges by the CPU for it, or by the CPU and
 * why.  The kernel counts each byte of a finished request once, in one region.
 */
#ifndef DMO_CTL_COUNTERS_H
#define DMO_CTL_COUNTERS_H

#include <stdint.h>

#include "json.h"

enum counter {
	COUNTER_DMA,
	COUNTER_EDGE,
	COUNTER_POLICY,
	COUNTER_NO_CHANNEL,
	COUNTER_SMALL,
	COUNTER_SLOWER,
	COUNTER_UNPINNABLE,
	COUNTER_BUDGET,
	COUNTER_MAPPING,
	COUNTER_BUSY,
	COUNTER_ERROR,
	COUNTER_HANG,
	COUNTER_REMOVED,
	NR_COUNTERS
};

struct counters {
	uint64_t bytes[NR_COUNTERS];
};

/* Of one session, or of all since the module was loaded.  0 or -errno. */
int counters_of_session(int fd, struct counters *c);
int counters_of_module(struct counters *c);

uint64_t counters_total(const struct counters *c);
double counters_share(const struct counters *c, enum counter which);

/* Add what is new since @before to @sum. */
void counters_add(struct counters *sum, const struct counters *before,
		  const struct counters *now);

/* What is not zero, one line each; or all, as an object. */
void counters_print(const struct counters *c);
void counters_json(struct json *j, const char *key, const struct counters *c);

#endif /* DMO_CTL_COUNTERS_H */
