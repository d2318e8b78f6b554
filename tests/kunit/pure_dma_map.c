// SPDX-License-Identifier: GPL-2.0
/* The object under test, as an object of this module; see map_shim.h */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "map_shim.h"

#undef kvmalloc_array
#define kvmalloc_array		map_shim_alloc
#undef kvfree
#define kvfree			map_shim_free
#undef dma_map_sg_attrs
#define dma_map_sg_attrs	map_shim_map
#undef dma_unmap_sg_attrs
#define dma_unmap_sg_attrs	map_shim_unmap

#include "../../module/dma_map.c"
