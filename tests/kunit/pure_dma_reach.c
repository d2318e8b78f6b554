// SPDX-License-Identifier: GPL-2.0
/* The object under test, as an object of this module; see reach_shim.h */
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>

#include "reach_shim.h"

#undef dma_addressing_limited
#define dma_addressing_limited	reach_shim_limited
#undef phys_to_dma
#define phys_to_dma		reach_shim_addr

#include "../../module/dma_reach.c"
