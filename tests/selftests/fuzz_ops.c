// SPDX-License-Identifier: GPL-2.0
/*
 * Programs at random; see fuzz_ops.h.
 *
 * The memory of a program lies at a fixed address, outputs in one half and inputs in
 * the other, so that many requests are good. The lists that say where it is lie in
 * there as well, and may be written to while the device reads them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/dmoverio.h>

#include "fuzz_thread.h"
#include "kselftest.h"

#define ARENA		FZ_ARENA
#define HALF		FZ_HALF
#define LISTS		(ARENA + 2 * HALF)	/* records and what they point to */
#define LISTS_BYTES	(64UL << 10)		/* for each thread */
#define ARENA_BYTES	(2 * HALF + FZ_THREADS * LISTS_BYTES)
#define NR_FDS		4
#define LIMIT_US	500000			/* so long a program runs at most */

/*
 * Sessions have fixed numbers, and the last one the later layout of records: whatever
 * another thread does meanwhile, answers are of the layout that is expected.
 */
#define FIRST_FD	100

static atomic_uint nr_in[NR_FDS];	/* of the function, as far as that is known */

static int fd_of(unsigned int slot)
{
	return FIRST_FD + slot;
}

static bool is_abi2(unsigned int slot)
{
	return slot == NR_FDS - 1;
}

const char *const fz_names[FZ_NR_OPS] = {
	[FZ_OPEN] = "open", [FZ_CLOSE] = "close", [FZ_SETFUNC] = "SETFUNC",
	[FZ_POLICY] = "SET_POLICY", [FZ_ENGINE] = "GET_ENGINE", [FZ_IOCTL] = "ioctl",
	[FZ_WRITE] = "write", [FZ_READ] = "read", [FZ_POLL] = "poll", [FZ_ODD] = "odd calls",
	[FZ_MEMORY] = "memory", [FZ_FORK] = "fork", [FZ_ADMIN] = "administrator",
	[FZ_LIMIT] = "limit", [FZ_KILL] = "kill", [FZ_QUOTA] = "quota", [FZ_FAULT] = "faults",
	[FZ_DMA] = "require DMA", [FZ_ORPHANS] = "orphans", [FZ_NOMEM] = "no memory",
	[FZ_FDINFO] = "fdinfo", [FZ_ANSWER] = "answers", [FZ_REQUIRED] = "... by DMA",
	[FZ_ORPHANED] = "... of orphans",
};

static void wrong(struct thread *t, const char *what, uint32_t id)
{
	if (!atomic_fetch_add(&t->board->wrong, 1))
		snprintf(t->board->why, sizeof(t->board->why), "%s: id %u", what, id);
}

/* Memory that is not, or is not to be had */
static void *bad_memory(struct thread *t)
{
	static const uint64_t bad[] = {
		0, 8, 0x1ffff000, 0xc0000000, 0x7ffffffff000, 0x8000000000000000,
		0xffff888000000000, 0xffffffffffffff00,
	};

	return (void *)(uintptr_t)bad[below(t, ARRAY_SIZE(bad))];
}

static void *list(struct thread *t, size_t bytes)
{
	uint8_t *start = LISTS + t->nr * LISTS_BYTES;

	if (t->list + bytes > start + LISTS_BYTES)
		t->list = start;
	t->list += (bytes + 15) & ~15UL;
	return t->list - ((bytes + 15) & ~15UL);
}

/* -- requests */

static size_t some_length(struct thread *t)
{
	static const size_t lengths[] = { 1, 64, 4096, 5000, 65536, 70000, HALF - 4096 };

	if (one_in(t, 40))
		return one_in(t, 2) ? 0 : (size_t)1 << (20 + below(t, 8 * sizeof(size_t) - 20));
	return lengths[below(t, ARRAY_SIZE(lengths))] - one_in(t, 4);
}

/* Where a piece lies: in its half of the arena, mostly */
static void *place(struct thread *t, bool output, size_t len)
{
	uint8_t *half = ARENA + !output * HALF;

	if (one_in(t, 60))
		return bad_memory(t);
	if (one_in(t, 60))
		return LISTS + below(t, FZ_THREADS * LISTS_BYTES);
	if (one_in(t, 20))
		half = ARENA + output * HALF;
	return half + (len < HALF ? below(t, HALF - len) : 0);
}

