// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware that fails: every kind of fault, on every kind of controller, with one
 * request in flight and with many, where the CPU may help out and where DMA is
 * required. Each time: one answer for each request, the right one; right data, or an
 * error; bytes counted for what they were; no late write to memory that the program
 * has again; nothing left pinned; a channel in the state that it deserves, that can be
 * used again.
 *
 * The results are printed as a table in the end.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"
#include "table.h"

#define PREFER	DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE	DMOVERIO_POLICY_REQUIRE_DMA

/* So long is a channel left in peace, where it has to come back by itself; it doubles */
#define BACKOFF_MS	200
/* As soon as it can be: where something has to hang, whatever else is in flight waits for it */
#define AT_ONCE_MS	1

/* -- what is expected of a fault */

enum outcome {
	NOT_TRIED,	/* hardware that lies: nobody can find out */
	GOOD,		/* as if nothing had been */
	UNSEEN,		/* the same, but the data are wrong: success is all that we are told */
	SOME_FAIL,	/* one or two requests; the channel goes on */
	ALL_FAIL,
	NO_DESC,	/* the channel takes nothing: others do it */
	HUNG,		/* stopped, and done by others */
	ONE_HUNG,	/* the same, but all but one request had been done */
	PARKED,		/* not to be stopped, comes to its end when it is woken */
	LOST,		/* not to be stopped, and never called back */
	ONE_LOST,	/* the same, but all but one request had been done */
	NR_OUTCOMES
};

static const char *const outcome_names[NR_OUTCOMES] = {
	[GOOD] = "as if nothing had been", [UNSEEN] = "as if nothing had been, wrong data",
	[SOME_FAIL] = "goes on", [ALL_FAIL] = "quarantined; reset", [NO_DESC] = "goes on",
	[HUNG] = "stopped, quarantined; reset", [ONE_HUNG] = "stopped, quarantined; reset",
	[PARKED] = "parked, until woken; reset", [LOST] = "parked, until unbound",
	[ONE_LOST] = "parked, until unbound",
};

static const int required_error[NR_OUTCOMES] = {
	[SOME_FAIL] = EIO, [ALL_FAIL] = EIO, [NO_DESC] = EIO, [HUNG] = ETIMEDOUT,
	[ONE_HUNG] = ETIMEDOUT, [PARKED] = ETIMEDOUT, [LOST] = ETIMEDOUT, [ONE_LOST] = ETIMEDOUT,
};

static const enum dt_way way_of[NR_OUTCOMES] = {
	[GOOD] = DT_DMA, [UNSEEN] = DT_DMA, [SOME_FAIL] = DT_ERROR, [ALL_FAIL] = DT_ERROR,
	[NO_DESC] = DT_BUSY, [HUNG] = DT_HANG, [PARKED] = DT_HANG, [LOST] = DT_HANG,
};

static bool is_parked(enum outcome outcome)
{
	return outcome == PARKED || outcome == LOST || outcome == ONE_LOST;
}

static bool hangs(enum outcome outcome)
{
	return outcome == HUNG || outcome == ONE_HUNG || is_parked(outcome);
}

/* Has all but one request been done when the channel is found to hang? */
static bool is_one(enum outcome outcome)
{
	return outcome == ONE_HUNG || outcome == ONE_LOST;
}

static bool tells_nothing(enum outcome outcome)
{
	return outcome == GOOD || outcome == UNSEEN;
}

#define MOST_FAULTS 3

struct row {
	const char *name;
	const char *faults[MOST_FAULTS];	/* lines of the file "fault" */
	bool is_woken;				/* it goes on once all are in flight */
	enum outcome on[3];			/* TERMINATE, RELEASE, NEVER */
	const char *func;			/* "copy" if it does not matter */
	bool in_place;
	bool by_itself;				/* comes back when its back-off is over */
};

FIXTURE(sim) {
	struct bk bk;
	const char *why_not;
	long long pins;
};

FIXTURE_VARIANT(sim) {
	const char *driver, *options, *name;
	unsigned int quiet;			/* index of row.on */
	bool cannot_terminate;
};

FIXTURE_VARIANT_ADD(sim, terminate) {
	.driver = "dmover-sim", .name = "terminate", .quiet = 0,
	.options = "channels=1 descs=64 max_seg=4096 quiet=terminate completion=tasklet",
};

