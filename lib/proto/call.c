/* SPDX-License-Identifier: BSD-2-Clause */
/* call.c - sending, sending again, giving up, and what comes back; see call.h. */
#include "proto/callbook.h"

#include "base/sip.h"

#include <errno.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define TRIES 5			/* if nothing is said */
#define MOST_ROOM (1u << 24)	/* requests or peers */

static struct call *
call_of(struct sky_call *c)
{
	return (struct call *)c->opaque;
}

static const struct call *
const_call_of(const struct sky_call *c)
{
	return (const struct call *)c->opaque;
}

/* A power of two, at least n. */
static size_t
heads_for(unsigned n)
{
	size_t heads = 2;

	while (heads < n)
		heads *= 2;
	return heads;
}

size_t
sky_call_room(unsigned requests, unsigned peers)
{
	return requests * sizeof(struct req) + ((size_t)peers + 1) * sizeof(struct peer) +
	    (heads_for(requests) + requests) * sizeof(uint32_t);
}

static int
check(const struct sky_call_conf *conf, size_t size)
{
	if (conf->size != sizeof(*conf) || conf->flags & ~(uint32_t)SKY_CALL_ECHO)
		return -EINVAL;
	if (!conf->requests || conf->requests > MOST_ROOM || conf->peers > MOST_ROOM)
		return -EINVAL;
	if (conf->tries > SKY_CALL_TRIES || size < sky_call_room(conf->requests, conf->peers))
		return -EINVAL;
	return 0;
}

static void
lay_out(struct call *b, const struct sky_call_conf *conf, void *room)
{
	size_t heads = heads_for(conf->requests);
	uint32_t i;

	b->max = conf->requests;
	b->max_peers = conf->peers;
	b->mask = (uint32_t)heads - 1;
	b->reqs = room;
	b->peers = (struct peer *)(b->reqs + b->max);
	b->heads = (uint32_t *)(b->peers + b->max_peers + 1);
	b->heap = b->heads + heads;
	b->free = 1;
	for (i = 0; i < b->max; i++)
		b->reqs[i].next = i + 1 < b->max ? i + 2 : 0;
	b->peers[b->max_peers].rto = b->fresh;
}

int
sky_call_init(struct sky_call *c, const struct sky_call_conf *conf, void *room, size_t size)
{
	struct call *b = call_of(c);
	int ret = check(conf, size);

	if (ret)
		return ret;
	memset(c, 0, sizeof(*c));
	memset(room, 0, sky_call_room(conf->requests, conf->peers));
	ret = sky_rto_init(&b->fresh, conf->rto.size ? &conf->rto : NULL);
	if (ret)
		return ret;
	memcpy(b->key, conf->seed, sizeof(b->key));
	b->flags = conf->flags;
	b->tries = conf->tries ? conf->tries : TRIES;
	b->total_ns = conf->total_ns ? conf->total_ns : UINT64_MAX;
	b->keep_ns = conf->keep_ns ? conf->keep_ns : 60 * SECOND;
	lay_out(b, conf, room);
	return 0;
}

