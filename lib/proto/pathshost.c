/* SPDX-License-Identifier: BSD-2-Clause */
/* pathshost.c - chances, and how many errors each router has left to give. */
#include "proto/pathsin.h"

/* seen[j]: the chance that j of `all` equally likely ones have shown; one draw more.
 * Returns that some have not. */
static double
draw(double *seen, unsigned all)
{
	double left = 0;

	for (unsigned j = all; j > 0; j--)
		seen[j] = seen[j] * j / all + seen[j - 1] * (all - j + 1) / all;
	seen[0] = 0;
	for (unsigned j = 0; j < all; j++)
		left += seen[j];
	return left < 1 ? left : 1;
}

double
sky_paths_missed(unsigned k, unsigned n)
{
	double seen[SKY_PATHS_WIDE + 2] = { 1 }, left = 1;

	if (k < 1 || k > SKY_PATHS_WIDE)
		return 1;
	for (unsigned i = 0; i < n; i++)
		left = draw(seen, k + 1);
	return left;
}

unsigned
sky_paths_need(unsigned k, unsigned percent)
{
	double seen[SKY_PATHS_WIDE + 2] = { 1 };
	unsigned n = 1;

	if (k < 1 || k > SKY_PATHS_WIDE || percent >= 100)
		return 0;
	while (draw(seen, k + 1) > 1 - percent / 100.0)
		n++;
	return n;
}

uint16_t
sky_paths_host_of(struct sky_paths *p, const struct sky_addr *by)
{
	for (unsigned i = 0; i < p->hosts; i++)
		if (sky_addr_same_host(&p->host[i].by, by))
			return i;
	if (p->hosts == SKY_PATHS_NODES)
		return PATHS_NONE;
	p->host[p->hosts] = (struct paths_host){ .by = *by, .burst = p->conf.burst };
	return p->hosts++;
}

/* Answers of host to what was sent before probe `before`; since when. */
static unsigned
given(const struct sky_paths *p, unsigned host, uint32_t before, uint64_t *since)
{
	unsigned n = 0;

	for (uint32_t id = 1; id < before; id++) {
		const struct paths_probe *b = &p->probe[id];

		if (b->is != PATHS_ANSWERED || b->host != host)
			continue;
		if (!n++)
			*since = b->sent;
	}
	return n;
}

static unsigned
bucket(const struct sky_paths *p, unsigned host, uint64_t since, uint64_t at)
{
	return p->host[host].burst + (at > since ? (at - since) / p->conf.refill_ns : 0);
}

unsigned
sky_paths_tokens(const struct sky_paths *p, unsigned host, uint64_t now)
{
	uint64_t since = now;
	unsigned n = given(p, host, p->next, &since), room = bucket(p, host, since, now);

	return n < room ? room - n : 0;
}

/* Could the answer to a probe of this TTL have been that node's? Ways of different
 * lengths have the router where they join, and the destination, at several. */
static bool
could_be(const struct sky_paths *p, const struct sky_paths_node *n, unsigned ttl)
{
	if (n->is == SKY_PATHS_SILENT || n->ttl == PATHS_GONE || n->ttl == 0)
		return false;
	if (n->is == SKY_PATHS_END)
		return ttl + 1 >= n->ttl;
	return n->ttl == ttl || (ttl > 1 && p->hop[ttl - 1].width > 1 &&
	    (n->ttl + 1u == ttl || n->ttl == ttl + 1));
}

/* A control that went with it was answered: no bucket was empty. */
static bool
refuted(const struct sky_paths *p, const struct paths_probe *b)
{
	uint64_t near = p->rto.srtt_ns / 4;

	for (uint32_t id = 1; id < p->next; id++) {
		const struct paths_probe *c = &p->probe[id];

		if (c->kind == PATHS_CONTROL && c->is == PATHS_ANSWERED && c->ttl == b->ttl &&
		    c->sent <= b->sent + near && b->sent <= c->sent + near)
			return true;
	}
	return false;
}

bool
sky_paths_excused(struct sky_paths *p, uint32_t id)
{
	const struct paths_probe *b = &p->probe[id];

	for (unsigned i = 1; i < p->nodes; i++) {
		const struct sky_paths_node *n = &p->node[i];
		uint64_t since = b->sent;

		if (!could_be(p, n, b->ttl) ||
		    given(p, n->host, id, &since) < bucket(p, n->host, since, b->sent) ||
		    refuted(p, b))
			continue;
		p->host[n->host].limited++;
		return true;
	}
	return false;
}

bool
sky_paths_wait(struct sky_paths *p, unsigned host, uint64_t now)
{
	uint64_t since = now, at;
	unsigned n = given(p, host, p->next, &since);

	if (!p->conf.patience_ns)
		return false;
	if (!p->stop_at)
		p->stop_at = now + p->conf.patience_ns;
	/* A little later than its clock has it. */
	at = since + (n - p->host[host].burst + 1) * p->conf.refill_ns + p->conf.refill_ns / 20;
	if (n < p->host[host].burst || at <= now)
		at = now + 1;
	if (at > p->stop_at)
		return false;
	if (!p->wake || at < p->wake)
		p->wake = at;
	return true;
}

/* More came than the bucket was thought to hold: it is larger. */
void
sky_paths_count_answer(struct sky_paths *p, unsigned host)
{
	uint64_t since = 0;
	unsigned n = given(p, host, p->next, &since);

	p->host[host].answers = n;
	while (p->host[host].burst < 1000 && n > bucket(p, host, since, p->last) + 1)
		p->host[host].burst *= 2;
}

/* A flow that was answered before is not now: this is all it gives. */
void
sky_paths_learn_bucket(struct sky_paths *p, const struct paths_probe *b)
{
	const struct paths_cell *c = &p->cell[b->flow][b->ttl];
	uint64_t since = 0, refilled;
	unsigned host, n;

	if (c->is != CELL_SEEN)
		return;
	host = p->node[c->node].host;
	n = given(p, host, p->next, &since);
	refilled = b->sent > since ? (b->sent - since) / p->conf.refill_ns : 0;
	p->host[host].burst = n > refilled + 1 ? n - refilled : 1;
	p->host[host].limited++;
	for (unsigned f = 0; f < p->flows; f++)
		if (p->cell[f][b->ttl].is == CELL_NEW && p->cell[f][b->ttl].silent)
			p->cell[f][b->ttl].is = CELL_LIMITED;
}
