// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl policy: who does the work of sessions that do not choose
 * themselves.  And the options of other commands, which do choose.
 */
#include <stdio.h>

#include <linux/dmoverio.h>

#include "dmo-ctl.h"
#include "json.h"
#include "policy.h"
#include "sysfs.h"
#include "util.h"

const struct dmo_choice policies[] = {
	{ "auto",		DMOVERIO_POLICY_AUTO },
	{ "prefer-dma",		DMOVERIO_POLICY_PREFER_DMA },
	{ "require-dma",	DMOVERIO_POLICY_REQUIRE_DMA },
	{ "cpu",		DMOVERIO_POLICY_CPU },
	{ .name = NULL },
};

const struct dmo_choice policy_engines[] = {
	{ "dma",	DMOVERIO_POLICY_REQUIRE_DMA },
	{ "cpu",	DMOVERIO_POLICY_CPU },
	{ .name = NULL },
};

uint64_t opt_policy = DMOVERIO_POLICY_DEFAULT;

const char *policy_name(uint32_t policy)
{
	const char *name = choice_name(policies, policy);

	return name ? name : "default";
}

static int show(struct dmo_context *ctx)
{
	char name[32];
	uint64_t threshold;
	int err = sysfs_read(SYSFS_PARAMETERS, "policy", name, sizeof(name));

	if (err)
		return sysfs_explain("policy", err);
	if (!ctx->json) {
		printf("%s\n", name);
		return DMO_OK;
	}
	json_string(ctx->result, "policy", name);
	if (!sysfs_read_u64(SYSFS_PARAMETERS, "dma_threshold", &threshold))
		json_u64(ctx->result, "dma_threshold", threshold);
	return DMO_OK;
}

static int run_policy(struct dmo_context *ctx, char **argv)
{
	char words[64];
	int err;

	if (!argv[0])
		return show(ctx);
	if (!choice_find(policies, argv[0])) {
		util_error("policy: '%s' is none of: %s", argv[0],
			   choice_list(policies, words, sizeof(words)));
		return DMO_USAGE;
	}
	err = sysfs_write(SYSFS_PARAMETERS, "policy", argv[0]);
	if (err)
		return sysfs_explain("policy", err);
	return show(ctx);
}

const struct dmo_command dmo_cmd_policy = {
	.name = "policy",
	.args = "[auto|prefer-dma|require-dma|cpu]",
	.summary = "print or set who does the work of sessions that do not choose",
	.help = "auto         by DMA what is worth it, as the module has learned\n"
		"prefer-dma   by DMA what it can do, of any size\n"
		"require-dma  by DMA, or it fails\n"
		"cpu          by the CPU\n"
		"It is the module's parameter \"policy\": setting it needs root.\n",
	.max_args = 1,
	.run = run_policy,
};
