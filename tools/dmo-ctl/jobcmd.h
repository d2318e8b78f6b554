/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands have in common that send files through the device: their
 * options, the order in which things are opened, checked and cleaned up, and
 * the report.
 */
#ifndef DMO_CTL_JOBCMD_H
#define DMO_CTL_JOBCMD_H

#include "dmo-ctl.h"
#include "job.h"
#include "policy.h"

/**
 * struct job_options - what the user asked for
 * @chunk, @depth: 0: choose
 * @verify: read everything back and compare
 * @progress: as progress_start() wants it
 */
struct job_options {
	uint64_t chunk, depth;
	int verify;
	int progress;
};

extern struct job_options job_options;

/* The rows of them, for a command's table */
#define JOB_OPTIONS							\
	{								\
		.name = "chunk", .kind = DMO_OPT_SIZE, .arg = "SIZE",	\
		.help = "bytes per request (default 1M)",		\
		.min = 1, .max = 1ull << 30, .number = &job_options.chunk, \
	}, {								\
		.name = "depth", .kind = DMO_OPT_NUMBER, .arg = "N",	\
		.help = "requests in flight (default 8, fewer with many inputs)", \
		.min = 1, .max = RING_MAX_DEPTH,				\
		.number = &job_options.depth,				\
	}, {								\
		.name = "progress", .min = 1, .flag = &job_options.progress, \
		.help = "show progress even if stderr is no terminal",	\
	}, {								\
		.name = "no-progress", .min = 0,			\
		.flag = &job_options.progress,				\
		.help = "never show progress",				\
	},								\
	POLICY_OPTIONS

#define JOB_OPTION_VERIFY(text)						\
	{								\
		.name = "verify", .min = 1, .flag = &job_options.verify,	\
		.help = (text),						\
	}

#define JOB_OPTION_SIZE(where)						\
	{								\
		.name = "size", .kind = DMO_OPT_SIZE, .arg = "SIZE",	\
		.help = "create FILE, or make it longer: this long afterwards", \
		.min = 1, .max = INT64_MAX, .number = (where),		\
	}

/* For the help of commands that use it */
#define JOB_HELP_IN_PLACE						\
	"FILE must be a regular file; its length is kept, or becomes that of --size,\n" \
	"which creates a FILE that does not exist and never makes one shorter.  What\n" \
	"was overwritten when the command fails stays overwritten; a FILE that it\n" \
	"created is removed.  Sizes take K, M or G (1024, 1024^2, ...).\n"

/**
 * struct job_plan - what a command wants done
 * @function: which function
 * @inputs: paths of the inputs, as many as it has; "-" is standard input
 * @output: path of the output, or NULL; "-" is standard output
 * @in_place: overwrite what the output holds, and keep its length
 * @size: with @in_place: its length afterwards, 0 to keep it
 * @immediate: byte 0 of the immediate
 * @map: no buffers
 */
struct job_plan {
	const char *function;
	char *const *inputs;
	const char *output;
	bool in_place;
	uint64_t size;
	uint8_t immediate;
	bool map;
};

/* Do it and report; returns enum dmo_exit. */
int job_command(struct dmo_context *ctx, const struct job_plan *plan);

#endif /* DMO_CTL_JOBCMD_H */
