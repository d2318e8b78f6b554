// SPDX-License-Identifier: GPL-2.0
/*
 * Whose memory: a session belongs to the address space that selected its
 * function.  A write from any other one is EPERM, whoever has the
 * descriptor; reading and polling work anywhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define LEN	4096

static uint8_t src[LEN], dst[LEN];

/*
 * The program run by exec below: the session is an inherited descriptor.
 * What it finds is its exit status, 0 is right.
 */
static __attribute__((constructor)) void exec_child(void)
{
	const char *env = getenv("DMIO_TEST_OWNER_FD");
	struct dmio_usrresp resp;
	struct dt_req r;
	int fd;

	if (!env)
		return;
	fd = atoi(env);
	dt_req_init1(&r, "copy", 2, dst, LEN, src);
	if (dt_write(fd, &r.req, 1) != -EPERM)
		_exit(1);
	if (!(dt_poll(fd, POLLIN, DT_PATIENCE_MS) & POLLIN))
		_exit(2);
	if (dt_read(fd, &resp, 1) != 1)
		_exit(3);
	_exit(resp.resp_id == 1 && !resp.resp_error ? 0 : 4);
}

static const char setuid_env[] = "DMIO_TEST_OWNER_SETUID";

/*
 * The copy of this program that has the set-uid bit. What such a program says
 * on its standard error is often the user's choice, as the name of a file is;
 * here it is the worst of all: a valid request for the program's own memory.
 */
static __attribute__((constructor)) void setuid_program(void)
{
	struct dt_req r;

	if (!getenv(setuid_env))
		return;
	/* Is this what the test is about? */
	if (geteuid() || getuid() != DT_NOBODY)
		_exit(1);
	memset(src, 0x5a, LEN);
	memset(dst, 0xee, LEN);
	dt_req_init1(&r, "copy", 2, dst, LEN, src);
	for (unsigned int i = 0; i < 3; i++)
		if (write(2, &r.req, DT_REC) != -1 || errno != EPERM)
			_exit(2);
	if (dt_poll(2, POLLIN, 100) & POLLIN)
		_exit(3);
	for (unsigned int i = 0; i < LEN; i++)
		if (src[i] != 0x5a || dst[i] != 0xee)
			_exit(4);
	_exit(0);
}

FIXTURE(owner) {
	struct dt_rng rng;
	long long pins;
	int fd;
	struct dt_req r;
};

FIXTURE_SETUP(owner)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = dt_open("copy", 0);
	ASSERT_LE(0, self->fd);
	dt_fill(&self->rng, src, LEN);
	memset(dst, 0xee, LEN);
	dt_req_init1(&self->r, "copy", 1, dst, LEN, src);
}

