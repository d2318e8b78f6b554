// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl limits: what applies to a program started here and now.  Nothing is
 * opened: it works without the device, and without permission to use it.
 */
#include <dirent.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "dmo-ctl.h"
#include "func.h"
#include "json.h"
#include "sysfs.h"
#include "util.h"

#define QUEUE_DEPTH	256	/* of the device, per session */
#define MAX_IOVECS	1024	/* of a region */

static void put_text(struct dmo_context *ctx, const char *key,
		     const char *value, const char *what)
{
	if (ctx->json)
		json_string(ctx->result, key, value);
	else
		printf("%-22s %-12s %s\n", key, value, what);
}

static void put_number(struct dmo_context *ctx, const char *key, uint64_t value,
		       const char *what)
{
	if (ctx->json)
		json_u64(ctx->result, key, value);
	else
		printf("%-22s %-12" PRIu64 " %s\n", key, value, what);
}

static void put_bool(struct dmo_context *ctx, const char *key, bool value,
		     const char *what)
{
	if (ctx->json)
		json_bool(ctx->result, key, value);
	else
		put_text(ctx, key, value ? "yes" : "no", what);
}

static void put_limit(struct dmo_context *ctx, const char *key, rlim_t value,
		      const char *what)
{
	if (value != RLIM_INFINITY)
		put_number(ctx, key, value, what);
	else if (ctx->json)
		json_null(ctx->result, key);
	else
		put_text(ctx, key, "unlimited", what);
}

static bool has_ipc_lock(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	uint64_t caps = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %" SCNx64, &caps) == 1)
			break;
	if (f)
		fclose(f);
	return caps >> CAP_IPC_LOCK & 1;
}

static void put_parameter(struct dmo_context *ctx, const char *name)
{
	char line[256];
	uint64_t value;

	if (sysfs_read(SYSFS_PARAMETERS, name, line, sizeof(line)))
		return;
	if (!util_parse_number(line, 0, &value))
		put_number(ctx, name, value, "module parameter");
	else
		put_text(ctx, name, line, "module parameter");
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Whatever parameters there are. */
static void put_parameters(struct dmo_context *ctx)
{
	struct dirent **names;
	int nr = scandir(SYSFS_PARAMETERS, &names, is_visible, alphasort), i;

	if (ctx->json && nr < 0) {
		json_null(ctx->result, "parameters");
		return;
	}
	if (ctx->json)
		json_object(ctx->result, "parameters");
	else if (nr < 0)
		printf("%s: not there; is the module loaded?\n", SYSFS_PARAMETERS);
	for (i = 0; i < nr; i++) {
		put_parameter(ctx, names[i]->d_name);
		free(names[i]);
	}
	if (ctx->json)
		json_close(ctx->result);
	if (nr >= 0)
		free(names);
}

static int run_limits(struct dmo_context *ctx, char **argv)
{
	struct rlimit memlock = { RLIM_INFINITY, RLIM_INFINITY };

	(void)argv;
	getrlimit(RLIMIT_MEMLOCK, &memlock);
	put_bool(ctx, "usable", !access(ctx->device, R_OK | W_OK),
		 "may this user open the device?");
	put_limit(ctx, "memlock_bytes", memlock.rlim_cur,
		  "RLIMIT_MEMLOCK: pinned at a time by this user");
	put_limit(ctx, "memlock_hard_bytes", memlock.rlim_max,
		  "as far as this user may raise it");
	put_bool(ctx, "cap_ipc_lock", has_ipc_lock(),
		 "exempt from RLIMIT_MEMLOCK?");
	put_number(ctx, "queue_depth", QUEUE_DEPTH,
		   "requests of a session whose answer was not read");
	put_number(ctx, "max_iovecs", MAX_IOVECS, "of a region");
	put_number(ctx, "max_inputs", DMO_MAX_INPUTS, "regions, of xor16");
	put_parameters(ctx);
	return DMO_OK;
}

const struct dmo_command dmo_cmd_limits = {
	.name = "limits",
	.summary = "print the limits that apply here and now",
	.help = "The parameters are those of " SYSFS_PARAMETERS ".\n"
		"Limits on pinned memory make requests slower, never fail.\n",
	.run = run_limits,
};
