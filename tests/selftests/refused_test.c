// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a record can be wrong, behind two good ones: those are
 * accepted, and done. The bad one has its own error when it comes alone, does
 * nothing, and leaves nothing behind: no place in the queue, none among the
 * user's requests, no memory, no pin.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

#define LEN	1000			/* of each region of the bad one */
#define LARGE	(200UL << 10)		/* of the second good one: for a worker */
#define BEFORE	0x3c			/* in the outputs */

/* What the bad one points to */
struct arena {
	uint8_t *out, *in;		/* 64 KiB each, one behind the other */
	struct iovec *many;		/* DT_MAX_IOV + 1 of them, of one byte */
};

struct refusal {
	const char *name;
	int err;
	void (*spoil)(struct dt_req *r, const struct arena *a);
	size_t missing;			/* bytes of the record that cannot be read */
};

/* -- the array of records, or one that a record points to, cannot be read */

static void nothing(struct dt_req *r, const struct arena *a)
{
}

/* The same bytes, of which the last @missing cannot be read */
static void *cut_off(const void *array, size_t len, size_t missing)
{
	uint8_t *copy = dt_guarded(len - missing);

	memcpy(copy, array, len - missing);
	return copy;
}

static void output_array_null(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf.dmbuf_iov = NULL;
}

static void output_array_cut(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf.dmbuf_iov = cut_off(&r->out_iov, sizeof(r->out_iov), 1);
}

static void output_array_of_the_kernel(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf.dmbuf_iov = (void *)-4096L;
}

static void input_array_null(struct dt_req *r, const struct arena *a)
{
	r->in[1].dmbuf_iov = NULL;
}

/* Behind many that can be: it is read in pieces */
static void input_array_cut(struct dt_req *r, const struct arena *a)
{
	size_t len = DT_MAX_IOV * sizeof(struct iovec);

	r->out_iov.iov_len = DT_MAX_IOV;
	r->in_iov[0].iov_len = DT_MAX_IOV;
	r->in[1].dmbuf_iov = cut_off(a->many, len, 1);
	r->in[1].dmbuf_iovcnt = DT_MAX_IOV;
}

static void inputs_null(struct dt_req *r, const struct arena *a)
{
	r->req.req_inbuf = NULL;
}

static void inputs_cut(struct dt_req *r, const struct arena *a)
{
	r->req.req_inbuf = cut_off(r->in, 2 * sizeof(r->in[0]), sizeof(r->in[0]));
}

/* -- counts */

static void output_without_iovecs(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf.dmbuf_iovcnt = 0;
}

static void output_of_too_many(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf = (dmio_buffer){ a->many, DT_MAX_IOV + 1 };
	r->in_iov[0].iov_len = DT_MAX_IOV + 1;
	r->in_iov[1].iov_len = DT_MAX_IOV + 1;
}

static void output_of_most(struct dt_req *r, const struct arena *a)
{
	r->req.req_outbuf.dmbuf_iovcnt = UINT_MAX;
}

static void input_without_iovecs(struct dt_req *r, const struct arena *a)
{
	r->in[1].dmbuf_iovcnt = 0;
}

static void input_of_too_many(struct dt_req *r, const struct arena *a)
{
	r->out_iov.iov_len = DT_MAX_IOV + 1;
	r->in_iov[0].iov_len = DT_MAX_IOV + 1;
	r->in[1] = (dmio_buffer){ a->many, DT_MAX_IOV + 1 };
}

/* -- lengths */

static void all_lengths(struct dt_req *r, size_t len)
{
	r->out_iov.iov_len = len;
	r->in_iov[0].iov_len = len;
	r->in_iov[1].iov_len = len;
}

static void nothing_to_do(struct dt_req *r, const struct arena *a)
{
	all_lengths(r, 0);
}

static void output_too_long(struct dt_req *r, const struct arena *a)
{
	r->out_iov.iov_len++;
}

static void output_too_short(struct dt_req *r, const struct arena *a)
{
	r->out_iov.iov_len--;
}

