/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpinfo.h - what the kernel knows of one TCP socket, and of all listeners.
 */
#ifndef SKY_SYS_TCPINFO_H
#define SKY_SYS_TCPINFO_H

#include <stdint.h>

/* The kernel's numbers (those of <netinet/tcp.h>, which cannot be included
 * beside <linux/tcp.h>). */
enum {
	SKY_TCPINFO_ESTABLISHED = 1, SKY_TCPINFO_SYN_SENT, SKY_TCPINFO_SYN_RECV,
	SKY_TCPINFO_FIN_WAIT1, SKY_TCPINFO_FIN_WAIT2, SKY_TCPINFO_TIME_WAIT,
	SKY_TCPINFO_CLOSE, SKY_TCPINFO_CLOSE_WAIT, SKY_TCPINFO_LAST_ACK,
	SKY_TCPINFO_LISTEN, SKY_TCPINFO_CLOSING,
};

/* Members that an older kernel does not fill are 0. */
struct sky_tcpinfo {
	uint8_t state;			/* SKY_TCPINFO_ESTABLISHED, ... */
	uint32_t unacked, sacked;	/* of a listener: waiting, backlog */
	uint32_t retransmits;		/* of what waits now */
	uint32_t total_retrans;
	uint32_t mss;
	uint32_t rtt_us, rto_us;
	uint32_t notsent;		/* bytes */
	uint64_t bytes_acked, bytes_received;
};

/* Returns 0 or a negative errno. */
int sky_tcpinfo_read(int fd, struct sky_tcpinfo *out);

/* Bytes in the send queue that were not acknowledged (SIOCOUTQ), or a negative
 * errno. */
int sky_tcpinfo_outq(int fd);

/* ListenOverflows and ListenDrops of the calling thread's namespace. Returns 0
 * or a negative errno. */
int sky_tcpinfo_listen_counters(uint64_t *overflows, uint64_t *drops);

#endif
