// SPDX-License-Identifier: GPL-2.0
/*
 * dmover-sim: DMA controllers without hardware, to prove clients of dmaengine.
 *
 * It behaves as strict hardware does.  It knows memory by DMA addresses only,
 * and what no hardware could bear (a misaligned address or length, a transfer
 * longer than its limit, an address beyond its mask or where no memory is) it
 * reports and answers with an error result, never by doing it nevertheless.
 * Channels work by themselves, in parallel, each strictly in order (which makes
 * DMA_PREP_FENCE a matter of course).  Without DMA_PREP_INTERRUPT a completion
 * is noticed only with a later one, or when the client asks for the status or
 * has run out of descriptors.  A descriptor is in use until its callback has
 * returned, and until it was acknowledged (DMA_CTRL_ACK).
 *
 * A transfer of n bytes takes no less than latency + n / rate from when its
 * channel turned to it, and all its bytes move at the very end of that time,
 * late enough to hit memory that a client gave up too early.
 *
 * Parameters; most can be written in /sys/module/dmover_sim/parameters, too, and
 * count from the next bind of a device, so that devices may differ:
 *
 *	devices=1	how many devices, dmover-sim.0 and so on (not writable)
 *	channels=2	channels of a device
 *	caps=memcpy,memset,xor,pq  what it can do (besides DMA_INTERRUPT); with
 *			slave, it also says that it serves peripherals
 *	align=0		addresses and lengths are multiples of 1 << align bytes
 *	max_seg=1048576	longest transfer in bytes
 *	max_xor=8	most inputs of XOR and PQ
 *	descs=64	descriptors of a channel: prep gives NULL beyond
 *	bits=64		bits of a DMA address
 *	rate_kib=0	KiB per second of a channel, 0: no limit
 *	latency_us=0	set-up time of a transfer
 *	completion=tasklet  where callbacks are called: tasklet, thread (may sleep,
 *			but should not count on it), irq (hard interrupt)
 *	coherent=1	0: as on a machine with caches that are not coherent, what
 *			the CPU writes beside an output, in the same line of 64
 *			bytes, between submit and completion is lost (cache.c)
 *	terminate=1	0: it has no device_terminate_all
 *	quiet=terminate	what stops the hardware when a client gives up (not writable):
 *		terminate	dmaengine_terminate_sync()
 *		release		the release of the channel, which waits for it;
 *				what was issued goes on after a terminate
 *		never		neither: what was issued moves its data whatever
 *				the client does
 *			Unbind always stops it.  The last two have drivers of their
 *			own, dmover-sim-release and dmover-sim-never, and devices
 *			named like these; or, with driver_override, a device of
 *			dmover-sim is bound to them.
 *
 *	driver=NAME	what the driver of its devices is called (not writable), for
 *			clients that know drivers by their names
 *
 * Faults are armed, at any time while a device is bound, by writing to the file
 * "fault" of a channel, /sys/class/dma/dma0chan0/fault for instance, a line
 *
 *	FAULT BEFORE [COUNT [MS]]
 *
 * The fault spares BEFORE events, then strikes COUNT (1) times, -1: until it is
 * disarmed.  0 disarms it.  Every fault is armed, and counts, by itself.  An event
 * is, for the first ones, that the hardware turns to a descriptor, whosever:
 *
 *	read-error	moves nothing, DMA_TRANS_READ_FAILED
 *	write-error	moves the first half, DMA_TRANS_WRITE_FAILED
 *	abort-next	as write-error; the next descriptor, whenever it comes, is not
 *			moved and DMA_TRANS_ABORTED
 *	lost		moves nothing, but is called back as a success
 *	short		moves the first half, but is called back as a success; the
 *			residue, in the callback's result and of tx_status, tells
 *	residue		moves all, is called back as a success, but the residue says
 *			that nothing was moved
 *	no-callback	moves all, and tx_status knows that it is complete, but the
 *			callback never comes
 *	hang		stands still at this descriptor, for MS ms, or if that is 0
 *			until woken or stopped as "quiet" says; woken, it goes on as
 *			if nothing had been
 *	late		stands still, and not even with quiet=terminate does a
 *			terminate, which says that it did, or a release stop it: it
 *			moves its data when it is woken, or MS ms after it came to
 *			stand still or was terminated, and the callback never comes
 *	late-callback	the same, but the callback comes, after a terminate, too
 *			(after a release never)
 *
 * or that prep is asked for a descriptor:
 *
 *	no-desc		gives NULL; with MS no longer than MS ms after the first time
 *
 * or that the channel is terminated:
 *
 *	terminate-error	returns -ETIMEDOUT, and the hardware was not stopped: what
 *			was issued goes on, as with quiet=never, until a terminate
 *			that does not fail, or woken if it stands still
 *	terminate-aborted  calls back everything issued that was not yet called back,
 *			before it stops the hardware, with DMA_TRANS_ABORTED
 *	terminate-success  the same, as a success
 *
 * MS is only for those where it is mentioned.  Two words are no faults: "wake"
 * (what stands still goes on; EAGAIN if nothing does) and "off" (everything is
 * disarmed, and what stands still goes on).
 *
 * Reading the file gives "still N" (1: stands still now), "loose N" (how many
 * terminated descriptors the hardware still has and will move), and then for each
 * fault a line
 *
 *	FAULT BEFORE COUNT MS STRUCK
 *
 * with what is left of BEFORE and COUNT, and how often it struck since it was
 * armed.  Of two effects on the same descriptor the later in the list prevails.
 *
 * It is for devices without an IOMMU and refuses to be bound behind one.  Data
 * moves in a thread, which wants a CPU: on a kernel that cannot be preempted,
 * clients that poll on all CPUs without ever sleeping, as dma_sync_wait() does,
 * keep it from working.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim.h"

#define SIM_MAX_DEVICES	16

/* An unsigned integer that is refused outside its range */
struct sim_number {
	unsigned int value, least, most;
};

