// SPDX-License-Identifier: GPL-2.0
/*
 * The completion queue's accounting, against a plain queue.  A case ends with
 * the first difference, from which all others would follow.
 */
#include <kunit/test.h>

#include "../../module/cq.h"
#include "random.h"

#define MAX_DEPTH	64

/* A queue and what it should be like; the answers are numbered as posted */
struct bench {
	struct dmio_cq cq;
	unsigned int nr_inflight;
	u64 posted;
	u64 consumed;
};

static struct bench *bench_alloc(struct kunit *test, unsigned int depth)
{
	struct bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	dmio_cq_init(&bench->cq);
	KUNIT_ASSERT_EQ(test, dmio_cq_setup(&bench->cq, depth), 0);
	return bench;
}

static unsigned int nr_ready(const struct bench *bench)
{
	return bench->posted - bench->consumed;
}

static void reserve(struct kunit *test, struct bench *bench)
{
	bool room = bench->nr_inflight + nr_ready(bench) < bench->cq.depth;
	bool idle = !!bench->nr_inflight;

	KUNIT_ASSERT_EQ(test, dmio_cq_reserve(&bench->cq, &idle), room);
	KUNIT_ASSERT_EQ(test, idle, !bench->nr_inflight);
	bench->nr_inflight += room;
}

static void unreserve(struct bench *bench)
{
	dmio_cq_unreserve(&bench->cq);
	bench->nr_inflight--;
}

static void post(struct bench *bench)
{
	struct dmio_response resp = {
		.user_data = bench->posted * 0x100000001ULL,
		.result = ~bench->posted,
		.error = -(bench->posted % 4096),
	};

	dmio_cq_post(&bench->cq, &resp);
	/* It was copied */
	memset(&resp, 0xa5, sizeof(resp));
	bench->nr_inflight--;
	bench->posted++;
}

/* Looks twice, and takes the answer with @take */
static void peek(struct kunit *test, struct bench *bench, bool take)
{
	struct dmio_response resp[2] = { };
	bool want = nr_ready(bench), ready[2];
	int i;

	KUNIT_ASSERT_EQ(test, dmio_cq_read_begin(&bench->cq, take), 0);
	for (i = 0; i < 2; i++)
		ready[i] = dmio_cq_peek(&bench->cq, &resp[i]);
	if (want && take)
		dmio_cq_consume(&bench->cq);
	dmio_cq_read_end(&bench->cq);

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, ready[i], want);
		if (!want)
			continue;
		KUNIT_ASSERT_EQ(test, resp[i].user_data, bench->consumed * 0x100000001ULL);
		KUNIT_ASSERT_EQ(test, resp[i].result, ~bench->consumed);
		KUNIT_ASSERT_EQ(test, resp[i].error, -(int)(bench->consumed % 4096));
	}
	bench->consumed += want && take;
}

static void check(struct kunit *test, struct bench *bench)
{
	struct dmio_cq *cq = &bench->cq;

	KUNIT_ASSERT_EQ(test, cq->nr_inflight, bench->nr_inflight);
	KUNIT_ASSERT_EQ(test, cq->nr_ready, nr_ready(bench));
	KUNIT_ASSERT_LT(test, cq->head, cq->depth);
	KUNIT_ASSERT_EQ(test, dmio_cq_nr_ready(cq), nr_ready(bench));
	KUNIT_ASSERT_EQ(test, dmio_cq_is_idle(cq), !bench->nr_inflight && !nr_ready(bench));
	KUNIT_ASSERT_EQ(test, dmio_cq_has_room(cq),
			bench->nr_inflight + nr_ready(bench) < cq->depth);
}

static void bench_drain(struct kunit *test, struct bench *bench)
{
	while (bench->nr_inflight)
		post(bench);
	while (nr_ready(bench))
		peek(test, bench, true);
	check(test, bench);
	dmio_cq_fini(&bench->cq);
}

