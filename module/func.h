/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of functions: what each takes and gives.
 */
#ifndef DMIO_FUNC_H
#define DMIO_FUNC_H

#include <linux/types.h>

/**
 * struct dmio_func - one function
 * @name: its name in the classic interface
 * @id: its number, DMOVERIO_FUNC_*
 * @nr_srcs: input regions, 0 to DMOVERIO_MAX_SRCS
 * @has_dst: has an output region
 * @imm_bytes: bytes of the immediate that it uses, 0 to 8
 * @result_bytes: bytes of its result, beside the output, 0 to 8
 * @serial: the result of one piece is the immediate of the next: pieces are
 *	done one after the other
 */
struct dmio_func {
	const char *name;
	u8 id;
	u8 nr_srcs;
	bool has_dst;
	u8 imm_bytes;
	u8 result_bytes;
	bool serial;
};

extern const struct dmio_func dmio_funcs[];
extern const size_t dmio_nr_funcs;

/**
 * dmio_func_bytes() - bytes that have to be moved
 * @func: the function
 * @len: bytes in each region
 *
 * Context: any.
 * Return: those of all regions.
 */
static inline u64 dmio_func_bytes(const struct dmio_func *func, u64 len)
{
	return len * (func->has_dst + func->nr_srcs);
}

const struct dmio_func *dmio_func_find(const char *name, size_t size);

#endif /* DMIO_FUNC_H */
