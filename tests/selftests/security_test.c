// SPDX-License-Identifier: GPL-2.0
/*
 * A user without privileges asks to have memory written that he may only read, or
 * not even that: the page cache of root's files, what seals protect, the zero page,
 * the kernel. He is refused, and it stays as it was; where he may write a copy, it is
 * the copy that is written.
 *
 * The same while memory and requests change: security_race_test. Further kinds of
 * such memory, for root: fault_test; the vDSO and [vvar]: unpinnable_test.
 */
#include <errno.h>
#include <sys/resource.h>

#include "forbidden.h"
#include "kselftest_harness.h"

#define SMALL	5000UL		/* not too large for write() */
#define AT	100UL		/* where requests begin */

static const size_t lengths[] = { SMALL, FB_LEN - 2 * AT };

#define NR_KERNEL	6

FIXTURE(forbidden) {
	struct dt_rng rng;
	long long pins;
	struct forbidden forbidden;
	uint8_t *before;	/* FB_LEN bytes, what a mapping held */
	uint8_t *src, *own;	/* FB_LEN bytes each, the user's */
	void *kernel[NR_KERNEL];
	int copy, xor2;
};

FIXTURE_VARIANT(forbidden) {
	rlim_t memlock;
};

FIXTURE_VARIANT_ADD(forbidden, pinned) {
	.memlock = RLIM_INFINITY,
};

/* Nothing is pinned: the CPU goes through the mapping */
FIXTURE_VARIANT_ADD(forbidden, unpinned) {
	.memlock = 0,
};

FIXTURE_SETUP(forbidden)
{
	void *const kernel[NR_KERNEL] = {
		fb_section(".data"), fb_section(".bss"), fb_section(".text"),
		(void *)-4096L,
		/* x86-64: [vsyscall]; where programs end */
		(void *)(sizeof(long) == 8 ? 0xffffffffff600000UL : 0xffff0000UL),
		(void *)(sizeof(long) == 8 ? 0x7ffffffff000UL : 0xc0000000UL),
	};

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	memcpy(self->kernel, kernel, sizeof(kernel));
	self->before = dt_mmap(FB_LEN);
	self->src = dt_mmap(FB_LEN);
	self->own = dt_mmap(FB_LEN);
	dt_fill(&self->rng, self->src, FB_LEN);
	ASSERT_EQ(0, fb_make(&self->forbidden, &self->rng));
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, variant->memlock));
	ASSERT_EQ(0, dt_become(DT_NOBODY));
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
	self->xor2 = dt_open("xor2", 0);
	ASSERT_LE(0, self->xor2);
}

