// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that hardware still has when its request was answered: how long it is kept,
 * what becomes of the program's session, and that nobody waits for it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
#include "cell.h"
#include "kselftest_harness.h"

#define PREFER	DMOVERIO_POLICY_PREFER_DMA
#define REQUIRE	DMOVERIO_POLICY_REQUIRE_DMA

#define NR	8
#define OPTIONS	"channels=1 quiet=never"

FIXTURE(parked) {
	struct bk bk;
	const char *why_not;
	long long pins;
	int refs;			/* to the module, of the test's own session */
};

FIXTURE_SETUP(parked)
{
	self->pins = dt_pins();
	self->why_not = bk_begin_sim(&self->bk, "dmover-sim-never", OPTIONS);
	self->refs = bk_module_refs("dmoverio");
}

FIXTURE_TEARDOWN(parked)
{
	/* Some drivers are waited for, for ever, if a test has failed midway */
	bk_fault(self->bk.name, "wake");
	EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static int refs_settle(int refs)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int now = bk_module_refs("dmoverio");

	while (now != refs && dt_now_ms() < end) {
		dt_sleep_ms(5);
		now = bk_module_refs("dmoverio");
	}
	return now;
}

static void expect_parked(struct __test_metadata *_metadata, FIXTURE_DATA(parked) *self)
{
	struct dmoverio_engine e;

	EXPECT_EQ(0, bk_wait_state(&self->bk, self->bk.name, DMOVERIO_ENGINE_DISABLED, &e));
	EXPECT_LT(0, e.parked_pages);
	EXPECT_EQ(e.parked_pages, dt_channel_counter(e.name, "parked_pages"));
	EXPECT_EQ(self->pins + (long long)e.parked_pages,
		  dt_pins_settle(self->pins + e.parked_pages));
	EXPECT_LT(self->refs, bk_module_refs("dmoverio"));
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmoverio"));
}

/* Woken, the hardware comes to its end, and then nothing is left */
static void expect_nothing_left(struct __test_metadata *_metadata, FIXTURE_DATA(parked) *self)
{
	struct cell cell;

	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(0, bk_wait_parked(&self->bk, self->bk.name, 0));
	EXPECT_EQ(0, dt_channel_counter(self->bk.name, "parked_pages"));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(self->refs, refs_settle(self->refs));
	EXPECT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	EXPECT_EQ(0, bk_reset(self->bk.name));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, REQUIRE, 1));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(1, cell_count(&cell, 0));
	cell_end(&cell);
}

TEST_F_TIMEOUT(parked, closed, 240)
{
	struct cell cell;

	NEED_BROKEN();
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 1 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_LT(0, cell_count(&cell, ETIMEDOUT));
	cell_end(&cell);
	expect_parked(_metadata, self);
	expect_nothing_left(_metadata, self);
}

/* The answers, too, are for nobody */
TEST_F_TIMEOUT(parked, closed_before_it_was_parked, 240)
{
	struct cell cell;

	NEED_BROKEN();
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	EXPECT_EQ(NR, dt_nr(cell.fd, "running"));
	cell_end(&cell);
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	expect_parked(_metadata, self);
	expect_nothing_left(_metadata, self);
}

