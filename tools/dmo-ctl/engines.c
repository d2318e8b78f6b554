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

/* Names are as wide as they have to be. */
struct widths {
	int name, driver, device;
};

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static struct widths find_widths(const struct engine_list *list)
{
	struct widths w = { 4, 6, 6 };
	size_t i;

	for (i = 0; i < list->nr; i++) {
		widen(&w.name, list->rows[i].name);
		widen(&w.driver, list->rows[i].driver);
		widen(&w.device, list->rows[i].device);
	}
	return w;
}

static const char *or_dash(const char *text)
{
	return *text ? text : "-";
}

static void print_engine(const struct dmoverio_engine *e,
			 const struct widths *w)
{
	const char *names[64];
	size_t nr = function_names(e, names, ARRAY_SIZE(names)), i;

	printf("%3u  %-*s  %-*s  %-*s  %-7s %5u %10" PRIu64 " %10" PRIu64 " %14" PRIu64 " %12" PRIu64 " %6" PRIu64 " %8" PRIu64 "  ",
	       e->id, w->name, e->name, w->driver, or_dash(e->driver),
	       w->device, or_dash(e->device), state_text(e), e->align,
	       (uint64_t)e->queued_bytes, (uint64_t)e->windows,
	       (uint64_t)e->bytes, (uint64_t)e->edge_bytes,
	       (uint64_t)e->errors, (uint64_t)e->restarts);
	for (i = 0; i < nr; i++)
		printf("%s%s", i ? " " : "", names[i]);
	putchar('\n');
}

static void print_engines(const struct engine_list *list,
			  const struct widths *w)
{
	size_t i;

	printf("%3s  %-*s  %-*s  %-*s  %-7s %5s %10s %10s %14s %12s %6s %8s  %s\n",
	       "ID", w->name, "NAME", w->driver, "DRIVER", w->device, "DEVICE",
	       "STATE", "ALIGN", "QUEUED", "WINDOWS", "BYTES", "EDGE BYTES",
	       "ERRORS", "RESTARTS", "FUNCTIONS");
	for (i = 0; i < list->nr; i++)
		if (list->rows[i].state != DMOVERIO_ENGINE_UNUSED)
			print_engine(&list->rows[i], w);
}

static void print_unused(const struct engine_list *list,
			 const struct widths *w)
{
	const struct dmoverio_engine *e;
	const char *reason;
	bool first = true;

	for (e = list->rows; e < list->rows + list->nr; e++) {
		if (e->state != DMOVERIO_ENGINE_UNUSED)
			continue;
		if (first)
			printf("\nDMA channels left alone:\n");
		first = false;
		printf("     %-*s  %-*s  %-*s  %s\n", w->name, e->name,
		       w->driver, or_dash(e->driver), w->device,
		       or_dash(e->device), engine_unused_why(e, &reason));
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
	struct widths w = find_widths(list);
	const char *why, *what_to_do;

	print_engines(list, &w);
	print_unused(list, &w);
	if (!engine_list_channels(list, NULL)) {
		engine_list_explain(list, &why, &what_to_do);
		printf("\nNo DMA channel is used: %s.\n  %s\n", why, what_to_do);
	}
	print_counters();
}

static void json_engine(struct json *j, const struct dmoverio_engine *e)
{
	const char *names[64];
	size_t nr = function_names(e, names, ARRAY_SIZE(names)), i;

	json_object(j, NULL);
	json_u64(j, "id", e->id);
	json_string(j, "name", e->name);
	json_string(j, "driver", e->driver);
	json_string(j, "device", e->device);
	json_string(j, "state", state_text(e));
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
	.help = "Bytes count once per operation, not once per input.  EDGE BYTES were done by\n"
		"the CPU where the memory's alignment does not suit the channel.\n",
	.run = run_engines,
};
