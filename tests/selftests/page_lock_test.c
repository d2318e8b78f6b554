// SPDX-License-Identifier: GPL-2.0
/*
 * A page whose lock waits for a FUSE daemon, when it is to be released. As in
 * stall_test.c, its owner may make four workers wait, but nobody else.
 *
 * That somebody waits is proved: the file system holds back its answer, and
 * hardly a response is there.
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "dmio_test.h"
#include "kselftest_harness.h"
#include "stall.h"

/*
 * More windows than the workqueue of the CPU engine has active works, or a
 * worker that waits in each would harm nobody. Later kernels allow more than
 * 256: the test takes that back.
 */
#define ACTIVE_PATH	"/sys/devices/virtual/workqueue/dmoverio/max_active"
#define ACTIVE		256
#define SESSIONS	ST_WORKERS	/* each keeps one busy, see locker_start() */
#define TOTAL		(SESSIONS * DT_DEPTH)

FIXTURE(page_lock) {
	struct dt_rng rng;
	long long pins;
	struct st_fuse fuse;
	int err;			/* of the mount */
	int active;			/* works, before the test */
	struct st_child child;
	pthread_t inval;
	bool invalidating;

	int session[SESSIONS];		/* in the child */
	unsigned int got[SESSIONS];
	struct dmio_usrresp resp[SESSIONS][DT_DEPTH];
	struct dmio_usrreq flat[SESSIONS][DT_DEPTH];
	struct iovec out[SESSIONS][DT_DEPTH];
};

enum { LOCK_SUBMIT, LOCK_COUNT, LOCK_CLOSE, LOCK_COLLECT };

/*
 * The first request of each session is large and for a worker: as long as it
 * is in flight the small ones are pinned by write() but left to the engine.
 * Each of those has one byte of the page.
 */
static int locker_start(void *arg)
{
	FIXTURE_DATA(page_lock) *self = arg;
	int file, err = dt_become(DT_NOBODY);
	struct stat st;
	uint8_t *page;

	close(self->fuse.fd);
	file = open(self->fuse.path, O_RDWR | O_CLOEXEC);
	/* Until it asks for the size, the kernel takes the file for empty */
	if (err || file < 0 || fstat(file, &st))
		return err ? err : -errno;
	page = mmap(NULL, dt_page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page == MAP_FAILED)
		return -errno;
	close(file);
	page[0] = 1;			/* dirty: there is something to write out */

	for (unsigned int s = 0; s < SESSIONS; s++) {
		self->session[s] = dt_open("fill8", 0);
		if (self->session[s] < 0)
			return self->session[s];
		for (unsigned int i = 0; i < DT_DEPTH; i++) {
			struct dt_req r;

			dt_req_init1(&r, "fill8", i, NULL, 0, NULL);
			self->out[s][i] = i ? (struct iovec){ page + s * DT_DEPTH + i, 1 } :
				(struct iovec){ dt_mmap(2 * DT_INLINE_MAX), 2 * DT_INLINE_MAX };
			self->flat[s][i] = r.req;
			self->flat[s][i].req_outbuf.dmbuf_iov = &self->out[s][i];
		}
	}
	return 0;
}

/* Responses of a session that are there, or all that are owed */
static int locker_read(FIXTURE_DATA(page_lock) *self, unsigned int s, bool all)
{
	unsigned int got = self->got[s];
	ssize_t n;

	if (all)
		return dt_collect(self->session[s], self->resp[s] + got, DT_DEPTH - got);
	dt_nonblock(self->session[s], true);
	n = dt_read(self->session[s], self->resp[s] + got, DT_DEPTH - got);
	dt_nonblock(self->session[s], false);
	if (n > 0)
		self->got[s] += n;
	return n == -EAGAIN ? 0 : n;
}

static int locker_obey(void *arg, int cmd)
{
	FIXTURE_DATA(page_lock) *self = arg;
	long long start = dt_now_ms();
	int n, sum = 0;

	if (cmd == LOCK_CLOSE)
		return close(self->session[0]) ? -errno : dt_now_ms() - start;
	for (unsigned int s = cmd == LOCK_COLLECT; s < SESSIONS; s++) {
		n = cmd == LOCK_SUBMIT ? dt_write(self->session[s], self->flat[s], DT_DEPTH) :
		    locker_read(self, s, cmd == LOCK_COLLECT);
		if (n < 0)
			return n;
		if (cmd == LOCK_COLLECT && !dt_ids_once(self->resp[s], DT_DEPTH, 0))
			return -EBADMSG;
		sum += n;
	}
	return sum;
}

static void *invalidate(void *arg)
{
	return (void *)(long)st_fuse_invalidate(arg);
}

/*
 * Hogs keep workers off the CPUs: what is submitted meanwhile is pinned, and
 * no engine touches it. Not for so long that the kernel throttles them.
 */
#define HOG_MS	700

static volatile bool hog_stop;
static volatile int hogs;

