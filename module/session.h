/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: one per open file.
 *
 * References:
 *
 *	holder		taken at			dropped at
 *	------		--------			----------
 *	open file	dmio_session_create()		release
 *	request		dmio_request_submit()		after its answer was posted
 */
#ifndef DMIO_SESSION_H
#define DMIO_SESSION_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>

#include "cq.h"
#include "fair.h"
#include "lane.h"
#include "stats.h"
#include "umem.h"
#include "user.h"

struct dmio_format;
struct dmio_func;

/**
 * struct dmio_session - one open file
 * @ref: see the table above
 * @setup_lock: serialises dmio_session_setup()
 * @func: the function; set once, with release semantics, after everything
 *	it depends on: @format, @account and the slots of @cq
 * @format: layout of the program's records
 * @account: on whose account memory is pinned, and the address space to which
 *	the session is bound
 * @policy: DMOVERIO_POLICY_*; written under @setup_lock
 * @stats: which way the bytes went
 * @flow: its share of the engines
 * @lane: its share of the user's workers
 * @lock: guards @requests and the state of each request
 * @requests: accepted, and not yet answered, or parked
 * @cq: answers
 */
struct dmio_session {
	struct kref ref;
	struct mutex setup_lock;	/* one setup at a time */
	const struct dmio_func *func;
	const struct dmio_format *format;
	struct dmio_account account;
	u32 policy;
	struct dmio_stats stats;
	struct dmio_flow flow;
	struct dmio_lane lane;

	spinlock_t lock;		/* see above */
	struct list_head requests;
	struct dmio_cq cq;
};

struct dmio_session *dmio_session_create(void);
struct dmio_session *dmio_session_get(struct dmio_session *session);
void dmio_session_put(struct dmio_session *session);
int dmio_session_setup(struct dmio_session *session, const char *name, size_t size,
		       const struct dmio_format *format);
int dmio_session_set_policy(struct dmio_session *session, u32 policy);
bool dmio_session_is_ready(const struct dmio_session *session);

#endif /* DMIO_SESSION_H */
