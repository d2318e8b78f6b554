// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring: requests written, and responses read, by a ring: in the system call, by a
 * thread of the ring's pool, by one that polls. Each has its program's memory, and no
 * other's: a ring in another process writes to no session of this one, whoever made it.
 *
 * By raw system calls: a ring of one entry at a time needs no library.
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	(96UL << 10)	/* too large for write() */
#define SMALL	5000UL

static const size_t lengths[] = { SMALL, LEN };

/* -- a ring */

struct ring {
	int fd;
	bool polls;			/* its thread does */
	unsigned int *sq_tail, *sq_mask, *sq_flags, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *ring_map(int fd, size_t len, unsigned long long at)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* 0 or -errno */
static int ring_create(struct ring *r, bool polls)
{
	struct io_uring_params p = {
		.flags = polls ? IORING_SETUP_SQPOLL : 0, .sq_thread_idle = 1,
	};
	uint8_t *sq, *cq;

	r->polls = polls;
	r->fd = syscall(__NR_io_uring_setup, 4, &p);
	if (r->fd < 0)
		return -errno;
	sq = ring_map(r->fd, p.sq_off.array + p.sq_entries * sizeof(*r->sq_array),
		      IORING_OFF_SQ_RING);
	cq = ring_map(r->fd, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes), IORING_OFF_CQ_RING);
	r->sqes = ring_map(r->fd, p.sq_entries * sizeof(*r->sqes), IORING_OFF_SQES);
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_mask = (void *)(sq + p.sq_off.ring_mask);
	r->sq_flags = (void *)(sq + p.sq_off.flags);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	r->cq_mask = (void *)(cq + p.cq_off.ring_mask);
	r->cqes = (void *)(cq + p.cq_off.cqes);
	return 0;
}

/* Hand it one entry: 0 or -errno */
static int ring_submit(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *r->sq_tail, at = tail & *r->sq_mask, flags = 0;

	r->sqes[at] = *sqe;
	r->sq_array[at] = at;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_SEQ_CST);
	if (r->polls) {
		if (!(__atomic_load_n(r->sq_flags, __ATOMIC_SEQ_CST) & IORING_SQ_NEED_WAKEUP))
			return 0;
		flags = IORING_ENTER_SQ_WAKEUP;
	}
	return syscall(__NR_io_uring_enter, r->fd, 1, 0, flags, NULL, 0) < 0 ? -errno : 0;
}

/* What the oldest entry has come to; -ETIMEDOUT */
static int ring_wait(struct ring *r)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	unsigned int head = *r->cq_head;
	int res;

	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head)
		if (dt_poll(r->fd, POLLIN, 10) < 0 || dt_now_ms() > end)
			return -ETIMEDOUT;
	res = r->cqes[head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return res;
}

/* A transfer: its result, or -errno */
static int ring_do(struct ring *r, unsigned int op, unsigned int flags, int fd, const void *p,
		   size_t len)
{
	struct io_uring_sqe sqe = {
		.opcode = op, .flags = flags, .fd = fd, .off = -1,
		.addr = (uintptr_t)p, .len = len,
	};
	int err = ring_submit(r, &sqe);

	return err ? err : ring_wait(r);
}

static void ring_destroy(struct ring *r)
{
	close(r->fd);
}

/* -- the tests, as a user without privileges */

FIXTURE(uring) {
	struct dt_rng rng;
	long long pins;
	int copy;
	struct ring ring;
	uint8_t *src, *dst;
};

FIXTURE_VARIANT(uring) {
	bool polls;
	unsigned int flags;		/* of each entry */
};

FIXTURE_VARIANT_ADD(uring, here) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(uring, pool) {
	.flags = IOSQE_ASYNC,
};

FIXTURE_VARIANT_ADD(uring, polling) {
	.polls = true,
};

FIXTURE_SETUP(uring)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
	ASSERT_EQ(0, dt_become(DT_NOBODY));
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
	ASSERT_EQ(0, ring_create(&self->ring, variant->polls));
}

