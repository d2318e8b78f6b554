// SPDX-License-Identifier: GPL-2.0
/*
 * Operations of random programs that need more than luck to come to what they are for:
 * an administrator's, hardware that fails under those who insist on DMA, quotas that
 * are used up, writers that are gone, no memory. They have sessions of their own, so
 * that no other thread takes their answers.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broken.h"
#include "fuzz_thread.h"
#include "kselftest.h"

#define MOST	8			/* requests of one session here */

static const char *const funcs[] = { "copy", "copy", "fill8", "zero", "xor3" };

/* -- an administrator */

/* A channel that there is, or its name was */
static void a_channel(struct thread *t, char *name, size_t size)
{
	struct dt_engines all = { .nr = 0 };
	int fd = dt_open(NULL, 0);

	snprintf(name, size, "dma0chan0");
	if (fd < 0)
		return;
	if (!dt_engines(fd, &all) && all.nr > 1)
		snprintf(name, size, "%s", all.engine[1 + below(t, all.nr - 1)].name);
	close(fd);
}

int fz_admin(struct thread *t, unsigned int slot)
{
	char name[32];

	if (seteuid(0))
		return errno;
	a_channel(t, name, sizeof(name));
	switch (below(t, 5)) {
	case 0:
		return -dt_release(one_in(t, 2) ? "all" : name);
	case 1:
		return -dt_rescan();
	case 2:
		return -bk_reset(name);
	case 3:
		return sim_is_there() ? -sim_bind(0, false) : 0;
	default:
		return sim_is_there() ? -sim_bind(0, true) : 0;
	}
}

/* What is possible with hardware that can be stopped */
int fz_fault(struct thread *t, unsigned int slot)
{
	static const char *const lines[] = {
		"read-error 0 -1", "write-error 0 -1", "read-error 1 2", "abort-next 0 2",
		"residue 0 3", "no-desc 0 3", "no-desc 0 -1", "hang 0 1", "hang 1 1", "hang 0 1 20",
		"terminate-error 0 1", "terminate-aborted 0 1", "terminate-success 0 1", "wake",
		"off", "off",
	};
	char name[32];

	if (seteuid(0))
		return errno;
	a_channel(t, name, sizeof(name));
	return -bk_fault(name, lines[below(t, ARRAY_SIZE(lines))]);
}

/* -- requests, all good */

static size_t write_some(struct thread *t, int fd, const struct dt_func *f, unsigned int nr,
			 size_t len)
{
	struct dmio_usrreq flat[MOST];
	struct dt_req r[MOST];
	void *ins[DMOVERIO_MAX_SRCS];
	ssize_t n;

	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int k = 0; k < f->nr_in; k++)
			ins[k] = FZ_ARENA + FZ_HALF + below(t, FZ_HALF - len);
		dt_req_init(&r[i], f, fz_new_id(t), FZ_ARENA + below(t, FZ_HALF - len), len, ins,
			    7);
		flat[i] = r[i].req;
	}
	n = dt_write(fd, flat, nr);
	return n < 0 ? 0 : n;
}

static void read_some(struct thread *t, int fd, enum fz_op op, size_t nr)
{
	struct dmio_usrresp resp[MOST];

	while (nr && dt_poll(fd, POLLIN, 300) & POLLIN) {
		ssize_t n;

		/* What cannot be copied out is kept */
		if (one_in(t, 8))
			count(t, FZ_READ, error_of(read(fd, FZ_ARENA - 4096, sizeof(resp))));
		n = dt_read(fd, resp, nr);
		if (n <= 0)
			return;
		fz_check_answers(t, op, (const uint8_t *)resp, sizeof(resp[0]), n);
		nr -= n;
	}
}

static size_t good_length(struct thread *t)
{
	static const size_t lengths[] = { 1, 100, 4096, 9000, 40000, 100000 };

	return lengths[below(t, ARRAY_SIZE(lengths))];
}

