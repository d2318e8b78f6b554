# SPDX-License-Identifier: GPL-2.0
# What compat.h needs to know of the kernel that is built against.
ccflags-y += $(if $(wildcard $(srctree)/include/crypto/utils.h),-DDMIO_HAVE_CRYPTO_UTILS_H)
ccflags-y += $(if $(shell grep -s -w xor_gen $(srctree)/include/linux/raid/xor.h),-DDMIO_HAVE_XOR_GEN)
