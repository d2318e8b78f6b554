// SPDX-License-Identifier: GPL-2.0
/*
 * Memory whose page faults wait for a userfaultfd, for as long as its owner likes.
 * He may make his own requests wait, and four workers, but nobody else:
 * others' requests are done at once, close and SIGKILL wait for nothing, and
 * once the wait is over nothing is left behind.
 *
 * A test about waiting proves that somebody waits: the faults are counted and
 * tell which thread is in them, and no response is there.
 */
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "dmio_test.h"
#include "kselftest_harness.h"
#include "stall.h"

#define NR	16U			/* requests, of 1 MiB */
#define AT	100U			/* where they begin, each in its part */
#define PART	(ST_MIB + 8192)		/* of the region that faults */

FIXTURE(fault) {
	struct dt_rng rng;
	long long pins;
	struct st_child child;
	int uffd;			/* the child's */
	const FIXTURE_VARIANT(fault) *variant;

	uint8_t *region;		/* faults, in the child */
	uint8_t *plain;			/* the other side of the requests; does not */
	uint8_t *fill;			/* what becomes of every other part of the region */
	uint8_t *zeros;			/* and of those between */
	struct dt_req req[NR];
	struct dmio_usrreq flat[NR];
	struct dt_req small;		/* is done in write() */
	int session;			/* in the child */
};

FIXTURE_VARIANT(fault) {
	bool input;			/* not the output faults */
	rlim_t memlock;			/* 0: nothing is pinned */
};

FIXTURE_VARIANT_ADD(fault, output) {
	.input = false, .memlock = RLIM_INFINITY,
};

/* The output is pinned by then */
FIXTURE_VARIANT_ADD(fault, input) {
	.input = true, .memlock = RLIM_INFINITY,
};

/* Not a pin faults but a copy through the mapping */
FIXTURE_VARIANT_ADD(fault, unpinned) {
	.input = false, .memlock = 0,
};

enum { SUBMIT, SUBMIT_SMALL, POLL, COLLECT, CLOSE };

/* In the child: its answer is the number of its userfaultfd */
static int child_start(void *arg)
{
	FIXTURE_DATA(fault) *self = arg;
	int err = st_uffd_create(&self->uffd, self->region, NR * PART);

	if (!err)
		err = dt_become_limited(DT_NOBODY, self->variant->memlock);
	if (err)
		return err;
	self->session = dt_open("copy", 0);
	return self->session < 0 ? self->session : self->uffd;
}

/* The data of all requests, and what lies around their outputs: 0 or which is wrong */
static int child_check(FIXTURE_DATA(fault) *self)
{
	for (unsigned int i = 0; i < NR; i++) {
		uint8_t *part = self->region + i * PART, *plain = self->plain + i * ST_MIB;
		const uint8_t *was = i % 2 ? self->zeros : self->fill;

		if (dt_diff(part + AT, plain, ST_MIB) != -1)
			return i + 1;
		/* Between them the region is as it was filled */
		if (dt_diff(part, was, AT) != -1 ||
		    dt_diff(part + AT + ST_MIB, was + AT + ST_MIB, PART - AT - ST_MIB) != -1)
			return i + 1;
		if (self->variant->input && dt_diff(plain, was + AT, ST_MIB) != -1)
			return i + 1;
	}
	return 0;
}

static int child_collect(FIXTURE_DATA(fault) *self)
{
	struct dmio_usrresp resp[NR];
	int err = dt_collect(self->session, resp, NR);

	if (err)
		return err;
	return dt_ids_once(resp, NR, 0) ? child_check(self) : -EBADMSG;
}

static int child_obey(void *arg, int cmd)
{
	FIXTURE_DATA(fault) *self = arg;
	long long start = dt_now_ms();

	switch (cmd) {
	case SUBMIT:
		return dt_write(self->session, self->flat, NR);
	case SUBMIT_SMALL:
		return dt_write(self->session, &self->small.req, 1);
	case POLL:
		return dt_poll(self->session, POLLIN, 0);
	case COLLECT:
		return child_collect(self);
	case CLOSE:
		return close(self->session) ? -errno : dt_now_ms() - start;
	}
	return -EINVAL;
}

static void make_requests(FIXTURE_DATA(fault) *self)
{
	for (unsigned int i = 0; i < NR; i++) {
		uint8_t *faults = self->region + i * PART + AT, *plain = self->plain + i * ST_MIB;
		bool input = self->variant->input;

		dt_req_init1(&self->req[i], "copy", i, input ? plain : faults, ST_MIB,
			     input ? faults : plain);
		self->flat[i] = self->req[i].req;
	}
	self->small = self->req[0];
	self->small.out_iov.iov_len = 4096;
	self->small.in_iov[0].iov_len = 4096;
	self->small.req.req_outbuf.dmbuf_iov = &self->small.out_iov;
	self->small.in[0].dmbuf_iov = &self->small.in_iov[0];
	self->small.req.req_inbuf = self->small.in;
}

