/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of a command: opened with care, cleaned up after a failure.
 */
#ifndef DMO_CTL_FILES_H
#define DMO_CTL_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct copy_file - an input or the output
 * @path: "-" means standard input or output
 * @fd: open file, or -1
 * @regular: a regular file: has a size, can be mapped and truncated
 * @seekable: has positions; otherwise strictly in sequence
 * @created: did not exist before
 * @truncated: was emptied by us: what is not written reads as zero
 * @start: where the copy begins: a redirected file may stand anywhere
 * @size: bytes from @start on when it was opened; regular files only
 */
struct copy_file {
	const char *path;
	int fd;
	bool regular;
	bool seekable;
	bool created;
	bool truncated;
	off_t start;
	uint64_t size;
};

/* All return 0, or -1 after a message. */
int copy_file_open_in(struct copy_file *in, const char *path);
int copy_file_open_out(struct copy_file *out, const char *path,
		       const struct copy_file *in, unsigned int nr_in,
		       bool to_map);
int copy_file_set_size(struct copy_file *out, uint64_t size, bool allocate);
int copy_file_close(struct copy_file *file);

/*
 * Open a regular file whose contents are to be overwritten.  @size: it may be
 * created, and becomes so long; 0: it has to exist.
 */
int copy_file_open_in_place(struct copy_file *out, const char *path,
			    uint64_t size);

/* Remove what a failed command left, if the command created it. */
void copy_file_discard(struct copy_file *out);

/* Does [offset, offset + len) of the file lie in a hole? */
bool copy_file_is_hole(const struct copy_file *in, uint64_t offset,
		       uint64_t len);

#endif /* DMO_CTL_FILES_H */
