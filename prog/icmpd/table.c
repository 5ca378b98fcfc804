/* SPDX-License-Identifier: BSD-2-Clause */
/* table.c - see table.h. */
#include "table.h"

#include "base/sip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 64 };

static uint32_t
cookie_bucket(const struct table *t, uint64_t cookie)
{
	return (uint32_t)sky_sip_hash(t->key, &cookie, sizeof(cookie)) & (t->buckets - 1);
}

static uint32_t
port_bucket(const struct table *t, uint8_t proto, uint16_t port)
{
	uint32_t both = (uint32_t)proto << 16 | port;

	return (uint32_t)sky_sip_hash(t->key, &both, sizeof(both)) & (t->buckets - 1);
}

static void
link_buckets(struct table *t, uint32_t i)
{
	struct reg *r = &t->reg[i];
	uint32_t *head = &t->by_cookie[cookie_bucket(t, r->cookie)];

	r->next_cookie = *head;
	*head = i;
	if (!r->group)
		return;
	t->groups++;
	head = &t->by_port[port_bucket(t, r->proto, r->port)];
	r->next_port = *head;
	*head = i;
}

static void
unlink_buckets(struct table *t, uint32_t i)
{
	struct reg *r = &t->reg[i];
	uint32_t *at = &t->by_cookie[cookie_bucket(t, r->cookie)];

	while (*at != i)
		at = &t->reg[*at].next_cookie;
	*at = r->next_cookie;
	if (!r->group)
		return;
	t->groups--;
	at = &t->by_port[port_bucket(t, r->proto, r->port)];
	while (*at != i)
		at = &t->reg[*at].next_port;
	*at = r->next_port;
}

/* Both tables of heads lie in one piece. */
static int
grow_buckets(struct table *t, uint32_t buckets)
{
	uint32_t *heads = malloc(2 * sizeof(*heads) * buckets);

	if (!heads)
		return -ENOMEM;
	memset(heads, 0xff, 2 * sizeof(*heads) * buckets);
	free(t->by_cookie);
	t->by_cookie = heads;
	t->by_port = heads + buckets;
	t->buckets = buckets;
	t->groups = 0;
	for (uint32_t i = 0; i < t->touched; i++)
		if (t->reg[i].cookie)
			link_buckets(t, i);
	return 0;
}

static int
grow(struct table *t)
{
	uint32_t cap = t->cap + t->cap / 2;
	struct reg *reg = realloc(t->reg, cap * sizeof(*reg));

	if (!reg)
		return -ENOMEM;
	t->reg = reg;
	if (cap > t->buckets && grow_buckets(t, t->buckets * 2) < 0)
		return -ENOMEM;
	t->cap = cap;
	return 0;
}

int
table_init(struct table *t, const uint64_t key[2])
{
	*t = (struct table){ .cap = FIRST, .free = TABLE_NONE, .key = { key[0], key[1] } };
	t->reg = malloc(FIRST * sizeof(*t->reg));
	if (!t->reg || grow_buckets(t, FIRST) < 0) {
		table_release(t);
		return -ENOMEM;
	}
	return 0;
}

void
table_release(struct table *t)
{
	free(t->reg);
	free(t->by_cookie);
	t->reg = NULL;
	t->by_cookie = t->by_port = NULL;
}

static const struct reg *
at(const struct table *t, uint32_t i)
{
	return i == TABLE_NONE ? NULL : &t->reg[i];
}

static const struct reg *
same_cookie(const struct table *t, const struct reg *r, uint64_t cookie)
{
	while (r && r->cookie != cookie)
		r = at(t, r->next_cookie);
	return r;
}

const struct reg *
table_by_cookie(const struct table *t, uint64_t cookie)
{
	return same_cookie(t, at(t, t->by_cookie[cookie_bucket(t, cookie)]), cookie);
}

void
table_warm(const struct table *t, const uint64_t *cookie, unsigned n)
{
	const uint32_t *head[64];

	if (n > sizeof(head) / sizeof(head[0]))
		n = sizeof(head) / sizeof(head[0]);
	for (unsigned i = 0; i < n; i++) {
		head[i] = &t->by_cookie[cookie_bucket(t, cookie[i])];
		__builtin_prefetch(head[i]);
	}
	for (unsigned i = 0; i < n; i++)
		if (*head[i] != TABLE_NONE)
			__builtin_prefetch(&t->reg[*head[i]]);
}

const struct reg *
table_next_cookie(const struct table *t, const struct reg *r)
{
	return same_cookie(t, at(t, r->next_cookie), r->cookie);
}