FIXTURE_VARIANT_ADD(sim, release) {
	.driver = "dmover-sim-release", .name = "release", .quiet = 1,
	.options = "channels=1 descs=64 max_seg=4096 quiet=release completion=thread",
};

FIXTURE_VARIANT_ADD(sim, never) {
	.driver = "dmover-sim-never", .name = "never", .quiet = 2,
	.options = "channels=1 descs=64 max_seg=4096 quiet=never completion=irq",
};

FIXTURE_VARIANT_ADD(sim, no_terminate) {
	.driver = "dmover-sim", .name = "no terminate_all", .quiet = 0, .cannot_terminate = true,
	.options = "channels=1 descs=64 max_seg=4096 quiet=terminate terminate=0 completion=tasklet",
};

FIXTURE_VARIANT_ADD(sim, release_no_terminate) {
	.driver = "dmover-sim-release", .name = "release, no t.", .quiet = 1,
	.cannot_terminate = true,
	.options = "channels=1 descs=64 max_seg=4096 quiet=release terminate=0 completion=thread",
};

FIXTURE_SETUP(sim)
{
	self->pins = dt_pins();
	self->why_not = bk_begin_sim(&self->bk, variant->driver, variant->options);
}

FIXTURE_TEARDOWN(sim)
{
	EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* One fault with so many requests and such a policy */
struct try {
	const struct row *row;
	enum outcome outcome;
	uint32_t policy;
	unsigned int nr;
	long long since_ms;			/* that it can fail, or be found to hang */
	struct cell cell;
	struct dmoverio_engine before;
};

static const char *func_of(const struct row *row)
{
	return row->func ? row->func : "copy";
}

static bool is_required(const struct try *t)
{
	return t->policy == REQUIRE;
}

static const char *policy_name(const struct try *t)
{
	return is_required(t) ? "require" : "prefer";
}

static void expect_dma(struct __test_metadata *_metadata)
{
	struct cell cell;

	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, 2));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(2, cell_count(&cell, 0));
	EXPECT_EQ(2 * CELL_LEN, dt_ways(cell.fd).bytes[DT_DMA] + dt_ways(cell.fd).bytes[DT_EDGE]);
	cell_end(&cell);
}

static void depart(struct __test_metadata *_metadata, struct bk *bk, struct try *t)
{
	const struct row *row = t->row;

	/* For ever, so that it is seen in quarantine, however slow this machine is */
	ASSERT_EQ(0, dt_set_param("backoff_ms", row->by_itself ? BACKOFF_MS : BK_NEVER_MS));
	ASSERT_EQ(0, bk_engine(bk, bk->name, &t->before));
	for (unsigned int i = 0; i < MOST_FAULTS && row->faults[i]; i++)
		ASSERT_EQ(0, bk_fault(bk->name, row->faults[i]));
	ASSERT_EQ(0, cell_depart(&t->cell, func_of(row), row->in_place, t->policy, t->nr));
	if (!row->is_woken && !hangs(t->outcome))
		return;
	EXPECT_EQ(0, bk_fault_settle(bk->name, "still", 1));
	EXPECT_EQ(t->nr, dt_nr(t->cell.fd, "running"));
	t->since_ms = dt_now_ms();
	if (row->is_woken)
		EXPECT_EQ(0, bk_fault(bk->name, "wake"));
	if (is_one(t->outcome))
		EXPECT_EQ(1, dt_nr_settle(t->cell.fd, "running", 1));
	if (hangs(t->outcome))
		EXPECT_EQ(0, dt_set_param("watchdog_ms", AT_ONCE_MS));
}

/* Fewer failures than this are not the channel's fault */
static bool is_judged(const struct try *t)
{
	return t->outcome != ALL_FAIL || t->nr >= 3;
}

/*
 * Those that still waited for the channel when it failed: the CPU does them, or they
 * have no engine any more.
 */
static unsigned int count_waited(const struct try *t)
{
	struct dt_ways ways = dt_ways(t->cell.fd);

	return is_required(t) ? cell_count(&t->cell, ENODEV) :
				(ways.bytes[DT_NO_CHANNEL] + ways.bytes[DT_SLOWER]) /
					(long long)CELL_LEN;
}

