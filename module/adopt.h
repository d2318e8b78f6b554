/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A worker that acts for a program, in its address space and on its account.
 */
#ifndef DMIO_ADOPT_H
#define DMIO_ADOPT_H

#include <linux/types.h>

struct cred;
struct mem_cgroup;
struct mm_struct;
struct pid;

/**
 * struct dmio_adopted - what a worker has adopted
 * @mm: the address space
 * @cred: who it acts as
 * @old_cred: who it was before
 * @memcg: whom its memory is charged to
 * @old: whom it was charged to before
 */
struct dmio_adopted {
	struct mm_struct *mm;
	const struct cred *cred;
	const struct cred *old_cred;
	struct mem_cgroup *memcg;
	struct mem_cgroup *old;
};

bool dmio_adopt(struct dmio_adopted *adopted, struct mm_struct *mm, struct pid *process,
		const struct cred *cred);
void dmio_adopt_end(struct dmio_adopted *adopted);

#endif /* DMIO_ADOPT_H */
