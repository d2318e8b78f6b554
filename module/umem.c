// SPDX-License-Identifier: GPL-2.0
/*
 * User memory.
 *
 * What is pinned is charged as io_uring charges its registered buffers: to
 * the user's locked_vm against RLIMIT_MEMLOCK, and to the address space's
 * pinned_vm for show.  account_locked_vm() would not do: it charges the
 * caller's address space against the caller's limit, and memory is released
 * by workers, for which both are wrong.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "umem.h"
#include "user.h"

/**
 * dmio_account_init() - open an account for the calling process
 * @account: to be initialised; @account->user is set
 *
 * Context: process context of a program (current->mm is not NULL).
 */
void dmio_account_init(struct dmio_account *account)
{
	account->mm = current->mm;
	mmgrab(account->mm);
	/* data_race(): see request.c */
	account->locker = capable(CAP_IPC_LOCK) ? NULL : data_race(get_current_cred());
}

/**
 * dmio_account_fini() - close an account
 * @account: initialised, and nothing is charged to it
 *
 * Context: process context, any process; may sleep.
 */
void dmio_account_fini(struct dmio_account *account)
{
	put_cred(account->locker);
	mmdrop(account->mm);
}

static bool charge_locked_vm(const struct cred *locker, unsigned long nr_pages,
			     unsigned long limit_pages)
{
	struct user_struct *user;
	long old, new;

	if (!locker)
		return true;

	user = locker->user;
	old = atomic_long_read(&user->locked_vm);
	do {
		if (check_add_overflow(old, (long)nr_pages, &new) || new > limit_pages)
			return false;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, &old, new));
	return true;
}

/**
 * dmio_account_charge() - ask leave to pin memory
 * @account: whose
 * @nr_pages: pages to be pinned
 * @limit_pages: most that the user may have locked, in pages: RLIMIT_MEMLOCK
 *	of the process that asks
 *
 * Context: any.
 * Return: 0, or -ENOMEM and nothing is charged.
 */
int dmio_account_charge(struct dmio_account *account, unsigned long nr_pages,
			unsigned long limit_pages)
{
	if (!dmio_user_charge(account->user, nr_pages))
		return -ENOMEM;
	if (!charge_locked_vm(account->locker, nr_pages, limit_pages)) {
		dmio_user_uncharge(account->user, nr_pages);
		return -ENOMEM;
	}
	atomic64_add(nr_pages, &account->mm->pinned_vm);
	return 0;
}

/**
 * dmio_account_uncharge() - take back a charge
 * @account: whose
 * @nr_pages: pages, as charged
 *
 * Context: any, any process.
 */
void dmio_account_uncharge(struct dmio_account *account, unsigned long nr_pages)
{
	atomic64_sub(nr_pages, &account->mm->pinned_vm);
	if (account->locker)
		atomic_long_sub(nr_pages, &account->locker->user->locked_vm);
	dmio_user_uncharge(account->user, nr_pages);
}

/* Pin one run; what was pinned is counted in @mem even on failure */
static int pin_run(struct dmio_umem *mem, const struct dmio_run *run)
{
	unsigned int flags = mem->write ? FOLL_WRITE : 0;
	unsigned long addr = run->addr;
	u64 left = run->nr_pages;

	while (left) {
		int nr = min_t(u64, left, INT_MAX);

		nr = pin_user_pages_fast(addr, nr, flags, mem->pages + mem->nr_pages);
		if (nr <= 0)
			return nr ?: -EFAULT;
		mem->nr_pages += nr;
		addr += (unsigned long)nr << PAGE_SHIFT;
		left -= nr;
	}
	return 0;
}

static int pin_pages(struct dmio_umem *mem)
{
	struct dmio_slice slice = mem->slice;
	struct dmio_run run;
	int ret;

	while (dmio_slice_next_run(&slice, &run)) {
		ret = pin_run(mem, &run);
		if (ret)
			return ret;
	}
	return 0;
}

/* A flat list: chains are not to be had on every architecture */
static int build_sg(struct dmio_umem *mem)
{
	unsigned int nents = dmio_slice_to_sg(mem->slice, mem->pages, NULL);

	mem->sgt.sgl = kvmalloc_array(nents, sizeof(*mem->sgt.sgl), GFP_KERNEL_ACCOUNT);
	if (!mem->sgt.sgl)
		return -ENOMEM;
	sg_init_table(mem->sgt.sgl, nents);
	mem->sgt.nents = nents;
	mem->sgt.orig_nents = nents;
	dmio_slice_to_sg(mem->slice, mem->pages, mem->sgt.sgl);
	return 0;
}

/**
 * dmio_umem_pin() - pin user memory
 * @mem: @mem->slice says what, and is not empty; the rest is zeroed
 * @write: the memory will be written
 *
 * The pages have to be charged before, as dmio_slice_count_pages() counts
 * them.
 *
 * Context: process context, in the address space whose memory it is (that of
 * the program, or of a kernel thread that has adopted it); may sleep for as
 * long as page faults take.
 * Return: 0; -EFAULT where memory is not there or does not permit the access;
 * -ENOMEM; -EINTR if the process was killed; other errors of the memory
 * management.  On failure nothing stays pinned.
 */
int dmio_umem_pin(struct dmio_umem *mem, bool write)
{
	int ret;

	mem->write = write;
	mem->pages = kvmalloc_array(dmio_slice_count_pages(mem->slice),
				    sizeof(*mem->pages), GFP_KERNEL_ACCOUNT);
	if (!mem->pages)
		return -ENOMEM;

	ret = pin_pages(mem);
	if (ret)
		goto err_unpin;
	ret = build_sg(mem);
	if (ret)
		goto err_unpin;
	return 0;

err_unpin:
	mem->write = false;		/* nothing was written */
	dmio_umem_unpin(mem, false);
	return ret;
}

/*
 * Make a page dirty; @wait: even if its lock has to be waited for.  A folio's
 * lock may be held for as long as a file system pleases, and that may be as
 * long as a user pleases (FUSE).
 */
static bool make_dirty(struct folio *folio, bool wait)
{
	if (folio_test_dirty(folio))
		return true;
	if (wait)
		folio_lock(folio);
	else if (!folio_trylock(folio))
		return false;
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return true;
}

/**
 * dmio_umem_unpin() - release what dmio_umem_pin() pinned
 * @mem: pinned, or not; all but @mem->slice is zeroed afterwards
 * @wait: wait for locks that a user may control
 *
 * Memory pinned for writing becomes dirty: whether all of it was written is
 * not known here, and dirt that is none costs a write-back, not data.  What
 * unpin_user_pages_dirty_lock() does, but that it would wait in any case.
 *
 * Context: process context, any process; may sleep.
 * Return: true; or, without @wait, false: pages may be dirty, none is unpinned,
 * to be called again.
 */
bool dmio_umem_unpin(struct dmio_umem *mem, bool wait)
{
	unsigned int i;

	for (i = 0; mem->write && i < mem->nr_pages; i++)
		if (!make_dirty(page_folio(mem->pages[i]), wait))
			return false;

	kvfree(mem->sgt.sgl);
	unpin_user_pages(mem->pages, mem->nr_pages);
	kvfree(mem->pages);
	*mem = (struct dmio_umem){ .slice = mem->slice };
	return true;
}
