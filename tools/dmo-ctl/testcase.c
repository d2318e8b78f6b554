// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making up test cases: lengths, cuts into iovecs, places in memory,
 * patterns, and the result.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "rng.h"
#include "testcase.h"
#include "util.h"

#define SMALL_LEN	8192	/* bytes per region in a run of small requests */
#define SMALL_RUN	300	/* requests of such a run, the last of ... */
#define SMALL_EVERY	400	/* ... so many */
#define USUAL_IOVS	512	/* iovecs of most cases, all regions together */

enum placement {
	PLACE_LINEAR,		/* one piece behind the other, no gaps */
	PLACE_GAPS,		/* in order, with gaps */
	PLACE_SHUFFLED,		/* in any order, with gaps */
	PLACE_OVERLAPPING,	/* anywhere: only for what is only read */
};

static int compare_size(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return x < y ? -1 : x > y;
}

/* The interesting lengths, then all magnitudes, then all values. */
static size_t pick_length(struct rng *r, size_t max)
{
	const size_t page = util_page_size();
	const size_t edges[] = {
		1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 127, 255, 256,
		257, 511, 512, 513, page - 1, page, page + 1, 2 * page - 1,
		2 * page, 2 * page + 1, 65535, 65536, 65537, max - 1, max,
	};
	unsigned int bits = 1;
	size_t len;

	switch (rng_below(r, 4)) {
	case 0:
	case 1:
		len = edges[rng_below(r, ARRAY_SIZE(edges))];
		break;
	case 2:
		while (bits < 8 * sizeof(max) - 1 && max >> bits)
			bits++;
		len = rng_below(r, 1ull << rng_range(r, 1, bits));
		break;
	default:
		len = rng_range(r, 1, max);
		break;
	}
	return len < 1 ? 1 : len > max ? max : len;
}

/* Around the multiples of what a device may work on at a time, or anything. */
static size_t pick_large(struct rng *r, size_t max)
{
	size_t len = rng_range(r, 0, max);

	if (rng_once_in(r, 2)) {
		len &= ~(((size_t)1 << rng_range(r, 16, 21)) - 1);
		len += rng_range(r, 0, 2);
		len -= len ? 1 : 0;
	}
	return len < 1 ? 1 : len > max ? max : len;
}

/* Split @total at @nr - 1 random places; parts may be empty. */
static void split(struct rng *r, size_t total, size_t *parts, unsigned int nr)
{
	size_t before = 0, point;
	unsigned int i;

	for (i = 0; i + 1 < nr; i++)
		parts[i] = rng_range(r, 0, total);
	parts[nr - 1] = total;
	qsort(parts, nr, sizeof(*parts), compare_size);
	for (i = 0; i < nr; i++) {
		point = parts[i];
		parts[i] = point - before;
		before = point;
	}
}

/* Single bytes around one piece that holds the rest. */
static void split_bytes(struct rng *r, size_t total, size_t *parts,
			unsigned int nr)
{
	unsigned int i, big = (unsigned int)rng_below(r, nr);

	for (i = 0; i < nr; i++)
		parts[i] = i == big ? total - nr + 1 : 1;
}

/* Pieces of about a page. */
static unsigned int split_pages(struct rng *r, size_t total, size_t *parts,
				unsigned int max_nr)
{
	unsigned int nr = 0;
	size_t piece;

	while (total) {
		piece = util_page_size() - 1 + rng_below(r, 3);
		if (piece > total || nr + 1 == max_nr)
			piece = total;
		parts[nr++] = piece;
		total -= piece;
	}
	return nr;
}

static unsigned int cut(struct rng *r, size_t len, size_t *parts,
			unsigned int max_nr)
{
	unsigned int nr = 1;

	switch (rng_below(r, 8)) {
	case 0:
	case 1:
		parts[0] = len;
		return 1;
	case 2:
		nr = len < max_nr ? (unsigned int)len : max_nr;
		split_bytes(r, len, parts, nr);
		return nr;
	case 3:
		return split_pages(r, len, parts, max_nr);
	case 4:
		nr = max_nr;
		break;
	case 5:
		nr = (unsigned int)rng_range(r, 1, max_nr);
		break;
	default:
		nr = (unsigned int)rng_range(r, 1, max_nr < 8 ? max_nr : 8);
		break;
	}
	split(r, len, parts, nr);
	return nr;
}

