// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of any size in little pinned memory: windows, the budget, and the
 * way without a budget.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

#define KIB	1024UL
#define MIB	(1024 * KIB)

FIXTURE(windows) {
	struct dt_rng rng;
	struct dt_sampler sampler;
	uint8_t *eaten;			/* a mebibyte, in no huge page */
	long long pins;
	long long acquired;	/* at first, then in all */
	int fd;
};

FIXTURE_SETUP(windows)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	ASSERT_EQ(0, dt_sampler_start(&self->sampler, self->pins));
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
	self->acquired = dt_pins_acquired();
	/* io_uring charges a huge page whole, however little of it is used */
	self->eaten = dt_mmap(MIB);
	madvise(self->eaten, MIB, MADV_NOHUGEPAGE);
	memset(self->eaten, 1, MIB);
}

FIXTURE_TEARDOWN(windows)
{
	close(self->fd);
	EXPECT_EQ(0, dt_become(0));
	dt_sampler_end(&self->sampler);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	for (unsigned int ms = 0; dt_proc_kb("/proc/self/status", "VmPin") &&
	     ms < DT_PATIENCE_MS; ms += 10) {
		dt_sleep_ms(10);
	}
	EXPECT_EQ(0, dt_proc_kb("/proc/self/status", "VmPin"));
}

static long long most(FIXTURE_DATA(windows) *self)
{
	return atomic_load(&self->sampler.seen->most);
}

static long long certain(FIXTURE_DATA(windows) *self)
{
	return atomic_load(&self->sampler.seen->certain);
}

static void stop_watching(struct __test_metadata *_metadata, FIXTURE_DATA(windows) *self)
{
	dt_sampler_off(&self->sampler);
	ASSERT_EQ(0, dt_become(0));
	self->acquired = dt_pins_acquired() - self->acquired;
}

/*
 * One request under a limit: everything right, and never more pinned than that.
 * If it @pins, it is done until that has been seen.
 */
static void run_within(struct __test_metadata *_metadata, FIXTURE_DATA(windows) *self,
		       const struct dt_func *f, size_t len, size_t limit, bool pins)
{
	long long pages = limit / dt_page_size(), end = dt_now_ms() + DT_PATIENCE_MS;
	uint8_t *dst = dt_mmap(len + 2), *want = dt_mmap(len), *src[DMOVERIO_MAX_SRCS];
	void *in[DMOVERIO_MAX_SRCS];
	struct dt_req r;

	memset(dst, 0xee, len + 2);
	for (unsigned int i = 0; i < f->nr_in; i++) {
		src[i] = dt_mmap(len + 64);
		dt_fill(&self->rng, src[i], len + 64);
		in[i] = src[i] + i * 3;		/* no two aligned alike */
	}
	dt_req_init(&r, f, 1, dst + 1, len, in, 0x5a);
	dt_compute(f, 0x5a, r.in, want, len);

	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, limit));
	ASSERT_EQ(0, dt_setfunc(self->fd, f->name));
	ASSERT_EQ(0, dt_sampler_on(&self->sampler));
	do {
		EXPECT_EQ(0, dt_do(self->fd, &r.req));
	} while (pins && !most(self) && dt_now_ms() < end);
	stop_watching(_metadata, self);

	EXPECT_EQ(-1, dt_diff(want, dst + 1, len));
	EXPECT_EQ(0xee, dst[0]);
	EXPECT_EQ(0xee, dst[len + 1]);
	EXPECT_GE(pages, certain(self));
	if (pins)
		EXPECT_LT(0, most(self));
	TH_LOG("%s of %zu KiB, limit %lld pages: %lld certainly seen pinned, at most %lld, %lld in all",
	       f->name, len / KIB, pages, certain(self), most(self), self->acquired);
	munmap(dst, len + 2);
	munmap(want, len);
	for (unsigned int i = 0; i < f->nr_in; i++)
		munmap(src[i], len + 64);
}

TEST_F_TIMEOUT(windows, large_copy_in_one_mebibyte, 240)
{
	run_within(_metadata, self, dt_func("copy"), dt_scale(48, 256) * MIB, MIB, true);
	/* Pinned memory was used: this was not the way without a budget */
	EXPECT_LT(0, self->acquired);
}

TEST_F_TIMEOUT(windows, large_xor_in_one_mebibyte, 240)
{
	run_within(_metadata, self, dt_func("xor5"), 8 * MIB + 12345, MIB, true);
	EXPECT_LT(0, self->acquired);
}

