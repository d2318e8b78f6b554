// SPDX-License-Identifier: GPL-2.0
/*
 * The matrix of faults; see table.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma.h"
#include "table.h"

#define MOST_LINES	1024

static struct table {
	pid_t owner;
	unsigned int nr;
	char line[MOST_LINES][160];
} *table;

/* Before there is any other process */
static __attribute__((constructor)) void table_create(void)
{
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	if (table == MAP_FAILED)
		abort();
	table->owner = getpid();
}

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (table->nr < MOST_LINES)
		vsnprintf(table->line[table->nr++], sizeof(table->line[0]), format, args);
	va_end(args);
}

void table_add(const struct table_row *row, const struct cell *c)
{
	struct dt_ways ways = dt_ways(c->fd);

	add("%-26s %-17s %-7s %2u   %2u %2u %2u %2u   %7lld %7lld   %s%s", row->fault,
	    row->controller, row->policy, c->nr, cell_count(c, 0), cell_count(c, EIO),
	    cell_count(c, ETIMEDOUT), cell_count(c, ENODEV), ways.bytes[DT_DMA],
	    dt_ways_sum(&ways) - ways.bytes[DT_DMA], row->channel,
	    row->passed ? "" : "   FAILED");
}

void table_note(const char *fault, const char *controller, const char *why)
{
	add("%-26s %-17s %s", fault, controller, why);
}

/* Not of the processes that the tests run in */
static __attribute__((destructor)) void table_print(void)
{
	if (getpid() != table->owner || !table->nr)
		return;
	printf("# %-26s %-17s %-7s %2s   %-11s   %7s %7s   %s\n", "fault", "controller, quiet",
	       "DMA", "nr", " 0 IO TO ND", "by DMA", "by CPU", "the channel");
	for (unsigned int i = 0; i < table->nr; i++)
		printf("# %s\n", table->line[i]);
}
