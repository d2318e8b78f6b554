// SPDX-License-Identifier: GPL-2.0
/*
 * The contract of open, DMIO_SETFUNC, ioctl, write and read: who may call
 * what when, what comes back, and that a call which fails leaves nothing
 * behind.  What a single record may say is in record_test, blocking and
 * poll in queue_test.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

#define LEN	512

FIXTURE(iface) {
	struct dt_rng rng;
	long long pins;
	int fd;			/* a "copy" session */
	uint8_t *src, *dst;
	struct dt_req one;	/* copies LEN bytes, id 1 */
};

FIXTURE_SETUP(iface)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = dt_open("copy", 0);
	ASSERT_LE(0, self->fd);
	self->src = dt_mmap(64 * LEN);
	self->dst = dt_mmap(64 * LEN);
	dt_fill(&self->rng, self->src, 64 * LEN);
	dt_req_init1(&self->one, "copy", 1, self->dst, LEN, self->src);
}

FIXTURE_TEARDOWN(iface)
{
	EXPECT_EQ(0, dt_do(self->fd, &self->one.req));
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Requests id 0 .. nr - 1, each copying its own LEN bytes */
static void many(struct dt_req *r, struct dmio_usrreq *flat, unsigned int nr, uint8_t *dst,
		 uint8_t *src)
{
	for (unsigned int i = 0; i < nr; i++) {
		dt_req_init1(&r[i], "copy", i, dst + i * LEN, LEN, src + i * LEN);
		flat[i] = r[i].req;
	}
}

TEST_F(iface, nothing_before_setfunc)
{
	struct dmio_usrresp resp;
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENXIO, dt_write(fd, &self->one.req, 1));
	EXPECT_EQ(-ENXIO, dt_read(fd, &resp, 1));
	EXPECT_EQ(0, dt_nonblock(fd, true));
	EXPECT_EQ(-ENXIO, dt_write(fd, &self->one.req, 1));
	EXPECT_EQ(-ENXIO, dt_read(fd, &resp, 1));
	EXPECT_EQ(0, dt_setfunc(fd, "copy"));
	EXPECT_EQ(0, dt_do(fd, &self->one.req));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
	close(fd);
}

TEST_F(iface, every_function_has_its_name)
{
	for (unsigned int i = 0; i < dt_nr_funcs; i++) {
		int fd = dt_open(dt_funcs[i].name, 0);

		EXPECT_LE(0, fd) {
			TH_LOG("%s", dt_funcs[i].name);
		}
		EXPECT_EQ(-EBUSY, dt_setfunc(fd, dt_funcs[i].name));
		close(fd);
	}
}

TEST_F(iface, unknown_names)
{
	static const char *const names[] = {
		"", "zer", "zeroo", "ZERO", " zero", "zero ", "fill", "fill8 ", "copy1", "xor",
		"xor0", "xor1", "xor02", "xor17", "xor20", "xor160", "xor2x", "xor-2", "xor+2",
#if !defined(DMIO_ABI) || DMIO_ABI == 1
		"iscsi-crc32c",	/* needs the other layout */
#endif
		"123456789012345678901234567890123456789012345678901234567890123",
	};
	struct dmio_setfunc set;
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-ESRCH, dt_setfunc(fd, names[i])) {
			TH_LOG("'%s'", names[i]);
		}
	}
	/* 64 characters and no NUL, whether it starts like a name or not */
	memset(&set, 'z', sizeof(set));
	EXPECT_EQ(-1, ioctl(fd, DMIO_SETFUNC, &set));
	EXPECT_EQ(ESRCH, errno);
	memset(&set, ' ', sizeof(set));
	memcpy(set.dsf_name, "copy", 4);
	EXPECT_EQ(-1, ioctl(fd, DMIO_SETFUNC, &set));
	EXPECT_EQ(ESRCH, errno);

	EXPECT_EQ(-ENXIO, dt_write(fd, &self->one.req, 1));
	EXPECT_EQ(0, dt_setfunc(fd, "copy"));
	EXPECT_EQ(0, dt_do(fd, &self->one.req));
	close(fd);
}

TEST_F(iface, setfunc_only_once)
{
	EXPECT_EQ(-EBUSY, dt_setfunc(self->fd, "copy"));
	EXPECT_EQ(-EBUSY, dt_setfunc(self->fd, "zero"));
	/* Still the function it was. */
	EXPECT_EQ(0, dt_do(self->fd, &self->one.req));
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
}

