/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session with the device: the only code of this tool that gives it work.
 *
 * session_open() selects one function.  Requests go out by session_submit(),
 * answers come back by session_reap() in any order.  One thread uses a
 * session, and never sleeps in a submission while answers wait to be read.
 */
#ifndef DMO_CTL_SESSION_H
#define DMO_CTL_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "func.h"

struct record_layout;

struct dmo_region {
	struct iovec *iov;
	unsigned int iovcnt;
};

/**
 * struct dmo_request - one operation
 * @out: output; no iovecs for functions without
 * @in: inputs, or NULL
 * @nr_in: number of inputs
 * @immediate: least significant byte first; with inputs, only functions that
 *	take both get it
 * @id: comes back in the answer
 */
struct dmo_request {
	struct dmo_region out;
	const struct dmo_region *in;
	unsigned int nr_in;
	uint8_t immediate[8];
	uint32_t id;
};

/**
 * struct dmo_answer - what became of a request
 * @id: the request's
 * @error: 0 or a positive errno
 * @result: of functions that have one
 */
struct dmo_answer {
	uint32_t id;
	int error;
	uint64_t result;
};

/**
 * struct dmo_session - one open device
 * @fd: the open file
 * @blocking: reads and writes may sleep; otherwise poll does
 * @layout: of the records
 * @in_flight: requests accepted whose answer was not reaped
 * @records: scratch memory for the device's record format
 */
struct dmo_session {
	int fd;
	bool blocking;
	const struct record_layout *layout;
	unsigned int in_flight;
	struct session_records *records;
};

/* How to open a session */
#define SESSION_BLOCKING	0x1	/* reads and writes may sleep */
#define SESSION_ABI2		0x2	/* the later layout, though not needed */

/*
 * 0 or -errno.  @policy is one of DMOVERIO_POLICY_*.
 * -ESRCH: the device has no such function; -EOPNOTSUPP: it has, but DMA is
 * required and no engine can do it; -ENOSYS: the module knows no policies.
 */
int session_open(struct dmo_session *s, const char *device,
		 const char *function, uint32_t policy, unsigned int flags);
void session_close(struct dmo_session *s);

/* Say why session_open() failed; returns the exit status for it. */
int session_explain_open(const char *device, const char *function, int err);

/*
 * Returns how many of the first requests were accepted: 0 means that answers
 * have to be reaped first (the queue is full, or memory is short).  -EINTR: a
 * signal.  Any other -errno is about the first request, and final.
 */
int session_submit(struct dmo_session *s, const struct dmo_request *reqs,
		   unsigned int nr);

/* Waits for at least one answer; how many, or -errno (-EINTR: a signal). */
int session_reap(struct dmo_session *s, struct dmo_answer *answers,
		 unsigned int nr);

/* Is an answer ready now? */
bool session_readable(const struct dmo_session *s);

/* Text for an error of session_submit() or of an answer; a positive errno. */
const char *session_strerror(int error);

#endif /* DMO_CTL_SESSION_H */
