// SPDX-License-Identifier: GPL-2.0
/*
 * The object under test, as an object of this module: no device is registered, nobody
 * waits long, and warnings are counted
 */
#include <linux/device.h>
#include <linux/platform_device.h>

#include "../../module/sched.h"
#include "fake.h"

static unsigned int nr_warnings;

#undef dev_warn
#define dev_warn(dev, text)		((void)(dev), (void)nr_warnings++)
#define dmio_sched_drain(timeout)	dmio_sched_drain((timeout) ? 2 : 0)

#include "../../module/platform.c"

/**
 * fake_suspend() - the machine is about to sleep
 *
 * Return: 0 or a negative errno.
 */
int fake_suspend(void)
{
	return dmio_suspend(NULL);
}

/**
 * fake_resume() - it is awake again
 *
 * Return: 0.
 */
int fake_resume(void)
{
	return dmio_resume(NULL);
}

/**
 * fake_shutdown() - it goes down
 *
 * Return: how many warnings there were.
 */
unsigned int fake_shutdown(void)
{
	struct platform_device pdev = { };

	nr_warnings = 0;
	dmio_shutdown(&pdev);
	return nr_warnings;
}
