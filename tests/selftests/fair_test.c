// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets how much of the channels, and who waits how long for whom.
 *
 * This is measured, with a simulated controller whose channels have a known rate,
 * far below the machine's, and by a clock that counts instructions: a machine that
 * is busy is not slower, so nothing here is excused by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
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
	enum dt_way way;		/* what counts */
	bool lossy;			/* channels move nothing */
	long long bytes;		/* done that way when the measurement began; then since */
};

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
	s->way = policy == DMOVERIO_POLICY_CPU ? DT_POLICY : DT_DMA;
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
	if (!s->lossy && dt_diff(s->dst, s->src, s->len) != -1)
		s->error = s->error ? : -EBADMSG;
	munmap(s->src, s->len);
	munmap(s->dst, s->dst_len);
	return s->error;
}

static long long stream_bytes(const struct stream *s)
{
	return dt_ways(s->fd).bytes[s->way];
}

/* Wait until all have begun */
static int warm_up(const struct stream *s, unsigned int nr)
{
	double end = dt_now() + 4 * DT_PATIENCE_MS / 1e3;

	for (unsigned int i = 0; i < nr; i++)
		while (stream_bytes(&s[i]) < (long long)(2 * WINDOW)) {
			if (s[i].error || dt_now() > end)
				return -ETIMEDOUT;
			dt_sleep_ms(10);
		}
	return 0;
}

/* Let streams run until they have done so many bytes, all together; seconds, or -1 */
static double measure(struct stream *s, unsigned int nr, long long bytes)
{
	double begun = dt_now(), end = begun + 4 * DT_PATIENCE_MS / 1e3;
	long long sum = 0;

	for (unsigned int i = 0; i < nr; i++)
		s[i].bytes = stream_bytes(&s[i]);
	while (sum < bytes) {
		if (dt_now() > end)
			return -1;
		dt_sleep_ms(20);
		sum = 0;
		for (unsigned int i = 0; i < nr; i++)
			sum += stream_bytes(&s[i]) - s[i].bytes;
	}
	for (unsigned int i = 0; i < nr; i++)
		s[i].bytes = stream_bytes(&s[i]) - s[i].bytes;
	return dt_now() - begun;
}

FIXTURE(fair) {
	int fd;
	int nr;				/* channels ... */
	double rate_kib;		/* ... and what each does in a second */
	long long pinned;		/* what a user may have pinned */
	struct stream s[4];
};

FIXTURE_SETUP(fair)
{
	self->fd = -1;
	if (!getenv("DMIO_TEST_RATE_KIB"))
		return;
	self->rate_kib = atof(getenv("DMIO_TEST_RATE_KIB"));
	ASSERT_LT(0, self->rate_kib);
	ASSERT_TRUE(sim_is_there());
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
	self->nr = dt_channels(self->fd, DMOVERIO_FUNC_COPY);
	ASSERT_LE(4, self->nr);
	/* Where DMA is required, all has to be pinned */
	self->pinned = dt_param("max_pinned_kib");
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", 256 * KIB));
}

/* Tell channels in use what to do with what they should move: 0 or -errno */
static int lose(int fd, const char *fault)
{
	struct dt_engines all;
	int err = dt_engines(fd, &all);

	for (unsigned int i = 0; i < all.nr && !err; i++)
		if (dt_is_channel(&all.engine[i], DMOVERIO_FUNC_COPY))
			err = bk_fault(all.engine[i].name, fault);
	return err;
}

FIXTURE_TEARDOWN(fair)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, lose(self->fd, "off"));
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

struct kind {
	size_t len;
	unsigned int depth;
};

static const struct kind kinds[] = {
	{ 4 * KIB, 256 }, { 64 * KIB, 64 }, { MIB, 8 }, { 16 * MIB, 2 },
};

#define NR_KINDS	ARRAY_SIZE(kinds)