static int number_set(const char *val, const struct kernel_param *kp)
{
	struct sim_number *number = kp->arg;
	unsigned int value;
	int ret = kstrtouint(val, 0, &value);

	if (ret)
		return ret;
	if (value < number->least || value > number->most)
		return -EINVAL;
	number->value = value;
	return 0;
}

static int number_get(char *buffer, const struct kernel_param *kp)
{
	const struct sim_number *number = kp->arg;

	return sysfs_emit(buffer, "%u\n", number->value);
}

static const struct kernel_param_ops number_ops = {
	.set = number_set,
	.get = number_get,
};

static struct sim_number devices = { 1, 1, SIM_MAX_DEVICES };
module_param_cb(devices, &number_ops, &devices, 0444);
MODULE_PARM_DESC(devices, "number of devices");

static struct sim_number channels = { 2, 1, 32 };
module_param_cb(channels, &number_ops, &channels, 0644);
MODULE_PARM_DESC(channels, "channels of a device");

static struct sim_number align = { 0, 0, 8 };
module_param_cb(align, &number_ops, &align, 0644);
MODULE_PARM_DESC(align, "log2 of the alignment of addresses and lengths");

static struct sim_number max_seg = { 1 << 20, 256, UINT_MAX };
module_param_cb(max_seg, &number_ops, &max_seg, 0644);
MODULE_PARM_DESC(max_seg, "longest transfer in bytes");

static struct sim_number max_xor = { 8, 2, SIM_MAX_SRCS };
module_param_cb(max_xor, &number_ops, &max_xor, 0644);
MODULE_PARM_DESC(max_xor, "most inputs of XOR and PQ");

static struct sim_number descs = { 64, 1, 4096 };
module_param_cb(descs, &number_ops, &descs, 0644);
MODULE_PARM_DESC(descs, "descriptors of a channel");

static struct sim_number bits = { 64, 24, 64 };
module_param_cb(bits, &number_ops, &bits, 0644);
MODULE_PARM_DESC(bits, "bits of a DMA address");

static struct sim_number rate_kib = { 0, 0, UINT_MAX };
module_param_cb(rate_kib, &number_ops, &rate_kib, 0644);
MODULE_PARM_DESC(rate_kib, "KiB per second of a channel, 0: no limit");

static struct sim_number latency_us = { 0, 0, 10 * USEC_PER_SEC };
module_param_cb(latency_us, &number_ops, &latency_us, 0644);
MODULE_PARM_DESC(latency_us, "set-up time of a transfer in microseconds");

static bool coherent = true;
module_param(coherent, bool, 0644);
MODULE_PARM_DESC(coherent, "caches are coherent");

/* One of several words */
struct sim_choice {
	const char * const *names;
	size_t nr_names;
	unsigned int value;
};

static int choice_set(const char *val, const struct kernel_param *kp)
{
	struct sim_choice *choice = kp->arg;
	int found = __sysfs_match_string(choice->names, choice->nr_names, val);

	if (found < 0)
		return found;
	choice->value = found;
	return 0;
}

static int choice_get(char *buffer, const struct kernel_param *kp)
{
	const struct sim_choice *choice = kp->arg;

	return sysfs_emit(buffer, "%s\n", choice->names[choice->value]);
}

static const struct kernel_param_ops choice_ops = {
	.set = choice_set,
	.get = choice_get,
};

static const char * const context_names[SIM_NR_CONTEXTS] = {
	[SIM_TASKLET]	= "tasklet",
	[SIM_THREAD]	= "thread",
	[SIM_IRQ]	= "irq",
};

static struct sim_choice completion = { context_names, SIM_NR_CONTEXTS, SIM_TASKLET };
module_param_cb(completion, &choice_ops, &completion, 0644);
MODULE_PARM_DESC(completion, "where callbacks are called: tasklet, thread or irq");

static bool terminate = true;
module_param(terminate, bool, 0644);
MODULE_PARM_DESC(terminate, "channels can be terminated");

static const char * const quiet_names[SIM_NR_QUIETS] = {
	[SIM_QUIET_TERMINATE]	= "terminate",
	[SIM_QUIET_RELEASE]	= "release",
	[SIM_QUIET_NEVER]	= "never",
};

