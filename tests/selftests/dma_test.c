// SPDX-License-Identifier: GPL-2.0
/*
 * Which way the bytes go, and that the counters tell it to the byte.
 *
 * An oracle computes from where the pieces of memory are what DMA may write of an
 * output, and what is left to the CPU. Where there is no channel that can do a
 * function the same tests see that the counters say so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"
#include "region.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447		/* on every architecture that has it */
#endif

#define ARENA		(8UL << 20)

FIXTURE(dma) {
	struct dt_rng rng;
	long long pins;
	uint8_t *arena, *model;
	long long threshold;
	char driver[32];		/* of the channels, "" if there are none */
	unsigned int out_align, align;	/* outputs, where DMA writes; everything */
};

/* What a controller wants of all addresses: the simulated one, or as the guest says */
static unsigned int wanted_align(const char *driver)
{
	const char *hidden = getenv("DMATEST_ALIGNMENT");
	char line[32];

	if (strcmp(driver, "dmover-sim") ||
	    dt_read_line("/sys/module/dmover_sim/parameters/align", line, sizeof(line)))
		return hidden ? 1 << atoi(hidden) : 1;
	return 1 << atoi(line);
}

FIXTURE_SETUP(dma)
{
	int fd = dt_open(NULL, 0);
	struct dt_engines all;

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->arena = dt_mmap(ARENA);
	self->model = dt_mmap(ARENA);
	dt_fill(&self->rng, self->arena, ARENA);
	self->threshold = dt_param("dma_threshold");
	ASSERT_LT(0, self->threshold);
	ASSERT_EQ(0, dt_engines(fd, &all));
	self->out_align = 1;
	for (unsigned int i = 0; i < all.nr; i++) {
		if (!dt_is_channel(&all.engine[i], DMOVERIO_FUNC_NONE))
			continue;
		/* All alike, or the oracle does not know which one it will be */
		ASSERT_TRUE(!self->driver[0] || self->out_align == all.engine[i].align);
		strcpy(self->driver, all.engine[i].driver);
		self->out_align = all.engine[i].align;
	}
	self->align = wanted_align(self->driver);
	close(fd);
}

