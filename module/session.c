// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: birth, binding to a function and an address space, death.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "dmio.h"
#include "func.h"
#include "policy.h"
#include "sched.h"
#include "session.h"

/**
 * dmio_session_create() - make the session of an open file
 *
 * Context: may sleep.
 * Return: the session, with one reference; ERR_PTR(-EMFILE) if the user has
 * too many; ERR_PTR(-ENOMEM).
 */
struct dmio_session *dmio_session_create(void)
{
	struct dmio_session *session;
	long ret;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	session->account.user = dmio_user_get();
	if (IS_ERR(session->account.user)) {
		ret = PTR_ERR(session->account.user);
		kfree(session);
		return ERR_PTR(ret);
	}

	/* The file's reference makes this one safe; it outlives the file */
	__module_get(THIS_MODULE);
	kref_init(&session->ref);
	mutex_init(&session->setup_lock);
	spin_lock_init(&session->lock);
	INIT_LIST_HEAD(&session->requests);
	dmio_flow_init(&session->flow);
	dmio_lane_init(&session->lane);
	dmio_cq_init(&session->cq);
	return session;
}

static void session_free(struct kref *ref)
{
	struct dmio_session *session = container_of(ref, struct dmio_session, ref);

	WARN_ON_ONCE(!list_empty(&session->requests) || !dmio_flow_is_idle(&session->flow));
	if (session->func)
		dmio_account_fini(&session->account);
	dmio_cq_fini(&session->cq);
	dmio_user_put(session->account.user);
	kfree(session);
	/* Module exit waits for the worker that this may run in */
	module_put(THIS_MODULE);
}

/**
 * dmio_session_get() - take a reference
 * @session: the session
 *
 * Context: any.
 * Return: @session.
 */
struct dmio_session *dmio_session_get(struct dmio_session *session)
{
	kref_get(&session->ref);
	return session;
}

/**
 * dmio_session_put() - drop a reference
 * @session: the session; may be freed
 *
 * Context: process context; may sleep.
 */
void dmio_session_put(struct dmio_session *session)
{
	might_sleep();
	kref_put(&session->ref, session_free);
}

/**
 * dmio_session_is_ready() - was a function selected?
 * @session: the session
 *
 * If so, everything that dmio_session_setup() set is visible.
 *
 * Context: any.
 * Return: true if dmio_session_setup() succeeded.
 */
bool dmio_session_is_ready(const struct dmio_session *session)
{
	/* Pairs with the release in dmio_session_setup() */
	return smp_load_acquire(&session->func);
}

/* Can records of a format carry what a function takes and gives? */
static bool fits(const struct dmio_func *func, const struct dmio_format *format)
{
	return dmio_format_has_both(format) ||
	       !(func->result_bytes || (func->nr_srcs && func->imm_bytes));
}

/**
 * dmio_session_setup() - select the function, bind to the address space
 * @session: the session
 * @name: the function's name
 * @size: bytes at @name
 * @format: layout of the records to come
 *
 * Context: process context of the program; may sleep.
 * Return: 0; -EBUSY if it was done before; -ESRCH if there is no such function,
 * the format does not fit it, or DMA is required and no engine can do it (another
 * name may then be tried); -ENOMEM.
 */
int dmio_session_setup(struct dmio_session *session, const char *name, size_t size,
		       const struct dmio_format *format)
{
	const struct dmio_func *func = dmio_func_find(name, size);
	int ret = 0;

	mutex_lock(&session->setup_lock);
	if (session->func) {
		ret = -EBUSY;
		goto unlock;
	}
	if (!func || !dmio_sched_can(func, dmio_policy_effective(session->policy)) ||
	    !fits(func, format)) {
		ret = -ESRCH;
		goto unlock;
	}
	ret = dmio_cq_setup(&session->cq, DMIO_QUEUE_DEPTH);
	if (ret)
		goto unlock;

	dmio_account_init(&session->account);
	session->format = format;
	/* Pairs with the acquire in dmio_session_is_ready() */
	smp_store_release(&session->func, func);
	wake_up_interruptible_poll(&session->cq.waiters, EPOLLOUT | EPOLLWRNORM);

unlock:
	mutex_unlock(&session->setup_lock);
	return ret;
}

/**
 * dmio_session_set_policy() - say who may do the session's work
 * @session: the session
 * @policy: DMOVERIO_POLICY_*, from a user
 *
 * Context: process context of the program; may sleep.
 * Return: 0; -EINVAL if there is no such policy; -EPERM if the session is bound
 * to another address space; -ESRCH if DMA is required and no engine can do the
 * session's function.
 */
int dmio_session_set_policy(struct dmio_session *session, u32 policy)
{
	int ret = 0;

	if (policy > DMOVERIO_POLICY_CPU)
		return -EINVAL;

	mutex_lock(&session->setup_lock);
	if (session->func && current->mm != session->account.mm)
		ret = -EPERM;
	else if (session->func && !dmio_sched_can(session->func, dmio_policy_effective(policy)))
		ret = -ESRCH;
	else
		WRITE_ONCE(session->policy, policy);
	mutex_unlock(&session->setup_lock);
	return ret;
}
