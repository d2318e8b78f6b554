// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets how much of the channels, and who waits how long for whom.
 *
 * This is measured, with a simulated controller whose channels have a known rate,
 * far below the machine's. Only ratios are judged: a slow machine makes all of it
 * slower. Where it cannot keep a session busy, that one is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"

#define KIB		(1UL << 10)
#define MIB		(1UL << 20)
#define WINDOW		(2 * MIB)	/* most bytes of a job */

#define MAX_DEPTH	256
#define MAX_OUTPUTS	16		/* places; more requests than that share them */
#define BATCH		64

/* A thread that always has requests in flight, in a session of its own */
struct stream {
	int fd;
	size_t len;
	unsigned int depth;
	uint8_t *src, *dst;
	size_t dst_len;
	struct dt_req r[MAX_DEPTH];
	pthread_t thread;
	atomic_bool stop;
	int error;
	unsigned int looks, idle;	/* how often it was looked at, and had too little to do */
	long long bytes;		/* done by DMA when the measurement began; then since */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int send(struct stream *s, unsigned int i)
{
	ssize_t ret = dt_write(s->fd, &s->r[i].req, 1);

	return ret == 1 ? 0 : ret < 0 ? (int)ret : -EIO;
}

/* One round of answers; each is followed by the next request, unless it is over */
static int turn_over(struct stream *s, unsigned int *flying)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	struct dmio_usrresp resp[BATCH];
	ssize_t got;

	if (poll(&p, 1, 4 * DT_PATIENCE_MS) <= 0)
		return -ETIMEDOUT;
	got = dt_read(s->fd, resp, BATCH);
	for (ssize_t i = 0; i < got; i++) {
		int err = -resp[i].resp_error;

		--*flying;
		if (!err && !atomic_load(&s->stop)) {
			err = send(s, resp[i].resp_id);
			++*flying;
		}
		if (err)
			return err;
	}
	return got < 0 && got != -EAGAIN ? (int)got : 0;
}

static void *stream_thread(void *arg)
{
	struct stream *s = arg;
	unsigned int flying = 0;

	for (; flying < s->depth && !s->error; flying++)
		s->error = send(s, flying);
	while (flying && !s->error)
		s->error = turn_over(s, &flying);
	return NULL;
}

static int stream_start(struct stream *s, uint32_t policy, size_t len, unsigned int depth)
{
	memset(s, 0, sizeof(*s));
	s->len = len;
	s->depth = depth;
	s->src = dt_mmap(len);
	s->dst_len = len * (depth < MAX_OUTPUTS ? depth : MAX_OUTPUTS);
	s->dst = dt_mmap(s->dst_len);
	madvise(s->dst, s->dst_len, MADV_HUGEPAGE);
	memset(s->src, 0x5a, len);
	memset(s->dst, 0, s->dst_len);
	for (unsigned int i = 0; i < depth; i++)
		dt_req_init1(&s->r[i], "copy", i, s->dst + i % MAX_OUTPUTS * len, len, s->src);
	s->fd = dt_open_policy("copy", policy);
	if (s->fd < 0)
		return s->fd;
	dt_nonblock(s->fd, true);
	return -pthread_create(&s->thread, NULL, stream_thread, s);
}

static int stream_stop(struct stream *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->thread, NULL);
	close(s->fd);
	if (dt_diff(s->dst, s->src, s->len) != -1)
		s->error = s->error ? : -EBADMSG;
	munmap(s->src, s->len);
	munmap(s->dst, s->dst_len);
	return s->error;
}

static long long stream_bytes(const struct stream *s)
{
	return dt_ways(s->fd).bytes[DT_DMA];
}

