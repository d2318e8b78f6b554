/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lanes: the queue of steps for a user's workers, in which his sessions take turns,
 * one step each.  Of a session, the first in is the first out.
 *
 * All of it is guarded by user->lock.
 */
#ifndef DMIO_LANE_H
#define DMIO_LANE_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct dmio_lane - steps of a session that wait
 * @node: in the user's queue, while there are any
 * @steps: the steps
 */
struct dmio_lane {
	struct list_head node;
	struct list_head steps;
};

/**
 * struct dmio_step - something that wants a worker that may hang
 * @node: in its lane, or among the user's releases, while it waits
 * @lane: of its session; NULL: a release, which needs none
 * @work: what the worker does; calls dmio_steps_done() at its end
 */
struct dmio_step {
	struct list_head node;
	struct dmio_lane *lane;
	struct work_struct work;
};

/**
 * dmio_lane_init() - make a lane, without steps
 * @lane: result
 *
 * Context: any.
 */
static inline void dmio_lane_init(struct dmio_lane *lane)
{
	INIT_LIST_HEAD(&lane->node);
	INIT_LIST_HEAD(&lane->steps);
}

/**
 * dmio_step_init() - make a step, which does not wait
 * @step: result
 * @lane: its lane, or NULL
 * @func: what the worker does
 *
 * Context: any.
 */
static inline void dmio_step_init(struct dmio_step *step, struct dmio_lane *lane, work_func_t func)
{
	INIT_LIST_HEAD(&step->node);
	step->lane = lane;
	INIT_WORK(&step->work, func);
}

void dmio_lane_add(struct list_head *queue, struct dmio_step *step);
void dmio_lane_put_back(struct list_head *queue, struct dmio_step *step);
void dmio_lane_remove(struct dmio_step *step);
bool dmio_lane_is_first(const struct list_head *queue, const struct dmio_step *step);
struct dmio_step *dmio_lane_next(struct list_head *queue);

#endif /* DMIO_LANE_H */
