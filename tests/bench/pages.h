/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory as programs have it: page by page, or in huge pages.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory of which each page is there; or NULL.  Without @huge, neighbouring
 * pages are as a rule no neighbours in physical memory.
 */
uint8_t *pages_alloc(size_t len, bool huge);
/* Of how many physically contiguous pieces it consists (for root), or 0 */
unsigned int pages_segments(const uint8_t *p, size_t len);

#endif /* PAGES_H */
