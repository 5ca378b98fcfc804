/* SPDX-License-Identifier: BSD-2-Clause */
/* engine.c - frames in, frames out, and the memory between. */
#include "engine.h"
#include "wire/link.h"

#include <string.h>

static size_t
room_of(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static size_t
frame_max(const struct rt_conf *c)
{
	size_t max = 1500;

	for (unsigned i = 0; i < c->ifaces; i++) {
		if (c->iface[i].mtu > max)
			max = c->iface[i].mtu;
		if (c->iface[i].mru > max)
			max = c->iface[i].mru;
	}
	/* what is put together, and errors, may be larger than any link */
	return room_of(max + RT_ETHER + 64);
}

static size_t
buf_size(size_t frame)
{
	return room_of(sizeof(struct rt_buf) + frame);
}

size_t
rt_room(const struct rt_conf *c, unsigned buffers)
{
	return room_of(sizeof(struct rt)) + 2 * room_of(RT_BIG) +
	    RT_WHOLES * room_of(sizeof(struct sky_reasm_slot)) + buffers * (buf_size(frame_max(c)) + sizeof(struct rt_buf *));
}

static const char *
conf_fault(const struct rt_conf *c)
{
	if (c->ifaces == 0 || c->ifaces > RT_IFACES)
		return "1 to 64 interfaces are possible";
	if (c->routes > RT_ROUTES)
		return "at most 256 routes are possible";
	for (unsigned i = 0; i < c->ifaces; i++)
		if (c->iface[i].mtu < 68 || c->iface[i].addrs > RT_IFADDRS)
			return "an interface needs an MTU of 68 or more and at most 8 addresses";
	for (unsigned i = 0; i < c->routes; i++) {
		const struct rt_route *t = &c->route[i];

		if (t->kind == RT_FORWARD && (t->hops == 0 || t->hops > RT_HOPS))
			return "a route needs 1 to 16 next hops";
		for (unsigned k = 0; k < t->hops; k++)
			if (t->hop[k].iface >= c->ifaces)
				return "a next hop names an interface that there is not";
	}
	return NULL;
}

struct rt *
rt_init(void *mem, const struct rt_conf *c, unsigned buffers,
    struct rt_ledger *ledger, uint32_t slots, const char **why)
{
	struct rt *r = mem;
	uint8_t *at = (uint8_t *)mem + room_of(sizeof(*r));

	*why = conf_fault(c);
	if (!*why && (slots == 0 || slots & (slots - 1)))
		*why = "the ledger's slots must be a power of two";
	if (*why)
		return NULL;
	memset(r, 0, sizeof(*r));
	memset(ledger, 0, sizeof(*ledger));
	ledger->magic = RT_MAGIC;
	ledger->size = sizeof(struct rt_record);
	ledger->slots = slots;
	r->conf = c;
	r->ledger = ledger;
	r->slots = slots;
	r->chance = c->seed ^ 0x9e3779b97f4a7c15u;
	r->frame_max = frame_max(c);
	r->whole = at;
	r->own = at += room_of(RT_BIG);
	r->slot = (struct sky_reasm_slot *)(void *)(at += room_of(RT_BIG));
	memset(r->slot, 0, RT_WHOLES * sizeof(*r->slot));
	sky_reasm_init(&r->reasm, r->slot, RT_WHOLES, RT_REASM_NS);
	r->reasm_at = RT_NEVER;
	at += RT_WHOLES * room_of(sizeof(*r->slot));
	r->heap = (struct rt_buf **)(void *)at;
	at += buffers * sizeof(*r->heap);
	r->fresh = at;
	r->left = r->buffers = buffers;
	return r;
}

struct rt_buf *
rt_buf_new(struct rt *r)
{
	struct rt_buf *b = r->free;

	if (b) {
		r->free = b->next;
	} else if (r->left) {
		b = (struct rt_buf *)(void *)r->fresh;
		r->fresh += buf_size(r->frame_max);
		r->left--;
	} else {
		r->ledger->count[RT_NO_BUFFER]++;
		return NULL;
	}
	memset(b, 0, sizeof(*b));
	return b;
}

void
rt_buf_free(struct rt *r, struct rt_buf *b)
{
	b->next = r->free;
	r->free = b;
}

/* SplitMix64. */
uint32_t
rt_chance(struct rt *r)
{
	uint64_t z = r->chance += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % 1000000);
}

bool
rt_happens(struct rt *r, uint32_t millionths)
{
	return millionths != 0 && rt_chance(r) < millionths;
}

void
rt_ready(struct rt *r, unsigned iface, const void *frame, size_t len)
{
	struct rt_frame *f = &r->ready[r->ready_to % RT_READY];

	if (r->ready_to - r->ready_at == RT_READY) {
		r->ledger->count[RT_NO_BUFFER]++;
		return;
	}
	*f = (struct rt_frame){ .iface = iface, .data = frame, .len = len };
	r->ready_to++;
}

