// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: from a record that a program wrote to the answer it reads.
 *
 *	dmio_request_submit()	read and judge; from its success on, an answer is owed
 *	  step_here(), step_work()	cut a window, pin it, hand it to an engine
 *	...
 *	window_job_done()	an engine has finished a window
 *	  window_end()		release it, and then
 *	    go_on()		the next step, or the answer
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "adopt.h"
#include "format.h"
#include "func.h"
#include "policy.h"
#include "request.h"
#include "sched.h"
#include "session.h"
#include "steps.h"

static void set_state(struct dmio_request *req, enum dmio_state state)
{
	lockdep_assert_held(&req->session->lock);

	WARN_ONCE(!dmio_state_may_follow(req->state, state),
		  "request goes from state %d to %d\n", req->state, state);
	req->state = state;
}

static struct dmio_user *request_user(const struct dmio_request *req)
{
	return req->session->account.user;
}

static void request_free(struct dmio_request *req)
{
	put_pid(req->process);
	put_cred(req->cred);
	dmio_import_free(&req->todo.im);
	kfree(req);
}

static struct dmio_response make_response(const struct dmio_request *req)
{
	struct dmio_response resp = { .user_data = req->user_data };

	lockdep_assert_held(&req->session->lock);

	resp.error = req->cancelled ? -ECANCELED : req->error;
	if (!resp.error && req->todo.im.func->result_bytes)
		resp.result = req->todo.immediate;
	return resp;
}

static void answer(struct dmio_session *session, const struct dmio_response *resp)
{
	dmio_cq_post(&session->cq, resp);
	dmio_user_remove_request(session->account.user);
}

static enum dmio_state final_state(const struct dmio_request *req)
{
	if (req->cancelled && req->state != DMIO_STATE_PARKED)
		return DMIO_STATE_CANCELLED;
	return req->error ? DMIO_STATE_FAILED : DMIO_STATE_DONE;
}

/*
 * Nothing is in flight and nothing left to do: answer, unless that was done when
 * the request was parked, and free the request
 */
static void request_finish(struct dmio_request *req)
{
	struct dmio_session *session = req->session;
	struct dmio_response resp;
	bool answered;

	spin_lock(&session->lock);
	resp = make_response(req);
	answered = req->state == DMIO_STATE_PARKED;
	set_state(req, final_state(req));
	list_del(&req->node);
	spin_unlock(&session->lock);

	request_free(req);
	if (!answered)
		answer(session, &resp);
	dmio_session_put(session);
}

static bool wants_window(const struct dmio_request *req)
{
	lockdep_assert_held(&req->session->lock);

	return req->todo.rest && !req->error && !req->cancelled;
}

/* Remember an error: of several, the one nearest to the beginning */
static void note_error(struct dmio_request *req, int error, u64 done, u64 fault)
{
	lockdep_assert_held(&req->session->lock);

	if (req->error && req->done <= done)
		return;
	req->error = error;
	req->done = done;
	req->fault = fault;
}

/* What follows when something has ended that belonged to a request */
enum next {
	NEXT_NOTHING,	/* something else is still to end */
	NEXT_STEP,
	NEXT_ANSWER,	/* but keep what is parked */
	NEXT_FINISH,
};

static enum next what_next(struct dmio_request *req)
{
	lockdep_assert_held(&req->session->lock);

	if (req->stepping)
		return NEXT_NOTHING;
	if (wants_window(req)) {
		req->stepping = true;
		return NEXT_STEP;
	}
	if (!req->nr_busy)
		return NEXT_FINISH;
	if (req->nr_busy > req->nr_parked || req->state == DMIO_STATE_PARKED)
		return NEXT_NOTHING;
	set_state(req, DMIO_STATE_PARKED);
	/* What is parked may come back at any moment, but not the last of it */
	req->nr_busy++;
	return NEXT_ANSWER;
}

