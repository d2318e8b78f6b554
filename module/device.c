// SPDX-License-Identifier: GPL-2.0
/*
 * The character device: what the system calls do.
 *
 * Records are copied in and out here, one at a time; what they mean is
 * format.c's and request.c's affair.
 */
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "device.h"
#include "dma_unused.h"
#include "dmio.h"
#include "engines.h"
#include "fdinfo.h"
#include "format.h"
#include "request.h"
#include "session.h"
#include "sysfs.h"

static int dmio_open(struct inode *inode, struct file *file)
{
	struct dmio_session *session = dmio_session_create();

	if (IS_ERR(session))
		return PTR_ERR(session);

	/* misc_open() left its own pointer here */
	file->private_data = session;
	/* Reading and writing heed IOCB_NOWAIT: io_uring need not poll, or use threads, first */
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

/*
 * The last descriptor is gone and no system call is under way.  What an
 * engine has begun finishes by itself; nobody waits for it.
 */
static int dmio_release(struct inode *inode, struct file *file)
{
	struct dmio_session *session = file->private_data;

	dmio_requests_quiesce(session);
	dmio_session_put(session);
	return 0;
}

static bool is_nonblocking(const struct kiocb *iocb)
{
	return (iocb->ki_filp->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT);
}

/*
 * What read and write have in common before they begin.  MAX_RW_COUNT is where
 * the kernel has cut off a longer transfer, perhaps in the middle of a record.
 */
static int check_transfer(struct iov_iter *iter, size_t record_bytes)
{
	size_t count = iov_iter_count(iter);

	if (!user_backed_iter(iter))
		return -EINVAL;
	if (count % record_bytes && count != MAX_RW_COUNT)
		return -EINVAL;
	iov_iter_truncate(iter, rounddown(count, record_bytes));
	return 0;
}

/* Write one record: 1 if it was accepted, 0 if there is no room, or errno */
static int write_record(struct dmio_session *session, struct iov_iter *from)
{
	u8 record[DMIO_FORMAT_MAX_REQUEST];
	bool idle;
	int ret;

	if (!dmio_user_add_request(session->account.user))
		return 0;
	ret = 0;
	if (!dmio_cq_reserve(&session->cq, &idle))
		goto err_user;

	ret = -EFAULT;
	if (copy_from_iter_full(record, session->format->req_bytes, from))
		ret = dmio_request_submit(session, record, idle);
	if (ret)
		goto err_cq;
	return 1;

err_cq:
	dmio_cq_unreserve(&session->cq);
err_user:
	dmio_user_remove_request(session->account.user);
	return ret;
}

static int wait_room(struct dmio_session *session)
{
	return dmio_user_wait_room(session->account.user) ?:
	       dmio_cq_wait_room(&session->cq);
}

static ssize_t dmio_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct dmio_session *session = iocb->ki_filp->private_data;
	ssize_t written = 0;
	int ret;

	if (!dmio_session_is_ready(session))
		return -ENXIO;
	if (current->mm != session->account.mm)
		return -EPERM;
	ret = check_transfer(from, session->format->req_bytes);
	if (ret)
		return ret;

	while (iov_iter_count(from)) {
		ret = write_record(session, from);
		if (ret < 0)
			break;
		if (ret) {
			written += session->format->req_bytes;
			ret = -ERESTARTSYS;
			if (signal_pending(current))
				break;
			cond_resched();
			continue;
		}

		/* Full: sleep only with empty hands, lest a thread lock itself out */
		ret = -EAGAIN;
		if (written || is_nonblocking(iocb))
			break;
		ret = wait_room(session);
		if (ret)
			break;
	}
	return written ?: ret;
}

/* Copy out what is ready, as far as it fits: bytes copied, or errno */
static ssize_t read_ready(struct dmio_session *session, struct iov_iter *to, bool nonblock)
{
	const struct dmio_format *format = session->format;
	u8 record[DMIO_FORMAT_MAX_RESPONSE];
	struct dmio_cq *cq = &session->cq;
	struct dmio_response resp;
	ssize_t copied = 0;
	int ret;

	ret = dmio_cq_read_begin(cq, nonblock);
	if (ret)
		return ret;

	while (iov_iter_count(to) && dmio_cq_peek(cq, &resp)) {
		size_t done;

		dmio_format_put_response(format, &resp, record);
		done = copy_to_iter(record, format->resp_bytes, to);
		if (done != format->resp_bytes) {
			iov_iter_revert(to, done);
			ret = -EFAULT;
			break;
		}
		dmio_cq_consume(cq);
		copied += format->resp_bytes;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	dmio_cq_read_end(cq);
	return copied ?: ret;
}

/*
 * Returns when the buffer is full, or with what there is once nothing is in
 * flight any more: a reader that asks for more than was submitted must not
 * hang.
 */
static ssize_t dmio_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct dmio_session *session = iocb->ki_filp->private_data;
	bool nonblock = is_nonblocking(iocb);
	ssize_t copied = 0;
	ssize_t ret;

	if (!dmio_session_is_ready(session))
		return -ENXIO;
	ret = check_transfer(to, session->format->resp_bytes);
	if (ret)
		return ret;

	while (iov_iter_count(to)) {
		ret = read_ready(session, to, nonblock);
		if (ret < 0)
			break;
		copied += ret;
		if (!iov_iter_count(to))
			break;

		if (nonblock) {
			ret = -EAGAIN;
			break;
		}
		/* Others may read what this one is woken for */
		ret = dmio_cq_wait_ready(&session->cq, copied);
		if (ret || (copied && dmio_cq_is_idle(&session->cq)))
			break;
	}
	return copied ?: ret;
}

