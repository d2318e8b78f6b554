// SPDX-License-Identifier: GPL-2.0
/*
 * Our own device: what the kernel suspends, and shuts down, before the DMA
 * controllers that we use, to which it is linked as their consumer.
 *
 * When it is suspended, programs are frozen and no step of a request begins, see
 * user.c: what channels have is waited for, and what waits for channels goes on
 * waiting.  Reboot and kexec freeze nobody: from then on the CPU does all.
 */
#include <linux/err.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

#include "dispatch.h"
#include "engines.h"
#include "platform.h"
#include "sched.h"

/* A suspend that takes longer fails, and the machine goes on */
#define DRAIN_TIMEOUT	(5 * HZ)

static struct platform_device *dmio_pdev;

static int dmio_suspend(struct device *dev)
{
	dmio_dispatch_pause_dma(true);
	if (dmio_sched_drain(DRAIN_TIMEOUT))
		return 0;
	dmio_dispatch_pause_dma(false);
	return -EBUSY;
}

static int dmio_resume(struct device *dev)
{
	dmio_dispatch_pause_dma(false);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(dmio_pm_ops, dmio_suspend, dmio_resume);

static void dmio_shutdown(struct platform_device *pdev)
{
	dmio_sched_stop_dma();
	if (!dmio_sched_drain(DRAIN_TIMEOUT))
		dev_warn(&pdev->dev, "DMA transfers are still under way\n");
	if (dmio_engines_have_parked())
		dev_warn(&pdev->dev, "DMA hardware that could not be stopped may still write to memory\n");
}

static struct platform_driver dmio_driver = {
	.driver = {
		.name	= "dmoverio",
		.pm	= pm_sleep_ptr(&dmio_pm_ops),
		.suppress_bind_attrs = true,
	},
	.shutdown = dmio_shutdown,
};

/**
 * dmio_platform_init() - register the device
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int dmio_platform_init(void)
{
	int ret = platform_driver_register(&dmio_driver);

	if (ret)
		return ret;
	dmio_pdev = platform_device_register_simple("dmoverio", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(dmio_pdev)) {
		platform_driver_unregister(&dmio_driver);
		return PTR_ERR(dmio_pdev);
	}
	return 0;
}

/**
 * dmio_platform_fini() - remove the device
 *
 * Context: may sleep.
 */
void dmio_platform_fini(void)
{
	platform_device_unregister(dmio_pdev);
	platform_driver_unregister(&dmio_driver);
}

/**
 * dmio_platform_device() - the device
 *
 * Context: any, after dmio_platform_init().
 * Return: the device.
 */
struct device *dmio_platform_device(void)
{
	return &dmio_pdev->dev;
}
