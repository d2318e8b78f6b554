// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator does while requests are in flight: he changes a limit,
 * keeps the workers off some CPUs, suspends the machine, tries to unload the
 * module. Whoever waits goes on, nothing is lost, and he himself never waits
 * for a user.
 */
#include <sched.h>
#include <time.h>

#include "dma.h"
#include "kselftest_harness.h"
#include "stall.h"

#define PART	(128UL << 10)		/* of the region that faults, a request each */
#define PARTS	8
#define LARGE	(16UL << 20)

FIXTURE(admin) {
	struct dt_rng rng;
	long long pins, limit;
	int uffd;			/* for @region */
	uint8_t *region;
	uint8_t *src, *dst;		/* LARGE */
	struct dt_req req[PARTS];	/* zero the parts of @region */
	struct dmio_usrreq flat[PARTS];
	int zero, copy;
};

FIXTURE_SETUP(admin)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->limit = dt_param("max_requests");
	self->region = dt_mmap(PARTS * PART);
	madvise(self->region, PARTS * PART, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, st_uffd_create(&self->uffd, self->region, PARTS * PART));
	for (unsigned int i = 0; i < PARTS; i++) {
		dt_req_init1(&self->req[i], "zero", i, self->region + i * PART, PART, NULL);
		self->flat[i] = self->req[i].req;
	}
	self->src = dt_mmap(LARGE);
	self->dst = dt_mmap(LARGE);
	dt_fill(&self->rng, self->src, LARGE);
	self->zero = dt_open("zero", 0);
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->zero);
	ASSERT_LE(0, self->copy);
}

FIXTURE_TEARDOWN(admin)
{
	close(self->uffd);
	close(self->zero);
	close(self->copy);
	EXPECT_EQ(0, dt_set_param("max_requests", self->limit));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Write @nr requests, and see a worker wait in the first one's page fault */
static void stall(struct __test_metadata *_metadata, FIXTURE_DATA(admin) *self, unsigned int nr)
{
	pid_t who;

	ASSERT_EQ(nr, dt_write(self->zero, self->flat, nr));
	ASSERT_EQ(1, st_uffd_faults(self->uffd, &who, 1, DT_PATIENCE_MS));
}

static void resolve_and_collect(struct __test_metadata *_metadata, FIXTURE_DATA(admin) *self,
				unsigned int nr)
{
	struct dmio_usrresp resp[PARTS];

	ASSERT_EQ(0, st_uffd_resolve(self->uffd, self->region, PARTS * PART, NULL));
	ASSERT_EQ(0, dt_collect(self->zero, resp, nr));
	EXPECT_TRUE(dt_ids_once(resp, nr, 0));
}

/* -- a limit */

struct waiter {
	int fd;
	const struct dmio_usrreq *req;	/* to write, or only poll for room */
	atomic_int tid;
	int result;
	pthread_t thread;
};

static void *wait_for_room(void *arg)
{
	struct waiter *w = arg;

	atomic_store(&w->tid, gettid());
	w->result = w->req ? (int)dt_write(w->fd, w->req, 1) :
		    dt_poll(w->fd, POLLOUT, DT_PATIENCE_MS);
	return NULL;
}

TEST_F_TIMEOUT(admin, a_higher_limit_wakes_who_waits_for_room, 120)
{
	struct waiter w[] = {
		{ .fd = self->zero, .req = &self->flat[4] },
		{ .fd = self->zero },
	};

	ASSERT_EQ(0, dt_set_param("max_requests", 4));
	stall(_metadata, self, 4);
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++) {
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, wait_for_room, &w[i]));
		while (!atomic_load(&w[i].tid))
			dt_sleep_ms(1);
		ASSERT_EQ(0, dt_wait_asleep(w[i].tid));
	}
	/* Nothing is answered meanwhile: only the limit can have woken them. */
	ASSERT_EQ(0, dt_set_param("max_requests", 6));
	for (unsigned int i = 0; i < ARRAY_SIZE(w); i++) {
		struct timespec end;

		clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += DT_PATIENCE_MS / 1000 / 2;
		ASSERT_EQ(0, pthread_timedjoin_np(w[i].thread, NULL, &end));
	}
	EXPECT_EQ(1, w[0].result);
	EXPECT_EQ(POLLOUT, w[1].result);
	EXPECT_EQ(0, dt_nr(self->zero, "answered"));
	resolve_and_collect(_metadata, self, 5);
}

/* -- the workers' CPUs and priority */

