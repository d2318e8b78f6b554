// SPDX-License-Identifier: GPL-2.0
/*
 * No memory in the kernel. Every allocation, and every copy from or to the
 * program, fails once, from open to close: the error is one that the manual
 * page has, nothing is left behind, and afterwards everything works.
 *
 * That takes a kernel with fault injection (CONFIG_FAILSLAB and others). The
 * kernel counts down /proc/self/fail-nth for allocations of this thread; those
 * of the workers fail by the counters in debugfs, which are everybody's, one
 * at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define PIECES	20U			/* more than are handled on the stack */
#define SMALL	10000U
#define LARGE	(256U << 10)

static const char *const injectors[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

/* 0, or -errno: files that a kernel does not have are not missed */
static int knob(const char *injector, const char *name, const char *value)
{
	char path[96];
	int fd, err;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", injector, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* Did what was to fail once do so? */
static bool has_failed(const char *injector)
{
	char path[96];
	int left = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/times", injector);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &left) != 1)
		left = -1;
	if (f)
		fclose(f);
	return !left;
}

static int knobs(const char *name, const char *value)
{
	int err = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(injectors); i++)
		err |= knob(injectors[i], name, value);
	return err;
}

FIXTURE(nomem) {
	struct dt_rng rng;
	long long pins;
	int nth;			/* /proc/self/fail-nth, -1: there is none */
	uint8_t *src, *dst;
	struct dt_region in, out;
	dmio_buffer inbuf;
	struct dmio_usrreq req;
	size_t len;
	int answer;			/* the last one's, -1: none came */
};

FIXTURE_SETUP(nomem)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0)
		return;
	/* Also what may sleep, also single pages; and no word about it in the log */
	ASSERT_EQ(0, knobs("ignore-gfp-wait", "N") | knobs("ignore-gfp-highmem", "N"));
	ASSERT_EQ(0, knobs("min-order", "0"));
	ASSERT_EQ(0, knobs("verbose", "0") | knobs("task-filter", "N"));
	self->src = dt_mmap(LARGE);
	self->dst = dt_mmap(LARGE);
	dt_fill(&self->rng, self->src, LARGE);
}

