// SPDX-License-Identifier: GPL-2.0
/*
 * A job on its way through a DMA channel.
 */
#include <linux/align.h>
#include <linux/bitops.h>
#include <linux/dmaengine.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "cpu_ops.h"
#include "dma_drivers.h"
#include "dma_task.h"
#include "func.h"

/**
 * dmio_dma_task_align() - what a channel wants of every address and length
 * @dc: the channel
 * @id: of the function
 *
 * What the device declares for the kind of operation, and what its driver hides.
 *
 * Context: any.
 * Return: bytes, a power of two.
 */
unsigned int dmio_dma_task_align(const struct dmio_dma_chan *dc, unsigned int id)
{
	const struct dma_device *device = dc->chan->device;
	unsigned int shift;

	switch (id) {
	case DMOVERIO_FUNC_COPY:
		shift = device->copy_align;
		break;
	case DMOVERIO_FUNC_XOR:
		shift = device->xor_align;
		break;
	default:
		shift = device->fill_align;
		break;
	}
	return max(1U << shift, dc->driver->align);
}

static void set_rules(struct dmio_dma_task *task)
{
	const struct dmio_dma_chan *dc = task->dc;
	struct dmio_dma_rules *rules = &task->rules;

	rules->align = dmio_dma_task_align(dc, task->job->func->id);
	rules->out_align = max(rules->align, dc->out_align);
	rules->max_bytes = round_down(dc->max_bytes, rules->out_align);
}

/*
 * Inputs that are the output itself: two of them are nothing, by the rules of
 * XOR; one is read by the first pass, before the output is written.  A copy of
 * memory onto itself reads and writes it like any other.
 */
static int map(struct dmio_dma_task *task)
{
	const struct dmio_job *job = task->job;
	struct device *dev = task->dc->dma_dev;
	enum dma_data_direction dir = DMA_FROM_DEVICE;
	unsigned int i, max_xor = task->dc->chan->device->max_xor;
	int ret;

	task->self = hweight_long(job->aliased) & 1;
	if (task->self || (job->func->id == DMOVERIO_FUNC_XOR && job->func->nr_srcs > max_xor))
		dir = DMA_BIDIRECTIONAL;
	ret = dmio_dma_map_output(&task->out, dev, job, &task->rules, dir);
	if (ret || !task->out.nents)
		return ret;

	for (i = 0; i < job->func->nr_srcs; i++) {
		if (test_bit(i, &job->aliased))
			continue;
		ret = dmio_dma_map_input(&task->in[task->nr_in], dev, job->src[i], &task->rules);
		if (ret)
			return ret;
		task->nr_in++;
	}
	/* Hardware wants two; to take care of fewer is not worth the trouble */
	return job->func->id == DMOVERIO_FUNC_XOR && task->nr_in + task->self < 2 ?
	       -EOPNOTSUPP : 0;
}

/**
 * dmio_dma_task_unmap() - the device is done with a task's memory
 * @task: mapped, or not
 *
 * Context: may sleep; nothing else deals with the task's mapping.
 */
void dmio_dma_task_unmap(struct dmio_dma_task *task)
{
	struct device *dev = task->dc->dma_dev;
	unsigned int i;

	dmio_dma_unmap(&task->out, dev);
	for (i = 0; i < task->nr_in; i++)
		dmio_dma_unmap(&task->in[i], dev);
	task->nr_in = 0;
}

/**
 * dmio_dma_task_create() - make a task of a job
 * @dc: the channel
 * @job: the job
 *
 * Context: may sleep.
 * Return: the task, or NULL: no memory.
 */
struct dmio_dma_task *dmio_dma_task_create(struct dmio_dma_chan *dc, struct dmio_job *job)
{
	struct dmio_dma_task *task;

	/* Whoever has just handed it over need not be whose job it is; they are few */
	task = kzalloc(struct_size(task, in, job->func->nr_srcs), GFP_KERNEL);
	if (!task)
		return NULL;
	task->job = job;
	task->dc = dc;
	set_rules(task);
	atomic_set(&task->pending, 1);
	return task;
}

/**
 * dmio_dma_task_map() - map a task's memory for the device
 * @task: not mapped
 *
 * Context: may sleep; dc->lock is held.
 * Return: 0; -ENOMEM if there is no memory or no room for the mapping;
 * -EOPNOTSUPP if the channel cannot do it after all.
 */
int dmio_dma_task_map(struct dmio_dma_task *task)
{
	int ret;

	lockdep_assert_held(&task->dc->lock);

	ret = map(task);
	if (ret) {
		dmio_dma_task_unmap(task);
		return ret;
	}
	task->left = task->out.bytes;
	dmio_plan_init(&task->plan, task->job, &task->rules);
	task->mapped = true;
	task->dc->nr_mapped++;
	return 0;
}

/* Go to the next island, if the present one is done: false if there is none */
static bool reach_island(struct dmio_dma_task *task)
{
	unsigned int i;

	if (task->island.len)
		return true;
	if (!dmio_plan_next(&task->plan, &task->island))
		return false;
	for (i = 0; i < task->nr_in; i++)
		dmio_dma_map_advance(&task->in[i], task->island.offset - task->pos);
	task->pos = task->island.offset;
	return true;
}

