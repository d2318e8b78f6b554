// SPDX-License-Identifier: GPL-2.0
/*
 * The queue: its depth counts requests until their responses were read; who
 * sleeps, who is woken by what, and what a signal does.
 *
 * Whoever is to sleep does so in a thread, and the test goes on once the
 * kernel says that it sleeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	64

FIXTURE(queue) {
	struct dt_rng rng;
	long long pins;
	int fd;				/* a "copy" session */
	uint8_t *src, *dst;
	struct dt_req one;
	struct dmio_usrreq flat[DT_DEPTH + 64];	/* good ones, id 0, 1 ... */
	struct dmio_usrresp resp[DT_DEPTH + 64];
};

FIXTURE_SETUP(queue)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = dt_open("copy", 0);
	ASSERT_LE(0, self->fd);
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
	dt_req_init1(&self->one, "copy", 0, self->dst, LEN, self->src);
	for (unsigned int i = 0; i < ARRAY_SIZE(self->flat); i++) {
		self->flat[i] = self->one.req;
		self->flat[i].req_id = i;
	}
}

FIXTURE_TEARDOWN(queue)
{
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* One call in a thread of its own */
struct call {
	int fd;
	enum { CALL_READ, CALL_WRITE, CALL_POLL } what;
	const struct dmio_usrreq *req;
	struct dmio_usrresp resp[16];
	size_t nr;			/* records; for poll, the events */
	volatile pid_t tid;
	volatile bool done;
	ssize_t result;
	pthread_t thread;
};

static void *call_run(void *arg)
{
	struct call *c = arg;

	c->tid = syscall(SYS_gettid);
	if (c->what == CALL_READ)
		c->result = dt_read(c->fd, c->resp, c->nr);
	else if (c->what == CALL_WRITE)
		c->result = dt_write(c->fd, c->req, c->nr);
	else
		c->result = dt_poll(c->fd, c->nr, DT_PATIENCE_MS);
	c->done = true;
	return NULL;
}

/* Start it, and return once it sleeps: 0, or an error */
static int call_start(struct call *c)
{
	c->tid = 0;
	c->done = false;
	if (pthread_create(&c->thread, NULL, call_run, c))
		return -EAGAIN;
	while (!c->tid)
		dt_sleep_ms(1);
	if (dt_wait_asleep(c->tid))
		return -ETIMEDOUT;
	/* Asleep in its call, not on the way there: it still is a moment later. */
	dt_sleep_ms(10);
	return c->done ? -EALREADY : dt_wait_asleep(c->tid);
}

/* What the call returned, or -ETIMEDOUT when it goes on sleeping */
static ssize_t call_end(struct call *c)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	while (!c->done && dt_now_ms() < end)
		dt_sleep_ms(1);
	if (!c->done)
		return -ETIMEDOUT;
	pthread_join(c->thread, NULL);
	return c->result;
}

static int in_out(int fd)
{
	return dt_poll(fd, POLLIN | POLLOUT, 0) & (POLLIN | POLLOUT);
}

/* Fill the queue, and wait until a response is there. */
static int fill(int fd, const struct dmio_usrreq *flat)
{
	ssize_t n = dt_write(fd, flat, DT_DEPTH);

	if (n != DT_DEPTH)
		return n < 0 ? n : -EBADMSG;
	return dt_poll(fd, POLLIN, DT_PATIENCE_MS) & POLLIN ? 0 : -ETIMEDOUT;
}

TEST_F(queue, full_until_read)
{
	/* More than there is room for: a short count, at once. */
	ASSERT_EQ(DT_DEPTH, dt_write(self->fd, self->flat, DT_DEPTH + 64));
	ASSERT_EQ(0, dt_nonblock(self->fd, true));
	EXPECT_EQ(-EAGAIN, dt_write(self->fd, self->flat, 1));
	/* Done is not read: still no room. */
	ASSERT_EQ(DT_DEPTH, dt_nr_settle(self->fd, "answered", DT_DEPTH));
	EXPECT_EQ(-EAGAIN, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(POLLIN, in_out(self->fd));
	/* Each response read makes room for one. */
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, 3));
	EXPECT_EQ(POLLIN | POLLOUT, in_out(self->fd));
	EXPECT_EQ(3, dt_write(self->fd, self->flat + DT_DEPTH, 10));
	EXPECT_EQ(-EAGAIN, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(POLLIN, in_out(self->fd));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp + 3, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH + 3, 0));
	EXPECT_EQ(-EAGAIN, dt_read(self->fd, self->resp, 1));
	EXPECT_EQ(POLLOUT, in_out(self->fd));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
}

