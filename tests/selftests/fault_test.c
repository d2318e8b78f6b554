// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is not there, or not to be written: the response says EFAULT.
 * The other requests of the same write, and the session, work on, no
 * protection is bypassed, and no page stays pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define MAX_LEN	(256UL << 10)

/* Large ones run in a worker. */
static const size_t lengths[] = { 1, 4096, 3 * 4096, MAX_LEN };

static size_t page_size(void)
{
	return dt_page_size();
}

/*
 * Where the hole is.  Each function returns memory of @len bytes (MAX_LEN at
 * most) in which some byte cannot be read, or cannot be written.
 */

/* Page-aligned room for it, with a page more on both sides; all ones */
static uint8_t *room(void)
{
	uint8_t *p = dt_mmap(MAX_LEN + 4 * page_size());

	memset(p, 0xff, MAX_LEN + 4 * page_size());
	return p + page_size();
}

static void must(int ok)
{
	if (!ok)
		abort();
}

static void *unmapped(size_t len)
{
	uint8_t *p = room();

	must(!munmap(p, len));
	return p;
}

static void *unmapped_tail(size_t len)
{
	uint8_t *p = room();

	must(!munmap(p + MAX_LEN, page_size()));
	return p + MAX_LEN - len + 1;
}

static void *unmapped_head(size_t len)
{
	uint8_t *p = room();

	(void)len;
	must(!munmap(p, page_size()));
	return p + page_size() - 1;
}

static void *hole_inside(size_t len)
{
	uint8_t *p = room();

	must(!munmap(p + len / 2 / page_size() * page_size(), page_size()));
	return p;
}

static void *no_access(size_t len)
{
	uint8_t *p = room();

	must(!mprotect(p, len, PROT_NONE));
	return p;
}

static void *no_access_inside(size_t len)
{
	uint8_t *p = room();

	must(!mprotect(p + len / 2 / page_size() * page_size(), page_size(), PROT_NONE));
	return p;
}

/* A mapping that is longer than its file */
static void *beyond_the_file(size_t len)
{
	int fd = dt_tmpfile(page_size());
	uint8_t *p = mmap(NULL, MAX_LEN + page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	close(fd);
	return p + page_size() - (len > 1);
}

static void *null_page(size_t len)
{
	(void)len;
	return NULL;
}

static void *kernel_text(size_t len)
{
	(void)len;
	return (void *)(sizeof(long) == 4 ? 0xc0008000UL : 0xffffffff81000000UL);
}

static void *kernel_map(size_t len)
{
	(void)len;
	return (void *)(sizeof(long) == 4 ? 0xc8000000UL : 0xffff888000100000UL);
}

static void *not_canonical(size_t len)
{
	(void)len;
	return (void *)0x0123456789abc000UL;
}

/* For output only: memory that can be read */
static void *read_only(size_t len)
{
	uint8_t *p = room();

	must(!mprotect(p, len, PROT_READ));
	return p;
}

static void *read_only_inside(size_t len)
{
	uint8_t *p = room();

	must(!mprotect(p + len / 2 / page_size() * page_size(), page_size(), PROT_READ));
	return p;
}

static void *read_only_untouched(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(p != MAP_FAILED);
	return p;
}

static void *read_only_file(size_t len)
{
	int fd = dt_tmpfile(MAX_LEN);
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	must(p != MAP_FAILED);
	close(fd);
	return p;
}

static const uint8_t constant[MAX_LEN] = { 0xff, 0xff };

static void *constant_data(size_t len)
{
	(void)len;
	return (void *)constant;
}

static const struct hole {
	const char *name;
	void *(*make)(size_t len);
	bool readable;
} holes[] = {
	{ "unmapped", unmapped, false },
	{ "unmapped tail", unmapped_tail, false },
	{ "unmapped head", unmapped_head, false },
	{ "hole inside", hole_inside, false },
	{ "PROT_NONE", no_access, false },
	{ "PROT_NONE inside", no_access_inside, false },
	{ "beyond the end of the file", beyond_the_file, false },
	{ "NULL", null_page, false },
	{ "kernel text", kernel_text, false },
	{ "kernel's map of memory", kernel_map, false },
	{ "not canonical", not_canonical, false },
	{ "read-only", read_only, true },
	{ "read-only inside", read_only_inside, true },
	{ "read-only, never touched", read_only_untouched, true },
	{ "read-only file", read_only_file, true },
	{ "constant data of the program", constant_data, true },
};

FIXTURE(fault) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;	/* MAX_LEN each, for good requests and sides */
};

