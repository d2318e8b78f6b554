// SPDX-License-Identifier: GPL-2.0
/*
 * Random jobs, and by brute force what of them a DMA channel may do.
 *
 * A range of a job is fit for DMA if the output is one entry there, which begins
 * and ends at multiples of out_align, and if, where align is more than 1, the
 * same is true for align and each input that is not aliased.  Islands are the
 * longest such ranges.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "job.h"

/* The entry behind which lists are chained */
#define LINK		6

/* No two entries of an output share so many bytes: DMA-API debugging complains */
#define LINE_BYTES	256

/**
 * test_job_alloc() - prepare for test_job_random()
 * @test: the case; what is not memory of the job goes with it
 *
 * Return: what is to be given to test_job_free().
 */
struct test_job *test_job_alloc(struct kunit *test)
{
	struct test_job *tj = kunit_kzalloc(test, sizeof(*tj), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tj);
	for (i = 0; i < ARRAY_SIZE(tj->list); i++) {
		struct test_list *list = &tj->list[i];

		list->phys = kunit_kmalloc_array(test, JOB_BYTES, sizeof(*list->phys), GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list->phys);
		list->entry = kunit_kmalloc(test, JOB_BYTES, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, list->entry);
	}
	tj->mem = alloc_pages(GFP_KERNEL, JOB_ORDER);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tj->mem);
	return tj;
}

/**
 * test_job_free() - forget a job
 * @tj: prepared
 */
void test_job_free(struct test_job *tj)
{
	__free_pages(tj->mem, JOB_ORDER);
}

/* How an entry begins or ends: at multiples of @grain, but for those that do not */
struct habit {
	unsigned int grain;
	unsigned int sloppy;	/* one in so many; 0: none */
};

static unsigned int habit_grain(const struct habit *habit, struct rnd_state *rnd)
{
	return habit->sloppy && rnd_one_in(rnd, habit->sloppy) ? 1 : habit->grain;
}

static unsigned int random_len(struct rnd_state *rnd, unsigned int start)
{
	unsigned int to_page_end = PAGE_SIZE - start % PAGE_SIZE;

	switch (rnd_below(rnd, 7)) {
	case 0:
		return 1;
	case 1:
		return 1 + rnd_below(rnd, 16);
	case 2:
		return to_page_end;
	case 3:
		return to_page_end + 1 + rnd_below(rnd, 3);
	case 4:
		return to_page_end + rnd_below(rnd, 3) * PAGE_SIZE;
	case 5:
		return 1 + rnd_below(rnd, 600);
	default:
		return 1 + rnd_below(rnd, PAGE_SIZE);
	}
}

static void add_entry(struct test_job *tj, struct test_list *list, struct scatterlist *sg,
		      unsigned int start, unsigned int len, struct rnd_state *rnd)
{
	unsigned int page = start / PAGE_SIZE, n;

	/* The offset may be that of a later page */
	if (rnd_one_in(rnd, 8))
		page = rnd_below(rnd, page + 1);
	sg_set_page(sg, tj->mem + page, len, start - page * PAGE_SIZE);
	for (n = 0; n < len; n++) {
		list->phys[list->len] = page_to_phys(tj->mem) + start + n;
		list->entry[list->len++] = list->nents;
	}
	list->nents++;
}

/*
 * A list of @total bytes, or fewer.  Entries of an output follow each other in
 * memory, those of inputs may be anywhere.
 */
static void random_list(struct test_job *tj, struct test_list *list, unsigned int total,
			const struct habit *habit, struct rnd_state *rnd)
{
	bool is_output = list == &tj->list[0];
	struct scatterlist *sg = list->sgl;
	unsigned int start, len, end = 0;

	sg_init_table(list->sgl, JOB_ENTRIES + 1);
	sg_chain(list->sgl, LINK + 1, &list->sgl[LINK + 1]);
	list->nents = 0;
	list->len = 0;
	while (list->len < total && list->nents < JOB_ENTRIES) {
		unsigned int grain = habit_grain(habit, rnd);

		start = rnd_below(rnd, rnd_one_in(rnd, 3) ? 2 * PAGE_SIZE : PAGE_SIZE);
		start += is_output ? ALIGN(end, LINE_BYTES) :
				     rnd_below(rnd, 8) * PAGE_SIZE;
		start = round_up(start, grain);
		if (start >= JOB_MEM_BYTES)
			break;
		len = round_up(random_len(rnd, start), habit_grain(habit, rnd));
		len = min3(len, total - list->len, (unsigned int)JOB_MEM_BYTES - start);
		if (list->nents)
			sg = sg_next(sg);
		add_entry(tj, list, sg, start, len, rnd);
		end = start + len;
	}
	sg_mark_end(sg);
}

