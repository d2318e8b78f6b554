// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "sysfs.h"
#include "util.h"

/* Named as in the device's directory "stats"; fdinfo has dashes in them. */
static const struct {
	const char *name;
	const char *text;
} counters[NR_COUNTERS] = {
	[COUNTER_DMA] = { "dma_bytes", "by DMA" },
	[COUNTER_EDGE] = { "edge_bytes", "by the CPU: edges of what DMA did" },
	[COUNTER_POLICY] = { "cpu_bytes_policy",
		"by the CPU: the policy wants it" },
	[COUNTER_NO_CHANNEL] = { "cpu_bytes_no_channel",
		"by the CPU: no DMA channel can do it" },
	[COUNTER_SMALL] = { "cpu_bytes_small",
		"by the CPU: too small, or in too small pieces" },
	[COUNTER_SLOWER] = { "cpu_bytes_slower",
		"by the CPU: DMA would not have been worth it" },
	[COUNTER_UNPINNABLE] = { "cpu_bytes_unpinnable",
		"by the CPU: memory that cannot be pinned" },
	[COUNTER_BUDGET] = { "cpu_bytes_budget",
		"by the CPU: no more memory may be pinned (ulimit -l)" },
	[COUNTER_MAPPING] = { "cpu_bytes_mapping",
		"by the CPU: memory that cannot be mapped for the channel" },
	[COUNTER_BUSY] = { "cpu_bytes_busy",
		"by the CPU: the channel took no more" },
	[COUNTER_ERROR] = { "cpu_bytes_error",
		"by the CPU: the channel failed" },
	[COUNTER_HANG] = { "cpu_bytes_hang",
		"by the CPU: the channel did not finish" },
	[COUNTER_REMOVED] = { "cpu_bytes_removed",
		"by the CPU: the channel went away" },
};

static bool same_name(const char *name, const char *dashed)
{
	for (; *name && *dashed; name++, dashed++)
		if (*dashed != (*name == '_' ? '-' : *name))
			return false;
	return !*name && !*dashed;
}

int counters_of_session(int fd, struct counters *c)
{
	char path[64], line[256], name[64];
	bool found = false;
	uint64_t value;
	FILE *f;
	int i;

	memset(c, 0, sizeof(*c));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %" SCNu64, name, &value) != 2)
			continue;
		for (i = 0; i < NR_COUNTERS; i++) {
			if (!same_name(counters[i].name, name))
				continue;
			c->bytes[i] = value;
			found = true;
		}
	}
	fclose(f);
	return found ? 0 : -ENOENT;
}

int counters_of_module(struct counters *c)
{
	bool found = false;
	int i, err;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < NR_COUNTERS; i++) {
		err = sysfs_read_u64(SYSFS_DEVICE "/stats", counters[i].name,
				     &c->bytes[i]);
		if (err && err != -ENOENT)
			return err;
		found = found || !err;
	}
	return found ? 0 : -ENOENT;
}

uint64_t counters_total(const struct counters *c)
{
	uint64_t total = 0;
	int i;

	for (i = 0; i < NR_COUNTERS; i++)
		total += c->bytes[i];
	return total;
}

double counters_share(const struct counters *c, enum counter which)
{
	uint64_t total = counters_total(c);

	return total ? (double)c->bytes[which] / (double)total : 0;
}

void counters_add(struct counters *sum, const struct counters *before,
		  const struct counters *now)
{
	int i;

	for (i = 0; i < NR_COUNTERS; i++)
		sum->bytes[i] += now->bytes[i] - before->bytes[i];
}

void counters_print(const struct counters *c)
{
	int i;

	for (i = 0; i < NR_COUNTERS; i++)
		if (c->bytes[i])
			printf("%16" PRIu64 " bytes %5.1f %%  %s\n",
			       c->bytes[i], 100 * counters_share(c, i),
			       counters[i].text);
}

void counters_json(struct json *j, const char *key, const struct counters *c)
{
	int i;

	json_object(j, key);
	for (i = 0; i < NR_COUNTERS; i++)
		json_u64(j, counters[i].name, c->bytes[i]);
	json_close(j);
}
