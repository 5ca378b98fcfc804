/* SPDX-License-Identifier: BSD-2-Clause */
/* odd.c - buffers, what is due when, and which way a frame goes. */
#include "part.h"

#include <string.h>

static size_t
largest_frame(const struct odd_conf *c)
{
	size_t mtu = 0;

	for (unsigned i = 0; i < c->wires && i < ODD_WIRES; i++)
		if (c->wire[i].mtu > mtu)
			mtu = c->wire[i].mtu;
	return (ODD_ETHER + mtu + 4 + 15) & ~(size_t)15;	/* and a VLAN tag */
}

static size_t
buffer_size(const struct odd_conf *c)
{
	return (sizeof(struct odd_buf) + largest_frame(c) + 15) & ~(size_t)15;
}

size_t
odd_room(const struct odd_conf *c, unsigned buffers)
{
	return ((sizeof(struct odd) + 15) & ~(size_t)15) + buffers * buffer_size(c);
}

static const char *
nonsense(const struct odd_conf *c, uint32_t slots)
{
	const struct odd_manners *m = &c->manners;

	if (c->wires == 0 || c->wires > ODD_WIRES)
		return "1 to 8 wires";
	for (unsigned i = 0; i < c->wires; i++)
		if (c->wire[i].mtu < 68 || c->wire[i].addrs > ODD_ADDRS)
			return "an MTU of at least 68, at most 8 addresses";
	if (slots == 0 || slots & (slots - 1))
		return "a ledger of a power of two";
	if (m->arp_keep > ODD_KEEP || m->arp_times > ODD_TIMES || m->arp_extra > ODD_TIMES)
		return "at most 64 packets kept, 16 answers";
	if (m->guess && m->guess < 68)
		return "a guess of at least 68";
	return NULL;
}

struct odd *
odd_init(void *mem, const struct odd_conf *c, unsigned buffers, struct rt_ledger *ledger,
    uint32_t slots, const char **why)
{
	uint8_t *at = (uint8_t *)mem + ((sizeof(struct odd) + 15) & ~(size_t)15);
	struct odd *o = mem;

	*why = nonsense(c, slots);
	if (*why)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->conf = c;
	o->ledger = ledger;
	o->slots = slots;
	o->frame_max = largest_frame(c);
	o->id = (uint16_t)c->manners.id;
	odd_join_init(o);
	for (unsigned i = 0; i < buffers; i++)
		odd_buf_free(o, (struct odd_buf *)(void *)(at + i * buffer_size(c)));
	memset(ledger, 0, sizeof(*ledger) + slots * sizeof(ledger->record[0]));
	ledger->magic = RT_MAGIC;
	ledger->size = sizeof(struct rt_record);
	ledger->slots = slots;
	return o;
}

struct odd_buf *
odd_buf_new(struct odd *o)
{
	struct odd_buf *b = o->free;

	if (!b) {
		o->ledger->count[RT_NO_BUFFER]++;
		return NULL;
	}
	o->free = b->next;
	b->next = NULL;
	return b;
}

void
odd_buf_free(struct odd *o, struct odd_buf *b)
{
	b->next = o->free;
	o->free = b;
}

void
odd_send(struct odd *o, struct odd_buf *b, unsigned port, uint64_t due)
{
	struct odd_buf **at = &o->first;

	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	b->port = (uint8_t)port;
	b->due = due;
	b->next = *at;
	*at = b;
}

static void
note_pass(struct odd *o, unsigned in, const uint8_t *frame, size_t len, enum rt_did did,
    uint64_t now)
{
	struct sky_rd rd = sky_rd_of(frame, len);
	struct sky_link link;
	struct sky_arp a;
	struct odd_pkt p;

	if (sky_link_decode(&link, &rd))
		return;
	if (link.type == SKY_LINK_ARP && !sky_arp_decode(&a, &rd)) {
		odd_note_arp(o, in / 2, &a, in % 2 == 0, now, now);
	} else if (link.type == SKY_LINK_IP4 || link.type == SKY_LINK_IP6) {
		odd_pkt_of(&p, rd.at, sky_rd_left(&rd), in);
		odd_note(o, &p, did, did == RT_TOO_BIG ? 255 : in ^ 1, now);
	}
}

void
odd_pass(struct odd *o, unsigned in, const uint8_t *frame, size_t len, uint64_t now)
{
	struct odd_buf *b;

	if (len > o->frame_max) {
		note_pass(o, in, frame, len, RT_TOO_BIG, now);
		return;
	}
	b = odd_buf_new(o);
	if (!b)
		return;
	note_pass(o, in, frame, len, in % 2 ? RT_DELIVERED : RT_FORWARDED, now);
	memcpy(b->frame, frame, len);
	b->len = (uint32_t)len;
	odd_send(o, b, in ^ 1, now);
}

bool
odd_is_own(const struct odd *o, unsigned wire, const uint8_t addr[4])
{
	const struct odd_wire *w = &o->conf->wire[wire];

	for (unsigned i = 0; i < w->addrs; i++)
		if (!memcmp(w->addr[i], addr, 4))
			return true;
	return false;
}

void
odd_ether(uint8_t *frame, const uint8_t *dst, const uint8_t *src, uint16_t type)
{
	struct sky_wr wr = sky_wr_of(frame, ODD_ETHER);

	sky_wr_bytes(&wr, dst, 6);
	sky_wr_bytes(&wr, src, 6);
	sky_wr_u16(&wr, type);
}

void
odd_input(struct odd *o, unsigned port, void *frame, size_t len, uint64_t now)
{
	unsigned wire = port / 2;

	if (len < ODD_ETHER || wire >= o->conf->wires)
		return;
	if (port % 2)
		odd_up(o, wire, frame, len, now);
	else
		odd_down(o, wire, frame, len, now);
}

bool
odd_output(struct odd *o, uint64_t now, struct rt_frame *out)
{
	struct odd_buf *b;

	odd_ask_tick(o, now);
	odd_tell_tick(o, now);
	b = o->first;
	if (!b || b->due > now)
		return false;
	o->first = b->next;
	*out = (struct rt_frame){ .iface = b->port, .data = b->frame, .len = b->len };
	b->next = o->given;
	o->given = b;
	return true;
}

void
odd_recycle(struct odd *o)
{
	struct odd_buf *b;

	while ((b = o->given)) {
		o->given = b->next;
		odd_buf_free(o, b);
	}
}

uint64_t
odd_deadline(const struct odd *o)
{
	uint64_t due = o->first ? o->first->due : RT_NEVER;
	uint64_t ask = odd_ask_deadline(o), tell = odd_tell_deadline(o);

	due = ask < due ? ask : due;
	return tell < due ? tell : due;
}
