// SPDX-License-Identifier: GPL-2.0
/*
 * A process that uses the device while everything around it fails; see mix_work.h.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest.h"
#include "mix_work.h"
#include "region.h"

#define SLOTS		24U		/* requests of a batch, at most */
#define STRIDE		(256UL << 10)	/* of their outputs */
#define MEMORY		(SLOTS * STRIDE)
#define PLACES		64U		/* where it may be */
#define SIDE		64U		/* bytes on both sides of an output: a cache line */
#define BESIDE		0xee
#define CRC		(MX_FUNCS - 1)

struct slot {
	uint8_t *out, *want;
	size_t len;
	bool in_place, answered;
	struct dt_req r;
	struct dt_region cut[1 + DMOVERIO_MAX_SRCS];
};

struct work {
	struct mx_board *board;
	unsigned int nr;
	struct dt_rng rng;
	const uint8_t *pool;		/* random bytes, the inputs */
	uint8_t *places;		/* room for PLACES times MEMORY */
	unsigned int place;
	uint8_t *out, *want;		/* MEMORY each */
	bool is_shared;			/* @out, by the children of this process */
	bool is_spoilt;			/* hardware may still write to @out */
	/* Of the present session: */
	const struct dt_func *f;
	uint32_t policy;
	long long good_bytes;
	unsigned int nr_failed;
	/* Of the present batch: */
	unsigned int nr_slots, nr_parks;
	bool parked;			/* when it was written */
	struct slot slots[SLOTS];
};

void mx_wrong(struct mx_board *board, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!atomic_fetch_add(&board->wrong, 1))
		vsnprintf(board->why, sizeof(board->why), format, args);
	va_end(args);
}

static bool is_over(const struct work *w)
{
	return atomic_load(&w->board->stop) || atomic_load(&w->board->wrong);
}

static bool one_in(struct work *w, size_t n)
{
	return !dt_below(&w->rng, n);
}

static void wrong(struct work *w, const struct slot *s, const char *what, int error)
{
	mx_wrong(w->board, "worker %u, %s, policy %u, %zu bytes%s, error %d: %s", w->nr,
		 w->f ? w->f->name : "iscsi-crc32c", w->policy, s ? s->len : 0,
		 s && s->in_place ? " in place" : "", error, what);
}

/*
 * Other memory for the outputs, at another address: what is in flight may not have been
 * pinned yet.
 */
static void renew_memory(struct work *w, bool shared)
{
	int flags = MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE);

	if (w->out)
		munmap(w->out, MEMORY);
	w->place = (w->place + 1) % PLACES;
	w->out = mmap(w->places + (size_t)w->place * MEMORY, MEMORY, PROT_READ | PROT_WRITE, flags,
		      -1, 0);
	if (w->out == MAP_FAILED)
		abort();
	w->is_shared = shared;
	w->is_spoilt = false;
}

/* -- requests */

static size_t some_length(struct work *w)
{
	switch (dt_below(&w->rng, 4)) {
	case 0:
		return dt_between(&w->rng, 1, 300);
	case 1:
		return dt_between(&w->rng, 1, STRIDE - 4096);
	default:
		return dt_between(&w->rng, 1, 20000);
	}
}

/* Some regions are in many pieces */
static void cut(struct work *w, struct dt_region *region, dmio_buffer *buf)
{
	const struct iovec *iov = buf->dmbuf_iov;

	dt_cut(&w->rng, region, iov->iov_base, iov->iov_len, dt_between(&w->rng, 2, 20));
	buf->dmbuf_iov = region->iov;
	buf->dmbuf_iovcnt = region->nr;
}

