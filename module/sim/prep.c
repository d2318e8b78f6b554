// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors from dmaengine's arguments, and the check of what hardware could
 * not bear.  A descriptor that fails it is accepted, says why in the kernel log,
 * and completes with an error.
 */
#include <linux/dma-mapping.h>
#include <linux/overflow.h>
#include <linux/string.h>

#include "sim.h"

/* The end may be that of all addresses: nothing may be computed beyond it. */
static bool is_ram(const struct sim_device *sdev, dma_addr_t first, dma_addr_t last)
{
	dma_addr_t page = first - offset_in_page(first);

	while (pfn_valid(PHYS_PFN(dma_to_phys(sdev->dma.dev, page)))) {
		if (last - page < PAGE_SIZE)
			return true;
		page += PAGE_SIZE;
	}
	return false;
}

static const char *check_len(const struct sim_config *config, size_t len)
{
	if (!len)
		return "no length";
	if (!IS_ALIGNED(len, 1UL << config->align))
		return "misaligned length";
	if (len > config->max_seg_bytes)
		return "too long";
	return NULL;
}

static const char *check_range(const struct sim_device *sdev, dma_addr_t addr, size_t len)
{
	dma_addr_t last;

	if (!IS_ALIGNED(addr, 1UL << sdev->config.align))
		return "misaligned address";
	if (check_add_overflow(addr, (dma_addr_t)len - 1, &last) ||
	    last > dma_get_mask(sdev->dma.dev))
		return "beyond the DMA mask";
	if (!is_ram(sdev, addr, last))
		return "no memory there";
	return NULL;
}

static enum dmaengine_tx_result complain(const struct sim_device *sdev, const struct sim_desc *desc,
					 const char *what, dma_addr_t addr, const char *why,
					 enum dmaengine_tx_result result)
{
	dev_err_ratelimited(sdev->dma.dev, "channel %d: %s %pad, %zu bytes: %s\n",
			    desc->tx.chan->chan_id, what, &addr, desc->len, why);
	return result;
}

static enum dmaengine_tx_result sim_desc_check(const struct sim_device *sdev,
					       const struct sim_desc *desc)
{
	const char *why = check_len(&sdev->config, desc->len);
	unsigned int i;

	if (why)
		return complain(sdev, desc, "output", desc->dst[0], why, DMA_TRANS_ABORTED);
	for (i = 0; i < desc->nr_srcs; i++) {
		why = check_range(sdev, desc->src[i], desc->len);
		if (why)
			return complain(sdev, desc, "input", desc->src[i], why,
					DMA_TRANS_READ_FAILED);
	}
	for (i = 0; i < ARRAY_SIZE(desc->dst); i++) {
		why = desc->has_dst[i] ? check_range(sdev, desc->dst[i], desc->len) : NULL;
		if (why)
			return complain(sdev, desc, "output", desc->dst[i], why,
					DMA_TRANS_WRITE_FAILED);
	}
	return DMA_TRANS_NOERROR;
}

/* The common part; the caller has filled in all that is special */
static struct dma_async_tx_descriptor *finish(struct sim_chan *sc, struct sim_desc *desc,
					      size_t len)
{
	desc->len = len;
	desc->result = sim_desc_check(sc->sdev, desc);
	return &desc->tx;
}

static void set_srcs(struct sim_desc *desc, const dma_addr_t *src, unsigned int nr)
{
	desc->nr_srcs = nr;
	memcpy(desc->src, src, nr * sizeof(*src));
}

static bool too_many(struct sim_chan *sc, unsigned int nr)
{
	unsigned int max = sc->sdev->config.max_srcs;

	if (nr && nr <= max)
		return false;
	dev_err_ratelimited(sc->sdev->dma.dev, "channel %d: %u inputs, it takes 1 to %u\n",
			    sc->chan.chan_id, nr, max);
	return true;
}

static struct dma_async_tx_descriptor *sim_prep_xor(struct dma_chan *chan, dma_addr_t dst,
						    dma_addr_t *src, unsigned int nr, size_t len,
						    unsigned long flags)
{
	struct sim_chan *sc = to_sim_chan(chan);
	struct sim_desc *desc = too_many(sc, nr) ? NULL : sim_chan_get_desc(sc, flags);

	if (!desc)
		return NULL;
	desc->op = SIM_XOR;
	desc->has_dst[0] = true;
	desc->dst[0] = dst;
	set_srcs(desc, src, nr);
	return finish(sc, desc, len);
}

static struct dma_async_tx_descriptor *sim_prep_memcpy(struct dma_chan *chan, dma_addr_t dst,
						       dma_addr_t src, size_t len,
						       unsigned long flags)
{
	return sim_prep_xor(chan, dst, &src, 1, len, flags);
}

/* The pattern is the least significant byte of @value. */
static struct dma_async_tx_descriptor *sim_prep_memset(struct dma_chan *chan, dma_addr_t dst,
						       int value, size_t len,
						       unsigned long flags)
{
	struct sim_chan *sc = to_sim_chan(chan);
	struct sim_desc *desc = sim_chan_get_desc(sc, flags);

	if (!desc)
		return NULL;
	desc->op = SIM_FILL;
	desc->value = value;
	desc->has_dst[0] = true;
	desc->dst[0] = dst;
	return finish(sc, desc, len);
}

/* With DMA_PREP_CONTINUE what P and Q hold is part of their sums. */
static struct dma_async_tx_descriptor *sim_prep_pq(struct dma_chan *chan, dma_addr_t *dst,
						   dma_addr_t *src, unsigned int nr,
						   const unsigned char *coef, size_t len,
						   unsigned long flags)
{
	struct sim_chan *sc = to_sim_chan(chan);
	struct sim_desc *desc = too_many(sc, nr) ? NULL : sim_chan_get_desc(sc, flags);

	if (!desc)
		return NULL;
	desc->op = SIM_PQ;
	desc->has_dst[0] = !(flags & DMA_PREP_PQ_DISABLE_P);
	desc->has_dst[1] = !(flags & DMA_PREP_PQ_DISABLE_Q);
	memcpy(desc->dst, dst, sizeof(desc->dst));
	set_srcs(desc, src, nr);
	if (desc->has_dst[1])
		memcpy(desc->coef, coef, nr);
	return finish(sc, desc, len);
}

static struct dma_async_tx_descriptor *sim_prep_interrupt(struct dma_chan *chan,
							  unsigned long flags)
{
	struct sim_desc *desc = sim_chan_get_desc(to_sim_chan(chan), flags);

	return desc ? &desc->tx : NULL;
}

/**
 * sim_prep_set_ops() - the part of a device that prepares descriptors
 * @dma: the device
 */
void sim_prep_set_ops(struct dma_device *dma)
{
	dma->device_prep_dma_memcpy = sim_prep_memcpy;
	dma->device_prep_dma_memset = sim_prep_memset;
	dma->device_prep_dma_xor = sim_prep_xor;
	dma->device_prep_dma_pq = sim_prep_pq;
	dma->device_prep_dma_interrupt = sim_prep_interrupt;
}
