// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that use one session at the same time: SETFUNC against write,
 * close against a sleeping reader, readers against each other; and many
 * sessions, which must leave nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN		512
#define NR_THREADS	4

FIXTURE(race) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;
	struct dt_req one;
	unsigned int rounds;
};

FIXTURE_SETUP(race)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
	dt_req_init1(&self->one, "copy", 1, self->dst, LEN, self->src);
	self->rounds = dt_scale(100, 1000);
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

struct contender {
	int fd;
	const struct dmio_usrreq *req;
	pthread_barrier_t *start;
	int accepted, early, won, strange;
	pthread_t thread;
};

/* Writes until it was accepted ten times; before SETFUNC that is ENXIO. */
static void *write_early(void *arg)
{
	struct contender *c = arg;

	pthread_barrier_wait(c->start);
	while (c->accepted < 10 && !c->strange) {
		ssize_t n = dt_write(c->fd, c->req, 1);

		if (n == 1)
			c->accepted++;
		else if (n == -ENXIO && !c->accepted)
			c->early++;
		else
			c->strange = n ? n : -EBADMSG;
	}
	return NULL;
}

static void *setfunc_race(void *arg)
{
	struct contender *c = arg;
	int err;

	pthread_barrier_wait(c->start);
	err = dt_setfunc(c->fd, "copy");
	if (!err)
		c->won = 1;
	else if (err != -EBUSY)
		c->strange = err;
	return NULL;
}

TEST_F_TIMEOUT(race, setfunc_and_write, 600)
{
	for (unsigned int i = 0; i < self->rounds; i++) {
		struct contender c[NR_THREADS], *setter = &c[0], *last = &c[NR_THREADS - 1];
		struct dmio_usrresp resp[10 * NR_THREADS];
		int fd = dt_open(NULL, 0), accepted = 0, won = 0;
		pthread_barrier_t start;

		ASSERT_LE(0, fd);
		pthread_barrier_init(&start, NULL, NR_THREADS);
		for (unsigned int k = 0; k < NR_THREADS; k++) {
			/* The first and the last call SETFUNC, those between write. */
			c[k] = (struct contender){ .fd = fd, .req = &self->one.req,
						   .start = &start };
			ASSERT_EQ(0, pthread_create(&c[k].thread, NULL,
						    &c[k] == setter || &c[k] == last ?
						    setfunc_race : write_early, &c[k]));
		}
		for (unsigned int k = 0; k < NR_THREADS; k++) {
			pthread_join(c[k].thread, NULL);
			ASSERT_EQ(0, c[k].strange);
			accepted += c[k].accepted;
			won += c[k].won;
		}
		ASSERT_EQ(1, won);
		ASSERT_EQ(0, dt_collect(fd, resp, accepted));
		ASSERT_TRUE(dt_quiet(fd));
		pthread_barrier_destroy(&start);
		close(fd);
	}
}

static volatile pid_t reader_tid;

static void *read_forever(void *arg)
{
	struct dmio_usrresp resp;

	reader_tid = syscall(SYS_gettid);
	return (void *)(intptr_t)dt_read(*(int *)arg, &resp, 1);
}

static void no_signal(int sig)
{
	(void)sig;
}

/*
 * Closing a descriptor wakes nobody who sleeps in a read of it, here as for
 * every file; but it does not hang either, and neither does what ends the
 * reader: a signal, or the end of the process.
 */
static int close_under_reader(bool by_signal)
{
	struct sigaction sa = { .sa_handler = no_signal };
	int fd = dt_open("copy", 0);
	pthread_t thread;
	void *result;

	sigaction(SIGUSR1, &sa, NULL);
	reader_tid = 0;
	if (fd < 0 || pthread_create(&thread, NULL, read_forever, &fd))
		return 1;
	while (!reader_tid)
		dt_sleep_ms(1);
	if (dt_wait_asleep(reader_tid))
		return 2;
	if (close(fd))
		return 3;
	if (!by_signal)
		return 0;
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, &result);
	return (intptr_t)result == -EINTR ? 0 : 4;
}

TEST_F_TIMEOUT(race, close_under_a_sleeping_reader, 600)
{
	for (unsigned int i = 0; i < self->rounds; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid)
			_exit(close_under_reader(i % 2));
		ASSERT_EQ(0, dt_reap(pid, DT_PATIENCE_MS)) {
			TH_LOG("round %u", i);
		}
	}
}

/* Readers that want more than there is, and take it from each other */
struct taker {
	int fd;
	unsigned int nr;		/* responses taken */
	unsigned int nr_empty;		/* calls that returned, with none */
	unsigned int nr_bad;
	bool ended;
	pthread_t thread;
};

#define LAST	0xffffffff