FIXTURE_TEARDOWN(dma)
{
	EXPECT_EQ(0, dt_set_param("dma_threshold", self->threshold));
	EXPECT_EQ(0, dt_set_param("learn", 1));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- the oracle */

/* Where each byte of a region is */
static uintptr_t *locate(const dmio_buffer *buf, size_t len)
{
	uintptr_t *at = malloc(len * sizeof(*at));
	size_t n = 0;

	if (!at)
		abort();
	for (unsigned int i = 0; i < buf->dmbuf_iovcnt; i++)
		for (size_t k = 0; k < buf->dmbuf_iov[i].iov_len; k++)
			at[n++] = (uintptr_t)buf->dmbuf_iov[i].iov_base + k;
	return at;
}

struct where {
	uintptr_t *out, *in[DMOVERIO_MAX_SRCS];
	unsigned int nr_in;
	size_t len;
};

/* What DMA may do, as far as that can be known */
struct range {
	long long least, most;
};

/*
 * Does nothing break here that matters to a device? Pages may lie anywhere in
 * physical memory, or (@paged) they do.
 */
static bool goes_on(const struct where *w, size_t i, unsigned int align, bool paged)
{
	if (w->out[i + 1] != w->out[i] + 1)
		return false;
	for (unsigned int k = 0; align > 1 && k < w->nr_in; k++)
		if (w->in[k][i + 1] != w->in[k][i] + 1 ||
		    (paged && w->in[k][i + 1] % dt_page_size() == 0))
			return false;
	return true;
}

/*
 * What DMA may do: of each run the part in which the output begins and ends at
 * multiples of @out_align, if the inputs are aligned there.
 */
static size_t dma_bytes(const struct where *w, unsigned int out_align, unsigned int align,
			bool paged)
{
	size_t from, to, sum = 0;

	for (from = 0; from < w->len; from = to) {
		size_t first = from, last;

		for (to = from + 1; to < w->len && goes_on(w, to - 1, align, paged); to++)
			;
		while (first < to && w->out[first] % out_align)
			first++;
		for (last = to; last > first && (w->out[last - 1] + 1) % out_align; last--)
			;
		for (unsigned int k = 0; first < last && k < w->nr_in; k++)
			if (w->in[k][first] % align)
				last = first;
		sum += last - first;
	}
	return sum;
}

/* -- requests */

struct work {
	const struct dt_func *f;
	struct dt_region out, in[DMOVERIO_MAX_SRCS];
	dmio_buffer buf[DMOVERIO_MAX_SRCS];
	struct dmio_usrreq req;
	size_t used;			/* of the arena */
};

/*
 * What DMA may do of it. Where outputs have to be aligned as everything has it makes
 * no difference where pages lie: they begin at multiples of that.
 */
static struct range dma_bytes_of(FIXTURE_DATA(dma) *self, const struct work *w)
{
	struct where where = { .len = w->out.len, .nr_in = w->f->nr_in };
	bool paged = self->align != self->out_align;
	struct range bytes;

	where.out = locate(&w->req.req_outbuf, where.len);
	for (unsigned int i = 0; i < where.nr_in; i++)
		where.in[i] = locate(&w->buf[i], where.len);
	bytes.least = dma_bytes(&where, self->out_align, self->align, paged);
	bytes.most = dma_bytes(&where, self->out_align, self->align, false);
	free(where.out);
	for (unsigned int i = 0; i < where.nr_in; i++)
		free(where.in[i]);
	return bytes;
}

/* In so many pieces, each at random; or, with 0, whole and @off bytes into a page */
static void lay_out(FIXTURE_DATA(dma) *self, struct work *w, const struct dt_func *f, size_t len,
		    unsigned int nr, size_t out_off, size_t in_off)
{
	size_t page = dt_page_size(), room = (len / page + 2) * page;
	uint8_t *cursor = self->arena;

	w->f = f;
	dt_req_garbage(&w->req, dt_rand(&self->rng));
	for (unsigned int i = 0; i <= f->nr_in; i++) {
		struct dt_region *r = i ? &w->in[i - 1] : &w->out;

		if (nr) {
			dt_scatter(&self->rng, r, &cursor, len, nr);
		} else {
			dt_cut(&self->rng, r, cursor + (i ? in_off : out_off), len, 1);
			cursor += room;
		}
		if (i)
			w->buf[i - 1] = (dmio_buffer){ r->iov, r->nr };
	}
	w->req.req_outbuf = (dmio_buffer){ w->out.iov, w->out.nr };
	if (f->op == DT_FILL8)
		w->req.req_immediate[0] = 0x3c;
	else if (f->nr_in)
		w->req.req_inbuf = w->buf;
	w->used = cursor - self->arena;
}

static void work_free(struct work *w)
{
	dt_region_free(&w->out);
	for (unsigned int i = 0; i < w->f->nr_in; i++)
		dt_region_free(&w->in[i]);
}

/* Do it and compare all the memory: the error, or -EILSEQ */
static int do_work(FIXTURE_DATA(dma) *self, int fd, struct work *w)
{
	uint8_t *want = malloc(w->out.len);
	size_t at = 0;
	int err;

	if (!want)
		abort();
	dt_compute(w->f, 0x3c, w->buf, want, w->out.len);
	memcpy(self->model, self->arena, w->used);
	for (unsigned int i = 0; i < w->out.nr; at += w->out.iov[i++].iov_len)
		memcpy(self->model + ((uint8_t *)w->out.iov[i].iov_base - self->arena), want + at,
		       w->out.iov[i].iov_len);
	free(want);
	err = dt_do(fd, &w->req);
	return err ? err : dt_diff(self->arena, self->model, w->used) == -1 ? 0 : -EILSEQ;
}

/* What the engines but the CPU have done, in all */
static struct dmoverio_engine channels_sum(int fd)
{
	struct dmoverio_engine sum = { .size = 0 };
	struct dt_engines all;

	dt_engines(fd, &all);
	for (unsigned int i = 1; i < all.nr; i++) {
		sum.windows += all.engine[i].windows;
		sum.bytes += all.engine[i].bytes;
		sum.edge_bytes += all.engine[i].edge_bytes;
		sum.errors += all.engine[i].errors;
		sum.restarts += all.engine[i].restarts;
	}
	return sum;
}

static bool only(const struct dt_ways *ways, enum dt_way way, long long bytes)
{
	struct dt_ways want = { .bytes = { 0 } };

	want.bytes[way] = bytes;
	return !memcmp(ways, &want, sizeof(want));
}

static void show(const char *what, const struct dt_ways *ways)
{
	printf("# %s:", what);
	for (unsigned int i = 0; i < DT_NR_WAYS; i++)
		if (ways->bytes[i])
			printf(" %s %lld", dt_way_name(i), ways->bytes[i]);
	printf("\n");
	fflush(stdout);
}

/* Do some work that a channel can do, and see that it did, of it, what it may */
static void check_dma(struct __test_metadata *_metadata, FIXTURE_DATA(dma) *self, int fd,
		      struct work *w)
{
	struct dt_ways before = dt_ways(fd), before_all = dt_ways_all(), moved, moved_all;
	struct dmoverio_engine was = channels_sum(fd), is;
	struct range may = dma_bytes_of(self, w);
	long long dma, edges;

	ASSERT_EQ(0, do_work(self, fd, w));
	moved = dt_ways_since(dt_ways(fd), before);
	moved_all = dt_ways_since(dt_ways_all(), before_all);
	is = channels_sum(fd);

	dma = moved.bytes[DT_DMA];
	edges = w->out.len - dma;

	EXPECT_EQ((long long)w->out.len, dt_ways_sum(&moved));
	EXPECT_EQ(0, memcmp(&moved, &moved_all, sizeof(moved)));
	EXPECT_LE(may.least, dma);
	EXPECT_GE(may.most, dma);
	EXPECT_EQ(edges, moved.bytes[DT_EDGE]) {
		show(w->f->name, &moved);
	}
	EXPECT_EQ(1, is.windows - was.windows);
	EXPECT_EQ(dma, (long long)(is.bytes - was.bytes));
	EXPECT_EQ(edges, (long long)(is.edge_bytes - was.edge_bytes));
	EXPECT_EQ(0, is.errors - was.errors);
	EXPECT_EQ(0, is.restarts - was.restarts);
}

/* ... or that it says that there is none */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(dma) *self, int fd,
		  struct work *w)
{
	struct dt_ways before = dt_ways(fd), moved;