static void prepare(struct work *w, unsigned int i, size_t len)
{
	struct slot *s = &w->slots[i];
	const struct dt_func *f = w->f;
	void *ins[DMOVERIO_MAX_SRCS];
	uint8_t imm = dt_rand(&w->rng);

	memset(s, 0, sizeof(*s));
	s->len = len;
	s->out = w->out + i * STRIDE + SIDE + dt_below(&w->rng, 1000);
	s->want = w->want + i * STRIDE;
	s->in_place = f->nr_in && one_in(w, 6);
	memset(s->out - SIDE, BESIDE, len + 2 * SIDE);
	if (s->in_place)
		memcpy(s->out, w->pool + dt_below(&w->rng, MX_POOL - len), len);
	for (unsigned int k = 0; k < f->nr_in; k++)
		ins[k] = (void *)(w->pool + dt_below(&w->rng, MX_POOL - len));
	dt_req_init(&s->r, f, i, s->out, len, ins, imm);
	if (one_in(w, 3))
		cut(w, &s->cut[0], &s->r.req.req_outbuf);
	for (unsigned int k = 0; k < f->nr_in; k++)
		if (one_in(w, 3))
			cut(w, &s->cut[1 + k], &s->r.in[k]);
	if (s->in_place)
		s->r.in[dt_below(&w->rng, f->nr_in)] = s->r.req.req_outbuf;
	dt_compute(f, imm, s->r.in, s->want, len);
}

static void prepare_all(struct work *w)
{
	if (w->is_spoilt)
		renew_memory(w, w->is_shared);
	w->nr_slots = 1;
	if (one_in(w, 12) && w->f->nr_in <= 3) {
		prepare(w, 0, dt_between(&w->rng, MX_LARGE / 2, MX_LARGE));
		return;
	}
	w->nr_slots = dt_between(&w->rng, 1, SLOTS);
	for (unsigned int i = 0; i < w->nr_slots; i++)
		prepare(w, i, some_length(w));
}

static void forget(struct work *w)
{
	for (unsigned int i = 0; i < w->nr_slots; i++)
		for (unsigned int k = 0; k < 1 + DMOVERIO_MAX_SRCS; k++)
			dt_region_free(&w->slots[i].cut[k]);
}

/* Before a batch is written */
static void note_hardware(struct work *w)
{
	w->nr_parks = atomic_load(&w->board->nr_parks);
	w->parked = atomic_load(&w->board->parks);
}

/* How many were accepted, or -errno */
static int submit(struct work *w, int fd)
{
	struct dmio_usrreq flat[SLOTS];
	int err;

	for (unsigned int i = 0; i < w->nr_slots; i++)
		flat[i] = w->slots[i].r.req;
	note_hardware(w);
	err = dt_write_all(fd, flat, w->nr_slots);
	return err ? err : (int)w->nr_slots;
}

/* -- answers */

/* May hardware that cannot be stopped have been at work since the batch was written? */
static bool may_park(const struct work *w)
{
	return w->parked || atomic_load(&w->board->nr_parks) != w->nr_parks;
}

static bool is_allowed(const struct work *w, const struct slot *s, int error, bool killed)
{
	bool is_required = w->policy == DMOVERIO_POLICY_REQUIRE_DMA;

	if (w->policy == DMOVERIO_POLICY_CPU)
		return killed && error == ECANCELED;
	switch (error) {
	case EIO:
		/* What was begun in place cannot be done again */
		return is_required || s->in_place;
	case ETIMEDOUT:
		return is_required || may_park(w);
	case ENODEV:
	case ENOMEM:
		return is_required;
	case ECANCELED:
		return killed;
	default:
		return false;
	}
}

static bool is_beside_whole(const struct slot *s)
{
	return dt_is_all(s->out - SIDE, BESIDE, SIDE) && dt_is_all(s->out + s->len, BESIDE, SIDE);
}

