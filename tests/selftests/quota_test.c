// SPDX-License-Identifier: GPL-2.0
/*
 * Quotas: what one user may have, in all his processes and user namespaces
 * together, whatever others have. They are parameters of the module; each
 * test lowers one and gives it back.
 *
 * Each user is a child that does as it is told. What has to be in flight is a
 * request whose output waits for a userfaultfd, so that it stays there.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "dmio_test.h"
#include "kselftest_harness.h"
#include "stall.h"

#define KIB	1024UL
#define OTHER	1234
#define FIRST	100000			/* of the users that a namespace has besides */
#define SLOTS	16			/* sessions of a child */

static const char *const names[] = { "max_sessions", "max_requests", "max_pinned_kib" };

/* -- a user */

struct member {
	struct st_child child;
	uid_t uid;
	const char *func;
	bool namespace;			/* its own */
	bool faults;			/* it has a userfaultfd ... */
	int uffd;			/* ... this one, in the child; then in the test ... */
	uint8_t *region;		/* for this memory, PARTS of PART bytes */
	int fd[SLOTS];
	unsigned int nr;
	size_t large;			/* bytes of a WORK */
};

#define PARTS	16
#define PART	(128 * KIB)

/* A command is one of these, and a number where one is said */
enum { OPEN, CLOSE, WORK, PEAK, BECOME, SUBMIT, SUBMIT_NONBLOCK, WAIT_ROOM, COLLECT };
#define COMMAND(what, slot, nr)	((int)((what) | (slot) << 8 | (unsigned int)(nr) << 16))

/* In the child: what was pinned while WORK was done */
static struct dt_watch watch;

static void on_signal(int sig)
{
	(void)sig;
}

static int member_start(void *arg)
{
	struct sigaction action = { .sa_handler = on_signal };	/* no SA_RESTART */
	struct member *m = arg;
	int err = 0;

	if (m->faults)
		err = st_uffd_create(&m->uffd, m->region, PARTS * PART);
	if (!err && sigaction(SIGUSR1, &action, NULL))
		err = -errno;
	if (!err)
		err = dt_become_limited(m->uid, RLIM_INFINITY);
	if (!err && m->namespace && unshare(CLONE_NEWUSER))
		err = -errno;
	return err ? err : m->faults ? m->uffd : 0;
}

static int member_open(struct member *m)
{
	int fd = m->nr < SLOTS ? dt_open(m->func, 0) : -ENFILE;

	if (fd < 0)
		return fd;
	m->fd[m->nr++] = fd;
	return 0;
}

/* One large request there and back, and its data */
static int member_work(struct member *m, int fd)
{
	uint8_t *src = dt_mmap(m->large), *dst = dt_mmap(m->large);
	struct dt_rng rng = { .state = m->child.pid };
	struct dt_req r;
	int err;

	dt_fill(&rng, src, m->large);
	memset(dst, 0xee, m->large);
	dt_req_init1(&r, "copy", 1, dst, m->large, src);
	err = dt_watch_start(&watch);
	if (err)
		return err;
	err = dt_do(fd, &r.req);
	dt_watch_stop(&watch);
	if (!err && dt_diff(dst, src, m->large) != -1)
		err = -EBADMSG;
	munmap(src, m->large);
	munmap(dst, m->large);
	return err;
}

/* Requests @first .. @first + @nr - 1, each for its part of the region */
static int member_submit(struct member *m, int fd, unsigned int first, unsigned int nr)
{
	static struct dt_req r[PARTS];
	struct dmio_usrreq flat[PARTS];

	for (unsigned int i = 0; i < nr; i++) {
		dt_req_init1(&r[first + i], m->func, i, m->region + (first + i) * PART, PART,
			     NULL);
		flat[i] = r[first + i].req;
	}
	return dt_write(fd, flat, nr);
}

static int member_collect(int fd, unsigned int nr)
{
	struct dmio_usrresp resp[PARTS];
	int err = dt_collect(fd, resp, nr);

	for (unsigned int i = 0; i < nr && !err; i++)
		err = resp[i].resp_error;
	return err;
}

