/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DMA as a program and an administrator see it: policies, engines, which way
 * the bytes went, channels given back and taken, the simulated controller.
 *
 * As in dmio_test.h: nothing here judges, every function returns what happened.
 */
#ifndef DMA_H
#define DMA_H

#include "dmio_test.h"

/* -- ioctls: 0 or -errno */

int dt_set_policy(int fd, uint32_t policy);
int dt_get_engine(int fd, uint32_t index, struct dmoverio_engine *engine);
/* A session with a policy, given before its function is; or -errno */
int dt_open_policy(const char *func, uint32_t policy);
/* What fdinfo says of a session's policy; a word, or "" */
void dt_policy_word(int fd, char *word, size_t size);

/* -- engines */

#define DT_MAX_ENGINES	128
#define DT_DEVICE	"/sys/devices/platform/dmoverio/"	/* with a directory per channel */

struct dt_engines {
	struct dmoverio_engine engine[DT_MAX_ENGINES];
	unsigned int nr;
};

/* All that are listed: 0 or -errno */
int dt_engines(int fd, struct dt_engines *all);
/* What sysfs says of a channel: a counter, or -errno */
long long dt_channel_counter(const char *channel, const char *name);
/* A channel at work, that can do a function (DMOVERIO_FUNC_NONE: any) */
bool dt_is_channel(const struct dmoverio_engine *engine, unsigned int func);
/* How many of them there are, or -errno */
int dt_channels(int fd, unsigned int func);
/* Wait until there are so many, of any kind: 0, -errno or -ETIMEDOUT */
int dt_wait_channels(int fd, int nr);
unsigned int dt_func_id(const struct dt_func *f);
/* At least so many channels are in this guest, its environment says: 0 if it does not */
int dt_channels_expected(void);

/* -- which way the bytes went */

enum dt_way {
	DT_DMA, DT_EDGE, DT_POLICY, DT_NO_CHANNEL, DT_SMALL, DT_SLOWER, DT_UNPINNABLE,
	DT_BUDGET, DT_MAPPING, DT_BUSY, DT_ERROR, DT_HANG, DT_REMOVED, DT_NR_WAYS
};

struct dt_ways {
	long long bytes[DT_NR_WAYS];
};

struct dt_ways dt_ways(int fd);			/* of a session */
struct dt_ways dt_ways_all(void);		/* of all, since the module was loaded */
struct dt_ways dt_ways_since(struct dt_ways now, struct dt_ways before);
long long dt_ways_sum(const struct dt_ways *ways);
const char *dt_way_name(enum dt_way way);

/* -- what an administrator does: 0 or -errno */

int dt_write_line(const char *path, const char *line);
int dt_read_line(const char *path, char *line, size_t size);
int dt_release(const char *channel);
int dt_rescan(void);
int dt_rmmod(const char *module);		/* without waiting */
/* A session is gone once its last worker is, which may be after its close */
int dt_rmmod_later(const char *module);
/* A module of /modules, with "name=value" pairs */
int dt_insmod(const char *module, const char *options);
/* What a module's parameters are, as dt_insmod() takes them */
int dt_options(const char *module, char *options, size_t size);

/* What was taken away, failed or has parked memory is back: so many channels. 0 or -errno */
int dt_all_back(int nr);

/* A device loses its driver, or gets it */
int dt_bind(const char *driver, const char *device, bool bind);

/* Suspend, in part ("freezer", "devices"), for a second, if the kernel has a test of it */
bool dt_can_suspend(void);
int dt_suspend(const char *how);

/* -- the simulated controller */

bool sim_is_there(void);
int sim_bind(unsigned int device, bool bind);
int sim_set(const char *name, const char *value);	/* counts from the next bind */

#endif /* DMA_H */