TEST_F(queue, poll_of_an_idle_session)
{
	EXPECT_EQ(POLLOUT, in_out(self->fd));
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(POLLIN, dt_poll(self->fd, POLLIN, DT_PATIENCE_MS));
	EXPECT_EQ(POLLIN | POLLOUT, in_out(self->fd));
	EXPECT_EQ(POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM,
		  dt_poll(self->fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM | POLLPRI, 0));
	ASSERT_EQ(1, dt_read(self->fd, self->resp, 1));
	EXPECT_EQ(POLLOUT, in_out(self->fd));
}

TEST_F(queue, poll_before_setfunc)
{
	struct call c = { .what = CALL_POLL, .nr = POLLOUT };

	c.fd = dt_open(NULL, 0);
	ASSERT_LE(0, c.fd);
	EXPECT_EQ(0, in_out(c.fd));
	ASSERT_EQ(0, call_start(&c));
	EXPECT_EQ(-ESRCH, dt_setfunc(c.fd, "bogus"));
	EXPECT_EQ(0, in_out(c.fd));
	ASSERT_EQ(0, dt_setfunc(c.fd, "copy"));
	EXPECT_EQ(POLLOUT, call_end(&c));
	EXPECT_EQ(POLLOUT, in_out(c.fd));
	close(c.fd);
}

/* The ancestor's writer slept on what wakes readers. */
TEST_F(queue, writer_sleeps_until_a_response_is_read)
{
	for (unsigned int i = 0; i < 5; i++) {
		struct call c = { .what = CALL_WRITE, .fd = self->fd, .nr = 10 };

		c.req = self->flat + DT_DEPTH;
		ASSERT_EQ(0, fill(self->fd, self->flat));
		ASSERT_EQ(0, call_start(&c));
		ASSERT_EQ(0, dt_collect(self->fd, self->resp, 1));
		/* One slot was free: a short count, it does not wait for more. */
		ASSERT_EQ(1, call_end(&c));
		ASSERT_EQ(0, dt_collect(self->fd, self->resp + 1, DT_DEPTH));
		ASSERT_TRUE(dt_ids_once(self->resp, DT_DEPTH + 1, 0));
		ASSERT_EQ(POLLOUT, in_out(self->fd));
	}
}

TEST_F(queue, many_writers_sleep)
{
	struct call c[8];

	ASSERT_EQ(0, fill(self->fd, self->flat));
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		c[i] = (struct call){ .what = CALL_WRITE, .fd = self->fd, .nr = 1,
				      .req = self->flat + DT_DEPTH + i };
		ASSERT_EQ(0, call_start(&c[i]));
	}
	/* All of them get their turn, though only their own number is read. */
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, ARRAY_SIZE(c)));
	for (unsigned int i = 0; i < ARRAY_SIZE(c); i++) {
		ASSERT_EQ(1, call_end(&c[i]));
	}
	ASSERT_EQ(0, dt_collect(self->fd, self->resp + ARRAY_SIZE(c), DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH + ARRAY_SIZE(c), 0));
}

TEST_F(queue, reader_sleeps_until_a_response_comes)
{
	for (unsigned int i = 0; i < 5; i++) {
		struct call c = { .what = CALL_READ, .fd = self->fd, .nr = 8 };

		ASSERT_EQ(0, call_start(&c));
		ASSERT_EQ(1, dt_write(self->fd, self->flat + i, 1));
		ASSERT_EQ(1, call_end(&c));
		ASSERT_EQ(i, c.resp[0].resp_id);
		ASSERT_EQ(0, c.resp[0].resp_error);
	}
}

