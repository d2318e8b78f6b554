// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl: the table of commands, the global options, and the dispatch.
 *
 *	dmo-ctl [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]
 *
 * Global options are taken before and behind the command's name.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <linux/dmoverio.h>

#include "dmo-ctl.h"
#include "json.h"
#include "util.h"

static const struct dmo_command *const commands[] = {
	&dmo_cmd_copy,
	&dmo_cmd_zero,
	&dmo_cmd_fill,
	&dmo_cmd_xor,
	&dmo_cmd_crc32c,
	&dmo_cmd_run,
	&dmo_cmd_bench,
	&dmo_cmd_engines,
	&dmo_cmd_functions,
	&dmo_cmd_limits,
	&dmo_cmd_policy,
	&dmo_cmd_release,
	&dmo_cmd_rescan,
	&dmo_cmd_reset,
	&dmo_cmd_selftest,
};

static struct dmo_context context = { .device = DMOVERIO_DEVICE };
static int want_help;
static int want_version;

static const struct dmo_option global_options[] = {
	{
		.name = "device", .kind = DMO_OPT_STRING, .arg = "PATH",
		.help = "the device (default " DMOVERIO_DEVICE ")",
		.string = &context.device,
	}, {
		.name = "json", .min = 1, .flag = &context.json,
		.help = "one JSON object on stdout as the result",
	}, {
		.name = "help", .letter = 'h', .min = 1, .flag = &want_help,
		.help = "this text; after a command, the command's",
	}, {
		.name = "version", .letter = 'V', .min = 1,
		.flag = &want_version, .help = "print the version",
	},
	{ .name = NULL },
};

static const struct dmo_command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int print_help(void)
{
	size_t i;

	printf("usage: dmo-ctl [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
	       "Try, test and measure " DMOVERIO_DEVICE
	       ", memory operations by DMA engines.\n\ncommands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-14s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nglobal options:\n");
	options_print(global_options);
	printf("\nexit status: 0 success; 1 a test, a verification or I/O failed;\n"
	       "2 wrong usage; 3 no device, or no permission to use it\n");
	return DMO_OK;
}

static int print_command_help(const struct dmo_command *cmd)
{
	printf("usage: dmo-ctl %s%s%s%s\n\n%s\n", cmd->name,
	       cmd->options ? " [OPTIONS]" : "", cmd->args ? " " : "",
	       cmd->args ? cmd->args : "", cmd->summary);
	if (cmd->options) {
		printf("\noptions:\n");
		options_print(cmd->options);
	}
	printf("\nglobal options:\n");
	options_print(global_options);
	if (cmd->help)
		printf("\n%s", cmd->help);
	return DMO_OK;
}

static int usage_error(const struct dmo_command *cmd)
{
	util_note("try: dmo-ctl %s%s--help", cmd ? cmd->name : "",
		  cmd ? " " : "");
	return DMO_USAGE;
}

static bool accepts(const struct dmo_command *cmd, int nr_args)
{
	int most = cmd->max_args ? cmd->max_args : cmd->nr_args;

	if (nr_args >= cmd->nr_args && nr_args <= most)
		return true;
	util_error("%s: too %s arguments", cmd->name,
		   nr_args < cmd->nr_args ? "few" : "many");
	return false;
}

static int finish_json(struct json *j, int status)
{
	const char *error = util_first_error();

	json_close_all(j);	/* a command may have failed half way */
	json_bool(j, "ok", status == DMO_OK);
	json_i64(j, "exit", status);
	if (status != DMO_OK && error)
		json_string(j, "error", error);
	if (json_print(j)) {
		util_error("cannot write the result to stdout");
		return status == DMO_OK ? DMO_FAIL : status;
	}
	return status;
}

static int finish_text(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		util_error("cannot write to stdout");
		return status == DMO_OK ? DMO_FAIL : status;
	}
	return status;
}

static int run_command(const struct dmo_command *cmd, char **argv)
{
	struct json result;
	int status;

	if (!context.json)
		return finish_text(cmd->run(&context, argv));
	if (json_init(&result)) {
		util_error("no memory for the result");
		return DMO_FAIL;
	}
	context.result = &result;
	json_string(&result, "command", cmd->name);
	json_string(&result, "device", context.device);
	status = cmd->run(&context, argv);
	return finish_json(&result, status);
}

/* A caught signal ends us as if it had not been caught. */
static int finish(int status)
{
	int sig = util_stop_signal();

	if (sig) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	return status;
}

int main(int argc, char **argv)
{
	const struct dmo_command *cmd;
	int first;

	first = options_parse(argc, argv, NULL, global_options, 1);
	if (first < 0)
		return usage_error(NULL);
	if (want_version) {
		printf("dmo-ctl %s\n", DMO_CTL_VERSION);
		return finish_text(DMO_OK);
	}
	if (want_help)
		return finish_text(print_help());
	if (first == argc) {
		util_error("which command?");
		return usage_error(NULL);
	}
	cmd = find_command(argv[first]);
	if (!cmd) {
		util_error("%s: no such command", argv[first]);
		return usage_error(NULL);
	}

	argc -= first;
	argv += first;
	first = options_parse(argc, argv, cmd->options, global_options, 0);
	if (first < 0)
		return usage_error(cmd);
	if (want_help)
		return finish_text(print_command_help(cmd));
	if (!accepts(cmd, argc - first))
		return usage_error(cmd);
	return finish(run_command(cmd, argv + first));
}
