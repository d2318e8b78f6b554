// SPDX-License-Identifier: GPL-2.0
/*
 * The functions.  A new one is a row here and a row in the table of each
 * engine that can do it (engine_cpu.c must: every function works on every
 * machine).
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "dmio.h"
#include "func.h"

#define XOR(n) { \
	.name = "xor" #n, .id = DMOVERIO_FUNC_XOR, .nr_srcs = (n), .has_dst = true \
}

/* All functions, in the order in which they are listed to users */
const struct dmio_func dmio_funcs[] = {
	{ .name = "zero",  .id = DMOVERIO_FUNC_ZERO,  .has_dst = true },
	{ .name = "fill8", .id = DMOVERIO_FUNC_FILL8, .has_dst = true, .imm_bytes = 1 },
	{ .name = "copy",  .id = DMOVERIO_FUNC_COPY,  .has_dst = true, .nr_srcs = 1 },
	XOR(2),  XOR(3),  XOR(4),  XOR(5),  XOR(6),
	XOR(7),  XOR(8),  XOR(9),  XOR(10), XOR(11),
	XOR(12), XOR(13), XOR(14), XOR(15), XOR(16),
	{ .name = "iscsi-crc32c", .id = DMOVERIO_FUNC_CRC32C, .nr_srcs = 1,
	  .imm_bytes = 4, .result_bytes = 4, .serial = true },
};

static_assert(DMOVERIO_MAX_SRCS == 16, "the widest xor is xor16");

const size_t dmio_nr_funcs = ARRAY_SIZE(dmio_funcs);

/**
 * dmio_func_find() - look a function up by its classic name
 * @name: the name, not necessarily terminated
 * @size: bytes at @name
 *
 * Context: any.
 * Return: the function; NULL if there is none or no NUL within @size bytes.
 */
const struct dmio_func *dmio_func_find(const char *name, size_t size)
{
	size_t i;

	if (strnlen(name, size) == size)
		return NULL;

	for (i = 0; i < dmio_nr_funcs; i++)
		if (!strcmp(dmio_funcs[i].name, name))
			return &dmio_funcs[i];
	return NULL;
}
