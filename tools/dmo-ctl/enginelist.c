// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dmo-ctl.h"
#include "enginelist.h"
#include "session.h"
#include "sysfs.h"
#include "util.h"

#define CHANNELS	"/sys/class/dma"
#define MAX_ENGINES	65536	/* a kernel that never ends the list is broken */

/* In the order in which they explain that there is no channel at all */
static const struct {
	__u32 reason;
	const char *name;
	const char *why;
	const char *what_to_do;
} unused[] = {
	{ DMOVERIO_UNUSED_RELEASED, "released",
	  "released by the administrator",
	  "take it back: dmo-ctl rescan" },
	{ DMOVERIO_UNUSED_PERIPHERALS, "peripherals",
	  "its controller serves peripherals",
	  "if they can spare it, name it: modprobe -r dmoverio; modprobe dmoverio channels=NAME" },
	{ DMOVERIO_UNUSED_DRIVER, "driver",
	  "its driver has traps, so that using it is the administrator's choice",
	  "to use it, name it: modprobe -r dmoverio; modprobe dmoverio channels=NAME" },
	{ DMOVERIO_UNUSED_NO_COPY, "no-copy",
	  "it cannot copy memory",
	  "for what else it can do, name it: modprobe -r dmoverio; modprobe dmoverio channels=NAME" },
	{ DMOVERIO_UNUSED_NOT_NAMED, "not-named",
	  "the module's parameter channels does not name it",
	  "name it: modprobe -r dmoverio; modprobe dmoverio channels=NAME" },
	{ DMOVERIO_UNUSED_SINGLE, "single",
	  "another channel of its controller is in use, and its driver does not bear that",
	  "give the other one back, then: dmo-ctl rescan" },
	{ ENGINE_UNUSED_IN_USE, "in-use",
	  "in use by another part of the kernel",
	  "unload who uses it (dmatest, async_tx of a RAID), then: dmo-ctl rescan" },
	{ ENGINE_UNUSED_UNKNOWN, "not-taken",
	  "free, but not taken",
	  "look again: dmo-ctl rescan; the kernel's log may say more" },
	{ DMOVERIO_UNUSED_NO_FUNCTION, "no-function",
	  "it can do none of the functions",
	  "there is nothing to do: the controllers here cannot copy" },
};

static int add_row(struct engine_list *list, const struct dmoverio_engine *e)
{
	struct dmoverio_engine *rows;

	rows = reallocarray(list->rows, list->nr + 1, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	list->rows = rows;
	rows[list->nr++] = *e;
	return 0;
}

/* What the device lists. */
static int read_engines(struct engine_list *list, int fd)
{
	struct dmoverio_engine e;
	__u32 i;

	for (i = 0; i < MAX_ENGINES; i++) {
		memset(&e, 0, sizeof(e));
		e.size = sizeof(e);
		e.index = i;
		if (!ioctl(fd, DMOVERIO_IOC_GET_ENGINE, &e)) {
			if (add_row(list, &e))
				return -ENOMEM;
			continue;
		}
		if (errno != EINTR)
			return errno == ENOENT ? 0 : -errno;
		i--;
	}
	return -ELOOP;
}

static bool is_listed(const struct engine_list *list, const char *name)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->rows[i].name, name))
			return true;
	return false;
}

/* The last part of what a link leads to, "" if there is none. */
static void read_link_name(const char *channel, const char *link, char *name,
			   size_t len)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), CHANNELS "/%s/%s", channel, link);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, len, "%.*s", (int)len - 1, slash ? slash + 1 : target);
}

