// SPDX-License-Identifier: GPL-2.0
/*
 * As security_test, by changing mappings and requests at the wrong moment: any, while
 * threads race; and the worst, at which a fault is waited for. What write() has read of
 * a request counts, once; and a page may be written if it could be when it was pinned.
 *
 * Ordinary memory that changes while requests run: remap_test.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "flight.h"
#include "forbidden.h"
#include "kselftest_harness.h"
#include "stall.h"

#define SMALL	5000UL		/* not too large for write(); in two pages */
#define AT	100UL		/* where requests begin */
#define HUGE	(SIZE_MAX / 4)	/* legal, and more than there is memory */
#define BATCH	8

static const size_t lengths[] = { SMALL, FB_LEN - 2 * AT };

#define SLOTS	8		/* regions of FB_LEN bytes whose faults wait */

FIXTURE(race) {
	struct dt_rng rng;
	long long pins;
	struct forbidden forbidden;
	uint8_t *src, *own;	/* FB_LEN bytes each, the user's, and behind them nothing */
	int uffd;		/* for all slots, but for the first page of each */
	uint8_t *slot;
	void *kernel;
	int copy;
};

FIXTURE_VARIANT(race) {
	rlim_t memlock;
};

FIXTURE_VARIANT_ADD(race, pinned) {
	.memlock = RLIM_INFINITY,
};

/* Nothing is pinned: the CPU goes through the mapping */
FIXTURE_VARIANT_ADD(race, unpinned) {
	.memlock = 0,
};

FIXTURE_SETUP(race)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->kernel = fb_section(".data");
	self->src = dt_guarded(FB_LEN);
	self->own = dt_guarded(FB_LEN);
	dt_fill(&self->rng, self->src, FB_LEN);
	ASSERT_EQ(0, fb_make(&self->forbidden, &self->rng));

	self->slot = dt_mmap(SLOTS * FB_LEN);
	/* A huge page would be one fault for several slots */
	madvise(self->slot, SLOTS * FB_LEN, MADV_NOHUGEPAGE);
	for (unsigned int i = 0; i < SLOTS; i++)
		memset(self->slot + i * FB_LEN, 0xee, dt_page_size());
	ASSERT_EQ(0, st_uffd_create(&self->uffd, self->slot, SLOTS * FB_LEN));

	ASSERT_EQ(0, dt_become_limited(DT_NOBODY, variant->memlock));
	ASSERT_EQ(0, dt_become(DT_NOBODY));
	self->copy = dt_open("copy", 0);
	ASSERT_LE(0, self->copy);
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(NULL, fb_harm(self->copy, self->own, self->src, variant->memlock));
	close(self->copy);
	close(self->uffd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- mappings that change under a request, at any moment ... */

struct changer {
	uint8_t *at;
	int file;
	atomic_bool stop;
	atomic_uint changes;
	pthread_t thread;
};

static void remap(struct changer *c, int prot, int flags)
{
	if (mmap(c->at, FB_LEN, prot, flags | MAP_FIXED, c->file, 0) != c->at)
		abort();
}

static void *change(void *arg)
{
	struct changer *c = arg;

	for (unsigned int i = 0; !atomic_load(&c->stop); i++) {
		switch (i % 5) {
		case 0:
			madvise(c->at, FB_LEN, MADV_DONTNEED);
			break;
		case 1:
			mprotect(c->at, FB_LEN, PROT_READ);
			break;
		case 2:
			mprotect(c->at, FB_LEN, PROT_READ | PROT_WRITE);
			break;
		case 3:
			remap(c, PROT_READ, MAP_SHARED);
			break;
		case 4:
			remap(c, PROT_READ | PROT_WRITE, MAP_PRIVATE);
			break;
		}
		atomic_fetch_add(&c->changes, 1);
		sched_yield();
	}
	return NULL;
}

/* A batch, and a change while it is under way: faults, or what went wrong, negative */
static int race(const FIXTURE_DATA(race) *self, struct changer *c)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	unsigned int seen = atomic_load(&c->changes);
	struct dmio_usrresp resp[BATCH];
	struct dmio_usrreq flat[BATCH];
	struct dt_req r[BATCH];
	int faults = 0, err;

	for (unsigned int i = 0; i < BATCH; i++) {
		dt_req_init1(&r[i], "copy", i, c->at + AT, lengths[i % 2], self->src);
		flat[i] = r[i].req;
	}
	err = dt_write_all(self->copy, flat, BATCH);
	while (!err && atomic_load(&c->changes) == seen && dt_now_ms() < end)
		sched_yield();
	if (!err)
		err = dt_collect(self->copy, resp, BATCH);
	for (unsigned int i = 0; i < BATCH && !err; i++) {
		faults += resp[i].resp_error == EFAULT;
		if (resp[i].resp_error && resp[i].resp_error != EFAULT)
			err = -resp[i].resp_error;
	}
	return err ? err : faults;
}

