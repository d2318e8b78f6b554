// SPDX-License-Identifier: GPL-2.0
/*
 * All at the same time: eight processes that use every function (mix_work.h), faults
 * of the controllers, processes killed, channels given back and taken, drivers unbound
 * and bound, the provider's module unloaded and loaded with other parameters. Each
 * request has its one answer, and a right one; nobody hangs; afterwards no page is
 * pinned and every channel works.
 *
 *	DMIO_TEST_MIX_SECONDS	how long, instead of some seconds
 *	DMIO_TEST_SEED		what happens; when, the machine decides
 *
 * What must have happened at least once is waited for, however slow the machine is.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"
#include "mix_work.h"
#include "kselftest_harness.h"

/* So short that hangs are found often; but slow transfers may be taken for some */
#define WATCHDOG_MS	600
#define BACKOFF_MS	20
#define DEVICES		2U

enum happening { UNBOUND, RELEASED, RELOADED, RESET, KILLED, FAULTS, HUNG, NR_HAPPENINGS };

static const char *const happening_names[NR_HAPPENINGS] = {
	[UNBOUND] = "unbound", [RELEASED] = "released", [RELOADED] = "reloaded",
	[RESET] = "reset", [KILLED] = "killed", [FAULTS] = "faults", [HUNG] = "hung",
};

enum quiet { TERMINATE, RELEASE, NEVER };

static const char *const drivers[] = {
	[TERMINATE] = "dmover-sim", [RELEASE] = "dmover-sim-release", [NEVER] = "dmover-sim-never",
};

FIXTURE(mix) {
	struct bk bk;
	const char *why_not;
	long long pins;
	bool is_edged;			/* caches that are not coherent do no harm */
	uint8_t *pool;
	struct mx_board *board;
	pid_t workers[MX_WORKERS];
	struct dt_rng worker_rng, provider_rng, fault_rng;
	pthread_mutex_t reloading;	/* who has it knows which hardware there is */
	enum quiet quiet;
	unsigned int nr_channels;
	atomic_bool stop;		/* of the threads */
	atomic_bool peace;		/* the provider does nothing */
	atomic_uint happened[NR_HAPPENINGS];
};

FIXTURE_SETUP(mix)
{
	struct dt_rng rng;

	dt_rng_init(&rng);
	self->pins = dt_pins();
	self->is_edged = dt_param("edge_align") >= 64;
	self->why_not = bk_begin_sim(&self->bk, drivers[TERMINATE], "devices=2");
	if (!self->why_not)
		ASSERT_EQ(0, dt_set_param("learn", self->bk.learn));
	self->pool = dt_mmap(MX_POOL);
	dt_fill(&rng, self->pool, MX_POOL);
	self->worker_rng.state = dt_rand(&rng);
	self->provider_rng.state = dt_rand(&rng);
	self->fault_rng.state = dt_rand(&rng);
	self->nr_channels = 4;
	self->board = mmap(NULL, sizeof(*self->board), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->board);
	pthread_mutex_init(&self->reloading, NULL);
}

