/* SPDX-License-Identifier: BSD-2-Clause */
/* request_peer.c - counts the copies of requests; see request_peer.h. */
#include "request_peer.h"

#include <string.h>

void
request_peer_init(struct request_peer *p)
{
	memset(p, 0, sizeof(*p));
}

bool
request_peer_answer(struct request_peer *p, const struct sky_addr *from, void *data, size_t len)
{
	struct sky_call_head h;
	unsigned set, way, i;

	if (sky_call_head_decode(&h, data, len) < 0 || h.kind != SKY_CALL_REQUEST)
		return false;
	set = (unsigned)((h.id ^ sky_addr_hash(from)) % REQUEST_PEER_SETS);
	for (i = way = 0; i < REQUEST_PEER_WAYS; i++) {
		if (p->slot[set][i].used && p->slot[set][i].id == h.id &&
		    sky_addr_equal(&p->slot[set][i].from, from))
			break;
		if (p->slot[set][i].used < p->slot[set][way].used)
			way = i;
	}
	if (i == REQUEST_PEER_WAYS) {
		i = way;
		p->slot[set][i].from = *from;
		p->slot[set][i].id = h.id;
		p->slot[set][i].seen = p->slot[set][i].copies = 0;
	}
	p->slot[set][i].used = ++p->uses;
	p->slot[set][i].seen |= 1u << (h.nth - 1);
	p->slot[set][i].copies += p->slot[set][i].copies < UINT8_MAX;
	h.kind = SKY_CALL_REPLY;
	h.seen = p->slot[set][i].seen;
	h.copies = p->slot[set][i].copies;
	return sky_call_head_encode(&h, data, len) == SKY_CALL_HEAD;
}
