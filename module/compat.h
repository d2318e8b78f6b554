/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions, and the only place for one.
 * The Kbuild file probes the kernel that is built against and defines
 * DMIO_HAVE_*; no version number is ever looked at.
 */
#ifndef DMIO_COMPAT_H
#define DMIO_COMPAT_H

/* crypto_xor() moved out of <crypto/algapi.h> */
#ifdef DMIO_HAVE_CRYPTO_UTILS_H
#include <crypto/utils.h>
#else
#include <crypto/algapi.h>
#endif

/*
 * xor_blocks() of the module xor became xor_gen() of lib/raid; a kernel that
 * has neither RAID nor btrfs has neither
 */
#if !IS_ENABLED(CONFIG_XOR_BLOCKS)
#define DMIO_HAS_XOR_LIBRARY	0
#define dmio_xor_blocks(dst, srcs, nr, bytes)	((void)(srcs))
#else
#define DMIO_HAS_XOR_LIBRARY	1
#include <linux/raid/xor.h>
#ifdef DMIO_HAVE_XOR_GEN
#define dmio_xor_blocks(dst, srcs, nr, bytes)	xor_gen(dst, srcs, nr, bytes)
#else
#define dmio_xor_blocks(dst, srcs, nr, bytes)	xor_blocks(nr, bytes, dst, srcs)
#endif
#endif

#endif /* DMIO_COMPAT_H */
