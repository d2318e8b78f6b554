/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests share: sessions, requests with everything they point
 * to, and the kernel's view (observe.h).  It knows nothing of the harness, so
 * that threads and children may use it too: every function returns what
 * happened, the tests judge it.
 *
 * Only a failing helper of the test itself (no memory, no /proc) aborts: dt_die().
 */
#ifndef DMIO_TEST_H
#define DMIO_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <dev/dmover/dmover_io.h>

#include "observe.h"

#define DT_DEPTH	256		/* requests a session holds until their responses are read */
#define DT_MAX_IOV	1024		/* pieces of one region */
#define DT_INLINE_MAX	(64UL << 10)	/* larger requests run in a worker */
#define DT_PATIENCE_MS	60000		/* what must happen has happened by then, however slow */

#define DT_REC		sizeof(struct dmio_usrreq)
#define DT_RESP		sizeof(struct dmio_usrresp)

void dt_die(const char *what) __attribute__((noreturn));

/* -- random numbers, repeatable: the seed is printed, DMIO_TEST_SEED sets it */

struct dt_rng {
	uint64_t state;
};

void dt_rng_init(struct dt_rng *rng);
uint64_t dt_rand(struct dt_rng *rng);
size_t dt_below(struct dt_rng *rng, size_t n);			/* 0 .. n - 1 */
size_t dt_between(struct dt_rng *rng, size_t lo, size_t hi);	/* lo .. hi */
void dt_fill(struct dt_rng *rng, void *p, size_t len);

/*
 * How often: @little, or @much when the environment has DMIO_TEST_SCALE=long.
 * With "quick", for the loop of edit and test, thousands become hundreds.
 */
unsigned int dt_scale(unsigned int little, unsigned int much);
double dt_now(void);		/* seconds */
long long dt_now_ms(void);
void dt_sort(double *values, size_t nr);
void dt_sleep_ms(unsigned int ms);

/* -- who we are: 0 or -errno */

#define DT_NOBODY	65534

/*
 * Another user. The group stays 0, which may open the device: so a session is
 * opened, and counted, as this user's.
 */
int dt_become(uid_t uid);
/* One who may lock so much; the way back to root is left open */
int dt_become_limited(uid_t uid, size_t memlock);

/* -- the functions */

enum dt_op { DT_ZERO, DT_FILL8, DT_COPY, DT_XOR };

struct dt_func {
	const char *name;
	enum dt_op op;
	unsigned int nr_in;
};

extern const struct dt_func dt_funcs[];
extern const unsigned int dt_nr_funcs;
const struct dt_func *dt_func(const char *name);

/* -- sessions: 0 or more is good, negative is -errno */

int dt_setfunc(int fd, const char *name);
int dt_open(const char *func, int flags);
int dt_nonblock(int fd, bool on);

/* -- memory */

void *dt_mmap(size_t len);			/* readable, writable, private, not touched */
void *dt_guarded(size_t len);			/* its end touches a page without access */
int dt_tmpfile(size_t len);			/* an unlinked file in /tmp */
#define dt_page_size()	((size_t)sysconf(_SC_PAGESIZE))

/* First difference of two memories, or -1. */
ssize_t dt_diff(const void *a, const void *b, size_t len);
/* Whether each byte has this value */
bool dt_is_all(const void *p, uint8_t value, size_t len);

/* -- requests */

/* A request of one-piece regions, with all it points to. */
struct dt_req {
	struct dmio_usrreq req;
	dmio_buffer in[DMOVERIO_MAX_SRCS];
	struct iovec out_iov;
	struct iovec in_iov[DMOVERIO_MAX_SRCS];
};

/* Records of DMIO_ABI 2, whatever this program is compiled for */
struct dt_request2 {
	dmio_buffer out;
	uint8_t immediate[8];
	dmio_buffer *in;
	uint32_t id;
};

struct dt_response2 {
	uint32_t id;
	int error;
	uint8_t result[8];
};

/* Have a session use them, for this function: 0 or -errno */
int dt_set_function2(int fd, const char *name);

/* Fields a function does not use are filled with garbage, as a program may. */
void dt_req_garbage(struct dmio_usrreq *req, uint32_t id);
void dt_req_init(struct dt_req *r, const struct dt_func *f, uint32_t id, void *out, size_t len,
		 void *const *in, uint8_t imm);
/* The same for functions with at most one input. */
void dt_req_init1(struct dt_req *r, const char *func, uint32_t id, void *out, size_t len,
		  const void *in);

/* Whole records written or read by one call, or -errno. */
ssize_t dt_write(int fd, const struct dmio_usrreq *req, size_t nr);
ssize_t dt_read(int fd, struct dmio_usrresp *resp, size_t nr);

/* Write all of them, however many calls that takes: 0 or -errno. */
int dt_write_all(int fd, const struct dmio_usrreq *req, size_t nr);

/* Read exactly @nr responses: 0, -errno, -ETIMEDOUT when they do not come. */
int dt_collect(int fd, struct dmio_usrresp *resp, size_t nr);

/*
 * One request there and back: the response's error (0 is success), or
 * -errno of a call that failed, -EBADMSG when the response is not ours.
 */
int dt_do(int fd, const struct dmio_usrreq *req);

/*
 * Write a request that must be refused.  Returns the error of write();
 * 0 when it was accepted; -1 when something of it was remembered.  The
 * session must be idle.
 */
int dt_refused(int fd, const struct dmio_usrreq *req);

/* What poll() shows, after waiting up to @ms for one of @events. */
int dt_poll(int fd, short events, int ms);

/* Nothing to read now, and within a moment nothing comes. */
bool dt_quiet(int fd);

/* Each of the ids first .. first + nr - 1 (nr <= 4096) exactly once, all without error? */
bool dt_ids_once(const struct dmio_usrresp *resp, size_t nr, uint32_t first);

#endif /* DMIO_TEST_H */
