// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy through /dev/dmoverio by DMA, against one by the kernel's dmatest on
 * the same channel.  In each round, first dmatest has the channel, then we have
 * it, or the other way round; a ratio is of two neighbours.
 *
 * dmatest copies one buffer of the kernel, contiguous, one copy at a time.  We do
 * it one at a time, too, and with several copies in flight; in memory of single
 * pages and of huge pages.
 *
 * No figure makes it fail, but one that is missing, wrong data, or bytes that did
 * not go by DMA.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include <dev/dmover/dmover_io.h>

#include "bench.h"
#include "dmatest.h"
#include "file.h"
#include "pages.h"

/*
 * Of 9 values, the 2nd and the 8th enclose the median of what they are drawn from
 * with 96 %, whatever their distribution.
 */
#define ROUNDS		9
#define LOWER		1
#define UPPER		7

#define MAX_DEPTH	8
#define MAX_LEN		((size_t)1 << 20)

/*
 * Copies of a measurement: as many as dmatest does in so many milliseconds (or what
 * DMIO_BENCH_MS says), but
 */
#define RUN_MS		20
#define LEAST_NR	MAX_DEPTH
#define MOST_NR		128

#define CONTROL		"/sys/class/misc/dmoverio/"

static const size_t sizes[] = { 4096, 65536, 1048576 };
static const unsigned int depths[] = { 1, MAX_DEPTH };
static const char *const memory_names[] = { "4 KiB", "huge" };

#define NR_SIZES	(sizeof(sizes) / sizeof(sizes[0]))
#define NR_DEPTHS	(sizeof(depths) / sizeof(depths[0]))
#define NR_MEMORIES	(sizeof(memory_names) / sizeof(memory_names[0]))
#define NR_VARIANTS	(NR_DEPTHS * NR_MEMORIES)

static char channel[32];
static uint8_t *src[NR_MEMORIES], *dst[NR_MEMORIES];

/* Nanoseconds per copy, of each round */
struct measured {
	double dmatest[ROUNDS];
	double ours[NR_VARIANTS][ROUNDS];
};

/* -- we */

static int open_session(void)
{
	struct dmio_setfunc setfunc = { .dsf_name = "copy" };
	struct dmoverio_policy policy = {
		.size = sizeof(policy),
		.policy = DMOVERIO_POLICY_REQUIRE_DMA,
	};
	int fd = open(DMOVERIO_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && (ioctl(fd, DMIO_SETFUNC, &setfunc) ||
			ioctl(fd, DMOVERIO_IOC_SET_POLICY, &policy))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool submit(int fd, unsigned int memory, size_t len, uint32_t slot)
{
	struct iovec in = { src[memory] + slot * len, len };
	struct iovec out = { dst[memory] + slot * len, len };
	dmio_buffer inbuf = { &in, 1 };
	struct dmio_usrreq req = {
		.req_outbuf = { &out, 1 },
		.req_inbuf = &inbuf,
		.req_id = slot,
	};

	return write(fd, &req, sizeof(req)) == sizeof(req);
}

/* @nr copies, @depth or more, @depth at a time: nanoseconds per copy, or 0 */
static double copy(int fd, unsigned int memory, size_t len, unsigned int nr, unsigned int depth)
{
	uint64_t begin = now_ns();

	for (unsigned int slot = 0; slot < depth; slot++)
		if (!submit(fd, memory, len, slot))
			return 0;
	for (unsigned int done = 1; done <= nr; done++) {
		struct dmio_usrresp resp;

		if (read(fd, &resp, sizeof(resp)) != sizeof(resp) || resp.resp_error)
			return 0;
		if (done + depth <= nr && !submit(fd, memory, len, resp.resp_id))
			return 0;
	}
	return (double)(now_ns() - begin) / nr;
}

static void fill(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i += sizeof(seed)) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		memcpy(p + i, &seed, sizeof(seed));
	}
}

static bool all_by_dma(int fd, long long bytes)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return file_number(path, "dma-bytes") == bytes;
}

/* The same with new data, which is verified */
static double copy_verified(unsigned int memory, size_t len, unsigned int nr, unsigned int depth)
{
	static uint64_t seed;
	int fd = open_session();
	double ns = 0;

	if (fd < 0) {
		perror(DMOVERIO_DEVICE);
		return 0;
	}
	fill(src[memory], depth * len, ++seed);
	memset(dst[memory], 0, depth * len);
	ns = copy(fd, memory, len, nr, depth);
	if (!ns) {
		perror("copy");
	} else if (memcmp(src[memory], dst[memory], depth * len)) {
		fprintf(stderr, "copy: wrong data\n");
		ns = 0;
	} else if (!all_by_dma(fd, (long long)len * nr)) {
		fprintf(stderr, "copy: not all by DMA\n");
		ns = 0;
	}
	close(fd);
	return ns;
}