TEST_F(iface, setfunc_bad_pointer)
{
	struct dmio_setfunc *edge = dt_guarded(sizeof(*edge) / 2);
	void *const bad[] = { NULL, (void *)8, dt_guarded(0), edge, (void *)-4096L };
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, ioctl(fd, DMIO_SETFUNC, bad[i]));
		EXPECT_EQ(EFAULT, errno) {
			TH_LOG("pointer %u", i);
		}
	}
	EXPECT_EQ(-ENXIO, dt_write(fd, &self->one.req, 1));
	EXPECT_EQ(0, dt_setfunc(fd, "copy"));
	close(fd);
}

TEST_F(iface, unknown_ioctls)
{
	static const unsigned long cmds[] = {
		0, 1, ~0U, _IO('D', 0), _IO('D', 0xff), _IOW('D', 0xff, struct dmio_setfunc),
		_IOR('D', 0, struct dmio_setfunc), _IOW('D', 0, int), 0x5413 /* TIOCGWINSZ */,
	};
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++) {
		char buf[256] = "zero";

		EXPECT_EQ(-1, ioctl(fd, cmds[i], buf));
		EXPECT_EQ(ENOTTY, errno) {
			TH_LOG("before SETFUNC: 0x%lx", cmds[i]);
		}
		EXPECT_EQ(-1, ioctl(self->fd, cmds[i], buf));
		EXPECT_EQ(ENOTTY, errno) {
			TH_LOG("after SETFUNC: 0x%lx", cmds[i]);
		}
	}
	EXPECT_EQ(0, dt_setfunc(fd, "copy"));
	close(fd);
}

TEST_F(iface, lengths_of_write)
{
	static const size_t bad[] = { 1, 8, DT_REC - 1, DT_REC + 1, 2 * DT_REC - 1, 3 * DT_REC + 8 };
	struct dmio_usrreq flat[4];
	struct dt_req r[4];

	many(r, flat, 4, self->dst, self->src);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, write(self->fd, flat, bad[i]));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("%zu bytes", bad[i]);
		}
	}
	EXPECT_TRUE(dt_quiet(self->fd));
	EXPECT_EQ(0, write(self->fd, flat, 0));
	EXPECT_EQ(0, write(self->fd, NULL, 0));
	EXPECT_TRUE(dt_quiet(self->fd));
}

TEST_F(iface, lengths_of_read)
{
	static const size_t bad[] = { 1, 4, DT_RESP - 1, DT_RESP + 1, 2 * DT_RESP + 4 };
	struct dmio_usrresp resp[4];

	ASSERT_EQ(1, dt_write(self->fd, &self->one.req, 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, read(self->fd, resp, bad[i]));
		EXPECT_EQ(EINVAL, errno) {
			TH_LOG("%zu bytes", bad[i]);
		}
	}
	EXPECT_EQ(0, read(self->fd, resp, 0));
	/* The response is still there. */
	ASSERT_EQ(1, dt_read(self->fd, resp, 4));
	EXPECT_EQ(1, resp[0].resp_id);
	EXPECT_EQ(0, resp[0].resp_error);
}

TEST_F(iface, nonblocking_read_of_nothing)
{
	struct dmio_usrresp resp;

	EXPECT_EQ(0, dt_nonblock(self->fd, true));
	EXPECT_EQ(-EAGAIN, dt_read(self->fd, &resp, 1));
	EXPECT_EQ(0, dt_do(self->fd, &self->one.req));
	EXPECT_EQ(-EAGAIN, dt_read(self->fd, &resp, 1));
}

