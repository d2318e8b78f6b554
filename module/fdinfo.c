// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo/FD shows of a session, one "name: value" per line.
 */
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "fdinfo.h"
#include "func.h"
#include "policy.h"
#include "request.h"
#include "session.h"

/* The states in which a request holds something, as users know them */
static const struct {
	enum dmio_state state;
	const char *name;
} shown[] = {
	{ DMIO_STATE_QUEUED,	"queued" },
	{ DMIO_STATE_PINNING,	"pinning" },
	{ DMIO_STATE_RUNNING,	"running" },
	{ DMIO_STATE_PARKED,	"parked" },
};

static void show_requests(struct seq_file *m, struct dmio_session *session)
{
	unsigned int nr[DMIO_NR_STATES] = {};
	const struct dmio_request *req;
	size_t i;

	spin_lock(&session->lock);
	list_for_each_entry(req, &session->requests, node)
		nr[req->state]++;
	spin_unlock(&session->lock);

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		seq_printf(m, "%s:\t%u\n", shown[i].name, nr[shown[i].state]);
}

/**
 * dmio_show_fdinfo() - describe a session
 * @m: where to
 * @file: an open device
 *
 * Context: process context, any process; may sleep.
 */
void dmio_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dmio_session *session = file->private_data;

	if (!dmio_session_is_ready(session))
		return;
	seq_printf(m, "function:\t%s\n", session->func->name);
	seq_printf(m, "policy:\t%s\n",
		   dmio_policy_name(dmio_policy_effective(READ_ONCE(session->policy))));
	show_requests(m, session);
	seq_printf(m, "answered:\t%u\n", dmio_cq_nr_ready(&session->cq));
	dmio_stats_show(m, &session->stats);
}