static int member_obey(void *arg, int cmd)
{
	static unsigned int submitted;
	struct member *m = arg;
	unsigned int slot = cmd >> 8 & 0xff, nr = (unsigned int)cmd >> 16;
	int n;

	switch (cmd & 0xff) {
	case OPEN:
		return member_open(m);
	case CLOSE:
		return m->nr && !close(m->fd[--m->nr]) ? 0 : -EBADF;
	case WORK:
		return member_work(m, m->fd[slot]);
	case PEAK:
		return watch.peak_kib;
	case BECOME:
		return dt_become(nr);
	case SUBMIT:
	case SUBMIT_NONBLOCK:
		dt_nonblock(m->fd[slot], (cmd & 0xff) == SUBMIT_NONBLOCK);
		n = member_submit(m, m->fd[slot], submitted, nr);
		dt_nonblock(m->fd[slot], false);
		submitted += n > 0 ? n : 0;
		return n;
	case WAIT_ROOM:
		return dt_poll(m->fd[slot], POLLOUT, nr);
	case COLLECT:
		return member_collect(m->fd[slot], nr);
	}
	return -EINVAL;
}

/* -- the fixture */

FIXTURE(quota) {
	struct dt_rng rng;
	long long pins;
	long long was[ARRAY_SIZE(names)];
	struct member member[4];
	unsigned int nr;
};

FIXTURE_SETUP(quota)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		self->was[i] = dt_param(names[i]);
		ASSERT_LE(0, self->was[i]);
	}
}

FIXTURE_TEARDOWN(quota)
{
	for (unsigned int i = 0; i < self->nr; i++) {
		struct member *m = &self->member[i];

		kill(m->child.pid, SIGKILL);
		if (m->faults)
			close(m->uffd);
		waitpid(m->child.pid, NULL, 0);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(0, dt_set_param(names[i], self->was[i]));
		EXPECT_EQ(self->was[i], dt_param(names[i]));
	}
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Start a user; what is not said in @like is as usual */
static struct member *add(struct __test_metadata *_metadata, FIXTURE_DATA(quota) *self,
			  struct member like)
{
	struct member *m = &self->member[self->nr];
	int pidfd, ret;

	*m = like;
	m->func = like.func ? like.func : "copy";
	m->large = like.large ? like.large : 256 * KIB;
	m->region = dt_mmap(PARTS * PART);
	/* A huge page would be one fault for several requests */
	madvise(m->region, PARTS * PART, MADV_NOHUGEPAGE);
	ret = st_spawn(&m->child, member_start, member_obey, m);
	if (m->namespace && ret < 0) {
		dt_reap(m->child.pid, 0);
		errno = -ret;
		return NULL;
	}
	ASSERT_LE(0, ret);
	self->nr++;
	if (!m->faults)
		return m;
	pidfd = pidfd_open(m->child.pid, 0);
	m->uffd = pidfd_getfd(pidfd, ret, 0);
	ASSERT_LE(0, m->uffd);
	close(pidfd);
	return m;
}

static int tell(struct member *m, int what)
{
	return st_ask(&m->child, what);
}

static int open_many(struct member *m, unsigned int nr)
{
	int err = 0;

	while (nr-- && !err)
		err = tell(m, OPEN);
	return err;
}

/*
 * The same where sessions of that user were closed that had done some work: one
 * is gone once its last worker is, which may be a little later.
 */
static int open_later(struct member *m)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int err;

	while ((err = tell(m, OPEN)) == -EMFILE && dt_now_ms() < end)
		dt_sleep_ms(5);
	return err;
}

/* -- sessions */