/* Does the channel come to a state in which it gets nothing more? */
static bool is_given_up(const struct try *t)
{
	return hangs(t->outcome) || (t->outcome == ALL_FAIL && is_judged(t));
}

/* In place, what was begun cannot be done again, by nobody */
static void expect_in_place(struct __test_metadata *_metadata, const struct try *t)
{
	const struct cell *c = &t->cell;
	unsigned int good = cell_count(c, 0), begun = cell_count(c, EIO),
		     late = cell_count(c, ETIMEDOUT);
	struct dt_ways ways = dt_ways(c->fd);

	EXPECT_EQ(t->nr, good + begun + late + is_required(t) * count_waited(t));
	EXPECT_EQ(good * CELL_LEN, dt_ways_sum(&ways));
	EXPECT_EQ(is_parked(t->outcome), !begun);
	EXPECT_TRUE(t->outcome != ALL_FAIL || begun + count_waited(t) == t->nr);
	EXPECT_TRUE(!is_required(t) || !good);
	EXPECT_TRUE(is_required(t) || is_parked(t->outcome) == (late > 0));
}

/* What the CPU moves at the edges of a request belongs to the channel's work */
static long long way_bytes(const struct dt_ways *ways, enum dt_way way)
{
	return ways->bytes[way] + (way == DT_DMA ? ways->bytes[DT_EDGE] : 0);
}

static void expect_answers(struct __test_metadata *_metadata, const struct try *t)
{
	const struct cell *c = &t->cell;
	unsigned int good = cell_count(c, 0), waited = count_waited(t);
	unsigned int failed = t->nr - good - is_required(t) * waited;
	struct dt_ways ways = dt_ways(c->fd);
	enum dt_way way = way_of[t->outcome];

	EXPECT_EQ(failed, cell_count(c, required_error[t->outcome]) * (failed > 0)) {
		TH_LOG("%u good, first answer %d", good, c->error[0]);
	}
	EXPECT_TRUE(waited < t->nr && (!waited || is_given_up(t)));
	if (is_one(t->outcome)) {
		EXPECT_EQ(is_parked(t->outcome) || is_required(t), failed);
		EXPECT_EQ((t->nr - 1) * CELL_LEN, way_bytes(&ways, DT_DMA));
		EXPECT_EQ(!failed * CELL_LEN, ways.bytes[DT_HANG]);
	} else if (is_parked(t->outcome)) {
		EXPECT_LT(0, failed);
		EXPECT_TRUE(!is_required(t) || !good);
	} else if (tells_nothing(t->outcome) || !is_required(t)) {
		EXPECT_EQ(0, failed);
	} else if (t->outcome == SOME_FAIL) {
		EXPECT_TRUE(failed == 1 || failed == 2);
	} else {
		EXPECT_EQ(0, good);
	}

	/* Every byte of a success is counted once, and only of those */
	EXPECT_EQ(good * CELL_LEN, dt_ways_sum(&ways));
	if (t->outcome == SOME_FAIL) {
		long long by_cpu = ways.bytes[DT_ERROR] / (long long)CELL_LEN;

		EXPECT_EQ(by_cpu * (long long)CELL_LEN, ways.bytes[DT_ERROR]);
		EXPECT_TRUE(is_required(t) ? !by_cpu : by_cpu == 1 || by_cpu == 2);
		EXPECT_EQ(good * CELL_LEN, ways.bytes[DT_ERROR] + way_bytes(&ways, DT_DMA));
	} else if (!is_one(t->outcome)) {
		EXPECT_EQ(good * CELL_LEN, way_bytes(&ways, way) + ways.bytes[DT_NO_CHANNEL] +
			  ways.bytes[DT_SLOWER]);
	}
}

/* Left in peace for so long, by the kernel's clock, which may lag; and not for ever */
static void expect_over(struct __test_metadata *_metadata, struct bk *bk, const struct try *t)
{
	struct dmoverio_engine e;

	EXPECT_EQ(0, bk_wait_state(bk, bk->name, DMOVERIO_ENGINE_ACTIVE, &e));
	EXPECT_EQ(0, e.reason);
	EXPECT_EQ(0, e.retry_ms);
	if (is_given_up(t))
		EXPECT_LE(BACKOFF_MS / 2, dt_now_ms() - t->since_ms);
}

