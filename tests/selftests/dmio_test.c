// SPDX-License-Identifier: GPL-2.0
/*
 * What the selftests share; see dmio_test.h.
 *
 * In order: random numbers and time, the table of functions, memory, requests.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "dmio_test.h"

static uint64_t seed;

void dt_die(const char *what)
{
	fprintf(stderr, "# the test itself failed: %s: %s\n", what, strerror(errno));
	abort();
}

/* Once per program, before the harness forks: all its tests share the seed. */
static __attribute__((constructor)) void seed_choose(void)
{
	const char *env = getenv("DMIO_TEST_SEED");
	struct timespec ts;

	if (env) {
		seed = strtoull(env, NULL, 0);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	seed = (uint64_t)ts.tv_sec * 1000003 ^ (uint64_t)ts.tv_nsec ^ (uint64_t)getpid() << 32;
}

void dt_rng_init(struct dt_rng *rng)
{
	printf("# DMIO_TEST_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	rng->state = seed;
}

/* splitmix64: any seed is a good one */
uint64_t dt_rand(struct dt_rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

size_t dt_below(struct dt_rng *rng, size_t n)
{
	return dt_rand(rng) % n;
}

size_t dt_between(struct dt_rng *rng, size_t lo, size_t hi)
{
	return lo + dt_below(rng, hi - lo + 1);
}

void dt_fill(struct dt_rng *rng, void *p, size_t len)
{
	uint8_t *to = p;
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), to += sizeof(word)) {
		word = dt_rand(rng);
		memcpy(to, &word, sizeof(word));
	}
	word = dt_rand(rng);
	memcpy(to, &word, len);
}

unsigned int dt_scale(unsigned int little, unsigned int much)
{
	const char *env = getenv("DMIO_TEST_SCALE");

	if (env && !strcmp(env, "long"))
		return much;
	if (env && !strcmp(env, "quick") && little >= 1000)
		return little / 10;
	return little;
}

double dt_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

long long dt_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void dt_sort(double *values, size_t nr)
{
	qsort(values, nr, sizeof(values[0]), compare);
}

void dt_sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int dt_become(uid_t uid)
{
	return setresuid(uid, uid, uid) ? -errno : 0;
}

int dt_become_limited(uid_t uid, size_t memlock)
{
	struct rlimit rlim = { memlock, memlock };

	return setrlimit(RLIMIT_MEMLOCK, &rlim) || setresuid(uid, uid, 0) ? -errno : 0;
}

const struct dt_func dt_funcs[] = {
	{ "zero",  DT_ZERO,   0 },
	{ "fill8", DT_FILL8,  0 },
	{ "copy",  DT_COPY,   1 },
	{ "xor2",  DT_XOR,    2 },
	{ "xor3",  DT_XOR,    3 },
	{ "xor4",  DT_XOR,    4 },
	{ "xor5",  DT_XOR,    5 },
	{ "xor6",  DT_XOR,    6 },
	{ "xor7",  DT_XOR,    7 },
	{ "xor8",  DT_XOR,    8 },
	{ "xor9",  DT_XOR,    9 },
	{ "xor10", DT_XOR,   10 },
	{ "xor11", DT_XOR,   11 },
	{ "xor12", DT_XOR,   12 },
	{ "xor13", DT_XOR,   13 },
	{ "xor14", DT_XOR,   14 },
	{ "xor15", DT_XOR,   15 },
	{ "xor16", DT_XOR,   16 },
};

const unsigned int dt_nr_funcs = sizeof(dt_funcs) / sizeof(dt_funcs[0]);

const struct dt_func *dt_func(const char *name)
{
	for (unsigned int i = 0; i < dt_nr_funcs; i++)
		if (!strcmp(dt_funcs[i].name, name))
			return &dt_funcs[i];
	errno = ESRCH;
	dt_die(name);
}

int dt_setfunc(int fd, const char *name)
{
	struct dmio_setfunc set;

	/* What follows the NUL is nobody's business. */
	memset(&set, 0xa5, sizeof(set));
	memccpy(set.dsf_name, name, 0, sizeof(set.dsf_name));
	return ioctl(fd, DMIO_SETFUNC, &set) ? -errno : 0;
}

int dt_open(const char *func, int flags)
{
	int fd = open(DMOVERIO_DEVICE, O_RDWR | O_CLOEXEC | flags);
	int err;

	if (fd < 0)
		return -errno;
	err = func ? dt_setfunc(fd, func) : 0;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int dt_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK))
		return -errno;
	return 0;
}

void *dt_mmap(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		dt_die("mmap");
	return p;
}

void *dt_guarded(size_t len)
{
	size_t page = dt_page_size();
	size_t room = (len + page - 1) / page * page;
	uint8_t *p = dt_mmap(room + page);

	if (mprotect(p + room, page, PROT_NONE))
		dt_die("mprotect");
	return p + room - len;
}

