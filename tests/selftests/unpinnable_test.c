// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the kernel cannot pin: secret memory, a device's memory, the
 * kernel's own pages in every program. The CPU moves it through the mapping,
 * so that it works as any other memory does, and faults where any other would.
 * And the other extreme: huge pages.
 *
 * The memory in question lies between ordinary memory on both sides, and all
 * of that is compared after each request, byte by byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447		/* on every architecture that has it */
#endif

#define KIB	1024UL
#define LEFT	(128 * KIB)		/* ordinary */
#define MIDDLE	(256 * KIB)		/* what cannot be pinned */
#define ALL	(LEFT + MIDDLE + LEFT)

/* -- memory of the kinds in question, mapped at @at; MAP_FAILED where there is none */

static void *map_secret(void *at, int prot)
{
	int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
	void *p;

	if (fd < 0 || ftruncate(fd, MIDDLE))
		return MAP_FAILED;
	p = mmap(at, MIDDLE, prot, MAP_SHARED | MAP_FIXED, fd, 0);
	close(fd);
	return p;
}

static unsigned int read_hex(const char *directory, const char *name)
{
	unsigned int value = 0;
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%x", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return value;
}

static int open_in(const char *directory, const char *name, int flags)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags | O_CLOEXEC);
}

/* A device whose BAR 2 is plain memory: QEMU's ivshmem-plain */
static void *map_bar(void *at, int prot, const char *resource)
{
	void *p = MAP_FAILED;
	glob_t found;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &found))
		return p;
	for (size_t i = 0; i < found.gl_pathc && p == MAP_FAILED; i++) {
		const char *device = found.gl_pathv[i];
		int fd;

		if (read_hex(device, "vendor") != 0x1af4 || read_hex(device, "device") != 0x1110)
			continue;
		/* Its memory does not answer before */
		fd = open_in(device, "enable", O_WRONLY);
		if (write(fd, "1", 1) != 1)
			perror("# enable");
		close(fd);
		fd = open_in(device, resource, O_RDWR);
		p = mmap(at, MIDDLE, prot, MAP_SHARED | MAP_FIXED, fd, 0);
		close(fd);
	}
	globfree(&found);
	return p;
}

static void *map_uncached(void *at, int prot)
{
	return map_bar(at, prot, "resource2");
}

static void *map_write_combined(void *at, int prot)
{
	return map_bar(at, prot, "resource2_wc");
}

/* -- the fixture: once per kind */

FIXTURE(unpinnable) {
	struct dt_rng rng;
	long long pins;
	int copy, xor2;
	uint8_t *all;			/* NULL: there is no such memory */
	uint8_t *want;			/* what @all must be */
	uint8_t *data, *dst;		/* ordinary, ALL bytes each */
};

FIXTURE_VARIANT(unpinnable) {
	void *(*map)(void *at, int prot);
	const char *missing;
};

FIXTURE_VARIANT_ADD(unpinnable, secret) {
	.map = map_secret, .missing = "no secret memory in this kernel",
};

FIXTURE_VARIANT_ADD(unpinnable, device) {
	.map = map_uncached, .missing = "no PCI device that is plain memory",
};

FIXTURE_VARIANT_ADD(unpinnable, device_wc) {
	.map = map_write_combined, .missing = "no PCI device that is plain memory",
};

/* Can the kernel take hold of the pages at @p? This one takes them as we do. */
static bool can_be_pinned(void *p)
{
	uint8_t byte;
	struct iovec here = { &byte, 1 }, there = { p, 1 };

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == 1;
}

FIXTURE_SETUP(unpinnable)
{
	uint8_t *all = dt_mmap(ALL);

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
	self->xor2 = dt_open("xor2", 0);
	ASSERT_LE(0, self->xor2);
	self->want = dt_mmap(ALL);
	self->data = dt_mmap(ALL);
	self->dst = dt_mmap(ALL);
	dt_fill(&self->rng, self->data, ALL);
	dt_fill(&self->rng, self->want, ALL);
	memset(self->dst, 0xee, ALL);
	if (variant->map(all + LEFT, PROT_READ | PROT_WRITE) == MAP_FAILED)
		return;
	self->all = all;
	memcpy(all, self->want, ALL);
	ASSERT_TRUE(can_be_pinned(all));
	ASSERT_FALSE(can_be_pinned(all + LEFT));
	ASSERT_FALSE(can_be_pinned(all + LEFT + MIDDLE - 1));
	ASSERT_TRUE(can_be_pinned(all + LEFT + MIDDLE));
}