static void input_too_long(struct dt_req *r, const struct arena *a)
{
	r->in_iov[1].iov_len++;
}

static void input_empty(struct dt_req *r, const struct arena *a)
{
	r->in_iov[1].iov_len = 0;
}

static void above_ssize_max(struct dt_req *r, const struct arena *a)
{
	all_lengths(r, (size_t)SSIZE_MAX + 1);
}

static void sum_overflows(struct dt_req *r, const struct arena *a)
{
	a->many[0] = (struct iovec){ a->out, SIZE_MAX };
	a->many[1] = (struct iovec){ a->out, LEN + 1 };
	r->req.req_outbuf = (dmio_buffer){ a->many, 2 };
}

static void output_wraps(struct dt_req *r, const struct arena *a)
{
	r->out_iov.iov_base = (void *)-1L;
}

static void input_wraps(struct dt_req *r, const struct arena *a)
{
	r->in_iov[1].iov_base = (void *)-1L;
}

/* -- overlap */

static void output_is_half_an_input(struct dt_req *r, const struct arena *a)
{
	r->out_iov.iov_base = (uint8_t *)r->in_iov[1].iov_base + LEN / 2;
}

static void output_overlaps_itself(struct dt_req *r, const struct arena *a)
{
	a->many[0] = (struct iovec){ a->out, LEN / 2 };
	a->many[1] = (struct iovec){ a->out + LEN / 2 - 1, LEN - LEN / 2 };
	r->req.req_outbuf = (dmio_buffer){ a->many, 2 };
}

/* Too many ranges to be sorted on the stack */
static void output_overlaps_itself_at_last(struct dt_req *r, const struct arena *a)
{
	all_lengths(r, DT_MAX_IOV);
	a->many[DT_MAX_IOV - 1] = a->many[0];
	r->req.req_outbuf = (dmio_buffer){ a->many, DT_MAX_IOV };
}

static const struct refusal refusals[] = {
	{ "record, nothing to be read",		EFAULT, nothing, DT_REC },
	{ "record, last byte not to be read",	EFAULT, nothing, 1 },
	{ "output's iovecs: NULL",		EFAULT, output_array_null, 0 },
	{ "output's iovecs: not all of one",	EFAULT, output_array_cut, 0 },
	{ "output's iovecs: the kernel's",	EFAULT, output_array_of_the_kernel, 0 },
	{ "input's iovecs: NULL",		EFAULT, input_array_null, 0 },
	{ "input's iovecs: not the last one",	EFAULT, input_array_cut, 0 },
	{ "inputs: NULL",			EFAULT, inputs_null, 0 },
	{ "inputs: one of two",			EFAULT, inputs_cut, 0 },
	{ "output of no iovecs",		EINVAL, output_without_iovecs, 0 },
	{ "output of too many iovecs",		EINVAL, output_of_too_many, 0 },
	{ "output of 2^32 - 1 iovecs",		EINVAL, output_of_most, 0 },
	{ "input of no iovecs",			EINVAL, input_without_iovecs, 0 },
	{ "input of too many iovecs",		EINVAL, input_of_too_many, 0 },
	{ "no byte in any region",		EINVAL, nothing_to_do, 0 },
	{ "output too long",			EINVAL, output_too_long, 0 },
	{ "output too short",			EINVAL, output_too_short, 0 },
	{ "input too long",			EINVAL, input_too_long, 0 },
	{ "input empty",			EINVAL, input_empty, 0 },
	{ "longer than SSIZE_MAX",		EINVAL, above_ssize_max, 0 },
	{ "sum of lengths overflows",		EINVAL, sum_overflows, 0 },
	{ "output over the end of memory",	EINVAL, output_wraps, 0 },
	{ "input over the end of memory",	EINVAL, input_wraps, 0 },
	{ "output is half an input",		EINVAL, output_is_half_an_input, 0 },
	{ "output overlaps itself",		EINVAL, output_overlaps_itself, 0 },
	{ "output's last iovec overlaps",	EINVAL, output_overlaps_itself_at_last, 0 },
};

