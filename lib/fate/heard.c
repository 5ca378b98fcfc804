/* SPDX-License-Identifier: BSD-2-Clause */
/* heard.c - see heard.h. */
#include "fate/heard.h"
#include "wire/icmpext.h"
#include "wire/quote.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* The ICMP message of what was heard, and who sent it. */
static int
find_message(struct sky_fate *f, const struct sky_heard *h, struct sky_rd *msg)
{
	struct sky_ip ip;
	int r;

	f->by = h->by;
	f->hop = h->hop;
	if (h->have_hop)
		f->have |= SKY_HAVE_HOP;
	*msg = sky_rd_of(h->data, h->len);
	if (h->family == AF_INET6)
		return 0;
	r = sky_ip_decode(&ip, h->data, h->len);
	if (r < 0 || ip.family != AF_INET || ip.proto != IPPROTO_ICMP || ip.off ||
	    (ip.flags & (SKY_IP_BAD_HEAD | SKY_IP_BAD_LEN)))
		return -EBADMSG;
	f->by = ip.src;
	f->hop = ip.ttl;
	f->have |= SKY_HAVE_HOP;
	*msg = ip.payload;
	/* a raw socket sees it before the kernel has summed it */
	if (!h->cut && sky_ip_check_payload(&ip) != SKY_CKSUM_GOOD)
		return -EBADMSG;
	return 0;
}

static void
set_icmp(struct sky_fate *f, int family, const struct sky_icmp *m)
{
	const struct sky_icmp_row *row = sky_icmp_find(family, m->type, m->code);
	bool six = family == AF_INET6;

	f->origin = six ? SKY_ORIGIN_ICMP6 : SKY_ORIGIN_ICMP;
	f->icmp_type = m->type;
	f->icmp_code = m->code;
	f->have |= SKY_HAVE_ICMP;
	f->err = row ? row->err_queue : 0;
	if (six ? m->type == 2 : m->type == 3 && m->code == 4) {
		f->mtu = sky_icmp_mtu(family, m);
		f->have |= SKY_HAVE_MTU;
	}
	if (m->type == (six ? 4 : 12)) {
		f->pointer = sky_icmp_pointer(family, m);
		f->have |= SKY_HAVE_POINTER;
	}
}

static bool
is_ours(const struct sky_quote *q)
{
	uint8_t proto = q->ip.proto;

	return (q->have & SKY_QUOTE_PORTS) &&
	    (proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE || proto == IPPROTO_TCP);
}

/* A scope is told by the interface: quotes have none. */
static void
set_scope(struct sky_addr *a, uint32_t ifindex)
{
	if (sky_addr_family(a) == AF_INET6 && sky_addr_is_link_local(a))
		a->u.in6.sin6_scope_id = ifindex;
}

static void
set_quote(struct sky_fate *f, const struct sky_quote *q)
{
	f->proto = q->ip.proto;
	f->src = q->src;
	f->dst = q->dst;
	f->have |= SKY_HAVE_SRC | SKY_HAVE_DST;
	if (q->ip.proto == IPPROTO_TCP && (q->have & SKY_QUOTE_SEQ)) {
		f->seq = q->seq;
		f->have |= SKY_HAVE_SEQ;
	}
	if ((q->have & SKY_QUOTE_PAYLOAD) && q->payload_len) {
		f->quote = q->payload;
		f->quote_len = (uint32_t)q->payload_len;
	}
}

static void
set_ext(struct sky_fate *f, const struct sky_icmpext *ext)
{
	if (ext->state == SKY_CKSUM_BAD) {
		f->flags |= SKY_FATE_EXT_BAD;
		return;
	}
	f->ext = ext->at;
	f->ext_len = (uint32_t)ext->len;
}

static bool
is_host_unreachable(const struct sky_fate *f)
{
	return f->origin == SKY_ORIGIN_ICMP ? f->icmp_type == 3 && f->icmp_code == 1 :
	    f->icmp_type == 1 && f->icmp_code == 3;
}

/* As the error queue's reader does: the neighbour that never answered is reported
 * by this host to the address it reports from. */
static void
set_here(struct sky_fate *f, const struct sky_heard *h)
{
	set_scope(&f->src, h->ifindex);
	set_scope(&f->dst, h->ifindex);
	set_scope(&f->by, h->ifindex);
	f->have |= SKY_HAVE_BY | SKY_HAVE_TIME;
	f->time_ns = h->time_ns;
	if (h->ifindex) {
		f->ifindex = h->ifindex;
		f->have |= SKY_HAVE_IFINDEX;
	}
	if (h->cut)
		f->flags |= SKY_FATE_QUOTE_CUT;
	if (is_host_unreachable(f) && sky_addr_family(&h->local) != AF_UNSPEC &&
	    sky_addr_same_host(&f->by, &h->local))
		f->flags |= SKY_FATE_OWN;
}

int
sky_fate_hear(struct sky_fate *f, const struct sky_heard *h)
{
	struct sky_icmpext ext;
	struct sky_quote q;
	struct sky_icmp m;
	struct sky_rd msg;
	size_t quote_len;
	int found;

	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->evidence = SKY_BY_ICMPD;
	if (find_message(f, h, &msg) < 0 || sky_icmp_decode(&m, &msg) < 0)
		return -EBADMSG;
	/* a redirect quotes, but is about no datagram's fate */
	if (!sky_icmp_quotes(h->family, m.type) || !sky_icmp_find(h->family, m.type, m.code))
		return -EBADMSG;
	found = sky_icmpext_find(&ext, &quote_len, h->family, &m, msg.at, sky_rd_left(&msg));
	if (sky_quote_decode(&q, h->family, msg.at, quote_len) < 0)
		return -EBADMSG;
	if (!is_ours(&q))
		return -EPROTONOSUPPORT;
	set_icmp(f, h->family, &m);
	set_quote(f, &q);
	if (found)
		set_ext(f, &ext);
	set_here(f, h);
	sky_fate_classify(f);
	return 0;
}
