/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dmo-ctl: try, test and measure /dev/dmoverio.
 *
 * What every command shares: the exit codes, the context and the row a
 * command has in main.c's table.  A new command is one file with its
 * struct dmo_command, one line here and one row there.
 */
#ifndef DMO_CTL_H
#define DMO_CTL_H

#include "options.h"

#define DMO_CTL_VERSION	"0.1.0"

enum dmo_exit {
	DMO_OK		= 0,
	DMO_FAIL	= 1,	/* a test or verification failed, or I/O did */
	DMO_USAGE	= 2,	/* the command line is wrong */
	DMO_NODEV	= 3,	/* no device, or no permission to use it */
};

struct json;

/**
 * struct dmo_context - what the global options say
 * @device: path of the device
 * @json: print one JSON object on stdout instead of text
 * @result: that object; commands add their members, main() prints it
 */
struct dmo_context {
	const char *device;
	int json;
	struct json *result;
};

/**
 * struct dmo_command - one subcommand
 * @name: what the user types
 * @args: its arguments, for the usage line
 * @summary: one line for the list of commands
 * @help: more text for the command's own help, or NULL
 * @options: its options, ended by a row without name, or NULL
 * @nr_args: number of arguments after the options
 * @max_args: up to so many instead, if not 0
 * @run: does the work; @argv ends with a NULL; returns enum dmo_exit
 */
struct dmo_command {
	const char *name;
	const char *args;
	const char *summary;
	const char *help;
	const struct dmo_option *options;
	int nr_args;
	int max_args;
	int (*run)(struct dmo_context *ctx, char **argv);
};

extern const struct dmo_command dmo_cmd_bench;
extern const struct dmo_command dmo_cmd_copy;
extern const struct dmo_command dmo_cmd_crc32c;
extern const struct dmo_command dmo_cmd_engines;
extern const struct dmo_command dmo_cmd_fill;
extern const struct dmo_command dmo_cmd_functions;
extern const struct dmo_command dmo_cmd_limits;
extern const struct dmo_command dmo_cmd_policy;
extern const struct dmo_command dmo_cmd_release;
extern const struct dmo_command dmo_cmd_rescan;
extern const struct dmo_command dmo_cmd_reset;
extern const struct dmo_command dmo_cmd_run;
extern const struct dmo_command dmo_cmd_selftest;
extern const struct dmo_command dmo_cmd_xor;
extern const struct dmo_command dmo_cmd_zero;

#endif /* DMO_CTL_H */
