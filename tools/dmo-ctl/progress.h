/* SPDX-License-Identifier: GPL-2.0-only */
/* A line on stderr that says how far a long operation has come. */
#ifndef DMO_CTL_PROGRESS_H
#define DMO_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct progress - one operation being watched
 * @enabled: print at all
 * @tty: the line may be overwritten; otherwise one line per second or so
 * @total: bytes expected, 0 if unknown
 * @started_ns: when the operation began
 * @next_ns: when to print next
 * @shown: width of what stands on the line now
 */
struct progress {
	bool enabled;
	bool tty;
	uint64_t total;
	uint64_t started_ns;
	uint64_t next_ns;
	int shown;
};

/* @wanted: 1 yes, 0 no, -1 if stderr is a terminal. */
void progress_start(struct progress *p, int wanted, uint64_t total);
void progress_update(struct progress *p, uint64_t done);
void progress_end(struct progress *p);

#endif /* DMO_CTL_PROGRESS_H */
