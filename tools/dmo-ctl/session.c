// SPDX-License-Identifier: GPL-2.0-only
/*
 * The classic interface of dmoverio(4), wrapped.
 *
 * The device counts a request against the queue's depth until its answer was
 * read, and a blocking write to a full queue sleeps until somebody reads.
 * So a single thread asks poll first, and reads when there is no room.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/dmoverio.h>

#include "dmo-ctl.h"
#include "records.h"
#include "session.h"
#include "util.h"

#define MAX_BATCH	512	/* records per read or write */

struct session_records {
	_Alignas(8) uint8_t reqs[MAX_BATCH * RECORD_MAX_REQUEST];
	_Alignas(8) uint8_t resps[MAX_BATCH * RECORD_MAX_RESPONSE];
	_Alignas(8) uint8_t in[];
};

/* Only the later layout holds inputs and an immediate, or a result. */
static const struct record_layout *choose_layout(const char *function,
						 unsigned int flags)
{
	const struct dmo_function *f = func_find(function);

	if (flags & SESSION_ABI2 || (f && f->result_bytes))
		return &record_layout_abi2;
	return &record_layout_abi1;
}

static int set_function(struct dmo_session *s, const char *function)
{
	struct dmio_setfunc setfunc = { .dsf_name = "" };

	strcpy(setfunc.dsf_name, function);
	return ioctl(s->fd, s->layout->setfunc, &setfunc) ? -errno : 0;
}

static int set_policy(struct dmo_session *s, uint32_t policy)
{
	struct dmoverio_policy arg = { .size = sizeof(arg), .policy = policy };

	return ioctl(s->fd, DMOVERIO_IOC_SET_POLICY, &arg) ? -errno : 0;
}

/*
 * The policy first: where the module's own requires DMA, a session that does
 * not must say so before.  Functions that no engine can do then look as if
 * they did not exist: asking again with the CPU allowed tells the two apart.
 */
static int select_function(struct dmo_session *s, const char *function,
			   uint32_t policy)
{
	int no_policy = policy ? set_policy(s, policy) : 0;
	int err = set_function(s, function);

	if (err == -ESRCH && !no_policy && policy != DMOVERIO_POLICY_CPU &&
	    !set_policy(s, DMOVERIO_POLICY_CPU) && !set_function(s, function))
		return -EOPNOTSUPP;
	if (err)
		return err;
	return no_policy == -ENOTTY ? -ENOSYS : no_policy;
}

int session_open(struct dmo_session *s, const char *device,
		 const char *function, uint32_t policy, unsigned int flags)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->blocking = flags & SESSION_BLOCKING;
	s->layout = choose_layout(function, flags);
	if (strlen(function) >= DMIO_MAX_FUNCNAME)
		return -ESRCH;

	s->records = malloc(sizeof(*s->records) +
			    MAX_BATCH * s->layout->inputs_bytes);
	if (!s->records)
		return -ENOMEM;
	s->fd = open(device, O_RDWR | O_CLOEXEC |
		     (s->blocking ? 0 : O_NONBLOCK));
	err = s->fd < 0 ? -errno : select_function(s, function, policy);
	if (err)
		session_close(s);
	return err;
}

void session_close(struct dmo_session *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	free(s->records);
	s->records = NULL;
}

/* From the file: getgrgid() would need shared libraries in a static build. */
static void group_name(gid_t gid, char *name, size_t len)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *gr = NULL;

	snprintf(name, len, "%u", (unsigned int)gid);
	while (f && (gr = fgetgrent(f)) != NULL) {
		if (gr->gr_gid != gid)
			continue;
		snprintf(name, len, "%s", gr->gr_name);
		break;
	}
	if (f)
		fclose(f);
}

static void explain_permission(const char *device)
{
	const mode_t group_rw = 0060;
	struct stat st;
	char group[64];

	if (stat(device, &st)) {
		util_error("%s: permission denied", device);
		return;
	}
	group_name(st.st_gid, group, sizeof(group));
	if (st.st_gid && (st.st_mode & group_rw) == group_rw)
		util_error("%s: permission denied (mode %04o): run as root, or as a member of group %s",
			   device, st.st_mode & 07777, group);
	else
		util_error("%s: permission denied (mode %04o, group %s): run as root, or have root change the device's group and mode",
			   device, st.st_mode & 07777, group);
}