/* Offsets for @parts in an arena with @slack bytes to spare. */
static void place(struct rng *r, enum placement how, const size_t *parts,
		  size_t *offsets, unsigned int nr, size_t slack)
{
	unsigned int order[TEST_MAX_IOV], i, other, swap;
	size_t gaps[TEST_MAX_IOV + 1], pos;

	for (i = 0; i < nr; i++) {
		order[i] = i;
		gaps[i] = 0;
	}
	/* Alignment: at the start, right before the guard page, anywhere. */
	gaps[0] = rng_once_in(r, 3) ? 0 : rng_once_in(r, 3) ? slack :
		  rng_range(r, 0, slack);
	if (how != PLACE_LINEAR)
		split(r, slack, gaps, nr + 1);
	for (i = nr; how == PLACE_SHUFFLED && i > 1; i--) {
		other = (unsigned int)rng_below(r, i);
		swap = order[i - 1];
		order[i - 1] = order[other];
		order[other] = swap;
	}
	for (i = 0, pos = 0; i < nr; i++) {
		pos += gaps[i];
		offsets[order[i]] = pos;
		pos += parts[order[i]];
	}
}

static void place_overlapping(struct rng *r, const size_t *parts,
			      size_t *offsets, unsigned int nr, size_t size)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		offsets[i] = rng_range(r, 0, size - parts[i]);
}

static bool make_region(struct rng *r, struct test_region *region,
			struct test_arena *arena, size_t len,
			unsigned int max_iov, bool only_read)
{
	enum placement how = (enum placement)rng_below(r, only_read ? 4 : 3);
	size_t parts[TEST_MAX_IOV], offsets[TEST_MAX_IOV];
	unsigned int nr = cut(r, len, parts, max_iov), i;

	if (how == PLACE_OVERLAPPING)
		place_overlapping(r, parts, offsets, nr, arena->size);
	else
		place(r, how, parts, offsets, nr, arena->size - len);

	region->arena = arena;
	region->iovcnt = nr;
	region->iov = calloc(nr, sizeof(*region->iov));
	if (!region->iov)
		return false;
	for (i = 0; i < nr; i++) {
		region->iov[i].iov_base = arena->map + offsets[i];
		region->iov[i].iov_len = parts[i];
		if (!parts[i] && rng_once_in(r, 2))
			region->iov[i].iov_base = NULL;
	}
	return true;
}

static bool copy_region(struct test_region *to, const struct test_region *from)
{
	*to = *from;
	to->iov = calloc(from->iovcnt, sizeof(*to->iov));
	if (!to->iov)
		return false;
	memcpy(to->iov, from->iov, from->iovcnt * sizeof(*to->iov));
	return true;
}

static struct test_arena *make_arena(struct rng *r, struct test_case *tc)
{
	struct test_arena *arena = &tc->arenas[tc->nr_arenas];
	const size_t page = util_page_size();
	size_t slack[] = { 0, 1, rng_below(r, 64), rng_below(r, 2 * page),
			   tc->len / 2 + page };
	size_t size = tc->len + slack[rng_below(r, ARRAY_SIZE(slack))];

	size = (size + page - 1) / page * page;
	arena->map = util_pages_alloc(size + page);
	if (!arena->map)
		return NULL;
	arena->size = size;
	tc->nr_arenas++;
	tc->arena_bytes += size;
	if (mprotect(arena->map + size, page, PROT_NONE))
		return NULL;
	arena->want = malloc(size);
	return arena->want ? arena : NULL;
}

static unsigned int count_regions(const struct dmo_function *f)
{
	return (unsigned int)(f->inputs + f->outputs);
}

/* The output is in the first arena. */
static bool make_output(struct rng *r, struct test_case *tc,
			unsigned int max_iov)
{
	struct test_arena *arena = make_arena(r, tc);

	return arena && make_region(r, &tc->out, arena, tc->len, max_iov, false);
}

static bool make_inputs(struct rng *r, struct test_case *tc,
			unsigned int max_iov)
{
	int inputs = tc->func->inputs, only = -1, k;
	struct test_arena *arena;

	if (inputs && tc->func->outputs && rng_once_in(r, 4)) {
		only = (int)rng_below(r, (uint64_t)inputs);
		tc->in_place = true;
	}
	for (k = 0; k < inputs; k++) {
		if (k == only || (tc->in_place && rng_once_in(r, 8))) {
			if (!copy_region(&tc->in[k], &tc->out))
				return false;
			continue;
		}
		/* the memory of an earlier input again, or new one */
		arena = k && rng_once_in(r, 4) ?
			tc->in[rng_below(r, (uint64_t)k)].arena : NULL;
		if (!arena || arena == tc->out.arena)
			arena = make_arena(r, tc);
		if (!arena || !make_region(r, &tc->in[k], arena, tc->len,
					   max_iov, true))
			return false;
	}
	return true;
}

static void fill_arena(struct rng *r, struct test_arena *arena, uint8_t tag)
{
	size_t i, k;
	uint64_t bits;

	for (i = 0; i < arena->size; i += 8) {
		bits = rng_next(r);
		for (k = 0; k < 8; k++)
			arena->map[i + k] =
				(uint8_t)(tag | (bits >> (8 * k) & 0x3f));
	}
}

static void mark_inside(const struct test_region *region)
{
	unsigned int i;
	size_t k;

	for (i = 0; i < region->iovcnt; i++)
		for (k = 0; k < region->iov[i].iov_len; k++)
			((uint8_t *)region->iov[i].iov_base)[k] |=
				TEST_TAG_INSIDE;
}

