// SPDX-License-Identifier: GPL-2.0
/*
 * A program written for the manual page dmoverio(4) compiles unchanged and
 * works: it zeroes exactly its range, again and again.
 *
 * hw_bzero.h includes nothing itself: the headers before it are those such
 * a program includes.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <dev/dmover/dmover_io.h>

/* The example's own calls pass through here, so that its ids can be seen. */
static uint32_t last_id_written, last_id_read;

static ssize_t spy_write(int fd, const void *buf, size_t len)
{
	last_id_written = ((const struct dmio_usrreq *)buf)->req_id;
	return write(fd, buf, len);
}

static ssize_t spy_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	memset(buf, 0xa5, len);
	n = read(fd, buf, len);
	last_id_read = ((struct dmio_usrresp *)buf)->resp_id;
	return n;
}

/* The page's code compares what -Wextra would not have it compare */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#define write	spy_write
#define read	spy_read
#include "hw_bzero.h"
#undef write
#undef read
#pragma GCC diagnostic pop

#include "dmio_test.h"
#include "kselftest_harness.h"

#define ROOM	(256UL << 10)

FIXTURE(bzero) {
	struct dt_rng rng;
	long long pins;
	uint8_t *mem;
	uint8_t *want;
};

FIXTURE_SETUP(bzero)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->mem = dt_mmap(ROOM);
	self->want = dt_mmap(ROOM);
}

FIXTURE_TEARDOWN(bzero)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Zero [off, off + len) of memory without a zero byte; all else stays. */
static ssize_t zero_and_compare(uint8_t *mem, uint8_t *want, size_t off, size_t len)
{
	memset(mem, 0xff, ROOM);
	memset(want, 0xff, ROOM);
	memset(want + off, 0, len);
	if (hw_bzero(mem + off, len))
		return ROOM;
	return dt_diff(mem, want, ROOM);
}

TEST_F_TIMEOUT(bzero, exactly_the_range, 60)
{
	static const struct {
		size_t off, len;
	} cases[] = {
		{ 0, 1 }, { 0, 4096 }, { 0, ROOM }, { 1, 1 }, { 4095, 1 }, { 4095, 2 },
		{ 4096, 4096 }, { 1, 4095 }, { 1, 4096 }, { 63, 65 }, { 64, 64 },
		{ 4097, 12345 }, { 1, ROOM - 2 }, { 8, DT_INLINE_MAX }, { 8, DT_INLINE_MAX + 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(-1, zero_and_compare(self->mem, self->want, cases[i].off, cases[i].len)) {
			TH_LOG("offset %zu length %zu (first difference, or %lu for an error)",
			       cases[i].off, cases[i].len, ROOM);
		}
	}
}

TEST_F_TIMEOUT(bzero, again_and_again, 60)
{
	unsigned int rounds = dt_scale(300, 3000);

	for (unsigned int i = 0; i < rounds; i++) {
		size_t len = dt_between(&self->rng, 1, 6000);
		size_t off = dt_below(&self->rng, 8192 - len);

		ASSERT_EQ(-1, zero_and_compare(self->mem, self->want, off, len)) {
			TH_LOG("round %u offset %zu length %zu", i, off, len);
		}
		/* Its first id is 0 and each use of it takes the next one. */
		ASSERT_EQ(i, last_id_written);
		ASSERT_EQ(i, last_id_read);
	}
}

TEST_F(bzero, errors_are_told)
{
	EXPECT_EQ(-1, hw_bzero(self->mem, 0));
	EXPECT_EQ(-1, hw_bzero(NULL, 4096));
	EXPECT_EQ(-1, zero_and_compare(self->mem, self->want, 100, 1000));
}

TEST_HARNESS_MAIN