TEST_F(race, private_mappings_that_change)
{
	struct changer c = { .file = self->forbidden.file };
	unsigned int rounds = dt_scale(30, 3000);
	int faults = 0, ret;

	c.at = fb_map(&self->forbidden, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, change, &c));
	for (unsigned int i = 0; i < rounds; i++) {
		ret = race(self, &c);
		ASSERT_LE(0, ret);
		faults += ret;
		ASSERT_TRUE(fb_is_intact(&self->forbidden));
	}
	atomic_store(&c.stop, true);
	pthread_join(c.thread, NULL);
	TH_LOG("%u changes; of %u requests %d faulted", atomic_load(&c.changes),
	       rounds * BATCH, faults);
}

/* ... and at the worst: one page is pinned, the fault of the next is waited for */

struct asker {
	int fd;
	struct dt_req r;
	int answer;
	pthread_t thread;
};

static void *ask_and_wait(void *arg)
{
	struct asker *a = arg;

	a->answer = dt_do(a->fd, &a->r.req);
	return NULL;
}

static void wait_for_fault(struct __test_metadata *_metadata, int uffd)
{
	pid_t who;

	ASSERT_EQ(1, st_uffd_faults(uffd, &who, 1, DT_PATIENCE_MS));
}

static const struct change {
	const char *name;
	int prot, flags;		/* of the mapping that replaces the slot */
	int err;
} changes[] = {
	{ "root's file, shared",	PROT_READ, MAP_SHARED, EFAULT },
	{ "root's file, private",	PROT_READ, MAP_PRIVATE, EFAULT },
	{ "nothing",			PROT_NONE, MAP_PRIVATE, EFAULT },
	{ "root's file, writable in private", PROT_READ | PROT_WRITE, MAP_PRIVATE, 0 },
};

TEST_F(race, mappings_replaced_during_a_fault)
{
	size_t page = dt_page_size();

	for (unsigned int i = 0; i < ARRAY_SIZE(changes) * ARRAY_SIZE(lengths); i++) {
		const struct change *c = &changes[i / ARRAY_SIZE(lengths)];
		size_t len = lengths[i % ARRAY_SIZE(lengths)];
		uint8_t *at = self->slot + i * FB_LEN;
		struct uffdio_range range = { (uintptr_t)at, FB_LEN };
		struct asker a = { .fd = self->copy };

		dt_req_init1(&a.r, "copy", 1, at + AT, len, self->src);
		ASSERT_EQ(0, pthread_create(&a.thread, NULL, ask_and_wait, &a));
		wait_for_fault(_metadata, self->uffd);
		ASSERT_TRUE(mmap(at, FB_LEN, c->prot, c->flags | MAP_FIXED, self->forbidden.file,
				 0) == at);
		ASSERT_EQ(0, ioctl(self->uffd, UFFDIO_WAKE, &range));
		ASSERT_EQ(0, pthread_join(a.thread, NULL));
		EXPECT_EQ(c->err, a.answer) {
			TH_LOG("%s, %zu bytes", c->name, len);
		}
		EXPECT_TRUE(fb_is_intact(&self->forbidden)) {
			TH_LOG("%s, %zu bytes", c->name, len);
		}
		if (!c->err)
			EXPECT_EQ(-1, dt_diff(at + page, self->src + page - AT,
					      len + AT - page));
	}
}

/* -- requests that change while write() reads them: what was read once, counts */