/* Let streams run until they have done so many bytes, all together; seconds, or -1 */
static double measure(struct stream *s, unsigned int nr, long long bytes)
{
	double begun = now(), end = begun + 4 * DT_PATIENCE_MS / 1e3;
	long long sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		s[i].bytes = stream_bytes(&s[i]);
	while (sum < bytes) {
		if (now() > end)
			return -1;
		dt_sleep_ms(20);
		sum = 0;
		for (unsigned int i = 0; i < nr; i++) {
			s[i].looks++;
			/* Running ones are with a channel, or wait for one; few are not enough */
			s[i].idle += dt_nr(s[i].fd, "running") < (int)(s[i].depth + 1) / 2;
			sum += stream_bytes(&s[i]) - s[i].bytes;
		}
	}
	for (unsigned int i = 0; i < nr; i++)
		s[i].bytes = stream_bytes(&s[i]) - s[i].bytes;
	return now() - begun;
}

FIXTURE(fair) {
	int fd;
	int nr;				/* channels */
	long long pinned;		/* what a user may have pinned */
	struct stream s[4];
};

FIXTURE_SETUP(fair)
{
	self->fd = -1;
	if (!getenv("DMIO_TEST_RATE_KIB"))
		return;
	ASSERT_TRUE(sim_is_there());
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
	self->nr = dt_channels(self->fd, DMOVERIO_FUNC_COPY);
	ASSERT_LE(4, self->nr);
	/* Where DMA is required, all has to be pinned */
	self->pinned = dt_param("max_pinned_kib");
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", 256 * KIB));
}

FIXTURE_TEARDOWN(fair)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, dt_set_param("max_pinned_kib", self->pinned));
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	close(self->fd);
}

#define NEED_RATE()									\
	do {										\
		if (self->fd < 0)							\
			SKIP(return, "no simulated controller of a known rate in this guest"); \
	} while (0)

/* Give channels back until so many are left */
static void keep(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, int nr)
{
	struct dt_engines all;
	int held = 0;

	ASSERT_EQ(0, dt_rescan());
	ASSERT_EQ(0, dt_wait_channels(self->fd, self->nr));
	ASSERT_EQ(0, dt_engines(self->fd, &all));
	for (unsigned int i = 0; i < all.nr; i++)
		if (dt_is_channel(&all.engine[i], DMOVERIO_FUNC_COPY) && held++ >= nr)
			ASSERT_EQ(0, dt_release(all.engine[i].name));
	ASSERT_EQ(0, dt_wait_channels(self->fd, nr));
}

/*
 * Sessions that always have something to do get the same number of bytes, however
 * large their requests are: give or take a tenth, and a window at either end
 */
TEST_F_TIMEOUT(fair, equal_shares, 300)
{
	static const struct {
		size_t len;
		unsigned int depth;
	} kinds[] = {
		{ 4 * KIB, 256 }, { 64 * KIB, 64 }, { MIB, 8 }, { 16 * MIB, 2 },
	};
	long long least = -1, most = 0;
	double seconds;

	NEED_RATE();
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		ASSERT_EQ(0, stream_start(&self->s[i], DMOVERIO_POLICY_REQUIRE_DMA, kinds[i].len,
					  kinds[i].depth));
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++)
		while (stream_bytes(&self->s[i]) < (long long)WINDOW && !self->s[i].error)
			dt_sleep_ms(10);
	seconds = measure(self->s, ARRAY_SIZE(kinds), 160 * MIB);
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct stream *s = &self->s[i];
		bool busy = s->idle * 20 <= s->looks;

		EXPECT_EQ(0, stream_stop(s));
		TH_LOG("requests of %zu KiB: %lld KiB%s", s->len / KIB, s->bytes / 1024,
		       busy ? "" : ", not always busy");
		if (busy && (least < 0 || s->bytes < least))
			least = s->bytes;
		if (s->bytes > most)
			most = s->bytes;
	}
	TH_LOG("in %.1f s", seconds);
	EXPECT_LT(0, seconds);
	/* Those not busy got less of their own will; the others must not */
	EXPECT_LE(0, least);
	EXPECT_LE(most - 2 * (long long)WINDOW, least + least / 10);
}

/* Seconds for so much by so many channels */
static double with_channels(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, int nr)
{
	double seconds;

	keep(_metadata, self, nr);
	ASSERT_EQ(0, stream_start(self->s, DMOVERIO_POLICY_REQUIRE_DMA, MIB, 16)) {
		return 0;
	}
	while (stream_bytes(self->s) < (long long)(4 * MIB) && !self->s->error)
		dt_sleep_ms(10);
	seconds = measure(self->s, 1, 24 * MIB);
	EXPECT_EQ(0, stream_stop(self->s));
	return seconds;
}