TEST_F(iface, not_seekable)
{
	struct dmio_usrresp resp;

	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->fd, &resp, sizeof(resp), 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(self->fd, &self->one.req, DT_REC, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_TRUE(dt_quiet(self->fd));
}

/*
 * Records that come from a pipe or a file are not a program's own memory.
 * Which error says so is the kernel's choice, it differs between versions.
 */
TEST_F(iface, no_splice)
{
	int file = dt_tmpfile(0);
	off_t start = 0;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ((ssize_t)DT_REC, write(p[1], &self->one.req, DT_REC));
	EXPECT_EQ(-1, splice(p[0], NULL, self->fd, NULL, DT_REC, SPLICE_F_NONBLOCK));
	ASSERT_EQ((ssize_t)DT_REC, write(file, &self->one.req, DT_REC));
	EXPECT_EQ(-1, sendfile(self->fd, file, &start, DT_REC));
	EXPECT_TRUE(dt_quiet(self->fd));

	ASSERT_EQ(1, dt_write(self->fd, &self->one.req, 1));
	EXPECT_EQ(-1, splice(self->fd, NULL, p[1], NULL, DT_RESP, SPLICE_F_NONBLOCK));
	EXPECT_EQ(-1, sendfile(file, self->fd, NULL, DT_RESP));
	/* The response was not lost to them. */
	struct dmio_usrresp resp;

	EXPECT_EQ(0, dt_collect(self->fd, &resp, 1));
	EXPECT_EQ(1, resp.resp_id);
}

TEST_F(iface, many_per_call)
{
	struct dmio_usrresp resp[32];
	struct dmio_usrreq flat[32];
	struct dt_req r[32];

	for (unsigned int nr = 1; nr <= 32; nr++) {
		memset(self->dst, 0xee, 32 * LEN);
		many(r, flat, nr, self->dst, self->src);
		ASSERT_EQ(nr, dt_write(self->fd, flat, nr));
		/* Exactly full: the call returns only with all of them. */
		ASSERT_EQ(nr, dt_read(self->fd, resp, nr));
		ASSERT_TRUE(dt_ids_once(resp, nr, 0));
		ASSERT_EQ(-1, dt_diff(self->dst, self->src, nr * LEN));
	}
}

TEST_F(iface, writev_cuts_records_anywhere)
{
	struct dmio_usrreq flat[5];
	struct dmio_usrresp resp[5];
	struct dt_req r[5];
	struct dt_region cut;

	for (unsigned int round = 0; round < 50; round++) {
		/* First every byte a segment of its own, then anything. */
		unsigned int segs = round ? dt_between(&self->rng, 1, 60) : 5 * DT_REC;

		memset(self->dst, 0xee, 5 * LEN);
		many(r, flat, 5, self->dst, self->src);
		dt_cut(&self->rng, &cut, flat, sizeof(flat), segs);
		ASSERT_EQ((ssize_t)sizeof(flat), writev(self->fd, cut.iov, cut.nr)) {
			TH_LOG("%u segments", segs);
		}
		ASSERT_EQ(0, dt_collect(self->fd, resp, 5));
		ASSERT_TRUE(dt_ids_once(resp, 5, 0));
		ASSERT_EQ(-1, dt_diff(self->dst, self->src, 5 * LEN));
		dt_region_free(&cut);
	}
}

TEST_F(iface, readv_cuts_responses_anywhere)
{
	struct dmio_usrreq flat[5];
	struct dmio_usrresp resp[5];
	struct dt_req r[5];
	struct dt_region cut;

	for (unsigned int round = 0; round < 50; round++) {
		unsigned int segs = round ? dt_between(&self->rng, 1, 20) : 5 * DT_RESP;

		many(r, flat, 5, self->dst, self->src);
		memset(resp, 0xa5, sizeof(resp));
		dt_cut(&self->rng, &cut, resp, sizeof(resp), segs);
		ASSERT_EQ(5, dt_write(self->fd, flat, 5));
		ASSERT_EQ((ssize_t)sizeof(resp), readv(self->fd, cut.iov, cut.nr)) {
			TH_LOG("%u segments", segs);
		}
		ASSERT_TRUE(dt_ids_once(resp, 5, 0));
		dt_region_free(&cut);
	}
}

/* The reader's buffer ends at a page without access, after @ok bytes of 40. */
TEST_F(iface, reader_buffer_faults)
{
	static const size_t readable[] = { 0, 4, 8, 12, 16, 31, 32, 39, 40 };

	for (unsigned int i = 0; i < ARRAY_SIZE(readable); i++) {
		size_t ok = readable[i], whole = ok / DT_RESP;
		struct dmio_usrresp all[5];
		struct dmio_usrreq flat[5];
		struct dt_req r[5];
		ssize_t n;

		uint8_t *buf = dt_guarded(ok);

		many(r, flat, 5, self->dst, self->src);
		ASSERT_EQ(5, dt_write(self->fd, flat, 5));
		n = read(self->fd, buf, sizeof(all));
		if (!whole) {
			ASSERT_EQ(-1, n);
			ASSERT_EQ(EFAULT, errno);
		} else {
			ASSERT_EQ((ssize_t)(whole * DT_RESP), n) {
				TH_LOG("%zu bytes of the buffer are good", ok);
			}
			memcpy(all, buf, n);
		}
		/* The others were kept, in any order. */
		if (whole < 5) {
			ASSERT_EQ(0, dt_collect(self->fd, all + whole, 5 - whole));
		}
		ASSERT_TRUE(dt_ids_once(all, 5, 0)) {
			TH_LOG("%zu bytes of the buffer are good", ok);
		}
		ASSERT_TRUE(dt_quiet(self->fd));
	}
}

/*
 * The kernel moves 2 GiB less a page by one call, however many are asked for,
 * and that need not be whole records.
 */
TEST_F(iface, more_than_a_call_can_move)
{
	const size_t records = INT_MAX / DT_REC, responses = INT_MAX / DT_RESP;
	struct dmio_usrresp resp[DT_DEPTH];
	int file = memfd_create("dmio", MFD_CLOEXEC);
	void *mem;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, ftruncate(file, INT_MAX));
	for (unsigned int i = 0; i < DT_DEPTH; i++) {
		struct dmio_usrreq req = self->one.req;

		req.req_id = i;
		ASSERT_EQ((ssize_t)DT_REC, pwrite(file, &req, DT_REC, i * DT_REC));
	}
	mem = mmap(NULL, INT_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_TRUE(mem != MAP_FAILED);
	ASSERT_EQ(0, dt_nonblock(self->fd, true));
	/* As many as there is room for. Then none: that is not an error of the count. */
	EXPECT_EQ((ssize_t)(DT_DEPTH * DT_REC), write(self->fd, mem, records * DT_REC));
	EXPECT_EQ(-1, write(self->fd, mem, records * DT_REC));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(DT_DEPTH, dt_nr_settle(self->fd, "answered", DT_DEPTH));
	EXPECT_EQ((ssize_t)(DT_DEPTH * DT_RESP), read(self->fd, mem, responses * DT_RESP));
	memcpy(resp, mem, sizeof(resp));
	EXPECT_TRUE(dt_ids_once(resp, DT_DEPTH, 0));
	/* One byte less is a wrong length as any other. */
	EXPECT_EQ(-1, write(self->fd, mem, (0x7ffff000UL / DT_REC - 1) * DT_REC + 1));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, dt_nonblock(self->fd, false));
	munmap(mem, INT_MAX);
	close(file);
}

