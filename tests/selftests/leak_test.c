// SPDX-License-Identifier: GPL-2.0
/*
 * What a stranger gets: no more bytes than he asked for and none that nobody set, no
 * address of the kernel's, no control that is root's; and of a session whose descriptor
 * he was given, its answers, not its memory. Many users of his own are one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"

#define LEN	(96UL << 10)	/* too large for write() */
#define SMALL	5000UL

FIXTURE(leak) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src, *dst;
};

FIXTURE_SETUP(leak)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
}

FIXTURE_TEARDOWN(leak)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- what system calls give */

static bool is_clean(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	return len < size && dt_is_all(name + len, 0, size - len);
}

TEST_F(leak, engines)
{
	struct { struct dmoverio_engine engine; uint8_t behind[64]; } arg;
	int fd = dt_open(NULL, 0), nr = 0;

	ASSERT_LE(0, fd);
	for (;; nr++) {
		memset(&arg, 0xa5, sizeof(arg));
		if (dt_get_engine(fd, nr, &arg.engine))
			break;
		EXPECT_EQ(0, arg.engine.resv);
		EXPECT_TRUE(is_clean(arg.engine.name, sizeof(arg.engine.name)));
		EXPECT_TRUE(is_clean(arg.engine.device, sizeof(arg.engine.device)));
		EXPECT_TRUE(is_clean(arg.engine.driver, sizeof(arg.engine.driver)));
		EXPECT_TRUE(dt_is_all(arg.behind, 0xa5, sizeof(arg.behind)));
	}
	EXPECT_LT(0, nr);
	/* What is refused writes nothing */
	memset(&arg, 0xa5, sizeof(arg));
	EXPECT_EQ(-ENOENT, dt_get_engine(fd, nr, &arg.engine));
	EXPECT_TRUE(dt_is_all(&arg.engine.funcs, 0xa5,
			      sizeof(arg) - offsetof(struct dmoverio_engine, funcs)));
	close(fd);
}

/* A function without a result, and one that has none because it failed */
TEST_F(leak, results_that_are_none)
{
	static const struct { const char *func; int err; } cases[] = {
		{ "zero", 0 }, { "zero", EFAULT }, { "iscsi-crc32c", EFAULT },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iovec iov = { cases[i].err ? NULL : self->dst, SMALL };
		struct dt_request2 req = { .immediate = "\x12\x34\x56\x78", .id = 3 };
		dmio_buffer buf = { &iov, 1 };
		struct dt_response2 resp[2];
		int fd = dt_open(NULL, 0);

		ASSERT_EQ(0, dt_set_function2(fd, cases[i].func));
		if (!strcmp(cases[i].func, "zero"))
			req.out = buf;
		else
			req.in = &buf;
		ASSERT_EQ((ssize_t)sizeof(req), write(fd, &req, sizeof(req)));
		ASSERT_EQ(POLLIN, dt_poll(fd, POLLIN, DT_PATIENCE_MS));
		memset(resp, 0xa5, sizeof(resp));
		ASSERT_EQ((ssize_t)sizeof(resp[0]), read(fd, resp, sizeof(resp)));
		EXPECT_EQ(3, resp[0].id);
		EXPECT_EQ(cases[i].err, resp[0].error);
		EXPECT_TRUE(dt_is_all(resp[0].result, 0, sizeof(resp[0].result)));
		EXPECT_TRUE(dt_is_all(&resp[1], 0xa5, sizeof(resp[1])));
		close(fd);
	}
}

/* -- what files show */

/* As %p and %px print: so many digits of 16, or with 0x in front; no decimal begins with 0 */
static bool shows_address(const char *text)
{
	size_t len;

	if (strstr(text, "0x") || strstr(text, "(ptrval)") || strstr(text, "____ptrval"))
		return true;
	for (; *text; text += len ? len : 1) {
		len = strspn(text, "0123456789abcdef");
		if (len == 2 * sizeof(void *) && (*text == '0' || strcspn(text, "abcdef") < len))
			return true;
	}
	return false;
}

/* Files below @dir that one may read: those that show an address, and those that are fine */
static void look_below(const char *dir, unsigned int *bad, unsigned int *fine)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[512], text[4096];
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			look_below(path, bad, fine);
		if (e->d_type != DT_REG)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n < 0)
			continue;
		text[n] = 0;
		if (shows_address(text)) {
			printf("# %s: %s\n", path, text);
			++*bad;
		} else {
			++*fine;
		}
	}
	if (d)
		closedir(d);
}

