/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User memory: pinning, accounting, scatterlists.  The only code that pins.
 *
 * Invariants:
 *  - memory is charged before it is pinned and uncharged after it is unpinned;
 *  - pinning leaves nothing behind when it fails;
 *  - unpinning cannot fail.
 */
#ifndef DMIO_UMEM_H
#define DMIO_UMEM_H

#include <linux/scatterlist.h>
#include <linux/types.h>

#include "seg.h"

struct cred;
struct dmio_user;
struct mm_struct;
struct page;

/**
 * struct dmio_account - on whose account memory is pinned
 * @mm: address space; its pinned_vm shows what is pinned (VmPin in
 *	/proc/PID/status)
 * @locker: its user's locked_vm is charged, against RLIMIT_MEMLOCK; NULL if the
 *	program may lock as much as it likes (CAP_IPC_LOCK)
 * @user: held to our own quota in any case; set by the session
 */
struct dmio_account {
	struct mm_struct *mm;
	const struct cred *locker;
	struct dmio_user *user;
};

/**
 * struct dmio_umem - user memory to be pinned, or pinned
 * @slice: which
 * @pages: the pages, in the numbering of seg.h
 * @nr_pages: how many of them are pinned
 * @write: pinned for writing
 * @sgt: the same memory, as an engine wants it
 */
struct dmio_umem {
	struct dmio_slice slice;
	struct page **pages;
	unsigned int nr_pages;
	bool write;
	struct sg_table sgt;
};

void dmio_account_init(struct dmio_account *account);
void dmio_account_fini(struct dmio_account *account);
int dmio_account_charge(struct dmio_account *account, unsigned long nr_pages,
			unsigned long limit_pages);
void dmio_account_uncharge(struct dmio_account *account, unsigned long nr_pages);

int dmio_umem_pin(struct dmio_umem *mem, bool write);
bool dmio_umem_unpin(struct dmio_umem *mem, bool wait);

#endif /* DMIO_UMEM_H */
