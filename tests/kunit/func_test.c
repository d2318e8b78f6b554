// SPDX-License-Identifier: GPL-2.0
/*
 * The table of functions, against a list written down a second time.
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../module/dmio.h"
#include "../../module/func.h"

/* As documented; the numbers are part of the ABI, so they stand here as such */
static const struct expected {
	const char *name;
	unsigned int id;
	unsigned int nr_srcs;
	bool has_dst;
	unsigned int imm_bytes;
	unsigned int result_bytes;
	bool serial;
} expected[] = {
	{ "zero",         1, 0,  1, 0, 0, 0 },
	{ "fill8",        2, 0,  1, 1, 0, 0 },
	{ "copy",         3, 1,  1, 0, 0, 0 },
	{ "xor2",         4, 2,  1, 0, 0, 0 },
	{ "xor3",         4, 3,  1, 0, 0, 0 },
	{ "xor4",         4, 4,  1, 0, 0, 0 },
	{ "xor5",         4, 5,  1, 0, 0, 0 },
	{ "xor6",         4, 6,  1, 0, 0, 0 },
	{ "xor7",         4, 7,  1, 0, 0, 0 },
	{ "xor8",         4, 8,  1, 0, 0, 0 },
	{ "xor9",         4, 9,  1, 0, 0, 0 },
	{ "xor10",        4, 10, 1, 0, 0, 0 },
	{ "xor11",        4, 11, 1, 0, 0, 0 },
	{ "xor12",        4, 12, 1, 0, 0, 0 },
	{ "xor13",        4, 13, 1, 0, 0, 0 },
	{ "xor14",        4, 14, 1, 0, 0, 0 },
	{ "xor15",        4, 15, 1, 0, 0, 0 },
	{ "xor16",        4, 16, 1, 0, 0, 0 },
	{ "iscsi-crc32c", 5, 1,  0, 4, 4, 1 },
};

static const struct expected *expected_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++)
		if (!strcmp(expected[i].name, name))
			return &expected[i];
	return NULL;
}

/* The function found for @len bytes of @name in an allocation of @size bytes */
static const struct dmio_func *find_in(struct kunit *test, const char *name,
				       size_t len, size_t size)
{
	/* Of the exact size, so that KASAN sees a read beyond it */
	char *raw = kmalloc(size, GFP_KERNEL);
	const struct dmio_func *func;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, raw);
	memset(raw, 'x', size);
	memcpy(raw, name, len);
	func = dmio_func_find(raw, size);
	kfree(raw);
	return func;
}

static void func_table_test(struct kunit *test)
{
	size_t i;

	KUNIT_ASSERT_EQ(test, dmio_nr_funcs, ARRAY_SIZE(expected));
	for (i = 0; i < dmio_nr_funcs; i++) {
		KUNIT_EXPECT_STREQ(test, dmio_funcs[i].name, expected[i].name);
		KUNIT_EXPECT_EQ(test, (unsigned int)dmio_funcs[i].id, expected[i].id);
		KUNIT_EXPECT_EQ(test, (unsigned int)dmio_funcs[i].nr_srcs,
				expected[i].nr_srcs);
		KUNIT_EXPECT_EQ(test, (unsigned int)dmio_funcs[i].imm_bytes,
				expected[i].imm_bytes);
		KUNIT_EXPECT_EQ(test, (unsigned int)dmio_funcs[i].result_bytes,
				expected[i].result_bytes);
		KUNIT_EXPECT_EQ(test, dmio_funcs[i].has_dst, expected[i].has_dst);
		KUNIT_EXPECT_EQ(test, dmio_funcs[i].serial, expected[i].serial);
	}
}

