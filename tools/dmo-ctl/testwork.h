/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thread of the self test: a session, and many random requests in it.
 */
#ifndef DMO_CTL_TESTWORK_H
#define DMO_CTL_TESTWORK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "testcase.h"

/**
 * struct test_worker - one thread
 * @thread: it
 * @device: path of the device
 * @index: its number
 * @policy: who may do its requests
 * @params: of its requests
 * @rounds: how many
 * @stop: shared by all: one has failed
 * @beats: grows with everything that happens, for the watchdog
 * @done: finished
 * @requests, @bytes, @skipped: checked, moved, and not possible for want of
 *	memory
 * @most_in_flight: greatest number of unanswered requests
 * @open_error: session_open() failed with it
 * @failure: what went wrong, or empty
 */
struct test_worker {
	pthread_t thread;
	const char *device;
	unsigned int index;
	uint32_t policy;
	struct test_params params;
	uint64_t rounds;
	atomic_bool *stop;
	atomic_ulong beats;
	atomic_bool done;
	uint64_t requests;
	uint64_t bytes;
	uint64_t skipped;
	unsigned int most_in_flight;
	int open_error;
	char failure[768];
};

/* pthread's start routine; @arg is a struct test_worker. */
void *test_worker_run(void *arg);

#endif /* DMO_CTL_TESTWORK_H */
