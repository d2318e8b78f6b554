/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options as data: the same rows give the parser its getopt_long() table
 * and the help its text.
 */
#ifndef DMO_CTL_OPTIONS_H
#define DMO_CTL_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum dmo_option_kind {
	DMO_OPT_SET,	/* no argument; stores .min */
	DMO_OPT_NUMBER,	/* .min to .max */
	DMO_OPT_SIZE,	/* the same with a suffix K, M or G */
	DMO_OPT_STRING,
	DMO_OPT_CHOICE,	/* a word of .choices; stores its value as a number */
};

/**
 * struct dmo_choice - a word that an option or an argument may be
 * @name: the word; NULL ends the table
 * @value: what it stands for
 */
struct dmo_choice {
	const char *name;
	uint64_t value;
};

/* NULL: no such word, or value */
const struct dmo_choice *choice_find(const struct dmo_choice *table,
				     const char *name);
const char *choice_name(const struct dmo_choice *table, uint64_t value);

/* "a, b, c" */
const char *choice_list(const struct dmo_choice *table, char *text, size_t len);

/**
 * struct dmo_option - one long option
 * @name: without the dashes; NULL ends the table
 * @letter: short form, or 0
 * @kind: what the argument is
 * @arg: the argument's name in the help
 * @help: one line
 * @min: smallest number, or the value stored by DMO_OPT_SET
 * @max: greatest number
 * @choices: the words of DMO_OPT_CHOICE
 * @flag: where DMO_OPT_SET stores
 * @number: where DMO_OPT_NUMBER, DMO_OPT_SIZE and DMO_OPT_CHOICE store
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
	const struct dmo_choice *choices;
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