/* A region: its pieces lie one after the other, or anywhere */
static void make_region(struct thread *t, dmio_buffer *buf, bool output, size_t len)
{
	unsigned int nr = one_in(t, 3) ? 1 + below(t, 20) : 1;
	bool scattered = one_in(t, 4);
	struct iovec *iov = list(t, nr * sizeof(*iov));
	uint8_t *at = place(t, output, len);

	for (unsigned int i = 0; i < nr; i++) {
		size_t part = i == nr - 1 ? len : below(t, len / 2 + 1);

		iov[i] = (struct iovec){ scattered ? place(t, output, part) : at, part };
		at += part;
		len -= part;
	}
	buf->dmbuf_iov = one_in(t, 80) ? bad_memory(t) : iov;
	buf->dmbuf_iovcnt = one_in(t, 80) ? below(t, 3) * 1024 : nr;
}

uint32_t fz_new_id(struct thread *t)
{
	uint32_t id = atomic_fetch_add(&t->board->next_id, 1);

	if (id < FZ_IDS)
		atomic_store(&t->board->id[id], 1);
	return id;
}

static void make_request(struct thread *t, unsigned int slot, struct dt_request2 *r)
{
	unsigned int nr = nr_in[slot];
	size_t len = some_length(t);
	dmio_buffer *in = list(t, (nr + 1) * sizeof(*in));
	/* The input that is shorter than the output, or longer; mostly none is */
	unsigned int odd = nr && one_in(t, 10) ? below(t, nr) : nr;

	make_region(t, &r->out, true, len);
	for (unsigned int i = 0; i < nr; i++)
		make_region(t, &in[i], false, i == odd ? below(t, 2 * len + 1) : len);
	/* In place */
	if (nr && one_in(t, 6))
		in[below(t, nr)] = r->out;
	/* CRC-32C has no output */
	if (is_abi2(slot) && nr == 1 && one_in(t, 2))
		r->out.dmbuf_iovcnt = 0;
	r->in = one_in(t, 80) ? bad_memory(t) : in;
	r->id = fz_new_id(t);
}

static size_t request_size(unsigned int slot)
{
	return is_abi2(slot) ? sizeof(struct dt_request2) : sizeof(struct dmio_usrreq);
}

static void put_request(struct thread *t, unsigned int slot, uint8_t *record)
{
	struct dt_request2 r = {};
	struct dmio_usrreq old = {};

	make_request(t, slot, &r);
	if (is_abi2(slot)) {
		memcpy(record, &r, sizeof(r));
		return;
	}
	old.req_outbuf = r.out;
	old.req_inbuf = r.in;
	old.req_id = r.id;
	memcpy(record, &old, sizeof(old));
}

/* One request again and again, until there is no room */
static int flood(struct thread *t, unsigned int slot)
{
	size_t id_at = is_abi2(slot) ? offsetof(struct dt_request2, id) :
				       offsetof(struct dmio_usrreq, req_id);
	uint8_t *record = list(t, request_size(slot));
	ssize_t ret = 1;
	uint32_t id;

	fcntl(fd_of(slot), F_SETFL, O_NONBLOCK);
	put_request(t, slot, record);
	for (unsigned int i = 0; i < DT_DEPTH + 8 && ret > 0; i++) {
		ret = write(fd_of(slot), record, request_size(slot));
		id = fz_new_id(t);
		memcpy(record + id_at, &id, sizeof(id));
	}
	return error_of(ret);
}

static int do_write(struct thread *t, unsigned int slot)
{
	size_t size = request_size(slot), nr = 1 + (one_in(t, 3) ? below(t, 8) : 0);
	uint8_t *records = list(t, nr * size);
	struct iovec iov[2];

	if (one_in(t, 30))
		return flood(t, slot);
	for (size_t i = 0; i < nr; i++)
		put_request(t, slot, records + i * size);
	if (one_in(t, 40))
		records = bad_memory(t);
	if (one_in(t, 40))
		return error_of(write(fd_of(slot), records, nr * size - below(t, size)));
	if (one_in(t, 10)) {
		iov[0] = (struct iovec){ records, size / 2 };
		iov[1] = (struct iovec){ records + size / 2, nr * size - size / 2 };
		return error_of(writev(fd_of(slot), iov, 2));
	}
	return error_of(write(fd_of(slot), records, nr * size));
}

