/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small helpers without a concept of their own: messages, numbers, time,
 * whole reads and writes.
 */
#ifndef DMO_CTL_UTIL_H
#define DMO_CTL_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Both print "dmo-ctl: ..." on stderr; an error also goes into the JSON. */
void util_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void util_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The first error printed, or NULL. */
const char *util_first_error(void);

/* 0, or -1: no number, or a number beyond 64 bits. */
int util_parse_number(const char *text, int suffix, uint64_t *value);

uint64_t util_now_ns(void);
uint64_t util_cpu_ns(void);	/* CPU time of this process */

/*
 * What all CPUs have done since boot, kernel and interrupts included, in ticks
 * of util_tick_us() microseconds.
 */
uint64_t util_busy_ticks(void);
unsigned int util_tick_us(void);
void util_sleep_ms(unsigned int ms);

/*
 * Read until the buffer is full or the file ends, write until all is
 * written.  @offset -1: at the file's own position.  Bytes, or -errno; a
 * caught signal ends both with -EINTR.
 */
ssize_t util_read_full(int fd, void *buf, size_t len, off_t offset);
ssize_t util_write_full(int fd, const void *buf, size_t len, off_t offset);

/*
 * Catch SIGINT, SIGTERM and SIGHUP so that the command can clean up.
 * util_stop_signal() is the one that came, or 0; main() ends by it.
 */
void util_catch_signals(void);
int util_stop_signal(void);

size_t util_page_size(void);

/* Memory of its own pages, or NULL. */
void *util_pages_alloc(size_t len);
void util_pages_free(void *mem, size_t len);

#endif /* DMO_CTL_UTIL_H */