TEST_F(queue, two_readers_sleep)
{
	struct call c[2];

	for (unsigned int i = 0; i < 2; i++) {
		c[i] = (struct call){ .what = CALL_READ, .fd = self->fd, .nr = 1 };
		ASSERT_EQ(0, call_start(&c[i]));
	}
	ASSERT_EQ(2, dt_write(self->fd, self->flat, 2));
	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_EQ(1, call_end(&c[i]));
		self->resp[i] = c[i].resp[0];
	}
	EXPECT_TRUE(dt_ids_once(self->resp, 2, 0));
	/*
	 * One sleeping for many, one for a single one: whoever gets it, the
	 * other goes on sleeping until there is one for him, too.
	 */
	c[0] = (struct call){ .what = CALL_READ, .fd = self->fd, .nr = 16 };
	c[1] = (struct call){ .what = CALL_READ, .fd = self->fd, .nr = 1 };
	ASSERT_EQ(0, call_start(&c[0]));
	ASSERT_EQ(0, call_start(&c[1]));
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	while (!c[0].done && !c[1].done) {
		dt_sleep_ms(1);
	}
	EXPECT_TRUE(c[0].done != c[1].done);
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(1, call_end(&c[0]));
	EXPECT_EQ(1, call_end(&c[1]));
}

/* A poller is woken for the event it waits for. The ancestor had them swapped. */
TEST_F(queue, poller_is_woken_for_in)
{
	struct call c = { .what = CALL_POLL, .fd = self->fd, .nr = POLLIN };

	ASSERT_EQ(0, call_start(&c));
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(POLLIN, call_end(&c));
	ASSERT_EQ(1, dt_read(self->fd, self->resp, 1));
}

TEST_F(queue, poller_is_woken_for_out)
{
	struct call c = { .what = CALL_POLL, .fd = self->fd, .nr = POLLOUT };

	ASSERT_EQ(0, fill(self->fd, self->flat));
	/* All are done, so that nothing but the read below can wake it. */
	ASSERT_EQ(DT_DEPTH, dt_nr_settle(self->fd, "answered", DT_DEPTH));
	ASSERT_EQ(0, call_start(&c));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, 1));
	EXPECT_EQ(POLLOUT, call_end(&c));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, DT_DEPTH - 1));
}

TEST_F(queue, refused_requests_keep_no_slot)
{
	struct dmio_usrreq no_iovec = self->one.req, unreadable = self->one.req;

	no_iovec.req_outbuf.dmbuf_iovcnt = 0;
	unreadable.req_inbuf = NULL;
	for (unsigned int i = 0; i < 6000; i++) {
		ASSERT_EQ(-EINVAL, dt_write(self->fd, &no_iovec, 1));
		ASSERT_EQ(-EFAULT, dt_write(self->fd, &unreadable, 1));
	}
	EXPECT_TRUE(dt_quiet(self->fd));
	ASSERT_EQ(DT_DEPTH, dt_write(self->fd, self->flat, DT_DEPTH));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH, 0));
}

/* A record that is refused does not wait for room either. */
TEST_F(queue, refused_requests_behind_good_ones)
{
	for (unsigned int i = 0; i < 100; i++) {
		struct dmio_usrreq two[2] = { self->flat[i], self->one.req };

		two[1].req_outbuf.dmbuf_iovcnt = 0;
		ASSERT_EQ(1, dt_write(self->fd, two, 2));
	}
	ASSERT_EQ(DT_DEPTH - 100, dt_write(self->fd, self->flat + 100, DT_DEPTH));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH, 0));
}

/*
 * "A blocking read returns when the buffer is full, or when at least one
 * response was returned and nothing is in flight any more."
 */
TEST_F_TIMEOUT(queue, what_a_blocking_read_waits_for, 60)
{
	static const size_t sizes[] = { 16, 4096, 1 << 20 };
	uint8_t *src = dt_mmap(1 << 20), *dst = dt_mmap(3 << 20);

	for (unsigned int i = 0; i < 3 * ARRAY_SIZE(sizes); i++) {
		size_t size = sizes[i / 3];
		struct dmio_usrreq flat[3];
		struct dt_req r[3];

		for (unsigned int k = 0; k < 3; k++) {
			dt_req_init1(&r[k], "copy", k, dst + k * size, size, src);
			flat[k] = r[k].req;
		}
		dt_fill(&self->rng, src, size);
		ASSERT_EQ(3, dt_write(self->fd, flat, 3));
		if (i % 3 == 0) {
			/* Room for more than there will be: all there will be. */
			ASSERT_EQ(3, dt_read(self->fd, self->resp, 10));
		} else if (i % 3 == 1) {
			ASSERT_EQ(3, dt_read(self->fd, self->resp, 3));
		} else {
			ASSERT_EQ(2, dt_read(self->fd, self->resp, 2));
			ASSERT_EQ(1, dt_read(self->fd, self->resp + 2, 2));
		}
		ASSERT_TRUE(dt_ids_once(self->resp, 3, 0));
		for (unsigned int k = 0; k < 3; k++) {
			ASSERT_EQ(-1, dt_diff(dst + k * size, src, size));
		}
	}
}

