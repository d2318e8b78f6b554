// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads dmatest for one run, and takes the result from the kernel log, which is
 * the only place where it says one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmatest.h"
#include "file.h"

#define MODULE		"/modules/dmatest.ko"
#define PARAMETERS	"/sys/module/dmatest/parameters/"
#define PATIENCE_MS	60000

static int load(size_t len, unsigned int nr)
{
	char options[128];
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -1;
	/* Without transfer_size, and with norandom, a copy is the whole buffer */
	snprintf(options, sizeof(options),
		 "test_buf_size=%zu iterations=%u norandom=1 noverify=1 threads_per_chan=1 timeout=%d",
		 len, nr, PATIENCE_MS);
	ret = syscall(SYS_finit_module, fd, options, 0);
	close(fd);
	return ret;
}

/*
 * The next summary in the log.  There is one thread only: of copies, if the
 * channel does nothing else.
 */
static double read_summary(int log, const char *channel, unsigned int nr)
{
	struct pollfd poll_log = { .fd = log, .events = POLLIN };
	unsigned int tests, failures;
	char line[1024], wanted[64];
	double iops;

	snprintf(wanted, sizeof(wanted), "%s-copy0: summary ", channel);
	while (poll(&poll_log, 1, PATIENCE_MS) > 0) {
		ssize_t got = read(log, line, sizeof(line) - 1);
		const char *at;

		line[got < 0 ? 0 : got] = 0;
		at = strstr(line, wanted);
		if (!at)
			continue;
		if (sscanf(at + strlen(wanted), "%u tests, %u failures %lf iops", &tests,
			   &failures, &iops) == 3 && tests == nr && !failures && iops > 0)
			return 1e9 / iops;
		fprintf(stderr, "dmatest: %s", at);
		return 0;
	}
	fprintf(stderr, "dmatest: no summary\n");
	return 0;
}

double dmatest_run(const char *channel, size_t len, unsigned int nr)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	double ns = 0;

	if (log < 0 || lseek(log, 0, SEEK_END) < 0) {
		perror("/dev/kmsg");
	} else if (load(len, nr)) {
		perror(MODULE);
	} else {
		if (file_write(PARAMETERS "channel", channel) ||
		    file_write(PARAMETERS "run", "1"))
			perror(PARAMETERS);
		else
			ns = read_summary(log, channel, nr);
		if (syscall(SYS_delete_module, "dmatest", 0)) {
			perror("rmmod dmatest");
			ns = 0;
		}
	}
	if (log >= 0)
		close(log);
	return ns;
}
