// SPDX-License-Identifier: GPL-2.0
/*
 * Record formats.
 *
 * Each layout is drawn as a string with a letter for every byte of the record:
 *
 *	O	array of iovecs of the output
 *	C	its count
 *	N	pointer to the inputs
 *	M	immediate
 *	U	both of them
 *	I	id
 *	A, L	address and length of an iovec
 *	E	error
 *	R	result
 *	.	nothing: its value must not matter
 *
 * The oracle decodes by the drawing and knows nothing of the tables.  A case ends
 * with the first record that is wrong, or it would say the same ten thousand times.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../module/format.h"
#include "../../module/seg.h"
#include "random.h"

/* Nothing is where one expects it */
static const struct dmio_format format_odd = {
	.name		= "odd",
	.ptr_bytes	= 4,
	.req_bytes	= 30,
	.resp_bytes	= 8,
	.buf_bytes	= 10,
	.buf_cnt	= 5,
	.iov_bytes	= 8,
	.req_out	= 7,
	.req_in		= 17,
	.req_imm	= 21,
	.req_id		= 1,
};

struct layout {
	const struct dmio_format *fmt;
	enum dmio_abi abi;
	unsigned int ptr_bytes;
	const char *request;
	const char *buffer;
	const char *iovec;
	const char *response;
};

/* Those without a table of their own are the module's */
static const struct layout layouts[] = {
	{ NULL, DMIO_ABI_1, 8, "OOOOOOOOCCCC....UUUUUUUUIIII....",
	  "OOOOOOOOCCCC....", "AAAAAAAALLLLLLLL", "IIIIEEEE" },
	{ NULL, DMIO_ABI_1, 4, "OOOOCCCCUUUUMMMMIIII",
	  "OOOOCCCC", "AAAALLLL", "IIIIEEEE" },
	{ NULL, DMIO_ABI_2, 8, "OOOOOOOOCCCC....MMMMMMMMNNNNNNNNIIII....",
	  "OOOOOOOOCCCC....", "AAAAAAAALLLLLLLL", "IIIIEEEERRRRRRRR" },
	{ NULL, DMIO_ABI_2, 4, "OOOOCCCCMMMMMMMMNNNNIIII",
	  "OOOOCCCC", "AAAALLLL", "IIIIEEEERRRRRRRR" },
	{ &format_odd, DMIO_NR_ABIS, 4, ".IIII..OOOO.CCCC.NNNNMMMMMMMM.",
	  "OOOO.CCCC.", "AAAALLLL", "IIIIEEEE" },
};

static const struct dmio_format *layout_format(const struct layout *layout)
{
	return layout->fmt ?: dmio_format_find(layout->abi, layout->ptr_bytes);
}

#define MAX_RECORD	40
#define ALIGNMENTS	16
#define RANDOM_RECORDS	64

/* The number in the bytes that are drawn with one of @letters */
static u64 number(const u8 *raw, const char *drawing, const char *letters, bool lsb_first)
{
	size_t first = strcspn(drawing, letters);
	size_t bytes = strspn(drawing + first, letters);
	u64 value = 0;
	size_t i;

	for (i = 0; i < bytes; i++)
		value = value << 8 | raw[first + (lsb_first ? bytes - 1 - i : i)];
	return value;
}

static u64 native(const u8 *raw, const char *drawing, const char *letters)
{
#ifdef __LITTLE_ENDIAN
	return number(raw, drawing, letters, true);
#else
	return number(raw, drawing, letters, false);
#endif
}

/* Pattern @nr: all equal, counting, one byte unlike the rest, random */
static bool pattern(u8 *raw, size_t size, unsigned int nr, struct rnd_state *rnd)
{
	size_t i;

	memset(raw, nr & 1 ? 0xff : 0, size);
	if (nr < 2)
		return true;
	nr -= 2;
	if (nr < 2) {
		for (i = 0; i < size; i++)
			raw[i] = nr ? 0xf0 - i : 1 + i;
		return true;
	}
	nr -= 2;
	if (nr < 2 * size) {
		raw[nr / 2] ^= 0xff;
		return true;
	}
	nr -= 2 * size;
	prandom_bytes_state(rnd, raw, size);
	return nr < RANDOM_RECORDS;
}

static void check_request(struct kunit *test, const struct layout *layout, const u8 *raw)
{
	struct dmio_desc desc;
	u8 poison;

	for (poison = 0xa5; poison; poison = poison == 0xa5 ? 0x5a : 0) {
		memset(&desc, poison, sizeof(desc));
		dmio_format_get_request(layout_format(layout), raw, &desc);
		KUNIT_ASSERT_EQ(test, desc.out.iov, native(raw, layout->request, "O"));
		KUNIT_ASSERT_EQ(test, desc.out.nr_iov, (u32)native(raw, layout->request, "C"));
		KUNIT_ASSERT_EQ(test, desc.in, native(raw, layout->request, "UN"));
		KUNIT_ASSERT_EQ(test, desc.immediate,
				number(raw, layout->request,
				       strchr(layout->request, 'N') ? "M" : "UM", true));
		KUNIT_ASSERT_EQ(test, desc.user_data, native(raw, layout->request, "I"));
	}
}

