// SPDX-License-Identifier: GPL-2.0
/*
 * Regions, and what a request must make of them; see region.h.
 */
#include <stdlib.h>
#include <string.h>

#include "region.h"

static int cmp_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* Lengths of @nr pieces that make @len; some may be empty. */
static size_t *random_lengths(struct dt_rng *rng, size_t len, unsigned int nr)
{
	size_t *cut = calloc(nr + 1, sizeof(*cut));

	if (!cut)
		dt_die("calloc");
	if (nr == len) {
		for (unsigned int i = 0; i < nr; i++)
			cut[i] = 1;
		return cut;
	}
	for (unsigned int i = 1; i < nr; i++)
		cut[i] = dt_below(rng, len + 1);
	cut[nr] = len;
	qsort(cut, nr + 1, sizeof(*cut), cmp_size);
	for (unsigned int i = 0; i < nr; i++)
		cut[i] = cut[i + 1] - cut[i];
	return cut;
}

static void region_alloc(struct dt_region *r, size_t len, unsigned int nr)
{
	r->iov = calloc(nr, sizeof(*r->iov));
	if (!r->iov)
		dt_die("calloc");
	r->nr = nr;
	r->len = len;
}

void dt_cut(struct dt_rng *rng, struct dt_region *r, void *p, size_t len, unsigned int nr)
{
	size_t *lengths = random_lengths(rng, len, nr);
	uint8_t *at = p;

	region_alloc(r, len, nr);
	for (unsigned int i = 0; i < nr; i++) {
		r->iov[i].iov_base = at;
		r->iov[i].iov_len = lengths[i];
		at += lengths[i];
	}
	free(lengths);
}

void dt_scatter(struct dt_rng *rng, struct dt_region *r, uint8_t **cursor, size_t len,
		unsigned int nr)
{
	size_t *lengths = random_lengths(rng, len, nr);
	unsigned int *order = calloc(nr, sizeof(*order));

	if (!order)
		dt_die("calloc");
	region_alloc(r, len, nr);
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int j = dt_below(rng, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct iovec *iov = &r->iov[order[i]];

		*cursor += dt_below(rng, DT_GAP);
		iov->iov_base = *cursor;
		iov->iov_len = lengths[order[i]];
		*cursor += iov->iov_len;
	}
	*cursor += dt_below(rng, DT_GAP);
	free(order);
	free(lengths);
}

void dt_region_free(struct dt_region *r)
{
	free(r->iov);
	memset(r, 0, sizeof(*r));
}

void dt_gather(const dmio_buffer *buf, uint8_t *linear)
{
	for (unsigned int i = 0; i < buf->dmbuf_iovcnt; i++) {
		memcpy(linear, buf->dmbuf_iov[i].iov_base, buf->dmbuf_iov[i].iov_len);
		linear += buf->dmbuf_iov[i].iov_len;
	}
}

void dt_spread(const dmio_buffer *buf, const uint8_t *linear)
{
	for (unsigned int i = 0; i < buf->dmbuf_iovcnt; i++) {
		memcpy(buf->dmbuf_iov[i].iov_base, linear, buf->dmbuf_iov[i].iov_len);
		linear += buf->dmbuf_iov[i].iov_len;
	}
}

void dt_compute(const struct dt_func *f, uint8_t imm, const dmio_buffer *in, uint8_t *want,
		size_t len)
{
	uint8_t *tmp;

	memset(want, f->op == DT_FILL8 ? imm : 0, len);
	if (!f->nr_in)
		return;
	tmp = malloc(len);
	if (!tmp)
		dt_die("malloc");
	for (unsigned int i = 0; i < f->nr_in; i++) {
		dt_gather(&in[i], tmp);
		for (size_t k = 0; k < len; k++)
			want[k] ^= tmp[k];
	}
	free(tmp);
}

uint32_t dt_crc32c(uint32_t seed, const uint8_t *p, size_t len)
{
	uint32_t crc = ~seed;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}
