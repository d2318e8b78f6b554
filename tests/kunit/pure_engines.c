// SPDX-License-Identifier: GPL-2.0
/*
 * The object under test, as an object of this module, with a clock that only tests
 * move, and one processor, however many there are
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>

#include "fake.h"

#define ktime_get_ns()	(fake_now)
#undef num_online_cpus
#define num_online_cpus()	1U

#include "../../module/engines.c"