/**
 * test_rules_random() - make rules
 * @rules: result
 * @rnd: chance
 */
void test_rules_random(struct dmio_dma_rules *rules, struct rnd_state *rnd)
{
	static const u8 aligns[] = { 1, 1, 2, 4, 8, 64 };
	static const u8 outs[] = { 0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 12 };

	rules->align = aligns[rnd_below(rnd, ARRAY_SIZE(aligns))];
	rules->out_align = max_t(unsigned int, rules->align,
				 1 << outs[rnd_below(rnd, ARRAY_SIZE(outs))]);
	rules->max_bytes = rnd_one_in(rnd, 4) ? round_down(SIZE_MAX, rules->out_align) :
						(1 + rnd_below(rnd, 4)) * PAGE_SIZE;
}

/**
 * test_job_random() - make a job and rules
 * @tj: prepared; what it was is forgotten
 * @rnd: chance
 */
void test_job_random(struct test_job *tj, struct rnd_state *rnd)
{
	static const u8 sloppies[] = { 0, 1, 10 };
	unsigned int total = 1 + rnd_below(rnd, rnd_one_in(rnd, 4) ? 300 : JOB_BYTES), i;
	struct habit habit;

	test_rules_random(&tj->rules, rnd);
	habit.grain = rnd_one_in(rnd, 2) ? tj->rules.align : tj->rules.out_align;
	habit.sloppy = sloppies[rnd_below(rnd, ARRAY_SIZE(sloppies))];

	tj->func = (struct dmio_func){ .has_dst = true };
	tj->func.nr_srcs = rnd_below(rnd, rnd_one_in(rnd, 4) ? DMOVERIO_MAX_SRCS + 1 : 4);
	tj->job = (struct dmio_job){ .func = &tj->func, .dst = tj->list[0].sgl };
	for (i = 0; i <= tj->func.nr_srcs; i++) {
		random_list(tj, &tj->list[i], total, &habit, rnd);
		total = min(total, tj->list[i].len);
	}
	tj->job.len = rnd_one_in(rnd, 4) ? 1 + rnd_below(rnd, total) : total;

	for (i = 0; i < tj->func.nr_srcs; i++) {
		tj->job.src[i] = tj->list[1 + i].sgl;
		if (rnd_one_in(rnd, 4)) {
			__set_bit(i, &tj->job.aliased);
			tj->job.src[i] = tj->job.dst;
		}
	}
}

static bool input_matters(const struct test_job *tj, unsigned int i)
{
	return tj->rules.align > 1 && !test_bit(i, &tj->job.aliased);
}

/* Is what lies in front of byte @n aligned, or what ends behind byte @n - 1? */
static bool is_boundary(const struct test_job *tj, u64 n, bool end)
{
	unsigned int i;

	if ((tj->list[0].phys[n - end] + end) % tj->rules.out_align)
		return false;
	for (i = 0; i < tj->func.nr_srcs; i++)
		if (input_matters(tj, i) &&
		    (tj->list[1 + i].phys[n - end] + end) % tj->rules.align)
			return false;
	return true;
}

/* Is byte @n in the same entries as the one before? */
static bool continues(const struct test_job *tj, u64 n)
{
	unsigned int i;

	if (tj->list[0].entry[n] != tj->list[0].entry[n - 1])
		return false;
	for (i = 0; i < tj->func.nr_srcs; i++)
		if (input_matters(tj, i) &&
		    tj->list[1 + i].entry[n] != tj->list[1 + i].entry[n - 1])
			return false;
	return true;
}

/**
 * test_job_next_island() - the next island, by trying every byte
 * @tj: the job
 * @pos: where to look from; behind the island afterwards
 * @island: result
 *
 * Return: true; or false, and there is none.
 */
bool test_job_next_island(const struct test_job *tj, u64 *pos, struct dmio_island *island)
{
	u64 from, to, end;

	for (from = *pos; from < tj->job.len; from++) {
		if (!is_boundary(tj, from, false))
			continue;
		end = from;
		for (to = from + 1; to <= tj->job.len; to++) {
			if (is_boundary(tj, to, true))
				end = to;
			if (to < tj->job.len && !continues(tj, to))
				break;
		}
		if (end > from) {
			*island = (struct dmio_island){ .offset = from, .len = end - from };
			*pos = end;
			return true;
		}
	}
	return false;
}
