// SPDX-License-Identifier: GPL-2.0-only
/*
 * dmo-ctl engines: who does the work, which channels are left alone and why,
 * and which way the bytes went.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "dmo-ctl.h"
#include "enginelist.h"
#include "json.h"
#include "util.h"

static const char *state_text(const struct dmoverio_engine *e)
{
	switch (e->state) {
	case DMOVERIO_ENGINE_ACTIVE:
		return "active";
	case DMOVERIO_ENGINE_LEAVING:
		return "leaving";
	case DMOVERIO_ENGINE_UNUSED:
		return "unused";
	case DMOVERIO_ENGINE_QUARANTINED:
		return "quarantined";
	case DMOVERIO_ENGINE_DISABLED:
		return "disabled";
	default:
		return "?";
	}
}

/* The names of an engine's functions; all that XOR are one function. */
static size_t function_names(const struct dmoverio_engine *e,
			     const char *names[], size_t most)
{
	const struct dmo_function *f;
	__u64 left = e->funcs;
	size_t i, nr = 0;

	for (i = 0; i < dmo_nr_functions && nr < most; i++) {
		f = &dmo_functions[i];
		if (!f->number || !(left >> f->number & 1))
			continue;
		left &= ~(1ull << f->number);
		names[nr++] = f->inputs > 1 ? "xor" : f->name;
	}
	return nr;
}

#define CELL_BYTES	32

static const struct {
	const char *title;
	bool right;
} columns[] = {
	{ "ID", true }, { "NAME", false }, { "DRIVER", false },
	{ "DEVICE", false }, { "STATE", false }, { "ALIGN", true },
	{ "QUEUED", true }, { "WINDOWS", true }, { "BYTES", true },
	{ "EDGES", true }, { "ERRORS", true }, { "RESTARTS", true },
};

#define NR_COLUMNS	ARRAY_SIZE(columns)

struct row {
	char cells[NR_COLUMNS][CELL_BYTES];
};

static void put_name(char *cell, const char *name)
{
	snprintf(cell, CELL_BYTES, "%.*s", CELL_BYTES - 1, *name ? name : "-");
}

static void put_number(char *cell, uint64_t number)
{
	snprintf(cell, CELL_BYTES, "%" PRIu64, number);
}

static struct row make_row(const struct dmoverio_engine *e)
{
	const uint64_t numbers[] = {
		e->align, e->queued_bytes, e->windows, e->bytes, e->edge_bytes,
		e->errors, e->restarts
	};
	struct row row = { 0 };
	size_t i;

	put_number(row.cells[0], e->id);
	put_name(row.cells[1], e->name);
	put_name(row.cells[2], e->driver);
	put_name(row.cells[3], e->device);
	put_name(row.cells[4], state_text(e));
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		put_number(row.cells[5 + i], numbers[i]);
	return row;
}

/* Columns are as wide as they have to be. */
static void find_widths(const struct engine_list *list, int *widths)
{
	struct row row;
	size_t i, k;

	for (k = 0; k < NR_COLUMNS; k++)
		widths[k] = (int)strlen(columns[k].title);
	for (i = 0; i < list->nr; i++) {
		row = make_row(&list->rows[i]);
		for (k = 0; k < NR_COLUMNS; k++)
			if ((int)strlen(row.cells[k]) > widths[k])
				widths[k] = (int)strlen(row.cells[k]);
	}
}

static void print_cell(size_t column, int width, const char *cell)
{
	printf("%*s  ", columns[column].right ? width : -width, cell);
}

static void print_engine(const struct dmoverio_engine *e, const int *widths)
{
	const char *names[64];
	size_t nr = function_names(e, names, ARRAY_SIZE(names)), i;
	struct row row = make_row(e);

	for (i = 0; i < NR_COLUMNS; i++)
		print_cell(i, widths[i], row.cells[i]);
	for (i = 0; i < nr; i++)
		printf("%s%s", i ? " " : "", names[i]);
	putchar('\n');
}

static void print_engines(const struct engine_list *list, const int *widths)
{
	size_t i;

	for (i = 0; i < NR_COLUMNS; i++)
		print_cell(i, widths[i], columns[i].title);
	printf("FUNCTIONS\n");
	for (i = 0; i < list->nr; i++)
		if (list->rows[i].state != DMOVERIO_ENGINE_UNUSED)
			print_engine(&list->rows[i], widths);
}

/* Name, driver and device stand below those of the engines. */
static void print_unused(const struct engine_list *list, const int *widths)
{
	const char *reason;
	bool first = true;
	struct row row;
	size_t i, k;

	for (i = 0; i < list->nr; i++) {
		if (list->rows[i].state != DMOVERIO_ENGINE_UNUSED)
			continue;
		if (first)
			printf("\nDMA channels left alone:\n");
		first = false;
		row = make_row(&list->rows[i]);
		print_cell(0, widths[0], "");
		for (k = 1; k < 4; k++)
			print_cell(k, widths[k], row.cells[k]);
		printf("%s\n", engine_unused_why(&list->rows[i], &reason));
	}
}

