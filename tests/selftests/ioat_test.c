// SPDX-License-Identifier: GPL-2.0
/*
 * A real driver whose controller fails: I/OAT, emulated, that is told to. The driver
 * reports errors, resets the channel after some, and also by itself after a hang, if it
 * comes first; what becomes of transfers behind the failed one is up to it. Whatever it
 * does: each request is answered once, with right data or an error.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"
#include "table.h"

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
	NEED_BROKEN();							\
} while (0)

/* Whatever else is wrong, transfers take too long, or only long */
enum delay { NO_DELAY, TOO_LONG, LONG };

struct row {
	const char *name;
	unsigned int kind, before;
	unsigned int watchdog_ms;
	enum delay delay;
};

struct try {
	const struct row *row;
	uint32_t policy;
	unsigned int nr;
};

static bool may_hang(const struct row *row)
{
	return row->kind == BK_IOAT_HANG || row->delay == TOO_LONG;
}

/* Success is all that we are told: nobody can find out */
static bool is_hidden(const struct row *row)
{
	return row->kind == BK_IOAT_CORRUPT;
}

static void expect_answers(struct __test_metadata *_metadata, const struct try *t,
			   const struct cell *c)
{
	unsigned int good = cell_count(c, 0), eio = cell_count(c, EIO),
		     late = cell_count(c, ETIMEDOUT), gone = cell_count(c, ENODEV);
	struct dt_ways ways = dt_ways(c->fd);

	EXPECT_EQ(t->nr, good + eio + late + gone);
	EXPECT_EQ(good * CELL_LEN, dt_ways_sum(&ways));
	EXPECT_TRUE(may_hang(t->row) || !late);
	if (t->row->delay == LONG || is_hidden(t->row)) {
		EXPECT_EQ(t->nr, good);
		EXPECT_LT(0, ways.bytes[DT_DMA]);
		EXPECT_EQ(0, ways.bytes[DT_ERROR] + ways.bytes[DT_HANG]);
	} else if (t->policy == REQUIRE) {
		EXPECT_LT(0, eio + late);
		EXPECT_TRUE(!(t->row->kind & BK_IOAT_STICKY) || !good);
		EXPECT_EQ(good * CELL_LEN, ways.bytes[DT_DMA] + ways.bytes[DT_EDGE]);
	} else {
		EXPECT_EQ(t->nr, good);
		EXPECT_LT(0, ways.bytes[DT_ERROR] + ways.bytes[DT_HANG]);
		EXPECT_TRUE(may_hang(t->row) || !ways.bytes[DT_HANG]);
	}
}

/* Does the channel do one request? */
static bool does_one(struct __test_metadata *_metadata)
{
	struct cell cell;
	bool good;

	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, 1));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	good = cell_count(&cell, 0) == 1;
	cell_end(&cell);
	return good;
}

/* Used again; the driver may abort some before that */
static void expect_back(struct __test_metadata *_metadata, struct bk *bk)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	bool good;

	EXPECT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	do {
		EXPECT_EQ(0, bk_reset(bk->name));
		good = does_one(_metadata);
	} while (!good && dt_now_ms() < end && _metadata->passed);
	EXPECT_TRUE(good);
}

static const char *channel_word(const struct dmoverio_engine *e)
{
	if (e->state == DMOVERIO_ENGINE_ACTIVE)
		return "goes on";
	return e->reason == DMOVERIO_FAILED_HANG ? "stopped, quarantined; reset" :
						   "quarantined; reset";
}

static void depart(struct __test_metadata *_metadata, struct bk *bk, const struct try *t,
		   struct cell *cell)
{
	const struct row *row = t->row;

	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", row->delay ? BK_NEVER_MS : row->watchdog_ms));
	/* One request may be one transfer only */
	bk_ioat_fault(bk, row->kind, t->nr > 1 ? row->before : 0);
	if (row->delay)
		ASSERT_EQ(0, bk_ioat_freeze(bk));
	ASSERT_EQ(0, cell_depart(cell, "copy", false, t->policy, t->nr));
	if (!row->delay)
		return;
	EXPECT_TRUE(bk_ioat_in_flight(bk));
	EXPECT_EQ(t->nr, dt_nr(cell->fd, "running"));
	if (row->delay == LONG)
		bk_ioat_thaw(bk);
	else
		EXPECT_EQ(0, dt_set_param("watchdog_ms", row->watchdog_ms));
}

