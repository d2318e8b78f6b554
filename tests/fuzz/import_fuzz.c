// SPDX-License-Identifier: GPL-2.0
/*
 * Requests, from the record to the regions.  The input describes a request and the
 * user memory that holds its arrays, which may end too early.  Refused is what has a
 * reason to be, with the error of one of the reasons, and nothing else; what is accepted
 * has the regions that were asked for.
 */
#include <linux/uio.h>

#include "../../module/format.h"
#include "../../module/import.h"
#include "fuzz.h"

#define SHORT_IOVS	24
#define LONG_IOVS	(UIO_MAXIOV + 2)
#define PATTERN		4

/* All arrays of the longest request, and the user address where they begin */
#define ARENA_BYTES	(256 + (LONG_IOVS + DMIO_MAX_REGIONS * SHORT_IOVS) * 16)

static u8 arena[ARENA_BYTES];
static u64 arena_base;
static size_t arena_used, arena_readable;
static size_t bytes_read;

/**
 * struct region - a region, as it is meant
 * @nr: what the record says is the number of its iovecs
 * @at: where these lie in the arena
 * @iov: their first ones
 */
struct region {
	u32 nr;
	size_t at;
	struct dmio_seg iov[LONG_IOVS];
};

/**
 * struct story - a request, as it is meant
 * @func: the function
 * @word: bytes of a word of the program
 * @abi: generation of its records
 * @nr: regions that the function has
 * @out_nr: of functions without output: the iovecs that it has all the same
 * @inputs_at: where the array of inputs lies in the arena
 * @region: the regions
 */
static struct story {
	const struct dmio_func *func;
	unsigned int word;
	enum dmio_abi abi;
	unsigned int nr;
	u32 out_nr;
	size_t inputs_at;
	struct region region[DMIO_MAX_REGIONS];
} story;

unsigned long copy_from_user(void *to, const void *from, unsigned long len)
{
	u64 at = (unsigned long)from - arena_base;

	if (at > arena_readable || len > arena_readable - at)
		return len;
	memcpy(to, arena + at, len);
	bytes_read += len;
	return 0;
}

/* Numbers around which things happen, and a little more or less */
static u64 in_number(struct fuzz_in *in)
{
	static const u64 bases[] = {
		0, 0, 0x1000, 0x10000, 1ULL << 30, 1ULL << 31, 1ULL << 32, 1ULL << 62, 1ULL << 63,
	};
	unsigned int kind = in_below(in, ARRAY_SIZE(bases) + 1);

	return kind == ARRAY_SIZE(bases) ? in_u64(in) : bases[kind] + (__s16)in_u16(in);
}

static u64 word_mask(void)
{
	return story.word == 4 ? U32_MAX : U64_MAX;
}

static void put(size_t at, u64 value, size_t bytes)
{
	memcpy(arena + at, &value, bytes);
}

/* Room in the arena */
static size_t take_room(size_t bytes)
{
	size_t at = arena_used;

	arena_used += bytes;
	CHECK(arena_used <= sizeof(arena));
	return at;
}

static unsigned int nr_stored(const struct region *region)
{
	return min_t(u32, region->nr, LONG_IOVS);
}

/* Few iovecs, each as the input has it */
static void make_short(struct fuzz_in *in, struct region *region)
{
	unsigned int i;

	region->nr = in_below(in, SHORT_IOVS);
	for (i = 0; i < region->nr; i++) {
		region->iov[i].addr = in_number(in) & word_mask();
		region->iov[i].len = in_number(in) & word_mask();
	}
}

/* Many, or too many: a few again and again, at a distance */
static void make_long(struct fuzz_in *in, struct region *region)
{
	unsigned int nr_pattern = 1 + in_below(in, PATTERN), i;
	u64 stride = in_number(in);

	region->nr = in_u8(in) ? UIO_MAXIOV - 30 + in_below(in, 60) : (u32)in_u64(in);
	for (i = 0; i < nr_stored(region); i++) {
		struct dmio_seg *iov = &region->iov[i];

		if (i < nr_pattern)
			*iov = (struct dmio_seg){ in_number(in), in_number(in) };
		else
			*iov = region->iov[i - nr_pattern];
		iov->addr = (iov->addr + (i < nr_pattern ? 0 : stride)) & word_mask();
		iov->len &= word_mask();
	}
}