/* Channels that failed: why, and what becomes of them. */
static void print_failed(const struct engine_list *list, const int *widths)
{
	const struct dmoverio_engine *e;
	const char *reason, *why;
	bool first = true;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		e = &list->rows[i];
		why = engine_failed_why(e, &reason);
		if (!why)
			continue;
		if (first)
			printf("\nDMA channels that failed:\n");
		first = false;
		print_cell(0, widths[0], "");
		print_cell(1, widths[1], e->name);
		printf("%s; ", why);
		if (e->state == DMOVERIO_ENGINE_QUARANTINED)
			printf("tried again in %.1f s\n", (double)e->retry_ms / 1000);
		else if (e->parked_pages)
			printf("%" PRIu64 " pages parked until it finishes, or its driver is unbound\n",
			       (uint64_t)e->parked_pages);
		else
			printf("to try it again: dmo-ctl reset %s\n", e->name);
	}
}

static void print_counters(void)
{
	struct counters counters;

	if (counters_of_module(&counters)) {
		printf("\nThe loaded module does not tell which way the bytes went.\n");
	} else if (!counters_total(&counters)) {
		printf("\nNothing was done since the module was loaded.\n");
	} else {
		printf("\nSince the module was loaded:\n");
		counters_print(&counters);
	}
}

static void print_all(const struct engine_list *list)
{
	const char *why, *what_to_do;
	int widths[NR_COLUMNS];

	find_widths(list, widths);
	print_engines(list, widths);
	print_failed(list, widths);
	print_unused(list, widths);
	if (!engine_list_channels(list, NULL)) {
		engine_list_explain(list, &why, &what_to_do);
		printf("\nNo DMA channel is used: %s.\n  %s\n", why, what_to_do);
	}
	print_counters();
}

static void json_engine(struct json *j, const struct dmoverio_engine *e)
{
	const char *names[64], *reason, *why = engine_failed_why(e, &reason);
	size_t nr = function_names(e, names, ARRAY_SIZE(names)), i;

	json_object(j, NULL);
	json_u64(j, "id", e->id);
	json_string(j, "name", e->name);
	json_string(j, "driver", e->driver);
	json_string(j, "device", e->device);
	json_string(j, "state", state_text(e));
	if (why) {
		json_string(j, "reason", reason);
		json_string(j, "why", why);
	}
	json_array(j, "functions");
	for (i = 0; i < nr; i++)
		json_string(j, NULL, names[i]);
	json_close(j);
	json_u64(j, "align", e->align);
	json_u64(j, "max_srcs", e->max_srcs);
	json_u64(j, "max_bytes", e->max_bytes);
	json_u64(j, "queued_bytes", e->queued_bytes);
	json_u64(j, "windows", e->windows);
	json_u64(j, "bytes", e->bytes);
	json_u64(j, "edge_bytes", e->edge_bytes);
	json_u64(j, "errors", e->errors);
	json_u64(j, "restarts", e->restarts);
	json_u64(j, "parked_pages", e->parked_pages);
	json_u64(j, "retry_ms", e->retry_ms);
	json_close(j);
}

static void json_unused(struct json *j, const struct dmoverio_engine *e)
{
	const char *reason, *why = engine_unused_why(e, &reason);

	json_object(j, NULL);
	json_string(j, "name", e->name);
	json_string(j, "driver", e->driver);
	json_string(j, "device", e->device);
	json_string(j, "reason", reason);
	json_string(j, "why", why);
	json_close(j);
}

static void json_all(struct json *j, const struct engine_list *list)
{
	struct counters counters;
	const char *why, *what_to_do;
	size_t i;

	json_array(j, "engines");
	for (i = 0; i < list->nr; i++)
		if (list->rows[i].state != DMOVERIO_ENGINE_UNUSED)
			json_engine(j, &list->rows[i]);
	json_close(j);
	json_array(j, "unused");
	for (i = 0; i < list->nr; i++)
		if (list->rows[i].state == DMOVERIO_ENGINE_UNUSED)
			json_unused(j, &list->rows[i]);
	json_close(j);
	json_u64(j, "channels", engine_list_channels(list, NULL));
	if (!engine_list_channels(list, NULL)) {
		engine_list_explain(list, &why, &what_to_do);
		json_string(j, "no_channel_why", why);
		json_string(j, "no_channel_what_to_do", what_to_do);
	}
	if (counters_of_module(&counters))
		json_null(j, "went");
	else
		counters_json(j, "went", &counters);
}

static int run_engines(struct dmo_context *ctx, char **argv)
{
	struct engine_list list;
	int status = engine_list_read(&list, ctx->device);

	(void)argv;
	if (status != DMO_OK)
		return status;
	if (ctx->json)
		json_all(ctx->result, &list);
	else
		print_all(&list);
	engine_list_free(&list);
	return DMO_OK;
}

const struct dmo_command dmo_cmd_engines = {
	.name = "engines",
	.summary = "list DMA channels and the CPU: what they can do and have done",
	.help = "Bytes count once per operation, not once per input.  EDGES are bytes done by\n"
		"the CPU where the memory's alignment does not suit the channel.\n",
	.run = run_engines,
};
