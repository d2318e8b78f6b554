// SPDX-License-Identifier: GPL-2.0
/*
 * Engines that do nothing but what a test tells them; one of them is the CPU, so
 * that jobs come back when the test wants it, not when a worker has run.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "../../module/engine_cpu.h"
#include "../../module/engines.h"
#include "../../module/sched.h"
#include "fake.h"

const struct dmio_func fake_func = { .id = DMOVERIO_FUNC_COPY, .nr_srcs = 1, .has_dst = true };
const struct dmio_func fake_other_func = { .id = DMOVERIO_FUNC_ZERO, .has_dst = true };

/* Guards what fakes have: the scheduler's worker calls them, too */
static DEFINE_SPINLOCK(fake_lock);

struct fake fake_cpu;

u64 fake_now;
unsigned int fake_nr_clocks;
unsigned int fake_nr_looks;
unsigned int fake_nr_asked;

static struct fake *to_fake(const struct dmio_engine *engine)
{
	return engine == &dmio_engine_cpu ? &fake_cpu : container_of(engine, struct fake, engine);
}

static bool fake_can(const struct dmio_engine *engine, const struct dmio_func *func)
{
	const struct fake *fake = to_fake(engine);

	fake_nr_asked++;
	return !fake->cannot && (func == &fake_func || fake->other || fake == &fake_cpu);
}

static void fake_submit(struct dmio_engine *engine, struct dmio_job *job, bool may_run)
{
	struct fake *fake = to_fake(engine);
	struct completion *proceed = fake->proceed;

	spin_lock(&fake_lock);
	fake->job = job;
	fake->may_run = may_run;
	fake->nr_jobs++;
	fake->most_deep = max(fake->most_deep, ++fake->depth);
	list_add_tail(&container_of(job, struct fake_job, job)->node, &fake->jobs);
	spin_unlock(&fake_lock);
	if (!fake->holds)
		fake_finish(fake, job);
	spin_lock(&fake_lock);
	fake->depth--;
	spin_unlock(&fake_lock);
	if (proceed) {
		complete(&fake->inside);
		wait_for_completion(proceed);
	}
}

static void fake_tell(const struct dmio_engine *engine, struct dmoverio_engine *info)
{
	strscpy(info->name, "fake", sizeof(info->name));
}

static const struct dmio_engine_ops fake_ops = {
	.can		= fake_can,
	.submit		= fake_submit,
	.describe	= fake_tell,
};

struct dmio_engine dmio_engine_cpu;

int dmio_engine_cpu_init(void)
{
	dmio_engine_cpu = (struct dmio_engine){ .ops = &fake_ops, .id = 1 };
	fake_cpu = (struct fake){ .jobs = LIST_HEAD_INIT(fake_cpu.jobs) };
	return 0;
}

void dmio_engine_cpu_fini(void)
{
}

/**
 * fakes_start() - start the scheduler, with a CPU that is a fake
 * @test: the case
 */
void fakes_start(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, dmio_sched_init(), 0);
}

/**
 * fakes_stop() - stop it, and set the parameters back
 * @test: the case
 */
void fakes_stop(struct kunit *test)
{
	dmio_sched_fini();
	fake_param_set(test, "policy", "auto");
	fake_param_set(test, "dma_threshold", "65536");
	fake_param_set(test, "learn", "1");
	fake_param_set(test, "cpu_time_weight", "300");
}

/**
 * fake_add() - add an engine
 * @fake: the engine, zeroed but for what it is told to do
 *
 * The scheduler's worker, which this wakes, has done what there was to do: what is
 * submitted from now on it does not take from under the hands of who submits it.
 */
void fake_add(struct fake *fake)
{
	fake->engine.ops = &fake_ops;
	init_completion(&fake->inside);
	INIT_LIST_HEAD(&fake->jobs);
	dmio_sched_add(&fake->engine);
	fake_settle();
}

/**
 * fake_remove() - remove an engine
 * @fake: the engine, without jobs
 */
void fake_remove(struct fake *fake)
{
	dmio_sched_leave(&fake->engine, 0);
	dmio_sched_remove(&fake->engine);
}

/**
 * fake_finish() - give a job back
 * @fake: the engine, told how
 * @job: its job
 */
void fake_finish(struct fake *fake, struct dmio_job *job)
{
	if (fake->reason)
		job->reason = fake->reason;
	if (fake->edge_bytes)
		job->edge_bytes = fake->edge_bytes;
	job->part_bytes = DIV_ROUND_UP_ULL(job->len, max(fake->nr_parts, 1U));
	atomic64_set(&job->busy_ns, fake->busy_ns);
	spin_lock(&fake_lock);
	list_del_init(&container_of(job, struct fake_job, job)->node);
	spin_unlock(&fake_lock);
	dmio_job_complete(job, fake->error);
}

