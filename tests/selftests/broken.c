// SPDX-License-Identifier: GPL-2.0
/*
 * Controllers that fail when they are told to; see broken.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broken.h"

#define SIM_MODULE	"dmover_sim"

#define LEARN		"/sys/module/dmoverio/parameters/learn"

/* After twice so many ms without progress it resets the channel */
#define IOAT_PATIENCE	"/sys/module/ioatdma/parameters/completion_timeout"

enum { FAULT_KIND, FAULT_SKIP, FAULT_DELAY, FAULT_DUE };

/* The first channel at work, and how many there are; or -errno */
static int find_channels(struct bk *bk)
{
	struct dt_engines all;
	int err = dt_engines(bk->fd, &all), nr = 0;

	for (unsigned int i = 0; i < all.nr && !err; i++) {
		const struct dmoverio_engine *e = &all.engine[i];

		if (!dt_is_channel(e, DMOVERIO_FUNC_COPY) || nr++)
			continue;
		snprintf(bk->name, sizeof(bk->name), "%s", e->name);
		snprintf(bk->device, sizeof(bk->device), "%s", e->device);
		snprintf(bk->driver, sizeof(bk->driver), "%s", e->driver);
	}
	return err ? err : nr;
}

static const char *begin(struct bk *bk)
{
	char learn[8] = "";

	bk->watchdog_ms = dt_param("watchdog_ms");
	bk->backoff_ms = dt_param("backoff_ms");
	bk->drain_ms = dt_param("drain_ms");
	dt_read_line(LEARN, learn, sizeof(learn));
	bk->learn = learn[0] == 'Y';
	bk->fd = dt_open(NULL, 0);
	if (bk->fd < 0)
		return "no session to be had";
	if (bk->watchdog_ms < 0 || bk->backoff_ms < 0 || bk->drain_ms < 0)
		return "no parameters of the module to be had";
	return dt_set_param("watchdog_ms", BK_NEVER_MS) || dt_set_param("learn", 0) ?
	       "no parameter can be set" : NULL;
}

static int remove_sim(struct bk *bk)
{
	int err = dt_release("all");

	return err && err != -ENODEV ? err : dt_rmmod(SIM_MODULE);
}

const char *bk_begin_sim(struct bk *bk, const char *driver, const char *options)
{
	const char *why = begin(bk);
	int err;

	if (why)
		return why;
	if (!dt_options(SIM_MODULE, bk->was, sizeof(bk->was))) {
		if (remove_sim(bk))
			return "the simulated controller of this guest cannot be removed";
	} else {
		bk->was[0] = 0;
	}
	if (dt_channels(bk->fd, DMOVERIO_FUNC_NONE))
		return "another DMA controller is at work in this guest";
	err = dt_insmod("dmover-sim", options);
	if (err)
		return err == -ENOENT ? "no simulated controller in this guest" :
					"the simulated controller cannot be loaded";
	snprintf(bk->options, sizeof(bk->options), "%s", options);
	snprintf(bk->driver, sizeof(bk->driver), "%s", driver);
	if (dt_rescan() || find_channels(bk) < 1 || strcmp(bk->driver, driver))
		return "the simulated controller was not taken";
	return NULL;
}

/* BAR 0 of the device, which has the registers behind those of the real one */
static volatile uint32_t *map_registers(const char *device)
{
	unsigned long long start = 0;
	char path[128], line[128];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", device);
	if (dt_read_line(path, line, sizeof(line)) || sscanf(line, "%llx", &start) != 1)
		return NULL;
	fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start + 0x7000);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

const char *bk_begin_ioat(struct bk *bk)
{
	const char *why = begin(bk);
	struct dt_engines all;

	if (why)
		return why;
	if (find_channels(bk) < 1 || strcmp(bk->driver, "ioatdma"))
		return "no emulated I/OAT in this guest";
	bk->registers = map_registers(bk->device);
	if (!bk->registers)
		return "no way to the registers of I/OAT";
	/* Whatever somebody has left who was killed */
	bk_ioat_fault(bk, 0, 0);
	bk_ioat_thaw(bk);
	if (dt_engines(bk->fd, &all))
		return "no list of engines";
	for (unsigned int i = 1; i < all.nr; i++)
		if (dt_is_channel(&all.engine[i], DMOVERIO_FUNC_NONE) &&
		    strcmp(all.engine[i].name, bk->name) && dt_release(all.engine[i].name))
			return "the other channels cannot be released";
	return NULL;
}