	if (dt_channels(fd, dt_func_id(w->f)) > 0) {
		check_dma(_metadata, self, fd, w);
		return;
	}
	ASSERT_EQ(0, do_work(self, fd, w));
	moved = dt_ways_since(dt_ways(fd), before);
	EXPECT_TRUE(only(&moved, DT_NO_CHANNEL, w->out.len)) {
		show(w->f->name, &moved);
	}
}

static const char *const names[] = { "copy", "zero", "fill8", "xor2", "xor3", "xor5", "xor16" };

TEST_F_TIMEOUT(dma, whole_regions, 300)
{
	static const size_t offs[][2] = { { 0, 0 }, { 1, 1 }, { 8, 24 }, { 1, 2 }, { 64, 0 },
					  { 63, 4095 } };
	static const size_t lengths[] = { 1, 63, 64, 65, 127, 4096, 10000, 70001 };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = dt_open_policy(names[i], DMOVERIO_POLICY_PREFER_DMA);

		ASSERT_LE(0, fd);
		for (unsigned int k = 0; k < ARRAY_SIZE(offs) * ARRAY_SIZE(lengths); k++) {
			const size_t *off = offs[k % ARRAY_SIZE(offs)];
			struct work w;

			lay_out(self, &w, dt_func(names[i]), lengths[k / ARRAY_SIZE(offs)], 0,
				off[0], off[1]);
			check(_metadata, self, fd, &w);
			work_free(&w);
		}
		close(fd);
	}
}

TEST_F_TIMEOUT(dma, scattered_regions, 300)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = dt_open_policy(names[i], DMOVERIO_POLICY_PREFER_DMA);

		ASSERT_LE(0, fd);
		for (unsigned int round = 0; round < dt_scale(8, 300); round++) {
			struct work w;

			lay_out(self, &w, dt_func(names[i]), dt_between(&self->rng, 1, 40000),
				dt_between(&self->rng, 1, 100), 0, 0);
			check(_metadata, self, fd, &w);
			work_free(&w);
		}
		close(fd);
	}
}

/* -- by the CPU, and why */

/* @len bytes from a page's beginning on; which way they went */
static struct dt_ways go(struct __test_metadata *_metadata, FIXTURE_DATA(dma) *self, int fd,
			 const char *name, size_t len, unsigned int nr)
{
	struct dt_ways before = dt_ways(fd);
	struct work w;

	lay_out(self, &w, dt_func(name), len, nr, 0, 0);
	EXPECT_EQ(0, do_work(self, fd, &w));
	work_free(&w);
	return dt_ways_since(dt_ways(fd), before);
}

#define EXPECT_ONLY(way, bytes_, ways_)				\
do {								\
	struct dt_ways found_ = (ways_);			\
								\
	EXPECT_TRUE(only(&found_, way, bytes_)) {		\
		show("found", &found_);				\
	}							\
} while (0)

