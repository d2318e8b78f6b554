// SPDX-License-Identifier: GPL-2.0
/*
 * An engine's counters in sysfs.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>

#include "engine.h"
#include "engine_sysfs.h"
#include "engines.h"
#include "platform.h"

/**
 * struct dmio_engine_dir - a directory
 * @kobj: its references
 * @released: there are none any more
 * @engine: there until the directory was removed
 */
struct dmio_engine_dir {
	struct kobject kobj;
	struct completion released;
	const struct dmio_engine *engine;
};

struct counter {
	struct attribute attr;
	size_t offset;		/* of a u64 in struct dmio_engine */
};

#define COUNTER(_name) \
	static struct counter counter_##_name = { \
		.attr = { .name = #_name, .mode = 0444 }, \
		.offset = offsetof(struct dmio_engine, _name), \
	}

COUNTER(queued_bytes);
COUNTER(windows);
COUNTER(bytes);
COUNTER(edge_bytes);
COUNTER(errors);
COUNTER(restarts);
COUNTER(parked_pages);

static struct attribute *engine_attrs[] = {
	&counter_queued_bytes.attr,
	&counter_windows.attr,
	&counter_bytes.attr,
	&counter_edge_bytes.attr,
	&counter_errors.attr,
	&counter_restarts.attr,
	&counter_parked_pages.attr,
	NULL
};
ATTRIBUTE_GROUPS(engine);

static ssize_t engine_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct dmio_engine_dir *dir = container_of(kobj, struct dmio_engine_dir, kobj);
	struct counter *counter = container_of(attr, struct counter, attr);

	return sysfs_emit(buf, "%llu\n", dmio_engines_counter(dir->engine, counter->offset));
}

static const struct sysfs_ops engine_sysfs_ops = {
	.show	= engine_show,
};

static void engine_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct dmio_engine_dir, kobj)->released);
}

static struct kobj_type engine_type = {
	.sysfs_ops	= &engine_sysfs_ops,
	.release	= engine_release,
	.default_groups	= engine_groups,
};

/**
 * dmio_engine_dir_create() - show an engine
 * @engine: stays until the directory was removed
 * @name: of the directory
 *
 * Context: may sleep.
 * Return: the directory; NULL if there is none, which hurts nobody.
 */
struct dmio_engine_dir *dmio_engine_dir_create(const struct dmio_engine *engine, const char *name)
{
	struct dmio_engine_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);

	if (!dir)
		return NULL;
	dir->engine = engine;
	init_completion(&dir->released);
	if (kobject_init_and_add(&dir->kobj, &engine_type, &dmio_platform_device()->kobj,
				 "%s", name)) {
		kobject_put(&dir->kobj);
		wait_for_completion(&dir->released);
		kfree(dir);
		return NULL;
	}
	return dir;
}

/**
 * dmio_engine_dir_remove() - show it no longer
 * @dir: the directory, or NULL
 *
 * Context: may sleep; waits for those who are reading, and for all references.
 */
void dmio_engine_dir_remove(struct dmio_engine_dir *dir)
{
	if (!dir)
		return;
	kobject_del(&dir->kobj);
	kobject_put(&dir->kobj);
	wait_for_completion(&dir->released);
	kfree(dir);
}
