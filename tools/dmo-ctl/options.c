// SPDX-License-Identifier: GPL-2.0-only
/*
 * The option parser: getopt_long() driven by tables of struct dmo_option.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "util.h"

#define MAX_OPTIONS	32
#define FIRST_VAL	256	/* above every short option's letter */

struct parser {
	const struct dmo_option *rows[MAX_OPTIONS];
	struct option longopts[MAX_OPTIONS + 1];
	char letters[2 * MAX_OPTIONS + 3];
	int nr;
	int nr_letters;
};

static void parser_add(struct parser *p, const struct dmo_option *table)
{
	const struct dmo_option *row;

	for (row = table; row && row->name && p->nr < MAX_OPTIONS; row++) {
		int has_arg = row->kind != DMO_OPT_SET;

		p->rows[p->nr] = row;
		p->longopts[p->nr] = (struct option){
			.name = row->name,
			.has_arg = has_arg ? required_argument : no_argument,
			.val = FIRST_VAL + p->nr,
		};
		p->nr++;
		if (!row->letter)
			continue;
		p->letters[p->nr_letters++] = row->letter;
		if (has_arg)
			p->letters[p->nr_letters++] = ':';
	}
}

static const struct dmo_option *parser_find(const struct parser *p, int val)
{
	int i;

	if (val >= FIRST_VAL && val < FIRST_VAL + p->nr)
		return p->rows[val - FIRST_VAL];
	for (i = 0; i < p->nr; i++)
		if (val && p->rows[i]->letter == val)
			return p->rows[i];
	return NULL;
}

static int parse_number(const struct dmo_option *row, const char *text)
{
	uint64_t value;

	if (util_parse_number(text, row->kind == DMO_OPT_SIZE, &value)) {
		util_error("--%s: '%s' is not a %s", row->name, text,
			   row->kind == DMO_OPT_SIZE ?
			   "size (a number, with K, M or G)" : "number");
		return -1;
	}
	if (value < row->min || value > row->max) {
		util_error("--%s: %s is out of range (%llu to %llu)",
			   row->name, text, (unsigned long long)row->min,
			   (unsigned long long)row->max);
		return -1;
	}
	*row->number = value;
	return 0;
}

const struct dmo_choice *choice_find(const struct dmo_choice *table,
				     const char *name)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

const char *choice_name(const struct dmo_choice *table, uint64_t value)
{
	for (; table->name; table++)
		if (table->value == value)
			return table->name;
	return NULL;
}

const char *choice_list(const struct dmo_choice *table, char *text, size_t len)
{
	size_t used = 0;

	text[0] = '\0';
	for (; table->name && used < len; table++)
		used += (size_t)snprintf(text + used, len - used, "%s%s",
					 used ? ", " : "", table->name);
	return text;
}

static int parse_choice(const struct dmo_option *row, const char *text)
{
	const struct dmo_choice *choice = choice_find(row->choices, text);
	char words[128];

	if (!choice) {
		util_error("--%s: '%s' is none of: %s", row->name, text,
			   choice_list(row->choices, words, sizeof(words)));
		return -1;
	}
	*row->number = choice->value;
	return 0;
}

static int option_store(const struct dmo_option *row, const char *text)
{
	switch (row->kind) {
	case DMO_OPT_SET:
		*row->flag = (int)row->min;
		return 0;
	case DMO_OPT_STRING:
		*row->string = text;
		return 0;
	case DMO_OPT_NUMBER:
	case DMO_OPT_SIZE:
		return parse_number(row, text);
	case DMO_OPT_CHOICE:
		return parse_choice(row, text);
	}
	return -1;
}

int options_parse(int argc, char **argv, const struct dmo_option *own,
		  const struct dmo_option *global, int stop_early)
{
	const struct dmo_option *row;
	struct parser p = { .nr = 0 };
	int val;

	if (stop_early)
		p.letters[p.nr_letters++] = '+';
	p.letters[p.nr_letters++] = ':';
	parser_add(&p, own);
	parser_add(&p, global);

	optind = 0;		/* start afresh: commands parse a second time */
	opterr = 0;
	while ((val = getopt_long(argc, argv, p.letters, p.longopts, NULL)) != -1) {
		if (val == ':') {
			util_error("%s: an argument is missing", argv[optind - 1]);
			return -1;
		}
		row = val == '?' ? NULL : parser_find(&p, val);
		if (!row && optopt > 0 && optopt < FIRST_VAL) {
			util_error("-%c: no such option", optopt);
			return -1;
		}
		if (!row) {
			util_error("%s: no such option", argv[optind - 1]);
			return -1;
		}
		if (option_store(row, optarg))
			return -1;
	}
	return optind;
}

void options_print(const struct dmo_option *table)
{
	const struct dmo_option *row;
	char left[40];

	for (row = table; row && row->name; row++) {
		snprintf(left, sizeof(left), "--%s%s%s", row->name,
			 row->arg ? " " : "", row->arg ? row->arg : "");
		if (row->letter)
			printf("  -%c, %-18s %s\n", row->letter, left, row->help);
		else
			printf("      %-18s %s\n", left, row->help);
	}
}
