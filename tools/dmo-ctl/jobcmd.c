// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "job.h"
#include "jobcmd.h"
#include "json.h"
#include "util.h"
#include "verify.h"

#define DEFAULT_CHUNK	(1ull << 20)
#define DEFAULT_DEPTH	8

struct job_options job_options = { .progress = -1 };

static bool is_standard(const char *path)
{
	return path && !strcmp(path, "-");
}

/* The device keeps to the limit on pinned memory by itself, and so do we. */
static void choose_geometry(struct job *job, const struct job_plan *plan)
{
	uint64_t chunk = job_options.chunk ? job_options.chunk : DEFAULT_CHUNK;

	job->chunk = (size_t)chunk;
	job->ring.depth = job_options.depth ? (unsigned int)job_options.depth :
			  ring_choose_depth(job->func, chunk, DEFAULT_DEPTH);
	job->map = plan->map;
}

/* Equally long as far as that shows; pipes show it later. */
static int compare_sizes(struct job *job)
{
	const struct copy_file *first = NULL;
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++) {
		if (!job->in[k].regular)
			continue;
		if (!first)
			first = &job->in[k];
		if (job->in[k].size == first->size)
			continue;
		util_error("%s and %s are of different length: %llu and %llu bytes",
			   first->path, job->in[k].path,
			   (unsigned long long)first->size,
			   (unsigned long long)job->in[k].size);
		return -1;
	}
	if (first)
		job->total = first->size;
	return 0;
}

static int check_verifiable(const struct job *job)
{
	bool seekable = !job->func->outputs || job->out.seekable;
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++)
		seekable = seekable && job->in[k].seekable;
	if (!job_options.verify || seekable)
		return 0;
	util_error("--verify reads the files back: a pipe or terminal cannot be");
	return -1;
}

static int open_inputs(struct job *job, const struct job_plan *plan)
{
	unsigned int k, nr_standard = 0;

	for (k = 0; k < job_nr_in(job); k++) {
		nr_standard += is_standard(plan->inputs[k]);
		if (nr_standard > 1) {
			util_error("only one input can be standard input");
			return -1;
		}
		if (copy_file_open_in(&job->in[k], plan->inputs[k]))
			return -1;
	}
	return compare_sizes(job);
}

static int open_output(struct job *job, const struct job_plan *plan)
{
	if (!plan->output)
		return 0;
	if (!plan->in_place)
		return copy_file_open_out(&job->out, plan->output, job->in,
					  job_nr_in(job), plan->map);
	if (copy_file_open_in_place(&job->out, plan->output, plan->size))
		return -1;
	job->total = plan->size ? plan->size : job->out.size;
	return 0;
}

/* Everything but the session, which stands already. */
static int run_on_files(struct job *job, const struct job_plan *plan)
{
	int failed;

	if (open_inputs(job, plan) || open_output(job, plan) ||
	    check_verifiable(job) || job_alloc(job))
		return -1;
	progress_start(&job->progress, job_options.progress, job->total);
	failed = job_run(job);
	progress_end(&job->progress);
	if (!failed && job_nr_in(job) && job->in[0].regular &&
	    job->bytes != job->total)
		util_note("%s changed its size meanwhile", job->in[0].path);
	return failed;
}

static void json_job(struct json *j, const struct job *job,
		     const struct job_plan *plan, double seconds, double rate)
{
	struct counters counters;
	unsigned int k;

	json_string(j, "function", job->func->name);
	if (job_nr_in(job) == 1)
		json_string(j, "input", job->in[0].path);
	if (job_nr_in(job) > 1) {
		json_array(j, "inputs");
		for (k = 0; k < job_nr_in(job); k++)
			json_string(j, NULL, job->in[k].path);
		json_close(j);
	}
	if (plan->output)
		json_string(j, "output", job->out.path);
	json_u64(j, "bytes", job->bytes);
	json_double(j, "seconds", seconds);
	json_double(j, "mb_per_s", rate);
	json_u64(j, "requests", job->ring.requests);
	json_u64(j, "retries", job->ring.retries);
	json_u64(j, "chunk", job->chunk);
	json_u64(j, "depth", job->ring.depth);
	json_bool(j, "mmap", job->map);
	json_string(j, "policy", policy_name(policy_wanted()));
	if (!counters_of_session(job->session.fd, &counters))
		counters_json(j, "went", &counters);
}

