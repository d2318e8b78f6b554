/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions a device may offer, and what they compute.
 */
#ifndef DMO_CTL_FUNC_H
#define DMO_CTL_FUNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMO_MAX_INPUTS	16
#define DMO_ANY_INPUTS	(-1)

/**
 * struct dmo_function - one function
 * @name: as the device knows it
 * @number: DMOVERIO_FUNC_*, 0 if it has none yet
 * @inputs: number of input regions, or DMO_ANY_INPUTS
 * @outputs: number of output regions
 * @immediate: what the immediate is, "-" for none
 * @does: one line
 * @result_bytes: of its result beside the output; it comes back in the
 *	answer, in the later record layout only
 * @serial: the result continues in the immediate of the next request
 * @period: functions that fill: bytes of the immediate that repeat
 * @model: computes the output and returns the result; NULL if the classic
 *	interface cannot carry the function
 */
struct dmo_function {
	const char *name;
	unsigned int number;
	int inputs;
	int outputs;
	const char *immediate;
	const char *does;
	unsigned int result_bytes;
	bool serial;
	unsigned int period;
	uint64_t (*model)(const struct dmo_function *f, uint8_t *out,
			  uint8_t *const *in, const uint8_t *imm, size_t len);
};

extern const struct dmo_function dmo_functions[];
extern const size_t dmo_nr_functions;

const struct dmo_function *func_find(const char *name);

/* An immediate, or a result that becomes one */
void func_put_immediate(uint8_t *imm, uint64_t value);

#endif /* DMO_CTL_FUNC_H */