static void *hog(void *arg)
{
	struct sched_param prio = { .sched_priority = 1 };
	long long end = dt_now_ms() + HOG_MS;

	sched_setaffinity(0, sizeof(cpu_set_t), arg);
	sched_setscheduler(0, SCHED_FIFO, &prio);
	__sync_fetch_and_add(&hogs, 1);
	while (!hog_stop && dt_now_ms() < end)
		;
	return NULL;
}

/* One per CPU; returns once all run, how many */
static int hogs_start(pthread_t *thread, cpu_set_t *own)
{
	cpu_set_t all;
	int nr = 0;

	hog_stop = false;
	hogs = 0;
	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&own[nr]);
		CPU_SET(cpu, &own[nr]);
		if (pthread_create(&thread[nr], NULL, hog, &own[nr]))
			break;
		nr++;
	}
	while (hogs < nr)
		dt_sleep_ms(1);
	return nr;
}

static void hogs_end(pthread_t *thread, int nr)
{
	hog_stop = true;
	while (nr--)
		pthread_join(thread[nr], NULL);
}

/* Returns what it was, or -1 */
static int set_active(int nr)
{
	FILE *f = fopen(ACTIVE_PATH, "r+");
	int was = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &was) == 1 && was != nr) {
		rewind(f);
		fprintf(f, "%d\n", nr);
	}
	return fclose(f) ? -1 : was;
}

FIXTURE_SETUP(page_lock)
{
	struct sched_param prio = { .sched_priority = 2 };

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	/* Above the hogs; the daemon and the child inherit it */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &prio));
	self->err = st_fuse_mount(&self->fuse, DT_NOBODY);
	if (self->err == -ENOENT)
		return;
	ASSERT_EQ(0, self->err);
	self->active = set_active(ACTIVE);
	ASSERT_LT(0, self->active);
	ASSERT_EQ(0, st_spawn(&self->child, locker_start, locker_obey, self));
}

FIXTURE_TEARDOWN(page_lock)
{
	if (self->err)			/* then the tests skipped themselves */
		return;
	st_fuse_release(&self->fuse);
	if (self->invalidating)
		pthread_join(self->inval, NULL);
	kill(self->child.pid, SIGKILL);
	waitpid(self->child.pid, NULL, 0);
	st_fuse_unmount(&self->fuse);
	EXPECT_EQ(ACTIVE, set_active(self->active));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(0, st_as_user(DT_NOBODY));
	EXPECT_EQ(0, st_as_user(0));
}

/* Pin the page many times, then have the kernel hold its lock */
static void submit_and_lock(struct __test_metadata *_metadata, FIXTURE_DATA(page_lock) *self)
{
	long long end = dt_now_ms() + HOG_MS;
	pthread_t thread[CPU_SETSIZE];
	cpu_set_t own[CPU_SETSIZE];
	int nr, submitted;

	self->fuse.hold = true;
	nr = hogs_start(thread, own);
	submitted = st_ask(&self->child, LOCK_SUBMIT);
	self->invalidating = !pthread_create(&self->inval, NULL, invalidate, &self->fuse);
	while (!self->fuse.nr_held && dt_now_ms() < end)
		dt_sleep_ms(1);
	hogs_end(thread, nr);

	ASSERT_EQ(TOTAL, submitted);
	/* The kernel waits for the daemon with the page locked, and so does the release */
	ASSERT_LT(0, (int)self->fuse.nr_held);
	dt_sleep_ms(300);
	EXPECT_GE(TOTAL / 10, st_ask(&self->child, LOCK_COUNT));
	EXPECT_LE(self->pins + TOTAL * 9 / 10, dt_pins());
}

TEST_F_TIMEOUT(page_lock, others_go_on, 60)
{
	int ms;

	if (self->err)
		SKIP(return, "no FUSE in this kernel");
	submit_and_lock(_metadata, self);
	EXPECT_OTHERS_GO_ON();
	ms = st_ask(&self->child, LOCK_CLOSE);
	EXPECT_LE(0, ms);
	EXPECT_GE(ST_CLOSE_MS, ms);
	EXPECT_OTHERS_GO_ON();
	EXPECT_LT(0, (int)self->fuse.nr_held);

	/*
	 * What the page contains afterwards is between its owner and his file
	 * system, which dropped it from its cache; the responses are ours.
	 */
	st_fuse_release(&self->fuse);
	EXPECT_LE(0, st_ask(&self->child, LOCK_COLLECT));
	EXPECT_EQ(0, st_dismiss(&self->child));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* The child itself waits for its file system then, but nobody else does */
TEST_F_TIMEOUT(page_lock, sigkill, 60)
{
	int status;

	if (self->err)
		SKIP(return, "no FUSE in this kernel");
	submit_and_lock(_metadata, self);
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	EXPECT_OTHERS_GO_ON();
	EXPECT_LT(0, (int)self->fuse.nr_held);
	st_fuse_release(&self->fuse);
	status = dt_reap(self->child.pid, ST_PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_HARNESS_MAIN
