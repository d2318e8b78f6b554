// SPDX-License-Identifier: GPL-2.0
/*
 * What a record may say: counts, lengths, pointers, overlap.  A refused one
 * ends the call with its error, or with a short count behind good ones;
 * nothing of it is done or remembered, and the session works on.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define ROOM	(64UL << 10)
#define MAX_IOV	6

FIXTURE(record) {
	struct dt_rng rng;
	long long pins;
	uint8_t *mem, *before;	/* ROOM bytes and what they should be */
};

FIXTURE_SETUP(record)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->mem = dt_mmap(ROOM);
	self->before = dt_mmap(ROOM);
	dt_fill(&self->rng, self->mem, ROOM);
	memcpy(self->before, self->mem, ROOM);
}

FIXTURE_TEARDOWN(record)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- counts and lengths of the output, for functions without input */

struct out_case {
	const char *name;
	int err;
	unsigned int iovcnt;
	struct iovec iov[MAX_IOV];	/* base: offset into mem; ABS: not */
};

#define ABS(x)	((void *)(x))
#define OFF(x)	((void *)(uintptr_t)(x))

static const struct out_case out_cases[] = {
	{ "no iovec",		   EINVAL, 0, { { OFF(0), 16 } } },
	{ "one empty iovec",	   EINVAL, 1, { { OFF(0), 0 } } },
	{ "three empty iovecs",	   EINVAL, 3, { { OFF(0), 0 }, { OFF(9), 0 }, { OFF(0), 0 } } },
	{ "length -1",		   EINVAL, 1, { { OFF(0), SIZE_MAX } } },
	{ "length SSIZE_MAX + 1",  EINVAL, 1, { { OFF(0), (size_t)SSIZE_MAX + 1 } } },
	{ "sum SSIZE_MAX + 1",	   EINVAL, 2, { { OFF(0), SSIZE_MAX }, { OFF(0), 1 } } },
	{ "sum 2^64 + 16",	   EINVAL, 3, { { OFF(0), SIZE_MAX / 2 + 1 },
						{ OFF(0), SIZE_MAX / 2 + 1 }, { OFF(0), 16 } } },
	{ "good, then -1",	   EINVAL, 2, { { OFF(0), 16 }, { OFF(16), SIZE_MAX } } },
	{ "empty first",		0, 2, { { OFF(50), 0 }, { OFF(0), 16 } } },
	{ "empty last",			0, 2, { { OFF(0), 16 }, { OFF(50), 0 } } },
	{ "empty in between",		0, 3, { { OFF(0), 16 }, { OFF(7), 0 }, { OFF(50), 16 } } },
	{ "empty inside another",	0, 2, { { OFF(0), 16 }, { OFF(8), 0 } } },
	{ "one byte",			0, 1, { { OFF(4095), 1 } } },
	{ "overlaps itself",	   EINVAL, 2, { { OFF(0), 16 }, { OFF(15), 16 } } },
	{ "overlaps, descending",  EINVAL, 2, { { OFF(15), 16 }, { OFF(0), 16 } } },
	{ "the same twice",	   EINVAL, 2, { { OFF(64), 16 }, { OFF(64), 16 } } },
	{ "one inside another",	   EINVAL, 2, { { OFF(0), 100 }, { OFF(50), 1 } } },
	{ "first and last overlap", EINVAL, 4, { { OFF(0), 16 }, { OFF(100), 16 },
						 { OFF(200), 16 }, { OFF(0), 1 } } },
	{ "adjacent",			0, 2, { { OFF(0), 16 }, { OFF(16), 16 } } },
	{ "adjacent, descending",	0, 2, { { OFF(16), 16 }, { OFF(0), 16 } } },
	{ "around a hole",		0, 3, { { OFF(16), 16 }, { OFF(0), 16 }, { OFF(33), 5 } } },
};

static void run_out_case(struct __test_metadata *_metadata, uint8_t *mem, uint8_t *before,
			 const struct out_case *c, const char *func)
{
	const struct dt_func *f = dt_func(func);
	struct iovec iov[MAX_IOV];
	struct dmio_usrreq req;
	int fd = dt_open(func, 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < MAX_IOV; i++) {
		iov[i].iov_base = mem + (uintptr_t)c->iov[i].iov_base;
		iov[i].iov_len = c->iov[i].iov_len;
	}
	dt_req_garbage(&req, 7);
	req.req_outbuf.dmbuf_iov = iov;
	req.req_outbuf.dmbuf_iovcnt = c->iovcnt;
	if (f->op == DT_FILL8) {
		req.req_immediate[0] = 0x5c;
	}
	if (c->err) {
		EXPECT_EQ(c->err, dt_refused(fd, &req)) {
			TH_LOG("%s: %s", func, c->name);
		}
	} else {
		EXPECT_EQ(0, dt_do(fd, &req)) {
			TH_LOG("%s: %s", func, c->name);
		}
		for (unsigned int i = 0; i < c->iovcnt; i++) {
			memset(before + (uintptr_t)c->iov[i].iov_base,
			       f->op == DT_FILL8 ? 0x5c : 0, c->iov[i].iov_len);
		}
	}
	EXPECT_EQ(-1, dt_diff(mem, before, ROOM)) {
		TH_LOG("%s: %s", func, c->name);
	}
	close(fd);
}

