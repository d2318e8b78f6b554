// SPDX-License-Identifier: GPL-2.0
/*
 * The object under test, as an object of this module, with a clock that only tests
 * move
 */
#include <linux/ktime.h>

#include "fake.h"

#define ktime_get_ns()	(fake_nr_clocks++, fake_now)

#include "../../module/choice.c"
