// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl bench: from which size on is DMA worth it, here?
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/dmoverio.h>

#include "bench.h"
#include "dmo-ctl.h"
#include "enginelist.h"
#include "json.h"
#include "util.h"

#define MAX_SIZES	16
#define MAX_SIZE	(64ull << 20)

static const char *opt_function = "copy";
static const char *opt_sizes;
static int opt_quick;

static const char *const way_names[NR_WAYS] = { "program", "cpu", "dma" };

/**
 * struct bench_run - what is measured, and what came out
 * @plan: how
 * @nr_channels: that can do the function
 * @why_none: if there is none
 * @sizes, @nr_sizes: growing
 * @rows, @nr_rows: as far as it came
 */
struct bench_run {
	struct bench_plan plan;
	size_t nr_channels;
	const char *why_none;
	size_t sizes[MAX_SIZES], nr_sizes;
	struct bench_row rows[MAX_SIZES];
	size_t nr_rows;
};

static int compare_sizes(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* "4K,64K" */
static int parse_sizes(struct bench_run *run, const char *text)
{
	char word[32];
	uint64_t size;
	size_t len;

	while (*text && run->nr_sizes < MAX_SIZES) {
		len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		if (len >= sizeof(word) || util_parse_number(word, 1, &size) ||
		    !size || size > MAX_SIZE) {
			util_error("--sizes: '%s' is no size from 1 to 64M",
				   word);
			return -1;
		}
		run->sizes[run->nr_sizes++] = (size_t)size;
		text += len + (text[len] == ',');
	}
	if (*text || !run->nr_sizes) {
		util_error("--sizes: 1 to %d sizes", MAX_SIZES);
		return -1;
	}
	qsort(run->sizes, run->nr_sizes, sizeof(*run->sizes), compare_sizes);
	return 0;
}

static int setup(struct bench_run *run)
{
	const char *usual = opt_quick ? "4K,64K,1M" : "4K,16K,64K,256K,1M,4M";

	run->plan.func = func_find(opt_function);
	if (!run->plan.func || !run->plan.func->model) {
		util_error("%s: unknown function; see: dmo-ctl functions",
			   opt_function);
		return DMO_USAGE;
	}
	run->plan.rounds = opt_quick ? 3 : 5;
	run->plan.min_ns = (opt_quick ? 20 : 60) * 1000000ull;
	return parse_sizes(run, opt_sizes ? opt_sizes : usual) ? DMO_USAGE :
								 DMO_OK;
}

static int open_sessions(struct bench_plan *plan, const char *device)
{
	static const uint32_t way_policies[NR_WAYS] = {
		[WAY_CPU] = DMOVERIO_POLICY_CPU,
		[WAY_DMA] = DMOVERIO_POLICY_PREFER_DMA,
	};
	enum bench_way way;
	int err;

	for (way = WAY_CPU; way < NR_WAYS; way++) {
		err = session_open(&plan->sessions[way], device,
				   plan->func->name, way_policies[way], 0);
		if (!err)
			continue;
		while (--way >= WAY_CPU)
			session_close(&plan->sessions[way]);
		return session_explain_open(device, plan->func->name, err);
	}
	return DMO_OK;
}

static int find_channels(struct bench_run *run, const char *device)
{
	const char *what_to_do;
	struct engine_list list;
	int status = engine_list_read(&list, device);

	if (status != DMO_OK)
		return status;
	run->nr_channels = engine_list_channels(&list, run->plan.func);
	if (engine_list_channels(&list, NULL))
		run->why_none = "those there cannot do this function";
	else
		engine_list_explain(&list, &run->why_none, &what_to_do);
	engine_list_free(&list);
	return DMO_OK;
}

/* "64K"; without a whole unit, bytes */
static const char *size_text(size_t size, char *text, size_t len)
{
	if (!(size % (1 << 20)))
		snprintf(text, len, "%zuM", size >> 20);
	else if (!(size % (1 << 10)))
		snprintf(text, len, "%zuK", size >> 10);
	else
		snprintf(text, len, "%zu", size);
	return text;
}

/* The first size from which on all are better; 0: none. */
static size_t break_even(const struct bench_run *run,
			 bool (*is_better)(const struct bench_row *row))
{
	size_t i = run->nr_rows;

	while (i && is_better(&run->rows[i - 1]))
		i--;
	return i < run->nr_rows ? run->rows[i].size : 0;
}

static void print_begin(const struct bench_run *run)
{
	printf("%s: %u rounds of %u ms each way, taking turns; every output verified\n",
	       run->plan.func->name, run->plan.rounds,
	       (unsigned int)(run->plan.min_ns / 1000000));
	if (!run->nr_channels)
		printf("No DMA channel can be used: %s.\nThe right columns are the CPU's, too. See: dmo-ctl engines\n",
		       run->why_none);
	printf("\n%6s  %28s  %28s  %37s\n", "", "-------- program itself ----",
	       "-- device, policy cpu ------",
	       "-- device, policy prefer-dma --------");
	printf("%6s  %9s %8s %9s  %9s %8s %9s  %9s %8s %9s %8s\n", "SIZE",
	       "MB/s", "CPU", "MACHINE", "MB/s", "CPU", "MACHINE",
	       "MB/s", "CPU", "MACHINE", "BY DMA");
}

static void print_row(const struct bench_row *row)
{
	enum bench_way way;
	char text[32];

	printf("%6s", size_text(row->size, text, sizeof(text)));
	for (way = 0; way < NR_WAYS; way++)
		printf("  %9.1f %8.1f %9.1f", bench_rate(row, way),
		       bench_cpu_us(row, way), bench_machine_us(row, way));
	printf(" %7.1f%%\n",
	       100 * counters_share(&row->ways[WAY_DMA].went, COUNTER_DMA));
	fflush(stdout);
}

static void print_break_even(const char *what, size_t size)
{
	char text[32];

	printf("%s %s\n", what,
	       size ? size_text(size, text, sizeof(text)) : "none");
}

static void print_end(const struct bench_run *run)
{
	struct counters went = { 0 }, none = { 0 };
	size_t i;

	for (i = 0; i < run->nr_rows; i++)
		counters_add(&went, &none, &run->rows[i].ways[WAY_DMA].went);
	printf("\nCPU, MACHINE: microseconds of CPU time per MiB: median of this process; mean of\n"
	       "the whole machine, with kernel workers, interrupts, and whatever else ran, in\n"
	       "steps of %u us.\n\n", util_tick_us());
	printf("With policy prefer-dma, all sizes together:\n");
	counters_print(&went);
	printf("\nCompared with the program itself, and only where most bytes went by DMA:\n");
	print_break_even("DMA takes less CPU time (MACHINE) from size:",
			 break_even(run, bench_is_cheaper));
	print_break_even("DMA is faster from size:                    ",
			 break_even(run, bench_is_faster));
}

static void json_begin(struct json *j, const struct bench_run *run)
{
	json_string(j, "function", run->plan.func->name);
	json_u64(j, "channels", run->nr_channels);
	if (!run->nr_channels)
		json_string(j, "no_channel_why", run->why_none);
	json_u64(j, "rounds", run->plan.rounds);
	json_u64(j, "round_ms", run->plan.min_ns / 1000000);
	json_u64(j, "machine_tick_us", util_tick_us());
	json_array(j, "sizes");
}

static void json_row(struct json *j, const struct bench_row *row)
{
	const struct counters *went = &row->ways[WAY_DMA].went;
	enum bench_way way;

	json_object(j, NULL);
	json_u64(j, "size", row->size);
	json_u64(j, "depth", row->depth);
	for (way = 0; way < NR_WAYS; way++) {
		json_object(j, way_names[way]);
		json_u64(j, "bytes", row->ways[way].bytes);
		json_double(j, "mb_per_s", bench_rate(row, way));
		json_double(j, "cpu_us_per_mib", bench_cpu_us(row, way));
		json_double(j, "machine_us_per_mib",
			    bench_machine_us(row, way));
		json_close(j);
	}
	json_double(j, "dma_share", counters_share(went, COUNTER_DMA));
	counters_json(j, "dma_went", went);
	json_close(j);
}

static void json_size(struct json *j, const char *key, size_t size)
{
	if (size)
		json_u64(j, key, size);
	else
		json_null(j, key);
}

static void json_end(struct json *j, const struct bench_run *run)
{
	json_close(j);
	json_size(j, "less_cpu_from", break_even(run, bench_is_cheaper));
	json_size(j, "faster_from", break_even(run, bench_is_faster));
}

static int measure(struct dmo_context *ctx, struct bench_run *run)
{
	struct bench_row *row;

	if (ctx->json)
		json_begin(ctx->result, run);
	else
		print_begin(run);
	for (; run->nr_rows < run->nr_sizes; run->nr_rows++) {
		row = &run->rows[run->nr_rows];
		if (bench_measure(&run->plan, run->sizes[run->nr_rows], row)) {
			if (util_stop_signal())
				util_error("stopped by a signal");
			return DMO_FAIL;
		}
		if (ctx->json)
			json_row(ctx->result, row);
		else
			print_row(row);
	}
	if (ctx->json)
		json_end(ctx->result, run);
	else
		print_end(run);
	return DMO_OK;
}

static int run_bench(struct dmo_context *ctx, char **argv)
{
	static struct bench_run run;
	int status = setup(&run);

	(void)argv;
	if (status == DMO_OK)
		status = find_channels(&run, ctx->device);
	if (status == DMO_OK)
		status = open_sessions(&run.plan, ctx->device);
	if (status != DMO_OK)
		return status;
	util_catch_signals();
	status = measure(ctx, &run);
	session_close(&run.plan.sessions[WAY_CPU]);
	session_close(&run.plan.sessions[WAY_DMA]);
	return status;
}

static const struct dmo_option bench_options[] = {
	{
		.name = "quick", .min = 1, .flag = &opt_quick,
		.help = "fewer sizes and rounds, shorter: a second or two",
	}, {
		.name = "function", .kind = DMO_OPT_STRING, .arg = "NAME",
		.help = "measure this one (default: copy)",
		.string = &opt_function,
	}, {
		.name = "sizes", .kind = DMO_OPT_STRING, .arg = "LIST",
		.help = "bytes per request (default: 4K,16K,64K,256K,1M,4M)",
		.string = &opt_sizes,
	},
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_bench = {
	.name = "bench",
	.summary = "program, CPU engine and DMA compared: speed, CPU time, break-even",
	.help = "Many requests are in flight.  MB/s counts 10^6 bytes of one region.  On a busy\n"
		"machine the figures are of little use.\n",
	.options = bench_options,
	.run = run_bench,
};