FIXTURE_SETUP(fault)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(MAX_LEN);
	self->dst = dt_mmap(MAX_LEN);
	dt_fill(&self->rng, self->src, MAX_LEN);
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/*
 * The bad request between two good ones, in one write: three responses, and
 * EFAULT is that of the bad one.
 */
static int between_good_ones(int fd, const struct dmio_usrreq *bad, uint8_t *dst, uint8_t *src)
{
	struct dmio_usrresp resp[3];
	struct dmio_usrreq flat[3];
	struct dt_req r[2];
	int errs[3] = { -1, -1, -1 };

	for (unsigned int i = 0; i < 2; i++)
		dt_req_init1(&r[i], "copy", 2 * i, dst + 256 * i, 256, src + 256 * i);
	flat[0] = r[0].req;
	flat[1] = *bad;
	flat[1].req_id = 1;
	flat[2] = r[1].req;
	memset(dst, 0xee, 512);
	if (dt_write(fd, flat, 3) != 3 || dt_collect(fd, resp, 3))
		return -1;
	for (unsigned int i = 0; i < 3; i++)
		if (resp[i].resp_id < 3)
			errs[resp[i].resp_id] = resp[i].resp_error;
	if (errs[0] || errs[2] || dt_diff(dst, src, 512) != -1 || !dt_quiet(fd))
		return -2;
	return errs[1];
}

TEST_F_TIMEOUT(fault, output, 60)
{
	int fd = dt_open("copy", 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(holes) * ARRAY_SIZE(lengths); i++) {
		const struct hole *h = &holes[i / ARRAY_SIZE(lengths)];
		size_t len = lengths[i % ARRAY_SIZE(lengths)];
		struct dt_req r;

		dt_req_init1(&r, "copy", 1, h->make(len), len, self->src);
		EXPECT_EQ(EFAULT, between_good_ones(fd, &r.req, self->dst, self->src)) {
			TH_LOG("%s, %zu bytes", h->name, len);
		}
		EXPECT_EQ(self->pins, dt_pins_settle(self->pins)) {
			TH_LOG("pins: %s, %zu bytes", h->name, len);
		}
	}
	close(fd);
}

/*
 * Does this kernel's write(2) read the memory?  What cannot be pinned is read
 * as write(2) reads, and that of User Mode Linux does not heed PROT_NONE.
 */
static bool kernel_reads(const void *p, size_t len)
{
	int file = dt_tmpfile(0);
	ssize_t n = write(file, p, len);

	close(file);
	return n == (ssize_t)len;
}

TEST_F_TIMEOUT(fault, input, 60)
{
	int fd = dt_open("copy", 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(holes) * ARRAY_SIZE(lengths); i++) {
		const struct hole *h = &holes[i / ARRAY_SIZE(lengths)];
		size_t len = lengths[i % ARRAY_SIZE(lengths)];
		void *from = h->make(len);
		struct dt_req r;
		int err;

		dt_req_init1(&r, "copy", 1, self->dst, len, from);
		err = dt_do(fd, &r.req);
		/* Reading read-only memory is no fault. */
		if (err || h->readable || !kernel_reads(from, len)) {
			EXPECT_EQ(h->readable ? 0 : EFAULT, err) {
				TH_LOG("%s, %zu bytes", h->name, len);
			}
		}
		EXPECT_EQ(self->pins, dt_pins_settle(self->pins)) {
			TH_LOG("pins: %s, %zu bytes", h->name, len);
		}
	}
	close(fd);
}

