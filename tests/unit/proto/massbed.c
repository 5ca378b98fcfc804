/* SPDX-License-Identifier: BSD-2-Clause */
/* massbed.c - see massbed.h. */
#include "massbed.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
massbed_init(struct massbed *b, const struct inet_conf *c)
{
	char line[32], word[64];
	const char *why;

	memset(b, 0, sizeof(*b));
	inet_make(&b->net, c);
	b->range = calloc(c->targets, sizeof(*b->range));
	sky_targets_init(&b->list, b->range, c->targets);
	for (uint32_t i = 0; i < c->targets; i++) {
		struct in_addr a = { htonl(inet_host(&b->net, i)) };

		inet_ntop(AF_INET, &a, line, sizeof(line));
		if (sky_targets_add(&b->list, line, word, sizeof(word), &why) < 0)
			abort();
	}
	if (sky_targets_seal(&b->list) < 0 || b->list.count != c->targets)
		abort();
	b->now = UINT64_C(1000000000);
	b->limit = UINT64_C(36000000000000);
}

void
massbed_release(struct massbed *b)
{
	inet_free(&b->net);
	free(b->range);
	free(b->memory);
	free(b->heap);
}

void
massbed_engine(struct massbed *b, struct sky_mass_conf *c)
{
	size_t size;

	c->targets = &b->list;
	size = sky_mass_size(c);
	free(b->memory);
	b->memory = malloc(size);
	b->events = 0;
	b->mass = sky_mass_init(b->memory, size, c);
	if (!b->mass)
		abort();
}

static void
swap(struct massbed_event *a, struct massbed_event *b)
{
	struct massbed_event was = *a;

	*a = *b;
	*b = was;
}

static void
push(struct massbed *b, const struct massbed_event *e)
{
	size_t i = b->events++;

	if (b->events > b->room) {
		b->room = b->room ? b->room * 2 : 1024;
		b->heap = realloc(b->heap, b->room * sizeof(*b->heap));
	}
	b->heap[i] = *e;
	for (; i && b->heap[i].at < b->heap[(i - 1) / 2].at; i = (i - 1) / 2)
		swap(&b->heap[i], &b->heap[(i - 1) / 2]);
}

static struct massbed_event
pop(struct massbed *b)
{
	struct massbed_event e = b->heap[0];
	size_t i = 0, k;

	b->heap[0] = b->heap[--b->events];
	while ((k = 2 * i + 1) < b->events) {
		if (k + 1 < b->events && b->heap[k + 1].at < b->heap[k].at)
			k++;
		if (b->heap[i].at <= b->heap[k].at)
			break;
		swap(&b->heap[i], &b->heap[k]);
		i = k;
	}
	return e;
}

static struct sky_addr
addr_of(uint32_t a)
{
	return (struct sky_addr){ .u.in = { .sin_family = AF_INET, .sin_addr = { htonl(a) } } };
}

static void
send_probe(struct massbed *b, const struct sky_mass_probe *p)
{
	static const struct { uint8_t what, type, code; } words[] = {
		[INET_EXCEEDED] = { SKY_HOP_EXCEEDED, 11, 0 },
		[INET_REACHED] = { SKY_HOP_REACHED, 3, 3 },
		[INET_TOO_BIG] = { SKY_HOP_TOO_BIG, 3, 4 },
		[INET_FILTERED] = { SKY_HOP_UNREACHABLE, 3, 13 },
	};
	uint32_t i = inet_number(&b->net, ntohl(p->dst.u.in.sin_addr.s_addr));
	struct massbed_event e = { .at = 0 };
	struct inet_answer a;

	inet_probe(&b->net, b->now, i, p->mark.ttl, p->mark.len, &a);
	if (a.what == INET_NOTHING)
		return;
	e.at = b->now + a.rtt;
	e.answer = (struct sky_mass_answer){ .mark = p->mark, .dst = p->dst, .by = addr_of(a.by),
	    .at = e.at, .mtu = a.mtu, .what = words[a.what].what, .type = words[a.what].type,
	    .code = words[a.what].code, .ttl = a.ttl };
	if (b->cut_quotes && a.what != INET_REACHED)
		e.answer.mark.position = SKY_MASSMARK_NONE;
	push(b, &e);
}

bool
massbed_run(struct massbed *b, void (*see)(void *arg, const struct sky_mass_result *r), void *arg)
{
	static struct sky_mass_result r;
	struct sky_mass_probe p;
	uint64_t deadline;

	while (!sky_mass_over(b->mass)) {
		while (b->events && b->heap[0].at <= b->now) {
			struct massbed_event e = pop(b);

			sky_mass_answer(b->mass, &e.answer, b->now);
		}
		while (sky_mass_next(b->mass, b->now, &p, &deadline))
			send_probe(b, &p);
		while (sky_mass_result(b->mass, &r))
			see(arg, &r);
		if (b->events && b->heap[0].at < deadline)
			deadline = b->heap[0].at;
		if (b->now >= b->limit)
			return false;
		if (deadline != UINT64_MAX && deadline > b->now)
			b->now = deadline;
		else if (deadline == UINT64_MAX && !sky_mass_over(b->mass))
			b->now += 1000000;
	}
	return true;
}