/* a + b, or for ever. */
static uint64_t
later(uint64_t a, uint64_t b)
{
	return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

int
sky_call_start(struct sky_call *c, uint64_t now, const struct sky_addr *dst,
    const void *data, size_t len, uint64_t tag, uint64_t *id)
{
	struct call *b = call_of(c);
	struct req *r;

	if (len > SKY_CALL_DATA)
		return -EMSGSIZE;
	r = sky_callbook_take(b, now);
	if (!r)
		return -ENOBUFS;
	r->dst = *dst;
	r->data = data;
	r->len = (uint32_t)len;
	r->tag = tag;
	if (b->flags & SKY_CALL_ECHO)
		r->digest = sky_sip_hash(b->key, data, len);
	sky_callbook_refer(b, r);
	*id = r->id;
	return 0;
}

/* --- what is told --- */

void
sky_call_report(const struct req *r, struct sky_call_news *n)
{
	uint32_t open = req_sent(r) & ~(r->answered | r->damaged | r->refused);
	uint32_t before = r->told_by ? (uint32_t)((UINT64_C(1) << r->told_by) - 1) : 0;

	n->id = r->id;
	n->tag = r->tag;
	n->known = true;
	n->told = r->told;
	n->tries = r->tries;
	n->dst = r->dst;
	n->answered = r->answered;
	n->damaged = r->damaged;
	n->refused = r->refused;
	n->seen = r->seen;
	n->copies = r->copies;
	n->lost_reply = open & r->seen;
	/* A copy sent after the one that was answered may be on its way. */
	n->lost_request = open & ~r->seen & before;
	n->lost_untold = open & ~r->seen & ~before;
}

void
sky_call_begin(struct sky_call_news *n, const struct req *r, unsigned nth,
    enum sky_what what, enum sky_evidence by)
{
	memset(n, 0, sizeof(*n));
	n->size = sizeof(*n);
	n->nth = nth;
	n->fate.size = sizeof(n->fate);
	n->fate.what = (uint8_t)what;
	n->fate.evidence = (uint8_t)by;
	n->fate.proto = IPPROTO_UDP;
	if (!r)
		return;
	sky_call_report(r, n);
	n->fate.dst = r->dst;
	n->fate.tag = r->tag;
	n->fate.have = SKY_HAVE_DST | SKY_HAVE_TAG;
}

void
sky_call_await(struct call *c, struct req *r)
{
	uint32_t heard = r->answered | r->damaged | r->refused;
	bool awaited = r->what == SKY_ANSWERED && r->tries && !(heard >> (r->tries - 1) & 1);

	c->awaited += awaited;
	c->awaited -= r->awaited;
	r->awaited = awaited;
}

int
sky_call_end(struct call *c, struct req *r, uint64_t now, struct sky_call_news *n)
{
	sky_callbook_end(c, r, later(now, c->keep_ns));
	r->what = n->fate.what;
	r->data = NULL;
	sky_call_await(c, r);
	n->kind = SKY_CALL_ENDED;
	return SKY_CALL_ENDED;
}

/* --- timers --- */

/* The timer of r's last copy ran out (RFC 6298, 5.4 to 5.6). The copies that
 * were under way together are one flight and back off once. */
static void
back_off(struct call *c, struct req *r, uint64_t now)
{
	struct peer *p = &c->peers[r->peer];

	if (!r->tries || now - r->sent_ns[r->tries - 1] < r->timeout)
		return;		/* it did not run out: total_ns, or too big */
	if (p->rto.backoffs && r->sent_ns[r->tries - 1] < p->backed_ns)
		return;
	sky_rto_backoff(&p->rto);
	p->backed_ns = now;
}

/* Doubled also where answers to other requests have made the peer's short. */
static uint64_t
next_timeout(const struct call *c, const struct req *r)
{
	const struct sky_rto *t = &c->peers[r->peer].rto;
	uint64_t rto = sky_rto_value(t);
	uint64_t twice = 2 * r->timeout < t->max_ns ? 2 * r->timeout : t->max_ns;

	return rto > twice ? rto : twice;
}

static int
give_up(struct call *c, struct req *r, uint64_t now, struct sky_call_news *n)
{
	const struct peer *p = &c->peers[r->peer];

	sky_call_begin(n, r, r->tries, SKY_SILENT, SKY_BY_DEADLINE);
	if (p->hinted && p->hint_ns > r->started && sky_addr_equal(&p->hint.dst, &r->dst)) {
		n->fate = p->hint;
		n->fate.tag = r->tag;
		n->fate.have |= SKY_HAVE_TAG;
	}
	return sky_call_end(c, r, now, n);
}

static int
send_copy(struct call *c, struct req *r, uint64_t now, void *buf, size_t size,
    struct sky_call_news *n)
{
	struct sky_call_head h = { .id = r->id, .nth = (uint8_t)(r->tries + 1) };

	if (size < SKY_CALL_HEAD + (size_t)r->len)
		return -ENOSPC;
	back_off(c, r, now);
	sky_call_head_encode(&h, buf, size);
	if (r->len)
		memcpy((uint8_t *)buf + SKY_CALL_HEAD, r->data, r->len);
	r->sent_ns[r->tries++] = now;
	r->timeout = next_timeout(c, r);
	sky_callbook_set_due(c, r, later(now, r->timeout) < later(r->started, c->total_ns) ?
	    later(now, r->timeout) : later(r->started, c->total_ns));
	sky_call_begin(n, r, r->tries, SKY_NOTHING, SKY_BY_NOBODY);
	n->len = SKY_CALL_HEAD + r->len;
	n->timeout_ns = r->timeout;
	n->kind = SKY_CALL_SEND;
	return SKY_CALL_SEND;
}

int
sky_call_forget(struct sky_call *c, struct sky_call_news *n)
{
	struct call *b = call_of(c);
	const struct req *r = sky_callbook_oldest(b);

	sky_call_begin(n, r, 0, SKY_NOTHING, SKY_BY_NOBODY);
	if (!r)
		return SKY_CALL_NOTHING;
	sky_callbook_free_oldest(b);
	n->kind = SKY_CALL_FORGOTTEN;
	return SKY_CALL_FORGOTTEN;
}

int
sky_call_poll(struct sky_call *c, uint64_t now, void *buf, size_t size,
    struct sky_call_news *n)
{
	struct call *b = call_of(c);
	struct req *r = sky_callbook_due(b);

	if (r && r->due <= now) {
		if (r->tries < b->tries && now - r->started < b->total_ns)
			return send_copy(b, r, now, buf, size, n);
		back_off(b, r, now);
		return give_up(b, r, now, n);
	}
	r = sky_callbook_oldest(b);
	if (r && r->due <= now)
		return sky_call_forget(c, n);
	sky_call_begin(n, NULL, 0, SKY_NOTHING, SKY_BY_NOBODY);
	return SKY_CALL_NOTHING;
}

uint64_t
sky_call_deadline(const struct sky_call *c)
{
	const struct call *b = const_call_of(c);
	const struct req *first = sky_callbook_due(b), *old = sky_callbook_oldest(b);
	uint64_t due = first ? first->due : SKY_CALL_NEVER;

	return old && old->due < due ? old->due : due;
}

unsigned
sky_call_open(const struct sky_call *c)
{
	return const_call_of(c)->n_open;
}

unsigned
sky_call_awaited(const struct sky_call *c)
{
	return const_call_of(c)->awaited;
}

int
sky_call_timer(const struct sky_call *c, const struct sky_addr *dst, struct sky_rto *out)
{
	const struct peer *p = sky_callbook_peer(const_call_of(c), dst);

	if (!p)
		return -ENOENT;
	*out = p->rto;
	return 0;
}
