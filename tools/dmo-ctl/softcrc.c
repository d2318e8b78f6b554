// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>

#include "softcrc.h"

#define POLYNOMIAL	0x82f63b78u	/* Castagnoli's, bits reversed */

static uint32_t table[256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void fill_table(void)
{
	uint32_t i, crc;
	int bit;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[i] = crc;
	}
}

uint32_t softcrc_update(uint32_t crc, const void *mem, size_t len)
{
	const uint8_t *byte = mem;

	pthread_once(&table_once, fill_table);
	for (crc = ~crc; len; len--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 0xff];
	return ~crc;
}
