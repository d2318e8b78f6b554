// SPDX-License-Identifier: GPL-2.0
/*
 * Users and their quotas.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "user.h"

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