/* The same bytes as another, cut once more or not, and perhaps a byte too short */
static void make_like(struct fuzz_in *in, struct region *region, const struct region *other)
{
	unsigned int cut, i, n = 0, less = in_below(in, 4);
	u64 at = in_u16(in);

	region->nr = min(other->nr, SHORT_IOVS - 1U);
	cut = region->nr ? in_below(in, region->nr) : 0;
	for (i = 0; i < region->nr; i++) {
		region->iov[n++] = other->iov[i];
		if (i != cut || at >= other->iov[i].len)
			continue;
		region->iov[n - 1].len = at;
		region->iov[n++] = (struct dmio_seg){
			other->iov[i].addr + at, other->iov[i].len - at,
		};
	}
	region->nr = n;
	if (n && less == 1 && region->iov[n - 1].len)
		region->iov[n - 1].len--;
	if (n && less == 2)
		region->iov[0].addr ^= 1;
}

static void make_region(struct fuzz_in *in, unsigned int i)
{
	struct region *region = &story.region[i];
	unsigned int bytes = 2 * story.word, n;

	switch (in_below(in, 4)) {
	case 0:
		if (!i)
			make_long(in, region);
		else
			make_like(in, region, &story.region[0]);
		break;
	case 1:
		make_like(in, region, &story.region[i ? i - 1 : 0]);
		break;
	default:
		make_short(in, region);
		break;
	}
	region->at = take_room(nr_stored(region) * bytes);
	for (n = 0; n < nr_stored(region); n++) {
		put(region->at + n * bytes, region->iov[n].addr, story.word);
		put(region->at + n * bytes + story.word, region->iov[n].len, story.word);
	}
}

static bool is_in(unsigned int i)
{
	return i >= story.func->has_dst;
}

static void make_story(struct fuzz_in *in)
{
	static const u64 bases[] = { 0x1000, 0x7ffff000, 0xff000000, 0x7fff00000000 };
	unsigned int i, n = 0;

	story.abi = in_below(in, DMIO_NR_ABIS);
	story.word = in_below(in, 2) ? 8 : 4;
	story.func = &dmio_funcs[in_below(in, dmio_nr_funcs)];
	story.nr = story.func->has_dst + story.func->nr_srcs;
	story.out_nr = in_u8(in);
	arena_base = bases[in_below(in, story.word == 8 ? 4 : 3)];
	arena_used = 0;
	/* A region like the first one must not be like what it was in another input */
	story.region[0].nr = 0;
	for (i = 0; i < story.nr; i++)
		make_region(in, i);

	story.inputs_at = take_room(story.func->nr_srcs * 2 * story.word);
	for (i = 0; i < story.nr; i++) {
		size_t at = story.inputs_at + n * 2 * story.word;

		if (!is_in(i))
			continue;
		put(at, arena_base + story.region[i].at, story.word);
		put(at + story.word, story.region[i].nr, 4);
		n++;
	}
	arena_readable = arena_used - min(arena_used, (size_t)in_u16(in));
}

/* The record, as bytes: format_fuzz.c has its offsets, too */
static void make_record(u8 *raw)
{
	size_t in_at = story.abi == DMIO_ABI_1 || story.word == 4 ? 2 * story.word : 24;
	u64 out = arena_base + story.region[0].at, in = arena_base + story.inputs_at;
	u32 nr = story.func->has_dst ? story.region[0].nr : story.out_nr;

	if (story.abi == DMIO_ABI_2 && story.word == 4)
		in_at = 16;
	memset(raw, 0x5a, DMIO_FORMAT_MAX_REQUEST);
	memcpy(raw, &out, story.word);
	memcpy(raw + story.word, &nr, 4);
	if (story.func->nr_srcs)
		memcpy(raw + in_at, &in, story.word);
}

/* Why a request may be refused */
struct reasons {
	bool fault, inval;
};

/* Total of a region; the wide type does not overflow */
static unsigned __int128 total(const struct region *region)
{
	unsigned __int128 sum = 0;
	unsigned int i;

	for (i = 0; i < region->nr; i++)
		sum += region->iov[i].len;
	return sum;
}

static bool segs_bad(const struct region *region)
{
	unsigned int i;

	for (i = 0; i < region->nr; i++)
		if (region->iov[i].len &&
		    (unsigned __int128)region->iov[i].addr + region->iov[i].len >
		    (story.word == 4 ? (unsigned __int128)1 << 32 : U64_MAX))
			return true;
	return total(region) > word_mask() / 2;
}

/* The same bytes in the same order: the same segments, once neighbours are joined */
static unsigned int join(const struct region *region, struct dmio_seg *joined)
{
	unsigned int i, n = 0;

	for (i = 0; i < region->nr; i++) {
		const struct dmio_seg *iov = &region->iov[i];

		if (!iov->len)
			continue;
		if (n && joined[n - 1].addr + joined[n - 1].len == iov->addr)
			joined[n - 1].len += iov->len;
		else
			joined[n++] = *iov;
	}
	return n;
}

