// SPDX-License-Identifier: GPL-2.0
/*
 * An output may not overlap itself or an input, except that it may *be* an
 * input, in place: the same bytes in the same order, however each is cut.
 * Inputs may overlap each other as they like.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

#define ROOM	(32UL << 10)
#define MAX_IOV	4

/* A region: pieces of @len bytes at @off; all zero ends the list. */
struct piece {
	size_t off, len;
};

struct overlap_case {
	const char *name;
	const char *func;
	int err;
	struct piece out[MAX_IOV];
	struct piece in[3][MAX_IOV];
};

static const struct overlap_case cases[] = {
	/* one input */
	{ "apart", "copy", 0, { { 0, 100 } }, { { { 5000, 100 } } } },
	{ "input right behind", "copy", 0, { { 0, 100 } }, { { { 100, 100 } } } },
	{ "input right before", "copy", 0, { { 100, 100 } }, { { { 0, 100 } } } },
	{ "one byte, behind", "copy", EINVAL, { { 0, 100 } }, { { { 99, 100 } } } },
	{ "one byte, before", "copy", EINVAL, { { 99, 100 } }, { { { 0, 100 } } } },
	{ "half", "copy", EINVAL, { { 0, 100 } }, { { { 50, 100 } } } },
	{ "half, whole pages", "copy", EINVAL, { { 0, 8192 } }, { { { 4096, 8192 } } } },
	{ "large, one byte", "copy", EINVAL, { { 0, 16384 } }, { { { 16383, 16384 } } } },
	{ "in place", "copy", 0, { { 10, 100 } }, { { { 10, 100 } } } },
	{ "in place, output cut", "copy", 0,
	  { { 10, 1 }, { 11, 60 }, { 71, 39 } }, { { { 10, 100 } } } },
	{ "in place, input cut", "copy", 0,
	  { { 10, 100 } }, { { { 10, 99 }, { 109, 1 } } } },
	{ "in place, both cut differently", "copy", 0,
	  { { 10, 50 }, { 60, 50 } }, { { { 10, 20 }, { 30, 60 }, { 90, 20 } } } },
	{ "in place, scattered, cut differently", "copy", 0,
	  { { 900, 50 }, { 10, 50 } }, { { { 900, 20 }, { 920, 30 }, { 10, 50 } } } },
	{ "in place, with empty pieces", "copy", 0,
	  { { 10, 50 }, { 60, 50 } }, { { { 10, 50 }, { 500, 0 }, { 60, 50 } } } },
	{ "same bytes, other order", "copy", EINVAL,
	  { { 10, 50 }, { 60, 50 } }, { { { 60, 50 }, { 10, 50 } } } },
	{ "half in place", "copy", EINVAL,
	  { { 10, 50 }, { 60, 50 } }, { { { 10, 50 }, { 500, 50 } } } },
	{ "last byte in place", "copy", EINVAL,
	  { { 10, 99 }, { 300, 1 } }, { { { 500, 99 }, { 300, 1 } } } },
	{ "shifted by one", "copy", EINVAL, { { 10, 100 } }, { { { 11, 100 } } } },
	{ "input in the gaps of the output", "copy", 0,
	  { { 0, 10 }, { 20, 10 } }, { { { 10, 10 }, { 30, 10 } } } },
	{ "input touches a piece", "copy", EINVAL,
	  { { 0, 10 }, { 20, 10 } }, { { { 10, 11 }, { 31, 9 } } } },
	{ "empty input piece inside the output", "copy", 0,
	  { { 0, 100 } }, { { { 500, 50 }, { 50, 0 }, { 550, 50 } } } },
	{ "empty output piece inside the input", "copy", 0,
	  { { 0, 50 }, { 520, 0 }, { 50, 50 } }, { { { 500, 100 } } } },
	{ "output overlaps itself", "copy", EINVAL,
	  { { 0, 50 }, { 49, 50 } }, { { { 500, 100 } } } },
	{ "in place, but overlapping itself", "copy", EINVAL,
	  { { 0, 50 }, { 49, 50 } }, { { { 0, 50 }, { 49, 50 } } } },
	{ "the same input piece twice", "copy", 0,
	  { { 0, 50 }, { 50, 50 } }, { { { 500, 50 }, { 500, 50 } } } },
	{ "input overlaps itself", "copy", 0,
	  { { 0, 50 }, { 50, 50 } }, { { { 500, 50 }, { 517, 50 } } } },
	/* several inputs */
	{ "inputs overlap each other", "xor2", 0,
	  { { 0, 100 } }, { { { 500, 100 } }, { { 550, 100 } } } },
	{ "inputs are the same", "xor2", 0,
	  { { 0, 100 } }, { { { 500, 100 } }, { { 500, 100 } } } },
	{ "first in place", "xor2", 0,
	  { { 0, 100 } }, { { { 0, 100 } }, { { 500, 100 } } } },
	{ "second in place", "xor2", 0,
	  { { 0, 100 } }, { { { 500, 100 } }, { { 0, 100 } } } },
	{ "both in place", "xor2", 0,
	  { { 0, 100 } }, { { { 0, 100 } }, { { 0, 100 } } } },
	{ "both in place, cut", "xor2", 0,
	  { { 0, 100 } }, { { { 0, 1 }, { 1, 99 } }, { { 0, 99 }, { 99, 1 } } } },
	{ "one in place, other overlaps", "xor2", EINVAL,
	  { { 0, 100 } }, { { { 0, 100 } }, { { 99, 100 } } } },
	{ "other overlaps, one in place", "xor2", EINVAL,
	  { { 100, 100 } }, { { { 1, 100 } }, { { 100, 100 } } } },
	{ "second overlaps", "xor2", EINVAL,
	  { { 0, 100 } }, { { { 500, 100 } }, { { 50, 100 } } } },
	{ "third overlaps", "xor3", EINVAL,
	  { { 1000, 100 } }, { { { 0, 100 } }, { { 500, 100 } }, { { 901, 100 } } } },
	{ "third in place", "xor3", 0,
	  { { 1000, 100 } }, { { { 0, 100 } }, { { 500, 100 } }, { { 1000, 100 } } } },
	{ "all in place", "xor3", 0,
	  { { 1000, 100 } }, { { { 1000, 100 } }, { { 1000, 100 } }, { { 1000, 100 } } } },
	{ "the third in another order", "xor3", EINVAL,
	  { { 0, 50 }, { 50, 50 } },
	  { { { 0, 100 } }, { { 0, 100 } }, { { 50, 50 }, { 0, 50 } } } },
};

