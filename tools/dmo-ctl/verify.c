// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"
#include "verify.h"

#define VERIFY_CHUNK	(1u << 20)

/* A file, opened once more for reading */
struct reread {
	const struct copy_file *file;
	int fd;
	uint8_t *buf;
};

/**
 * struct verification - the job done again
 * @job: it
 * @in, @out: its files
 * @want: what a piece of the output must be
 * @immediate: as the job's, while it ran
 */
struct verification {
	const struct job *job;
	struct reread in[DMO_MAX_INPUTS], out;
	uint8_t *want;
	uint8_t immediate[8];
};

static int reread_open(struct reread *r, const struct copy_file *file)
{
	r->file = file;
	r->buf = malloc(VERIFY_CHUNK);
	if (!r->buf) {
		util_error("no memory to verify");
		return -1;
	}
	if (!strcmp(file->path, "-"))
		r->fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
	else
		r->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0) {
		util_error("%s: %s", file->path, strerror(errno));
		return -1;
	}
	return 0;
}

static void reread_close(struct reread *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->buf);
}

static enum verify_result reread_piece(struct reread *r, uint64_t offset,
				       size_t len)
{
	ssize_t got = util_read_full(r->fd, r->buf, len,
				     r->file->start + (off_t)offset);

	if (got == (ssize_t)len)
		return VERIFY_SAME;
	if (got == -EINTR)
		return VERIFY_STOPPED;
	if (got < 0)
		util_error("%s: %s", r->file->path, strerror((int)-got));
	else
		util_error("%s ends at offset %llu, before the bytes to verify do",
			   r->file->path,
			   (unsigned long long)offset + (unsigned long long)got);
	return VERIFY_FAILED;
}

static enum verify_result compare_output(const struct verification *v,
					 uint64_t offset, size_t len,
					 uint64_t *difference)
{
	size_t at = 0;

	if (!memcmp(v->out.buf, v->want, len))
		return VERIFY_SAME;
	while (v->out.buf[at] == v->want[at])
		at++;
	*difference = offset + at;
	util_error("%s is wrong at offset %llu: expected 0x%02x, got 0x%02x",
		   v->out.file->path, (unsigned long long)*difference,
		   v->want[at], v->out.buf[at]);
	return VERIFY_DIFFERENT;
}

static enum verify_result verify_piece(struct verification *v, uint64_t offset,
				       size_t len, uint64_t *difference)
{
	const struct dmo_function *f = v->job->func;
	uint8_t *in[DMO_MAX_INPUTS];
	enum verify_result ret;
	uint64_t result;
	int k;

	for (k = 0; k < f->inputs; k++) {
		in[k] = v->in[k].buf;
		ret = reread_piece(&v->in[k], offset, len);
		if (ret != VERIFY_SAME)
			return ret;
	}
	result = f->model(f, v->want, in, v->immediate, len);
	if (f->serial)
		func_put_immediate(v->immediate, result);
	if (!f->outputs)
		return VERIFY_SAME;
	ret = reread_piece(&v->out, offset, len);
	return ret == VERIFY_SAME ? compare_output(v, offset, len, difference) :
				    ret;
}

static enum verify_result verify_pieces(struct verification *v,
					uint64_t *difference)
{
	enum verify_result ret = VERIFY_SAME;
	uint64_t offset = 0, left;
	size_t len;

	while (offset < v->job->bytes && ret == VERIFY_SAME) {
		left = v->job->bytes - offset;
		len = left < VERIFY_CHUNK ? (size_t)left : VERIFY_CHUNK;
		ret = verify_piece(v, offset, len, difference);
		offset += len;
	}
	if (ret == VERIFY_SAME &&
	    memcmp(v->immediate, v->job->ring.immediate, sizeof(v->immediate))) {
		util_error("the result is wrong");
		return VERIFY_DIFFERENT;
	}
	return ret;
}

static int verification_open(struct verification *v)
{
	const struct job *job = v->job;
	unsigned int k;

	v->want = malloc(VERIFY_CHUNK);
	if (!v->want) {
		util_error("no memory to verify");
		return -1;
	}
	for (k = 0; k < job_nr_in(job); k++)
		if (reread_open(&v->in[k], &job->in[k]))
			return -1;
	return job->func->outputs ? reread_open(&v->out, &job->out) : 0;
}

enum verify_result verify_job(const struct job *job, uint64_t *difference)
{
	struct verification v = { .job = job, .out.fd = -1 };
	enum verify_result result = VERIFY_FAILED;
	unsigned int k;

	for (k = 0; k < DMO_MAX_INPUTS; k++)
		v.in[k].fd = -1;
	if (!job->func->serial)	/* else it is where the job began: 0 */
		memcpy(v.immediate, job->ring.immediate, sizeof(v.immediate));

	if (!verification_open(&v))
		result = verify_pieces(&v, difference);
	for (k = 0; k < DMO_MAX_INPUTS; k++)
		reread_close(&v.in[k]);
	reread_close(&v.out);
	free(v.want);
	return result;
}
