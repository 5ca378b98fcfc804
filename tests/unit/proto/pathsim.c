/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsim.c - packets on a simulated path. */
#include "pathsim.h"

unsigned
path_roll(struct path *p, unsigned n)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 17;
	p->random ^= p->random << 5;
	return p->random % n;
}

static const uint32_t *
links(const struct path *p, uint64_t now)
{
	return now < p->change_at ? p->mtu : p->later;
}

uint32_t
path_mtu(const struct path *p, uint64_t now)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < p->links; i++)
		if (links(p, now)[i] < least)
			least = links(p, now)[i];
	return least;
}

static uint32_t
told(struct path *p, enum path_router how, uint32_t mtu, uint32_t size)
{
	switch (how) {
	case OLD:
		return 0;
	case LIES_LARGE:
		return size + path_roll(p, 3) * 250;
	case LIES_SMALL:
		return mtu > 200 ? mtu - 1 - path_roll(p, 100) : mtu - 1;
	default:
		return how == LIES_60 ? 60 : mtu;
	}
}

static void
back(struct path *p, uint64_t now, struct path_news n)
{
	unsigned copies = 1 + (path_roll(p, 1000) < p->twice);

	while (copies--) {
		if (path_roll(p, 1000) < p->loss_back || p->count == PATH_NEWS)
			continue;
		n.at = now + 2 * (n.hop + 1) * p->delay;
		if (p->jitter)
			n.at += path_roll(p, (unsigned)(p->jitter / 1000)) * UINT64_C(1000);
		p->news[p->count++] = n;
	}
}

void
path_send(struct path *p, uint64_t now, uint32_t seq, uint32_t size)
{
	struct path_news n = { .seq = seq, .refused = true, .forged = true };
	unsigned i;

	p->sent++;
	if (size > p->highest)
		p->highest = size;
	if (path_roll(p, 1000) < p->forge) {
		n.mtu = path_roll(p, 2000);
		back(p, now, n);
	}
	if (path_roll(p, 1000) < p->loss_there ||
	    (now >= p->dead_from && now < p->dead_until))
		return;
	n.forged = false;
	for (i = 0; i < p->links && size <= links(p, now)[i]; i++)
		;
	n.hop = i < p->links ? i : p->links - 1;
	n.refused = i < p->links;
	if (n.refused && p->router[i] == MUTE)
		return;
	if (n.refused)
		n.mtu = told(p, p->router[i], links(p, now)[i], size);
	back(p, now, n);
}

static unsigned
first(const struct path *p)
{
	unsigned best = 0;

	for (unsigned i = 1; i < p->count; i++)
		if (p->news[i].at < p->news[best].at)
			best = i;
	return best;
}

uint64_t
path_next(const struct path *p)
{
	return p->count ? p->news[first(p)].at : UINT64_MAX;
}

struct path_news
path_take(struct path *p)
{
	unsigned i = first(p);
	struct path_news n = p->news[i];

	p->news[i] = p->news[--p->count];
	return n;
}
