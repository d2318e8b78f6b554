// SPDX-License-Identifier: GPL-2.0
/*
 * Tens of thousands of requests from eight threads, on one session and on
 * eight, with readers and writers at work at the same time: none lost, none
 * answered twice, every byte right.
 *
 * A session has slots, shared out among its writers; more than its queue is
 * deep, so that writers come to sleep. A slot is a request's output with a
 * little memory on both sides, what should be in it, and the id of the
 * request that has it. The writer makes every byte of the output wrong and
 * passes the slot to the kernel; the reader that gets the response checks
 * it and gives the slot back.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmio_test.h"
#include "kselftest_harness.h"

#define NR_THREADS	8
#define BATCH		32			/* requests written at once, at most */
#define READ_BATCH	32			/* responses read at once, at most */
#define SIDE		16			/* bytes on both sides of an output */
#define POOL		(256UL << 10)		/* random bytes, the inputs */
#define NR_SLOTS	(DT_DEPTH + 32)
#define STOP		UINT32_MAX		/* a free slot; the id that ends a reader */

struct slot {
	uint8_t *mem, *want;
	uint32_t id;			/* of the request in it, or STOP */
	struct dt_req r;
	size_t len;
};

struct session {
	const struct dt_func *f;
	int fd;
	size_t max_len;
	uint32_t nr_requests;		/* ids 0 .. nr_requests - 1 */
	unsigned int nr_writers, nr_readers;
	const uint8_t *pool;
	uint64_t seed;
	uint8_t *memory;		/* of all the slots */
	uint8_t *answers;		/* per id */
	/* atomic: */
	uint32_t nr_answers;
	uint32_t nr_reading;		/* readers that have not ended */
	const char *failed;		/* what went wrong */
	struct slot slots[NR_SLOTS];
	struct writer *writers;
	pthread_t readers[NR_THREADS];
};

struct writer {
	struct session *s;
	uint32_t first, end;		/* its ids */
	struct slot *slots;
	unsigned int nr_slots;
	pthread_mutex_t lock;
	pthread_cond_t enough;
	unsigned int nr_free;		/* slots; under the lock */
	unsigned int nr_wanted;		/* that the writer sleeps for; under the lock */
	pthread_t thread;
};

static void fail(struct session *s, const char *why)
{
	__atomic_store_n(&s->failed, why, __ATOMIC_RELAXED);
}

static bool over(struct session *s)
{
	return __atomic_load_n(&s->failed, __ATOMIC_RELAXED) != NULL;
}

/* What the request makes, 8 bytes at a time */
static void compute(struct session *s, struct slot *slot)
{
	uint8_t *want = slot->want + SIDE;
	size_t len = slot->len;

	memset(slot->want, 0xc3, SIDE);
	memset(want + len, 0xc3, SIDE);
	memset(want, s->f->op == DT_FILL8 ? slot->r.req.req_immediate[0] : 0, len);
	for (unsigned int i = 0; i < s->f->nr_in; i++) {
		const uint8_t *in = slot->r.in_iov[i].iov_base;
		size_t k;

		for (k = 0; k + 8 <= len; k += 8) {
			uint64_t a, b;

			memcpy(&a, want + k, 8);
			memcpy(&b, in + k, 8);
			a ^= b;
			memcpy(want + k, &a, 8);
		}
		for (; k < len; k++)
			want[k] ^= in[k];
	}
}

static void prepare(struct session *s, struct slot *slot, uint32_t id, struct dt_rng *rng)
{
	void *in[DMOVERIO_MAX_SRCS];
	size_t off;

	/* Every other one is really small. */
	slot->len = dt_between(rng, 1, dt_below(rng, 2) ? 256 : s->max_len);
	for (unsigned int i = 0; i < s->f->nr_in; i++)
		in[i] = (void *)(s->pool + dt_below(rng, POOL - slot->len));
	/* At any alignment; mem and want have room for it. */
	dt_req_init(&slot->r, s->f, id, slot->mem + SIDE, slot->len, in, dt_rand(rng));
	compute(s, slot);
	for (off = 0; off < slot->len; off++)
		slot->mem[SIDE + off] = ~slot->want[SIDE + off];
	memset(slot->mem, 0xc3, SIDE);
	memset(slot->mem + SIDE + slot->len, 0xc3, SIDE);
	__atomic_store_n(&slot->id, id, __ATOMIC_RELEASE);
}

static struct slot *free_slot(struct writer *w)
{
	for (unsigned int i = 0; i < w->nr_slots; i++)
		if (__atomic_load_n(&w->slots[i].id, __ATOMIC_ACQUIRE) == STOP)
			return &w->slots[i];
	return NULL;
}