/* Two do twice as much as one; on a machine that has time for them, in one of some rounds */
TEST_F_TIMEOUT(fair, two_channels, 600)
{
	double best = 0;

	NEED_RATE();
	for (unsigned int round = 0; round < 6 && best < 1.9; round++) {
		double one = with_channels(_metadata, self, 1);
		double two = with_channels(_metadata, self, 2);

		ASSERT_LT(0, one);
		ASSERT_LT(0, two);
		TH_LOG("one channel: %.2f s, two: %.2f s, ratio %.2f", one, two, one / two);
		if (one / two > best)
			best = one / two;
	}
	EXPECT_LE(1.9, best);
}

static int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#define NR_TIMES	200
#define P99		(NR_TIMES * 99 / 100)

/* How long small requests take, one at a time; sorted */
static void take_times(struct __test_metadata *_metadata, uint32_t policy, double *times)
{
	int fd = dt_open_policy("copy", policy);
	uint8_t *mem = dt_mmap(8 * KIB);
	struct dt_req r;

	ASSERT_LE(0, fd);
	dt_req_init1(&r, "copy", 1, mem, 4 * KIB, mem + 4 * KIB);
	for (unsigned int i = 0; i < NR_TIMES; i++) {
		double begun = now();

		ASSERT_EQ(0, dt_do(fd, &r.req));
		times[i] = now() - begun;
	}
	qsort(times, NR_TIMES, sizeof(times[0]), compare_double);
	close(fd);
	munmap(mem, 8 * KIB);
}

/*
 * Somebody has very much in flight: a small request waits for what the channels have,
 * at most two windows each, and for a turn; not for all the rest. So no longer than a
 * channel needs for four windows, and what it takes without the flood.
 */
#define FLOOD		64
#define BOUND		4

static void flood(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, uint32_t policy,
		  unsigned int depth)
{
	double alone[NR_TIMES], beside[NR_TIMES], begun, seconds, window, bound;
	struct stream *s = self->s;
	long long bytes;

	take_times(_metadata, policy, alone);
	ASSERT_EQ(0, stream_start(s, policy, MIB, depth));
	while (stream_bytes(s) < (long long)(4 * MIB) && !s->error)
		dt_sleep_ms(10);
	bytes = stream_bytes(s);
	begun = now();
	take_times(_metadata, policy, beside);
	seconds = now() - begun;
	bytes = stream_bytes(s) - bytes;
	EXPECT_EQ(0, stream_stop(s));

	/* Of the flood's, one channel's; all of them were at it */
	ASSERT_LT(0, bytes);
	window = seconds * MIB * self->nr / bytes;
	bound = BOUND * window + 2 * alone[P99];
	TH_LOG("alone: median %.1f ms, 99 %%: %.1f ms", alone[NR_TIMES / 2] * 1e3,
	       alone[P99] * 1e3);
	TH_LOG("beside: median %.1f ms, 99 %%: %.1f ms, most: %.1f ms", beside[NR_TIMES / 2] * 1e3,
	       beside[P99] * 1e3, beside[NR_TIMES - 1] * 1e3);
	TH_LOG("a window: %.1f ms, bound %.1f ms", window * 1e3, bound * 1e3);
	EXPECT_LE(beside[P99], bound);
}

TEST_F_TIMEOUT(fair, flood, 1200)
{
	NEED_RATE();
	flood(_metadata, self, DMOVERIO_POLICY_REQUIRE_DMA, FLOOD);
}

/* The same user's, who may not have pinned as much: most of it waits even for that */
TEST_F_TIMEOUT(fair, flood_without_budget, 1200)
{
	NEED_RATE();
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", 16 * KIB));
	flood(_metadata, self, DMOVERIO_POLICY_PREFER_DMA, MAX_DEPTH);
}

TEST_HARNESS_MAIN