FIXTURE(refused) {
	struct dt_rng rng;
	long long pins, limit;
	int fd;
	uint8_t *out, *in, *want;	/* the good ones' */
	struct dt_req good[2];
	struct arena arena;
	uint8_t *arena_was;
};

#define ARENA	(128UL << 10)

FIXTURE_SETUP(refused)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	/* Were one refused still counted, there would be no room for the next */
	self->limit = dt_param("max_requests");
	ASSERT_EQ(0, dt_set_param("max_requests", 3));
	self->fd = dt_open("xor2", O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->out = dt_mmap(2 * LARGE);
	self->in = dt_mmap(2 * LARGE);
	self->want = dt_mmap(2 * LARGE);
	self->arena.out = dt_mmap(ARENA);
	self->arena.in = self->arena.out + ARENA / 2;
	self->arena.many = dt_mmap((DT_MAX_IOV + 1) * sizeof(struct iovec));
	self->arena_was = dt_mmap(ARENA);
	dt_fill(&self->rng, self->in, 2 * LARGE);
	dt_fill(&self->rng, self->arena.out, ARENA);
	memcpy(self->arena_was, self->arena.out, ARENA);

	memset(self->want, BEFORE, 2 * LARGE);
	for (unsigned int i = 0; i < 2; i++) {
		void *const in[] = { self->in + i, self->in + LARGE };
		size_t at = i * (LARGE / 2), len = i ? LARGE : LEN;

		dt_req_init(&self->good[i], dt_func("xor2"), i, self->out + at, len, in, 0);
		dt_compute(dt_func("xor2"), 0, self->good[i].in, self->want + at, len);
	}
}

FIXTURE_TEARDOWN(refused)
{
	close(self->fd);
	EXPECT_EQ(0, dt_set_param("max_requests", self->limit));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static void make_bad(struct dt_req *r, const struct arena *a, const struct refusal *c)
{
	void *const in[] = { a->in, a->in + 4096 };

	for (unsigned int i = 0; i <= DT_MAX_IOV; i++)
		a->many[i] = (struct iovec){ a->out + 8192 + 2 * i, 1 };
	dt_req_init(r, dt_func("xor2"), 2, a->out, LEN, in, 0);
	c->spoil(r, a);
}

static const char *const states[] = { "queued", "pinning", "running", "answered" };

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(refused) *self,
		const struct refusal *c)
{
	struct dmio_usrreq flat[3] = { self->good[0].req, self->good[1].req };
	struct dmio_usrresp resp[2];
	struct dt_req bad;
	uint8_t *records;

	make_bad(&bad, &self->arena, c);
	flat[2] = bad.req;
	records = cut_off(flat, sizeof(flat), c->missing);
	memset(self->out, BEFORE, 2 * LARGE);
	ASSERT_EQ(2, dt_write(self->fd, (void *)records, 3));
	ASSERT_EQ(0, dt_collect(self->fd, resp, 2));
	EXPECT_TRUE(dt_ids_once(resp, 2, 0));
	EXPECT_EQ(-1, dt_diff(self->out, self->want, 2 * LARGE));

	EXPECT_EQ(c->err, dt_refused(self->fd, (void *)(records + 2 * DT_REC)));
	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++) {
		EXPECT_EQ(0, dt_nr(self->fd, states[i]));
	}
	EXPECT_EQ(-1, dt_diff(self->arena.out, self->arena_was, ARENA));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_F_TIMEOUT(refused, behind_two_good_ones, 120)
{
	for (unsigned int i = 0; i < 4 * ARRAY_SIZE(refusals); i++) {
		const struct refusal *c = &refusals[i % ARRAY_SIZE(refusals)];

		run(_metadata, self, c);
		ASSERT_TRUE(_metadata->passed) {
			TH_LOG("%s", c->name);
		}
	}
}

TEST_HARNESS_MAIN
