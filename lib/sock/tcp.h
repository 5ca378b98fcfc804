/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp.h - what is inside struct sky_tcp; for tcp_*.c alone. */
#ifndef SKY_SOCK_TCP_H
#define SKY_SOCK_TCP_H

#include <sockeye/tcp.h>

#define SKY_TCP_MAGIC 0x736f636b65797431u

struct tcp {
	uint64_t magic;
	int fd;
	int family;			/* of the socket */
	unsigned carries;
	int state;			/* enum sky_tcp_state */
	int err;			/* positive: what ended it */
	uint32_t flags, syns, probes, softs;
	struct sky_addr dst, local;
	uint64_t began_ns, ended_ns;	/* CLOCK_MONOTONIC */
	uint64_t deadline_ns;
	bool have_queue;		/* an ICMP error is in fate */
	struct sky_fate fate, soft;
} __attribute__((may_alias));

static inline struct tcp *
tcp_of(struct sky_tcp *t)
{
	return (struct tcp *)(void *)t;
}

static inline const struct tcp *
tcp_of_const(const struct sky_tcp *t)
{
	return (const struct tcp *)(const void *)t;
}

/* A record about this connection, without a verdict. */
void tcp_fate_begin(const struct tcp *t, struct sky_fate *f, enum sky_evidence by);
/* Takes all that is in the error queue: the last ICMP error goes to f. Returns
 * how many errors there were. */
unsigned tcp_fate_drain(struct tcp *t, struct sky_fate *f);
/* The verdict on an errno that no ICMP error stands behind. asked: the call
 * returned it; else it came later, from the network. */
void tcp_fate_errno(const struct tcp *t, struct sky_fate *f, int err, bool by_call);
/* The verdict when time ran out. */
void tcp_fate_silent(struct tcp *t, struct sky_fate *f);

#endif
