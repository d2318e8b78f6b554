// SPDX-License-Identifier: GPL-2.0
/*
 * Record formats, as a table of offsets.
 *
 * The classic records hold pointers and so come in one layout per word size,
 * and there are two generations of them.  A layout is data; the code below
 * reads any of them.
 */
#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "format.h"
#include "seg.h"

#define WORD32	u32
#define WORD64	__aligned_u64

/* The records of programs whose pointers have so many bits */
#define DEFINE_RECORDS(bits)				\
struct iovec##bits {					\
	WORD##bits base;				\
	WORD##bits len;					\
};							\
struct buffer##bits {					\
	WORD##bits iov;					\
	u32 nr_iov;					\
};							\
struct request1_##bits {				\
	struct buffer##bits out;			\
	union {						\
		u8 imm[8];				\
		WORD##bits in;				\
	};						\
	u32 id;						\
};							\
struct request2_##bits {				\
	struct buffer##bits out;			\
	u8 imm[8];					\
	WORD##bits in;					\
	u32 id;						\
}

DEFINE_RECORDS(32);
DEFINE_RECORDS(64);

/* Responses are the same for all word sizes; one begins as the other */
struct response1 {
	u32 id;
	s32 error;
};

struct response2 {
	u32 id;
	s32 error;
	u8 result[8];
};

#define LAYOUT(abi, bits) {						\
	.name		= "classic " #abi ", " #bits " bit",		\
	.ptr_bytes	= (bits) / 8,					\
	.req_bytes	= sizeof(struct request##abi##_##bits),		\
	.resp_bytes	= sizeof(struct response##abi),			\
	.buf_bytes	= sizeof(struct buffer##bits),			\
	.buf_cnt	= offsetof(struct buffer##bits, nr_iov),	\
	.iov_bytes	= sizeof(struct iovec##bits),			\
	.req_out	= offsetof(struct request##abi##_##bits, out),	\
	.req_in		= offsetof(struct request##abi##_##bits, in),	\
	.req_imm	= offsetof(struct request##abi##_##bits, imm),	\
	.req_id		= offsetof(struct request##abi##_##bits, id),	\
}

static const struct dmio_format formats[] = {
	LAYOUT(1, 32),
	LAYOUT(1, 64),
	LAYOUT(2, 32),
	LAYOUT(2, 64),
};

static_assert(sizeof(struct request1_32) == 20);
static_assert(sizeof(struct request1_64) == 32);
static_assert(sizeof(struct request2_32) == 24);
static_assert(sizeof(struct request2_64) == DMIO_FORMAT_MAX_REQUEST);
static_assert(sizeof(struct response1) == 8);
static_assert(sizeof(struct response2) == DMIO_FORMAT_MAX_RESPONSE);
static_assert(sizeof(struct buffer64) == DMIO_FORMAT_MAX_BUFFER);
static_assert(sizeof(struct iovec64) == DMIO_FORMAT_MAX_IOVEC);

/**
 * dmio_format_find() - find a layout
 * @abi: which generation of the records
 * @ptr_bytes: width of the program's pointers, 4 or 8
 *
 * Context: any.
 * Return: the layout.
 */
const struct dmio_format *dmio_format_find(enum dmio_abi abi, unsigned int ptr_bytes)
{
	return &formats[2 * abi + (ptr_bytes == 8)];
}

/**
 * dmio_format_has_both() - can a record hold inputs and an immediate?
 * @fmt: its layout
 *
 * Context: any.
 * Return: true if the two have places of their own.
 */
bool dmio_format_has_both(const struct dmio_format *fmt)
{
	return fmt->req_in != fmt->req_imm;
}

static u32 get_u32(const void *raw)
{
	u32 value;

	memcpy(&value, raw, sizeof(value));
	return value;
}

static u64 get_word(const struct dmio_format *fmt, const void *raw)
{
	u64 value;

	if (fmt->ptr_bytes == sizeof(u32))
		return get_u32(raw);
	memcpy(&value, raw, sizeof(value));
	return value;
}

/* Least significant byte first on every architecture */
static u64 get_immediate(const u8 *raw)
{
	u64 value = 0;
	int i;

	for (i = 7; i >= 0; i--)
		value = value << 8 | raw[i];
	return value;
}

/**
 * dmio_format_get_request() - decode a request record
 * @fmt: its layout
 * @raw: the record, @fmt->req_bytes long, at any alignment
 * @desc: result, every member set
 *
 * Inputs and immediate may share their place in the record; which of the two
 * means something is the function's affair.
 *
 * Context: any.
 */
void dmio_format_get_request(const struct dmio_format *fmt, const void *raw,
			     struct dmio_desc *desc)
{
	dmio_format_get_buffer(fmt, raw + fmt->req_out, &desc->out);
	desc->in = get_word(fmt, raw + fmt->req_in);
	desc->immediate = get_immediate(raw + fmt->req_imm);
	desc->user_data = get_u32(raw + fmt->req_id);
}

/**
 * dmio_format_get_buffer() - decode a dmio_buffer
 * @fmt: its layout
 * @raw: the dmio_buffer, @fmt->buf_bytes long, at any alignment
 * @buf: result, every member set
 *
 * Context: any.
 */
void dmio_format_get_buffer(const struct dmio_format *fmt, const void *raw,
			    struct dmio_buf *buf)
{
	buf->iov = get_word(fmt, raw);
	buf->nr_iov = get_u32(raw + fmt->buf_cnt);
}

/**
 * dmio_format_get_iovec() - decode a struct iovec
 * @fmt: its layout
 * @raw: the iovec, @fmt->iov_bytes long, at any alignment
 * @seg: result, every member set; may be empty or wrap
 *
 * Context: any.
 */
void dmio_format_get_iovec(const struct dmio_format *fmt, const void *raw,
			   struct dmio_seg *seg)
{
	seg->addr = get_word(fmt, raw);
	seg->len = get_word(fmt, raw + fmt->ptr_bytes);
}

/**
 * dmio_format_put_response() - encode a response record
 * @fmt: its layout
 * @resp: the answer
 * @raw: result, @fmt->resp_bytes long, every byte set
 *
 * Context: any.
 */
void dmio_format_put_response(const struct dmio_format *fmt,
			      const struct dmio_response *resp, void *raw)
{
	struct response2 out = {
		.id = resp->user_data,
		.error = -resp->error,
	};
	u64 result = resp->result;
	size_t i;

	for (i = 0; i < sizeof(out.result); i++, result >>= 8)
		out.result[i] = result & 0xff;
	memcpy(raw, &out, fmt->resp_bytes);
}