TEST_F(queue, nonblocking_read_takes_what_is_there)
{
	ASSERT_EQ(5, dt_write(self->fd, self->flat, 5));
	ASSERT_TRUE(dt_poll(self->fd, POLLIN, DT_PATIENCE_MS) & POLLIN);
	ASSERT_EQ(0, dt_nonblock(self->fd, true));
	for (unsigned int got = 0; got < 5;) {
		ssize_t n = dt_read(self->fd, self->resp + got, 16);

		if (n == -EAGAIN) {
			ASSERT_TRUE(dt_poll(self->fd, POLLIN, DT_PATIENCE_MS) & POLLIN);
			continue;
		}
		ASSERT_LT(0, n);
		got += n;
		ASSERT_LE(got, 5);
	}
	EXPECT_TRUE(dt_ids_once(self->resp, 5, 0));
	EXPECT_EQ(-EAGAIN, dt_read(self->fd, self->resp, 1));
}

/* -- signals */

static volatile sig_atomic_t nr_signals;

static void count_signal(int sig)
{
	(void)sig;
	nr_signals++;
}

/* Start the call, and send a signal once it sleeps: 0 when the handler ran */
static int signal_call(struct call *c, int flags)
{
	struct sigaction sa = { .sa_handler = count_signal, .sa_flags = flags };
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int err;

	nr_signals = 0;
	sigaction(SIGUSR1, &sa, NULL);
	err = call_start(c);
	if (err)
		return err;
	pthread_kill(c->thread, SIGUSR1);
	while (!nr_signals && dt_now_ms() < end)
		dt_sleep_ms(1);
	return nr_signals == 1 ? 0 : -ETIMEDOUT;
}

TEST_F(queue, signal_interrupts)
{
	struct call c = { .what = CALL_READ, .fd = self->fd, .nr = 4 };

	ASSERT_EQ(0, signal_call(&c, 0));
	EXPECT_EQ(-EINTR, call_end(&c));

	ASSERT_EQ(0, fill(self->fd, self->flat));
	c.what = CALL_WRITE;
	c.req = self->flat;
	ASSERT_EQ(0, signal_call(&c, 0));
	EXPECT_EQ(-EINTR, call_end(&c));
	/* Nothing of what it would have written was taken. */
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH, 0));
	EXPECT_TRUE(dt_quiet(self->fd));
}

TEST_F(queue, signal_restarts)
{
	struct call c = { .what = CALL_READ, .fd = self->fd, .nr = 4 };

	ASSERT_EQ(0, signal_call(&c, SA_RESTART));
	ASSERT_EQ(0, dt_wait_asleep(c.tid));
	EXPECT_FALSE(c.done);
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(1, call_end(&c));

	ASSERT_EQ(0, fill(self->fd, self->flat));
	c.what = CALL_WRITE;
	c.req = self->flat + DT_DEPTH;
	c.nr = 1;
	ASSERT_EQ(0, signal_call(&c, SA_RESTART));
	ASSERT_EQ(0, dt_wait_asleep(c.tid));
	EXPECT_FALSE(c.done);
	ASSERT_EQ(0, dt_collect(self->fd, self->resp, 1));
	EXPECT_EQ(1, call_end(&c));
	ASSERT_EQ(0, dt_collect(self->fd, self->resp + 1, DT_DEPTH));
	EXPECT_TRUE(dt_ids_once(self->resp, DT_DEPTH + 1, 0));
}

/* A reader and a writer that both sleep do not hold each other. */
TEST_F(queue, reader_does_not_hold_up_others)
{
	struct call c = { .what = CALL_READ, .fd = self->fd, .nr = 1 };

	ASSERT_EQ(0, call_start(&c));
	/* While it sleeps, others look, try, and write. */
	ASSERT_EQ(0, dt_nonblock(self->fd, true));
	EXPECT_EQ(-EAGAIN, dt_read(self->fd, self->resp, 1));
	EXPECT_EQ(POLLOUT, in_out(self->fd));
	EXPECT_EQ(-EBUSY, dt_setfunc(self->fd, "zero"));
	ASSERT_EQ(1, dt_write(self->fd, self->flat, 1));
	EXPECT_EQ(1, call_end(&c));
}

TEST_HARNESS_MAIN
