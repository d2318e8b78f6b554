// SPDX-License-Identifier: GPL-2.0
/*
 * The end of things while requests are in flight: close, exit, SIGKILL,
 * exec, munmap, fork. Nobody hangs, no page stays pinned, no byte is written
 * that should not be.
 *
 * A test about "in flight" proves that it was. What a program can see is
 * that fewer responses are there than it wrote requests; in_flight() looks
 * right before the end in question, and the tests fail if it found nothing
 * in flight in more than a tenth of their rounds. How many requests that
 * takes depends on the machine, and is tried out first.
 *
 * On one CPU the workers could be done before write() returns; therefore the
 * test has real-time priority. That would always find them queued and never
 * running, hence it naps for a moment in every other round, which then does
 * not count for the proof.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	(256UL << 10)		/* of a request: it runs in a worker */

static const char exec_env[] = "DMIO_TEST_LIFETIME";

/*
 * Every request has its one response. A request is pinned window by window:
 * what went away meanwhile may be told in the response, as a fault or, when
 * the whole address space went, as cancelled.
 */
static bool answered_well(struct dmio_usrresp *resp, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (resp[i].resp_error == EFAULT || resp[i].resp_error == ECANCELED)
			resp[i].resp_error = 0;
	return dt_ids_once(resp, nr, 0);
}

/* Program run by exec with "fd number": all responses come, none is missing. */
static __attribute__((constructor)) void exec_child(void)
{
	const char *env = getenv(exec_env);
	struct dmio_usrresp resp[DT_DEPTH];
	unsigned int nr;
	int fd;

	if (!env)
		return;
	if (sscanf(env, "%d %u", &fd, &nr) != 2 || dt_collect(fd, resp, nr))
		_exit(1);
	_exit(answered_well(resp, nr) ? 0 : 2);
}

FIXTURE(lifetime) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;
	struct dmio_usrreq flat[DT_DEPTH];	/* copies of src to dst, all alike */
	struct dt_req one;
	unsigned int nr;			/* of them make something in flight */
	unsigned int rounds;
	unsigned int looked, hits;		/* the proof, see above */
};

/* A few requests more, or less, are done after it. */
static void nap(struct dt_rng *rng)
{
	struct timespec ts = { .tv_nsec = dt_below(rng, 200000) };

	nanosleep(&ts, NULL);
}

/* Are fewer responses there than @nr? 1 yes, 0 no */
static int in_flight(int fd, unsigned int nr)
{
	struct dmio_usrresp resp[DT_DEPTH];
	ssize_t n;

	if (!(dt_poll(fd, POLLIN, 0) & POLLIN))
		return 1;
	dt_nonblock(fd, true);
	n = dt_read(fd, resp, nr);
	dt_nonblock(fd, false);
	return n < (ssize_t)nr;
}

/* Few requests in flight are done before one can look; many are not. */
static unsigned int enough(const struct dmio_usrreq *flat)
{
	for (unsigned int nr = 4; nr < DT_DEPTH; nr *= 2) {
		unsigned int hits = 0;

		for (unsigned int i = 0; i < 20; i++) {
			int fd = dt_open("copy", 0);

			hits += dt_write(fd, flat, nr) == nr && in_flight(fd, nr);
			close(fd);
		}
		if (hits == 20)
			return nr * 2;
	}
	return DT_DEPTH;
}

FIXTURE_SETUP(lifetime)
{
	struct sched_param prio = { .sched_priority = 1 };

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &prio));
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
	memset(self->dst, 0xee, LEN);
	dt_req_init1(&self->one, "copy", 0, self->dst, LEN, self->src);
	for (unsigned int i = 0; i < DT_DEPTH; i++) {
		self->flat[i] = self->one.req;
		self->flat[i].req_id = i;
	}
	self->rounds = dt_scale(100, 1000);
	self->nr = enough(self->flat);
	ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
}

FIXTURE_TEARDOWN(lifetime)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	/* Whatever ended, a new session works. */
	int fd = dt_open("copy", 0);
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, self->dst, LEN, self->src);
	EXPECT_EQ(0, dt_do(fd, &r.req));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
	close(fd);
}

#define EXPECT_IN_FLIGHT(self)							\
	EXPECT_LE((self)->looked * 9 / 10, (self)->hits) {			\
		TH_LOG("%u of %u rounds had work in flight",			\
		       (self)->hits, (self)->looked);				\
	}

TEST_F_TIMEOUT(lifetime, close_with_work_in_flight, 600)
{
	for (unsigned int i = 0; i < self->rounds; i++) {
		int fd = dt_open("copy", 0);

		ASSERT_LE(0, fd);
		ASSERT_EQ(self->nr, dt_write(fd, self->flat, self->nr));
		if (i % 2) {
			nap(&self->rng);
		} else {
			self->looked++;
			self->hits += in_flight(fd, self->nr);
		}
		ASSERT_EQ(0, close(fd));
	}
	EXPECT_IN_FLIGHT(self);
}

