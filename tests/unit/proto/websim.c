/* SPDX-License-Identifier: BSD-2-Clause */
#include "websim.h"

#include <string.h>

/* splitmix64 */
static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

void
web_init(struct web *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->random = mix(seed);
	w->salt = mix(seed ^ 0x5eed);
	w->delay = 20 * WEB_MS;
	w->routers = 1;
}

unsigned
web_roll(struct web *w, unsigned n)
{
	w->random = mix(w->random);
	return (w->random >> 20) % n;
}

unsigned
web_add(struct web *w, unsigned n, const unsigned *from)
{
	unsigned me = w->routers++;

	for (unsigned i = 0; i < n; i++)
		w->router[from[i]].next[w->router[from[i]].nexts++] = me;
	w->end = me;
	w->router[me].alias = me;
	return me;
}

static unsigned
chosen(const struct web *w, unsigned at, unsigned flow)
{
	return (mix(w->salt ^ ((uint64_t)at << 32 | flow)) >> 13) % w->router[at].nexts;
}

bool
web_linked(const struct web *w, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < w->router[from].nexts; i++)
		if (w->router[from].next[i] == to)
			return true;
	return false;
}

unsigned
web_at(const struct web *w, unsigned flow, unsigned ttl)
{
	unsigned at = 0;

	while (--ttl && at != w->end)
		at = w->router[at].next[chosen(w, at, flow)];
	return at;
}

static bool
allowed(struct web *w, struct web_router *r, uint64_t now)
{
	r->asked++;
	if (w->rate > 0) {
		r->tokens += (now - r->filled) / 1e9 * w->rate;
		r->filled = now;
		r->tokens = r->tokens < w->burst ? r->tokens : w->burst;
		if (r->tokens < 1)
			return false;
		r->tokens -= 1;
	}
	r->answered++;
	return true;
}

static void
answer(struct web *w, uint64_t at, struct web_news n)
{
	struct web_router *r = &w->router[n.router];

	if (r->silent || (n.what == WEB_TOO_BIG && r->mute))
		return;
	if (n.what != WEB_TOO_BIG && !allowed(w, &w->router[r->alias], at))
		return;
	if (web_roll(w, 1000) < w->loss_back || w->count == WEB_NEWS)
		return;
	n.at = at + w->delay / 2 + (w->jitter ? web_roll(w, w->jitter) : 0);
	w->news[w->count++] = n;
}

void
web_send(struct web *w, uint64_t now, uint32_t id, unsigned flow, unsigned ttl, uint32_t len)
{
	unsigned at = 0, hop = 1;
	struct web_news n = { .id = id, .what = WEB_EXCEEDED };

	w->sent++;
	if (web_roll(w, 1000) < w->loss_there)
		return;
	now += w->delay / 2;
	for (; at != w->end && hop < ttl; hop++) {
		struct web_router *r = &w->router[at];
		unsigned i = r->in_turn ? r->turn++ % r->nexts : r->by_packet ?
		    web_roll(w, r->nexts) : chosen(w, at, flow);

		if (r->mtu[i] && len > r->mtu[i]) {
			n.what = WEB_TOO_BIG;
			n.mtu = r->lies ? 0 : r->mtu[i];
			break;
		}
		at = r->next[i];
	}
	if (at == w->end)
		n.what = WEB_REACHED;
	n.router = at;
	n.ttl = 64 - (hop - 1);
	answer(w, now, n);
}

static unsigned
first(const struct web *w)
{
	unsigned best = 0;

	for (unsigned i = 1; i < w->count; i++)
		if (w->news[i].at < w->news[best].at)
			best = i;
	return best;
}

uint64_t
web_next(const struct web *w)
{
	return w->count ? w->news[first(w)].at : UINT64_MAX;
}

struct web_news
web_take(struct web *w)
{
	unsigned i = first(w);
	struct web_news n = w->news[i];

	w->news[i] = w->news[--w->count];
	return n;
}
