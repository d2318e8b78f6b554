// SPDX-License-Identifier: GPL-2.0
/*
 * What is found below /sys/class/misc/dmoverio:
 *
 *	rescan		write 1: look for DMA channels again
 *	release		write a channel's name, or "all": give it back, and leave
 *			it alone until rescan, even if its driver comes anew
 *	reset		write a channel's name: use it again, if it has failed
 *	stats/		which way the bytes of all sessions went
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "dma_chan.h"
#include "stats.h"
#include "sysfs.h"

static ssize_t rescan_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	bool yes;
	int ret = kstrtobool(buf, &yes);

	if (ret)
		return ret;
	if (yes)
		dmio_dma_rescan();
	return count;
}
static DEVICE_ATTR_WO(rescan);

static ssize_t release_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	return dmio_dma_release(buf) ?: count;
}
static DEVICE_ATTR_WO(release);

static ssize_t reset_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	return dmio_dma_chan_reset(buf) ?: count;
}
static DEVICE_ATTR_WO(reset);

static struct attribute *control_attrs[] = {
	&dev_attr_rescan.attr,
	&dev_attr_release.attr,
	&dev_attr_reset.attr,
	NULL
};

static const struct attribute_group control_group = {
	.attrs = control_attrs,
};

/* A counter: its attribute has its address */
static ssize_t counter_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct dev_ext_attribute *ext = container_of(attr, struct dev_ext_attribute, attr);

	return sysfs_emit(buf, "%lld\n", atomic64_read(ext->var));
}

#define COUNTER(_name, _counter) \
	static struct dev_ext_attribute counter_##_name = { \
		__ATTR(_name, 0444, counter_show, NULL), &(_counter) \
	}

#define REASON(_name, _reason) \
	COUNTER(cpu_bytes_##_name, dmio_stats_all.cpu_bytes[_reason])

COUNTER(dma_bytes, dmio_stats_all.dma_bytes);
COUNTER(edge_bytes, dmio_stats_all.edge_bytes);
REASON(policy, DMIO_REASON_POLICY);
REASON(no_channel, DMIO_REASON_NO_CHANNEL);
REASON(small, DMIO_REASON_SMALL);
REASON(slower, DMIO_REASON_SLOWER);
REASON(unpinnable, DMIO_REASON_UNPINNABLE);
REASON(budget, DMIO_REASON_BUDGET);
REASON(mapping, DMIO_REASON_MAPPING);
REASON(busy, DMIO_REASON_BUSY);
REASON(error, DMIO_REASON_ERROR);
REASON(hang, DMIO_REASON_HANG);
REASON(removed, DMIO_REASON_REMOVED);

static struct attribute *stats_attrs[] = {
	&counter_dma_bytes.attr.attr,
	&counter_edge_bytes.attr.attr,
	&counter_cpu_bytes_policy.attr.attr,
	&counter_cpu_bytes_no_channel.attr.attr,
	&counter_cpu_bytes_small.attr.attr,
	&counter_cpu_bytes_slower.attr.attr,
	&counter_cpu_bytes_unpinnable.attr.attr,
	&counter_cpu_bytes_budget.attr.attr,
	&counter_cpu_bytes_mapping.attr.attr,
	&counter_cpu_bytes_busy.attr.attr,
	&counter_cpu_bytes_error.attr.attr,
	&counter_cpu_bytes_hang.attr.attr,
	&counter_cpu_bytes_removed.attr.attr,
	NULL
};

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

const struct attribute_group *dmio_sysfs_groups[] = {
	&control_group,
	&stats_group,
	NULL
};