TEST_F(quota, sessions)
{
	struct member *a = add(_metadata, self, (struct member){ .uid = DT_NOBODY });
	struct member *b = add(_metadata, self, (struct member){ .uid = DT_NOBODY });
	struct member *other = add(_metadata, self, (struct member){ .uid = OTHER });

	ASSERT_EQ(0, dt_set_param("max_sessions", 3));
	EXPECT_EQ(0, open_many(a, 2));
	EXPECT_EQ(0, tell(b, OPEN));
	EXPECT_EQ(-EMFILE, tell(b, OPEN));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
	/* Another's limit is as large, and what this one has is none of it */
	EXPECT_EQ(0, open_many(other, 3));
	EXPECT_EQ(-EMFILE, tell(other, OPEN));
	/* Room for one is room for one, in whichever process */
	EXPECT_EQ(0, tell(a, CLOSE));
	EXPECT_EQ(0, tell(b, OPEN));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
	/* A lower limit takes nothing away */
	ASSERT_EQ(0, dt_set_param("max_sessions", 1));
	EXPECT_EQ(0, tell(a, WORK));
	EXPECT_EQ(0, tell(b, WORK));
	EXPECT_EQ(0, tell(a, CLOSE));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
	/* The death of a process closes, too */
	kill(b->child.pid, SIGKILL);
	dt_reap(b->child.pid, DT_PATIENCE_MS);
	EXPECT_EQ(0, open_later(a));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
}

/* Refused opens leave nothing behind, and none at all is not a limit */
TEST_F(quota, sessions_again_and_again)
{
	struct member *a = add(_metadata, self, (struct member){ .uid = DT_NOBODY });

	ASSERT_EQ(0, dt_set_param("max_sessions", 0));
	for (unsigned int i = 0; i < 100; i++) {
		ASSERT_EQ(0, tell(a, OPEN));
		ASSERT_EQ(-EMFILE, tell(a, OPEN));
		ASSERT_EQ(0, tell(a, CLOSE));
	}
}

/* -- requests in flight */

/*
 * What the call answers that a signal interrupts. It may not have come to sleep
 * when the first one comes, so there are more of them.
 */
static int interrupt(struct member *m)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int answer;

	do {
		if (kill(m->child.pid, SIGUSR1))
			return -errno;
		answer = st_answer(&m->child, 200);
	} while (answer == -ETIMEDOUT && dt_now_ms() < end);
	return answer;
}

TEST_F_TIMEOUT(quota, requests, 60)
{
	struct member *a = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .func = "zero", .faults = true });
	struct member *b = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .func = "zero" });
	struct member *other = add(_metadata, self, (struct member){ .uid = OTHER });

	ASSERT_EQ(0, dt_set_param("max_requests", 6));
	EXPECT_EQ(0, open_many(a, 2) | tell(b, OPEN) | tell(other, OPEN));
	/* In one session, then in the other, then no more: a short count first */
	EXPECT_EQ(4, tell(a, COMMAND(SUBMIT, 0, 4)));
	EXPECT_EQ(2, tell(a, COMMAND(SUBMIT, 1, 4)));
	EXPECT_EQ(-EAGAIN, tell(a, COMMAND(SUBMIT_NONBLOCK, 1, 1)));
	EXPECT_EQ(-EAGAIN, tell(a, COMMAND(SUBMIT_NONBLOCK, 0, 1)));
	EXPECT_EQ(0, tell(a, COMMAND(WAIT_ROOM, 0, 0)));
	EXPECT_EQ(0, tell(b, COMMAND(WAIT_ROOM, 0, 0)));
	EXPECT_EQ(0, tell(other, WORK));

	/* Who may sleep does, until a signal comes */
	ASSERT_EQ(0, st_tell(&a->child, COMMAND(SUBMIT, 1, 1)));
	EXPECT_EQ(-ETIMEDOUT, st_answer(&a->child, 200));
	EXPECT_EQ(-EINTR, interrupt(a));
	/* ... or one is answered; the answer need not be read. b is the same user. */
	ASSERT_EQ(0, st_tell(&b->child, COMMAND(SUBMIT, 0, 2)));
	EXPECT_EQ(-ETIMEDOUT, st_answer(&b->child, 200));
	ASSERT_EQ(0, st_uffd_resolve(a->uffd, a->region, PART, NULL));
	EXPECT_EQ(1, st_answer(&b->child, DT_PATIENCE_MS));
	EXPECT_EQ(-EAGAIN, tell(a, COMMAND(SUBMIT_NONBLOCK, 1, 1)));
	EXPECT_EQ(-EAGAIN, tell(b, COMMAND(SUBMIT_NONBLOCK, 0, 1)));

	ASSERT_EQ(0, st_tell(&b->child, COMMAND(WAIT_ROOM, 0, DT_PATIENCE_MS)));
	EXPECT_EQ(-ETIMEDOUT, st_answer(&b->child, 200));

	/* All are answered, with nothing lost by the refusals */
	ASSERT_EQ(0, st_uffd_resolve(a->uffd, a->region + PART, (PARTS - 1) * PART, NULL));
	EXPECT_EQ(POLLOUT, st_answer(&b->child, DT_PATIENCE_MS));
	EXPECT_EQ(0, tell(a, COMMAND(COLLECT, 0, 4)));
	EXPECT_EQ(0, tell(a, COMMAND(COLLECT, 1, 2)));
	EXPECT_EQ(0, tell(b, COMMAND(COLLECT, 0, 1)));
	EXPECT_EQ(6, tell(a, COMMAND(SUBMIT, 0, 6)));
	EXPECT_EQ(0, tell(a, COMMAND(COLLECT, 0, 6)));
}

