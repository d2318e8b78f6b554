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

#include "dma.h"
#include "kselftest_harness.h"
#include "region.h"

#define PIECES	20U			/* more than are handled on the stack */
#define SMALL	10000U
#define LARGE	(256U << 10)
#define SHIFT	64U			/* from the input before */

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
	int nr_channels;
	const struct dt_func *func;
	uint8_t *src, *dst, *want;
	struct dt_region in[DMOVERIO_MAX_SRCS], out;
	dmio_buffer inbuf[DMOVERIO_MAX_SRCS];
	struct dmio_usrreq req;
	size_t len;
	int answer;			/* the last one's, -1: none came */
};

FIXTURE_SETUP(nomem)
{
	int fd;

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->nth = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (self->nth < 0)
		return;
	/* Also what may sleep, also single pages; and no word about it in the log */
	ASSERT_EQ(0, knobs("ignore-gfp-wait", "N") | knobs("ignore-gfp-highmem", "N"));
	ASSERT_EQ(0, knobs("min-order", "0"));
	ASSERT_EQ(0, knobs("verbose", "0") | knobs("task-filter", "N"));
	fd = dt_open(NULL, 0);
	ASSERT_LE(0, fd);
	self->nr_channels = dt_channels(fd, DMOVERIO_FUNC_NONE);
	close(fd);
	ASSERT_LE(dt_channels_expected(), self->nr_channels);
	self->src = dt_mmap(LARGE + DMOVERIO_MAX_SRCS * SHIFT);
	self->dst = dt_mmap(LARGE);
	self->want = dt_mmap(LARGE);
	dt_fill(&self->rng, self->src, LARGE + DMOVERIO_MAX_SRCS * SHIFT);
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

static void make_request(FIXTURE_DATA(nomem) *self, const char *func, size_t len)
{
	self->func = dt_func(func);
	self->len = len;
	dt_req_garbage(&self->req, 1);
	for (unsigned int i = 0; i < self->func->nr_in; i++) {
		dt_region_free(&self->in[i]);
		dt_cut(&self->rng, &self->in[i], self->src + i * SHIFT, len, PIECES);
		self->inbuf[i] = (dmio_buffer){ self->in[i].iov, self->in[i].nr };
	}
	dt_region_free(&self->out);
	dt_cut(&self->rng, &self->out, self->dst, len, PIECES);
	self->req.req_outbuf = (dmio_buffer){ self->out.iov, self->out.nr };
	/* The same memory of a record */
	if (self->func->nr_in)
		self->req.req_inbuf = self->inbuf;
	else
		self->req.req_immediate[0] = 0x5c;
	dt_compute(self->func, 0x5c, self->inbuf, self->want, len);
}

/* There and back. What fails is told once; until it is closed, the session goes on. */
static int use(FIXTURE_DATA(nomem) *self, int fd)
{
	struct dmio_usrresp resp;
	int err, again;

	err = dt_setfunc(fd, self->func->name);
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
		ASSERT_EQ(-1, dt_diff(self->dst, self->want, self->len));
	}
	ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Everything, undisturbed */
static void check_works(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	memset(self->dst, 0xee, self->len);
	ASSERT_EQ(0, from_open_to_close(self));
	ASSERT_EQ(0, self->answer);
	ASSERT_EQ(-1, dt_diff(self->dst, self->want, self->len));
}

/* Of what can fail, each in its turn: how often a call said so, and a response */
struct told {
	unsigned int points, calls, answers;
};

static struct told each_once(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	struct told told = {};
	bool hit;

	check_works(_metadata, self);
	do {
		int err;

		/* Pages that are not there: to have them is an allocation, too */
		madvise(self->dst, LARGE, MADV_DONTNEED);
		ASSERT_TRUE(arm(self->nth, told.points + 1));
		err = from_open_to_close(self);
		hit = disarm(self->nth);
		check_round(_metadata, self, err);
		told.points += hit;
		told.calls += !!err;
		told.answers += self->answer > 0;
		check_works(_metadata, self);
	} while (hit && _metadata->passed);
	TH_LOG("%s of %zu bytes: %u can fail, %u calls said so, %u responses", self->func->name,
	       self->len, told.points, told.calls, told.answers);
	return told;
}

/* Returns how many responses said so */
static unsigned int each_function(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self,
				  size_t len)
{
	static const char *const funcs[] = { "zero", "fill8", "copy", "xor2", "xor5", "xor16" };
	unsigned int answers = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(funcs) && _metadata->passed; i++) {
		struct told told;

		make_request(self, funcs[i], len);
		told = each_once(_metadata, self);
		/* open, ioctl, write, and read at least */
		EXPECT_LE(4, told.calls);
		answers += told.answers;
	}
	return answers;
}

