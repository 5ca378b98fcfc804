/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger.c - what was done to each packet, in memory that others may read. */
#include "engine.h"

#include <string.h>

static const char *const words[RT_DIDS] = {
	[RT_FORWARDED] = "forwarded",
	[RT_FRAGMENTED] = "fragmented",
	[RT_REASSEMBLED] = "reassembled",
	[RT_DELIVERED] = "delivered",
	[RT_NO_PORT] = "no-port",
	[RT_ORIGINATED] = "originated",
	[RT_NEIGHBOUR] = "neighbour",
	[RT_DUPLICATED] = "duplicated",
	[RT_REORDERED] = "reordered",
	[RT_CORRUPTED] = "corrupted",
	[RT_LOST] = "lost",
	[RT_QUEUE_FULL] = "queue-full",
	[RT_TTL] = "ttl",
	[RT_TOO_BIG] = "too-big",
	[RT_NO_ROUTE] = "no-route",
	[RT_ROUTE_UNREACHABLE] = "unreachable",
	[RT_ROUTE_PROHIBIT] = "prohibit",
	[RT_ROUTE_BLACKHOLE] = "blackhole",
	[RT_NO_NEIGHBOUR] = "no-neighbour",
	[RT_ANSWERED_ALL] = "answered-all",
	[RT_BAD_HEADER] = "bad-header",
	[RT_TOO_LONG_IN] = "too-long-in",
	[RT_NOT_FOR_US] = "not-for-us",
	[RT_REASSEMBLY_TIMEOUT] = "reassembly-timeout",
	[RT_ERROR_LIMITED] = "error-limited",
	[RT_ERROR_SILENT] = "error-silent",
	[RT_NO_BUFFER] = "no-buffer",
};

const char *
rt_did_word(enum rt_did d)
{
	return (unsigned)d < RT_DIDS ? words[d] : "unknown";
}

struct rt_record *
rt_write(struct rt *r, const struct rt_pkt *p, enum rt_did did, unsigned out, uint64_t now)
{
	uint64_t n = r->ledger->next;
	struct rt_record *rec = &r->ledger->record[n & (r->slots - 1)];

	r->ledger->count[did]++;
	__atomic_store_n(&rec->time_ns, 0, __ATOMIC_RELEASE);
	rec->due_ns = 0;
	rec->src = p->src;
	rec->dst = p->dst;
	rec->len = (uint16_t)p->len;
	rec->id = (uint16_t)p->id;
	rec->off = p->off;
	rec->mtu = 0;
	rec->proto = p->proto;
	rec->ttl = p->ttl;
	rec->in = p->in;
	rec->out = (uint8_t)out;
	rec->did = (uint8_t)did;
	rec->type = rec->code = 0;
	rec->flags = (uint8_t)((p->df ? RT_REC_DF : 0) | (p->more ? RT_REC_MORE : 0));
	__atomic_store_n(&rec->time_ns, now ? now : 1, __ATOMIC_RELEASE);
	__atomic_store_n(&r->ledger->next, n + 1, __ATOMIC_RELEASE);
	return rec;
}
