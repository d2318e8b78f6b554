// SPDX-License-Identifier: GPL-2.0
/*
 * Between cpu_user.c and the kernel.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "user_shim.h"

struct user_shim user_shim;

/* So much earlier than it has to, a copy stops that comes from the page before */
#define EARLY	7

/**
 * user_shim_alloc() - kmalloc()
 * @size: bytes
 * @gfp: how
 *
 * Return: memory, or NULL.
 */
void *user_shim_alloc(size_t size, gfp_t gfp)
{
	void *buf = user_shim.no_memory ? NULL : kmalloc(size, gfp);

	user_shim.nr_buffers += !!buf;
	return buf;
}

/**
 * user_shim_free() - kfree()
 * @buf: memory, or NULL
 */
void user_shim_free(const void *buf)
{
	user_shim.nr_buffers -= !!buf;
	kfree(buf);
}

/* How many of @len bytes at @at can be touched, as an unkind architecture has it */
static size_t reach(size_t at, size_t len)
{
	unsigned int block = at / USER_BLOCK;
	size_t bad, good;

	user_shim.nr_accesses++;
	if (at >= USER_BYTES || len > USER_BYTES - at)
		return 0;
	bad = block * USER_BLOCK + user_shim.bad[block] * PAGE_SIZE;
	if (at + len <= bad || at >= bad + PAGE_SIZE)
		return len;
	good = at < bad ? bad - at : 0;
	return good - min_t(size_t, good, EARLY);
}

/**
 * user_shim_read() - copy_from_user()
 * @to: kernel memory; what cannot be read is zeroed
 * @from: user memory
 * @len: bytes
 *
 * Return: how many of them could not be read.
 */
unsigned long user_shim_read(void *to, const void __user *from, unsigned long len)
{
	size_t at = (unsigned long)from - USER_BASE, good = reach(at, len);

	memcpy(to, user_shim.mem + at, good);
	memset(to + good, 0, len - good);
	return len - good;
}

/**
 * user_shim_write() - copy_to_user()
 * @to: user memory
 * @from: kernel memory
 * @len: bytes
 *
 * Return: how many of them could not be written.
 */
unsigned long user_shim_write(void __user *to, const void *from, unsigned long len)
{
	size_t at = (unsigned long)to - USER_BASE, good = reach(at, len);

	memcpy(user_shim.mem + at, from, good);
	return len - good;
}
