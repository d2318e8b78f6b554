/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cpu_user.c takes of the kernel: user memory that is an array, with pages
 * that must not be touched, and allocations that are counted.
 */
#ifndef DMIO_TEST_USER_SHIM_H
#define DMIO_TEST_USER_SHIM_H

#include <linux/mm.h>
#include <linux/types.h>

#include "../../module/dmio.h"

/* Each region lies in a block of its own, all blocks in a row */
#define USER_BASE	0x1000000UL
#define USER_PAGES	8
#define USER_BLOCK	(USER_PAGES * PAGE_SIZE)
#define USER_BYTES	(DMIO_MAX_REGIONS * USER_BLOCK)

/**
 * struct user_shim - between cpu_user.c and the kernel
 * @mem: USER_BYTES; byte n has the user's address USER_BASE + n
 * @bad: of each block the page that must not be touched
 * @no_memory: allocations fail
 * @nr_buffers: allocated, and not freed
 * @nr_accesses: copies asked for
 */
struct user_shim {
	u8 *mem;
	unsigned int bad[DMIO_MAX_REGIONS];
	bool no_memory;
	unsigned int nr_buffers;
	unsigned int nr_accesses;
};

extern struct user_shim user_shim;

void *user_shim_alloc(size_t size, gfp_t gfp);
void user_shim_free(const void *buf);
unsigned long user_shim_read(void *to, const void __user *from, unsigned long len);
unsigned long user_shim_write(void __user *to, const void *from, unsigned long len);

#endif /* DMIO_TEST_USER_SHIM_H */
