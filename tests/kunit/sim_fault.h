/* SPDX-License-Identifier: GPL-2.0 */
/* The file by which faults of a simulated channel are armed, as a user has it */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "sim_client.h"

/* Where a channel's file is, also once the channel is released */
struct fault_file {
	char path[64];
};

struct fault_file fault_file(struct client *client, unsigned int chan);
int fault_write(const struct fault_file *file, const char *line);
int fault_read(const struct fault_file *file, const char *what, unsigned int field);
void fault_wait(struct kunit *test, const struct fault_file *file, const char *what,
		unsigned int field, int value);
void fault_end(struct kunit *test);

/* Fields of a fault's line; "still" and "loose" have one only */
enum { FAULT_BEFORE = 1, FAULT_COUNT, FAULT_MS, FAULT_STRUCK };

#endif /* SIM_FAULT_H */
