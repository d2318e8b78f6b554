/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's view: what it counts, in which state it has our requests, and a
 * way to keep them there. As in dmio_test.h, nothing here judges.
 */
#ifndef OBSERVE_H
#define OBSERVE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Pages pinned since the machine started, and those of them not yet unpinned.
 * Only root has the kernel add up what its CPUs counted; for others, these are
 * some time behind.
 */
long long dt_pins_acquired(void);
long long dt_pins(void);
/* Wait until that is @base again; returns the last value seen. */
long long dt_pins_settle(long long base);
/* A "Name: n kB" line of a file in /proc, or -1 */
long long dt_proc_kb(const char *file, const char *name);

/*
 * The most that is pinned for this process while something runs, as far as a
 * thread happens to see it: on a busy machine it may see nothing. Whether
 * anything was pinned, dt_pins_acquired() tells.
 */
struct dt_watch {
	pthread_t thread;
	atomic_bool stop;
	long long peak_kib;		/* of "VmPin" of this process */
};

int dt_watch_start(struct dt_watch *w);
void dt_watch_stop(struct dt_watch *w);

/*
 * What the kernel itself counts as pinned, while something runs: seen by another
 * process, which stays root. The counters of different CPUs are not read at the
 * same moment, so that pages may be counted that were pinned one after the other:
 * @most. So many were certainly pinned at the same time: @certain, seen less often.
 */
struct dt_samples {
	atomic_bool on, busy;
	atomic_uint looks;
	atomic_long most, certain;	/* in pages, beyond those in the beginning */
};

struct dt_sampler {
	pid_t pid;
	struct dt_samples *seen;	/* shared with it */
};

/*
 * Best early: what the process has by then is shared with the sampler, as by fork.
 * @base pages are pinned in the beginning. 0 or -errno.
 */
int dt_sampler_start(struct dt_sampler *s, long long base);
int dt_sampler_on(struct dt_sampler *s);	/* when it has begun: 0 or -ETIMEDOUT */
void dt_sampler_off(struct dt_sampler *s);
void dt_sampler_end(struct dt_sampler *s);

/* Wait until the thread sleeps: 0 or -ETIMEDOUT */
int dt_wait_asleep(pid_t tid);
/* As fork(), but when the caller's thread ends the child is killed */
pid_t dt_fork(void);
/*
 * A child that does this, and then waits to be killed. Its pid, and in *@result what
 * came of it; or -errno, and there is no child.
 */
pid_t dt_spawn(int (*act)(void *arg), void *arg, int *result);
/* Kill it: the status, or -1 if it does not go away */
int dt_kill(pid_t pid);
/* waitpid with a limit: the status, or -1 after killing the child */
int dt_reap(pid_t pid, unsigned int ms);
/* What a child that ends by itself says at its end, or -1 if it does not */
int dt_said(pid_t pid, unsigned int ms);

/* -- the module */

/* A parameter's value, or -1; 0 or -errno */
long long dt_param(const char *name);
int dt_set_param(const char *name, long long value);
/* Is it the module's policy that DMA does all it can? */
bool dt_prefers_dma(void);

/*
 * How many requests of a session the kernel has in a state, as fdinfo calls it:
 * "queued", "pinning", "running", "answered". Or -1.
 */
int dt_nr(int fd, const char *state);
/* Wait until that is @nr; returns the last value seen */
int dt_nr_settle(int fd, const char *state, int nr);

/*
 * The engines held still: their workers may run on one CPU only, and there this
 * thread and the children it forks go before them, for as long as it takes. What
 * an engine has got stays with it until they all sleep, so never wait there without
 * sleeping: a DMA channel may have moved the bytes by then, but nobody can take
 * them off it.
 */
struct dt_hold {
	cpu_set_t own;			/* the CPUs this thread had before */
	/* What else was before; "" where a kernel has no such thing */
	char cpus[64], cpus_dma[64];	/* of the workers */
	char rt_runtime[32], fair[32];	/* which others were guaranteed */
};

#define DT_WORKQUEUE		"/sys/devices/virtual/workqueue/dmoverio/"
#define DT_WORKQUEUE_DMA	"/sys/devices/virtual/workqueue/dmoverio-dma/"

int dt_hold(struct dt_hold *h);		/* 0 or -errno */
int dt_unhold(struct dt_hold *h);

#endif /* OBSERVE_H */
