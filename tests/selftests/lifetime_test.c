// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a session or of its process while requests are running: close,
 * exit, SIGKILL, exec. Nobody hangs, every request ends, no page stays pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flight.h"
#include "kselftest_harness.h"

#define WINDOWS	(5UL << 20)		/* a request of several windows */

/* What a child found when it ended as it should; anything else is an error */
enum { UNSEEN, SEEN };

static const char exec_env[] = "DMIO_TEST_LIFETIME";

/*
 * Every request has its one response. What was not pinned yet when the address
 * space went is cancelled.
 */
static bool answered_well(struct dmio_usrresp *resp)
{
	for (unsigned int i = 0; i < FL_NR; i++)
		if (resp[i].resp_error == ECANCELED)
			resp[i].resp_error = 0;
	return dt_ids_once(resp, FL_NR, 0);
}

/* Program run by exec: all responses come, none is missing. */
static __attribute__((constructor)) void exec_child(void)
{
	const char *env = getenv(exec_env);
	struct dmio_usrresp resp[FL_NR];
	int fd, seen;

	if (!env)
		return;
	if (sscanf(env, "%d %d", &fd, &seen) != 2 || dt_collect(fd, resp, FL_NR))
		_exit(2);
	_exit(answered_well(resp) ? seen : 3);
}

FIXTURE(lifetime) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;
	struct flight flight;
};

FIXTURE_SETUP(lifetime)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(WINDOWS);
	self->dst = dt_mmap(WINDOWS);
	dt_fill(&self->rng, self->src, WINDOWS);
	fl_init(&self->flight, &self->rng, self->dst, 0, self->src);
	self->flight.req[0].out_iov.iov_len = WINDOWS;
	self->flight.req[0].in_iov[0].iov_len = WINDOWS;
	ASSERT_EQ(0, dt_hold(&self->flight.hold));
}

FIXTURE_TEARDOWN(lifetime)
{
	int fd = dt_open("copy", 0);
	struct dt_req r;

	EXPECT_EQ(0, dt_unhold(&self->flight.hold));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	/* Whatever ended, a new session works. */
	dt_req_init1(&r, "copy", 1, self->dst, WINDOWS, self->src);
	memset(self->dst, 0xee, WINDOWS);
	EXPECT_EQ(0, dt_do(fd, &r.req));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, WINDOWS));
	close(fd);
}

/*
 * One round: submit, with or without a nap, and end. Returns how many requests
 * were running when the end came, or what went wrong, negative.
 */
typedef int (*end)(struct flight *f, bool nap);

static void run_rounds(struct __test_metadata *_metadata, FIXTURE_DATA(lifetime) *self, end how)
{
	while (fl_more(&self->flight)) {
		int running = how(&self->flight, fl_naps(&self->flight));

		ASSERT_LE(0, running) {
			TH_LOG("round %u", self->flight.looked);
		}
		fl_count(&self->flight, running);
		ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	EXPECT_RUNNING(&self->flight);
}

static int by_close(struct flight *f, bool nap)
{
	int fd = dt_open("copy", 0), running;

	if (fd < 0 || fl_submit(f, fd, nap))
		return -1;
	running = dt_nr(fd, "running");
	return close(fd) ? -1 : running;
}

TEST_F_TIMEOUT(lifetime, close_with_work_in_flight, 600)
{
	run_rounds(_metadata, self, by_close);
}

/* Responses wait that nobody will read. */
TEST_F(lifetime, close_with_responses_unread)
{
	struct dmio_usrresp resp[DT_DEPTH];
	struct dmio_usrreq flat[DT_DEPTH];
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, self->dst, 1000, self->src);
	for (unsigned int i = 0; i < DT_DEPTH; i++) {
		flat[i] = r.req;
	}
	for (unsigned int i = 0; i < self->flight.rounds; i++) {
		unsigned int nr = dt_between(&self->rng, 1, DT_DEPTH);
		int fd = dt_open("copy", 0);

		ASSERT_EQ(nr, dt_write(fd, flat, nr));
		ASSERT_EQ(nr, dt_nr_settle(fd, "answered", nr));
		ASSERT_EQ(0, dt_collect(fd, resp, dt_below(&self->rng, nr)));
		ASSERT_EQ(0, close(fd));
	}
}

/* Submit in a child that is going to end; returns the session, or ends at once */
static int child_submit(struct flight *f, bool nap, int *seen)
{
	int fd = dt_open("copy", 0);

	if (fd < 0 || fl_submit(f, fd, nap))
		_exit(4);
	*seen = dt_nr(fd, "running") > 0 ? SEEN : UNSEEN;
	return fd;
}

static int seen_by(pid_t pid)
{
	int said = dt_said(pid, DT_PATIENCE_MS);

	return said <= SEEN ? said : -1;
}

static int by_exit(struct flight *f, bool nap)
{
	pid_t pid = fork();
	int seen;

	if (!pid) {
		child_submit(f, nap, &seen);
		_exit(seen);
	}
	return seen_by(pid);
}

TEST_F_TIMEOUT(lifetime, exit_with_work_in_flight, 600)
{
	run_rounds(_metadata, self, by_exit);
}

