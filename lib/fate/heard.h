/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heard.h - an ICMP error that a raw socket heard becomes a fate: which datagram
 * it quotes, what became of it, who said so.
 *
 * The ends of the quoted datagram are src (its local end) and dst, with ports;
 * whose socket that was is not known here. Quote and extension are pointed at
 * where they lie. Bytes from strangers: nothing is believed but what adds up.
 */
#ifndef SKY_FATE_HEARD_H
#define SKY_FATE_HEARD_H

#include <sockeye/fate.h>

struct sky_heard {
	int family;			/* AF_INET: data begins with the IP header;
					 * AF_INET6: with the ICMPv6 header */
	const uint8_t *data;
	size_t len;
	bool cut;			/* there was more than len */
	uint8_t hop;			/* AF_INET6: hop limit, if have_hop */
	bool have_hop;
	struct sky_addr by;		/* AF_INET6: who sent it */
	struct sky_addr local;		/* the address it came to, or AF_UNSPEC */
	uint32_t ifindex;		/* it came in here, 0: not known */
	uint64_t time_ns;
};

/* Returns 0; -EBADMSG if it is not an ICMP error that can be read, its checksum
 * included; -EPROTONOSUPPORT if what it quotes is not UDP, UDP-Lite or TCP, is no
 * first fragment or does not have its ports. Then f is not to be used. Of TCP,
 * seq is the quoted sequence number. The kernel has checked the checksum of
 * ICMPv6; its errno is set as the error queue would have it, 0 if that has none. */
int sky_fate_hear(struct sky_fate *f, const struct sky_heard *h);

#endif