void fz_check_answers(struct thread *t, enum fz_op op, const uint8_t *records, size_t size,
		      size_t nr)
{
	struct dmio_usrresp resp;

	for (size_t i = 0; i < nr; i++) {
		memcpy(&resp, records + i * size, sizeof(resp));
		count(t, op, resp.resp_error);
		if (resp.resp_id >= atomic_load(&t->board->next_id))
			wrong(t, "answer to a request that there was not", resp.resp_id);
		else if (resp.resp_id < FZ_IDS &&
			 atomic_exchange(&t->board->id[resp.resp_id], 2) != 1)
			wrong(t, "second answer", resp.resp_id);
	}
}

static int do_read(struct thread *t, unsigned int slot)
{
	size_t size = is_abi2(slot) ? 16 : 8, nr = 1 + below(t, 16);
	uint8_t records[16 * 16];
	struct pollfd pfd = { fd_of(slot), POLLIN, 0 };
	ssize_t ret;

	if (one_in(t, 20))
		return error_of(read(fd_of(slot), bad_memory(t), nr * size));
	if (one_in(t, 20))
		return error_of(read(fd_of(slot), records, 1 + below(t, 7)));
	/* Mostly when there is something to read */
	if (!one_in(t, 40) && poll(&pfd, 1, 20) < 1)
		fcntl(fd_of(slot), F_SETFL, O_NONBLOCK);
	ret = read(fd_of(slot), records, nr * size);
	if (ret > 0)
		fz_check_answers(t, FZ_ANSWER, records, size, ret / size);
	return error_of(ret);
}

/* -- sessions */

static int do_open(struct thread *t, unsigned int slot)
{
	static const int modes[] = { O_RDWR, O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY, O_WRONLY };
	int fd = open("/dev/dmoverio", modes[below(t, ARRAY_SIZE(modes))] | O_CLOEXEC);
	int err = error_of(fd);

	if (fd < 0)
		return err;
	err = error_of(dup3(fd, fd_of(slot), O_CLOEXEC));
	close(fd);
	return err;
}

static int do_close(struct thread *t, unsigned int slot)
{
	return error_of(close(fd_of(slot)));
}

static int do_setfunc(struct thread *t, unsigned int slot)
{
	static const struct { const char *name; unsigned int nr_in; } funcs[] = {
		{ "copy", 1 }, { "copy", 1 }, { "zero", 0 }, { "fill8", 0 }, { "xor2", 2 },
		{ "xor5", 5 }, { "xor16", 16 }, { "iscsi-crc32c", 1 }, { "xor17", 17 }, { "", 0 },
	};
	unsigned int which = below(t, ARRAY_SIZE(funcs));
	struct dmio_setfunc arg = {};
	int err;

	memcpy(arg.dsf_name, funcs[which].name, strlen(funcs[which].name));
	if (one_in(t, 30))
		memset(arg.dsf_name, 'x', sizeof(arg.dsf_name));
	err = error_of(ioctl(fd_of(slot), is_abi2(slot) ? DMIO_SETFUNC_ABI2 : DMIO_SETFUNC_ABI1,
			     one_in(t, 10) ? bad_memory(t) : &arg));
	if (!err)
		nr_in[slot] = funcs[which].nr_in;
	return err;
}

/* What a structure's first member says of its size */
static uint32_t some_size(struct thread *t, size_t size)
{
	const uint32_t sizes[] = { 0, 4, size - 1, size + 8, size + 8, 4096, 4097, UINT32_MAX };

	return one_in(t, 2) ? size : sizes[below(t, ARRAY_SIZE(sizes))];
}

