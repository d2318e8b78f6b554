// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls about DMA: who may do a session's work, and which engines there
 * are. They are there in every kernel, with and without channels, and the same
 * for 32-bit programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"

#define LEN	5000
#define PARAMETER "/sys/module/dmoverio/parameters/policy"

static const char *const words[] = {
	[DMOVERIO_POLICY_AUTO] = "auto", [DMOVERIO_POLICY_PREFER_DMA] = "prefer-dma",
	[DMOVERIO_POLICY_REQUIRE_DMA] = "require-dma", [DMOVERIO_POLICY_CPU] = "cpu",
};

FIXTURE(policy) {
	struct dt_rng rng;
	long long pins;
	char module[32];		/* the module's parameter */
	uint8_t *src, *dst;
	struct dt_req copy;
	int fd;				/* without function */
};

FIXTURE_SETUP(policy)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	ASSERT_EQ(0, dt_read_line(PARAMETER, self->module, sizeof(self->module)));
	self->src = dt_mmap(LEN);
	self->dst = dt_mmap(LEN);
	dt_fill(&self->rng, self->src, LEN);
	dt_req_init1(&self->copy, "copy", 1, self->dst, LEN, self->src);
	self->fd = dt_open(NULL, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(policy)
{
	EXPECT_EQ(0, dt_write_line(PARAMETER, self->module));
	EXPECT_EQ(0, dt_rescan());
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static bool copies(FIXTURE_DATA(policy) *self, int fd)
{
	memset(self->dst, 0xee, LEN);
	return !dt_do(fd, &self->copy.req) && dt_diff(self->dst, self->src, LEN) == -1;
}

/* Does fdinfo call the session's policy so? */
static bool is_called(int fd, const char *want)
{
	char word[32];

	dt_policy_word(fd, word, sizeof(word));
	return !strcmp(word, want);
}

/* -- engines */

static int get_engine_raw(int fd, void *arg)
{
	return ioctl(fd, DMOVERIO_IOC_GET_ENGINE, arg) ? -errno : 0;
}

TEST_F(policy, the_first_engine_is_the_cpu)
{
	struct dmoverio_engine cpu;

	ASSERT_EQ(0, dt_get_engine(self->fd, 0, &cpu));
	EXPECT_EQ(sizeof(cpu), cpu.size);
	EXPECT_EQ(0, cpu.index);
	EXPECT_EQ(1, cpu.id);
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, cpu.state);
	EXPECT_EQ(0, cpu.reason);
	EXPECT_EQ(0, cpu.resv);
	for (unsigned int id = DMOVERIO_FUNC_ZERO; id <= DMOVERIO_FUNC_CRC32C; id++)
		EXPECT_EQ(1, cpu.funcs >> id & 1);
	EXPECT_EQ(0, cpu.funcs & 1);
	EXPECT_EQ(0, cpu.funcs >> (DMOVERIO_FUNC_CRC32C + 1));
	EXPECT_EQ(0, cpu.queued_bytes);
	EXPECT_EQ(0, cpu.edge_bytes);
	EXPECT_STREQ("cpu", cpu.name);
}

static void check_channel(struct __test_metadata *_metadata, const struct dmoverio_engine *e)
{
	EXPECT_EQ(0, e->resv);
	EXPECT_LT(0, strnlen(e->name, sizeof(e->name)));
	EXPECT_GT(sizeof(e->name), strnlen(e->name, sizeof(e->name)));
	EXPECT_EQ(0, e->funcs >> DMOVERIO_FUNC_CRC32C);
	if (e->state == DMOVERIO_ENGINE_UNUSED) {
		EXPECT_EQ(0, e->id);
		EXPECT_LE(DMOVERIO_UNUSED_NO_FUNCTION, e->reason);
		EXPECT_GE(DMOVERIO_UNUSED_SINGLE, e->reason);
		EXPECT_EQ(0, e->windows + e->bytes + e->edge_bytes + e->queued_bytes);
		return;
	}
	EXPECT_LE(2, e->id);
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e->state);
	EXPECT_EQ(0, e->reason);
	EXPECT_NE(0, e->funcs);
	EXPECT_LE(1, e->align);
	EXPECT_EQ(0, e->align & (e->align - 1));
	EXPECT_EQ(!!(e->funcs >> DMOVERIO_FUNC_XOR & 1), e->max_srcs >= 2);
}