static void check_buffer(struct kunit *test, const struct layout *layout, const u8 *raw)
{
	struct dmio_buf buf;
	u8 poison;

	for (poison = 0xa5; poison; poison = poison == 0xa5 ? 0x5a : 0) {
		memset(&buf, poison, sizeof(buf));
		dmio_format_get_buffer(layout_format(layout), raw, &buf);
		KUNIT_ASSERT_EQ(test, buf.iov, native(raw, layout->buffer, "O"));
		KUNIT_ASSERT_EQ(test, buf.nr_iov, (u32)native(raw, layout->buffer, "C"));
	}
}

static void check_iovec(struct kunit *test, const struct layout *layout, const u8 *raw)
{
	struct dmio_seg seg;
	u8 poison;

	for (poison = 0xa5; poison; poison = poison == 0xa5 ? 0x5a : 0) {
		memset(&seg, poison, sizeof(seg));
		dmio_format_get_iovec(layout_format(layout), raw, &seg);
		KUNIT_ASSERT_EQ(test, seg.addr, native(raw, layout->iovec, "A"));
		KUNIT_ASSERT_EQ(test, seg.len, native(raw, layout->iovec, "L"));
	}
}

typedef void (*check_fn)(struct kunit *test, const struct layout *layout, const u8 *raw);

/* All patterns at all alignments, each at the very end of an allocation */
static void check_all(struct kunit *test, const struct layout *layout, size_t size,
		      check_fn check, struct rnd_state *rnd)
{
	unsigned int align, nr;

	for (align = 0; align < ALIGNMENTS; align++) {
		u8 *raw = kunit_kzalloc(test, align + size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, raw);
		for (nr = 0; pattern(raw + align, size, nr, rnd); nr++)
			check(test, layout, raw + align);
	}
}

static void format_request_test(struct kunit *test)
{
	struct rnd_state rnd;
	size_t i;

	dmio_test_seed(test, &rnd, 101);
	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		check_all(test, &layouts[i], strlen(layouts[i].request), check_request, &rnd);
}

static void format_buffer_test(struct kunit *test)
{
	struct rnd_state rnd;
	size_t i;

	dmio_test_seed(test, &rnd, 102);
	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		check_all(test, &layouts[i], strlen(layouts[i].buffer), check_buffer, &rnd);
}

static void format_iovec_test(struct kunit *test)
{
	struct rnd_state rnd;
	size_t i;

	dmio_test_seed(test, &rnd, 103);
	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		check_all(test, &layouts[i], strlen(layouts[i].iovec), check_iovec, &rnd);
}

static void format_sizes_test(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct dmio_format *fmt = layout_format(&layouts[i]);

		KUNIT_EXPECT_EQ(test, (size_t)fmt->req_bytes, strlen(layouts[i].request));
		KUNIT_EXPECT_EQ(test, (size_t)fmt->buf_bytes, strlen(layouts[i].buffer));
		KUNIT_EXPECT_EQ(test, (size_t)fmt->iov_bytes, strlen(layouts[i].iovec));
		KUNIT_EXPECT_EQ(test, (size_t)fmt->resp_bytes, strlen(layouts[i].response));
		KUNIT_EXPECT_EQ(test, (unsigned int)fmt->ptr_bytes, layouts[i].ptr_bytes);
		KUNIT_EXPECT_EQ(test, dmio_format_has_both(fmt), !strchr(layouts[i].request, 'U'));
		KUNIT_EXPECT_LE(test, (int)fmt->req_bytes, DMIO_FORMAT_MAX_REQUEST);
		KUNIT_EXPECT_LE(test, (int)fmt->resp_bytes, DMIO_FORMAT_MAX_RESPONSE);
		KUNIT_EXPECT_LE(test, (int)fmt->buf_bytes, DMIO_FORMAT_MAX_BUFFER);
		KUNIT_EXPECT_LE(test, (int)fmt->iov_bytes, DMIO_FORMAT_MAX_IOVEC);
	}
}