static int do_policy(struct thread *t, unsigned int slot)
{
	struct { struct dmoverio_policy policy; uint8_t more[8192]; } arg = {};

	arg.policy.size = some_size(t, sizeof(arg.policy));
	arg.policy.policy = below(t, 6);
	arg.more[0] = one_in(t, 4);
	return error_of(ioctl(fd_of(slot), DMOVERIO_IOC_SET_POLICY,
			      one_in(t, 10) ? bad_memory(t) : &arg));
}

static int do_engine(struct thread *t, unsigned int slot)
{
	struct { struct dmoverio_engine engine; uint8_t more[8192]; } arg = {};

	arg.engine.size = some_size(t, sizeof(arg.engine));
	arg.engine.index = one_in(t, 10) ? UINT32_MAX : below(t, 5);
	arg.engine.resv = one_in(t, 10);
	return error_of(ioctl(fd_of(slot), DMOVERIO_IOC_GET_ENGINE,
			      one_in(t, 10) ? bad_memory(t) : &arg));
}

static int do_ioctl(struct thread *t, unsigned int slot)
{
	return error_of(ioctl(fd_of(slot), _IO('D', below(t, 256)) ^ below(t, 2) << 20,
			      bad_memory(t)));
}

static int do_poll(struct thread *t, unsigned int slot)
{
	struct pollfd pfd = { fd_of(slot), one_in(t, 2) ? POLLIN : POLLOUT, 0 };

	return error_of(poll(&pfd, 1, below(t, 10)));
}

/* Calls that nobody makes */
static int do_odd(struct thread *t, unsigned int slot)
{
	int fd = fd_of(slot);
	struct stat st;
	char byte[16];
	void *p;

	switch (below(t, 6)) {
	case 0:
		return error_of(lseek(fd, 1, SEEK_SET));
	case 1:
		return error_of(pread(fd, byte, 16, 0));
	case 2:
		return error_of(fstat(fd, &st));
	case 3:
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		return p == MAP_FAILED ? errno : error_of(munmap(p, 4096));
	case 4:
		return error_of(fcntl(fd, F_SETFL, one_in(t, 2) ? O_NONBLOCK : O_ASYNC));
	default:
		return error_of(fsync(fd));
	}
}

static int do_fdinfo(struct thread *t, unsigned int slot)
{
	char path[48], line[256];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd_of(slot));
	return -dt_read_line(path, line, sizeof(line));
}

/* -- memory */

static int do_memory(struct thread *t, unsigned int slot)
{
	uint8_t *at = ARENA + below(t, ARENA_BYTES / 4096) * 4096;
	size_t len = (1 + below(t, 16)) * 4096;
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE };

	if (at + len > ARENA + ARENA_BYTES)
		len = ARENA + ARENA_BYTES - at;
	switch (below(t, 5)) {
	case 0:
		return error_of(madvise(at, len, MADV_DONTNEED));
	case 1:
		return error_of(mprotect(at, len, prots[below(t, ARRAY_SIZE(prots))]));
	case 2:
		/* What there was may be pinned; so much for it */
		return mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			    MAP_FIXED, -1, 0) == MAP_FAILED ? errno : 0;
	case 3:
		return one_in(t, 4) ? error_of(munmap(at, len)) : 0;
	default:
		return mremap(at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
			      ARENA + below(t, 64) * 4096) == MAP_FAILED ? errno : 0;
	}
}

static int do_limit(struct thread *t, unsigned int slot)
{
	struct rlimit rlim = { below(t, 40) * 4096, RLIM_INFINITY };

	if (one_in(t, 3))
		rlim.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_MEMLOCK, &rlim);
	/* Root has no limit; saved, so that it may come back */
	return error_of(setresuid(-1, one_in(t, 2) ? DT_NOBODY : 0, 0));
}

/* -- what others do */

static void run_word(struct thread *t, uint64_t word);

/* A child does a few things with what it inherits */
static int do_fork(struct thread *t, unsigned int slot)
{
	pid_t pid = fork();

	if (pid)
		return error_of(pid);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t word = dt_rand(&t->rng);

		if (word % FZ_NR_OPS != FZ_FORK)
			run_word(t, word);
	}
	_exit(0);
}

