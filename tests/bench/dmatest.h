/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's dmatest, as the baseline: one thread, one copy at a time, of one
 * contiguous buffer of the kernel, without filling and comparing it.
 */
#ifndef DMATEST_H
#define DMATEST_H

#include <stddef.h>

/*
 * Have dmatest make @nr copies of @len bytes by the channel, which nobody holds.
 * Returns nanoseconds per copy; or 0 if it failed, and says why on stderr.
 */
double dmatest_run(const char *channel, size_t len, unsigned int nr);

#endif /* DMATEST_H */
