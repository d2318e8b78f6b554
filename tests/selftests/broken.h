/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Controllers that fail when they are told to: the simulated one, in each of its
 * kinds, and emulated I/OAT. As in dmio_test.h, nothing here judges.
 */
#ifndef BROKEN_H
#define BROKEN_H

#include "dma.h"

/* Long enough that a slow host never sees a hang where there is none */
#define BK_NEVER_MS	1000000
/* So short that nobody waits long for a hang that is there */
#define BK_SOON_MS	300

struct bk {
	int fd;				/* a session without function */
	char name[32], device[64], driver[32];	/* of the one channel, or the first */
	char was[1024];			/* parameters of the simulator found in the guest; or "" */
	char options[256];		/* of the one that is here instead; or "" */
	long long watchdog_ms, backoff_ms, drain_ms;
	bool learn;
	volatile uint32_t *registers;	/* of I/OAT, that tell it to fail */
	char patience[16];		/* of I/OAT's driver, in ms; "" if that was left alone */
};

/*
 * Begin: NULL, or why it is not possible in this guest. The only channels are then
 * those of a simulated device bound to @driver, made with @options; or one of I/OAT.
 * Nothing is learned: where writing takes long, the last requests would not be given to
 * a channel that hangs or takes its time.
 */
const char *bk_begin_sim(struct bk *bk, const char *driver, const char *options);
const char *bk_begin_ioat(struct bk *bk);
/* Everything as it was: 0 or -errno */
int bk_end(struct bk *bk);

/* The simulator's device loses its driver, gets it again and is taken: 0 or -errno */
int bk_unbind(struct bk *bk);
int bk_bind(struct bk *bk, int nr_channels);

/* -- faults of a simulated channel: 0 or -errno */

int bk_fault(const char *channel, const char *line);
/* Wait until a number of the file "fault" ("still", "loose") is @value: 0 or -ETIMEDOUT */
int bk_fault_settle(const char *channel, const char *name, int value);
/* -- of I/OAT; as ioat/faults.py has them */
enum bk_ioat {
	BK_IOAT_READ = 1, BK_IOAT_WRITE = 2, BK_IOAT_HANG = 3, BK_IOAT_CORRUPT = 4,
	BK_IOAT_STICKY = 0x80
};
void bk_ioat_fault(struct bk *bk, unsigned int kind, unsigned int before);
/*
 * Transfers are in flight for ever, or no longer are. Their driver, which would reset
 * the channel, is told to be patient: 0 or -errno.
 */
int bk_ioat_freeze(struct bk *bk);
void bk_ioat_thaw(struct bk *bk);
/* Is anything in flight, that was delayed and not given up? */
bool bk_ioat_in_flight(const struct bk *bk);

/* -- what has become of a channel */

/* It, or 0 and -ENOENT, -errno */
int bk_engine(const struct bk *bk, const char *name, struct dmoverio_engine *e);
/* Wait for a state: 0 or -ETIMEDOUT */
int bk_wait_state(const struct bk *bk, const char *name, unsigned int state,
		  struct dmoverio_engine *e);
/* Wait until it has so many pages parked: 0 or -ETIMEDOUT */
int bk_wait_parked(const struct bk *bk, const char *name, unsigned long long pages);
int bk_reset(const char *channel);
/* References to a module */
int bk_module_refs(const char *module);

/* In a test whose fixture has noted in "why_not" what bk_begin_*() said */
#define NEED_BROKEN()							\
do {									\
	if (self->why_not)						\
		SKIP(return, "%s", self->why_not);			\
} while (0)

#endif /* BROKEN_H */