static void judge(struct work *w, const struct dmio_usrresp *resp, bool killed)
{
	struct slot *s = &w->slots[resp->resp_id];
	int error = resp->resp_error;

	if (resp->resp_id >= w->nr_slots)
		return wrong(w, NULL, "an answer to no request", error);
	if (s->answered)
		return wrong(w, s, "a second answer", error);
	s->answered = true;
	if (error < 0 || error >= MX_ERRNOS)
		return wrong(w, s, "an answer that is no errno", error);
	atomic_fetch_add(&w->board->errors[error], 1);
	if (error && !is_allowed(w, s, error, killed))
		return wrong(w, s, "an error that must not be", error);
	if (error == ETIMEDOUT && may_park(w))
		w->is_spoilt = true;
	else if (!is_beside_whole(s))
		return wrong(w, s, "bytes beside the output were written", error);
	w->nr_failed += error != 0;
	if (error)
		return;
	if (dt_diff(s->out, s->want, s->len) != -1)
		return wrong(w, s, "wrong data", 0);
	w->good_bytes += s->len;
	atomic_fetch_add(&w->board->good[w->f - dt_funcs], 1);
}

/* All answers, and no more */
static void take(struct work *w, int fd, unsigned int nr, bool killed)
{
	struct dmio_usrresp resp[SLOTS];
	int err = dt_collect(fd, resp, nr);

	if (err)
		return wrong(w, NULL, "answers do not come", -err);
	for (unsigned int i = 0; i < nr && !atomic_load(&w->board->wrong); i++)
		judge(w, &resp[i], killed);
	if (dt_poll(fd, POLLIN, 0) & POLLIN || dt_nr(fd, "answered"))
		wrong(w, NULL, "an answer too many", 0);
	atomic_fetch_add(&w->board->batches[w->nr], 1);
}

/* -- sessions */

static int open_session(struct work *w)
{
	static const uint32_t policies[] = {
		DMOVERIO_POLICY_AUTO, DMOVERIO_POLICY_PREFER_DMA, DMOVERIO_POLICY_PREFER_DMA,
		DMOVERIO_POLICY_REQUIRE_DMA, DMOVERIO_POLICY_REQUIRE_DMA, DMOVERIO_POLICY_CPU,
	};
	int fd;

	w->f = &dt_funcs[dt_below(&w->rng, dt_nr_funcs)];
	w->policy = policies[dt_below(&w->rng, ARRAY_SIZE(policies))];
	w->good_bytes = 0;
	w->nr_failed = 0;
	fd = dt_open_policy(w->f->name, w->policy);
	if (fd == -ESRCH && w->policy == DMOVERIO_POLICY_REQUIRE_DMA) {
		/* There is no channel just now */
		w->policy = DMOVERIO_POLICY_PREFER_DMA;
		fd = dt_open_policy(w->f->name, w->policy);
	}
	if (fd < 0)
		wrong(w, NULL, "no session to be had", -fd);
	return fd;
}

/* Each byte was counted once for the way that it went */
static void check_ways(struct work *w, int fd)
{
	struct dt_ways ways = dt_ways(fd);

	for (unsigned int i = 0; i < DT_NR_WAYS; i++)
		atomic_fetch_add(&w->board->ways[i], ways.bytes[i]);
	if (!w->nr_failed && dt_ways_sum(&ways) != w->good_bytes)
		wrong(w, NULL, "bytes were not counted once", 0);
}

/* Closed with work in flight, the memory before it or after it */
static void leave(struct work *w, int fd)
{
	bool memory_first = one_in(w, 2);

	prepare_all(w);
	if (submit(w, fd) < 0)
		wrong(w, NULL, "a write that fails", 0);
	if (memory_first)
		renew_memory(w, one_in(w, 2));
	close(fd);
	if (!memory_first)
		renew_memory(w, one_in(w, 2));
	forget(w);
	atomic_fetch_add(&w->board->closed, 1);
}

static void do_session(struct work *w)
{
	unsigned int nr = dt_between(&w->rng, 1, 5);
	int fd = open_session(w);

	for (unsigned int i = 0; i < nr && fd >= 0 && !is_over(w); i++) {
		int err;

		prepare_all(w);
		err = submit(w, fd);
		if (err < 0)
			wrong(w, NULL, "a write that fails", -err);
		else
			take(w, fd, w->nr_slots, false);
		forget(w);
	}
	if (fd < 0 || atomic_load(&w->board->wrong))
		return;
	check_ways(w, fd);
	if (one_in(w, 4))
		leave(w, fd);
	else
		close(fd);
}

