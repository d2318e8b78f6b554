/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in which the kernel shows and takes values.
 */
#ifndef FILE_H
#define FILE_H

/* 0, or -1 and errno */
int file_write(const char *path, const char *value);
/* The number after "name:" in a file, or -1 */
long long file_number(const char *path, const char *name);

#endif /* FILE_H */