static void take_slots(struct writer *w, unsigned int nr)
{
	pthread_mutex_lock(&w->lock);
	w->nr_wanted = nr;
	while (w->nr_free < nr && !over(w->s))
		pthread_cond_wait(&w->enough, &w->lock);
	w->nr_wanted = 0;
	w->nr_free -= nr;
	pthread_mutex_unlock(&w->lock);
}

static void give_slot(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	if (++w->nr_free == w->nr_wanted)
		pthread_cond_signal(&w->enough);
	pthread_mutex_unlock(&w->lock);
}

/*
 * Half of its slots in a call, to keep calls few: the other half is with the
 * kernel or comes back from there, so that waiting for them ends.
 */
static void *writer_run(void *arg)
{
	struct writer *w = arg;
	struct session *s = w->s;
	struct dt_rng rng = { s->seed ^ w->first };
	unsigned int most = w->nr_slots / 2 < BATCH ? w->nr_slots / 2 : BATCH;
	uint32_t id = w->first;

	while (id < w->end && !over(s)) {
		unsigned int nr = w->end - id < most ? w->end - id : most;
		struct dmio_usrreq flat[BATCH];
		int err;

		take_slots(w, nr);
		for (unsigned int i = 0; i < nr; i++) {
			struct slot *slot = free_slot(w);

			if (!slot) {
				fail(s, "no slot, though one was given back");
				return NULL;
			}
			prepare(s, slot, id++, &rng);
			flat[i] = slot->r.req;
		}
		err = dt_write_all(s->fd, flat, nr);
		if (err)
			fail(s, strerror(-err));
	}
	return NULL;
}

/* The slot of a request: its writer has consecutive ids, so look there only. */
static void check(struct session *s, const struct dmio_usrresp *resp)
{
	struct writer *w = s->writers;
	struct slot *slot = NULL;

	if (resp->resp_error)
		return fail(s, strerror(abs(resp->resp_error)));
	if (resp->resp_id >= s->nr_requests)
		return fail(s, "a response of no request");
	if (__atomic_fetch_add(&s->answers[resp->resp_id], 1, __ATOMIC_RELAXED))
		return fail(s, "a request was answered twice");
	while (resp->resp_id >= w->end)
		w++;
	for (unsigned int i = 0; i < w->nr_slots && !slot; i++)
		if (__atomic_load_n(&w->slots[i].id, __ATOMIC_ACQUIRE) == resp->resp_id)
			slot = &w->slots[i];
	if (!slot)
		return fail(s, "a response before its request");
	if (dt_diff(slot->mem, slot->want, slot->len + 2 * SIDE) != -1)
		return fail(s, "wrong data");
	__atomic_store_n(&slot->id, STOP, __ATOMIC_RELEASE);
	give_slot(w);
}

/*
 * Reads until the response that tells it to stop: at once, after a poll, or
 * after a while in which responses gather and writers find the queue full.
 */