/* What close drops, and what it leaves to end by itself, gives the room back */
TEST_F_TIMEOUT(quota, requests_after_close, 60)
{
	struct member *a = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .func = "zero", .faults = true });
	struct member *b = add(_metadata, self, (struct member){ .uid = DT_NOBODY });

	ASSERT_EQ(0, dt_set_param("max_requests", 8));
	EXPECT_EQ(0, tell(a, OPEN) | tell(b, OPEN));
	EXPECT_EQ(8, tell(a, COMMAND(SUBMIT, 0, 8)));
	ASSERT_EQ(0, st_tell(&b->child, WORK));
	EXPECT_EQ(-ETIMEDOUT, st_answer(&b->child, 200));
	/* Four wait in workers, four had none: room for those, but no worker */
	EXPECT_EQ(0, tell(a, CLOSE));
	EXPECT_EQ(-ETIMEDOUT, st_answer(&b->child, 200));
	ASSERT_EQ(0, st_uffd_resolve(a->uffd, a->region, PARTS * PART, NULL));
	EXPECT_EQ(0, st_answer(&b->child, DT_PATIENCE_MS));
	EXPECT_EQ(0, tell(b, WORK));
}

/* -- pinned memory */

/* A large request: how many pages were pinned for it, or an error, negative */
static long long work_pins(struct member *m)
{
	long long acquired = dt_pins_acquired();
	int err = tell(m, WORK);

	return err ? -abs(err) : dt_pins_acquired() - acquired;
}

TEST_F_TIMEOUT(quota, pinned, 60)
{
	static const uid_t uids[] = { DT_NOBODY, 0 };
	const size_t large = dt_scale(8, 64) << 20;

	/* RLIMIT_MEMLOCK does not matter here, nor does it that root has no such limit */
	for (unsigned int i = 0; i < ARRAY_SIZE(uids); i++) {
		struct member *m = add(_metadata, self, (struct member){
			.uid = uids[i], .large = large });

		ASSERT_EQ(0, dt_set_param("max_pinned_kib", 512));
		ASSERT_EQ(0, tell(m, OPEN));
		EXPECT_LT(0, work_pins(m));
		EXPECT_GE(512, tell(m, PEAK));
		/* Not a page: all is done by the CPU */
		ASSERT_EQ(0, dt_set_param("max_pinned_kib", 1));
		EXPECT_EQ(0, work_pins(m));
	}
}

