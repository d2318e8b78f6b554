// SPDX-License-Identifier: GPL-2.0
/*
 * Steps: which of a user's gets a worker, and when.
 */
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/notifier.h>
#include <linux/spinlock.h>
#include <linux/suspend.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "lane.h"
#include "steps.h"
#include "user.h"

/* Workers that one user may have, and perhaps have hanging, at a time */
#define MAX_PINNING	4

static struct workqueue_struct *pin_wq;

/* Whose turn it is, or NULL */
static struct dmio_step *next_step(struct dmio_user *user)
{
	struct dmio_step *step = list_first_entry_or_null(&user->releases, struct dmio_step, node);

	if (!step)
		return user->starved ? NULL : dmio_lane_next(&user->queue);
	list_del_init(&step->node);
	return step;
}

/* Give workers to the steps that are first in line */
static void dispatch(struct dmio_user *user)
{
	struct dmio_step *step;

	lockdep_assert_held(&user->lock);

	while (user->nr_pinning < MAX_PINNING && (step = next_step(user))) {
		user->nr_pinning++;
		queue_work(pin_wq, &step->work);
	}
}

/**
 * dmio_steps_hold() - a charge is with an engine: it will come back by itself
 * @user: whose
 *
 * Context: process context; does not sleep.
 */
void dmio_steps_hold(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_holding++;
	spin_unlock(&user->lock);
}

/**
 * dmio_steps_unhold() - such a charge has come back, or is not certain to any more
 * @user: whose; what came back was taken off before
 *
 * Context: process context; does not sleep.
 */
void dmio_steps_unhold(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_holding--;
	user->starved = false;
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_steps_must_wait() - must a new step of a session wait?
 * @user: whose
 * @lane: of the session
 *
 * Context: any but interrupt; does not sleep.
 * Return: true if it would stand behind another of them, or if there is no budget.
 */
bool dmio_steps_must_wait(struct dmio_user *user, const struct dmio_lane *lane)
{
	bool wait;

	spin_lock(&user->lock);
	wait = user->starved || !list_empty(&lane->steps);
	spin_unlock(&user->lock);
	return wait;
}

/**
 * dmio_steps_queue() - put a step at the end of its session's queue
 * @user: whose
 * @step: not in the queue and without a worker
 *
 * Context: process context; does not sleep.
 */
void dmio_steps_queue(struct dmio_user *user, struct dmio_step *step)
{
	spin_lock(&user->lock);
	dmio_lane_add(&user->queue, step);
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_steps_queue_release() - have a release done that has to wait
 * @user: whose
 * @step: not in a queue and without a worker
 *
 * Context: process context; does not sleep.
 */
void dmio_steps_queue_release(struct dmio_user *user, struct dmio_step *step)
{
	spin_lock(&user->lock);
	list_add_tail(&step->node, &user->releases);
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_steps_unqueue() - take a step out of the queue
 * @user: whose
 * @step: a step
 *
 * Context: any but interrupt; does not sleep.
 * Return: true if it was in the queue: it will not get a worker.
 */
bool dmio_steps_unqueue(struct dmio_user *user, struct dmio_step *step)
{
	bool queued;

	spin_lock(&user->lock);
	queued = !list_empty(&step->node);
	if (queued) {
		if (dmio_lane_is_first(&user->queue, step))
			user->starved = false;
		dmio_lane_remove(step);
		dispatch(user);
	}
	spin_unlock(&user->lock);
	return queued;
}

/**
 * dmio_steps_starve() - put a step back until a charge has come back
 * @user: whose
 * @step: it has a worker, and calls dmio_steps_done() after this
 *
 * Context: process context; does not sleep.
 * Return: false if no charge is sure to come back: nothing was done.
 */
bool dmio_steps_starve(struct dmio_user *user, struct dmio_step *step)
{
	bool wait;

	spin_lock(&user->lock);
	wait = user->nr_holding;
	if (wait) {
		dmio_lane_put_back(&user->queue, step);
		user->starved = true;
	}
	spin_unlock(&user->lock);
	return wait;
}

/**
 * dmio_steps_done() - the worker of a step is done with it
 * @user: whose
 *
 * Context: process context; does not sleep.
 */
void dmio_steps_done(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_pinning--;
	dispatch(user);
	spin_unlock(&user->lock);
}

/* The machine is being suspended: no step begins until it is resumed */
static bool suspending;
static DECLARE_WAIT_QUEUE_HEAD(resumed);

static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		WRITE_ONCE(suspending, true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		WRITE_ONCE(suspending, false);
		wake_up_all(&resumed);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_event };

/**
 * dmio_steps_wait_resumed() - let no step begin while the machine suspends
 *
 * Context: worker; sleeps.
 */
void dmio_steps_wait_resumed(void)
{
	wait_event_idle(resumed, !READ_ONCE(suspending));
}

/**
 * dmio_steps_init() - start the workers
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_steps_init(void)
{
	int ret;

	/*
	 * Not freezable: a worker that hangs in a user's page fault would keep
	 * the machine from being suspended.  Steps are held back one by one.
	 */
	pin_wq = alloc_workqueue("dmoverio-pin", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!pin_wq)
		return -ENOMEM;
	ret = register_pm_notifier(&pm_notifier);
	if (ret)
		destroy_workqueue(pin_wq);
	return ret;
}

/**
 * dmio_steps_fini() - stop the workers
 *
 * No session is left.
 *
 * Context: may sleep.
 */
void dmio_steps_fini(void)
{
	unregister_pm_notifier(&pm_notifier);
	destroy_workqueue(pin_wq);
}
