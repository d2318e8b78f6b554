// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl release, rescan, reset: give DMA channels back to the kernel, for
 * instance to unload their driver, look for channels again, and use one again that
 * has failed.
 */
#include <errno.h>
#include <string.h>

#include "dmo-ctl.h"
#include "json.h"
#include "sysfs.h"
#include "util.h"

static int write_channel(struct dmo_context *ctx, const char *file,
			 const char *channel)
{
	int err = sysfs_write(SYSFS_DEVICE, file, channel);

	if (ctx->json)
		json_string(ctx->result, "channel", channel);
	if (err == -ENODEV || err == -ENXIO || err == -EINVAL) {
		util_error("%s: %s: no such DMA channel is held; see: dmo-ctl engines",
			   file, channel);
		return DMO_FAIL;
	}
	if (err == -EBUSY) {
		util_error("%s: %s: it may still write to memory that it was given, or somebody else has it; see: dmo-ctl engines",
			   file, channel);
		return DMO_FAIL;
	}
	return err ? sysfs_explain(file, err) : DMO_OK;
}

static int run_release(struct dmo_context *ctx, char **argv)
{
	return write_channel(ctx, "release", argv[0]);
}

static int run_reset(struct dmo_context *ctx, char **argv)
{
	return write_channel(ctx, "reset", argv[0]);
}

static int run_rescan(struct dmo_context *ctx, char **argv)
{
	int err = sysfs_write(SYSFS_DEVICE, "rescan", "1");

	(void)ctx;
	(void)argv;
	return err ? sysfs_explain("rescan", err) : DMO_OK;
}

const struct dmo_command dmo_cmd_release = {
	.name = "release",
	.args = "CHANNEL|all",
	.summary = "give a DMA channel back: its driver can be unloaded then",
	.help = "The channel finishes what it has; other engines go on.  It stays away until\n"
		"\"dmo-ctl rescan\".  Needs root.\n",
	.nr_args = 1,
	.run = run_release,
};

const struct dmo_command dmo_cmd_reset = {
	.name = "reset",
	.args = "CHANNEL",
	.summary = "use a DMA channel again, at once, that has failed",
	.help = "It is taken out of quarantine; or, if it was disabled, tried once more.  Not\n"
		"while it has parked pages: unbind its driver, or wait.  Needs root.\n",
	.nr_args = 1,
	.run = run_reset,
};

const struct dmo_command dmo_cmd_rescan = {
	.name = "rescan",
	.summary = "look for DMA channels again, released ones included",
	.help = "Needs root.\n",
	.run = run_rescan,
};
