// SPDX-License-Identifier: GPL-2.0
/* The object under test, as an object of this module; see user_shim.h */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "user_shim.h"

#undef kmalloc
#define kmalloc		user_shim_alloc
#undef kfree
#define kfree		user_shim_free
#undef kfree_sensitive
#define kfree_sensitive	user_shim_free
#undef copy_from_user
#define copy_from_user	user_shim_read
#undef copy_to_user
#define copy_to_user	user_shim_write

#include "../../module/cpu_user.c"
