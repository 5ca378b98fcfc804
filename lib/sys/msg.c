/* SPDX-License-Identifier: BSD-2-Clause */
/* msg.c - see msg.h. */
#include "sys/msg.h"
#include "sys/ret.h"

#include <string.h>
#include <sys/uio.h>

enum { WAKE_BLOCK = 4096, WAKE_BLOCKS = 16, MSG_PROBE_FLAG = 0x10 };

int
sky_msg_errors(int fd, struct mmsghdr *h, unsigned n)
{
	return sky_msg_take(fd, h, n, MSG_ERRQUEUE);
}

/* MSG_CONFIRM with MSG_PROBE and no data ends in udp_sendmsg after the route
 * was found, before sk_err is looked at and before anything is built. */
int
sky_msg_probe(int fd, const struct msghdr *h)
{
	struct msghdr p = *h;
	int saved = errno;

	p.msg_iov = NULL;
	p.msg_iovlen = 0;
	return sky_ret(sendmsg(fd, &p, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | MSG_PROBE_FLAG),
	    saved);
}

void
sky_msg_wake(int fd, const struct msghdr *h)
{
	static const uint8_t block[WAKE_BLOCK];
	struct iovec iov[WAKE_BLOCKS];
	struct msghdr p = *h;
	int saved = errno;

	for (int i = 0; i < WAKE_BLOCKS; i++) {
		memcpy(&iov[i].iov_base, &(const void *){ block }, sizeof(void *));
		iov[i].iov_len = WAKE_BLOCK;
	}
	iov[0].iov_len--;	/* 65535: one more is refused without a record */
	p.msg_iov = iov;
	p.msg_iovlen = WAKE_BLOCKS;
	p.msg_control = NULL;
	p.msg_controllen = 0;
	(void)sky_ret(sendmsg(fd, &p, MSG_DONTWAIT | MSG_NOSIGNAL), saved);
}
