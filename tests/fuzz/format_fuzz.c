// SPDX-License-Identifier: GPL-2.0
/*
 * Records: decoded and encoded at any alignment, against offsets written down a second
 * time.  Each is an allocation of its exact size.
 */
#include "../../module/format.h"
#include "../../module/seg.h"
#include "fuzz.h"

#define MAX_ALIGN	16

/* As documented; a dmio_buffer and an iovec begin with a word */
static const struct layout {
	u8 ptr, req, resp, buf, iov;
	u8 in, imm, id;
} layouts[DMIO_NR_ABIS][2] = {
	[DMIO_ABI_1] = {
		{ .ptr = 4, .req = 20, .resp = 8, .buf = 8, .iov = 8,
		  .in = 8, .imm = 8, .id = 16 },
		{ .ptr = 8, .req = 32, .resp = 8, .buf = 16, .iov = 16,
		  .in = 16, .imm = 16, .id = 24 },
	},
	[DMIO_ABI_2] = {
		{ .ptr = 4, .req = 24, .resp = 16, .buf = 8, .iov = 8,
		  .imm = 8, .in = 16, .id = 20 },
		{ .ptr = 8, .req = 40, .resp = 16, .buf = 16, .iov = 16,
		  .imm = 16, .in = 24, .id = 32 },
	},
};

/* A record, @bytes long, from the input */
struct record {
	u8 *mem;
	u8 *raw;
};

static struct record record_make(struct fuzz_in *in, size_t align, size_t bytes)
{
	struct record record = { .mem = malloc(align + bytes) };
	size_t i;

	CHECK(record.mem);
	record.raw = record.mem + align;
	for (i = 0; i < bytes; i++)
		record.raw[i] = in_u8(in);
	return record;
}

/* The machine that this runs on is little-endian */
static u64 number(const u8 *raw, size_t bytes)
{
	u64 value = 0;

	while (bytes--)
		value = value << 8 | raw[bytes];
	return value;
}

static void try_request(const struct dmio_format *fmt, const struct layout *l,
			struct fuzz_in *in, size_t align)
{
	struct record record = record_make(in, align, l->req);
	struct dmio_desc desc;

	memset(&desc, 0xa5, sizeof(desc));
	dmio_format_get_request(fmt, record.raw, &desc);
	CHECK(desc.out.iov == number(record.raw, l->ptr));
	CHECK(desc.out.nr_iov == number(record.raw + l->ptr, 4));
	CHECK(desc.in == number(record.raw + l->in, l->ptr));
	CHECK(desc.immediate == number(record.raw + l->imm, 8));
	CHECK(desc.user_data == number(record.raw + l->id, 4));
	free(record.mem);
}

static void try_buffer(const struct dmio_format *fmt, const struct layout *l,
		       struct fuzz_in *in, size_t align)
{
	struct record record = record_make(in, align, l->buf);
	struct dmio_buf buf;

	memset(&buf, 0xa5, sizeof(buf));
	dmio_format_get_buffer(fmt, record.raw, &buf);
	CHECK(buf.iov == number(record.raw, l->ptr));
	CHECK(buf.nr_iov == number(record.raw + l->ptr, 4));
	free(record.mem);
}

static void try_iovec(const struct dmio_format *fmt, const struct layout *l,
		      struct fuzz_in *in, size_t align)
{
	struct record record = record_make(in, align, l->iov);
	struct dmio_seg seg;

	memset(&seg, 0xa5, sizeof(seg));
	dmio_format_get_iovec(fmt, record.raw, &seg);
	CHECK(seg.addr == number(record.raw, l->ptr));
	CHECK(seg.len == number(record.raw + l->ptr, l->ptr));
	free(record.mem);
}

static void try_response(const struct dmio_format *fmt, const struct layout *l,
			 struct fuzz_in *in, size_t align)
{
	struct dmio_response resp = {
		.user_data = (u32)in_u64(in),
		.result = in_u64(in),
		.error = -(int)in_below(in, 4096),
	};
	struct record record = record_make(in, align, l->resp);

	dmio_format_put_response(fmt, &resp, record.raw);
	CHECK(number(record.raw, 4) == resp.user_data);
	CHECK(number(record.raw + 4, 4) == (u64)-resp.error);
	if (l->resp > 8)
		CHECK(number(record.raw + 8, 8) == resp.result);
	free(record.mem);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	enum dmio_abi abi = in_below(&in, DMIO_NR_ABIS);
	const struct layout *l = &layouts[abi][in_below(&in, 2)];
	const struct dmio_format *fmt = dmio_format_find(abi, l->ptr);
	size_t align = in_below(&in, MAX_ALIGN);

	CHECK(fmt->ptr_bytes == l->ptr);
	CHECK(fmt->req_bytes == l->req && l->req <= DMIO_FORMAT_MAX_REQUEST);
	CHECK(fmt->resp_bytes == l->resp && l->resp <= DMIO_FORMAT_MAX_RESPONSE);
	CHECK(fmt->buf_bytes == l->buf && l->buf <= DMIO_FORMAT_MAX_BUFFER);
	CHECK(fmt->iov_bytes == l->iov && l->iov <= DMIO_FORMAT_MAX_IOVEC);
	CHECK(dmio_format_has_both(fmt) == (abi == DMIO_ABI_2));

	switch (in_below(&in, 4)) {
	case 0:
		try_request(fmt, l, &in, align);
		break;
	case 1:
		try_buffer(fmt, l, &in, align);
		break;
	case 2:
		try_iovec(fmt, l, &in, align);
		break;
	default:
		try_response(fmt, l, &in, align);
		break;
	}
	return 0;
}