FIXTURE_TEARDOWN(mix)
{
	EXPECT_EQ(0, bk_end(&self->bk));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

static bool is_over(FIXTURE_DATA(mix) *self)
{
	return atomic_load(&self->stop) || atomic_load(&self->board->wrong);
}

static void count(FIXTURE_DATA(mix) *self, enum happening what)
{
	atomic_fetch_add(&self->happened[what], 1);
}

/* -- the provider */

/* 0 or -errno */
static int bind_device(FIXTURE_DATA(mix) *self, unsigned int device, bool bind)
{
	char name[64];
	int err;

	snprintf(name, sizeof(name), "%s.%u", drivers[self->quiet], device);
	err = dt_bind(drivers[self->quiet], name, bind);
	if (err)
		mx_wrong(self->board, "%s of %s: error %d", bind ? "bind" : "unbind", name, -err);
	return err;
}

static void unbind_for_a_moment(FIXTURE_DATA(mix) *self)
{
	unsigned int device = dt_below(&self->provider_rng, DEVICES);

	if (bind_device(self, device, false))
		return;
	dt_sleep_ms(dt_below(&self->provider_rng, 30));
	if (!bind_device(self, device, true))
		count(self, UNBOUND);
}

static void a_channel(FIXTURE_DATA(mix) *self, struct dt_rng *rng, char *name, size_t size)
{
	struct dt_engines all;
	unsigned int i;

	name[0] = 0;
	if (dt_engines(self->bk.fd, &all) || all.nr < 2)
		return;
	i = dt_between(rng, 1, all.nr - 1);
	if (all.engine[i].id)
		snprintf(name, size, "%s", all.engine[i].name);
}

static void release_for_a_moment(FIXTURE_DATA(mix) *self)
{
	char name[32];
	int err;

	a_channel(self, &self->provider_rng, name, sizeof(name));
	err = dt_release(name[0] && dt_below(&self->provider_rng, 2) ? name : "all");
	/* None is held just now, or memory is parked */
	if (err && err != -ENODEV && err != -EBUSY)
		mx_wrong(self->board, "release: error %d", -err);
	dt_sleep_ms(dt_below(&self->provider_rng, 30));
	if (dt_rescan())
		mx_wrong(self->board, "rescan fails");
	if (!err)
		count(self, RELEASED);
}

static void reset_one(FIXTURE_DATA(mix) *self)
{
	char name[32];
	int err;

	a_channel(self, &self->provider_rng, name, sizeof(name));
	if (!name[0])
		return;
	err = bk_reset(name);
	if (err && err != -ENODEV && err != -EBUSY)
		mx_wrong(self->board, "reset: error %d", -err);
	if (!err)
		count(self, RESET);
}

static unsigned int one_of(struct dt_rng *rng, const unsigned int *of, unsigned int nr)
{
	return of[dt_below(rng, nr)];
}

/* Other hardware; may it be such as cannot be stopped? */
static void choose(FIXTURE_DATA(mix) *self, char *options, size_t size, bool *parks)
{
	static const char *const quiets[] = { "terminate", "release", "never" };
	static const char *const completions[] = { "tasklet", "thread", "irq" };
	static const unsigned int segs[] = { 4096, 65536, 1 << 20 }, descs[] = { 3, 16, 64, 1024 };
	struct dt_rng *rng = &self->provider_rng;
	bool can_terminate = dt_below(rng, 6);

	self->quiet = dt_below(rng, 2) ? TERMINATE : dt_below(rng, NEVER + 1);
	self->nr_channels = DEVICES * dt_between(rng, 1, 3);
	*parks = self->quiet == NEVER || (self->quiet == TERMINATE &&
					  (!can_terminate || !dt_below(rng, 3)));
	snprintf(options, size,
		 "devices=%u channels=%u quiet=%s terminate=%u completion=%s max_seg=%u descs=%u max_xor=%zu align=%zu latency_us=%zu coherent=%d",
		 DEVICES, self->nr_channels / DEVICES, quiets[self->quiet], can_terminate,
		 completions[dt_below(rng, 3)], one_of(rng, segs, 3), one_of(rng, descs, 4),
		 dt_between(rng, 2, 8), dt_below(rng, 4), dt_below(rng, 3) * 100,
		 !self->is_edged || dt_below(rng, 2));
}

/* The module goes, its channels given back before or not, and comes back */
static void reload(FIXTURE_DATA(mix) *self, const char *given)
{
	char options[256];
	bool parks = false;
	int err;

	pthread_mutex_lock(&self->reloading);
	if (dt_below(&self->provider_rng, 2))
		dt_release("all");
	for (unsigned int i = 0; i < DEVICES; i++)
		bind_device(self, i, false);
	err = dt_rmmod_later("dmover_sim");
	if (err)
		mx_wrong(self->board, "rmmod: error %d", -err);
	atomic_store(&self->board->parks, false);
	if (given) {
		snprintf(options, sizeof(options), "%s", given);
		self->quiet = TERMINATE;
		self->nr_channels = 2 * DEVICES;
	} else {
		choose(self, options, sizeof(options), &parks);
	}
	/* In this order: who looks at both sees one of them */
	if (parks) {
		atomic_store(&self->board->parks, true);
		atomic_fetch_add(&self->board->nr_parks, 1);
	}
	err = dt_insmod("dmover-sim", options);
	if (err)
		mx_wrong(self->board, "insmod %s: error %d", options, -err);
	snprintf(self->bk.driver, sizeof(self->bk.driver), "%s", drivers[self->quiet]);
	if (dt_rescan())
		mx_wrong(self->board, "rescan fails");
	pthread_mutex_unlock(&self->reloading);
	if (!err)
		count(self, RELOADED);
}

static void *provide(void *arg)
{
	FIXTURE_DATA(mix) *self = arg;

	while (!is_over(self)) {
		if (atomic_load(&self->peace)) {
			dt_sleep_ms(10);
			continue;
		}
		switch (dt_below(&self->provider_rng, 6)) {
		case 0:
			reload(self, NULL);
			break;
		case 1:
			reset_one(self);
			break;
		case 2:
		case 3:
			release_for_a_moment(self);
			break;
		default:
			unbind_for_a_moment(self);
			break;
		}
		dt_sleep_ms(dt_below(&self->provider_rng, 400));
	}
	return NULL;
}

/* -- faults */

/* Which a channel may have, and whatever comes of it, nobody's data are wrong */
static void some_fault(FIXTURE_DATA(mix) *self, char *line, size_t size)
{
	static const char *const any[] = {
		"read-error", "read-error", "write-error", "write-error", "abort-next", "residue",
		"no-desc", "hang", "hang", "terminate-aborted", "terminate-success",
	};
	struct dt_rng *rng = &self->fault_rng;
	const char *fault = any[dt_below(rng, ARRAY_SIZE(any))];
	bool parks = atomic_load(&self->board->parks);

	if (self->quiet == TERMINATE && parks && !dt_below(rng, 3))
		fault = "terminate-error";
	if (self->quiet == NEVER && !dt_below(rng, 3))
		fault = dt_below(rng, 2) ? "late" : "late-callback";
	snprintf(line, size, "%s %zu %zu", fault, dt_below(rng, 8), dt_between(rng, 1, 5));
	/* Few for good: else all channels stand still for most of the time */
	if (!strcmp(fault, "hang") || !strncmp(fault, "late", 4))
		snprintf(line, size, "%s %zu 1 %zu", fault, dt_below(rng, 10),
			 dt_below(rng, 4) ? dt_between(rng, 1, WATCHDOG_MS / 8) : 0);
	if (!dt_below(rng, 4))
		snprintf(line, size, dt_below(rng, 2) ? "off" : "wake");
}

/*
 * With everything else going on, the watchdog would seldom be the first to notice.
 * What a channel had is done by another one, so that it does not show in any bytes.
 */
#define PEACE_MS	10000

static void let_hang(FIXTURE_DATA(mix) *self)
{
	long long end = dt_now_ms() + PEACE_MS;
	struct dmoverio_engine e = { .reason = 0 };
	char name[32];

	a_channel(self, &self->fault_rng, name, sizeof(name));
	if (!name[0] || bk_fault(name, "hang 0 1"))
		return;
	atomic_store(&self->peace, true);
	while (e.reason != DMOVERIO_FAILED_HANG && dt_now_ms() < end && !is_over(self)) {
		dt_sleep_ms(1);
		if (bk_engine(&self->bk, name, &e))
			break;
	}
	atomic_store(&self->peace, false);
	if (e.reason == DMOVERIO_FAILED_HANG)
		count(self, HUNG);
}

static void *break_things(void *arg)
{
	FIXTURE_DATA(mix) *self = arg;

	while (!is_over(self)) {
		char line[64], name[32];
		int err = -ENOENT;

		pthread_mutex_lock(&self->reloading);
		a_channel(self, &self->fault_rng, name, sizeof(name));
		some_fault(self, line, sizeof(line));
		if (name[0])
			err = bk_fault(name, line);
		pthread_mutex_unlock(&self->reloading);
		/* It may just be going; nothing may stand still that could be woken */
		if (err && err != -ENOENT && err != -ENODEV && err != -EAGAIN)
			mx_wrong(self->board, "fault \"%s\" of %s: error %d", line, name, -err);
		if (!err)
			count(self, FAULTS);
		if (!dt_below(&self->fault_rng, 30))
			let_hang(self);
		dt_sleep_ms(dt_below(&self->fault_rng, 150));
	}
	return NULL;
}

/* -- the processes */

static void start_worker(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self,
			 unsigned int nr)
{
	uint64_t seed = dt_rand(&self->worker_rng);
	pid_t pid = dt_fork();

	ASSERT_LE(0, pid);
	if (!pid)
		mx_work(self->board, nr, seed, self->pool);
	self->workers[nr] = pid;
}

static void kill_one(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self)
{
	unsigned int nr = dt_below(&self->worker_rng, MX_WORKERS);

	kill(self->workers[nr], SIGKILL);
	ASSERT_NE(-1, dt_reap(self->workers[nr], 2 * DT_PATIENCE_MS)) {
		TH_LOG("a killed worker does not go away");
	}
	start_worker(_metadata, self, nr);
	count(self, KILLED);
}

/* All functions, all happenings; in a long run, what failed and the CPU then did */
static bool is_enough(FIXTURE_DATA(mix) *self)
{
	for (unsigned int i = 0; i < MX_FUNCS; i++)
		if (!atomic_load(&self->board->good[i]))
			return false;
	for (unsigned int i = 0; i < NR_HAPPENINGS; i++)
		if (!atomic_load(&self->happened[i]))
			return false;
	if (!atomic_load(&self->board->closed) || !atomic_load(&self->board->orphans) ||
	    !atomic_load(&self->board->ways[DT_DMA]))
		return false;
	/* Mostly another channel does them again, so that it takes minutes to be seen */
	return !getenv("DMIO_TEST_MIX_SECONDS") || atomic_load(&self->board->ways[DT_ERROR]);
}

static void tell(FIXTURE_DATA(mix) *self)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < MX_FUNCS; i++)
		good += atomic_load(&self->board->good[i]);
	printf("# %u good", good);
	for (unsigned int e = 1; e < MX_ERRNOS; e++)
		if (atomic_load(&self->board->errors[e]))
			printf(", %u %s", atomic_load(&self->board->errors[e]), strerrorname_np(e));
	printf("; closed in flight %u, writers killed %u\n#", atomic_load(&self->board->closed),
	       atomic_load(&self->board->orphans));
	for (unsigned int i = 0; i < NR_HAPPENINGS; i++)
		printf(" %s %u", happening_names[i], atomic_load(&self->happened[i]));
	printf("\n# bytes:");
	for (unsigned int i = 0; i < DT_NR_WAYS; i++)
		printf(" %s %llu", dt_way_name(i), atomic_load(&self->board->ways[i]));
	printf("\n");
	fflush(stdout);
}

