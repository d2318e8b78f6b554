/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a user may not write, and whether it was written: a file of root's that he
 * has open for reading, and the page of which all untouched memory is made.
 *
 * As in dmio_test.h: nothing here judges, every function returns what happened.
 */
#ifndef FORBIDDEN_H
#define FORBIDDEN_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dma.h"

#define FB_LEN	(128UL << 10)	/* of the file; as a request too large for write() */

struct forbidden {
	int file;
	uint8_t *was;		/* what the file holds */
	uint8_t *back;		/* room to look */
};

static inline int fb_reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* As root: 0, or -1 */
static inline int fb_make(struct forbidden *f, struct dt_rng *rng)
{
	int fd = dt_tmpfile(0);

	f->was = dt_mmap(FB_LEN);
	f->back = dt_mmap(FB_LEN);
	dt_fill(rng, f->was, FB_LEN);
	if (write(fd, f->was, FB_LEN) != (ssize_t)FB_LEN || fchmod(fd, 0444))
		return -1;
	f->file = fb_reopen(fd, O_RDONLY);
	close(fd);
	return f->file < 0 ? -1 : 0;
}

/* All of the file; or aborts */
static inline uint8_t *fb_map(const struct forbidden *f, int prot, int flags)
{
	uint8_t *p = mmap(NULL, FB_LEN, prot, flags, f->file, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* The page cache of the file; or aborts, also if this user may write it after all */
static inline uint8_t *fb_map_shared(const struct forbidden *f)
{
	uint8_t *p = fb_map(f, PROT_READ, MAP_SHARED);

	if (!mprotect(p, FB_LEN, PROT_READ | PROT_WRITE))
		abort();
	return p;
}

static inline bool fb_is_intact(const struct forbidden *f)
{
	static const uint8_t zeros[4096];
	uint8_t *fresh = mmap(NULL, sizeof(zeros), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool intact = fresh != MAP_FAILED && !memcmp(fresh, zeros, sizeof(zeros));

	munmap(fresh, sizeof(zeros));
	return intact && pread(f->file, f->back, FB_LEN, 0) == (ssize_t)FB_LEN &&
	       !memcmp(f->back, f->was, FB_LEN);
}

/*
 * What was refused has done no harm to a session that copies: NULL, or what it did.
 * Where a guest is there for DMA, it was DMA that was put to the test, if memory
 * could be pinned.
 */
static inline const char *fb_harm(int copy, uint8_t *own, uint8_t *src, bool is_pinned)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, own, FB_LEN, src);
	if (dt_do(copy, &r.req))
		return "it does not work any more";
	if (dt_diff(own, src, FB_LEN) != -1)
		return "wrong data";
	if (is_pinned && dt_channels_expected() && !dt_ways(copy).bytes[DT_DMA])
		return "DMA did nothing";
	return NULL;
}

/* Where a section of the module is, as only root can know; NULL: nobody does */
static inline void *fb_section(const char *name)
{
	char path[64], line[32];

	snprintf(path, sizeof(path), "/sys/module/dmoverio/sections/%s", name);
	if (dt_read_line(path, line, sizeof(line)))
		return NULL;
	return (void *)(uintptr_t)strtoull(line, NULL, 16);
}

#endif /* FORBIDDEN_H */
