// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl release, rescan: give DMA channels back to the kernel, for instance
 * to unload their driver, and look for channels again.
 */
#include <errno.h>
#include <string.h>

#include "dmo-ctl.h"
#include "json.h"
#include "sysfs.h"
#include "util.h"

static int run_release(struct dmo_context *ctx, char **argv)
{
	int err = sysfs_write(SYSFS_DEVICE, "release", argv[0]);

	if (ctx->json)
		json_string(ctx->result, "channel", argv[0]);
	if (err == -ENODEV || err == -ENXIO || err == -EINVAL) {
		util_error("release: %s: no such DMA channel is held; see: dmo-ctl engines",
			   argv[0]);
		return DMO_FAIL;
	}
	return err ? sysfs_explain("release", err) : DMO_OK;
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

const struct dmo_command dmo_cmd_rescan = {
	.name = "rescan",
	.summary = "look for DMA channels again, released ones included",
	.help = "Needs root.\n",
	.run = run_rescan,
};
