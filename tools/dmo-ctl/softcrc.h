/* SPDX-License-Identifier: GPL-2.0-only */
/* CRC-32C in software: what the device's is compared with. */
#ifndef DMO_CTL_SOFTCRC_H
#define DMO_CTL_SOFTCRC_H

#include <stddef.h>
#include <stdint.h>

/* @crc: 0, or the CRC of the bytes before @mem. */
uint32_t softcrc_update(uint32_t crc, const void *mem, size_t len);

#endif /* DMO_CTL_SOFTCRC_H */
