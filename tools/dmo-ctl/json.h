/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A JSON object under construction, in memory until it is printed.  Without
 * memory for it nothing is printed and json_print() says so.
 */
#ifndef DMO_CTL_JSON_H
#define DMO_CTL_JSON_H

#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH	8

struct json {
	FILE *text;
	char *buf;
	size_t len;
	int comma;		/* something precedes on this level */
	int depth;
	char closing[JSON_DEPTH];
};

int json_init(struct json *j);		/* opens the outer object */
int json_print(struct json *j);		/* closes everything, prints, frees */

/* @key is NULL inside arrays. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_close(struct json *j);	/* the innermost object or array */
void json_close_all(struct json *j);	/* all but the outer object */

void json_string(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_double(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, int value);
void json_null(struct json *j, const char *key);

#endif /* DMO_CTL_JSON_H */
