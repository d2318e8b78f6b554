// SPDX-License-Identifier: GPL-2.0
/*
 * Whose step is next: sessions take turns.
 */
#include <kunit/test.h>

#include "../../module/lane.h"
#include "random.h"

#define NR_LANES	4
#define NR_STEPS	40

/**
 * struct lane_bench - what the cases of this suite work with
 * @queue: of the user
 * @lane: his sessions
 * @step: steps; each is of the session with the number modulo NR_LANES
 * @waits: which of them wait
 */
struct lane_bench {
	struct list_head queue;
	struct dmio_lane lane[NR_LANES];
	struct dmio_step step[NR_STEPS];
	bool waits[NR_STEPS];
};

static int lane_init(struct kunit *test)
{
	struct lane_bench *bench = kunit_kzalloc(test, sizeof(*bench), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bench);
	test->priv = bench;
	INIT_LIST_HEAD(&bench->queue);
	for (i = 0; i < NR_LANES; i++)
		dmio_lane_init(&bench->lane[i]);
	for (i = 0; i < NR_STEPS; i++)
		dmio_step_init(&bench->step[i], &bench->lane[i % NR_LANES], NULL);
	return 0;
}

static int next(struct lane_bench *bench)
{
	struct dmio_step *step = dmio_lane_next(&bench->queue);

	return step ? step - bench->step : -1;
}

/* One has many, the others have few: theirs come early, and all in their order */
static void lane_turns_test(struct kunit *test)
{
	static const int order[] = { 0, 1, 2, 4, 5, 8, 12, 16, -1, -1 };
	struct lane_bench *bench = test->priv;
	unsigned int i;

	for (i = 0; i <= 16; i += NR_LANES)
		dmio_lane_add(&bench->queue, &bench->step[i]);
	dmio_lane_add(&bench->queue, &bench->step[1]);
	dmio_lane_add(&bench->queue, &bench->step[5]);
	dmio_lane_add(&bench->queue, &bench->step[2]);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		KUNIT_EXPECT_EQ(test, next(bench), order[i]);
}

/* It did not come to anything: it is still its turn */
static void lane_put_back_test(struct kunit *test)
{
	static const int order[] = { 4, 1, 8, 5, -1 };
	struct lane_bench *bench = test->priv;
	unsigned int i, k;

	for (i = 0; i < 3; i++)
		dmio_lane_add(&bench->queue, &bench->step[i * NR_LANES]);
	dmio_lane_add(&bench->queue, &bench->step[1]);
	dmio_lane_add(&bench->queue, &bench->step[5]);
	for (k = 0; k < 3; k++) {
		KUNIT_EXPECT_EQ(test, next(bench), 0);
		dmio_lane_put_back(&bench->queue, &bench->step[0]);
		for (i = 0; i < NR_STEPS; i++)
			if (!list_empty(&bench->step[i].node))
				KUNIT_EXPECT_EQ(test, dmio_lane_is_first(&bench->queue,
									 &bench->step[i]), !i);
	}
	KUNIT_EXPECT_EQ(test, next(bench), 0);
	/* The last of its lane, which is in the queue no more */
	dmio_lane_remove(&bench->step[1]);
	dmio_lane_remove(&bench->step[5]);
	dmio_lane_put_back(&bench->queue, &bench->step[1]);
	dmio_lane_add(&bench->queue, &bench->step[5]);
	KUNIT_EXPECT_EQ(test, next(bench), 1);
	dmio_lane_put_back(&bench->queue, &bench->step[1]);
	dmio_lane_remove(&bench->step[1]);
	dmio_lane_put_back(&bench->queue, &bench->step[1]);
	KUNIT_EXPECT_EQ(test, next(bench), 1);
	dmio_lane_add(&bench->queue, &bench->step[1]);
	dmio_lane_remove(&bench->step[5]);
	dmio_lane_add(&bench->queue, &bench->step[5]);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		KUNIT_EXPECT_EQ(test, next(bench), order[i]);
}

/* Nobody waits for more than one of each other, nothing is lost */
static void lane_random_test(struct kunit *test)
{
	struct lane_bench *bench = test->priv;
	unsigned int round, since[NR_LANES] = { }, i;
	struct rnd_state rnd;

	dmio_test_seed(test, &rnd, 1401);
	for (round = 0; round < 20000; round++) {
		int got = -1;

		i = rnd_below(&rnd, NR_STEPS);
		if (!bench->waits[i]) {
			dmio_lane_add(&bench->queue, &bench->step[i]);
			bench->waits[i] = true;
		} else if (rnd_one_in(&rnd, 3)) {
			dmio_lane_remove(&bench->step[i]);
			bench->waits[i] = false;
		} else {
			got = next(bench);
			KUNIT_ASSERT_GE(test, got, 0);
			KUNIT_EXPECT_TRUE(test, bench->waits[got]);
			bench->waits[got] = false;
		}
		for (i = 0; i < NR_LANES; i++) {
			if (list_empty(&bench->lane[i].steps) || got % NR_LANES == (int)i)
				since[i] = 0;
			else if (got >= 0)
				since[i]++;
			KUNIT_EXPECT_LT(test, since[i], NR_LANES);
		}
	}
	for (round = 0; next(bench) >= 0; round++)
		;
	for (i = 0; i < NR_STEPS; i++)
		round -= bench->waits[i];
	KUNIT_EXPECT_EQ(test, round, 0U);
}

static struct kunit_case lane_cases[] = {
	KUNIT_CASE(lane_turns_test),
	KUNIT_CASE(lane_put_back_test),
	KUNIT_CASE(lane_random_test),
	{}
};

static struct kunit_suite lane_suite = {
	.name = "dmoverio-lane",
	.init = lane_init,
	.test_cases = lane_cases,
};

kunit_test_suite(lane_suite);
