// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compiled twice: with DMIO_ABI=1, the layout of the manual page, where inputs
 * and immediate share a place, and with DMIO_ABI=2, where they do not and a
 * response carries a result.
 */
#include <string.h>

#include <dev/dmover/dmover_io.h>

#include "records.h"

#if DMIO_ABI == 1
#define THIS_LAYOUT	record_layout_abi1
#else
#define THIS_LAYOUT	record_layout_abi2
#endif

_Static_assert(sizeof(struct dmio_usrreq) <= RECORD_MAX_REQUEST,
	       "RECORD_MAX_REQUEST is too small");
_Static_assert(sizeof(struct dmio_usrresp) <= RECORD_MAX_RESPONSE,
	       "RECORD_MAX_RESPONSE is too small");

static void encode_region(dmio_buffer *buf, const struct dmo_region *region)
{
	buf->dmbuf_iov = region->iov;
	buf->dmbuf_iovcnt = region->iovcnt;
}

static void encode(void *record, void *inputs, const struct dmo_request *req)
{
	struct dmio_usrreq rec;
	dmio_buffer *in = inputs;
	unsigned int i;

	memset(&rec, 0, sizeof(rec));
	encode_region(&rec.req_outbuf, &req->out);
	for (i = 0; i < req->nr_in; i++)
		encode_region(&in[i], &req->in[i]);
	memcpy(rec.req_immediate, req->immediate, sizeof(rec.req_immediate));
	if (req->nr_in)
		rec.req_inbuf = in;
	rec.req_id = req->id;
	memcpy(record, &rec, sizeof(rec));
}

static uint64_t decode_result(const struct dmio_usrresp *rec)
{
	uint64_t result = 0;
#if DMIO_ABI == 2
	int i;

	for (i = 7; i >= 0; i--)
		result = result << 8 | rec->resp_immediate[i];
#else
	(void)rec;
#endif
	return result;
}

static void decode(const void *record, struct dmo_answer *answer)
{
	struct dmio_usrresp rec;

	memcpy(&rec, record, sizeof(rec));
	answer->id = rec.resp_id;
	answer->error = rec.resp_error;
	answer->result = decode_result(&rec);
}

const struct record_layout THIS_LAYOUT = {
	.setfunc	= DMIO_SETFUNC,
	.request_bytes	= sizeof(struct dmio_usrreq),
	.response_bytes	= sizeof(struct dmio_usrresp),
	.inputs_bytes	= DMO_MAX_INPUTS * sizeof(dmio_buffer),
	.encode		= encode,
	.decode		= decode,
};