static int add_other(struct engine_list *list, const char *name)
{
	struct dmoverio_engine e = {
		.state = DMOVERIO_ENGINE_UNUSED,
		.reason = ENGINE_UNUSED_UNKNOWN,
	};
	char dir[PATH_MAX];
	uint64_t users;

	snprintf(dir, sizeof(dir), CHANNELS "/%s", name);
	if (!sysfs_read_u64(dir, "in_use", &users) && users)
		e.reason = ENGINE_UNUSED_IN_USE;
	snprintf(e.name, sizeof(e.name), "%.*s", (int)sizeof(e.name) - 1, name);
	read_link_name(name, "device", e.device, sizeof(e.device));
	read_link_name(name, "device/driver", e.driver, sizeof(e.driver));
	return add_row(list, &e);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* What the kernel has besides. */
static int read_others(struct engine_list *list)
{
	struct dirent **names;
	int nr = scandir(CHANNELS, &names, is_visible, versionsort), i, err = 0;

	list->has_dmaengine = nr >= 0;
	for (i = 0; i < nr; i++) {
		if (!err && !is_listed(list, names[i]->d_name))
			err = add_other(list, names[i]->d_name);
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
	return err;
}

int engine_list_read(struct engine_list *list, const char *device)
{
	int fd, err;

	memset(list, 0, sizeof(*list));
	fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return session_explain_open(device, "open", -errno);
	err = read_engines(list, fd);
	close(fd);
	if (!err)
		err = read_others(list);
	if (!err)
		return DMO_OK;
	engine_list_free(list);
	if (err == -ENOTTY)
		util_error("%s: its engines cannot be listed: the loaded module is older than this program, or this is not a dmoverio device",
			   device);
	else
		util_error("%s: listing engines: %s", device, strerror(-err));
	return DMO_FAIL;
}

void engine_list_free(struct engine_list *list)
{
	free(list->rows);
	list->rows = NULL;
	list->nr = 0;
}

static __u64 func_bit(const struct dmo_function *f)
{
	return f->number ? 1ull << f->number : 0;
}

bool engine_is_channel(const struct dmoverio_engine *e,
		       const struct dmo_function *func)
{
	return e->id > 1 && e->state == DMOVERIO_ENGINE_ACTIVE &&
	       (!func || e->funcs & func_bit(func));
}

size_t engine_list_channels(const struct engine_list *list,
			    const struct dmo_function *func)
{
	size_t i, nr = 0;

	for (i = 0; i < list->nr; i++)
		nr += engine_is_channel(&list->rows[i], func);
	return nr;
}

const char *engine_unused_why(const struct dmoverio_engine *e,
			      const char **name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unused); i++) {
		if (unused[i].reason != e->reason)
			continue;
		*name = unused[i].name;
		return unused[i].why;
	}
	*name = "other";
	return "for a reason that this program does not know";
}

const char *engine_failed_why(const struct dmoverio_engine *e,
			      const char **name)
{
	static const struct {
		const char *name;
		const char *why;
	} failed[] = {
		{ "errors", "its transfers failed" },
		{ "hang", "its transfers did not come to an end" },
		{ "lost", "somebody else has it" },
	};
	size_t i = e->reason - DMOVERIO_FAILED_ERRORS;

	if (e->state != DMOVERIO_ENGINE_QUARANTINED &&
	    e->state != DMOVERIO_ENGINE_DISABLED)
		return NULL;
	if (e->reason < DMOVERIO_FAILED_ERRORS || i >= ARRAY_SIZE(failed)) {
		*name = "other";
		return "for a reason that this program does not know";
	}
	*name = failed[i].name;
	return failed[i].why;
}

static bool has_reason(const struct engine_list *list, __u32 reason)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		if (list->rows[i].state == DMOVERIO_ENGINE_UNUSED &&
		    list->rows[i].reason == reason)
			return true;
	return false;
}

void engine_list_explain(const struct engine_list *list, const char **why,
			 const char **what_to_do)
{
	size_t i;

	if (!list->has_dmaengine) {
		*why = "this kernel has no dmaengine (CONFIG_DMADEVICES)";
		*what_to_do = "boot a kernel that has it: cloud flavours have not";
		return;
	}
	for (i = 0; i < list->nr; i++) {
		*why = engine_failed_why(&list->rows[i], what_to_do);
		if (!*why)
			continue;
		*what_to_do = list->rows[i].parked_pages ?
			      "unbind its driver, or wait until the hardware is done" :
			      "try it again: dmo-ctl reset CHANNEL";
		return;
	}
	for (i = 0; i < ARRAY_SIZE(unused); i++) {
		if (!has_reason(list, unused[i].reason))
			continue;
		*why = unused[i].why;
		*what_to_do = unused[i].what_to_do;
		return;
	}
	*why = "no driver has registered a DMA controller";
	*what_to_do = "load your controller's driver, for instance: modprobe ioatdma";
}
