// SPDX-License-Identifier: GPL-2.0
/*
 * All kinds of memory a program has: read-only sources, files shared and
 * private, memory never touched, stack, huge pages, the same page under two
 * addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	(96UL << 10)		/* more than what runs inline */
#define SMALL	5000UL

static const size_t lengths[] = { SMALL, LEN };

/* Data that the program cannot write: part of its file */
static const char constant[LEN] = "constant data of this program";

FIXTURE(memory) {
	struct dt_rng rng;
	long long pins;
	int copy, zero;
	uint8_t *data, *dst;	/* LEN random bytes, and as many others */
};

FIXTURE_SETUP(memory)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
	self->zero = dt_open("zero", 0);
	ASSERT_LE(0, self->zero);
	self->data = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->data, LEN);
	memset(self->dst, 0xee, LEN);
}

FIXTURE_TEARDOWN(memory)
{
	close(self->copy);
	close(self->zero);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static int copy(int fd, void *dst, const void *src, size_t len)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, dst, len, src);
	return dt_do(fd, &r.req);
}

TEST_F(memory, read_only_sources)
{
	int file = dt_tmpfile(0), again;
	char path[64];
	uint8_t *anon = dt_mmap(LEN);

	memcpy(anon, self->data, LEN);
	ASSERT_EQ(0, mprotect(anon, LEN, PROT_READ));
	ASSERT_EQ((ssize_t)LEN, write(file, self->data, LEN));
	/* A descriptor, too, that can only read */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	again = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, again);

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i];
		const void *const from[] = {
			anon, constant,
			mmap(NULL, LEN, PROT_READ, MAP_SHARED, again, 0),
			mmap(NULL, LEN, PROT_READ, MAP_PRIVATE, again, 0),
		};

		for (unsigned int k = 0; k < ARRAY_SIZE(from); k++) {
			memset(self->dst, 0xee, LEN);
			EXPECT_EQ(0, copy(self->copy, self->dst + 1, (uint8_t *)from[k] + 3, len - 3)) {
				TH_LOG("source %u", k);
			}
			EXPECT_EQ(-1, dt_diff(self->dst + 1, (uint8_t *)from[k] + 3, len - 3));
			EXPECT_EQ(0xee, self->dst[0] & self->dst[len - 2]);
		}
	}
	EXPECT_EQ(-1, dt_diff(anon, self->data, LEN));
	close(file);
	close(again);
}

TEST_F(memory, never_touched)
{
	static const uint8_t zeros[LEN];

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i];
		uint8_t *fresh = dt_mmap(LEN), *out = dt_mmap(LEN);
		void *never = mmap(NULL, LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ASSERT_TRUE(never != MAP_FAILED);
		/* As a source it reads as zero, writable or not. */
		EXPECT_EQ(0, copy(self->copy, self->dst, fresh, len));
		EXPECT_EQ(-1, dt_diff(self->dst, zeros, len));
		memset(self->dst, 0xee, LEN);
		EXPECT_EQ(0, copy(self->copy, self->dst, never, len));
		EXPECT_EQ(-1, dt_diff(self->dst, zeros, len));
		/* As an output; and one over which a read has mapped the zero page. */
		EXPECT_EQ(0, copy(self->copy, out, self->data, len));
		EXPECT_EQ(-1, dt_diff(out, self->data, len));
		out = dt_mmap(LEN);
		EXPECT_EQ(-1, dt_diff(out, zeros, LEN));
		EXPECT_EQ(0, copy(self->copy, out, self->data, len));
		EXPECT_EQ(-1, dt_diff(out, self->data, len));
		/* The zero page itself is still what it should be. */
		EXPECT_EQ(-1, dt_diff(never, zeros, LEN));
		EXPECT_EQ(-1, dt_diff(dt_mmap(LEN), zeros, LEN));
	}
}

TEST_F(memory, shared_file_as_output)
{
	uint8_t *back = dt_mmap(LEN);

	for (unsigned int i = 0; i < 4; i++) {
		size_t len = lengths[i % 2];
		int file = i / 2 ? memfd_create("dmio", MFD_CLOEXEC) : dt_tmpfile(0);
		uint8_t *map;

		ASSERT_LE(0, file);
		ASSERT_EQ(0, ftruncate(file, LEN));
		map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
		ASSERT_TRUE(map != MAP_FAILED);
		EXPECT_EQ(0, copy(self->copy, map, self->data, len));
		EXPECT_EQ(-1, dt_diff(map, self->data, len));
		/* The file has it, for those who do not map it. */
		ASSERT_EQ((ssize_t)len, pread(file, back, len, 0));
		EXPECT_EQ(-1, dt_diff(back, self->data, len));
		EXPECT_EQ(0, munmap(map, LEN));
		map = mmap(NULL, LEN, PROT_READ, MAP_SHARED, file, 0);
		ASSERT_TRUE(map != MAP_FAILED);
		EXPECT_EQ(-1, dt_diff(map, self->data, len));
		munmap(map, LEN);
		close(file);
	}
}