/* All of them at once, but the first few, until they have done so much; seconds */
static double share(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, uint32_t policy,
		    unsigned int first, long long bytes)
{
	unsigned int nr = NR_KINDS - first;
	long long least, most;
	double seconds;

	for (unsigned int i = 0; i < nr; i++)
		ASSERT_EQ(0, stream_start(&self->s[i], policy, kinds[first + i].len,
					  kinds[first + i].depth)) {
			return -1;
		}
	EXPECT_EQ(0, warm_up(self->s, nr));
	seconds = measure(self->s, nr, bytes);
	least = self->s[0].bytes;
	most = least;
	for (unsigned int i = 0; i < nr; i++) {
		struct stream *s = &self->s[i];

		EXPECT_EQ(0, stream_stop(s));
		TH_LOG("requests of %zu KiB: %lld KiB", s->len / KIB, s->bytes / 1024);
		least = s->bytes < least ? s->bytes : least;
		most = s->bytes > most ? s->bytes : most;
	}
	TH_LOG("in %.1f s, the most is %.3f of the least", seconds, (double)most / least);
	EXPECT_LT(0, seconds);
	EXPECT_LE(most * 10, least * 11);
	return seconds;
}

/*
 * Sessions that always have something to do get the same number of bytes, however
 * large their requests are, and all that the channels can do
 */
TEST_F_TIMEOUT(fair, equal_shares, 300)
{
	double seconds, full;

	NEED_RATE();
	full = 320.0 * 1024 / self->nr / self->rate_kib;
	seconds = share(_metadata, self, DMOVERIO_POLICY_REQUIRE_DMA, 0, 320 * MIB);
	TH_LOG("%.0f %% of what the channels can do", 100 * full / seconds);
	EXPECT_LE(0.9 * seconds, full);
}

/*
 * ... and so they do of the CPU's workers.  Not those with 4 KiB: there is but one
 * processor, and on that the workers leave their programs too little time to read the
 * answers, most of which wait for that.
 */
TEST_F_TIMEOUT(fair, equal_shares_cpu, 300)
{
	NEED_RATE();
	share(_metadata, self, DMOVERIO_POLICY_CPU, 1, 768 * MIB);
}

/* Seconds for so much by so many channels */
static double with_channels(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, int nr)
{
	double seconds;

	keep(_metadata, self, nr);
	ASSERT_EQ(0, stream_start(self->s, DMOVERIO_POLICY_REQUIRE_DMA, MIB, 16)) {
		return 0;
	}
	EXPECT_EQ(0, warm_up(self->s, 1));
	seconds = measure(self->s, 1, 48 * MIB);
	EXPECT_EQ(0, stream_stop(self->s));
	return seconds;
}

TEST_F_TIMEOUT(fair, two_channels, 300)
{
	double one, two;

	NEED_RATE();
	one = with_channels(_metadata, self, 1);
	two = with_channels(_metadata, self, 2);
	ASSERT_LT(0, one);
	ASSERT_LT(0, two);
	TH_LOG("one channel: %.2f s, two: %.2f s, ratio %.2f", one, two, one / two);
	EXPECT_LE(1.9, one / two);
}

#define NR_TIMES	200
#define P99		(NR_TIMES * 99 / 100)

/* How long requests take, one at a time; sorted */
static void take_times(struct __test_metadata *_metadata, uint32_t policy, size_t len,
		       double *times)
{
	int fd = dt_open_policy("copy", policy);
	uint8_t *mem = dt_mmap(2 * len);
	struct dt_req r;

	ASSERT_LE(0, fd);
	dt_req_init1(&r, "copy", 1, mem, len, mem + len);
	for (unsigned int i = 0; i < NR_TIMES; i++) {
		double begun = dt_now();

		ASSERT_EQ(0, dt_do(fd, &r.req));
		times[i] = dt_now() - begun;
	}
	dt_sort(times, NR_TIMES);
	close(fd);
	munmap(mem, 2 * len);
}

/*
 * Others have very much in flight.  A request waits for what the channel has that is
 * free first, two windows at most, and for one turn of each of the others; not for all
 * the rest.  These turns are shared by the channels.  So 99 of 100 requests of a window
 * or less take no longer than a channel needs for
 *
 *	2 + (number of others) / (number of channels), rounded up
 *
 * windows, and what they take without the flood.
 */
#define HELD		2

struct flood {
	uint32_t policy;
	size_t len;			/* of the one that waits */
	unsigned int nr;		/* of those that flood */
	struct kind kind[2];
};