FIXTURE_SETUP(fault)
{
	int pidfd, nr;

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->variant = variant;
	/*
	 * Mapped here, so that its address is known, but touched only by the
	 * child; not even by a huge page that begins in its neighbour.
	 */
	self->region = dt_mmap(NR * PART);
	madvise(self->region, NR * PART, MADV_NOHUGEPAGE);
	self->plain = dt_mmap(NR * ST_MIB);
	self->fill = dt_mmap(PART);
	self->zeros = dt_mmap(PART);
	dt_fill(&self->rng, self->plain, NR * ST_MIB);
	dt_fill(&self->rng, self->fill, PART);
	make_requests(self);

	nr = st_spawn(&self->child, child_start, child_obey, self);
	ASSERT_LE(0, nr);
	pidfd = pidfd_open(self->child.pid, 0);
	ASSERT_LE(0, pidfd);
	self->uffd = pidfd_getfd(pidfd, nr, 0);
	ASSERT_LE(0, self->uffd);
	close(pidfd);
}

FIXTURE_TEARDOWN(fault)
{
	kill(self->child.pid, SIGKILL);
	close(self->uffd);
	waitpid(self->child.pid, NULL, 0);
	/* Whoever waited does so no longer, and holds nothing. */
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(0, st_as_user(DT_NOBODY));
	EXPECT_EQ(0, st_as_user(0));
}

static bool all_different(const pid_t *who, unsigned int nr, pid_t not)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (who[i] == not)
			return false;
		for (unsigned int k = 0; k < i; k++)
			if (who[i] == who[k])
				return false;
	}
	return true;
}

/* Submit, and see that as many workers wait as may, and no more */
static void submit_and_stall(struct __test_metadata *_metadata, FIXTURE_DATA(fault) *self)
{
	pid_t who[NR];
	char path[64];

	ASSERT_EQ((int)NR, st_ask(&self->child, SUBMIT));
	ASSERT_EQ(ST_WORKERS, st_uffd_faults(self->uffd, who, ST_WORKERS, DT_PATIENCE_MS));
	EXPECT_TRUE(all_different(who, ST_WORKERS, self->child.pid));
	EXPECT_EQ(0, st_uffd_faults(self->uffd, who, 1, 300));
	EXPECT_EQ(0, st_ask(&self->child, POLL));

	/* Is it what the variant is about? */
	snprintf(path, sizeof(path), "/proc/%d/status", self->child.pid);
	EXPECT_EQ(self->variant->memlock > 0, dt_proc_kb(path, "VmPin") > 0);
	EXPECT_EQ(self->variant->input, dt_pins() > self->pins);
}

static int resolve_all(FIXTURE_DATA(fault) *self)
{
	int err = 0;

	for (unsigned int i = 0; i < NR && !err; i++)
		err = st_uffd_resolve(self->uffd, self->region + i * PART, PART,
				      i % 2 ? NULL : self->fill);
	return err;
}

TEST_F_TIMEOUT(fault, others_go_on, 60)
{
	submit_and_stall(_metadata, self);
	ASSERT_OTHERS_GO_ON();
	EXPECT_EQ(0, st_ask(&self->child, POLL));
	ASSERT_EQ(0, resolve_all(self));
	EXPECT_EQ(0, st_ask(&self->child, COLLECT));
	EXPECT_EQ(0, st_dismiss(&self->child));
}

TEST_F_TIMEOUT(fault, close_does_not_wait, 60)
{
	int ms;

	submit_and_stall(_metadata, self);
	ms = st_ask(&self->child, CLOSE);
	EXPECT_LE(0, ms);
	EXPECT_GE(ST_CLOSE_MS, ms);
	ASSERT_OTHERS_GO_ON();
	/* Those that nobody had begun are gone, no fifth fault comes for them */
	ASSERT_EQ(0, resolve_all(self));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(0, st_dismiss(&self->child));
}

/* The faults go on waiting: not the child but this process can end them */
TEST_F_TIMEOUT(fault, sigkill, 60)
{
	int status;

	submit_and_stall(_metadata, self);
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	status = dt_reap(self->child.pid, ST_PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->variant->input, dt_pins() > self->pins);
	ASSERT_OTHERS_GO_ON();
}

/* With the last descriptor of the userfaultfd the faults end by themselves */
TEST_F_TIMEOUT(fault, sigkill_ends_the_faults, 60)
{
	int status;

	submit_and_stall(_metadata, self);
	close(self->uffd);
	self->uffd = -1;
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	status = dt_reap(self->child.pid, ST_PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/*
 * A small request is pinned in write(): it is the writer who waits, and can be
 * killed. Without a budget a worker does it.
 */
TEST_F_TIMEOUT(fault, writer_waits_itself, 60)
{
	bool itself = variant->memlock;
	pid_t who = 0;
	int status;

	ASSERT_EQ(0, st_tell(&self->child, SUBMIT_SMALL));
	ASSERT_EQ(1, st_uffd_faults(self->uffd, &who, 1, DT_PATIENCE_MS));
	EXPECT_EQ(itself, who == self->child.pid);
	EXPECT_EQ(itself ? -ETIMEDOUT : 1, st_answer(&self->child, itself ? 100 : DT_PATIENCE_MS));
	ASSERT_OTHERS_GO_ON();
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	status = dt_reap(self->child.pid, ST_PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_HARNESS_MAIN
