/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpdmsg.c - messages and their small records; see icmpdmsg.h. */
#include "proto/icmpdrec.h"

#include <errno.h>

int
sky_icmpdmsg_open(struct sky_icmpdmsg *m, const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t version = sky_rd_u8(&rd);
	uint32_t told;

	m->kind = sky_rd_u8(&rd);
	m->left = sky_rd_u16(&rd);
	told = sky_rd_u32(&rd);
	m->rd = rd;
	if (rd.cut || told != len || len > SKY_ICMPDMSG_MAX || m->left > SKY_ICMPDMSG_RECORDS)
		return -EBADMSG;
	return version == SKY_ICMPDMSG_VERSION ? 0 : -EPROTONOSUPPORT;
}

int
sky_icmpdrec_next(struct sky_icmpdmsg *m, struct sky_rd *rec)
{
	uint16_t len;

	if (!m->left)
		return sky_rd_left(&m->rd) ? -EBADMSG : 0;
	len = sky_rd_u16(&m->rd);
	if (m->rd.cut || len < 2)
		return -EBADMSG;
	*rec = sky_rd_part(&m->rd, len - 2u);
	m->left--;
	return m->rd.cut ? -EBADMSG : 1;
}

struct sky_addr
sky_icmpdrec_addr(struct sky_rd *r)
{
	struct sky_addr a = { .u.sa.sa_family = AF_UNSPEC };
	uint8_t family = sky_rd_u8(r);
	uint16_t port;

	sky_rd_u8(r);
	port = sky_rd_u16(r);
	if (family == 4) {
		a.u.in.sin_family = AF_INET;
		sky_rd_copy(r, &a.u.in.sin_addr, 4);
	} else if (family == 6) {
		a.u.in6.sin6_family = AF_INET6;
		sky_rd_copy(r, &a.u.in6.sin6_addr, 16);
		a.u.in6.sin6_scope_id = sky_rd_u32(r);
	} else if (family) {
		r->cut = true;
	}
	if (family)
		sky_addr_set_port(&a, port);
	return a;
}

void
sky_icmpdrec_put_addr(struct sky_wr *w, const struct sky_addr *a)
{
	int family = sky_addr_family(a);

	sky_wr_u8(w, family == AF_INET ? 4 : family == AF_INET6 ? 6 : 0);
	sky_wr_u8(w, 0);
	sky_wr_u16(w, family == AF_UNSPEC ? 0 : sky_addr_port(a));
	if (family == AF_INET) {
		sky_wr_bytes(w, &a->u.in.sin_addr, 4);
	} else if (family == AF_INET6) {
		sky_wr_bytes(w, &a->u.in6.sin6_addr, 16);
		sky_wr_u32(w, a->u.in6.sin6_scope_id);
	}
}

void
sky_icmpdmsg_begin(struct sky_icmpdmsg_out *o, enum sky_icmpdmsg_kind kind, void *buf, size_t size)
{
	o->wr = sky_wr_of(buf, size < SKY_ICMPDMSG_MAX ? size : SKY_ICMPDMSG_MAX);
	o->records = 0;
	sky_wr_u8(&o->wr, SKY_ICMPDMSG_VERSION);
	sky_wr_u8(&o->wr, (uint8_t)kind);
	sky_wr_zero(&o->wr, 6);
}

/* Where a record begins. */
struct sky_wr
sky_icmpdrec_begin(struct sky_icmpdmsg_out *o)
{
	struct sky_wr before = o->wr;

	if (o->records >= SKY_ICMPDMSG_RECORDS)
		o->wr.full = true;
	sky_wr_u16(&o->wr, 0);
	return before;
}

int
sky_icmpdrec_end(struct sky_icmpdmsg_out *o, struct sky_wr before)
{
	struct sky_wr head = sky_wr_of(before.at, 2);

	if (o->wr.full) {
		o->wr = before;
		return -ENOSPC;
	}
	sky_wr_u16(&head, (uint16_t)(o->wr.at - before.at));
	o->records++;
	return 0;
}

int
sky_icmpdmsg_put_record(struct sky_icmpdmsg_out *o, const void *record, size_t len)
{
	struct sky_wr before = o->wr;

	if (o->records >= SKY_ICMPDMSG_RECORDS)
		return -ENOSPC;
	sky_wr_bytes(&o->wr, record, len);
	if (o->wr.full) {
		o->wr = before;
		return -ENOSPC;
	}
	o->records++;
	return 0;
}

size_t
sky_icmpdmsg_end(struct sky_icmpdmsg_out *o)
{
	struct sky_wr head = sky_wr_of(o->wr.start, SKY_ICMPDMSG_HEAD);

	if (sky_wr_len(&o->wr) < SKY_ICMPDMSG_HEAD)
		return 0;
	sky_wr_room(&head, 2);
	sky_wr_u16(&head, o->records);
	sky_wr_u32(&head, (uint32_t)sky_wr_len(&o->wr));
	return sky_wr_len(&o->wr);
}

int
sky_icmpdmsg_next_hello(struct sky_icmpdmsg *m, uint32_t *flags)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);
	uint32_t magic;

	if (r <= 0)
		return r;
	magic = sky_rd_u32(&rec);
	*flags = sky_rd_u32(&rec);
	return rec.cut || magic != SKY_ICMPDMSG_MAGIC ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_hello(struct sky_icmpdmsg_out *o)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_wr_u32(&o->wr, SKY_ICMPDMSG_MAGIC);
	sky_wr_u32(&o->wr, 0);
	return sky_icmpdrec_end(o, before);
}

int
sky_icmpdmsg_next_pair(struct sky_icmpdmsg *m, uint64_t *a, uint64_t *b)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);

	if (r <= 0)
		return r;
	*a = sky_icmpdrec_u64(&rec);
	*b = sky_icmpdrec_u64(&rec);
	return rec.cut ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_pair(struct sky_icmpdmsg_out *o, uint64_t a, uint64_t b)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_icmpdrec_put_u64(&o->wr, a);
	sky_icmpdrec_put_u64(&o->wr, b);
	return sky_icmpdrec_end(o, before);
}

int
sky_icmpdmsg_next_result(struct sky_icmpdmsg *m, struct sky_icmpdmsg_result *out)
{
	struct sky_rd rec;
	int r = sky_icmpdrec_next(m, &rec);
	uint32_t err;

	if (r <= 0)
		return r;
	out->id = sky_rd_u32(&rec);
	out->cookie = sky_icmpdrec_u64(&rec);
	err = sky_rd_u32(&rec);
	out->err = err < 4096 ? -(int32_t)err : -EPROTO;
	return rec.cut ? -EBADMSG : 1;
}

int
sky_icmpdmsg_put_result(struct sky_icmpdmsg_out *o, const struct sky_icmpdmsg_result *r)
{
	struct sky_wr before = sky_icmpdrec_begin(o);

	sky_wr_u32(&o->wr, r->id);
	sky_icmpdrec_put_u64(&o->wr, r->cookie);
	sky_wr_u32(&o->wr, (uint32_t)-r->err);
	return sky_icmpdrec_end(o, before);
}
