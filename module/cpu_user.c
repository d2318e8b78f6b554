// SPDX-License-Identifier: GPL-2.0
/*
 * Moving bytes through the user's mapping.
 *
 * Page by page: the inputs are gathered into a buffer, combined there, and
 * the result is scattered to the output.  Nothing is pinned, every access is
 * an ordinary user access with all its checks, and a fault tells its address.
 */
#include <linux/crc32c.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "cpu_user.h"
#include "func.h"

/*
 * Copy to or from the user's memory at @addr: returns how many of @len bytes
 * could be.  Page by page, because in front of a page that must not be touched
 * the copy functions of some architectures stop a little early.
 */
static size_t copy_user(u64 addr, u8 *buf, size_t len, bool write)
{
	size_t done = 0, part, bad;

	for (; done < len; done += part) {
		void __user *user = u64_to_user_ptr(addr + done);

		part = min_t(size_t, len - done, PAGE_SIZE - offset_in_page(user));
		bad = write ? copy_to_user(user, buf + done, part)
			    : copy_from_user(buf + done, user, part);
		if (bad)
			return done + part - bad;
	}
	return done;
}

/* Read @len bytes: returns how many could be read, sets @job->fault if fewer */
static size_t gather(struct dmio_user_job *job, struct dmio_slice *src, u8 *buf, size_t len)
{
	struct dmio_seg part;
	size_t done = 0, good;

	while (done < len && dmio_slice_next(src, len - done, &part)) {
		good = copy_user(part.addr, buf + done, part.len, false);
		done += good;
		if (good < part.len) {
			job->fault = part.addr + good;
			break;
		}
	}
	return done;
}

/* Write @len bytes: returns how many could be, sets @job->fault if fewer */
static size_t scatter(struct dmio_user_job *job, struct dmio_slice *dst, u8 *buf, size_t len)
{
	struct dmio_seg part;
	size_t done = 0, good;

	while (done < len && dmio_slice_next(dst, len - done, &part)) {
		good = copy_user(part.addr, buf + done, part.len, true);
		done += good;
		if (good < part.len) {
			job->fault = part.addr + good;
			break;
		}
	}
	return done;
}

/*
 * One chunk: returns the bytes done, fewer than @len after a fault.  Every
 * function is of this form: a byte repeated, or its inputs combined by XOR;
 * then written to the output, or summed up.
 */
static size_t run_chunk(struct dmio_user_job *job, u8 *buf, u8 *other, size_t len)
{
	const struct dmio_func *func = job->func;
	unsigned int i;

	if (!func->nr_srcs)
		memset(buf, func->imm_bytes ? job->immediate & 0xff : 0, len);
	else
		len = gather(job, &job->src[0], buf, len);

	for (i = 1; i < func->nr_srcs; i++) {
		len = gather(job, &job->src[i], other, len);
		crypto_xor(buf, other, len);
	}

	if (func->has_dst)
		return scatter(job, &job->dst, buf, len);
	job->result = crc32c(job->result, buf, len);
	return len;
}

/**
 * dmio_cpu_run_user() - do a piece of a request through the user's mapping
 * @job: what to do; its slices are consumed
 *
 * Context: process context, in the address space whose memory it is (that of
 * the program, or of a kernel thread that has adopted it); may sleep for as
 * long as page faults take.
 * Return: 0; -EFAULT, with @job->fault and @job->done set; -ENOMEM.
 */
int dmio_cpu_run_user(struct dmio_user_job *job)
{
	u8 *buf = kmalloc(2 * PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	int ret = 0;

	if (!buf)
		return -ENOMEM;

	job->done = 0;
	job->result = ~(u32)job->immediate;
	while (job->done < job->len) {
		size_t len = min_t(u64, job->len - job->done, PAGE_SIZE);
		size_t done = run_chunk(job, buf, buf + PAGE_SIZE, len);

		job->done += done;
		if (done < len) {
			ret = -EFAULT;
			break;
		}
		cond_resched();
	}
	job->result = ~(u32)job->result;
	/* It had what may be secret, of memory that nobody else can map */
	kfree_sensitive(buf);
	return ret;
}