/* Small ones are done at once: responses wait that nobody will read. */
TEST_F(lifetime, close_with_responses_unread)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, self->dst, 1000, self->src);
	for (unsigned int i = 0; i < self->rounds; i++) {
		unsigned int nr = dt_between(&self->rng, 1, DT_DEPTH);
		struct dmio_usrreq flat[DT_DEPTH];
		struct dmio_usrresp resp[DT_DEPTH];
		int fd = dt_open("copy", 0);

		for (unsigned int k = 0; k < nr; k++) {
			flat[k] = r.req;
		}
		ASSERT_EQ(nr, dt_write(fd, flat, nr));
		ASSERT_EQ(0, dt_collect(fd, resp, dt_below(&self->rng, nr)));
		ASSERT_EQ(0, close(fd));
	}
}

/* A child that ends by itself; its exit status is in_flight() */
static int child_exits(const struct dmio_usrreq *flat, unsigned int nr, struct dt_rng *rng)
{
	pid_t pid = fork();
	int fd, status;

	if (!pid) {
		fd = dt_open("copy", 0);
		if (dt_write(fd, flat, nr) != nr)
			_exit(2);
		if (rng)
			nap(rng);
		_exit(in_flight(fd, nr));
	}
	status = dt_reap(pid, DT_PATIENCE_MS);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/*
 * A child that is killed: its parent has the session's descriptor, too, so
 * that it can look after the kill and be the one who closes.
 */
static int child_is_killed(const struct dmio_usrreq *flat, unsigned int nr, struct dt_rng *rng)
{
	int fd = dt_open(NULL, 0), ready[2], status, hit;
	struct dmio_usrresp resp;
	pid_t pid;
	char c = 0;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		dt_setfunc(fd, "copy");
		c = dt_write(fd, flat, nr) == nr;
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		/* Killed in a sleep of ours, or in one of the session's. */
		for (;;)
			rng ? dt_read(fd, &resp, 1) : pause();
	}
	if (read(ready[0], &c, 1) != 1 || c != 1)
		return -1;
	if (rng)
		nap(rng);
	kill(pid, SIGKILL);
	hit = in_flight(fd, nr);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	status = dt_reap(pid, DT_PATIENCE_MS);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? hit : -1;
}

TEST_F_TIMEOUT(lifetime, exit_with_work_in_flight, 600)
{
	for (unsigned int i = 0; i < self->rounds; i++) {
		bool napping = i % 2;
		int hit = child_exits(self->flat, self->nr, napping ? &self->rng : NULL);

		ASSERT_TRUE(hit == 0 || hit == 1);
		self->looked += !napping;
		self->hits += hit && !napping;
	}
	EXPECT_IN_FLIGHT(self);
}

TEST_F_TIMEOUT(lifetime, kill_with_work_in_flight, 600)
{
	for (unsigned int i = 0; i < self->rounds; i++) {
		bool napping = i % 2;
		int hit = child_is_killed(self->flat, self->nr, napping ? &self->rng : NULL);

		ASSERT_TRUE(hit == 0 || hit == 1);
		self->looked += !napping;
		self->hits += hit && !napping;
	}
	EXPECT_IN_FLIGHT(self);
}

/* exec takes the memory away; the session stays, and owes all its responses. */
TEST_F_TIMEOUT(lifetime, exec_after_write, 600)
{
	unsigned int rounds = self->rounds / 10;

	for (unsigned int i = 0; i < rounds; i++) {
		pid_t pid = fork();

		ASSERT_LE(0, pid);
		if (!pid) {
			char env[64];
			int fd = dt_open("copy", 0);

			fcntl(fd, F_SETFD, 0);
			if (dt_write(fd, self->flat, self->nr) != self->nr)
				_exit(3);
			snprintf(env, sizeof(env), "%s=%d %u", exec_env, fd, self->nr);
			execle("/proc/self/exe", "lifetime", NULL, (char *[]){ env, NULL });
			_exit(4);
		}
		ASSERT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	}
}

/*
 * Memory that was replaced while requests used it: each byte is what belongs
 * there, or one of @others, that were there before or after. Never is it the
 * byte of another place.
 */
static bool torn_well(const uint8_t *p, const uint8_t *src, const char *others, size_t nr)
{
	for (size_t i = 0; i < LEN; i++)
		if (p[i] != src[i] && !memchr(others, p[i], nr))
			return false;
	return true;
}

/*
 * The output is unmapped, and other memory appears at its address, with a
 * page behind it that nobody asked to be written.
 */