static void *take(void *arg)
{
	struct taker *t = arg;
	struct dmio_usrresp resp[16];

	for (unsigned int i = 0;; i++) {
		ssize_t n = dt_read(t->fd, resp, 1 + i * 7 % 16);

		if (n < 0) {
			t->nr_bad++;
			return NULL;
		}
		t->nr_empty += !n;
		for (ssize_t k = 0; k < n; k++) {
			if (resp[k].resp_id == LAST) {
				__atomic_store_n(&t->ended, true, __ATOMIC_RELAXED);
				return NULL;
			}
			t->nr_bad += resp[k].resp_error != 0;
			__atomic_fetch_add(&t->nr, 1, __ATOMIC_RELAXED);
		}
	}
}

static unsigned int count_ended(const struct taker *t)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NR_THREADS; i++)
		nr += __atomic_load_n(&t[i].ended, __ATOMIC_RELAXED);
	return nr;
}

/*
 * A blocking read never returns without a response: 0 would be the end of
 * the file to most programs. One that another reader got the better of goes
 * on sleeping.
 */
TEST_F_TIMEOUT(race, readers_take_from_each_other, 600)
{
	unsigned int nr = dt_scale(3000, 100000);
	int fd = dt_open("copy", 0);
	struct taker t[NR_THREADS];
	unsigned int taken = 0, written = 0;

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		t[i] = (struct taker){ .fd = fd };
		ASSERT_EQ(0, pthread_create(&t[i].thread, NULL, take, &t[i]));
	}
	for (unsigned int i = 0; i < nr; i++) {
		struct dmio_usrreq few[4];
		unsigned int n = i % 4 + 1;

		for (unsigned int k = 0; k < n; k++) {
			few[k] = self->one.req;
		}
		ASSERT_EQ(0, dt_write_all(fd, few, n));
		written += n;
	}
	/* All are taken before the readers are told to end, one by one. */
	for (long long end = dt_now_ms() + DT_PATIENCE_MS; taken < written && dt_now_ms() < end;) {
		taken = 0;
		for (unsigned int i = 0; i < NR_THREADS; i++) {
			taken += __atomic_load_n(&t[i].nr, __ATOMIC_RELAXED);
		}
		dt_sleep_ms(1);
	}
	EXPECT_EQ(written, taken);
	self->one.req.req_id = LAST;
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		ASSERT_EQ(1, dt_write(fd, &self->one.req, 1));
		/* One that took two of them would leave another waiting */
		while (count_ended(t) <= i) {
			dt_sleep_ms(1);
		}
	}
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		pthread_join(t[i].thread, NULL);
		EXPECT_EQ(0, t[i].nr_bad);
		EXPECT_EQ(0, t[i].nr_empty);
	}
	close(fd);
}

TEST_F_TIMEOUT(race, many_sessions, 600)
{
	unsigned int nr = dt_scale(2000, 20000);
	int fd[200];

	for (unsigned int i = 0; i < nr; i++) {
		int one = dt_open(i % 3 ? "copy" : NULL, 0);

		ASSERT_LE(0, one);
		if (i % 3 == 2) {
			ASSERT_EQ(0, dt_do(one, &self->one.req));
		}
		ASSERT_EQ(0, close(one));
	}
	/* Many at once, closed in another order */
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = dt_open("copy", 0);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(1, dt_write(fd[i], &self->one.req, 1));
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(fd); i++) {
		ASSERT_EQ(0, close(fd[i * 77 % ARRAY_SIZE(fd)]));
	}
}

/* A child that leaves a session, or a bad request, behind itself */
static int leave_behind(unsigned int how, const struct dmio_usrreq *good)
{
	struct iovec longer = { (void *)good, LEN + 1 };
	enum { MUCH = 4 << 20 };
	struct dmio_usrreq bad = *good;
	int fd = dt_open("copy", 0);

	memset(dt_mmap(MUCH), 1, MUCH);
	if (fd < 0)
		return 1;
	if (how % 3 == 0)
		bad.req_outbuf.dmbuf_iovcnt = 0;
	else if (how % 3 == 1)
		bad.req_inbuf = NULL;
	else
		bad.req_outbuf.dmbuf_iov = &longer;
	if (dt_write(fd, &bad, 1) >= 0 || dt_write(fd, good, 1) != 1)
		return 2;
	return how % 2 && dt_do(fd, good) ? 3 : 0;
}

/* The ancestor kept the process's memory after a bad request. */
TEST_F_TIMEOUT(race, bad_requests_keep_no_memory, 600)
{
	long long before = 0, after;

	for (unsigned int i = 0; i < 40; i++) {
		pid_t pid;

		/* The first ones fill caches; 32 of 4 MiB each count. */
		if (i == 8)
			before = dt_proc_kb("/proc/meminfo", "MemAvailable");
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(leave_behind(i, &self->one.req));
		ASSERT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	}
	for (long long end = dt_now_ms() + DT_PATIENCE_MS;;) {
		after = dt_proc_kb("/proc/meminfo", "MemAvailable");
		if (before - after < 48 << 10 || dt_now_ms() > end)
			break;
		dt_sleep_ms(20);
	}
	EXPECT_LT(before - after, 48 << 10);
}

TEST_HARNESS_MAIN
