// SPDX-License-Identifier: GPL-2.0
/*
 * What the fuzz targets share.
 */
#include <stdio.h>

#include "fuzz.h"

int fuzz_good_allocs = -1;
bool fuzz_alloc_failed;
int fuzz_held_allocs;

void fuzz_wrong(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

void *kvmalloc_array(size_t nr, size_t size, int flags)
{
	void *mem;

	(void)flags;
	if (!fuzz_good_allocs) {
		fuzz_alloc_failed = true;
		return NULL;
	}
	if (fuzz_good_allocs > 0)
		fuzz_good_allocs--;
	mem = malloc(nr * size);
	CHECK(mem);
	/* What is not written must not look as if it had been */
	memset(mem, 0xa5, nr * size);
	fuzz_held_allocs++;
	return mem;
}

void kvfree(void *mem)
{
	if (mem)
		fuzz_held_allocs--;
	free(mem);
}