FIXTURE_TEARDOWN(nomem)
{
	if (self->nth < 0)
		return;
	EXPECT_EQ(0, knobs("probability", "0") | knobs("times", "1") | knobs("space", "0"));
	EXPECT_EQ(0, knobs("verbose", "2") | knobs("min-order", "1"));
	EXPECT_EQ(0, knobs("ignore-gfp-wait", "Y") | knobs("ignore-gfp-highmem", "Y"));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static void make_request(FIXTURE_DATA(nomem) *self, size_t len)
{
	self->len = len;
	dt_cut(&self->rng, &self->in, self->src, len, PIECES);
	dt_cut(&self->rng, &self->out, self->dst, len, PIECES);
	self->inbuf = (dmio_buffer){ self->in.iov, self->in.nr };
	dt_req_garbage(&self->req, 1);
	self->req.req_outbuf = (dmio_buffer){ self->out.iov, self->out.nr };
	self->req.req_inbuf = &self->inbuf;
}

/* There and back. What fails is told once; until it is closed, the session goes on. */
static int use(FIXTURE_DATA(nomem) *self, int fd)
{
	struct dmio_usrresp resp;
	int err, again;

	err = dt_setfunc(fd, "copy");
	if (!err)
		err = dt_write_all(fd, &self->req, 1);
	if (err)
		return err;
	err = dt_collect(fd, &resp, 1);
	/* A response that did not reach its reader is still there. */
	again = err ? dt_collect(fd, &resp, 1) : 0;
	if (again || resp.resp_id != 1)
		return -EBADMSG;
	self->answer = resp.resp_error;
	return err;
}

static int from_open_to_close(FIXTURE_DATA(nomem) *self)
{
	int fd = dt_open(NULL, 0), err;

	self->answer = -1;
	if (fd < 0)
		return fd;
	err = use(self, fd);
	return close(fd) ? -EBADF : err;
}

/* Let the @nth of what can fail do so; 0 is none */
static bool arm(int fd, unsigned int nth)
{
	char number[16];
	int len = snprintf(number, sizeof(number), "%u", nth);

	return pwrite(fd, number, len, 0) == len;
}

/* Has it failed? To ask may be what fails. */
static bool disarm(int fd)
{
	char number[16] = "";
	bool hit;

	hit = pread(fd, number, sizeof(number) - 1, 0) < 0 || !atoi(number);
	while (!arm(fd, 0))
		;
	return hit;
}

/* One that fails is no memory, or a copy; either is told by a call or by the response. */
static bool is_documented(int err)
{
	return !err || err == ENOMEM || err == EFAULT;
}

static void check_round(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self, int err)
{
	ASSERT_TRUE(is_documented(-err)) {
		TH_LOG("error %d", -err);
	}
	ASSERT_TRUE(self->answer == -1 || is_documented(self->answer)) {
		TH_LOG("response %d", self->answer);
	}
	if (!self->answer) {
		ASSERT_EQ(-1, dt_diff(self->dst, self->src, self->len));
	}
	ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Everything, undisturbed */
static void check_works(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	memset(self->dst, 0xee, self->len);
	ASSERT_EQ(0, from_open_to_close(self));
	ASSERT_EQ(0, self->answer);
	ASSERT_EQ(-1, dt_diff(self->dst, self->src, self->len));
}

TEST_F_TIMEOUT(nomem, each_once, 120)
{
	unsigned int nth = 0, told = 0, answered = 0;
	bool hit;

	if (self->nth < 0)
		SKIP(return, "no fault injection in this kernel");
	make_request(self, SMALL);
	check_works(_metadata, self);
	do {
		int err;

		/* Pages that are not there: to have them is an allocation, too */
		madvise(self->dst, LARGE, MADV_DONTNEED);
		ASSERT_TRUE(arm(self->nth, ++nth));
		err = from_open_to_close(self);
		hit = disarm(self->nth);
		check_round(_metadata, self, err);
		told += !!err;
		answered += self->answer > 0;
		check_works(_metadata, self);
	} while (hit);
	TH_LOG("%u can fail: %u calls said so, %u responses", nth - 1, told, answered);
	/* open, ioctl, write, and read at least, and the pages of the output */
	EXPECT_LE(8, told);
	EXPECT_LE(1, answered);
}

/*
 * Whoever allocates, one fails: the one that comes when so much was allocated
 * before, @step by @step. Bytes are counted of objects, and pages of pages.
 * Returns how many responses said so.
 */
static unsigned int sweep(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self,
			  const char *injector, unsigned int step)
{
	unsigned int told = 0, answered = 0, rounds = 0;
	char space[16];
	int err;

	do {
		snprintf(space, sizeof(space), "%u", rounds++ * step);
		madvise(self->dst, LARGE, MADV_DONTNEED);
		ASSERT_EQ(0, knob(injector, "space", space) | knob(injector, "times", "1"));
		ASSERT_EQ(0, knob(injector, "probability", "100"));
		err = from_open_to_close(self);
		while (knob(injector, "probability", "0"))
			;
		check_round(_metadata, self, err);
		told += !!err;
		answered += self->answer > 0;
		check_works(_metadata, self);
	} while (has_failed(injector));
	TH_LOG("%s: %u failed, %u calls said so, %u responses", injector, rounds - 1, told,
	       answered);
	return answered;
}

/*
 * Which allocation fails is up to who else allocates at that moment: it need not be
 * one that a worker of ours cannot do without. Then all is done again.
 */
#define MOST_SWEEPS	10

static void in_workers(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self,
		       const char *injector, unsigned int step)
{
	unsigned int answered = 0;

	make_request(self, LARGE);
	check_works(_metadata, self);
	for (unsigned int i = 0; i < MOST_SWEEPS && !answered; i++)
		answered = sweep(_metadata, self, injector, step);
	EXPECT_LE(1, answered);
}

TEST_F_TIMEOUT(nomem, objects_of_workers, 120)
{
	if (self->nth < 0)
		SKIP(return, "no fault injection in this kernel");
	in_workers(_metadata, self, "failslab", 64);
}

TEST_F_TIMEOUT(nomem, pages_of_workers, 120)
{
	if (self->nth < 0)
		SKIP(return, "no fault injection in this kernel");
	in_workers(_metadata, self, "fail_page_alloc", 1);
}

TEST_HARNESS_MAIN
