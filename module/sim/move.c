// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: memory to scratch, arithmetic in scratch, scratch to memory,
 * a step at a time, so that outputs may be inputs.
 */
#include <linux/compiler.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "sim.h"

static void ram_read(struct sim_device *sdev, u8 *to, dma_addr_t addr, size_t len)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(addr));
		u8 *ram = sim_ram_map(sdev, addr);

		memcpy(to, ram, part);
		kunmap_local(ram);
		to += part;
		addr += part;
		len -= part;
	}
}

/**
 * sim_ram_write() - write to memory, and nothing but memory
 * @sdev: the device
 * @addr: where; passed sim_desc_check()
 * @from: what
 * @len: how much
 */
void sim_ram_write(struct sim_device *sdev, dma_addr_t addr, const u8 *from, size_t len)
{
	while (len) {
		size_t part = min_t(size_t, len, PAGE_SIZE - offset_in_page(addr));
		u8 *ram = sim_ram_map(sdev, addr);

		memcpy(ram, from, part);
		kunmap_local(ram);
		from += part;
		addr += part;
		len -= part;
	}
}

static void output(struct sim_device *sdev, dma_addr_t addr, const void *from, size_t len)
{
	if (sdev->config.coherent)
		sim_ram_write(sdev, addr, from, len);
	else
		sim_cache_write(sdev, addr, from, len);
}

/*
 * Scratch belongs to the channel's thread: to look for data races here would take all
 * the time there is
 */
static __no_kcsan void add(u64 *sum, const u64 *in, size_t words)
{
	while (words--)
		*sum++ ^= *in++;
}

/* Eight bytes times 2 in the field of RAID-6, x^8 + x^4 + x^3 + x^2 + 1 */
static u64 gf_double(u64 bytes)
{
	u64 high = bytes & 0x8080808080808080ULL;

	return (bytes ^ high) << 1 ^ (high >> 7) * 0x1d;
}

static __no_kcsan void add_multiple(u64 *sum, const u64 *in, u8 coef, size_t words)
{
	for (; words--; sum++) {
		u64 power = *in++;
		u8 bits;

		for (bits = coef; bits; bits >>= 1, power = gf_double(power))
			if (bits & 1)
				*sum ^= power;
	}
}

/* One step at @offset of every region; @len is what is left, or a step's */
static void sim_step(struct sim_chan *sc, struct sim_desc *desc, size_t offset, size_t len)
{
	struct sim_device *sdev = sc->sdev;
	u64 *sum = sc->step[0], *multiples = sc->step[1], *in = sc->step[2];
	size_t words = DIV_ROUND_UP(len, sizeof(u64));
	bool go_on = desc->tx.flags & DMA_PREP_CONTINUE;
	unsigned int i;

	memset(sum, desc->op == SIM_FILL ? desc->value : 0, len);
	memset(multiples, 0, len);
	for (i = 0; i < ARRAY_SIZE(desc->dst); i++)
		if (desc->op == SIM_PQ && go_on && desc->has_dst[i])
			ram_read(sdev, (u8 *)sc->step[i], desc->dst[i] + offset, len);

	for (i = 0; i < desc->nr_srcs; i++) {
		ram_read(sdev, (u8 *)in, desc->src[i] + offset, len);
		add(sum, in, words);
		if (desc->has_dst[1])
			add_multiple(multiples, in, desc->coef[i], words);
	}

	for (i = 0; i < ARRAY_SIZE(desc->dst); i++)
		if (desc->has_dst[i])
			output(sdev, desc->dst[i] + offset, sc->step[i], len);
}

/**
 * sim_move() - do what a descriptor asks for, unless it is aborted
 * @sc: the channel
 * @desc: says how many of its bytes are moved, none if it was refused
 *
 * Context: the channel's thread.
 */
void sim_move(struct sim_chan *sc, struct sim_desc *desc)
{
	size_t offset, len;

	for (offset = 0; offset < desc->nr_moved; offset += len) {
		if (READ_ONCE(sc->abort))
			return;
		len = min_t(size_t, desc->nr_moved - offset, SIM_STEP_BYTES);
		sim_step(sc, desc, offset, len);
		cond_resched();
	}
	if (!sc->sdev->config.coherent)
		sim_cache_write_back(sc->sdev, desc);
}
