// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "util.h"

static bool is_standard(const char *path)
{
	return !strcmp(path, "-");
}

static int complain(const char *path, int err)
{
	util_error("%s: %s", path, strerror(err));
	return -1;
}

static int examine(struct copy_file *file, struct stat *st)
{
	off_t pos;

	if (fstat(file->fd, st))
		return complain(file->path, errno);
	if (S_ISDIR(st->st_mode))
		return complain(file->path, EISDIR);
	pos = lseek(file->fd, 0, SEEK_CUR);
	file->regular = S_ISREG(st->st_mode);
	file->seekable = pos >= 0 && (file->regular || S_ISBLK(st->st_mode));
	file->start = file->seekable ? pos : 0;
	if (file->regular && st->st_size > file->start)
		file->size = (uint64_t)(st->st_size - file->start);
	return 0;
}

int copy_file_open_in(struct copy_file *in, const char *path)
{
	struct stat st;

	memset(in, 0, sizeof(*in));
	in->path = path;
	if (is_standard(path))
		in->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return complain(path, errno);
	return examine(in, &st);
}

/*
 * Not truncated here: OUT may turn out to be IN.  A shared mapping needs read
 * access too; otherwise do without, a FIFO would behave differently with it.
 */
static int open_output(struct copy_file *out, mode_t mode, bool to_map)
{
	const int flags = O_CLOEXEC | O_NOCTTY | (to_map ? O_RDWR : O_WRONLY);
	int fd;

	if (is_standard(out->path))
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	fd = open(out->path, O_CREAT | O_EXCL | flags, mode);
	out->created = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(out->path, flags);
	return fd;
}

static int refuse_same_file(const struct copy_file *in,
			    const struct copy_file *out, const struct stat *out_st)
{
	struct stat in_st;
	bool same;

	if (fstat(in->fd, &in_st))
		return complain(in->path, errno);
	same = S_ISBLK(in_st.st_mode) && S_ISBLK(out_st->st_mode) &&
	       in_st.st_rdev == out_st->st_rdev;
	if (S_ISREG(in_st.st_mode) && in_st.st_dev == out_st->st_dev &&
	    in_st.st_ino == out_st->st_ino)
		same = true;
	if (!same)
		return 0;
	util_error("%s and %s are the same file", in->path, out->path);
	return -1;
}

int copy_file_open_out(struct copy_file *out, const char *path,
		       const struct copy_file *in, unsigned int nr_in,
		       bool to_map)
{
	struct stat st;
	unsigned int k;
	mode_t mode;

	memset(out, 0, sizeof(*out));
	out->path = path;
	mode = fstat(in->fd, &st) || !S_ISREG(st.st_mode) ?
	       0666 : (st.st_mode & 0777) | 0200;
	out->fd = open_output(out, mode, to_map);
	if (out->fd < 0)
		return complain(path, errno);
	if (examine(out, &st))
		return -1;
	for (k = 0; k < nr_in; k++)
		if (refuse_same_file(&in[k], out, &st))
			return -1;
	if (fcntl(out->fd, F_GETFL) & O_APPEND)
		out->seekable = false;	/* pwrite() would append anyway */
	if (!out->regular || is_standard(path))
		return 0;
	if (ftruncate(out->fd, 0))
		return complain(path, errno);
	out->truncated = true;
	return 0;
}

/*
 * Only regular files, and never shorter: a device, or a file of which a part
 * would be lost or left as it was, is not what anybody expects.
 */
static int refuse_in_place(const struct copy_file *out, uint64_t size)
{
	if (!out->regular) {
		util_error("%s: not a regular file", out->path);
		return -1;
	}
	if (!size || size >= out->size)
		return 0;
	util_error("%s is longer (%llu bytes) than --size says, and is not cut",
		   out->path, (unsigned long long)out->size);
	return -1;
}

int copy_file_open_in_place(struct copy_file *out, const char *path,
			    uint64_t size)
{
	/* O_NONBLOCK: lest a FIFO keeps us before it is refused */
	const int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;

	memset(out, 0, sizeof(*out));
	out->path = path;
	out->fd = -1;
	if (is_standard(path) || (!stat(path, &st) && !S_ISREG(st.st_mode))) {
		util_error("%s: not a regular file", path);
		return -1;
	}
	if (size)
		out->fd = open(path, O_CREAT | O_EXCL | flags, 0666);
	out->created = out->fd >= 0;
	if (out->fd < 0)
		out->fd = open(path, flags);
	if (out->fd < 0 && errno == ENOENT && !size) {
		util_error("%s does not exist; with --size it is created", path);
		return -1;
	}
	if (out->fd < 0)
		return complain(path, errno);
	return examine(out, &st) || refuse_in_place(out, size) ? -1 : 0;
}

/*
 * With @allocate the blocks are there before the device writes to them
 * through a mapping, where a full disk could not be reported as such.
 */
int copy_file_set_size(struct copy_file *out, uint64_t size, bool allocate)
{
	int err = 0;

	if (ftruncate(out->fd, out->start + (off_t)size))
		return complain(out->path, errno);
	if (allocate && size)
		err = posix_fallocate(out->fd, out->start, (off_t)size);
	if (err && err != EOPNOTSUPP && err != EINVAL)
		return complain(out->path, err);
	return 0;
}

int copy_file_close(struct copy_file *file)
{
	int fd = file->fd;

	file->fd = -1;
	if (fd >= 0 && close(fd))
		return complain(file->path, errno);
	return 0;
}

void copy_file_discard(struct copy_file *out)
{
	if (!out->created)
		return;
	if (unlink(out->path))
		complain(out->path, errno);
	out->created = false;
}

bool copy_file_is_hole(const struct copy_file *in, uint64_t offset,
		       uint64_t len)
{
	off_t data;

	if (!in->regular)
		return false;
	data = lseek(in->fd, in->start + (off_t)offset, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO;	/* none up to the end */
	return (uint64_t)(data - in->start) >= offset + len;
}