/* -- in turns */

static double dmatest(size_t len, unsigned int nr)
{
	double ns;

	if (file_write(CONTROL "release", channel)) {
		perror(CONTROL "release");
		return 0;
	}
	ns = dmatest_run(channel, len, nr);
	if (file_write(CONTROL "rescan", "1")) {
		perror(CONTROL "rescan");
		return 0;
	}
	return ns;
}

/* All variants, beginning with another one each time */
static bool ours(struct measured *m, unsigned int round, size_t len, unsigned int nr)
{
	for (unsigned int i = 0; i < NR_VARIANTS; i++) {
		unsigned int variant = (i + round) % NR_VARIANTS;

		m->ours[variant][round] = copy_verified(variant / NR_DEPTHS, len, nr,
							depths[variant % NR_DEPTHS]);
		if (!m->ours[variant][round])
			return false;
	}
	return true;
}

static bool measure(struct measured *m, size_t len)
{
	const char *ms = getenv("DMIO_BENCH_MS");
	double run_ns = (ms ? atoi(ms) : RUN_MS) * 1e6;
	double ns = dmatest(len, LEAST_NR);
	unsigned int nr = LEAST_NR;

	if (!ns)
		return false;
	while (nr < MOST_NR && (nr + 1) * ns <= run_ns)
		nr++;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		if (round % 2 && !ours(m, round, len, nr))
			return false;
		m->dmatest[round] = dmatest(len, nr);
		if (!m->dmatest[round] || (!(round % 2) && !ours(m, round, len, nr)))
			return false;
	}
	return true;
}

/* -- the table */

static void print_head(void)
{
	const char *unit = getenv("DMIO_BENCH_UNIT");

	printf("# %s: %s per copy, medians of %d rounds; (96 %% intervals)\n", channel,
	       unit ? unit : "ns", ROUNDS);
	printf("#   bytes  memory  segments  depth    dmatest       ours       more"
	       "  dmatest / ours\n");
}

static void print_row(const struct measured *m, unsigned int variant, size_t len)
{
	double theirs[ROUNDS], own[ROUNDS], more[ROUNDS], ratio[ROUNDS];
	unsigned int memory = variant / NR_DEPTHS;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		theirs[i] = m->dmatest[i];
		own[i] = m->ours[variant][i];
		more[i] = own[i] - theirs[i];
		ratio[i] = theirs[i] / own[i];
	}
	sort(theirs, ROUNDS);
	sort(own, ROUNDS);
	sort(more, ROUNDS);
	sort(ratio, ROUNDS);
	printf("# %7zu  %6s  %8u  %5u  %9.0f  %9.0f  %9.0f  %.3f (%.3f .. %.3f)\n", len,
	       memory_names[memory], pages_segments(src[memory], len),
	       depths[variant % NR_DEPTHS], theirs[ROUNDS / 2], own[ROUNDS / 2],
	       more[ROUNDS / 2], ratio[ROUNDS / 2], ratio[LOWER], ratio[UPPER]);
}

/* The only channel there is, which must be ours */
static bool find_channel(void)
{
	struct dmoverio_engine first = { .size = sizeof(first), .index = 1 };
	struct dmoverio_engine second = { .size = sizeof(second), .index = 2 };
	int fd = open(DMOVERIO_DEVICE, O_RDWR | O_CLOEXEC);
	bool found;

	if (fd < 0)
		return false;
	found = !ioctl(fd, DMOVERIO_IOC_GET_ENGINE, &first) &&
		first.state == DMOVERIO_ENGINE_ACTIVE &&
		ioctl(fd, DMOVERIO_IOC_GET_ENGINE, &second);
	close(fd);
	memcpy(channel, first.name, sizeof(channel));
	return found;
}

int main(void)
{
	int failed = 0;

	for (unsigned int i = 0; i < NR_MEMORIES; i++) {
		src[i] = pages_alloc(MAX_DEPTH * MAX_LEN, i);
		dst[i] = pages_alloc(MAX_DEPTH * MAX_LEN, i);
		if (!src[i] || !dst[i]) {
			perror("memory");
			return 1;
		}
	}
	if (!find_channel()) {
		fprintf(stderr, "not exactly one DMA channel\n");
		return 1;
	}

	printf("TAP version 13\n1..%zu\n", NR_SIZES);
	print_head();
	for (size_t i = 0; i < NR_SIZES; i++) {
		struct measured m;
		bool ok = measure(&m, sizes[i]);

		for (unsigned int variant = 0; ok && variant < NR_VARIANTS; variant++)
			print_row(&m, variant, sizes[i]);
		printf("%s %zu copies of %zu bytes\n", ok ? "ok" : "not ok", i + 1, sizes[i]);
		failed |= !ok;
	}
	return failed;
}
