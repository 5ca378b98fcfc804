/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rawicmp.h - raw sockets that hear the ICMP errors that come to this host.
 *
 * The kernel lets through only errors about a datagram (a filter of types), and
 * of these only such as quote UDP, UDP-Lite or TCP, as far as that can be seen
 * (classic BPF). Opening needs CAP_NET_RAW, reading nothing. All return 0 or
 * more, or a negative errno.
 */
#ifndef SKY_SYS_RAWICMP_H
#define SKY_SYS_RAWICMP_H

#include <sockeye/addr.h>

/* Messages read with one call, and bytes kept of each: RFC 1812 and 4443 limit an
 * error to 576 and 1280. */
#define SKY_RAWICMP_BATCH 64
#define SKY_RAWICMP_DATA 1536

struct sky_rawicmp {
	uint32_t len;			/* bytes of data */
	uint32_t ifindex;		/* it came in here; 0: not told */
	struct sky_addr by, local;	/* from, to; AF_UNSPEC: not told */
	uint64_t time_ns;		/* CLOCK_REALTIME, the kernel's; 0: not told */
	uint8_t hop;			/* if have_hop (IPv6) */
	bool have_hop, cut;
};

/* The descriptor; rcvbuf bytes of buffer, more than rmem_max where allowed. */
int sky_rawicmp_open(int family, int rcvbuf);
/* Reads up to SKY_RAWICMP_BATCH: how many; 0 when there are none. */
int sky_rawicmp_read(int fd, struct sky_rawicmp *h, uint8_t (*data)[SKY_RAWICMP_DATA],
    unsigned n);

#endif