FIXTURE_TEARDOWN(uring)
{
	struct dt_req r;

	ring_destroy(&self->ring);
	dt_req_init1(&r, "copy", 1, self->dst, SMALL, self->src);
	EXPECT_EQ(0, dt_do(self->copy, &r.req));
	close(self->copy);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_F(uring, there_and_back)
{
	for (unsigned int i = 0; i < 10 * ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i % ARRAY_SIZE(lengths)];
		struct dmio_usrresp resp[2];
		struct dt_req r;

		memset(self->dst, 0xee, LEN);
		memset(resp, 0xa5, sizeof(resp));
		dt_req_init1(&r, "copy", i, self->dst, len, self->src);
		ASSERT_EQ((int)DT_REC, ring_do(&self->ring, IORING_OP_WRITE, variant->flags,
					       self->copy, &r.req, DT_REC));
		ASSERT_EQ((int)DT_RESP, ring_do(&self->ring, IORING_OP_READ, variant->flags,
						self->copy, resp, DT_RESP));
		EXPECT_EQ(i, resp[0].resp_id);
		EXPECT_EQ(0, resp[0].resp_error);
		EXPECT_TRUE(dt_is_all((uint8_t *)&resp[1], 0xa5, DT_RESP));
		EXPECT_EQ(-1, dt_diff(self->dst, self->src, len));
		if (len < LEN)
			EXPECT_TRUE(dt_is_all(self->dst + len, 0xee, LEN - len));
	}
}

/* As read(2), and at once: there is nothing to wait for */
TEST_F(uring, before_setfunc)
{
	struct dmio_usrresp resp;
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENXIO, ring_do(&self->ring, IORING_OP_READ, variant->flags, fd, &resp,
				  DT_RESP));
	close(fd);
}

/* How many wait queues a file may have there is limited, too: a read would be cancelled */
TEST_F(uring, polled)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_POLL_ADD, .fd = self->copy };
	struct dt_req r;

	sqe.poll_events = POLLOUT;
	ASSERT_EQ(0, ring_submit(&self->ring, &sqe));
	EXPECT_EQ(POLLOUT, ring_wait(&self->ring));
	sqe.poll_events = POLLIN;
	ASSERT_EQ(0, ring_submit(&self->ring, &sqe));
	dt_req_init1(&r, "copy", 1, self->dst, LEN, self->src);
	ASSERT_EQ(1, dt_write(self->copy, &r.req, 1));
	EXPECT_EQ(POLLIN, ring_wait(&self->ring));
	sqe.poll_events = POLLIN | POLLOUT;
	ASSERT_EQ(0, ring_submit(&self->ring, &sqe));
	EXPECT_EQ(POLLIN | POLLOUT, ring_wait(&self->ring));
}

/* What may not be written may not be written by a ring's thread */
TEST_F(uring, forbidden_memory)
{
	uint8_t *forbidden = mmap(NULL, LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_TRUE(forbidden != MAP_FAILED);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct dmio_usrresp resp;
		struct dt_req r;

		dt_req_init1(&r, "copy", i, forbidden, lengths[i], self->src);
		ASSERT_EQ((int)DT_REC, ring_do(&self->ring, IORING_OP_WRITE, variant->flags,
					       self->copy, &r.req, DT_REC));
		ASSERT_EQ((int)DT_RESP, ring_do(&self->ring, IORING_OP_READ, variant->flags,
						self->copy, &resp, DT_RESP));
		EXPECT_EQ(EFAULT, resp.resp_error);
		EXPECT_TRUE(dt_is_all(forbidden, 0, LEN));
	}
}

