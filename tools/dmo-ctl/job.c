// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "job.h"
#include "util.h"

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

	for (i = 0; i < job->ring.depth; i++) {
		if (alloc_slot(job, &job->slots[i]))
			continue;
		util_error("no memory for the buffers of %u requests of %zu bytes: smaller --chunk or --depth?",
			   job->ring.depth, job->chunk);
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

	for (i = 0; i < job->ring.depth; i++) {
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
	off_t pos = in->seekable ? in->start + (off_t)job->filled : -1;
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
		     copy_file_is_hole(&job->in[0], job->filled, (uint64_t)len);
	return len;
}

static ssize_t fill_slot(struct job *job, struct job_slot *slot)
{
	uint64_t left = job->total - job->filled;

	if (!job->map && job_nr_in(job))
		return fill_from_inputs(job, slot);
	return (ssize_t)(left < job->chunk ? left : job->chunk);
}

/* Make the request of a filled slot. */
static void push_slot(struct job *job, struct job_slot *slot, size_t len)
{
	struct ring_slot *rs = ring_slot(&job->ring, job->ring.tail);
	uint64_t offset = job->filled;
	unsigned int k;

	for (k = 0; k < job_nr_in(job); k++) {
		slot->in_iov[k] = (struct iovec){
			.iov_base = job->map ? job->in_map[k] + offset :
					       slot->in_buf[k],
			.iov_len = len,
		};
		slot->in[k] = (struct dmo_region){ &slot->in_iov[k], 1 };
	}
	slot->out_iov = (struct iovec){
		.iov_base = job->map && job->out_map ?
			    job->out_map + offset : slot->out_buf,
		.iov_len = len,
	};
	rs->offset = offset;
	rs->len = len;
	rs->req = (struct dmo_request){
		.out = { &slot->out_iov, (unsigned int)job->func->outputs },
		.in = slot->in,
		.nr_in = job_nr_in(job),
	};
	ring_push(&job->ring);
	job->filled += len;
}

static int fill_slots(struct job *job)
{
	struct ring *ring = &job->ring;
	struct job_slot *slot;
	ssize_t len;

	while (!job->eof && ring->tail - ring->head < ring->depth) {
		slot = &job->slots[ring_index(ring, ring->tail)];
		len = fill_slot(job, slot);
		if (len < 0)
			return -1;
		if (!len)
			job->eof = true;
		else
			push_slot(job, slot, (size_t)len);
	}
	return 0;
}

static bool is_zero(const uint8_t *mem, size_t len)
{
	return !mem[0] && !memcmp(mem, mem + 1, len - 1);
}

/* A hole stays one, if what the device made of it is still zero. */
static int write_slot(struct job *job, const struct job_slot *slot,
		      const struct ring_slot *rs)
{
	off_t pos = job->out.seekable ?
		    job->out.start + (off_t)rs->offset : -1;
	ssize_t ret;

	if (slot->hole && is_zero(slot->out_buf, rs->len))
		return 0;
	ret = util_write_full(job->out.fd, slot->out_buf, rs->len, pos);
	if (ret >= 0)
		return 0;
	if (ret != -EINTR)
		util_error("%s: %s", job->out.path, strerror((int)-ret));
	return -1;
}

static int retire_slots(struct job *job)
{
	struct ring *ring = &job->ring;
	struct job_slot *slot;
	struct ring_slot *rs;

	for (; ring->head < ring->tail; ring->head++) {
		rs = ring_slot(ring, ring->head);
		if (rs->state != SLOT_ANSWERED)
			break;
		slot = &job->slots[ring_index(ring, ring->head)];
		if (slot->out_buf && write_slot(job, slot, rs))
			return -1;
		rs->state = SLOT_EMPTY;
		job->bytes += rs->len;
	}
	progress_update(&job->progress, job->bytes);
	return 0;
}

int job_run(struct job *job)
{
	while (!job->eof || job->ring.head < job->ring.tail) {
		if (fill_slots(job) || ring_turn(&job->ring) ||
		    retire_slots(job))
			return -1;
		if (util_stop_signal())
			return -1;
	}
	if (job->out.truncated && !job->map)	/* it may end in a hole */
		return copy_file_set_size(&job->out, job->bytes, false);
	return 0;
}