/* Of many pieces or inputs one is bad: what was pinned before is let go. */
TEST_F_TIMEOUT(fault, one_of_many, 60)
{
	enum { NR = 48, PIECE = 5000, LEN = NR * PIECE };
	const struct dt_func *f = dt_func("xor16");
	int copy = dt_open("copy", 0), xor = dt_open("xor16", 0);
	struct iovec iov[NR];
	struct dt_req r;

	ASSERT_LE(0, copy);
	ASSERT_LE(0, xor);
	for (unsigned int bad = 0; bad < NR; bad += 9) {
		for (unsigned int dir = 0; dir < 2; dir++) {
			uint8_t *scattered = dt_mmap(NR * 8192);

			for (unsigned int i = 0; i < NR; i++) {
				iov[i] = (struct iovec){ scattered + i * 8192 + 17, PIECE };
			}
			ASSERT_EQ(0, munmap(scattered + bad * 8192 + 4096, 4096));
			dt_req_init1(&r, "copy", 1, self->dst, LEN, self->src);
			*(dir ? &r.in[0] : &r.req.req_outbuf) = (dmio_buffer){ iov, NR };
			EXPECT_EQ(EFAULT, dt_do(copy, &r.req)) {
				TH_LOG("piece %u of the %s", bad, dir ? "input" : "output");
			}
			EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
			munmap(scattered, NR * 8192);
		}
	}
	for (unsigned int bad = 0; bad < f->nr_in; bad++) {
		void *in[DMOVERIO_MAX_SRCS];

		for (unsigned int i = 0; i < f->nr_in; i++) {
			in[i] = self->src + 100 * i;
		}
		in[bad] = unmapped(10000);
		dt_req_init(&r, f, 1, self->dst, 10000, in, 0);
		EXPECT_EQ(EFAULT, dt_do(xor, &r.req)) {
			TH_LOG("input %u", bad);
		}
		EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	close(copy);
	close(xor);
}

/* Read-only memory stays what it is, also where the kernel could write it. */
TEST_F(fault, protection_is_not_bypassed)
{
	int zero = dt_open("zero", 0), file = dt_tmpfile(MAX_LEN);
	uint8_t back[4096], *own = room();
	struct dt_req r;
	void *shared;

	ASSERT_LE(0, zero);
	ASSERT_EQ(4096, pwrite(file, self->src, 4096, 0));
	shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	ASSERT_TRUE(shared != MAP_FAILED);
	dt_req_init1(&r, "zero", 1, shared, 4096, NULL);
	EXPECT_EQ(EFAULT, dt_do(zero, &r.req));
	ASSERT_EQ(4096, pread(file, back, 4096, 0));
	EXPECT_EQ(-1, dt_diff(back, self->src, 4096));

	ASSERT_EQ(0, mprotect(own, 4096, PROT_READ));
	dt_req_init1(&r, "zero", 1, own, 4096, NULL);
	EXPECT_EQ(EFAULT, dt_do(zero, &r.req));
	EXPECT_EQ(0xff, own[0] & own[4095]);

	dt_req_init1(&r, "zero", 1, (void *)constant, 4096, NULL);
	EXPECT_EQ(EFAULT, dt_do(zero, &r.req));
	EXPECT_EQ(0xff, *(volatile const uint8_t *)constant);

	/* The same memory made writable works. */
	ASSERT_EQ(0, mprotect(own, 4096, PROT_READ | PROT_WRITE));
	dt_req_init1(&r, "zero", 1, own, 4096, NULL);
	EXPECT_EQ(0, dt_do(zero, &r.req));
	EXPECT_EQ(0, own[0] | own[4095]);
	close(zero);
	close(file);
}

/* Many in a row: nothing is used up by them. */
TEST_F_TIMEOUT(fault, again_and_again, 60)
{
	unsigned int rounds = dt_scale(20, 1000);
	struct dmio_usrresp resp[DT_DEPTH];
	struct dmio_usrreq flat[DT_DEPTH];
	int fd = dt_open("copy", 0);
	struct dt_req bad, good;

	ASSERT_LE(0, fd);
	dt_req_init1(&bad, "copy", 0, no_access_inside(MAX_LEN), MAX_LEN, self->src);
	dt_req_init1(&good, "copy", 0, self->dst, 1000, self->src);
	for (unsigned int i = 0; i < rounds; i++) {
		memset(self->dst, 0xee, 1000);
		for (unsigned int k = 0; k < DT_DEPTH; k++) {
			flat[k] = k % 16 == 15 ? good.req : bad.req;
			flat[k].req_id = k;
		}
		ASSERT_EQ(0, dt_write_all(fd, flat, DT_DEPTH));
		ASSERT_EQ(0, dt_collect(fd, resp, DT_DEPTH));
		for (unsigned int k = 0; k < DT_DEPTH; k++) {
			ASSERT_EQ(resp[k].resp_id % 16 == 15 ? 0 : EFAULT, resp[k].resp_error);
		}
		ASSERT_EQ(-1, dt_diff(self->dst, self->src, 1000));
	}
	close(fd);
}

TEST_HARNESS_MAIN
