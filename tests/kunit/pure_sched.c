// SPDX-License-Identifier: GPL-2.0
/* The object under test, as an object of this module */
#include "../../module/sched.c"

#include "fake.h"

/**
 * fake_start_dma() - after dmio_sched_stop_dma(), which is for ever
 */
void fake_start_dma(void)
{
	dma_stopped = false;
}