/* What must hold for any row that may ever come */
static void func_rules_test(struct kunit *test)
{
	size_t i, j;

	for (i = 0; i < dmio_nr_funcs; i++) {
		const struct dmio_func *func = &dmio_funcs[i];

		KUNIT_EXPECT_NE(test, (int)func->id, DMOVERIO_FUNC_NONE);
		KUNIT_EXPECT_LE(test, (int)func->nr_srcs, DMOVERIO_MAX_SRCS);
		KUNIT_EXPECT_LE(test, func->has_dst + (int)func->nr_srcs, DMIO_MAX_REGIONS);
		KUNIT_EXPECT_GT(test, func->has_dst + (int)func->nr_srcs, 0);
		KUNIT_EXPECT_LE(test, (int)func->imm_bytes, 8);
		KUNIT_EXPECT_LE(test, (int)func->result_bytes, 8);
		/* The result of a piece is the immediate of the next */
		if (func->serial)
			KUNIT_EXPECT_EQ(test, func->result_bytes, func->imm_bytes);
		KUNIT_EXPECT_GT(test, (int)strlen(func->name), 0);
		KUNIT_EXPECT_LT(test, (int)strlen(func->name), DMIO_MAX_FUNCNAME);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_STRNEQ(test, func->name, dmio_funcs[j].name);
	}
}

/* A name is found with any junk behind its NUL, and not without the NUL */
static void func_find_test(struct kunit *test)
{
	size_t i, size;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		const char *name = expected[i].name;
		size_t len = strlen(name);

		for (size = len + 1; size <= DMIO_MAX_FUNCNAME; size++)
			KUNIT_EXPECT_PTR_EQ_MSG(test, find_in(test, name, len + 1, size),
						&dmio_funcs[i], "%s in %zu bytes", name, size);
		for (size = len; size <= DMIO_MAX_FUNCNAME; size++)
			KUNIT_EXPECT_NULL_MSG(test, find_in(test, name, len, size),
					      "%s in %zu bytes", name, size);
	}
}

/* One byte less or one byte more is another name, and mostly of nothing */
static void func_neighbours_test(struct kunit *test)
{
	char name[DMIO_MAX_FUNCNAME];
	size_t i, len;
	int c;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		for (len = 0; len < strlen(expected[i].name); len++) {
			memset(name, 0, sizeof(name));
			memcpy(name, expected[i].name, len);
			KUNIT_EXPECT_EQ_MSG(test, !dmio_func_find(name, sizeof(name)),
					    !expected_find(name), "\"%s\"", name);
		}
		for (c = 1; c < 256; c++) {
			memset(name, 0, sizeof(name));
			strscpy(name, expected[i].name, sizeof(name));
			name[strlen(name)] = c;
			KUNIT_EXPECT_EQ_MSG(test, !dmio_func_find(name, sizeof(name)),
					    !expected_find(name), "\"%s\"", name);
		}
	}
}

static void func_unknown_test(struct kunit *test)
{
	static const char * const unknown[] = {
		"", " ", "x", "xo", "xor", "xor0", "xor1", "xor17", "xor02", "xor20",
		"xor160", "xor-2", "xor 2", " xor2", "xor2 ", "xor2\n", "XOR2", "xora",
		"copyx", "cop", "copy1", "Copy", "copycopy", "zer", "zero0", "fill",
		"fill8 ", "fill80", "none",
		"crc32c", "iscsi", "iscsi-crc32", "iscsi-crc32cc", "iscsi_crc32c",
	};
	static const char nul_only[1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		KUNIT_EXPECT_NULL_MSG(test, find_in(test, unknown[i], strlen(unknown[i]) + 1,
						    DMIO_MAX_FUNCNAME), "\"%s\"", unknown[i]);
	KUNIT_EXPECT_NULL(test, dmio_func_find(nul_only, sizeof(nul_only)));
	KUNIT_EXPECT_NULL(test, dmio_func_find(nul_only, 0));
	KUNIT_EXPECT_NULL(test, dmio_func_find("copy", 0));
}

static struct kunit_case func_cases[] = {
	KUNIT_CASE(func_table_test),
	KUNIT_CASE(func_rules_test),
	KUNIT_CASE(func_find_test),
	KUNIT_CASE(func_neighbours_test),
	KUNIT_CASE(func_unknown_test),
	{}
};

static struct kunit_suite func_suite = {
	.name = "dmoverio-func",
	.test_cases = func_cases,
};

kunit_test_suite(func_suite);
