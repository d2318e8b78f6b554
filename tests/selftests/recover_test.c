// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that failed: how long they are left in peace, how they come back, and who
 * does their work meanwhile.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"

#define PREFER	DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE	DMOVERIO_POLICY_REQUIRE_DMA

#define NR	8

/* Another client, which takes a channel when it is told its name */
#define DMATEST_CHANNEL	"/sys/module/dmatest/parameters/channel"

FIXTURE(failed) {
	struct bk bk;
	bool begun;
	long long pins;
};

FIXTURE_SETUP(failed)
{
	self->pins = dt_pins();
}

FIXTURE_TEARDOWN(failed)
{
	/* Which may have the channel, if a test has failed midway */
	dt_rmmod("dmatest");
	if (self->begun)
		EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

#define BEGIN(begin, ...)						\
do {									\
	const char *why_not = begin(&self->bk, ##__VA_ARGS__);		\
									\
	self->begun = true;						\
	if (why_not)							\
		SKIP(return, "%s", why_not);				\
} while (0)

/* So many requests that all have the same answer */
static struct dt_ways run(struct __test_metadata *_metadata, uint32_t policy, unsigned int nr,
			  int answer)
{
	struct dt_ways ways = { .bytes = { 0 } };
	struct cell cell;
	const char *bad;

	EXPECT_EQ(0, cell_depart(&cell, "copy", false, policy, nr));
	bad = cell_arrive(&cell);
	EXPECT_EQ(NULL, bad) {
		TH_LOG("%s", bad);
	}
	EXPECT_EQ(nr, cell_count(&cell, answer)) {
		TH_LOG("%u good, first answer %d", cell_count(&cell, 0), cell.error[0]);
	}
	ways = dt_ways(cell.fd);
	cell_end(&cell);
	return ways;
}

/* Three requests fail, one after the other: it is in quarantine for at most so long */
static void fail(struct __test_metadata *_metadata, FIXTURE_DATA(failed) *self,
		 struct dmoverio_engine *e)
{
	ASSERT_EQ(0, bk_fault(self->bk.name, "read-error 0 -1"));
	for (unsigned int i = 0; i < 3; i++)
		run(_metadata, PREFER, 1, 0);
	ASSERT_EQ(0, bk_fault(self->bk.name, "off"));
	ASSERT_EQ(0, bk_engine(&self->bk, self->bk.name, e));
}

static void hang(struct __test_metadata *_metadata, FIXTURE_DATA(failed) *self)
{
	struct cell cell;

	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(NR, cell_count(&cell, 0));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	cell_end(&cell);
}

static void expect_dma(struct __test_metadata *_metadata)
{
	struct dt_ways ways = run(_metadata, REQUIRE, 1, 0);

	EXPECT_EQ(CELL_LEN, ways.bytes[DT_DMA] + ways.bytes[DT_EDGE]);
}

static void comes_back(struct __test_metadata *_metadata, FIXTURE_DATA(failed) *self)
{
	struct dmoverio_engine e;

	EXPECT_EQ(0, bk_wait_state(&self->bk, self->bk.name, DMOVERIO_ENGINE_ACTIVE, &e));
	EXPECT_EQ(0, e.reason);
	EXPECT_EQ(0, e.retry_ms);
	expect_dma(_metadata);
}

TEST_F_TIMEOUT(failed, comes_back_by_itself, 240)
{
	static const char *const drivers[][2] = {
		{ "dmover-sim", "channels=1 quiet=terminate" },
		{ "dmover-sim-release", "channels=1 quiet=release" },
	};
	struct dmoverio_engine e;

	for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++) {
		BEGIN(bk_begin_sim, drivers[i][0], drivers[i][1]);
		ASSERT_EQ(0, dt_set_param("backoff_ms", 1));
		fail(_metadata, self, &e);
		EXPECT_EQ(3, e.errors);
		comes_back(_metadata, self);
		hang(_metadata, self);
		comes_back(_metadata, self);
		self->begun = false;
		EXPECT_EQ(0, bk_end(&self->bk));
	}
}

/* Errors that do not follow one another are not the channel's fault */
TEST_F_TIMEOUT(failed, now_and_then, 240)
{
	struct dmoverio_engine e;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=1");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	for (unsigned int i = 0; i < 10; i++) {
		ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
		EXPECT_EQ(CELL_LEN, run(_metadata, PREFER, 1, 0).bytes[DT_ERROR]);
		ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
		run(_metadata, REQUIRE, 1, EIO);
		expect_dma(_metadata);
	}
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	EXPECT_EQ(20, e.errors);
	EXPECT_EQ(10, e.restarts);
}

