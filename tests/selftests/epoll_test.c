// SPDX-License-Identifier: GPL-2.0
/*
 * epoll, level- and edge-triggered, as event loops use it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	64

FIXTURE(epoll) {
	struct dt_rng rng;
	long long pins;
	int fd, ep;
	uint8_t *src, *dst;
	struct dt_req one;
	struct dmio_usrreq flat[DT_DEPTH];
	struct dmio_usrresp resp[DT_DEPTH];
};

FIXTURE_SETUP(epoll)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = dt_open("copy", O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->ep);
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_req_init1(&self->one, "copy", 0, self->dst, LEN, self->src);
	for (unsigned int i = 0; i < DT_DEPTH; i++) {
		self->flat[i] = self->one.req;
		self->flat[i].req_id = i;
	}
}

FIXTURE_TEARDOWN(epoll)
{
	close(self->ep);
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static int watch(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

/* The events shown within @ms, 0 for none */
static uint32_t events(int ep, int ms)
{
	struct epoll_event ev = { .events = 0 };

	return epoll_wait(ep, &ev, 1, ms) == 1 ? ev.events : 0;
}

TEST_F(epoll, level)
{
	ASSERT_EQ(0, watch(self->ep, self->fd, EPOLLIN | EPOLLOUT));
	EXPECT_EQ(EPOLLOUT, events(self->ep, 0));
	EXPECT_EQ(EPOLLOUT, events(self->ep, 0));
	ASSERT_EQ(DT_DEPTH, dt_write(self->fd, self->flat, DT_DEPTH));
	EXPECT_EQ(EPOLLIN, events(self->ep, DT_PATIENCE_MS));
	EXPECT_EQ(EPOLLIN, events(self->ep, 0));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH, 0));
	EXPECT_EQ(EPOLLOUT, events(self->ep, 0));
}

TEST_F(epoll, edge_in)
{
	ASSERT_EQ(0, watch(self->ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, events(self->ep, 10));
	for (unsigned int i = 0; i < 100; i++) {
		/* Every new response is an event, also with an unread one there. */
		ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
		ASSERT_EQ(EPOLLIN, events(self->ep, DT_PATIENCE_MS));
		if (i % 2) {
			ASSERT_EQ(0, dt_collect(self->fd, self->resp, 2));
			ASSERT_EQ(-EAGAIN, dt_read(self->fd, self->resp, 1));
		}
	}
	EXPECT_EQ(0, events(self->ep, 10));
}

TEST_F(epoll, edge_out)
{
	ASSERT_EQ(0, watch(self->ep, self->fd, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, events(self->ep, 0));
	EXPECT_EQ(0, events(self->ep, 10));
	for (unsigned int i = 0; i < 20; i++) {
		ASSERT_EQ(DT_DEPTH, dt_write(self->fd, self->flat, DT_DEPTH));
		ASSERT_EQ(-EAGAIN, dt_write(self->fd, self->flat, 1));
		while (events(self->ep, 0)) {
			/* What came while it was filled is of no interest. */
		}
		ASSERT_EQ(0, dt_collect(self->fd, self->resp, 1));
		ASSERT_EQ(EPOLLOUT, events(self->ep, DT_PATIENCE_MS)) {
			TH_LOG("round %u: a full queue has room again, no edge", i);
		}
		ASSERT_EQ(0, dt_collect(self->fd, self->resp + 1, DT_DEPTH - 1));
	}
}

/* A session watched before SETFUNC becomes writable by it. */
TEST_F(epoll, before_setfunc)
{
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, watch(self->ep, fd, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(0, events(self->ep, 10));
	ASSERT_EQ(0, dt_setfunc(fd, "copy"));
	EXPECT_EQ(EPOLLOUT, events(self->ep, DT_PATIENCE_MS));
	/* Closing takes it out. */
	close(fd);
	EXPECT_EQ(0, events(self->ep, 10));
}

TEST_HARNESS_MAIN
