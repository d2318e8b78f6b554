// SPDX-License-Identifier: GPL-2.0
/*
 * A real driver whose controller fails: I/OAT, emulated, that is told to. The driver
 * reports errors, resets the channel after some, and also by itself after a hang, if it
 * comes first; what becomes of transfers behind the failed one is up to it. Whatever it
 * does: each request is answered once, with right data or an error.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"

#define DRIVER	"/sys/bus/pci/drivers/ioatdma"

#define PREFER	DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE	DMOVERIO_POLICY_REQUIRE_DMA

FIXTURE(ioat) {
	struct bk bk;
	const char *why_not;
	long long pins;
};

FIXTURE_SETUP(ioat)
{
	self->pins = dt_pins();
	self->why_not = bk_begin_ioat(&self->bk);
}

FIXTURE_TEARDOWN(ioat)
{
	EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

#define NEED_IOAT()							\
do {									\
	ASSERT_TRUE(!self->why_not || access(DRIVER, F_OK)) {		\
		TH_LOG("%s", self->why_not);				\
	}								\
	if (self->why_not)						\
		SKIP(return, "%s", self->why_not);			\
} while (0)

struct row {
	const char *name;
	unsigned int kind, before;
	unsigned int watchdog_ms;
};

struct try {
	const struct row *row;
	uint32_t policy;
	unsigned int nr;
};

static void expect_answers(struct __test_metadata *_metadata, const struct try *t,
			   const struct cell *c)
{
	unsigned int good = cell_count(c, 0), eio = cell_count(c, EIO),
		     late = cell_count(c, ETIMEDOUT), gone = cell_count(c, ENODEV);
	struct dt_ways ways = dt_ways(c->fd);

	EXPECT_EQ(t->nr, good + eio + late + gone);
	EXPECT_EQ(good * CELL_LEN, dt_ways_sum(&ways));
	EXPECT_TRUE(t->row->kind == BK_IOAT_HANG || !late);
	if (t->policy == REQUIRE) {
		EXPECT_LT(0, eio + late);
		EXPECT_TRUE(!(t->row->kind & BK_IOAT_STICKY) || !good);
		EXPECT_EQ(good * CELL_LEN, ways.bytes[DT_DMA] + ways.bytes[DT_EDGE]);
	} else {
		EXPECT_EQ(t->nr, good);
		EXPECT_LT(0, ways.bytes[DT_ERROR] + ways.bytes[DT_HANG]);
		EXPECT_TRUE(t->row->kind == BK_IOAT_HANG || !ways.bytes[DT_HANG]);
	}
}

/* Used again; the driver may abort some before that */
static void expect_back(struct __test_metadata *_metadata, struct bk *bk)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	struct cell cell;
	bool good;

	EXPECT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	do {
		EXPECT_EQ(0, bk_reset(bk->name));
		ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, 1));
		EXPECT_EQ(NULL, cell_arrive(&cell));
		good = cell_count(&cell, 0) == 1;
		cell_end(&cell);
	} while (!good && dt_now_ms() < end && _metadata->passed);
	EXPECT_TRUE(good);
}

static void print_row(const struct try *t, const struct cell *c, const struct dt_ways *ways,
		      unsigned int state, bool passed)
{
	printf("# %-23s %-7s %2u: %2u good, %2u EIO, %2u ETIMEDOUT, %2u ENODEV; ",
	       t->row->name, t->policy == REQUIRE ? "require" : "prefer", t->nr,
	       cell_count(c, 0), cell_count(c, EIO), cell_count(c, ETIMEDOUT),
	       cell_count(c, ENODEV));
	printf("bytes: %lld DMA, %lld error, %lld hang, %lld no channel; %s%s\n",
	       ways->bytes[DT_DMA], ways->bytes[DT_ERROR], ways->bytes[DT_HANG],
	       ways->bytes[DT_NO_CHANNEL],
	       state == DMOVERIO_ENGINE_ACTIVE ? "active" : "quarantined",
	       passed ? "" : "; FAILED");
	fflush(stdout);
}

static void try_it(struct __test_metadata *_metadata, struct bk *bk, const struct try *t)
{
	struct dmoverio_engine e;
	struct dt_ways ways;
	struct cell cell;
	const char *bad;

	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", t->row->watchdog_ms));
	/* One request may be one transfer only */
	bk_ioat_fault(bk, t->row->kind, t->nr > 1 ? t->row->before : 0);
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, t->policy, t->nr));
	bad = cell_arrive(&cell);
	EXPECT_EQ(NULL, bad) {
		TH_LOG("%s", bad);
	}
	bk_ioat_fault(bk, 0, 0);
	cell_reuse(&cell, 0);
	ways = dt_ways(cell.fd);
	expect_answers(_metadata, t, &cell);
	EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
	EXPECT_EQ(0, e.parked_pages);
	EXPECT_TRUE(e.state == DMOVERIO_ENGINE_ACTIVE || e.state == DMOVERIO_ENGINE_QUARANTINED);
	print_row(t, &cell, &ways, e.state, _metadata->passed);
	expect_back(_metadata, bk);
	EXPECT_TRUE(cell_is_untouched(&cell));
	cell_end(&cell);
}

static void try_all(struct __test_metadata *_metadata, FIXTURE_DATA(ioat) *self,
		    const struct row *row)
{
	static const uint32_t policies[] = { PREFER, REQUIRE };
	static const unsigned int nrs[] = { 1, CELL_MOST };

	for (unsigned int i = 0; i < 4 && _metadata->passed; i++) {
		struct try t = { row, policies[i % 2], nrs[i / 2] };

		try_it(_metadata, &self->bk, &t);
	}
}

#define ROW(test, ...)							\
TEST_F_TIMEOUT(ioat, test, 600)						\
{									\
	static const struct row row = { __VA_ARGS__ };			\
									\
	NEED_IOAT();							\
	try_all(_metadata, self, &row);					\
}

ROW(read_error, "read error", BK_IOAT_READ, 0, BK_NEVER_MS)
ROW(read_errors, "read errors", BK_IOAT_READ | BK_IOAT_STICKY, 0, BK_NEVER_MS)
ROW(write_error, "write error", BK_IOAT_WRITE, 0, BK_NEVER_MS)
ROW(write_error_midway, "write error, midway", BK_IOAT_WRITE, 1, BK_NEVER_MS)
ROW(write_errors, "write errors", BK_IOAT_WRITE | BK_IOAT_STICKY, 0, BK_NEVER_MS)
ROW(hang, "hang", BK_IOAT_HANG, 0, BK_SOON_MS)
ROW(hang_midway, "hang, midway", BK_IOAT_HANG, 1, BK_SOON_MS)
/* The driver is the first to find out */
ROW(hang_driver, "hang, the driver's turn", BK_IOAT_HANG, 0, 5000)

TEST_F_TIMEOUT(ioat, unbound_while_it_hangs, 240)
{
	struct cell cell;

	NEED_IOAT();
	bk_ioat_fault(&self->bk, BK_IOAT_HANG, 0);
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, CELL_MOST));
	EXPECT_EQ(0, dt_bind(self->bk.driver, self->bk.device, false));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(CELL_MOST, cell_count(&cell, 0));
	cell_reuse(&cell, 0);
	bk_ioat_fault(&self->bk, 0, 0);
	EXPECT_EQ(0, dt_bind(self->bk.driver, self->bk.device, true));
	EXPECT_EQ(0, dt_wait_channels(self->bk.fd, 1));
	EXPECT_TRUE(cell_is_untouched(&cell));
	cell_end(&cell);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_HARNESS_MAIN
