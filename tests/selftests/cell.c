// SPDX-License-Identifier: GPL-2.0
/*
 * Requests on a controller that fails; see cell.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cell.h"
#include "dma.h"
#include "region.h"

#define BESIDE	0xee
#define REUSED	0x77
#define IMM	0x5a

const char *const cell_wrong = "wrong data, and called a success";

static uint8_t *region(uint8_t *mem, unsigned int i)
{
	return mem + i * CELL_STRIDE + CELL_OFFSET;
}

static void prepare(struct cell *c, const struct dt_func *f, bool in_place, unsigned int i)
{
	void *ins[DMOVERIO_MAX_SRCS];

	for (unsigned int k = 0; k < f->nr_in; k++)
		ins[k] = region(c->in, (i + k) % CELL_MOST);
	if (in_place) {
		ins[0] = region(c->out, i);
		memset(ins[0], 0xc3 + i, CELL_LEN);
	}
	dt_req_init(&c->r[i], f, i, region(c->out, i), CELL_LEN, ins, IMM);
	c->flat[i] = c->r[i].req;
	dt_compute(f, IMM, c->r[i].in, region(c->want, i), CELL_LEN);
	c->error[i] = -1;
}

int cell_depart(struct cell *c, const char *func, bool in_place, uint32_t policy,
		unsigned int nr)
{
	const struct dt_func *f = dt_func(func);
	unsigned int nr_in = nr + f->nr_in;

	memset(c, 0, sizeof(*c));
	c->nr = nr;
	c->len = nr * CELL_STRIDE;
	c->in_len = (nr_in < CELL_MOST ? nr_in : CELL_MOST) * CELL_STRIDE;
	c->in = dt_mmap(c->in_len);
	c->out = dt_mmap(c->len);
	c->want = dt_mmap(c->len);
	memset(c->out, BESIDE, c->len);
	memset(c->want, BESIDE, c->len);
	for (size_t i = 0; i < c->in_len; i++)
		c->in[i] = i * 7 + i / 251;
	for (unsigned int i = 0; i < nr; i++)
		prepare(c, f, in_place, i);
	c->fd = dt_open_policy(func, policy);
	return c->fd < 0 ? c->fd : dt_write_all(c->fd, c->flat, nr);
}

static const char *check_data(const struct cell *c, unsigned int i)
{
	const uint8_t *is = c->out + i * CELL_STRIDE, *want = c->want + i * CELL_STRIDE;
	size_t end = CELL_OFFSET + CELL_LEN;

	if (dt_diff(is, want, CELL_OFFSET) != -1)
		return "bytes before an output were written";
	if (dt_diff(is + end, want + end, CELL_STRIDE - end) != -1)
		return "bytes behind an output were written";
	if (!c->error[i] && dt_diff(is + CELL_OFFSET, want + CELL_OFFSET, CELL_LEN) != -1)
		return cell_wrong;
	return NULL;
}

const char *cell_arrive(struct cell *c)
{
	struct dmio_usrresp resp[CELL_MOST];
	const char *bad = NULL;
	int err = dt_collect(c->fd, resp, c->nr);

	if (err)
		return err == -ETIMEDOUT ? "an answer that does not come" : "a read that fails";
	for (unsigned int i = 0; i < c->nr; i++) {
		uint32_t id = resp[i].resp_id;

		if (id >= c->nr || c->error[id] != -1)
			return "a request answered twice";
		c->error[id] = resp[i].resp_error;
		resp[i].resp_error = 0;
	}
	if (!dt_ids_once(resp, c->nr, 0))
		return "not one answer for each";
	if (dt_poll(c->fd, POLLIN, 0) & POLLIN || dt_nr(c->fd, "answered"))
		return "an answer too many";
	for (unsigned int i = 0; i < c->nr && !bad; i++)
		bad = check_data(c, i);
	return bad;
}

unsigned int cell_count(const struct cell *c, int error)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < c->nr; i++)
		nr += c->error[i] == error;
	return nr;
}

void cell_reuse(struct cell *c, int lost)
{
	for (unsigned int i = 0; i < c->nr; i++) {
		uint8_t *mem = c->out + i * CELL_STRIDE;

		if (lost && c->error[i] == lost &&
		    mmap(mem, CELL_STRIDE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != mem)
			return;
	}
	memset(c->out, REUSED, c->len);
}

bool cell_is_untouched(const struct cell *c)
{
	return dt_is_all(c->out, REUSED, c->len);
}

void cell_end(struct cell *c)
{
	close(c->fd);
	munmap(c->in, c->in_len);
	munmap(c->out, c->len);
	munmap(c->want, c->len);
}