int session_explain_open(const char *device, const char *function, int err)
{
	switch (-err) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		util_error("%s: no such device: is the module loaded? try: modprobe dmoverio (not installed: modprobe -a xor libcrc32c && insmod module/dmoverio.ko)",
			   device);
		return DMO_NODEV;
	case EACCES:
		explain_permission(device);
		return DMO_NODEV;
	case EPERM:
		util_error("%s: operation not permitted: a container or a security policy denies the device",
			   device);
		return DMO_NODEV;
	case ENOTTY:
	case EISDIR:
	case ENOTDIR:
		util_error("%s: not a dmoverio device", device);
		return DMO_NODEV;
	case ESRCH:
		util_error("%s: the device does not offer '%s'; see: dmo-ctl functions",
			   device, function);
		return DMO_FAIL;
	case EOPNOTSUPP:
		util_error("%s: the policy requires DMA, and no DMA channel can do '%s'; see: dmo-ctl engines",
			   device, function);
		return DMO_FAIL;
	case ENOSYS:
		util_error("%s: the loaded module knows no policies: it is older than this program",
			   device);
		return DMO_FAIL;
	case EMFILE:
		util_error("%s: too many open files of this process, or too many sessions of this user",
			   device);
		return DMO_FAIL;
	default:
		util_error("%s: %s: %s", device, function, strerror(-err));
		return DMO_FAIL;
	}
}

static bool session_writable(const struct dmo_session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLOUT);
}

bool session_readable(const struct dmo_session *s)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLIN);
}

/* Records accepted, 0: reap first, or -errno. */
static int write_records(struct dmo_session *s, unsigned int nr)
{
	const size_t size = s->layout->request_bytes;
	ssize_t bytes;

	if (s->blocking && s->in_flight && !session_writable(s))
		return 0;
	bytes = write(s->fd, s->records->reqs, nr * size);
	if (bytes < 0)
		return (errno == EAGAIN && s->in_flight) ? 0 : -errno;
	if (!bytes || (size_t)bytes > nr * size || (size_t)bytes % size)
		return -EPROTO;
	return (int)((size_t)bytes / size);
}

/*
 * Requests are counted per user, and memory may be short: what we hold
 * ourselves comes back with the answers, what others hold may come back soon.
 */
int session_submit(struct dmo_session *s, const struct dmo_request *reqs,
		   unsigned int nr)
{
	static const unsigned int patience_ms[] = { 1, 10, 100, 0 };
	unsigned int i;
	int ret;

	if (nr > MAX_BATCH)
		nr = MAX_BATCH;
	for (i = 0; i < nr; i++)
		s->layout->encode(s->records->reqs + i * s->layout->request_bytes,
				  s->records->in + i * s->layout->inputs_bytes,
				  &reqs[i]);

	for (i = 0; i < ARRAY_SIZE(patience_ms); i++) {
		ret = write_records(s, nr);
		if (ret == -ENOMEM && s->in_flight)
			return 0;
		if (ret != -ENOMEM && ret != -EAGAIN)
			break;
		util_sleep_ms(patience_ms[i]);
	}
	if (ret > 0)
		s->in_flight += (unsigned int)ret;
	return ret;
}

int session_reap(struct dmo_session *s, struct dmo_answer *answers,
		 unsigned int nr)
{
	const size_t size = s->layout->response_bytes;
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	unsigned int i, got;
	ssize_t bytes;

	if (nr > MAX_BATCH)
		nr = MAX_BATCH;
	while ((bytes = read(s->fd, s->records->resps, nr * size)) < 0) {
		if (errno != EAGAIN || s->blocking)
			return -errno;
		if (poll(&pfd, 1, -1) < 0)
			return -errno;
		if (pfd.revents & (POLLERR | POLLNVAL))
			return -EIO;
	}
	if (!bytes || (size_t)bytes > nr * size || (size_t)bytes % size)
		return -EPROTO;

	got = (unsigned int)((size_t)bytes / size);
	for (i = 0; i < got; i++)
		s->layout->decode(s->records->resps + i * size, &answers[i]);
	s->in_flight -= got < s->in_flight ? got : s->in_flight;
	return (int)got;
}

const char *session_strerror(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ ENOMEM, "the system is short of memory" },
		{ EFAULT, "a part of the memory cannot be accessed (was the file truncated?)" },
		{ EPERM, "the session belongs to another process" },
		{ EINVAL, "the device refuses the request as invalid" },
		{ EAGAIN, "too many requests of this user are in flight" },
		{ ENXIO, "the session has no function" },
		{ EPROTO, "the device returned a byte count that is no whole number of records" },
		{ ETIMEDOUT, "the engine did not finish in time" },
		{ EIO, "the engine reported an error" },
		{ ECANCELED, "the request was cancelled" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == error)
			return texts[i].text;
	return strerror(error);
}
