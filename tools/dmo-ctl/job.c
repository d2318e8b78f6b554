// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "job.h"
#include "util.h"

#define MAX_ATTEMPTS	8	/* of a request answered ENOMEM when alone */

static struct job_slot *slot_at(struct job *job, uint64_t nr)
{
	return &job->slots[nr % job->depth];
}

/* NULL after a message. */
static uint8_t *map_file(const struct copy_file *file, int prot, uint64_t size)
{
	void *map;

	if (!file->regular || file->start % (off_t)util_page_size() ||
	    size != (size_t)size) {
		util_error("%s: --mmap needs a regular file that can be mapped whole",
			   file->path);
		return NULL;
	}
	map = mmap(NULL, (size_t)size, prot, MAP_SHARED, file->fd, file->start);
	if (map == MAP_FAILED) {
		util_error("%s: mmap: %s", file->path, strerror(errno));
		return NULL;
	}
	return map;
}

static int map_files(struct job *job)
{
	unsigned int k;

	if (job->func->outputs && job->out.regular &&
	    copy_file_set_size(&job->out, job->total, true))
		return -1;
	if (!job->total)
		return 0;
	for (k = 0; k < job_nr_in(job); k++) {
		job->in_map[k] = map_file(&job->in[k], PROT_READ, job->total);
		if (!job->in_map[k])
			return -1;
	}
	if (job->func->outputs)
		job->out_map = map_file(&job->out, PROT_READ | PROT_WRITE,
					job->total);
	return job->func->outputs && !job->out_map ? -1 : 0;
}

static bool alloc_slot(struct job *job, struct job_slot *slot)
{
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++) {
		slot->in_buf[k] = util_pages_alloc(job->chunk);
		if (!slot->in_buf[k])
			return false;
	}
	if (job->func->outputs)
		slot->out_buf = util_pages_alloc(job->chunk);
	return !job->func->outputs || slot->out_buf;
}

static int alloc_buffers(struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->depth; i++) {
		if (alloc_slot(job, &job->slots[i]))
			continue;
		util_error("no memory for the buffers of %u requests of %zu bytes: smaller --chunk or --depth?",
			   job->depth, job->chunk);
		return -1;
	}
	return 0;
}

int job_alloc(struct job *job)
{
	return job->map ? map_files(job) : alloc_buffers(job);
}

void job_free(struct job *job)
{
	unsigned int i, k;

	for (i = 0; i < job->depth; i++) {
		for (k = 0; k < job_nr_in(job); k++)
			util_pages_free(job->slots[i].in_buf[k], job->chunk);
		util_pages_free(job->slots[i].out_buf, job->chunk);
	}
	for (k = 0; k < job_nr_in(job); k++)
		util_pages_free(job->in_map[k], (size_t)job->total);
	util_pages_free(job->out_map, (size_t)job->total);
}

/* Bytes, 0 at the end, -1 after a message. */
static ssize_t read_input(struct job *job, struct job_slot *slot,
			  unsigned int k)
{
	const struct copy_file *in = &job->in[k];
	off_t pos = in->seekable ? in->start + (off_t)slot->offset : -1;
	ssize_t len = util_read_full(in->fd, slot->in_buf[k], job->chunk, pos);

	if (len < 0 && len != -EINTR)
		util_error("%s: %s", in->path, strerror((int)-len));
	return len < 0 ? -1 : len;
}

/* Some inputs may be pipes: how long they are shows only here. */
static ssize_t fill_from_inputs(struct job *job, struct job_slot *slot)
{
	ssize_t len = 0, other;
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++) {
		other = read_input(job, slot, k);
		if (other < 0)
			return -1;
		if (k && other != len) {
			util_error("%s and %s are of different length",
				   job->in[0].path, job->in[k].path);
			return -1;
		}
		len = other;
	}
	slot->hole = len > 0 && job->out.truncated && job_nr_in(job) == 1 &&
		     copy_file_is_hole(&job->in[0], slot->offset, (uint64_t)len);
	return len;
}

static ssize_t fill_slot(struct job *job, struct job_slot *slot)
{
	uint64_t left = job->total - slot->offset;

	if (!job->map && job_nr_in(job))
		return fill_from_inputs(job, slot);
	return (ssize_t)(left < job->chunk ? left : job->chunk);
}

/* Say where the bytes of a filled slot are. */
static void place_slot(struct job *job, struct job_slot *slot)
{
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++) {
		slot->in_iov[k] = (struct iovec){
			.iov_base = job->map ? job->in_map[k] + slot->offset :
					       slot->in_buf[k],
			.iov_len = slot->len,
		};
		slot->in[k] = (struct dmo_region){ &slot->in_iov[k], 1 };
	}
	slot->out_iov = (struct iovec){
		.iov_base = job->map && job->out_map ?
			    job->out_map + slot->offset : slot->out_buf,
		.iov_len = slot->len,
	};
}

