// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: what is counted where, and how it is printed.
 */
#include <kunit/test.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "../../module/stats.h"

#define ROOM	512

static s64 all_bytes(const struct dmio_stats *stats)
{
	s64 sum = atomic64_read(&stats->dma_bytes) + atomic64_read(&stats->edge_bytes);
	unsigned int i;

	for (i = 0; i < DMIO_NR_REASONS; i++)
		sum += atomic64_read(&stats->cpu_bytes[i]);
	return sum;
}

/* In the session's and in those of all, and nowhere else */
static void stats_count_test(struct kunit *test)
{
	struct dmio_stats *stats = kunit_kzalloc(test, sizeof(*stats), GFP_KERNEL);
	struct dmio_stats *both[] = { stats, &dmio_stats_all };
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stats);
	memset(&dmio_stats_all, 0, sizeof(dmio_stats_all));
	dmio_stats_dma(stats, 1ULL << 40, 7);
	dmio_stats_dma(stats, 1, 1ULL << 41);
	dmio_stats_cpu(stats, DMIO_REASON_POLICY, 3);
	dmio_stats_cpu(stats, DMIO_REASON_REMOVED, 1ULL << 42);
	dmio_stats_cpu(stats, DMIO_REASON_REMOVED, 5);

	for (i = 0; i < ARRAY_SIZE(both); i++) {
		KUNIT_EXPECT_EQ(test, atomic64_read(&both[i]->dma_bytes), (1LL << 40) + 1);
		KUNIT_EXPECT_EQ(test, atomic64_read(&both[i]->edge_bytes), (1LL << 41) + 7);
		KUNIT_EXPECT_EQ(test, atomic64_read(&both[i]->cpu_bytes[DMIO_REASON_POLICY]), 3LL);
		KUNIT_EXPECT_EQ(test, atomic64_read(&both[i]->cpu_bytes[DMIO_REASON_REMOVED]),
				(1LL << 42) + 5);
		KUNIT_EXPECT_EQ(test, all_bytes(both[i]), (7LL << 40) + 16);
	}
}

static const char shown[] =
	"dma-bytes:\t1099511627776\n"
	"edge-bytes:\t12\n"
	"cpu-bytes-policy:\t101\n"
	"cpu-bytes-no-channel:\t102\n"
	"cpu-bytes-small:\t103\n"
	"cpu-bytes-slower:\t104\n"
	"cpu-bytes-unpinnable:\t105\n"
	"cpu-bytes-budget:\t106\n"
	"cpu-bytes-mapping:\t107\n"
	"cpu-bytes-busy:\t108\n"
	"cpu-bytes-error:\t109\n"
	"cpu-bytes-hang:\t110\n"
	"cpu-bytes-removed:\t111\n";

static void stats_show_test(struct kunit *test)
{
	struct dmio_stats *stats = kunit_kzalloc(test, sizeof(*stats), GFP_KERNEL);
	struct seq_file m = { .buf = kunit_kzalloc(test, ROOM, GFP_KERNEL), .size = ROOM };
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, stats);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m.buf);
	atomic64_set(&stats->dma_bytes, 1LL << 40);
	atomic64_set(&stats->edge_bytes, 12);
	for (i = 0; i < DMIO_NR_REASONS; i++)
		atomic64_set(&stats->cpu_bytes[i], 100 + i);
	dmio_stats_show(&m, stats);
	KUNIT_EXPECT_STREQ(test, m.buf, shown);
}

/* The words are the same as in what is printed */
static void stats_names_test(struct kunit *test)
{
	char line[40];
	unsigned int i;

	for (i = DMIO_REASON_NONE + 1; i < DMIO_NR_REASONS; i++) {
		snprintf(line, sizeof(line), "\ncpu-bytes-%s:\t%u\n", dmio_reason_name(i), 100 + i);
		KUNIT_EXPECT_NOT_NULL(test, strstr(shown, line));
	}
}

static struct kunit_case stats_cases[] = {
	KUNIT_CASE(stats_count_test),
	KUNIT_CASE(stats_show_test),
	KUNIT_CASE(stats_names_test),
	{}
};

static struct kunit_suite stats_suite = {
	.name = "dmoverio-stats",
	.test_cases = stats_cases,
};

kunit_test_suite(stats_suite);
