// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a request, pair by pair.
 */
#include <kunit/test.h>

#include "../../module/state.h"

/* The names of the states as columns and rows, in one letter each */
static const struct {
	enum dmio_state state;
	char letter;
	const char *next;
} states[] = {
	{ DMIO_STATE_NEW,	'N', "Q" },
	{ DMIO_STATE_QUEUED,	'Q', "PFC" },
	{ DMIO_STATE_PINNING,	'P', "RFC" },
	{ DMIO_STATE_RUNNING,	'R', "PQKDFC" },
	{ DMIO_STATE_PARKED,	'K', "F" },
	{ DMIO_STATE_DONE,	'D', "" },
	{ DMIO_STATE_FAILED,	'F', "" },
	{ DMIO_STATE_CANCELLED,	'C', "" },
};

static void state_pairs_test(struct kunit *test)
{
	size_t i, j;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(states), (size_t)DMIO_NR_STATES);
	for (i = 0; i < ARRAY_SIZE(states); i++)
		for (j = 0; j < ARRAY_SIZE(states); j++)
			KUNIT_EXPECT_EQ_MSG(test, dmio_state_may_follow(states[i].state,
									states[j].state),
					    !!strchr(states[i].next, states[j].letter),
					    "from %c to %c", states[i].letter, states[j].letter);
}

/* Each state stands in the table once: no pair was left out above */
static void state_complete_test(struct kunit *test)
{
	unsigned long seen = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		seen |= BIT(states[i].state);
	KUNIT_EXPECT_EQ(test, seen, BIT(DMIO_NR_STATES) - 1);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_complete_test),
	KUNIT_CASE(state_pairs_test),
	{}
};

static struct kunit_suite state_suite = {
	.name = "dmoverio-state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
