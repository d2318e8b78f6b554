// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: who may do a session's work.  The module's is that of sessions that
 * do not choose one.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/dmoverio.h>

#include "policy.h"

static const char *const policy_names[] = {
	[DMOVERIO_POLICY_DEFAULT]	= "default",
	[DMOVERIO_POLICY_AUTO]		= "auto",
	[DMOVERIO_POLICY_PREFER_DMA]	= "prefer-dma",
	[DMOVERIO_POLICY_REQUIRE_DMA]	= "require-dma",
	[DMOVERIO_POLICY_CPU]		= "cpu",
};

static u32 default_policy = DMOVERIO_POLICY_AUTO;

static int set_policy(const char *val, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(policy_names, val);

	if (policy < 0 || policy == DMOVERIO_POLICY_DEFAULT)
		return -EINVAL;
	WRITE_ONCE(default_policy, policy);
	return 0;
}

static int get_policy(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", policy_names[READ_ONCE(default_policy)]);
}

static const struct kernel_param_ops policy_ops = {
	.set	= set_policy,
	.get	= get_policy,
};

module_param_cb(policy, &policy_ops, NULL, 0644);
MODULE_PARM_DESC(policy, "Who does the work: auto (default), prefer-dma, require-dma, cpu");

/**
 * dmio_policy_effective() - what a session's policy means
 * @policy: DMOVERIO_POLICY_*
 *
 * Context: any.
 * Return: @policy; of the default, what it is at the moment.
 */
u32 dmio_policy_effective(u32 policy)
{
	return policy == DMOVERIO_POLICY_DEFAULT ? READ_ONCE(default_policy) : policy;
}

/**
 * dmio_policy_name() - what a user is told
 * @policy: DMOVERIO_POLICY_*, not the default
 *
 * Context: any.
 * Return: a word.
 */
const char *dmio_policy_name(u32 policy)
{
	return policy_names[policy];
}
