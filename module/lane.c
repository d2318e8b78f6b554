// SPDX-License-Identifier: GPL-2.0
/*
 * Lanes: the queue of steps for a user's workers; see lane.h.
 */
#include "lane.h"

/**
 * dmio_lane_add() - have a step wait
 * @queue: of the user
 * @step: waits nowhere
 *
 * Context: under user->lock.
 */
void dmio_lane_add(struct list_head *queue, struct dmio_step *step)
{
	if (list_empty(&step->lane->steps))
		list_add_tail(&step->lane->node, queue);
	list_add_tail(&step->node, &step->lane->steps);
}

/**
 * dmio_lane_put_back() - have a step wait where it came from: before all others
 * @queue: of the user
 * @step: waits nowhere
 *
 * Context: under user->lock.
 */
void dmio_lane_put_back(struct list_head *queue, struct dmio_step *step)
{
	list_move(&step->lane->node, queue);
	list_add(&step->node, &step->lane->steps);
}

/**
 * dmio_lane_remove() - have a step wait no longer
 * @step: waits in a lane
 *
 * Context: under user->lock.
 */
void dmio_lane_remove(struct dmio_step *step)
{
	list_del_init(&step->node);
	if (list_empty(&step->lane->steps))
		list_del_init(&step->lane->node);
}

/**
 * dmio_lane_is_first() - is it a step's turn?
 * @queue: of the user
 * @step: waits in a lane
 *
 * Context: under user->lock.
 * Return: true if it is before all others.
 */
bool dmio_lane_is_first(const struct list_head *queue, const struct dmio_step *step)
{
	return list_is_first(&step->lane->node, queue) &&
	       list_is_first(&step->node, &step->lane->steps);
}

/**
 * dmio_lane_next() - take the step whose turn it is
 * @queue: of the user
 *
 * Context: under user->lock.
 * Return: the step, which waits no longer; NULL if none waits.
 */
struct dmio_step *dmio_lane_next(struct list_head *queue)
{
	struct dmio_lane *lane = list_first_entry_or_null(queue, struct dmio_lane, node);
	struct dmio_step *step;

	if (!lane)
		return NULL;
	step = list_first_entry(&lane->steps, struct dmio_step, node);
	list_move_tail(&lane->node, queue);
	dmio_lane_remove(step);
	return step;
}
