// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of a controller goes away with requests in flight: on every kind of
 * controller, with one request and with many, where the CPU may help out and where DMA
 * is required. Each time: one answer for each request, the right one; no late write to
 * memory that the program has again; nothing left pinned; and once the driver is back,
 * the channel is used again.
 *
 * The results are printed as a table in the end.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"
#include "table.h"

#define PREFER	DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE	DMOVERIO_POLICY_REQUIRE_DMA

FIXTURE(removal) {
	struct bk bk;
	const char *why_not;
	long long pins;
};

FIXTURE_VARIANT(removal) {
	const char *driver, *options, *name;	/* without options: I/OAT */
	bool never_stops;
};

#define SIM	"channels=1 max_seg=4096 "

FIXTURE_VARIANT_ADD(removal, terminate) {
	.driver = "dmover-sim", .name = "terminate",
	.options = SIM "quiet=terminate completion=tasklet",
};

FIXTURE_VARIANT_ADD(removal, release) {
	.driver = "dmover-sim-release", .name = "release",
	.options = SIM "quiet=release completion=thread",
};

FIXTURE_VARIANT_ADD(removal, never) {
	.driver = "dmover-sim-never", .name = "never", .never_stops = true,
	.options = SIM "quiet=never completion=irq",
};

FIXTURE_VARIANT_ADD(removal, no_terminate) {
	.driver = "dmover-sim", .name = "no terminate_all", .never_stops = true,
	.options = SIM "quiet=terminate terminate=0 completion=tasklet",
};

FIXTURE_VARIANT_ADD(removal, release_no_terminate) {
	.driver = "dmover-sim-release", .name = "release, no t.",
	.options = SIM "quiet=release terminate=0 completion=thread",
};

FIXTURE_VARIANT_ADD(removal, ioat) {
	.driver = "ioatdma", .name = "ioatdma, release",
};

FIXTURE_SETUP(removal)
{
	self->pins = dt_pins();
	self->why_not = variant->options ?
			bk_begin_sim(&self->bk, variant->driver, variant->options) :
			bk_begin_ioat(&self->bk);
}

FIXTURE_TEARDOWN(removal)
{
	EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Some of one policy, and what happens while their driver goes away */
struct try {
	const char *name;
	bool hangs;			/* until the driver is back; else it only takes its time */
	uint32_t policy;
	unsigned int nr;
	struct cell cell;
};

static int freeze(struct bk *bk)
{
	return bk->registers ? bk_ioat_freeze(bk) : bk_fault(bk->name, "hang 0 1");
}

static bool is_in_flight(const struct bk *bk)
{
	return bk->registers ? bk_ioat_in_flight(bk) : !bk_fault_settle(bk->name, "still", 1);
}

/* The simulator's fault goes with its device */
static void thaw(struct bk *bk)
{
	if (bk->registers)
		bk_ioat_thaw(bk);
	else
		bk_fault(bk->name, "wake");
}

static void unbind_slowly(struct __test_metadata *_metadata, struct bk *bk)
{
	struct dmoverio_engine e;
	pid_t pid = fork();

	if (!pid)
		_exit(!!bk_unbind(bk));
	/* It waits for what is in flight */
	EXPECT_EQ(0, bk_wait_state(bk, bk->name, DMOVERIO_ENGINE_LEAVING, &e));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	thaw(bk);
	EXPECT_EQ(0, dt_reap(pid, 2 * DT_PATIENCE_MS));
}

/* Whatever becomes of them, all that a success says is true */
static void expect_answers(struct __test_metadata *_metadata, const struct try *t,
			   bool never_stops)
{
	const struct cell *c = &t->cell;
	unsigned int good = cell_count(c, 0), late = cell_count(c, ETIMEDOUT),
		     gone = cell_count(c, ENODEV);
	struct dt_ways ways = dt_ways(c->fd);
	long long dma = ways.bytes[DT_DMA] + ways.bytes[DT_EDGE];

	EXPECT_EQ(t->nr, good + late + gone);
	EXPECT_EQ(good * CELL_LEN, dt_ways_sum(&ways));
	EXPECT_TRUE(t->policy == PREFER ? !gone : dma == good * (long long)CELL_LEN);
	EXPECT_EQ(t->hangs && never_stops, late > 0);
	/* The channel had them, or they waited for it, and for no other */
	EXPECT_EQ(good * CELL_LEN, dma + ways.bytes[DT_REMOVED] + ways.bytes[DT_NO_CHANNEL] +
		  ways.bytes[DT_SLOWER]);
	EXPECT_EQ(t->hangs, !dma);
	/* Of what is not to be stopped, some was not yet begun */
	if (!t->hangs || !never_stops)
		EXPECT_EQ(t->hangs && t->policy == PREFER, ways.bytes[DT_REMOVED] > 0);
}

static const char *channel_word(const struct try *t, bool never_stops)
{
	return !t->hangs ? "drained, back" : never_stops ? "parked, until unbound; back" :
							   "stopped, back";
}

static void expect_back(struct __test_metadata *_metadata, struct bk *bk)
{
	struct cell cell;

	EXPECT_EQ(0, bk_bind(bk, 1));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, 2));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(2, cell_count(&cell, 0));
	cell_end(&cell);
}

