/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpext.c - the extension structure of ICMP errors. */
#include "wire/icmpext.h"

#include <errno.h>

#define LEGACY_AT 128
#define HEAD 4

int
sky_icmpext_decode(struct sky_icmpext *ext, const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t version = sky_rd_u8(&rd) >> 4;
	uint16_t sum;

	sky_rd_u8(&rd);
	sum = sky_rd_u16(&rd);
	*ext = (struct sky_icmpext){ .at = data, .len = len, .state = SKY_CKSUM_BAD };
	if (rd.cut)
		return -EMSGSIZE;
	if (!sum)
		ext->state = SKY_CKSUM_NONE;
	else if (sky_cksum_of(data, len) == 0)
		ext->state = SKY_CKSUM_GOOD;
	return version == 2 ? 0 : -EINVAL;
}

int
sky_icmpext_find(struct sky_icmpext *ext, size_t *quote_len, int family,
    const struct sky_icmp *m, const void *body, size_t len)
{
	size_t at = sky_icmp_quote_len(family, m);
	bool guess = !at && sky_icmp_extends(family, m->type);
	struct sky_rd rd = sky_rd_of(body, len);
	int ret;

	*quote_len = len;
	*ext = (struct sky_icmpext){ .state = SKY_CKSUM_NONE };
	if (guess)
		at = LEGACY_AT;
	if (!at || !sky_rd_take(&rd, at) || sky_rd_left(&rd) < HEAD)
		return 0;
	ret = sky_icmpext_decode(ext, rd.at, sky_rd_left(&rd));
	if (ret != 0 || (guess && ext->state != SKY_CKSUM_GOOD)) {
		*ext = (struct sky_icmpext){ .state = SKY_CKSUM_NONE };
		return 0;
	}
	ext->guessed = guess;
	*quote_len = at;
	return 1;
}

struct sky_rd
sky_icmpext_objects(const struct sky_icmpext *ext)
{
	struct sky_rd rd = sky_rd_of(ext->at, ext->at ? ext->len : 0);

	if (ext->at)
		sky_rd_take(&rd, HEAD);
	return rd;
}

int
sky_icmpext_next(struct sky_rd *objects, struct sky_icmpext_obj *obj)
{
	uint16_t len;

	if (!sky_rd_left(objects))
		return 0;
	len = sky_rd_u16(objects);
	obj->class = sky_rd_u8(objects);
	obj->type = sky_rd_u8(objects);
	if (objects->cut || len < HEAD || len - HEAD > (ptrdiff_t)sky_rd_left(objects))
		return -EINVAL;
	obj->len = (uint16_t)(len - HEAD);
	obj->data = sky_rd_take(objects, obj->len);
	return 1;
}

int
sky_mpls_next(struct sky_rd *stack, struct sky_mpls *out)
{
	uint32_t v;

	if (!sky_rd_left(stack))
		return 0;
	v = sky_rd_u32(stack);
	out->label = v >> 12;
	out->tc = v >> 9 & 7;
	out->bottom = v >> 8 & 1;
	out->ttl = (uint8_t)v;
	return stack->cut ? 0 : 1;
}

int
sky_mpls_encode(const struct sky_mpls *in, struct sky_wr *wr)
{
	sky_wr_u32(wr, in->label << 12 | (in->tc & 7u) << 9 | (uint32_t)in->bottom << 8 | in->ttl);
	return wr->full ? -ENOSPC : 0;
}

/* RFC 5837 4.2: address family number, reserved, address. */
static int
if_addr(struct sky_addr *a, struct sky_rd *rd)
{
	uint16_t afi = sky_rd_u16(rd);

	sky_rd_u16(rd);
	if (afi == 1) {
		a->u.in.sin_family = AF_INET;
		sky_rd_copy(rd, &a->u.in.sin_addr, 4);
	} else if (afi == 2) {
		a->u.in6.sin6_family = AF_INET6;
		sky_rd_copy(rd, &a->u.in6.sin6_addr, 16);
	} else {
		return -EINVAL;
	}
	return rd->cut ? -EINVAL : 0;
}

/* RFC 5837 4.3: a length that counts itself, at most 64, a multiple of 4. */
static int
if_name(char name[static SKY_IF_NAMESIZE], struct sky_rd *rd)
{
	uint8_t len = sky_rd_u8(rd);

	if (rd->cut || len < 1 || len > SKY_IF_NAMESIZE || len % 4)
		return -EINVAL;
	sky_rd_copy(rd, name, len - (size_t)1);
	return rd->cut ? -EINVAL : 0;
}

