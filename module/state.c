// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a request: which may follow which.
 */
#include <linux/bits.h>

#include "state.h"

static const u16 may_follow[DMIO_NR_STATES] = {
	[DMIO_STATE_NEW]	= BIT(DMIO_STATE_QUEUED),
	[DMIO_STATE_QUEUED]	= BIT(DMIO_STATE_PINNING) | BIT(DMIO_STATE_FAILED) |
				  BIT(DMIO_STATE_CANCELLED),
	[DMIO_STATE_PINNING]	= BIT(DMIO_STATE_RUNNING) | BIT(DMIO_STATE_FAILED) |
				  BIT(DMIO_STATE_CANCELLED),
	[DMIO_STATE_RUNNING]	= BIT(DMIO_STATE_PINNING) | BIT(DMIO_STATE_QUEUED) |
				  BIT(DMIO_STATE_PARKED) | BIT(DMIO_STATE_DONE) |
				  BIT(DMIO_STATE_FAILED) | BIT(DMIO_STATE_CANCELLED),
	[DMIO_STATE_PARKED]	= BIT(DMIO_STATE_FAILED),
};

/**
 * dmio_state_may_follow() - is a transition allowed?
 * @from: the state before
 * @to: the state after
 *
 * Context: any.
 * Return: true if state.h lists it.
 */
bool dmio_state_may_follow(enum dmio_state from, enum dmio_state to)
{
	return may_follow[from] & BIT(to);
}
