// SPDX-License-Identifier: GPL-2.0
/*
 * iscsi-crc32c, which needs the later layout of the records: inputs and an
 * immediate, no output, a result.
 */
#define DMIO_ABI 2
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "region.h"

#define BIG	(5UL << 20)	/* several windows */

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The device's CRC of a region: the error, and *@crc */
static int device_crc(int fd, const dmio_buffer *in, uint32_t seed, uint32_t *crc)
{
	struct dmio_usrreq req = { .req_inbuf = (dmio_buffer *)in, .req_id = 7 };
	static const uint8_t zero[4];
	struct dmio_usrresp resp;

	for (int i = 0; i < 4; i++)
		req.req_immediate[i] = seed >> 8 * i;
	/* What is beyond the seed means nothing */
	memset(req.req_immediate + 4, 0xa5, 4);
	memset(&resp, 0xee, sizeof(resp));
	if (write(fd, &req, sizeof(req)) != sizeof(req))
		return -errno;
	if (read(fd, &resp, sizeof(resp)) != sizeof(resp))
		return -EIO;
	if (resp.resp_id != 7 || memcmp(resp.resp_immediate + 4, zero, sizeof(zero)))
		return -EBADMSG;
	*crc = get_le32(resp.resp_immediate);
	return resp.resp_error;
}

static int flat_crc(int fd, const void *p, size_t len, uint32_t seed, uint32_t *crc)
{
	struct iovec iov = { (void *)p, len };
	dmio_buffer in = { &iov, 1 };

	return device_crc(fd, &in, seed, crc);
}

FIXTURE(crc) {
	struct dt_rng rng;
	long long pins;
	int fd;
	uint8_t *data;
};

FIXTURE_SETUP(crc)
{
	struct dmio_setfunc setfunc = { "iscsi-crc32c" };

	dt_rng_init(&self->rng);
	self->pins = dt_pins();
	self->fd = open(DMOVERIO_DEVICE, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ioctl(self->fd, DMIO_SETFUNC, &setfunc));
	self->data = dt_mmap(BIG + 4096);
	dt_fill(&self->rng, self->data, BIG);
}

FIXTURE_TEARDOWN(crc)
{
	close(self->fd);
	EXPECT_EQ(self->pins, dt_pins_settle(self->pins));
}

/* RFC 3720, B.4, and the check value every catalogue of CRCs has */
TEST_F(crc, known_values)
{
	uint8_t zeros[32] = { 0 }, ones[32], up[32];
	uint32_t crc;

	memset(ones, 0xff, sizeof(ones));
	for (int i = 0; i < 32; i++)
		up[i] = i;
	EXPECT_EQ(0, flat_crc(self->fd, "123456789", 9, 0, &crc));
	EXPECT_EQ(0xe3069283, crc);
	EXPECT_EQ(0, flat_crc(self->fd, zeros, 32, 0, &crc));
	EXPECT_EQ(0x8a9136aa, crc);
	EXPECT_EQ(0, flat_crc(self->fd, ones, 32, 0, &crc));
	EXPECT_EQ(0x62a8ab43, crc);
	EXPECT_EQ(0, flat_crc(self->fd, up, 32, 0, &crc));
	EXPECT_EQ(0x46dd794e, crc);
}

TEST_F(crc, a_result_continues_as_seed)
{
	for (unsigned int i = 0; i < dt_scale(100, 1000); i++) {
		size_t len = dt_between(&self->rng, 2, 40000);
		size_t cut = dt_between(&self->rng, 1, len - 1);
		uint32_t head, both;

		ASSERT_EQ(0, flat_crc(self->fd, self->data, cut, 0, &head));
		ASSERT_EQ(0, flat_crc(self->fd, self->data + cut, len - cut, head, &both));
		ASSERT_EQ(dt_crc32c(0, self->data, len), both);
	}
}

