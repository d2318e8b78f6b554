// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "util.h"

#define BAR_WIDTH	30
#define TTY_PERIOD_NS	200000000ull
#define LOG_PERIOD_NS	1000000000ull

void progress_start(struct progress *p, int wanted, uint64_t total)
{
	memset(p, 0, sizeof(*p));
	p->tty = isatty(STDERR_FILENO);
	p->enabled = wanted < 0 ? p->tty : wanted;
	p->total = total;
	p->started_ns = util_now_ns();
	p->next_ns = p->started_ns + TTY_PERIOD_NS;
}

static int format_known(char *line, size_t len, const struct progress *p,
			uint64_t done, double rate)
{
	double part = done < p->total ? (double)done / (double)p->total : 1;
	uint64_t left = done < p->total ? p->total - done : 0;
	unsigned int eta = rate > 0 ? (unsigned int)((double)left / rate) : 0;
	int filled = (int)(part * BAR_WIDTH);

	return snprintf(line, len, "[%.*s%*s] %3d%% %8.1f MB/s  ETA %u:%02u",
			filled, "##############################",
			BAR_WIDTH - filled, "", (int)(part * 100), rate / 1e6,
			eta / 60, eta % 60);
}

void progress_update(struct progress *p, uint64_t done)
{
	uint64_t now;
	char line[128];
	double rate;
	int n;

	if (!p->enabled)
		return;
	now = util_now_ns();
	if (now < p->next_ns)
		return;
	p->next_ns = now + (p->tty ? TTY_PERIOD_NS : LOG_PERIOD_NS);
	rate = (double)done * 1e9 / (double)(now - p->started_ns);
	if (p->total)
		n = format_known(line, sizeof(line), p, done, rate);
	else
		n = snprintf(line, sizeof(line), "%.1f MB %8.1f MB/s",
			     (double)done / 1e6, rate / 1e6);
	if (p->tty)
		fprintf(stderr, "\r%-*s", p->shown, line);
	else
		fprintf(stderr, "%s\n", line);
	p->shown = n;
}

void progress_end(struct progress *p)
{
	if (p->enabled && p->tty && p->shown)
		fprintf(stderr, "\r%*s\r", p->shown, "");
	p->enabled = false;
}