static int fill_slots(struct job *job)
{
	struct job_slot *slot;
	ssize_t len;

	while (!job->eof && job->tail - job->head < job->depth) {
		slot = slot_at(job, job->tail);
		slot->offset = job->filled;
		slot->attempts = 0;
		len = fill_slot(job, slot);
		if (len < 0)
			return -1;
		if (!len) {
			job->eof = true;
			break;
		}
		slot->len = (size_t)len;
		place_slot(job, slot);
		slot->state = SLOT_FILLED;
		job->filled += (uint64_t)len;
		job->tail++;
	}
	return 0;
}

static void explain_request(const struct job *job, const struct job_slot *slot,
			    int error)
{
	util_error("%s of %zu bytes at offset %llu: %s", job->func->name,
		   slot->len, (unsigned long long)slot->offset,
		   session_strerror(error));
	if (error == ENOMEM)
		util_note("try a smaller --chunk or --depth");
}

static struct dmo_request slot_request(struct job *job, struct job_slot *slot)
{
	struct dmo_request req = {
		.out = { &slot->out_iov, (unsigned int)job->func->outputs },
		.in = slot->in,
		.nr_in = job_nr_in(job),
		.id = (uint32_t)(slot - job->slots),
	};

	memcpy(req.immediate, job->immediate, sizeof(req.immediate));
	return req;
}

/* Submit what is filled, as far as the device takes it. */
static int submit_slots(struct job *job)
{
	struct dmo_request reqs[JOB_MAX_DEPTH];
	struct job_slot *slots[JOB_MAX_DEPTH], *slot;
	unsigned int nr = 0, most = JOB_MAX_DEPTH;
	uint64_t i;
	int ret, k;

	if (job->func->serial)
		most = job->session.in_flight ? 0 : 1;
	for (i = job->head; i < job->tail && nr < most; i++) {
		slot = slot_at(job, i);
		if (slot->state != SLOT_FILLED)
			continue;
		slots[nr] = slot;
		reqs[nr++] = slot_request(job, slot);
	}
	if (!nr)
		return 0;
	ret = session_submit(&job->session, reqs, nr);
	if (ret == -EINTR)
		return 0;
	if (ret < 0) {
		explain_request(job, slots[0], -ret);
		return -1;
	}
	for (k = 0; k < ret; k++)
		slots[k]->state = SLOT_FLYING;
	return 0;
}

static int take_answer(struct job *job, const struct dmo_answer *answer)
{
	struct job_slot *slot;

	if (answer->id >= job->depth ||
	    job->slots[answer->id].state != SLOT_FLYING) {
		util_error("the device answered request %u, which is not in flight",
			   answer->id);
		return -1;
	}
	slot = &job->slots[answer->id];
	job->requests++;
	if (!answer->error) {
		slot->state = SLOT_ANSWERED;
		if (job->func->serial)
			func_put_immediate(job->immediate, answer->result);
		return 0;
	}
	/* Others in flight will give memory back; alone, it may not help. */
	if (answer->error == ENOMEM &&
	    (job->session.in_flight || ++slot->attempts < MAX_ATTEMPTS)) {
		slot->state = SLOT_FILLED;
		job->retries++;
		return 0;
	}
	explain_request(job, slot, answer->error);
	return -1;
}

static int reap_answers(struct job *job)
{
	struct dmo_answer answers[JOB_MAX_DEPTH];
	int i, nr;

	if (!job->session.in_flight)
		return 0;
	nr = session_reap(&job->session, answers, JOB_MAX_DEPTH);
	if (nr == -EINTR)
		return 0;
	if (nr < 0) {
		util_error("reading answers: %s", session_strerror(-nr));
		return -1;
	}
	for (i = 0; i < nr; i++)
		if (take_answer(job, &answers[i]))
			return -1;
	return 0;
}

static bool is_zero(const uint8_t *mem, size_t len)
{
	return !mem[0] && !memcmp(mem, mem + 1, len - 1);
}

/* A hole stays one, if what the device made of it is still zero. */
static int write_slot(struct job *job, const struct job_slot *slot)
{
	off_t pos = job->out.seekable ?
		    job->out.start + (off_t)slot->offset : -1;
	ssize_t ret;

	if (slot->hole && is_zero(slot->out_buf, slot->len))
		return 0;
	ret = util_write_full(job->out.fd, slot->out_buf, slot->len, pos);
	if (ret >= 0)
		return 0;
	if (ret != -EINTR)
		util_error("%s: %s", job->out.path, strerror((int)-ret));
	return -1;
}

static int retire_slots(struct job *job)
{
	struct job_slot *slot;

	for (; job->head < job->tail; job->head++) {
		slot = slot_at(job, job->head);
		if (slot->state != SLOT_ANSWERED)
			break;
		if (slot->out_buf && write_slot(job, slot))
			return -1;
		slot->state = SLOT_EMPTY;
		job->bytes += slot->len;
	}
	progress_update(&job->progress, job->bytes);
	return 0;
}

int job_run(struct job *job)
{
	while (!job->eof || job->head < job->tail) {
		if (fill_slots(job) || submit_slots(job) ||
		    reap_answers(job) || retire_slots(job))
			return -1;
		if (util_stop_signal())
			return -1;
	}
	if (job->out.truncated && !job->map)	/* it may end in a hole */
		return copy_file_set_size(&job->out, job->bytes, false);
	return 0;
}
