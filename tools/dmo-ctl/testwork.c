// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests are numbered; numbers [head, next) have a slot, [head, sent) were
 * submitted or skipped.  A slot is free again once its request was checked.
 * How requests are grouped into writes and answers into reads is random; it
 * depends on timing too, but the requests themselves only on the seed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rng.h"
#include "session.h"
#include "testwork.h"
#include "util.h"

#define NR_SLOTS	320		/* more than the device's queue takes */
#define MAX_LIVE_BYTES	(16u << 20)	/* memory of all slots together */

struct test_run {
	struct test_worker *worker;
	struct dmo_session session;
	struct rng rng;
	struct test_case *slots[NR_SLOTS];
	uint64_t head, sent, next;
	size_t live_bytes;
};

static struct test_case **slot_of(struct test_run *run, uint64_t id)
{
	return &run->slots[id % NR_SLOTS];
}

__attribute__((format(printf, 3, 4)))
static int fail(struct test_run *run, const struct test_case *tc,
		const char *fmt, ...)
{
	struct test_worker *w = run->worker;
	char what[512], shape[160] = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (!tc) {
		snprintf(w->failure, sizeof(w->failure), "thread %u: %s",
			 w->index, what);
		return -1;
	}
	test_case_describe(tc, shape, sizeof(shape));
	snprintf(w->failure, sizeof(w->failure),
		 "thread %u, request %u (%s): %s", w->index, tc->id, shape,
		 what);
	return -1;
}

static void retire(struct test_run *run, uint64_t id)
{
	struct test_case **slot = slot_of(run, id);

	run->live_bytes -= (*slot)->arena_bytes;
	test_case_free(*slot);
	*slot = NULL;
	while (run->head < run->sent && !*slot_of(run, run->head))
		run->head++;
}

/* Make up to @nr requests wait for submission. */
static int prepare(struct test_run *run, uint64_t nr)
{
	struct test_worker *w = run->worker;
	struct test_case *tc;

	while (run->next < w->rounds && run->next - run->head < NR_SLOTS &&
	       run->next - run->sent < nr &&
	       (run->live_bytes < MAX_LIVE_BYTES || run->next == run->head)) {
		tc = test_case_create(&w->params, (uint32_t)run->next);
		if (!tc)
			return fail(run, NULL, "no memory for a test case");
		*slot_of(run, run->next) = tc;
		run->live_bytes += tc->arena_bytes;
		run->next++;
		w->beats++;
	}
	return 0;
}

/* Submit up to @nr of what waits; 1 if the device wants answers reaped. */
static int submit(struct test_run *run, uint64_t nr)
{
	struct test_worker *w = run->worker;
	struct dmo_request reqs[NR_SLOTS];
	unsigned int n;
	int ret, i;

	for (n = 0; n < nr && run->sent + n < run->next; n++)
		reqs[n] = test_case_request(*slot_of(run, run->sent + n));
	if (!n)
		return 1;
	ret = session_submit(&run->session, reqs, n);
	if (ret == -EINTR)
		return 0;
	if (ret == -ENOMEM) {
		w->skipped++;
		run->sent++;
		retire(run, run->sent - 1);
		return 0;
	}
	if (ret < 0)
		return fail(run, *slot_of(run, run->sent),
			    "refused: %s", session_strerror(-ret));
	for (i = 0; i < ret; i++)
		(*slot_of(run, run->sent + (uint64_t)i))->flying = true;
	run->sent += (uint64_t)ret;
	if (run->session.in_flight > w->most_in_flight)
		w->most_in_flight = run->session.in_flight;
	return !ret;
}

static int check_answer(struct test_run *run, const struct dmo_answer *answer)
{
	struct test_worker *w = run->worker;
	struct test_case *tc = *slot_of(run, answer->id);
	char text[448];

	if (!tc || tc->id != answer->id || !tc->flying)
		return fail(run, NULL, "an answer to request %u, which is not in flight",
			    answer->id);
	tc->flying = false;
	if (answer->error == ENOMEM) {
		w->skipped++;
	} else if (answer->error) {
		return fail(run, tc, "answered with error %d (%s)",
			    answer->error, session_strerror(answer->error));
	} else if (!test_case_check(tc, answer->result, text, sizeof(text))) {
		return fail(run, tc, "%s", text);
	} else {
		w->requests++;
		w->bytes += tc->len;
	}
	retire(run, answer->id);
	return 0;
}

static int reap(struct test_run *run)
{
	struct dmo_answer answers[NR_SLOTS];
	unsigned int want;
	int i, nr;

	if (!run->session.in_flight)
		return 0;
	want = (unsigned int)rng_range(&run->rng, 1, run->session.in_flight);
	nr = session_reap(&run->session, answers, want);
	if (nr == -EINTR)
		return 0;
	if (nr < 0)
		return fail(run, NULL, "reading answers: %s",
			    session_strerror(-nr));
	if (run->session.blocking && (unsigned int)nr != want)
		return fail(run, NULL, "a blocking read for %u answers gave %d with %u still in flight",
			    want, nr, run->session.in_flight);
	for (i = 0; i < nr; i++) {
		if (check_answer(run, &answers[i]))
			return -1;
		run->worker->beats++;
	}
	return 0;
}

static int test_loop(struct test_run *run)
{
	struct test_worker *w = run->worker;
	uint64_t batch;
	int ret;

	while (run->head < w->rounds && !*w->stop) {
		batch = rng_once_in(&run->rng, 4) ? NR_SLOTS :
			rng_range(&run->rng, 1, 32);
		if (prepare(run, batch))
			return -1;
		if (rng_once_in(&run->rng, 2))
			batch = rng_range(&run->rng, 1, batch);
		ret = submit(run, batch);
		if (ret < 0)
			return -1;
		if ((ret || rng_once_in(&run->rng, 3)) && reap(run))
			return -1;
	}
	if (!*w->stop && session_readable(&run->session))
		return fail(run, NULL, "an answer is ready, but nothing is in flight");
	return 0;
}

static void run_session(struct test_run *run)
{
	struct test_worker *w = run->worker;
	unsigned int flags = 0, i;

	if (rng_once_in(&run->rng, 2))
		flags |= SESSION_BLOCKING;
	if (rng_once_in(&run->rng, 2))
		flags |= SESSION_ABI2;
	w->open_error = session_open(&run->session, w->device,
				     w->params.func->name, w->policy, flags);
	if (w->open_error)
		return;
	if (test_loop(run))
		*w->stop = true;
	/* First: after a failure requests may still be running. */
	session_close(&run->session);
	for (i = 0; i < NR_SLOTS; i++)
		if (run->slots[i])
			test_case_free(run->slots[i]);
}

void *test_worker_run(void *arg)
{
	struct test_worker *w = arg;
	struct test_run *run = calloc(1, sizeof(*run));

	if (run) {
		run->worker = w;
		run->rng = rng_derive(w->params.seed, UINT64_MAX);
		run_session(run);
		free(run);
	} else {
		snprintf(w->failure, sizeof(w->failure), "no memory");
	}
	w->done = true;
	return NULL;
}