TEST_F(policy, engines_are_counted_from_0)
{
	struct dmoverio_engine beyond;
	struct dt_engines all;

	ASSERT_EQ(0, dt_engines(self->fd, &all));
	ASSERT_LE(1, all.nr);
	for (unsigned int i = 0; i < all.nr; i++)
		EXPECT_EQ(i, all.engine[i].index);
	for (unsigned int i = 1; i < all.nr; i++) {
		check_channel(_metadata, &all.engine[i]);
		for (unsigned int k = 1; k < i; k++) {
			EXPECT_STRNE(all.engine[k].name, all.engine[i].name);
			EXPECT_TRUE(!all.engine[i].id || all.engine[k].id != all.engine[i].id);
		}
	}
	EXPECT_EQ(-ENOENT, dt_get_engine(self->fd, all.nr, &beyond));
	EXPECT_EQ(-ENOENT, dt_get_engine(self->fd, all.nr + 1, &beyond));
	EXPECT_EQ(-ENOENT, dt_get_engine(self->fd, UINT32_MAX, &beyond));
}

/* A guest with a controller of which no channel is used fails here */
TEST_F(policy, there_are_as_many_channels_as_expected)
{
	const char *others = getenv("DMIO_TEST_FUNCS");

	if (!dt_channels_expected())
		return;
	EXPECT_EQ(dt_channels_expected(), dt_channels(self->fd, DMOVERIO_FUNC_COPY));
	/* What else each of them does, so that it is not the CPU unnoticed */
	if (others && strstr(others, "xor"))
		EXPECT_EQ(dt_channels_expected(), dt_channels(self->fd, DMOVERIO_FUNC_XOR));
	if (others && strstr(others, "fill"))
		EXPECT_EQ(dt_channels_expected(), dt_channels(self->fd, DMOVERIO_FUNC_FILL8));
}

/* An argument with room for more than the kernel knows */
struct longer {
	struct dmoverio_engine engine;
	uint8_t tail[64];
};

TEST_F(policy, size_of_an_engine)
{
	static const uint32_t wrong[] = { 0, 1, 4, 8, sizeof(struct dmoverio_engine) - 1 };
	struct longer arg;

	for (unsigned int i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(&arg, 0, sizeof(arg));
		arg.engine.size = wrong[i];
		EXPECT_EQ(-EINVAL, get_engine_raw(self->fd, &arg));
	}
	memset(&arg, 0, sizeof(arg));
	arg.engine.size = sizeof(arg);
	EXPECT_EQ(0, get_engine_raw(self->fd, &arg));
	EXPECT_EQ(sizeof(arg.engine), arg.engine.size);
	EXPECT_EQ(1, arg.engine.id);
	for (unsigned int i = 0; i < sizeof(arg.tail); i += sizeof(arg.tail) - 1) {
		memset(&arg, 0, sizeof(arg));
		arg.engine.size = sizeof(arg);
		arg.tail[i] = 1;
		EXPECT_EQ(-E2BIG, get_engine_raw(self->fd, &arg));
		EXPECT_EQ(0, arg.engine.id);
	}
	memset(&arg, 0, sizeof(arg));
	arg.engine.size = UINT32_MAX;
	EXPECT_EQ(-E2BIG, get_engine_raw(self->fd, &arg));
	arg.engine.size = sizeof(arg.engine);
	arg.engine.resv = 1;
	EXPECT_EQ(-EINVAL, get_engine_raw(self->fd, &arg));
}

