// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing a finished test case with what it must have become, and saying
 * in the user's terms what differs.
 */
#include <stdio.h>
#include <string.h>

#include "testcase.h"

/**
 * struct place_in_region - what an address of an arena is to a region
 * @inside: part of it
 * @iov, @iov_offset: which byte of which iovec; outside: the nearest iovec
 *	before, and how many bytes behind its end
 * @offset: which byte of the region
 */
struct place_in_region {
	bool inside;
	unsigned int iov;
	size_t iov_offset;
	size_t offset;
};

static bool locate(const struct test_region *region, const uint8_t *addr,
		   struct place_in_region *place)
{
	const uint8_t *start;
	unsigned int i;
	size_t len;

	memset(place, 0, sizeof(*place));
	for (i = 0; i < region->iovcnt; i++) {
		start = region->iov[i].iov_base;
		len = region->iov[i].iov_len;
		if (len && addr >= start && addr < start + len) {
			place->inside = true;
			place->iov = i;
			place->iov_offset = (size_t)(addr - start);
			place->offset += place->iov_offset;
			return true;
		}
		place->offset += len;
	}
	return false;
}

static size_t count_differences(const struct test_arena *arena, size_t *first)
{
	size_t i, nr = 0;

	for (i = 0; i < arena->size; i++) {
		if (arena->map[i] == arena->want[i])
			continue;
		if (!nr++)
			*first = i;
	}
	return nr;
}

/* What the bits of a wrong byte of an output tell. */
static const char *guess(const struct test_case *tc, uint8_t got, uint8_t want)
{
	if (!tc->in_place && (got ^ want) == 0xff)
		return "was not written";
	if (tc->func->inputs != 1)
		return "is wrong";
	switch (got & (TEST_TAG_INPUT | TEST_TAG_INSIDE)) {
	case TEST_TAG_INPUT | TEST_TAG_INSIDE:
		return "looks like another byte of the input";
	case TEST_TAG_INPUT:
		return "looks like a byte beside the input";
	default:
		return "does not come from the input";
	}
}

static void describe_place(const struct test_case *tc,
			   const struct test_arena *arena, size_t at,
			   char *text, size_t len)
{
	const uint8_t *addr = arena->map + at;
	uint8_t got = arena->map[at], want = arena->want[at];
	struct place_in_region place;
	int k;

	if (arena == tc->out.arena) {
		if (locate(&tc->out, addr, &place))
			snprintf(text, len, "output, byte %zu of %zu (iovec %u of %u, its byte %zu) %s",
				 place.offset, tc->len, place.iov,
				 tc->out.iovcnt, place.iov_offset,
				 guess(tc, got, want));
		else
			snprintf(text, len, "a byte outside of the output was changed");
		return;
	}
	for (k = 0; k < tc->func->inputs; k++) {
		if (tc->in[k].arena != arena)
			continue;
		if (locate(&tc->in[k], addr, &place)) {
			snprintf(text, len, "input %d was changed, byte %zu of %zu (iovec %u of %u, its byte %zu)",
				 k, place.offset, tc->len, place.iov,
				 tc->in[k].iovcnt, place.iov_offset);
			return;
		}
		snprintf(text, len, "a byte beside input %d was changed", k);
	}
}

bool test_case_check(const struct test_case *tc, uint64_t result, char *text,
		     size_t len)
{
	const struct test_arena *arena;
	char place[256] = "";
	size_t at = 0, nr;
	unsigned int i;

	if (result != tc->result) {
		snprintf(text, len, "the result is wrong: expected 0x%llx, got 0x%llx",
			 (unsigned long long)tc->result,
			 (unsigned long long)result);
		return false;
	}
	for (i = 0; i < tc->nr_arenas; i++) {
		arena = &tc->arenas[i];
		if (!memcmp(arena->map, arena->want, arena->size))
			continue;
		nr = count_differences(arena, &at);
		describe_place(tc, arena, at, place, sizeof(place));
		snprintf(text, len, "%s: expected 0x%02x, got 0x%02x at offset %zu (%p) of its memory of %zu bytes; %zu bytes differ there",
			 place, arena->want[at], arena->map[at], at,
			 (void *)(arena->map + at), arena->size, nr);
		return false;
	}
	return true;
}

void test_case_describe(const struct test_case *tc, char *text, size_t len)
{
	size_t used = 0;
	int k, n;

	n = snprintf(text, len, "length %zu%s; iovecs: output %u", tc->len,
		     tc->in_place ? ", in place" : "", tc->out.iovcnt);
	for (k = 0; k < tc->func->inputs; k++) {
		used += n > 0 ? (size_t)n : 0;
		if (used >= len)
			return;
		n = snprintf(text + used, len - used, "%s%u",
			     k ? " " : ", inputs ", tc->in[k].iovcnt);
	}
}
