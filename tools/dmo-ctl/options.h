/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options as data: the same rows give the parser its getopt_long() table
 * and the help its text.
 */
#ifndef DMO_CTL_OPTIONS_H
#define DMO_CTL_OPTIONS_H

#include <stdint.h>

enum dmo_option_kind {
	DMO_OPT_SET,	/* no argument; stores .min */
	DMO_OPT_NUMBER,	/* .min to .max */
	DMO_OPT_SIZE,	/* the same with a suffix K, M or G */
	DMO_OPT_STRING,
};

/**
 * struct dmo_option - one long option
 * @name: without the dashes; NULL ends the table
 * @letter: short form, or 0
 * @kind: what the argument is
 * @arg: the argument's name in the help
 * @help: one line
 * @min: smallest number, or the value stored by DMO_OPT_SET
 * @max: greatest number
 * @flag: where DMO_OPT_SET stores
 * @number: where DMO_OPT_NUMBER and DMO_OPT_SIZE store
 * @string: where DMO_OPT_STRING stores
 */
struct dmo_option {
	const char *name;
	char letter;
	enum dmo_option_kind kind;
	const char *arg;
	const char *help;
	uint64_t min;
	uint64_t max;
	union {
		int *flag;
		uint64_t *number;
		const char **string;
	};
};

/*
 * Parse argv[1..] by two tables (either may be NULL).  With @stop_early the
 * first argument that is no option ends it.  Returns the index of the first
 * argument, or -1 after a message.
 */
int options_parse(int argc, char **argv, const struct dmo_option *own,
		  const struct dmo_option *global, int stop_early);

/* Print the rows of @table, one line each. */
void options_print(const struct dmo_option *table);

#endif /* DMO_CTL_OPTIONS_H */
