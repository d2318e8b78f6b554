// SPDX-License-Identifier: GPL-2.0-only
/* dmo-ctl xor: the XOR of 2 to 16 files. */
#include <stdio.h>

#include "jobcmd.h"

static int run_xor(struct dmo_context *ctx, char **argv)
{
	struct job_plan plan = {
		.inputs = &argv[1],
		.output = argv[0],
	};
	char function[16];
	unsigned int nr = 0;

	while (plan.inputs[nr])
		nr++;
	snprintf(function, sizeof(function), "xor%u", nr);
	plan.function = function;
	return job_command(ctx, &plan);
}

static const struct dmo_option xor_options[] = {
	JOB_OPTION_VERIFY("read all files back and compare every byte"),
	JOB_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_xor = {
	.name = "xor",
	.args = "OUT IN1 IN2 [IN3 ... IN16]",
	.summary = "XOR files of equal length",
	.help = "\"-\" is standard output, and for one of the inputs standard input.  OUT may\n"
		"not be one of the inputs; an input may be named more than once.  If the\n"
		"command fails, an OUT that did not exist before is removed; one that turns\n"
		"out wrong with --verify is kept.\n",
	.options = xor_options,
	.nr_args = 1 + 2,
	.max_args = 1 + DMO_MAX_INPUTS,
	.run = run_xor,
};
