/* SPDX-License-Identifier: BSD-2-Clause */
#include "webshape.h"

#include "../wire/test.h"

#include <stdio.h>

const char *const web_shape_name[WEB_SHAPES] = { "chain", "simplest", "four", "long", "nested",
	"asymmetric", "meshed", "eight", "alias" };

static unsigned
wide(struct web *w, unsigned before, unsigned n)
{
	unsigned made[WEB_NEXTS];

	for (unsigned i = 0; i < n; i++)
		made[i] = web_add(w, 1, &before);
	return web_add(w, n, made);
}

static unsigned
one(struct web *w, unsigned before)
{
	return web_add(w, 1, &before);
}

static unsigned
nested(struct web *w)
{
	unsigned a = one(w, 0), b = one(w, 0), last[3];

	last[0] = one(w, a);
	last[1] = one(w, a);
	last[2] = one(w, b);
	return web_add(w, 3, last);
}

static unsigned
two_ways(struct web *w, unsigned more)
{
	unsigned a = one(w, 0), b = one(w, 0), last[2];

	last[0] = one(w, a);
	last[1] = one(w, b);
	if (more)
		last[0] = one(w, last[0]);
	return web_add(w, 2, last);
}

static unsigned
alias(struct web *w)
{
	unsigned last[2];

	last[0] = one(w, one(w, one(w, 0)));
	last[1] = one(w, one(w, one(w, 0)));
	w->router[last[1]].alias = last[0];
	return web_add(w, 2, last);
}

static unsigned
meshed(struct web *w)
{
	unsigned ab[2], cd[2];

	ab[0] = one(w, 0);
	ab[1] = one(w, 0);
	cd[0] = web_add(w, 2, ab);
	cd[1] = web_add(w, 2, ab);
	return web_add(w, 2, cd);
}

void
web_shape(struct web *w, enum web_shape shape)
{
	unsigned at = 0;

	if (shape == WEB_CHAIN)
		at = one(w, one(w, 0));
	else if (shape == WEB_NESTED)
		at = nested(w);
	else if (shape == WEB_LONG || shape == WEB_ASYMMETRIC)
		at = two_ways(w, shape == WEB_ASYMMETRIC);
	else if (shape == WEB_MESHED)
		at = meshed(w);
	else if (shape == WEB_ALIAS)
		at = alias(w);
	else
		at = wide(w, 0, shape == WEB_SIMPLEST ? 2 : shape == WEB_FOUR ? 4 : 8);
	one(w, at);
	for (unsigned i = 0; i < w->routers; i++)
		w->router[i].tokens = w->burst;
}

static void
address(struct sky_addr *a, unsigned router)
{
	memset(a, 0, sizeof(*a));
	a->u.in.sin_family = AF_INET;
	a->u.in.sin_addr.s_addr = htonl(0x0a000000 + router + 1);
}

static unsigned
router_of(const struct sky_addr *a)
{
	return ntohl(a->u.in.sin_addr.s_addr) - 0x0a000001;
}

static void
hand_over(struct web *w, struct sky_paths *p, uint64_t now)
{
	static const uint8_t whats[] = { SKY_HOP_EXCEEDED, SKY_HOP_REACHED, SKY_HOP_TOO_BIG };

	while (web_next(w) <= now) {
		struct web_news n = web_take(w);
		struct sky_hop_answer a = { .at = n.at, .id = n.id, .mtu = n.mtu,
		    .what = whats[n.what], .trust = SKY_TRUST_MATCHED, .ttl = n.ttl };

		address(&a.by, n.router);
		sky_paths_answer(p, now, &a);
	}
}

static void
compare_nodes(struct web *w, struct sky_paths *p, struct web_run *out)
{
	bool found[WEB_ROUTERS] = { false };
	struct sky_paths_node n;

	for (unsigned i = 1; sky_paths_node(p, i, &n) == 0; i++) {
		if (n.is == SKY_PATHS_SILENT)
			out->silent++;
		else
			found[router_of(&n.by)] = true;
	}
	for (unsigned i = 0; i < w->routers; i++) {
		out->present += !w->router[i].silent;
		out->missing += !w->router[i].silent && !found[i];
	}
}

static void
compare_links(struct web *w, struct sky_paths *p, struct web_run *out)
{
	struct sky_paths_node a, b;
	struct sky_paths_link l;

	for (unsigned i = 0; sky_paths_link(p, i, &l) == 0; i++) {
		assert_int_equal(sky_paths_node(p, l.from, &a), 0);
		assert_int_equal(sky_paths_node(p, l.to, &b), 0);
		if (a.is == SKY_PATHS_SILENT || b.is == SKY_PATHS_SILENT || !l.from)
			continue;
		if (!l.sure)
			out->unclaimed++;
		else if (web_linked(w, router_of(&a.by), router_of(&b.by)))
			out->claimed++;
		else
			out->false_links++;
	}
}

void
web_run(struct web *w, struct sky_paths *p, struct sky_paths_conf *c, struct web_run *out)
{
	enum sky_paths_kind kind;
	struct sky_hop_probe probe;
	uint64_t now = WEB_MS, began = now, next;
	unsigned turns = 0;

	memset(out, 0, sizeof(*out));
	c->size = sizeof(*c);
	address(&c->dst, w->end);
	assert_int_equal(sky_paths_init(p, c), 0);
	while ((kind = sky_paths_poll(p, now, &probe)) != SKY_PATHS_DONE) {
		assert_true(++turns < 100000);
		if (kind == SKY_PATHS_SEND) {
			web_send(w, now, probe.id, probe.flow, probe.ttl, probe.len);
			continue;
		}
		next = sky_paths_deadline(p);
		next = next < web_next(w) ? next : web_next(w);
		assert_true(next != UINT64_MAX);
		now = next > now ? next : now;
		hand_over(w, p, now);
	}
	out->took = now - began;
	sky_paths_result(p, &out->r);
	compare_nodes(w, p, out);
	compare_links(w, p, out);
}
