// SPDX-License-Identifier: GPL-2.0
/*
 * Windows.
 *
 * A window is charged for all its regions at once, before anything is pinned,
 * so that two windows can never wait for each other's memory.  It shrinks to
 * what the budget allows.  What cannot be pinned, for want of budget or by its
 * nature, is done by the CPU through the user's mapping, which pins nothing:
 * so no limit stops a request.
 */
#include <linux/errno.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>

#include "cpu_user.h"
#include "umem.h"
#include "window.h"

/* Bytes of a window in one region, and in all of them */
#define REGION_BYTES	SZ_2M
#define WINDOW_BYTES	SZ_8M

/* Rather than cut windows smaller than this, wait for the budget */
#define LEAST_BYTES	SZ_64K

static u64 window_bytes(const struct dmio_todo *todo)
{
	u64 bytes = min(REGION_BYTES, WINDOW_BYTES / todo->im.nr_regions);

	return min(todo->rest, round_down(bytes, PAGE_SIZE));
}

/**
 * dmio_window_is_small() - is a request small enough to be done at once?
 * @todo: of a request of which nothing is cut yet
 *
 * Context: any.
 * Return: true if it need not leave write().
 */
bool dmio_window_is_small(const struct dmio_todo *todo)
{
	return todo->im.len <= DMIO_INLINE_BYTES / todo->im.nr_regions;
}

static int charge(struct dmio_todo *todo, struct dmio_window *win, u64 len)
{
	u64 nr = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < todo->im.nr_regions; i++) {
		struct dmio_slice head = todo->im.region[i];

		if (dmio_import_is_aliased(&todo->im, i))
			continue;
		head.len = len;
		nr += dmio_slice_count_pages(head);
	}

	ret = dmio_account_charge(todo->account, nr, todo->limit_pages);
	if (!ret)
		win->nr_charged = nr;
	return ret;
}

/* Take the window off the request; it begins where the last one ended */
static void cut(struct dmio_todo *todo, struct dmio_window *win, u64 len)
{
	unsigned int i;

	win->offset = todo->im.len - todo->rest;
	win->len = len;
	for (i = 0; i < todo->im.nr_regions; i++)
		win->mem[i].slice = dmio_slice_take(&todo->im.region[i], len);
}

static int pin(struct dmio_todo *todo, struct dmio_window *win)
{
	unsigned int i;
	int ret;

	for (i = 0; i < todo->im.nr_regions; i++) {
		if (dmio_import_is_aliased(&todo->im, i))
			continue;
		ret = dmio_umem_pin(&win->mem[i], dmio_import_is_dst(&todo->im, i));
		if (ret)
			return ret;
	}
	return 0;
}

static void fill_job(struct dmio_todo *todo, struct dmio_window *win)
{
	const struct dmio_func *func = todo->im.func;
	struct dmio_job *job = &win->job;
	unsigned int i;

	*job = (struct dmio_job){
		.func = func,
		.len = win->len,
		.immediate = todo->immediate,
		.aliased = todo->im.aliased,
		.policy = todo->policy,
		.stats = todo->stats,
		.nr_pages = win->nr_charged,
		.flow = todo->flow,
	};
	if (func->has_dst)
		job->dst = win->mem[0].sgt.sgl;
	for (i = 0; i < func->nr_srcs; i++)
		job->src[i] = test_bit(i, &job->aliased) ?
			      job->dst : win->mem[func->has_dst + i].sgt.sgl;
	for (i = 0; i < todo->im.nr_regions; i++)
		job->nr_segs += win->mem[i].sgt.nents;
}

/**
 * dmio_window_prepare() - cut the next window and pin it
 * @todo: with bytes left to cut; the caller decrements @todo->rest
 * @win: an idle window
 * @last_resort: the budget will not grow: take what there is
 *
 * Context: process context, in the address space of the program; may sleep.
 * Return: 0: cut and pinned, and its job is filled in, but for ->done.
 * -EAGAIN: no budget, nothing was cut.  Any other error: cut but not pinned;
 * but for -ENOMEM and -EINTR, dmio_window_run_unpinned() can do it.
 */