FIXTURE(overlap) {
	struct dt_rng rng;
	long long pins;
	uint8_t *mem, *want;
};

FIXTURE_SETUP(overlap)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->mem = dt_mmap(ROOM);
	self->want = dt_mmap(ROOM);
}

FIXTURE_TEARDOWN(overlap)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* The last piece is the last with a length: an empty one may stand before it. */
static dmio_buffer buffer_of(struct iovec *iov, const struct piece *p, uint8_t *mem)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < MAX_IOV; i++) {
		iov[i] = (struct iovec){ mem + p[i].off, p[i].len };
		if (p[i].len)
			nr = i + 1;
	}
	return (dmio_buffer){ iov, nr };
}

static void run_case(struct __test_metadata *_metadata, const struct overlap_case *c,
		     uint8_t *mem, uint8_t *want)
{
	struct iovec iov[4][MAX_IOV];
	const struct dt_func *f = dt_func(c->func);
	uint8_t *linear = malloc(ROOM);
	int fd = dt_open(c->func, 0);
	dmio_buffer in[3], shadow;
	struct dmio_usrreq req;
	size_t len = 0;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(linear != NULL);
	dt_req_garbage(&req, 1);
	req.req_outbuf = buffer_of(iov[3], c->out, mem);
	for (unsigned int i = 0; i < f->nr_in; i++) {
		in[i] = buffer_of(iov[i], c->in[i], mem);
	}
	req.req_inbuf = in;
	memcpy(want, mem, ROOM);
	if (c->err) {
		EXPECT_EQ(c->err, dt_refused(fd, &req)) {
			TH_LOG("%s: %s", c->func, c->name);
		}
	} else {
		for (unsigned int i = 0; i < MAX_IOV; i++) {
			len += c->out[i].len;
		}
		dt_compute(f, 0, in, linear, len);
		EXPECT_EQ(0, dt_do(fd, &req)) {
			TH_LOG("%s: %s", c->func, c->name);
		}
		shadow = buffer_of(iov[3], c->out, want);
		dt_spread(&shadow, linear);
	}
	EXPECT_EQ(-1, dt_diff(mem, want, ROOM)) {
		TH_LOG("%s: %s", c->func, c->name);
	}
	free(linear);
	close(fd);
}

