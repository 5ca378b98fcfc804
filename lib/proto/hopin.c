/* SPDX-License-Identifier: BSD-2-Clause */
/* hopin.c - see hopin.h. */
#include "proto/hopin.h"
#include "base/sip.h"
#include "wire/quote.h"

#include <string.h>

#define LEGACY_AT 128		/* RFC 4884, 5.5 */
#define RECENT 256		/* probes that a checksum is looked for among */

void
sky_hoptag_write(uint8_t out[static SKY_HOPTAG_LEN], const uint64_t key[2], uint32_t id)
{
	struct sky_wr wr = sky_wr_of(out, SKY_HOPTAG_LEN);
	uint64_t hash;

	sky_wr_u32(&wr, id);
	hash = sky_sip_hash(key, out, 4);
	sky_wr_u32(&wr, (uint32_t)(hash >> 32));
	sky_wr_u32(&wr, (uint32_t)hash);
}

enum sky_trust
sky_hoptag_read(const uint64_t key[2], const void *data, size_t len, uint32_t *id)
{
	static const uint8_t padding[SKY_HOPTAG_LEN];
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t want[SKY_HOPTAG_LEN];
	uint32_t told;

	*id = 0;
	if (len < SKY_HOPTAG_MIN)
		return SKY_TRUST_SHORT;
	if (len > SKY_HOPTAG_LEN)
		len = SKY_HOPTAG_LEN;
	if (memcmp(data, padding, len) == 0)
		return SKY_TRUST_SHORT;
	told = sky_rd_u32(&rd);
	sky_hoptag_write(want, key, told);
	if (!told || memcmp(data, want, len) != 0)
		return SKY_TRUST_MISMATCH;
	*id = told;
	return SKY_TRUST_MATCHED;
}

struct row {
	uint8_t type, code;
	uint8_t what;
	bool dst_only;		/* else UNREACHABLE, if another says so */
};

static const struct row rows4[] = {
	{ 11, 0, SKY_HOP_EXCEEDED, false },
	{ 3, 3, SKY_HOP_REACHED, true },
	{ 3, 4, SKY_HOP_TOO_BIG, false },
	{ 0, 0, 0, false },
};

static const struct row rows6[] = {
	{ 3, 0, SKY_HOP_EXCEEDED, false },
	{ 1, 4, SKY_HOP_REACHED, true },
	{ 2, 0, SKY_HOP_TOO_BIG, false },
	{ 0, 0, 0, false },
};

bool
sky_hopin_error(struct sky_hop_answer *a, const struct sky_addr *dst, uint8_t type,
    uint8_t code, uint32_t mtu, const struct sky_addr *by)
{
	int family = sky_addr_family(dst);
	const struct sky_icmp_row *known = sky_icmp_find(family, type, code);
	const struct row *r = family == AF_INET ? rows4 : rows6;

	if (!known || known->what == SKY_QUENCHED)
		return false;
	while (r->what && (r->type != type || r->code != code))
		r++;
	a->what = r->what ? r->what : SKY_HOP_UNREACHABLE;
	if (r->dst_only && !sky_addr_same_host(dst, by))
		a->what = SKY_HOP_UNREACHABLE;
	a->type = type;
	a->code = code;
	a->mtu = a->what == SKY_HOP_TOO_BIG ? mtu : 0;
	a->by = *by;
	sky_addr_set_port(&a->by, 0);
	return true;
}

static void
take_stack(struct sky_hop_answer *a, const struct sky_icmpext_obj *obj)
{
	struct sky_rd stack = sky_rd_of(obj->data, obj->len);
	struct sky_mpls m;

	while (a->labels < SKY_HOP_LABELS && sky_mpls_next(&stack, &m) > 0)
		a->label[a->labels++] = (struct sky_hop_label){ m.label, m.tc, m.ttl };
}

static void
take_objects(struct sky_hop_answer *a, const struct sky_icmpext *ext)
{
	struct sky_rd rd = sky_icmpext_objects(ext);
	struct sky_icmpext_obj obj;

	while (sky_icmpext_next(&rd, &obj) > 0)
		if (obj.class == SKY_ICMPEXT_MPLS && obj.type == 1)
			take_stack(a, &obj);
}

void
sky_hopin_labels(struct sky_hop_answer *a, const void *ext, size_t len)
{
	struct sky_icmpext e;

	if (sky_icmpext_decode(&e, ext, len) == 0 && e.state != SKY_CKSUM_BAD)
		take_objects(a, &e);
}

void
sky_hopin_guess(struct sky_hop_answer *a, const void *data, size_t len, size_t past)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_icmpext e;

	if (past > LEGACY_AT || !sky_rd_take(&rd, LEGACY_AT - past))
		return;
	if (sky_icmpext_decode(&e, rd.at, sky_rd_left(&rd)) == 0 && e.state == SKY_CKSUM_GOOD)
		take_objects(a, &e);
}

/* The ends of the quote are those that were sent; of ICMP the identifier is
 * what tells flows apart. */
static bool
same_ends(const struct sky_hopin *sent, const struct sky_quote *q)
{
	bool echo = sent->proto != IPPROTO_UDP;

	if (!sky_addr_same_host(&q->dst, &sent->dst))
		return false;
	if (sky_addr_family(&sent->src) && !sky_addr_same_host(&q->src, &sent->src))
		return false;
	if (echo)
		return q->have & SKY_QUOTE_SEQ && q->seq >> 16 == sky_addr_port(&sent->src);
	return q->have & SKY_QUOTE_PORTS && sky_addr_port(&q->dst) == sky_addr_port(&sent->dst) &&
	    sky_addr_port(&q->src) == sky_addr_port(&sent->src);
}

