/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpdrec.c - the records of icmpd's messages that have many members. */
#include "proto/icmpdrec.h"

#include <errno.h>
#include <string.h>

int
sky_icmpdmsg_next_socket(struct sky_icmpdmsg *m, struct sky_icmpdmsg_socket *out)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);
	uint8_t family;

	if (r <= 0)
		return r;
	memset(out, 0, sizeof(*out));
	out->id = sky_rd_u32(&rec);
	out->cookie = sky_icmpdrec_u64(&rec);
	out->proto = sky_rd_u8(&rec);
	family = sky_rd_u8(&rec);
	out->family = family == 4 ? AF_INET : AF_INET6;
	out->flags = sky_rd_u8(&rec);
	sky_rd_u8(&rec);
	out->ifindex = sky_rd_u32(&rec);
	out->local = sky_icmpdrec_addr(&rec);
	out->remote = sky_icmpdrec_addr(&rec);
	return rec.cut || (family != 4 && family != 6) ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_socket(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_socket *s)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_wr_u32(&o->wr, s->id);
	sky_icmpdrec_put_u64(&o->wr, s->cookie);
	sky_wr_u8(&o->wr, s->proto);
	sky_wr_u8(&o->wr, s->family == AF_INET ? 4 : 6);
	sky_wr_u8(&o->wr, s->flags);
	sky_wr_u8(&o->wr, 0);
	sky_wr_u32(&o->wr, s->ifindex);
	sky_icmpdrec_put_addr(&o->wr, &s->local);
	sky_icmpdrec_put_addr(&o->wr, &s->remote);
	return sky_icmpdrec_end(o, before);
}

static bool
prefix_makes_sense(const struct sky_icmpd_filter *f)
{
	int family = sky_addr_family(&f->prefix);

	return f->bits <= (family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0);
}

int
sky_icmpdmsg_next_filter(struct sky_icmpdmsg *m, struct sky_icmpd_filter *out)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);

	if (r <= 0)
		return r;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->proto = sky_rd_u8(&rec);
	out->bits = sky_rd_u8(&rec);
	out->port = sky_rd_u16(&rec);
	out->fates = sky_icmpdrec_u64(&rec);
	out->prefix = sky_icmpdrec_addr(&rec);
	return rec.cut || !prefix_makes_sense(out) ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_filter(struct sky_icmpdmsg_out *o, const struct sky_icmpd_filter *f)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_wr_u8(&o->wr, f->proto);
	sky_wr_u8(&o->wr, f->bits);
	sky_wr_u16(&o->wr, f->port);
	sky_icmpdrec_put_u64(&o->wr, f->fates);
	sky_icmpdrec_put_addr(&o->wr, &f->prefix);
	return sky_icmpdrec_end(o, before);
}

int
sky_icmpdmsg_next_client(struct sky_icmpdmsg *m, struct sky_icmpd_client *out)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);

	if (r <= 0)
		return r;
	memset(out, 0, sizeof(*out));
	out->pid = sky_rd_u32(&rec);
	out->uid = sky_rd_u32(&rec);
	out->sockets = sky_rd_u32(&rec);
	out->waiting = sky_rd_u32(&rec);
	out->delivered = sky_icmpdrec_u64(&rec);
	out->dropped = sky_icmpdrec_u64(&rec);
	out->watching = sky_rd_u8(&rec) != 0;
	return rec.cut ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_client(struct sky_icmpdmsg_out *o, const struct sky_icmpd_client *c)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_wr_u32(&o->wr, c->pid);
	sky_wr_u32(&o->wr, c->uid);
	sky_wr_u32(&o->wr, c->sockets);
	sky_wr_u32(&o->wr, c->waiting);
	sky_icmpdrec_put_u64(&o->wr, c->delivered);
	sky_icmpdrec_put_u64(&o->wr, c->dropped);
	sky_wr_u8(&o->wr, c->watching);
	return sky_icmpdrec_end(o, before);
}

static void
take_owner(struct sky_rd *r, struct sky_icmpd_owner *w)
{
	uint8_t bits;

	w->cookie = sky_icmpdrec_u64(r);
	w->cgroup = sky_icmpdrec_u64(r);
	w->inode = sky_rd_u32(r);
	w->uid = sky_rd_u32(r);
	bits = sky_rd_u8(r);
	w->known = bits & 1;
	w->delivered = bits & 2;
}

static void
put_owner(struct sky_wr *wr, const struct sky_icmpd_owner *w)
{
	sky_icmpdrec_put_u64(wr, w->cookie);
	sky_icmpdrec_put_u64(wr, w->cgroup);
	sky_wr_u32(wr, w->inode);
	sky_wr_u32(wr, w->uid);
	sky_wr_u8(wr, (uint8_t)(w->known | w->delivered << 1));
}

