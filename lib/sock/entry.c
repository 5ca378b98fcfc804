/* SPDX-License-Identifier: BSD-2-Clause */
/* entry.c - see entry.h. */
#include "sock/entry.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sockeye/udp.h>
#include <string.h>

#include "sys/clock.h"
#include "sys/route.h"

bool
entry_host_unreachable(const struct sky_errq *e)
{
	if (e->origin == SO_EE_ORIGIN_ICMP)
		return e->type == 3 && e->code == 1;
	return e->origin == SO_EE_ORIGIN_ICMP6 && e->type == 1 && e->code == 3;
}

static void
set_icmp(struct sky_fate *f, const struct sky_errq *e)
{
	bool six = e->origin == SO_EE_ORIGIN_ICMP6;

	f->have |= SKY_HAVE_ICMP;
	f->icmp_type = e->type;
	f->icmp_code = e->code;
	if (six ? e->type == 2 : e->type == 3 && e->code == 4) {
		f->mtu = e->info;
		f->have |= SKY_HAVE_MTU;
	}
	if (e->type == (six ? 4 : 12)) {
		/* the first byte of a word for IPv4, the whole word for IPv6 */
		f->pointer = e->info;
		f->have |= SKY_HAVE_POINTER;
	}
}

static void
set_other(struct sky_fate *f, const struct sky_errq *e)
{
	switch (e->origin) {
	case SO_EE_ORIGIN_LOCAL:
		if (e->err != EMSGSIZE)
			break;
		f->mtu = e->info;
		f->have |= SKY_HAVE_MTU;
		break;
	case SO_EE_ORIGIN_TIMESTAMPING:
		f->id = e->data;
		f->have |= SKY_HAVE_ID;
		break;
	case SO_EE_ORIGIN_ZEROCOPY:
		f->id = e->info;
		f->count = (uint64_t)(e->data - e->info) + 1;
		f->have |= SKY_HAVE_ID;
		break;
	}
}

static void
set_ends(struct sky_fate *f, const struct sky_errq *e)
{
	if (e->dest.u.sa.sa_family != AF_UNSPEC) {
		f->dst = e->dest;
		f->have |= SKY_HAVE_DST;
	}
	if (e->by.u.sa.sa_family != AF_UNSPEC) {
		f->by = e->by;
		f->have |= SKY_HAVE_BY;
	}
	if (e->flags & SKY_ERRQ_LOCAL) {
		f->src = e->local;
		f->ifindex = e->ifindex;
		f->have |= SKY_HAVE_SRC | SKY_HAVE_IFINDEX;
	}
	if (e->flags & SKY_ERRQ_TTL) {
		f->hop = e->ttl;
		f->have |= SKY_HAVE_HOP;
	}
}

void
entry_convert(struct sky_fate *f, const struct sky_errq *e, uint64_t now_ns)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->evidence = SKY_BY_QUEUE;
	f->trust = SKY_TRUST_UNKNOWN;
	f->origin = e->origin;
	f->proto = IPPROTO_UDP;
	f->err = e->err;
	f->time_ns = (e->flags & SKY_ERRQ_TIME) ? e->time_ns : now_ns;
	f->have = SKY_HAVE_TIME;
	set_ends(f, e);
	if (e->origin == SO_EE_ORIGIN_ICMP || e->origin == SO_EE_ORIGIN_ICMP6)
		set_icmp(f, e);
	else
		set_other(f, e);
}

static void
set_quote(struct sky_fate *f, const struct sky_errq *e, const uint8_t *data)
{
	if (e->flags & SKY_ERRQ_CUT)
		f->flags |= SKY_FATE_QUOTE_CUT;
	if (e->flags & SKY_ERRQ_EXT_BAD)
		f->flags |= SKY_FATE_EXT_BAD;
	if (!e->len || e->origin == SO_EE_ORIGIN_TIMESTAMPING)
		return;
	f->quote = data;
	f->quote_len = e->ext_at ? e->ext_at : e->len;
	if (!e->ext_at)
		return;
	f->ext = data + e->ext_at;
	f->ext_len = e->len - e->ext_at;
}

void
sky_udp_entry(struct sky_fate *f, const struct msghdr *m, size_t len)
{
	struct sky_errq e;

	sky_errq_decode(&e, m, len);
	entry_convert(f, &e, sky_clock_wall());
	if (m->msg_iovlen == 1)
		set_quote(f, &e, m->msg_iov->iov_base);
	if (entry_host_unreachable(&e) && sky_route_is_own(&e.by) == 1)
		f->flags |= SKY_FATE_OWN;
	sky_fate_classify(f);
}
