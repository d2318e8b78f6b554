// SPDX-License-Identifier: GPL-2.0
/*
 * A page whose lock waits for a FUSE daemon, when it is to be released. As in
 * stall_test.c, its owner may make four workers wait, but nobody else.
 *
 * That somebody waits is proved: the file system holds back its answer, and
 * hardly a response is there.
 */
#include <signal.h>
#include <sys/wait.h>

#include "dma.h"
#include "kselftest_harness.h"
#include "stall.h"

/*
 * More windows than the workqueues of the engines have active works, or a
 * worker that waits in each would harm nobody. Later kernels allow more than
 * 256: the test takes that back.
 */
#define ACTIVE		256
#define SESSIONS	ST_WORKERS	/* each keeps one busy, see locker_start() */
#define TOTAL		(SESSIONS * DT_DEPTH)
#define LARGE		(2 * DT_INLINE_MAX)
#define TOTAL_BYTES	(SESSIONS * (LARGE + DT_DEPTH - 1))

/* Who fills is the CPU, or a channel that can; then the other queue has its last works */
static const char *const active_paths[] = {
	DT_WORKQUEUE "max_active", DT_WORKQUEUE_DMA "max_active",
};

FIXTURE(page_lock) {
	struct dt_rng rng;
	long long pins;
	struct st_fuse fuse;
	int err;			/* of the mount */
	int active[ARRAY_SIZE(active_paths)];	/* works, before the test */
	struct dt_hold hold;
	struct st_child child;
	pthread_t inval;
	bool invalidating;

	uint8_t *page;			/* in the child */
	int session[SESSIONS];
	unsigned int got[SESSIONS];
	struct dmio_usrresp resp[SESSIONS][DT_DEPTH];
	struct dmio_usrreq flat[SESSIONS][DT_DEPTH];
	struct iovec out[SESSIONS][DT_DEPTH];
};