/* Answer a request that is parked; then it is over when the last window is back */
static void answer_parked(struct dmio_request *req)
{
	struct dmio_session *session = req->session;
	struct dmio_response resp;
	enum next next;

	spin_lock(&session->lock);
	resp = make_response(req);
	spin_unlock(&session->lock);
	answer(session, &resp);

	spin_lock(&session->lock);
	req->nr_busy--;
	next = what_next(req);
	spin_unlock(&session->lock);
	if (next == NEXT_FINISH)
		request_finish(req);
}

/* The request may be gone afterwards */
static void go_on(struct dmio_request *req, enum next next)
{
	switch (next) {
	case NEXT_NOTHING:
		break;
	case NEXT_STEP:
		dmio_steps_queue(request_user(req), &req->step);
		break;
	case NEXT_ANSWER:
		answer_parked(req);
		break;
	case NEXT_FINISH:
		request_finish(req);
		break;
	}
}

static void window_released(struct dmio_window *win)
{
	struct dmio_request *req = win->req;
	enum next next;

	spin_lock(&req->session->lock);
	win->busy = false;
	win->with_engine = false;
	req->nr_busy--;
	req->nr_parked -= win->job.parked;
	next = what_next(req);
	spin_unlock(&req->session->lock);

	go_on(req, next);
}

/* The release that the engine's worker could not wait for */
static void release_work(struct work_struct *work)
{
	struct dmio_window *win = container_of(work, struct dmio_window, release.work);
	struct dmio_session *session = dmio_session_get(win->req->session);

	dmio_window_release(&win->req->todo, win, true);
	window_released(win);

	dmio_steps_done(session->account.user);
	dmio_session_put(session);
}

/*
 * A window is over, by whatever way.  @done is how much of it is certainly
 * done if there was an @error.  May finish, and free, the request.
 */
static void window_end(struct dmio_window *win, int error, u64 done, u64 fault)
{
	struct dmio_request *req = win->req;
	struct dmio_user *user = request_user(req);
	bool held = win->with_engine, released;

	spin_lock(&req->session->lock);
	if (error)
		note_error(req, error, win->offset + done, fault);
	else if (req->todo.im.func->serial)
		req->todo.immediate = win->job.result;
	spin_unlock(&req->session->lock);

	released = dmio_window_release(&win->req->todo, win, false);
	if (held)
		dmio_steps_unhold(user);
	if (released)
		window_released(win);
	else
		dmio_steps_queue_release(user, &win->release);
}

static void window_job_done(struct dmio_job *job)
{
	struct dmio_window *win = container_of(job, struct dmio_window, job);

	window_end(win, job->error, 0, 0);
}

/* A window failed, but its engine cannot let go of its memory */
static void window_job_park(struct dmio_job *job)
{
	struct dmio_window *win = container_of(job, struct dmio_window, job);
	struct dmio_request *req = win->req;
	enum next next;

	/* It is not known when the charge will come back, if ever */
	dmio_steps_unhold(request_user(req));

	spin_lock(&req->session->lock);
	win->with_engine = false;
	req->nr_parked++;
	note_error(req, -ETIMEDOUT, win->offset, 0);
	next = what_next(req);
	spin_unlock(&req->session->lock);

	go_on(req, next);
}

/* A window was cut: it counts as in flight from now on */
static void window_begin(struct dmio_window *win, bool with_engine)
{
	struct dmio_request *req = win->req;

	spin_lock(&req->session->lock);
	win->busy = true;
	win->with_engine = with_engine;
	req->nr_busy++;
	req->todo.rest -= win->len;
	if (req->state == DMIO_STATE_PINNING)
		set_state(req, DMIO_STATE_RUNNING);
	spin_unlock(&req->session->lock);
}

static void window_submit(struct dmio_window *win, bool may_run)
{
	win->job.done = window_job_done;
	win->job.park = window_job_park;
	dmio_steps_hold(request_user(win->req));
	window_begin(win, true);
	dmio_sched_submit(&win->job, may_run);
}