/* 17 regions, 16 pages: not a page of each can be pinned */
TEST_F_TIMEOUT(windows, xor16_in_64_kibibytes, 60)
{
	run_within(_metadata, self, dt_func("xor16"), 64 * KIB, 64 * KIB, false);
	EXPECT_EQ(0, most(self));
	EXPECT_EQ(0, self->acquired);
}

TEST_F_TIMEOUT(windows, nothing_may_be_locked, 60)
{
	run_within(_metadata, self, dt_func("copy"), 3 * MIB + 1, 0, false);
	EXPECT_EQ(0, most(self));
	EXPECT_EQ(0, self->acquired);
}

/* Pin @len bytes at @p on the same account as ours: buffers of an io_uring */
static int eat_budget(void *p, size_t len)
{
	struct io_uring_params params = { 0 };
	struct iovec iov = { p, len };
	int ring = syscall(__NR_io_uring_setup, 1, &params);
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	/* What a test before this one had charged may be given back only now */
	while (ring >= 0 &&
	       syscall(__NR_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1)) {
		if (errno != ENOMEM || dt_now_ms() > end)
			return -errno;
		dt_sleep_ms(10);
	}
	return ring;
}

/*
 * The whole limit is eaten by pinned memory that is none of ours: the request
 * is done all the same, and pins nothing.
 */
TEST_F_TIMEOUT(windows, limit_eaten_by_others, 240)
{
	const size_t len = dt_scale(4, 256) * MIB;
	uint8_t *dst = dt_mmap(len), *src = dt_mmap(len);
	struct dt_req r;
	int ring;

	dt_fill(&self->rng, src, len);
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, MIB));
	ring = eat_budget(self->eaten, MIB);
	ASSERT_LE(0, ring);
	ASSERT_EQ(1024, dt_proc_kb("/proc/self/status", "VmPin"));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	dt_req_init1(&r, "copy", 1, dst, len, src);
	ASSERT_EQ(0, dt_sampler_on(&self->sampler));
	EXPECT_EQ(0, dt_do(self->fd, &r.req));
	stop_watching(_metadata, self);
	EXPECT_EQ(-1, dt_diff(dst, src, len));
	EXPECT_EQ((long long)(MIB / dt_page_size()), certain(self));
	EXPECT_EQ((long long)(MIB / dt_page_size()), most(self));
	EXPECT_EQ((long long)(MIB / dt_page_size()), self->acquired);
	close(ring);
	munmap(dst, len);
	munmap(src, len);
}

/* The same with the most regions that there may be */
TEST_F_TIMEOUT(windows, xor16_with_the_limit_eaten_by_others, 60)
{
	int ring;

	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, 64 * KIB));
	ring = eat_budget(self->eaten, 64 * KIB);
	ASSERT_LE(0, ring);
	ASSERT_EQ(64, dt_proc_kb("/proc/self/status", "VmPin"));
	ASSERT_EQ(0, setresuid(0, 0, 0));
	self->acquired = dt_pins_acquired();
	run_within(_metadata, self, dt_func("xor16"), 64 * KIB, 64 * KIB, false);
	EXPECT_EQ((long long)(64 * KIB / dt_page_size()), certain(self));
	EXPECT_EQ(certain(self), most(self));
	EXPECT_EQ(0, self->acquired);
	close(ring);
}

/*
 * The limit is eaten up to a rest that requests in flight have: a large one
 * waits for what those give back, which is too little, and must not wait for
 * ever.
 */
TEST_F_TIMEOUT(windows, limit_eaten_by_others_and_requests_in_flight, 120)
{
	enum { NR = 12, REST = 2 * NR };		/* small ones, their pages */
	const size_t page = dt_page_size(), len = 4 * MIB;
	uint8_t *eaten = dt_mmap(MIB), *dst = dt_mmap(len), *src = dt_mmap(len);
	struct dmio_usrresp resp[NR + 2];
	struct dmio_usrreq flat[NR + 2];
	struct dt_req r[NR + 2];
	struct dt_hold hold;
	int ring;

	madvise(eaten, MIB, MADV_NOHUGEPAGE);
	memset(eaten, 1, MIB);
	dt_fill(&self->rng, src, len);
	/* A large one first: behind it write() only pins the small ones */
	for (unsigned int i = 0; i < NR + 2; i++) {
		bool large = !i || i == NR + 1;

		dt_req_init1(&r[i], "copy", i, dst + i * page, large ? len - i * page : page,
			     src + i * page);
		flat[i] = r[i].req;
	}
	ASSERT_EQ(0, dt_hold(&hold));
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, MIB));
	ring = eat_budget(eaten, MIB - REST * page);
	ASSERT_LE(0, ring);
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	ASSERT_EQ(NR + 2, dt_write(self->fd, flat, NR + 2));
	EXPECT_LT(0, dt_nr(self->fd, "running"));
	EXPECT_EQ(0, dt_collect(self->fd, resp, NR + 2));
	EXPECT_TRUE(dt_ids_once(resp, NR + 2, 0));
	EXPECT_EQ(-1, dt_diff(dst, src, len));
	ASSERT_EQ(0, dt_become(0));
	EXPECT_EQ(0, dt_unhold(&hold));
	close(ring);
}