FIXTURE_TEARDOWN(unpinnable)
{
	close(self->copy);
	close(self->xor2);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

#define NEED_MEMORY()						\
do {								\
	if (!self->all)						\
		SKIP(return, "%s", variant->missing);		\
} while (0)

/* Inside, over the edges, around all of it; done in write() and by workers */
static const struct part {
	size_t at, len;
} parts[] = {
	{ LEFT + 100, 1 },
	{ LEFT + 100, 5000 },
	{ LEFT, 32 * KIB },
	{ LEFT + 4095, 200000 },
	{ LEFT - 100, 200 },
	{ LEFT - 5001, 10000 },
	{ LEFT - 70000, 140000 },
	{ LEFT + MIDDLE - 100, 200 },
	{ LEFT + MIDDLE - 70000, 140000 },
	{ LEFT - 60001, MIDDLE + 120000 },
};

static int copy(int fd, void *dst, const void *src, size_t len)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, dst, len, src);
	return dt_do(fd, &r.req);
}

TEST_F_TIMEOUT(unpinnable, output, 60)
{
	NEED_MEMORY();
	for (const struct part *p = parts; p < parts + ARRAY_SIZE(parts); p++) {
		dt_fill(&self->rng, self->data, p->len);
		memcpy(self->want + p->at, self->data, p->len);
		EXPECT_EQ(0, copy(self->copy, self->all + p->at, self->data, p->len));
		EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL)) {
			TH_LOG("%zu bytes at %zu", p->len, p->at);
		}
	}
}

TEST_F_TIMEOUT(unpinnable, source, 60)
{
	NEED_MEMORY();
	for (const struct part *p = parts; p < parts + ARRAY_SIZE(parts); p++) {
		memset(self->dst, 0xee, ALL);
		EXPECT_EQ(0, copy(self->copy, self->dst + 1, self->all + p->at, p->len));
		EXPECT_EQ(-1, dt_diff(self->dst + 1, self->want + p->at, p->len)) {
			TH_LOG("%zu bytes at %zu", p->len, p->at);
		}
		EXPECT_EQ(0xee, self->dst[0]);
		EXPECT_EQ(0xee, self->dst[1 + p->len]);
	}
	EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL));
}

/* Both sides cannot be pinned; and in place, with another input that can */
TEST_F_TIMEOUT(unpinnable, both, 60)
{
	static const size_t lengths[] = { 5000, MIDDLE / 2 };

	NEED_MEMORY();
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t *from = self->all + LEFT, *to = from + MIDDLE / 2;
		void *in[] = { to, self->data };
		size_t at = to - self->all;
		struct dt_req r;

		memmove(self->want + at, self->want + LEFT, lengths[i]);
		EXPECT_EQ(0, copy(self->copy, to, from, lengths[i]));
		EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL));

		dt_req_init(&r, dt_func("xor2"), 1, to, lengths[i], in, 0);
		for (size_t k = 0; k < lengths[i]; k++) {
			self->want[at + k] ^= self->data[k];
		}
		EXPECT_EQ(0, dt_do(self->xor2, &r.req));
		EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL));
	}
}

/* Pieces of both kinds in turn, and not cut like the other side */
TEST_F_TIMEOUT(unpinnable, scattered, 60)
{
	enum { NR = 40, PIECE = 4999 };
	struct iovec iov[NR];
	struct dt_req r;

	NEED_MEMORY();
	dt_req_init1(&r, "copy", 1, NULL, NR * PIECE, self->data);
	for (unsigned int i = 0; i < NR; i++) {
		size_t at = i / 2 * (PIECE + 77) + (i % 2 ? LEFT : 0);

		iov[i] = (struct iovec){ self->all + at, PIECE };
		memcpy(self->want + at, self->data + i * PIECE, PIECE);
	}
	r.req.req_outbuf = (dmio_buffer){ iov, NR };
	EXPECT_EQ(0, dt_do(self->copy, &r.req));
	EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL));

	dt_req_init1(&r, "copy", 1, self->dst, NR * PIECE, NULL);
	r.in[0] = (dmio_buffer){ iov, NR };
	EXPECT_EQ(0, dt_do(self->copy, &r.req));
	EXPECT_EQ(-1, dt_diff(self->dst, self->data, NR * PIECE));
}

/* One page is missing: what lies before it is done, what lies behind untouched */
static const struct hole {
	size_t at, len, page;
} holes[] = {
	{ LEFT + 10, 30000, LEFT + 12288 },
	{ LEFT - 10000, 30000, LEFT + 4096 },
	{ LEFT - 70001, 200000, LEFT + 65536 },
	{ LEFT + 4097, MIDDLE, LEFT + 196608 },
};

