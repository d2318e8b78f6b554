// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets how much of channels of a known rate, and who waits how long for whom: what
 * fair_test measures, here with a clock that is the tests' own.
 */
#include <kunit/test.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/time64.h>

#include "../../module/sched.h"
#include "fake.h"

#define CPU		DMOVERIO_POLICY_CPU
#define REQUIRE		DMOVERIO_POLICY_REQUIRE_DMA

#define NR_CHANNELS	4
#define NR_STREAMS	4
#define NR_REQUESTS	512

/* Of a window, and how many of a request are with an engine, or wait for one */
#define WINDOW		((u64)SZ_2M)
#define NR_WINDOWS	2

/* Requests that are timed */
#define NR_TIMES	200
#define P99		(NR_TIMES * 99 / 100)

/* What each channel does in a second */
#define RATE		(10 * SZ_1M)
#define MS		NSEC_PER_MSEC

/**
 * struct stream - one who always has requests in flight, in a session of his own
 * @flow: his
 * @bytes: done
 */
struct stream {
	struct dmio_flow flow;
	u64 bytes;
};

/**
 * struct share_request - a request, which begins anew as soon as it is done
 * @stream: whose
 * @len: bytes
 * @begun: how many of them in windows that were submitted
 * @done: ... and that are done
 * @begun_ns: when
 * @job: its windows
 */
struct share_request {
	struct stream *stream;
	u64 len;
	u64 begun;
	u64 done;
	u64 begun_ns;
	struct fake_job job[NR_WINDOWS];
};

/**
 * struct share_bench - what the cases of this suite work with
 * @dma: channels
 * @engine: those in use, or the CPU ...
 * @free_ns: ... and when each was done with its last job
 * @nr_engines: how many these are
 * @nr_channels: ... and how many of them channels
 * @policy: of all jobs
 * @stream: streams
 * @request: requests
 * @nr_requests: how many
 * @times: how long requests took
 */
struct share_bench {
	struct fake dma[NR_CHANNELS];
	struct fake *engine[NR_CHANNELS];
	u64 free_ns[NR_CHANNELS];
	unsigned int nr_engines;
	unsigned int nr_channels;
	u32 policy;
	struct stream stream[NR_STREAMS];
	struct share_request request[NR_REQUESTS];
	unsigned int nr_requests;
	u64 times[NR_TIMES];
};