static bool
is_for_us(const struct rt *r, unsigned iface, const uint8_t *mac, bool *group)
{
	*group = mac[0] & 1;
	return *group || memcmp(mac, r->conf->iface[iface].mac, 6) == 0;
}

static void
input_ip(struct rt *r, unsigned iface, uint8_t *ip, size_t len, bool group, uint64_t now)
{
	struct rt_pkt p = { .in = (uint8_t)iface, .group = group, .len = len };

	if (rt_pkt_parse(&p, ip, len) < 0) {
		rt_write(r, &p, RT_BAD_HEADER, RT_NONE, now);
		return;
	}
	if (r->conf->iface[iface].mru && p.len > r->conf->iface[iface].mru) {
		rt_write(r, &p, RT_TOO_LONG_IN, RT_NONE, now);
		return;
	}
	if (p.family == AF_INET6 && rt_neigh_nd(r, &p, now))
		return;
	rt_nat_in(r, &p, now);
	if (rt_route_is_own(r, &p.dst))
		rt_local(r, &p, now);
	else if (group || sky_addr_is_multicast(&p.dst))
		rt_write(r, &p, RT_NOT_FOR_US, RT_NONE, now);
	else
		rt_forward(r, &p, now);
}

void
rt_input(struct rt *r, unsigned iface, void *frame, size_t len, uint64_t now)
{
	struct sky_rd rd = sky_rd_of(frame, len);
	struct rt_pkt none = { .in = (uint8_t)iface, .len = len };
	struct sky_link link;
	uint8_t *data = frame;
	bool group;

	if (iface >= r->conf->ifaces || sky_link_decode(&link, &rd) < 0 || link.tags ||
	    !is_for_us(r, iface, link.dst, &group)) {
		rt_write(r, &none, RT_NOT_FOR_US, RT_NONE, now);
		return;
	}
	if (link.type == SKY_LINK_ARP)
		rt_neigh_arp(r, iface, data, len, now);
	else if (link.type == SKY_LINK_IP4 || link.type == SKY_LINK_IP6)
		input_ip(r, iface, data + RT_ETHER, len - RT_ETHER, group, now);
	else
		rt_write(r, &none, RT_NOT_FOR_US, RT_NONE, now);
}

/* --- what is due later: a heap by time, then by order of entry ----------- */

static bool
earlier(const struct rt_buf *a, const struct rt_buf *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void
swap(struct rt *r, unsigned i, unsigned k)
{
	struct rt_buf *b = r->heap[i];

	r->heap[i] = r->heap[k];
	r->heap[k] = b;
}

void
rt_later(struct rt *r, struct rt_buf *b, uint64_t due)
{
	unsigned i = r->heaped++;

	b->due = due;
	b->order = r->order++;
	r->heap[i] = b;
	for (; i > 0 && earlier(r->heap[i], r->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(r, i, (i - 1) / 2);
}

static struct rt_buf *
heap_pop(struct rt *r)
{
	struct rt_buf *b = r->heap[0];
	unsigned i = 0, k;

	r->heap[0] = r->heap[--r->heaped];
	while ((k = 2 * i + 1) < r->heaped) {
		if (k + 1 < r->heaped && earlier(r->heap[k + 1], r->heap[k]))
			k++;
		if (!earlier(r->heap[k], r->heap[i]))
			break;
		swap(r, i, k);
		i = k;
	}
	return b;
}

void
rt_lend(struct rt *r, struct rt_buf *b)
{
	b->next = r->given;
	r->given = b;
}

void
rt_give(struct rt *r, struct rt_buf *b)
{
	rt_ready(r, b->iface, b->frame, b->len);
	rt_lend(r, b);
}

bool
rt_output(struct rt *r, uint64_t now, struct rt_frame *out)
{
	rt_neigh_tick(r, now);
	rt_frag_tick(r, now);
	while (r->ready_at == r->ready_to && r->heaped && r->heap[0]->due <= now)
		rt_neigh_send(r, heap_pop(r), now);
	if (r->ready_at == r->ready_to)
		return false;
	*out = r->ready[r->ready_at++ % RT_READY];
	return true;
}

/* A frame that was made ready but not yet asked for keeps its buffer. */
void
rt_recycle(struct rt *r)
{
	struct rt_buf *b;

	if (r->ready_at != r->ready_to)
		return;
	while ((b = r->given) != NULL) {
		r->given = b->next;
		rt_buf_free(r, b);
	}
}

uint64_t
rt_deadline(const struct rt *r)
{
	uint64_t a = rt_neigh_deadline(r), b = rt_frag_deadline(r);
	uint64_t c = r->heaped ? r->heap[0]->due : RT_NEVER;

	if (r->ready_at != r->ready_to)
		return 0;
	a = a < b ? a : b;
	return a < c ? a : c;
}