static struct sim_choice quiet = { quiet_names, SIM_NR_QUIETS, SIM_QUIET_TERMINATE };
module_param_cb(quiet, &choice_ops, &quiet, 0444);
MODULE_PARM_DESC(quiet, "what stops the hardware: terminate, release or never");

static const char * const cap_names[] = { "memcpy", "memset", "xor", "pq", "slave" };
static const enum dma_transaction_type cap_types[ARRAY_SIZE(cap_names)] = {
	DMA_MEMCPY, DMA_MEMSET, DMA_XOR, DMA_PQ, DMA_SLAVE
};

/* A bit for each of cap_names: all that move data */
static unsigned long caps = BIT(ARRAY_SIZE(cap_names) - 1) - 1;

static int caps_set(const char *val, const struct kernel_param *kp)
{
	char *words = kstrdup(val, GFP_KERNEL), *rest = words, *word;
	unsigned long wanted = 0;
	int found = 0;

	if (!words)
		return -ENOMEM;
	while (found >= 0 && (word = strsep(&rest, ","))) {
		found = sysfs_match_string(cap_names, word);
		if (found >= 0)
			wanted |= BIT(found);
	}
	kfree(words);
	if (found < 0)
		return found;
	caps = wanted;
	return 0;
}

static int caps_get(char *buffer, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for_each_set_bit(i, &caps, ARRAY_SIZE(cap_names))
		len += sysfs_emit_at(buffer, len, "%s%s", len ? "," : "", cap_names[i]);
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops caps_ops = {
	.set = caps_set,
	.get = caps_get,
};
module_param_cb(caps, &caps_ops, NULL, 0644);
MODULE_PARM_DESC(caps, "what a device can do: some of memcpy,memset,xor,pq,slave");

static char *driver = "";
module_param(driver, charp, 0444);
MODULE_PARM_DESC(driver, "what the driver of the devices is called, if not as usual");

/**
 * sim_config_get() - what the parameters say now
 * @config: filled in
 *
 * Context: may sleep.
 */
void sim_config_get(struct sim_config *config)
{
	unsigned int i;

	kernel_param_lock(THIS_MODULE);
	*config = (struct sim_config) {
		.nr_channels = channels.value,
		.nr_descs = descs.value,
		.align = align.value,
		.max_seg_bytes = max_seg.value,
		.max_srcs = max_xor.value,
		.addr_bits = bits.value,
		.rate_kib = rate_kib.value,
		.latency_us = latency_us.value,
		.coherent = coherent,
		.terminate = terminate,
		.context = completion.value,
	};
	for_each_set_bit(i, &caps, ARRAY_SIZE(cap_types))
		dma_cap_set(cap_types[i], config->caps);
	kernel_param_unlock(THIS_MODULE);
}

static int sim_probe(struct platform_device *pdev);

/* No remove(), whose type differs between kernels: devres undoes it all. */
static struct platform_driver sim_drivers[SIM_NR_QUIETS] = {
	[SIM_QUIET_TERMINATE]	= { .probe = sim_probe, .driver.name = "dmover-sim" },
	[SIM_QUIET_RELEASE]	= { .probe = sim_probe, .driver.name = "dmover-sim-release" },
	[SIM_QUIET_NEVER]	= { .probe = sim_probe, .driver.name = "dmover-sim-never" },
};

static struct platform_driver * const driver_list[SIM_NR_QUIETS] = {
	&sim_drivers[0], &sim_drivers[1], &sim_drivers[2]
};

static int sim_probe(struct platform_device *pdev)
{
	struct platform_driver *pdrv = to_platform_driver(pdev->dev.driver);

	return sim_device_create(&pdev->dev, pdev->id, pdrv - sim_drivers);
}

static struct platform_device *sim_pdevs[SIM_MAX_DEVICES];

static void sim_remove_pdevs(unsigned int nr)
{
	while (nr--)
		platform_device_unregister(sim_pdevs[nr]);
}

static int __init sim_init(void)
{
	struct platform_device_info info = { };
	int ret;

	if (*driver)
		sim_drivers[quiet.value].driver.name = driver;
	info.name = sim_drivers[quiet.value].driver.name;
	ret = platform_register_drivers(driver_list, SIM_NR_QUIETS);
	if (ret)
		return ret;
	for (info.id = 0; info.id < devices.value; info.id++) {
		struct platform_device *pdev = platform_device_register_full(&info);

		if (IS_ERR(pdev)) {
			ret = PTR_ERR(pdev);
			goto err_pdevs;
		}
		sim_pdevs[info.id] = pdev;
	}
	return 0;

err_pdevs:
	sim_remove_pdevs(info.id);
	platform_unregister_drivers(driver_list, SIM_NR_QUIETS);
	sim_device_free_released();
	return ret;
}

static void __exit sim_exit(void)
{
	sim_remove_pdevs(devices.value);
	platform_unregister_drivers(driver_list, SIM_NR_QUIETS);
	sim_device_free_released();
}

module_init(sim_init);
module_exit(sim_exit);

MODULE_DESCRIPTION("Simulated DMA controllers");
MODULE_LICENSE("GPL");