int
sky_icmpext_if_decode(struct sky_icmpext_if *f, const struct sky_icmpext_obj *obj)
{
	struct sky_rd rd = sky_rd_of(obj->data, obj->len);

	*f = (struct sky_icmpext_if){ .role = obj->type >> 6 };
	if (obj->class != SKY_ICMPEXT_INTERFACE)
		return -EINVAL;
	if (obj->type & SKY_IF_INDEX)
		f->index = sky_rd_u32(&rd);
	if (rd.cut)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_INDEX;
	if (obj->type & SKY_IF_ADDR && if_addr(&f->addr, &rd) != 0) {
		f->addr = (struct sky_addr){ .u.sa.sa_family = AF_UNSPEC };
		return -EINVAL;
	}
	f->have |= obj->type & SKY_IF_ADDR;
	if (obj->type & SKY_IF_NAME && if_name(f->name, &rd) != 0)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_NAME;
	if (obj->type & SKY_IF_MTU)
		f->mtu = sky_rd_u32(&rd);
	if (rd.cut)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_MTU;
	return 0;
}

static void
if_addr_write(const struct sky_addr *a, struct sky_wr *wr)
{
	bool six = a->u.sa.sa_family == AF_INET6;

	sky_wr_u16(wr, six ? 2 : 1);
	sky_wr_u16(wr, 0);
	if (six)
		sky_wr_bytes(wr, &a->u.in6.sin6_addr, 16);
	else
		sky_wr_bytes(wr, &a->u.in.sin_addr, 4);
}

static void
if_name_write(const char *name, struct sky_wr *wr)
{
	size_t len = strnlen(name, SKY_IF_NAMESIZE - 1);
	size_t whole = (1 + len + 3) / 4 * 4;

	sky_wr_u8(wr, (uint8_t)whole);
	sky_wr_bytes(wr, name, len);
	sky_wr_zero(wr, whole - 1 - len);
}

int
sky_icmpext_if_encode(const struct sky_icmpext_if *f, struct sky_wr *wr)
{
	uint8_t buf[4 + 20 + 64 + 4];
	struct sky_wr body = sky_wr_of(buf, sizeof(buf));
	struct sky_icmpext_obj obj = { .class = SKY_ICMPEXT_INTERFACE, .data = buf };

	if (f->role > SKY_IF_NEXT_HOP || f->have & ~0xf)
		return -EINVAL;
	if (f->have & SKY_IF_INDEX)
		sky_wr_u32(&body, f->index);
	if (f->have & SKY_IF_ADDR)
		if_addr_write(&f->addr, &body);
	if (f->have & SKY_IF_NAME)
		if_name_write(f->name, &body);
	if (f->have & SKY_IF_MTU)
		sky_wr_u32(&body, f->mtu);
	obj.type = (uint8_t)(f->role << 6 | f->have);
	obj.len = (uint16_t)sky_wr_len(&body);
	return sky_icmpext_obj_encode(&obj, wr);
}

int
sky_icmpext_begin(struct sky_wr *wr)
{
	sky_wr_u32(wr, 2u << 28);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmpext_obj_encode(const struct sky_icmpext_obj *obj, struct sky_wr *wr)
{
	if (obj->len % 4 || obj->len > UINT16_MAX - HEAD)
		return -EINVAL;
	sky_wr_u16(wr, (uint16_t)(obj->len + HEAD));
	sky_wr_u8(wr, obj->class);
	sky_wr_u8(wr, obj->type);
	sky_wr_bytes(wr, obj->data, obj->len);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmpext_end(struct sky_wr *wr, size_t start)
{
	size_t len = sky_wr_len(wr) - start;
	struct sky_wr sum = sky_wr_of(wr->start + start, len);

	if (wr->full)
		return -ENOSPC;
	sky_wr_room(&sum, 2);
	sky_wr_u16(&sum, 0);
	sum = sky_wr_of(wr->start + start, len);
	sky_wr_room(&sum, 2);
	sky_wr_u16(&sum, sky_cksum_of(wr->start + start, len));
	return sum.full ? -EINVAL : 0;
}