static void flood(struct __test_metadata *_metadata, FIXTURE_DATA(fair) *self, int nr_channels,
		  const struct flood *f)
{
	double alone[NR_TIMES], beside[NR_TIMES], window, bound, begun, full;
	struct stream *s = self->s;
	long long bytes = 0;
	size_t most = 0;

	/* What they move costs the processor that moves it; only time matters here */
	ASSERT_EQ(0, lose(self->fd, "lost 0 -1"));
	take_times(_metadata, f->policy, f->len, alone);
	for (unsigned int i = 0; i < f->nr; i++) {
		ASSERT_EQ(0, stream_start(&s[i], f->policy, f->kind[i].len, f->kind[i].depth));
		s[i].lossy = true;
		most = f->kind[i].len > most ? f->kind[i].len : most;
	}
	EXPECT_EQ(0, warm_up(s, f->nr));
	for (unsigned int i = 0; i < f->nr; i++)
		bytes -= stream_bytes(&s[i]);
	begun = dt_now();
	take_times(_metadata, f->policy, f->len, beside);
	full = (dt_now() - begun) * nr_channels * self->rate_kib;
	for (unsigned int i = 0; i < f->nr; i++)
		bytes += stream_bytes(&s[i]);
	for (unsigned int i = 0; i < f->nr; i++)
		EXPECT_EQ(0, stream_stop(&s[i]));
	ASSERT_EQ(0, lose(self->fd, "off"));

	window = (double)(most < WINDOW ? most : WINDOW) / KIB / self->rate_kib;
	bound = (HELD + (f->nr + nr_channels - 1) / nr_channels) * window + alone[P99];
	TH_LOG("%d channels, %u others, the first's requests of %zu KiB, ours of %zu KiB",
	       nr_channels, f->nr, f->kind[0].len / KIB, f->len / KIB);
	TH_LOG("alone: median %.1f ms, 99 %%: %.1f ms", alone[NR_TIMES / 2] * 1e3,
	       alone[P99] * 1e3);
	TH_LOG("beside: median %.1f ms, 99 %%: %.1f ms, most: %.1f ms", beside[NR_TIMES / 2] * 1e3,
	       beside[P99] * 1e3, beside[NR_TIMES - 1] * 1e3);
	TH_LOG("a window: %.1f ms, bound %.1f ms; channels were full to %.0f %%", window * 1e3,
	       bound * 1e3, 100 * bytes / 1024 / full);
	/* Or else it was no flood */
	EXPECT_LE(0.8 * full, bytes / 1024);
	EXPECT_LE(beside[P99], bound);
}

TEST_F_TIMEOUT(fair, flood, 1200)
{
	static const struct flood floods[] = {
		{ DMOVERIO_POLICY_REQUIRE_DMA, 4 * KIB, 1, { { MIB, 64 } } },
		{ DMOVERIO_POLICY_REQUIRE_DMA, 4 * KIB, 1, { { 16 * MIB, 8 } } },
		{ DMOVERIO_POLICY_REQUIRE_DMA, 4 * KIB, 2, { { 16 * MIB, 8 }, { MIB, 64 } } },
		{ DMOVERIO_POLICY_REQUIRE_DMA, 256 * KIB, 2, { { 16 * MIB, 8 }, { 16 * MIB, 8 } } },
	};

	NEED_RATE();
	for (unsigned int i = 0; i < ARRAY_SIZE(floods); i++)
		flood(_metadata, self, self->nr, &floods[i]);
}

/* All wait for the same one */
TEST_F_TIMEOUT(fair, flood_one_channel, 1200)
{
	static const struct flood f = {
		DMOVERIO_POLICY_REQUIRE_DMA, 4 * KIB, 2, { { 16 * MIB, 8 }, { 16 * MIB, 8 } },
	};

	NEED_RATE();
	keep(_metadata, self, 1);
	flood(_metadata, self, 1, &f);
}

/* The same user's, who may not have pinned as much: most of it waits even for that */
TEST_F_TIMEOUT(fair, flood_without_budget, 1200)
{
	static const struct flood f = {
		DMOVERIO_POLICY_PREFER_DMA, 4 * KIB, 1, { { MIB, MAX_DEPTH } },
	};

	NEED_RATE();
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", 16 * KIB));
	flood(_metadata, self, self->nr, &f);
}

TEST_HARNESS_MAIN
