// SPDX-License-Identifier: GPL-2.0
/*
 * Channels that come and go: given back and taken again by an administrator,
 * losing and getting their driver, also under load. No request is lost, answered
 * twice or wrong. See transfer_test for what is in flight when they go.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"
#include "load.h"

FIXTURE(channels) {
	struct dt_rng rng;
	long long pins;
	int fd;				/* without function */
	int nr;				/* channels */
	struct dt_engines before;
	char sim[1024], options[1024];	/* parameters of the modules */
};

#define NEED_CHANNELS()							\
do {									\
	if (self->nr <= 0)						\
		SKIP(return, "no DMA channel in this guest");		\
} while (0)

#define NEED_SIM()							\
do {									\
	if (!sim_is_there())						\
		SKIP(return, "no simulated controller in this guest");	\
} while (0)

FIXTURE_SETUP(channels)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
	self->nr = dt_channels(self->fd, DMOVERIO_FUNC_COPY);
	ASSERT_LE(dt_channels_expected(), self->nr);
	ASSERT_EQ(0, dt_engines(self->fd, &self->before));
	ASSERT_EQ(0, dt_options("dmoverio", self->options, sizeof(self->options)));
	if (sim_is_there())
		ASSERT_EQ(0, dt_options("dmover_sim", self->sim, sizeof(self->sim)));
}

