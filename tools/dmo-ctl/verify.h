/* SPDX-License-Identifier: GPL-2.0-only */
/* Do a job again in software, on the files read back, and compare. */
#ifndef DMO_CTL_VERIFY_H
#define DMO_CTL_VERIFY_H

#include <stdint.h>

#include "job.h"

enum verify_result {
	VERIFY_SAME,
	VERIFY_DIFFERENT,	/* *difference: offset of the first one */
	VERIFY_FAILED,		/* could not compare; said why */
	VERIFY_STOPPED,		/* by a signal */
};

enum verify_result verify_job(const struct job *job, uint64_t *difference);

#endif /* DMO_CTL_VERIFY_H */