TEST_F_TIMEOUT(unpinnable, hole_in_the_output, 60)
{
	NEED_MEMORY();
	for (const struct hole *h = holes; h < holes + ARRAY_SIZE(holes); h++) {
		size_t behind = h->page + dt_page_size();

		dt_fill(&self->rng, self->data, h->len);
		memcpy(self->want + h->at, self->data, h->page - h->at);
		ASSERT_EQ(0, munmap(self->all + h->page, dt_page_size()));
		EXPECT_EQ(EFAULT, copy(self->copy, self->all + h->at, self->data, h->len));
		EXPECT_EQ(-1, dt_diff(self->all, self->want, h->page));
		EXPECT_EQ(-1, dt_diff(self->all + behind, self->want + behind, ALL - behind));
		/* Whole again for the next */
		ASSERT_TRUE(variant->map(self->all + LEFT, PROT_READ | PROT_WRITE) != MAP_FAILED);
		memcpy(self->all, self->want, ALL);
	}
}

TEST_F_TIMEOUT(unpinnable, hole_in_the_source, 60)
{
	NEED_MEMORY();
	for (const struct hole *h = holes; h < holes + ARRAY_SIZE(holes); h++) {
		size_t good = h->page - h->at;

		memset(self->dst, 0xee, ALL);
		memset(self->data, 0xee, ALL);
		memcpy(self->data, self->want + h->at, good);
		ASSERT_EQ(0, munmap(self->all + h->page, dt_page_size()));
		EXPECT_EQ(EFAULT, copy(self->copy, self->dst, self->all + h->at, h->len));
		EXPECT_EQ(-1, dt_diff(self->dst, self->data, ALL));
		ASSERT_TRUE(variant->map(self->all + LEFT, PROT_READ | PROT_WRITE) != MAP_FAILED);
		memcpy(self->all, self->want, ALL);
	}
}

TEST_F_TIMEOUT(unpinnable, read_only, 60)
{
	NEED_MEMORY();
	ASSERT_EQ(0, mprotect(self->all + LEFT, MIDDLE, PROT_READ));
	for (const struct part *p = parts; p < parts + ARRAY_SIZE(parts); p++) {
		size_t good = p->at < LEFT ? LEFT - p->at : 0;

		dt_fill(&self->rng, self->data, p->len);
		memcpy(self->want + p->at, self->data, good);
		EXPECT_EQ(EFAULT, copy(self->copy, self->all + p->at, self->data, p->len));
		EXPECT_EQ(-1, dt_diff(self->all, self->want, ALL)) {
			TH_LOG("%zu bytes at %zu", p->len, p->at);
		}
		EXPECT_EQ(0, copy(self->copy, self->dst, self->all + p->at, p->len));
		EXPECT_EQ(-1, dt_diff(self->dst, self->want + p->at, p->len));
	}
}

/* -- what the kernel maps into every program */

FIXTURE(kernel_pages) {
	long long pins;
	int copy;
	size_t page;
};

FIXTURE_SETUP(kernel_pages)
{
	self->pins = dt_pins();
	self->page = dt_page_size();
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
}

FIXTURE_TEARDOWN(kernel_pages)
{
	close(self->copy);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static uint8_t *find_mapping(const char *name, size_t *len)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	uint8_t *found = NULL;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (!strstr(line, name) || sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		found = (uint8_t *)from;
		*len = to - from;
	}
	if (f)
		fclose(f);
	return found;
}

/* What an ordinary system call can read of a page: 0, or the error */
static int read_by_write(const uint8_t *page, uint8_t *to, size_t len)
{
	int pipefd[2], err = 0;

	if (pipe(pipefd))
		return errno;
	if (write(pipefd[1], page, len) != (ssize_t)len)
		err = errno;
	else if (read(pipefd[0], to, len) != (ssize_t)len)
		err = EIO;
	close(pipefd[0]);
	close(pipefd[1]);
	return err;
}

/*
 * The clock's data, which changes all the time; and a page may be empty. What is
 * the same before and after was the same in between, if it is a page with its
 * sequence number: that it was not so is the only reason to look again.
 */
static bool check_vvar(struct __test_metadata *_metadata, FIXTURE_DATA(kernel_pages) *self,
		       const uint8_t *page, uint8_t *mem)
{
	uint8_t *before = mem, *dst = mem + self->page, *after = dst + self->page;
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	do {
		int want = read_by_write(page, before, self->page);

		ASSERT_GT(end, dt_now_ms());
		ASSERT_EQ(want, copy(self->copy, dst, page, self->page));
		if (want || read_by_write(page, after, self->page))
			return false;
	} while (dt_diff(before, after, self->page) != -1);
	EXPECT_EQ(-1, dt_diff(dst, before, self->page));
	return true;
}

