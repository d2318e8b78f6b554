/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Steps: the queue for workers that may hang.
 *
 * Work that pins, and sometimes work that unpins, may hang for as long as a
 * page fault or a file system takes that the user controls (userfaultfd, FUSE).
 * So each user has few such workers at a time, and queues of his own in front
 * of them: what he makes hang is his.
 *
 * His sessions take turns, one step each; of a session, the first in is the first
 * out.  All wait (starved) while the step at the head waits for the user's budget
 * of pinned memory.  Releases go before them: they give budget back.
 */
#ifndef DMIO_STEPS_H
#define DMIO_STEPS_H

#include <linux/types.h>

struct dmio_lane;
struct dmio_step;
struct dmio_user;

void dmio_steps_hold(struct dmio_user *user);
void dmio_steps_unhold(struct dmio_user *user);

bool dmio_steps_must_wait(struct dmio_user *user, const struct dmio_lane *lane);
void dmio_steps_queue(struct dmio_user *user, struct dmio_step *step);
void dmio_steps_queue_release(struct dmio_user *user, struct dmio_step *step);
bool dmio_steps_unqueue(struct dmio_user *user, struct dmio_step *step);
bool dmio_steps_starve(struct dmio_user *user, struct dmio_step *step);
void dmio_steps_done(struct dmio_user *user);

int dmio_steps_init(void);
void dmio_steps_wait_resumed(void);
void dmio_steps_fini(void);

#endif /* DMIO_STEPS_H */
