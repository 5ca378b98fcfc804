/* SPDX-License-Identifier: BSD-2-Clause */
/* device.c - see device.h. */
#include "sys/device.h"
#include "sys/ret.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static int
ask(uint32_t ifindex, unsigned long what, struct ifreq *q)
{
	int saved = errno;
	int fd, r;

	memset(q, 0, sizeof(*q));
	if (!if_indextoname(ifindex, q->ifr_name)) {
		errno = saved;
		return -ENODEV;
	}
	fd = sky_ret(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), saved);
	if (fd < 0)
		return fd;
	r = sky_ret(ioctl(fd, what, q), saved);
	close(fd);
	return r;
}

int
sky_device_mtu(uint32_t ifindex)
{
	struct ifreq q;
	int r = ask(ifindex, SIOCGIFMTU, &q);

	return r < 0 ? r : q.ifr_mtu;
}

int
sky_device_up(uint32_t ifindex)
{
	struct ifreq q;
	int r = ask(ifindex, SIOCGIFFLAGS, &q);

	return r < 0 ? r : !!(q.ifr_flags & IFF_UP);
}

uint32_t
sky_device_find(const char *name)
{
	int saved = errno;
	uint32_t n = if_nametoindex(name);

	errno = saved;
	return n;
}

int
sky_device_random(void *out, unsigned n)
{
	int saved = errno;
	int r = sky_ret(getrandom(out, n, 0), saved);

	return r < 0 ? r : (unsigned)r == n ? 0 : -EIO;
}