void
sky_hopin_echo(struct sky_hop_answer *a, const struct sky_hopin *sent, const struct sky_icmp *m)
{
	uint32_t id = (sent->last_id & ~(uint32_t)UINT16_MAX) | sky_icmp_seq(m);
	struct sky_icmp was = { .type = 8, .rest = m->rest };
	uint8_t head[SKY_ICMP_LEN + SKY_HOPTAG_LEN];
	struct sky_wr wr = sky_wr_of(head, sizeof(head));

	if (sent->proto != IPPROTO_ICMP || m->type != 8)
		return;
	if (id > sent->last_id)
		id -= UINT16_MAX + 1;
	sky_icmp_encode(&was, &wr);
	sky_hoptag_write(head + SKY_ICMP_LEN, sent->key, id);
	if (!id || sky_cksum_of(head, sizeof(head)) != m->sum)
		return;
	a->id = id;
	a->trust = SKY_TRUST_MATCHED;
}

/* The checksum of the UDP probe with this id, as it was sent: its ends are known
 * to be those of the quote. */
static uint16_t
udp_sum(const struct sky_hopin *sent, const struct sky_quote *q, uint32_t id)
{
	struct sky_cksum c = sky_cksum_start();
	uint8_t tag[SKY_HOPTAG_LEN];

	sky_hoptag_write(tag, sent->key, id);
	sky_cksum_add_pseudo(&c, &q->src, &q->dst, IPPROTO_UDP, q->udp_len);
	sky_cksum_add_u16(&c, sky_addr_port(&q->src));
	sky_cksum_add_u16(&c, sky_addr_port(&q->dst));
	sky_cksum_add_u16(&c, q->udp_len);
	sky_cksum_add(&c, tag, sizeof(tag));
	return sky_cksum_finish_udp(&c);
}

static void
identify_udp(struct sky_hop_answer *a, const struct sky_hopin *sent, const struct sky_quote *q)
{
	uint32_t id = sent->last_id, found = 0;

	if (!(q->have & SKY_QUOTE_UDP) || !q->udp_sum ||
	    q->udp_len < SKY_ICMP_LEN + SKY_HOPTAG_LEN)
		return;
	for (unsigned i = 0; i < RECENT && id; i++, id--) {
		if (udp_sum(sent, q, id) != q->udp_sum)
			continue;
		if (found)
			return;
		found = id;
	}
	if (!found)
		return;
	a->id = found;
	a->trust = SKY_TRUST_MATCHED;
}

static void
identify(struct sky_hop_answer *a, const struct sky_hopin *sent, const struct sky_quote *q)
{
	struct sky_rd rd = sky_rd_of(q->transport, q->transport_len);
	struct sky_icmp m;

	if (sent->proto == IPPROTO_UDP)
		identify_udp(a, sent, q);
	else if (sky_icmp_decode(&m, &rd) == 0)
		sky_hopin_echo(a, sent, &m);
}

static bool
take_quote(struct sky_hop_answer *a, const struct sky_hopin *sent, const void *data, size_t len)
{
	struct sky_quote q;
	bool same;

	if (sky_quote_decode(&q, sky_addr_family(&sent->dst), data, len) != 0 ||
	    q.ip.proto != sent->proto || q.ip.off)
		return false;
	same = same_ends(sent, &q);
	a->trust = (uint8_t)sky_hoptag_read(sent->key, q.payload, q.payload_len, &a->id);
	if (!same && a->trust != SKY_TRUST_MATCHED)
		return false;
	if (a->trust == SKY_TRUST_SHORT)
		identify(a, sent, &q);
	a->rewritten = !same;
	a->quoted_len = (uint16_t)(q.ip.len > UINT16_MAX ? UINT16_MAX : q.ip.len);
	a->quoted_ttl = q.ip.ttl;
	return true;
}

static bool
take_echo(struct sky_hop_answer *a, const struct sky_hopin *sent, const struct sky_icmp *m,
    const struct sky_addr *by, struct sky_rd *rd)
{
	size_t len = sky_rd_left(rd);

	if (sent->proto == IPPROTO_UDP || sky_icmp_id(m) != sky_addr_port(&sent->src))
		return false;
	a->trust = (uint8_t)sky_hoptag_read(sent->key, rd->at, len, &a->id);
	a->what = SKY_HOP_REACHED;
	a->reply_len = (uint32_t)len + SKY_ICMP_LEN;
	a->by = *by;
	sky_addr_set_port(&a->by, 0);
	return true;
}

bool
sky_hopin_icmp(struct sky_hop_answer *a, const struct sky_hopin *sent,
    const struct sky_addr *by, const void *data, size_t len)
{
	int family = sky_addr_family(&sent->dst);
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_icmpext ext;
	struct sky_icmp m;
	size_t quote;

	memset(a, 0, sizeof(*a));
	if (sky_icmp_decode(&m, &rd) != 0)
		return false;
	if (m.type == (family == AF_INET ? 0 : 129))
		return take_echo(a, sent, &m, by, &rd);
	if (!sky_icmp_quotes(family, m.type) ||
	    !sky_hopin_error(a, &sent->dst, m.type, m.code, sky_icmp_mtu(family, &m), by))
		return false;
	if (sky_icmpext_find(&ext, &quote, family, &m, rd.at, sky_rd_left(&rd)) > 0 &&
	    ext.state != SKY_CKSUM_BAD)
		take_objects(a, &ext);
	return take_quote(a, sent, rd.at, quote);
}