/* Whatever has become of its devices: unbound, they have nothing any more */
static void unbind_sim(const struct bk *bk)
{
	char name[64], nr[16] = "";

	dt_read_line("/sys/module/" SIM_MODULE "/parameters/devices", nr, sizeof(nr));
	for (int i = 0; i < atoi(nr); i++) {
		snprintf(name, sizeof(name), "%s.%d", bk->driver, i);
		dt_bind(bk->driver, name, false);
	}
}

int bk_end(struct bk *bk)
{
	int err = 0;

	dt_set_param("drain_ms", bk->drain_ms);
	if (bk->registers) {
		bk_ioat_fault(bk, 0, 0);
		bk_ioat_thaw(bk);
	}
	if (bk->patience[0])
		dt_write_line(IOAT_PATIENCE, bk->patience);
	if (bk->options[0]) {
		unbind_sim(bk);
		err = remove_sim(bk);
	}
	if (!err && bk->was[0])
		err = dt_insmod("dmover-sim", bk->was);
	if (!err)
		err = dt_rescan();
	dt_set_param("watchdog_ms", bk->watchdog_ms);
	dt_set_param("backoff_ms", bk->backoff_ms);
	dt_set_param("learn", bk->learn);
	close(bk->fd);
	return err;
}

int bk_unbind(struct bk *bk)
{
	return dt_bind(bk->driver, bk->device, false);
}

int bk_bind(struct bk *bk, int nr_channels)
{
	int err = dt_bind(bk->driver, bk->device, true);

	if (!err)
		err = dt_wait_channels(bk->fd, nr_channels);
	return err ? err : find_channels(bk) == nr_channels ? 0 : -ENODEV;
}

static void fault_path(char *path, size_t size, const char *channel)
{
	snprintf(path, size, "/sys/class/dma/%s/fault", channel);
}

int bk_fault(const char *channel, const char *line)
{
	char path[128];

	fault_path(path, sizeof(path), channel);
	return dt_write_line(path, line);
}

/* -1 if it is not there */
static int fault_number(const char *channel, const char *name)
{
	char path[128], line[128], word[32];
	int value = -1, number;
	FILE *f;

	fault_path(path, sizeof(path), channel);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %d", word, &number) == 2 && !strcmp(word, name))
			value = number;
	fclose(f);
	return value;
}

int bk_fault_settle(const char *channel, const char *name, int value)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	while (fault_number(channel, name) != value) {
		if (dt_now_ms() > end)
			return -ETIMEDOUT;
		dt_sleep_ms(1);
	}
	return 0;
}

void bk_ioat_fault(struct bk *bk, unsigned int kind, unsigned int before)
{
	bk->registers[FAULT_SKIP] = before;
	bk->registers[FAULT_KIND] = kind;
}

int bk_ioat_freeze(struct bk *bk)
{
	char never[16];
	int err = 0;

	if (!bk->patience[0])
		err = dt_read_line(IOAT_PATIENCE, bk->patience, sizeof(bk->patience));
	snprintf(never, sizeof(never), "%d", BK_NEVER_MS);
	if (!err)
		err = dt_write_line(IOAT_PATIENCE, never);
	if (!err)
		bk->registers[FAULT_DELAY] = BK_NEVER_MS;
	return err;
}

void bk_ioat_thaw(struct bk *bk)
{
	bk->registers[FAULT_DELAY] = 0;
}

bool bk_ioat_in_flight(const struct bk *bk)
{
	return bk->registers[FAULT_DUE];
}

int bk_engine(const struct bk *bk, const char *name, struct dmoverio_engine *e)
{
	struct dt_engines all;
	int err = dt_engines(bk->fd, &all);

	memset(e, 0, sizeof(*e));
	if (err)
		return err;
	for (unsigned int i = 1; i < all.nr; i++) {
		if (strcmp(all.engine[i].name, name))
			continue;
		*e = all.engine[i];
		return 0;
	}
	return -ENOENT;
}

int bk_wait_state(const struct bk *bk, const char *name, unsigned int state,
		  struct dmoverio_engine *e)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	while (bk_engine(bk, name, e) || e->state != state) {
		if (dt_now_ms() > end)
			return -ETIMEDOUT;
		dt_sleep_ms(1);
	}
	return 0;
}

int bk_wait_parked(const struct bk *bk, const char *name, unsigned long long pages)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	struct dmoverio_engine e;

	while (bk_engine(bk, name, &e) || e.parked_pages != pages) {
		if (dt_now_ms() > end)
			return -ETIMEDOUT;
		dt_sleep_ms(1);
	}
	return 0;
}

int bk_reset(const char *channel)
{
	return dt_write_line("/sys/class/misc/dmoverio/reset", channel);
}

int bk_module_refs(const char *module)
{
	char path[128], line[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	return dt_read_line(path, line, sizeof(line)) ? -1 : atoi(line);
}