/* Used again after its failure; and the memory that it had is left alone */
static void expect_back(struct __test_metadata *_metadata, struct bk *bk, struct try *t)
{
	EXPECT_NE(0, t->cell.nr);
	EXPECT_EQ(0, bk_fault(bk->name, "off"));
	EXPECT_EQ(0, bk_fault_settle(bk->name, "still", 0));
	EXPECT_EQ(0, bk_fault_settle(bk->name, "loose", 0));
	if (t->row->by_itself && !is_parked(t->outcome))
		expect_over(_metadata, bk, t);
	else
		EXPECT_EQ(0, bk_reset(bk->name));
	expect_dma(_metadata);
	EXPECT_TRUE(cell_is_untouched(&t->cell));
}

/* Regions with pages of their own */
static unsigned int regions(const struct row *row)
{
	return 1 + dt_func(func_of(row))->nr_in - row->in_place;
}

static void expect_parked(struct __test_metadata *_metadata, struct bk *bk, struct try *t)
{
	struct dmoverio_engine e;
	unsigned int lost = cell_count(&t->cell, ETIMEDOUT);

	EXPECT_EQ(0, bk_wait_state(bk, bk->name, DMOVERIO_ENGINE_DISABLED, &e));
	EXPECT_EQ(DMOVERIO_FAILED_HANG, e.reason);
	EXPECT_EQ(0, e.queued_bytes);
	/* All of those that were lost; where DMA is required, others got no answer, too */
	EXPECT_LT(0, e.parked_pages);
	EXPECT_LE(e.parked_pages, regions(t->row) * CELL_PAGES * lost);
	if (!is_required(t))
		EXPECT_EQ(regions(t->row) * CELL_PAGES * lost, e.parked_pages);
	EXPECT_EQ(-EBUSY, bk_reset(bk->name));
	EXPECT_EQ(-EBUSY, dt_release(bk->name));
	EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_DISABLED, e.state);
	EXPECT_EQ(DMOVERIO_FAILED_HANG, e.reason);

	/* Only what was given back to the program is the program's */
	EXPECT_EQ(t->row->is_woken ? -EAGAIN : 0, bk_fault(bk->name, "wake"));
	EXPECT_EQ(0, bk_fault_settle(bk->name, "still", 0));
	if (t->outcome == PARKED) {
		EXPECT_EQ(0, bk_wait_parked(bk, bk->name, 0));
		EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
		EXPECT_EQ(DMOVERIO_ENGINE_DISABLED, e.state);
		expect_back(_metadata, bk, t);
		return;
	}
	/* An opportunity for what must not happen */
	dt_sleep_ms(50);
	EXPECT_TRUE(cell_is_untouched(&t->cell));
	EXPECT_EQ(-EBUSY, bk_reset(bk->name));
	EXPECT_EQ(0, bk_unbind(bk));
	EXPECT_EQ(-ENOENT, bk_engine(bk, bk->name, &e));
	EXPECT_EQ(0, bk_bind(bk, 1));
	expect_dma(_metadata);
	EXPECT_TRUE(cell_is_untouched(&t->cell));
}

static void expect_quarantine(struct __test_metadata *_metadata, struct bk *bk, struct try *t,
			      unsigned int reason)
{
	unsigned int had = is_one(t->outcome) ? 1 : t->nr - count_waited(t);
	struct dmoverio_engine e;

	EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
	/* It may be over before this is read */
	if (!t->row->by_itself) {
		EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e.state);
		EXPECT_EQ(reason, e.reason);
		EXPECT_LT(0, e.retry_ms);
	}
	EXPECT_EQ(0, e.parked_pages);
	EXPECT_EQ(0, e.queued_bytes);
	if (!t->row->in_place) {
		EXPECT_EQ(had, e.errors - t->before.errors);
		EXPECT_EQ(is_required(t) ? 0 : had, e.restarts - t->before.restarts);
	}
	expect_back(_metadata, bk, t);
}

static void expect_state(struct __test_metadata *_metadata, struct bk *bk, struct try *t)
{
	struct dmoverio_engine e;

	if (is_parked(t->outcome)) {
		expect_parked(_metadata, bk, t);
	} else if (hangs(t->outcome)) {
		expect_quarantine(_metadata, bk, t, DMOVERIO_FAILED_HANG);
	} else if (t->outcome == ALL_FAIL && is_judged(t)) {
		expect_quarantine(_metadata, bk, t, DMOVERIO_FAILED_ERRORS);
	} else {
		EXPECT_EQ(0, bk_engine(bk, bk->name, &e));
		EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
		EXPECT_EQ(tells_nothing(t->outcome), e.errors == t->before.errors &&
			  e.restarts == t->before.restarts);
		expect_back(_metadata, bk, t);
	}
}