/* Many at once, each larger than the limit: all are done, in whatever order */
TEST_F_TIMEOUT(windows, many_large_ones_share_a_small_budget, 120)
{
	enum { NR = 12 };
	const size_t len = 700 * KIB;
	struct dmio_usrreq flat[NR];
	struct dmio_usrresp resp[NR];
	struct dt_req r[NR];
	uint8_t *dst[NR], *src = dt_mmap(len + NR);

	dt_fill(&self->rng, src, len + NR);
	for (unsigned int i = 0; i < NR; i++) {
		dst[i] = dt_mmap(len);
		dt_req_init1(&r[i], "copy", i, dst[i], len, src + i);
		flat[i] = r[i].req;
	}
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, 256 * KIB));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	ASSERT_EQ(NR, dt_write(self->fd, flat, NR));
	ASSERT_EQ(0, dt_collect(self->fd, resp, NR));
	EXPECT_TRUE(dt_ids_once(resp, NR, 0));
	for (unsigned int i = 0; i < NR; i++) {
		EXPECT_EQ(-1, dt_diff(dst[i], src + i, len));
	}
}

/*
 * More large ones than the user may have workers, and a small one behind them:
 * they take turns window by window, so that it is done long before they are.
 */
TEST_F_TIMEOUT(windows, large_ones_do_not_starve_a_small_one, 120)
{
	enum { NR = 5, LARGE = 64 << 20 };
	struct dmio_usrreq flat[NR + 1];
	struct dmio_usrresp resp[NR + 1];
	struct dt_req r[NR + 1];
	uint8_t *dst = dt_mmap(LARGE), *small = dt_mmap(4096);

	memset(small, 0xee, 4096);
	for (unsigned int i = 0; i < NR; i++) {
		dt_req_init1(&r[i], "zero", i, dst, LARGE, NULL);
		flat[i] = r[i].req;
	}
	dt_req_init1(&r[NR], "zero", NR, small, 4096, NULL);
	flat[NR] = r[NR].req;
	ASSERT_EQ(0, dt_setfunc(self->fd, "zero"));
	ASSERT_EQ(NR + 1, dt_write(self->fd, flat, NR + 1));
	ASSERT_EQ(0, dt_collect(self->fd, resp, NR + 1));
	EXPECT_EQ(NR, resp[0].resp_id);
	EXPECT_TRUE(dt_ids_once(resp, NR + 1, 0));
	EXPECT_EQ(0, small[0] | small[4095]);
}

/* Done is enough, the answers need not be read; and nothing is lost on the way */
TEST_F_TIMEOUT(windows, unread_answers_hold_no_budget, 60)
{
	struct dmio_usrresp resp[64];
	uint8_t *dst = dt_mmap(MIB);
	struct dt_req r;

	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, MIB));
	ASSERT_EQ(0, dt_setfunc(self->fd, "zero"));
	for (unsigned int i = 0; i < 64; i++) {
		dt_req_init1(&r, "zero", i, dst, MIB, NULL);
		ASSERT_EQ(1, dt_write(self->fd, &r.req, 1));
	}
	EXPECT_EQ(64, dt_nr_settle(self->fd, "answered", 64));
	EXPECT_EQ(0, dt_proc_kb("/proc/self/status", "VmPin"));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	ASSERT_EQ(0, dt_collect(self->fd, resp, 64));
	EXPECT_TRUE(dt_ids_once(resp, 64, 0));
}

/* Also of requests that fault, again and again */
TEST_F_TIMEOUT(windows, faults_give_the_budget_back, 60)
{
	uint8_t *dst = dt_mmap(MIB), *src = dt_mmap(MIB);
	struct dt_req r;

	dt_fill(&self->rng, src, MIB);
	ASSERT_EQ(0, munmap(dst + MIB - 4096, 4096));
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, MIB));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	for (unsigned int i = 0; i < 50; i++) {
		dt_req_init1(&r, "copy", 1, dst, MIB, src);
		ASSERT_EQ(EFAULT, dt_do(self->fd, &r.req));
	}
	dt_req_init1(&r, "copy", 1, dst, MIB - 4096, src);
	EXPECT_EQ(0, dt_do(self->fd, &r.req));
	EXPECT_EQ(-1, dt_diff(dst, src, MIB - 4096));
}

