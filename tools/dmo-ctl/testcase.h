/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One random request with the memory it works on and what that memory must
 * hold afterwards.
 *
 * An arena is a mapping of whole pages with an inaccessible page behind it; a
 * region is scattered over an arena by iovecs.  Every byte of an arena starts
 * with two bits that tell what it is and six random ones:
 *
 *	0x80	in an arena of inputs
 *	0x40	inside of a region
 *
 * except that an output not in place starts as the complement of its result,
 * so that a byte which was not written is always found.  @want holds the
 * whole arena as it must be in the end: neighbours and inputs included.
 */
#ifndef DMO_CTL_TESTCASE_H
#define DMO_CTL_TESTCASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "func.h"
#include "session.h"

#define TEST_TAG_INPUT	0x80
#define TEST_TAG_INSIDE	0x40
#define TEST_MAX_IOV	1024
#define TEST_OUTPUT	(-1)	/* region number of the output */

struct test_arena {
	uint8_t *map;
	uint8_t *want;
	size_t size;
};

struct test_region {
	struct test_arena *arena;
	struct iovec *iov;
	unsigned int iovcnt;
};

/**
 * struct test_params - what all cases of a run have in common
 * @func: the function
 * @seed: of this function and thread
 * @max_bytes: bytes of all regions of a case together
 */
struct test_params {
	const struct dmo_function *func;
	uint64_t seed;
	size_t max_bytes;
};

/**
 * struct test_case - one request
 * @func: its function
 * @id: its number, and with the run's seed all there is to know about it
 * @len: bytes of each region
 * @in_place: the output is one of the inputs
 * @flying: accepted by the device, not answered
 * @immediate: as in the request
 * @result: what the answer must carry
 * @out, @in: the regions
 * @arenas, @nr_arenas: their memory
 * @io: the inputs as the session wants them
 * @arena_bytes: size of all arenas
 */
struct test_case {
	const struct dmo_function *func;
	uint32_t id;
	size_t len;
	bool in_place;
	bool flying;
	uint8_t immediate[8];
	uint64_t result;
	struct test_region out;
	struct test_region in[DMO_MAX_INPUTS];
	struct test_arena arenas[DMO_MAX_INPUTS + 1];
	unsigned int nr_arenas;
	struct dmo_region io[DMO_MAX_INPUTS];
	size_t arena_bytes;
};

/* NULL: no memory. */
struct test_case *test_case_create(const struct test_params *params,
				   uint32_t id);
void test_case_free(struct test_case *tc);
struct dmo_request test_case_request(struct test_case *tc);

/* Compare with what is expected; false: @text says what differs. */
bool test_case_check(const struct test_case *tc, uint64_t result, char *text,
		     size_t len);

/* One line about the shape of a case. */
void test_case_describe(const struct test_case *tc, char *text, size_t len);

#endif /* DMO_CTL_TESTCASE_H */