TEST_F_TIMEOUT(dma, cpu, 60)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		int fd = dt_open_policy(names[i], DMOVERIO_POLICY_CPU);

		ASSERT_LE(0, fd);
		EXPECT_ONLY(DT_POLICY, 1, go(_metadata, self, fd, names[i], 1, 0));
		EXPECT_ONLY(DT_POLICY, 300001, go(_metadata, self, fd, names[i], 300001, 20));
		close(fd);
	}
}

/* A policy holds for what is written from then on */
TEST_F_TIMEOUT(dma, changed_in_between, 60)
{
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_CPU);
	bool can = dt_channels(fd, DMOVERIO_FUNC_COPY) > 0;

	EXPECT_ONLY(DT_POLICY, 65536, go(_metadata, self, fd, "copy", 65536, 0));
	EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_PREFER_DMA));
	EXPECT_ONLY(can ? DT_DMA : DT_NO_CHANNEL, 65536,
		    go(_metadata, self, fd, "copy", 65536, 0));
	EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_CPU));
	EXPECT_ONLY(DT_POLICY, 65536, go(_metadata, self, fd, "copy", 65536, 0));
	close(fd);
}

TEST_F_TIMEOUT(dma, large_enough, 60)
{
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_AUTO);
	bool can = dt_channels(fd, DMOVERIO_FUNC_COPY) > 0;
	enum dt_way large = can ? DT_DMA : DT_NO_CHANNEL, small = can ? DT_SMALL : DT_NO_CHANNEL;
	static const size_t thresholds[] = { 65536, 8192, 128 << 10 };
	size_t page = dt_page_size();

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, dt_set_param("learn", 0));
	for (unsigned int i = 0; i < ARRAY_SIZE(thresholds); i++) {
		size_t bytes = thresholds[i];

		ASSERT_EQ(0, dt_set_param("dma_threshold", bytes));
		EXPECT_ONLY(small, bytes - 1, go(_metadata, self, fd, "copy", bytes - 1, 0));
		EXPECT_ONLY(large, bytes, go(_metadata, self, fd, "copy", bytes, 0));
		EXPECT_ONLY(large, bytes + page,
			    go(_metadata, self, fd, "copy", bytes + page, 0));
	}
	/* In pieces that are too small, it does not help */
	EXPECT_ONLY(small, 200000, go(_metadata, self, fd, "copy", 200000, 900));
	ASSERT_EQ(0, dt_set_param("dma_threshold", 0));
	EXPECT_ONLY(small, 1000, go(_metadata, self, fd, "copy", 1000, 0));
	EXPECT_ONLY(large, page, go(_metadata, self, fd, "copy", page, 0));
	close(fd);
}

#if defined(DMIO_ABI) && DMIO_ABI == 2
TEST_F(dma, no_channel_does_crc32c)
{
	int fd = dt_open_policy("iscsi-crc32c", DMOVERIO_POLICY_PREFER_DMA);
	struct iovec iov = { self->arena, 100001 };
	dmio_buffer in = { &iov, 1 };
	struct dmio_usrreq req = { .req_inbuf = &in, .req_id = 1 };

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, dt_do(fd, &req));
	EXPECT_ONLY(DT_NO_CHANNEL, 100001, dt_ways(fd));
	EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_CPU));
	EXPECT_EQ(0, dt_do(fd, &req));
	EXPECT_EQ(100001, dt_ways(fd).bytes[DT_POLICY]);
	close(fd);
}
#endif

/* -- memory that DMA cannot reach */

static int copy(int fd, void *dst, const void *src, size_t len)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, dst, len, src);
	return dt_do(fd, &r.req);
}

/* What is answered where DMA is required, if there is a channel; nothing is counted */
static void check_refused(struct __test_metadata *_metadata, int want, void *dst,
			  const void *src, size_t len)
{
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	struct dt_ways ways;

	if (fd == -ESRCH)
		return;
	ASSERT_LE(0, fd);
	EXPECT_EQ(want, copy(fd, dst, src, len));
	ways = dt_ways(fd);
	EXPECT_EQ(0, dt_ways_sum(&ways));
	close(fd);
}