/* Nobody gets a slot of a queue that has none yet */
static void cq_unset_test(struct kunit *test)
{
	struct dmio_cq *cq = kunit_kzalloc(test, sizeof(*cq), GFP_KERNEL);
	struct dmio_response resp;
	bool idle = false;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cq);
	dmio_cq_init(cq);
	KUNIT_EXPECT_FALSE(test, dmio_cq_reserve(cq, &idle));
	KUNIT_EXPECT_TRUE(test, idle);
	KUNIT_EXPECT_FALSE(test, dmio_cq_has_room(cq));
	KUNIT_EXPECT_EQ(test, dmio_cq_nr_ready(cq), 0);
	KUNIT_EXPECT_TRUE(test, dmio_cq_is_idle(cq));
	KUNIT_ASSERT_EQ(test, dmio_cq_read_begin(cq, true), 0);
	KUNIT_EXPECT_FALSE(test, dmio_cq_peek(cq, &resp));
	dmio_cq_read_end(cq);
	dmio_cq_fini(cq);
}

/* Fill it with requests, then with answers; a slot is free once it was read */
static void cq_full_test(struct kunit *test)
{
	static const unsigned int depths[] = { 1, 2, 3, MAX_DEPTH };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(depths); i++) {
		struct bench *bench = bench_alloc(test, depths[i]);

		for (n = 0; n <= depths[i]; n++, check(test, bench))
			reserve(test, bench);
		KUNIT_EXPECT_EQ(test, bench->cq.nr_inflight, depths[i]);
		for (n = 0; n < depths[i]; n++, check(test, bench)) {
			post(bench);
			reserve(test, bench);
		}
		KUNIT_EXPECT_EQ(test, bench->cq.nr_ready, depths[i]);
		for (n = 0; n < depths[i]; n++, check(test, bench)) {
			peek(test, bench, false);
			reserve(test, bench);
			peek(test, bench, true);
			reserve(test, bench);
		}
		KUNIT_EXPECT_EQ(test, bench->cq.nr_inflight, depths[i]);
		unreserve(bench);
		check(test, bench);
		reserve(test, bench);
		bench_drain(test, bench);
	}
}

/* Several times around the ring, from each starting point, at each fill */
static void cq_wrap_test(struct kunit *test)
{
	unsigned int depth, fill, n;

	for (depth = 1; depth <= 5; depth++)
		for (fill = 1; fill <= depth; fill++) {
			struct bench *bench = bench_alloc(test, depth);

			for (n = 0; n < 4 * depth; n++) {
				while (nr_ready(bench) < fill) {
					reserve(test, bench);
					post(bench);
				}
				check(test, bench);
				peek(test, bench, true);
			}
			bench_drain(test, bench);
		}
}

static void cq_random_test(struct kunit *test)
{
	static const unsigned int depths[] = { 1, 2, 5, MAX_DEPTH };
	struct rnd_state rnd;
	unsigned int i, n;

	dmio_test_seed(test, &rnd, 601);
	for (i = 0; i < ARRAY_SIZE(depths); i++) {
		struct bench *bench = bench_alloc(test, depths[i]);

		for (n = 0; n < 4000; n++, check(test, bench))
			switch (rnd_below(&rnd, 8)) {
			case 0 ... 2:
				reserve(test, bench);
				break;
			case 3:
				if (bench->nr_inflight)
					unreserve(bench);
				break;
			case 4 ... 5:
				if (bench->nr_inflight)
					post(bench);
				break;
			default:
				peek(test, bench, rnd_below(&rnd, 3));
			}
		KUNIT_EXPECT_GT(test, bench->posted, 200ULL);
		bench_drain(test, bench);
	}
}

static struct kunit_case cq_cases[] = {
	KUNIT_CASE(cq_unset_test),
	KUNIT_CASE(cq_full_test),
	KUNIT_CASE(cq_wrap_test),
	KUNIT_CASE(cq_random_test),
	{}
};

static struct kunit_suite cq_suite = {
	.name = "dmoverio-cq",
	.test_cases = cq_cases,
};

kunit_test_suite(cq_suite);
