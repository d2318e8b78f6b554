/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Policies: who may do a session's work.
 */
#ifndef DMIO_POLICY_H
#define DMIO_POLICY_H

#include <linux/types.h>

u32 dmio_policy_effective(u32 policy);
const char *dmio_policy_name(u32 policy);

#endif /* DMIO_POLICY_H */