int dt_tmpfile(size_t len)
{
	char name[] = "/tmp/dmio-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0 || unlink(name) || ftruncate(fd, len))
		dt_die(name);
	return fd;
}

ssize_t dt_diff(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;
	size_t i;

	if (!memcmp(a, b, len))
		return -1;
	for (i = 0; x[i] == y[i]; i++)
		;
	return i;
}

bool dt_is_all(const void *p, uint8_t value, size_t len)
{
	const uint8_t *byte = p;

	return !len || (byte[0] == value && !memcmp(byte, byte + 1, len - 1));
}

int dt_set_function2(int fd, const char *name)
{
	struct dmio_setfunc set = { "" };

	strcpy(set.dsf_name, name);
	return ioctl(fd, DMIO_SETFUNC_ABI2, &set) ? -errno : 0;
}

void dt_req_garbage(struct dmio_usrreq *req, uint32_t id)
{
	memset(req, 0xa5, sizeof(*req));
	req->req_id = id;
}

void dt_req_init(struct dt_req *r, const struct dt_func *f, uint32_t id, void *out, size_t len,
		 void *const *in, uint8_t imm)
{
	dt_req_garbage(&r->req, id);
	r->out_iov = (struct iovec){ out, len };
	r->req.req_outbuf.dmbuf_iov = &r->out_iov;
	r->req.req_outbuf.dmbuf_iovcnt = 1;
	if (f->op == DT_FILL8)
		r->req.req_immediate[0] = imm;
	if (!f->nr_in)
		return;
	for (unsigned int i = 0; i < f->nr_in; i++) {
		r->in_iov[i] = (struct iovec){ in[i], len };
		r->in[i].dmbuf_iov = &r->in_iov[i];
		r->in[i].dmbuf_iovcnt = 1;
	}
	r->req.req_inbuf = r->in;
}

void dt_req_init1(struct dt_req *r, const char *func, uint32_t id, void *out, size_t len,
		  const void *in)
{
	void *const ins[] = { (void *)in };

	dt_req_init(r, dt_func(func), id, out, len, ins, 0);
}

ssize_t dt_write(int fd, const struct dmio_usrreq *req, size_t nr)
{
	ssize_t n = write(fd, req, nr * DT_REC);

	if (n < 0)
		return -errno;
	return n % DT_REC ? -EBADMSG : n / (ssize_t)DT_REC;
}

ssize_t dt_read(int fd, struct dmio_usrresp *resp, size_t nr)
{
	ssize_t n;

	memset(resp, 0xa5, nr * DT_RESP);
	n = read(fd, resp, nr * DT_RESP);
	if (n < 0)
		return -errno;
	return n % DT_RESP ? -EBADMSG : n / (ssize_t)DT_RESP;
}

int dt_write_all(int fd, const struct dmio_usrreq *req, size_t nr)
{
	while (nr) {
		ssize_t n = dt_write(fd, req, nr);

		if (n <= 0)
			return n ? n : -EBADMSG;
		req += n;
		nr -= n;
	}
	return 0;
}

int dt_poll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (poll(&p, 1, ms) < 0)
		return -errno;
	return p.revents;
}

int dt_collect(int fd, struct dmio_usrresp *resp, size_t nr)
{
	while (nr) {
		int ev = dt_poll(fd, POLLIN, DT_PATIENCE_MS);
		ssize_t n;

		if (ev <= 0)
			return ev ? ev : -ETIMEDOUT;
		n = dt_read(fd, resp, nr);
		if (n <= 0)
			return n ? n : -EBADMSG;
		resp += n;
		nr -= n;
	}
	return 0;
}

int dt_do(int fd, const struct dmio_usrreq *req)
{
	struct dmio_usrresp resp;
	ssize_t n = dt_write(fd, req, 1);
	int err;

	if (n != 1)
		return n ? n : -EBADMSG;
	err = dt_collect(fd, &resp, 1);
	if (err)
		return err;
	if (resp.resp_id != req->req_id || resp.resp_error < 0)
		return -EBADMSG;
	return resp.resp_error;
}

bool dt_quiet(int fd)
{
	return !(dt_poll(fd, POLLIN, 5) & POLLIN) && (dt_poll(fd, POLLOUT, 0) & POLLOUT);
}

int dt_refused(int fd, const struct dmio_usrreq *req)
{
	struct dmio_usrresp resp;
	ssize_t n = dt_write(fd, req, 1);

	if (n >= 0) {
		if (n)
			dt_collect(fd, &resp, 1);
		return 0;
	}
	return dt_quiet(fd) ? -n : -1;
}

bool dt_ids_once(const struct dmio_usrresp *resp, size_t nr, uint32_t first)
{
	bool seen[4096] = { false };

	for (size_t i = 0; i < nr; i++) {
		uint32_t k = resp[i].resp_id - first;

		if (k >= nr || seen[k] || resp[i].resp_error)
			return false;
		seen[k] = true;
	}
	return true;
}