TEST_F(race, iovecs_changed_during_a_fault)
{
	size_t page = dt_page_size(), first = page / sizeof(struct iovec);
	size_t nr = first + 44;		/* more than a page of them */
	size_t pieces[] = { 64, (96 << 10) / nr };
	uint8_t *shared = fb_map_shared(&self->forbidden);
	struct iovec all[nr];
	uint8_t rest[page];

	if (nr > IOV_MAX)
		SKIP(return, "pages are too large");
	for (unsigned int i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct iovec *iov = (struct iovec *)(self->slot + i * FB_LEN);
		struct asker a = { .fd = self->copy };
		size_t len = nr * pieces[i];

		for (size_t k = 0; k < nr; k++)
			all[k] = (struct iovec){ self->own + k * pieces[i], pieces[i] };
		memcpy(iov, all, page);
		memset(rest, 0, page);
		memcpy(rest, all + first, nr * sizeof(all[0]) - page);
		memset(self->own, 0xee, FB_LEN);

		dt_req_init1(&a.r, "copy", 1, NULL, len, self->src);
		a.r.req.req_outbuf = (dmio_buffer){ iov, nr };
		ASSERT_EQ(0, pthread_create(&a.thread, NULL, ask_and_wait, &a));
		wait_for_fault(_metadata, self->uffd);
		for (size_t k = 0; k < first; k++)
			iov[k] = (struct iovec){ k % 2 ? shared : self->kernel,
						 k % 3 ? FB_LEN : HUGE };
		ASSERT_EQ(0, st_uffd_resolve(self->uffd, (uint8_t *)iov + page, page, rest));
		ASSERT_EQ(0, pthread_join(a.thread, NULL));
		EXPECT_EQ(0, a.answer);
		EXPECT_EQ(-1, dt_diff(self->own, self->src, len));
		EXPECT_EQ(0xee, self->own[len]);
		EXPECT_TRUE(fb_is_intact(&self->forbidden));
	}
	munmap(shared, FB_LEN);
}

struct flipper {
	struct dmio_usrreq *flat;	/* BATCH, of one input */
	struct iovec *out, *in;		/* of all of them */
	uint8_t *good_out, *good_in;
	void *bad[2];
	size_t len;
	struct dt_rng rng;
	atomic_bool stop;
	pthread_t thread;
};

static void *flip(void *arg)
{
	struct flipper *f = arg;
	const size_t len = f->len, sizes[] = { len, len, len, len, len, len, 0, HUGE, SIZE_MAX };
	const unsigned int counts[] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, UINT32_MAX };
	void *const outs[] = { f->good_out, f->good_out, f->bad[0], f->bad[1], NULL };
	void *const ins[] = { f->good_in, f->good_in, f->good_in, f->good_in, f->bad[1] };

	while (!atomic_load(&f->stop)) {
		volatile struct dmio_usrreq *req = &f->flat[dt_below(&f->rng, BATCH)];
		volatile struct iovec *out = f->out, *in = f->in;

		out->iov_base = outs[dt_below(&f->rng, ARRAY_SIZE(outs))];
		out->iov_len = sizes[dt_below(&f->rng, ARRAY_SIZE(sizes))];
		in->iov_base = ins[dt_below(&f->rng, ARRAY_SIZE(ins))];
		in->iov_len = sizes[dt_below(&f->rng, ARRAY_SIZE(sizes))];
		req->req_outbuf.dmbuf_iovcnt = counts[dt_below(&f->rng, ARRAY_SIZE(counts))];
		sched_yield();
	}
	return NULL;
}

/* Only what was asked for is in the user's own memory: the input, or what was there */
static bool is_own_data(const FIXTURE_DATA(race) *self, size_t from)
{
	size_t i;

	for (i = 0; i < from; i++)
		if (self->own[i] != 0xee)
			return false;
	for (; i < FB_LEN; i++)
		if (self->own[i] != 0xee && self->own[i] != self->src[i])
			return false;
	return true;
}

