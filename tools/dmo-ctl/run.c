// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl run: a function on memory of its own, in rounds of as many requests
 * as are in flight, each output checked.  And which way the bytes went.
 */
#include <inttypes.h>
#include <stdio.h>

#include "counters.h"
#include "dmo-ctl.h"
#include "json.h"
#include "policy.h"
#include "session.h"
#include "util.h"
#include "work.h"

#define DEFAULT_DEPTH	8

static uint64_t opt_size = 1 << 20;
static uint64_t opt_count = 64;
static uint64_t opt_depth;
static uint64_t opt_segments = 1;
static uint64_t opt_offset;

/* Each output is written once between two checks of it. */
static int run_rounds(struct work *w, struct dmo_session *s,
		      struct work_time *t)
{
	uint64_t left = opt_count, nr;

	while (left) {
		nr = left < w->plan.depth ? left : w->plan.depth;
		if (work_run(w, s, nr, 0, t))
			return -1;
		left -= nr;
	}
	return 0;
}

static void report_went(struct dmo_context *ctx, const struct dmo_session *s)
{
	struct counters counters;
	int err = counters_of_session(s->fd, &counters);

	if (ctx->json && err)
		json_null(ctx->result, "went");
	else if (ctx->json)
		counters_json(ctx->result, "went", &counters);
	else if (err)
		printf("the loaded module does not tell which way the bytes went\n");
	else
		counters_print(&counters);
}

static void report(struct dmo_context *ctx, const struct work *w,
		   const struct work_time *t)
{
	double seconds = (double)t->wall_ns / 1e9;
	double cpu = (double)t->cpu_ns / 1e9;
	struct json *j = ctx->result;

	if (!ctx->json) {
		printf("%s: %" PRIu64 " requests of %zu bytes, %u in flight, policy %s; every one verified\n",
		       w->plan.func->name, t->requests, w->plan.size,
		       w->plan.depth, policy_name(policy_wanted()));
		printf("%" PRIu64 " bytes in %.3f s, %.1f MB/s, %.3f s of CPU time of this program\n",
		       t->bytes, seconds, work_rate(t), cpu);
		if (w->ring.retries)
			printf("%" PRIu64 " requests again for want of memory; their bytes count again below\n",
			       w->ring.retries);
		return;
	}
	json_string(j, "function", w->plan.func->name);
	json_string(j, "policy", policy_name(policy_wanted()));
	json_u64(j, "size", w->plan.size);
	json_u64(j, "count", t->requests);
	json_u64(j, "depth", w->plan.depth);
	json_u64(j, "segments", w->plan.segments);
	json_u64(j, "align_offset", w->plan.offset);
	json_u64(j, "bytes", t->bytes);
	json_double(j, "seconds", seconds);
	json_double(j, "mb_per_s", work_rate(t));
	json_double(j, "cpu_seconds", cpu);
	json_u64(j, "retries", w->ring.retries);
	json_bool(j, "verified", 1);
}

static int run_work(struct dmo_context *ctx, struct dmo_session *s,
		    const struct work_plan *plan)
{
	struct work *w = work_create(plan);
	struct work_time t = { 0 };
	int status = DMO_FAIL;

	if (!w) {
		session_close(s);
		return DMO_FAIL;
	}
	if (!run_rounds(w, s, &t)) {
		report(ctx, w, &t);
		report_went(ctx, s);
		status = DMO_OK;
	} else if (util_stop_signal()) {
		util_error("stopped by a signal");
	}
	session_close(s);	/* first: requests may still be running */
	work_free(w);
	return status;
}

static int run_run(struct dmo_context *ctx, char **argv)
{
	struct work_plan plan = {
		.func = func_find(argv[0]),
		.size = (size_t)opt_size,
		.depth = (unsigned int)opt_depth,
		.segments = (unsigned int)opt_segments,
		.offset = (size_t)opt_offset,
	};
	struct dmo_session session;
	int err;

	if (!plan.func || !plan.func->model) {
		util_error("%s: unknown function; see: dmo-ctl functions",
			   argv[0]);
		return DMO_USAGE;
	}
	if (plan.segments > plan.size) {
		util_error("--segments: more than there are bytes");
		return DMO_USAGE;
	}
	if (!plan.depth)
		plan.depth = ring_choose_depth(plan.func, plan.size,
					       DEFAULT_DEPTH);
	if (plan.depth > opt_count)
		plan.depth = (unsigned int)opt_count;
	err = session_open(&session, ctx->device, plan.func->name,
			   policy_wanted(), 0);
	if (err)
		return session_explain_open(ctx->device, plan.func->name, err);
	util_catch_signals();
	return run_work(ctx, &session, &plan);
}

static const struct dmo_option run_options[] = {
	{
		.name = "size", .kind = DMO_OPT_SIZE, .arg = "SIZE",
		.help = "bytes per request, in each region (default 1M)",
		.min = 1, .max = 1ull << 30, .number = &opt_size,
	}, {
		.name = "count", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "requests (default 64)",
		.min = 1, .max = UINT32_MAX, .number = &opt_count,
	}, {
		.name = "depth", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "requests in flight (default 8, fewer large ones)",
		.min = 1, .max = RING_MAX_DEPTH, .number = &opt_depth,
	}, {
		.name = "segments", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "pieces of a region, in pages of their own (default 1)",
		.min = 1, .max = WORK_MAX_SEGMENTS, .number = &opt_segments,
	}, {
		.name = "align-offset", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "bytes from a page's to a piece's beginning (default 0)",
		.max = 4095, .number = &opt_offset,
	},
	POLICY_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_run = {
	.name = "run",
	.args = "FUNCTION",
	.summary = "a function on memory of its own, and which way the bytes went",
	.help = "Every output and result is verified, outside of the time that is measured.\n"
		"What the kernel's workers do for large requests is not in the CPU time of\n"
		"this program; see: dmo-ctl bench.\n",
	.options = run_options,
	.nr_args = 1,
	.run = run_run,
};