/* The members that are one byte, four, eight, in the order of the struct. */
static const uint16_t bytes1[] = {
	offsetof(struct sky_fate, what), offsetof(struct sky_fate, evidence),
	offsetof(struct sky_fate, trust), offsetof(struct sky_fate, origin),
	offsetof(struct sky_fate, proto), offsetof(struct sky_fate, icmp_type),
	offsetof(struct sky_fate, icmp_code), offsetof(struct sky_fate, hop),
};
static const uint16_t bytes4[] = {
	offsetof(struct sky_fate, have), offsetof(struct sky_fate, flags),
	offsetof(struct sky_fate, err), offsetof(struct sky_fate, ifindex),
	offsetof(struct sky_fate, mtu), offsetof(struct sky_fate, pointer),
	offsetof(struct sky_fate, pid), offsetof(struct sky_fate, len),
	offsetof(struct sky_fate, full_len),
};
static const uint16_t bytes8[] = {
	offsetof(struct sky_fate, time_ns), offsetof(struct sky_fate, rtt_ns),
	offsetof(struct sky_fate, seq), offsetof(struct sky_fate, tag),
	offsetof(struct sky_fate, id), offsetof(struct sky_fate, count),
};
#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void
take_numbers(struct sky_rd *r, struct sky_fate *f)
{
	char *base = (char *)f;

	for (size_t i = 0; i < ROWS(bytes1); i++)
		*(uint8_t *)(base + bytes1[i]) = sky_rd_u8(r);
	for (size_t i = 0; i < ROWS(bytes4); i++) {
		uint32_t v = sky_rd_u32(r);

		memcpy(base + bytes4[i], &v, sizeof(v));
	}
	for (size_t i = 0; i < ROWS(bytes8); i++) {
		uint64_t v = sky_icmpdrec_u64(r);

		memcpy(base + bytes8[i], &v, sizeof(v));
	}
}

static void
put_numbers(struct sky_wr *w, const struct sky_fate *f)
{
	const char *base = (const char *)f;
	uint32_t v4;
	uint64_t v8;

	for (size_t i = 0; i < ROWS(bytes1); i++)
		sky_wr_u8(w, *(const uint8_t *)(base + bytes1[i]));
	for (size_t i = 0; i < ROWS(bytes4); i++) {
		memcpy(&v4, base + bytes4[i], sizeof(v4));
		sky_wr_u32(w, v4);
	}
	for (size_t i = 0; i < ROWS(bytes8); i++) {
		memcpy(&v8, base + bytes8[i], sizeof(v8));
		sky_icmpdrec_put_u64(w, v8);
	}
}

static void
take_bytes(struct sky_rd *r, const void **at, uint32_t *len)
{
	*len = sky_rd_u16(r);
	*at = sky_rd_take(r, *len);
	if (!*len)
		*at = NULL;
}

/* Of the enums only those are checked that index a table without a question. */
static bool
enums_make_sense(const struct sky_fate *f)
{
	return f->evidence < SKY_EVIDENCES && f->trust <= SKY_TRUST_SHORT;
}

int
sky_icmpdmsg_next_fate(struct sky_icmpdmsg *m, struct sky_icmpdmsg_fate *out)
{
	struct sky_fate *f = &out->fate;
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);

	if (r <= 0)
		return r;
	memset(out, 0, sizeof(*out));
	out->id = sky_rd_u32(&rec);
	take_owner(&rec, &out->owner);
	f->size = sizeof(*f);
	take_numbers(&rec, f);
	f->dst = sky_icmpdrec_addr(&rec);
	f->src = sky_icmpdrec_addr(&rec);
	f->by = sky_icmpdrec_addr(&rec);
	take_bytes(&rec, &f->quote, &f->quote_len);
	take_bytes(&rec, &f->ext, &f->ext_len);
	return rec.cut || !enums_make_sense(f) ? -EBADMSG : 1;
}

/* The quote keeps at least half of the room, so that a long extension cannot
 * make it too short to be vouched for. */
static void
put_bytes(struct sky_wr *w, const struct sky_fate *f)
{
	uint32_t quote = f->quote ? f->quote_len : 0, ext = f->ext ? f->ext_len : 0;

	if (ext > SKY_ICMPD_QUOTE / 2)
		ext = SKY_ICMPD_QUOTE / 2;
	if (quote > SKY_ICMPD_QUOTE - ext)
		quote = SKY_ICMPD_QUOTE - ext;
	sky_wr_u16(w, (uint16_t)quote);
	sky_wr_bytes(w, f->quote, quote);
	sky_wr_u16(w, (uint16_t)ext);
	sky_wr_bytes(w, f->ext, ext);
}

static bool
is_cut(const struct sky_fate *f)
{
	uint32_t ext = f->ext ? f->ext_len : 0;

	return ext > SKY_ICMPD_QUOTE / 2 || (f->quote && f->quote_len > SKY_ICMPD_QUOTE - ext);
}

int
sky_icmpdmsg_put_fate(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_fate *f)
{
	struct sky_wr before = sky_icmpdrec_begin(o);
	struct sky_fate numbers = f->fate;

	if (is_cut(&numbers))
		numbers.flags |= SKY_FATE_QUOTE_CUT;
	sky_wr_u32(&o->wr, f->id);
	put_owner(&o->wr, &f->owner);
	put_numbers(&o->wr, &numbers);
	sky_icmpdrec_put_addr(&o->wr, &numbers.dst);
	sky_icmpdrec_put_addr(&o->wr, &numbers.src);
	sky_icmpdrec_put_addr(&o->wr, &numbers.by);
	put_bytes(&o->wr, &numbers);
	return sky_icmpdrec_end(o, before);
}