/* Two records byte for byte, as programs on common machines write them */
static void format_image_test(struct kunit *test)
{
#ifdef __LITTLE_ENDIAN
	static const u8 image_32[20] = {
		0x40, 0x30, 0x20, 0x10,  0x03, 0x00, 0x00, 0x00,
		0x11, 0x22, 0x33, 0x44,  0x55, 0x66, 0x77, 0x88,
		0xdd, 0xcc, 0xbb, 0xaa,
	};
#else
	static const u8 image_32[20] = {
		0x10, 0x20, 0x30, 0x40,  0x00, 0x00, 0x00, 0x03,
		0x11, 0x22, 0x33, 0x44,  0x55, 0x66, 0x77, 0x88,
		0xaa, 0xbb, 0xcc, 0xdd,
	};
#endif
	struct dmio_desc desc;

	dmio_format_get_request(dmio_format_find(DMIO_ABI_1, 4), image_32, &desc);
	KUNIT_EXPECT_EQ(test, desc.out.iov, 0x10203040ULL);
	KUNIT_EXPECT_EQ(test, desc.out.nr_iov, 3u);
	KUNIT_EXPECT_EQ(test, desc.immediate, 0x8877665544332211ULL);
	KUNIT_EXPECT_EQ(test, desc.user_data, 0xaabbccddULL);

#ifdef __LITTLE_ENDIAN
	{
		static const u8 image_64[32] = {
			0x80, 0x70, 0x60, 0x50,  0x40, 0x30, 0x20, 0x10,
			0x03, 0x00, 0x00, 0x00,  0xee, 0xee, 0xee, 0xee,
			0x11, 0x22, 0x33, 0x44,  0x55, 0x66, 0x77, 0x88,
			0xdd, 0xcc, 0xbb, 0xaa,  0xee, 0xee, 0xee, 0xee,
		};

		dmio_format_get_request(dmio_format_find(DMIO_ABI_1, 8), image_64, &desc);
		KUNIT_EXPECT_EQ(test, desc.out.iov, 0x1020304050607080ULL);
		KUNIT_EXPECT_EQ(test, desc.out.nr_iov, 3u);
		KUNIT_EXPECT_EQ(test, desc.in, 0x8877665544332211ULL);
		KUNIT_EXPECT_EQ(test, desc.immediate, 0x8877665544332211ULL);
		KUNIT_EXPECT_EQ(test, desc.user_data, 0xaabbccddULL);
	}
#endif
}

/* Byte n of the immediate is worth 256 to the n, on every machine */
static void format_immediate_test(struct kunit *test)
{
	u8 raw[MAX_RECORD] = { };
	struct dmio_desc desc;
	size_t i, n, at;

	for (i = 0; i < ARRAY_SIZE(layouts); i++) {
		at = strcspn(layouts[i].request,
			     strchr(layouts[i].request, 'U') ? "U" : "M");
		for (n = 0; n < 8; n++) {
			raw[at + n] = 0x81;
			dmio_format_get_request(layout_format(&layouts[i]), raw, &desc);
			KUNIT_EXPECT_EQ(test, desc.immediate, 0x81ULL << (8 * n));
			raw[at + n] = 0;
		}
	}
}

static void check_response(struct kunit *test, const struct layout *layout,
			   const struct dmio_response *resp, unsigned int align, u8 poison)
{
	u8 raw[8 + ALIGNMENTS + DMIO_FORMAT_MAX_RESPONSE + 8];
	const char *drawing = layout->response;
	u8 *start = raw + 8 + align, *end = start + strlen(drawing), *p;

	memset(raw, poison, sizeof(raw));
	dmio_format_put_response(layout_format(layout), resp, start);

	KUNIT_ASSERT_EQ(test, native(start, drawing, "I"), resp->user_data);
	KUNIT_ASSERT_EQ(test, native(start, drawing, "E"), (u64)-resp->error);
	if (strchr(drawing, 'R'))
		KUNIT_ASSERT_EQ(test, number(start, drawing, "R", true), resp->result);
	for (p = raw; p < raw + sizeof(raw); p++)
		if (p < start || p >= end)
			KUNIT_ASSERT_EQ(test, *p, poison);
}

static void format_response_test(struct kunit *test)
{
	static const u64 ids[] = { 0, 1, 0x12345678, 0x80000000, 0xffffffff };
	static const u64 results[] = { 0, 0xff, 0xe3069283, 0x8877665544332211, U64_MAX };
	static const int errors[] = { 0, EPERM, EIO, ENOMEM, EFAULT, ETIMEDOUT, ECANCELED, 4095 };
	size_t i, j, k;
	unsigned int align;

	for (i = 0; i < ARRAY_SIZE(layouts); i++)
		for (j = 0; j < ARRAY_SIZE(ids); j++)
			for (k = 0; k < ARRAY_SIZE(errors); k++)
				for (align = 0; align < ALIGNMENTS; align++) {
					const struct dmio_response resp = {
						.user_data = ids[j],
						.result = results[(j + k) % ARRAY_SIZE(results)],
						.error = -errors[k],
					};

					check_response(test, &layouts[i], &resp, align, 0xa5);
					check_response(test, &layouts[i], &resp, align, 0x5a);
				}
}

static struct kunit_case format_cases[] = {
	KUNIT_CASE(format_sizes_test),
	KUNIT_CASE(format_image_test),
	KUNIT_CASE(format_request_test),
	KUNIT_CASE(format_buffer_test),
	KUNIT_CASE(format_iovec_test),
	KUNIT_CASE(format_immediate_test),
	KUNIT_CASE(format_response_test),
	{}
};

static struct kunit_suite format_suite = {
	.name = "dmoverio-format",
	.test_cases = format_cases,
};

kunit_test_suite(format_suite);
