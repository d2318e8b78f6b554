// SPDX-License-Identifier: GPL-2.0
/*
 * Replays a corpus without libFuzzer, and says TAP.
 *
 *	TARGET-replay CORPUS
 *
 * A line of a corpus is one input in hexadecimal digits, in lower case; what follows a
 * '#' says what it is.  Other lines explain.  Each is run in a process of its own, so
 * that one that fails does not hide the others.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#define MAX_BYTES	4096
#define MAX_LINE	(2 * MAX_BYTES + 256)

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Decode the digits of a line; returns the number of bytes, -1: it is malformed */
static int decode(const char *line, u8 *data)
{
	unsigned int byte;
	int n = 0;

	for (; is_digit(line[0]) && is_digit(line[1]); line += 2) {
		if (n == MAX_BYTES || sscanf(line, "%2x", &byte) != 1)
			return -1;
		data[n++] = byte;
	}
	line += strspn(line, " \t\n");
	return *line && *line != '#' ? -1 : n;
}

/* Of the exact size, so that a read beyond it is seen */
static void run(const u8 *data, int size)
{
	u8 *copy = malloc(size ? size : 1);

	CHECK(copy);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static bool passes(const char *line)
{
	static u8 data[MAX_BYTES];
	int size = decode(line, data), status;
	pid_t pid;

	if (size < 0) {
		printf("# malformed\n");
		return false;
	}
	fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		run(data, size);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return !status;
}

static void report(unsigned int nr, const char *line, bool ok)
{
	const char *hash = strchr(line, '#');
	const char *name = hash ? hash + 1 + strspn(hash + 1, " ") : "";

	printf("%s %u - input %u %.*s\n", ok ? "ok" : "not ok", nr, nr,
	       (int)strcspn(name, "\n"), name);
}

int main(int argc, char **argv)
{
	FILE *corpus = argc == 2 ? fopen(argv[1], "r") : NULL;
	static char line[MAX_LINE];
	unsigned int nr = 0;
	bool all_ok = true;

	if (!corpus) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	printf("TAP version 13\n");
	while (fgets(line, sizeof(line), corpus)) {
		bool ok;

		if (!is_digit(line[0]) || !is_digit(line[1]))
			continue;
		ok = passes(line);
		report(++nr, line, ok);
		all_ok &= ok;
	}
	fclose(corpus);
	printf("1..%u\n", nr);
	return all_ok ? 0 : 1;
}
