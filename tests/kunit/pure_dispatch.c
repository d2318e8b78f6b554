// SPDX-License-Identifier: GPL-2.0
/*
 * The object under test, as an object of this module, with a clock that only tests
 * move; what its worker would do later, it does when they want it
 */
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "fake.h"

#define ktime_get_ns()	(fake_now)
#define queue_delayed_work(wq, work, delay)	((void)fake_nr_looks++)

#include "../../module/dispatch.c"

/**
 * fake_settle() - wait until the scheduler's worker has nothing to do
 *
 * It wakes itself if it has more to do than it may at once.
 */
void fake_settle(void)
{
	while (flush_work(&kick))
		;
}

/**
 * fake_look() - have the scheduler do what it wanted to do later
 */
void fake_look(void)
{
	kick_work(&kick);
}
