/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Load on all engines, from threads of their own, while channels come and go: of two
 * functions, where the CPU may help out and where DMA is required. All that is answered
 * is verified. As in dmio_test.h, nothing here judges.
 */
#ifndef LOAD_H
#define LOAD_H

#include "dma.h"

#define NR_LOADS 4

struct load {
	const char *func;
	uint32_t policy;
	struct dt_rng rng;
	atomic_uint batches;
	atomic_bool stop;
	const char *bad;		/* what was not as it should be */
	unsigned int refused;		/* for want of a channel */
	struct dt_ways ways;		/* in the end */
	pthread_t thread;
};

/* Start NR_LOADS of them: 0 or -errno */
int load_start(struct load *load, struct dt_rng *rng);
/* Until each of them has begun and ended a batch: false if one does not */
bool load_progress(struct load *load);
void load_end(struct load *load);

#endif /* LOAD_H */