/* The records themselves end at a page without access. */
TEST_F(iface, unreadable_records)
{
	static const size_t readable[] = {
		0, 1, DT_REC - 1, DT_REC, DT_REC + 1, 2 * DT_REC, 2 * DT_REC + 16,
		3 * DT_REC - 1, 3 * DT_REC, 4 * DT_REC - 1,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(readable); i++) {
		size_t ok = readable[i], whole = ok / DT_REC;
		struct dmio_usrresp resp[4];
		struct dmio_usrreq flat[4];
		struct dt_req r[4];

		uint8_t *buf = dt_guarded(ok);

		memset(self->dst, 0xee, 4 * LEN);
		many(r, flat, 4, self->dst, self->src);
		memcpy(buf, flat, ok);
		ASSERT_EQ(whole ? (ssize_t)whole : -EFAULT, dt_write(self->fd, (void *)buf, 4)) {
			TH_LOG("%zu bytes of the records are good", ok);
		}
		ASSERT_EQ(0, dt_collect(self->fd, resp, whole));
		ASSERT_TRUE(dt_ids_once(resp, whole, 0));
		ASSERT_EQ(-1, dt_diff(self->dst, self->src, whole * LEN));
		/* Nothing of the record that failed is remembered, or done. */
		ASSERT_TRUE(dt_quiet(self->fd));
		ASSERT_EQ(0xee, self->dst[whole * LEN]);
	}
}

TEST_F(iface, sessions_are_separate)
{
	struct dmio_usrresp resp;
	struct dt_req zero;
	int fd = dt_open("zero", 0), twin;

	ASSERT_LE(0, fd);
	memset(self->dst, 0xee, 2 * LEN);
	dt_req_init1(&zero, "zero", 2, self->dst + LEN, LEN, NULL);
	ASSERT_EQ(1, dt_write(fd, &zero.req, 1));
	ASSERT_EQ(1, dt_write(self->fd, &self->one.req, 1));
	ASSERT_EQ(0, dt_collect(self->fd, &resp, 1));
	EXPECT_EQ(1, resp.resp_id);
	/* A duplicate of the descriptor is the same session. */
	twin = dup(fd);
	ASSERT_EQ(0, dt_collect(twin, &resp, 1));
	EXPECT_EQ(2, resp.resp_id);
	close(fd);
	EXPECT_EQ(0, dt_do(twin, &zero.req));
	close(twin);
	EXPECT_EQ(-1, dt_diff(self->dst, self->src, LEN));
	EXPECT_EQ(0, self->dst[LEN] | self->dst[2 * LEN - 1]);
}

TEST_HARNESS_MAIN
