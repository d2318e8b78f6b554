// SPDX-License-Identifier: GPL-2.0
/*
 * The completion queue's two crowds: who is woken by what, for which poll
 * events, and who goes on sleeping.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "../../module/cq.h"

#define DEPTH		2

/* One in a crowd that notes what it hears */
struct listener {
	wait_queue_entry_t entry;
	struct wait_queue_head *crowd;
	__poll_t wants;
	unsigned int nr_woken;
	__poll_t events;
};

static int listener_wake(wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	struct listener *listener = container_of(entry, struct listener, entry);

	/* As all who poll do */
	if (key && !(key_to_poll(key) & listener->wants))
		return 0;
	listener->nr_woken++;
	listener->events = key_to_poll(key);
	return 0;
}

static void listener_join(struct listener *listener, struct wait_queue_head *crowd,
			  __poll_t wants)
{
	init_waitqueue_func_entry(&listener->entry, listener_wake);
	listener->crowd = crowd;
	listener->wants = wants;
	listener->nr_woken = 0;
	add_wait_queue(crowd, &listener->entry);
}

static void listener_leave(struct listener *listener)
{
	remove_wait_queue(listener->crowd, &listener->entry);
}

/* Woken once or not; no events means any */
static void expect_woken(struct kunit *test, struct listener *listener, bool woken,
			 __poll_t events)
{
	KUNIT_EXPECT_EQ(test, listener->nr_woken, (unsigned int)woken);
	if (woken && listener->events)
		KUNIT_EXPECT_EQ(test, (__force u32)listener->events, (__force u32)events);
	listener->nr_woken = 0;
}

static int cq_wait_init(struct kunit *test)
{
	struct dmio_cq *cq = kunit_kzalloc(test, sizeof(*cq), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cq);
	dmio_cq_init(cq);
	test->priv = cq;
	return dmio_cq_setup(cq, DEPTH);
}

static void cq_wait_exit(struct kunit *test)
{
	dmio_cq_fini(test->priv);
}

static void reserve(struct kunit *test, struct dmio_cq *cq)
{
	bool idle;

	KUNIT_EXPECT_TRUE(test, dmio_cq_reserve(cq, &idle));
}

static void post(struct dmio_cq *cq)
{
	dmio_cq_post(cq, &(struct dmio_response){ .user_data = 1 });
}

static void consume(struct kunit *test, struct dmio_cq *cq)
{
	struct dmio_response resp;

	KUNIT_ASSERT_EQ(test, dmio_cq_read_begin(cq, true), 0);
	if (dmio_cq_peek(cq, &resp))
		dmio_cq_consume(cq);
	dmio_cq_read_end(cq);
}

static void cq_wake_test(struct kunit *test)
{
	const __poll_t in = EPOLLIN | EPOLLRDNORM, out = EPOLLOUT | EPOLLWRNORM;
	struct dmio_cq *cq = test->priv;
	struct listener reader, writer;

	listener_join(&reader, &cq->waiters, in);
	listener_join(&writer, &cq->waiters, out);

	reserve(test, cq);
	expect_woken(test, &reader, false, 0);
	expect_woken(test, &writer, false, 0);

	/* The slot is used up until the answer was read */
	post(cq);
	expect_woken(test, &reader, true, in);
	expect_woken(test, &writer, false, 0);

	consume(test, cq);
	expect_woken(test, &reader, false, 0);
	expect_woken(test, &writer, true, out);

	/* A reader that leaves an answer behind tells the others */
	reserve(test, cq);
	reserve(test, cq);
	post(cq);
	post(cq);
	reader.nr_woken = 0;
	consume(test, cq);
	expect_woken(test, &reader, true, in);
	expect_woken(test, &writer, true, out);
	consume(test, cq);
	expect_woken(test, &reader, false, 0);
	expect_woken(test, &writer, true, out);

	/* One that leaves no room need not tell the writers */
	reserve(test, cq);
	reserve(test, cq);
	post(cq);
	reader.nr_woken = 0;
	KUNIT_ASSERT_EQ(test, dmio_cq_read_begin(cq, false), 0);
	dmio_cq_read_end(cq);
	expect_woken(test, &reader, true, in);
	expect_woken(test, &writer, false, 0);
	post(cq);
	consume(test, cq);
	consume(test, cq);
	reader.nr_woken = 0;
	writer.nr_woken = 0;

	/* A slot given back is for writers; who reads as well polls for nothing in it */
	reserve(test, cq);
	dmio_cq_unreserve(cq);
	expect_woken(test, &reader, false, 0);
	expect_woken(test, &writer, true, out);

	listener_leave(&reader);
	listener_leave(&writer);
}