/* By DMA, or not at all; sometimes the session ends with work in flight */
int fz_dma(struct thread *t, unsigned int slot)
{
	const char *name = funcs[below(t, ARRAY_SIZE(funcs))];
	int fd = dt_open(NULL, O_NONBLOCK), err;
	size_t nr;

	if (fd < 0)
		return -fd;
	err = dt_set_policy(fd, DMOVERIO_POLICY_REQUIRE_DMA);
	if (!err)
		err = dt_setfunc(fd, name);
	if (!err) {
		if (one_in(t, 3))
			fz_fault(t, slot);
		nr = write_some(t, fd, dt_func(name), 1 + below(t, MOST), good_length(t));
		if (!one_in(t, 4))
			read_some(t, fd, FZ_REQUIRED, nr);
	}
	close(fd);
	return -err;
}

/* Requests of a process that is gone, too large to have been pinned at once */
int fz_orphans(struct thread *t, unsigned int slot)
{
	int fd = dt_open(NULL, O_NONBLOCK);
	pid_t pid;

	if (fd < 0)
		return -fd;
	pid = fork();
	if (!pid)
		_exit(dt_setfunc(fd, "copy") ? 0 :
		      write_some(t, fd, dt_func("copy"), MOST, 200000));
	if (pid > 0)
		read_some(t, fd, FZ_ORPHANED, dt_said(pid, 300) > 0 ? MOST : 0);
	close(fd);
	return error_of(pid);
}

/* -- what there is not enough of */

static int open_too_many(void)
{
	int fd, err;

	if (dt_set_param("max_sessions", 1))
		return EACCES;
	fd = open(DMOVERIO_DEVICE, O_RDWR | O_CLOEXEC);
	err = error_of(fd);
	if (fd >= 0)
		close(fd);
	dt_set_param("max_sessions", FZ_MAX_SESSIONS);
	return err;
}

static int write_too_many(struct thread *t)
{
	int fd = dt_open("zero", O_NONBLOCK), err = 0;
	struct dt_req r;

	if (fd < 0)
		return -fd;
	if (dt_set_param("max_requests", 2))
		err = EACCES;
	for (unsigned int i = 0; i < 4 && !err; i++) {
		dt_req_init1(&r, "zero", fz_new_id(t), FZ_ARENA, 100000, NULL);
		err = error_of(write(fd, &r.req, sizeof(r.req)));
	}
	dt_set_param("max_requests", FZ_MAX_REQUESTS);
	read_some(t, fd, FZ_ANSWER, MOST);
	close(fd);
	return err;
}

int fz_quota(struct thread *t, unsigned int slot)
{
	if (seteuid(0))
		return errno;
	return one_in(t, 2) ? open_too_many() : write_too_many(t);
}

/* The next, or a later, allocation of this thread fails; 0: none */
static void fail(size_t nth)
{
	char line[16];

	snprintf(line, sizeof(line), "%zu", nth);
	dt_write_line("/proc/thread-self/fail-nth", line);
}

/*
 * Not of sessions that use DMA: the kernel's own checks of that do not survive a lack
 * of memory.
 */
int fz_nomem(struct thread *t, unsigned int slot)
{
	struct dmio_setfunc set = { "copy" };
	struct iovec iov[20], in_iov = { FZ_ARENA + FZ_HALF, 20 * 64 };
	dmio_buffer in = { &in_iov, 1 };
	struct dmio_usrreq req = { .req_outbuf = { iov, 20 }, .req_inbuf = &in };
	size_t stage = below(t, 3), nth = 1 + below(t, 5);
	int fd, err;

	for (unsigned int i = 0; i < 20; i++)
		iov[i] = (struct iovec){ FZ_ARENA + i * 100, 64 };
	req.req_id = fz_new_id(t);
	if (stage == 0)
		fail(nth);
	fd = open(DMOVERIO_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	err = error_of(fd);
	fail(0);
	if (err)
		return err;
	dt_set_policy(fd, DMOVERIO_POLICY_CPU);
	if (stage == 1)
		fail(nth);
	err = error_of(ioctl(fd, DMIO_SETFUNC_ABI1, &set));
	if (stage == 2)
		fail(nth);
	if (!err)
		err = error_of(write(fd, &req, sizeof(req)));
	fail(0);
	if (!err)
		read_some(t, fd, FZ_ANSWER, 1);
	close(fd);
	return err;
}
