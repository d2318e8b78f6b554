// SPDX-License-Identifier: GPL-2.0
/*
 * Moving bytes by CPU.
 *
 * A job is done chunk by chunk along the output.  A chunk is what one mapping
 * of the output gives, a page at most; the inputs, cut elsewhere, are walked
 * below it in spans.  So no more than two pages are mapped at a time, which
 * is what kmap_local_page() can nest on every machine.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/crc32c.h>
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "cpu_ops.h"
#include "engine.h"
#include "func.h"

/* Less than this is not worth another worker */
#define LEAST_PART_BYTES	SZ_128K

/* A place in a scatterlist: @off bytes into the entry @sg */
struct place {
	struct scatterlist *sg;
	unsigned int off;
};

/* The place that is @skip bytes behind the beginning of a scatterlist */
static struct place place_at(struct scatterlist *sg, u64 skip)
{
	for (; sg && skip >= sg->length; sg = sg_next(sg))
		skip -= sg->length;
	return (struct place){ .sg = sg, .off = skip };
}

static struct page *place_page(const struct place *at)
{
	unsigned long pfn = page_to_pfn(sg_page(at->sg));

	return pfn_to_page(pfn + ((at->sg->offset + at->off) >> PAGE_SHIFT));
}

/* Map what lies at a place: @len says how much is wanted, then how much it is */
static void *place_map(const struct place *at, size_t *len)
{
	unsigned int in_page = offset_in_page(at->sg->offset + at->off);

	*len = min3(*len, (size_t)(at->sg->length - at->off), PAGE_SIZE - in_page);
	return kmap_local_page(place_page(at)) + in_page;
}

static void place_advance(struct place *at, size_t len)
{
	at->off += len;
	if (at->off == at->sg->length) {
		at->sg = sg_next(at->sg);
		at->off = 0;
	}
}

/* Returns 0, or -EIO where the memory turned out to be broken */
typedef int (*span_fn)(u8 *dst, u8 *src, unsigned int len);

static int copy_span(u8 *dst, u8 *src, unsigned int len)
{
	return copy_mc_to_kernel(dst, src, len) ? -EIO : 0;
}

/*
 * The library's fast routines want what they were made for: whole blocks, well
 * aligned.  Their AVX forms drop tails and fault when unaligned, their SSE
 * forms run away below 256 bytes.
 */
static bool is_for_xor_library(const u8 *dst, const u8 *src, unsigned int len)
{
	return DMIO_HAS_XOR_LIBRARY &&
	       IS_ALIGNED((unsigned long)dst | (unsigned long)src, 64) && len &&
	       IS_ALIGNED(len, 512);
}

static int xor_span(u8 *dst, u8 *src, unsigned int len)
{
	void *srcs[] = { src };

	if (is_for_xor_library(dst, src, len))
		dmio_xor_blocks(dst, srcs, ARRAY_SIZE(srcs), len);
	else
		crypto_xor(dst, src, len);
	return 0;
}

static int walk_spans(u8 *dst, struct place *src, size_t len, span_fn fn)
{
	int ret = 0;

	while (len && !ret) {
		size_t span = len;
		u8 *from = place_map(src, &span);

		ret = fn(dst, from, span);
		kunmap_local(from);
		place_advance(src, span);
		dst += span;
		len -= span;
	}
	return ret;
}

/* One chunk of output: @src are the places of the inputs, to be advanced */
typedef int (*chunk_fn)(const struct dmio_job *job, u8 *dst,
			struct place *src, size_t len);

static int zero_chunk(const struct dmio_job *job, u8 *dst,
		      struct place *src, size_t len)
{
	memset(dst, 0, len);
	return 0;
}

static int fill8_chunk(const struct dmio_job *job, u8 *dst,
		       struct place *src, size_t len)
{
	memset(dst, job->immediate & 0xff, len);
	return 0;
}

static int copy_chunk(const struct dmio_job *job, u8 *dst,
		      struct place *src, size_t len)
{
	return job->aliased ? 0 : walk_spans(dst, &src[0], len, copy_span);
}

/*
 * Inputs that are the output itself come first, while it still holds their
 * bytes: an even number of them cancels out, an odd number leaves one.
 */
static int xor_chunk(const struct dmio_job *job, u8 *dst,
		     struct place *src, size_t len)
{
	unsigned int aliases = hweight_long(job->aliased);
	bool started = aliases;
	unsigned int i;
	int ret = 0;

	if (aliases && aliases % 2 == 0)
		memset(dst, 0, len);