static void try_it(struct __test_metadata *_metadata, struct bk *bk, const struct try *t)
{
	struct dmoverio_engine e;
	struct table_row row;
	struct cell cell;
	const char *bad;

	depart(_metadata, bk, t, &cell);
	bad = cell_arrive(&cell);
	EXPECT_EQ(is_hidden(t->row) ? cell_wrong : NULL, bad) {
		TH_LOG("%s", bad ? : "nothing wrong");
	}
	bk_ioat_fault(bk, 0, 0);
	cell_reuse(&cell, 0);
	expect_answers(_metadata, t, &cell);
	EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
	EXPECT_EQ(0, e.parked_pages);
	EXPECT_TRUE(e.state == DMOVERIO_ENGINE_ACTIVE || e.state == DMOVERIO_ENGINE_QUARANTINED);
	/* What is too late now would be seen by those who have the memory since */
	EXPECT_FALSE(bk_ioat_in_flight(bk));
	bk_ioat_thaw(bk);
	expect_back(_metadata, bk);
	EXPECT_TRUE(cell_is_untouched(&cell));
	row = (struct table_row){ t->row->name, "ioatdma, release",
				  t->policy == REQUIRE ? "require" : "prefer",
				  channel_word(&e), _metadata->passed };
	table_add(&row, &cell);
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

/* One fault with both policies, with one request in flight and with many */
#define ROW(test, ...)							\
TEST_F_TIMEOUT(ioat, test, 600)						\
{									\
	static const struct row row = { __VA_ARGS__ };			\
									\
	NEED_IOAT();							\
	try_all(_metadata, self, &row);					\
}

ROW(read_error, "read error", BK_IOAT_READ, 0, BK_NEVER_MS, NO_DELAY)
ROW(read_errors, "read errors", BK_IOAT_READ | BK_IOAT_STICKY, 0, BK_NEVER_MS, NO_DELAY)
ROW(write_error, "write error", BK_IOAT_WRITE, 0, BK_NEVER_MS, NO_DELAY)
ROW(write_error_midway, "write error, midway", BK_IOAT_WRITE, 1, BK_NEVER_MS, NO_DELAY)
ROW(write_errors, "write errors", BK_IOAT_WRITE | BK_IOAT_STICKY, 0, BK_NEVER_MS, NO_DELAY)
ROW(hidden, "wrong data, hidden", BK_IOAT_CORRUPT, 0, BK_NEVER_MS, NO_DELAY)
ROW(hang, "hang", BK_IOAT_HANG, 0, BK_SOON_MS, NO_DELAY)
ROW(hang_midway, "hang, midway", BK_IOAT_HANG, 1, BK_SOON_MS, NO_DELAY)
/* The driver is the first to find out */
ROW(hang_driver, "hang, the driver's turn", BK_IOAT_HANG, 0, 5000, NO_DELAY)

ROW(delay, "delay, only long", 0, 0, BK_NEVER_MS, LONG)
ROW(delay_too_long, "delay, too long", 0, 0, BK_SOON_MS, TOO_LONG)

/* -- it comes back by itself */

#define BACKOFF_MS	1000
#define JIFFY_MS	10

/*
 * Requests fail one after the other, until the channel is seen in quarantine: on a
 * slow machine that may have come to its end before it is looked at.
 */
static void fail(struct __test_metadata *_metadata, struct bk *bk, struct dmoverio_engine *e)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	struct cell cell;

	bk_ioat_fault(bk, BK_IOAT_READ | BK_IOAT_STICKY, 0);
	do {
		ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, 1));
		EXPECT_EQ(NULL, cell_arrive(&cell));
		EXPECT_EQ(1, cell_count(&cell, 0));
		cell_end(&cell);
		ASSERT_EQ(0, bk_engine(bk, bk->name, e));
	} while (e->state == DMOVERIO_ENGINE_ACTIVE && dt_now_ms() < end);
	EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e->state);
	EXPECT_EQ(DMOVERIO_FAILED_ERRORS, e->reason);
	bk_ioat_fault(bk, 0, 0);
}

static void hang(struct __test_metadata *_metadata, struct bk *bk)
{
	struct cell cell;

	ASSERT_EQ(0, bk_ioat_freeze(bk));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(CELL_LEN, dt_ways(cell.fd).bytes[DT_HANG]);
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	bk_ioat_thaw(bk);
	cell_end(&cell);
}

/* Nobody resets it. The driver may abort some, so that it fails again before it works */
static void comes_back(struct __test_metadata *_metadata, struct bk *bk)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	struct dmoverio_engine e;
	bool good;

	do {
		EXPECT_EQ(0, bk_wait_state(bk, bk->name, DMOVERIO_ENGINE_ACTIVE, &e));
		EXPECT_EQ(0, e.reason);
		EXPECT_EQ(0, e.retry_ms);
		good = does_one(_metadata);
	} while (!good && dt_now_ms() < end && _metadata->passed);
	EXPECT_TRUE(good);
}

TEST_F_TIMEOUT(ioat, comes_back_by_itself, 600)
{
	struct dmoverio_engine e;
	long long since;

	NEED_IOAT();
	ASSERT_EQ(0, dt_set_param("backoff_ms", BACKOFF_MS));
	since = dt_now_ms();
	fail(_metadata, &self->bk, &e);
	comes_back(_metadata, &self->bk);
	EXPECT_LE(BACKOFF_MS - JIFFY_MS, dt_now_ms() - since);
	since = dt_now_ms();
	hang(_metadata, &self->bk);
	comes_back(_metadata, &self->bk);
	EXPECT_LE(BACKOFF_MS - JIFFY_MS, dt_now_ms() - since);
}