FIXTURE_TEARDOWN(owner)
{
	/* Its owner can use it whatever others tried. */
	EXPECT_EQ(0, dt_do(self->fd, &self->r.req));
	EXPECT_EQ(-1, dt_diff(dst, src, LEN));
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static int forked_child(int fd, const struct dmio_usrreq *req)
{
	struct dmio_usrresp resp;

	for (unsigned int i = 0; i < 3; i++)
		if (dt_write(fd, req, 1) != -EPERM)
			return 1;
	if (!(dt_poll(fd, POLLIN, DT_PATIENCE_MS) & POLLIN))
		return 2;
	if (dt_read(fd, &resp, 1) != 1 || resp.resp_id != 1 || resp.resp_error)
		return 3;
	if (!dt_quiet(fd))
		return 4;
	/* Opening again is how a child gets a session of its own. */
	fd = dt_open("copy", 0);
	if (fd < 0 || dt_do(fd, req))
		return 5;
	return dt_diff(dst, src, LEN) == -1 ? 0 : 6;
}

TEST_F(owner, forked_child)
{
	pid_t pid;

	ASSERT_EQ(1, dt_write(self->fd, &self->r.req, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(forked_child(self->fd, &self->r.req));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	/* The child took the response. */
	EXPECT_TRUE(dt_quiet(self->fd));
}

TEST_F(owner, program_run_by_exec)
{
	char env[64];
	pid_t pid;

	ASSERT_EQ(1, dt_write(self->fd, &self->r.req, 1));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		snprintf(env, sizeof(env), "DMIO_TEST_OWNER_FD=%d", self->fd);
		execle("/proc/self/exe", "owner", NULL, (char *[]){ env, NULL });
		_exit(100);
	}
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_TRUE(dt_quiet(self->fd));
}

static void *write_one(void *arg)
{
	struct dt_req *r = arg;
	int fd = r->req.req_id >> 8;

	return dt_do(fd, &r->req) ? arg : NULL;
}

/* A thread, and a child that shares the memory, are the same address space. */
TEST_F(owner, same_address_space)
{
	struct dt_req r = self->r;
	pthread_t thread;
	void *bad;
	pid_t pid;

	r.req.req_id = self->fd << 8;
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_one, &r));
	ASSERT_EQ(0, pthread_join(thread, &bad));
	EXPECT_TRUE(bad == NULL);

	pid = vfork();
	if (!pid) {
		/* Only what a vfork child may do: a system call, its return value. */
		_exit(write(self->fd, &self->r.req, DT_REC) == (ssize_t)DT_REC ? 0 : 1);
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	struct dmio_usrresp resp;

	EXPECT_EQ(0, dt_collect(self->fd, &resp, 1));
}

/* Not open but SETFUNC binds, and it binds to the caller. */
TEST_F(owner, bound_by_setfunc)
{
	int fd = dt_open(NULL, 0);
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(dt_setfunc(fd, "copy") || dt_do(fd, &self->r.req));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	/* Its address space is gone, and the session was its. */
	EXPECT_EQ(-EPERM, dt_write(fd, &self->r.req, 1));
	EXPECT_EQ(-EBUSY, dt_setfunc(fd, "copy"));
	EXPECT_TRUE(dt_quiet(fd));
	close(fd);
}

/* The classic trap: a privileged program's output goes to an inherited descriptor. */
TEST_F(owner, stderr_of_another_program)
{
	struct dt_req r[4];
	struct dmio_usrreq flat[4];
	pid_t pid;

	memset(dst, 0xee, LEN);
	for (unsigned int i = 0; i < ARRAY_SIZE(r); i++) {
		dt_req_init1(&r[i], "copy", i, dst, LEN, src);
		flat[i] = r[i].req;
	}
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		dup2(self->fd, 2);
		_exit(write(2, flat, sizeof(flat)) == -1 && errno == EPERM && dst[0] == 0xee ?
		      0 : 1);
	}
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_EQ(0xee, dst[0]);
	EXPECT_TRUE(dt_quiet(self->fd));
}

/* A copy of this program, root's, for everybody to run as root: 0 or -errno */
static int copy_setuid(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to, err = 0;
	char buf[65536];
	ssize_t n;

	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (from < 0 || to < 0)
		return -errno;
	while (!err && (n = read(from, buf, sizeof(buf))) > 0)
		err = write(to, buf, n) == n ? 0 : -EIO;
	if (!err && fchmod(to, 04755))
		err = -errno;
	close(from);
	close(to);
	return err;
}

/* In a child: as nobody, with a session of his as standard error */
static void run_setuid(const char *path)
{
	char env[64];
	int fd;

	if (dt_become(DT_NOBODY))
		_exit(100);
	fd = dt_open("copy", 0);
	if (fd < 0 || dup2(fd, 2) != 2)
		_exit(101);
	snprintf(env, sizeof(env), "%s=1", setuid_env);
	execle(path, "owner", NULL, (char *[]){ env, NULL });
	_exit(102);
}

TEST_F(owner, stderr_of_a_setuid_program)
{
	static const char path[] = "/tmp/dmio-setuid";
	pid_t pid;

	ASSERT_EQ(0, copy_setuid(path));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		run_setuid(path);
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_EQ(0, unlink(path));
}

TEST_HARNESS_MAIN
