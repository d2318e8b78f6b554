// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"
#include "softcrc.h"
#include "util.h"
#include "work.h"

static const uint8_t immediate[8] = {
	0x5a, 0xc3, 0x17, 0x88, 0x21, 0xf0, 0x6d, 0x9e
};

static size_t piece_bytes(const struct work_plan *plan, unsigned int i)
{
	size_t len = plan->size / plan->segments;

	return i + 1 < plan->segments ? len : plan->size - i * len;
}

static int alloc_region(struct work_region *r, const struct work_plan *plan)
{
	const size_t mask = util_page_size() - 1;
	size_t at = 0, len;
	unsigned int i;

	for (i = 0; i < plan->segments; i++)
		r->mem_bytes += (plan->offset + piece_bytes(plan, i) + mask) & ~mask;
	r->mem = util_pages_alloc(r->mem_bytes);
	r->iov = calloc(plan->segments, sizeof(*r->iov));
	if (!r->mem || !r->iov)
		return -1;
	for (i = 0; i < plan->segments; i++) {
		len = piece_bytes(plan, i);
		r->iov[i].iov_base = r->mem + at + plan->offset;
		r->iov[i].iov_len = len;
		at += (plan->offset + len + mask) & ~mask;
	}
	return 0;
}

static void free_region(struct work_region *r)
{
	util_pages_free(r->mem, r->mem_bytes);
	free(r->iov);
}

/* Every bit of it differs, with @invert, so that nothing passes unwritten. */
static void scatter(const struct work_region *r, const struct work_plan *plan,
		    const uint8_t *from, uint8_t invert)
{
	uint8_t *to;
	unsigned int i;
	size_t k;

	for (i = 0; i < plan->segments; i++, from += k) {
		to = r->iov[i].iov_base;
		for (k = 0; k < r->iov[i].iov_len; k++)
			to[k] = from[k] ^ invert;
	}
}

/* Inputs of random bytes, and what must come of them. */
static int fill_slot(struct work *w, struct work_slot *slot, struct rng *rng)
{
	const struct work_plan *plan = &w->plan;
	int nr_in = plan->func->inputs, k;
	uint8_t *in[DMO_MAX_INPUTS] = { NULL };
	int ret = -1;
	size_t i;

	for (k = 0; k < nr_in; k++) {
		in[k] = malloc(plan->size);
		if (!in[k] || alloc_region(&slot->in[k], plan))
			goto out;
		for (i = 0; i < plan->size; i++)
			in[k][i] = (uint8_t)(rng_next(rng) >> 56);
		scatter(&slot->in[k], plan, in[k], 0);
		slot->io[k] = (struct dmo_region){ slot->in[k].iov,
						   plan->segments };
	}
	if (plan->func->outputs) {
		slot->want = malloc(plan->size);
		if (!slot->want || alloc_region(&slot->out, plan))
			goto out;
	}
	slot->result = plan->func->model(plan->func, slot->want, in, immediate,
					 plan->size);
	ret = 0;
out:
	for (k = 0; k < nr_in; k++)
		free(in[k]);
	return ret;
}

struct work *work_create(const struct work_plan *plan)
{
	struct work *w = calloc(1, sizeof(*w));
	struct rng rng = { .state = plan->size };
	unsigned int i;

	if (!w)
		goto err;
	w->plan = *plan;
	w->ring.func = plan->func;
	w->ring.depth = plan->depth;
	memcpy(w->ring.immediate, immediate, sizeof(immediate));
	for (i = 0; i < plan->depth; i++)
		if (fill_slot(w, &w->slots[i], &rng))
			goto err_free;
	return w;

err_free:
	work_free(w);
err:
	util_error("no memory for %u requests of %zu bytes",
		   plan->depth, plan->size);
	return NULL;
}

void work_free(struct work *w)
{
	struct work_slot *slot;
	unsigned int i;
	int k;

	for (i = 0; i < w->plan.depth; i++) {
		slot = &w->slots[i];
		for (k = 0; k < w->plan.func->inputs; k++)
			free_region(&slot->in[k]);
		free_region(&slot->out);
		free(slot->want);
	}
	free(w);
}

static void spoil_outputs(struct work *w)
{
	unsigned int i;

	for (i = 0; w->plan.func->outputs && i < w->plan.depth; i++)
		scatter(&w->slots[i].out, &w->plan, w->slots[i].want, 0xff);
}

static int check_output(const struct work *w, unsigned int nr)
{
	const struct work_slot *slot = &w->slots[nr];
	const uint8_t *want = slot->want, *got;
	unsigned int i;
	size_t k, len;

	for (i = 0; i < w->plan.segments; i++, want += len) {
		got = slot->out.iov[i].iov_base;
		len = slot->out.iov[i].iov_len;
		if (!memcmp(got, want, len))
			continue;
		for (k = 0; got[k] == want[k]; k++)
			;
		util_error("%s: the output is wrong at byte %zu of %zu: expected 0x%02x, got 0x%02x%s",
			   w->plan.func->name, (size_t)(want - slot->want) + k,
			   w->plan.size, want[k], got[k],
			   (got[k] ^ want[k]) == 0xff ?
			   " (it was not written)" : "");
		return -1;
	}
	return 0;
}

