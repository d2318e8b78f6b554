/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a request, one line per transition:
 *
 *	NEW     -> QUEUED	validated and accepted: exactly one answer is owed
 *	QUEUED  -> PINNING	its memory is being pinned
 *	PINNING -> RUNNING	an engine has it
 *	RUNNING -> PINNING	the next window
 *	RUNNING -> QUEUED	restarted, perhaps on another engine
 *	RUNNING -> PARKED	a device that cannot be stopped may still write
 *	RUNNING -> DONE		all of it is done
 *	QUEUED, PINNING, RUNNING -> FAILED	answered with an error
 *	QUEUED, PINNING, RUNNING -> CANCELLED	dropped: its session ended
 *	PARKED  -> FAILED	the device gave up its memory
 *
 * request.c is the only place that changes a state.
 */
#ifndef DMIO_STATE_H
#define DMIO_STATE_H

#include <linux/types.h>

/**
 * enum dmio_state - where a request is in its life
 * @DMIO_STATE_NEW: being read and validated
 * @DMIO_STATE_QUEUED: accepted
 * @DMIO_STATE_PINNING: its memory is being pinned
 * @DMIO_STATE_RUNNING: with an engine
 * @DMIO_STATE_PARKED: answered, but a device may still write to its memory
 * @DMIO_STATE_DONE: done
 * @DMIO_STATE_FAILED: over, with an error
 * @DMIO_STATE_CANCELLED: dropped
 * @DMIO_NR_STATES: number of states
 */
enum dmio_state {
	DMIO_STATE_NEW,
	DMIO_STATE_QUEUED,
	DMIO_STATE_PINNING,
	DMIO_STATE_RUNNING,
	DMIO_STATE_PARKED,
	DMIO_STATE_DONE,
	DMIO_STATE_FAILED,
	DMIO_STATE_CANCELLED,
	DMIO_NR_STATES,
};

bool dmio_state_may_follow(enum dmio_state from, enum dmio_state to);

#endif /* DMIO_STATE_H */
