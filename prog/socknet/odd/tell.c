/* SPDX-License-Identifier: BSD-2-Clause */
/* tell.c - answering ARP requests, well or badly. */
#include "part.h"

#include <string.h>

struct odd_buf *
odd_arp_buf(struct odd *o, const uint8_t *to, const struct sky_arp *a)
{
	struct odd_buf *b = odd_buf_new(o);
	struct sky_wr wr;

	if (!b)
		return NULL;
	odd_ether(b->frame, to, a->sha, SKY_LINK_ARP);
	wr = sky_wr_of(b->frame + ODD_ETHER, SKY_ARP_LEN);
	sky_arp_encode(a, &wr);
	b->len = ODD_ETHER + SKY_ARP_LEN;
	return b;
}

static struct odd_asker *
asker_of(struct odd *o, unsigned wire, const struct sky_arp *a)
{
	struct odd_asker *k;

	for (unsigned i = 0; i < ODD_ASKERS; i++) {
		k = &o->asker[i];
		if (k->used && k->wire == wire && !memcmp(k->addr, a->spa, 4))
			return k;
	}
	k = &o->asker[o->asker_turn++ % ODD_ASKERS];
	*k = (struct odd_asker){ .used = true, .wire = (uint8_t)wire, .flood_at = RT_NEVER };
	memcpy(k->addr, a->spa, 4);
	return k;
}

static void
answer(struct odd *o, const struct odd_asker *k, uint64_t due, uint64_t now)
{
	struct sky_arp a = { .op = SKY_ARP_REPLY };
	struct odd_buf *b;

	memcpy(a.sha, o->conf->wire[k->wire].mac, 6);
	memcpy(a.spa, k->own, 4);
	memcpy(a.tha, k->mac, 6);
	memcpy(a.tpa, k->addr, 4);
	b = odd_arp_buf(o, k->mac, &a);
	if (!b)
		return;
	odd_send(o, b, 2u * k->wire + 1, due);
	odd_note_arp(o, k->wire, &a, true, due, now);
}

void
odd_tell(struct odd *o, unsigned wire, const struct sky_arp *a, uint64_t now)
{
	const struct odd_manners *m = odd_manners(o);
	struct odd_asker *k = asker_of(o, wire, a);
	uint32_t times = m->arp_times ? m->arp_times : 1;
	bool silent;

	memcpy(k->mac, a->sha, 6);
	memcpy(k->own, a->tpa, 4);
	k->asked++;
	silent = m->arp_silent || (m->arp_only && k->asked % m->arp_only);
	if (!silent)
		odd_note_arp(o, wire, a, false, now, now)->flags |= RT_REC_ANSWERED;
	else
		odd_note_arp(o, wire, a, false, now, now);
	if (k->asked == 1) {
		times += m->arp_extra;
		if (m->arp_flood)
			k->flood_at = now + 1000000000u / m->arp_flood;
	}
	for (uint32_t i = 0; i < times && !silent; i++)
		answer(o, k, now + m->arp_late + i * m->arp_gap, now);
}

void
odd_tell_tick(struct odd *o, uint64_t now)
{
	const struct odd_manners *m = odd_manners(o);

	for (unsigned i = 0; i < ODD_ASKERS && m->arp_flood; i++) {
		struct odd_asker *k = &o->asker[i];

		for (unsigned n = 0; n < 64 && k->used && k->flood_at <= now; n++) {
			answer(o, k, now, now);
			k->flood_at += 1000000000u / m->arp_flood;
			if (++k->flooded >= m->arp_most)
				k->flood_at = RT_NEVER;
		}
	}
}

uint64_t
odd_tell_deadline(const struct odd *o)
{
	uint64_t due = RT_NEVER;

	for (unsigned i = 0; i < ODD_ASKERS && odd_manners(o)->arp_flood; i++)
		if (o->asker[i].used && o->asker[i].flood_at < due)
			due = o->asker[i].flood_at;
	return due;
}
