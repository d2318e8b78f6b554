// SPDX-License-Identifier: GPL-2.0
/*
 * Users: quotas and the queue for pinning workers.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/user_namespace.h>

#include "user.h"

/* Workers that one user may have, and perhaps have hanging, at a time */
#define MAX_PINNING	4

static LIST_HEAD(users);
static DEFINE_MUTEX(users_lock);	/* guards users and their nr_sessions */

static unsigned int max_sessions = 256;
module_param(max_sessions, uint, 0644);
MODULE_PARM_DESC(max_sessions, "Sessions that one user may have open, at least 1");

/* Whoever waits for room waits under the old limit */
static int set_max_requests(const char *value, const struct kernel_param *param)
{
	int ret = param_set_uint(value, param);
	struct dmio_user *user;

	mutex_lock(&users_lock);
	list_for_each_entry(user, &users, node)
		wake_up_interruptible_poll(&user->room, EPOLLOUT | EPOLLWRNORM);
	mutex_unlock(&users_lock);
	return ret;
}

static const struct kernel_param_ops max_requests_ops = {
	.set = set_max_requests,
	.get = param_get_uint,
};

static unsigned int max_requests = 65536;
module_param_cb(max_requests, &max_requests_ops, &max_requests, 0644);
MODULE_PARM_DESC(max_requests, "Requests that one user may have in flight, at least 1");

static unsigned long max_pinned_kib;
module_param(max_pinned_kib, ulong, 0644);
MODULE_PARM_DESC(max_pinned_kib,
		 "Memory that one user may have pinned, in KiB (0: an eighth of the memory, 1 GiB at most)");

/*
 * However much memory there is: a page that a program names over and over is
 * pinned over and over, each time adding GUP_PIN_COUNTING_BIAS (1024) to a
 * signed 32-bit count.  This keeps one user far from its end.
 */
#define MAX_PINNED_PAGES	(SZ_1G >> PAGE_SHIFT)

static struct workqueue_struct *pin_wq;

/*
 * Whom the quotas of the calling process count for.  Whoever makes a user
 * namespace can be as many users in it as he likes; they count as the owner of
 * the outermost one.  Where that is root, it is an administrator's container,
 * whose users count for themselves.
 */