static const char *channel_word(const struct try *t)
{
	if (t->row->by_itself && is_given_up(t) && !is_parked(t->outcome))
		return "quarantined, back by itself";
	return outcome_names[is_judged(t) ? t->outcome : SOME_FAIL];
}

static void try_it(struct __test_metadata *_metadata, struct bk *bk, struct try *t,
		   const char *controller)
{
	bool was_good = _metadata->passed;
	long long pins = dt_pins();
	struct table_row row;
	const char *bad;

	depart(_metadata, bk, t);
	bad = cell_arrive(&t->cell);
	if (t->outcome == UNSEEN) {
		EXPECT_TRUE(bad == cell_wrong);
	} else {
		EXPECT_EQ(NULL, bad) {
			TH_LOG("%s", bad);
		}
	}
	EXPECT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	cell_reuse(&t->cell, is_parked(t->outcome) ? ETIMEDOUT : 0);
	if (t->row->in_place)
		expect_in_place(_metadata, t);
	else
		expect_answers(_metadata, t);
	expect_state(_metadata, bk, t);
	row = (struct table_row){ t->row->name, controller, policy_name(t),
				  channel_word(t), _metadata->passed };
	table_add(&row, &t->cell);
	cell_end(&t->cell);
	EXPECT_EQ(pins, dt_pins_settle(pins));
	if (was_good && !_metadata->passed)
		TH_LOG("that was: %s, %s, %s, %u in flight", t->row->name, controller,
		       policy_name(t), t->nr);
}

#define NOBODY_KNOWS	"hardware that says it has stopped, and has not: nobody can find out"

static void try_all(struct __test_metadata *_metadata, FIXTURE_DATA(sim) *self,
		    const FIXTURE_VARIANT(sim) *variant, const struct row *row)
{
	static const struct { uint32_t policy; unsigned int nr; } kinds[] = {
		{ PREFER, 1 }, { REQUIRE, 1 }, { PREFER, CELL_MOST }, { REQUIRE, CELL_MOST },
	};
	/* One that cannot be told to stop is as one that never does */
	bool never = variant->cannot_terminate && variant->quiet == 0;
	enum outcome outcome = row->on[never ? 2 : variant->quiet];
	/* All of it takes minutes: elsewhere than in guests for that, only what has most */
	bool is_long = dt_scale(0, 1);
	unsigned int first = is_long ? 0 : 2, end = is_long ? 4 : 3;

	if (variant->cannot_terminate && !is_long)
		SKIP(return, "not in the quick run");
	if (outcome == NOT_TRIED) {
		table_note(row->name, variant->name, NOBODY_KNOWS);
		SKIP(return, NOBODY_KNOWS);
	}
	for (unsigned int i = first; i < end && _metadata->passed; i++) {
		struct try t = { .row = row, .outcome = outcome, .policy = kinds[i].policy,
				 .nr = kinds[i].nr };

		try_it(_metadata, &self->bk, &t, variant->name);
	}
}

#define ROW(test, ...)						\
TEST_F_TIMEOUT(sim, test, 600)					\
{								\
	static const struct row row = { __VA_ARGS__ };		\
								\
	NEED_BROKEN();						\
	try_all(_metadata, self, variant, &row);		\
}

#define EVERYWHERE(outcome)	{ outcome, outcome, outcome }
#define FREEZE			"hang 0 1"

ROW(read_error, .name = "read-error", .faults = { FREEZE, "read-error 0 -1" },
    .is_woken = true, .on = EVERYWHERE(ALL_FAIL))
ROW(write_error, .name = "write-error", .faults = { FREEZE, "write-error 0 -1" },
    .is_woken = true, .on = EVERYWHERE(ALL_FAIL))
ROW(one_read_error, .name = "read-error, one", .faults = { FREEZE, "read-error 1 1" },
    .is_woken = true, .on = EVERYWHERE(SOME_FAIL))
