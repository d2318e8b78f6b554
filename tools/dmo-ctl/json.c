// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* Bytes of the UTF-8 character at @s, 0 if it is none. */
static int utf8_len(const unsigned char *s)
{
	int i, n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* overlong, a surrogate, beyond the last character */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* File names are bytes: what is no UTF-8 becomes the replacement character. */
static void put_quoted(FILE *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	int n;

	fputc('"', f);
	for (; *s; s += n) {
		n = utf8_len(s);
		if (!n) {
			fputs("\\ufffd", f);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			fprintf(f, "\\%c", *s);
		} else if (*s < 0x20 || *s == 0x7f) {
			fprintf(f, "\\u%04x", *s);
		} else {
			fwrite(s, 1, (size_t)n, f);
		}
	}
	fputc('"', f);
}

static void begin_member(struct json *j, const char *key)
{
	if (j->comma)
		fputs(", ", j->text);
	j->comma = 1;
	if (!key)
		return;
	put_quoted(j->text, key);
	fputs(": ", j->text);
}

static void open_level(struct json *j, char open, char close)
{
	fputc(open, j->text);
	j->closing[j->depth++] = close;
	j->comma = 0;
}

int json_init(struct json *j)
{
	memset(j, 0, sizeof(*j));
	j->text = open_memstream(&j->buf, &j->len);
	if (!j->text)
		return -1;
	open_level(j, '{', '}');
	return 0;
}

int json_print(struct json *j)
{
	int failed;

	while (j->depth)
		json_close(j);
	failed = ferror(j->text);
	if (fclose(j->text))
		failed = 1;
	if (!failed && puts(j->buf) == EOF)
		failed = 1;
	if (fflush(stdout))
		failed = 1;
	free(j->buf);
	return failed ? -1 : 0;
}

void json_object(struct json *j, const char *key)
{
	begin_member(j, key);
	open_level(j, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	begin_member(j, key);
	open_level(j, '[', ']');
}

void json_close(struct json *j)
{
	fputc(j->closing[--j->depth], j->text);
	j->comma = 1;
}

void json_close_all(struct json *j)
{
	while (j->depth > 1)
		json_close(j);
}

void json_string(struct json *j, const char *key, const char *value)
{
	begin_member(j, key);
	put_quoted(j->text, value);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	begin_member(j, key);
	fprintf(j->text, "%" PRIu64, value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
	begin_member(j, key);
	fprintf(j->text, "%" PRId64, value);
}

void json_double(struct json *j, const char *key, double value)
{
	begin_member(j, key);
	fprintf(j->text, "%.6f", value);
}

void json_bool(struct json *j, const char *key, int value)
{
	begin_member(j, key);
	fputs(value ? "true" : "false", j->text);
}

void json_null(struct json *j, const char *key)
{
	begin_member(j, key);
	fputs("null", j->text);
}