static int copy_large(FIXTURE_DATA(admin) *self)
{
	struct dt_req r;
	int err;

	memset(self->dst, 0xee, LARGE);
	dt_req_init1(&r, "copy", 1, self->dst, LARGE, self->src);
	err = dt_do(self->copy, &r.req);
	return err ? err : dt_diff(self->dst, self->src, LARGE) == -1 ? 0 : -EBADMSG;
}

/* Each to every value in turn, and each value is what is read back */
TEST_F_TIMEOUT(admin, workers_go_where_they_are_told, 120)
{
	static const struct { const char *file, *value; } turns[] = {
		{ DT_WORKQUEUE "cpumask", "1" },
		{ DT_WORKQUEUE "nice", "19" },
		{ DT_WORKQUEUE "nice", "-5" },
	};
	char was[64], line[64];

	for (unsigned int i = 0; i < ARRAY_SIZE(turns); i++) {
		ASSERT_EQ(0, dt_read_line(turns[i].file, was, sizeof(was)));
		ASSERT_EQ(0, dt_write_line(turns[i].file, turns[i].value));
		EXPECT_EQ(0, dt_read_line(turns[i].file, line, sizeof(line)));
		EXPECT_STREQ(turns[i].value, line);
		EXPECT_EQ(0, copy_large(self));
		EXPECT_EQ(0, dt_write_line(turns[i].file, was));
	}
	EXPECT_EQ(0, copy_large(self));
}

/* -- suspend, as far as the freezing of all tasks */

TEST_F_TIMEOUT(admin, suspend_with_requests_running, 120)
{
	struct dmio_usrresp resp[PARTS];
	struct dmio_usrreq flat[PARTS];
	struct dt_req r[PARTS];
	struct dt_hold hold;

	if (!dt_can_suspend())
		SKIP(return, "no test of suspend in this kernel");
	memset(self->dst, 0xee, LARGE);
	for (unsigned int i = 0; i < PARTS; i++) {
		size_t at = i * (LARGE / PARTS);

		dt_req_init1(&r[i], "copy", i, self->dst + at, LARGE / PARTS, self->src + at);
		flat[i] = r[i].req;
	}
	ASSERT_EQ(0, dt_hold(&hold));
	ASSERT_EQ(PARTS, dt_write(self->copy, flat, PARTS));
	EXPECT_GT(PARTS, dt_nr(self->copy, "answered"));
	EXPECT_EQ(0, dt_suspend("freezer"));
	EXPECT_EQ(0, dt_unhold(&hold));
	ASSERT_EQ(0, dt_collect(self->copy, resp, PARTS));
	EXPECT_TRUE(dt_ids_once(resp, PARTS, 0));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LARGE));
}

/* One who makes workers hang does not keep the machine awake. */
TEST_F_TIMEOUT(admin, suspend_with_workers_that_hang, 120)
{
	if (!dt_can_suspend())
		SKIP(return, "no test of suspend in this kernel");
	stall(_metadata, self, 2);
	EXPECT_EQ(0, dt_suspend("freezer"));
	EXPECT_EQ(0, dt_nr(self->zero, "answered"));
	EXPECT_EQ(0, copy_large(self));
	resolve_and_collect(_metadata, self, 2);
}

/* -- unloading */

#define MODULE	"/modules/dmoverio.ko"	/* in our guests */

/* No file is open any more, but a worker still hangs for the user. */
TEST_F_TIMEOUT(admin, unload_does_not_wait_for_a_user, 120)
{
	/* As our guests load it */
	const char *options = getenv("OPTIONS");
	int err;

	if (access(MODULE, R_OK))
		SKIP(return, "no module to load again");
	stall(_metadata, self, 2);
	close(self->copy);
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmoverio"));
	ASSERT_EQ(0, close(self->zero));
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmoverio"));
	/* Nor has it been made useless. */
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
	EXPECT_EQ(0, copy_large(self));
	close(self->copy);

	ASSERT_EQ(0, st_uffd_resolve(self->uffd, self->region, PARTS * PART, NULL));
	err = dt_rmmod_later("dmoverio");
	EXPECT_EQ(0, err);
	if (!err)
		ASSERT_EQ(0, dt_insmod("dmoverio", options ? options : ""));
	self->zero = dt_open("zero", 0);
	self->copy = dt_open("copy", 0);
	EXPECT_LE(0, self->zero);
	EXPECT_EQ(0, copy_large(self));
}

TEST_HARNESS_MAIN
