// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl selftest: random requests for every function, each checked byte by
 * byte.  The same seed and options make the same requests again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmo-ctl.h"
#include "func.h"
#include "json.h"
#include "policy.h"
#include "rng.h"
#include "session.h"
#include "testwork.h"
#include "util.h"

#define MAX_THREADS	64
#define POLL_MS		20
#define STUCK_MS	60000	/* without any answer */

static const char *opt_function;
static uint64_t opt_seed;
static uint64_t opt_rounds = 400;
static uint64_t opt_max = 8 << 20;
static uint64_t opt_threads = 2;

enum outcome { TEST_OK, TEST_FAILED, TEST_UNAVAILABLE, TEST_NO_DMA,
	       TEST_NO_MODEL, TEST_STUCK, TEST_ERROR };

static const char *const outcome_texts[] = {
	[TEST_OK]		= "ok",
	[TEST_FAILED]		= "FAILED",
	[TEST_UNAVAILABLE]	= "not available",
	[TEST_NO_DMA]		= "no DMA channel can do it",
	[TEST_NO_MODEL]		= "not tested",
	[TEST_STUCK]		= "STUCK",
	[TEST_ERROR]		= "ERROR",
};

/**
 * struct test_result - what testing one function gave
 * @func: the function
 * @outcome: in one word
 * @exit: with outcome TEST_ERROR: what to exit with
 * @requests, @bytes, @skipped, @most_in_flight: as in struct test_worker
 * @seconds: it took
 * @failure: what went wrong first
 */
struct test_result {
	const struct dmo_function *func;
	enum outcome outcome;
	int exit;
	uint64_t requests, bytes, skipped;
	unsigned int most_in_flight;
	double seconds;
	char failure[768];
};

/* A function's requests do not depend on its place in the table. */
static uint64_t hash_name(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	while (*name)
		hash = (hash ^ (uint8_t)*name++) * 0x100000001b3ull;
	return hash;
}

static void setup_worker(struct test_worker *w, const char *device,
			 const struct dmo_function *f, unsigned int index,
			 atomic_bool *stop)
{
	memset(w, 0, sizeof(*w));
	w->device = device;
	w->index = index;
	w->policy = policy_wanted();
	w->rounds = opt_rounds;
	w->stop = stop;
	w->params.func = f;
	w->params.max_bytes = opt_max;
	w->params.seed = rng_derive(opt_seed + index, hash_name(f->name)).state;
}

/* True when all are done, false if nothing moved for a long time. */
static bool watch(struct test_worker *workers, unsigned int nr)
{
	unsigned long beats, last = 0;
	unsigned int i, done, quiet_ms = 0;

	for (;;) {
		beats = 0;
		for (i = 0, done = 0; i < nr; i++) {
			beats += workers[i].beats;
			done += workers[i].done;
		}
		if (done == nr)
			return true;
		quiet_ms = beats == last ? quiet_ms + POLL_MS : 0;
		if (quiet_ms > STUCK_MS)
			return false;
		last = beats;
		util_sleep_ms(quiet_ms ? POLL_MS : 1);
	}
}

static void collect(struct test_result *res, const struct test_worker *w)
{
	res->requests += w->requests;
	res->bytes += w->bytes;
	res->skipped += w->skipped;
	if (w->most_in_flight > res->most_in_flight)
		res->most_in_flight = w->most_in_flight;
	if (w->failure[0] && res->outcome == TEST_OK) {
		res->outcome = TEST_FAILED;
		memcpy(res->failure, w->failure, sizeof(res->failure));
	}
	if (w->open_error && res->outcome == TEST_OK) {
		res->outcome = TEST_ERROR;
		res->exit = session_explain_open(w->device, res->func->name,
						 w->open_error);
	}
}

/* The threads of one function; what is stuck is left as it is. */
static void run_workers(struct test_result *res, const char *device,
			atomic_bool *stop, struct test_worker *workers)
{
	unsigned int i, nr;

	for (nr = 0; nr < opt_threads; nr++) {
		setup_worker(&workers[nr], device, res->func, nr, stop);
		if (pthread_create(&workers[nr].thread, NULL, test_worker_run,
				   &workers[nr]))
			break;
	}
	if (!watch(workers, nr)) {
		res->outcome = TEST_STUCK;
		snprintf(res->failure, sizeof(res->failure),
			 "no answer for %d seconds", STUCK_MS / 1000);
		return;
	}
	for (i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		collect(res, &workers[i]);
	}
	if (nr < opt_threads && res->outcome == TEST_OK) {
		res->outcome = TEST_ERROR;
		res->exit = DMO_FAIL;
		util_error("cannot start %u threads",
			   (unsigned int)opt_threads);
	}
}

static int probe(const char *device, const char *name)
{
	struct dmo_session session;
	int err = session_open(&session, device, name, policy_wanted(), 0);

	if (!err)
		session_close(&session);
	return err;
}

static void test_function(struct test_result *res, const char *device,
			  const struct dmo_function *f)
{
	static struct test_worker workers[MAX_THREADS];
	static atomic_bool stop;
	uint64_t started = util_now_ns();
	int err = probe(device, f->name);

	memset(res, 0, sizeof(*res));
	res->func = f;
	if (err == -ESRCH || err == -EOPNOTSUPP) {
		res->outcome = err == -ESRCH ? TEST_UNAVAILABLE : TEST_NO_DMA;
		return;
	}
	if (err) {
		res->outcome = TEST_ERROR;
		res->exit = session_explain_open(device, f->name, err);
		return;
	}
	if (!f->model) {
		res->outcome = TEST_NO_MODEL;
		return;
	}
	stop = false;
	run_workers(res, device, &stop, workers);
	res->seconds = (double)(util_now_ns() - started) / 1e9;
}

