/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters: which way the bytes went.
 *
 * Every byte of a finished window is counted once: as done by DMA, as an edge
 * that the CPU did for it, or as done by the CPU, for a reason.  Bytes are
 * those of one region: of a copy of a mebibyte, a mebibyte.
 */
#ifndef DMIO_STATS_H
#define DMIO_STATS_H

#include <linux/atomic.h>
#include <linux/types.h>

struct seq_file;

/**
 * enum dmio_reason - why a window was done by the CPU
 * @DMIO_REASON_NONE: it was not
 * @DMIO_REASON_POLICY: the user wanted it so
 * @DMIO_REASON_NO_CHANNEL: no engine can do the function
 * @DMIO_REASON_SMALL: too small, or in too small pieces
 * @DMIO_REASON_SLOWER: DMA was thought not to be worth it at the moment
 * @DMIO_REASON_UNPINNABLE: memory that cannot be pinned
 * @DMIO_REASON_BUDGET: nothing may be pinned at the moment
 * @DMIO_REASON_MAPPING: it could not be mapped for the device
 * @DMIO_REASON_BUSY: the channel took no descriptor
 * @DMIO_REASON_ERROR: the transfer failed
 * @DMIO_REASON_HANG: the transfer did not come to an end
 * @DMIO_REASON_REMOVED: the channel went away
 * @DMIO_NR_REASONS: number of reasons
 */
enum dmio_reason {
	DMIO_REASON_NONE,
	DMIO_REASON_POLICY,
	DMIO_REASON_NO_CHANNEL,
	DMIO_REASON_SMALL,
	DMIO_REASON_SLOWER,
	DMIO_REASON_UNPINNABLE,
	DMIO_REASON_BUDGET,
	DMIO_REASON_MAPPING,
	DMIO_REASON_BUSY,
	DMIO_REASON_ERROR,
	DMIO_REASON_HANG,
	DMIO_REASON_REMOVED,
	DMIO_NR_REASONS,
};

/**
 * struct dmio_stats - of a session, or of all of them
 * @dma_bytes: done by DMA
 * @edge_bytes: edges, done by the CPU
 * @cpu_bytes: done by the CPU, by reason
 */
struct dmio_stats {
	atomic64_t dma_bytes;
	atomic64_t edge_bytes;
	atomic64_t cpu_bytes[DMIO_NR_REASONS];
};

/* Of all sessions, since the module was loaded */
extern struct dmio_stats dmio_stats_all;

void dmio_stats_dma(struct dmio_stats *stats, u64 dma_bytes, u64 edge_bytes);
void dmio_stats_cpu(struct dmio_stats *stats, enum dmio_reason reason, u64 bytes);
const char *dmio_reason_name(enum dmio_reason reason);
void dmio_stats_show(struct seq_file *m, const struct dmio_stats *stats);

#endif /* DMIO_STATS_H */
