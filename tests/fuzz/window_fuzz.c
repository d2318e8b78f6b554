// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: every byte of a request is in one of them, in order; none is longer than it
 * may be or costs more than the budget has, and each charge comes back.  What would pin
 * and charge is played here.
 */
#include "../../module/cpu_user.h"
#include "../../module/umem.h"
#include "../../module/window.h"
#include "fuzz.h"

#define MAX_SEGS	6
#define MOST_BYTES	(40ULL * 1024 * 1024)
#define MAX_WINDOWS	200

/* The most of a window: in one region, and in all of them */
#define REGION_BYTES	SZ_2M
#define WINDOW_BYTES	SZ_8M

static struct dmio_seg segs[DMIO_MAX_REGIONS][MAX_SEGS];
static struct dmio_umem mem[DMIO_MAX_REGIONS];
static struct dmio_func func;
static struct dmio_stats stats;
static struct dmio_todo todo;

/* The user's account: what it has room for, what is charged; the smallest charge refused */
static unsigned long room, charged, least_refused;
/* What pinning answers, and which region does */
static int pin_error;
static unsigned int pin_bad;
/* The user's mapping: the byte that is not there (0: none), the answer of the CPU */
static u64 hole;
static int cpu_error;
static struct dmio_user_job cpu_job;
static enum dmio_reason cpu_reason;

int dmio_account_charge(struct dmio_account *account, unsigned long nr_pages,
			unsigned long limit_pages)
{
	CHECK(nr_pages);
	if (nr_pages > room - charged) {
		least_refused = min(least_refused, nr_pages);
		return -ENOMEM;
	}
	charged += nr_pages;
	return 0;
}

void dmio_account_uncharge(struct dmio_account *account, unsigned long nr_pages)
{
	CHECK(nr_pages <= charged);
	charged -= nr_pages;
}

int dmio_umem_pin(struct dmio_umem *umem, bool write)
{
	CHECK(!umem->nr_pages);
	CHECK(write == (func.has_dst && umem == mem));
	if (pin_error && umem == &mem[pin_bad])
		return pin_error;
	umem->nr_pages = dmio_slice_count_pages(umem->slice);
	umem->write = write;
	return 0;
}

bool dmio_umem_unpin(struct dmio_umem *umem, bool wait)
{
	umem->nr_pages = 0;
	return true;
}

int dmio_cpu_run_user(struct dmio_user_job *job)
{
	job->result = 77;
	cpu_job = *job;
	return cpu_error;
}

void dmio_stats_cpu(struct dmio_stats *of, enum dmio_reason reason, u64 bytes)
{
	cpu_reason = reason;
}

size_t fault_in_readable(const void *from, size_t len)
{
	u64 addr = (unsigned long)from;

	return hole && hole - addr < len ? addr + len - hole : 0;
}

size_t fault_in_safe_writeable(const void *to, size_t len)
{
	return fault_in_readable(to, len);
}

/* @total bytes in a few segments of any length */
static void make_region(struct fuzz_in *in, struct dmio_seg *seg, u64 total)
{
	unsigned int nr = 1 + in_below(in, MAX_SEGS), i;
	u64 len, at = 0x10000;

	for (i = 0; total; i++) {
		len = i + 1 == nr ? total : min(total, 1 + (in_u64(in) & (MOST_BYTES - 1)) / nr);
		if (in_below(in, 2))
			at = (in_u64(in) & 0xfffffffff) + 0x10000;
		seg[i] = (struct dmio_seg){ .addr = at, .len = len };
		at += len;
		total -= len;
	}
}

