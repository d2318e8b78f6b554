// SPDX-License-Identifier: GPL-2.0
/*
 * Load on all engines; see load.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "region.h"

#define BATCH	6
#define MOST	40000

static const char *judge(struct load *l, const struct dmio_usrresp *resp, const uint8_t *dst,
			 const uint8_t *want, size_t len)
{
	int error = resp->resp_error;

	if (error && l->policy == DMOVERIO_POLICY_REQUIRE_DMA) {
		l->refused++;
		return error == ENODEV || error == EIO ? NULL : "an error that must not be";
	}
	return error ? "an error" : dt_diff(dst, want, len) != -1 ? "wrong data" : NULL;
}

static const char *run_batch(struct load *l, int fd, uint8_t *in, uint8_t *out, uint8_t *want)
{
	const struct dt_func *f = dt_func(l->func);
	bool answered[BATCH] = { false };
	struct dmio_usrreq flat[BATCH];
	struct dmio_usrresp resp[BATCH];
	struct dt_req r[BATCH];
	size_t len[BATCH];

	for (unsigned int i = 0; i < BATCH; i++) {
		void *ins[] = { in + dt_below(&l->rng, MOST), in + dt_below(&l->rng, MOST),
				in + dt_below(&l->rng, MOST) };

		len[i] = dt_between(&l->rng, 1, MOST);
		dt_req_init(&r[i], f, i, out + i * MOST, len[i], ins, 0x5a);
		flat[i] = r[i].req;
	}
	memset(out, 0xee, BATCH * MOST);
	if (dt_write_all(fd, flat, BATCH))
		return "a write that fails";
	if (dt_collect(fd, resp, BATCH))
		return "an answer that does not come";
	if (dt_nr(fd, "answered") || dt_nr(fd, "running"))
		return "an answer too many";
	for (unsigned int i = 0; i < BATCH; i++) {
		uint32_t id = resp[i].resp_id;
		const char *bad;

		if (id >= BATCH || answered[id])
			return "a request answered twice";
		answered[id] = true;
		dt_compute(f, 0x5a, r[id].in, want, len[id]);
		bad = judge(l, &resp[i], out + id * MOST, want, len[id]);
		if (bad)
			return bad;
	}
	return NULL;
}

static void *run_load(void *arg)
{
	uint8_t *in = dt_mmap(2 * MOST), *out = dt_mmap(BATCH * MOST), *want = dt_mmap(MOST);
	struct load *l = arg;
	int fd = dt_open_policy(l->func, l->policy);

	dt_fill(&l->rng, in, 2 * MOST);
	l->bad = fd < 0 ? "no session" : NULL;
	while (!l->bad && !atomic_load(&l->stop)) {
		l->bad = run_batch(l, fd, in, out, want);
		atomic_fetch_add(&l->batches, 1);
	}
	if (fd >= 0)
		l->ways = dt_ways(fd);
	close(fd);
	return NULL;
}

int load_start(struct load *load, struct dt_rng *rng)
{
	static const struct { const char *func; uint32_t policy; } kinds[NR_LOADS] = {
		{ "copy", DMOVERIO_POLICY_PREFER_DMA }, { "xor3", DMOVERIO_POLICY_PREFER_DMA },
		{ "copy", DMOVERIO_POLICY_REQUIRE_DMA }, { "copy", DMOVERIO_POLICY_REQUIRE_DMA },
	};
	int err = 0;

	for (unsigned int i = 0; i < NR_LOADS && !err; i++) {
		load[i] = (struct load){ .func = kinds[i].func, .policy = kinds[i].policy,
					 .rng = { dt_rand(rng) } };
		err = -pthread_create(&load[i].thread, NULL, run_load, &load[i]);
	}
	return err;
}

bool load_progress(struct load *load)
{
	long long end = dt_now_ms() + 2 * DT_PATIENCE_MS;
	unsigned int from[NR_LOADS];

	for (unsigned int i = 0; i < NR_LOADS; i++)
		from[i] = atomic_load(&load[i].batches);
	for (unsigned int i = 0; i < NR_LOADS; i++) {
		while (atomic_load(&load[i].batches) - from[i] < 2) {
			if (load[i].bad || dt_now_ms() > end)
				return false;
			dt_sleep_ms(1);
		}
	}
	return true;
}

void load_end(struct load *load)
{
	for (unsigned int i = 0; i < NR_LOADS; i++)
		atomic_store(&load[i].stop, true);
	for (unsigned int i = 0; i < NR_LOADS; i++)
		pthread_join(load[i].thread, NULL);
}