/* Also: what is in the union is nobody's business, beyond byte 0 for fill8. */
TEST_F(record, output_only)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(out_cases); i++) {
		dt_fill(&self->rng, self->mem, ROOM);
		memcpy(self->before, self->mem, ROOM);
		run_out_case(_metadata, self->mem, self->before, &out_cases[i], "zero");
		run_out_case(_metadata, self->mem, self->before, &out_cases[i], "fill8");
	}
}

TEST_F(record, immediate_is_byte_0)
{
	int fd = dt_open("fill8", 0);

	ASSERT_LE(0, fd);
	for (unsigned int value = 0; value < 256; value++) {
		struct dt_req r;

		dt_req_init(&r, dt_func("fill8"), value, self->mem + 3, 100, NULL, value);
		for (unsigned int i = 1; i < 8; i++) {
			r.req.req_immediate[i] = dt_rand(&self->rng);
		}
		memset(self->mem, ~value, 200);
		memset(self->before, ~value, 200);
		memset(self->before + 3, value, 100);
		ASSERT_EQ(0, dt_do(fd, &r.req));
		ASSERT_EQ(-1, dt_diff(self->mem, self->before, ROOM));
	}
	close(fd);
}

/* An address range that runs over the end of the address space */
TEST_F(record, ranges_that_wrap)
{
	static const struct iovec wraps[] = {
		{ ABS(-4096L), 8192 }, { ABS(-1L), 2 }, { ABS(4096), SSIZE_MAX },
		{ ABS(LONG_MIN), SSIZE_MAX },
	};
	int zero = dt_open("zero", 0), copy = dt_open("copy", 0);

	ASSERT_LE(0, zero);
	ASSERT_LE(0, copy);
	for (unsigned int i = 0; i < 2; i++) {
		void *at = wraps[i].iov_base;
		struct dt_req r;

		dt_req_init1(&r, "zero", 1, at, wraps[i].iov_len, NULL);
		EXPECT_EQ(EINVAL, dt_refused(zero, &r.req));
		dt_req_init1(&r, "copy", 1, self->mem, wraps[i].iov_len, at);
		EXPECT_EQ(EINVAL, dt_refused(copy, &r.req));
	}
	/*
	 * Absurd but neither wrapping nor above SSIZE_MAX: more than may be
	 * pinned, or no memory there.  Either is a fair answer, acceptance
	 * with success is not.
	 */
	for (unsigned int i = 2; i < ARRAY_SIZE(wraps); i++) {
		struct dt_req r;
		int err;

		dt_req_init1(&r, "zero", 1, wraps[i].iov_base, wraps[i].iov_len, NULL);
		err = dt_do(zero, &r.req);
		EXPECT_TRUE(err == EFAULT || err == -ENOMEM || err == -EINVAL) {
			TH_LOG("case %u: %d", i, err);
		}
	}
	close(zero);
	close(copy);
}

#ifdef __LP64__
/*
 * Lengths around where those of 32 bits, and of a single read(), end are not
 * cut in silence. Only the first pages of the memory exist, so that such a
 * request faults; nothing else of the program is near enough to be hit.
 */
TEST_F(record, huge_lengths_are_not_cut)
{
	static const size_t sizes[] = {
		0x7ffff000UL, 1UL << 31, 1UL << 32, (1UL << 32) + 4096, 1UL << 36,
	};
	uint8_t *mem = mmap(NULL, 1UL << 38, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			    -1, 0);
	int zero = dt_open("zero", 0), copy = dt_open("copy", 0);
	struct dt_req r;

	ASSERT_LE(0, zero);
	ASSERT_LE(0, copy);
	ASSERT_TRUE(mem != MAP_FAILED);
	ASSERT_EQ(0, mprotect(mem, 8192, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, mprotect(mem + (1UL << 37), 8192, PROT_READ | PROT_WRITE));
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		dt_req_init1(&r, "zero", 1, mem, sizes[i], NULL);
		EXPECT_EQ(EFAULT, dt_do(zero, &r.req)) {
			TH_LOG("zero of %zu bytes", sizes[i]);
		}
		dt_req_init1(&r, "copy", 1, mem, sizes[i], mem + (1UL << 37));
		EXPECT_EQ(EFAULT, dt_do(copy, &r.req)) {
			TH_LOG("copy of %zu bytes", sizes[i]);
		}
		/* An input that agrees in its low 32 bits does not agree. */
		r.in_iov[0].iov_len += 1UL << 32;
		EXPECT_EQ(EINVAL, dt_refused(copy, &r.req));
	}
	close(zero);
	close(copy);
}
#endif

