/* SPDX-License-Identifier: BSD-2-Clause */
/* callin.c - datagrams and errors that came, and whose they are; see call.h. */
#include "proto/callbook.h"

#include "base/rd.h"
#include "base/sip.h"

#include <errno.h>
#include <string.h>

static struct call *
call_of(struct sky_call *c)
{
	return (struct call *)c->opaque;
}

static int
tell(struct sky_call_news *n)
{
	n->kind = SKY_CALL_TOLD;
	return SKY_CALL_TOLD;
}

/* --- datagrams --- */

/* What the peer says it got. Replies may overtake each other: what was once
 * seen stays seen. */
static void
learn(struct req *r, const struct sky_call_head *h)
{
	if (h->kind != SKY_CALL_REPLY)
		return;
	r->told = true;
	r->seen |= h->seen & req_sent(r);
	if (h->nth > r->told_by)
		r->told_by = h->nth;
	if (h->copies > r->copies)
		r->copies = h->copies;
}

/* The reply to copy nth, which is whole and from whom we asked. */
static int
take_reply(struct call *c, struct req *r, unsigned nth, uint64_t now, struct sky_call_news *n)
{
	uint32_t bit = 1u << (nth - 1);
	uint64_t sent = r->sent_ns[nth - 1];
	bool first = !(r->answered & bit);
	enum sky_what what = SKY_ANSWERED;
	const void *data = n->data;
	uint32_t len = n->len;

	if (r->state == REQ_ENDED)
		what = r->what == SKY_ANSWERED || !first ? SKY_DUPLICATED : SKY_LATE;
	r->answered |= bit;
	r->damaged &= ~bit;
	r->refused &= ~bit;
	sky_call_begin(n, r, nth, what, SKY_BY_REPLY);
	n->first = first;
	n->data = data;
	n->len = n->fate.len = len;
	n->fate.have |= SKY_HAVE_LEN;
	if (first && now >= sent) {
		n->fate.rtt_ns = now - sent;
		n->fate.have |= SKY_HAVE_RTT;
		/* the number of the copy tells it apart (RFC 6298, section 3) */
		sky_rto_sample(&c->peers[r->peer].rto, now - sent, r->tries, true);
	}
	if (what == SKY_ANSWERED)
		return sky_call_end(c, r, now, n);
	sky_call_await(c, r);
	return tell(n);
}

/* A reply to copy nth with other data than were sent. */
static int
take_damaged(struct call *c, struct req *r, unsigned nth, struct sky_call_news *n)
{
	uint32_t bit = 1u << (nth - 1);

	if (!(r->answered & bit))
		r->damaged |= bit;
	r->refused &= ~bit;
	sky_call_await(c, r);
	sky_call_report(r, n);
	return tell(n);
}

int
sky_call_input(struct sky_call *c, uint64_t now, const struct sky_addr *from,
    const void *data, size_t len, struct sky_call_news *n)
{
	struct call *b = call_of(c);
	struct sky_call_head h;
	int ret = sky_call_head_decode(&h, data, len);
	struct req *r = ret ? NULL : sky_callbook_find(b, h.id);
	bool ours = r && sky_addr_equal(&r->dst, from);
	size_t left = ret ? len : len - SKY_CALL_HEAD;

	sky_call_begin(n, r, ret ? 0 : h.nth, ret == -EBADMSG ? SKY_CORRUPTED : SKY_STRAY,
	    SKY_BY_REPLY);
	n->fate.by = *from;
	sky_addr_set_port(&n->fate.by, 0);
	n->fate.len = n->len = (uint32_t)left;
	n->fate.have |= SKY_HAVE_BY | SKY_HAVE_LEN;
	if (!r) {
		n->fate.dst = *from;
		n->fate.have |= SKY_HAVE_DST;
		return tell(n);
	}
	if (!ours)
		return tell(n);
	n->fate.have &= ~(uint32_t)SKY_HAVE_BY;
	if (h.nth > r->tries) {		/* answers what was never sent */
		n->fate.what = SKY_CORRUPTED;
		return tell(n);
	}
	n->data = (const uint8_t *)data + SKY_CALL_HEAD;
	learn(r, &h);
	if (b->flags & SKY_CALL_ECHO && sky_sip_hash(b->key, n->data, left) != r->digest) {
		n->fate.what = SKY_CORRUPTED;
		return take_damaged(b, r, h.nth, n);
	}
	return take_reply(b, r, h.nth, now, n);
}

/* --- errors --- */

enum { QUOTE_LEAST = 16 };	/* bytes of head up to the end of the id */

/* What an error of this word makes of a request in flight. Anything else is
 * only passing: the network may carry the next copy. */
static bool
is_final(enum sky_what what)
{
	static const bool rows[SKY_WHATS] = {
		[SKY_REFUSED] = true, [SKY_NO_PROTOCOL] = true, [SKY_HOST_UNREACHABLE] = true,
		[SKY_NET_UNREACHABLE] = true, [SKY_FILTERED] = true, [SKY_HOP_LIMIT] = true,
		[SKY_BAD_HEADER] = true, [SKY_UNREACHABLE] = true, [SKY_NO_ROUTE] = true,
		[SKY_NO_NEIGHBOUR] = true, [SKY_DENIED] = true, [SKY_FILTERED_LOCAL] = true,
		[SKY_NO_SOCKET] = true, [SKY_BAD_CHECKSUM] = true,
	};

	return (unsigned)what < SKY_WHATS && rows[what];
}

