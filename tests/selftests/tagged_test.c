// SPDX-License-Identifier: GPL-2.0
/*
 * Pointers with a tag in their top byte, as memory tagging and address
 * sanitizers on arm64 give them out: they mean the memory they mean to the
 * program, wherever one may stand.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define MAX_LEN	(300UL << 10)
#define ROOM	(MAX_LEN + 8192)

static const size_t lengths[] = { 1, 100, 4096, DT_INLINE_MAX, MAX_LEN };

/* A program has to ask for them. */
static bool enable_tags(void)
{
#ifdef __aarch64__
	return !prctl(PR_SET_TAGGED_ADDR_CTRL, PR_TAGGED_ADDR_ENABLE, 0, 0, 0);
#else
	return false;
#endif
}

static void *tagged(const void *p, unsigned int tag)
{
	return (void *)((uintptr_t)p | (uintptr_t)tag << (8 * sizeof(p) - 8));
}

FIXTURE(tagged) {
	struct dt_rng rng;
	long long pins;
	int copy, xor2;
	uint8_t *src, *dst, *want;
};

FIXTURE_SETUP(tagged)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->copy = dt_open("copy", 0);
	self->xor2 = dt_open("xor2", 0);
	ASSERT_LE(0, self->copy);
	ASSERT_LE(0, self->xor2);
	self->src = dt_mmap(ROOM);
	self->dst = dt_mmap(ROOM);
	self->want = dt_mmap(ROOM);
	dt_fill(&self->rng, self->src, ROOM);
}

FIXTURE_TEARDOWN(tagged)
{
	close(self->copy);
	close(self->xor2);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

#define NEED_TAGS()						\
do {								\
	if (!enable_tags())					\
		SKIP(return, "no tagged addresses");		\
} while (0)

/* Data, done in write() and by workers, which have no tags of their own */
TEST_F(tagged, buffers)
{
	NEED_TAGS();
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i];
		struct dt_req r;

		memset(self->dst, 0xee, ROOM);
		memset(self->want, 0xee, ROOM);
		memcpy(self->want + 77, self->src + 5, len);
		dt_req_init1(&r, "copy", i, tagged(self->dst + 77, 0x5a), len,
			     tagged(self->src + 5, 0xff));
		EXPECT_EQ(0, dt_do(self->copy, &r.req));
		EXPECT_EQ(-1, dt_diff(self->dst, self->want, ROOM)) {
			TH_LOG("%zu bytes", len);
		}
	}
}

/* All that a record points to, and the record itself */
TEST_F(tagged, record)
{
	void *const in[] = { tagged(self->src, 1), tagged(self->src + 4096, 2) };
	struct dt_req r;

	NEED_TAGS();
	dt_req_init(&r, dt_func("xor2"), 1, tagged(self->dst, 3), 4000, in, 0);
	r.req.req_outbuf.dmbuf_iov = tagged(&r.out_iov, 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(in); i++) {
		r.in[i].dmbuf_iov = tagged(&r.in_iov[i], 5 + i);
	}
	r.req.req_inbuf = tagged(r.in, 7);
	EXPECT_EQ(0, dt_do(self->xor2, tagged(&r.req, 8)));
	for (unsigned int i = 0; i < 4000; i++) {
		self->want[i] = self->src[i] ^ self->src[4096 + i];
	}
	EXPECT_EQ(-1, dt_diff(self->dst, self->want, 4000));
}

/* Overlap is of memory, not of numbers */
TEST_F(tagged, overlap)
{
	struct dt_req r;

	NEED_TAGS();
	dt_req_init1(&r, "copy", 1, tagged(self->src + 10, 9), 100, tagged(self->src, 8));
	EXPECT_EQ(EINVAL, dt_refused(self->copy, &r.req));
	dt_req_init1(&r, "copy", 2, tagged(self->src, 9), 100, tagged(self->src, 8));
	EXPECT_EQ(0, dt_do(self->copy, &r.req));
}

/* A hole is one behind any tag */
TEST_F(tagged, fault)
{
	uint8_t *end = dt_guarded(MAX_LEN);

	NEED_TAGS();
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct dt_req r;

		dt_req_init1(&r, "copy", i, tagged(self->dst, 1), lengths[i],
			     tagged(end + MAX_LEN - lengths[i] + 1, 2));
		EXPECT_EQ(EFAULT, dt_do(self->copy, &r.req));
	}
}

TEST_HARNESS_MAIN