FIXTURE_TEARDOWN(forbidden)
{
	EXPECT_EQ(NULL, fb_harm(self->copy, self->own, self->src, variant->memlock));
	close(self->copy);
	close(self->xor2);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- memory that can be read; or the test aborts */

static uint8_t *anonymous(int prot)
{
	uint8_t *p = mmap(NULL, FB_LEN, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static uint8_t *shared_file(const struct forbidden *f)
{
	return fb_map_shared(f);
}

static uint8_t *private_file(const struct forbidden *f)
{
	return fb_map(f, PROT_READ, MAP_PRIVATE);
}

static uint8_t *private_copy(const struct forbidden *f)
{
	uint8_t *p = fb_map(f, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	for (size_t at = 0; at < FB_LEN; at += 4096)
		p[at] ^= 0xff;
	mprotect(p, FB_LEN, PROT_READ);
	return p;
}

static uint8_t *writable_private_file(const struct forbidden *f)
{
	return fb_map(f, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static uint8_t *zero_page(const struct forbidden *f)
{
	return anonymous(PROT_READ);
}

static uint8_t *writable_zero_page(const struct forbidden *f)
{
	return anonymous(PROT_READ | PROT_WRITE);
}

static int sealed_memfd(int seal)
{
	int fd = memfd_create("dmio", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, FB_LEN) || pwrite(fd, "sealed", 6, AT) != 6 ||
	    fcntl(fd, F_ADD_SEALS, seal))
		abort();
	return fd;
}

/* Older kernels let nobody map it shared who could write, were it not for the seal */
static uint8_t *sealed(const struct forbidden *f)
{
	int fd = sealed_memfd(F_SEAL_WRITE);
	struct forbidden reader = { .file = fb_reopen(fd, O_RDONLY) };
	uint8_t *p = fb_map(&reader, PROT_READ, MAP_SHARED);

	close(fd);
	close(reader.file);
	return p;
}

static uint8_t *sealed_from_now_on(const struct forbidden *f)
{
	struct forbidden writer = { .file = sealed_memfd(F_SEAL_FUTURE_WRITE) };
	uint8_t *p = fb_map(&writer, PROT_READ, MAP_SHARED);

	close(writer.file);
	return p;
}

static const struct target {
	const char *name;
	uint8_t *(*make)(const struct forbidden *f);
	int err;
} targets[] = {
	{ "root's file, shared",	shared_file,		EFAULT },
	{ "root's file, private",	private_file,		EFAULT },
	{ "root's file, a copy",	private_copy,		EFAULT },
	{ "the zero page",		zero_page,		EFAULT },
	{ "a sealed memfd",		sealed,			EFAULT },
	{ "a memfd sealed against what is to come", sealed_from_now_on, EFAULT },
	/* One may, but it is a copy that is written */
	{ "root's file, writable in private", writable_private_file, 0 },
	{ "the zero page, writable",	writable_zero_page,	0 },
};

/* How an output gets there: alone, in place, behind memory that is one's own */
enum how { ALONE, IN_PLACE, BEHIND, NR_HOW };

static int ask(const FIXTURE_DATA(forbidden) *self, enum how how, uint8_t *at, size_t len)
{
	void *in[] = { at, self->src };
	struct iovec iov[2];
	struct dt_req r;

	if (how == IN_PLACE) {
		dt_req_init(&r, dt_func("xor2"), 1, at, len, in, 0);
		return dt_do(self->xor2, &r.req);
	}
	dt_req_init1(&r, "copy", 1, at, len, self->src);
	if (how == BEHIND) {
		iov[0] = (struct iovec){ self->own, AT };
		iov[1] = (struct iovec){ at + AT, len - AT };
		r.req.req_outbuf = (dmio_buffer){ iov, 2 };
	}
	return dt_do(self->copy, &r.req);
}

static void try_target(struct __test_metadata *_metadata, const FIXTURE_DATA(forbidden) *self,
		       const struct target *t, enum how how, size_t len)
{
	uint8_t *p = t->make(&self->forbidden), *want = self->before;
	size_t at = how == BEHIND ? 2 * AT : AT, end = AT + len;

	/* It is mapped now */
	memcpy(want, p, FB_LEN);
	for (size_t i = at; !t->err && i < end; i++)
		want[i] = self->src[i - AT] ^ (how == IN_PLACE ? p[i] : 0);
	EXPECT_EQ(t->err, ask(self, how, p + AT, len)) {
		TH_LOG("%s, %u, %zu bytes", t->name, how, len);
	}
	EXPECT_EQ(-1, dt_diff(p, want, FB_LEN)) {
		TH_LOG("%s, %u, %zu bytes", t->name, how, len);
	}
	EXPECT_TRUE(fb_is_intact(&self->forbidden)) {
		TH_LOG("%s, %u, %zu bytes", t->name, how, len);
	}
	munmap(p, FB_LEN);
}

TEST_F(forbidden, what_one_may_only_read)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(targets) * ARRAY_SIZE(lengths) * NR_HOW; i++)
		try_target(_metadata, self, &targets[i / NR_HOW / ARRAY_SIZE(lengths)],
			   i % NR_HOW, lengths[i / NR_HOW % ARRAY_SIZE(lengths)]);
}

/* -- the kernel's memory, some of it by its true address */

TEST_F(forbidden, the_kernel)
{
	for (unsigned int i = 0; i < NR_KERNEL * ARRAY_SIZE(lengths); i++) {
		void *at = self->kernel[i / ARRAY_SIZE(lengths)];
		size_t len = lengths[i % ARRAY_SIZE(lengths)];
		struct iovec iov[2] = { { NULL, len - 64 }, { at, 64 } };
		struct dt_req r;

		if (!at)
			continue;
		iov[0].iov_base = self->own;
		dt_req_init1(&r, "copy", 1, NULL, len, self->src);
		r.req.req_outbuf = (dmio_buffer){ iov, 2 };
		EXPECT_EQ(EFAULT, dt_do(self->copy, &r.req)) {
			TH_LOG("to %p", at);
		}
		memset(self->own, 0xee, FB_LEN);
		iov[0].iov_base = self->src;
		dt_req_init1(&r, "copy", 1, self->own, len, NULL);
		r.in[0] = (dmio_buffer){ iov, 2 };
		EXPECT_EQ(EFAULT, dt_do(self->copy, &r.req)) {
			TH_LOG("from %p", at);
		}
		for (size_t k = len - 64; k < FB_LEN; k++)
			ASSERT_EQ(0xee, self->own[k]);
	}
}

TEST_HARNESS_MAIN
