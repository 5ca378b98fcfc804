/* SPDX-License-Identifier: BSD-2-Clause */
/* ask.c - finding a neighbour by ARP, and what waits for it meanwhile. */
#include "part.h"

#include <string.h>

static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };

static struct odd_hop *
find(struct odd *o, unsigned wire, const uint8_t addr[4])
{
	for (unsigned i = 0; i < ODD_HOPS; i++) {
		struct odd_hop *h = &o->hop[i];

		if (h->used && h->wire == wire && !memcmp(h->addr, addr, 4))
			return h;
	}
	return NULL;
}

static void
drop_oldest(struct odd *o, struct odd_hop *h, enum rt_did did, uint64_t now)
{
	struct odd_buf *b = h->first;

	odd_note(o, &b->pkt, did, 255, now);
	h->first = b->next;
	if (!h->first)
		h->last = &h->first;
	h->kept--;
	odd_buf_free(o, b);
}

static struct odd_hop *
add(struct odd *o, unsigned wire, const uint8_t addr[4], uint64_t now)
{
	struct odd_hop *h = &o->hop[o->hop_turn++ % ODD_HOPS];

	while (h->used && h->kept)
		drop_oldest(o, h, RT_NO_NEIGHBOUR, now);
	*h = (struct odd_hop){ .used = true, .wire = (uint8_t)wire, .next = RT_NEVER };
	h->last = &h->first;
	memcpy(h->addr, addr, 4);
	return h;
}

static void
ask(struct odd *o, struct odd_hop *h, uint64_t now)
{
	const struct odd_wire *w = &o->conf->wire[h->wire];
	struct sky_arp a = { .op = SKY_ARP_REQUEST };
	struct odd_buf *b;

	memcpy(a.sha, w->mac, 6);
	memcpy(a.tpa, h->addr, 4);
	if (w->addrs)
		memcpy(a.spa, w->addr[0], 4);
	h->next = now + ODD_ASK_NS;
	h->tries++;
	b = odd_arp_buf(o, everybody, &a);
	if (!b)
		return;
	odd_send(o, b, 2u * h->wire + 1, now);
	odd_note_arp(o, h->wire, &a, true, now, now);
}

static void
transmit(struct odd *o, const struct odd_hop *h, struct odd_buf *b, uint64_t now)
{
	unsigned port = 2u * h->wire + 1;

	odd_ether(b->frame, h->mac, o->conf->wire[h->wire].mac, SKY_LINK_IP4);
	odd_note(o, &b->pkt, RT_FORWARDED, port, now);
	odd_send(o, b, port, now);
}

void
odd_ask_send(struct odd *o, struct odd_buf *b, unsigned wire, const uint8_t addr[4], uint64_t now)
{
	const struct odd_manners *m = odd_manners(o);
	unsigned keep = m->arp_keep ? m->arp_keep : ODD_KEEP;
	struct odd_hop *h = find(o, wire, addr);

	if (h && h->known) {
		transmit(o, h, b, now);
		return;
	}
	if (!h)
		h = add(o, wire, addr, now);
	if (h->kept >= keep)
		drop_oldest(o, h, RT_QUEUE_FULL, now);
	b->next = NULL;
	*h->last = b;
	h->last = &b->next;
	h->kept++;
	if (m->arp_each || h->tries == 0)
		ask(o, h, now);
}

/* Whoever sends an ARP message says where he is. Only who was asked for is
 * taken in, or who is known already. */
void
odd_ask_heard(struct odd *o, unsigned wire, const struct sky_arp *a, uint64_t now)
{
	struct odd_hop *h = find(o, wire, a->spa);
	struct odd_buf *b;

	if (!h)
		return;
	memcpy(h->mac, a->sha, 6);
	h->known = true;
	h->tries = 0;
	h->next = RT_NEVER;
	while ((b = h->first)) {
		h->first = b->next;
		transmit(o, h, b, now);
	}
	h->last = &h->first;
	h->kept = 0;
}

/* With one request for each packet nothing is asked again; what waits is given
 * up after as long. */
void
odd_ask_tick(struct odd *o, uint64_t now)
{
	bool again = !odd_manners(o)->arp_each;

	for (unsigned i = 0; i < ODD_HOPS; i++) {
		struct odd_hop *h = &o->hop[i];

		if (!h->used || h->known || now < h->next)
			continue;
		if (again && h->tries < ODD_ASKS) {
			ask(o, h, now);
			continue;
		}
		while (h->kept)
			drop_oldest(o, h, RT_NO_NEIGHBOUR, now);
		h->used = false;
	}
}

uint64_t
odd_ask_deadline(const struct odd *o)
{
	uint64_t due = RT_NEVER;

	for (unsigned i = 0; i < ODD_HOPS; i++)
		if (o->hop[i].used && !o->hop[i].known && o->hop[i].next < due)
			due = o->hop[i].next;
	return due;
}
