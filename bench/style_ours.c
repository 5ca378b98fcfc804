/* SPDX-License-Identifier: BSD-2-Clause */
/* style_ours.c - sending to many peers with libsockeye. */
#include "style.h"

#include <errno.h>
#include <poll.h>
#include <sockeye/udp.h>
#include <stdlib.h>

#define TRIES 1000	/* no batch is waited for longer than so many ms */

struct ours {
	struct sky_udp u;
	struct sky_msg m[PEERS];
	struct sky_addr dead;
	uint8_t payload[PEERS][PEERS_PAYLOAD];
};

static void
ours_close(void *sender)
{
	struct ours *s = sender;

	sky_udp_close(&s->u);
	free(s);
}

static void *
ours_open(const struct peers *p)
{
	struct sky_udp_conf c = {.size = sizeof(c), .family = peers_af(p->family)};
	struct ours *s = calloc(1, sizeof(*s));
	unsigned i;
	int err;

	if (!s)
		return NULL;
	err = sky_udp_open(&s->u, &c);
	if (err != 0) {
		free(s);
		errno = -err;
		return NULL;
	}
	for (i = 0; i < PEERS; i++) {
		s->m[i].data = s->payload[i];
		s->m[i].len = PEERS_PAYLOAD;
		s->m[i].have = SKY_MSG_PEER;
		sky_addr_from(&s->m[i].peer, (const void *)&p->to[i], p->to_len[i]);
	}
	s->dead = s->m[p->dead].peer;
	return s;
}

static void
credit(struct ours *s, const struct peers *p, struct sky_fate *f, struct style_sums *sums)
{
	unsigned batch, peer;

	if (f->what != SKY_REFUSED || !sky_addr_equal(&f->dst, &s->dead) ||
	    !sky_addr_same_host(&f->by, &s->dead) ||
	    !peers_parse(f->quote, f->quote_len, &batch, &peer) || peer != p->dead ||
	    sky_fate_vouch(f, s->payload[peer], PEERS_PAYLOAD, 0) != SKY_TRUST_MATCHED ||
	    sums->told[batch]) {
		sums->wrong++;
		return;
	}
	sums->told[batch] = true;
	sums->named++;
}

static void
errors(struct ours *s, const struct peers *p, struct style_sums *sums)
{
	struct sky_fate f[8];
	uint8_t quotes[4096];
	int i, n;

	while ((n = sky_udp_errors(&s->u, f, 8, quotes, sizeof(quotes))) > 0)
		for (i = 0; i < n; i++)
			credit(s, p, &f[i], sums);
}

static void
ours_batch(void *sender, struct peers *p, unsigned batch, struct style_sums *sums)
{
	struct ours *s = sender;
	struct pollfd out = {.fd = sky_udp_fd(&s->u), .events = POLLOUT};
	unsigned i, done = 0, tries = 0;
	int n;

	for (i = 0; i < PEERS; i++)
		peers_payload(s->payload[i], batch, i);
	while (done < PEERS && tries++ < TRIES) {
		n = sky_udp_send(&s->u, s->m + done, PEERS - done);
		if (n > 0)
			done += (unsigned)n;
		else
			poll(&out, 1, 1);
	}
	for (i = 0; i < PEERS; i++)
		sums->failed += i >= done || s->m[i].status != 0;
	errors(s, p, sums);
}

const struct style style_ours = {"sockeye", ours_open, ours_batch, ours_close};
