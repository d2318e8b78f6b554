// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is unmapped, moved, protected or shared by fork while requests
 * that use it are running. Each of them succeeds, on the pages it had pinned,
 * or faults; and no byte is written that should not be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flight.h"
#include "kselftest_harness.h"

/* Each output lies in a slot of its own, with bytes around that nobody writes */
#define SLOT		(FL_LARGE + 8192)
#define AT		100
#define OUT_BYTES	(FL_NR * SLOT)
#define IN_BYTES	FL_LARGE

enum { BEFORE = 0xee, AFTER = 0xff };

FIXTURE(remap) {
	struct dt_rng rng;
	long long pins;
	uint8_t *out, *in;		/* what the requests use */
	uint8_t *aside;			/* as much room as @out, to move to */
	uint8_t *want;			/* what @in was filled with */
	struct flight flight;
};

FIXTURE_SETUP(remap)
{
	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->out = dt_mmap(OUT_BYTES);
	self->in = dt_mmap(IN_BYTES);
	self->aside = dt_mmap(OUT_BYTES);
	self->want = dt_mmap(IN_BYTES);
	dt_fill(&self->rng, self->want, IN_BYTES);
	fl_init(&self->flight, &self->rng, self->out + AT, SLOT, self->in);
	ASSERT_EQ(0, dt_hold(&self->flight.hold));
}

FIXTURE_TEARDOWN(remap)
{
	EXPECT_EQ(0, dt_unhold(&self->flight.hold));
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/*
 * Each byte is what belongs there, or one of @others, that were there before
 * or after. Never is it the byte of another place.
 */
struct bytes {
	const char *set;
	size_t nr;
};

#define BYTES(s)	{ s, sizeof(s) - 1 }

static bool torn_well(const uint8_t *p, const uint8_t *want, size_t len,
		      const struct bytes *others)
{
	if (!memcmp(p, want, len))
		return true;
	for (size_t i = 0; i < len; i++)
		if (p[i] != want[i] && !memchr(others->set, p[i], others->nr))
			return false;
	return true;
}

/* A way to take memory away, and what may be found in the outputs then */
struct change {
	void (*change)(uint8_t *mem, size_t len, uint8_t *aside);
	void (*undo)(uint8_t *mem, size_t len, uint8_t *aside);
	bool input;			/* not the outputs */
	uint8_t around;			/* the outputs; later, in the end */
	struct bytes done;		/* beside the data, where a request succeeded */
	struct bytes torn;		/* ... where it faulted */
};

static void check_slot(struct __test_metadata *_metadata, FIXTURE_DATA(remap) *self,
		       const struct change *c, const struct dmio_usrresp *resp)
{
	size_t len = fl_is_small(resp->resp_id) ? FL_SMALL : FL_LARGE;
	uint8_t *slot = self->out + resp->resp_id * SLOT;

	ASSERT_TRUE(!resp->resp_error || resp->resp_error == EFAULT) {
		TH_LOG("error %d", resp->resp_error);
	}
	ASSERT_TRUE(torn_well(slot + AT, self->want, len,
			      resp->resp_error ? &c->torn : &c->done)) {
		TH_LOG("request %u, error %d", resp->resp_id, resp->resp_error);
	}
	ASSERT_TRUE(dt_is_all(slot, c->around, AT));
	ASSERT_TRUE(dt_is_all(slot + AT + len, c->around, SLOT - AT - len));
}

static void run_rounds(struct __test_metadata *_metadata, FIXTURE_DATA(remap) *self,
		       const struct change *c)
{
	uint8_t *mem = c->input ? self->in : self->out;
	size_t len = c->input ? IN_BYTES : OUT_BYTES;
	unsigned int done = 0, faulted = 0;

	while (fl_more(&self->flight)) {
		struct dmio_usrresp resp[FL_NR];
		int fd = dt_open("copy", 0);

		memcpy(self->in, self->want, IN_BYTES);
		memset(self->out, BEFORE, OUT_BYTES);
		ASSERT_EQ(0, fl_submit(&self->flight, fd, fl_naps(&self->flight)));
		fl_count(&self->flight, dt_nr(fd, "running"));
		c->change(mem, len, self->aside);
		ASSERT_EQ(0, dt_collect(fd, resp, FL_NR));
		c->undo(mem, len, self->aside);
		for (unsigned int k = 0; k < FL_NR; k++) {
			check_slot(_metadata, self, c, &resp[k]);
			done += !resp[k].resp_error;
			faulted += !!resp[k].resp_error;
			resp[k].resp_error = 0;
		}
		ASSERT_TRUE(dt_ids_once(resp, FL_NR, 0));
		close(fd);
		ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	TH_LOG("%u requests succeeded, %u faulted", done, faulted);
	/* What was pinned by write() does, however fast the change came. */
	EXPECT_LT(0, done);
	EXPECT_RUNNING(&self->flight);
}

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* Other memory appears at once where it was */
static void replace(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(!munmap(mem, len));
	must(mmap(mem, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		  -1, 0) == mem);
	memset(mem, AFTER, len);
}

static void keep(uint8_t *mem, size_t len, uint8_t *aside)
{
}

TEST_F_TIMEOUT(remap, munmap_of_the_output, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = replace, .undo = keep, .around = AFTER,
		.done = BYTES("\xff"), .torn = BYTES("\xff") });
}