/* What cannot be pinned is done here and now, without an engine */
static void window_run_unpinned(struct dmio_window *win, int error)
{
	u64 done = 0, fault = 0;

	window_begin(win, false);
	error = dmio_window_run_unpinned(&win->req->todo, win, error, &done, &fault);
	window_end(win, error, done, fault);
}

/*
 * How often a window may wait for a charge to come back.  What comes back need
 * not be what it lacks: the limit may be another process's, or be used up by
 * others than us.
 */
#define MAX_WAITS	8

static bool may_wait(struct dmio_request *req)
{
	return req->todo.nr_waits++ < MAX_WAITS &&
	       dmio_steps_starve(request_user(req), &req->step);
}

/*
 * Cut the next window and set it going.  Returns false if it has to wait for
 * the budget: then the step is queued again and no longer the caller's.
 */
static bool step_window(struct dmio_request *req, struct dmio_window *win,
			bool in_worker, bool may_run)
{
	int ret;

	ret = dmio_window_prepare(&req->todo, win, false);
	if (ret == -EAGAIN) {
		if (!in_worker) {
			dmio_steps_queue(request_user(req), &req->step);
			return false;
		}
		if (may_wait(req))
			return false;
		ret = dmio_window_prepare(&req->todo, win, true);
	}

	req->todo.nr_waits = 0;
	if (ret)
		window_run_unpinned(win, ret);
	else
		window_submit(win, may_run);
	return true;
}

/*
 * What a step does next: a window to cut; or NULL: the step is over, and @next
 * follows.
 */
static struct dmio_window *next_window(struct dmio_request *req, enum next *next)
{
	struct dmio_window *win = NULL;

	spin_lock(&req->session->lock);
	*next = NEXT_NOTHING;
	if (!wants_window(req)) {
		req->stepping = false;
		*next = what_next(req);
	} else if (req->nr_busy == (req->todo.im.func->serial ? 1 : DMIO_NR_WINDOWS)) {
		req->stepping = false;
	} else {
		for (win = req->window; win->busy; win++)
			;
		if (!req->nr_busy && req->state != DMIO_STATE_PINNING)
			set_state(req, DMIO_STATE_PINNING);
	}
	spin_unlock(&req->session->lock);
	return win;
}

/*
 * A step in write(): the caller owns it, and may not touch @req afterwards.
 * There is one window, as the request is small.
 */
static void step_here(struct dmio_request *req, bool may_run)
{
	struct dmio_window *win;
	enum next next;

	while ((win = next_window(req, &next)))
		if (!step_window(req, win, false, may_run))
			return;
	go_on(req, next);
}

/*
 * A step in a worker, which has adopted the address space: one window.  Then
 * the step goes to the end of the queue, unless there is nothing left for it: a
 * request that is done must not wait for others that hang.
 */
static void step_in_worker(struct dmio_request *req)
{
	struct dmio_window *win;
	enum next next;

	win = next_window(req, &next);
	if (win) {
		if (!step_window(req, win, true, false))
			return;
		if (next_window(req, &next))
			next = NEXT_STEP;
	}
	go_on(req, next);
}

static void step_work(struct work_struct *work)
{
	struct dmio_request *req = container_of(work, struct dmio_request, step.work);
	struct dmio_session *session = dmio_session_get(req->session);
	struct dmio_user *user = request_user(req);
	struct dmio_adopted adopted;

	dmio_steps_wait_resumed();
	if (dmio_adopt(&adopted, session->account.mm, req->process, req->cred)) {
		step_in_worker(req);
		dmio_adopt_end(&adopted);
	} else {
		spin_lock(&session->lock);
		note_error(req, -ECANCELED, 0, 0);
		spin_unlock(&session->lock);
		step_in_worker(req);
	}

	dmio_steps_done(user);
	dmio_session_put(session);
}

