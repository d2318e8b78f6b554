// SPDX-License-Identifier: GPL-2.0
/*
 * dmoverio: memory operations for programs, by the machine's DMA engines.
 *
 *	write(2) ---> device ---> session ---> request ---> scheduler ---> engine
 *	read(2), poll(2) <--- completion queue <-- umem (pin, account) <------'
 *
 * To read the code: the UAPI header, dmio.h, func.c, engine_cpu.c, request.c.
 */
#include <linux/init.h>
#include <linux/module.h>

#include "device.h"
#include "dma_chan.h"
#include "sched.h"
#include "steps.h"

static int __init dmio_init(void)
{
	int ret;

	ret = dmio_steps_init();
	if (ret)
		return ret;
	ret = dmio_sched_init();
	if (ret)
		goto err_steps;
	ret = dmio_dma_init();
	if (ret)
		goto err_sched;
	ret = dmio_device_register();
	if (ret)
		goto err_dma;
	return 0;

err_dma:
	dmio_dma_fini();
err_sched:
	dmio_sched_fini();
err_steps:
	dmio_steps_fini();
	return ret;
}

/*
 * No session is left, or the module would be in use: there is no work, and
 * perhaps a worker on its way out, for whom destroying its queue waits.
 */
static void __exit dmio_exit(void)
{
	dmio_device_unregister();
	dmio_dma_fini();
	dmio_sched_fini();
	dmio_steps_fini();
}

module_init(dmio_init);
module_exit(dmio_exit);

MODULE_DESCRIPTION("Memory operations for programs, by the machine's DMA engines");
MODULE_LICENSE("GPL");
