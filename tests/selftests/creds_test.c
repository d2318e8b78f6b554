// SPDX-License-Identifier: GPL-2.0
/*
 * A worker that acts for a program is nobody more than the program's user: the faults
 * that it takes count as his. Were they root's, who is above limits, he could lock
 * memory beyond them, and fill a file system beyond his quota and its reserve.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "dmio_test.h"
#include "kselftest_harness.h"
#include "stall.h"

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define LEN	(128 * KIB)	/* too large for write() */

FIXTURE(creds) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;
};

FIXTURE_SETUP(creds)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
}

FIXTURE_TEARDOWN(creds)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* What kernel threads have, and programs that nobody has set another limit */
#define MOST_LOCKED	(8 * MIB)
#define GROWTH		(6 * MIB)

/*
 * Locked memory that grows as a stack does, when something below it is touched: for
 * the program itself, not beyond its own limit; for a worker, whose limit is that of
 * kernel threads, not beyond that.
 */
TEST_F(creds, locked_memory_that_grows)
{
	uint8_t *room = mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const size_t page = dt_page_size();
	uint8_t *stack[4];
	int fd, grown = 0;

	ASSERT_TRUE(room != MAP_FAILED);
	ASSERT_EQ(0, munmap(room, 64 * MIB));
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, 256 * KIB));
	ASSERT_EQ(0, dt_become(DT_NOBODY));
	fd = dt_open("copy", 0);
	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(stack); i++) {
		stack[i] = mmap(room + (i + 1) * 16 * MIB - page, page, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_LOCKED |
				MAP_FIXED, -1, 0);
		ASSERT_TRUE(stack[i] != MAP_FAILED);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(stack); i++) {
		struct dt_req r;
		int err;

		dt_req_init1(&r, "copy", i, stack[i] - GROWTH, LEN, self->src);
		err = dt_do(fd, &r.req);
		ASSERT_TRUE(!err || err == EFAULT);
		grown += !err;
		EXPECT_GE((long long)(MOST_LOCKED / KIB),
			  dt_proc_kb("/proc/self/status", "VmLck"));
	}
	/* Were there no limit, all would have */
	EXPECT_GE(1, grown);
	close(fd);
	munmap(room, 64 * MIB);
}

/* In a child, as nobody: a large input that ends with the page of the file at @path */
static int read_file(FIXTURE_DATA(creds) *self, const char *path)
{
	size_t page = dt_page_size();
	struct iovec iov[2];
	struct dt_req r;
	struct stat st;
	int file, fd;

	if (dt_become(DT_NOBODY))
		return 1;
	file = open(path, O_RDWR | O_CLOEXEC);
	fd = dt_open("copy", 0);
	/* The kernel asks for the file's size by no other way */
	if (file < 0 || fd < 0 || fstat(file, &st) || st.st_size != (off_t)page)
		return 2;
	iov[0] = (struct iovec){ self->src, LEN - page };
	iov[1] = (struct iovec){ NULL, page };
	iov[1].iov_base = mmap(NULL, page, PROT_READ, MAP_PRIVATE, file, 0);
	if (iov[1].iov_base == MAP_FAILED)
		return 3;
	dt_req_init1(&r, "copy", 1, self->dst, LEN, NULL);
	r.in[0] = (dmio_buffer){ iov, 2 };
	if (dt_do(fd, &r.req))
		return 4;
	return dt_diff(self->dst, self->src, LEN - page) == -1 ? 0 : 5;
}

/* A file system that is told who asks */
TEST_F(creds, who_reads_a_file)
{
	struct st_fuse fuse = { .reader = -1 };
	int err = st_fuse_mount(&fuse, DT_NOBODY);
	pid_t pid;

	if (err == -ENOENT)
		SKIP(return, "no FUSE in this kernel");
	ASSERT_EQ(0, err);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(read_file(self, fuse.path));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_EQ(DT_NOBODY, fuse.reader);
	st_fuse_unmount(&fuse);
}

TEST_HARNESS_MAIN