static void gather(const struct test_region *region, uint8_t *flat)
{
	unsigned int i;

	for (i = 0; i < region->iovcnt; i++) {
		if (!region->iov[i].iov_len)
			continue;
		memcpy(flat, region->iov[i].iov_base, region->iov[i].iov_len);
		flat += region->iov[i].iov_len;
	}
}

/* The result goes to @want; the output itself starts as its complement. */
static void scatter_result(const struct test_case *tc, const uint8_t *flat)
{
	const struct test_arena *arena = tc->out.arena;
	const struct iovec *iov;
	unsigned int i;
	uint8_t *map;
	size_t k;

	for (i = 0; i < tc->out.iovcnt; i++) {
		iov = &tc->out.iov[i];
		map = iov->iov_base;
		for (k = 0; k < iov->iov_len; k++, flat++) {
			arena->want[(size_t)(map - arena->map) + k] = *flat;
			if (!tc->in_place)
				map[k] = (uint8_t)~*flat;
		}
	}
}

static bool make_contents(struct rng *r, struct test_case *tc)
{
	uint8_t *flat[DMO_MAX_INPUTS + 1], *mem;
	unsigned int i;
	int k;

	mem = malloc(tc->len * (size_t)(tc->func->inputs + 1));
	if (!mem)
		return false;
	for (k = 0; k <= tc->func->inputs; k++)
		flat[k] = mem + tc->len * (size_t)k;

	for (i = 0; i < tc->nr_arenas; i++)
		fill_arena(r, &tc->arenas[i], &tc->arenas[i] == tc->out.arena ?
			   0 : TEST_TAG_INPUT);
	mark_inside(&tc->out);
	for (k = 0; k < tc->func->inputs; k++)
		mark_inside(&tc->in[k]);
	for (i = 0; i < tc->nr_arenas; i++)
		memcpy(tc->arenas[i].want, tc->arenas[i].map,
		       tc->arenas[i].size);

	for (k = 0; k < tc->func->inputs; k++)
		gather(&tc->in[k], flat[k]);
	tc->result = tc->func->model(tc->func, flat[tc->func->inputs], flat,
				     tc->immediate, tc->len);
	scatter_result(tc, flat[tc->func->inputs]);
	free(mem);
	return true;
}

/*
 * Usually an eighth of what is permitted.  A run of small requests now and
 * then fills the device's queue; a large one now and then takes the device
 * many steps.
 */
static size_t choose_length(struct rng *r, const struct test_params *params,
			    uint32_t id)
{
	size_t most = params->max_bytes / count_regions(params->func);
	size_t max = most / 8;

	if ((id + SMALL_RUN) % SMALL_EVERY < SMALL_RUN && max > SMALL_LEN)
		max = SMALL_LEN;
	else if (rng_once_in(r, 8))
		return pick_large(r, most);
	return pick_length(r, max ? max : 1);
}

struct test_case *test_case_create(const struct test_params *params,
				   uint32_t id)
{
	const unsigned int usual_iov =
		USUAL_IOVS / count_regions(params->func);
	struct rng r = rng_derive(params->seed, id);
	unsigned int max_iov;
	struct test_case *tc;
	uint64_t bits;

	tc = calloc(1, sizeof(*tc));
	if (!tc)
		return NULL;
	tc->func = params->func;
	tc->id = id;
	tc->len = choose_length(&r, params, id);
	max_iov = rng_once_in(&r, 16) ? TEST_MAX_IOV : usual_iov;
	bits = rng_next(&r);
	memcpy(tc->immediate, &bits, sizeof(tc->immediate));
	if ((params->func->outputs && !make_output(&r, tc, max_iov)) ||
	    !make_inputs(&r, tc, max_iov) || !make_contents(&r, tc)) {
		test_case_free(tc);
		return NULL;
	}
	return tc;
}

void test_case_free(struct test_case *tc)
{
	unsigned int i;

	for (i = 0; i < tc->nr_arenas; i++) {
		util_pages_free(tc->arenas[i].map,
				tc->arenas[i].size + util_page_size());
		free(tc->arenas[i].want);
	}
	free(tc->out.iov);
	for (i = 0; i < DMO_MAX_INPUTS; i++)
		free(tc->in[i].iov);
	free(tc);
}

struct dmo_request test_case_request(struct test_case *tc)
{
	struct dmo_request req = {
		.out = { tc->out.iov, tc->out.iovcnt },
		.in = tc->io,
		.nr_in = (unsigned int)tc->func->inputs,
		.id = tc->id,
	};
	int k;

	for (k = 0; k < tc->func->inputs; k++)
		tc->io[k] = (struct dmo_region){ tc->in[k].iov,
						 tc->in[k].iovcnt };
	memcpy(req.immediate, tc->immediate, sizeof(req.immediate));
	return req;
}
