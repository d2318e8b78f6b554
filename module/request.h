/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests.
 *
 * A request of any size runs in windows: pieces that are pinned, executed and
 * released one behind the other, two in flight at most, so that the next is
 * being pinned while an engine works on the last (one in flight, for functions
 * whose windows depend on each other).
 *
 * What moves a request forward is a step: it cuts a window, charges and pins
 * it, and hands it to an engine.  A step runs in write(), for requests so small
 * that one window does, or in a worker that adopts the address space.  A worker
 * does one window and goes to the end of its user's queue, so that a large
 * request does not keep out others, nor a process's memory alive after its end.
 * When a window ends and no step is under way, the next step is queued, or, if
 * nothing is left to do, the request is finished.  All of that is decided
 * under session->lock, from the fields that it guards.
 *
 * A request has no reference count.  It is finished, answered and freed by
 * whoever finds, under the lock, that no step is under way, no window is in
 * flight, and nothing is left to do.
 *
 * A window is parked when its engine failed and may yet write to its memory.  The
 * request is then answered as soon as all others have ended; what is left of it
 * (memory, charge, session) waits for what is parked.
 */
#ifndef DMIO_REQUEST_H
#define DMIO_REQUEST_H

#include <linux/list.h>
#include <linux/types.h>

#include "lane.h"
#include "state.h"
#include "umem.h"
#include "user.h"
#include "window.h"

struct cred;
struct dmio_session;

/**
 * struct dmio_request - a request
 * @session: holds a reference to it
 * @node: in the session's list; guarded by session->lock
 * @state: guarded by session->lock
 * @user_data: for the answer
 * @process: who wrote it; when he is gone, no further window is begun
 * @cred: who he was when he wrote it
 * @todo: what is still to be done; its step's, but that @todo.rest and
 *	@todo.immediate change under session->lock
 * @stepping: a step is queued or under way; guarded by session->lock
 * @nr_busy: windows in flight, and whoever answers it while some of them are
 *	parked; guarded by session->lock
 * @nr_parked: those of them whose memory an engine cannot give back; guarded by
 *	session->lock
 * @error: the first that happened, 0 or a negative errno; guarded by
 *	session->lock
 * @fault: with -EFAULT: the address, if it is known; guarded by session->lock
 * @done: with an @error: bytes from the beginning that are certainly done;
 *	guarded by session->lock
 * @cancelled: nobody wants it any more; guarded by session->lock
 * @step: the step's place in the queue for workers
 * @window: the windows
 * @mem: pinned memory of all windows
 */
struct dmio_request {
	struct dmio_session *session;
	struct list_head node;
	enum dmio_state state;
	u64 user_data;
	struct pid *process;
	const struct cred *cred;
	struct dmio_todo todo;

	bool stepping;
	unsigned int nr_busy;
	unsigned int nr_parked;
	int error;
	u64 fault;
	u64 done;
	bool cancelled;

	struct dmio_step step;
	struct dmio_window window[DMIO_NR_WINDOWS];
	struct dmio_umem mem[];
};

int dmio_request_submit(struct dmio_session *session, const void *record, bool may_run);
void dmio_requests_quiesce(struct dmio_session *session);

#endif /* DMIO_REQUEST_H */
