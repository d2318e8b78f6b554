/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may do the work: the policies by name, and the options that choose one.
 */
#ifndef DMO_CTL_POLICY_H
#define DMO_CTL_POLICY_H

#include <stdint.h>

#include "options.h"

extern const struct dmo_choice policies[];
extern const struct dmo_choice policy_engines[];
extern uint64_t opt_policy;

/* The rows of them, for a command's table */
#define POLICY_OPTIONS							\
	{								\
		.name = "policy", .kind = DMO_OPT_CHOICE, .arg = "NAME", \
		.help = "auto, prefer-dma, require-dma or cpu (default: the module's)", \
		.choices = policies, .number = &opt_policy,		\
	}, {								\
		.name = "engine", .kind = DMO_OPT_CHOICE, .arg = "dma|cpu", \
		.help = "the same as --policy require-dma, --policy cpu", \
		.choices = policy_engines, .number = &opt_policy,	\
	}

/* What the options say: DMOVERIO_POLICY_* */
static inline uint32_t policy_wanted(void)
{
	return (uint32_t)opt_policy;
}

const char *policy_name(uint32_t policy);

#endif /* DMO_CTL_POLICY_H */