static struct dmio_request *request_create(struct dmio_session *session, const void *record)
{
	const struct dmio_func *func = session->func;
	unsigned int nr = func->has_dst + func->nr_srcs;
	struct dmio_request *req;
	struct dmio_desc desc;
	unsigned int i;
	int ret;

	req = kzalloc(struct_size(req, mem, nr * DMIO_NR_WINDOWS), GFP_KERNEL_ACCOUNT);
	if (!req)
		return ERR_PTR(-ENOMEM);

	dmio_format_get_request(session->format, record, &desc);
	ret = dmio_import(&req->todo.im, session->format, func, &desc);
	if (ret) {
		kfree(req);
		return ERR_PTR(ret);
	}

	req->session = session;
	req->process = get_pid(task_tgid(current));
	/* Clears a flag of what others share, as does everybody who takes credentials */
	req->cred = data_race(get_current_cred());
	req->todo.policy = dmio_policy_effective(READ_ONCE(session->policy));
	req->todo.stats = &session->stats;
	req->todo.flow = &session->flow;
	req->todo.account = &session->account;
	req->user_data = desc.user_data;
	req->todo.immediate = desc.immediate;
	req->todo.limit_pages = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	req->todo.rest = req->todo.im.len;
	dmio_step_init(&req->step, &session->lane, step_work);
	for (i = 0; i < DMIO_NR_WINDOWS; i++) {
		req->window[i].req = req;
		dmio_step_init(&req->window[i].release, NULL, release_work);
		req->window[i].mem = &req->mem[i * nr];
	}
	return req;
}

/**
 * dmio_request_submit() - accept a request
 * @session: set up; the caller has reserved a slot in its completion queue and
 *	counted the request for its user
 * @record: the request as the program wrote it, copied from it, in the
 *	session's format
 * @may_run: the request may be executed before the call returns, if it is
 *	small
 *
 * Context: process context of the program to which the session is bound, with
 * no locks held; may sleep.
 * Return: 0, and the slot will be posted exactly once, perhaps already was;
 * or an error, and nothing is remembered: see dmio_import(), and -ENOMEM.
 */
int dmio_request_submit(struct dmio_session *session, const void *record, bool may_run)
{
	struct dmio_request *req = request_create(session, record);
	struct dmio_user *user;

	if (IS_ERR(req))
		return PTR_ERR(req);
	user = request_user(req);

	dmio_session_get(session);
	spin_lock(&session->lock);
	list_add_tail(&req->node, &session->requests);
	set_state(req, DMIO_STATE_QUEUED);
	req->stepping = true;
	spin_unlock(&session->lock);

	if (dmio_window_is_small(&req->todo) && !dmio_steps_must_wait(user, &session->lane))
		step_here(req, may_run);
	else
		dmio_steps_queue(user, &req->step);
	return 0;
}

/**
 * dmio_requests_quiesce() - drop what was not begun
 * @session: its file is closed: nothing is being submitted
 *
 * What an engine has begun, and what a step is doing, is left to end by
 * itself; no further window follows.
 *
 * Context: process context; may sleep, but waits for nobody.
 */
void dmio_requests_quiesce(struct dmio_session *session)
{
	struct dmio_request *req, *next;
	struct dmio_window *win;
	LIST_HEAD(finished);

	spin_lock(&session->lock);
	list_for_each_entry_safe(req, next, &session->requests, node) {
		req->cancelled = true;
		for (win = req->window; win < req->window + DMIO_NR_WINDOWS; win++)
			if (win->with_engine)
				dmio_job_abandon(&win->job);
		/* A parked one is answered by its step, which does nothing else */
		if (!req->nr_parked &&
		    dmio_steps_unqueue(request_user(req), &req->step)) {
			req->stepping = false;
			if (!req->nr_busy)
				list_move(&req->node, &finished);
		}
	}
	spin_unlock(&session->lock);

	list_for_each_entry_safe(req, next, &finished, node)
		request_finish(req);
}
