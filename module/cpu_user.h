/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions as the CPU does them through the user's own mapping: for
 * memory that cannot be pinned, and for users without a budget to pin.
 */
#ifndef DMIO_CPU_USER_H
#define DMIO_CPU_USER_H

#include <linux/types.h>

#include "dmio.h"
#include "seg.h"

struct dmio_func;

/**
 * struct dmio_user_job - a piece of a request, in user addresses
 * @func: what to do
 * @len: bytes in every region, not 0
 * @immediate: the function's immediate, if it has one
 * @dst: the output, if the function has one
 * @src: the inputs
 * @done: result: bytes from the beginning that are certainly done
 * @result: result: the function's result, if it has one
 * @fault: result: the address that faulted, if one did
 */
struct dmio_user_job {
	const struct dmio_func *func;
	u64 len;
	u64 immediate;
	struct dmio_slice dst;
	struct dmio_slice src[DMOVERIO_MAX_SRCS];
	u64 done;
	u64 result;
	u64 fault;
};

int dmio_cpu_run_user(struct dmio_user_job *job);

#endif /* DMIO_CPU_USER_H */
