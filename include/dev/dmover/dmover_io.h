/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The classic interface of dmoverio(4): a program written for the manual
 * page of NetBSD compiles unchanged with this header.
 *
 *	fd = open("/dev/dmoverio", O_RDWR);
 *	ioctl(fd, DMIO_SETFUNC, &setfunc);	select the function, once
 *	write(fd, requests, n * sizeof(struct dmio_usrreq));
 *	read(fd, responses, n * sizeof(struct dmio_usrresp));
 *	close(fd);
 *
 * With -DDMIO_ABI=2 the records have the layout of NetBSD's later header, in
 * which inputs and immediate have places of their own and a response carries a
 * result: what iscsi-crc32c needs.  The names are the same.
 */
#ifndef _DEV_DMOVER_DMOVER_IO_H
#define _DEV_DMOVER_DMOVER_IO_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/dmoverio.h>

/**
 * typedef dmio_buffer - one region of memory, scattered over iovecs
 * @dmbuf_iov: the pieces, in the order of the region's bytes
 * @dmbuf_iovcnt: number of pieces, 1 to IOV_MAX (1024)
 */
typedef struct {
	struct iovec *dmbuf_iov;
	unsigned int dmbuf_iovcnt;
} dmio_buffer;

#if !defined(DMIO_ABI) || DMIO_ABI == 1

#define DMIO_SETFUNC	DMIO_SETFUNC_ABI1

/**
 * struct dmio_usrreq - one request, as written to the device
 * @req_outbuf: the output region
 * @_req_inbuf_un: what the function takes besides; ignored if it takes nothing
 * @_req_inbuf_un._inbuf: functions with inputs: array of exactly as many
 *	regions as the function has inputs, each as long as the output in
 *	total; its name in programs is req_inbuf
 * @_req_inbuf_un._immediate: functions with an immediate: its bytes, least
 *	significant first; its name in programs is req_immediate
 * @req_id: passed back in the response; need not be unique for the device
 */
struct dmio_usrreq {
	dmio_buffer req_outbuf;
	union {
		uint8_t _immediate[8];
		dmio_buffer *_inbuf;
	} _req_inbuf_un;
#define req_immediate	_req_inbuf_un._immediate
#define req_inbuf	_req_inbuf_un._inbuf
	uint32_t req_id;
};

/**
 * struct dmio_usrresp - one response, as read from the device
 * @resp_id: the request's @req_id
 * @resp_error: 0, or a positive errno
 */
struct dmio_usrresp {
	uint32_t resp_id;
	int resp_error;
};

#elif DMIO_ABI == 2

#define DMIO_SETFUNC	DMIO_SETFUNC_ABI2

/**
 * struct dmio_usrreq - one request, as written to the device
 * @req_outbuf: the output region; dmbuf_iovcnt 0 for functions without
 * @req_immediate: functions with an immediate: its bytes, least significant
 *	first; otherwise ignored
 * @req_inbuf: functions with inputs: array of exactly as many regions as the
 *	function has inputs, each as long as the output in total; otherwise
 *	ignored
 * @req_id: passed back in the response; need not be unique for the device
 */
struct dmio_usrreq {
	dmio_buffer req_outbuf;
	uint8_t req_immediate[8];
	dmio_buffer *req_inbuf;
	uint32_t req_id;
};

/**
 * struct dmio_usrresp - one response, as read from the device
 * @resp_id: the request's @req_id
 * @resp_error: 0, or a positive errno
 * @resp_immediate: functions with a result: its bytes, least significant
 *	first; otherwise zero
 */
struct dmio_usrresp {
	uint32_t resp_id;
	int resp_error;
	uint8_t resp_immediate[8];
};

#else
#error "DMIO_ABI is 1 (the manual page's layout, the default) or 2"
#endif

#endif /* _DEV_DMOVER_DMOVER_IO_H */