#define NEED_INJECTION()							\
	do {									\
		if (self->nth < 0)						\
			SKIP(return, "no fault injection in this kernel");	\
	} while (0)

TEST_F_TIMEOUT(nomem, small_ones, 600)
{
	NEED_INJECTION();
	/* At least the pages of the output */
	EXPECT_LE(1, each_function(_metadata, self, SMALL));
}

/* What is done by workers fails elsewhere: see below */
TEST_F_TIMEOUT(nomem, large_ones, 600)
{
	NEED_INJECTION();
	each_function(_metadata, self, LARGE);
}

/* Who may not lock all of it gets it in windows */
TEST_F_TIMEOUT(nomem, windows, 600)
{
	NEED_INJECTION();
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, LARGE / 4));
	make_request(self, "xor2", LARGE);
	EXPECT_LE(4, each_once(_metadata, self).calls);
	ASSERT_EQ(0, setresuid(0, 0, 0));
}

/* Who may lock nothing has it done through his mappings, small requests by himself */
TEST_F_TIMEOUT(nomem, unpinned, 600)
{
	NEED_INJECTION();
	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, 0));
	make_request(self, "xor2", SMALL);
	EXPECT_LE(4, each_once(_metadata, self).calls);
	ASSERT_EQ(0, setresuid(0, 0, 0));
}

/* Whether it happened, is told by @what; then @check sees what is left of it */
static void each_once_of(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self,
			 const char *name, int (*what)(FIXTURE_DATA(nomem) *self),
			 void (*check)(struct __test_metadata *_metadata,
				       FIXTURE_DATA(nomem) *self))
{
	unsigned int points = 0, told = 0;
	bool hit;

	do {
		ASSERT_TRUE(arm(self->nth, points + 1));
		told += !!what(self);
		hit = disarm(self->nth);
		points += hit;
		check(_metadata, self);
	} while (hit && _metadata->passed);
	TH_LOG("%s: %u can fail, %u calls said so", name, points, told);
	EXPECT_LE(4, points);
	EXPECT_LE(2, told);
}

/* What else there is to ask a session, and to tell it */
static int ask(FIXTURE_DATA(nomem) *self)
{
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_PREFER_DMA), err;
	char path[48], line[256];
	struct dt_engines all;

	self->answer = fd < 0 ? -fd : 0;
	if (fd < 0)
		return fd;
	err = dt_engines(fd, &all);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (!err)
		err = dt_read_line(path, line, sizeof(line));
	close(fd);
	self->answer = -err;
	return err;
}

static void check_asked(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	ASSERT_TRUE(is_documented(self->answer)) {
		TH_LOG("error %d", self->answer);
	}
	ASSERT_EQ(0, ask(self));
}

TEST_F_TIMEOUT(nomem, questions, 600)
{
	NEED_INJECTION();
	each_once_of(_metadata, self, "questions", ask, check_asked);
}

/* The function that only the later layout of the records has */
static int checksum(FIXTURE_DATA(nomem) *self)
{
	struct dt_request2 r = { .in = self->inbuf, .id = 1 };
	struct dt_response2 resp = { .id = 0 };
	int fd = dt_open(NULL, 0), err = 0;
	uint32_t crc = 0;

	self->answer = fd < 0 ? -fd : 0;
	if (fd < 0)
		return fd;
	if (dt_set_function2(fd, "iscsi-crc32c") || write(fd, &r, sizeof(r)) != sizeof(r)) {
		err = -errno;
		goto out;
	}
	if (read(fd, &resp, sizeof(resp)) != sizeof(resp)) {
		err = -errno;
		/* It is still there */
		if (read(fd, &resp, sizeof(resp)) != sizeof(resp))
			resp.id = 0;
	}
	for (int i = 3; i >= 0; i--)
		crc = crc << 8 | resp.result[i];
	if (resp.id != 1 || (!resp.error && crc != dt_crc32c(0, self->src, self->len)))
		err = -EBADMSG;
out:
	close(fd);
	self->answer = err ? -err : resp.error;
	return -self->answer;
}

