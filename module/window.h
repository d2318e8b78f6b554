/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: cutting, charging, pinning, and what is done where that fails.
 */
#ifndef DMIO_WINDOW_H
#define DMIO_WINDOW_H

#include <linux/types.h>

#include "engine.h"
#include "import.h"
#include "lane.h"
#include "user.h"

struct dmio_account;
struct dmio_request;
struct dmio_umem;

/* Windows that a request may have in flight */
#define DMIO_NR_WINDOWS	2

/**
 * struct dmio_todo - what a request has still to do
 * @im: the regions; the slices begin at what is not yet cut into windows
 * @rest: bytes not yet cut into windows
 * @immediate: the function's immediate; of serial functions, the result so far
 * @policy: DMOVERIO_POLICY_*, not the default
 * @stats: counts which way the bytes went
 * @flow: whose turns its jobs take
 * @account: on whose account memory is pinned
 * @limit_pages: RLIMIT_MEMLOCK of the program when it wrote the request
 * @nr_waits: how often the next window has waited for the budget
 */
struct dmio_todo {
	struct dmio_import im;
	u64 rest;
	u64 immediate;
	u32 policy;
	struct dmio_stats *stats;
	struct dmio_flow *flow;
	struct dmio_account *account;
	unsigned long limit_pages;
	unsigned int nr_waits;
};

/**
 * struct dmio_window - a piece of a request
 * @req: the request
 * @busy: in flight; guarded by session->lock
 * @with_engine: an engine has @job, or is about to; guarded by session->lock
 * @offset: where it begins, in bytes of the request
 * @len: bytes in each region
 * @nr_charged: pages charged to the account
 * @job: what the engine gets
 * @release: for a release that has to wait
 * @mem: pinned memory, one per region; nothing for an input that is the output
 */
struct dmio_window {
	struct dmio_request *req;
	bool busy;
	bool with_engine;
	u64 offset;
	u64 len;
	unsigned long nr_charged;
	struct dmio_job job;
	struct dmio_step release;
	struct dmio_umem *mem;
};

bool dmio_window_is_small(const struct dmio_todo *todo);
int dmio_window_prepare(struct dmio_todo *todo, struct dmio_window *win, bool last_resort);
bool dmio_window_release(struct dmio_todo *todo, struct dmio_window *win, bool wait);
int dmio_window_run_unpinned(struct dmio_todo *todo, struct dmio_window *win, int error,
			     u64 *done, u64 *fault);

#endif /* DMIO_WINDOW_H */
