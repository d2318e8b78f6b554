/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's records.  There are two layouts under the same names, chosen
 * when a program is compiled; records.c is compiled once for each.
 */
#ifndef DMO_CTL_RECORDS_H
#define DMO_CTL_RECORDS_H

#include <stddef.h>

#include "session.h"

#define RECORD_MAX_REQUEST	40	/* bytes, of any layout */
#define RECORD_MAX_RESPONSE	16

/**
 * struct record_layout - one layout
 * @setfunc: ioctl number that selects function and layout
 * @request_bytes, @response_bytes: size of a record
 * @inputs_bytes: room for the array of inputs that a request points to
 * @encode: make a request record; @inputs becomes the array of its inputs
 * @decode: read a response record
 */
struct record_layout {
	unsigned long setfunc;
	size_t request_bytes;
	size_t response_bytes;
	size_t inputs_bytes;
	void (*encode)(void *record, void *inputs,
		       const struct dmo_request *req);
	void (*decode)(const void *record, struct dmo_answer *answer);
};

extern const struct record_layout record_layout_abi1, record_layout_abi2;

#endif /* DMO_CTL_RECORDS_H */
