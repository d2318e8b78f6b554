// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include <linux/dmoverio.h>

#include "func.h"
#include "softcrc.h"
#include "util.h"

/* Nothing to add up is zero, one thing is a copy: three functions in one. */
static uint64_t model_xor(const struct dmo_function *f, uint8_t *out,
			  uint8_t *const *in, const uint8_t *imm, size_t len)
{
	size_t i;
	int k;

	(void)imm;
	memset(out, 0, len);
	for (k = 0; k < f->inputs; k++)
		for (i = 0; i < len; i++)
			out[i] ^= in[k][i];
	return 0;
}

static uint64_t model_fill(const struct dmo_function *f, uint8_t *out,
			   uint8_t *const *in, const uint8_t *imm, size_t len)
{
	size_t i;

	(void)in;
	for (i = 0; i < len; i++)
		out[i] = imm[i % f->period];
	return 0;
}

static uint64_t model_crc32c(const struct dmo_function *f, uint8_t *out,
			     uint8_t *const *in, const uint8_t *imm, size_t len)
{
	uint32_t seed = 0;
	int i;

	(void)f;
	(void)out;
	for (i = 3; i >= 0; i--)
		seed = seed << 8 | imm[i];
	return softcrc_update(seed, in[0], len);
}

#define XOR(n) {						\
	.name = "xor" #n, .number = DMOVERIO_FUNC_XOR,		\
	.inputs = n, .outputs = 1,				\
	.immediate = "-", .does = "out = in[0] ^ ... (" #n " inputs)",		\
	.model = model_xor,					\
}

const struct dmo_function dmo_functions[] = {
	{
		.name = "zero", .number = DMOVERIO_FUNC_ZERO,
		.inputs = 0, .outputs = 1, .immediate = "-",
		.does = "out = 0", .model = model_xor,
	}, {
		.name = "fill8", .number = DMOVERIO_FUNC_FILL8,
		.inputs = 0, .outputs = 1, .immediate = "byte 0",
		.does = "every byte of out = immediate",
		.period = 1, .model = model_fill,
	}, {
		.name = "copy", .number = DMOVERIO_FUNC_COPY,
		.inputs = 1, .outputs = 1, .immediate = "-",
		.does = "out = in", .model = model_xor,
	},
	XOR(2), XOR(3), XOR(4), XOR(5), XOR(6), XOR(7), XOR(8), XOR(9),
	XOR(10), XOR(11), XOR(12), XOR(13), XOR(14), XOR(15), XOR(16),
	{
		.name = "iscsi-crc32c", .number = DMOVERIO_FUNC_CRC32C,
		.inputs = 1, .outputs = 0, .immediate = "seed",
		.does = "CRC-32C of in",
		.result_bytes = 4, .serial = true, .model = model_crc32c,
	}, {
		.name = "fill64", .inputs = 0, .outputs = 1,
		.immediate = "8 bytes", .does = "out = immediate, repeated",
		.period = 8, .model = model_fill,
	}, {
		.name = "compare", .inputs = 2, .outputs = 0, .immediate = "-",
		.does = "offset of the first difference",
		.result_bytes = 8,
	}, {
		.name = "copy-crc32c", .inputs = 1, .outputs = 1,
		.immediate = "seed", .does = "out = in, and CRC-32C of in",
		.result_bytes = 4, .serial = true,
	}, {
		.name = "dualcast", .inputs = 1, .outputs = 2,
		.immediate = "-", .does = "out[0] = out[1] = in",
	}, {
		.name = "pq", .inputs = DMO_ANY_INPUTS, .outputs = 2,
		.immediate = "-", .does = "RAID-6 syndromes P and Q of the inputs",
	},
};

const size_t dmo_nr_functions = ARRAY_SIZE(dmo_functions);

const struct dmo_function *func_find(const char *name)
{
	size_t i;

	for (i = 0; i < dmo_nr_functions; i++)
		if (!strcmp(dmo_functions[i].name, name))
			return &dmo_functions[i];
	return NULL;
}

void func_put_immediate(uint8_t *imm, uint64_t value)
{
	int i;

	for (i = 0; i < 8; i++, value >>= 8)
		imm[i] = (uint8_t)value;
}