static bool is_alias(unsigned int i)
{
	static struct dmio_seg a[LONG_IOVS], b[LONG_IOVS];
	unsigned int nr;

	if (!story.func->has_dst || !i)
		return false;
	nr = join(&story.region[0], a);
	return nr == join(&story.region[i], b) && !memcmp(a, b, nr * sizeof(*a));
}

static bool touch(const struct dmio_seg *a, const struct dmio_seg *b)
{
	return a->len && b->len && a->addr < b->addr + b->len && b->addr < a->addr + a->len;
}

/* Each pair, if one of it is of the output */
static bool overlaps(void)
{
	const struct region *out = &story.region[0];
	unsigned int r, i, j;

	for (r = 0; story.func->has_dst && r < story.nr; r++) {
		if (is_alias(r))
			continue;
		for (i = 0; i < out->nr; i++)
			for (j = r ? 0 : i + 1; j < story.region[r].nr; j++)
				if (touch(&out->iov[i], &story.region[r].iov[j]))
					return true;
	}
	return false;
}

static bool readable(size_t at, size_t bytes)
{
	return at + bytes <= arena_readable;
}

/* In steps: what cannot be read cannot be judged */
static struct reasons find_reasons(void)
{
	struct reasons why = { };
	unsigned int i;

	why.inval = !story.func->has_dst && story.out_nr;
	why.fault = !readable(story.inputs_at, story.func->nr_srcs * 2 * story.word) &&
		    story.func->nr_srcs;
	if (why.inval || why.fault)
		return why;

	for (i = 0; i < story.nr; i++)
		why.inval |= !story.region[i].nr || story.region[i].nr > UIO_MAXIOV;
	if (why.inval)
		return why;

	for (i = 0; i < story.nr; i++) {
		why.inval |= segs_bad(&story.region[i]);
		why.fault |= !readable(story.region[i].at, story.region[i].nr * 2 * story.word);
	}
	if (why.inval || why.fault)
		return why;

	for (i = 0; i < story.nr; i++)
		why.inval |= !total(&story.region[i]) ||
			     total(&story.region[i]) != total(&story.region[0]);
	why.inval = why.inval || overlaps();
	return why;
}

/* What was accepted is what was asked for, and each array was read once */
static void check_accepted(const struct dmio_import *im)
{
	size_t bytes = story.func->nr_srcs * 2 * story.word;
	unsigned int i, n;

	CHECK(im->func == story.func);
	CHECK(im->nr_regions == story.nr);
	CHECK(im->len == total(&story.region[0]));
	for (i = 0; i < story.nr; i++) {
		const struct region *region = &story.region[i];
		struct dmio_slice rest = im->region[i];
		struct dmio_seg part;

		bytes += region->nr * 2 * story.word;
		CHECK(rest.len == im->len);
		CHECK(dmio_import_is_dst(im, i) == !is_in(i));
		CHECK(dmio_import_is_aliased(im, i) == is_alias(i));
		for (n = 0; n < region->nr; n++) {
			if (!region->iov[n].len)
				continue;
			CHECK(dmio_slice_next(&rest, U64_MAX, &part));
			CHECK(part.addr == region->iov[n].addr);
			CHECK(part.len == region->iov[n].len);
		}
		CHECK(!dmio_slice_next(&rest, U64_MAX, &part));
	}
	CHECK(bytes_read == bytes);
}

static void check_result(const struct dmio_import *im, int ret)
{
	struct reasons why = find_reasons();

	if (fuzz_alloc_failed)
		CHECK(ret == -ENOMEM);
	else if (!ret)
		CHECK(!why.fault && !why.inval);
	else
		CHECK((ret == -EFAULT && why.fault) || (ret == -EINVAL && why.inval));

	if (!ret)
		check_accepted(im);
	else
		CHECK(!fuzz_held_allocs);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	u8 raw[DMIO_FORMAT_MAX_REQUEST];
	const struct dmio_format *fmt;
	struct dmio_import im = { };
	struct dmio_desc desc;
	int ret;

	fuzz_good_allocs = (int)in_below(&in, 4) - 1;
	fuzz_alloc_failed = false;
	if (fuzz_good_allocs == 2)
		fuzz_good_allocs = -1;
	make_story(&in);
	make_record(raw);
	bytes_read = 0;

	fmt = dmio_format_find(story.abi, story.word);
	dmio_format_get_request(fmt, raw, &desc);
	ret = dmio_import(&im, fmt, story.func, &desc);
	check_result(&im, ret);
	if (!ret)
		dmio_import_free(&im);
	CHECK(!fuzz_held_allocs);
	return 0;
}
