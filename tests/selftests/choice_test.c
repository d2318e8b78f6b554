// SPDX-License-Identifier: GPL-2.0
/*
 * Is the choice that is made for a request as good as the best of those that could
 * be made for all?  One fast channel, one slow channel and the CPU, alone and left
 * to the scheduler, at every size.
 *
 * This is measured.  Channels of the simulated controller take the time that they
 * are told, but the processor does what they move: so they are told to lose it, and
 * cost no more of the processor than hardware would.  Processors' time counts for
 * nothing here, or to be late could be better.  Sizes are compared within a round,
 * and rounds are as many as it takes for what is not due to chance.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
#include "dma.h"
#include "kselftest_harness.h"

#define KIB		1024UL
#define MIB		(1024 * KIB)

#define MAX_SIZE	(16 * MIB)
#define HUGE		(2 * MIB)
#define NR_SIZES	13		/* 4 KiB and its doubles */

/* Requests until nothing is new to the scheduler; those measured; rounds */
#define NR_WARM		40
#define NR_TIMES	9
#define NR_ROUNDS	3
#define MAX_ROUNDS	9

#define MOST_WORSE	1.10

enum { FAST, SLOW, NR_CHANNELS, CPU = NR_CHANNELS, NR_FIXED, AUTO = NR_FIXED, NR_CHOICES };

static const char *const rates[NR_CHANNELS] = { [FAST] = "4194304", [SLOW] = "65536" };

static double median(double *times, unsigned int nr)
{
	dt_sort(times, nr);
	return times[nr / 2];
}

FIXTURE(choice) {
	int fd[NR_CHOICES];
	long long pinned, weight;
	char channel[NR_CHANNELS][32];
	uint8_t *room, *mem;
	double took[MAX_ROUNDS][NR_SIZES][NR_CHOICES];
};

/* What a device is called, and that all it moves is lost */
static void find_channel(struct __test_metadata *_metadata, FIXTURE_DATA(choice) *self, int which)
{
	struct dt_engines all;
	char device[32];

	snprintf(device, sizeof(device), "dmover-sim.%d", which);
	ASSERT_EQ(0, dt_engines(self->fd[CPU], &all));
	for (unsigned int i = 0; i < all.nr; i++)
		if (!strcmp(all.engine[i].device, device))
			strcpy(self->channel[which], all.engine[i].name);
	ASSERT_NE(0, self->channel[which][0]);
	ASSERT_EQ(0, bk_fault(self->channel[which], "lost 0 -1"));
}

FIXTURE_SETUP(choice)
{
	self->fd[CPU] = -1;
	if (!getenv("DMIO_TEST_CHOICE"))
		return;
	ASSERT_TRUE(sim_is_there());
	self->fd[CPU] = dt_open_policy("copy", DMOVERIO_POLICY_CPU);
	self->fd[AUTO] = dt_open_policy("copy", DMOVERIO_POLICY_AUTO);
	self->fd[FAST] = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	self->fd[SLOW] = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	for (int i = 0; i < NR_CHOICES; i++)
		ASSERT_LE(0, self->fd[i]);
	ASSERT_EQ(0, sim_set("channels", "1"));
	ASSERT_EQ(0, sim_set("latency_us", "50"));
	for (int i = 0; i < NR_CHANNELS; i++) {
		ASSERT_EQ(0, sim_set("rate_kib", rates[i]));
		ASSERT_EQ(0, sim_bind(i, false));
		ASSERT_EQ(0, sim_bind(i, true));
	}
	ASSERT_EQ(0, dt_wait_channels(self->fd[CPU], NR_CHANNELS));
	for (int i = 0; i < NR_CHANNELS; i++)
		find_channel(_metadata, self, i);

	/* All of it in pieces as large as windows: an estimate knows of sizes alone */
	self->room = dt_mmap(2 * MAX_SIZE + HUGE);
	self->mem = self->room + (-(uintptr_t)self->room & (HUGE - 1));
	ASSERT_EQ(0, madvise(self->mem, 2 * MAX_SIZE, MADV_HUGEPAGE));
	memset(self->mem, 0x5a, 2 * MAX_SIZE);
	self->pinned = dt_param("max_pinned_kib");
	ASSERT_EQ(0, dt_set_param("max_pinned_kib", 256 * KIB));
	self->weight = dt_param("cpu_time_weight");
	ASSERT_EQ(0, dt_set_param("cpu_time_weight", 0));
}

FIXTURE_TEARDOWN(choice)
{
	if (self->fd[CPU] < 0)
		return;
	EXPECT_EQ(0, dt_set_param("cpu_time_weight", self->weight));
	EXPECT_EQ(0, dt_set_param("max_pinned_kib", self->pinned));
	munmap(self->room, 2 * MAX_SIZE + HUGE);
	for (int i = 0; i < NR_CHANNELS; i++)
		EXPECT_EQ(0, bk_fault(self->channel[i], "off"));
	EXPECT_EQ(0, dt_rescan());
	EXPECT_EQ(0, dt_wait_channels(self->fd[CPU], NR_CHANNELS));
	for (int i = 0; i < NR_CHOICES; i++)
		close(self->fd[i]);
}

