/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - whose error is it?
 *
 * A send failed. Most codes settle it: some only come from ICMP (the error was
 * another datagram's, and is consumed now: repeat), some never do. Three can be
 * both: no route, host unreachable and access denied are found by the kernel
 * before it looks at the pending error, so asking for the route alone (nothing
 * is sent) says whether they are this datagram's. EMSGSIZE leaves a local
 * record in the error queue when it is the datagram's own, with the MTU.
 *
 * In a storm a retry may fail many times: each entry that another thread reads
 * from the queue makes the kernel report the next one to whoever sends.
 */
#include "sock/out.h"

#include <errno.h>

enum {
	TRIES = 1000,		/* then a storm has won: the status says so */
	TRIES_SIZE = 250,	/* no room in the receive buffer for the record */
	TRIES_PLAIN = 2,	/* before the kernel is asked */
	TRIES_SMALL = 8,	/* before a size that fits nearly everywhere is doubted */
	RELIEVE_EVERY = 64,	/* stale errors */
	GSO_OLD = 64,		/* segments, before Linux 6.10 */
	IP4_UDP = 28, IP6_UDP = 48, LEN_MAX = 65535, FITS = 1280,
};

static bool
may_be_the_route(int err)
{
	return err == ENETUNREACH || err == EHOSTUNREACH || err == EACCES;
}

static bool
is_refusal(int err)
{
	return err == EIO || err == EINVAL || err == EMSGSIZE || err == EOPNOTSUPP;
}

static enum out_verdict
judge_train(struct udp *u, struct out_cure *c, const struct sky_msg *m, int err)
{
	if (err == EINVAL && u->gso_max > GSO_OLD && udp_parts(m->len, m->seg) > GSO_OLD)
		u->gso_max = GSO_OLD;
	/* A stale EMSGSIZE or EOPNOTSUPP does not come three times in a row. */
	if ((err == EMSGSIZE || err == EOPNOTSUPP) && !u->plain && c->tries++ < TRIES_PLAIN) {
		udp_count(&u->tx_retries, 1);
		return OUT_AGAIN;
	}
	return OUT_REFUSED;
}

static enum out_verdict
judge_size(struct udp *u, struct out_cure *c, const struct msghdr *h, struct sky_msg *m)
{
	size_t head = out_family(u, m) == AF_INET ? IP4_UDP : IP6_UDP;
	uint32_t mtu, swallowed;

	if (m->len > LEN_MAX)
		return OUT_OWN;		/* refused without a record */
	if (m->len + head <= FITS && c->tries < TRIES_SMALL)
		return OUT_AGAIN;
	mtu = udp_drain(u, h);
	swallowed = atomic_exchange(&u->local_mtu, 0);
	mtu = mtu ? mtu : swallowed;
	if (mtu && m->len + head > mtu) {
		m->mtu = mtu;
		m->have |= SKY_MSG_MTU;
		return OUT_OWN;
	}
	return c->tries < TRIES_SIZE ? OUT_AGAIN : OUT_OWN;
}

void
out_stopped(struct udp *u, const struct msghdr *h)
{
	if (u->plain)
		return;
	udp_met_error(u);
	if (++u->stale >= RELIEVE_EVERY)
		udp_relieve(u, h);
}

enum out_verdict
out_judge(struct udp *u, struct out_cure *c, const struct msghdr *h, struct sky_msg *m,
    bool train, int *err)
{
	enum out_verdict v = OUT_AGAIN;
	int r;

	m->have &= ~(uint32_t)SKY_MSG_MTU;
	if (*err == EAGAIN)
		return OUT_FULL;
	if (train && is_refusal(*err))
		return judge_train(u, c, m, *err);
	if (u->plain || !udp_may_be_stale(*err) || c->tries++ >= TRIES)
		return OUT_OWN;
	if (*err == EMSGSIZE) {
		v = judge_size(u, c, h, m);
	} else if (may_be_the_route(*err) && c->tries > TRIES_PLAIN) {
		r = sky_msg_probe(u->fd, h);
		if (r < 0 && r != -EAGAIN) {
			*err = -r;
			return OUT_OWN;
		}
	}
	if (v == OUT_AGAIN)
		udp_count(&u->tx_retries, 1);
	out_stopped(u, h);
	return v;
}
