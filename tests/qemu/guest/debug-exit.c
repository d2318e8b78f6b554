// SPDX-License-Identifier: GPL-2.0
/*
 * debug-exit STATUS: end QEMU at once and with the exit status 2 * STATUS + 1,
 * which a panic cannot be mistaken for. It returns where there is no such way
 * out.
 */
#include <stdio.h>
#include <stdlib.h>

#if defined(__aarch64__) || defined(__arm__)
#ifdef __aarch64__
#define REGISTER(n)	"x" #n
#define HLT		"hlt #0xf000"
#else
#define REGISTER(n)	"r" #n
#define HLT		".inst 0xe10f0070"	/* the same; assemblers know it from ARMv8 on */
__attribute__((noinline, target("arm")))
#endif
/* Semihosting's SYS_EXIT_EXTENDED, whose second word is the exit status */
static void leave(int status)
{
	long block[] = { 0x20026 /* ADP_Stopped_ApplicationExit */, 2L * status + 1 };
	register long operation asm(REGISTER(0)) = 0x20;
	register long *argument asm(REGISTER(1)) = block;

	asm volatile(HLT : "+r" (operation) : "r" (argument) : "memory");
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
