// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl crc32c: the CRC-32C of a file, chunk by chunk: the result of one is
 * the seed of the next.
 */
#include <stddef.h>

#include "jobcmd.h"

static int run_crc32c(struct dmo_context *ctx, char **argv)
{
	const struct job_plan plan = {
		.function = "iscsi-crc32c",
		.inputs = argv,
	};

	return job_command(ctx, &plan);
}

static const struct dmo_option crc32c_options[] = {
	JOB_OPTION_VERIFY("compute it in software, too, and compare"),
	JOB_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_crc32c = {
	.name = "crc32c",
	.args = "FILE",
	.summary = "print the CRC-32C of a file",
	.help = "\"-\" is standard input.  The CRC of \"123456789\" is e3069283.  One request is\n"
		"in flight at a time; --depth says how many chunks are read ahead.\n",
	.options = crc32c_options,
	.nr_args = 1,
	.run = run_crc32c,
};