static int share_init(struct kunit *test)
{
	struct share_bench *bench = kvzalloc(sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	fakes_start(test);
	for (i = 0; i < NR_STREAMS; i++)
		dmio_flow_init(&bench->stream[i].flow);
	fake_now = 1;
	return 0;
}

static void share_exit(struct kunit *test)
{
	struct share_bench *bench = test->priv;

	if (!bench)
		return;
	while (bench->nr_channels)
		fake_remove(&bench->dma[--bench->nr_channels]);
	fakes_stop(test);
	kvfree(bench);
}

static void add_channels(struct share_bench *bench, unsigned int nr)
{
	bench->policy = REQUIRE;
	while (bench->nr_channels < nr) {
		struct fake *dma = &bench->dma[bench->nr_channels];

		*dma = (struct fake){ .holds = true };
		fake_add(dma);
		bench->engine[bench->nr_channels++] = dma;
	}
	bench->nr_engines = nr;
}

/* As many windows of it as may be */
static void go_on(struct share_bench *bench, struct share_request *request)
{
	unsigned int i;

	for (i = 0; i < NR_WINDOWS && request->begun < request->len; i++) {
		struct fake_job *fj = &request->job[i];

		if (fj->job.func && !fake_is_done(fj))
			continue;
		fake_job_init(fj, bench->policy, min(WINDOW, request->len - request->begun));
		fj->job.flow = &request->stream->flow;
		request->begun += fj->job.len;
		dmio_sched_submit(&fj->job, false);
		/* Time does not pass while the worker is at it */
		fake_settle();
	}
}

static void begin(struct share_bench *bench, struct share_request *request)
{
	request->begun = 0;
	request->done = 0;
	request->begun_ns = fake_now;
	go_on(bench, request);
}

static void add_stream(struct share_bench *bench, unsigned int nr, u64 len, unsigned int depth)
{
	while (depth--) {
		struct share_request *request = &bench->request[bench->nr_requests++];

		request->stream = &bench->stream[nr];
		request->len = len;
		begin(bench, request);
	}
}

static u64 ns_of(u64 bytes)
{
	return div_u64(bytes * NSEC_PER_SEC, RATE);
}

static u64 end_ns(const struct share_bench *bench, unsigned int engine)
{
	struct fake_job *fj = fake_first(bench->engine[engine]);

	if (!fj)
		return U64_MAX;
	return max(fj->job.begun_ns, bench->free_ns[engine]) + ns_of(fj->job.len);
}

static struct share_request *request_of(struct share_bench *bench, struct fake_job *fj)
{
	return &bench->request[((char *)fj - (char *)bench->request) / sizeof(bench->request[0])];
}

/*
 * Let time pass until a window is done: false if no engine has any.  If that was the last
 * of its request, this is *@ended; else NULL.
 */
static bool pass(struct share_bench *bench, struct share_request **ended)
{
	struct share_request *request;
	unsigned int i, first = 0;
	struct fake_job *fj;

	for (i = 1; i < bench->nr_engines; i++)
		if (end_ns(bench, i) < end_ns(bench, first))
			first = i;
	*ended = NULL;
	fj = fake_first(bench->engine[first]);
	if (!fj)
		return false;
	fake_now = end_ns(bench, first);
	bench->free_ns[first] = fake_now;
	bench->engine[first]->busy_ns = ns_of(fj->job.len);
	request = request_of(bench, fj);
	request->done += fj->job.len;
	request->stream->bytes += fj->job.len;
	fake_finish(bench->engine[first], &fj->job);
	fake_settle();
	if (request->done < request->len)
		go_on(bench, request);
	else
		*ended = request;
	return true;
}

static void run_until(struct kunit *test, u64 ns)
{
	struct share_bench *bench = test->priv;

	while (fake_now < ns) {
		struct share_request *request;

		KUNIT_ASSERT_TRUE(test, pass(bench, &request));
		if (request)
			begin(bench, request);
	}
}

static void finish(struct share_bench *bench)
{
	struct share_request *request;

	while (pass(bench, &request))
		;
	bench->nr_requests = 0;
}

/* After that, in so many seconds */
static void expect_equal(struct kunit *test, unsigned int seconds)
{
	struct share_bench *bench = test->priv;
	u64 least = U64_MAX, most = 0, sum = 0;
	unsigned int i;

	run_until(test, fake_now + NSEC_PER_SEC);
	for (i = 0; i < NR_STREAMS; i++)
		bench->stream[i].bytes = 0;
	run_until(test, fake_now + seconds * (u64)NSEC_PER_SEC);
	for (i = 0; i < NR_STREAMS; i++) {
		least = min(least, bench->stream[i].bytes);
		most = max(most, bench->stream[i].bytes);
		sum += bench->stream[i].bytes;
	}
	kunit_info(test, "%llu to %llu KiB, in %u s\n", least / SZ_1K, most / SZ_1K, seconds);
	KUNIT_EXPECT_LE(test, 10 * most, 11 * least);
	/* ... and nobody waits while there is one who could do it */
	KUNIT_EXPECT_GE(test, sum * 100, (u64)seconds * bench->nr_engines * RATE * 98);
}

static void add_kinds(struct share_bench *bench)
{
	add_stream(bench, 0, SZ_4K, 256);
	add_stream(bench, 1, SZ_64K, 64);
	add_stream(bench, 2, SZ_1M, 8);
	add_stream(bench, 3, SZ_16M, 2);
}

/* Requests of 4 KiB, 64 KiB, 1 MiB and 16 MiB, four channels: as many bytes for all */
static void share_dma_test(struct kunit *test)
{
	struct share_bench *bench = test->priv;

	add_channels(bench, NR_CHANNELS);
	add_kinds(bench);
	expect_equal(test, 10);
	finish(bench);
}

/* ... and of the CPU's workers */
static void share_cpu_test(struct kunit *test)
{
	struct share_bench *bench = test->priv;

	fake_cpu.holds = true;
	bench->engine[0] = &fake_cpu;
	bench->nr_engines = 1;
	bench->policy = CPU;
	add_kinds(bench);
	expect_equal(test, 40);
	finish(bench);
}

/* Two channels do twice as much as one, four twice as much again */
static void share_channels_test(struct kunit *test)
{
	struct share_bench *bench = test->priv;
	u64 bytes = 0;
	unsigned int nr;

	for (nr = 1; nr <= NR_CHANNELS; nr *= 2) {
		add_channels(bench, nr);
		add_stream(bench, 0, SZ_1M, 16);
		run_until(test, fake_now + 4ULL * NSEC_PER_SEC);
		bench->stream[0].bytes = 0;
		run_until(test, fake_now + 10ULL * NSEC_PER_SEC);
		kunit_info(test, "%u: %llu KiB\n", nr, bench->stream[0].bytes / SZ_1K);
		KUNIT_EXPECT_GE(test, 10 * bench->stream[0].bytes, 19 * bytes);
		bytes = bench->stream[0].bytes;
		finish(bench);
	}
}

static int compare_ns(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

/* How long 99 of 100 requests take that come one at a time, beside others */
static u64 take_times(struct kunit *test, u64 len)
{
	struct share_bench *bench = test->priv;
	struct share_request *own = &bench->request[bench->nr_requests];
	unsigned int i;

	add_stream(bench, 0, len, 1);
	for (i = 0; i < NR_TIMES; ) {
		struct share_request *request;

		KUNIT_ASSERT_TRUE(test, pass(bench, &request));
		if (request == own)
			bench->times[i++] = fake_now - own->begun_ns;
		if (request)
			begin(bench, request);
	}
	sort(bench->times, NR_TIMES, sizeof(bench->times[0]), compare_ns, NULL);
	return bench->times[P99];
}

/*
 * Whoever floods, and with whatever: a request waits for what one channel has, and for
 * one turn of each of the others.  As these windows are more than ten milliseconds of
 * work, a channel has one; else it would have two.
 */
static void share_flood_test(struct kunit *test)
{
	static const struct {
		unsigned int channels;
		unsigned int others;
		u64 len;
	} cases[] = {
		{ 1, 1, SZ_1M }, { 1, 1, SZ_16M }, { 1, 2, SZ_16M }, { 1, 3, SZ_16M },
		{ 2, 1, SZ_16M }, { 2, 2, SZ_16M }, { 2, 3, SZ_16M },
		{ 4, 1, SZ_1M }, { 4, 1, SZ_16M }, { 4, 2, SZ_16M }, { 4, 3, SZ_16M },
	};
	static const u64 own[] = { SZ_4K, SZ_256K };
	struct share_bench *bench = test->priv;
	unsigned int i, k, other;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (k = 0; k < ARRAY_SIZE(own); k++) {
			u64 window = ns_of(min(cases[i].len, WINDOW)), ns, most;

			add_channels(bench, cases[i].channels);
			for (other = 1; other <= cases[i].others; other++)
				add_stream(bench, other, cases[i].len, 64);
			run_until(test, fake_now + 4ULL * NSEC_PER_SEC);
			ns = take_times(test, own[k]);
			most = (1 + DIV_ROUND_UP(cases[i].others, cases[i].channels)) * window +
			       ns_of(own[k]);
			kunit_info(test, "case %u, %llu KiB: %llu ms, bound %llu ms\n", i,
				   own[k] / SZ_1K, div_u64(ns, MS), div_u64(most, MS));
			KUNIT_EXPECT_LE(test, ns, most);
			finish(bench);
			while (bench->nr_channels)
				fake_remove(&bench->dma[--bench->nr_channels]);
		}
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(share_dma_test),
	KUNIT_CASE(share_cpu_test),
	KUNIT_CASE(share_channels_test),
	KUNIT_CASE(share_flood_test),
	{}
};

static struct kunit_suite share_suite = {
	.name = "dmoverio-sched-share",
	.init = share_init,
	.exit = share_exit,
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);
