/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Measuring one function at one size: by the program itself, by the device's
 * CPU engine, and by DMA.
 *
 * The three take turns, so that what else happens on the machine hits all of
 * them, and medians count.  CPU time is told twice: this process's, exactly;
 * and the whole machine's, because kernel workers and interrupts do a part of
 * the work.  The latter comes in coarse ticks, hence it is added up.
 */
#ifndef DMO_CTL_BENCH_H
#define DMO_CTL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "func.h"
#include "session.h"

#define BENCH_MAX_ROUNDS	9

enum bench_way { WAY_PROGRAM, WAY_CPU, WAY_DMA, NR_WAYS };

/**
 * struct bench_series - one way to do it, measured several times
 * @rate: MB/s of each round
 * @cpu_us: CPU time of this process in each round, microseconds per MiB
 * @bytes: of all rounds
 * @busy_ticks: of all CPUs, meanwhile
 * @went: which way the bytes went; by the device
 */
struct bench_series {
	double rate[BENCH_MAX_ROUNDS];
	double cpu_us[BENCH_MAX_ROUNDS];
	uint64_t bytes;
	uint64_t busy_ticks;
	struct counters went;
};

/**
 * struct bench_row - what one size gave
 * @size: bytes of each region
 * @depth: requests in flight
 * @rounds: how often each way was measured
 * @ways: the figures; sorted
 */
struct bench_row {
	size_t size;
	unsigned int depth;
	unsigned int rounds;
	struct bench_series ways[NR_WAYS];
};

/**
 * struct bench_plan - what to measure
 * @func: the function
 * @rounds: how often
 * @min_ns: how long at least, each time
 * @sessions: by way; the program's own is not used
 */
struct bench_plan {
	const struct dmo_function *func;
	unsigned int rounds;
	uint64_t min_ns;
	struct dmo_session sessions[NR_WAYS];
};

/* 0, or -1 after a message or on a signal. */
int bench_measure(struct bench_plan *plan, size_t size, struct bench_row *row);

/* Medians; of @cpu_us the machine's is the mean.  0 if there is nothing. */
double bench_rate(const struct bench_row *row, enum bench_way way);
double bench_cpu_us(const struct bench_row *row, enum bench_way way);
double bench_machine_us(const struct bench_row *row, enum bench_way way);

/* Was it DMA that did it, and was it better than the program itself? */
bool bench_is_faster(const struct bench_row *row);
bool bench_is_cheaper(const struct bench_row *row);

#endif /* DMO_CTL_BENCH_H */