	for (i = 0; i < job->func->nr_srcs && !ret; i++) {
		if (test_bit(i, &job->aliased))
			continue;
		ret = walk_spans(dst, &src[i], len, started ? xor_span : copy_span);
		started = true;
	}
	return ret;
}

static const chunk_fn chunk_fns[];

/* Functions with an output, chunk by chunk */
static int run_chunks(struct dmio_job *job, u64 offset, u64 len)
{
	struct place dst = place_at(job->dst, offset);
	struct place src[DMOVERIO_MAX_SRCS];
	unsigned int i;
	int ret = 0;

	for (i = 0; i < job->func->nr_srcs; i++)
		src[i] = place_at(job->src[i], offset);

	while (len && !ret) {
		size_t chunk = min_t(u64, len, PAGE_SIZE);
		struct page *page = place_page(&dst);
		u8 *to = place_map(&dst, &chunk);

		ret = chunk_fns[job->func->id](job, to, src, chunk);
		kunmap_local(to);
		flush_dcache_page(page);
		place_advance(&dst, chunk);
		len -= chunk;
		cond_resched();
	}
	return ret;
}

/* iSCSI's CRC: inverted at both ends, so that a result continues as a seed */
static int run_crc32c(struct dmio_job *job, u64 offset, u64 len)
{
	struct place src = place_at(job->src[0], offset);
	u32 crc = ~(u32)job->immediate;

	while (len) {
		size_t span = min_t(u64, len, PAGE_SIZE);
		const u8 *from = place_map(&src, &span);

		crc = crc32c(crc, from, span);
		kunmap_local(from);
		place_advance(&src, span);
		len -= span;
		cond_resched();
	}
	job->result = ~crc;
	return 0;
}

static const chunk_fn chunk_fns[] = {
	[DMOVERIO_FUNC_ZERO]	= zero_chunk,
	[DMOVERIO_FUNC_FILL8]	= fill8_chunk,
	[DMOVERIO_FUNC_COPY]	= copy_chunk,
	[DMOVERIO_FUNC_XOR]	= xor_chunk,
};

static int (*const run_fns[])(struct dmio_job *job, u64 offset, u64 len) = {
	[DMOVERIO_FUNC_ZERO]	= run_chunks,
	[DMOVERIO_FUNC_FILL8]	= run_chunks,
	[DMOVERIO_FUNC_COPY]	= run_chunks,
	[DMOVERIO_FUNC_XOR]	= run_chunks,
	[DMOVERIO_FUNC_CRC32C]	= run_crc32c,
};

/**
 * dmio_cpu_count_parts() - over how many CPUs a job is cut
 * @func: the function
 * @len: bytes of the job
 * @nr_cpus: CPUs that there are, not 0
 *
 * Context: any.
 * Return: most parts that are worth it, 1 to DMIO_CPU_PARTS.
 */
unsigned int dmio_cpu_count_parts(const struct dmio_func *func, u64 len, unsigned int nr_cpus)
{
	u64 nr = min3((u64)DMIO_CPU_PARTS, (u64)nr_cpus, len / LEAST_PART_BYTES);

	return func->serial ? 1 : max(nr, 1ULL);
}

/**
 * dmio_cpu_part_bytes() - cut a job evenly
 * @len: bytes of the job, not 0
 * @nr: most parts wanted, not 0
 * @align: parts begin at multiples of it
 *
 * Where @align is large the parts get fewer: their number is @len divided by
 * the result, rounded up.
 *
 * Context: any.
 * Return: bytes of each part, but for the last one, which may be shorter.
 */
u64 dmio_cpu_part_bytes(u64 len, unsigned int nr, u64 align)
{
	return round_up(DIV_ROUND_UP_ULL(len, nr), align);
}

/**
 * dmio_cpu_can() - is a function in the CPU's table?
 * @func: the function
 *
 * Context: any.
 * Return: true if dmio_cpu_run() can do it.
 */
bool dmio_cpu_can(const struct dmio_func *func)
{
	return func->id < ARRAY_SIZE(run_fns) && run_fns[func->id];
}

/**
 * dmio_cpu_run() - do a part of a job
 * @job: what to do; dmio_cpu_can() said yes to its function
 * @offset: where to begin, in bytes of the job; 0 for serial functions
 * @len: bytes to do; all for serial functions
 *
 * Parts of a job may run at the same time.  @job->result is set if the
 * function has a result.
 *
 * Context: may sleep.
 * Return: 0, or -EIO where a source turned out to be broken memory.
 */
int dmio_cpu_run(struct dmio_job *job, u64 offset, u64 len)
{
	return run_fns[job->func->id](job, offset, len);
}
