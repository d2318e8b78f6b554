/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness, with more time for each test.
 *
 * A test waits up to DT_PATIENCE_MS for what must happen, some for one thing after
 * the other, and on a machine that is slow at the moment all of it takes long. The
 * harness's time is there to end what hangs, and says nothing about speed.
 */
#include_next <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	300

/* For tests that take even longer */
#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture, name, seconds)					\
	__TEST_F_IMPL(fixture, name, -1, (seconds) > TEST_TIMEOUT_DEFAULT ?	\
		      (seconds) : TEST_TIMEOUT_DEFAULT)