static void check_summed(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	ASSERT_TRUE(is_documented(self->answer)) {
		TH_LOG("error %d", self->answer);
	}
	ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	ASSERT_EQ(0, checksum(self));
}

TEST_F_TIMEOUT(nomem, checksums, 600)
{
	NEED_INJECTION();
	make_request(self, "copy", SMALL);
	each_once_of(_metadata, self, "checksums", checksum, check_summed);
}

/*
 * Channels are given back and taken again, and lose their driver. It is bound again
 * with memory enough: the dmaengine core loses some where it has too little.
 */
static int come_and_go(FIXTURE_DATA(nomem) *self)
{
	int err = dt_release("all");

	if (!err)
		err = dt_rescan();
	if (!err && sim_is_there())
		err = sim_bind(0, false);
	return err;
}

/* An administrator who tries once more has them all */
static void check_back(struct __test_metadata *_metadata, FIXTURE_DATA(nomem) *self)
{
	ASSERT_EQ(0, dt_all_back(self->nr_channels));
	check_works(_metadata, self);
}

TEST_F_TIMEOUT(nomem, channels, 900)
{
	NEED_INJECTION();
	if (!self->nr_channels)
		SKIP(return, "no DMA channel in this guest");
	make_request(self, "copy", SMALL);
	each_once_of(_metadata, self, "channels", come_and_go, check_back);
}

/* The module itself: if it cannot be loaded, it is as if nobody had tried */
TEST_F_TIMEOUT(nomem, loading, 3600)
{
	unsigned int points = 0, told = 0;
	char options[1024];
	bool hit;

	NEED_INJECTION();
	ASSERT_EQ(0, dt_options("dmoverio", options, sizeof(options)));
	make_request(self, "copy", SMALL);
	do {
		int err;

		ASSERT_EQ(0, dt_rmmod_later("dmoverio"));
		ASSERT_TRUE(arm(self->nth, points + 1));
		err = dt_insmod("dmoverio", options);
		hit = disarm(self->nth);
		points += hit;
		told += !!err;
		if (err)
			ASSERT_EQ(0, dt_insmod("dmoverio", options));
		check_back(_metadata, self);
	} while (hit && _metadata->passed);
	TH_LOG("loading: %u can fail, %u calls said so", points, told);
	EXPECT_LE(8, told);
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

	make_request(self, "copy", LARGE);
	check_works(_metadata, self);
	for (unsigned int i = 0; i < MOST_SWEEPS && !answered; i++)
		answered = sweep(_metadata, self, injector, step);
	EXPECT_LE(1, answered);
}

/* Nothing whatever for this thread. Until then it may have run where it will: no page faults */
static int none_at_all(FIXTURE_DATA(nomem) *self, int fd, bool write)
{
	int switched = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC), err = -errno;

	if (switched < 0 || knobs("task-filter", "Y") || knob("failslab", "times", "-1") ||
	    knob("fail_page_alloc", "times", "-1") || knob("failslab", "probability", "100") ||
	    knob("fail_page_alloc", "probability", "100"))
		return err;
	while (pwrite(switched, "1", 1, 0) != 1)
		;
	err = write ? dt_write(fd, &self->req, 1) : dt_setfunc(fd, self->func->name);
	while (pwrite(switched, "0", 1, 0) != 1)
		;
	close(switched);
	return knobs("probability", "0") | knobs("task-filter", "N") ?: err;
}

/* One alone may be made up for: large ones are tried otherwise */
TEST_F_TIMEOUT(nomem, none_at_all, 120)
{
	int fd;

	NEED_INJECTION();
	make_request(self, "copy", SMALL);
	check_works(_metadata, self);
	fd = dt_open(NULL, 0);
	ASSERT_LE(0, fd);
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(-ENOMEM, none_at_all(self, fd, i));
		ASSERT_EQ(0, i ? dt_write_all(fd, &self->req, 1) : dt_setfunc(fd, "copy"));
	}
	close(fd);
	check_works(_metadata, self);
}

TEST_F_TIMEOUT(nomem, objects_of_workers, 120)
{
	NEED_INJECTION();
	in_workers(_metadata, self, "failslab", 64);
}

TEST_F_TIMEOUT(nomem, pages_of_workers, 120)
{
	NEED_INJECTION();
	in_workers(_metadata, self, "fail_page_alloc", 1);
}

TEST_HARNESS_MAIN
