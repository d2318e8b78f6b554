// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

int file_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = -1;

	if (fd < 0)
		return -1;
	if (write(fd, value, strlen(value)) == (ssize_t)strlen(value))
		ret = 0;
	close(fd);
	return ret;
}

long long file_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	long long value = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = 0;
		if (!strcmp(line, name))
			value = atoll(colon + 1);
	}
	if (file)
		fclose(file);
	return value;
}
