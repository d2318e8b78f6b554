// SPDX-License-Identifier: GPL-2.0-only
/* dmo-ctl fill: overwrite a file's contents with one byte. */
#include <stddef.h>

#include "jobcmd.h"
#include "util.h"

static uint64_t opt_size;

static int run_fill(struct dmo_context *ctx, char **argv)
{
	struct job_plan plan = {
		.function = "fill8",
		.output = argv[1],
		.in_place = true,
		.size = opt_size,
	};
	uint64_t byte;

	if (util_parse_number(argv[0], 0, &byte) || byte > UINT8_MAX) {
		util_error("%s: not a byte (0 to 255, or 0x00 to 0xff)", argv[0]);
		return DMO_USAGE;
	}
	plan.immediate = (uint8_t)byte;
	return job_command(ctx, &plan);
}

static const struct dmo_option fill_options[] = {
	JOB_OPTION_SIZE(&opt_size),
	JOB_OPTION_VERIFY("read the file back and check every byte"),
	JOB_OPTIONS,
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_fill = {
	.name = "fill",
	.args = "BYTE FILE",
	.summary = "overwrite a file with one byte, repeated",
	.help = "BYTE is a number: 170, 0xaa or 0252.\n" JOB_HELP_IN_PLACE,
	.options = fill_options,
	.nr_args = 2,
	.run = run_fill,
};