static void make_todo(struct fuzz_in *in)
{
	u64 total = 1 + in_u64(in) % (in_u8(in) ? 4 * SZ_64K : MOST_BYTES);
	unsigned int i;

	func = (struct dmio_func){ .has_dst = in_u8(in) != 1, .nr_srcs = in_below(in, 4) };
	if (!in_u8(in))
		func.nr_srcs = in_below(in, DMOVERIO_MAX_SRCS + 1);
	if (!func.has_dst && !func.nr_srcs)
		func.nr_srcs = 1;
	memset(mem, 0, sizeof(mem));
	todo = (struct dmio_todo){
		.im = { .func = &func, .len = total, .nr_regions = func.has_dst + func.nr_srcs },
		.rest = total,
		.immediate = in_u8(in),
		.policy = DMOVERIO_POLICY_AUTO + in_below(in, 4),
		.stats = &stats,
	};
	for (i = 0; i < todo.im.nr_regions; i++) {
		make_region(in, segs[i], total);
		todo.im.region[i] = (struct dmio_slice){ .seg = segs[i], .len = total };
		if (func.has_dst && i && in_below(in, 4) == 1) {
			memcpy(segs[i], segs[0], sizeof(segs[0]));
			__set_bit(i - 1, &todo.im.aliased);
		}
	}
}

/* A stretch of a region begins where the one before it ended */
static void check_stretch(const struct dmio_seg *seg, const struct dmio_slice *slice, u64 offset,
			  u64 len)
{
	while (offset >= seg->len)
		offset -= seg++->len;
	CHECK(slice->seg == seg && slice->skip == offset && slice->len == len);
}

static u64 most_bytes(void)
{
	u64 bytes = min(REGION_BYTES, WINDOW_BYTES / todo.im.nr_regions);

	return min(todo.rest, bytes / PAGE_SIZE * PAGE_SIZE);
}

static bool is_aliased(unsigned int i)
{
	return func.has_dst && i && (todo.im.aliased & 1UL << (i - 1));
}

/* The window was cut: what is in it, what it cost */
static void check_cut(const struct dmio_window *win, u64 pos, bool pinned)
{
	unsigned long nr = 0;
	unsigned int i;

	CHECK(win->offset == pos);
	CHECK(win->len && win->len <= most_bytes());
	CHECK(win->len == most_bytes() || win->len % PAGE_SIZE == 0);
	for (i = 0; i < todo.im.nr_regions; i++) {
		check_stretch(segs[i], &win->mem[i].slice, pos, win->len);
		CHECK(!!win->mem[i].nr_pages == (pinned && !is_aliased(i)));
		if (!is_aliased(i))
			nr += dmio_slice_count_pages(win->mem[i].slice);
	}
	CHECK(charged == (pinned ? nr : 0));
	CHECK(win->nr_charged == charged);
}

static void check_job(const struct dmio_window *win)
{
	const struct dmio_job *job = &win->job;

	CHECK(job->func == &func && job->len == win->len);
	CHECK(job->immediate == todo.immediate && job->policy == todo.policy);
	CHECK(job->aliased == todo.im.aliased && job->nr_pages == win->nr_charged);
}

/* The first byte that is not there, by region */
static u64 first_hole(const struct dmio_window *win)
{
	unsigned int i;

	for (i = 0; i < todo.im.nr_regions; i++) {
		const struct dmio_seg *seg = win->mem[i].slice.seg;
		u64 skip = win->mem[i].slice.skip, left = win->len, len;

		for (; left; left -= len, skip = 0, seg++) {
			len = min(seg->len - skip, left);
			if (hole >= seg->addr + skip && hole < seg->addr + skip + len)
				return hole;
		}
	}
	return 0;
}

/* The answer where the CPU must not do it, or cannot; 0: it does */
static int refusal(const struct dmio_window *win, int error)
{
	if (error == -EINTR || error == -ERESTARTSYS)
		return -ECANCELED;
	if (error == -ENOMEM)
		return -ENOMEM;
	if (todo.policy != DMOVERIO_POLICY_REQUIRE_DMA)
		return 0;
	if (error == -EDQUOT)
		return -ENOMEM;
	return hole && first_hole(win) ? -EFAULT : -EOPNOTSUPP;
}

