// SPDX-License-Identifier: GPL-2.0
/*
 * Import: from a record to regions.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "format.h"
#include "import.h"

/* Read which regions a record names: @bufs has room for DMIO_MAX_REGIONS */
static int read_buffers(const struct dmio_format *fmt, const struct dmio_func *func,
			const struct dmio_desc *desc, struct dmio_buf *bufs)
{
	u8 raw[DMOVERIO_MAX_SRCS * DMIO_FORMAT_MAX_BUFFER];
	unsigned int nr = 0, i;

	if (func->has_dst)
		bufs[nr++] = desc->out;
	else if (desc->out.nr_iov)
		return -EINVAL;

	if (func->nr_srcs &&
	    copy_from_user(raw, u64_to_user_ptr(desc->in), func->nr_srcs * fmt->buf_bytes))
		return -EFAULT;
	for (i = 0; i < func->nr_srcs; i++)
		dmio_format_get_buffer(fmt, raw + i * fmt->buf_bytes, &bufs[nr++]);

	for (i = 0; i < nr; i++)
		if (!bufs[i].nr_iov || bufs[i].nr_iov > UIO_MAXIOV)
			return -EINVAL;
	return 0;
}

/*
 * Append a segment to a region that ends at @end; empty ones are dropped.  The
 * limits are those of the program's word size: 4 GiB - 1 is -1 to a 32-bit one.
 */
static int add_segment(struct dmio_slice *region, struct dmio_seg **end,
		       const struct dmio_seg *seg, u64 max_word)
{
	u64 behind;

	if (!seg->len)
		return 0;
	if (check_add_overflow(seg->addr, seg->len, &behind) || behind - 1 > max_word)
		return -EINVAL;
	if (check_add_overflow(region->len, seg->len, &region->len) ||
	    region->len > max_word / 2)
		return -EINVAL;
	*(*end)++ = *seg;
	return 0;
}

#define IOVEC_BATCH	16

/* Read a region's iovecs, once, and append its segments at @end */
static int read_region(const struct dmio_format *fmt, const struct dmio_buf *buf,
		       struct dmio_slice *region, struct dmio_seg **end)
{
	u64 max_word = fmt->ptr_bytes == sizeof(u32) ? U32_MAX : U64_MAX;
	u8 raw[IOVEC_BATCH * DMIO_FORMAT_MAX_IOVEC];
	unsigned int done, i, nr;
	struct dmio_seg seg;
	int ret;

	region->seg = *end;
	for (done = 0; done < buf->nr_iov; done += nr) {
		nr = min_t(unsigned int, buf->nr_iov - done, IOVEC_BATCH);
		if (copy_from_user(raw, u64_to_user_ptr(buf->iov + done * fmt->iov_bytes),
				   nr * fmt->iov_bytes))
			return -EFAULT;
		for (i = 0; i < nr; i++) {
			dmio_format_get_iovec(fmt, raw + i * fmt->iov_bytes, &seg);
			seg.addr = untagged_addr((unsigned long)seg.addr);
			ret = add_segment(region, end, &seg, max_word);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Read all regions; they must be of one length, and not empty */
static int read_regions(struct dmio_import *im, const struct dmio_format *fmt,
			const struct dmio_buf *bufs)
{
	struct dmio_seg *end;
	size_t nr = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < im->nr_regions; i++)
		nr += bufs[i].nr_iov;
	im->segs = kvmalloc_array(nr, sizeof(*im->segs), GFP_KERNEL_ACCOUNT);
	if (!im->segs)
		return -ENOMEM;

	end = im->segs;
	for (i = 0; i < im->nr_regions; i++) {
		ret = read_region(fmt, &bufs[i], &im->region[i], &end);
		if (ret)
			return ret;
	}

	im->len = im->region[0].len;
	if (!im->len)
		return -EINVAL;
	for (i = 1; i < im->nr_regions; i++)
		if (im->region[i].len != im->len)
			return -EINVAL;
	return 0;
}

/* Find the inputs that are the output itself */
static void find_aliases(struct dmio_import *im)
{
	unsigned int i;

	for (i = 1; im->func->has_dst && i < im->nr_regions; i++)
		if (dmio_slice_same(im->region[0], im->region[i]))
			__set_bit(i - 1, &im->aliased);
}

/* List the ranges at @ranges if it is not NULL; returns their number */
static size_t list_ranges(const struct dmio_import *im, struct dmio_range *ranges)
{
	unsigned int i;
	size_t nr = 0;

	for (i = 0; i < im->nr_regions; i++) {
		struct dmio_slice rest = im->region[i];
		struct dmio_seg part;

		if (dmio_import_is_aliased(im, i))
			continue;
		for (; dmio_slice_next(&rest, U64_MAX, &part); nr++)
			if (ranges)
				ranges[nr] = (struct dmio_range){
					.addr = part.addr,
					.end = part.addr + part.len,
					.write = dmio_import_is_dst(im, i),
				};
	}
	return nr;
}

#define RANGES_ON_STACK	8

static int check_overlap(const struct dmio_import *im)
{
	struct dmio_range few[RANGES_ON_STACK], *ranges = few;
	size_t nr = list_ranges(im, NULL);
	int ret = 0;

	if (nr > RANGES_ON_STACK) {
		ranges = kvmalloc_array(nr, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return -ENOMEM;
	}

	list_ranges(im, ranges);
	if (dmio_ranges_overlap(ranges, nr))
		ret = -EINVAL;

	if (ranges != few)
		kvfree(ranges);
	return ret;
}

/**
 * dmio_import() - read and judge what a record says about memory
 * @im: zeroed; result
 * @fmt: layout of the arrays that the record points to
 * @func: the function
 * @desc: the record
 *
 * Context: process context of the program that wrote the record; may sleep.
 * Return: 0; -EFAULT (an array cannot be read); -EINVAL (no iovecs or too
 * many, lengths that are 0, differ or overflow, an output that overlaps);
 * -ENOMEM.  On failure there is nothing to free.
 */
int dmio_import(struct dmio_import *im, const struct dmio_format *fmt,
		const struct dmio_func *func, const struct dmio_desc *desc)
{
	struct dmio_buf bufs[DMIO_MAX_REGIONS];
	int ret;

	im->func = func;
	im->nr_regions = func->has_dst + func->nr_srcs;

	ret = read_buffers(fmt, func, desc, bufs);
	if (ret)
		return ret;
	ret = read_regions(im, fmt, bufs);
	if (ret)
		goto err_free;
	find_aliases(im);
	ret = check_overlap(im);
	if (ret)
		goto err_free;
	return 0;

err_free:
	dmio_import_free(im);
	return ret;
}

/**
 * dmio_import_free() - forget the regions
 * @im: imported
 *
 * Context: may sleep.
 */
void dmio_import_free(struct dmio_import *im)
{
	kvfree(im->segs);
	im->segs = NULL;
}
