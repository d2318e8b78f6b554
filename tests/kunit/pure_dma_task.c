// SPDX-License-Identifier: GPL-2.0
/* The object under test, as an object of this module */
#include "../../module/dma_task.c"
