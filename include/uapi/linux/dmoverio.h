/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * dmoverio: memory operations by the machine's DMA engines.
 *
 * What kernel and programs share, and nothing else.  Today that is the
 * classic interface of NetBSD's dmoverio(4); its records hold pointers, so
 * their layout depends on the program's word size and stands in
 * <dev/dmover/dmover_io.h>, which is the header a classic program includes.
 */
#ifndef _UAPI_LINUX_DMOVERIO_H
#define _UAPI_LINUX_DMOVERIO_H

#include <linux/ioctl.h>

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

#endif /* _UAPI_LINUX_DMOVERIO_H */
