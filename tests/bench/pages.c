// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"

#define PAGE		((size_t)4096)
#define HUGE		((size_t)2 << 20)

/* Of an entry of /proc/self/pagemap */
#define PRESENT		(1ull << 63)
#define PFN		((1ull << 55) - 1)

/*
 * The kernel hands out free pages in the order of their addresses, mostly: so
 * touch them in another one.  A stride of an odd number visits all pages of a
 * power of two.
 */
static void touch(uint8_t *p, size_t len)
{
	size_t nr = len / PAGE, i, at = 0;

	for (i = 0; i < nr; i++) {
		p[at * PAGE] = 1;
		at = (at + 2 * (nr / 3) + 1) % nr;
	}
}

uint8_t *pages_alloc(size_t len, bool huge)
{
	uint8_t *p = mmap(NULL, len + HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p += -(uintptr_t)p & (HUGE - 1);
	if (madvise(p, len, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		return NULL;
	touch(p, len);
	return p;
}

unsigned int pages_segments(const uint8_t *p, size_t len)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry, next = 0;
	unsigned int nr = 0;
	size_t off;

	for (off = 0; off < len; off += PAGE) {
		if (pread(fd, &entry, sizeof(entry),
			  ((uintptr_t)p + off) / PAGE * sizeof(entry)) != sizeof(entry) ||
		    !(entry & PRESENT)) {
			nr = 0;
			break;
		}
		nr += !nr || (entry & PFN) != next;
		next = (entry & PFN) + 1;
	}
	close(fd);
	return nr;
}