static kuid_t accountable_uid(void)
{
	struct user_namespace *ns;
	kuid_t uid = current_uid();

	for (ns = current_user_ns(); ns->parent; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			uid = ns->owner;
	return uid;
}

static struct dmio_user *find(kuid_t uid)
{
	struct dmio_user *user;

	lockdep_assert_held(&users_lock);

	/* Few, and only looked for at open */
	list_for_each_entry(user, &users, node)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

static struct dmio_user *user_alloc(kuid_t uid)
{
	struct dmio_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (!user)
		return NULL;
	user->uid = uid;
	spin_lock_init(&user->lock);
	INIT_LIST_HEAD(&user->releases);
	INIT_LIST_HEAD(&user->queue);
	init_waitqueue_head(&user->room);
	return user;
}

/**
 * dmio_user_get() - find the user of the calling process, for one more session
 *
 * Context: process context; may sleep.
 * Return: the user; ERR_PTR(-EMFILE) if he has too many sessions;
 * ERR_PTR(-ENOMEM).
 */
struct dmio_user *dmio_user_get(void)
{
	struct dmio_user *user, *new;

	/* Not under the lock: one user's reclaim must not hold up the others */
	new = user_alloc(accountable_uid());
	if (!new)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&users_lock);
	user = find(new->uid);
	if (!user) {
		user = new;
		new = NULL;
		list_add(&user->node, &users);
	}
	if (user->nr_sessions < max(READ_ONCE(max_sessions), 1U))
		user->nr_sessions++;
	else
		user = ERR_PTR(-EMFILE);
	mutex_unlock(&users_lock);

	kfree(new);
	return user;
}

/**
 * dmio_user_put() - a session is gone
 * @user: its user; may be freed
 *
 * Context: process context; may sleep.
 */
void dmio_user_put(struct dmio_user *user)
{
	mutex_lock(&users_lock);
	if (!--user->nr_sessions) {
		WARN_ON_ONCE(user->nr_requests || user->nr_pinned || user->nr_holding ||
			     user->nr_pinning || !list_empty(&user->releases) ||
			     !list_empty(&user->queue));
		list_del(&user->node);
		kfree(user);
	}
	mutex_unlock(&users_lock);
}

static unsigned int request_limit(void)
{
	return max(READ_ONCE(max_requests), 1U);
}

/**
 * dmio_user_add_request() - one more request in flight
 * @user: whose
 *
 * Context: process context; does not sleep.
 * Return: false if there are too many.
 */
bool dmio_user_add_request(struct dmio_user *user)
{
	bool room;

	spin_lock(&user->lock);
	room = user->nr_requests < request_limit();
	if (room)
		user->nr_requests++;
	spin_unlock(&user->lock);
	return room;
}

/**
 * dmio_user_remove_request() - a request was answered, or refused
 * @user: whose
 *
 * Context: process context; does not sleep.
 */
void dmio_user_remove_request(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_requests--;
	spin_unlock(&user->lock);

	/* All: the limit may have changed.  Pairs with wait_event() and poll_wait(). */
	if (wq_has_sleeper(&user->room))
		wake_up_interruptible_poll(&user->room, EPOLLOUT | EPOLLWRNORM);
}

/**
 * dmio_user_wait_room() - sleep until one more request may be in flight
 * @user: whose
 *
 * Context: process context, no locks held; sleeps.
 * Return: 0 or -ERESTARTSYS.
 */
int dmio_user_wait_room(struct dmio_user *user)
{
	return wait_event_interruptible(user->room, dmio_user_has_room(user));
}

/**
 * dmio_user_has_room() - may one more request be in flight?
 * @user: whose
 *
 * Context: process context; does not sleep.
 * Return: true if it may at this moment.
 */
bool dmio_user_has_room(struct dmio_user *user)
{
	bool room;

	spin_lock(&user->lock);
	room = user->nr_requests < request_limit();
	spin_unlock(&user->lock);
	return room;
}

static unsigned long max_pinned(void)
{
	unsigned long kib = READ_ONCE(max_pinned_kib);
	unsigned long pages = kib ? kib >> (PAGE_SHIFT - 10) : totalram_pages() / 8;

	return kib ? pages : min_t(unsigned long, pages, MAX_PINNED_PAGES);
}

/**
 * dmio_user_charge() - count pages that are going to be pinned
 * @user: whose
 * @nr_pages: how many
 *
 * Context: any but interrupt; does not sleep.
 * Return: false if that is too much, and nothing was counted.
 */
bool dmio_user_charge(struct dmio_user *user, unsigned long nr_pages)
{
	unsigned long limit = max_pinned();
	bool room;

	spin_lock(&user->lock);
	room = user->nr_pinned <= limit && nr_pages <= limit - user->nr_pinned;
	if (room)
		user->nr_pinned += nr_pages;
	spin_unlock(&user->lock);
	return room;
}

/**
 * dmio_user_uncharge() - pages are no longer pinned
 * @user: whose
 * @nr_pages: as charged
 *
 * Context: any but interrupt; does not sleep.
 */
void dmio_user_uncharge(struct dmio_user *user, unsigned long nr_pages)
{
	spin_lock(&user->lock);
	user->nr_pinned -= nr_pages;
	spin_unlock(&user->lock);
}

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
 * dmio_user_hold() - a charge is with an engine: it will come back by itself
 * @user: whose
 *
 * Context: process context; does not sleep.
 */
void dmio_user_hold(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_holding++;
	spin_unlock(&user->lock);
}

/**
 * dmio_user_unhold() - such a charge has come back, or is not certain to any more
 * @user: whose; what came back was taken off before
 *
 * Context: process context; does not sleep.
 */
void dmio_user_unhold(struct dmio_user *user)
{
	spin_lock(&user->lock);
	user->nr_holding--;
	user->starved = false;
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_user_must_wait() - must a new step of a session wait?
 * @user: whose
 * @lane: of the session
 *
 * Context: any but interrupt; does not sleep.
 * Return: true if it would stand behind another of them, or if there is no budget.
 */
bool dmio_user_must_wait(struct dmio_user *user, const struct dmio_lane *lane)
{
	bool wait;

	spin_lock(&user->lock);
	wait = user->starved || !list_empty(&lane->steps);
	spin_unlock(&user->lock);
	return wait;
}

/**
 * dmio_user_queue_step() - put a step at the end of its session's queue
 * @user: whose
 * @step: not in the queue and without a worker
 *
 * Context: process context; does not sleep.
 */
void dmio_user_queue_step(struct dmio_user *user, struct dmio_step *step)
{
	spin_lock(&user->lock);
	dmio_lane_add(&user->queue, step);
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_user_queue_release() - have a release done that has to wait
 * @user: whose
 * @step: not in a queue and without a worker
 *
 * Context: process context; does not sleep.
 */
void dmio_user_queue_release(struct dmio_user *user, struct dmio_step *step)
{
	spin_lock(&user->lock);
	list_add_tail(&step->node, &user->releases);
	dispatch(user);
	spin_unlock(&user->lock);
}

/**
 * dmio_user_unqueue_step() - take a step out of the queue
 * @user: whose
 * @step: a step
 *
 * Context: any but interrupt; does not sleep.
 * Return: true if it was in the queue: it will not get a worker.
 */
bool dmio_user_unqueue_step(struct dmio_user *user, struct dmio_step *step)
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
 * dmio_user_starve_step() - put a step back until a charge has come back
 * @user: whose
 * @step: it has a worker, and calls dmio_user_step_done() after this
 *
 * Context: process context; does not sleep.
 * Return: false if no charge is sure to come back: nothing was done.
 */
bool dmio_user_starve_step(struct dmio_user *user, struct dmio_step *step)
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
 * dmio_user_step_done() - the worker of a step is done with it
 * @user: whose
 *
 * Context: process context; does not sleep.
 */
void dmio_user_step_done(struct dmio_user *user)
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
 * dmio_users_wait_resumed() - let no step begin while the machine suspends
 *
 * Context: worker; sleeps.
 */
void dmio_users_wait_resumed(void)
{
	wait_event_idle(resumed, !READ_ONCE(suspending));
}

/**
 * dmio_users_init() - start the workers
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_users_init(void)
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
 * dmio_users_fini() - stop the workers
 *
 * No session is left.
 *
 * Context: may sleep.
 */
void dmio_users_fini(void)
{
	unregister_pm_notifier(&pm_notifier);
	destroy_workqueue(pin_wq);
}
