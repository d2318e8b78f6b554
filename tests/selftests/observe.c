// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's view; see observe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe.h"
#include "dmio_test.h"

/*
 * The counters are kept per CPU and added up now and then; writing to
 * stat_refresh adds them up now.  Kernels without SMP have neither need
 * nor file.
 */
static void vmstat_refresh(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0 && errno != EINVAL)
		dt_die("stat_refresh");
	close(fd);
}

static void read_pins(long long *acquired, long long *released)
{
	char line[128];
	FILE *f;

	vmstat_refresh();
	f = fopen("/proc/vmstat", "re");
	if (!f)
		dt_die("/proc/vmstat");
	while (fgets(line, sizeof(line), f)) {
		sscanf(line, "nr_foll_pin_acquired %lld", acquired);
		sscanf(line, "nr_foll_pin_released %lld", released);
	}
	fclose(f);
	if (*acquired < 0 || *released < 0)
		dt_die("nr_foll_pin_acquired, nr_foll_pin_released in /proc/vmstat");
}

long long dt_pins_acquired(void)
{
	long long acquired = -1, released = -1;

	read_pins(&acquired, &released);
	return acquired;
}

long long dt_pins(void)
{
	long long acquired = -1, released = -1;

	read_pins(&acquired, &released);
	return acquired - released;
}

long long dt_pins_settle(long long base)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	long long now = dt_pins();

	while (now != base && dt_now_ms() < end) {
		dt_sleep_ms(5);
		now = dt_pins();
	}
	return now;
}

long long dt_proc_kb(const char *file, const char *name)
{
	long long kb = -1;
	char line[256];
	FILE *f = fopen(file, "re");

	if (!f)
		dt_die(file);
	while (kb < 0 && fgets(line, sizeof(line), f)) {
		size_t n = strlen(name);

		if (!strncmp(line, name, n) && line[n] == ':')
			kb = strtoll(line + n + 1, NULL, 10);
	}
	fclose(f);
	return kb;
}

static void *watch(void *arg)
{
	struct dt_watch *w = arg;

	do {
		long long kib = dt_proc_kb("/proc/self/status", "VmPin");

		if (kib > w->peak_kib)
			w->peak_kib = kib;
	} while (!atomic_load(&w->stop));
	return NULL;
}

int dt_watch_start(struct dt_watch *w)
{
	w->peak_kib = 0;
	atomic_store(&w->stop, false);
	return -pthread_create(&w->thread, NULL, watch, w);
}

void dt_watch_stop(struct dt_watch *w)
{
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
}

static void raise_to(atomic_long *most, long long value)
{
	if (value > atomic_load(most))
		atomic_store(most, value);
}

/*
 * Whatever was not unpinned by the second look was pinned at the first one. With
 * one CPU one look will do: what is pinned is read before what is unpinned.
 */
static void sample(struct dt_samples *seen, long long base)
{
	bool one_cpu = sysconf(_SC_NPROCESSORS_CONF) == 1;
	long long acquired = -1, released = -1, later, released_later;

	read_pins(&acquired, &released);
	while (atomic_load(&seen->on)) {
		later = -1;
		released_later = -1;
		read_pins(&later, &released_later);
		raise_to(&seen->most, acquired - released - base);
		raise_to(&seen->certain, acquired - (one_cpu ? released : released_later) - base);
		acquired = later;
		released = released_later;
		atomic_fetch_add(&seen->looks, 1);
	}
}

static void sampler(struct dt_samples *seen, long long base)
{
	for (;;) {
		dt_sleep_ms(1);
		if (!atomic_load(&seen->on))
			continue;
		atomic_store(&seen->busy, true);
		sample(seen, base);
		atomic_store(&seen->busy, false);
	}
}

int dt_sampler_start(struct dt_sampler *s, long long base)
{
	s->seen = mmap(NULL, sizeof(*s->seen), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->seen == MAP_FAILED)
		return -errno;
	s->pid = dt_fork();
	if (!s->pid)
		sampler(s->seen, base);
	return s->pid < 0 ? -errno : 0;
}

int dt_sampler_on(struct dt_sampler *s)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;

	atomic_store(&s->seen->looks, 0);
	atomic_store(&s->seen->most, 0);
	atomic_store(&s->seen->certain, 0);
	atomic_store(&s->seen->on, true);
	while (!atomic_load(&s->seen->looks) && dt_now_ms() < end)
		dt_sleep_ms(1);
	return atomic_load(&s->seen->looks) ? 0 : -ETIMEDOUT;
}

void dt_sampler_off(struct dt_sampler *s)
{
	atomic_store(&s->seen->on, false);
	while (atomic_load(&s->seen->busy))
		dt_sleep_ms(1);
}

void dt_sampler_end(struct dt_sampler *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->seen, sizeof(*s->seen));
}

int dt_wait_asleep(pid_t tid)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (dt_now_ms() < end) {
		FILE *f = fopen(path, "re");
		char *paren;

		if (!f)
			return -errno;
		paren = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		fclose(f);
		if (paren && paren[1] && paren[2] == 'S')
			return 0;
		dt_sleep_ms(1);
	}
	return -ETIMEDOUT;
}