static double take_time(struct __test_metadata *_metadata, FIXTURE_DATA(choice) *self, int choice,
			size_t len)
{
	struct dt_req r;
	double begun;

	dt_req_init1(&r, "copy", 1, self->mem, len, self->mem + MAX_SIZE);
	begun = dt_now();
	EXPECT_EQ(0, dt_do(self->fd[choice], &r.req));
	return dt_now() - begun;
}

/* One channel and nothing else */
static void measure_channel(struct __test_metadata *_metadata, FIXTURE_DATA(choice) *self,
			    int which, double (*took)[NR_CHOICES])
{
	double times[NR_TIMES] = {};

	ASSERT_EQ(0, dt_release(self->channel[!which]));
	ASSERT_EQ(0, dt_wait_channels(self->fd[CPU], 1));
	for (unsigned int size = 0; size < NR_SIZES; size++) {
		for (unsigned int i = 0; i < NR_TIMES; i++)
			times[i] = take_time(_metadata, self, which, 4 * KIB << size);
		took[size][which] = median(times, NR_TIMES);
	}
	ASSERT_EQ(0, dt_rescan());
	ASSERT_EQ(0, dt_wait_channels(self->fd[CPU], NR_CHANNELS));
}

/* The CPU and nothing else, in turn with what is chosen when all is known */
static void measure_auto(struct __test_metadata *_metadata, FIXTURE_DATA(choice) *self,
			 double (*took)[NR_CHOICES])
{
	double cpu[NR_TIMES] = {}, left[NR_TIMES] = {};

	for (unsigned int size = 0; size < NR_SIZES; size++) {
		for (unsigned int i = 0; i < NR_WARM; i++)
			take_time(_metadata, self, AUTO, 4 * KIB << size);
		for (unsigned int i = 0; i < NR_TIMES; i++) {
			cpu[i] = take_time(_metadata, self, CPU, 4 * KIB << size);
			left[i] = take_time(_metadata, self, AUTO, 4 * KIB << size);
		}
		took[size][CPU] = median(cpu, NR_TIMES);
		took[size][AUTO] = median(left, NR_TIMES);
	}
}

static int best_of(const double *took)
{
	int best = 0;

	for (int i = 1; i < NR_FIXED; i++)
		if (took[i] < took[best])
			best = i;
	return best;
}

/* How much longer it takes than the best fixed choice: the median of the rounds */
static double ratio(FIXTURE_DATA(choice) *self, unsigned int size, unsigned int nr)
{
	double ratios[MAX_ROUNDS] = {};

	for (unsigned int i = 0; i < nr; i++) {
		const double *took = self->took[i][size];

		ratios[i] = took[AUTO] / took[best_of(took)];
	}
	return median(ratios, nr);
}

static void print(struct __test_metadata *_metadata, FIXTURE_DATA(choice) *self, unsigned int nr)
{
	static const char *const names[] = { [FAST] = "fast", [SLOW] = "slow", [CPU] = "cpu" };

	TH_LOG("after %u rounds, microseconds (medians):", nr);
	TH_LOG("%8s %9s %9s %9s %9s  best  auto/best", "KiB", "cpu", "fast", "slow", "auto");
	for (unsigned int size = 0; size < NR_SIZES; size++) {
		double took[NR_CHOICES];

		for (int c = 0; c < NR_CHOICES; c++) {
			double times[MAX_ROUNDS] = {};

			for (unsigned int i = 0; i < nr; i++)
				times[i] = self->took[i][size][c] * 1e6;
			took[c] = median(times, nr);
		}
		TH_LOG("%8lu %9.0f %9.0f %9.0f %9.0f  %4s  %.2f", 4UL << size, took[CPU],
		       took[FAST], took[SLOW], took[AUTO], names[best_of(took)],
		       ratio(self, size, nr));
	}
}

/* No worse than the best fixed choice by more than a tenth, whatever that is */
TEST_F_TIMEOUT(choice, prediction, 1000)
{
	unsigned int nr = 0, worse = NR_SIZES;

	if (self->fd[CPU] < 0)
		SKIP(return, "no simulated controllers of two rates in this guest");
	while (nr < NR_ROUNDS || (worse && nr < MAX_ROUNDS)) {
		measure_channel(_metadata, self, SLOW, self->took[nr]);
		measure_channel(_metadata, self, FAST, self->took[nr]);
		measure_auto(_metadata, self, self->took[nr]);
		nr++;
		print(_metadata, self, nr);
		worse = 0;
		for (unsigned int size = 0; size < NR_SIZES; size++)
			worse += ratio(self, size, nr) > MOST_WORSE;
	}
	EXPECT_EQ(0, worse);
}

TEST_HARNESS_MAIN