static void check_unpinned(struct fuzz_in *in, struct dmio_window *win, int error)
{
	unsigned int i, which = in_below(in, 4);
	u64 done = 0, fault = 0;
	int ret, wanted;

	/* A byte of the window, somewhere, or none */
	hole = which ? 0 : win->mem[0].slice.seg->addr + in_u64(in) % win->len;
	cpu_error = which == 1 ? -EFAULT : 0;
	cpu_job = (struct dmio_user_job){ };
	cpu_reason = DMIO_REASON_NONE;
	wanted = refusal(win, error);
	ret = dmio_window_run_unpinned(&todo, win, error, &done, &fault);
	if (wanted) {
		CHECK(ret == wanted && !cpu_job.func && !cpu_reason);
		CHECK(fault == (ret == -EFAULT ? first_hole(win) : 0));
		return;
	}
	CHECK(ret == cpu_error);
	CHECK(cpu_job.func == &func && cpu_job.len == win->len);
	CHECK(win->job.result == 77);
	CHECK(cpu_reason == (ret ? DMIO_REASON_NONE : error == -EDQUOT ? DMIO_REASON_BUDGET :
			     DMIO_REASON_UNPINNABLE));
	for (i = 0; i < func.nr_srcs; i++)
		check_stretch(segs[func.has_dst + i], &cpu_job.src[i], win->offset, win->len);
	if (func.has_dst)
		check_stretch(segs[0], &cpu_job.dst, win->offset, win->len);
}

/* The least that a window may be cut to for want of budget */
static u64 least_bytes(bool last_resort)
{
	return min(most_bytes(), (u64)(last_resort ? PAGE_SIZE : SZ_64K));
}

/* Nothing came of it; what is left is as it was */
static void check_refused(u64 pos, bool last_resort)
{
	unsigned int i;

	CHECK(!last_resort && !charged);
	for (i = 0; i < todo.im.nr_regions; i++)
		CHECK(todo.im.region[i].len == todo.im.len - pos);
}

/* One window; false: it will not come to more */
static bool try_window(struct fuzz_in *in, struct dmio_window *win)
{
	static const int errors[] = { 0, 0, 0, -EFAULT, -ENOMEM, -EINTR, -ERESTARTSYS };
	u64 pos = todo.im.len - todo.rest;
	bool last_resort = in_below(in, 2);
	int ret;

	room = in_below(in, 4) ? (unsigned long)-1 : in_u16(in);
	least_refused = (unsigned long)-1;
	pin_error = errors[in_below(in, ARRAY_SIZE(errors))];
	pin_bad = in_below(in, todo.im.nr_regions);
	if (is_aliased(pin_bad))
		pin_bad = 0;

	ret = dmio_window_prepare(&todo, win, last_resort);
	if (ret == -EAGAIN) {
		check_refused(pos, last_resort);
		return in->left;
	}
	check_cut(win, pos, !ret);
	if (ret == -EDQUOT) {
		CHECK(last_resort && win->len == most_bytes() && least_refused > room);
	} else {
		CHECK(ret == pin_error);
		CHECK(win->len >= least_bytes(last_resort));
		CHECK(win->len == most_bytes() || least_refused > room);
	}
	if (ret) {
		check_unpinned(in, win, ret);
	} else {
		check_job(win);
		CHECK(dmio_window_release(&todo, win, true));
	}
	CHECK(!charged);
	todo.rest -= win->len;
	return todo.rest;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct dmio_window win = { .mem = mem };
	struct fuzz_in in = { data, size };
	unsigned int i;

	charged = 0;
	make_todo(&in);
	CHECK(dmio_window_is_small(&todo) == (todo.im.len * todo.im.nr_regions <= SZ_64K));
	for (i = 0; i < MAX_WINDOWS && try_window(&in, &win); i++)
		;
	return 0;
}
