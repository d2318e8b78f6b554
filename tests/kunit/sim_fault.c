// SPDX-License-Identifier: GPL-2.0
/* The file by which faults of a simulated channel are armed, as a user has it */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kstrtox.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "sim_fault.h"

/**
 * fault_file() - where the file is
 * @client: has the channel
 * @chan: number of the channel
 *
 * Return: good for as long as the device is bound.
 */
struct fault_file fault_file(struct client *client, unsigned int chan)
{
	struct fault_file file;

	snprintf(file.path, sizeof(file.path), "/sys/class/dma/%s/fault",
		 dma_chan_name(client->chan[chan]));
	return file;
}

/**
 * fault_write() - give a command
 * @fault: the file
 * @line: the command
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int fault_write(const struct fault_file *fault, const char *line)
{
	struct file *file = filp_open(fault->path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_write(file, line, strlen(line), &pos);
	filp_close(file, NULL);
	return ret < 0 ? ret : ret == strlen(line) ? 0 : -EIO;
}

/* The value in one of the fields behind the first, which is @what */
static int find_field(char *text, const char *what, unsigned int field)
{
	char *line, *word = NULL;
	int value;

	while ((line = strsep(&text, "\n"))) {
		word = strsep(&line, " ");
		if (!strcmp(word, what))
			break;
	}
	while (line && field--)
		word = strsep(&line, " ");
	return word && !kstrtoint(word, 10, &value) ? value : -ENOENT;
}

/**
 * fault_read() - what the file says
 * @fault: the file
 * @what: first word of a line
 * @field: number behind that word, from 1
 *
 * Context: may sleep.
 * Return: the number; or a negative errno, but -1 is a number, too.
 */
int fault_read(const struct fault_file *fault, const char *what, unsigned int field)
{
	struct file *file = filp_open(fault->path, O_RDONLY, 0);
	char text[1024];
	loff_t pos = 0;
	ssize_t ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = kernel_read(file, text, sizeof(text) - 1, &pos);
	filp_close(file, NULL);
	if (ret < 0)
		return ret;
	text[ret] = 0;
	return find_field(text, what, field);
}

/**
 * fault_wait() - wait until the file says something
 * @test: fails if it never does
 * @fault: the file
 * @what: first word of a line
 * @field: number behind that word, from 1
 * @value: what it shall be
 *
 * Context: may sleep.
 */
void fault_wait(struct kunit *test, const struct fault_file *fault, const char *what,
		unsigned int field, int value)
{
	unsigned long end = jiffies + PATIENCE;

	while (fault_read(fault, what, field) != value && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_ASSERT_EQ(test, fault_read(fault, what, field), value);
}

/**
 * fault_end() - give up what the first channel has, and disarm all of its faults
 * @test: the case, whose client has the channel
 *
 * Context: may sleep.
 */
void fault_end(struct kunit *test)
{
	struct client *client = test->priv;
	struct fault_file file = fault_file(client, 0);

	dmaengine_terminate_async(client->chan[0]);
	fault_write(&file, "off");
	fault_wait(test, &file, "loose", 1, 0);
}
