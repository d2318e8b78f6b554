/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzz targets share: an input is read like a stream that ends in zeroes, and
 * a check that fails ends the program.
 */
#ifndef DMIO_FUZZ_H
#define DMIO_FUZZ_H

/**
 * struct fuzz_in - what is left of an input
 * @at: the next byte
 * @left: bytes
 */
struct fuzz_in {
	const u8 *at;
	size_t left;
};

static inline u8 in_u8(struct fuzz_in *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u16 in_u16(struct fuzz_in *in)
{
	u16 low = in_u8(in);

	return low | in_u8(in) << 8;
}

static inline u64 in_u64(struct fuzz_in *in)
{
	u64 value = 0;
	int i;

	for (i = 0; i < 64; i += 8)
		value |= (u64)in_u8(in) << i;
	return value;
}

/* A number from 0 to @nr - 1, of up to 256 or 65536 of them */
static inline unsigned int in_below(struct fuzz_in *in, unsigned int nr)
{
	return (nr <= 256 ? in_u8(in) : in_u16(in)) % nr;
}

void fuzz_wrong(const char *what, const char *file, int line) __attribute__((noreturn));

#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			fuzz_wrong(#cond, __FILE__, __LINE__);		\
	} while (0)

/* Allocations: the next ones to succeed (-1: all); whether one failed; how many are held */
extern int fuzz_good_allocs;
extern bool fuzz_alloc_failed;
extern int fuzz_held_allocs;

/* What a target is: libFuzzer's entry point */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* DMIO_FUZZ_H */