pid_t dt_fork(void)
{
	pid_t self = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* If it has ended already */
		if (getppid() != self)
			_exit(0);
	}
	return pid;
}

pid_t dt_spawn(int (*act)(void *arg), void *arg, int *result)
{
	int said[2], err = 0;
	pid_t pid;

	if (pipe(said))
		return -errno;
	pid = dt_fork();
	if (!pid) {
		err = act(arg);
		if (write(said[1], &err, sizeof(err)) == sizeof(err))
			for (;;)
				pause();
		_exit(1);
	}
	if (pid < 0)
		err = -errno;
	close(said[1]);
	if (!err && !(dt_poll(said[0], POLLIN, DT_PATIENCE_MS) & POLLIN))
		err = -ETIMEDOUT;
	if (!err && read(said[0], result, sizeof(*result)) != sizeof(*result))
		err = -EPIPE;
	close(said[0]);
	if (err && pid > 0)
		dt_kill(pid);
	return err ? err : pid;
}

int dt_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	return dt_reap(pid, DT_PATIENCE_MS);
}

int dt_reap(pid_t pid, unsigned int ms)
{
	long long end = dt_now_ms() + ms;
	int status;

	while (dt_now_ms() < end) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid)
			return status;
		if (got < 0)
			return -1;
		dt_sleep_ms(1);
	}
	kill(pid, SIGKILL);
	return -1;
}

int dt_said(pid_t pid, unsigned int ms)
{
	int status = dt_reap(pid, ms);

	return status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *param_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/sys/module/dmoverio/parameters/%s", name);
	return path;
}

long long dt_param(const char *name)
{
	FILE *f = fopen(param_path(name), "re");
	long long value = -1;

	if (!f || fscanf(f, "%lld", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

bool dt_prefers_dma(void)
{
	FILE *f = fopen(param_path("policy"), "re");
	char policy[32] = "";

	if (!f || !fgets(policy, sizeof(policy), f))
		policy[0] = 0;
	if (f)
		fclose(f);
	return strstr(policy, "dma");
}

int dt_set_param(const char *name, long long value)
{
	FILE *f = fopen(param_path(name), "we");

	if (!f)
		return -errno;
	fprintf(f, "%lld\n", value);
	return fclose(f) ? -errno : 0;
}

int dt_nr(int fd, const char *state)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return dt_proc_kb(path, state);
}

int dt_nr_settle(int fd, const char *state, int nr)
{
	long long end = dt_now_ms() + DT_PATIENCE_MS;
	int now = dt_nr(fd, state);

	while (now != nr && dt_now_ms() < end) {
		dt_sleep_ms(1);
		now = dt_nr(fd, state);
	}
	return now;
}

/* Write a file in /sys or /proc, after reading what it was if that is wanted */
static int exchange(const char *path, const char *value, char *was, size_t size)
{
	FILE *f = was ? fopen(path, "re") : NULL;
	int fd, err;

	if (was && (!f || !fgets(was, size, f)))
		was[0] = 0;
	if (f)
		fclose(f);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/*
 * The kernel keeps real-time tasks from having all of a second: by throttling
 * them, and later kernels by a server for the others. Not every kernel has both.
 */
#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"
#define FAIR_RUNTIME	"/sys/kernel/debug/sched/fair_server/cpu0/runtime"

int dt_hold(struct dt_hold *h)
{
	struct sched_param prio = { .sched_priority = 1 };
	cpu_set_t first;
	int err;

	if (sched_getaffinity(0, sizeof(h->own), &h->own))
		return -errno;
	exchange(RT_RUNTIME, "-1", h->rt_runtime, sizeof(h->rt_runtime));
	exchange(FAIR_RUNTIME, "0", h->fair, sizeof(h->fair));
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first) || sched_setscheduler(0, SCHED_FIFO, &prio))
		return -errno;
	err = exchange(DT_WORKQUEUE "cpumask", "1", h->cpus, sizeof(h->cpus));
	if (err)
		return err;
	err = exchange(DT_WORKQUEUE_DMA "cpumask", "1", h->cpus_dma, sizeof(h->cpus_dma));
	return err == -ENOENT ? 0 : err;
}

int dt_unhold(struct dt_hold *h)
{
	struct sched_param none = { .sched_priority = 0 };
	int err;

	if (sched_setaffinity(0, sizeof(h->own), &h->own) ||
	    sched_setscheduler(0, SCHED_OTHER, &none))
		return -errno;
	err = exchange(DT_WORKQUEUE "cpumask", h->cpus, NULL, 0);
	if (!err && h->cpus_dma[0])
		err = exchange(DT_WORKQUEUE_DMA "cpumask", h->cpus_dma, NULL, 0);
	/* 6.12 says EBUSY after a suspend: then real-time tasks stay free of limits */
	if (h->fair[0])
		exchange(FAIR_RUNTIME, h->fair, NULL, 0);
	if (h->rt_runtime[0])
		exchange(RT_RUNTIME, h->rt_runtime, NULL, 0);
	return err;
}