/* Until each of the workers has ended a batch, or there is something wrong */
static void wait_for_all(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self)
{
	struct mx_board *board = self->board;
	long long end = dt_now_ms() + 4 * DT_PATIENCE_MS;

	for (unsigned int i = 0; i < MX_WORKERS; i++) {
		unsigned int from = atomic_load(&board->batches[i]);

		while (atomic_load(&board->batches[i]) - from < 2 && !atomic_load(&board->wrong)) {
			ASSERT_GT(end, dt_now_ms()) {
				TH_LOG("worker %u hangs", i);
			}
			dt_sleep_ms(5);
		}
	}
}

static void join(struct __test_metadata *_metadata, pthread_t thread, const char *who)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += 4 * DT_PATIENCE_MS / 1000;
	ASSERT_EQ(0, pthread_timedjoin_np(thread, NULL, &ts)) {
		TH_LOG("%s hangs", who);
	}
}

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self, unsigned int seconds)
{
	long long now = dt_now_ms(), end = now + 1000LL * seconds, say = now + DT_PATIENCE_MS;
	pthread_t provider, breaker;

	for (unsigned int i = 0; i < MX_WORKERS; i++)
		start_worker(_metadata, self, i);
	ASSERT_EQ(0, pthread_create(&provider, NULL, provide, self));
	ASSERT_EQ(0, pthread_create(&breaker, NULL, break_things, self));
	for (; !is_over(self); now = dt_now_ms()) {
		if (now > end && (is_enough(self) || now > end + 10 * DT_PATIENCE_MS))
			break;
		if (now > say) {
			tell(self);
			say = now + DT_PATIENCE_MS;
		}
		dt_sleep_ms(dt_below(&self->worker_rng, 400));
		kill_one(_metadata, self);
	}
	atomic_store(&self->stop, true);
	join(_metadata, breaker, "who breaks things");
	join(_metadata, provider, "the provider");
}

