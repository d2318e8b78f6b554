// SPDX-License-Identifier: GPL-2.0
/*
 * Counters.
 */
#include <linux/kernel.h>
#include <linux/seq_file.h>

#include "stats.h"

struct dmio_stats dmio_stats_all;

static const char *const reason_names[DMIO_NR_REASONS] = {
	[DMIO_REASON_POLICY]	 = "policy",
	[DMIO_REASON_NO_CHANNEL] = "no-channel",
	[DMIO_REASON_SMALL]	 = "small",
	[DMIO_REASON_SLOWER]	 = "slower",
	[DMIO_REASON_UNPINNABLE] = "unpinnable",
	[DMIO_REASON_BUDGET]	 = "budget",
	[DMIO_REASON_MAPPING]	 = "mapping",
	[DMIO_REASON_BUSY]	 = "busy",
	[DMIO_REASON_ERROR]	 = "error",
	[DMIO_REASON_HANG]	 = "hang",
	[DMIO_REASON_REMOVED]	 = "removed",
};

/**
 * dmio_reason_name() - what a user is told
 * @reason: not DMIO_REASON_NONE
 *
 * Context: any.
 * Return: one word.
 */
const char *dmio_reason_name(enum dmio_reason reason)
{
	return reason_names[reason];
}

/**
 * dmio_stats_dma() - count a window that was done by DMA
 * @stats: of the session; those of all sessions are counted, too
 * @dma_bytes: done by DMA
 * @edge_bytes: done by the CPU
 *
 * Context: any.
 */
void dmio_stats_dma(struct dmio_stats *stats, u64 dma_bytes, u64 edge_bytes)
{
	atomic64_add(dma_bytes, &stats->dma_bytes);
	atomic64_add(edge_bytes, &stats->edge_bytes);
	atomic64_add(dma_bytes, &dmio_stats_all.dma_bytes);
	atomic64_add(edge_bytes, &dmio_stats_all.edge_bytes);
}

/**
 * dmio_stats_cpu() - count a window that was done by the CPU
 * @stats: of the session; those of all sessions are counted, too
 * @reason: why not by DMA
 * @bytes: its length
 *
 * Context: any.
 */
void dmio_stats_cpu(struct dmio_stats *stats, enum dmio_reason reason, u64 bytes)
{
	atomic64_add(bytes, &stats->cpu_bytes[reason]);
	atomic64_add(bytes, &dmio_stats_all.cpu_bytes[reason]);
}

/**
 * dmio_stats_show() - print the counters, one "name: value" per line
 * @m: where to
 * @stats: of a session
 *
 * Context: process context; may sleep.
 */
void dmio_stats_show(struct seq_file *m, const struct dmio_stats *stats)
{
	unsigned int i;

	seq_printf(m, "dma-bytes:\t%lld\n", atomic64_read(&stats->dma_bytes));
	seq_printf(m, "edge-bytes:\t%lld\n", atomic64_read(&stats->edge_bytes));
	for (i = DMIO_REASON_NONE + 1; i < DMIO_NR_REASONS; i++)
		seq_printf(m, "cpu-bytes-%s:\t%lld\n", reason_names[i],
			   atomic64_read(&stats->cpu_bytes[i]));
}
