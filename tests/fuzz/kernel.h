/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure files need of the kernel, in user space.
 *
 * Included in front of everything else (-include).  The headers of the kernel that
 * they name are empty files, unless the system has one of that name.  A file that
 * comes to need more is not pure any more, or needs a line here.
 */
#ifndef DMIO_FUZZ_KERNEL_H
#define DMIO_FUZZ_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

/* <linux/types.h>, <linux/limits.h>, <linux/sizes.h> */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef u64 phys_addr_t;
typedef u64 dma_addr_t;

#define U32_MAX		(~(u32)0)
#define U64_MAX		(~(u64)0)
#define SZ_64K		0x00010000
#define SZ_2M		0x00200000
#define SZ_8M		0x00800000
#define SZ_1G		0x40000000

/* <linux/errno.h> */
#define ERESTARTSYS	512

/* <linux/build_bug.h>: the message may be missing */
#define static_assert(cond, ...)	_Static_assert(cond, #cond)

/* <linux/kernel.h>, <linux/minmax.h>, <linux/math.h>, <linux/align.h>, <linux/bitops.h> */
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))

#define min(a, b)		({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)		({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define min3(a, b, c)		min((typeof(a))min(a, b), c)
#define min_t(type, a, b)	min((type)(a), (type)(b))

#define round_down(x, to)	((x) & ~((typeof(x))(to) - 1))
#define ALIGN(x, to)		round_down((x) + ((typeof(x))(to) - 1), to)
#define IS_ALIGNED(x, to)	(((x) & ((typeof(x))(to) - 1)) == 0)

static inline bool test_bit(unsigned int nr, const unsigned long *word)
{
	return *word >> nr & 1;
}

static inline void __set_bit(unsigned int nr, unsigned long *word)
{
	*word |= 1UL << nr;
}

/* <linux/overflow.h>, <linux/sort.h> */
#define check_add_overflow(a, b, sum)	__builtin_add_overflow(a, b, sum)

static inline void sort(void *base, size_t nr, size_t size,
			int (*cmp)(const void *a, const void *b),
			void (*swap)(void *a, void *b, int size))
{
	(void)swap;
	if (nr)
		qsort(base, nr, size, cmp);
}

/* <linux/slab.h>: counted, and fails when it is told to */
#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0

void *kvmalloc_array(size_t nr, size_t size, int flags);
void kvfree(void *mem);

/* <linux/mm.h>, <linux/io.h>: a page is its number, of which one is never used */
struct page;

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define offset_in_page(addr)	((unsigned long)(addr) & (PAGE_SIZE - 1))
#define pfn_to_page(pfn)	((struct page *)((unsigned long)(pfn) << 6))
#define page_to_pfn(page)	((unsigned long)(page) >> 6)
#define page_to_phys(page)	((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)

/* <linux/uaccess.h>: the target has the user's memory */
#define u64_to_user_ptr(addr)	((void *)(unsigned long)(addr))
#define untagged_addr(addr)	(addr)

unsigned long copy_from_user(void *to, const void *from, unsigned long len);
size_t fault_in_readable(const void *from, size_t len);
size_t fault_in_safe_writeable(const void *to, size_t len);

static inline void cond_resched(void)
{
}

/* <linux/scatterlist.h>; a link is an entry with nothing but @chain */
struct scatterlist {
	struct page *page;
	struct scatterlist *chain;
	bool is_last;
	unsigned int offset;
	unsigned int length;
	dma_addr_t dma_address;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;
};

#define sg_page(sg)		((sg)->page)
#define sg_phys(sg)		(page_to_phys((sg)->page) + (sg)->offset)
#define sg_dma_address(sg)	((sg)->dma_address)
#define sg_dma_len(sg)		((sg)->length)

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->is_last = true;
}

static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	memset(sgl, 0, nents * sizeof(*sgl));
	sg_mark_end(&sgl[nents - 1]);
}

static inline void sg_chain(struct scatterlist *sgl, unsigned int nents, struct scatterlist *next)
{
	sgl[nents - 1] = (struct scatterlist){ .chain = next };
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	if (sg->is_last)
		return NULL;
	sg++;
	return sg->chain ? sg->chain : sg;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->page = page;
	sg->offset = offset;
	sg->length = len;
}

/* <linux/dma-mapping.h>: the target is the device */
struct device;

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };

#define DMA_ATTR_NO_WARN	0

int dma_map_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs);
void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
			enum dma_data_direction dir, unsigned long attrs);

/* Members of structures that nothing here looks into */
struct list_head { void *next, *prev; };
struct work_struct { int unused; };
typedef void (*work_func_t)(struct work_struct *work);
typedef struct { int counter; } atomic_t;
typedef struct { __s64 counter; } atomic64_t;
typedef struct { int unused; } spinlock_t, wait_queue_head_t;
typedef struct { unsigned int val; } kuid_t;

#define INIT_LIST_HEAD(list)	((void)(list))
#define INIT_WORK(work, func)	((void)(func))

#endif /* DMIO_FUZZ_KERNEL_H */