TEST_F_TIMEOUT(lifetime, munmap_of_the_output, 600)
{
	uint8_t *at = dt_mmap(LEN + 4096);
	struct iovec out = { at, LEN };

	memset(at + LEN, 0xcc, 4096);
	for (unsigned int i = 0; i < self->nr; i++) {
		self->flat[i].req_outbuf.dmbuf_iov = &out;
	}
	for (unsigned int i = 0; i < self->rounds; i++) {
		struct dmio_usrresp resp[DT_DEPTH];
		int fd = dt_open("copy", 0);

		memset(at, 0xee, LEN);
		ASSERT_EQ(self->nr, dt_write(fd, self->flat, self->nr));
		if (i % 2) {
			nap(&self->rng);
		} else {
			self->looked++;
			self->hits += !(dt_poll(fd, POLLIN, 0) & POLLIN);
		}
		ASSERT_EQ(0, munmap(at, LEN));
		ASSERT_TRUE(mmap(at, LEN, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
		memset(at, 0xff, LEN);
		ASSERT_EQ(0, dt_collect(fd, resp, self->nr));
		ASSERT_TRUE(answered_well(resp, self->nr));
		ASSERT_TRUE(torn_well(at, self->src, "\xff", 1));
		for (unsigned int k = 0; k < 4096; k++) {
			ASSERT_EQ(0xcc, at[LEN + k]);
		}
		close(fd);
	}
	EXPECT_IN_FLIGHT(self);
}

/* The same with the input */
TEST_F_TIMEOUT(lifetime, munmap_of_the_input, 600)
{
	uint8_t *at = dt_mmap(LEN);

	self->one.in_iov[0].iov_base = at;
	for (unsigned int i = 0; i < self->rounds; i++) {
		struct dmio_usrresp resp[DT_DEPTH];
		int fd = dt_open("copy", 0);

		memcpy(at, self->src, LEN);
		memset(self->dst, 0xee, LEN);
		ASSERT_EQ(self->nr, dt_write(fd, self->flat, self->nr));
		if (i % 2) {
			nap(&self->rng);
		}
		ASSERT_EQ(0, munmap(at, LEN));
		ASSERT_TRUE(mmap(at, LEN, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
		memset(at, 0xff, LEN);
		ASSERT_EQ(0, dt_collect(fd, resp, self->nr));
		ASSERT_TRUE(answered_well(resp, self->nr));
		/* Fresh memory is zero before it gets a value. */
		ASSERT_TRUE(torn_well(self->dst, self->src, "\xee\x00\xff", 3));
		close(fd);
	}
}

/*
 * fork shares the pages for copy-on-write, then the parent writes to them,
 * next to the output: parent and session must mean the same page, and the
 * child must have its own.
 */
TEST_F_TIMEOUT(lifetime, fork_with_work_in_flight, 600)
{
	uint8_t *page = dt_mmap(LEN + 8192);
	struct iovec out = { page + 100, LEN };

	for (unsigned int i = 0; i < self->nr; i++) {
		self->flat[i].req_outbuf.dmbuf_iov = &out;
	}
	for (unsigned int i = 0; i < self->rounds; i++) {
		struct dmio_usrresp resp[DT_DEPTH];
		int fd = dt_open("copy", 0), go[2];
		pid_t pid;
		char c;

		memset(page, 0xee, LEN + 8192);
		ASSERT_EQ(0, pipe(go));
		ASSERT_EQ(self->nr, dt_write(fd, self->flat, self->nr));
		if (i % 2) {
			nap(&self->rng);
		} else {
			self->looked++;
			self->hits += !(dt_poll(fd, POLLIN, 0) & POLLIN);
		}
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			/* Its pages are its own: what it writes stays its. */
			close(go[1]);
			memset(page, 0x77, LEN + 8192);
			if (read(go[0], &c, 1))
				_exit(1);
			for (size_t k = 0; k < LEN + 8192; k++)
				if (page[k] != 0x77)
					_exit(2);
			_exit(0);
		}
		close(go[0]);
		memset(page, 0x11, 100);
		memset(page + 100 + LEN, 0x22, 8192 - 100);
		ASSERT_EQ(0, dt_collect(fd, resp, self->nr));
		ASSERT_TRUE(dt_ids_once(resp, self->nr, 0));
		ASSERT_EQ(-1, dt_diff(page + 100, self->src, LEN)) {
			TH_LOG("round %u: the output went to a page the parent does not have", i);
		}
		for (unsigned int k = 0; k < 100; k++) {
			ASSERT_EQ(0x11, page[k]);
		}
		for (unsigned int k = 100 + LEN; k < LEN + 8192; k++) {
			ASSERT_EQ(0x22, page[k]);
		}
		close(go[1]);
		ASSERT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
		close(fd);
	}
	EXPECT_IN_FLIGHT(self);
}

TEST_HARNESS_MAIN
