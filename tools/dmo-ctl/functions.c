// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl functions: which functions this device offers, found by asking for
 * each in a session of its own.
 */
#include <errno.h>
#include <stdio.h>

#include <linux/dmoverio.h>

#include "dmo-ctl.h"
#include "func.h"
#include "json.h"
#include "session.h"
#include "util.h"

static void print_row(const struct dmo_function *f, bool available)
{
	char inputs[16];

	if (f->inputs == DMO_ANY_INPUTS)
		snprintf(inputs, sizeof(inputs), "n");
	else
		snprintf(inputs, sizeof(inputs), "%d", f->inputs);
	printf("%-13s %6s  %-9s  %-9s  %s\n", f->name, inputs, f->immediate,
	       available ? "yes" : "no", f->does);
}

static void json_row(struct json *j, const struct dmo_function *f,
		     bool available)
{
	json_object(j, NULL);
	json_string(j, "name", f->name);
	if (f->inputs == DMO_ANY_INPUTS)
		json_null(j, "inputs");
	else
		json_i64(j, "inputs", f->inputs);
	json_i64(j, "outputs", f->outputs);
	if (f->immediate[0] == '-')
		json_null(j, "immediate");
	else
		json_string(j, "immediate", f->immediate);
	json_string(j, "does", f->does);
	json_bool(j, "available", available);
	json_close(j);
}

static int run_functions(struct dmo_context *ctx, char **argv)
{
	const struct dmo_function *f;
	struct dmo_session session;
	unsigned int nr_available = 0;
	size_t i;
	int err;

	(void)argv;
	for (i = 0; i < dmo_nr_functions; i++) {
		f = &dmo_functions[i];
		err = session_open(&session, ctx->device, f->name,
				   DMOVERIO_POLICY_DEFAULT, 0);
		if (err && err != -ESRCH && err != -EOPNOTSUPP)
			return session_explain_open(ctx->device, f->name, err);
		if (!err)
			session_close(&session);
		nr_available += !err;

		if (ctx->json) {
			if (!i)
				json_array(ctx->result, "functions");
			json_row(ctx->result, f, !err);
			continue;
		}
		if (!i)
			printf("%-13s %6s  %-9s  %-9s  %s\n", "NAME", "INPUTS",
			       "IMMEDIATE", "AVAILABLE", "WHAT IT DOES");
		print_row(f, !err);
	}
	if (ctx->json) {
		json_close(ctx->result);
		json_u64(ctx->result, "available", nr_available);
	}
	return DMO_OK;
}

const struct dmo_command dmo_cmd_functions = {
	.name = "functions",
	.summary = "list the functions and whether this device offers them",
	.help = "A function counts as available if the classic interface offers it, in\n"
		"either of its record layouts.  Where the module's policy is require-dma, only\n"
		"what a DMA channel can do is available.\n",
	.run = run_functions,
};