/* exec takes the memory away; the session stays, and owes all its responses. */
static int by_exec(struct flight *f, bool nap)
{
	pid_t pid = fork();
	char env[64];
	int fd, seen;

	if (!pid) {
		fd = child_submit(f, nap, &seen);
		fcntl(fd, F_SETFD, 0);
		snprintf(env, sizeof(env), "%s=%d %d", exec_env, fd, seen);
		execle("/proc/self/exe", "lifetime", NULL, (char *[]){ env, NULL });
		_exit(5);
	}
	return seen_by(pid);
}

TEST_F_TIMEOUT(lifetime, exec_with_work_in_flight, 600)
{
	run_rounds(_metadata, self, by_exec);
}

/*
 * The parent has the session's descriptor, too, so that it can look before it
 * kills, and be the one who closes. The child is killed in a sleep of its own,
 * or in one of the session's.
 */
static int by_sigkill(struct flight *f, bool nap)
{
	int fd = dt_open(NULL, 0), ready[2], running, status;
	struct dmio_usrresp resp;
	char ok = 0;
	pid_t pid;

	if (fd < 0 || pipe(ready))
		return -1;
	pid = dt_fork();
	if (!pid) {
		ok = !dt_setfunc(fd, "copy") && !fl_submit(f, fd, nap);
		if (write(ready[1], &ok, 1) != 1)
			_exit(1);
		for (;;)
			nap ? dt_read(fd, &resp, 1) : pause();
	}
	if (read(ready[0], &ok, 1) != 1 || !ok)
		return -1;
	running = dt_nr(fd, "running");
	kill(pid, SIGKILL);
	close(fd);
	close(ready[0]);
	close(ready[1]);
	status = dt_reap(pid, DT_PATIENCE_MS);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? running : -1;
}

TEST_F_TIMEOUT(lifetime, kill_with_work_in_flight, 600)
{
	run_rounds(_metadata, self, by_sigkill);
}

/* -- the memory of a killed process */

#define NR_HUGE		6U		/* requests, more than there are workers */
#define HUGE		(96UL << 20)	/* of each, and of the process, in many windows */
#define KIB		1024

/* In the child: zero all of its memory, again and again */
static int zero_all(void *arg)
{
	uint8_t *mem = dt_mmap(HUGE);
	struct dmio_usrreq flat[NR_HUGE];
	struct dt_req r[NR_HUGE];
	int fd = *(int *)arg, err;

	memset(mem, 1, HUGE);
	for (unsigned int i = 0; i < NR_HUGE; i++) {
		dt_req_init1(&r[i], "zero", i, mem, HUGE, NULL);
		flat[i] = r[i].req;
	}
	err = dt_setfunc(fd, "zero");
	return err ? err : dt_write_all(fd, flat, NR_HUGE);
}

/* Start it, and wait until requests are running: its pid */
static pid_t start_huge(struct __test_metadata *_metadata, int fd)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int err = -1;
	pid_t pid = dt_spawn(zero_all, &fd, &err);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, err);
	/* On one CPU the workers that pin want it, too: so sleep */
	while (!dt_nr(fd, "running") && !dt_nr(fd, "answered") && dt_now_ms() < end)
		dt_sleep_ms(1);
	return pid;
}

/*
 * Windows that are in flight end; no other is begun, though the session lives
 * on, and the memory goes with the process.
 */
TEST_F_TIMEOUT(lifetime, a_killed_process_gives_its_memory_back, 600)
{
	long long before = dt_proc_kb("/proc/meminfo", "AnonPages"), end, now;
	struct dmio_usrresp resp[NR_HUGE];
	unsigned int late = 0;
	int fd, running;
	pid_t pid;

	/*
	 * If this thread slept for so long that a request was done, there is
	 * nothing to see: once more. Nothing is judged before.
	 */
	for (;;) {
		fd = dt_open(NULL, 0);
		ASSERT_LE(0, fd);
		pid = start_huge(_metadata, fd);
		running = dt_nr(fd, "running");
		if (!dt_nr(fd, "answered"))
			break;
		ASSERT_GT(20, ++late);
		EXPECT_EQ(SIGKILL, dt_kill(pid));
		close(fd);
		ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	EXPECT_LT(0, running);
	EXPECT_LE(before + (long long)(HUGE / KIB * 3 / 4),
		  dt_proc_kb("/proc/meminfo", "AnonPages"));
	EXPECT_EQ(SIGKILL, dt_kill(pid));

	ASSERT_EQ(0, dt_collect(fd, resp, NR_HUGE));
	for (unsigned int i = 0; i < NR_HUGE; i++) {
		EXPECT_EQ(ECANCELED, resp[i].resp_error);
	}
	end = dt_now_ms() + DT_PATIENCE_MS;
	do {
		dt_sleep_ms(5);
		now = dt_proc_kb("/proc/meminfo", "AnonPages");
	} while (now > before + (long long)(HUGE / KIB / 4) && dt_now_ms() < end);
	EXPECT_GE(before + (long long)(HUGE / KIB / 4), now);
	close(fd);
}

TEST_HARNESS_MAIN
