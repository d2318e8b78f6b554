/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The vocabulary: words, limits and rules that every part shares.
 *
 *	session	one open file, bound to one address space
 *	request	one memory operation that a program wrote to its session
 *	region	what a request reads or writes: bytes scattered over segments
 *	job	a mapped piece of a request, as an engine executes it
 *	window	a piece of a request, pinned as one
 *	engine	what executes jobs: the CPU's workers, or a DMA channel
 *
 * Lock order, outermost first; no other nesting is allowed:
 *
 *	session->setup_lock (mutex)
 *	users_lock (mutex)
 *	cq->read_lock (mutex)		> mmap_lock (user copies)
 *	cq->read_lock			> cq->lock (spinlock)
 *	session->lock (spinlock)	> user->lock (spinlock)
 *	user->lock			> locks of the workqueue
 *	the device's lock (unbind)	> leave_lock (mutex) > chans_lock (mutex)
 *	chans_lock			> locks of dmaengine > unused_lock (mutex)
 *	leave_lock			> dc->lock (mutex) > locks of the channel's driver
 *	any of these			> dmio_engines_lock (spinlock)
 *	dmio_engines_lock		> locks of workqueues and wait queues
 *
 * The spinlocks are taken in process context only.
 *
 * Lifetimes:
 *
 *	module	held by every open file (fops->owner) and every session:
 *		requests may outlive their file
 *	user	see user.h
 *	session	see session.h
 *	request	see request.h
 *	channel	see dma_task.h
 *	pages	pinned by umem, released before the answer is posted; parked ones
 *		when their hardware has let go of them
 */
#ifndef DMIO_H
#define DMIO_H

#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/dmoverio.h>

/* A session's queue depth: requests written whose response was not yet read */
#define DMIO_QUEUE_DEPTH	256

/* Regions of a request: the output and the inputs */
#define DMIO_MAX_REGIONS	(1 + DMOVERIO_MAX_SRCS)

/* Requests up to this many bytes, all regions together, may run in write() */
#define DMIO_INLINE_BYTES	SZ_64K

#endif /* DMIO_H */