/* What must happen has happened by then, however slow the machine */
#define PATIENCE	(60 * HZ)

enum wait_for { WAIT_ROOM, WAIT_READY, WAIT_READY_OR_IDLE, BE_READER };

/* A thread that waits, once */
struct sleeper {
	struct dmio_cq *cq;
	enum wait_for what;
	struct task_struct *task;
	struct completion over;
	int ret;
};

static int wait_for(struct dmio_cq *cq, enum wait_for what)
{
	if (what == BE_READER) {
		int ret = dmio_cq_read_begin(cq, false);

		if (!ret)
			dmio_cq_read_end(cq);
		return ret;
	}
	if (what == WAIT_ROOM)
		return dmio_cq_wait_room(cq);
	return dmio_cq_wait_ready(cq, what == WAIT_READY_OR_IDLE);
}

static int sleeper_thread(void *data)
{
	struct sleeper *sleeper = data;

	allow_signal(SIGTERM);
	sleeper->ret = wait_for(sleeper->cq, sleeper->what);
	complete_all(&sleeper->over);
	return 0;
}

static bool sleeper_sleeps(struct sleeper *sleeper)
{
	return wq_has_sleeper(&sleeper->cq->waiters);
}

static void sleeper_spawn(struct kunit *test, struct sleeper *sleeper, struct dmio_cq *cq,
			  enum wait_for what)
{
	*sleeper = (struct sleeper){ .cq = cq, .what = what, .ret = 1 };
	init_completion(&sleeper->over);
	sleeper->task = kthread_create(sleeper_thread, sleeper, "dmoverio-kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sleeper->task);
	get_task_struct(sleeper->task);
	wake_up_process(sleeper->task);
}

/* Returns when the thread sleeps */
static void sleeper_start(struct kunit *test, struct sleeper *sleeper, struct dmio_cq *cq,
			  enum wait_for what)
{
	unsigned int i;

	sleeper_spawn(test, sleeper, cq, what);
	for (i = 0; i < PATIENCE && !sleeper_sleeps(sleeper); i++)
		schedule_timeout_idle(1);
	KUNIT_EXPECT_TRUE(test, sleeper_sleeps(sleeper));
}

static void expect_asleep(struct kunit *test, struct sleeper *sleeper)
{
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&sleeper->over, 2));
}

/* The thread ends with @ret by itself; a signal is the last resort */
static void sleeper_end(struct kunit *test, struct sleeper *sleeper, int ret)
{
	bool over = wait_for_completion_timeout(&sleeper->over, PATIENCE);

	KUNIT_EXPECT_TRUE(test, over);
	if (!over) {
		send_sig(SIGTERM, sleeper->task, 1);
		wait_for_completion(&sleeper->over);
	}
	KUNIT_EXPECT_EQ(test, sleeper->ret, ret);
	kthread_stop(sleeper->task);
	put_task_struct(sleeper->task);
}

static void expect_no_wait(struct kunit *test, struct dmio_cq *cq, enum wait_for what)
{
	struct sleeper sleeper;

	sleeper_spawn(test, &sleeper, cq, what);
	sleeper_end(test, &sleeper, 0);
}

/* What is there already is not waited for */
static void cq_no_wait_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;

	expect_no_wait(test, cq, WAIT_ROOM);
	expect_no_wait(test, cq, WAIT_READY_OR_IDLE);
	reserve(test, cq);
	expect_no_wait(test, cq, WAIT_ROOM);
	reserve(test, cq);
	post(cq);
	expect_no_wait(test, cq, WAIT_READY);
	expect_no_wait(test, cq, WAIT_READY_OR_IDLE);
	post(cq);
}