#define BASE_MS	500

/*
 * How long it is left in peace doubles with each failure. On a slow machine most of it
 * has passed when it is read; so it is read until there is more left than at first.
 */
TEST_F_TIMEOUT(failed, is_left_in_peace_for_twice_as_long, 600)
{
	unsigned long long most = BASE_MS;
	struct dmoverio_engine e;
	bool was_longer = false;
	unsigned int i;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=1");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BASE_MS));
	for (i = 0; i < 7 && !was_longer; i++, most *= 2) {
		fail(_metadata, self, &e);
		/* A jiffy may be ten milliseconds */
		EXPECT_LE(e.retry_ms, most + 10);
		was_longer = e.retry_ms > BASE_MS + 10;
		EXPECT_EQ(0, bk_wait_state(&self->bk, self->bk.name, DMOVERIO_ENGINE_ACTIVE, &e));
	}
	EXPECT_TRUE(was_longer);
	EXPECT_LT(1, i);

	/* It works for longer than it was left in peace: all is forgotten */
	dt_sleep_ms(most / 2 + 100);
	expect_dma(_metadata);
	fail(_metadata, self, &e);
	EXPECT_LE(e.retry_ms, BASE_MS + 10);
	comes_back(_metadata, self);
}

TEST_F_TIMEOUT(failed, others_work_meanwhile, 240)
{
	uint8_t *mem = dt_mmap(2 * CELL_LEN);
	struct dmoverio_engine e;
	struct dt_req r;
	int fd;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=1");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	fd = dt_open_policy("copy", REQUIRE);
	ASSERT_LE(0, fd);
	fail(_metadata, self, &e);
	EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e.state);
	EXPECT_EQ(DMOVERIO_FAILED_ERRORS, e.reason);
	EXPECT_LT(BK_NEVER_MS / 2, e.retry_ms);
	EXPECT_EQ(NR * CELL_LEN, run(_metadata, PREFER, NR, 0).bytes[DT_NO_CHANNEL]);
	EXPECT_EQ(-ESRCH, dt_open_policy("copy", REQUIRE));
	dt_req_init1(&r, "copy", 7, mem, CELL_LEN, mem + CELL_LEN);
	EXPECT_EQ(ENODEV, dt_do(fd, &r.req));

	EXPECT_EQ(-ENODEV, bk_reset("dma99chan99"));
	EXPECT_EQ(-ENODEV, bk_reset("cpu"));
	EXPECT_EQ(-ENODEV, bk_reset("\n"));
	EXPECT_EQ(0, bk_reset(self->bk.name));
	EXPECT_EQ(0, dt_do(fd, &r.req));
	/* One that is well stays so */
	EXPECT_EQ(0, bk_reset(self->bk.name));
	EXPECT_EQ(0, dt_do(fd, &r.req));
	/* What was reset begins anew */
	fail(_metadata, self, &e);
	EXPECT_LE(e.retry_ms, BK_NEVER_MS);
	EXPECT_EQ(0, bk_reset(self->bk.name));
	expect_dma(_metadata);
	close(fd);
}

