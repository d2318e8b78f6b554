// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel tests of the parts that need no user memory and no device.  They
 * run when the module is loaded, where kunit.enable=1 permits it.
 *
 * What is random comes from fixed seeds: a failure repeats.
 */
#include <linux/module.h>

#include "random.h"

/**
 * dmio_test_seed() - start the random numbers of a test case
 * @test: the case; its log shows the seed
 * @rnd: result
 * @seed: any number
 */
void dmio_test_seed(struct kunit *test, struct rnd_state *rnd, u64 seed)
{
	kunit_info(test, "seed %llu\n", seed);
	prandom_seed_state(rnd, seed);
}

MODULE_DESCRIPTION("Tests of dmoverio");
MODULE_LICENSE("GPL");