/* A writer sleeps while all slots are taken, whether in flight or ready */
static void cq_wait_room_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;
	struct sleeper sleeper;

	reserve(test, cq);
	reserve(test, cq);
	sleeper_start(test, &sleeper, cq, WAIT_ROOM);
	post(cq);
	expect_asleep(test, &sleeper);
	consume(test, cq);
	sleeper_end(test, &sleeper, 0);

	reserve(test, cq);
	sleeper_start(test, &sleeper, cq, WAIT_ROOM);
	dmio_cq_unreserve(cq);
	sleeper_end(test, &sleeper, 0);

	post(cq);
}

/* A reader sleeps until an answer comes, even if nothing is in flight */
static void cq_wait_ready_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;
	struct sleeper sleeper;

	reserve(test, cq);
	sleeper_start(test, &sleeper, cq, WAIT_READY);
	dmio_cq_unreserve(cq);
	expect_asleep(test, &sleeper);
	reserve(test, cq);
	expect_asleep(test, &sleeper);
	post(cq);
	sleeper_end(test, &sleeper, 0);
}

/* Or, if it asked for that, until nothing is in flight */
static void cq_wait_idle_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;
	struct sleeper sleeper;

	reserve(test, cq);
	reserve(test, cq);
	sleeper_start(test, &sleeper, cq, WAIT_READY_OR_IDLE);
	dmio_cq_unreserve(cq);
	expect_asleep(test, &sleeper);
	dmio_cq_unreserve(cq);
	sleeper_end(test, &sleeper, 0);

	reserve(test, cq);
	reserve(test, cq);
	sleeper_start(test, &sleeper, cq, WAIT_READY_OR_IDLE);
	post(cq);
	sleeper_end(test, &sleeper, 0);

	post(cq);
}

static void cq_signal_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;
	struct sleeper sleeper;
	int what;

	reserve(test, cq);
	reserve(test, cq);
	for (what = WAIT_ROOM; what <= WAIT_READY_OR_IDLE; what++) {
		sleeper_start(test, &sleeper, cq, what);
		send_sig(SIGTERM, sleeper.task, 1);
		sleeper_end(test, &sleeper, -ERESTARTSYS);
	}
	post(cq);
	post(cq);
}

/* There is one reader at a time; others wait, or do not if they said so */
static void cq_reader_test(struct kunit *test)
{
	struct dmio_cq *cq = test->priv;
	struct sleeper sleeper;

	KUNIT_ASSERT_EQ(test, dmio_cq_read_begin(cq, false), 0);
	KUNIT_EXPECT_EQ(test, dmio_cq_read_begin(cq, true), -EAGAIN);
	sleeper_spawn(test, &sleeper, cq, BE_READER);
	expect_asleep(test, &sleeper);
	send_sig(SIGTERM, sleeper.task, 1);
	sleeper_end(test, &sleeper, -ERESTARTSYS);

	sleeper_spawn(test, &sleeper, cq, BE_READER);
	expect_asleep(test, &sleeper);
	dmio_cq_read_end(cq);
	sleeper_end(test, &sleeper, 0);

	expect_no_wait(test, cq, BE_READER);
	KUNIT_EXPECT_EQ(test, dmio_cq_read_begin(cq, true), 0);
	dmio_cq_read_end(cq);
}

static struct kunit_case cq_wait_cases[] = {
	KUNIT_CASE(cq_wake_test),
	KUNIT_CASE(cq_no_wait_test),
	KUNIT_CASE(cq_wait_room_test),
	KUNIT_CASE(cq_wait_ready_test),
	KUNIT_CASE(cq_wait_idle_test),
	KUNIT_CASE(cq_signal_test),
	KUNIT_CASE(cq_reader_test),
	{}
};

static struct kunit_suite cq_wait_suite = {
	.name = "dmoverio-cq-wait",
	.init = cq_wait_init,
	.exit = cq_wait_exit,
	.test_cases = cq_wait_cases,
};

kunit_test_suite(cq_wait_suite);
