// SPDX-License-Identifier: GPL-2.0
/*
 * Which bytes of a job a DMA channel may do.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>

#include "dma_plan.h"
#include "engine.h"
#include "func.h"

/**
 * dmio_plan_init() - begin a walk
 * @plan: to be initialised
 * @job: the job; it stays as it is while the walk lasts
 * @rules: what the channel wants
 *
 * Context: any.
 */
void dmio_plan_init(struct dmio_plan *plan, const struct dmio_job *job,
		    const struct dmio_dma_rules *rules)
{
	unsigned int i;

	plan->job = job;
	plan->rules = rules;
	plan->pos = 0;
	plan->out = (struct dmio_place){ .sg = job->dst };
	plan->nr_in = 0;
	for (i = 0; i < job->func->nr_srcs; i++)
		if (!test_bit(i, &job->aliased))
			plan->in[plan->nr_in++] = (struct dmio_place){ .sg = job->src[i] };
}

/*
 * Where a place is, as far as alignment goes: a mapping keeps the offset in the
 * page
 */
static size_t place_addr(const struct dmio_place *at)
{
	return at->sg->offset + at->off;
}

static size_t place_left(const struct dmio_place *at)
{
	return at->sg->length - at->off;
}

static void place_advance(struct dmio_place *at, size_t len)
{
	at->off += len;
	while (at->sg && at->off >= at->sg->length) {
		at->off -= at->sg->length;
		at->sg = sg_next(at->sg);
	}
}

/*
 * Bytes from here on in which nothing changes: the output is contiguous, and,
 * if their alignment matters, so are the inputs
 */
static size_t run_length(const struct dmio_plan *plan)
{
	size_t len = min_t(u64, place_left(&plan->out), plan->job->len - plan->pos);
	unsigned int i;

	if (plan->rules->align == 1)
		return len;
	for (i = 0; i < plan->nr_in; i++)
		len = min(len, place_left(&plan->in[i]));
	return len;
}

/* Are the inputs aligned @head bytes from here? */
static bool inputs_aligned(const struct dmio_plan *plan, size_t head)
{
	unsigned int i;

	for (i = 0; i < plan->nr_in; i++)
		if (!IS_ALIGNED(place_addr(&plan->in[i]) + head, plan->rules->align))
			return false;
	return true;
}

/**
 * dmio_plan_next() - go to the next island
 * @plan: the walk
 * @island: result
 *
 * Context: any.
 * Return: true; or false, and there is none.
 */
bool dmio_plan_next(struct dmio_plan *plan, struct dmio_island *island)
{
	const struct dmio_dma_rules *rules = plan->rules;

	while (plan->pos < plan->job->len) {
		size_t addr = place_addr(&plan->out), len = run_length(plan);
		size_t head = ALIGN(addr, rules->out_align) - addr;
		unsigned int i;

		island->offset = plan->pos + head;
		island->len = 0;
		if (head < len && inputs_aligned(plan, head))
			island->len = round_down(len - head, rules->out_align);

		plan->pos += len;
		place_advance(&plan->out, len);
		for (i = 0; i < plan->nr_in; i++)
			place_advance(&plan->in[i], len);
		if (island->len)
			return true;
	}
	return false;
}

/**
 * dmio_plan_chunk() - how long may the next segment be?
 * @rules: what the channel wants
 * @addr: where it begins, as far as alignment goes
 * @len: what is left, not 0
 *
 * What remains is aligned, whatever @addr is.
 *
 * Context: any.
 * Return: 1 to @len, and at most @rules->max_bytes.
 */
size_t dmio_plan_chunk(const struct dmio_dma_rules *rules, size_t addr, size_t len)
{
	return min(len, rules->max_bytes - (addr & (rules->align - 1)));
}