FIXTURE_TEARDOWN(channels)
{
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static const struct dmoverio_engine *find(const struct dt_engines *all, const char *name)
{
	for (unsigned int i = 1; i < all->nr; i++)
		if (!strcmp(all->engine[i].name, name))
			return &all->engine[i];
	return NULL;
}

/* The first of the channels that there were in the beginning */
static const struct dmoverio_engine *first(FIXTURE_DATA(channels) *self)
{
	for (unsigned int i = 1; i < self->before.nr; i++)
		if (dt_is_channel(&self->before.engine[i], DMOVERIO_FUNC_COPY))
			return &self->before.engine[i];
	return NULL;
}

static bool is_released(int fd, const char *name)
{
	struct dt_engines all;
	const struct dmoverio_engine *e;

	if (dt_engines(fd, &all))
		return false;
	e = find(&all, name);
	return e && !e->id && e->state == DMOVERIO_ENGINE_UNUSED &&
	       e->reason == DMOVERIO_UNUSED_RELEASED;
}

static int copy(int fd, void *dst, const void *src, size_t len)
{
	struct dt_req r;

	dt_req_init1(&r, "copy", 1, dst, len, src);
	return dt_do(fd, &r.req);
}

/* Is DMA used? */
static void expect_dma(struct __test_metadata *_metadata)
{
	int fd = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	uint8_t *mem = dt_mmap(2 * 65536);

	ASSERT_LE(0, fd);
	memset(mem, 0x3c, 65536);
	EXPECT_EQ(0, copy(fd, mem + 65536, mem, 65536));
	EXPECT_EQ(-1, dt_diff(mem + 65536, mem, 65536));
	EXPECT_EQ(65536, dt_ways(fd).bytes[DT_DMA]);
	close(fd);
}

/* -- one at a time */

TEST_F_TIMEOUT(channels, release_and_rescan, 120)
{
	const struct dmoverio_engine *was, *is;
	struct dt_engines all;

	EXPECT_EQ(-ENODEV, dt_release("dma99chan99"));
	EXPECT_EQ(-ENODEV, dt_release("cpu"));
	EXPECT_EQ(-ENODEV, dt_release("\n"));
	NEED_CHANNELS();
	was = first(self);
	EXPECT_EQ(0, dt_release(was->name));
	EXPECT_EQ(self->nr - 1, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	EXPECT_TRUE(is_released(self->fd, was->name));
	EXPECT_EQ(-ENODEV, dt_release(was->name));
	EXPECT_EQ(-EINVAL, dt_write_line("/sys/class/misc/dmoverio/rescan", "maybe"));
	EXPECT_EQ(0, dt_write_line("/sys/class/misc/dmoverio/rescan", "0"));
	EXPECT_TRUE(is_released(self->fd, was->name));
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	ASSERT_EQ(0, dt_engines(self->fd, &all));
	is = find(&all, was->name);
	ASSERT_NE(NULL, is);
	/* Its number is none that there was */
	for (unsigned int i = 0; i < self->before.nr; i++)
		EXPECT_LT(self->before.engine[i].id, is->id);
	EXPECT_EQ(0, is->windows);
	expect_dma(_metadata);
}

/* A channel's counters in sysfs, which nobody changes meanwhile, are those of the ioctl */
static void expect_in_sysfs(struct __test_metadata *_metadata, const struct dmoverio_engine *e)
{
#define COUNTER(name)	{ #name, e->name }
	const struct { const char *name; long long want; } counters[] = {
		COUNTER(queued_bytes), COUNTER(windows), COUNTER(bytes), COUNTER(edge_bytes),
		COUNTER(errors), COUNTER(restarts), COUNTER(parked_pages),
	};
#undef COUNTER

	for (unsigned int i = 0; i < ARRAY_SIZE(counters); i++) {
		EXPECT_EQ(counters[i].want, dt_channel_counter(e->name, counters[i].name)) {
			TH_LOG("%s of %s", counters[i].name, e->name);
		}
	}
}

TEST_F_TIMEOUT(channels, counters_in_sysfs, 120)
{
	struct dt_engines all;
	char path[128];

	NEED_CHANNELS();
	for (int i = 0; i < 2 * self->nr; i++)
		expect_dma(_metadata);
	ASSERT_EQ(0, dt_engines(self->fd, &all));
	for (unsigned int i = 1; i < all.nr; i++)
		if (dt_is_channel(&all.engine[i], DMOVERIO_FUNC_NONE))
			expect_in_sysfs(_metadata, &all.engine[i]);
	/* What is not held is not there; and it begins with nothing */
	snprintf(path, sizeof(path), DT_DEVICE "%s", first(self)->name);
	EXPECT_EQ(0, access(path, F_OK));
	ASSERT_EQ(0, dt_release("all"));
	EXPECT_EQ(-1, access(path, F_OK));
	ASSERT_EQ(0, dt_rescan());
	ASSERT_EQ(0, dt_engines(self->fd, &all));
	ASSERT_TRUE(find(&all, first(self)->name) != NULL);
	EXPECT_EQ(0, find(&all, first(self)->name)->windows);
	expect_in_sysfs(_metadata, find(&all, first(self)->name));
}

TEST_F_TIMEOUT(channels, release_all, 120)
{
	int need = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	int want = dt_open_policy("copy", DMOVERIO_POLICY_PREFER_DMA);
	uint8_t *mem = dt_mmap(2 * 65536);

	NEED_CHANNELS();
	ASSERT_LE(0, need);
	EXPECT_EQ(0, dt_release("all"));
	EXPECT_EQ(0, dt_channels(self->fd, DMOVERIO_FUNC_NONE));
	for (unsigned int i = 1; i < self->before.nr; i++)
		if (dt_is_channel(&self->before.engine[i], DMOVERIO_FUNC_NONE))
			EXPECT_TRUE(is_released(self->fd, self->before.engine[i].name));
	EXPECT_EQ(ENODEV, copy(need, mem + 65536, mem, 65536));
	EXPECT_EQ(0, copy(want, mem + 65536, mem, 65536));
	EXPECT_EQ(65536, dt_ways(want).bytes[DT_NO_CHANNEL]);
	EXPECT_EQ(-ENODEV, dt_release("all"));
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	EXPECT_EQ(0, copy(need, mem + 65536, mem, 65536));
	EXPECT_EQ(0, copy(want, mem + 65536, mem, 65536));
	EXPECT_EQ(65536, dt_ways(need).bytes[DT_DMA]);
	EXPECT_EQ(65536, dt_ways(want).bytes[DT_DMA]);
	close(need);
	close(want);
}

/* Other devices with other parameters, all taken by us */
static void reload_sim(struct __test_metadata *_metadata, FIXTURE_DATA(channels) *self,
		       const char *more, int nr)
{
	char options[sizeof(self->sim) + 64];

	snprintf(options, sizeof(options), "%s %s", self->sim, more);
	EXPECT_EQ(0, dt_release("all"));
	ASSERT_EQ(0, dt_rmmod("dmover_sim"));
	ASSERT_EQ(0, dt_insmod("dmover-sim", options));
	ASSERT_EQ(0, dt_rescan());
	ASSERT_EQ(0, dt_wait_channels(self->fd, nr));
}

/* Only an administrator takes back what an administrator gave away */
TEST_F_TIMEOUT(channels, a_new_bind_leaves_released_ones_alone, 240)
{
	const struct dmoverio_engine *was = first(self);

	NEED_SIM();
	NEED_CHANNELS();
	reload_sim(_metadata, self, "devices=2", 2 * self->nr);
	ASSERT_EQ(0, dt_release(was->name));
	for (unsigned int device = 2; device--; ) {
		EXPECT_EQ(0, sim_bind(device, false));
		EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr - device));
		EXPECT_EQ(0, sim_bind(device, true));
		EXPECT_EQ(0, dt_wait_channels(self->fd, 2 * self->nr - 1));
		EXPECT_TRUE(is_released(self->fd, was->name));
	}
	ASSERT_EQ(0, dt_rescan());
	EXPECT_EQ(2 * self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	reload_sim(_metadata, self, "", self->nr);
	expect_dma(_metadata);
}

TEST_F_TIMEOUT(channels, modules_come_and_go, 240)
{
	char options[sizeof(self->options) + 32];

	NEED_SIM();
	NEED_CHANNELS();
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmover_sim"));
	expect_dma(_metadata);
	/* Unbound, none of its channels is held, and it is taken when it comes back */
	EXPECT_EQ(0, sim_bind(0, false));
	EXPECT_EQ(0, dt_channels(self->fd, DMOVERIO_FUNC_NONE));
	ASSERT_EQ(0, dt_rmmod("dmover_sim"));
	ASSERT_EQ(0, dt_insmod("dmover-sim", self->sim));
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	expect_dma(_metadata);
	/* Held by nobody, because it was released */
	reload_sim(_metadata, self, "", self->nr);
	expect_dma(_metadata);
	/* We ourselves */
	EXPECT_EQ(-EAGAIN, dt_rmmod("dmoverio"));
	close(self->fd);
	EXPECT_EQ(0, dt_rmmod_later("dmoverio"));
	/* The last one of an option counts */
	snprintf(options, sizeof(options), "%s edge_align=3", self->options);
	EXPECT_EQ(-EINVAL, dt_insmod("dmoverio", options));
	ASSERT_EQ(0, dt_insmod("dmoverio", self->options));
	self->fd = dt_open(NULL, 0);
	EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	expect_dma(_metadata);
}

/* -- under load */

static void finish(struct __test_metadata *_metadata, struct load *load)
{
	load_end(load);
	for (unsigned int i = 0; i < NR_LOADS; i++) {
		bool required = load[i].policy == DMOVERIO_POLICY_REQUIRE_DMA;

		EXPECT_EQ(NULL, load[i].bad) {
			TH_LOG("%s, %s: %s", load[i].func, required ? "required" : "preferred",
			       load[i].bad);
		}
		TH_LOG("%s: %u batches, %u refused, %lld bytes by DMA, %lld without channel, %lld removed",
		       load[i].func, load[i].batches, load[i].refused,
		       load[i].ways.bytes[DT_DMA], load[i].ways.bytes[DT_NO_CHANNEL],
		       load[i].ways.bytes[DT_REMOVED]);
		/* They saw it with channels and without */
		EXPECT_LT(0, load[i].ways.bytes[DT_NO_CHANNEL] + load[i].refused);
		EXPECT_EQ(required, !load[i].ways.bytes[DT_NO_CHANNEL]);
		if (required || strcmp(load[i].func, "copy") == 0)
			EXPECT_LT(0, load[i].ways.bytes[DT_DMA]);
	}
}

TEST_F_TIMEOUT(channels, released_under_load, 3600)
{
	unsigned int rounds = dt_scale(50, 200);
	const struct dmoverio_engine *one = first(self);
	struct load load[NR_LOADS];

	NEED_CHANNELS();
	ASSERT_EQ(0, load_start(load, &self->rng));
	EXPECT_TRUE(load_progress(load));
	for (unsigned int i = 0; i < rounds && _metadata->passed; i++) {
		EXPECT_EQ(0, dt_release(i % 2 ? one->name : "all"));
		/* Every now and then it goes so fast that nobody sees it */
		EXPECT_TRUE(i % 5 == 4 || load_progress(load));
		EXPECT_EQ(0, dt_rescan());
		EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
		EXPECT_TRUE(i % 5 == 4 || load_progress(load));
	}
	finish(_metadata, load);
	expect_dma(_metadata);
}

TEST_F_TIMEOUT(channels, unbound_under_load, 3600)
{
	unsigned int rounds = dt_scale(50, 200), nr_held = 0;
	struct dmoverio_engine one;
	struct load load[NR_LOADS];

	NEED_CHANNELS();
	one = *first(self);
	/* Drivers have bugs of their own where they are removed */
	if (strcmp(one.driver, "dmover-sim") && strcmp(one.driver, "ioatdma"))
		SKIP(return, "no driver known to bear it in this guest");
	ASSERT_EQ(0, load_start(load, &self->rng));
	EXPECT_TRUE(load_progress(load));
	for (unsigned int i = 0; nr_held < rounds && _metadata->passed; i++) {
		nr_held += dt_channels(self->fd, DMOVERIO_FUNC_NONE) > 0;
		EXPECT_EQ(0, dt_bind(one.driver, one.device, false));
		EXPECT_EQ(0, dt_channels(self->fd, DMOVERIO_FUNC_NONE));
		EXPECT_TRUE(i % 5 == 4 || load_progress(load));
		EXPECT_EQ(0, dt_bind(one.driver, one.device, true));
		/* In every other round it is unbound again before we took it */
		EXPECT_EQ(0, i % 2 ? 0 : dt_wait_channels(self->fd, self->nr));
		EXPECT_TRUE(i % 5 == 4 || load_progress(load));
	}
	EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
	EXPECT_TRUE(load_progress(load));
	finish(_metadata, load);
	expect_dma(_metadata);
}

/* Modules of drivers that bear it, and their files */
static const struct {
	const char *driver, *module, *file;
} providers[] = {
	{ "dmover-sim", "dmover_sim", "dmover-sim" }, { "ioatdma", "ioatdma", "ioatdma" },
};

/* All devices lose the driver: how often that failed */
static unsigned int unbind_all(FIXTURE_DATA(channels) *self, const char *driver)
{
	unsigned int nr_failed = 0;

	for (unsigned int i = 1; i < self->before.nr; i++) {
		const struct dmoverio_engine *e = &self->before.engine[i];

		if (dt_is_channel(e, DMOVERIO_FUNC_NONE) && !strcmp(e->driver, driver) &&
		    strcmp(e->device, e[-1].device))
			nr_failed += dt_bind(driver, e->device, false) != 0;
	}
	return nr_failed;
}

/* Held, its module stays; given back in either way, it goes, and comes back */
TEST_F_TIMEOUT(channels, driver_unloaded_under_load, 3600)
{
	unsigned int rounds = dt_scale(4, 50), nr = 0;
	struct load load[NR_LOADS];
	struct dmoverio_engine one;

	NEED_CHANNELS();
	one = *first(self);
	while (nr < ARRAY_SIZE(providers) && strcmp(one.driver, providers[nr].driver))
		nr++;
	if (nr == ARRAY_SIZE(providers))
		SKIP(return, "no driver known to bear it in this guest");
	ASSERT_EQ(0, load_start(load, &self->rng));
	EXPECT_TRUE(load_progress(load));
	for (unsigned int i = 0; i < rounds && _metadata->passed; i++) {
		bool released = i % 2;

		EXPECT_EQ(-EAGAIN, dt_rmmod(providers[nr].module));
		EXPECT_EQ(self->nr, dt_channels(self->fd, DMOVERIO_FUNC_COPY));
		if (released)
			EXPECT_EQ(0, dt_release("all"));
		if (!released)
			EXPECT_EQ(0, unbind_all(self, one.driver));
		EXPECT_EQ(0, dt_channels(self->fd, DMOVERIO_FUNC_NONE));
		EXPECT_EQ(0, dt_rmmod(providers[nr].module));
		EXPECT_TRUE(load_progress(load));
		EXPECT_EQ(0, dt_insmod(providers[nr].file, self->sim));
		/* What an administrator gave away only an administrator takes back */
		if (released)
			EXPECT_EQ(0, dt_rescan());
		EXPECT_EQ(0, dt_wait_channels(self->fd, self->nr));
		EXPECT_TRUE(load_progress(load));
	}
	finish(_metadata, load);
	expect_dma(_metadata);
}

TEST_HARNESS_MAIN