static void report_failure(const struct dmo_context *ctx,
			   const struct test_result *res)
{
	util_error("%s: %s", res->func->name, res->failure);
	util_note("reproduce: dmo-ctl --device %s selftest --function %s --seed %" PRIu64 " --rounds %" PRIu64 " --max %" PRIu64 " --threads %" PRIu64 "%s%s",
		  ctx->device, res->func->name, opt_seed, opt_rounds, opt_max,
		  opt_threads, policy_wanted() ? " --policy " : "",
		  policy_wanted() ? policy_name(policy_wanted()) : "");
}

static void print_result(const struct test_result *res)
{
	printf("%-13s %s", res->func->name, outcome_texts[res->outcome]);
	if (res->outcome == TEST_OK)
		printf(": %" PRIu64 " requests, %.1f MB, at most %u in flight, %.1f s",
		       res->requests, (double)res->bytes / 1e6,
		       res->most_in_flight, res->seconds);
	if (res->outcome == TEST_NO_MODEL)
		printf(": no model of it");
	if (res->skipped)
		printf("; %" PRIu64 " skipped for want of memory",
		       res->skipped);
	putchar('\n');
	fflush(stdout);
}

static void json_result(struct json *j, const struct test_result *res)
{
	json_object(j, NULL);
	json_string(j, "name", res->func->name);
	json_string(j, "outcome", outcome_texts[res->outcome]);
	json_u64(j, "requests", res->requests);
	json_u64(j, "bytes", res->bytes);
	json_u64(j, "skipped", res->skipped);
	json_u64(j, "most_in_flight", res->most_in_flight);
	json_double(j, "seconds", res->seconds);
	if (res->failure[0])
		json_string(j, "failure", res->failure);
	json_close(j);
}

static void report(const struct dmo_context *ctx,
		   const struct test_result *res)
{
	if (res->failure[0])
		report_failure(ctx, res);
	if (ctx->json)
		json_result(ctx->result, res);
	else
		print_result(res);
}

/* Was a function tested, or is there a reason to fail? */
static int judge(const struct test_result *res, unsigned int *tested)
{
	switch (res->outcome) {
	case TEST_OK:
		*tested += res->requests > 0;
		return DMO_OK;
	case TEST_UNAVAILABLE:
	case TEST_NO_DMA:
	case TEST_NO_MODEL:
		return DMO_OK;
	case TEST_ERROR:
		return res->exit;
	case TEST_FAILED:
	case TEST_STUCK:
		break;
	}
	return DMO_FAIL;
}

static int test_functions(struct dmo_context *ctx, unsigned int *tested)
{
	const struct dmo_function *f;
	struct test_result res;
	int status = DMO_OK, one;
	size_t i;

	for (i = 0; i < dmo_nr_functions; i++) {
		f = &dmo_functions[i];
		if (opt_function && strcmp(opt_function, f->name))
			continue;
		test_function(&res, ctx->device, f);
		one = judge(&res, tested);
		if (one != DMO_OK)
			status = one;
		if (res.outcome != TEST_ERROR)
			report(ctx, &res);
		if (res.outcome == TEST_ERROR || res.outcome == TEST_STUCK)
			break;
	}
	return status;
}

static int run_selftest(struct dmo_context *ctx, char **argv)
{
	unsigned int tested = 0;
	int status;

	(void)argv;
	if (opt_function && !func_find(opt_function)) {
		util_error("%s: unknown function; see: dmo-ctl functions",
			   opt_function);
		return DMO_USAGE;
	}
	if (!opt_seed)
		opt_seed = 1 + (util_now_ns() ^ (uint64_t)getpid()) % 999999999;
	if (ctx->json) {
		json_u64(ctx->result, "seed", opt_seed);
		json_u64(ctx->result, "rounds", opt_rounds);
		json_u64(ctx->result, "max", opt_max);
		json_u64(ctx->result, "threads", opt_threads);
		json_array(ctx->result, "functions");
	} else {
		printf("seed %" PRIu64 "\n", opt_seed);
	}
	status = test_functions(ctx, &tested);
	if (status == DMO_OK && !tested) {
		util_error("no function could be tested");
		status = DMO_FAIL;
	}
	return status;
}

static const struct dmo_option selftest_options[] = {
	{
		.name = "function", .kind = DMO_OPT_STRING, .arg = "NAME",
		.help = "test only this one (default: all)",
		.string = &opt_function,
	}, {
		.name = "seed", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "repeat the run with this seed (default: a new one)",
		.max = UINT64_MAX, .number = &opt_seed,
	}, {
		.name = "rounds", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "requests per function and thread (default 400)",
		.min = 1, .max = UINT32_MAX, .number = &opt_rounds,
	}, {
		.name = "max", .kind = DMO_OPT_SIZE, .arg = "SIZE",
		.help = "all regions of a request together (default 8M)",
		.min = 1, .max = 1ull << 30, .number = &opt_max,
	}, {
		.name = "threads", .kind = DMO_OPT_NUMBER, .arg = "N",
		.help = "threads, each with a session of its own (default 2)",
		.min = 1, .max = MAX_THREADS, .number = &opt_threads,
	},
	POLICY_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_selftest = {
	.name = "selftest",
	.summary = "random requests for every function, each byte checked",
	.help = "Lengths, alignment, cuts into iovecs, in-place use, batches and the layout of\n"
		"records are random; most requests are far smaller than --max permits.\n"
		"Sources, and the memory around sources and outputs, are checked as well.\n"
		"The same seed with the same options makes the same requests.\n",
	.options = selftest_options,
	.run = run_selftest,
};