TEST_F_TIMEOUT(dma, secret_memory, 60)
{
	static const size_t lengths[] = { 1, 5000, 200000 };
	int memfd = syscall(SYS_memfd_secret, O_CLOEXEC), fd;
	uint8_t *secret;

	if (memfd < 0)
		SKIP(return, "no secret memory in this kernel");
	ASSERT_EQ(0, ftruncate(memfd, 1 << 20));
	secret = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, (void *)secret);
	memset(secret, 0x3c, 1 << 20);
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		size_t len = lengths[i];

		fd = dt_open_policy("copy", DMOVERIO_POLICY_PREFER_DMA);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, copy(fd, secret + 100, self->arena, len));
		EXPECT_ONLY(DT_UNPINNABLE, (long long)len, dt_ways(fd));
		EXPECT_EQ(0, copy(fd, self->model, secret + 100, len));
		EXPECT_ONLY(DT_UNPINNABLE, 2 * (long long)len, dt_ways(fd));
		EXPECT_EQ(-1, dt_diff(self->model, self->arena, len));
		close(fd);
		check_refused(_metadata, EOPNOTSUPP, secret + 100, self->arena, len);
		check_refused(_metadata, EOPNOTSUPP, self->model, secret + 100, len);
	}
	close(memfd);
}

TEST_F_TIMEOUT(dma, no_memory_there, 60)
{
	static const size_t lengths[] = { 1, 5000, 200000 };
	uint8_t *nothing = dt_mmap(1 << 20), *constant = dt_mmap(1 << 20);

	/* All of it is about DMA that is required */
	if (!self->driver[0] && !dt_channels_expected())
		SKIP(return, "no DMA channel in this guest");
	ASSERT_TRUE(self->driver[0]);
	ASSERT_EQ(0, mprotect(nothing, 1 << 20, PROT_NONE));
	ASSERT_EQ(0, mprotect(constant, 1 << 20, PROT_READ));
	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		check_refused(_metadata, EFAULT, nothing + 1, self->arena, lengths[i]);
		check_refused(_metadata, EFAULT, self->arena, nothing + 1, lengths[i]);
		check_refused(_metadata, EFAULT, constant + 1, self->arena, lengths[i]);
	}
}

/* In a process that may pin nothing: the bits of what is not as it should be */
static int without_budget(FIXTURE_DATA(dma) *self)
{
	static const size_t lengths[] = { 1, 5000, 200000 };
	int bad = dt_become_limited(1234, 0) ? 1 : 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		int fd = dt_open_policy("copy", DMOVERIO_POLICY_PREFER_DMA);
		struct dt_ways ways;

		bad |= copy(fd, self->model, self->arena, lengths[i]) ? 2 : 0;
		bad |= dt_diff(self->model, self->arena, lengths[i]) == -1 ? 0 : 4;
		ways = dt_ways(fd);
		bad |= only(&ways, DT_BUDGET, lengths[i]) ? 0 : 8;
		close(fd);
		fd = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
		if (fd == -ESRCH)
			continue;
		bad |= copy(fd, self->model, self->arena, lengths[i]) == ENOMEM ? 0 : 16;
		ways = dt_ways(fd);
		bad |= dt_ways_sum(&ways) ? 32 : 0;
		close(fd);
	}
	return bad;
}

TEST_F_TIMEOUT(dma, nothing_may_be_pinned, 60)
{
	pid_t pid = fork();

	if (!pid)
		_exit(without_budget(self));
	EXPECT_EQ(0, dt_said(pid, DT_PATIENCE_MS));
}

/* -- the controller itself was at work */

/* How often the interrupt with this name came */
static long long interrupts(const char *name)
{
	FILE *f = fopen("/proc/interrupts", "re");
	long long sum = 0;
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		char *last = strrchr(line, ' '), *word = strchr(line, ':'), *end;

		if (!last || !word || strncmp(last + 1, name, strlen(name)) ||
		    last[1 + strlen(name)] != '\n')
			continue;
		for (word++;; word = end) {
			long long count = strtoll(word, &end, 10);

			if (end == word)
				break;
			sum += count;
		}
	}
	if (f)
		fclose(f);
	return sum;
}

/* The same, once it is more than @before; some drivers look without being told to */
static long long interrupts_later(const char *name, long long before)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS, now;

	while ((now = interrupts(name)) <= before && dt_now_ms() < end)
		dt_sleep_ms(1);
	return now;
}

TEST_F_TIMEOUT(dma, interrupts_come, 60)
{
	const char *name = getenv("DMATEST_IRQ");
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_PREFER_DMA);

	ASSERT_LE(0, fd);
	if (!name) {
		close(fd);
		SKIP(return, "no interrupt of a controller to look at");
	}
	for (unsigned int i = 0; i < 10; i++) {
		long long before = interrupts(name);

		EXPECT_ONLY(DT_DMA, 65536, go(_metadata, self, fd, "copy", 65536, 0));
		EXPECT_LT(before, interrupts_later(name, before));
	}
	close(fd);
}

TEST_HARNESS_MAIN
