/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Engines that do nothing but what a test tells them.
 */
#ifndef DMIO_TEST_FAKE_H
#define DMIO_TEST_FAKE_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/types.h>

#include "../../module/engine.h"
#include "../../module/fair.h"
#include "../../module/func.h"

/**
 * struct fake - an engine
 * @engine: added to the scheduler; not used of the CPU, which is dmio_engine_cpu
 * @cannot: no function is within its power
 * @other: it can do fake_other_func, too
 * @holds: a job stays until fake_finish() is called
 * @error: how jobs end ...
 * @reason: ... with what reason, if not DMIO_REASON_NONE ...
 * @edge_bytes: ... and how many bytes at the edges
 * @busy_ns: of the CPU: how long jobs are said to have taken, in ...
 * @nr_parts: ... so many parts, if not one
 * @proceed: if there is one, a call of submit() waits for it, the job being done
 * @inside: complete when such a call waits
 * @job: the last job it was given
 * @may_run: ... and whether it might have been done at once
 * @nr_jobs: jobs it was given
 * @depth: calls of submit() within each other, and ...
 * @most_deep: ... the most there were
 * @jobs: those it has, in the order in which it was given them
 */
struct fake {
	struct dmio_engine engine;
	bool cannot;
	bool other;
	bool holds;
	int error;
	enum dmio_reason reason;
	u64 edge_bytes;
	u64 busy_ns;
	unsigned int nr_parts;
	struct completion *proceed;
	struct completion inside;

	struct dmio_job *job;
	bool may_run;
	unsigned int nr_jobs;
	unsigned int depth;
	unsigned int most_deep;
	struct list_head jobs;
};

/**
 * struct fake_job - a job
 * @job: the job
 * @flow: its own, unless it is given another
 * @stats: counts its bytes
 * @nr_done: how often it was given back
 * @node: with its engine
 */
struct fake_job {
	struct dmio_job job;
	struct dmio_flow flow;
	struct dmio_stats stats;
	unsigned int nr_done;
	struct list_head node;
};

/* What the scheduler's clock shows */
extern u64 fake_now;

/* How often engines' choice looked at it */
extern unsigned int fake_nr_clocks;

/* How often it wanted to look at channels later */
extern unsigned int fake_nr_looks;

/* How often fakes were asked what they can do */
extern unsigned int fake_nr_asked;

/* Takes the place of the engine that is always there */
extern struct fake fake_cpu;

/* A function that every fake can do, unless it was told not to; and one more */
extern const struct dmio_func fake_func;
extern const struct dmio_func fake_other_func;

void fakes_start(struct kunit *test);
void fakes_stop(struct kunit *test);
void fake_add(struct fake *fake);
void fake_remove(struct fake *fake);
void fake_start_dma(void);
int fake_suspend(void);
int fake_resume(void);
unsigned int fake_shutdown(void);
void fake_settle(void);
void fake_look(void);
void fake_finish(struct fake *fake, struct dmio_job *job);
struct fake_job *fake_first(struct fake *fake);
struct fake_job *fake_finish_first(struct fake *fake);
void fake_finish_all(struct fake *fake);
bool fake_is_done(const struct fake_job *fj);

void fake_job_init(struct fake_job *fj, u32 policy, u64 len);
void fake_job_submit(struct fake_job *fj, u32 policy, u64 len);
struct dmoverio_engine fake_describe(struct kunit *test, const struct dmio_engine *engine);
int fake_param_set(struct kunit *test, const char *name, const char *value);
void fake_param_expect(struct kunit *test, const char *name, const char *value);

#endif /* DMIO_TEST_FAKE_H */