static const struct reg *
same_port(const struct table *t, const struct reg *r, uint8_t proto, uint16_t port)
{
	while (r && (r->proto != proto || r->port != port))
		r = at(t, r->next_port);
	return r;
}

const struct reg *
table_by_group(const struct table *t, uint8_t proto, uint16_t port)
{
	if (!t->groups)
		return NULL;
	return same_port(t, at(t, t->by_port[port_bucket(t, proto, port)]), proto, port);
}

const struct reg *
table_next_group(const struct table *t, const struct reg *r)
{
	return same_port(t, at(t, r->next_port), r->proto, r->port);
}

/* This client's registration of a cookie, and how many others its user has. */
static uint32_t
find(const struct table *t, const struct table_owner *o, uint64_t cookie, unsigned *others)
{
	uint32_t found = TABLE_NONE;

	*others = 0;
	for (const struct reg *r = table_by_cookie(t, cookie); r; r = table_next_cookie(t, r)) {
		if (r->client == o->client)
			found = (uint32_t)(r - t->reg);
		else if (r->uid == o->uid)
			++*others;
	}
	return found;
}

static int
take_place(struct table *t, uint32_t *place)
{
	if (t->free != TABLE_NONE) {
		*place = t->free;
		t->free = t->reg[*place].next_own;
	} else {
		if (t->touched == t->cap && grow(t) < 0)
			return -ENOMEM;
		*place = t->touched++;
	}
	t->used++;
	return 0;
}

uint32_t
table_local(const struct sky_addr *a)
{
	struct sky_addr host = *a;

	if (sky_addr_family(a) == AF_UNSPEC || sky_addr_is_any(a))
		return 0;
	sky_addr_set_port(&host, 0);
	return sky_addr_hash(&host) | 1;
}

static void
set(struct reg *r, const struct sky_icmpdmsg_socket *s)
{
	r->local = table_local(&s->local);
	r->id = s->id;
	r->proto = s->proto;
	r->port = sky_addr_family(&s->local) ? sky_addr_port(&s->local) : 0;
	r->group = (s->flags & SKY_ICMPDMSG_GROUP) && r->port;
}

static bool
is_full(const struct table *t, const struct table_owner *o, const struct sky_icmpdmsg_socket *s)
{
	uint16_t port = sky_addr_family(&s->local) ? sky_addr_port(&s->local) : 0;
	unsigned n = 0;
	const struct reg *r;

	if (!(s->flags & SKY_ICMPDMSG_GROUP) || !port)
		return false;
	for (r = table_by_group(t, s->proto, port); r; r = table_next_group(t, r))
		n += r->uid == o->uid && r->cookie != s->cookie;
	return n >= TABLE_GROUP;
}

int
table_put(struct table *t, const struct table_owner *o, const struct sky_icmpdmsg_socket *s)
{
	unsigned others;
	uint32_t i = find(t, o, s->cookie, &others);
	struct reg *r;

	if (is_full(t, o, s))
		return -ENOSPC;
	if (i != TABLE_NONE) {
		unlink_buckets(t, i);
		set(&t->reg[i], s);
		link_buckets(t, i);
		return 0;
	}
	if (others >= TABLE_SAME_COOKIE)
		return -ENOSPC;
	if (take_place(t, &i) < 0)
		return -ENOMEM;
	r = &t->reg[i];
	*r = (struct reg){ .cookie = s->cookie, .client = o->client, .uid = o->uid,
		.next_own = *o->own, .prev_own = TABLE_NONE };
	set(r, s);
	link_buckets(t, i);
	if (*o->own != TABLE_NONE)
		t->reg[*o->own].prev_own = i;
	*o->own = i;
	return 1;
}

static void
give_place(struct table *t, const struct table_owner *o, uint32_t i)
{
	struct reg *r = &t->reg[i];

	unlink_buckets(t, i);
	if (r->next_own != TABLE_NONE)
		t->reg[r->next_own].prev_own = r->prev_own;
	if (r->prev_own != TABLE_NONE)
		t->reg[r->prev_own].next_own = r->next_own;
	else
		*o->own = r->next_own;
	r->cookie = 0;
	r->next_own = t->free;
	t->free = i;
	t->used--;
}

bool
table_remove(struct table *t, const struct table_owner *o, uint32_t id, uint64_t cookie)
{
	unsigned others;
	uint32_t i = find(t, o, cookie, &others);

	if (i == TABLE_NONE || t->reg[i].id != id)
		return false;
	give_place(t, o, i);
	return true;
}

uint32_t
table_remove_all(struct table *t, const struct table_owner *o)
{
	uint32_t n = 0;

	for (; *o->own != TABLE_NONE; n++)
		give_place(t, o, *o->own);
	return n;
}
