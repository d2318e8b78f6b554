/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions in many pieces, and the oracle: what a request must make of them. As in
 * dmio_test.h, nothing here judges.
 */
#ifndef REGION_H
#define REGION_H

#include "dmio_test.h"

/* @len bytes cut into pieces */
struct dt_region {
	struct iovec *iov;
	unsigned int nr;
	size_t len;
};

/* Cut [p, p + len) at random places into @nr pieces, in order. */
void dt_cut(struct dt_rng *rng, struct dt_region *r, void *p, size_t len, unsigned int nr);

/*
 * Scatter @len bytes as @nr pieces, in a random order and with random gaps,
 * over the memory at *@cursor, which moves behind the last one.  At most
 * @len + (@nr + 1) * DT_GAP bytes are used.
 */
#define DT_GAP	96
void dt_scatter(struct dt_rng *rng, struct dt_region *r, uint8_t **cursor, size_t len,
		unsigned int nr);
void dt_region_free(struct dt_region *r);
void dt_gather(const dmio_buffer *buf, uint8_t *linear);
void dt_spread(const dmio_buffer *buf, const uint8_t *linear);

/* What @f makes of @in, by the simplest possible code. */
void dt_compute(const struct dt_func *f, uint8_t imm, const dmio_buffer *in, uint8_t *want,
		size_t len);

/* Bit by bit, so that it shares no table with anybody */
uint32_t dt_crc32c(uint32_t seed, const uint8_t *p, size_t len);

#endif /* REGION_H */