/* Requests that are parked are no longer in flight: the session goes on meanwhile */
TEST_F_TIMEOUT(parked, the_session_goes_on, 240)
{
	struct dmio_usrresp resp[NR];
	struct cell cell;

	NEED_BROKEN();
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(NR, cell_count(&cell, ETIMEDOUT));
	expect_parked(_metadata, self);
	EXPECT_EQ(NR, dt_nr(cell.fd, "parked"));
	EXPECT_EQ(0, dt_nr(cell.fd, "running"));
	cell_reuse(&cell, ETIMEDOUT);
	for (unsigned int i = 0; i < DT_DEPTH / NR + 1; i++) {
		ASSERT_EQ(0, dt_write_all(cell.fd, cell.flat, NR));
		ASSERT_EQ(0, dt_collect(cell.fd, resp, NR));
		EXPECT_TRUE(dt_ids_once(resp, NR, 0));
	}
	EXPECT_EQ((DT_DEPTH / NR + 1) * NR * CELL_LEN, dt_ways(cell.fd).bytes[DT_NO_CHANNEL]);
	for (unsigned int i = 0; i < NR; i++)
		EXPECT_EQ(-1, dt_diff(cell.out + i * CELL_STRIDE + CELL_OFFSET,
				      cell.in + i * CELL_STRIDE + CELL_OFFSET, CELL_LEN));
	cell_reuse(&cell, 0);
	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(0, bk_wait_parked(&self->bk, self->bk.name, 0));
	EXPECT_TRUE(cell_is_untouched(&cell));
	EXPECT_EQ(0, dt_nr_settle(cell.fd, "parked", 0));
	/* No second answer */
	EXPECT_TRUE(dt_quiet(cell.fd));
	cell_end(&cell);
	EXPECT_EQ(-EAGAIN, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(self->refs, refs_settle(self->refs));
}

static int depart(void *cell)
{
	return cell_depart(cell, "copy", false, PREFER, NR);
}

static int depart_and_arrive(void *cell)
{
	int err = depart(cell);

	if (!err)
		err = dt_set_param("watchdog_ms", BK_SOON_MS);
	return err ? err : cell_arrive(cell) ? -EBADMSG : 0;
}

/* A child is killed when its transfers, after that fault, stand still */
static void kill_child(struct __test_metadata *_metadata, FIXTURE_DATA(parked) *self,
		       const char *fault, int (*act)(void *cell))
{
	struct cell cell;
	int err = -1;
	pid_t pid;

	ASSERT_EQ(0, bk_fault(self->bk.name, fault));
	pid = dt_spawn(act, &cell, &err);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	EXPECT_EQ(SIGKILL, dt_kill(pid));
}

TEST_F_TIMEOUT(parked, killed, 240)
{
	NEED_BROKEN();
	kill_child(_metadata, self, "hang 0 1", depart_and_arrive);
	expect_parked(_metadata, self);
	expect_nothing_left(_metadata, self);
}

TEST_F_TIMEOUT(parked, killed_before_it_was_parked, 240)
{
	NEED_BROKEN();
	kill_child(_metadata, self, "hang 0 1", depart);
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	expect_parked(_metadata, self);
	expect_nothing_left(_metadata, self);
}

/* ... or before it hung for good: then it was only slow */
TEST_F_TIMEOUT(parked, killed_and_woken_in_time, 240)
{
	struct dmoverio_engine e;

	NEED_BROKEN();
	kill_child(_metadata, self, "hang 0 1", depart);
	EXPECT_LT(self->refs, bk_module_refs("dmoverio"));
	EXPECT_EQ(0, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	expect_nothing_left(_metadata, self);
}

/* Unbound, the hardware has nothing any more, whoever had it */
TEST_F_TIMEOUT(parked, killed_and_unbound, 240)
{
	NEED_BROKEN();
	kill_child(_metadata, self, "late 0 1", depart_and_arrive);
	expect_parked(_metadata, self);
	/* Those behind it come back, it does not */
	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(0, bk_wait_parked(&self->bk, self->bk.name, 2 * CELL_PAGES));
	expect_parked(_metadata, self);
	EXPECT_EQ(0, bk_unbind(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(self->refs, refs_settle(self->refs));
	EXPECT_EQ(0, bk_bind(&self->bk, 1));
}

/* A driver of the table that bears neither terminate nor release while it is busy */
#define FRAGILE	"sf-pdma"

static void *unbind(void *bk)
{
	return (void *)(long)bk_unbind(bk);
}

/* It is not unbound before the hardware has come to its end, however long that takes */
TEST_F_TIMEOUT(parked, a_fragile_driver_is_waited_for, 240)
{
	struct dmoverio_engine e;
	struct cell cell;
	pthread_t thread;
	void *err;

	NEED_BROKEN();
	ASSERT_EQ(0, bk_end(&self->bk));
	ASSERT_EQ(NULL, bk_begin_sim(&self->bk, FRAGILE, OPTIONS " driver=" FRAGILE));
	self->refs = bk_module_refs("dmoverio");
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(NR, cell_count(&cell, ETIMEDOUT));
	cell_end(&cell);
	expect_parked(_metadata, self);

	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind, &self->bk));
	EXPECT_EQ(0, bk_wait_state(&self->bk, self->bk.name, DMOVERIO_ENGINE_LEAVING, &e));
	dt_sleep_ms(1500);
	EXPECT_EQ(EBUSY, pthread_tryjoin_np(thread, &err));
	EXPECT_LT(0, e.parked_pages);
	EXPECT_EQ(self->pins + (long long)e.parked_pages, dt_pins());
	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(NULL, err);
	EXPECT_EQ(-ENOENT, bk_engine(&self->bk, self->bk.name, &e));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(self->refs, refs_settle(self->refs));
	EXPECT_EQ(0, bk_bind(&self->bk, 1));
}

/* -- a user who may lock no more than one request needs */

/* 0; or how far it came */
static int poor_user(void)
{
	struct cell cell, later;
	int step = 1;

	if (dt_become_limited(DT_NOBODY, 2 * CELL_PAGES * dt_page_size()))
		return step;
	step++;
	if (cell_depart(&cell, "copy", false, PREFER, 2))
		return step;
	/* The second waits for what the first has, which never comes back */
	step++;
	if (cell_arrive(&cell) || cell_count(&cell, 0) != 1 || cell_count(&cell, ETIMEDOUT) != 1)
		return step;
	step++;
	if (dt_ways(cell.fd).bytes[DT_BUDGET] != CELL_LEN)
		return step;
	step++;
	if (cell_depart(&later, "copy", false, PREFER, NR) || cell_arrive(&later) ||
	    cell_count(&later, 0) != NR)
		return step;
	step++;
	return dt_ways(later.fd).bytes[DT_BUDGET] != NR * CELL_LEN ? step : 0;
}

TEST_F_TIMEOUT(parked, who_has_no_more_to_lock_goes_on, 240)
{
	pid_t pid;

	NEED_BROKEN();
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	pid = dt_fork();
	if (!pid)
		_exit(poor_user());
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(0, dt_reap(pid, 2 * DT_PATIENCE_MS));
	expect_parked(_metadata, self);
	expect_nothing_left(_metadata, self);
}

#define LARGE	(7UL << 20)

/* Several windows, of which only some are parked */
TEST_F_TIMEOUT(parked, a_large_request, 240)
{
	int fd = dt_open_policy("copy", PREFER);
	uint8_t *in = dt_mmap(LARGE), *out = dt_mmap(LARGE);
	struct dmio_usrresp resp;
	struct dt_req r;

	NEED_BROKEN();
	ASSERT_LE(0, fd);
	memset(in, 0x3c, LARGE);
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 1 1"));
	dt_req_init1(&r, "copy", 1, out, LARGE, in);
	ASSERT_EQ(1, dt_write(fd, &r.req, 1));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	ASSERT_EQ(0, dt_collect(fd, &resp, 1));
	EXPECT_EQ(ETIMEDOUT, resp.resp_error);
	expect_parked(_metadata, self);
	EXPECT_TRUE(dt_quiet(fd));
	munmap(out, LARGE);
	out = dt_mmap(LARGE);
	memset(out, 0x77, LARGE);
	EXPECT_EQ(0, bk_fault(self->bk.name, "wake"));
	EXPECT_EQ(0, bk_wait_parked(&self->bk, self->bk.name, 0));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	memset(in, 0x77, LARGE);
	EXPECT_EQ(-1, dt_diff(in, out, LARGE));
	EXPECT_TRUE(dt_quiet(fd));
	close(fd);
	EXPECT_EQ(self->refs, refs_settle(self->refs));
}

/* Nobody waits for it, a machine that goes to sleep neither */
TEST_F_TIMEOUT(parked, suspended, 240)
{
	struct cell cell;

	NEED_BROKEN();
	if (!dt_can_suspend())
		SKIP(return, "no test of suspend in this kernel");
	ASSERT_EQ(0, bk_fault(self->bk.name, "hang 0 1"));
	ASSERT_EQ(0, cell_depart(&cell, "copy", false, PREFER, NR));
	EXPECT_EQ(0, bk_fault_settle(self->bk.name, "still", 1));
	/* Before it is known to hang, it is waited for, but not for long */
	EXPECT_EQ(-EBUSY, dt_suspend("devices"));
	EXPECT_EQ(NR, dt_nr(cell.fd, "running"));
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_SOON_MS));
	EXPECT_EQ(NULL, cell_arrive(&cell));
	EXPECT_EQ(NR, cell_count(&cell, ETIMEDOUT));
	EXPECT_EQ(0, dt_suspend("devices"));
	expect_parked(_metadata, self);
	cell_end(&cell);
	expect_nothing_left(_metadata, self);
}

TEST_HARNESS_MAIN
