// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that makes whoever touches it wait, for as long as its owner likes.
 * He may make his own requests wait, and four workers, but nobody else:
 * others' requests are done at once, close and SIGKILL wait for nothing, and
 * once the wait is over nothing is left behind.
 *
 * A test about waiting proves that somebody waits: the faults are counted and
 * tell which thread is in them, the file system holds back its answer, and no
 * response is there.
 */
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "dmio_test.h"
#include "kselftest_harness.h"
#include "stall.h"

#define MIB		(1UL << 20)
#define MAX_WORKERS	4		/* that one user may make wait */
#define OTHER		1234		/* another user */
/*
 * "At once", on slow machines. What is waited for never ends by itself, so a
 * long time proves as much as a short one.
 */
#define PROMPT_MS	5000
#define CLOSE_MS	1000		/* close has nothing to do at all */

/* -- the others: 1 MiB there and back, by a process of that user's own */

static int copy_mib(uid_t uid)
{
	uint8_t *src = dt_mmap(MIB), *dst = dt_mmap(MIB);
	struct dt_req r;
	int fd;

	memset(src, 0x3c, MIB);
	memset(dst, 0xee, MIB);
	if (dt_become(uid))
		return 1;
	fd = dt_open("copy", 0);
	if (fd < 0)
		return 2;
	dt_req_init1(&r, "copy", 1, dst, MIB, src);
	if (dt_do(fd, &r.req))
		return 3;
	return dt_diff(dst, src, MIB) == -1 ? 0 : 4;
}

/* Wait status of the process that did it, -1 if that took too long */
static int as_user(uid_t uid)
{
	pid_t pid = fork();

	if (!pid)
		_exit(copy_mib(uid));
	return dt_reap(pid, PROMPT_MS);
}

#define EXPECT_OTHERS_GO_ON()			\
do {						\
	EXPECT_EQ(0, as_user(0));		\
	EXPECT_EQ(0, as_user(OTHER));		\
} while (0)

/* -- page faults that wait for a userfaultfd */

#define NR	16U			/* requests, of 1 MiB */
#define AT	100U			/* where they begin, each in its part */
#define PART	(MIB + 8192)		/* of the region that faults */

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
		uint8_t *part = self->region + i * PART, *plain = self->plain + i * MIB;
		const uint8_t *was = i % 2 ? self->zeros : self->fill;

		if (dt_diff(part + AT, plain, MIB) != -1)
			return i + 1;
		/* Between them the region is as it was filled */
		if (dt_diff(part, was, AT) != -1 ||
		    dt_diff(part + AT + MIB, was + AT + MIB, PART - AT - MIB) != -1)
			return i + 1;
		if (self->variant->input && dt_diff(plain, was + AT, MIB) != -1)
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
		uint8_t *faults = self->region + i * PART + AT, *plain = self->plain + i * MIB;
		bool input = self->variant->input;

		dt_req_init1(&self->req[i], "copy", i, input ? plain : faults, MIB,
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
	self->plain = dt_mmap(NR * MIB);
	self->fill = dt_mmap(PART);
	self->zeros = dt_mmap(PART);
	dt_fill(&self->rng, self->plain, NR * MIB);
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
	EXPECT_EQ(0, as_user(DT_NOBODY));
	EXPECT_EQ(0, as_user(0));
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
	ASSERT_EQ(MAX_WORKERS, st_uffd_faults(self->uffd, who, MAX_WORKERS, DT_PATIENCE_MS));
	EXPECT_TRUE(all_different(who, MAX_WORKERS, self->child.pid));
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
	EXPECT_OTHERS_GO_ON();
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
	EXPECT_GE(CLOSE_MS, ms);
	EXPECT_OTHERS_GO_ON();
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
	status = dt_reap(self->child.pid, PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->variant->input, dt_pins() > self->pins);
	EXPECT_OTHERS_GO_ON();
}

/* With the last descriptor of the userfaultfd the faults end by themselves */
TEST_F_TIMEOUT(fault, sigkill_ends_the_faults, 60)
{
	int status;

	submit_and_stall(_metadata, self);
	close(self->uffd);
	self->uffd = -1;
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	status = dt_reap(self->child.pid, PROMPT_MS);
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
	EXPECT_OTHERS_GO_ON();
	ASSERT_EQ(0, kill(self->child.pid, SIGKILL));
	status = dt_reap(self->child.pid, PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* -- a page whose lock waits for a FUSE daemon */

/*
 * More windows than the workqueue of the CPU engine has active works, or a
 * worker that waits in each would harm nobody. Later kernels allow more than
 * 256: the test takes that back.
 */
#define ACTIVE_PATH	"/sys/devices/virtual/workqueue/dmoverio/max_active"
#define ACTIVE		256
#define SESSIONS	MAX_WORKERS	/* each keeps one busy, see locker_start() */
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
	EXPECT_EQ(0, as_user(DT_NOBODY));
	EXPECT_EQ(0, as_user(0));
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
	EXPECT_GE(CLOSE_MS, ms);
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
	status = dt_reap(self->child.pid, PROMPT_MS);
	EXPECT_TRUE(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

TEST_HARNESS_MAIN