/* Records are read from the program's memory, and responses written to it: no other */
TEST_F(uring, registered_buffers)
{
	struct { struct dmio_usrreq req; struct dmio_usrresp resp; } *buf = dt_mmap(sizeof(*buf));
	struct iovec iov = { buf, sizeof(*buf) };
	struct dmio_usrresp resp;
	struct dt_req r;

	dt_req_init1(&r, "copy", 7, self->dst, SMALL, self->src);
	buf->req = r.req;
	memset(&buf->resp, 0xa5, DT_RESP);
	memset(self->dst, 0xee, LEN);
	ASSERT_EQ(0, syscall(__NR_io_uring_register, self->ring.fd, IORING_REGISTER_BUFFERS,
			     &iov, 1));
	EXPECT_EQ(-EINVAL, ring_do(&self->ring, IORING_OP_WRITE_FIXED, variant->flags, self->copy,
				   &buf->req, DT_REC));
	EXPECT_TRUE(dt_quiet(self->copy));
	EXPECT_TRUE(dt_is_all(self->dst, 0xee, LEN));

	ASSERT_EQ(1, dt_write(self->copy, &r.req, 1));
	ASSERT_EQ(1, dt_nr_settle(self->copy, "answered", 1));
	EXPECT_EQ(-EINVAL, ring_do(&self->ring, IORING_OP_READ_FIXED, variant->flags, self->copy,
				   &buf->resp, DT_RESP));
	EXPECT_TRUE(dt_is_all((uint8_t *)&buf->resp, 0xa5, DT_RESP));
	/* It is still there */
	ASSERT_EQ(0, dt_collect(self->copy, &resp, 1));
	EXPECT_EQ(7, resp.resp_id);
	ASSERT_EQ(0, syscall(__NR_io_uring_register, self->ring.fd, IORING_UNREGISTER_BUFFERS,
			     NULL, 0));
}

/* In a child of fork, by a ring of its own or one that it has inherited: 0, or what is wrong */
static int write_to_parents(FIXTURE_DATA(uring) *self, struct ring *ring, unsigned int flags)
{
	struct dt_req r;

	memset(self->dst, 0x77, LEN);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		dt_req_init1(&r, "copy", i, self->dst, lengths[i], self->src);
		if (ring_do(ring, IORING_OP_WRITE, flags, self->copy, &r.req, DT_REC) != -EPERM)
			return 1;
	}
	return dt_quiet(self->copy) && dt_is_all(self->dst, 0x77, LEN) ? 0 : 2;
}

TEST_F(uring, of_another_process)
{
	pid_t pid;

	memset(self->dst, 0xee, LEN);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct ring own;

		_exit(ring_create(&own, variant->polls) ? 100 :
		      write_to_parents(self, &own, variant->flags));
	}
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_TRUE(dt_quiet(self->copy));
	EXPECT_TRUE(dt_is_all(self->dst, 0xee, LEN));
}

/* A thread that polls is that of who made the ring: what it is told, it does for him */
TEST_F(uring, inherited)
{
	pid_t pid;

	if (variant->polls)
		return;
	memset(self->dst, 0xee, LEN);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(write_to_parents(self, &self->ring, variant->flags));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_TRUE(dt_quiet(self->copy));
	EXPECT_TRUE(dt_is_all(self->dst, 0xee, LEN));
}

/* In a child: a session of its own, told to the thread of its parent's ring */
static int polled_for_another(FIXTURE_DATA(uring) *self, int session)
{
	struct dt_req r;

	memset(self->dst, 0x77, LEN);
	if (dt_setfunc(session, "copy"))
		return 1;
	dt_req_init1(&r, "copy", 1, self->dst, SMALL, self->src);
	if (ring_do(&self->ring, IORING_OP_WRITE, 0, session, &r.req, DT_REC) != -EPERM)
		return 2;
	return dt_quiet(session) && dt_is_all(self->dst, 0x77, LEN) ? 0 : 3;
}

TEST_F(uring, polled_by_another)
{
	int session;
	pid_t pid;

	if (!variant->polls)
		return;
	/* A descriptor that both have: the ring's thread takes its maker's */
	session = dt_open(NULL, 0);
	ASSERT_LE(0, session);
	memset(self->dst, 0xee, LEN);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(polled_for_another(self, session));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_TRUE(dt_is_all(self->dst, 0xee, LEN));
	close(session);
}

TEST_HARNESS_MAIN