ROW(one_write_error, .name = "write-error, one", .faults = { FREEZE, "write-error 2 1" },
    .is_woken = true, .on = EVERYWHERE(SOME_FAIL))
ROW(abort_next, .name = "abort-next", .faults = { FREEZE, "abort-next 2 1" },
    .is_woken = true, .on = EVERYWHERE(SOME_FAIL))
ROW(write_error_fill, .name = "write-error, fill8", .faults = { FREEZE, "write-error 0 -1" },
    .is_woken = true, .on = EVERYWHERE(ALL_FAIL), .func = "fill8")
ROW(write_error_xor, .name = "write-error, xor5", .faults = { FREEZE, "write-error 0 -1" },
    .is_woken = true, .on = EVERYWHERE(ALL_FAIL), .func = "xor5")
ROW(residue, .name = "residue is wrong", .faults = { FREEZE, "residue 0 -1" },
    .is_woken = true, .on = EVERYWHERE(GOOD))
ROW(short_transfer, .name = "short, called a success", .faults = { FREEZE, "short 0 -1" },
    .is_woken = true, .on = EVERYWHERE(UNSEEN))
ROW(lost, .name = "lost, called a success", .faults = { FREEZE, "lost 0 -1" },
    .is_woken = true, .on = EVERYWHERE(UNSEEN))
ROW(no_callback, .name = "no callback, but complete", .faults = { FREEZE, "no-callback 1 1" },
    .is_woken = true, .on = { ONE_HUNG, ONE_HUNG, ONE_LOST })
ROW(no_desc_for_a_moment, .name = "no-desc, for a moment", .faults = { "no-desc 0 3" },
    .on = EVERYWHERE(GOOD))
ROW(no_desc, .name = "no-desc", .faults = { "no-desc 0 -1" }, .on = EVERYWHERE(NO_DESC))
ROW(hang_for_a_moment, .name = "hang, for a moment", .faults = { "hang 0 24 5" },
    .on = EVERYWHERE(GOOD))
ROW(hang, .name = "hang", .faults = { "hang 0 1" }, .on = { HUNG, HUNG, PARKED })
ROW(hang_midway, .name = "hang, midway", .faults = { "hang 1 1" }, .on = { HUNG, HUNG, PARKED })
ROW(hang_xor, .name = "hang, xor5", .faults = { "hang 0 1" }, .on = { HUNG, HUNG, PARKED },
    .func = "xor5")
ROW(late, .name = "late, no callback", .faults = { "late 0 1" },
    .on = { NOT_TRIED, NOT_TRIED, LOST })
ROW(late_callback, .name = "late-callback", .faults = { "late-callback 0 1" },
    .on = { NOT_TRIED, NOT_TRIED, PARKED })
ROW(terminate_error, .name = "hang, terminate-error",
    .faults = { "hang 0 1", "terminate-error 0 1" }, .on = { LOST, HUNG, PARKED })
ROW(terminate_aborted, .name = "hang, terminate-aborted",
    .faults = { "hang 0 1", "terminate-aborted 0 1" }, .on = { HUNG, HUNG, PARKED })
ROW(terminate_success, .name = "hang, terminate-success",
    .faults = { "hang 0 1", "terminate-success 0 1" }, .on = { HUNG, HUNG, PARKED })
ROW(in_place_error, .name = "write-error, in place", .faults = { FREEZE, "write-error 0 -1" },
    .is_woken = true, .on = EVERYWHERE(ALL_FAIL), .func = "xor3", .in_place = true)
ROW(in_place_hang, .name = "hang, in place", .faults = { "hang 0 1" },
    .on = { HUNG, HUNG, PARKED }, .func = "xor3", .in_place = true)
ROW(in_place_terminate_success, .name = "terminate-success, in pl.",
    .faults = { "hang 0 1", "terminate-success 0 1" }, .on = { HUNG, HUNG, PARKED },
    .func = "xor3", .in_place = true)

ROW(read_error_by_itself, .name = "read-error, back-off",
    .faults = { FREEZE, "read-error 0 -1" }, .is_woken = true, .on = EVERYWHERE(ALL_FAIL),
    .by_itself = true)
ROW(hang_by_itself, .name = "hang, back-off", .faults = { "hang 0 1" },
    .on = { HUNG, HUNG, PARKED }, .by_itself = true)

TEST_HARNESS_MAIN