TEST_F(memory, private_file_as_output)
{
	uint8_t *back = dt_mmap(LEN);

	for (unsigned int i = 0; i < 4; i++) {
		size_t len = lengths[i % 2];
		int file = dt_tmpfile(0);
		uint8_t *map;

		ASSERT_EQ((ssize_t)LEN, write(file, self->data, LEN));
		map = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
		ASSERT_TRUE(map != MAP_FAILED);
		/* Also after the file's own page was mapped by reading */
		if (i / 2) {
			EXPECT_EQ(-1, dt_diff(map, self->data, LEN));
		}
		EXPECT_EQ(0, copy(self->copy, map, constant, len));
		EXPECT_EQ(-1, dt_diff(map, constant, len));
		EXPECT_EQ(-1, dt_diff(map + len, self->data + len, LEN - len));
		ASSERT_EQ((ssize_t)LEN, pread(file, back, LEN, 0));
		EXPECT_EQ(-1, dt_diff(back, self->data, LEN));
		munmap(map, LEN);
		close(file);
	}
}

/* An output that a child shares by copy-on-write does not change the child's. */
TEST_F(memory, output_shared_by_fork)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		int status, go[2];
		pid_t pid;
		char c;

		memset(self->dst, 0xee, LEN);
		ASSERT_EQ(0, pipe(go));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(go[1]);
			_exit(read(go[0], &c, 1) || self->dst[0] != 0xee ||
			      self->dst[lengths[i] - 1] != 0xee);
		}
		EXPECT_EQ(0, copy(self->copy, self->dst, self->data, lengths[i]));
		close(go[1]);
		close(go[0]);
		status = dt_reap(pid, DT_PATIENCE_MS);
		EXPECT_EQ(0, status);
		EXPECT_EQ(-1, dt_diff(self->dst, self->data, lengths[i]));
	}
}

TEST_F(memory, stack_and_heap)
{
	uint8_t *heap = malloc(2 * SMALL), stack[SMALL + 2], deep[SMALL];

	ASSERT_TRUE(heap != NULL);
	memset(stack, 0xee, sizeof(stack));
	EXPECT_EQ(0, copy(self->copy, stack + 1, self->data, SMALL));
	EXPECT_EQ(-1, dt_diff(stack + 1, self->data, SMALL));
	EXPECT_EQ(0xee, stack[0] & stack[SMALL + 1]);
	EXPECT_EQ(0, copy(self->copy, heap + 7, stack + 1, SMALL));
	EXPECT_EQ(-1, dt_diff(heap + 7, self->data, SMALL));
	EXPECT_EQ(0, copy(self->copy, deep, heap + 7, SMALL));
	EXPECT_EQ(-1, dt_diff(deep, self->data, SMALL));
	free(heap);
}

/*
 * Huge pages where the kernel gives them; where not, small ones: the data
 * are the test, not the size.
 */
TEST_F_TIMEOUT(memory, huge_pages, 60)
{
	enum { HUGE = 2 << 20 };
	uint8_t *src = dt_mmap(3 * HUGE), *dst = dt_mmap(3 * HUGE);

	src += -(uintptr_t)src % HUGE;
	dst += -(uintptr_t)dst % HUGE;
	madvise(src, 2 * HUGE, MADV_HUGEPAGE);
	madvise(dst, 2 * HUGE, MADV_HUGEPAGE);
	dt_fill(&self->rng, src, 2 * HUGE);
	memset(dst, 0xee, 2 * HUGE);
	/* Over the edge between two, at odd places, and not all of it */
	EXPECT_EQ(0, copy(self->copy, dst + 12345, src + 777, 2 * HUGE - 54321));
	EXPECT_EQ(-1, dt_diff(dst + 12345, src + 777, 2 * HUGE - 54321));
	EXPECT_EQ(0xee, dst[0] & dst[12344] & dst[2 * HUGE - 54321 + 12345]);
	EXPECT_EQ(0, copy(self->copy, dst + HUGE - 100, src + 4000, 200));
	EXPECT_EQ(-1, dt_diff(dst + HUGE - 100, src + 4000, 200));
}

/* The same file pages at two addresses: not an overlap to us, and adjacent bytes are safe. */
TEST_F(memory, two_addresses_of_a_page)
{
	int file = memfd_create("dmio", MFD_CLOEXEC);
	uint8_t *a, *b;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, LEN));
	a = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	b = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_TRUE(a != MAP_FAILED && b != MAP_FAILED);
	memcpy(a, self->data, LEN);
	EXPECT_EQ(0, copy(self->copy, b + 1000, a, 1000));
	memcpy(self->dst, self->data, LEN);
	memcpy(self->dst + 1000, self->data, 1000);
	EXPECT_EQ(-1, dt_diff(a, self->dst, LEN));
	/* In place through two addresses: a copy onto itself, of the same data */
	EXPECT_EQ(0, copy(self->copy, b, a, LEN));
	EXPECT_EQ(-1, dt_diff(a, self->dst, LEN));
	close(file);
}

TEST_HARNESS_MAIN
