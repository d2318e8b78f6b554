// SPDX-License-Identifier: GPL-2.0
/*
 * The right bytes, and no others: every function, many lengths, alignments
 * and cuts, against an oracle that computes the whole of the memory around.
 *
 * All regions of a request lie scattered in one arena.  A model of the arena
 * has in the output what should come; the arena itself starts with every
 * byte of the output wrong.  Afterwards the two are equal, or a byte was not
 * written, was written wrong, or should not have been touched.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

struct layout {
	const struct dt_func *f;
	size_t len;
	unsigned int nr_out, nr_in;	/* pieces, at most */
	unsigned int in_place;		/* bit i: input i is the output */
	bool same_inputs;		/* all other inputs are one region */
};

FIXTURE(data) {
	struct dt_rng rng;
	long long pins;
	int fd[32];			/* a session for each function */
	uint8_t *arena, *model;
	size_t room;
};

FIXTURE_SETUP(data)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	for (unsigned int i = 0; i < dt_nr_funcs; i++) {
		self->fd[i] = dt_open(dt_funcs[i].name, 0);
		ASSERT_LE(0, self->fd[i]);
	}
	self->room = 20UL << 20;
	self->arena = dt_mmap(self->room);
	self->model = dt_mmap(self->room);
}

FIXTURE_TEARDOWN(data)
{
	for (unsigned int i = 0; i < dt_nr_funcs; i++) {
		close(self->fd[i]);
	}
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* The same region, cut at other places */
static void recut(struct dt_rng *rng, struct dt_region *to, const struct dt_region *from)
{
	unsigned int nr = 0;

	to->iov = calloc(2 * from->nr, sizeof(*to->iov));
	if (!to->iov)
		abort();
	to->len = from->len;
	for (unsigned int i = 0; i < from->nr; i++) {
		struct iovec whole = from->iov[i];
		size_t head = dt_below(rng, whole.iov_len + 1);
		bool cut = from->nr <= DT_MAX_IOV / 2 && dt_below(rng, 2);

		if (!cut)
			head = whole.iov_len;
		to->iov[nr++] = (struct iovec){ whole.iov_base, head };
		if (cut)
			to->iov[nr++] = (struct iovec){ (uint8_t *)whole.iov_base + head,
							whole.iov_len - head };
	}
	to->nr = nr;
}

static unsigned int pieces(struct dt_rng *rng, unsigned int most)
{
	return most >= DT_MAX_IOV ? most : dt_between(rng, 1, most);
}

/*
 * Lay a request out in the arena, let it run, compare.  The result is the
 * error of dt_do(), or -EILSEQ for wrong data, told on stdout.
 */
static int check_layout(struct dt_rng *rng, int fd, uint8_t *arena, uint8_t *model,
			const struct layout *l)
{
	struct dt_region out, in[DMOVERIO_MAX_SRCS];
	dmio_buffer buf[DMOVERIO_MAX_SRCS];
	uint8_t *cursor = arena, *want = malloc(l->len), imm = dt_rand(rng);
	struct dmio_usrreq req;
	ssize_t differ;
	size_t used;
	int err;

	if (!want)
		abort();
	cursor += dt_below(rng, 5000);
	dt_scatter(rng, &out, &cursor, l->len, pieces(rng, l->nr_out));
	for (unsigned int i = 0; i < l->f->nr_in; i++) {
		if (l->in_place >> i & 1)
			recut(rng, &in[i], &out);
		else if (l->same_inputs && i)
			recut(rng, &in[i], &in[0]);
		else
			dt_scatter(rng, &in[i], &cursor, l->len, pieces(rng, l->nr_in));
		buf[i] = (dmio_buffer){ in[i].iov, in[i].nr };
	}
	used = cursor - arena;
	dt_fill(rng, arena, used);
	dt_compute(l->f, imm, buf, want, l->len);
	dt_req_garbage(&req, dt_rand(rng));
	req.req_outbuf = (dmio_buffer){ out.iov, out.nr };
	if (!l->in_place) {
		/* Every byte of the output is wrong now. */
		for (size_t i = 0; i < l->len; i++)
			want[i] ^= 0x5a;
		dt_spread(&req.req_outbuf, want);
		for (size_t i = 0; i < l->len; i++)
			want[i] ^= 0x5a;
	}
	memcpy(model, arena, used);
	for (unsigned int i = 0, at = 0; i < out.nr; at += out.iov[i++].iov_len)
		memcpy(model + ((uint8_t *)out.iov[i].iov_base - arena), want + at,
		       out.iov[i].iov_len);
	if (l->f->op == DT_FILL8)
		req.req_immediate[0] = imm;
	else if (l->f->nr_in)
		req.req_inbuf = buf;

	err = dt_do(fd, &req);
	differ = dt_diff(arena, model, used);
	if (!err && differ != -1)
		err = -EILSEQ;
	if (err) {
		printf("# %s of %zu bytes, %u pieces out, in place 0x%x: %s at %zd: 0x%02x, should be 0x%02x\n",
		       l->f->name, l->len, out.nr, l->in_place, strerror(abs(err)), differ,
		       arena[differ < 0 ? 0 : differ], model[differ < 0 ? 0 : differ]);
		fflush(stdout);
	}
	dt_region_free(&out);
	for (unsigned int i = 0; i < l->f->nr_in; i++)
		dt_region_free(&in[i]);
	free(want);
	return err;
}

TEST_F_TIMEOUT(data, every_function_every_length, 120)
{
	static const size_t lengths[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129,
		255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 4095, 4096, 4097, 8192,
		12289, 32768,
	};
	for (unsigned int round = 0; round < dt_scale(1, 20); round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(lengths) * dt_nr_funcs; i++) {
			unsigned int f = i % dt_nr_funcs;
			struct layout l = {
				.f = &dt_funcs[f], .len = lengths[i / dt_nr_funcs],
				.nr_out = 1 + i % 7, .nr_in = 1 + i % 5,
			};

			ASSERT_EQ(0, check_layout(&self->rng, self->fd[f], self->arena,
						  self->model, &l));
		}
	}
}

