// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "ring.h"
#include "util.h"
#include "work.h"

#define MOST_IN_FLIGHT	32
#define DOUBT_TICKS	2	/* a measurement cuts one at each end */

static double per_mib(double value, uint64_t bytes)
{
	return bytes ? value * (1 << 20) / (double)bytes : 0;
}

static int measure_once(struct bench_plan *plan, struct work *w,
			enum bench_way way, struct bench_series *series,
			unsigned int round)
{
	struct dmo_session *s = &plan->sessions[way];
	struct counters before, after;
	struct work_time t = { 0 };
	bool known = false;
	int failed;

	if (way == WAY_PROGRAM) {
		failed = work_run_here(w, plan->min_ns, &t);
	} else {
		known = !counters_of_session(s->fd, &before);
		failed = work_run(w, s, 1, plan->min_ns, &t);
	}
	if (failed)
		return -1;
	series->rate[round] = work_rate(&t);
	series->cpu_us[round] = per_mib((double)t.cpu_ns / 1e3, t.bytes);
	series->bytes += t.bytes;
	series->busy_ticks += t.busy_ticks;
	if (known && !counters_of_session(s->fd, &after))
		counters_add(&series->went, &before, &after);
	return 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, unsigned int nr)
{
	double sorted[BENCH_MAX_ROUNDS];

	memcpy(sorted, values, nr * sizeof(*values));
	qsort(sorted, nr, sizeof(*sorted), compare);
	return nr % 2 ? sorted[nr / 2] :
	       (sorted[nr / 2 - 1] + sorted[nr / 2]) / 2;
}

/* Whoever begins has the warmest machine: they take turns in that, too. */
static int measure_all(struct bench_plan *plan, struct work *w,
		       struct bench_row *row)
{
	unsigned int round, i;
	enum bench_way way;

	for (round = 0; round < row->rounds; round++) {
		for (i = 0; i < NR_WAYS; i++) {
			way = (round + i) % NR_WAYS;
			if (measure_once(plan, w, way, &row->ways[way], round))
				return -1;
		}
	}
	return 0;
}

int bench_measure(struct bench_plan *plan, size_t size, struct bench_row *row)
{
	struct work_plan work_plan = {
		.func = plan->func,
		.size = size,
		.depth = ring_choose_depth(plan->func, size, MOST_IN_FLIGHT),
		.segments = 1,
	};
	struct work *w = work_create(&work_plan);
	int failed;

	if (!w)
		return -1;
	memset(row, 0, sizeof(*row));
	row->size = size;
	row->depth = work_plan.depth;
	row->rounds = plan->rounds;
	failed = measure_all(plan, w, row);
	if (failed) {
		/* Their requests may still be running in this memory. */
		session_close(&plan->sessions[WAY_CPU]);
		session_close(&plan->sessions[WAY_DMA]);
	}
	work_free(w);
	return failed;
}

double bench_rate(const struct bench_row *row, enum bench_way way)
{
	return median(row->ways[way].rate, row->rounds);
}

double bench_cpu_us(const struct bench_row *row, enum bench_way way)
{
	return median(row->ways[way].cpu_us, row->rounds);
}

static double busy_us(const struct bench_series *series, uint64_t more_ticks)
{
	double ticks = (double)(series->busy_ticks + more_ticks);

	return per_mib(ticks * util_tick_us(), series->bytes);
}

double bench_machine_us(const struct bench_row *row, enum bench_way way)
{
	return busy_us(&row->ways[way], 0);
}

/* What the CPU did for want of a channel says nothing about DMA. */
static bool was_by_dma(const struct bench_row *row)
{
	return counters_share(&row->ways[WAY_DMA].went, COUNTER_DMA) > 0.5;
}

bool bench_is_faster(const struct bench_row *row)
{
	return was_by_dma(row) &&
	       bench_rate(row, WAY_DMA) > bench_rate(row, WAY_PROGRAM);
}

/* In case of doubt, not. */
bool bench_is_cheaper(const struct bench_row *row)
{
	return was_by_dma(row) && busy_us(&row->ways[WAY_DMA], DOUBT_TICKS) <
				  busy_us(&row->ways[WAY_PROGRAM], 0);
}