/* As recover_test has it for the simulator: read until more is left than at first */
TEST_F_TIMEOUT(ioat, is_left_in_peace_for_twice_as_long, 600)
{
	struct dmoverio_engine e;
	bool was_longer = false;

	NEED_IOAT();
	ASSERT_EQ(0, dt_set_param("backoff_ms", BACKOFF_MS));
	/* What was reset begins anew, whatever it has gone through */
	fail(_metadata, &self->bk, &e);
	EXPECT_EQ(0, bk_reset(self->bk.name));
	for (unsigned int i = 0; i < 6 && !was_longer && _metadata->passed; i++) {
		long long since = dt_now_ms();

		fail(_metadata, &self->bk, &e);
		/* A slow machine may have missed the first */
		EXPECT_TRUE(i || e.retry_ms <= BACKOFF_MS + JIFFY_MS ||
			    dt_now_ms() - since >= BACKOFF_MS);
		was_longer = e.retry_ms > BACKOFF_MS + JIFFY_MS;
		EXPECT_EQ(0, bk_wait_state(&self->bk, self->bk.name, DMOVERIO_ENGINE_ACTIVE, &e));
	}
	EXPECT_TRUE(was_longer);
	comes_back(_metadata, &self->bk);
}

/* -- with transfers truly in flight: until they are woken, nothing of theirs comes back */

#define NR	8

static void fly(struct __test_metadata *_metadata, FIXTURE_DATA(ioat) *self, struct cell *cell,
		uint32_t policy)
{
	ASSERT_EQ(0, bk_ioat_freeze(&self->bk));
	ASSERT_EQ(0, cell_depart(cell, "copy", false, policy, NR));
	EXPECT_TRUE(bk_ioat_in_flight(&self->bk));
	EXPECT_EQ(NR, dt_nr(cell->fd, "running"));
}

/* Nobody has stopped the hardware, and its memory is its own */
static void expect_flight(struct __test_metadata *_metadata, FIXTURE_DATA(ioat) *self)
{
	EXPECT_TRUE(bk_ioat_in_flight(&self->bk));
	/* Two regions each */
	EXPECT_LE(self->pins + 2 * CELL_PAGES * NR, dt_pins());
}

/* It goes on, whoever wanted it, and then all is given back */
static void expect_landing(struct __test_metadata *_metadata, FIXTURE_DATA(ioat) *self)
{
	struct dmoverio_engine e;

	bk_ioat_thaw(&self->bk);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_FALSE(bk_ioat_in_flight(&self->bk));
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	comes_back(_metadata, &self->bk);
}

TEST_F_TIMEOUT(ioat, closed_with_transfers_in_flight, 240)
{
	struct cell cell;

	NEED_IOAT();
	fly(_metadata, self, &cell, REQUIRE);
	EXPECT_EQ(0, close(cell.fd));
	expect_flight(_metadata, self);
	expect_landing(_metadata, self);
	/* Nobody writes to it any more */
	cell_reuse(&cell, 0);
	comes_back(_metadata, &self->bk);
	EXPECT_TRUE(cell_is_untouched(&cell));
	cell.fd = -1;
	cell_end(&cell);
}

/* The pages are the hardware's, at their addresses is other memory */
TEST_F_TIMEOUT(ioat, unmapped_with_transfers_in_flight, 240)
{
	struct cell cell;

	NEED_IOAT();
	fly(_metadata, self, &cell, REQUIRE);
	for (unsigned int i = 0; i < NR; i++)
		cell.error[i] = ETIMEDOUT;
	cell_reuse(&cell, ETIMEDOUT);
	expect_flight(_metadata, self);
	expect_landing(_metadata, self);
	EXPECT_TRUE(cell_is_untouched(&cell));
	EXPECT_EQ(NR, dt_nr_settle(cell.fd, "answered", NR));
	EXPECT_EQ(NR * CELL_LEN, dt_ways(cell.fd).bytes[DT_DMA]);
	cell_end(&cell);
}

static int depart_to_die(void *cell)
{
	return cell_depart(cell, "copy", false, REQUIRE, NR);
}

TEST_F_TIMEOUT(ioat, killed_with_transfers_in_flight, 240)
{
	struct cell cell;
	int err = -1;
	pid_t pid;

	NEED_IOAT();
	ASSERT_EQ(0, bk_ioat_freeze(&self->bk));
	pid = dt_spawn(depart_to_die, &cell, &err);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, err);
	EXPECT_EQ(SIGKILL, dt_kill(pid));
	expect_flight(_metadata, self);
	expect_landing(_metadata, self);
}

TEST_F_TIMEOUT(ioat, unbound_while_it_hangs, 240)
{
	struct cell cell;

	NEED_IOAT();
	bk_ioat_fault(&self->bk, BK_IOAT_HANG, 0);
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, CELL_MOST));
	EXPECT_EQ(0, bk_unbind(&self->bk));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(CELL_MOST, cell_count(&cell, 0));
	cell_reuse(&cell, 0);
	bk_ioat_fault(&self->bk, 0, 0);
	EXPECT_EQ(0, bk_bind(&self->bk, 1));
	EXPECT_TRUE(cell_is_untouched(&cell));
	cell_end(&cell);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_HARNESS_MAIN
