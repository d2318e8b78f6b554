// SPDX-License-Identifier: GPL-2.0
/*
 * The object under test, as an object of this module, with a clock that only tests
 * move
 */
#include <linux/ktime.h>

#include "fake.h"

#define ktime_get_ns()	(fake_now)

#include "../../module/sched.c"

/**
 * fake_start_dma() - after dmio_sched_stop_dma(), which is for ever
 */
void fake_start_dma(void)
{
	dmio_engines_no_dma = false;
}