/* How much can be done from here by one descriptor */
static size_t piece_length(const struct dmio_dma_task *task)
{
	size_t len = min_t(u64, task->island.len, task->rules.max_bytes);
	unsigned int i;

	len = min(len, dmio_dma_map_left(&task->out));
	for (i = 0; i < task->nr_in; i++)
		len = min(len, dmio_dma_map_left(&task->in[i]));
	return len;
}

static void piece_done(struct dmio_dma_task *task, size_t len)
{
	unsigned int i;

	dmio_dma_map_advance(&task->out, len);
	for (i = 0; i < task->nr_in; i++)
		dmio_dma_map_advance(&task->in[i], len);
	task->pos += len;
	task->island.offset += len;
	task->island.len -= len;
	task->left -= len;
	task->pass_done = 0;
}

/*
 * A bounce buffer need not begin where the memory does, relative to any
 * alignment: then it cannot be done here
 */
static bool is_piece_aligned(const struct dmio_dma_task *task, size_t len)
{
	dma_addr_t all = dmio_dma_map_addr(&task->out) | len;
	unsigned int i;

	for (i = 0; i < task->nr_in; i++)
		all |= dmio_dma_map_addr(&task->in[i]);
	return !(all & (task->rules.align - 1));
}

/* A pass of XOR: as many inputs as it takes, beside what is there already */
static struct dma_async_tx_descriptor *prep_xor(struct dmio_dma_task *task, size_t len,
						unsigned long flags, unsigned int *nr_read)
{
	struct dma_chan *chan = task->dc->chan;
	dma_addr_t out = dmio_dma_map_addr(&task->out), in[DMOVERIO_MAX_SRCS];
	unsigned int i, nr = 0;

	if (task->self || task->pass_done)
		in[nr++] = out;
	for (i = task->pass_done; i < task->nr_in && nr < chan->device->max_xor &&
	     nr < DMOVERIO_MAX_SRCS; i++)
		in[nr++] = dmio_dma_map_addr(&task->in[i]);
	*nr_read = i;
	/* What the next pass reads is what this one writes */
	if (i < task->nr_in)
		flags |= DMA_PREP_FENCE;
	return chan->device->device_prep_dma_xor(chan, out, in, nr, len, flags);
}

/* Most drivers take the low byte, some all four (tegra-gpcdma) */
static u32 fill_value(const struct dmio_job *job)
{
	return job->func->imm_bytes ? (job->immediate & 0xff) * 0x01010101U : 0;
}

static struct dma_async_tx_descriptor *prep(struct dmio_dma_task *task, size_t len,
					    unsigned long flags, unsigned int *nr_read)
{
	struct dma_chan *chan = task->dc->chan;
	dma_addr_t out = dmio_dma_map_addr(&task->out);

	*nr_read = task->nr_in;
	switch (task->job->func->id) {
	case DMOVERIO_FUNC_COPY:
		return dmaengine_prep_dma_memcpy(chan, out, task->self ? out :
						 dmio_dma_map_addr(&task->in[0]), len, flags);
	case DMOVERIO_FUNC_XOR:
		return prep_xor(task, len, flags, nr_read);
	default:
		return dmaengine_prep_dma_memset(chan, out, fill_value(task->job), len, flags);
	}
}

static void desc_callback(void *arg, const struct dmaengine_result *result)
{
	const struct dmio_dma_task *task = arg;

	if (in_task() && READ_ONCE(task->dc->submitter) == current)
		task->dc->called_back = true;
	dmio_dma_desc_done(arg, result && result->result != DMA_TRANS_NOERROR);
}

static void plain_callback(void *arg)
{
	desc_callback(arg, NULL);
}

/* Inputs that a pass will have read, to know whether it is the last */
static bool is_last_pass(const struct dmio_dma_task *task)
{
	unsigned int nr = task->nr_in - task->pass_done;

	if (task->job->func->id != DMOVERIO_FUNC_XOR)
		return true;
	return nr + (task->self || task->pass_done) <= task->dc->chan->device->max_xor;
}

/*
 * The last descriptor of a task interrupts, and some before it.  A task that
 * may be given up half way, see dmio_dma_task_issue(), does not know its last one.
 */
static bool wants_interrupt(const struct dmio_dma_task *task, size_t len)
{
	const struct dmio_dma_chan *dc = task->dc;

	return task->rules.align > 1 || dc->driver->min_bytes > 1 || !dc->driver->in_order ||
	       dc->since_irq + 1 >= dc->driver->irq_every ||
	       (len == task->left && is_last_pass(task));
}

/*
 * A callback_result stays in a descriptor that is used again (pl330), and counts
 * for more than a callback, which is all that the next client may set: then ours
 * would be called with an argument of his.  So there is none where it would tell
 * nothing.
 */