/* One that had to be released for that is ours all the same */
TEST_F_TIMEOUT(failed, in_quarantine_it_stays_ours, 240)
{
	struct dt_engines before, after;
	struct dmoverio_engine e;

	BEGIN(bk_begin_sim, "dmover-sim-release", "channels=1 quiet=release");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	hang(_metadata, self);
	ASSERT_EQ(0, dt_engines(self->bk.fd, &before));
	EXPECT_EQ(0, dt_rescan());
	ASSERT_EQ(0, dt_engines(self->bk.fd, &after));
	EXPECT_EQ(before.nr, after.nr);
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e.state);

	/* An administrator may give it back, and have it again */
	EXPECT_EQ(0, dt_release(self->bk.name));
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_UNUSED, e.state);
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	expect_dma(_metadata);

	/* So may its driver */
	hang(_metadata, self);
	EXPECT_EQ(0, bk_unbind(&self->bk));
	EXPECT_EQ(-ENOENT, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(0, bk_bind(&self->bk, 1));
	expect_dma(_metadata);

	/* Nobody has it: even the driver's module may go */
	hang(_metadata, self);
	EXPECT_EQ(0, dt_rmmod("dmover_sim"));
	EXPECT_EQ(-ENOENT, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(0, dt_insmod("dmover-sim", "channels=1 quiet=release"));
	EXPECT_EQ(0, dt_wait_channels(self->bk.fd, 1));
	expect_dma(_metadata);
}

/* Released because it hung, it is there for everybody: it comes back when it is free again */
TEST_F_TIMEOUT(failed, taken_by_somebody_else, 240)
{
	struct dmoverio_engine e;
	int err;

	BEGIN(bk_begin_sim, "dmover-sim-release", "channels=1 quiet=release");
	err = dt_insmod("dmatest", "");
	if (err == -ENOENT)
		SKIP(return, "no dmatest in this guest");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	EXPECT_NE(0, dt_write_line(DMATEST_CHANNEL, self->bk.name));
	hang(_metadata, self);
	EXPECT_EQ(0, dt_write_line(DMATEST_CHANNEL, self->bk.name));

	EXPECT_EQ(-EBUSY, bk_reset(self->bk.name));
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e.state);
	EXPECT_EQ(DMOVERIO_FAILED_LOST, e.reason);
	EXPECT_LT(0, e.retry_ms);
	EXPECT_EQ(CELL_LEN, run(_metadata, PREFER, 1, 0).bytes[DT_NO_CHANNEL]);
	EXPECT_EQ(0, dt_rmmod("dmatest"));
	EXPECT_EQ(0, bk_reset(self->bk.name));
	comes_back(_metadata, self);
}

/* It does not keep us, whether we hold it or not */
TEST_F_TIMEOUT(failed, in_quarantine_we_may_go, 240)
{
	static const char *const drivers[][2] = {
		{ "dmover-sim", "channels=1 quiet=terminate" },
		{ "dmover-sim-release", "channels=1 quiet=release" },
	};
	char options[1024];

	for (unsigned int i = 0; i < ARRAY_SIZE(drivers); i++) {
		BEGIN(bk_begin_sim, drivers[i][0], drivers[i][1]);
		ASSERT_EQ(0, dt_options("dmoverio", options, sizeof(options)));
		ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
		hang(_metadata, self);
		close(self->bk.fd);
		EXPECT_EQ(0, dt_rmmod("dmoverio"));
		EXPECT_EQ(self->pins, dt_pins());
		ASSERT_EQ(0, dt_insmod("dmoverio", options));
		self->bk.fd = dt_open(NULL, 0);
		expect_dma(_metadata);
		self->begun = false;
		EXPECT_EQ(0, bk_end(&self->bk));
	}
}

/* How often a channel is looked at for as long as nobody is in a hurry */
#define LOOK_MS	1000

/* From when it gets something until it was found to hang, when that is looked for at once */
static long long hang_at_once(struct __test_metadata *_metadata, FIXTURE_DATA(failed) *self)
{
	uint8_t *mem = dt_mmap(2 * CELL_LEN);
	int fd = dt_open_policy("copy", PREFER);
	struct dmio_usrresp resp = { 0 };
	long long since, took;
	struct dt_req r;

	dt_req_init1(&r, "copy", 7, mem, CELL_LEN, mem + CELL_LEN);
	EXPECT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	since = dt_now_ms();
	EXPECT_EQ(1, dt_write(fd, &r.req, 1));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	EXPECT_EQ(0, dt_set_param("watchdog_ms", 1));
	EXPECT_EQ(0, dt_collect(fd, &resp, 1));
	took = dt_now_ms() - since;
	EXPECT_EQ(CELL_LEN, dt_ways(fd).bytes[DT_HANG]);
	EXPECT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	EXPECT_EQ(0, bk_reset(self->bk.name));
	close(fd);
	munmap(mem, 2 * CELL_LEN);
	return took;
}

