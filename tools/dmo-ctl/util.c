// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static char first_error[1024];
static volatile sig_atomic_t stop_signal;

static void vmessage(const char *fmt, va_list ap, int is_error)
{
	char text[sizeof(first_error)];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, "dmo-ctl: %s\n", text);
	if (is_error && !first_error[0])
		memcpy(first_error, text, sizeof(text));
}

void util_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap, 1);
	va_end(ap);
}

void util_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmessage(fmt, ap, 0);
	va_end(ap);
}

const char *util_first_error(void)
{
	return first_error[0] ? first_error : NULL;
}

static int suffix_shift(char c)
{
	switch (c) {
	case 'k': case 'K': return 10;
	case 'm': case 'M': return 20;
	case 'g': case 'G': return 30;
	default: return -1;
	}
}

int util_parse_number(const char *text, int suffix, uint64_t *value)
{
	unsigned long long number;
	int shift = 0;
	char *end;

	if (*text < '0' || *text > '9')	/* strtoull() would take "-1" */
		return -1;
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno)
		return -1;
	if (suffix && *end) {
		shift = suffix_shift(*end++);
		if (shift < 0)
			return -1;
	}
	if (*end || number > UINT64_MAX >> shift)
		return -1;
	*value = (uint64_t)number << shift;
	return 0;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t util_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* What getrusage() has, but not in ticks. */
uint64_t util_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t util_busy_ticks(void)
{
	uint64_t user = 0, nice = 0, system = 0, irq = 0, softirq = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return 0;
	/* idle and iowait are between them; what is not there counts as 0 */
	if (fscanf(f, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64,
		   &user, &nice, &system, &irq, &softirq) < 3)
		user = 0;
	fclose(f);
	return user + nice + system + irq + softirq;
}

unsigned int util_tick_us(void)
{
	long hz = sysconf(_SC_CLK_TCK);

	return 1000000 / (unsigned int)(hz > 0 ? hz : 100);
}

void util_sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	nanosleep(&ts, NULL);
}

ssize_t util_read_full(int fd, void *buf, size_t len, off_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (offset < 0)
			n = read(fd, (char *)buf + done, len - done);
		else
			n = pread(fd, (char *)buf + done, len - done,
				  offset + (off_t)done);
		if (n < 0 && errno == EINTR && !stop_signal)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t util_write_full(int fd, const void *buf, size_t len, off_t offset)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (offset < 0)
			n = write(fd, (const char *)buf + done, len - done);
		else
			n = pwrite(fd, (const char *)buf + done, len - done,
				   offset + (off_t)done);
		if (n < 0 && errno == EINTR && !stop_signal)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -EIO;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static void on_signal(int sig)
{
	stop_signal = sig;
}

void util_catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = on_signal };	/* no SA_RESTART */
	struct sigaction old;
	size_t i;

	sigemptyset(&act.sa_mask);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)	/* nohup */
			sigaction(signals[i], &act, NULL);
}

int util_stop_signal(void)
{
	return stop_signal;
}

size_t util_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void *util_pages_alloc(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

void util_pages_free(void *mem, size_t len)
{
	if (mem)
		munmap(mem, len);
}
