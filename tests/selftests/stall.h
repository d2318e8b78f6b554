/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that makes whoever touches it wait for as long as the test likes:
 * a region whose page faults go to a userfaultfd, and a file of a FUSE file
 * system whose daemon is this program. A child to do the waiting, another
 * user, who obeys one command at a time; and others, who must not wait.
 *
 * As in dmio_test.h: nothing here judges, every function returns what happened.
 */
#ifndef STALL_H
#define STALL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmio_test.h"

#define ST_MIB		(1UL << 20)
#define ST_WORKERS	4		/* that one user may make wait */
#define ST_OTHER	1234		/* another user */
/*
 * "At once", on machines however slow. What would be waited for by mistake ends
 * only when the test lets it end, so a long time proves as much as a short one.
 */
#define ST_PROMPT_MS	DT_PATIENCE_MS
#define ST_CLOSE_MS	(ST_PROMPT_MS * 2 / 3)	/* less than st_ask() is ready to wait */

/* -- the others: 1 MiB there and back, by a process of that user's own */

static inline int st_copy_mib(uid_t uid)
{
	uint8_t *src = dt_mmap(ST_MIB), *dst = dt_mmap(ST_MIB);
	struct dt_req r;
	int fd;

	memset(src, 0x3c, ST_MIB);
	memset(dst, 0xee, ST_MIB);
	if (dt_become(uid))
		return 1;
	fd = dt_open("copy", 0);
	if (fd < 0)
		return 2;
	dt_req_init1(&r, "copy", 1, dst, ST_MIB, src);
	if (dt_do(fd, &r.req))
		return 3;
	return dt_diff(dst, src, ST_MIB) == -1 ? 0 : 4;
}

/* Wait status of the process that did it, -1 if that took too long */
static inline int st_as_user(uid_t uid)
{
	pid_t pid = fork();

	if (!pid)
		_exit(st_copy_mib(uid));
	return dt_reap(pid, ST_PROMPT_MS);
}

/* If one does not, that took its time: it is enough */
#define ASSERT_OTHERS_GO_ON()			\
do {						\
	ASSERT_EQ(0, st_as_user(0));		\
	ASSERT_EQ(0, st_as_user(ST_OTHER));	\
} while (0)

/* -- a child that obeys */

struct st_child {
	pid_t pid;
	int sock;
};

/* Runs in the child: does @cmd, its result is the answer */
typedef int (*st_obey)(void *arg, int cmd);

/* Start a child that calls @start once and @obey for each command: 0 or -errno */
static inline int st_spawn(struct st_child *c, int (*start)(void *arg), st_obey obey, void *arg)
{
	int sock[2], cmd, answer;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return -errno;
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (c->pid) {
		close(sock[1]);
		c->sock = sock[0];
		if (recv(c->sock, &answer, sizeof(answer), 0) != sizeof(answer))
			return -EPIPE;
		return answer;
	}
	close(sock[0]);
	answer = start(arg);
	for (;;) {
		if (send(sock[1], &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(1);
		do {
			n = recv(sock[1], &cmd, sizeof(cmd), 0);
		} while (n < 0 && errno == EINTR);
		/* Nobody commands any more: no reason to stay */
		if (n != sizeof(cmd))
			_exit(0);
		answer = obey(arg, cmd);
	}
}

static inline int st_tell(struct st_child *c, int cmd)
{
	return send(c->sock, &cmd, sizeof(cmd), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The answer to the last command, -ETIMEDOUT if none comes within @ms */
static inline int st_answer(struct st_child *c, int ms)
{
	struct pollfd p = { .fd = c->sock, .events = POLLIN };
	int answer;

	if (poll(&p, 1, ms) <= 0)
		return -ETIMEDOUT;
	if (recv(c->sock, &answer, sizeof(answer), 0) != sizeof(answer))
		return -EPIPE;
	return answer;
}

static inline int st_ask(struct st_child *c, int cmd)
{
	int err = st_tell(c, cmd);

	return err ? err : st_answer(c, DT_PATIENCE_MS);
}

/* The child ends by itself; its wait status, 0 is right */
static inline int st_dismiss(struct st_child *c)
{
	close(c->sock);
	return dt_reap(c->pid, DT_PATIENCE_MS);
}

/* -- userfaultfd */

/*
 * Memory of the calling process whose faults wait for @fd's reader. Needs
 * root: others may catch only their own faults, not the kernel's for them.
 * Returns 0 or -errno.
 */
static inline int st_uffd_create(int *fd, uint8_t *mem, size_t len)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_THREAD_ID };
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, len },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	*fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return -errno;
	if (ioctl(*fd, UFFDIO_API, &api) || ioctl(*fd, UFFDIO_REGISTER, &reg)) {
		int err = -errno;

		close(*fd);
		return err;
	}
	return 0;
}

/*
 * Take the faults that come within @ms, @nr at most: who waits, by thread
 * number. None is resolved. Returns how many.
 */
static inline unsigned int st_uffd_faults(int fd, pid_t *who, unsigned int nr, int ms)
{
	long long end = dt_now_ms() + ms, left;
	struct uffd_msg msg;
	unsigned int n = 0;

	while (n < nr && (left = end - dt_now_ms()) > 0) {
		if (!(dt_poll(fd, POLLIN, left) & POLLIN))
			break;
		if (read(fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			who[n++] = msg.arg.pagefault.feat.ptid;
	}
	return n;
}

/* Fill [at, at + len) of @fd's process with @from, or zeros, and wake who waits there */
static inline int st_uffd_resolve(int fd, const void *at, size_t len, const void *from)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)at, len } };
	struct uffdio_copy copy = {
		.dst = (uintptr_t)at, .src = (uintptr_t)from, .len = len
	};

	return ioctl(fd, from ? UFFDIO_COPY : UFFDIO_ZEROPAGE, from ? (void *)&copy : &zero) ?
	       -errno : 0;
}

