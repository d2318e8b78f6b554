// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl copy: a file through the device.
 *
 * Normally data passes through buffers: that works with every kind of file,
 * with one that is truncated meanwhile, and reports a full disk as such.
 * With --mmap the device works on both files' page cache, without any copy
 * by the CPU.
 */
#include <stddef.h>

#include "jobcmd.h"

static int opt_mmap;

static int run_copy(struct dmo_context *ctx, char **argv)
{
	const struct job_plan plan = {
		.function = "copy",
		.inputs = &argv[0],
		.output = argv[1],
		.map = opt_mmap,
	};

	return job_command(ctx, &plan);
}

static const struct dmo_option copy_options[] = {
	JOB_OPTION_VERIFY("read both files back and compare every byte"),
	JOB_OPTIONS,
	{
		.name = "mmap", .min = 1, .flag = &opt_mmap,
		.help = "no buffers: the device works on the mapped files",
	},
	{ .name = NULL },
};

const struct dmo_command dmo_cmd_copy = {
	.name = "copy",
	.args = "IN OUT",
	.summary = "copy a file through the device",
	.help = "\"-\" is standard input or output.  Sizes take K, M or G (1024, 1024^2, ...);\n"
		"MB/s counts 10^6 bytes.  The time includes reading IN and writing OUT.\n"
		"If the copy fails, an OUT that did not exist before is removed; one that\n"
		"turns out different with --verify is kept.\n",
	.options = copy_options,
	.nr_args = 2,
	.run = run_copy,
};