TEST_F(kernel_pages, vvar)
{
	uint8_t *mem = dt_mmap(3 * self->page);
	size_t len = 0, readable = 0;
	uint8_t *vvar = find_mapping("[vvar]", &len);

	if (!vvar)
		SKIP(return, "no [vvar] in this program");
	for (size_t at = 0; at < len; at += self->page)
		readable += check_vvar(_metadata, self, vvar + at, mem);
	EXPECT_LT(0, readable);
	memset(mem, 0x3c, self->page);
	EXPECT_EQ(EFAULT, copy(self->copy, vvar, mem, self->page));
}

TEST_F(kernel_pages, vdso)
{
	size_t len = 0;
	uint8_t *vdso = find_mapping("[vdso]", &len), *was, *dst;
	int want;

	if (!vdso)
		SKIP(return, "no [vdso] in this program");
	was = dt_mmap(len);
	dst = dt_mmap(len);
	memcpy(was, vdso, len);
	/* User Mode Linux lets no system call read it, so it may not be us who can */
	want = read_by_write(vdso, dst, len);
	memset(dst, 0xee, len);
	EXPECT_EQ(want, copy(self->copy, dst, vdso, len));
	EXPECT_EQ(want ? 0 : -1, dt_diff(dst, was, len));
	/* Every program's: were it written, it would not be this one's alone */
	EXPECT_EQ(EFAULT, copy(self->copy, vdso, dt_mmap(len), len));
	EXPECT_EQ(EFAULT, copy(self->copy, vdso + 100, dt_mmap(len), 1));
	EXPECT_EQ(-1, dt_diff(was, vdso, len));
}

/* -- huge pages */

#define HUGE	(2048 * KIB)

FIXTURE(huge) {
	struct dt_rng rng;
	long long pins;
	int copy;
	long reserved;			/* huge pages, before the test */
};

static const char nr_hugepages[] = "/proc/sys/vm/nr_hugepages";

/* Returns how many there were, or -1 */
static long reserve(long nr)
{
	FILE *f = fopen(nr_hugepages, "r+");
	long was = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &was) != 1)
		was = -1;
	rewind(f);
	fprintf(f, "%ld\n", nr);
	return fclose(f) ? -1 : was;
}

FIXTURE_SETUP(huge)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->reserved = -1;
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
}

FIXTURE_TEARDOWN(huge)
{
	close(self->copy);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	if (self->reserved >= 0)
		reserve(self->reserved);
}

/* Two huge pages each: parts of them, over the edge, and not aligned alike */
static void move_huge(struct __test_metadata *_metadata, FIXTURE_DATA(huge) *self, uint8_t *src,
		      uint8_t *dst)
{
	static const struct { size_t dst, src, len; } move[] = {
		{ 12345, 777, 2 * HUGE - 54321 },
		{ HUGE - 100, 4000, 200 },
		{ 0, 0, 2 * HUGE },
		{ HUGE - 70000, HUGE - 30000, 140000 },
		{ HUGE + 1, 3, HUGE - 1 },
	};
	uint8_t *want = dt_mmap(2 * HUGE);

	dt_fill(&self->rng, src, 2 * HUGE);
	memset(dst, 0xee, 2 * HUGE);
	memset(want, 0xee, 2 * HUGE);
	for (unsigned int i = 0; i < ARRAY_SIZE(move); i++) {
		memcpy(want + move[i].dst, src + move[i].src, move[i].len);
		EXPECT_EQ(0, copy(self->copy, dst + move[i].dst, src + move[i].src, move[i].len));
		EXPECT_EQ(-1, dt_diff(dst, want, 2 * HUGE)) {
			TH_LOG("move %u", i);
		}
		dt_fill(&self->rng, src + i * 5000, 5000);
	}
	munmap(want, 2 * HUGE);
}

TEST_F_TIMEOUT(huge, reserved, 60)
{
	uint8_t *mem;

	self->reserved = reserve(4);
	mem = mmap(NULL, 4 * HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED)
		SKIP(return, "no huge pages to be had");
	move_huge(_metadata, self, mem, mem + 2 * HUGE);
	EXPECT_EQ(0, munmap(mem, 4 * HUGE));
}

TEST_F_TIMEOUT(huge, transparent, 60)
{
	uint8_t *mem = dt_mmap(5 * HUGE);

	mem += -(uintptr_t)mem % HUGE;
	madvise(mem, 4 * HUGE, MADV_HUGEPAGE);
	memset(mem, 0xee, 4 * HUGE);
	if (access("/proc/self/smaps_rollup", R_OK) ||
	    dt_proc_kb("/proc/self/smaps_rollup", "AnonHugePages") < (long long)(4 * HUGE / KIB))
		SKIP(return, "no transparent huge pages to be had");
	move_huge(_metadata, self, mem, mem + 2 * HUGE);
}

TEST_HARNESS_MAIN