/* Results are data: they are all that standard output gets then. */
static void report_result(struct dmo_context *ctx, const struct job *job)
{
	char text[17];
	unsigned int i, nr = job->func->result_bytes;

	for (i = 0; i < nr; i++)
		snprintf(text + 2 * i, 3, "%02x", job->ring.immediate[nr - 1 - i]);
	if (ctx->json)
		json_string(ctx->result, "result", text);
	else
		printf("%s\n", text);
}

static void report_job(struct dmo_context *ctx, const struct job *job,
		       const struct job_plan *plan, double seconds)
{
	double rate = seconds > 0 ? (double)job->bytes / seconds / 1e6 : 0;
	FILE *to = is_standard(plan->output) ? stderr : stdout;

	if (job->func->result_bytes)
		report_result(ctx, job);
	if (ctx->json) {
		json_job(ctx->result, job, plan, seconds, rate);
		return;
	}
	if (job->func->result_bytes)
		return;
	fprintf(to, "%llu bytes in %.3f s, %.1f MB/s, %llu requests",
		(unsigned long long)job->bytes, seconds, rate,
		(unsigned long long)job->ring.requests);
	if (job->ring.retries)
		fprintf(to, " (%llu again for want of memory)",
			(unsigned long long)job->ring.retries);
	fputc('\n', to);
}

static int verify(struct dmo_context *ctx, struct job *job)
{
	enum verify_result result;
	uint64_t difference = 0;

	if (!job_options.verify) {
		if (ctx->json)
			json_null(ctx->result, "verified");
		return DMO_OK;
	}
	result = verify_job(job, &difference);
	if (ctx->json)
		json_bool(ctx->result, "verified", result == VERIFY_SAME);
	if (result == VERIFY_DIFFERENT) {
		job->out.created = false;	/* evidence: not removed */
		if (ctx->json && job->func->outputs)
			json_u64(ctx->result, "first_difference", difference);
	}
	return result == VERIFY_SAME ? DMO_OK : DMO_FAIL;
}

static void say_verified(const struct job *job, const struct job_plan *plan)
{
	bool data = is_standard(plan->output) || job->func->result_bytes;

	fprintf(data ? stderr : stdout, "verified: %s\n",
		job->func->outputs ? "the output is what it must be" :
				     "the result is what it must be");
}

static int run_and_verify(struct dmo_context *ctx, struct job *job,
			  const struct job_plan *plan)
{
	uint64_t started = util_now_ns();
	int status = DMO_FAIL;

	if (!run_on_files(job, plan)) {
		report_job(ctx, job, plan,
			   (double)(util_now_ns() - started) / 1e9);
		status = verify(ctx, job);
		if (status == DMO_OK && job_options.verify && !ctx->json)
			say_verified(job, plan);
	}
	if (util_stop_signal()) {
		util_error("stopped by a signal");
		status = DMO_FAIL;
	}
	return status;
}

static struct job *create_job(const struct job_plan *plan)
{
	struct job *job = calloc(1, sizeof(*job));
	unsigned int k;

	if (!job) {
		util_error("no memory");
		return NULL;
	}
	job->func = func_find(plan->function);
	job->ring.func = job->func;
	job->ring.session = &job->session;
	job->ring.serial = job->func->serial;
	job->ring.immediate[0] = plan->immediate;
	for (k = 0; k < DMO_MAX_INPUTS; k++)
		job->in[k].fd = -1;
	job->out.fd = -1;
	choose_geometry(job, plan);
	return job;
}

static int end_job(struct job *job, int status)
{
	unsigned int k;

	session_close(&job->session);
	job_free(job);
	if (copy_file_close(&job->out) && status == DMO_OK)
		status = DMO_FAIL;
	for (k = 0; k < job_nr_in(job); k++)
		copy_file_close(&job->in[k]);
	if (status != DMO_OK)
		copy_file_discard(&job->out);
	free(job);
	return status;
}

int job_command(struct dmo_context *ctx, const struct job_plan *plan)
{
	struct job *job;
	int err;

	if (ctx->json && is_standard(plan->output)) {
		util_error("--json and the output cannot both go to standard output");
		return DMO_USAGE;
	}
	job = create_job(plan);
	if (!job)
		return DMO_FAIL;

	/* Before the output is touched: there may be no device. */
	err = session_open(&job->session, ctx->device, plan->function,
			   policy_wanted(), 0);
	if (err) {
		free(job);
		return session_explain_open(ctx->device, plan->function, err);
	}
	util_catch_signals();
	return end_job(job, run_and_verify(ctx, job, plan));
}
