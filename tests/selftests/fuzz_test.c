// SPDX-License-Identifier: GPL-2.0
/*
 * The device against programs made at random.
 *
 * Programs that make the kernel execute code that none before did are kept, and most
 * new ones are made from those: where the kernel tells (CONFIG_KCOV), and as far as
 * it is executed by the program's own threads. Otherwise all are new.
 *
 *	DMIO_FUZZ_SECONDS	how long; without it, not at all
 *	DMIO_FUZZ_PROGRAM	do only this one, as it was printed, a hundred times
 *	DMIO_FUZZ_PRINT		print each before it is executed
 *	DMIO_TEST_SEED		where the random numbers begin
 *
 * It is for the kernel to complain: a debug kernel, whose log is looked at. Besides:
 * no request is answered twice, programs can be killed, afterwards the device works
 * and no page is pinned. And it is looked that this reaches what it is to reach:
 * each operation comes to its good end and to the errors that it can have.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dma.h"
#include "fuzz_ops.h"
#include "kselftest_harness.h"

#define KEPT	1024U			/* programs */
#define PLACES	(1U << 20)		/* of code; more is not told apart */

/* Hangs are to be found before a program is killed */
#define WATCHDOG_MS	100
#define BACKOFF_MS	10

FIXTURE(fuzz) {
	struct dt_rng rng;
	long long pins;
	int nr_channels;
	long long watchdog_ms, backoff_ms;
	struct fz_board *board;
	struct fz_cover cover;
	bool is_told;
	uint8_t *seen;			/* places of code, a bit for each */
	unsigned int nr_seen;
	struct fz_program *kept;
	unsigned int nr_kept, nr_run, nr_killed;
};

static int channels(void)
{
	int fd = dt_open(NULL, 0), nr = fd < 0 ? fd : dt_channels(fd, DMOVERIO_FUNC_NONE);

	if (fd >= 0)
		close(fd);
	return nr;
}

/* Which allocations fail where a program says so, and that the log is silent about it */
static void knobs(const char *ignore_wait, const char *min_order, const char *verbose)
{
	static const char *const injectors[] = { "failslab", "fail_page_alloc" };
	char path[96];

	for (unsigned int i = 0; i < ARRAY_SIZE(injectors); i++) {
		const struct { const char *name, *value; } all[] = {
			{ "ignore-gfp-wait", ignore_wait }, { "min-order", min_order },
			{ "verbose", verbose }, { "task-filter", "N" },
		};

		for (unsigned int k = 0; k < ARRAY_SIZE(all); k++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", injectors[i],
				 all[k].name);
			dt_write_line(path, all[k].value);
		}
	}
	dt_write_line("/sys/kernel/debug/fail_usercopy/verbose", verbose);
}

FIXTURE_SETUP(fuzz)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->nr_channels = channels();
	ASSERT_LE(dt_channels_expected(), self->nr_channels);
	self->board = mmap(NULL, sizeof(*self->board), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->board);
	self->seen = dt_mmap(PLACES / 8);
	self->kept = dt_mmap(KEPT * sizeof(*self->kept));
	self->is_told = fz_cover_init(&self->cover);
	ASSERT_EQ(0, prctl(PR_SET_CHILD_SUBREAPER, 1));
}

FIXTURE_TEARDOWN(fuzz)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	if (!self->nr_run)
		return;
	EXPECT_EQ(0, dt_set_param("watchdog_ms", self->watchdog_ms));
	EXPECT_EQ(0, dt_set_param("backoff_ms", self->backoff_ms));
	knobs("Y", "1", "2");
}

/* -- programs */

static void make_new(struct dt_rng *rng, struct fz_program *p)
{
	for (unsigned int t = 0; t < FZ_THREADS; t++) {
		p->nr[t] = t && dt_below(rng, 2) ? 0 : dt_between(rng, 1, FZ_WORDS);
		for (unsigned int i = 0; i < p->nr[t]; i++)
			p->word[t][i] = dt_rand(rng);
	}
}

/* Some words are exchanged, repeated, left out */
static void alter(struct dt_rng *rng, struct fz_program *p, const struct fz_program *other)
{
	for (unsigned int n = dt_between(rng, 1, 4); n; n--) {
		unsigned int t = dt_below(rng, FZ_THREADS), i = dt_below(rng, FZ_WORDS);
		unsigned int from = dt_below(rng, FZ_THREADS);

		switch (dt_below(rng, 4)) {
		case 0:
			p->word[t][i] = dt_rand(rng);
			break;
		case 1:
			p->word[t][i] = other->word[from][i];
			break;
		case 2:
			p->word[t][i] = p->word[from][dt_below(rng, FZ_WORDS)];
			break;
		default:
			p->nr[t] = dt_below(rng, FZ_WORDS + 1);
			break;
		}
	}
}