/*
 * What the administrator says of it counts at once, not from the next look on. A slow
 * machine may need as long for other things, but hardly each time.
 */
TEST_F_TIMEOUT(failed, watchdog_of_now, 240)
{
	bool at_once = false;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=1");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	for (unsigned int i = 0; i < 30 && !at_once && _metadata->passed; i++)
		at_once = hang_at_once(_metadata, self) < LOOK_MS - 100;
	EXPECT_TRUE(at_once);
}

/* Nor is it ever found to hang, if the administrator says so */
TEST_F_TIMEOUT(failed, no_watchdog, 240)
{
	struct dmoverio_engine e;
	struct cell cell;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=1");
	ASSERT_EQ(0, dt_set_param("watchdog_ms", 0));
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, NR));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	dt_sleep_ms(3000);
	EXPECT_EQ(NR, dt_nr(cell.fd, "running"));
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(NR, cell_count(&cell, 0));
	cell_end(&cell);
}

/* -- two channels */

static const char *other(FIXTURE_DATA(failed) *self, char *name, size_t size)
{
	struct dt_engines all;

	dt_engines(self->bk.fd, &all);
	for (unsigned int i = 1; i < all.nr; i++)
		if (dt_is_channel(&all.engine[i], DMOVERIO_FUNC_COPY) &&
		    strcmp(all.engine[i].name, self->bk.name))
			snprintf(name, size, "%s", all.engine[i].name);
	return name;
}

TEST_F_TIMEOUT(failed, another_channel_helps_out, 240)
{
	struct dmoverio_engine e;
	char second[32] = "";
	struct cell cell;

	BEGIN(bk_begin_sim, "dmover-sim", "channels=2");
	other(self, second, sizeof(second));
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));

	/* Of two that are idle the first is taken */
	ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
	EXPECT_EQ(CELL_LEN, run(_metadata, REQUIRE, 1, 0).bytes[DT_DMA]);
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(1, e.errors);
	EXPECT_EQ(1, e.restarts);
	EXPECT_EQ(0, bk_engine(&self->bk, second, &e));
	EXPECT_EQ(1, e.windows);

	/* In place, nobody can */
	ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "xor3", true, PREFER, 1));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(1, cell_count(&cell, EIO));
	cell_end(&cell);

	/* Not one after the other */
	ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
	ASSERT_EQ(0, bk_fault(second, "write-error 0 1"));
	run(_metadata, REQUIRE, 1, EIO);
	expect_dma(_metadata);
	ASSERT_EQ(0, bk_fault(self->bk.name, "off"));
	ASSERT_EQ(0, bk_fault(second, "off"));
	ASSERT_EQ(0, bk_fault(self->bk.name, "write-error 0 1"));
	ASSERT_EQ(0, bk_fault(second, "write-error 0 1"));
	EXPECT_EQ(CELL_LEN, run(_metadata, PREFER, 1, 0).bytes[DT_ERROR]);
}

TEST_F_TIMEOUT(failed, another_channel_does_what_hung, 240)
{
	struct dmoverio_engine e;
	struct cell cell;

	BEGIN(bk_begin_sim, "dmover-sim-release", "channels=2 quiet=release");
	ASSERT_EQ(0, dt_set_param("backoff_ms", BK_NEVER_MS));
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, CELL_MOST));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	EXPECT_EQ(CELL_MOST, cell_count(&cell, 0));
	EXPECT_EQ(CELL_MOST * CELL_LEN, dt_ways(cell.fd).bytes[DT_DMA]);
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_QUARANTINED, e.state);
	EXPECT_LT(0, e.restarts);
	EXPECT_EQ(e.errors, e.restarts);
	cell_end(&cell);
}

TEST_HARNESS_MAIN
