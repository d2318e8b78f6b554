// SPDX-License-Identifier: GPL-2.0
/*
 * Which channels the module takes when it is loaded, by what their controller does and
 * by what the parameter "channels" says; and what it says of the others, to programs
 * and in the log.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dma.h"
#include "kselftest_harness.h"

#define NR	2		/* channels of the simulated controller */

FIXTURE(names) {
	char options[1024];	/* of the module, before */
	char sim[1024];		/* of the simulator found in the guest; or "" */
	int nr_channels;	/* at work, before */
	bool unloaded;
	const char *why_not;
};

FIXTURE_SETUP(names)
{
	int fd = dt_open(NULL, 0);

	ASSERT_LE(0, fd);
	self->nr_channels = dt_channels(fd, DMOVERIO_FUNC_NONE);
	close(fd);
	if (!dt_options("dmover_sim", self->sim, sizeof(self->sim)))
		return;
	if (self->nr_channels)
		self->why_not = "another DMA controller is at work in this guest";
	else if (access("/modules/dmover-sim.ko", R_OK))
		self->why_not = "no simulated controller in this guest";
}

FIXTURE_TEARDOWN(names)
{
	int fd;

	if (!self->unloaded)
		return;
	dt_rmmod_later("dmoverio");
	dt_rmmod("dmover_sim");
	if (self->sim[0])
		EXPECT_EQ(0, dt_insmod("dmover-sim", self->sim));
	ASSERT_EQ(0, dt_insmod("dmoverio", self->options));
	fd = dt_open(NULL, 0);
	EXPECT_EQ(self->nr_channels, dt_channels(fd, DMOVERIO_FUNC_NONE));
	close(fd);
}

static const struct row {
	const char *sim;	/* how the simulator is loaded */
	const char *channels;	/* the parameter: @ stands for the name of the first one */
	int used;		/* how many are taken */
	uint32_t reason;	/* why others are not */
	const char *log;	/* what is said of it */
} rows[] = {
	{ "caps=memcpy", "", 2, 0, "2 DMA channels" },
	{ "caps=memset", "", 0, DMOVERIO_UNUSED_NO_COPY, "those there cannot copy" },
	{ "caps=pq", "", 0, DMOVERIO_UNUSED_NO_FUNCTION, "can do none of the functions" },
	{ "caps=pq", "all", 0, DMOVERIO_UNUSED_NO_FUNCTION, "can do none of the functions" },
	{ "caps=memcpy,slave", "", 0, DMOVERIO_UNUSED_PERIPHERALS, "serve peripherals" },
	{ "driver=idxd", "", 0, DMOVERIO_UNUSED_DRIVER, "makes it your choice" },
	{ "driver=dma-pl330", "", 1, DMOVERIO_UNUSED_SINGLE, "1 DMA channels" },

	{ "caps=memset", "all", 2, 0, "2 DMA channels" },
	{ "caps=xor", "all", 2, 0, "2 DMA channels" },
	{ "caps=memcpy,slave", "all", 2, 0, "2 DMA channels" },
	{ "driver=idxd", "idxd:0,idxd:1", 2, 0, "2 DMA channels" },
	{ "driver=dma-pl330", "all", 1, DMOVERIO_UNUSED_SINGLE, "1 DMA channels" },

	{ "caps=memcpy", "@", 1, DMOVERIO_UNUSED_NOT_NAMED, "1 DMA channels" },
	{ "caps=memcpy", "dmover-sim:1", 1, DMOVERIO_UNUSED_NOT_NAMED, "1 DMA channels" },
	{ "caps=memcpy", "dmover-sim:7,,@", 1, DMOVERIO_UNUSED_NOT_NAMED, "1 DMA channels" },
	{ "caps=memcpy", "dmover-sim:1,@", 2, 0, "2 DMA channels" },
	{ "caps=memcpy", "@0,al,all0,dmover-sim:,dmover-sim", 0, DMOVERIO_UNUSED_NOT_NAMED,
	  "\"channels\" names none" },
};

/* Of the simulator: the only controller there is */
static void first_name(char *name, size_t size)
{
	DIR *dir = opendir("/sys/class/dma");
	struct dirent *entry;

	name[0] = 0;
	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, "chan0"))
			snprintf(name, size, "%.31s", entry->d_name);
	if (dir)
		closedir(dir);
}

/* "channels=...", with the name in it */
static void parameter(const struct row *row, char *to, size_t size)
{
	const char *at = strchr(row->channels, '@');
	char name[32];

	first_name(name, sizeof(name));
	snprintf(to, size, "channels=%.*s%s%s", (int)(at ? at - row->channels : 1000),
		 row->channels, at ? name : "", at ? at + 1 : "");
}

/* From here on */
static int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

/* Has the module said this since? */
static bool log_has(int log, const char *text)
{
	char line[8192];	/* the longest record */
	bool found = false;
	ssize_t n;

	while ((n = read(log, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n < 0 ? 0 : n] = 0;
		found |= strstr(line, "dmoverio: ") && strstr(line, text);
	}
	return found;
}

static void check_engines(struct __test_metadata *_metadata, const struct row *row)
{
	int fd = dt_open(NULL, 0), unused = 0;
	struct dt_engines all;

	ASSERT_LE(0, fd);
	EXPECT_EQ(row->used, dt_channels(fd, DMOVERIO_FUNC_NONE));
	ASSERT_EQ(0, dt_engines(fd, &all));
	for (unsigned int i = 0; i < all.nr; i++) {
		if (all.engine[i].state != DMOVERIO_ENGINE_UNUSED)
			continue;
		unused++;
		EXPECT_EQ(row->reason, all.engine[i].reason);
	}
	EXPECT_EQ(NR - row->used, unused);
	close(fd);
}

TEST_F_TIMEOUT(names, each, 600)
{
	char options[2048], channels[256];

	if (self->why_not)
		SKIP(return, "%s", self->why_not);
	ASSERT_EQ(0, dt_options("dmoverio", self->options, sizeof(self->options)));
	self->unloaded = true;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows) && _metadata->passed; i++) {
		const struct row *row = &rows[i];
		int log = log_open();

		ASSERT_LE(0, log);
		ASSERT_EQ(0, dt_rmmod_later("dmoverio"));
		EXPECT_EQ(i || self->sim[0] ? 0 : -ENOENT, dt_rmmod("dmover_sim"));
		snprintf(options, sizeof(options), "channels=%d %s", NR, row->sim);
		ASSERT_EQ(0, dt_insmod("dmover-sim", options));
		parameter(row, channels, sizeof(channels));
		snprintf(options, sizeof(options), "%s %s", self->options, channels);
		ASSERT_EQ(0, dt_insmod("dmoverio", options));
		EXPECT_TRUE(log_has(log, row->log));
		close(log);
		check_engines(_metadata, row);
		if (!_metadata->passed)
			TH_LOG("sim %s, %s", row->sim, channels);
	}
}

TEST_HARNESS_MAIN
