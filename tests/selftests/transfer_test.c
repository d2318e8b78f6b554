// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers in flight when something happens: to their channel, session, process,
 * to the module, the machine. None is lost, done twice or wrong, and nobody waits
 * for those that nobody wants any more.
 *
 * They are made slow by the simulated controller, and the test reads that the
 * channel has them.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"

#define FLIGHTS		4
#define FLIGHT		4096		/* a transfer each */
/* So long it takes; see in_flight() */
#define SLOW_US		200000
#define SLOWEST_US	5400000
/* So long a channel is given for one, however slow the machine */
#define NEVER_MS	1000000

FIXTURE(transfers) {
	long long pins;
	int fd;				/* without function */
	int nr;				/* channels */
	char sim[1024], options[1024];	/* parameters of the modules */
	long long watchdog_ms, drain_ms;
	bool is_slow;
};

#define NEED_SIM()							\
do {									\
	if (!sim_is_there())						\
		SKIP(return, "no simulated controller in this guest");	\
	ASSERT_LT(0, self->nr);						\
} while (0)

static void restore_speed(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	const char *at = strstr(self->sim, "latency_us=");
	char value[16] = "";

	ASSERT_EQ(1, sscanf(at ? at : "", "latency_us=%15s", value));
	EXPECT_EQ(0, dt_set_param("watchdog_ms", self->watchdog_ms));
	EXPECT_EQ(0, dt_set_param("drain_ms", self->drain_ms));
	EXPECT_EQ(0, sim_set("latency_us", value));
	EXPECT_EQ(0, sim_bind(0, false));
	EXPECT_EQ(0, sim_bind(0, true));
}

FIXTURE_SETUP(transfers)
{
	self->pins = dt_pins();
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
	self->nr = dt_channels(self->fd, DMOVERIO_FUNC_COPY);
	ASSERT_EQ(0, dt_options("dmoverio", self->options, sizeof(self->options)));
	self->watchdog_ms = dt_param("watchdog_ms");
	self->drain_ms = dt_param("drain_ms");
	if (sim_is_there())
		ASSERT_EQ(0, dt_options("dmover_sim", self->sim, sizeof(self->sim)));
}

FIXTURE_TEARDOWN(transfers)
{
	if (self->is_slow)
		restore_speed(_metadata, self);
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

struct flights {
	int fd;
	uint8_t *src, *dst;
	struct dt_req r[FLIGHTS];
	struct dmio_usrreq flat[FLIGHTS];
};

static int depart(struct flights *fl, uint32_t policy)
{
	fl->src = dt_mmap(FLIGHTS * FLIGHT);
	fl->dst = dt_mmap(FLIGHTS * FLIGHT);
	for (unsigned int i = 0; i < FLIGHTS * FLIGHT; i++)
		fl->src[i] = i * 7 + i / 251;
	for (unsigned int i = 0; i < FLIGHTS; i++) {
		dt_req_init1(&fl->r[i], "copy", i, fl->dst + i * FLIGHT, FLIGHT,
			     fl->src + i * FLIGHT);
		fl->flat[i] = fl->r[i].req;
	}
	fl->fd = dt_open_policy("copy", policy);
	return fl->fd < 0 ? fl->fd : dt_write_all(fl->fd, fl->flat, FLIGHTS);
}

static unsigned long long queued(int fd)
{
	unsigned long long sum = 0;
	struct dt_engines all;

	dt_engines(fd, &all);
	for (unsigned int i = 1; i < all.nr; i++)
		sum += all.engine[i].queued_bytes;
	return sum;
}

static bool is_in_flight(FIXTURE_DATA(transfers) *self, struct flights *fl)
{
	return queued(self->fd) > 0 && (!fl || dt_nr(fl->fd, "running") > 0);
}

static void arrive(struct __test_metadata *_metadata, struct flights *fl)
{
	struct dmio_usrresp resp[FLIGHTS];

	ASSERT_EQ(0, dt_collect(fl->fd, resp, FLIGHTS));
	EXPECT_TRUE(dt_ids_once(resp, FLIGHTS, 0));
	EXPECT_EQ(-1, dt_diff(fl->dst, fl->src, FLIGHTS * FLIGHT));
	EXPECT_EQ(FLIGHTS * FLIGHT, dt_ways(fl->fd).bytes[DT_DMA]);
	close(fl->fd);
}

/* Is DMA used? */
static void expect_dma(struct __test_metadata *_metadata)
{
	struct flights fl;

	ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
	arrive(_metadata, &fl);
}

static void slow_down(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self,
		      unsigned int us)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", us);
	self->is_slow = true;
	ASSERT_EQ(0, dt_set_param("watchdog_ms", NEVER_MS));
	ASSERT_EQ(0, dt_set_param("drain_ms", NEVER_MS));
	ASSERT_EQ(0, sim_set("latency_us", value));
	ASSERT_EQ(0, sim_bind(0, false));
	ASSERT_EQ(0, sim_bind(0, true));
	ASSERT_EQ(0, dt_wait_channels(self->fd, self->nr));
}

/*
 * Something that is to happen with transfers in flight: judges what comes of it,
 * and returns whether they were.
 */
typedef bool (*happening)(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self);

