// SPDX-License-Identifier: GPL-2.0
/*
 * The drivers of DMA controllers, as read in the sources of Linux 6.1 and 7.2.
 * Each row names the functions in which its facts were found: look there again
 * when a kernel changes them.  What was not certain has the careful value, and
 * a driver of which nothing else would be gained has no row.
 *
 * Hardware counts as stopped where the driver waits for that without a limit,
 * passes on that it did not come, or resets the channel whether it came or not;
 * not where the driver asks it to stop and goes on whatever happens.
 *
 * Read, and without a row: X-Gene-DMA, ccp, dma-nbpf, dma-owl, edma, fsl-edma,
 * fsl-elo-dma, mtk_cqdma, mtk_hsdma, omap-dma-engine, rz-dmac, stm32-dma,
 * stm32-dma3, stm32-mdma, sun6i-dma, ti-udma.
 */
#include <linux/kernel.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "dma_drivers.h"

/* Sorted by name */
const struct dmio_dma_driver dmio_dma_drivers[] = {
	{
		/*
		 * 7.2 only.  pt_issue_pending() starts one descriptor, and
		 * pt_handle_active_desc() spins while that one is not done.
		 * pt_cmd_callback_work() reports no errors.  prep and
		 * issue_pending sleep.
		 */
		.name = "ae4dma",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * msgdma_start_transfer() takes all that is pending for active
		 * but starts the first only; msgdma_tasklet() then completes
		 * the others as well, uncopied.  No device_terminate_all.
		 */
		.name = "altera-msgdma",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * 7.2 only.  d350_irq() tells errors and then starts nothing
		 * more until d350_terminate_all(), which does not wait for its
		 * CH_CMD_STOP.
		 */
		.name = "arm-dma350",
		.reports_errors = true,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/*
		 * atc_terminate_all() waits for the channel to be disabled;
		 * atc_free_chan_resources() is a BUG() if it is not.  Errors:
		 * "pretend the descriptor completed successfully".  6.1's
		 * atc_advance_work() does not start what is queued.
		 */
		.name = "at_hdmac",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * at_xdmac_device_terminate_all() waits for the channel to be
		 * disabled.  at_xdmac_tasklet() calls back failed descriptors
		 * as successes, and none without DMA_PREP_INTERRUPT.
		 * at_xdmac_memset_create_desc() takes the width, up to 8, from
		 * the address alone and drops the rest of the length.
		 */
		.name = "at_xdmac",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.align = 8,
	}, {
		/*
		 * bcm2835_dma_abort() pauses, waits for outstanding writes and
		 * resets.  bcm2835_dma_callback() does not look for errors.
		 * QEMU's model hangs where a length is no multiple of 4.  prep
		 * sleeps.
		 */
		.name = "bcm2835-dma",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.align = 4,
	}, {
		/*
		 * _stop() kills the thread and does not wait, and so do
		 * pl330_terminate_all() and pl330_release_channel().
		 * dma_pl330_rqcb() ignores the error it is told: failed
		 * descriptors are called back as successes.
		 * pl330_issue_pending() with nothing new warns, and calls back
		 * in its caller's context.  pl330_tasklet() gives descriptors
		 * back to the device's pool without the lock under which prep
		 * takes them, and the list breaks: dmatest alone shows it in a
		 * minute, on two CPUs.  pluck_desc() leaves the last client's
		 * callback_result in a descriptor.
		 */
		.name = "dma-pl330",
		.single = true,
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/* Our simulated controller */
		.name = "dmover-sim",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.reports_errors = true,
		.in_order = true,
		.irq_every = 8,
		.align = 1,
	}, {
		/* Our simulated controller, when it cannot be stopped */
		.name = "dmover-sim-never",
		.reports_errors = true,
		.in_order = true,
		.irq_every = 8,
		.align = 1,
	}, {
		/* ... and when releasing a channel stops it */
		.name = "dmover-sim-release",
		.quiet = DMIO_DMA_QUIET_RELEASE,
		.reports_errors = true,
		.in_order = true,
		.irq_every = 8,
		.align = 1,
	}, {
		/*
		 * axi_chan_block_xfer_complete() does not start the next
		 * descriptor.  axi_chan_handle_err() calls back as a success.
		 * dma_chan_terminate_all() ignores that the channel did not
		 * stop in time.
		 */
		.name = "dw_axi_dmac_platform",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * dwc_chan_disable(), in dwc_terminate_all(), waits for the
		 * channel to be disabled; dwc_free_chan_resources() is a BUG()
		 * if it is not.  dwc_handle_error(): "pretend the descriptor
		 * completed successfully".  After a descriptor without
		 * DMA_PREP_INTERRUPT the channel stands still.
		 */
		.name = "dw_dmac",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/* As dw_dmac */
		.name = "dw_dmac_pci",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/*
		 * fsl_qdma_issue_pending() starts one descriptor, and nothing
		 * else does.  fsl_qdma_terminate_all() does not touch the
		 * hardware.  fsl_qdma_queue_transfer_complete() tells errors.
		 */
		.name = "fsl-qdma",
		.reports_errors = true,
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * hidma_terminate_all() suspends, then resets
		 * (hidma_ll_reset()), and passes on that one of them failed;
		 * in between it calls back all that was unfinished as
		 * successes.  hidma_process_completed() tells errors.
		 */
		.name = "hidma",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.reports_errors = true,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/*
		 * hisi_dma_free_chan_resources() resets the channel;
		 * hisi_dma_terminate_all() only pauses its queue for a moment,
		 * but must come first.  hisi_dma_irq() completes nothing after
		 * an error.
		 */
		.name = "hisi_dma",
		.quiet = DMIO_DMA_QUIET_RELEASE,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/*
		 * idxd_submit_desc() forgets a descriptor without
		 * DMA_PREP_INTERRUPT, and may have called back one that it
		 * refuses.  6.1 has no device_terminate_all;
		 * 7.2's idxd_dma_terminate_all() drops the callbacks and makes
		 * the interrupt handle invalid, idxd_wq_drain() waits for ever
		 * or, on a halted device, not at all.  prep sleeps when
		 * idxd_alloc_desc() finds nothing: the depth is below that of
		 * usual work queues.  max_bytes: WQ_DEFAULT_MAX_XFER.
		 * A work queue is disabled on a bus of its own, of whose
		 * events we know nothing: idxd_unregister_dma_channel() frees
		 * the channel under its holder.
		 */
		.name = "idxd",
		.on_request = true,
		.reports_errors = true,
		.irq_every = 1,
		.depth = 8,
		.align = 1,
		.max_bytes = SZ_2M,
	}, {
		/*
		 * sdma_prep_memcpy() loads the channel's context
		 * (sdma_load_context()), busy or not.
		 * sdma_channel_terminate_work() sleeps for a while in the hope
		 * that the channel stops.  mxc_sdma_handle_channel_normal()
		 * tells errors to tx_status only.
		 */
		.name = "imx-sdma",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * No device_terminate_all; ioat_free_chan_resources() suspends
		 * and resets (ioat_reset_hw()).  __ioat_cleanup() calls back
		 * all that are done, ioat_eh() tells errors.  The ring has
		 * 65536 entries.  After a hang, ioat_reboot_chan() aborts what
		 * it finds before it resets, and never calls back the first.
		 */
		.name = "ioatdma",
		.quiet = DMIO_DMA_QUIET_RELEASE,
		.reports_errors = true,
		.in_order = true,
		.irq_every = 64,
		.align = 1,
	}, {
		/*
		 * mv_chan_slot_cleanup() calls back all that are done, never
		 * one that failed.  No device_terminate_all, and
		 * mv_xor_free_chan_resources() does not touch the hardware.
		 * mv_xor_prep_dma_xor() is a BUG() above max_bytes, and NULL
		 * below 128 bytes.
		 */
		.name = "mv_xor",
		.in_order = true,
		.irq_every = 16,
		.align = 1,
		.min_bytes = 128,
		.max_bytes = SZ_16M - 1,
	}, {
		/*
		 * mv_xor_v2_tasklet() calls back all that are done and looks
		 * for no errors.  No device_terminate_all.
		 */
		.name = "mv_xor_v2",
		.in_order = true,
		.irq_every = 16,
		.align = 1,
	}, {
		/*
		 * plx_dma_process_desc() calls back all that are done and
		 * tells errors.  The ring has 2048 entries.  No
		 * device_terminate_all; __plx_dma_stop(), in
		 * plx_dma_free_chan_resources(), only pauses, and ignores that
		 * this did not come.  plx_dma_prep_memcpy() is NULL above
		 * max_bytes.
		 */
		.name = "plx_dma",
		.reports_errors = true,
		.in_order = true,
		.irq_every = 64,
		.align = 1,
		.max_bytes = SZ_128M - 1,
	}, {
		/*
		 * Terminating a busy channel frees what its interrupt handler
		 * uses.
		 */
		.name = "ptdma",
		.fragile = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/* Terminating a busy channel frees its descriptor twice. */
		.name = "sf-pdma",
		.fragile = true,
		.irq_every = 1,
		.align = 1,
	}, {
		/*
		 * 7.2 only.  pause_reset_channel(), in
		 * switchtec_dma_terminate_all(), pauses, waits and resets.
		 * switchtec_dma_cleanup_completed() holds back those done too
		 * early, and then gives them the result of the one awaited.
		 */
		.name = "switchtec_dma",
		.quiet = DMIO_DMA_QUIET_TERMINATE,
		.in_order = true,
		.irq_every = 1,
		.align = 1,
		.max_bytes = SZ_1M,
	}, {
		/*
		 * tegra_dma_xfer_complete() does not start the next
		 * descriptor.  tegra_dma_pause_noerr(), in
		 * tegra_dma_terminate_all() on newer chips, ignores that the
		 * channel did not stop.  tegra_dma_isr() only logs errors.
		 */
		.name = "tegra-gpcdma",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * Its CDMA.  xilinx_dma_irq_handler() completes nothing for an
		 * error, and else all that xilinx_cdma_start_transfer() took
		 * for active, of which that starts only the first without
		 * scatter/gather.  xilinx_dma_reset() is a reset that waits for
		 * what is outstanding, and xilinx_dma_terminate_all() ignores
		 * that it did not come.
		 */
		.name = "xilinx-vdma",
		.in_order = true,
		.irq_every = 1,
		.depth = 1,
		.align = 1,
	}, {
		/*
		 * zynqmp_dma_device_terminate_all() masks interrupts and frees
		 * descriptors, nothing more; the channel then stays busy until
		 * it is released.  zynqmp_dma_reset(), after an error, calls
		 * back the failed descriptor as a success, the others never.
		 * prep has 32 descriptors.
		 */
		.name = "xilinx-zynqmp-dma",
		.in_order = true,
		.irq_every = 1,
		.align = 1,
	},
};

const size_t dmio_nr_dma_drivers = ARRAY_SIZE(dmio_dma_drivers);

/*
 * What is assumed of a driver that nobody has read.  When it is unbound with a
 * channel that hangs, that is terminated and released, as any client would do.
 */
static const struct dmio_dma_driver unknown_driver = {
	.name = "unknown",
	.unread = true,
	.irq_every = 1,
	.align = 1,
};

/**
 * dmio_dma_driver_find() - what is known of a driver
 * @name: of the driver, or NULL
 *
 * Context: any.
 * Return: its row, or for a driver not in the table a most careful one; never
 *	NULL.
 */
const struct dmio_dma_driver *dmio_dma_driver_find(const char *name)
{
	size_t i;

	for (i = 0; name && i < dmio_nr_dma_drivers; i++)
		if (!strcmp(dmio_dma_drivers[i].name, name))
			return &dmio_dma_drivers[i];
	return &unknown_driver;
}