static void make(FIXTURE_DATA(fuzz) *self, struct fz_program *p)
{
	memset(p, 0, sizeof(*p));
	if (!self->nr_kept || !dt_below(&self->rng, 4)) {
		make_new(&self->rng, p);
		return;
	}
	*p = self->kept[dt_below(&self->rng, self->nr_kept)];
	alter(&self->rng, p, &self->kept[dt_below(&self->rng, self->nr_kept)]);
}

static void print(const struct fz_program *p)
{
	printf("# program");
	for (unsigned int t = 0; t < FZ_THREADS; t++) {
		printf(" %u", p->nr[t]);
		for (unsigned int i = 0; i < p->nr[t]; i++)
			printf(":%llx", (unsigned long long)p->word[t][i]);
	}
	printf("\n");
	fflush(stdout);
}

/* As it was printed: false if it was not */
static bool parse(const char *text, struct fz_program *p)
{
	char *end;

	memset(p, 0, sizeof(*p));
	for (unsigned int t = 0; t < FZ_THREADS; t++, text = end) {
		p->nr[t] = strtoul(text, &end, 10);
		if (end == text || p->nr[t] > FZ_WORDS)
			return false;
		for (unsigned int i = 0; i < p->nr[t]; i++) {
			if (*end != ':')
				return false;
			p->word[t][i] = strtoull(end + 1, &end, 16);
		}
	}
	return true;
}

/* -- what comes of them */

/* How many places of code were new */
static unsigned int look(FIXTURE_DATA(fuzz) *self)
{
	unsigned int found = 0;

	for (unsigned int t = 0; t < FZ_THREADS && self->is_told; t++) {
		unsigned long *area = self->cover.area[t];

		for (unsigned long i = 1; i <= area[0] && i < FZ_COVER; i++) {
			/* The lowest bits say little, the highest nothing */
			unsigned int place = area[i] % PLACES;

			found += !(self->seen[place / 8] >> place % 8 & 1);
			self->seen[place / 8] |= 1 << place % 8;
		}
		area[0] = 0;
	}
	self->nr_seen += found;
	return found;
}

static bool works(void)
{
	uint8_t *mem = dt_mmap(2 * 5000);
	int fd = dt_open("copy", 0);
	struct dt_req r;
	bool good;

	memset(mem, 0x37, 5000);
	dt_req_init1(&r, "copy", 1, mem + 5000, 5000, mem);
	good = fd >= 0 && !dt_do(fd, &r.req) && dt_diff(mem, mem + 5000, 5000) < 0;
	if (fd >= 0)
		close(fd);
	munmap(mem, 2 * 5000);
	return good;
}

static void execute(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self,
		    const struct fz_program *p)
{
	struct fz_board *board = self->board;
	unsigned int nr = atomic_load(&board->next_id);
	int status;
	pid_t pid;

	memset((void *)board->id, 0, nr < FZ_IDS ? nr : FZ_IDS);
	atomic_store(&board->next_id, 0);
	pid = fz_start(p, board, self->is_told ? &self->cover : NULL);
	ASSERT_LT(0, pid);
	status = dt_reap(pid, DT_PATIENCE_MS);
	/* Its children, which are ours now */
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	EXPECT_NE(-1, status) {
		print(p);
	}
	dt_set_param("max_sessions", FZ_MAX_SESSIONS);
	dt_set_param("max_requests", FZ_MAX_REQUESTS);
	/* It may kill itself, or memory that it took away from itself may */
	ASSERT_TRUE(WIFSIGNALED(status) || !WEXITSTATUS(status));
	self->nr_killed += WIFSIGNALED(status);
	self->nr_run++;
	EXPECT_EQ(0, atomic_load(&board->wrong)) {
		TH_LOG("%s", board->why);
		print(p);
	}
}