/* Fresh memory is zero before it gets a value. */
TEST_F_TIMEOUT(remap, munmap_of_the_input, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = replace, .undo = keep, .input = true, .around = BEFORE,
		.done = BYTES("\x00\xff"), .torn = BYTES("\x00\xff\xee") });
}

static void move(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(mremap(mem, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, aside) == aside);
}

static void move_back(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(mremap(aside, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, mem) == mem);
}

/* The pages move with what is written to them; where they were is nothing. */
TEST_F_TIMEOUT(remap, mremap_of_the_output, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = move, .undo = move_back, .around = BEFORE,
		.done = BYTES(""), .torn = BYTES("\xee") });
}

TEST_F_TIMEOUT(remap, mremap_of_the_input, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = move, .undo = move_back, .input = true, .around = BEFORE,
		.done = BYTES(""), .torn = BYTES("\xee") });
}

static void read_only(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(!mprotect(mem, len, PROT_READ));
}

static void no_access(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(!mprotect(mem, len, PROT_NONE));
}

static void writable(uint8_t *mem, size_t len, uint8_t *aside)
{
	must(!mprotect(mem, len, PROT_READ | PROT_WRITE));
}

TEST_F_TIMEOUT(remap, mprotect_of_the_output, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = read_only, .undo = writable, .around = BEFORE,
		.done = BYTES(""), .torn = BYTES("\xee") });
}

TEST_F_TIMEOUT(remap, mprotect_of_the_input, 600)
{
	run_rounds(_metadata, self, &(struct change){
		.change = no_access, .undo = writable, .input = true, .around = BEFORE,
		.done = BYTES(""), .torn = BYTES("\xee") });
}

/* In a child of fork: its pages are its own, what it writes stays its. */
static int child_writes(uint8_t *out, int wait)
{
	char c;

	memset(out, 0x77, OUT_BYTES);
	if (read(wait, &c, 1))
		return 1;
	return dt_is_all(out, 0x77, OUT_BYTES) ? 0 : 2;
}

/*
 * fork shares the pages for copy-on-write, then the parent writes to them,
 * next to the outputs: parent and session must mean the same page, and the
 * child must have its own.
 */
TEST_F_TIMEOUT(remap, fork_with_work_in_flight, 600)
{
	const struct change none = { .around = AFTER, .done = BYTES("") };

	memcpy(self->in, self->want, IN_BYTES);
	while (fl_more(&self->flight)) {
		int fd = dt_open("copy", 0), go[2];
		struct dmio_usrresp resp[FL_NR];
		pid_t pid;

		memset(self->out, BEFORE, OUT_BYTES);
		ASSERT_EQ(0, pipe(go));
		ASSERT_EQ(0, fl_submit(&self->flight, fd, fl_naps(&self->flight)));
		fl_count(&self->flight, dt_nr(fd, "running"));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			close(go[1]);
			_exit(child_writes(self->out, go[0]));
		}
		close(go[0]);
		for (unsigned int k = 0; k < FL_NR; k++) {
			size_t len = fl_is_small(k) ? FL_SMALL : FL_LARGE;

			memset(self->out + k * SLOT, AFTER, AT);
			memset(self->out + k * SLOT + AT + len, AFTER, SLOT - AT - len);
		}
		ASSERT_EQ(0, dt_collect(fd, resp, FL_NR));
		ASSERT_TRUE(dt_ids_once(resp, FL_NR, 0));
		for (unsigned int k = 0; k < FL_NR; k++) {
			check_slot(_metadata, self, &none, &resp[k]);
		}
		close(go[1]);
		ASSERT_EQ(0, dt_reap(pid, DT_PATIENCE_MS));
		close(fd);
		ASSERT_EQ(self->pins, dt_pins_settle(self->pins));
	}
	EXPECT_RUNNING(&self->flight);
}

TEST_HARNESS_MAIN