static __poll_t dmio_poll(struct file *file, struct poll_table_struct *wait)
{
	struct dmio_session *session = file->private_data;
	__poll_t events = 0;

	/* More than two were an error in io_uring */
	poll_wait(file, &session->cq.waiters, wait);
	poll_wait(file, &session->account.user->room, wait);

	if (!dmio_session_is_ready(session))
		return 0;
	if (dmio_cq_nr_ready(&session->cq))
		events |= EPOLLIN | EPOLLRDNORM;
	if (dmio_cq_has_room(&session->cq) && dmio_user_has_room(session->account.user))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static long ioctl_setfunc(struct dmio_session *session, void __user *arg,
			  enum dmio_abi abi, unsigned int ptr_bytes)
{
	struct dmio_setfunc setfunc;

	if (copy_from_user(&setfunc, arg, sizeof(setfunc)))
		return -EFAULT;
	return dmio_session_setup(session, setfunc.dsf_name, sizeof(setfunc.dsf_name),
				  dmio_format_find(abi, ptr_bytes));
}

/*
 * Copy in a structure of @size bytes that begins with its own size, as the
 * program knows it; what the program does not know is zero.
 */
static int get_struct(void *to, size_t size, const void __user *arg, u32 *user_size)
{
	if (get_user(*user_size, (const u32 __user *)arg))
		return -EFAULT;
	if (*user_size < size)
		return -EINVAL;
	if (*user_size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, size, arg, *user_size);
}

static long ioctl_set_policy(struct dmio_session *session, void __user *arg)
{
	struct dmoverio_policy policy;
	u32 size;
	int ret;

	ret = get_struct(&policy, sizeof(policy), arg, &size);
	if (ret)
		return ret;
	return dmio_session_set_policy(session, policy.policy);
}

/* As it was first published: programs may know no more */
static_assert(sizeof(struct dmoverio_policy) == 8);
static_assert(sizeof(struct dmoverio_engine) == 240);

static long ioctl_get_engine(void __user *arg)
{
	struct dmoverio_engine engine, info = {};
	unsigned int index;
	u32 size;
	int ret;

	ret = get_struct(&engine, sizeof(engine), arg, &size);
	if (ret)
		return ret;
	if (engine.resv)
		return -EINVAL;
	index = engine.index;
	if (!dmio_engines_describe(&index, &info) && !dmio_dma_unused_describe(index, &info))
		return -ENOENT;
	info.size = sizeof(info);
	info.index = engine.index;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long do_ioctl(struct file *file, unsigned int cmd, void __user *arg,
		     unsigned int ptr_bytes)
{
	struct dmio_session *session = file->private_data;

	switch (cmd) {
	case DMIO_SETFUNC_ABI1:
		return ioctl_setfunc(session, arg, DMIO_ABI_1, ptr_bytes);
	case DMIO_SETFUNC_ABI2:
		return ioctl_setfunc(session, arg, DMIO_ABI_2, ptr_bytes);
	case DMOVERIO_IOC_SET_POLICY:
		return ioctl_set_policy(session, arg);
	case DMOVERIO_IOC_GET_ENGINE:
		return ioctl_get_engine(arg);
	default:
		return -ENOTTY;
	}
}

static long dmio_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return do_ioctl(file, cmd, (void __user *)arg, sizeof(void *));
}

#ifdef CONFIG_COMPAT
static long dmio_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return do_ioctl(file, cmd, compat_ptr(arg), sizeof(compat_uptr_t));
}
#endif

static const struct file_operations dmio_fops = {
	.owner		= THIS_MODULE,
	.open		= dmio_open,
	.release	= dmio_release,
	.read_iter	= dmio_read_iter,
	.write_iter	= dmio_write_iter,
	.poll		= dmio_poll,
	.unlocked_ioctl	= dmio_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= dmio_compat_ioctl,
#endif
	.show_fdinfo	= dmio_show_fdinfo,
};

static struct miscdevice dmio_miscdev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "dmoverio",
	.fops	= &dmio_fops,
	.mode	= 0660,
	.groups	= dmio_sysfs_groups,
};

/**
 * dmio_device_register() - let programs in
 *
 * Context: may sleep; everything else is ready.
 * Return: 0 or a negative errno.
 */
int dmio_device_register(void)
{
	return misc_register(&dmio_miscdev);
}

/**
 * dmio_device_unregister() - remove the device
 *
 * Context: may sleep; no file is open, or the module would be in use.
 */
void dmio_device_unregister(void)
{
	misc_deregister(&dmio_miscdev);
}
