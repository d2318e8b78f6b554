/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dmover-sim: a simulated DMA controller, seen through dmaengine.
 *
 *	client: prep --> submit --> issue_pending --.    .--> callback
 *	                                            v    |
 *	a channel's thread, the "hardware":       wait, move
 *
 * A descriptor is always on exactly one list of its channel, or active:
 *
 *	free		until prep
 *	prepared	until submit, which gives it its cookie
 *	submitted	until issue_pending
 *	issued		until the thread turns to it
 *	(active)	until it has moved its data, or was refused
 *	done		until the callback is called
 *	held		until the client has acknowledged it; then free
 *
 * terminate_all and unbind take them from every list back to free; the thread
 * drops the active one as soon as it sees that it was aborted. Where terminate
 * does not stop the hardware, what was issued, and the active one, become loose
 * instead: they move their data all the same, in their turn, and only then are
 * free. Loose ones outlive even the release of the channel, as nobody's, unless
 * that stops the hardware; nothing survives unbind.
 *
 * Lock order: &sim_chan.lock, then the lock of cache.c. Clients' callbacks are
 * called with neither.
 */
#ifndef DMOVER_SIM_H
#define DMOVER_SIM_H

#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dmaengine.h>
#include <linux/highmem.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "fault.h"

#define SIM_MAX_SRCS	16
/* What is moved in one step. Nobody sees the steps, but abort acts between them. */
#define SIM_STEP_BYTES	1024
#define SIM_LINE_BYTES	64

/**
 * enum sim_context - where callbacks are called
 * @SIM_TASKLET: in a tasklet, as most drivers do
 * @SIM_THREAD: in the channel's thread, as with a threaded interrupt
 * @SIM_IRQ: in hard interrupt context
 * @SIM_NR_CONTEXTS: how many there are
 */
enum sim_context { SIM_TASKLET, SIM_THREAD, SIM_IRQ, SIM_NR_CONTEXTS };

/**
 * enum sim_quiet - what stops the hardware, besides unbind; a driver for each
 * @SIM_QUIET_TERMINATE: terminate, and hence release
 * @SIM_QUIET_RELEASE: the release of the channel
 * @SIM_QUIET_NEVER: nothing
 * @SIM_NR_QUIETS: how many there are
 */
enum sim_quiet { SIM_QUIET_TERMINATE, SIM_QUIET_RELEASE, SIM_QUIET_NEVER, SIM_NR_QUIETS };

/**
 * struct sim_config - what the hardware is like; fixed while a device is bound
 * @caps: capabilities
 * @nr_channels: channels
 * @nr_descs: descriptors of each channel
 * @align: log2 of the alignment of addresses and lengths
 * @max_seg_bytes: longest transfer
 * @max_srcs: most inputs of XOR and PQ
 * @addr_bits: bits of a DMA address
 * @rate_kib: KiB per second of each channel, 0: as fast as it can
 * @latency_us: set-up time of each transfer
 * @coherent: the caches are coherent
 * @terminate: it has a terminate
 * @context: where callbacks are called
 */
struct sim_config {
	dma_cap_mask_t caps;
	unsigned int nr_channels;
	unsigned int nr_descs;
	unsigned int align;
	unsigned int max_seg_bytes;
	unsigned int max_srcs;
	unsigned int addr_bits;
	unsigned int rate_kib;
	unsigned int latency_us;
	bool coherent;
	bool terminate;
	enum sim_context context;
};

/**
 * enum sim_op - what a descriptor does with its inputs
 * @SIM_NOP: nothing, it only completes
 * @SIM_FILL: every byte of the output is a constant
 * @SIM_XOR: the inputs' sum; of one input: a copy
 * @SIM_PQ: the sum, and the sum of multiples, as RAID-6 has them
 */
enum sim_op { SIM_NOP, SIM_FILL, SIM_XOR, SIM_PQ };

/**
 * struct sim_edge - bytes beside an output, in its first or last cache line
 * @node: in the list of cache.c, while the transfer is in flight
 * @addr: their DMA address
 * @len: how many; 0: there are none
 * @bytes: what memory holds, whatever the CPU wrote to its cache since
 */
struct sim_edge {
	struct list_head node;
	dma_addr_t addr;
	unsigned int len;
	u8 bytes[SIM_LINE_BYTES];
};

/**
 * struct sim_desc - one transfer
 * @tx: what the client sees; its cookie is -EBUSY from prep to submit
 * @node: in the one list of the channel it is on
 * @op: what to do
 * @value: of SIM_FILL
 * @nr_srcs: inputs
 * @len: bytes of every region
 * @has_dst: which of @dst are written
 * @dst: the output; of SIM_PQ: P and Q
 * @src: inputs
 * @coef: by what an input is multiplied for Q
 * @result: success until something goes wrong
 * @residue: bytes that it says were not moved
 * @nr_moved: bytes that it does move
 * @is_good: passed sim_desc_check()
 * @late: no terminate stops it, and it is not called back
 * @call_anyway: it is called back nevertheless
 * @loose: was terminated, but goes on
 * @disowned: loose, and its client has released the channel
 * @still_ms: the channel stands still at it for so long; 0: until woken
 * @edge: head and tail of each output, where the caches are not coherent
 */
