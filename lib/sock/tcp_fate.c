/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fate.c - from what the kernel says about a SYN to a fate.
 *
 * A RST leaves ECONNREFUSED and an empty error queue; an ICMP error leaves an
 * entry with its sender, type and code (IPv4 always, IPv6 where it was asked
 * for); silence leaves nothing but the count of SYNs.
 */
#include "base/rd.h"
#include "sock/tcp.h"
#include "sys/clock.h"
#include "sys/errq.h"
#include "sys/route.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

enum {
	DRAIN_ROUNDS = 16,	/* a storm must not hold the caller */
	PORTS = 4,		/* bytes of a TCP header that name both */
};

void
tcp_fate_begin(const struct tcp *t, struct sky_fate *f, enum sky_evidence by)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->evidence = (uint8_t)by;
	f->proto = IPPROTO_TCP;
	f->time_ns = sky_clock_wall();
	f->dst = t->dst;
	f->have = SKY_HAVE_TIME | SKY_HAVE_DST;
	if (sky_addr_family(&t->local) != AF_UNSPEC) {
		f->src = t->local;
		f->have |= SKY_HAVE_SRC;
	}
}

/* What is quoted begins with the ports of the TCP header. The kernel has found
 * the socket by them and by the sequence number; this is the second look. */
static enum sky_trust
vouch(const struct tcp *t, const uint8_t *quote, size_t len)
{
	struct sky_rd r = sky_rd_of(quote, len);
	uint16_t from, to;

	if (len < PORTS)
		return SKY_TRUST_SHORT;
	from = sky_rd_u16(&r);
	to = sky_rd_u16(&r);
	if (to != sky_addr_port(&t->dst) ||
	    (sky_addr_port(&t->local) && from != sky_addr_port(&t->local)))
		return SKY_TRUST_MISMATCH;
	return SKY_TRUST_MATCHED;
}

/* This host speaks as any destination when it is the destination. Else "host
 * unreachable" is what it says when the neighbour did not answer; unless the
 * neighbour is known well, and then it was a filter on the way out. */
static void
judge_own(const struct tcp *t, struct sky_fate *f)
{
	uint32_t probes;

	if (sky_addr_same_host(&f->by, &t->dst) || sky_route_is_own(&f->by) != 1)
		return;
	f->flags |= SKY_FATE_OWN;
	if (sky_fate_classify(f) == SKY_NO_NEIGHBOUR && sky_route_neighbour(&t->dst, &probes) == 0)
		f->what = SKY_FILTERED_LOCAL;
}

static void
from_entry(const struct tcp *t, struct sky_fate *f, const struct sky_errq *e, const uint8_t *quote)
{
	bool six = e->origin == SO_EE_ORIGIN_ICMP6;

	tcp_fate_begin(t, f, SKY_BY_QUEUE);
	f->origin = e->origin;
	f->err = e->err;
	f->icmp_type = e->type;
	f->icmp_code = e->code;
	f->have |= SKY_HAVE_ICMP;
	if (sky_addr_family(&e->by) != AF_UNSPEC) {
		f->by = e->by;
		f->have |= SKY_HAVE_BY;
	}
	if (e->flags & SKY_ERRQ_TTL) {
		f->hop = e->ttl;
		f->have |= SKY_HAVE_HOP;
	}
	if (six ? e->type == 2 : e->type == 3 && e->code == 4) {
		f->mtu = e->info;
		f->have |= SKY_HAVE_MTU;
	}
	f->trust = (uint8_t)vouch(t, quote, e->len);
	sky_fate_classify(f);
	if (f->have & SKY_HAVE_BY)
		judge_own(t, f);
}

unsigned
tcp_fate_drain(struct tcp *t, struct sky_fate *f)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	unsigned errors = 0;
	int n = SKY_ERRQ_BATCH;

	for (int round = 0; round < DRAIN_ROUNDS && n == SKY_ERRQ_BATCH; round++) {
		n = sky_errq_read(t->fd, e, data, SKY_ERRQ_BATCH);
		for (int i = 0; i < n; i++) {
			if (e[i].origin != SO_EE_ORIGIN_ICMP && e[i].origin != SO_EE_ORIGIN_ICMP6)
				continue;
			from_entry(t, f, &e[i], data[i]);
			errors++;
		}
	}
	return errors;
}

void
tcp_fate_errno(const struct tcp *t, struct sky_fate *f, int err, bool by_call)
{
	tcp_fate_begin(t, f, by_call ? SKY_BY_CALL : SKY_BY_KERNEL);
	f->err = err;
	f->origin = by_call ? SKY_ORIGIN_LOCAL : sky_addr_family(&t->dst) == AF_INET ?
	    SKY_ORIGIN_ICMP : SKY_ORIGIN_ICMP6;
	if (err == ECONNREFUSED || err == ECONNRESET) {
		f->what = SKY_REFUSED;
		f->evidence = SKY_BY_REPLY;
		f->origin = SKY_ORIGIN_NONE;
		f->by = t->dst;
		sky_addr_set_port(&f->by, 0);
		f->have |= SKY_HAVE_BY;
		return;
	}
	sky_fate_classify(f);
}

/* The SYN never left this host while the next hop's address is not known. */
void
tcp_fate_silent(struct tcp *t, struct sky_fate *f)
{
	uint32_t probes = 0;
	int r = sky_route_neighbour(&t->dst, &probes);

	tcp_fate_begin(t, f, SKY_BY_DEADLINE);
	f->what = SKY_SILENT;
	f->err = ETIMEDOUT;
	if (r != 1)
		return;
	t->flags |= SKY_TCP_UNRESOLVED;
	t->probes = probes;
	f->what = SKY_NO_NEIGHBOUR;
	f->evidence = SKY_BY_KERNEL;
	f->origin = SKY_ORIGIN_LOCAL;
}