TEST_F(policy, an_engine_where_no_memory_is)
{
	struct dmoverio_engine *e = dt_guarded(sizeof(*e)), *page = dt_mmap(dt_page_size());
	uint8_t *behind = (uint8_t *)(e + 1);

	EXPECT_EQ(-EFAULT, get_engine_raw(self->fd, NULL));
	EXPECT_EQ(-EFAULT, get_engine_raw(self->fd, behind));
	EXPECT_EQ(-EFAULT, get_engine_raw(self->fd, behind - 3));
	memset(e, 0, sizeof(*e));
	e->size = sizeof(*e);
	EXPECT_EQ(0, get_engine_raw(self->fd, e));
	/* It ends where nothing can be read any more */
	memset(behind - 8, 0, 8);
	((struct dmoverio_engine *)(behind - 8))->size = sizeof(*e);
	EXPECT_EQ(-EFAULT, get_engine_raw(self->fd, behind - 8));
	/* It can be read, but not written */
	page->size = sizeof(*page);
	ASSERT_EQ(0, mprotect(page, dt_page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, get_engine_raw(self->fd, page));
	EXPECT_EQ(0, page->id);
}

/* -- setting a policy */

static int set_policy_raw(int fd, void *arg)
{
	return ioctl(fd, DMOVERIO_IOC_SET_POLICY, arg) ? -errno : 0;
}

TEST_F(policy, bad_policies)
{
	static const uint32_t unknown[] = { DMOVERIO_POLICY_CPU + 1, 100, UINT32_MAX };
	struct { struct dmoverio_policy p; uint8_t tail[8]; } arg = { .tail = { 0 } };
	struct dmoverio_policy *p = dt_guarded(sizeof(*p));

	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++)
			EXPECT_EQ(-EINVAL, dt_set_policy(self->fd, unknown[i]));
		arg.p = (struct dmoverio_policy){ sizeof(arg.p) - 1, DMOVERIO_POLICY_CPU };
		EXPECT_EQ(-EINVAL, set_policy_raw(self->fd, &arg));
		arg.p.size = 0;
		EXPECT_EQ(-EINVAL, set_policy_raw(self->fd, &arg));
		arg.p.size = sizeof(arg);
		arg.tail[7] = 1;
		EXPECT_EQ(-E2BIG, set_policy_raw(self->fd, &arg));
		EXPECT_EQ(-EFAULT, set_policy_raw(self->fd, NULL));
		EXPECT_EQ(-EFAULT, set_policy_raw(self->fd, p + 1));
		p->policy = sizeof(*p);
		EXPECT_EQ(-EFAULT, set_policy_raw(self->fd, &p->policy));
		if (!round)
			ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
		EXPECT_TRUE(is_called(self->fd, self->module));
	}
	arg.tail[7] = 0;
	EXPECT_EQ(0, set_policy_raw(self->fd, &arg));
	EXPECT_TRUE(is_called(self->fd, "cpu"));
	EXPECT_TRUE(copies(self, self->fd));
}

TEST_F(policy, before_the_function_and_after)
{
	for (uint32_t p = DMOVERIO_POLICY_AUTO; p <= DMOVERIO_POLICY_CPU; p++) {
		int fd;

		if (p == DMOVERIO_POLICY_REQUIRE_DMA)
			continue;
		fd = dt_open_policy("copy", p);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(is_called(fd, words[p]));
		EXPECT_TRUE(copies(self, fd));
		EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_DEFAULT));
		EXPECT_TRUE(is_called(fd, self->module));
		EXPECT_EQ(0, dt_set_policy(fd, p));
		EXPECT_TRUE(is_called(fd, words[p]));
		EXPECT_TRUE(copies(self, fd));
		close(fd);
	}
}

/* In another process: the error */
static int elsewhere(int fd)
{
	pid_t pid = fork();

	if (!pid)
		_exit(-dt_set_policy(fd, DMOVERIO_POLICY_CPU));
	return dt_said(pid, DT_PATIENCE_MS);
}

TEST_F(policy, of_another_process)
{
	struct dmoverio_engine engine;
	pid_t pid;

	EXPECT_EQ(0, elsewhere(self->fd));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	EXPECT_TRUE(is_called(self->fd, "cpu"));
	EXPECT_EQ(0, dt_set_policy(self->fd, DMOVERIO_POLICY_AUTO));
	EXPECT_EQ(EPERM, elsewhere(self->fd));
	EXPECT_TRUE(is_called(self->fd, "auto"));
	/* Anybody may look */
	pid = fork();
	if (!pid)
		_exit(-dt_get_engine(self->fd, 0, &engine));
	EXPECT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
}

/* -- DMA required */