/* Everything that a program may have taken away is there again */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(fuzz) *self)
{
	ASSERT_EQ(0, dt_all_back(self->nr_channels));
	EXPECT_TRUE(works());
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* -- what is to be reached */

/*
 * Each handler of the device with its good end, and each error that the table of bad
 * input and faults has for it; fork, kill and the like have nothing but to be there.
 */
static const struct { enum fz_op op; int errors[12]; } wanted[] = {
	{ FZ_OPEN, { 0, -1 } },
	{ FZ_CLOSE, { 0, EBADF, -1 } },
	{ FZ_SETFUNC, { 0, EBUSY, EFAULT, ESRCH, EBADF, -1 } },
	{ FZ_POLICY, { 0, EINVAL, EFAULT, E2BIG, EPERM, ESRCH, -1 } },
	{ FZ_ENGINE, { 0, EINVAL, EFAULT, E2BIG, ENOENT, -1 } },
	{ FZ_IOCTL, { ENOTTY, -1 } },
	{ FZ_WRITE, { 0, EINVAL, EFAULT, ENXIO, EBADF, EPERM, EAGAIN, -1 } },
	{ FZ_READ, { 0, EINVAL, EFAULT, ENXIO, EBADF, EAGAIN, -1 } },
	{ FZ_POLL, { 0, -1 } },
	{ FZ_FDINFO, { 0, -1 } },
	{ FZ_ODD, { 0, ESPIPE, ENODEV, EINVAL, -1 } },
	{ FZ_MEMORY, { 0, -1 } },
	{ FZ_FORK, { 0, -1 } },
	{ FZ_ADMIN, { 0, ENODEV, -1 } },
	{ FZ_LIMIT, { 0, -1 } },
	{ FZ_KILL, { 0, -1 } },
	{ FZ_QUOTA, { 0, EMFILE, EAGAIN, -1 } },
	{ FZ_FAULT, { 0, -1 } },
	{ FZ_DMA, { 0, ESRCH, -1 } },
	{ FZ_ORPHANS, { 0, -1 } },
	{ FZ_NOMEM, { 0, ENOMEM, -1 } },
	{ FZ_ANSWER, { 0, EFAULT, -1 } },
	{ FZ_REQUIRED, { 0, EIO, ETIMEDOUT, ENODEV, -1 } },
	{ FZ_ORPHANED, { ECANCELED, -1 } },
};

/* How many of so many were not; the first of those by its name */
static unsigned int missing(const struct fz_board *board, unsigned int *of, const char **name,
			    int *error)
{
	unsigned int nr = 0;

	*of = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++) {
		for (const int *want = wanted[i].errors; *want >= 0; want++, ++*of) {
			if (atomic_load(&board->counts[wanted[i].op][*want]) || nr++)
				continue;
			*error = *want;
			*name = fz_names[wanted[i].op];
		}
	}
	return nr;
}

static void tell(FIXTURE_DATA(fuzz) *self)
{
	unsigned int nr, of;
	const char *name;
	int error;

	printf("# %u programs, %u killed, %u kept, %u places of code\n", self->nr_run,
	       self->nr_killed, self->nr_kept, self->nr_seen);
	nr = missing(self->board, &of, &name, &error);
	printf("# %u of %u pairs of what was called and what is to come of it were reached\n",
	       of - nr, of);
	for (unsigned int op = 0; op < FZ_NR_OPS; op++) {
		printf("# %-14s", fz_names[op]);
		for (unsigned int e = 0; e < FZ_ERRNOS; e++) {
			unsigned int n = atomic_load(&self->board->counts[op][e]);

			if (n)
				printf(" %s:%u", e ? strerrorname_np(e) : "good", n);
		}
		printf("\n");
	}
}

/* However slow the machine: what is to be reached is reached within minutes */
static bool is_to_go_on(FIXTURE_DATA(fuzz) *self, long long end)
{
	long long now = dt_now_ms();
	const char *name;
	unsigned int of;
	int error;

	return now < end || (now < end + 10 * DT_PATIENCE_MS &&
			     missing(self->board, &of, &name, &error));
}

TEST_F_TIMEOUT(fuzz, programs, 86400)
{
	const char *seconds = getenv("DMIO_FUZZ_SECONDS"), *text = getenv("DMIO_FUZZ_PROGRAM");
	long long end = dt_now_ms() + 1000LL * (seconds ? atoi(seconds) : 0);
	struct fz_program p;
	const char *name;
	unsigned int of;
	int error = 0;

	if (!seconds && !text)
		SKIP(return, "not asked for");
	if (text)
		ASSERT_TRUE(parse(text, &p));
	self->watchdog_ms = dt_param("watchdog_ms");
	self->backoff_ms = dt_param("backoff_ms");
	ASSERT_EQ(0, dt_set_param("watchdog_ms", WATCHDOG_MS));
	ASSERT_EQ(0, dt_set_param("backoff_ms", BACKOFF_MS));
	knobs("N", "0", "0");
	while (_metadata->passed && (text ? self->nr_run < 100 : is_to_go_on(self, end))) {
		if (!text)
			make(self, &p);
		if (getenv("DMIO_FUZZ_PRINT"))
			print(&p);
		execute(_metadata, self, &p);
		if (look(self) && self->nr_kept < KEPT)
			self->kept[self->nr_kept++] = p;
		if (self->nr_run % 50 == 0)
			check(_metadata, self);
	}
	check(_metadata, self);
	tell(self);
	EXPECT_TRUE(text || !missing(self->board, &of, &name, &error)) {
		TH_LOG("%s never came to %s", name, strerror(error));
	}
}

TEST_HARNESS_MAIN
