// SPDX-License-Identifier: GPL-2.0
/*
 * Several readers of one session: each response goes to one of them, none of
 * them is told "end of file", and none misses the event it waits for.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define NR_READERS	3
#define NR_WRITERS	2

static int dev;
static unsigned int nr_each;		/* requests of one writer */
static unsigned int got, zeros, errors;

static void *reader(void *arg)
{
	struct dmio_usrresp resp;

	(void)arg;
	while (__atomic_load_n(&got, __ATOMIC_SEQ_CST) < NR_WRITERS * nr_each) {
		ssize_t n = read(dev, &resp, sizeof(resp));

		if (n == sizeof(resp) && !resp.resp_error)
			__atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
		else if (!n)
			__atomic_add_fetch(&zeros, 1, __ATOMIC_SEQ_CST);
		else
			__atomic_add_fetch(&errors, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void *writer(void *arg)
{
	uint8_t dst[64];
	struct dt_req r;

	(void)arg;
	for (unsigned int i = 0; i < nr_each; i++) {
		dt_req_init1(&r, "zero", i, dst, sizeof(dst), NULL);
		if (dt_write(dev, &r.req, 1) != 1)
			__atomic_add_fetch(&errors, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

FIXTURE(readers) {
	long long pins;
};

FIXTURE_SETUP(readers)
{
	self->pins = dt_pins();
}

FIXTURE_TEARDOWN(readers)
{
	close(dev);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/*
 * A reader woken for a response that another one takes has to go on waiting:
 * a read of 0 bytes would mean that there is nothing to come, ever.
 */
TEST_F_TIMEOUT(readers, no_reader_is_told_end_of_file, 120)
{
	pthread_t readers[NR_READERS], writers[NR_WRITERS];
	struct dt_req r;
	uint8_t dst[64];

	nr_each = dt_scale(10000, 200000);
	dev = dt_open("zero", 0);
	ASSERT_LE(0, dev);
	for (int i = 0; i < NR_READERS; i++) {
		ASSERT_EQ(0, pthread_create(&readers[i], NULL, reader, NULL));
	}
	for (int i = 0; i < NR_WRITERS; i++) {
		ASSERT_EQ(0, pthread_create(&writers[i], NULL, writer, NULL));
	}
	for (int i = 0; i < NR_WRITERS; i++)
		pthread_join(writers[i], NULL);
	while (__atomic_load_n(&got, __ATOMIC_SEQ_CST) < NR_WRITERS * nr_each)
		dt_sleep_ms(10);

	/* Readers that still wait get one more response each */
	for (int i = 0; i < NR_READERS; i++) {
		dt_req_init1(&r, "zero", 0, dst, sizeof(dst), NULL);
		ASSERT_EQ(1, dt_write(dev, &r.req, 1));
	}
	for (int i = 0; i < NR_READERS; i++)
		pthread_join(readers[i], NULL);
	EXPECT_EQ(0, zeros);
	EXPECT_EQ(0, errors);
}

static volatile int stop;

/* Takes one response at a time, so that others are turned away meanwhile */
static void *slow_reader(void *arg)
{
	struct dmio_usrresp resp;

	(void)arg;
	while (!stop)
		if (read(dev, &resp, sizeof(resp)) == sizeof(resp))
			__atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
		else
			usleep(100);
	return NULL;
}

/*
 * Edge-triggered: whoever was turned away with EAGAIN while responses were
 * there must be woken again.
 */
TEST_F_TIMEOUT(readers, an_edge_is_not_lost, 120)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct dmio_usrresp resp;
	unsigned int total = dt_scale(2000, 50000), mine = 0;
	int ep = epoll_create1(0);
	ssize_t n;
	struct dt_req r;
	uint8_t dst[64];
	pthread_t other;

	got = 0;
	dev = dt_open("zero", O_NONBLOCK);
	ASSERT_LE(0, dev);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, dev, &event));
	ASSERT_EQ(0, pthread_create(&other, NULL, slow_reader, NULL));
	for (unsigned int i = 0; i < total; i++) {
		dt_req_init1(&r, "zero", i, dst, sizeof(dst), NULL);
		do {
			/* Full, while the other one keeps us from reading */
			n = dt_write(dev, &r.req, 1);
			while (read(dev, &resp, sizeof(resp)) == sizeof(resp))
				mine++;
		} while (n == -EAGAIN);
		ASSERT_EQ(1, n);
	}
	stop = 1;
	pthread_join(other, NULL);
	/* What is left shows as an event, or was read just now */
	while (mine + got < total) {
		ASSERT_EQ(1, epoll_wait(ep, &event, 1, DT_PATIENCE_MS));
		while (read(dev, &resp, sizeof(resp)) == sizeof(resp))
			mine++;
	}
	EXPECT_EQ(total, mine + got);
	close(ep);
}

TEST_HARNESS_MAIN