static int do_kill(struct thread *t, unsigned int slot)
{
	if (one_in(t, 8))
		kill(getpid(), SIGKILL);
	usleep(below(t, 2000));
	return 0;
}

static int (*const ops[FZ_NR_OPS])(struct thread *t, unsigned int slot) = {
	[FZ_OPEN] = do_open, [FZ_CLOSE] = do_close, [FZ_SETFUNC] = do_setfunc,
	[FZ_POLICY] = do_policy, [FZ_ENGINE] = do_engine, [FZ_IOCTL] = do_ioctl,
	[FZ_WRITE] = do_write, [FZ_READ] = do_read, [FZ_POLL] = do_poll, [FZ_ODD] = do_odd,
	[FZ_MEMORY] = do_memory, [FZ_FORK] = do_fork, [FZ_ADMIN] = fz_admin,
	[FZ_LIMIT] = do_limit, [FZ_KILL] = do_kill, [FZ_QUOTA] = fz_quota, [FZ_FAULT] = fz_fault,
	[FZ_DMA] = fz_dma, [FZ_ORPHANS] = fz_orphans, [FZ_NOMEM] = fz_nomem,
	[FZ_FDINFO] = do_fdinfo,
};

static void run_word(struct thread *t, uint64_t word)
{
	enum fz_op op = word % FZ_NR_OPS;

	t->rng.state = word;
	if (!ops[op])
		op = FZ_WRITE;
	count(t, op, ops[op](t, below(t, NR_FDS)));
}

static void *run_thread(void *arg)
{
	struct thread *t = arg;

	if (t->cover && !ioctl(t->cover->fd[t->nr], KCOV_ENABLE, KCOV_TRACE_PC))
		__atomic_store_n(&t->cover->area[t->nr][0], 0, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < t->program->nr[t->nr]; i++)
		run_word(t, t->program->word[t->nr][i]);
	return NULL;
}

/* Each program begins with good memory, and sessions of which one has no function yet */
static void begin(void)
{
	struct dmio_setfunc arg = { "copy" };

	if (mmap(ARENA, ARENA_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != ARENA)
		_exit(1);
	for (unsigned int i = 0; i < 3; i++) {
		int fd = open("/dev/dmoverio", O_RDWR | O_CLOEXEC | (i ? 0 : O_NONBLOCK));

		dup3(fd, fd_of(i), O_CLOEXEC);
		close(fd);
		if (i < 2 && !ioctl(fd_of(i), DMIO_SETFUNC_ABI1, &arg))
			nr_in[i] = 1;
	}
}

static void run(const struct fz_program *program, struct fz_board *board,
		const struct fz_cover *cover)
{
	const struct itimerval limit = { .it_value.tv_usec = LIMIT_US };
	static struct thread threads[FZ_THREADS];
	pthread_t id[FZ_THREADS];

	/* Whoever waits for what does not come is killed */
	setitimer(ITIMER_REAL, &limit, NULL);
	setpgid(0, 0);
	begin();
	for (unsigned int i = 0; i < FZ_THREADS; i++) {
		threads[i] = (struct thread){ program, i, board, cover, {}, LISTS + i * LISTS_BYTES };
		if (pthread_create(&id[i], NULL, run_thread, &threads[i]))
			_exit(1);
	}
	for (unsigned int i = 0; i < FZ_THREADS; i++)
		pthread_join(id[i], NULL);
	_exit(0);
}

pid_t fz_start(const struct fz_program *program, struct fz_board *board,
	       const struct fz_cover *cover)
{
	pid_t pid = fork();

	if (!pid)
		run(program, board, cover);
	return pid < 0 ? -errno : pid;
}

bool fz_cover_init(struct fz_cover *cover)
{
	for (unsigned int i = 0; i < FZ_THREADS; i++) {
		int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		void *area;

		if (fd < 0 || ioctl(fd, KCOV_INIT_TRACE, FZ_COVER))
			return false;
		area = mmap(NULL, FZ_COVER * sizeof(unsigned long), PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
		if (area == MAP_FAILED)
			return false;
		cover->fd[i] = fd;
		cover->area[i] = area;
	}
	return true;
}