static void check_required(struct __test_metadata *_metadata, const char *name, bool can)
{
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_REQUIRE_DMA));
	EXPECT_EQ(can ? 0 : -ESRCH, dt_setfunc(fd, name)) {
		TH_LOG("%s", name);
	}
	if (!can) {
		EXPECT_EQ(0, dt_set_policy(fd, DMOVERIO_POLICY_PREFER_DMA));
		EXPECT_EQ(0, dt_setfunc(fd, name));
	}
	close(fd);

	fd = dt_open_policy(name, DMOVERIO_POLICY_PREFER_DMA);
	ASSERT_LE(0, fd);
	EXPECT_EQ(can ? 0 : -ESRCH, dt_set_policy(fd, DMOVERIO_POLICY_REQUIRE_DMA));
	EXPECT_TRUE(is_called(fd, can ? "require-dma" : "prefer-dma"));
	close(fd);
}

TEST_F(policy, required_for_each_function)
{
	for (unsigned int i = 0; i < dt_nr_funcs; i++) {
		int nr = dt_channels(self->fd, dt_func_id(&dt_funcs[i]));

		ASSERT_LE(0, nr);
		check_required(_metadata, dt_funcs[i].name, nr);
	}
#if defined(DMIO_ABI) && DMIO_ABI == 2
	check_required(_metadata, "iscsi-crc32c", false);
#endif
}

TEST_F(policy, usable_after_it_was_required_in_vain)
{
	bool can = dt_channels(self->fd, DMOVERIO_FUNC_COPY) > 0;

	/* Without a channel now, if not before */
	if (can)
		ASSERT_EQ(0, dt_release("all"));
	EXPECT_EQ(0, dt_set_policy(self->fd, DMOVERIO_POLICY_REQUIRE_DMA));
	EXPECT_EQ(-ESRCH, dt_setfunc(self->fd, "copy"));
	EXPECT_EQ(0, dt_set_policy(self->fd, DMOVERIO_POLICY_AUTO));
	EXPECT_EQ(0, dt_setfunc(self->fd, "copy"));
	EXPECT_EQ(-ESRCH, dt_set_policy(self->fd, DMOVERIO_POLICY_REQUIRE_DMA));
	EXPECT_TRUE(is_called(self->fd, "auto"));
	EXPECT_TRUE(copies(self, self->fd));
	if (can)
		ASSERT_EQ(0, dt_rescan());
	EXPECT_EQ(can ? 0 : -ESRCH, dt_set_policy(self->fd, DMOVERIO_POLICY_REQUIRE_DMA));
	EXPECT_TRUE(copies(self, self->fd));
}

/* -- the module's parameter */

TEST_F(policy, bad_values_of_the_parameter)
{
	static const char *const bad[] = {
		"default", "DMA", "dma", "Auto", "auto,cpu", "cpu ", "0", "4", "-1", "prefer_dma",
	};
	char now[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, dt_write_line(PARAMETER, bad[i])) {
			TH_LOG("%s", bad[i]);
		}
		EXPECT_EQ(0, dt_read_line(PARAMETER, now, sizeof(now)));
		EXPECT_STREQ(self->module, now);
	}
}

TEST_F(policy, the_parameter_is_the_default)
{
	bool can = dt_channels(self->fd, DMOVERIO_FUNC_COPY) > 0;
	int chosen = dt_open_policy("copy", DMOVERIO_POLICY_CPU), fd;
	char now[32];

	ASSERT_LE(0, chosen);
	ASSERT_EQ(0, dt_write_line(PARAMETER, "auto"));
	ASSERT_EQ(0, dt_setfunc(self->fd, "copy"));
	for (uint32_t p = DMOVERIO_POLICY_AUTO; p <= DMOVERIO_POLICY_CPU; p++) {
		bool in_vain = p == DMOVERIO_POLICY_REQUIRE_DMA && !can;

		EXPECT_EQ(0, dt_write_line(PARAMETER, words[p]));
		EXPECT_EQ(0, dt_read_line(PARAMETER, now, sizeof(now)));
		EXPECT_STREQ(words[p], now);
		EXPECT_TRUE(is_called(self->fd, words[p]));
		EXPECT_TRUE(is_called(chosen, "cpu"));
		fd = dt_open("copy", 0);
		EXPECT_EQ(in_vain, fd == -ESRCH);
		if (in_vain) {
			/* One that was there before learns it now */
			EXPECT_EQ(ENODEV, dt_do(self->fd, &self->copy.req));
			continue;
		}
		EXPECT_LE(0, fd);
		EXPECT_TRUE(copies(self, fd));
		close(fd);
	}
	close(chosen);
}

TEST_HARNESS_MAIN
