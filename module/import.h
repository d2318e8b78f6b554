/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Import: from a record to regions.
 *
 * Everything a request says about memory is read here, once, and judged from
 * the kernel's copy.  The memory itself is not touched.
 */
#ifndef DMIO_IMPORT_H
#define DMIO_IMPORT_H

#include <linux/bitops.h>
#include <linux/types.h>

#include "dmio.h"
#include "func.h"
#include "seg.h"

struct dmio_desc;
struct dmio_format;

/**
 * struct dmio_import - the regions of a request
 * @func: the function
 * @segs: the segments of all regions
 * @len: bytes in every region, not 0
 * @nr_regions: entries of @region
 * @aliased: bit n: input n is the same memory as the output, byte for byte
 * @region: the output first, if there is one, then the inputs
 */
struct dmio_import {
	const struct dmio_func *func;
	struct dmio_seg *segs;
	u64 len;
	unsigned int nr_regions;
	unsigned long aliased;
	struct dmio_slice region[DMIO_MAX_REGIONS];
};

/**
 * dmio_import_is_dst() - is a region the output?
 * @im: imported
 * @i: number of the region
 *
 * Return: true if it is.
 */
static inline bool dmio_import_is_dst(const struct dmio_import *im, unsigned int i)
{
	return !i && im->func->has_dst;
}

/**
 * dmio_import_is_aliased() - is a region an input that is the output itself?
 * @im: imported
 * @i: number of the region
 *
 * Return: true if it is.
 */
static inline bool dmio_import_is_aliased(const struct dmio_import *im, unsigned int i)
{
	return i >= im->func->has_dst && test_bit(i - im->func->has_dst, &im->aliased);
}

int dmio_import(struct dmio_import *im, const struct dmio_format *fmt,
		const struct dmio_func *func, const struct dmio_desc *desc);
void dmio_import_free(struct dmio_import *im);

#endif /* DMIO_IMPORT_H */
