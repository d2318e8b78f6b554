/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The matrix of faults: one row for each time that something was made to fail. Tests
 * run in processes of their own; what they say is printed when the last has ended.
 */
#ifndef TABLE_H
#define TABLE_H

#include "cell.h"

/* What had to happen, and when it had */
struct table_row {
	const char *fault, *controller;
	const char *policy;		/* "require", "prefer" */
	const char *channel;		/* what became of it */
	bool passed;
};

/* The answers and the bytes are those of @c, whose session is still open */
void table_add(const struct table_row *row, const struct cell *c);
/* A row that says why there is none */
void table_note(const char *fault, const char *controller, const char *why);

#endif /* TABLE_H */
