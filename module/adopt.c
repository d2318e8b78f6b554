// SPDX-License-Identifier: GPL-2.0
/*
 * Adopting a program's address space.
 */
#include <linux/cred.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "adopt.h"

/*
 * Is the process still there, with its memory?  While we hold the memory it
 * cannot go away by itself; but nobody would own it any more, neither for its
 * cgroup nor for the OOM killer.
 */
static bool is_process_there(const struct mm_struct *mm, struct pid *process)
{
	struct task_struct *leader, *thread;
	bool there = false;

	rcu_read_lock();
	leader = pid_task(process, PIDTYPE_TGID);
	if (leader)
		for_each_thread(leader, thread)
			if (READ_ONCE(thread->mm) == mm) {
				there = true;
				break;
			}
	rcu_read_unlock();
	return there;
}

/**
 * dmio_adopt() - act for a program
 * @adopted: result
 * @mm: its address space, which may be about to end
 * @process: the process that is to be there, too
 * @cred: who it was when it asked
 *
 * Faults are taken as that user: a worker is root, whom quotas of file systems and
 * limits of locked memory do not hold.
 *
 * Context: a kernel thread that has adopted nothing; may sleep.
 * Return: true; false if the process or its memory is gone.
 */
bool dmio_adopt(struct dmio_adopted *adopted, struct mm_struct *mm, struct pid *process,
		const struct cred *cred)
{
	if (!mmget_not_zero(mm))
		return false;
	if (!is_process_there(mm, process)) {
		mmput(mm);
		return false;
	}
	kthread_use_mm(mm);
	adopted->mm = mm;
	/* Not every kernel's override_creds() takes a reference; data_race(): see request.c */
	adopted->cred = data_race(get_cred(cred));
	adopted->old_cred = override_creds(cred);
	adopted->memcg = get_mem_cgroup_from_mm(mm);
	adopted->old = set_active_memcg(adopted->memcg);
	return true;
}

/**
 * dmio_adopt_end() - act for it no longer
 * @adopted: by dmio_adopt(), in this thread
 *
 * Not by mmput_async(): taking the memory apart may hang on a file system that
 * the user controls, and shall do so here, in one of his own few workers, not
 * in one of the system's.
 *
 * Context: may sleep.
 */
void dmio_adopt_end(struct dmio_adopted *adopted)
{
	set_active_memcg(adopted->old);
	mem_cgroup_put(adopted->memcg);
	revert_creds(adopted->old_cred);
	put_cred(adopted->cred);
	kthread_unuse_mm(adopted->mm);
	mmput(adopted->mm);
}
