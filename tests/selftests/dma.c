// SPDX-License-Identifier: GPL-2.0
/*
 * DMA as a program and an administrator see it; see dma.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dma.h"

#define CONTROL		"/sys/class/misc/dmoverio/"
#define SIM_DRIVER	"/sys/bus/platform/drivers/dmover-sim/"
#define PM_TEST		"/sys/power/pm_test"
#define PM_STATE	"/sys/power/state"
#define PM_DELAY	"/sys/module/suspend/parameters/pm_test_delay"
#define SIM_PARAMETERS	"/sys/module/dmover_sim/parameters/"

int dt_set_policy(int fd, uint32_t policy)
{
	struct dmoverio_policy arg = { sizeof(arg), policy };

	return ioctl(fd, DMOVERIO_IOC_SET_POLICY, &arg) ? -errno : 0;
}

int dt_get_engine(int fd, uint32_t index, struct dmoverio_engine *engine)
{
	memset(engine, 0xa5, sizeof(*engine));
	engine->size = sizeof(*engine);
	engine->index = index;
	engine->resv = 0;
	return ioctl(fd, DMOVERIO_IOC_GET_ENGINE, engine) ? -errno : 0;
}

int dt_open_policy(const char *func, uint32_t policy)
{
	int fd = dt_open(NULL, 0), err;

	if (fd < 0)
		return fd;
	err = dt_set_policy(fd, policy);
	if (!err)
		err = dt_setfunc(fd, func);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static FILE *open_fdinfo(int fd)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		dt_die(path);
	return f;
}

void dt_policy_word(int fd, char *word, size_t size)
{
	FILE *f = open_fdinfo(fd);
	char line[256], found[32];

	word[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "policy: %31s", found) == 1)
			snprintf(word, size, "%s", found);
	fclose(f);
}

int dt_engines(int fd, struct dt_engines *all)
{
	for (all->nr = 0; all->nr < DT_MAX_ENGINES; all->nr++) {
		int err = dt_get_engine(fd, all->nr, &all->engine[all->nr]);

		if (err)
			return err == -ENOENT ? 0 : err;
	}
	return -E2BIG;
}

long long dt_channel_counter(const char *channel, const char *name)
{
	char path[128], line[32];
	int err;

	snprintf(path, sizeof(path), DT_DEVICE "%s/%s", channel, name);
	err = dt_read_line(path, line, sizeof(line));
	return err ? err : atoll(line);
}

bool dt_is_channel(const struct dmoverio_engine *engine, unsigned int func)
{
	return engine->id > 1 && engine->state == DMOVERIO_ENGINE_ACTIVE &&
	       (!func || engine->funcs >> func & 1);
}

int dt_channels(int fd, unsigned int func)
{
	struct dt_engines all;
	int err = dt_engines(fd, &all), nr = 0;

	for (unsigned int i = 0; i < all.nr; i++)
		nr += dt_is_channel(&all.engine[i], func);
	return err ? err : nr;
}

int dt_wait_channels(int fd, int nr)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int now = dt_channels(fd, DMOVERIO_FUNC_NONE);

	while (now >= 0 && now != nr && dt_now_ms() < end) {
		dt_sleep_ms(10);
		now = dt_channels(fd, DMOVERIO_FUNC_NONE);
	}
	return now < 0 ? now : now == nr ? 0 : -ETIMEDOUT;
}

unsigned int dt_func_id(const struct dt_func *f)
{
	static const unsigned int ids[] = {
		[DT_ZERO] = DMOVERIO_FUNC_ZERO, [DT_FILL8] = DMOVERIO_FUNC_FILL8,
		[DT_COPY] = DMOVERIO_FUNC_COPY, [DT_XOR] = DMOVERIO_FUNC_XOR,
	};

	return ids[f->op];
}

int dt_channels_expected(void)
{
	const char *env = getenv("DMIO_TEST_CHANNELS");

	return env ? atoi(env) : 0;
}

static const char *const way_names[DT_NR_WAYS] = {
	[DT_DMA] = "dma-bytes", [DT_EDGE] = "edge-bytes", [DT_POLICY] = "cpu-bytes-policy",
	[DT_NO_CHANNEL] = "cpu-bytes-no-channel", [DT_SMALL] = "cpu-bytes-small",
	[DT_SLOWER] = "cpu-bytes-slower",
	[DT_UNPINNABLE] = "cpu-bytes-unpinnable", [DT_BUDGET] = "cpu-bytes-budget",
	[DT_MAPPING] = "cpu-bytes-mapping", [DT_BUSY] = "cpu-bytes-busy",
	[DT_ERROR] = "cpu-bytes-error", [DT_HANG] = "cpu-bytes-hang",
	[DT_REMOVED] = "cpu-bytes-removed",
};

const char *dt_way_name(enum dt_way way)
{
	return way_names[way];
}

struct dt_ways dt_ways(int fd)
{
	struct dt_ways ways = { .bytes = { 0 } };
	unsigned int found = 0;
	FILE *f = open_fdinfo(fd);
	char line[256], name[64];
	long long bytes;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %lld", name, &bytes) != 2)
			continue;
		for (unsigned int i = 0; i < DT_NR_WAYS; i++) {
			if (!strcmp(name, way_names[i])) {
				ways.bytes[i] = bytes;
				found++;
			}
		}
	}
	fclose(f);
	errno = ENOENT;
	if (found != DT_NR_WAYS)
		dt_die("counters in fdinfo");
	return ways;
}

struct dt_ways dt_ways_all(void)
{
	struct dt_ways ways;

	for (unsigned int i = 0; i < DT_NR_WAYS; i++) {
		char path[128], line[32];

		snprintf(path, sizeof(path), CONTROL "stats/%s", way_names[i]);
		for (char *c = path + strlen(CONTROL); *c; c++)
			if (*c == '-')
				*c = '_';
		if (dt_read_line(path, line, sizeof(line)))
			dt_die(path);
		ways.bytes[i] = atoll(line);
	}
	return ways;
}

struct dt_ways dt_ways_since(struct dt_ways now, struct dt_ways before)
{
	for (unsigned int i = 0; i < DT_NR_WAYS; i++)
		now.bytes[i] -= before.bytes[i];
	return now;
}

long long dt_ways_sum(const struct dt_ways *ways)
{
	long long sum = 0;

	for (unsigned int i = 0; i < DT_NR_WAYS; i++)
		sum += ways->bytes[i];
	return sum;
}

int dt_write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write(fd, line, strlen(line)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

int dt_read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	if (!fgets(line, size, f))
		line[0] = 0;
	fclose(f);
	line[strcspn(line, "\n")] = 0;
	return 0;
}

int dt_release(const char *channel)
{
	return dt_write_line(CONTROL "release", channel);
}

int dt_rescan(void)
{
	return dt_write_line(CONTROL "rescan", "1");
}

int dt_rmmod(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

int dt_rmmod_later(const char *module)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int err;

	while ((err = dt_rmmod(module)) == -EAGAIN && dt_now_ms() < end)
		dt_sleep_ms(10);
	return err;
}

int dt_insmod(const char *module, const char *options)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/modules/%s.ko", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, options, 0) ? -errno : 0;
	close(fd);
	return err;
}

int dt_options(const char *module, char *options, size_t size)
{
	char path[512], value[128];
	struct dirent *entry;
	size_t len = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters", module);
	dir = opendir(path);
	if (!dir)
		return -errno;
	options[0] = 0;
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module,
			 entry->d_name);
		if (entry->d_name[0] != '.' && !dt_read_line(path, value, sizeof(value)) &&
		    len < size)
			len += snprintf(options + len, size - len, "%s=%s ", entry->d_name, value);
	}
	closedir(dir);
	return len < size ? 0 : -E2BIG;
}

bool dt_can_suspend(void)
{
	char line[128] = "";

	return !dt_read_line(PM_TEST, line, sizeof(line)) && strstr(line, "freezer") &&
	       !dt_read_line(PM_STATE, line, sizeof(line)) && strstr(line, "freeze");
}

int dt_suspend(const char *how)
{
	char was[16] = "";
	int err;

	/*
	 * A slow machine may need more than 20 s for the freezing of all tasks, and who
	 * keeps it awake does so for ever
	 */
	dt_write_line("/sys/power/pm_freeze_timeout", "60000");
	if (!dt_read_line(PM_DELAY, was, sizeof(was)))
		dt_write_line(PM_DELAY, "1");
	err = dt_write_line(PM_TEST, how);
	if (!err)
		err = dt_write_line(PM_STATE, "freeze");
	dt_write_line(PM_TEST, "none");
	dt_write_line(PM_DELAY, was);
	return err;
}

int dt_bind(const char *driver, const char *device, bool bind)
{
	static const char *const buses[] = { "platform", "pci" };
	char path[128];
	int err = -ENOENT;

	for (unsigned int i = 0; i < sizeof(buses) / sizeof(buses[0]) && err == -ENOENT; i++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/drivers/%s/%s", buses[i], driver,
			 bind ? "bind" : "unbind");
		err = dt_write_line(path, device);
	}
	return err;
}

bool sim_is_there(void)
{
	return !access(SIM_DRIVER "bind", W_OK);
}

int sim_bind(unsigned int device, bool bind)
{
	char name[32];

	snprintf(name, sizeof(name), "dmover-sim.%u", device);
	return dt_bind("dmover-sim", name, bind);
}

int dt_all_back(int nr)
{
	int fd = dt_open(NULL, 0), err = 0;

	if (fd < 0)
		return fd;
	if (sim_is_there()) {
		sim_bind(0, false);
		err = sim_bind(0, true);
	}
	if (!err)
		err = dt_rescan();
	if (!err)
		err = dt_wait_channels(fd, nr);
	close(fd);
	return err;
}

int sim_set(const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), SIM_PARAMETERS "%s", name);
	return dt_write_line(path, value);
}