TEST_F_TIMEOUT(crc, any_cut, 60)
{
	uint8_t *flat = dt_mmap(200000);

	for (unsigned int i = 0; i < dt_scale(60, 600); i++) {
		size_t len = dt_between(&self->rng, 1, 200000);
		uint32_t seed = dt_rand(&self->rng), crc;
		struct dt_region r;
		dmio_buffer in;

		dt_cut(&self->rng, &r, self->data + dt_below(&self->rng, 4096), len,
		       dt_between(&self->rng, 1, 64));
		in = (dmio_buffer){ r.iov, r.nr };
		ASSERT_EQ(0, device_crc(self->fd, &in, seed, &crc));
		dt_gather(&in, flat);
		ASSERT_EQ(dt_crc32c(seed, flat, len), crc);
		dt_region_free(&r);
	}
}

/* Windows depend on each other here: one out of order, and the sum is wrong */
TEST_F_TIMEOUT(crc, several_windows, 60)
{
	uint32_t crc;

	ASSERT_EQ(0, flat_crc(self->fd, self->data + 1, BIG - 1, 0x12345678, &crc));
	EXPECT_EQ(dt_crc32c(0x12345678, self->data + 1, BIG - 1), crc);
}

TEST_F(crc, faults)
{
	uint32_t crc = 0;

	ASSERT_EQ(0, munmap(self->data + (3UL << 20), 4096));
	EXPECT_EQ(EFAULT, flat_crc(self->fd, self->data, BIG, 0, &crc));
	EXPECT_EQ(0, crc);		/* no result that could be taken for one */
	EXPECT_EQ(0, flat_crc(self->fd, self->data, 3UL << 20, 0, &crc));
	EXPECT_EQ(dt_crc32c(0, self->data, 3UL << 20), crc);
}

TEST_F(crc, no_output)
{
	struct iovec iov = { self->data, 16 };
	dmio_buffer in = { &iov, 1 };
	struct dmio_usrreq req = { .req_outbuf = { &iov, 1 }, .req_inbuf = &in };

	EXPECT_EQ(-1, write(self->fd, &req, sizeof(req)));
	EXPECT_EQ(EINVAL, errno);
	iov.iov_len = 0;
	req.req_outbuf.dmbuf_iovcnt = 0;
	EXPECT_EQ(-1, write(self->fd, &req, sizeof(req)));
	EXPECT_EQ(EINVAL, errno);
}

/* Those before it are done. */
TEST_F(crc, bad_one_behind_good_ones)
{
	struct iovec iov = { self->data, BIG }, out = { self->data, BIG };
	dmio_buffer in = { &iov, 1 };
	struct dmio_usrreq req[3] = {
		{ .req_inbuf = &in, .req_id = 0 },
		{ .req_inbuf = &in, .req_id = 1 },
		{ .req_inbuf = &in, .req_id = 2, .req_outbuf = { &out, 1 } },
	};
	struct dmio_usrresp resp[2];

	ASSERT_EQ((ssize_t)(2 * sizeof(req[0])), write(self->fd, req, sizeof(req)));
	ASSERT_EQ((ssize_t)sizeof(resp), read(self->fd, resp, sizeof(resp)));
	for (unsigned int i = 0; i < 2; i++) {
		EXPECT_EQ(0, resp[i].resp_error);
		EXPECT_EQ(dt_crc32c(0, self->data, BIG), get_le32(resp[i].resp_immediate));
	}
	EXPECT_EQ(1, resp[0].resp_id ^ resp[1].resp_id);
	EXPECT_EQ(-1, write(self->fd, &req[2], sizeof(req[2])));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(dt_quiet(self->fd));
}

TEST(manual_page_layout_cannot)
{
	struct dmio_setfunc setfunc = { "iscsi-crc32c" };
	int fd = open(DMOVERIO_DEVICE, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, ioctl(fd, DMIO_SETFUNC_ABI1, &setfunc));
	EXPECT_EQ(ESRCH, errno);
	/* Another name, and the other layout, may be tried */
	EXPECT_EQ(0, ioctl(fd, DMIO_SETFUNC_ABI2, &setfunc));
	close(fd);
}

TEST_HARNESS_MAIN
