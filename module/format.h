/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Record formats: what programs write and read, turned into one description.
 *
 * Pure decoding of bytes that were already copied from the user: no kernel
 * calls, so that the same source can be exercised in user space.  Nothing is
 * judged here; request.c validates the description.
 */
#ifndef DMIO_FORMAT_H
#define DMIO_FORMAT_H

#include <linux/types.h>

/* Room for the largest record of each kind, of any format */
#define DMIO_FORMAT_MAX_REQUEST		40
#define DMIO_FORMAT_MAX_RESPONSE	16
#define DMIO_FORMAT_MAX_BUFFER		16
#define DMIO_FORMAT_MAX_IOVEC		16

/**
 * struct dmio_format - layout of a program's records, bytes and byte offsets
 * @name: for messages
 * @ptr_bytes: width of pointers and sizes, 4 or 8
 * @req_bytes: a request record
 * @resp_bytes: a response record
 * @buf_bytes: a dmio_buffer; its array pointer comes first
 * @buf_cnt: where a dmio_buffer keeps its count
 * @iov_bytes: a struct iovec; its address comes first, then its length
 * @req_out: where a request keeps its output dmio_buffer
 * @req_in: where it keeps the pointer to its inputs
 * @req_imm: where it keeps its immediate
 * @req_id: where it keeps its id
 */
struct dmio_format {
	const char *name;
	u8 ptr_bytes;
	u8 req_bytes;
	u8 resp_bytes;
	u8 buf_bytes;
	u8 buf_cnt;
	u8 iov_bytes;
	u8 req_out;
	u8 req_in;
	u8 req_imm;
	u8 req_id;
};

/**
 * struct dmio_buf - a region as a record names it, not yet read
 * @iov: user address of its array of struct iovec
 * @nr_iov: entries in the array
 */
struct dmio_buf {
	u64 iov;
	u32 nr_iov;
};

/**
 * struct dmio_desc - a request, whatever the format it came in
 * @out: the output region
 * @in: user address of the array of input regions; meaningless for functions
 *	without inputs
 * @immediate: the immediate as a number; meaningless for functions without
 * @user_data: handed back in the response
 */
struct dmio_desc {
	struct dmio_buf out;
	u64 in;
	u64 immediate;
	u64 user_data;
};

/**
 * struct dmio_response - an answer, whatever the format it goes out in
 * @user_data: from the request
 * @result: the function's result, if it has one
 * @error: 0 or a negative errno
 */
struct dmio_response {
	u64 user_data;
	u64 result;
	int error;
};

struct dmio_seg;

/**
 * enum dmio_abi - generations of the classic records
 * @DMIO_ABI_1: the manual page's: inputs and immediate share their place
 * @DMIO_ABI_2: both have a place of their own, and responses a result
 * @DMIO_NR_ABIS: number of generations
 */
enum dmio_abi {
	DMIO_ABI_1,
	DMIO_ABI_2,
	DMIO_NR_ABIS,
};

const struct dmio_format *dmio_format_find(enum dmio_abi abi, unsigned int ptr_bytes);
bool dmio_format_has_both(const struct dmio_format *fmt);
void dmio_format_get_request(const struct dmio_format *fmt, const void *raw,
			     struct dmio_desc *desc);
void dmio_format_get_buffer(const struct dmio_format *fmt, const void *raw,
			    struct dmio_buf *buf);
void dmio_format_get_iovec(const struct dmio_format *fmt, const void *raw,
			   struct dmio_seg *seg);
void dmio_format_put_response(const struct dmio_format *fmt,
			      const struct dmio_response *resp, void *raw);

#endif /* DMIO_FORMAT_H */