int dmio_window_prepare(struct dmio_todo *todo, struct dmio_window *win, bool last_resort)
{
	u64 least = last_resort ? PAGE_SIZE : LEAST_BYTES;
	u64 want = window_bytes(todo), len = want;
	unsigned int i;
	int ret;

	while (charge(todo, win, len)) {
		if (len > least) {
			len = max(least, round_down(len / 2, PAGE_SIZE));
			continue;
		}
		if (!last_resort)
			return -EAGAIN;
		cut(todo, win, want);
		return -EDQUOT;
	}

	cut(todo, win, len);
	ret = pin(todo, win);
	if (ret) {
		/* Nothing was written: nothing need become dirty */
		for (i = 0; i < todo->im.nr_regions; i++)
			win->mem[i].write = false;
		dmio_window_release(todo, win, false);
		return ret;
	}
	fill_job(todo, win);
	return 0;
}

/**
 * dmio_window_release() - unpin and uncharge
 * @todo: of the request
 * @win: cut, pinned or not
 * @wait: wait for locks that a user may control
 *
 * Context: process context, any process; may sleep.
 * Return: true; or, without @wait, false: to be called again.
 */
bool dmio_window_release(struct dmio_todo *todo, struct dmio_window *win, bool wait)
{
	unsigned int i;

	for (i = 0; i < todo->im.nr_regions; i++)
		if (!dmio_umem_unpin(&win->mem[i], wait))
			return false;
	dmio_account_uncharge(todo->account, win->nr_charged);
	win->nr_charged = 0;
	return true;
}

/* By the CPU, through the user's mapping */
static int run_user(struct dmio_todo *todo, struct dmio_window *win, u64 *done, u64 *fault)
{
	const struct dmio_import *im = &todo->im;
	struct dmio_user_job job = {
		.func = im->func,
		.len = win->len,
		.immediate = todo->immediate,
	};
	unsigned int i;
	int ret;

	if (im->func->has_dst)
		job.dst = win->mem[0].slice;
	for (i = 0; i < im->func->nr_srcs; i++)
		job.src[i] = win->mem[im->func->has_dst + i].slice;

	ret = dmio_cpu_run_user(&job);
	win->job.result = job.result;
	*done = job.done;
	*fault = job.fault;
	return ret;
}

/* The first address of a region that cannot be accessed, or 0 */
static u64 find_fault(struct dmio_slice slice, bool write)
{
	struct dmio_seg part;
	size_t left;

	while (dmio_slice_next(&slice, SZ_1G, &part)) {
		if (write)
			left = fault_in_safe_writeable(u64_to_user_ptr(part.addr), part.len);
		else
			left = fault_in_readable(u64_to_user_ptr(part.addr), part.len);
		if (left)
			return part.addr + part.len - left;
	}
	return 0;
}

/*
 * Why can a window not be done without the CPU?  Pinning does not tell memory that
 * is not there from memory that only the CPU can reach.
 */
static int refuse(struct dmio_todo *todo, struct dmio_window *win, u64 *fault)
{
	unsigned int i;

	for (i = 0; i < todo->im.nr_regions; i++) {
		*fault = find_fault(win->mem[i].slice, dmio_import_is_dst(&todo->im, i));
		if (*fault)
			return -EFAULT;
		cond_resched();
	}
	return -EOPNOTSUPP;
}

/**
 * dmio_window_run_unpinned() - do a window that was not pinned
 * @todo: of the request
 * @win: cut
 * @error: why it was not pinned, see dmio_window_prepare()
 * @done: result, if it fails: bytes from its beginning certainly done
 * @fault: result, if it fails with -EFAULT: the address
 *
 * It is done through the user's mapping, unless the user insists on DMA.  Sets the
 * result of the window's job, if the function has one.
 *
 * Context: process context, in the address space of the program; may sleep.
 * Return: 0, -EFAULT, -ENOMEM, -EOPNOTSUPP, -ECANCELED.
 */
int dmio_window_run_unpinned(struct dmio_todo *todo, struct dmio_window *win, int error,
			     u64 *done, u64 *fault)
{
	bool is_budget = error == -EDQUOT;

	if (error == -EINTR || error == -ERESTARTSYS)
		return -ECANCELED;
	if (error == -ENOMEM)
		return error;
	if (todo->policy == DMOVERIO_POLICY_REQUIRE_DMA)
		return is_budget ? -ENOMEM : refuse(todo, win, fault);

	error = run_user(todo, win, done, fault);
	if (!error)
		dmio_stats_cpu(todo->stats, is_budget ? DMIO_REASON_BUDGET :
			       DMIO_REASON_UNPINNABLE, win->len);
	return error;
}