TEST_F(record, too_many_iovecs)
{
	static const unsigned int counts[] = { DT_MAX_IOV + 1, 65536, INT_MAX, 1U << 31, UINT_MAX };
	struct iovec *iov = calloc(DT_MAX_IOV + 1, sizeof(*iov));
	int zero = dt_open("zero", 0), copy = dt_open("copy", 0);
	struct dt_req r;

	ASSERT_TRUE(iov != NULL);
	ASSERT_LE(0, zero);
	ASSERT_LE(0, copy);
	for (unsigned int i = 0; i <= DT_MAX_IOV; i++) {
		iov[i] = (struct iovec){ self->mem + 2 * i, 1 };
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(counts); i++) {
		dt_req_init1(&r, "zero", 1, self->mem, DT_MAX_IOV + 1, NULL);
		r.req.req_outbuf.dmbuf_iov = iov;
		r.req.req_outbuf.dmbuf_iovcnt = counts[i];
		EXPECT_EQ(EINVAL, dt_refused(zero, &r.req)) {
			TH_LOG("output, %u iovecs", counts[i]);
		}
		dt_req_init1(&r, "copy", 1, self->mem + ROOM / 2, DT_MAX_IOV + 1, NULL);
		r.in[0].dmbuf_iov = iov;
		r.in[0].dmbuf_iovcnt = counts[i];
		EXPECT_EQ(EINVAL, dt_refused(copy, &r.req)) {
			TH_LOG("input, %u iovecs", counts[i]);
		}
	}
	/* One less is right. */
	dt_req_init1(&r, "copy", 1, self->mem + ROOM / 2, DT_MAX_IOV, NULL);
	r.in[0].dmbuf_iov = iov;
	r.in[0].dmbuf_iovcnt = DT_MAX_IOV;
	EXPECT_EQ(0, dt_do(copy, &r.req));
	for (unsigned int i = 0; i < DT_MAX_IOV; i++) {
		self->before[ROOM / 2 + i] = self->before[2 * i];
	}
	EXPECT_EQ(-1, dt_diff(self->mem, self->before, ROOM));
	free(iov);
	close(zero);
	close(copy);
}

/* Each input in turn is a little too long, too short, empty, without iovecs. */
TEST_F(record, lengths_that_differ)
{
	static const char *const names[] = { "copy", "xor2", "xor3", "xor16" };
	static const size_t wrong[] = { 0, 1, 99, 101, 200, SIZE_MAX };

	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		const struct dt_func *f = dt_func(names[n]);
		void *in[DMOVERIO_MAX_SRCS];
		int fd = dt_open(f->name, 0);
		struct dt_req r;

		ASSERT_LE(0, fd);
		for (unsigned int i = 0; i < f->nr_in; i++) {
			in[i] = self->mem + 1000 + 300 * i;
		}
		for (unsigned int i = 0; i < f->nr_in * (ARRAY_SIZE(wrong) + 1); i++) {
			unsigned int k = i % f->nr_in, w = i / f->nr_in;

			dt_req_init(&r, f, i, self->mem, 100, in, 0);
			if (w < ARRAY_SIZE(wrong)) {
				r.in_iov[k].iov_len = wrong[w];
			} else {
				r.in[k].dmbuf_iovcnt = 0;
			}
			EXPECT_EQ(EINVAL, dt_refused(fd, &r.req)) {
				TH_LOG("%s: input %u, case %u", f->name, k, w);
			}
		}
		/* All inputs alike, and not like the output */
		dt_req_init(&r, f, 1, self->mem, 100, in, 0);
		r.out_iov.iov_len = 101;
		EXPECT_EQ(EINVAL, dt_refused(fd, &r.req));
		EXPECT_EQ(-1, dt_diff(self->mem, self->before, ROOM));
		close(fd);
	}
}

