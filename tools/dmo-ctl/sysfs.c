// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dmo-ctl.h"
#include "sysfs.h"
#include "util.h"

static int open_file(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_read(const char *dir, const char *name, char *text, size_t len)
{
	int fd = open_file(dir, name, O_RDONLY);
	ssize_t bytes;

	if (fd < 0)
		return fd;
	bytes = util_read_full(fd, text, len - 1, -1);
	close(fd);
	if (bytes < 0)
		return (int)bytes;
	text[bytes] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

int sysfs_read_u64(const char *dir, const char *name, uint64_t *value)
{
	char text[32];
	int err = sysfs_read(dir, name, text, sizeof(text));

	if (err)
		return err;
	return util_parse_number(text, 0, value) ? -EINVAL : 0;
}

/* In one call: each write(2) is a command of its own. */
int sysfs_write(const char *dir, const char *name, const char *text)
{
	int fd = open_file(dir, name, O_WRONLY), err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int sysfs_explain(const char *what, int err)
{
	switch (-err) {
	case EACCES:
	case EPERM:
	case EROFS:
		util_error("%s: Operation not permitted: it needs root%s", what,
			   geteuid() ? "" : ", and a container may not do it");
		return DMO_NODEV;
	case ENOENT:
		if (access(SYSFS_MODULE, F_OK)) {
			util_error("%s: the module is not loaded; try: modprobe dmoverio",
				   what);
			return DMO_NODEV;
		}
		util_error("%s: the loaded module cannot do it: it is older than this program, or its kernel has no dmaengine",
			   what);
		return DMO_FAIL;
	default:
		util_error("%s: %s", what, strerror(-err));
		return DMO_FAIL;
	}
}