enum { LOCK_SUBMIT, LOCK_DONE, LOCK_COUNT, LOCK_CLOSE, LOCK_COLLECT };

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

	close(self->fuse.fd);
	file = open(self->fuse.path, O_RDWR | O_CLOEXEC);
	/* Until it asks for the size, the kernel takes the file for empty */
	if (err || file < 0 || fstat(file, &st))
		return err ? err : -errno;
	self->page = mmap(NULL, dt_page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (self->page == MAP_FAILED)
		return -errno;
	close(file);

	for (unsigned int s = 0; s < SESSIONS; s++) {
		self->session[s] = dt_open("fill8", 0);
		if (self->session[s] < 0)
			return self->session[s];
		for (unsigned int i = 0; i < DT_DEPTH; i++) {
			struct dt_req r;

			dt_req_init1(&r, "fill8", i, NULL, 0, NULL);
			self->out[s][i] = i ? (struct iovec){ self->page + s * DT_DEPTH + i, 1 } :
				(struct iovec){ dt_mmap(LARGE), LARGE };
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

/* Bytes that engines have done of a session's requests, released or not */
static int locker_done(FIXTURE_DATA(page_lock) *self, unsigned int s)
{
	struct dt_ways ways = dt_ways(self->session[s]);

	return dt_ways_sum(&ways);
}

static int locker_obey_for(FIXTURE_DATA(page_lock) *self, unsigned int s, int cmd)
{
	switch (cmd) {
	case LOCK_SUBMIT:
		return dt_write(self->session[s], self->flat[s], DT_DEPTH);
	case LOCK_DONE:
		return locker_done(self, s);
	}
	return locker_read(self, s, cmd == LOCK_COLLECT);
}

/* Closes the first session; does everything else for all of them, and adds it up */
static int locker_obey(void *arg, int cmd)
{
	FIXTURE_DATA(page_lock) *self = arg;
	long long start = dt_now_ms();
	int n, sum = 0;

	if (cmd == LOCK_CLOSE)
		return close(self->session[0]) ? -errno : dt_now_ms() - start;
	for (unsigned int s = cmd == LOCK_COLLECT; s < SESSIONS; s++) {
		n = locker_obey_for(self, s, cmd);
		if (n < 0)
			return n;
		if (cmd == LOCK_COLLECT && !dt_ids_once(self->resp[s], DT_DEPTH, 0))
			return -EBADMSG;
		sum += n;
	}
	/* Dirty, however long that took: there is something to write out */
	if (cmd == LOCK_SUBMIT)
		self->page[0] = 1;
	return sum;
}

static void *invalidate(void *arg)
{
	return (void *)(long)st_fuse_invalidate(arg);
}

/* Returns what it was, or -1 */
static int set_active(const char *path, int nr)
{
	FILE *f = fopen(path, "r+");
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
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->err = st_fuse_mount(&self->fuse, DT_NOBODY);
	if (self->err == -ENOENT)
		return;
	ASSERT_EQ(0, self->err);
	for (unsigned int i = 0; i < ARRAY_SIZE(active_paths); i++) {
		self->active[i] = set_active(active_paths[i], ACTIVE);
		/* Kernels without DMA engines have only the first */
		ASSERT_TRUE(self->active[i] > 0 || (i && access(active_paths[i], F_OK)));
	}
	ASSERT_EQ(0, dt_hold(&self->hold));
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
	EXPECT_EQ(0, dt_unhold(&self->hold));
	for (unsigned int i = 0; i < ARRAY_SIZE(active_paths); i++)
		EXPECT_TRUE(self->active[i] < 0 ||
			    set_active(active_paths[i], self->active[i]) == ACTIVE);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	EXPECT_EQ(0, st_as_user(DT_NOBODY));
	EXPECT_EQ(0, st_as_user(0));
}

/* Until the engines have done all they were given: the bytes that they have */
static int wait_done(FIXTURE_DATA(page_lock) *self)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int done;

	do {
		dt_sleep_ms(10);
		done = st_ask(&self->child, LOCK_DONE);
	} while (done >= 0 && done < (int)TOTAL_BYTES && dt_now_ms() < end);
	return done;
}

/*
 * Pin the page many times, then have the kernel hold its lock.
 *
 * No engine touches it meanwhile: on the only CPU that its workers may have, the
 * child runs until it has submitted all, then this thread, then the one that
 * locks the page, and that one sleeps only when it waits for the daemon. So
 * nobody has to be fast.
 */
static void submit_and_lock(struct __test_metadata *_metadata, FIXTURE_DATA(page_lock) *self)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	ASSERT_EQ(TOTAL, st_ask(&self->child, LOCK_SUBMIT));
	self->fuse.hold = true;
	self->invalidating = !pthread_create(&self->inval, NULL, invalidate, &self->fuse);
	while (!self->fuse.nr_held && dt_now_ms() < end)
		dt_sleep_ms(1);

	/* The kernel waits for the daemon with the page locked, and so does the release */
	ASSERT_LT(0, (int)self->fuse.nr_held);
	/* ... of each, which is not the engines' business: they come to their end */
	ASSERT_EQ((int)TOTAL_BYTES, wait_done(self));
	EXPECT_GE(TOTAL / 10, st_ask(&self->child, LOCK_COUNT));
	EXPECT_LE(self->pins + TOTAL * 9 / 10, dt_pins());
}

TEST_F_TIMEOUT(page_lock, others_go_on, 240)
{
	int ms;

	if (self->err)
		SKIP(return, "no FUSE in this kernel");
	submit_and_lock(_metadata, self);
	ASSERT_OTHERS_GO_ON();
	ms = st_ask(&self->child, LOCK_CLOSE);
	EXPECT_LE(0, ms);
	EXPECT_GE(ST_CLOSE_MS, ms);
	ASSERT_OTHERS_GO_ON();
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
TEST_F_TIMEOUT(page_lock, sigkill, 240)
{
	int status;

	if (self->err)
		SKIP(return, "no FUSE in this kernel");
	submit_and_lock(_metadata, self);
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	ASSERT_OTHERS_GO_ON();
	EXPECT_LT(0, (int)self->fuse.nr_held);
	st_fuse_release(&self->fuse);
	status = dt_reap(self->child.pid, DT_PATIENCE_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_HARNESS_MAIN
