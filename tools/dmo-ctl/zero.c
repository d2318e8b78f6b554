// SPDX-License-Identifier: GPL-2.0-only
/* dmo-ctl zero: overwrite a file's contents with zeros. */
#include <stddef.h>

#include "jobcmd.h"

static uint64_t opt_size;

static int run_zero(struct dmo_context *ctx, char **argv)
{
	const struct job_plan plan = {
		.function = "zero",
		.output = argv[0],
		.in_place = true,
		.size = opt_size,
	};

	return job_command(ctx, &plan);
}

static const struct dmo_option zero_options[] = {
	JOB_OPTION_SIZE(&opt_size),
	JOB_OPTION_VERIFY("read the file back and check every byte"),
	JOB_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_zero = {
	.name = "zero",
	.args = "FILE",
	.summary = "overwrite a file with zeros",
	.help = JOB_HELP_IN_PLACE,
	.options = zero_options,
	.nr_args = 1,
	.run = run_zero,
};