struct sim_desc {
	struct dma_async_tx_descriptor tx;
	struct list_head node;
	enum sim_op op;
	u8 value;
	unsigned int nr_srcs;
	size_t len;
	bool has_dst[2];
	dma_addr_t dst[2];
	dma_addr_t src[SIM_MAX_SRCS];
	u8 coef[SIM_MAX_SRCS];
	enum dmaengine_tx_result result;
	size_t residue;
	size_t nr_moved;
	bool is_good;
	bool late;
	bool call_anyway;
	bool loose;
	bool disowned;
	unsigned int still_ms;
	struct sim_edge edge[4];
};

/**
 * struct sim_chan - a channel
 * @chan: what the client sees
 * @sdev: the device
 * @thread: the hardware, from probe until unbind
 * @tasklet: calls back, for SIM_TASKLET
 * @irq: calls back, for SIM_IRQ
 * @wait: @thread waits here for work, others for @thread
 * @lock: guards @chan's cookies, and everything from here to @residue_cookie
 * @free: unused descriptors
 * @prepared: not yet submitted
 * @submitted: not yet issued
 * @issued: waiting for @thread
 * @done: complete, waiting for their callbacks
 * @held: called back, but not acknowledged yet
 * @active: what @thread works on
 * @abort: @thread shall drop @active
 * @kicked: @thread shall call back, for SIM_THREAD
 * @calling: callbacks are being called, by one at a time
 * @gone: the driver was unbound
 * @faults: when they strike
 * @still: @thread stands still at @active until this is cleared
 * @abort_next: the next descriptor is aborted by the hardware
 * @residue: of @residue_cookie
 * @residue_cookie: the last one that completed
 * @step: scratch memory of @thread: the sum, the multiples' sum, an input
 */
struct sim_chan {
	struct dma_chan chan;
	struct sim_device *sdev;
	struct task_struct *thread;
	struct tasklet_struct tasklet;
	struct irq_work irq;
	wait_queue_head_t wait;

	/* from @free to @residue_cookie, and the cookies */
	spinlock_t lock;
	struct list_head free;
	struct list_head prepared;
	struct list_head submitted;
	struct list_head issued;
	struct list_head done;
	struct list_head held;
	struct sim_desc *active;
	bool abort;
	bool kicked;
	bool calling;
	bool gone;
	struct sim_trigger faults[SIM_NR_FAULTS];
	bool still;
	bool abort_next;
	size_t residue;
	dma_cookie_t residue_cookie;

	u64 step[3][SIM_STEP_BYTES / sizeof(u64)];
};

/**
 * struct sim_device - a bound device
 * @dma: what clients see
 * @node: in the list of those that outlived their unbinding
 * @config: what it is like
 * @quiet: what stops it
 * @releaser: who let go of it last
 * @chan: its channels
 */
struct sim_device {
	struct dma_device dma;
	struct list_head node;
	struct sim_config config;
	enum sim_quiet quiet;
	struct task_struct *releaser;
	struct sim_chan chan[];
};

static inline struct sim_chan *to_sim_chan(struct dma_chan *chan)
{
	return container_of(chan, struct sim_chan, chan);
}

static inline struct sim_desc *to_sim_desc(struct dma_async_tx_descriptor *tx)
{
	return container_of(tx, struct sim_desc, tx);
}

/* The driver never hears that it has completed. */
static inline bool sim_desc_is_silent(const struct sim_desc *desc)
{
	return desc->late && !desc->call_anyway;
}

/**
 * sim_ram_map() - make the memory at a DMA address accessible
 * @sdev: the device that uses the address
 * @addr: passed sim_desc_check()
 *
 * Return: the byte at @addr; valid until the end of its page, and until
 * kunmap_local().
 */
static inline u8 *sim_ram_map(const struct sim_device *sdev, dma_addr_t addr)
{
	phys_addr_t phys = dma_to_phys(sdev->dma.dev, addr);

	return kmap_local_page(pfn_to_page(PHYS_PFN(phys))) + offset_in_page(phys);
}

void sim_config_get(struct sim_config *config);

int sim_device_create(struct device *dev, unsigned int id, enum sim_quiet quiet);
void sim_device_free_released(void);

int sim_chan_start(struct sim_chan *sc, struct sim_device *sdev, unsigned int id,
		   unsigned int index);
void sim_chan_stop(struct sim_chan *sc);
void sim_chan_halt(struct sim_chan *sc);
void sim_chan_set_ops(struct dma_device *dma);
struct sim_desc *sim_chan_get_desc(struct sim_chan *sc, unsigned long flags);
void sim_chan_reap_locked(struct sim_chan *sc);
void sim_desc_retire_locked(struct sim_chan *sc, struct sim_desc *desc);

int sim_chan_thread(void *data);

void sim_call_init(struct sim_chan *sc);
void sim_call_fini(struct sim_chan *sc);
void sim_call_kick(struct sim_chan *sc);
void sim_call_back(struct sim_chan *sc);
void sim_call_back_unfinished(struct sim_chan *sc, enum dmaengine_tx_result result);

void sim_prep_set_ops(struct dma_device *dma);

void sim_move(struct sim_chan *sc, struct sim_desc *desc);
void sim_ram_write(struct sim_device *sdev, dma_addr_t addr, const u8 *from, size_t len);

void sim_cache_read(struct sim_device *sdev, struct sim_desc *desc);
void sim_cache_write(struct sim_device *sdev, dma_addr_t addr, const u8 *bytes, size_t len);
void sim_cache_write_back(struct sim_device *sdev, struct sim_desc *desc);
void sim_cache_forget(struct sim_desc *desc);

#endif /* DMOVER_SIM_H */
