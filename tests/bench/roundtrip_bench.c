// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a request costs beyond its bytes: a copy of each size by write and
 * read, against process_vm_writev() of the same bytes, which also pins the
 * memory of one side and copies in the kernel.
 *
 * Made for a guest whose clock counts instructions (QEMU -icount): there a
 * nanosecond is an instruction and the median repeats. Elsewhere the figures
 * are times, good for comparing two lines of one run only.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dev/dmover/dmover_io.h>

#include "bench.h"

#define ROUNDS	101

static char *src, *dst;
static int dev;

static int by_device(size_t len)
{
	struct iovec in = { src, len }, out = { dst, len };
	dmio_buffer inbuf = { &in, 1 };
	struct dmio_usrreq req = {
		.req_outbuf = { &out, 1 },
		.req_inbuf = &inbuf,
		.req_id = len,
	};
	struct dmio_usrresp resp;

	return write(dev, &req, sizeof(req)) == sizeof(req) &&
	       read(dev, &resp, sizeof(resp)) == sizeof(resp) &&
	       resp.resp_id == len && !resp.resp_error;
}

static int by_process_vm(size_t len)
{
	struct iovec local = { src, len }, remote = { dst, len };

	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)len;
}

/* Median of ROUNDS, or 0 if a round failed or moved the wrong bytes */
static double measure(int (*copy)(size_t), size_t len)
{
	double ns[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin;

		memset(src, i + 1, len);
		memset(dst, 0, len);
		begin = now_ns();
		if (!copy(len))
			return 0;
		ns[i] = now_ns() - begin;
		if (memcmp(src, dst, len))
			return 0;
	}
	sort(ns, ROUNDS);
	return ns[ROUNDS / 2];
}

int main(void)
{
	static const size_t sizes[] = { 64, 4096, 16384, 65536, 1048576 };
	const size_t nr = sizeof(sizes) / sizeof(sizes[0]), max = sizes[nr - 1];
	struct dmio_setfunc setfunc = { .dsf_name = "copy" };
	int failed = 0;

	dev = open(DMOVERIO_DEVICE, O_RDWR);
	if (dev < 0 || ioctl(dev, DMIO_SETFUNC, &setfunc)) {
		perror(DMOVERIO_DEVICE);
		return 1;
	}
	src = mmap(NULL, max, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	dst = mmap(NULL, max, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (src == MAP_FAILED || dst == MAP_FAILED) {
		perror("mmap");
		return 1;
	}

	printf("TAP version 13\n1..%zu\n", nr);
	printf("#   bytes  write+read  process_vm_writev  ratio\n");
	for (size_t i = 0; i < nr; i++) {
		double ours = measure(by_device, sizes[i]);
		double theirs = measure(by_process_vm, sizes[i]);
		int ok = ours > 0 && theirs > 0;

		if (ok)
			printf("# %7zu  %10.0f  %17.0f  %5.2f\n", sizes[i],
			       ours, theirs, ours / theirs);
		printf("%s %zu copy of %zu bytes\n", ok ? "ok" : "not ok", i + 1, sizes[i]);
		failed |= !ok;
	}
	return failed;
}