TEST_F_TIMEOUT(windows, capability_needs_no_limit, 60)
{
	struct rlimit rlim = { 0, 0 };
	uint8_t *dst = dt_mmap(8 * MIB), *src = dt_mmap(8 * MIB);
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	struct dt_req r;

	dt_fill(&self->rng, src, 8 * MIB);
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &rlim));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	ASSERT_EQ(0, dt_sampler_on(&self->sampler));
	for (unsigned int i = 0; i < 10 || (!most(self) && dt_now_ms() < end); i++) {
		memset(dst, 0xee, 8 * MIB);
		dt_req_init1(&r, "copy", 1, dst, 8 * MIB, src);
		EXPECT_EQ(0, dt_do(self->fd, &r.req));
		EXPECT_EQ(-1, dt_diff(dst, src, 8 * MIB));
	}
	stop_watching(_metadata, self);
	EXPECT_LT(0, self->acquired);
	EXPECT_LT(0, most(self));
	/* Two windows of 2 MiB a region, and a page each for the cut */
	EXPECT_GE((long long)(2 * 2 * (2 * MIB / dt_page_size() + 1)), certain(self));
}

/* Root, no limit: sizes around the windows' */
TEST_F_TIMEOUT(windows, sizes_around_a_window, 120)
{
	static const ssize_t off[] = { -4097, -4096, -1, 0, 1, 4096, 4097 };
	uint8_t *dst = dt_mmap(5 * MIB), *src = dt_mmap(5 * MIB);
	struct dt_req r;

	dt_fill(&self->rng, src, 5 * MIB);
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	for (unsigned int i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		for (unsigned int n = 1; n <= 2; n++) {
			size_t len = n * 2 * MIB + off[i], at = dt_below(&self->rng, 8192);

			memset(dst, 0xee, 5 * MIB);
			dt_req_init1(&r, "copy", 1, dst + at, len, src + 77);
			ASSERT_EQ(0, dt_do(self->fd, &r.req));
			ASSERT_EQ(-1, dt_diff(dst + at, src + 77, len));
			ASSERT_EQ(0xee, dst[at + len]);
			ASSERT_TRUE(!at || dst[at - 1] == 0xee);
		}
	}
}

/* In place, in many windows, and cut so that no window ends with a segment */
TEST_F_TIMEOUT(windows, scattered, 120)
{
	const struct dt_func *f = dt_func("xor3");
	const size_t len = 9 * MIB + 321;
	uint8_t *a = dt_mmap(len + 2 * MIB), *b = dt_mmap(len + 2 * MIB), *c = dt_mmap(len + 2 * MIB);
	uint8_t *want = dt_mmap(len), *have = dt_mmap(len);
	struct dt_region r[3];
	dmio_buffer in[3];
	struct dmio_usrreq req;

	dt_fill(&self->rng, a, len);
	dt_fill(&self->rng, b, len);
	dt_fill(&self->rng, c, len);
	dt_cut(&self->rng, &r[0], a, len, 1000);
	dt_cut(&self->rng, &r[1], b, len, 77);
	dt_cut(&self->rng, &r[2], c, len, 3);
	for (int i = 0; i < 3; i++)
		in[i] = (dmio_buffer){ r[i].iov, r[i].nr };
	dt_compute(f, 0, in, want, len);
	dt_req_garbage(&req, 1);
	req.req_outbuf = in[1];
	req.req_inbuf = in;
	ASSERT_EQ(0, dt_setfunc(self->fd, "xor3"));
	ASSERT_EQ(0, dt_do(self->fd, &req));
	dt_gather(&in[1], have);
	EXPECT_EQ(-1, dt_diff(want, have, len));
	for (int i = 0; i < 3; i++)
		dt_region_free(&r[i]);
}

/* A hole in the third window: what lies before it is done, and the error told */
TEST_F_TIMEOUT(windows, fault_in_a_later_window, 60)
{
	const size_t len = 8 * MIB, hole = 5 * MIB;
	uint8_t *dst = dt_mmap(len), *src = dt_mmap(len);
	struct dt_req r;

	dt_fill(&self->rng, src, len);
	ASSERT_EQ(0, munmap(dst + hole, 4096));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	dt_req_init1(&r, "copy", 1, dst, len, src);
	EXPECT_EQ(EFAULT, dt_do(self->fd, &r.req));
	EXPECT_EQ(-1, dt_diff(dst, src, 4 * MIB));
	/* The CPU goes to the very page that faults */
	EXPECT_EQ(-1, dt_diff(dst + 4 * MIB, src + 4 * MIB, hole - 4 * MIB));
}

TEST_HARNESS_MAIN