/* -- afterwards */

static void expect_channel(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self,
			   const char *name)
{
	uint8_t *mem = dt_mmap(2 * 65536);
	struct dmoverio_engine e;
	struct dt_engines all;
	struct dt_req r;
	int fd;

	ASSERT_EQ(0, dt_engines(self->bk.fd, &all));
	for (unsigned int i = 1; i < all.nr; i++)
		if (all.engine[i].id && strcmp(all.engine[i].name, name))
			ASSERT_EQ(0, dt_release(all.engine[i].name));
	fd = dt_open_policy("copy", DMOVERIO_POLICY_REQUIRE_DMA);
	ASSERT_LE(0, fd);
	dt_req_init1(&r, "copy", 1, mem + 65536, 65536, self->pool);
	EXPECT_EQ(0, dt_do(fd, &r.req));
	EXPECT_EQ(-1, dt_diff(mem + 65536, self->pool, 65536));
	EXPECT_EQ(0, bk_engine(&self->bk, name, &e));
	EXPECT_LT(0, e.bytes);
	EXPECT_EQ(DMOVERIO_ENGINE_ACTIVE, e.state);
	close(fd);
	munmap(mem, 2 * 65536);
	ASSERT_EQ(0, dt_rescan());
}

static void expect_channels(struct __test_metadata *_metadata, FIXTURE_DATA(mix) *self)
{
	struct dt_engines all;

	ASSERT_EQ(0, dt_wait_channels(self->bk.fd, self->nr_channels));
	ASSERT_EQ(0, dt_engines(self->bk.fd, &all));
	for (unsigned int i = 1; i < all.nr; i++) {
		EXPECT_EQ(0, all.engine[i].parked_pages);
		expect_channel(_metadata, self, all.engine[i].name);
	}
}

