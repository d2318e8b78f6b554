/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dmoverio: memory operations by the machine's DMA engines.
 *
 * What kernel and programs share, and nothing else: the classic interface of
 * NetBSD's dmoverio(4), and what goes beyond it.  The classic records hold
 * pointers, so their layout depends on the program's word size and stands in
 * <dev/dmover/dmover_io.h>, which is the header a classic program includes.
 */
#ifndef _UAPI_LINUX_DMOVERIO_H
#define _UAPI_LINUX_DMOVERIO_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The character device */
#define DMOVERIO_DEVICE		"/dev/dmoverio"

/*
 * Functions by number.  Classic programs select by name ("zero", "fill8",
 * "copy", "xor2" ... "xor16", "iscsi-crc32c"); the numbers are stable and never reused.
 */
#define DMOVERIO_FUNC_NONE	0
#define DMOVERIO_FUNC_ZERO	1	/* dst = 0 */
#define DMOVERIO_FUNC_FILL8	2	/* every byte of dst = byte 0 of the immediate */
#define DMOVERIO_FUNC_COPY	3	/* dst = src */
#define DMOVERIO_FUNC_XOR	4	/* dst = src[0] ^ src[1] ^ ... */
#define DMOVERIO_FUNC_CRC32C	5	/* result = CRC-32C of src, seed: immediate */

/* Most input regions a function may take */
#define DMOVERIO_MAX_SRCS	16

/* Size of a function's name with its terminating NUL, classic interface */
#define DMIO_MAX_FUNCNAME	64

/**
 * struct dmio_setfunc - argument of DMIO_SETFUNC
 * @dsf_name: name of the function, terminated by a NUL; what follows the NUL
 *	is ignored
 */
struct dmio_setfunc {
	char dsf_name[DMIO_MAX_FUNCNAME];
};

/*
 * Select the session's function, once, before the first write.  Binds the
 * session to the calling process's address space, and fixes the layout of its
 * records: by the number, and by whether a 32-bit or a 64-bit program calls.
 * In <dev/dmover/dmover_io.h> the right one of the two is called DMIO_SETFUNC.
 *
 * DMIO_SETFUNC_ABI1: the layout of the manual page; inputs and immediate share
 *	their place, so functions that need both are ESRCH
 * DMIO_SETFUNC_ABI2: the later layout, with both, and with results
 *
 * Errors: EFAULT, ESRCH (no such function, or no NUL in the name; another
 * name may be tried), EBUSY (already selected), ENOMEM.
 */
#define DMIO_SETFUNC_ABI1	_IOW('D', 0, struct dmio_setfunc)
#define DMIO_SETFUNC_ABI2	_IOW('D', 1, struct dmio_setfunc)

/*
 * Commands beyond the classic interface.  Their argument points to a structure
 * that begins with its own size and may grow at its end: a kernel takes what it
 * does not know yet if it is zero, else E2BIG.  EINVAL: the size is too small,
 * an unknown value, or a reserved field that is not zero.  EFAULT: unreadable
 * or unwritable.
 */
#define DMOVERIO_IOC_SET_POLICY	_IO('D', 0x10)	/* struct dmoverio_policy */
#define DMOVERIO_IOC_GET_ENGINE	_IO('D', 0x11)	/* struct dmoverio_engine */

/* Who may do a session's work */
#define DMOVERIO_POLICY_DEFAULT		0	/* as the module's parameter "policy" says */
#define DMOVERIO_POLICY_AUTO		1	/* by DMA what is large enough */
#define DMOVERIO_POLICY_PREFER_DMA	2	/* by DMA what it can do, of any size */
#define DMOVERIO_POLICY_REQUIRE_DMA	3	/* by DMA, or it fails */
#define DMOVERIO_POLICY_CPU		4	/* by the CPU */

/**
 * struct dmoverio_policy - argument of DMOVERIO_IOC_SET_POLICY
 * @size: bytes of this structure
 * @policy: DMOVERIO_POLICY_*
 *
 * For the session's requests written from now on.  A new session has
 * DMOVERIO_POLICY_DEFAULT.  With DMOVERIO_POLICY_REQUIRE_DMA, what the CPU
 * would have to do because of the memory's alignment it still does.
 *
 * Errors: ESRCH (DMA required and no engine is capable of the session's
 * function; DMIO_SETFUNC says so if it comes later), EPERM (the session is
 * bound to another address space).
 */