TEST_F(leak, no_addresses)
{
	/* Of the last one a kernel without dmaengine has none */
	static const char *const dirs[] = {
		"/sys/class/misc/dmoverio/", "/sys/module/dmoverio/parameters",
		"/sys/devices/platform/dmoverio",
	};
	unsigned int bad = 0, fine;
	char path[64], text[4096];
	struct dt_req r;
	ssize_t n;
	int fd, info;

	/* Does the test see what it looks for? */
	snprintf(text, sizeof(text), "name:\t%016llx\n", 0xffff888012345678ULL);
	ASSERT_EQ(sizeof(void *) == 8, shows_address(text));
	ASSERT_FALSE(shows_address("bytes:\t1234567890123456\nwindows:\t12\n"));

	ASSERT_EQ(0, dt_become(DT_NOBODY));
	fd = dt_open("copy", 0);
	ASSERT_LE(0, fd);
	dt_req_init1(&r, "copy", 1, self->dst, LEN, self->src);
	ASSERT_EQ(1, dt_write(fd, &r.req, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++) {
		fine = 0;
		look_below(dirs[i], &bad, &fine);
		EXPECT_EQ(!access(dirs[i], F_OK), fine > 0) {
			TH_LOG("nothing to look at below %s", dirs[i]);
		}
	}
	EXPECT_EQ(0, bad);

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = read(info, text, sizeof(text) - 1);
	ASSERT_LT(0, n);
	text[n] = 0;
	EXPECT_TRUE(strstr(text, "function:") != NULL);
	/* Those of the descriptor itself are octal */
	EXPECT_FALSE(shows_address(strstr(text, "function:")));
	close(info);
	close(fd);
}

/* -- what only root, or the device's group, may do */

TEST_F(leak, only_root_steers)
{
	static const char *const files[] = {
		"/sys/class/misc/dmoverio/rescan", "/sys/class/misc/dmoverio/release",
		"/sys/class/misc/dmoverio/reset",
		"/sys/module/dmoverio/parameters/max_sessions",
		"/sys/module/dmoverio/parameters/max_requests",
		"/sys/module/dmoverio/parameters/max_pinned_kib",
		"/sys/module/dmoverio/parameters/policy",
		"/sys/devices/virtual/workqueue/dmoverio/cpumask",
	};

	ASSERT_EQ(0, dt_become(DT_NOBODY));
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		ASSERT_EQ(0, access(files[i], F_OK));
		EXPECT_EQ(-1, open(files[i], O_WRONLY | O_CLOEXEC)) {
			TH_LOG("%s", files[i]);
		}
		EXPECT_EQ(EACCES, errno);
	}
}

TEST_F(leak, only_the_group_opens)
{
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(DT_NOBODY, DT_NOBODY, DT_NOBODY));
	ASSERT_EQ(0, dt_become(DT_NOBODY));
	EXPECT_EQ(-EACCES, dt_open(NULL, 0));
	EXPECT_EQ(-1, open(DMOVERIO_DEVICE, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(EACCES, errno);
}

/* A descriptor to read from: no memory is read or written through it */
TEST_F(leak, opened_for_reading)
{
	int fd = open(DMOVERIO_DEVICE, O_RDONLY | O_CLOEXEC);
	struct dt_req r;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dt_setfunc(fd, "copy"));
	memset(self->dst, 0xee, LEN);
	dt_req_init1(&r, "copy", 1, self->dst, SMALL, self->src);
	EXPECT_EQ(-EBADF, dt_write(fd, &r.req, 1));
	EXPECT_TRUE(dt_is_all(self->dst, 0xee, LEN));
	close(fd);
}

/* -- a descriptor that was passed */

static int pass(int sock, int fd)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	control.head = (struct cmsghdr){
		.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
	};
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive(int sock)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 ||
	    msg.msg_controllen < CMSG_LEN(sizeof(int)))
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
	return fd;
}

#define NR	8U

/*
 * The receiver: another user, with memory of his own at the addresses that the session's
 * requests name. He gets the answers, and nothing else happens to him.
 */
