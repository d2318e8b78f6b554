/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Users: who is held to a quota, and whose workers are few: see steps.h.
 *
 * References:
 *
 *	holder		taken at			dropped at
 *	------		--------			----------
 *	session		dmio_session_create()		session_free()
 */
#ifndef DMIO_USER_H
#define DMIO_USER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>

/**
 * struct dmio_user - a user, with all processes that are his
 * @node: in the table of users; guarded by the table's lock
 * @uid: see dmio_user_get() for who that is
 * @nr_sessions: open files and closed ones with requests left; it is the
 *	reference count, too; guarded by the table's lock
 * @lock: guards everything below
 * @nr_requests: accepted, not answered
 * @nr_pinned: pages that he has pinned through us
 * @nr_holding: charges that an engine is certain to give back
 * @nr_pinning: steps that have a worker
 * @starved: the step at the head of @queue waits for a charge to come back
 * @releases: releases that wait for a worker
 * @queue: lanes with steps that wait for a worker, in the order of their turns
 * @room: writers waiting for @nr_requests to fall
 */
struct dmio_user {
	struct list_head node;
	kuid_t uid;
	unsigned int nr_sessions;

	spinlock_t lock;		/* see above */
	unsigned int nr_requests;
	unsigned long nr_pinned;
	unsigned int nr_holding;
	unsigned int nr_pinning;
	bool starved;
	struct list_head releases;
	struct list_head queue;
	wait_queue_head_t room;
};

struct dmio_user *dmio_user_get(void);
void dmio_user_put(struct dmio_user *user);

bool dmio_user_add_request(struct dmio_user *user);
void dmio_user_remove_request(struct dmio_user *user);
int dmio_user_wait_room(struct dmio_user *user);
bool dmio_user_has_room(struct dmio_user *user);

bool dmio_user_charge(struct dmio_user *user, unsigned long nr_pages);
void dmio_user_uncharge(struct dmio_user *user, unsigned long nr_pages);

#endif /* DMIO_USER_H */