/* An error of this word says that the copy it quotes will not arrive. */
static bool
is_lost(enum sky_what what)
{
	return is_final(what) || what == SKY_TOO_BIG || what == SKY_REASSEMBLY_TIMEOUT;
}

/* The head that copy nth of r had, and its data while we have them, against
 * what is quoted: the reporter must have seen the id, which nobody can guess. */
static enum sky_trust
vouch(const struct req *r, const struct sky_call_head *h, const struct sky_fate *f)
{
	size_t head = f->quote_len < SKY_CALL_HEAD ? f->quote_len : SKY_CALL_HEAD;
	struct sky_fate rest = { .quote = (const uint8_t *)f->quote + head,
		.quote_len = (uint32_t)(f->quote_len - head) };
	uint8_t sent[SKY_CALL_HEAD];

	if (h->nth < 1 || h->nth > r->tries ||
	    sky_call_head_encode(h, sent, sizeof(sent)) < 0 || memcmp(sent, f->quote, head) != 0)
		return SKY_TRUST_MISMATCH;
	if (!(f->have & SKY_HAVE_DST) || !sky_addr_same_host(&f->dst, &r->dst) ||
	    (sky_addr_port(&f->dst) && sky_addr_port(&f->dst) != sky_addr_port(&r->dst)))
		return SKY_TRUST_MISMATCH;
	if (r->state == REQ_OPEN && sky_fate_vouch(&rest, r->data, r->len, 0) == SKY_TRUST_MISMATCH)
		return SKY_TRUST_MISMATCH;
	return SKY_TRUST_MATCHED;
}

/* The request that f quotes, or NULL; sets f's trust. */
static struct req *
whose(const struct call *c, struct sky_fate *f, struct sky_call_head *h)
{
	static const uint8_t begin[] = { 'S', 'K', 'Y', 'R', 1, SKY_CALL_REQUEST };
	size_t quoted = f->quote ? f->quote_len : 0;
	struct sky_rd rd = sky_rd_of(f->quote, quoted);
	struct req *r;
	uint64_t high;

	memset(h, 0, sizeof(*h));
	f->trust = SKY_TRUST_SHORT;
	if (quoted && memcmp(f->quote, begin, quoted < sizeof(begin) ? quoted : sizeof(begin)) != 0)
		f->trust = SKY_TRUST_MISMATCH;
	if (f->trust == SKY_TRUST_MISMATCH || quoted < QUOTE_LEAST)
		return NULL;
	sky_rd_take(&rd, sizeof(begin));
	h->nth = sky_rd_u8(&rd);
	sky_rd_u8(&rd);
	high = sky_rd_u32(&rd);
	h->id = high << 32 | sky_rd_u32(&rd);
	r = sky_callbook_find(c, h->id);
	f->trust = r ? vouch(r, h, f) : SKY_TRUST_UNKNOWN;
	return f->trust == SKY_TRUST_MATCHED ? r : NULL;
}

/* Kept until a request to that peer is given up. One that quotes another id is
 * about another request. */
static void
keep_hint(struct call *c, const struct sky_fate *f, uint64_t now)
{
	struct peer *p = f->have & SKY_HAVE_DST ? sky_callbook_peer(c, &f->dst) : NULL;

	if (!p || f->trust != SKY_TRUST_SHORT || !is_final(f->what))
		return;
	p->hinted = true;
	p->hint_ns = now;
	p->hint = *f;
	p->hint.quote = p->hint.ext = NULL;
	p->hint.quote_len = p->hint.ext_len = 0;
}

/* The local end of a fate about r; f's own pointers stay as they are. */
static void
copy_fate(struct sky_call_news *n, const struct req *r, const struct sky_fate *f)
{
	n->fate = *f;
	if (!r)
		return;
	n->fate.tag = r->tag;
	n->fate.have |= SKY_HAVE_TAG;
}

int
sky_call_event(struct sky_call *c, uint64_t now, struct sky_fate *f, struct sky_call_news *n)
{
	struct call *b = call_of(c);
	struct sky_call_head h;
	struct req *r = whose(b, f, &h);
	uint32_t bit;

	if (!r) {
		keep_hint(b, f, now);
		sky_call_begin(n, NULL, 0, f->what, f->evidence);
		copy_fate(n, NULL, f);
		return tell(n);
	}
	bit = 1u << (h.nth - 1);
	if (!((r->answered | r->damaged) & bit) && is_lost(f->what))
		r->refused |= bit;
	sky_call_begin(n, r, h.nth, f->what, f->evidence);
	copy_fate(n, r, f);
	if (r->state == REQ_OPEN && is_final(f->what))
		return sky_call_end(b, r, now, n);
	if (r->state == REQ_OPEN && f->what == SKY_TOO_BIG && h.nth == r->tries &&
	    r->tries < b->tries)
		sky_callbook_set_due(b, r, now);
	if (r->state == REQ_ENDED)
		sky_call_await(b, r);
	return tell(n);
}

int
sky_call_unsent(struct sky_call *c, uint64_t now, uint64_t id, const struct sky_fate *f,
    struct sky_call_news *n)
{
	struct call *b = call_of(c);
	struct req *r = sky_callbook_find(b, id);

	if (!r || r->state != REQ_OPEN || !r->tries)
		return -ENOENT;
	r->refused |= 1u << (r->tries - 1);
	sky_call_begin(n, r, r->tries, f->what, f->evidence);
	copy_fate(n, r, f);
	if (is_final(f->what) || f->what == SKY_TOO_BIG)
		return sky_call_end(b, r, now, n);
	return tell(n);
}