TEST_F(race, requests_that_change)
{
	size_t from = FB_LEN - SMALL;
	struct dmio_usrreq flat[BATCH];
	struct dmio_usrresp resp[BATCH];
	struct dt_req r;
	struct flipper f = {
		.flat = flat, .out = &r.out_iov, .in = &r.in_iov[0], .len = SMALL,
		.good_out = self->own + from, .good_in = self->src + from,
		.bad = { fb_map_shared(&self->forbidden), self->kernel }, .rng = self->rng,
	};
	unsigned int rounds = dt_scale(200, 10000), nr[3] = { 0 };

	dt_req_init1(&r, "copy", 1, f.good_out, SMALL, f.good_in);
	for (unsigned int i = 0; i < BATCH; i++)
		flat[i] = r.req;
	ASSERT_EQ(0, pthread_create(&f.thread, NULL, flip, &f));
	for (unsigned int i = 0; i < rounds; i++) {
		ssize_t n;

		memset(self->own, 0xee, FB_LEN);
		n = dt_write(self->copy, flat, BATCH);
		ASSERT_TRUE(n > 0 || n == -EINVAL || n == -EFAULT) {
			TH_LOG("write: %zd", n);
		}
		nr[2] += n < 0;
		ASSERT_EQ(0, dt_collect(self->copy, resp, n < 0 ? 0 : n));
		for (ssize_t k = 0; k < n; k++) {
			ASSERT_TRUE(!resp[k].resp_error || resp[k].resp_error == EFAULT);
			nr[!!resp[k].resp_error]++;
		}
		ASSERT_TRUE(is_own_data(self, from));
		ASSERT_TRUE(fb_is_intact(&self->forbidden));
	}
	atomic_store(&f.stop, true);
	pthread_join(f.thread, NULL);
	TH_LOG("%u requests succeeded, %u faulted, %u writes were refused", nr[0], nr[1], nr[2]);
}

/* -- a seal in flight: where it was set, nothing is written any more */

FIXTURE(seal) {
	struct dt_rng rng;
	long long pins;
	uint8_t *src;
	struct flight flight;
};

FIXTURE_SETUP(seal)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->src = dt_mmap(FL_LARGE);
	dt_fill(&self->rng, self->src, FL_LARGE);
	ASSERT_EQ(0, dt_hold(&self->flight.hold));
}

FIXTURE_TEARDOWN(seal)
{
	EXPECT_EQ(0, dt_unhold(&self->flight.hold));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

#define SEAL_BYTES	(FL_NR * FL_LARGE)

/*
 * The mapping goes first, for a seal is refused while there is one that can be written.
 * What is pinned then makes it wait, in vain at last; or it is no longer.
 */
TEST_F(seal, set_with_requests_running)
{
	unsigned int rounds = dt_scale(6, 200), sealed = 0, running = 0;
	uint8_t *then = dt_mmap(SEAL_BYTES), *now = dt_mmap(SEAL_BYTES);

	for (unsigned int i = 0; i < rounds; i++) {
		int memfd = memfd_create("dmio", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;
		int fd = dt_open("copy", 0);
		struct dmio_usrresp resp[FL_NR];
		uint8_t *map;

		ASSERT_EQ(0, ftruncate(memfd, SEAL_BYTES));
		map = mmap(NULL, SEAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		ASSERT_TRUE(map != MAP_FAILED);
		fl_init(&self->flight, &self->rng, map, FL_LARGE, self->src);
		ASSERT_EQ(0, fl_submit(&self->flight, fd, i % 2));
		running += !!dt_nr(fd, "running");
		ASSERT_EQ(0, munmap(map, SEAL_BYTES));
		err = fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE) ? errno : 0;
		ASSERT_TRUE(!err || err == EBUSY) {
			TH_LOG("F_ADD_SEALS: %s", strerror(err));
		}
		ASSERT_EQ((ssize_t)SEAL_BYTES, pread(memfd, then, SEAL_BYTES, 0));
		ASSERT_EQ(0, dt_collect(fd, resp, FL_NR));
		ASSERT_EQ((ssize_t)SEAL_BYTES, pread(memfd, now, SEAL_BYTES, 0));
		if (!err)
			ASSERT_EQ(-1, dt_diff(now, then, SEAL_BYTES));
		sealed += !err;
		close(fd);
		close(memfd);
		ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	TH_LOG("%u of %u sealed; something was running before in %u", sealed, rounds, running);
	EXPECT_LT(0, running);
}

TEST_HARNESS_MAIN