/* -- FUSE: one file of one page, mounted over an ordinary file */

struct st_fuse {
	int fd;
	char path[32];
	pthread_t daemon;
	pthread_mutex_t lock;		/* guards what follows */
	bool hold;			/* do not answer writes */
	uint64_t held[64];		/* those that wait for an answer */
	volatile unsigned int nr_held;
	volatile uint32_t reader;	/* user id of who read it last */
};

static inline void st_fuse_reply(struct st_fuse *f, uint64_t unique, int err, const void *data,
				 size_t len)
{
	struct fuse_out_header head = {
		.len = sizeof(head) + len, .error = err, .unique = unique
	};
	struct iovec iov[] = { { &head, sizeof(head) }, { (void *)data, len } };

	/* The asker may have been killed meanwhile: ENOENT is nobody's fault */
	if (writev(f->fd, iov, 2) < 0 && errno != ENOENT && errno != ENODEV)
		perror("# FUSE reply");
}

static inline void st_fuse_written(struct st_fuse *f, uint64_t unique)
{
	struct fuse_write_out out = { .size = dt_page_size() };

	st_fuse_reply(f, unique, 0, &out, sizeof(out));
}

static inline void st_fuse_write(struct st_fuse *f, uint64_t unique)
{
	bool hold;

	pthread_mutex_lock(&f->lock);
	hold = f->hold && f->nr_held < 64;
	if (hold)
		f->held[f->nr_held++] = unique;
	pthread_mutex_unlock(&f->lock);
	if (!hold)
		st_fuse_written(f, unique);
}

/* Answer the writes that wait, and all to come */
static inline void st_fuse_release(struct st_fuse *f)
{
	pthread_mutex_lock(&f->lock);
	f->hold = false;
	for (unsigned int i = 0; i < f->nr_held; i++)
		st_fuse_written(f, f->held[i]);
	f->nr_held = 0;
	pthread_mutex_unlock(&f->lock);
}

static inline void st_fuse_serve(struct st_fuse *f, const struct fuse_in_header *head)
{
	static const uint8_t zeros[65536];
	const struct fuse_read_in *rd = (const void *)(head + 1);
	struct fuse_init_out init = {
		.major = 7, .minor = 31, .flags = FUSE_BIG_WRITES,
		.max_readahead = dt_page_size(), .max_write = dt_page_size(),
		.max_background = 16,
	};
	struct fuse_attr_out attr = {
		.attr_valid = 1000,
		.attr = { .ino = FUSE_ROOT_ID, .size = dt_page_size(),
			  .mode = S_IFREG | 0666, .nlink = 1 },
	};
	struct fuse_open_out opened = { .fh = 1 };

	switch (head->opcode) {
	case FUSE_INIT:
		st_fuse_reply(f, head->unique, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
		st_fuse_reply(f, head->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		st_fuse_reply(f, head->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		f->reader = head->uid;
		st_fuse_reply(f, head->unique, 0, zeros,
			      rd->size < sizeof(zeros) ? rd->size : sizeof(zeros));
		break;
	case FUSE_WRITE:
		st_fuse_write(f, head->unique);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_FSYNC:
		st_fuse_reply(f, head->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;			/* they have no answer */
	default:
		st_fuse_reply(f, head->unique, -ENOSYS, NULL, 0);
	}
}

static inline void *st_fuse_daemon(void *arg)
{
	/* The kernel wants room for a request of the largest size it knows */
	static uint64_t buf[(1 << 18) / sizeof(uint64_t)];
	struct st_fuse *f = arg;

	for (;;) {
		if (read(f->fd, buf, sizeof(buf)) > 0)
			st_fuse_serve(f, (struct fuse_in_header *)buf);
		/* ENOENT: the asker was killed before we had read it */
		else if (errno != EINTR && errno != ENOENT)
			return NULL;	/* ENODEV: unmounted */
	}
}

/*
 * Mount it for the user @uid and group 0. Returns 0, -ENOENT where the kernel
 * has no FUSE, or another -errno.
 */
static inline int st_fuse_mount(struct st_fuse *f, uid_t uid)
{
	char options[96];
	int file;

	f->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	strcpy(f->path, "/tmp/dmio-fuse-XXXXXX");
	file = mkstemp(f->path);
	if (file < 0)
		return -errno;
	close(file);
	snprintf(options, sizeof(options), "fd=%d,rootmode=100666,user_id=%u,group_id=0",
		 f->fd, uid);
	if (mount("dmio", f->path, "fuse", MS_NOSUID | MS_NODEV, options))
		return -errno;
	pthread_mutex_init(&f->lock, NULL);
	return -pthread_create(&f->daemon, NULL, st_fuse_daemon, f);
}

/* Whoever still waits for an answer gets an error. */
static inline void st_fuse_unmount(struct st_fuse *f)
{
	umount2(f->path, MNT_FORCE);
	umount2(f->path, MNT_DETACH);
	pthread_join(f->daemon, NULL);
	close(f->fd);
	unlink(f->path);
}

/*
 * Tell the kernel that its cached page is out of date. It locks the page,
 * writes it out if it is dirty, and returns when that write is answered.
 */
static inline int st_fuse_invalidate(struct st_fuse *f)
{
	struct {
		struct fuse_out_header head;
		struct fuse_notify_inval_inode_out out;
	} msg = {
		.head = { .len = sizeof(msg), .error = FUSE_NOTIFY_INVAL_INODE },
		.out = { .ino = FUSE_ROOT_ID, .off = 0, .len = dt_page_size() },
	};

	return write(f->fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

#endif /* STALL_H */
