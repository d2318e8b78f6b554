// SPDX-License-Identifier: GPL-2.0
/*
 * Names of functions: any bytes, terminated or not, against a list written down a
 * second time.
 */
#include "../../module/dmio.h"
#include "../../module/func.h"
#include "fuzz.h"

/* As documented */
static const struct dmio_func plain[] = {
	{ .name = "zero",         .id = 1, .has_dst = true },
	{ .name = "fill8",        .id = 2, .has_dst = true, .imm_bytes = 1 },
	{ .name = "copy",         .id = 3, .has_dst = true, .nr_srcs = 1 },
	{ .name = "iscsi-crc32c", .id = 5, .nr_srcs = 1, .imm_bytes = 4, .result_bytes = 4,
	  .serial = true },
};

/* xor2 to xor16; returns 0 if it is none of them */
static unsigned int xor_srcs(const char *name)
{
	unsigned int nr = 0;

	if (strncmp(name, "xor", 3) || name[3] == '0')
		return 0;
	for (name += 3; *name >= '0' && *name <= '9' && nr < 100; name++)
		nr = 10 * nr + *name - '0';
	return !*name && nr >= 2 && nr <= 16 ? nr : 0;
}

/* What a terminated name stands for; ->name is NULL if it is nothing */
static struct dmio_func expect(const char *name)
{
	unsigned int nr = xor_srcs(name);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (!strcmp(plain[i].name, name))
			return plain[i];
	return (struct dmio_func){
		.name = nr ? name : NULL, .id = 4, .has_dst = true, .nr_srcs = nr,
	};
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const struct dmio_func *func = dmio_func_find((const char *)data, size);
	struct dmio_func expected = { };

	if (size && memchr(data, 0, size))
		expected = expect((const char *)data);

	CHECK(!func == !expected.name);
	if (!func)
		return 0;
	CHECK(func >= dmio_funcs && func < dmio_funcs + dmio_nr_funcs);
	CHECK(!strcmp(func->name, expected.name));
	CHECK(func->id == expected.id);
	CHECK(func->nr_srcs == expected.nr_srcs);
	CHECK(func->has_dst == expected.has_dst);
	CHECK(func->imm_bytes == expected.imm_bytes);
	CHECK(func->result_bytes == expected.result_bytes);
	CHECK(func->serial == expected.serial);
	return 0;
}