static int check_outputs(const struct work *w, uint64_t requests)
{
	unsigned int i;

	for (i = 0; i < w->plan.depth && i < requests; i++)
		if (w->plan.func->outputs && check_output(w, i))
			return -1;
	return 0;
}

static int check_result(const struct work *w, unsigned int nr, uint64_t got)
{
	if (got == w->slots[nr].result)
		return 0;
	util_error("%s: the result is wrong: expected 0x%" PRIx64 ", got 0x%" PRIx64,
		   w->plan.func->name, w->slots[nr].result, got);
	return -1;
}

static void push(struct work *w)
{
	struct ring_slot *rs = ring_slot(&w->ring, w->ring.tail);
	struct work_slot *slot = &w->slots[ring_index(&w->ring, w->ring.tail)];

	rs->offset = w->ring.tail * w->plan.size;
	rs->len = w->plan.size;
	rs->req = (struct dmo_request){
		.out = { slot->out.iov,
			 w->plan.func->outputs ? w->plan.segments : 0 },
		.in = slot->io,
		.nr_in = (unsigned int)w->plan.func->inputs,
	};
	ring_push(&w->ring);
}

static int retire(struct work *w)
{
	struct ring *ring = &w->ring;
	struct ring_slot *rs;

	for (; ring->head < ring->tail; ring->head++) {
		rs = ring_slot(ring, ring->head);
		if (rs->state != SLOT_ANSWERED)
			break;
		if (check_result(w, ring_index(ring, ring->head), rs->result))
			return -1;
		rs->state = SLOT_EMPTY;
	}
	return 0;
}

static int loop(struct work *w, uint64_t requests, uint64_t min_ns)
{
	const uint64_t began = util_now_ns();
	struct ring *ring = &w->ring;
	bool early = min_ns;	/* asking for the time costs some */

	ring->head = 0;
	ring->tail = 0;
	while (early || ring->tail < requests || ring->head < ring->tail) {
		while (ring->tail - ring->head < ring->depth &&
		       (ring->tail < requests || early))
			push(w);
		if (ring_turn(ring) || retire(w) || util_stop_signal())
			return -1;
		early = early && util_now_ns() - began < min_ns;
	}
	return 0;
}

static struct work_time start_clocks(void)
{
	struct work_time now = { 0 };

	now.busy_ticks = util_busy_ticks();	/* this takes longest */
	now.cpu_ns = util_cpu_ns();
	now.wall_ns = util_now_ns();
	return now;
}

static void stop_clocks(struct work_time *t, const struct work_time *began,
			uint64_t requests, size_t size)
{
	t->wall_ns += util_now_ns() - began->wall_ns;
	t->cpu_ns += util_cpu_ns() - began->cpu_ns;
	t->busy_ticks += util_busy_ticks() - began->busy_ticks;
	t->requests += requests;
	t->bytes += requests * size;
}

int work_run(struct work *w, struct dmo_session *s, uint64_t requests,
	     uint64_t min_ns, struct work_time *t)
{
	struct work_time began;

	spoil_outputs(w);
	w->ring.session = s;
	began = start_clocks();
	if (loop(w, requests, min_ns))
		return -1;
	stop_clocks(t, &began, w->ring.tail, w->plan.size);
	return check_outputs(w, w->ring.tail);
}

static void xor_here(uint64_t *out, struct work_slot *slot, int nr_in,
		     size_t len)
{
	const uint64_t *in;
	size_t i;
	int k;

	memcpy(out, slot->in[0].mem, len);
	for (k = 1; k < nr_in; k++) {
		in = (const uint64_t *)slot->in[k].mem;
		for (i = 0; i < len / sizeof(*in); i++)
			out[i] ^= in[i];
		for (i *= sizeof(*in); i < len; i++)
			((uint8_t *)out)[i] ^= slot->in[k].mem[i];
	}
}

/* As a program would without the device; regions are in one piece. */
static uint64_t do_here(const struct work *w, struct work_slot *slot)
{
	const struct dmo_function *f = w->plan.func;
	uint8_t *in[DMO_MAX_INPUTS] = { slot->in[0].mem };

	if (f->inputs > 1)
		xor_here((uint64_t *)slot->out.mem, slot, f->inputs, w->plan.size);
	else if (f->inputs == 1 && f->outputs)
		memcpy(slot->out.mem, slot->in[0].mem, w->plan.size);
	else if (f->inputs == 0 && f->period <= 1)
		memset(slot->out.mem, f->period ? immediate[0] : 0, w->plan.size);
	else
		return f->model(f, slot->out.mem, in, immediate, w->plan.size);
	return 0;
}

int work_run_here(struct work *w, uint64_t min_ns, struct work_time *t)
{
	struct work_time began;
	uint64_t requests = 0, result;
	unsigned int i;

	spoil_outputs(w);
	began = start_clocks();
	do {
		for (i = 0; i < w->plan.depth; i++) {
			result = do_here(w, &w->slots[i]);
			if (check_result(w, i, result))
				return -1;
		}
		requests += i;
		if (util_stop_signal())
			return -1;
	} while (util_now_ns() - began.wall_ns < min_ns);
	stop_clocks(t, &began, requests, w->plan.size);
	return check_outputs(w, requests);
}

double work_rate(const struct work_time *t)
{
	return t->wall_ns ? (double)t->bytes * 1e3 / (double)t->wall_ns : 0;
}
