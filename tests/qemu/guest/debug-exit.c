// SPDX-License-Identifier: GPL-2.0
/*
 * debug-exit STATUS: end QEMU at once and with the exit status 2 * STATUS + 1,
 * which a panic cannot be mistaken for. It returns where there is no such way
 * out.
 */
#include <stdio.h>
#include <stdlib.h>

#ifdef __aarch64__
/* Semihosting's SYS_EXIT, whose second word is the exit status */
static void leave(int status)
{
	long block[] = { 0x20026 /* ADP_Stopped_ApplicationExit */, 2L * status + 1 };
	register long operation asm("x0") = 0x18;
	register long *argument asm("x1") = block;

	asm volatile("hlt #0xf000" : "+r" (operation) : "r" (argument) : "memory");
}
#else
#include <sys/io.h>
#include <unistd.h>

/* QEMU's isa-debug-exit device, which does the sum itself */
static void leave(int status)
{
	if (ioperm(0xf4, 4, 1))
		return;
	outl(status, 0xf4);
	pause();
}
#endif

int main(int argc, char **argv)
{
	if (argc == 2)
		leave(atoi(argv[1]));
	perror(argv[0]);
	return 1;
}