static void *reader_run(void *arg)
{
	struct session *s = arg;
	struct dmio_usrresp resp[READ_BATCH];
	struct dt_rng rng = { s->seed };
	bool stop = false;

	while (!stop) {
		unsigned int how = dt_below(&rng, 8);
		ssize_t n;

		if (how == 0)
			dt_poll(s->fd, POLLIN, DT_PATIENCE_MS);
		else if (how > 4)
			dt_sleep_ms(4);
		n = dt_read(s->fd, resp, dt_between(&rng, 1, READ_BATCH));
		if (n <= 0) {
			fail(s, n ? strerror(-n) : "a blocking read returned nothing");
			break;
		}
		for (ssize_t i = 0; i < n; i++) {
			if (resp[i].resp_id == STOP)
				stop = true;
			else
				check(s, &resp[i]);
		}
		__atomic_fetch_add(&s->nr_answers, n - stop, __ATOMIC_RELAXED);
	}
	__atomic_fetch_sub(&s->nr_reading, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void slots_init(struct session *s)
{
	size_t each = s->max_len + 2 * SIDE;

	s->memory = dt_mmap(2 * NR_SLOTS * each);
	s->answers = dt_mmap(s->nr_requests);
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		s->slots[i].mem = s->memory + 2 * i * each;
		s->slots[i].want = s->slots[i].mem + each;
		s->slots[i].id = STOP;
	}
}

static int session_start(struct session *s)
{
	unsigned int nr = s->nr_writers;

	s->fd = dt_open(s->f->name, 0);
	if (s->fd < 0)
		return s->fd;
	slots_init(s);
	s->nr_reading = s->nr_readers;
	s->writers = calloc(nr, sizeof(*s->writers));
	if (!s->writers)
		return -ENOMEM;
	for (unsigned int i = 0; i < nr; i++) {
		struct writer *w = &s->writers[i];

		w->s = s;
		w->first = (uint64_t)s->nr_requests * i / nr;
		w->end = (uint64_t)s->nr_requests * (i + 1) / nr;
		w->slots = &s->slots[NR_SLOTS / nr * i];
		w->nr_slots = NR_SLOTS / nr;
		w->nr_free = w->nr_slots;
		pthread_mutex_init(&w->lock, NULL);
		pthread_cond_init(&w->enough, NULL);
	}
	for (unsigned int i = 0; i < s->nr_readers; i++)
		if (pthread_create(&s->readers[i], NULL, reader_run, s))
			return -EAGAIN;
	for (unsigned int i = 0; i < nr; i++)
		if (pthread_create(&s->writers[i].thread, NULL, writer_run, &s->writers[i]))
			return -EAGAIN;
	return 0;
}

/* Wait for *@count to become @what; what the readers do is progress. */
static bool reaches(struct session *s, const uint32_t *count, uint32_t what)
{
	long long end = dt_now_ms() + 2 * DT_PATIENCE_MS;
	uint32_t last = 0;

	for (;;) {
		uint32_t answers = __atomic_load_n(&s->nr_answers, __ATOMIC_RELAXED);

		if (__atomic_load_n(count, __ATOMIC_RELAXED) == what)
			return true;
		if (over(s) || dt_now_ms() > end)
			return false;
		if (answers != last)
			end = dt_now_ms() + 2 * DT_PATIENCE_MS;
		last = answers;
		dt_sleep_ms(1);
	}
}

/* All answers, then an end for each reader; NULL, or what is wrong */
static const char *session_end(struct session *s)
{
	struct dt_req stop;

	if (!reaches(s, &s->nr_answers, s->nr_requests))
		return over(s) ? s->failed : "responses are lost";
	for (unsigned int i = 0; i < s->nr_writers; i++)
		pthread_join(s->writers[i].thread, NULL);
	while (s->nr_readers) {
		dt_req_init(&stop, s->f, STOP, s->memory, 1,
			    (void *[DMOVERIO_MAX_SRCS]){ NULL }, 0);
		for (unsigned int i = 0; i < s->f->nr_in; i++)
			stop.in_iov[i].iov_base = (void *)s->pool;
		if (dt_write(s->fd, &stop.req, 1) != 1)
			return "no room in an empty queue";
		if (!reaches(s, &s->nr_reading, --s->nr_readers))
			return over(s) ? s->failed : "a sleeping reader was not woken";
	}
	for (unsigned int i = 0; i < NR_THREADS && s->readers[i]; i++)
		pthread_join(s->readers[i], NULL);
	for (uint32_t id = 0; id < s->nr_requests; id++)
		if (s->answers[id] != 1)
			return "not answered once";
	if (!dt_quiet(s->fd))
		return "more responses than requests";
	close(s->fd);
	return s->failed;
}

FIXTURE(stress) {
	struct dt_rng rng;
	long long pins;
	uint8_t *pool;
};

FIXTURE_SETUP(stress)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->pool = dt_mmap(POOL);
	dt_fill(&self->rng, self->pool, POOL);
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* Eight writers and three readers share a session. */
TEST_F_TIMEOUT(stress, one_session, 800)
{
	static const char *const names[] = { "copy", "xor3" };
	const unsigned int nr[] = { dt_scale(25000, 1000000), dt_scale(25000, 50000) };

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		static struct session s;

		s = (struct session){
			.f = dt_func(names[i]), .max_len = 3000, .pool = self->pool,
			.nr_requests = nr[i],
			.nr_writers = NR_THREADS, .nr_readers = 3, .seed = dt_rand(&self->rng),
		};
		ASSERT_EQ(0, session_start(&s));
		const char *wrong = session_end(&s);

		ASSERT_TRUE(wrong == NULL) {
			TH_LOG("%s: %s, after %u of %u", names[i], wrong, s.nr_answers,
			       s.nr_requests);
		}
		free(s.writers);
	}
}

/* A writer and a reader each, every session another function */
TEST_F_TIMEOUT(stress, eight_sessions, 300)
{
	static const char *const names[NR_THREADS] = {
		"zero", "fill8", "copy", "copy", "xor2", "xor3", "xor7", "xor16",
	};
	static struct session s[NR_THREADS];

	for (unsigned int i = 0; i < NR_THREADS; i++) {
		s[i] = (struct session){
			.f = dt_func(names[i]), .max_len = 8192, .pool = self->pool,
			.nr_requests = dt_scale(50000, 1000000) / NR_THREADS,
			.nr_writers = 1, .nr_readers = 1, .seed = dt_rand(&self->rng),
		};
		ASSERT_EQ(0, session_start(&s[i]));
	}
	for (unsigned int i = 0; i < NR_THREADS; i++) {
		const char *wrong = session_end(&s[i]);

		ASSERT_TRUE(wrong == NULL) {
			TH_LOG("%s: %s, after %u of %u", names[i], wrong, s[i].nr_answers,
			       s[i].nr_requests);
		}
	}
}

TEST_HARNESS_MAIN