TEST_F_TIMEOUT(data, random_lengths, 120)
{
	for (unsigned int round = 0; round < dt_scale(400, 20000); round++) {
		unsigned int f = dt_below(&self->rng, dt_nr_funcs);
		struct layout l = {
			.f = &dt_funcs[f], .len = dt_between(&self->rng, 1, 6000),
			.nr_out = 20, .nr_in = 20,
		};

		ASSERT_EQ(0, check_layout(&self->rng, self->fd[f], self->arena, self->model, &l));
	}
}

/* Around 64 KiB in total, and up to 1 MiB: what runs in a worker */
TEST_F_TIMEOUT(data, large, 120)
{
	static const struct {
		const char *name;
		size_t len;
	} cases[] = {
		{ "zero", 65535 }, { "zero", 65536 }, { "zero", 65537 }, { "zero", 1 << 20 },
		{ "fill8", 65537 }, { "fill8", (1 << 20) - 1 }, { "copy", 32767 },
		{ "copy", 32768 }, { "copy", 32769 }, { "copy", 65537 }, { "copy", 262144 },
		{ "copy", 1 << 20 }, { "xor2", 21845 }, { "xor2", 21846 }, { "xor2", 1 << 20 },
		{ "xor3", 300001 }, { "xor5", 1 << 20 }, { "xor8", 123457 }, { "xor16", 3855 },
		{ "xor16", 3856 }, { "xor16", 500003 },
	};
	for (unsigned int round = 0; round < dt_scale(1, 20); round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
			const struct dt_func *f = dt_func(cases[i].name);
			struct layout l = { .f = f, .len = cases[i].len, .nr_out = 9, .nr_in = 9 };

			ASSERT_EQ(0, check_layout(&self->rng, self->fd[f - dt_funcs],
						  self->arena, self->model, &l));
		}
	}
}

TEST_F_TIMEOUT(data, most_iovecs, 60)
{
	static const char *const names[] = { "zero", "fill8", "copy", "xor2", "xor16" };
	static const size_t lengths[] = { DT_MAX_IOV, 3000, 200000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(names) * ARRAY_SIZE(lengths); i++) {
		const struct dt_func *f = dt_func(names[i % ARRAY_SIZE(names)]);
		/* With as many bytes as pieces, each has one. */
		struct layout l = {
			.f = f, .len = lengths[i / ARRAY_SIZE(names)],
			.nr_out = DT_MAX_IOV, .nr_in = DT_MAX_IOV,
		};

		ASSERT_EQ(0, check_layout(&self->rng, self->fd[f - dt_funcs], self->arena,
					  self->model, &l));
	}
}

