/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random jobs, of which it is known where every single byte lies.
 */
#ifndef DMIO_TEST_JOB_H
#define DMIO_TEST_JOB_H

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "../../module/dma_plan.h"
#include "../../module/engine.h"
#include "../../module/func.h"
#include "random.h"

/* Memory of a job, neighbouring pages */
#define JOB_ORDER	5
#define JOB_MEM_BYTES	(PAGE_SIZE << JOB_ORDER)

/* Entries of a list, and its bytes */
#define JOB_ENTRIES	40
#define JOB_BYTES	(4 * PAGE_SIZE)

/**
 * struct test_list - a scatterlist and what it means
 * @sgl: the list, chained of two pieces
 * @nents: entries
 * @len: bytes
 * @phys: byte n lies at @phys[n]
 * @entry: byte n belongs to the entry with the number @entry[n]
 */
struct test_list {
	struct scatterlist sgl[JOB_ENTRIES + 1];
	unsigned int nents;
	unsigned int len;
	phys_addr_t *phys;
	u8 *entry;
};

/**
 * struct test_job - a job and what it means
 * @job: the job
 * @func: its function
 * @rules: what a channel wants
 * @mem: its memory
 * @list: the output, then the inputs; those of aliased inputs are not used
 */
struct test_job {
	struct dmio_job job;
	struct dmio_func func;
	struct dmio_dma_rules rules;
	struct page *mem;
	struct test_list list[DMIO_MAX_REGIONS];
};

struct test_job *test_job_alloc(struct kunit *test);
void test_job_free(struct test_job *tj);
void test_rules_random(struct dmio_dma_rules *rules, struct rnd_state *rnd);
void test_job_random(struct test_job *tj, struct rnd_state *rnd);
bool test_job_next_island(const struct test_job *tj, u64 *pos, struct dmio_island *island);

#endif /* DMIO_TEST_JOB_H */