static void try_it(struct __test_metadata *_metadata, struct bk *bk, struct try *t,
		   const FIXTURE_VARIANT(removal) *variant)
{
	struct cell *c = &t->cell;
	long long pins = dt_pins();
	struct dmoverio_engine e;
	struct table_row row;
	const char *bad;

	/* It is removal that finds out, not the watchdog */
	ASSERT_EQ(0, dt_set_param("drain_ms", t->hangs ? BK_SOON_MS : BK_NEVER_MS));
	ASSERT_EQ(0, freeze(bk));
	ASSERT_EQ(0, cell_depart(c, "copy", false, t->policy, t->nr));
	EXPECT_TRUE(is_in_flight(bk));
	EXPECT_EQ(t->nr, dt_nr(c->fd, "running"));
	if (!t->hangs)
		unbind_slowly(_metadata, bk);
	else
		EXPECT_EQ(0, bk_unbind(bk));
	EXPECT_EQ(-ENOENT, bk_engine(bk, bk->name, &e));

	bad = cell_arrive(c);
	EXPECT_EQ(NULL, bad) {
		TH_LOG("%s", bad);
	}
	/* Without its driver it has nothing any more, not even of what was parked */
	cell_reuse(c, 0);
	expect_answers(_metadata, t, variant->never_stops);
	EXPECT_EQ(0, dt_nr(c->fd, "parked"));
	EXPECT_EQ(pins, dt_pins_settle(pins));
	thaw(bk);
	expect_back(_metadata, bk);
	EXPECT_TRUE(cell_is_untouched(c));
	row = (struct table_row){ t->name, variant->name,
				  t->policy == REQUIRE ? "require" : "prefer",
				  channel_word(t, variant->never_stops), _metadata->passed };
	table_add(&row, c);
	cell_end(c);
}

static void try_all(struct __test_metadata *_metadata, FIXTURE_DATA(removal) *self,
		    const FIXTURE_VARIANT(removal) *variant, const char *name, bool hangs)
{
	static const struct { uint32_t policy; unsigned int nr; } kinds[] = {
		{ PREFER, CELL_MOST }, { REQUIRE, CELL_MOST }, { PREFER, 1 }, { REQUIRE, 1 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds) && _metadata->passed; i++) {
		struct try t = { .name = name, .hangs = hangs, .policy = kinds[i].policy,
				 .nr = kinds[i].nr };

		try_it(_metadata, &self->bk, &t, variant);
		if (!_metadata->passed)
			TH_LOG("that was: %s, DMA %s, %u in flight", variant->name,
			       t.policy == REQUIRE ? "required" : "preferred", t.nr);
	}
}

TEST_F_TIMEOUT(removal, slow, 600)
{
	NEED_BROKEN();
	try_all(_metadata, self, variant, "removal", false);
}

TEST_F_TIMEOUT(removal, hung, 600)
{
	NEED_BROKEN();
	try_all(_metadata, self, variant, "removal, hangs", true);
}

/* Requests of both kinds, which wait for one another */
TEST_F_TIMEOUT(removal, hung_with_two_sessions, 600)
{
	struct cell cell[2];
	const char *bad;

	NEED_BROKEN();
	ASSERT_EQ(0, dt_set_param("drain_ms", BK_SOON_MS));
	ASSERT_EQ(0, freeze(&self->bk));
	ASSERT_EQ(0, cell_depart(&cell[0], "copy", false, PREFER, CELL_MOST));
	ASSERT_EQ(0, cell_depart(&cell[1], "copy", false, REQUIRE, CELL_MOST));
	EXPECT_TRUE(is_in_flight(&self->bk));
	EXPECT_EQ(CELL_MOST, dt_nr(cell[0].fd, "running"));
	EXPECT_EQ(CELL_MOST, dt_nr(cell[1].fd, "running"));
	EXPECT_EQ(0, bk_unbind(&self->bk));
	for (unsigned int i = 0; i < 2; i++) {
		bad = cell_arrive(&cell[i]);
		EXPECT_EQ(NULL, bad) {
			TH_LOG("%s", bad);
		}
		cell_reuse(&cell[i], 0);
	}
	EXPECT_EQ(CELL_MOST, cell_count(&cell[0], 0) + cell_count(&cell[0], ETIMEDOUT));
	EXPECT_EQ(CELL_MOST, cell_count(&cell[1], ENODEV) + cell_count(&cell[1], ETIMEDOUT));
	EXPECT_EQ(variant->never_stops, cell_count(&cell[0], ETIMEDOUT) > 0);
	EXPECT_EQ(0, dt_nr(cell[0].fd, "parked") + dt_nr(cell[1].fd, "parked"));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	thaw(&self->bk);
	expect_back(_metadata, &self->bk);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_TRUE(cell_is_untouched(&cell[i]));
		cell_end(&cell[i]);
	}
}

TEST_HARNESS_MAIN