/* One process has all of it, for as long as its page fault takes */
TEST_F_TIMEOUT(quota, pinned_by_another_process, 60)
{
	struct member *a = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .func = "zero", .faults = true });
	struct member *b = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .large = 4096 * KIB });
	struct member *other = add(_metadata, self, (struct member){
		.uid = OTHER, .large = 4096 * KIB });
	char status[64];
	pid_t who;

	snprintf(status, sizeof(status), "/proc/%d/status", a->child.pid);
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", PART / KIB));
	EXPECT_EQ(0, tell(a, OPEN) | tell(b, OPEN) | tell(other, OPEN));
	EXPECT_EQ(1, tell(a, COMMAND(SUBMIT, 0, 1)));
	EXPECT_EQ(1, st_uffd_faults(a->uffd, &who, 1, DT_PATIENCE_MS));
	EXPECT_EQ((long long)(PART / KIB), dt_proc_kb(status, "VmPin"));

	EXPECT_EQ(0, work_pins(b));
	EXPECT_LT(0, work_pins(other));
	EXPECT_GE((int)(PART / KIB), tell(other, PEAK));

	ASSERT_EQ(0, st_uffd_resolve(a->uffd, a->region, PARTS * PART, NULL));
	EXPECT_EQ(0, tell(a, COMMAND(COLLECT, 0, 1)));
	EXPECT_EQ(0, dt_proc_kb(status, "VmPin"));
	EXPECT_LT(0, work_pins(b));
}

/* -- user namespaces */

static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	f = fopen(path, "we");
	if (!f)
		return -errno;
	fprintf(f, "%s", map);
	return fclose(f) ? -errno : 0;
}

/* Users of a namespace of one's own count as oneself, be they as many as they like */
TEST_F(quota, own_namespace)
{
	struct member *a = add(_metadata, self, (struct member){ .uid = DT_NOBODY });
	struct member *n = add(_metadata, self, (struct member){
		.uid = DT_NOBODY, .namespace = true });
	char map[64];

	if (!n)
		SKIP(return, "no user namespaces for everybody: %s", strerror(errno));
	snprintf(map, sizeof(map), "0 %d 1\n1 %d 100\n", DT_NOBODY, FIRST);
	ASSERT_EQ(0, write_map(n->child.pid, "uid_map", map));
	ASSERT_EQ(0, write_map(n->child.pid, "gid_map", "0 0 1\n"));

	ASSERT_EQ(0, dt_set_param("max_sessions", 3));
	EXPECT_EQ(0, open_many(a, 2));
	EXPECT_EQ(0, tell(n, OPEN));
	EXPECT_EQ(-EMFILE, tell(n, OPEN));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
	/* Another user by number, the same by account */
	ASSERT_EQ(0, tell(n, COMMAND(BECOME, 0, 5)));
	EXPECT_EQ(-EMFILE, tell(n, OPEN));
	EXPECT_EQ(0, tell(a, CLOSE));
	EXPECT_EQ(0, tell(n, OPEN));
	EXPECT_EQ(-EMFILE, tell(a, OPEN));
	EXPECT_EQ(0, tell(n, WORK));
	EXPECT_EQ(0, tell(n, COMMAND(WORK, 1, 0)));
}

/* A container that root made: its users are users */
TEST_F(quota, container)
{
	struct member *n[2];
	char map[64];

	snprintf(map, sizeof(map), "0 %d 100\n", FIRST);
	ASSERT_EQ(0, dt_set_param("max_sessions", 2));
	for (unsigned int i = 0; i < ARRAY_SIZE(n); i++) {
		n[i] = add(_metadata, self, (struct member){ .uid = 0, .namespace = true });
		if (!n[i])
			SKIP(return, "no user namespaces: %s", strerror(errno));
		ASSERT_EQ(0, write_map(n[i]->child.pid, "uid_map", map));
		ASSERT_EQ(0, write_map(n[i]->child.pid, "gid_map", "0 0 1\n"));
		ASSERT_EQ(0, tell(n[i], COMMAND(BECOME, 0, i + 1)));
		EXPECT_EQ(0, open_many(n[i], 2));
		EXPECT_EQ(-EMFILE, tell(n[i], OPEN));
		EXPECT_EQ(0, tell(n[i], WORK));
	}
	/* The same number in two namespaces is the same user if it is one outside */
	ASSERT_EQ(0, tell(n[0], CLOSE));
	n[0] = add(_metadata, self, (struct member){ .uid = FIRST + 1 });
	EXPECT_EQ(0, open_later(n[0]));
	EXPECT_EQ(-EMFILE, tell(n[0], OPEN));
}

TEST_HARNESS_MAIN