/*
 * On a slow machine the transfers may have ended before it was seen that they are
 * in flight. That alone is why it is done again, with longer ones.
 */
static void in_flight(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self,
		      happening what, unsigned int most_us)
{
	for (unsigned int us = SLOW_US; ; us *= 3) {
		ASSERT_GE(most_us, us) {
			TH_LOG("transfers were never seen in flight");
		}
		slow_down(_metadata, self, us);
		if (what(_metadata, self))
			return;
		TH_LOG("transfers of %u us ended too early", us);
	}
}

static bool give_back(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	struct flights fl;
	bool seen;

	ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
	seen = is_in_flight(self, &fl);
	EXPECT_EQ(0, dt_release("all"));
	EXPECT_EQ(0, dt_channels(self->fd, DMOVERIO_FUNC_NONE));
	arrive(_metadata, &fl);
	EXPECT_EQ(0, dt_rescan());
	return seen;
}

static bool unbind(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	struct flights fl;
	bool seen;

	ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
	seen = is_in_flight(self, &fl);
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmover_sim"));
	EXPECT_EQ(0, sim_bind(0, false));
	arrive(_metadata, &fl);
	EXPECT_EQ(0, sim_bind(0, true));
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	return seen;
}

TEST_F_TIMEOUT(transfers, given_back, 240)
{
	NEED_SIM();
	in_flight(_metadata, self, give_back, SLOWEST_US);
	in_flight(_metadata, self, unbind, SLOWEST_US);
}

/* If transfers of a session that is gone are in flight, their memory is pinned */
static bool still_in_flight(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	long long pins = dt_pins();

	/* If they are now, they were before */
	if (!is_in_flight(self, NULL))
		return false;
	EXPECT_LT(self->pins, pins);
	return true;
}

/* What is in flight ends by itself, and nobody waits for it */
static void expect_drained(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	while (queued(self->fd) && dt_now_ms() < end)
		dt_sleep_ms(5);
	EXPECT_EQ(0, queued(self->fd));
}

static bool close_it(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	struct flights fl;
	bool seen;

	ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
	seen = is_in_flight(self, &fl);
	EXPECT_EQ(0, close(fl.fd));
	seen = still_in_flight(_metadata, self) && seen;
	expect_drained(_metadata, self);
	return seen;
}

TEST_F_TIMEOUT(transfers, closed, 240)
{
	NEED_SIM();
	in_flight(_metadata, self, close_it, SLOWEST_US);
	expect_dma(_metadata);
}

static int depart_to_die(void *fl)
{
	return depart(fl, DMOVERIO_POLICY_REQUIRE_DMA);
}

static bool kill_it(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	struct flights fl;
	int err = -1;
	bool seen;
	pid_t pid;

	pid = dt_spawn(depart_to_die, &fl, &err);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, err);
	EXPECT_EQ(SIGKILL, dt_kill(pid));
	seen = still_in_flight(_metadata, self);
	expect_drained(_metadata, self);
	return seen;
}

TEST_F_TIMEOUT(transfers, killed, 240)
{
	NEED_SIM();
	in_flight(_metadata, self, kill_it, SLOWEST_US);
	expect_dma(_metadata);
}

/* The module stays for as long as a transfer needs it, and no longer */
static bool unload(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	struct flights fl;
	bool seen;
	int err;

	ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
	seen = is_in_flight(self, &fl);
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmoverio"));
	close(self->fd);
	close(fl.fd);
	/* If it can be unloaded now, nothing may be pinned any more */
	seen = dt_pins() > self->pins && seen;
	err = dt_rmmod("dmoverio");
	seen = err == -EAGAIN && seen;
	if (err == -EAGAIN)
		err = dt_rmmod_later("dmoverio");
	EXPECT_EQ(0, err);
	EXPECT_EQ(self->pins, dt_pins());
	if (!err)
		ASSERT_EQ(0, dt_insmod("dmoverio", self->options));
	self->fd = dt_open(NULL, 0);
	EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	return seen;
}

TEST_F_TIMEOUT(transfers, unloaded, 240)
{
	NEED_SIM();
	in_flight(_metadata, self, unload, SLOWEST_US);
	expect_dma(_metadata);
}

static bool suspend_it(struct __test_metadata *_metadata, FIXTURE_DATA(transfers) *self)
{
	static const char *const levels[] = { "freezer", "devices" };
	unsigned int nr_seen = 0;
	struct flights fl;

	for (unsigned int i = 0; i < ARRAY_SIZE(levels); i++) {
		ASSERT_EQ(0, depart(&fl, DMOVERIO_POLICY_REQUIRE_DMA));
		nr_seen += is_in_flight(self, &fl);
		EXPECT_EQ(0, dt_suspend(levels[i])) {
			TH_LOG("%s", levels[i]);
		}
		arrive(_metadata, &fl);
	}
	return nr_seen == ARRAY_SIZE(levels);
}

TEST_F_TIMEOUT(transfers, suspended, 240)
{
	NEED_SIM();
	if (!dt_can_suspend())
		SKIP(return, "no test of suspend in this kernel");
	in_flight(_metadata, self, suspend_it, SLOWEST_US);
}

TEST_HARNESS_MAIN
