// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is swapped out when a request comes for it, and again once the
 * request is done: what was written has to be in the swap then.
 *
 * It is swapped to a RAM disk; pagemap tells that it is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define DISK		"/dev/ram0"
#define ALL		(1UL << 20)
#define AT		12345U		/* of the output; the input begins at 0 */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

/* What mkswap(8) writes: 0 or -errno */
static int make_swap(const char *disk)
{
	int fd = open(disk, O_RDWR | O_CLOEXEC), err = 0;
	size_t page = dt_page_size();
	uint8_t head[65536] = { 0 };
	uint32_t *info = (uint32_t *)(head + 1024);
	uint64_t bytes;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, BLKGETSIZE64, &bytes)) {
		err = -errno;
	} else {
		info[0] = 1;			/* version */
		info[1] = bytes / page - 1;	/* last page */
		memcpy(head + page - 10, "SWAPSPACE2", 10);
		if (pwrite(fd, head, page, 0) != (ssize_t)page || fsync(fd))
			err = -EIO;
	}
	close(fd);
	return err;
}

/* Pages of [p, p + len) that are swapped out */
static size_t count_swapped(const uint8_t *p, size_t len)
{
	size_t page = dt_page_size(), nr = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	for (size_t at = 0; at < len; at += page)
		if (pread(fd, &entry, sizeof(entry), (uintptr_t)(p + at) / page * 8) == 8)
			nr += entry >> 62 & 1;
	close(fd);
	return nr;
}

/* Swap it out, all but a few pages that the kernel may be busy with: 0 or -ETIMEDOUT */
static int swap_out(uint8_t *p, size_t len)
{
	size_t nr = len / dt_page_size();
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	while (count_swapped(p, len) < nr - nr / 10) {
		if (dt_now_ms() > end)
			return -ETIMEDOUT;
		if (madvise(p, len, MADV_PAGEOUT))
			return -errno;
	}
	return 0;
}

FIXTURE(swapped) {
	struct dt_rng rng;
	long long pins;
	bool swap;			/* there is one */
	int fd;
	uint8_t *src, *dst;
	uint8_t *data, *want;		/* what they are to be */
};

FIXTURE_VARIANT(swapped) {
	rlim_t memlock;
	size_t len;			/* of a request */
};

FIXTURE_VARIANT_ADD(swapped, by_the_writer) {
	.memlock = RLIM_INFINITY, .len = 20000,
};

FIXTURE_VARIANT_ADD(swapped, by_workers) {
	.memlock = RLIM_INFINITY, .len = ALL / 2,
};

/* Through the mapping */
FIXTURE_VARIANT_ADD(swapped, unpinned) {
	.memlock = 0, .len = ALL / 2,
};

FIXTURE_SETUP(swapped)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->swap = !access(DISK, W_OK);
	if (!self->swap)
		return;
	ASSERT_EQ(0, make_swap(DISK));
	ASSERT_EQ(0, swapon(DISK, 0));
	self->src = dt_mmap(ALL);
	self->dst = dt_mmap(ALL);
	self->data = dt_mmap(ALL);
	self->want = dt_mmap(ALL);
	madvise(self->src, ALL, MADV_NOHUGEPAGE);
	madvise(self->dst, ALL, MADV_NOHUGEPAGE);
	dt_fill(&self->rng, self->data, ALL);
	dt_fill(&self->rng, self->want, ALL);
	memcpy(self->src, self->data, ALL);
	memcpy(self->dst, self->want, ALL);
	/* Whose session it is counts, and the limit; only root sees into pagemap */
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, variant->memlock));
	self->fd = dt_open("copy", 0);
	ASSERT_EQ(0, dt_become(0));
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(swapped)
{
	if (!self->swap)
		return;
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(0, swapoff(DISK));
}

TEST_F_TIMEOUT(swapped, input_and_output, 120)
{
	size_t len = variant->len;
	struct dt_req r;

	if (!self->swap)
		SKIP(return, "no block device to swap to");
	for (unsigned int i = 0; i < 5; i++) {
		dt_req_init1(&r, "copy", 1, self->dst + AT, len, self->src + i);
		memcpy(self->want + AT, self->data + i, len);
		ASSERT_EQ(0, swap_out(self->src, ALL));
		ASSERT_EQ(0, swap_out(self->dst, ALL));
		ASSERT_EQ(0, dt_do(self->fd, &r.req));
		/* Neither is looked at before it was out and in again. */
		ASSERT_EQ(0, swap_out(self->src, ALL));
		ASSERT_EQ(0, swap_out(self->dst, ALL));
		ASSERT_EQ(-1, dt_diff(self->src, self->data, ALL));
		ASSERT_EQ(-1, dt_diff(self->dst, self->want, ALL));
	}
}

TEST_HARNESS_MAIN
