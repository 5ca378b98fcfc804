/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line.c - the way out: loss, corruption, duplication, a slow link with a
 * bounded queue, delay, jitter and reordering, in this order, as told.
 */
#include "engine.h"
#include "wire/cksum.h"
#include "wire/ip.h"

#include <string.h>

/* What is said in the name of the machine at that end does not cross the line. */
static const struct rt_harm *
harm_of(const struct rt *r, const struct rt_pkt *p, unsigned iface)
{
	static const struct rt_harm none;
	const struct rt_iface *f = &r->conf->iface[iface];
	const struct sky_addr *from = p->family == AF_INET ? &f->answer_from4 : &f->answer_from6;

	return p->in == RT_NONE && sky_addr_family(from) != AF_UNSPEC ? &none : &f->harm;
}

static bool
is_lost(struct rt *r, const struct rt_harm *h, struct rt_line *line)
{
	uint64_t n = ++line->seen;

	return n <= h->drop_first || (h->drop_every && n % h->drop_every == 0) ||
	    rt_happens(r, h->loss);
}

/* Turns one bit behind the IP header; mended checksums make it invisible to
 * everybody but the receiver who compares. */
static void
corrupt(struct rt *r, struct rt_pkt *p, bool mend)
{
	size_t skip = p->proto == IPPROTO_UDP ? 8 : p->proto == IPPROTO_TCP ? 20 : 0;
	size_t body = p->hlen + (p->off ? 0 : skip);
	size_t at;
	uint16_t was, is, sum;
	uint8_t *field = p->ip + p->hlen + (p->proto == IPPROTO_UDP ? 6 : 16);

	if (p->len < body + 2)
		return;
	at = body + (rt_chance(r) % ((p->len - body) / 2)) * 2;
	was = (uint16_t)(p->ip[at] << 8 | p->ip[at + 1]);
	p->ip[at + rt_chance(r) % 2] ^= (uint8_t)(1u << rt_chance(r) % 8);
	is = (uint16_t)(p->ip[at] << 8 | p->ip[at + 1]);
	if (!mend || p->off || (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP))
		return;
	sum = (uint16_t)(field[0] << 8 | field[1]);
	if (p->proto == IPPROTO_UDP && sum == 0)
		return;
	/* at is even from the payload on, and both headers are even */
	sum = sky_cksum_update(sum, was, is);
	if (p->proto == IPPROTO_UDP && sum == 0)
		sum = 0xffff;
	field[0] = (uint8_t)(sum >> 8);
	field[1] = (uint8_t)sum;
}

/* When the slow link has sent it; false: its queue is full. */
static bool
slow(struct rt_line *line, const struct rt_harm *h, size_t len, uint64_t now, uint64_t *due)
{
	uint64_t start = line->free_at > now ? line->free_at : now;
	uint64_t waiting = (start - now) / 8 * h->rate_bps / 1000000000u;

	if (waiting + len > h->queue && start > now)
		return false;
	line->free_at = start + len * 8 * 1000000000u / h->rate_bps;
	*due = line->free_at;
	return true;
}

static uint64_t
when(struct rt *r, struct rt_pkt *p, unsigned iface, uint64_t due, uint64_t now)
{
	const struct rt_harm *h = harm_of(r, p, iface);
	struct rt_line *line = &r->line[iface];

	if (h != &r->conf->iface[iface].harm)
		return due;
	due += h->delay_ns;
	if (h->jitter_ns)
		due += h->jitter_ns / 1000000 * rt_chance(r) +
		    h->jitter_ns % 1000000 * rt_chance(r) / 1000000;
	if (rt_happens(r, h->reorder)) {
		rt_write(r, p, RT_REORDERED, iface, now);
		return due + h->reorder_ns;
	}
	if (due < line->last_due)
		due = line->last_due;
	line->last_due = due;
	return due;
}

static struct rt_buf *
copy_of(struct rt *r, const struct rt_pkt *p, unsigned iface, const struct sky_addr *hop)
{
	struct rt_buf *b;

	if (p->len + RT_ETHER > r->frame_max || !(b = rt_buf_new(r)))
		return NULL;
	memcpy(b->frame + RT_ETHER, p->ip, p->len);
	b->len = (uint32_t)(p->len + RT_ETHER);
	b->iface = (uint8_t)iface;
	b->hop = *hop;
	b->pkt = *p;
	b->pkt.ip = b->frame + RT_ETHER;
	b->pkt.scratch = false;
	return b;
}

/* Now and without a copy, when nothing asks for more. */
static bool
at_once(struct rt *r, struct rt_pkt *p, unsigned iface, const struct sky_addr *hop, uint64_t due,
    uint64_t now)
{
	uint8_t *frame = p->ip - RT_ETHER;

	if (p->scratch || due > now || !rt_neigh_fill(r, iface, hop, p->family, frame))
		return false;
	rt_ready(r, iface, frame, p->len + RT_ETHER);
	return true;
}

static void
leave(struct rt *r, struct rt_pkt *p, unsigned iface, const struct sky_addr *hop,
    enum rt_did did, uint64_t due, uint64_t now)
{
	struct rt_record *rec = rt_write(r, p, did, iface, now);
	struct rt_buf *b;

	due = when(r, p, iface, due, now);
	rec->due_ns = due;
	if (did != RT_DUPLICATED && at_once(r, p, iface, hop, due, now))
		return;
	if ((b = copy_of(r, p, iface, hop)) != NULL)
		rt_later(r, b, due);
}

void
rt_line_send(struct rt *r, struct rt_pkt *p, unsigned iface, const struct sky_addr *hop,
    enum rt_did did, uint64_t now)
{
	const struct rt_harm *h = harm_of(r, p, iface);
	struct rt_line *line = &r->line[iface];
	struct rt_record *rec;
	uint64_t due = now;

	if (is_lost(r, h, line)) {
		rt_write(r, p, RT_LOST, iface, now);
		return;
	}
	if (rt_happens(r, h->corrupt)) {
		corrupt(r, p, h->mend_sums);
		rt_write(r, p, RT_CORRUPTED, iface, now);
	}
	if (h->rate_bps && !slow(line, h, p->len, now, &due)) {
		rec = rt_write(r, p, RT_QUEUE_FULL, iface, now);
		if (r->conf->manners.quench && p->family == AF_INET)
			rt_answer_about(r, rec, p, 4, 0, 0, now);
		return;
	}
	if (rt_happens(r, h->duplicate))
		leave(r, p, iface, hop, RT_DUPLICATED, due, now);
	leave(r, p, iface, hop, did, due, now);
}