/* The arrays a record points to end at a page without access. */
TEST_F(record, unreadable_arrays)
{
	static const size_t short_by[] = { 0, 1, 8, 16, 4096 };
	const struct dt_func *f = dt_func("xor3");
	void *const in[] = { self->mem + 4096, self->mem + 8192, self->mem + 12288 };
	int fd = dt_open("xor3", 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < 3 * ARRAY_SIZE(short_by); i++) {
		size_t missing = short_by[i / 3];
		struct dt_req r;
		const char *what;
		uint8_t *edge;

		dt_req_init(&r, f, 1, self->mem, 64, in, 0);
		if (i % 3 == 0) {
			what = "output iovecs";
			edge = (uint8_t *)dt_guarded(sizeof(struct iovec)) + missing;
			memcpy(edge, &r.out_iov, missing ? 0 : sizeof(struct iovec));
			r.req.req_outbuf.dmbuf_iov = (void *)edge;
		} else if (i % 3 == 1) {
			what = "iovecs of input 2";
			edge = (uint8_t *)dt_guarded(sizeof(struct iovec)) + missing;
			memcpy(edge, &r.in_iov[2], missing ? 0 : sizeof(struct iovec));
			r.in[2].dmbuf_iov = (void *)edge;
		} else {
			what = "inputs";
			edge = (uint8_t *)dt_guarded(3 * sizeof(dmio_buffer)) + missing;
			memcpy(edge, r.in, missing < 3 * sizeof(dmio_buffer) ?
			       3 * sizeof(dmio_buffer) - missing : 0);
			r.req.req_inbuf = (void *)edge;
		}
		/* Nothing beyond the array is looked at: the exact fit works. */
		EXPECT_EQ(missing ? EFAULT : 0,
			  missing ? dt_refused(fd, &r.req) : dt_do(fd, &r.req)) {
			TH_LOG("%s, %zu bytes unreadable", what, missing);
		}
	}
	close(fd);
}

TEST_F(record, bad_pointers_to_arrays)
{
	void *const bad[] = { NULL, ABS(8), ABS(-4096L), ABS(LONG_MIN), dt_guarded(0) };
	int zero = dt_open("zero", 0), copy = dt_open("copy", 0);

	ASSERT_LE(0, zero);
	ASSERT_LE(0, copy);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dt_req r;

		dt_req_init1(&r, "zero", 1, self->mem, 64, NULL);
		r.req.req_outbuf.dmbuf_iov = bad[i];
		EXPECT_EQ(EFAULT, dt_refused(zero, &r.req));
		dt_req_init1(&r, "copy", 1, self->mem, 64, self->mem + 4096);
		r.in[0].dmbuf_iov = bad[i];
		EXPECT_EQ(EFAULT, dt_refused(copy, &r.req));
		dt_req_init1(&r, "copy", 1, self->mem, 64, self->mem + 4096);
		r.req.req_inbuf = bad[i];
		EXPECT_EQ(EFAULT, dt_refused(copy, &r.req));
	}
	EXPECT_EQ(-1, dt_diff(self->mem, self->before, ROOM));
	close(zero);
	close(copy);
}

/*
 * Good records before a refused one are accepted and answered, the others
 * are not; the call can be repeated from there.
 */
TEST_F(record, short_count_before_a_bad_one)
{
	enum { NR = 8, LEN = 100 };
	int fd = dt_open("copy", 0);

	ASSERT_LE(0, fd);
	for (unsigned int bad = 0; bad < 2 * NR; bad++) {
		unsigned int at = bad % NR;
		struct dmio_usrresp resp[NR];
		struct dmio_usrreq flat[NR];
		struct dt_req r[NR];

		for (unsigned int i = 0; i < NR; i++) {
			dt_req_init1(&r[i], "copy", i, self->mem + i * LEN, LEN,
				     self->mem + ROOM / 2 + i * LEN);
			flat[i] = r[i].req;
		}
		memset(self->mem, 0xee, NR * LEN);
		memset(self->before, 0xee, NR * LEN);
		memcpy(self->before, self->before + ROOM / 2, at * LEN);
		if (bad < NR) {
			flat[at].req_outbuf.dmbuf_iov = NULL;
		} else {
			flat[at].req_outbuf.dmbuf_iovcnt = 0;
		}
		ASSERT_EQ(at ? (int)at : bad < NR ? -EFAULT : -EINVAL, dt_write(fd, flat, NR));
		ASSERT_EQ(0, dt_collect(fd, resp, at));
		ASSERT_TRUE(dt_ids_once(resp, at, 0));
		ASSERT_TRUE(dt_quiet(fd));
		ASSERT_EQ(-1, dt_diff(self->mem, self->before, ROOM));
		flat[at] = r[at].req;
		ASSERT_EQ(0, dt_write_all(fd, flat + at, NR - at));
		ASSERT_EQ(0, dt_collect(fd, resp, NR - at));
		ASSERT_TRUE(dt_ids_once(resp, NR - at, at));
		ASSERT_EQ(-1, dt_diff(self->mem, self->mem + ROOM / 2, NR * LEN));
	}
	close(fd);
}

TEST_HARNESS_MAIN