TEST_F_TIMEOUT(data, in_place, 60)
{
	static const size_t lengths[] = { 1, 63, 64, 512, 1000, 4096, 30000, 100000 };

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (unsigned int k = dt_func("copy") - dt_funcs; k < dt_nr_funcs; k++) {
			const struct dt_func *f = &dt_funcs[k];
			unsigned int all = (1U << f->nr_in) - 1;
			/* The first, the last, first two, odd ones, all, any. */
			unsigned int masks[] = {
				1, 1U << (f->nr_in - 1), 3 & all, 7 & all, 0xaaaa & all, all,
				dt_rand(&self->rng) & all,
			};

			for (unsigned int m = 0; m < ARRAY_SIZE(masks); m++) {
				struct layout l = {
					.f = f, .len = lengths[i], .nr_out = 4, .nr_in = 4,
					.in_place = masks[m],
				};

				if (lengths[i] > 4096 && m && f->nr_in > 4)
					continue;
				ASSERT_EQ(0, check_layout(&self->rng, self->fd[k], self->arena,
							  self->model, &l));
			}
		}
	}
}

TEST_F_TIMEOUT(data, same_inputs, 60)
{
	for (unsigned int k = dt_func("xor2") - dt_funcs; k < dt_nr_funcs; k++) {
		for (size_t len = 1; len < 40000; len = len * 7 + 1) {
			struct layout l = {
				.f = &dt_funcs[k], .len = len, .nr_out = 3, .nr_in = 3,
				.same_inputs = true,
			};

			ASSERT_EQ(0, check_layout(&self->rng, self->fd[k], self->arena,
						  self->model, &l));
		}
	}
}

/* Every alignment of output and input within 64 bytes, one by one */
TEST_F_TIMEOUT(data, every_alignment, 60)
{
	static const char *const names[] = { "copy", "xor2", "xor3" };
	unsigned int step = dt_scale(5, 1);

	for (unsigned int n = 0; n < ARRAY_SIZE(names); n++) {
		const struct dt_func *f = dt_func(names[n]);
		int fd = self->fd[f - dt_funcs];

		dt_fill(&self->rng, self->arena, 16384);
		for (unsigned int i = 0; i < 64 * 64; i += step) {
			unsigned int a = i % 64, b = i / 64;
			size_t len = dt_between(&self->rng, 1, 700);
			uint8_t *mem = self->arena;
			void *const in[] = { mem + 4096 + b, mem + 8192 + a, mem + 12288 };
			struct dt_req r;

			dt_req_init(&r, f, i, mem + a, len, in, 0);
			memcpy(self->model, mem, 16384);
			dt_compute(f, 0, r.in, self->model + a, len);
			ASSERT_EQ(0, dt_do(fd, &r.req));
			ASSERT_EQ(-1, dt_diff(mem, self->model, 16384)) {
				TH_LOG("%s: output at %u, input at %u, %zu bytes", names[n], a, b,
				       len);
			}
		}
	}
}

/* One page again and again in one region: 300 times the same input bytes */
TEST_F(data, same_page_many_times)
{
	enum { NR = 300, LEN = 1000 };
	int fd = self->fd[dt_func("copy") - dt_funcs];
	uint8_t *src = self->arena + (1 << 20) + 100;
	struct iovec iov[NR];
	struct dt_req r;

	dt_fill(&self->rng, src, LEN);
	for (unsigned int i = 0; i < NR; i++) {
		iov[i] = (struct iovec){ src, LEN };
		memcpy(self->model + i * LEN, src, LEN);
	}
	dt_req_init1(&r, "copy", 1, self->arena, NR * LEN, NULL);
	r.in[0] = (dmio_buffer){ iov, NR };
	ASSERT_EQ(0, dt_do(fd, &r.req));
	ASSERT_EQ(-1, dt_diff(self->arena, self->model, NR * LEN));
	ASSERT_EQ(-1, dt_diff(src, self->model, LEN));
	/* The output: one page in pieces that are disjoint, backwards */
	for (unsigned int i = 0; i < 256; i++) {
		iov[i] = (struct iovec){ self->arena + 4096 - 16 * (i + 1), 16 };
	}
	for (unsigned int i = 0; i < 4096; i++) {
		self->model[4096 - 16 * (i / 16 + 1) + i % 16] = src[i % LEN];
	}
	for (unsigned int i = 0; i < 4096; i++) {
		self->arena[(2 << 20) + i] = src[i % LEN];
	}
	dt_req_init1(&r, "copy", 1, NULL, 4096, self->arena + (2 << 20));
	r.req.req_outbuf = (dmio_buffer){ iov, 256 };
	ASSERT_EQ(0, dt_do(fd, &r.req));
	ASSERT_EQ(-1, dt_diff(self->arena, self->model, NR * LEN));
}

TEST_HARNESS_MAIN
