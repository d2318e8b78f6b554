// SPDX-License-Identifier: GPL-2.0
/*
 * A device: what it tells dmaengine of itself, its self-test, its end.
 *
 * Clients may hold channels when the driver is unbound.  Then the channels do
 * nothing any more, and the memory stays until the client has let go.
 */
#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "sim.h"

#define SELF_TEST_BYTES		256
#define SELF_TEST_PATIENCE	(60 * HZ)

/* Those that a client held when their driver was unbound, and let go since */
static LIST_HEAD(released);
static DEFINE_SPINLOCK(released_lock);

/* The core still looks at the channel that it has just put, if a client did so. */
static void sim_device_release(struct dma_device *dma)
{
	struct sim_device *sdev = container_of(dma, struct sim_device, dma);

	sdev->releaser = current;
	spin_lock(&released_lock);
	list_add(&sdev->node, &released);
	spin_unlock(&released_lock);
}

/*
 * The caller has unregistered a device, which may be gone by now: free it if that
 * released it.  If a client does, no such client is left when the module goes.
 */
static void sim_device_free_own(const struct sim_device *own)
{
	struct sim_device *sdev;

	spin_lock(&released_lock);
	list_for_each_entry(sdev, &released, node)
		if (sdev == own && sdev->releaser == current) {
			list_del(&sdev->node);
			kfree(sdev);
			break;
		}
	spin_unlock(&released_lock);
}

/**
 * sim_device_free_released() - free devices that outlived their unbinding
 *
 * Context: no client is left: the module is being unloaded.
 */
void sim_device_free_released(void)
{
	struct sim_device *sdev, *next;

	list_for_each_entry_safe(sdev, next, &released, node)
		kfree(sdev);
}

static void self_test_done(void *param)
{
	complete(param);
}

static int copy_once(struct sim_device *sdev, dma_addr_t addr)
{
	struct dma_chan *chan = &sdev->chan[0].chan;
	struct dma_async_tx_descriptor *tx;
	DECLARE_COMPLETION_ONSTACK(done);
	int ret = 0;

	tx = sdev->dma.device_prep_dma_memcpy(chan, addr + SELF_TEST_BYTES, addr, SELF_TEST_BYTES,
					      DMA_PREP_INTERRUPT | DMA_CTRL_ACK);
	if (!tx)
		return -ENOMEM;
	tx->callback = self_test_done;
	tx->callback_param = &done;
	if (dma_submit_error(dmaengine_submit(tx)))
		return -EIO;
	dma_async_issue_pending(chan);
	if (!wait_for_completion_timeout(&done, SELF_TEST_PATIENCE))
		ret = -ETIMEDOUT;
	sim_chan_halt(&sdev->chan[0]);
	return ret;
}

/* Where memory is that the device reaches by itself */
static gfp_t zone(const struct sim_config *config)
{
	return config->addr_bits < 32 ? GFP_DMA : config->addr_bits < 64 ? GFP_DMA32 : 0;
}

/* One copy, as clients do it, but before they see the device */
static int self_test(struct sim_device *sdev)
{
	struct device *dev = sdev->dma.dev;
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL | zone(&sdev->config));
	dma_addr_t addr;
	int ret;

	if (!page)
		return -ENOMEM;
	memset(page, 0xa5, SELF_TEST_BYTES);
	addr = dma_map_single(dev, page, 2 * SELF_TEST_BYTES, DMA_BIDIRECTIONAL);
	ret = dma_mapping_error(dev, addr);
	if (ret)
		goto out_page;
	ret = copy_once(sdev, addr);
	dma_unmap_single(dev, addr, 2 * SELF_TEST_BYTES, DMA_BIDIRECTIONAL);
	if (!ret && memcmp(page, page + SELF_TEST_BYTES, SELF_TEST_BYTES))
		ret = -EIO;
out_page:
	free_page((unsigned long)page);
	return ret;
}

static int self_test_if_it_can(struct sim_device *sdev)
{
	struct dma_chan *chan = &sdev->chan[0].chan;
	int ret;

	if (!dma_has_cap(DMA_MEMCPY, sdev->dma.cap_mask))
		return 0;
	ret = sdev->dma.device_alloc_chan_resources(chan);
	if (ret < 0)
		return ret;
	ret = self_test(sdev);
	sdev->dma.device_free_chan_resources(chan);
	if (ret)
		dev_err(sdev->dma.dev, "self-test failed: %d\n", ret);
	return ret;
}

static void describe(struct sim_device *sdev)
{
	const struct sim_config *config = &sdev->config;
	struct dma_device *dma = &sdev->dma;

	dma->cap_mask = config->caps;
	dma_cap_set(DMA_INTERRUPT, dma->cap_mask);
	dma->copy_align = config->align;
	dma->fill_align = config->align;
	dma->xor_align = config->align;
	dma->pq_align = config->align;
	dma->max_xor = config->max_srcs;
	dma_set_maxpq(dma, config->max_srcs, 1);
	dma->device_release = sim_device_release;
	sim_chan_set_ops(dma);
	if (!config->terminate)
		dma->device_terminate_all = NULL;
	sim_prep_set_ops(dma);
}

static void stop_chans(struct sim_device *sdev, unsigned int nr)
{
	while (nr--)
		sim_chan_stop(&sdev->chan[nr]);
}

static void sim_device_remove(void *data)
{
	struct sim_device *sdev = data;

	stop_chans(sdev, sdev->config.nr_channels);
	dma_async_device_unregister(&sdev->dma);
	sim_device_free_own(sdev);
}

static int set_limits(struct device *dev, const struct sim_config *config)
{
	if (device_iommu_mapped(dev)) {
		dev_err(dev, "behind an IOMMU its addresses are not those of memory\n");
		return -ENODEV;
	}
	dma_set_max_seg_size(dev, config->max_seg_bytes);
	return dma_set_mask_and_coherent(dev, DMA_BIT_MASK(config->addr_bits));
}

/**
 * sim_device_create() - make a device, as the parameters are now
 * @dev: what is being bound; the device goes when it is unbound
 * @id: its number
 * @quiet: what stops it
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int sim_device_create(struct device *dev, unsigned int id, enum sim_quiet quiet)
{
	struct sim_config config;
	struct sim_device *sdev;
	unsigned int nr;
	int ret;

	sim_config_get(&config);
	ret = set_limits(dev, &config);
	if (ret)
		return ret;
	sdev = kzalloc(struct_size(sdev, chan, config.nr_channels), GFP_KERNEL);
	if (!sdev)
		return -ENOMEM;
	sdev->config = config;
	sdev->quiet = quiet;
	sdev->dma.dev = dev;
	INIT_LIST_HEAD(&sdev->dma.channels);
	describe(sdev);

	for (nr = 0; nr < config.nr_channels; nr++) {
		ret = sim_chan_start(&sdev->chan[nr], sdev, id, nr);
		if (ret)
			goto err_chans;
	}
	ret = self_test_if_it_can(sdev);
	if (ret)
		goto err_chans;
	ret = dma_async_device_register(&sdev->dma);
	if (ret)
		goto err_chans;
	ret = devm_add_action_or_reset(dev, sim_device_remove, sdev);
	return ret ?: sim_fault_create_files(&sdev->dma);

err_chans:
	stop_chans(sdev, nr);
	kfree(sdev);
	return ret;
}