static int be_given(FIXTURE_DATA(leak) *self, int sock)
{
	struct dmio_usrresp resp[NR];
	struct dt_req r;
	int fd;

	memset(self->src, 0x77, LEN);
	memset(self->dst, 0x77, LEN);
	if (dt_become(DT_NOBODY))
		return 1;
	fd = receive(sock);
	if (fd < 0)
		return 2;
	dt_req_init1(&r, "copy", NR, self->dst, SMALL, self->src);
	if (dt_write(fd, &r.req, 1) != -EPERM ||
	    dt_set_policy(fd, DMOVERIO_POLICY_CPU) != -EPERM)
		return 3;
	if (dt_collect(fd, resp, NR) || !dt_ids_once(resp, NR, 0) || !dt_quiet(fd))
		return 4;
	return dt_is_all(self->src, 0x77, LEN) && dt_is_all(self->dst, 0x77, LEN) ? 0 : 5;
}

TEST_F(leak, passed_to_another_process)
{
	int fd = dt_open("copy", 0), sock[2];
	struct dmio_usrreq flat[NR];
	struct dt_req r[NR];
	pid_t pid;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	/* Before there is anything to inherit */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(fd);
		_exit(be_given(self, sock[1]));
	}
	memset(self->dst, 0xee, LEN);
	for (unsigned int i = 0; i < NR; i++) {
		dt_req_init1(&r[i], "copy", i, self->dst, i % 2 ? SMALL : LEN, self->src);
		flat[i] = r[i].req;
	}
	ASSERT_EQ(0, dt_write_all(fd, flat, NR));
	ASSERT_EQ(0, pass(sock[0], fd));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
	EXPECT_TRUE(dt_quiet(fd));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
	close(fd);
}

/* -- a user in a namespace in a namespace of his own */

#define FIRST	5000		/* the first of a hundred users that root gave him */

/* Deeper by one, as user 0 of that */
static int nest(unsigned int outside)
{
	char map[64];
	int err;

	snprintf(map, sizeof(map), "0 %u 1", outside);
	/* What is his in /proc is root's, else, since he has become somebody new */
	if (unshare(CLONE_NEWUSER) || prctl(PR_SET_DUMPABLE, 1))
		return -errno;
	err = dt_write_line("/proc/self/setgroups", "deny");
	if (!err)
		err = dt_write_line("/proc/self/gid_map", "0 0 1");
	return err ? err : dt_write_line("/proc/self/uid_map", map);
}

/*
 * In a namespace of his own, he becomes another user, who makes a namespace of his own:
 * that is his third session, of two that he may have. Says 0 at its end, and 2 where
 * there are no namespaces for him.
 */
static void be_many(int sock)
{
	char byte = 0;

	if (dt_become(DT_NOBODY) || dt_open("copy", 0) < 0)
		_exit(1);
	if (unshare(CLONE_NEWUSER))
		_exit(2);
	/* Only root can give him others' numbers */
	if (write(sock, &byte, 1) != 1 || read(sock, &byte, 1) != 1)
		_exit(3);
	if (dt_become(5) || dt_open("copy", 0) < 0 || nest(5))
		_exit(4);
	_exit(dt_open("copy", 0) == -EMFILE ? 0 : 5);
}

TEST_F(leak, nested_namespaces)
{
	long long was = dt_param("max_sessions");
	char path[64], map[64], byte;
	int sock[2], said;
	pid_t pid;

	ASSERT_EQ(0, dt_set_param("max_sessions", 2));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(sock[0]);
		be_many(sock[1]);
	}
	close(sock[1]);
	if (read(sock[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
		snprintf(map, sizeof(map), "0 %d 1\n1 %d 100\n", DT_NOBODY, FIRST);
		EXPECT_EQ(0, dt_write_line(path, map));
		snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
		EXPECT_EQ(0, dt_write_line(path, "0 0 1"));
		EXPECT_EQ(1, write(sock[0], &byte, 1));
	}
	said = dt_said(pid, DT_PATIENCE_MS);
	close(sock[0]);
	ASSERT_EQ(0, dt_set_param("max_sessions", was));
	if (said == 2)
		SKIP(return, "no user namespaces for everybody");
	EXPECT_EQ(0, said);
}

TEST_HARNESS_MAIN