TEST_F_TIMEOUT(overlap, table, 60)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		dt_fill(&self->rng, self->mem, ROOM);
		run_case(_metadata, &cases[i], self->mem, self->want);
	}
}

/* The rule itself, byte by byte, for small regions in a small memory */
static bool legal(const dmio_buffer *out, const dmio_buffer *in, const uint8_t *mem)
{
	static uint8_t written[64];
	const uint8_t *at[2][64];
	unsigned int nr[2] = { 0, 0 };
	const dmio_buffer *const both[] = { out, in };
	bool same = true, touch = false;

	memset(written, 0, sizeof(written));
	for (unsigned int b = 0; b < 2; b++)
		for (unsigned int i = 0; i < both[b]->dmbuf_iovcnt; i++)
			for (size_t k = 0; k < both[b]->dmbuf_iov[i].iov_len; k++)
				at[b][nr[b]++] =
					(uint8_t *)both[b]->dmbuf_iov[i].iov_base + k;
	for (unsigned int i = 0; i < nr[0]; i++)
		if (written[at[0][i] - mem]++)
			return false;
	for (unsigned int i = 0; i < nr[1]; i++) {
		touch |= written[at[1][i] - mem];
		same &= at[1][i] == at[0][i];
	}
	return same || !touch;
}

/*
 * Random regions against that rule: pieces anywhere in 64 bytes, every
 * fourth input cut from the very bytes of the output.
 */
TEST_F_TIMEOUT(overlap, against_brute_force, 60)
{
	unsigned int rounds = dt_scale(3000, 100000), nr_legal = 0;
	int fd = dt_open("copy", 0);

	ASSERT_LE(0, fd);
	for (unsigned int round = 0; round < rounds; round++) {
		struct iovec iov[2][16];
		size_t len[2] = { 0, 0 };
		struct dmio_usrreq req;
		dmio_buffer in, out;
		unsigned int nr = dt_between(&self->rng, 1, 3);

		for (unsigned int i = 0; i < nr; i++) {
			size_t n = dt_below(&self->rng, 6) + (i == 0);

			iov[0][i] = (struct iovec){ self->mem + dt_below(&self->rng, 64 - n), n };
			len[0] += n;
		}
		out = (dmio_buffer){ iov[0], nr };
		for (nr = 0; len[1] < len[0]; nr++) {
			size_t n = dt_between(&self->rng, 1, len[0] - len[1]);

			iov[1][nr] = (struct iovec){ self->mem + dt_below(&self->rng, 64 - n), n };
			len[1] += n;
		}
		in = (dmio_buffer){ iov[1], nr };
		if (round % 4 == 0) {
			/* The output's pieces, one of them in two. */
			memcpy(iov[1], iov[0], out.dmbuf_iovcnt * sizeof(iov[0][0]));
			nr = out.dmbuf_iovcnt;
			iov[1][nr] = iov[1][nr - 1];
			iov[1][nr - 1].iov_len /= 2;
			iov[1][nr].iov_base = (uint8_t *)iov[1][nr].iov_base +
					      iov[1][nr - 1].iov_len;
			iov[1][nr].iov_len -= iov[1][nr - 1].iov_len;
			in.dmbuf_iovcnt = nr + 1;
		}
		dt_req_garbage(&req, round);
		req.req_outbuf = out;
		req.req_inbuf = &in;
		if (legal(&out, &in, self->mem)) {
			nr_legal++;
			ASSERT_EQ(0, dt_do(fd, &req)) {
				TH_LOG("round %u is legal", round);
			}
		} else {
			ASSERT_EQ(-EINVAL, dt_write(fd, &req, 1)) {
				TH_LOG("round %u overlaps", round);
			}
		}
	}
	EXPECT_TRUE(dt_quiet(fd));
	/* Both answers were really tried. */
	EXPECT_LT(rounds / 10, nr_legal);
	EXPECT_LT(nr_legal, rounds - rounds / 10);
	close(fd);
}

TEST_HARNESS_MAIN