/**
 * fake_first() - what has an engine had longest?
 * @fake: the engine
 *
 * Return: the job; NULL if it has none.
 */
struct fake_job *fake_first(struct fake *fake)
{
	struct fake_job *fj;

	spin_lock(&fake_lock);
	fj = list_first_entry_or_null(&fake->jobs, struct fake_job, node);
	spin_unlock(&fake_lock);
	return fj;
}

/**
 * fake_finish_first() - give back what an engine has had longest
 * @fake: the engine
 *
 * Return: the job; NULL if it has none, and gets none.
 */
struct fake_job *fake_finish_first(struct fake *fake)
{
	struct fake_job *fj = fake_first(fake);

	if (!fj) {
		/* The scheduler's worker may be about to hand it one */
		fake_settle();
		fj = fake_first(fake);
	}
	if (fj)
		fake_finish(fake, &fj->job);
	return fj;
}

/**
 * fake_finish_all() - give back all that an engine has, and what it gets meanwhile
 * @fake: the engine
 */
void fake_finish_all(struct fake *fake)
{
	while (fake_finish_first(fake))
		;
}

/**
 * fake_is_done() - was a job given back?
 * @fj: the job
 *
 * Return: true if so, in whatever thread.
 */
bool fake_is_done(const struct fake_job *fj)
{
	/* Pairs with the release in fake_job_done() */
	return smp_load_acquire(&fj->nr_done);
}

static void fake_job_done(struct dmio_job *job)
{
	struct fake_job *fj = container_of(job, struct fake_job, job);

	/* Pairs with the acquire in fake_is_done() */
	smp_store_release(&fj->nr_done, fj->nr_done + 1);
}

/**
 * fake_job_init() - make a job, of one segment
 * @fj: result
 * @policy: its policy
 * @len: bytes
 */
void fake_job_init(struct fake_job *fj, u32 policy, u64 len)
{
	*fj = (struct fake_job){ };
	dmio_flow_init(&fj->flow);
	INIT_LIST_HEAD(&fj->node);
	fj->job.func = &fake_func;
	fj->job.len = len;
	fj->job.nr_segs = 1;
	fj->job.policy = policy;
	fj->job.stats = &fj->stats;
	fj->job.flow = &fj->flow;
	fj->job.done = fake_job_done;
}

/**
 * fake_job_submit() - make a job, and submit it
 * @fj: result
 * @policy: its policy
 * @len: bytes
 */
void fake_job_submit(struct fake_job *fj, u32 policy, u64 len)
{
	fake_job_init(fj, policy, len);
	dmio_sched_submit(&fj->job, false);
}

/**
 * fake_describe() - what a user is told of an engine
 * @test: the case
 * @engine: added
 *
 * Return: the description.
 */
struct dmoverio_engine fake_describe(struct kunit *test, const struct dmio_engine *engine)
{
	struct dmoverio_engine info;
	unsigned int index, i;

	for (i = 0; ; i++) {
		index = i;
		memset(&info, 0, sizeof(info));
		if (!dmio_engines_describe(&index, &info))
			break;
		if (info.id == engine->id)
			return info;
	}
	KUNIT_FAIL(test, "no engine %u", engine->id);
	return info;
}

static const struct kernel_param *find_param(struct kunit *test, const char *name)
{
	unsigned int i;

	for (i = 0; i < THIS_MODULE->num_kp; i++)
		if (!strcmp(THIS_MODULE->kp[i].name, name))
			return &THIS_MODULE->kp[i];
	KUNIT_FAIL(test, "no parameter %s", name);
	return NULL;
}

/**
 * fake_param_set() - set a parameter of the scheduler, as root would
 * @test: the case
 * @name: the parameter
 * @value: what is written
 *
 * Return: 0 or a negative errno.
 */
int fake_param_set(struct kunit *test, const char *name, const char *value)
{
	const struct kernel_param *kp = find_param(test, name);
	int ret = -ENOENT;

	if (kp) {
		kernel_param_lock(THIS_MODULE);
		ret = kp->ops->set(value, kp);
		kernel_param_unlock(THIS_MODULE);
	}
	return ret;
}

/**
 * fake_param_expect() - is a parameter what root should read?
 * @test: the case
 * @name: the parameter
 * @value: what should be read
 */
void fake_param_expect(struct kunit *test, const char *name, const char *value)
{
	const struct kernel_param *kp = find_param(test, name);
	char *page = (char *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	if (kp)
		kp->ops->get(page, kp);
	KUNIT_EXPECT_STREQ(test, page, value);
	free_page((unsigned long)page);
}