TEST_F_TIMEOUT(mix, all_at_once, 86400)
{
	const char *seconds = getenv("DMIO_TEST_MIX_SECONDS");
	struct mx_board *board = self->board;

	NEED_BROKEN();
	ASSERT_EQ(0, dt_set_param("watchdog_ms", WATCHDOG_MS));
	ASSERT_EQ(0, dt_set_param("backoff_ms", BACKOFF_MS));
	run(_metadata, self, seconds ? (unsigned int)atoi(seconds) : dt_scale(6, 60));

	/* Good hardware again */
	reload(self, "devices=2");
	ASSERT_EQ(0, dt_set_param("watchdog_ms", BK_NEVER_MS));
	wait_for_all(_metadata, self);
	atomic_store(&board->stop, true);
	for (unsigned int i = 0; i < MX_WORKERS; i++) {
		int said = dt_said(self->workers[i], 4 * DT_PATIENCE_MS);

		EXPECT_EQ(0, said) {
			TH_LOG("worker %u did not come to its end", i);
		}
	}
	tell(self);
	EXPECT_EQ(0, atomic_load(&board->wrong)) {
		TH_LOG("%s", board->why);
	}
	EXPECT_TRUE(atomic_load(&board->wrong) || is_enough(self));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
	expect_channels(_metadata, self);
}

TEST_HARNESS_MAIN
