// SPDX-License-Identifier: GPL-2.0
/*
 * debug-exit STATUS: end QEMU through its isa-debug-exit device, at once and
 * with the exit status 2 * STATUS + 1, which a panic cannot be mistaken for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2 || ioperm(0xf4, 4, 1)) {
		perror(argv[0]);
		return 1;
	}
	outl(atoi(argv[1]), 0xf4);
	return pause();
}
