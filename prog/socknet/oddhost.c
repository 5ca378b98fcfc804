/* SPDX-License-Identifier: BSD-2-Clause */
/* oddhost.c - the lower half of an odd host at work: see oddhost.h. */
#include "oddhost.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFERS 4096

static int
ask_mac(int s, const char *ifname, uint8_t mac[6])
{
	struct ifreq r = { .ifr_flags = 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	if (ioctl(s, SIOCGIFHWADDR, &r))
		return -errno;
	memcpy(mac, r.ifr_hwaddr.sa_data, 6);
	return 0;
}

/* What comes for the host is for this interface too, or captures would take it
 * for somebody else's. */
static int
set_mac(int s, const char *ifname, const uint8_t mac[6])
{
	struct ifreq r = { .ifr_flags = 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r.ifr_hwaddr.sa_data, mac, 6);
	return ioctl(s, SIOCSIFHWADDR, &r) ? -errno : 0;
}

int
oddhost_prepare(const struct lab *lab, struct net *n, unsigned i)
{
	struct lab_router *r = &lab->router[i];
	int s, error;

	if (!r->odd)
		return 0;
	error = net_enter(n, lab->host[r->host].half_of - 1);
	if (error)
		return error;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	/* an interface of the host has the same name as the wire's */
	for (unsigned w = 0; w < r->odd->wires && !error; w++)
		error = ask_mac(s, r->conf->iface[2 * w + 1].name, r->odd->wire[w].mac);
	close(s);
	if (error || (error = net_enter(n, r->host)))
		return error;
	s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	for (unsigned w = 0; w < r->odd->wires && !error; w++)
		error = set_mac(s, r->conf->iface[2 * w + 1].name, r->odd->wire[w].mac);
	close(s);
	return error;
}

static void
input(void *self, unsigned iface, void *frame, size_t len, uint64_t now)
{
	odd_input(self, iface, frame, len, now);
}

static bool
output(void *self, uint64_t now, struct rt_frame *out)
{
	return odd_output(self, now, out);
}

static void
recycle(void *self)
{
	odd_recycle(self);
}

static uint64_t
deadline(const void *self)
{
	return odd_deadline(self);
}

void
oddhost_run(struct rt_io *io, const struct lab_router *r, struct rt_ledger *ledger, uint32_t slots)
{
	static const struct rt_io_engine engine = { input, output, recycle, deadline };
	void *mem = malloc(odd_room(r->odd, BUFFERS));
	const char *why;
	struct odd *o = mem ? odd_init(mem, r->odd, BUFFERS, ledger, slots, &why) : NULL;

	if (o)
		rt_io_serve(io, &engine, o, ledger, -1);
	free(mem);
}