static void set_callback(struct dmio_dma_task *task, struct dma_async_tx_descriptor *tx)
{
	const struct dmio_dma_driver *driver = task->dc->driver;
	bool tells = driver->reports_errors || driver->unread;

	tx->callback = tells ? NULL : plain_callback;
	tx->callback_result = tells ? desc_callback : NULL;
	tx->callback_param = task;
}

/*
 * A driver that does not take a descriptor may have called it back nevertheless,
 * from within (idxd)
 */
static bool submit(struct dmio_dma_task *task, struct dma_async_tx_descriptor *tx)
{
	struct dmio_dma_chan *dc = task->dc;
	dma_cookie_t cookie;

	set_callback(task, tx);
	atomic_inc(&task->pending);
	atomic_inc(&dc->nr_inflight);
	dc->called_back = false;
	WRITE_ONCE(dc->submitter, current);
	cookie = dmaengine_submit(tx);
	WRITE_ONCE(dc->submitter, NULL);
	if (!dma_submit_error(cookie)) {
		WRITE_ONCE(dc->cookie, cookie);
		return true;
	}
	if (!dc->called_back)
		dmio_dma_desc_done(task, true);
	return false;
}

/* Make and submit one descriptor; nothing may sleep between the two */
static enum dmio_issue issue_desc(struct dmio_dma_task *task, size_t len)
{
	struct dmio_dma_chan *dc = task->dc;
	struct dma_async_tx_descriptor *tx;
	unsigned long flags = DMA_CTRL_ACK;
	unsigned int nr_read;

	if (wants_interrupt(task, len))
		flags |= DMA_PREP_INTERRUPT;
	if (dc->driver->depth && atomic_read(&dc->nr_inflight) >= dc->driver->depth)
		return DMIO_ISSUE_FULL;
	tx = prep(task, len, flags, &nr_read);
	if (!tx)
		return DMIO_ISSUE_FULL;

	if (!submit(task, tx)) {
		task->reason = DMIO_REASON_ERROR;
		return DMIO_ISSUE_GIVE_UP;
	}
	dc->since_irq = flags & DMA_PREP_INTERRUPT ? 0 : dc->since_irq + 1;
	dc->nr_new++;
	if (!task->touched)
		WRITE_ONCE(task->progress, jiffies);
	task->touched = true;
	task->pass_done = nr_read;
	return DMIO_ISSUE_ALL;
}

/**
 * dmio_dma_task_issue() - make descriptors, as many as there are
 * @task: the task
 *
 * Context: may sleep; dc->lock is held.
 * Return: see &enum dmio_issue.
 */
enum dmio_issue dmio_dma_task_issue(struct dmio_dma_task *task)
{
	enum dmio_issue ret;

	lockdep_assert_held(&task->dc->lock);

	while (task->left && reach_island(task)) {
		size_t len = piece_length(task);

		if (!is_piece_aligned(task, len) || len < task->dc->driver->min_bytes) {
			task->reason = DMIO_REASON_MAPPING;
			return DMIO_ISSUE_GIVE_UP;
		}
		do {
			ret = issue_desc(task, len);
			if (ret != DMIO_ISSUE_ALL)
				return ret;
		} while (task->pass_done < task->nr_in);
		piece_done(task, len);
		cond_resched();
	}
	return DMIO_ISSUE_ALL;
}

/* What lies between the islands */
static int run_edges(struct dmio_dma_task *task)
{
	struct dmio_job *job = task->job;
	struct dmio_island island;
	struct dmio_plan plan;
	u64 pos = 0;
	int ret = 0;

	dmio_plan_init(&plan, job, &task->rules);
	while (!ret && dmio_plan_next(&plan, &island)) {
		if (island.offset > pos)
			ret = dmio_cpu_run(job, pos, island.offset - pos);
		pos = island.offset + island.len;
		cond_resched();
	}
	if (!ret && pos < job->len)
		ret = dmio_cpu_run(job, pos, job->len - pos);
	return ret;
}

/**
 * dmio_dma_task_end() - unmap, and do the edges
 * @task: with no descriptor in flight
 *
 * The edges come last, so that a job that failed can be done again from the
 * beginning: but for one that wrote over its own input, which may be half done.
 * The memory of one that was parked belongs to the user again, edges included.
 *
 * Context: process context; may sleep.
 * Return: 0; or a negative errno, with job->reason set if the job may be done by
 * another engine.
 */
int dmio_dma_task_end(struct dmio_dma_task *task)
{
	struct dmio_job *job = task->job;
	u64 edge_bytes = job->len - task->out.bytes;
	int ret = 0;

	dmio_dma_task_unmap(task);
	if (READ_ONCE(task->failed) && !task->reason)
		task->reason = DMIO_REASON_ERROR;
	if (task->reason) {
		ret = task->error ?: -EIO;
		if (task->touched && job->aliased)
			ret = -EIO;
		else
			job->reason = task->reason;
	} else if (edge_bytes) {
		ret = run_edges(task);
		job->edge_bytes = edge_bytes;
	}
	return ret;
}