struct writer {
	struct work *w;
	int fd;
};

/* In a child: how many were accepted, or -errno */
static int write_all(void *arg)
{
	const struct writer *writer = arg;
	struct work *w = writer->w;
	int err = dt_set_policy(writer->fd, w->policy);

	if (!err)
		err = dt_setfunc(writer->fd, w->f->name);
	return err ? err : submit(w, writer->fd);
}

/* What a killed writer had in flight is answered to whoever else has the session */
static void do_orphans(struct work *w)
{
	struct writer writer = { w, dt_open(NULL, 0) };
	int fd = writer.fd, nr = 0;
	pid_t pid;

	w->f = &dt_funcs[dt_below(&w->rng, dt_nr_funcs)];
	w->policy = one_in(w, 2) ? DMOVERIO_POLICY_PREFER_DMA : DMOVERIO_POLICY_REQUIRE_DMA;
	if (fd < 0)
		return wrong(w, NULL, "no session to be had", -fd);
	if (!w->is_shared)
		renew_memory(w, true);
	prepare_all(w);
	note_hardware(w);
	pid = dt_spawn(write_all, &writer, &nr);
	if (pid < 0) {
		wrong(w, NULL, "a writer does not come to its end", -pid);
		goto out;
	}
	usleep(dt_below(&w->rng, 3000));
	if (dt_kill(pid) != SIGKILL)
		wrong(w, NULL, "a killed writer does not go away", 0);
	if (nr > 0)
		take(w, fd, nr, true);
	else if (nr != -ESRCH)
		wrong(w, NULL, "a writer that fails", -nr);
	atomic_fetch_add(&w->board->orphans, nr > 0);
out:
	forget(w);
	close(fd);
}

/* -- the function that only the later layout has */

static void do_crc(struct work *w)
{
	size_t len = dt_between(&w->rng, 1, one_in(w, 3) ? 70000 : 3000);
	struct iovec iov = { (void *)(w->pool + dt_below(&w->rng, MX_POOL - len)), len };
	dmio_buffer in = { &iov, 1 };
	struct dt_request2 r = { .in = &in, .id = 7 };
	struct dt_response2 resp = { .id = 0 };
	int fd = dt_open(NULL, 0);
	uint32_t crc = 0;

	w->f = NULL;
	if (fd < 0 || dt_set_function2(fd, "iscsi-crc32c"))
		return wrong(w, NULL, "no session to be had", -fd);
	if (write(fd, &r, sizeof(r)) != sizeof(r))
		wrong(w, NULL, "a write that fails", errno);
	else if (!(dt_poll(fd, POLLIN, DT_PATIENCE_MS) & POLLIN) ||
		 read(fd, &resp, sizeof(resp)) != sizeof(resp))
		wrong(w, NULL, "answers do not come", errno);
	else if (resp.id != 7 || resp.error)
		wrong(w, NULL, "an error that must not be", resp.error);
	for (int i = 3; i >= 0; i--)
		crc = crc << 8 | resp.result[i];
	if (!atomic_load(&w->board->wrong) && crc != dt_crc32c(0, iov.iov_base, len))
		wrong(w, NULL, "a wrong checksum", 0);
	atomic_fetch_add(&w->board->good[CRC], 1);
	atomic_fetch_add(&w->board->batches[w->nr], 1);
	close(fd);
}

void mx_work(struct mx_board *board, unsigned int nr, uint64_t seed, const uint8_t *pool)
{
	static struct work w;

	w = (struct work){ .board = board, .nr = nr, .rng = { seed }, .pool = pool };
	w.want = dt_mmap(MEMORY);
	w.places = dt_mmap(PLACES * (size_t)MEMORY);
	renew_memory(&w, false);
	while (!is_over(&w)) {
		unsigned int what = dt_below(&w.rng, 8);

		if (what == 0)
			do_orphans(&w);
		else if (what == 1)
			do_crc(&w);
		else
			do_session(&w);
	}
	_exit(0);
}