struct dmoverio_policy {
	__u32 size;
	__u32 policy;
};

/* What an engine is doing */
#define DMOVERIO_ENGINE_ACTIVE		1	/* at work, or ready for it */
#define DMOVERIO_ENGINE_LEAVING		2	/* finishes what it has, gets no more */
#define DMOVERIO_ENGINE_UNUSED		3	/* a channel that is there, but left alone */
#define DMOVERIO_ENGINE_QUARANTINED	4	/* it failed, and is tried again later */
#define DMOVERIO_ENGINE_DISABLED	5	/* it failed, and is not tried again */

/* Why a channel is left alone */
#define DMOVERIO_UNUSED_NO_FUNCTION	1	/* it can do none of our functions */
#define DMOVERIO_UNUSED_PERIPHERALS	2	/* devices need it; "channels" may name it */
#define DMOVERIO_UNUSED_NOT_NAMED	3	/* "channels" names others */
#define DMOVERIO_UNUSED_RELEASED	4	/* the administrator took it away; it may be gone */
#define DMOVERIO_UNUSED_DRIVER		5	/* its driver has traps; "channels" may name it */
#define DMOVERIO_UNUSED_NO_COPY		6	/* it cannot copy; "channels" may name it */
#define DMOVERIO_UNUSED_SINGLE		7	/* its driver bears one channel of a device */

/* Why a channel is in quarantine, or disabled */
#define DMOVERIO_FAILED_ERRORS		16	/* transfers failed, one after the other */
#define DMOVERIO_FAILED_HANG		17	/* transfers did not come to an end */
#define DMOVERIO_FAILED_LOST		18	/* when it was to come back it was not to be had */

/**
 * struct dmoverio_engine - argument of DMOVERIO_IOC_GET_ENGINE
 * @size: bytes of this structure
 * @index: which engine, from 0; the CPU is 0.  ENOENT: there are fewer
 * @id: out: 1: the CPU; 2 and above: a DMA channel, its number for as long as
 *	it is held, not used again; 0: unused
 * @state: out: DMOVERIO_ENGINE_*
 * @reason: out: DMOVERIO_UNUSED_*, if it is unused; DMOVERIO_FAILED_*, if it
 *	failed; else 0
 * @resv: 0
 * @funcs: out: bit n: it can do DMOVERIO_FUNC n
 * @align: out: bytes, a power of two, to which the output is aligned where
 *	it is written by DMA; the CPU does the edges.  Of the functions it can
 *	do, the most that one needs
 * @max_srcs: out: inputs of one pass of XOR; more take several passes
 * @max_bytes: out: most bytes of one descriptor; 0: no limit
 * @queued_bytes: out: given to the engine and not yet done
 * @windows: out: windows done: requests, or pieces of large ones
 * @bytes: out: bytes of them that the engine did (in each region)
 * @edge_bytes: out: bytes at the edges that the CPU did for it
 * @errors: out: windows that failed in the engine
 * @restarts: out: windows begun here and done by another engine
 * @parked_pages: out: pages that it may still write to although their requests
 *	were answered (ETIMEDOUT): its hardware could not be stopped
 * @retry_ms: out: milliseconds until it is tried again, if it is in quarantine
 * @name: out: "cpu", or the name of the channel: "dma0chan3"
 * @device: out: the channel's device: "0000:00:05.0"
 * @driver: out: the device's driver: "ioatdma"
 *
 * Channels that somebody else holds are not listed.  The numbers are of
 * different moments.
 */
struct dmoverio_engine {
	__u32 size;
	__u32 index;
	__u32 id;
	__u32 state;
	__u32 reason;
	__u32 resv;
	__aligned_u64 funcs;
	__u32 align;
	__u32 max_srcs;
	__aligned_u64 max_bytes;
	__aligned_u64 queued_bytes;
	__aligned_u64 windows;
	__aligned_u64 bytes;
	__aligned_u64 edge_bytes;
	__aligned_u64 errors;
	__aligned_u64 restarts;
	__aligned_u64 parked_pages;
	__aligned_u64 retry_ms;
	char name[32];
	char device[64];
	char driver[32];
};

#endif /* _UAPI_LINUX_DMOVERIO_H */
