/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - a send that takes errors off the kernel's queue.
 *
 * It need not for a stale error: a send that fails with one has consumed it,
 * and the next works, so errors stay where they are, in order and with the
 * event that wakes a sleeper. Two reasons remain: a send that was too big left
 * its MTU there, and errors of a long series of sends fill the receive buffer,
 * where data and further errors want to be.
 */
#include "sock/handle.h"

#include <errno.h>
#include <linux/errqueue.h>

/* Drains fetch at most this many batches: an error storm cannot hold a send. */
enum { DRAIN_BATCHES = 64 };

bool
udp_may_be_stale(int err)
{
	static const int from_icmp[] = {
		ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EMSGSIZE, EACCES, EPROTO,
		ENOPROTOOPT, EOPNOTSUPP, EHOSTDOWN, ENONET, EREMOTEIO,
	};

	for (size_t i = 0; i < sizeof(from_icmp) / sizeof(from_icmp[0]); i++)
		if (err == from_icmp[i])
			return true;
	return false;
}

bool
udp_is_told_already(const struct udp *u, const struct sky_errq *e)
{
	return e->origin == SO_EE_ORIGIN_LOCAL && e->err == EMSGSIZE &&
	    !(u->flags & SKY_UDP_LOCAL_TWICE);
}

/* See handle.h: what is in the ring must not be slept upon by another thread. */
static void
wake(struct udp *u, const struct msghdr *h)
{
	if (udp_receives_here(u) || !sky_ring_count(&u->ring))
		return;
	atomic_fetch_add(&u->wakes, 1);
	sky_msg_wake(u->fd, h);
}

/* Those made by wake() look like those of real datagrams: told by their number. */
bool
udp_is_wake(struct udp *u, const struct sky_errq *e)
{
	uint32_t n = atomic_load(&u->wakes);

	if (e->origin != SO_EE_ORIGIN_LOCAL || e->err != EMSGSIZE || !n)
		return false;
	return atomic_compare_exchange_strong(&u->wakes, &n, n - 1);
}

static uint32_t
keep(struct udp *u, const struct sky_errq *e, const uint8_t *data)
{
	bool local = e->origin == SO_EE_ORIGIN_LOCAL && e->err == EMSGSIZE;

	if (udp_is_wake(u, e))
		return 0;
	if (!udp_is_told_already(u, e) && !sky_ring_put(&u->ring, e, data))
		udp_count(&u->lost, 1);
	return local ? e->info : 0;
}

uint32_t
udp_drain(struct udp *u, const struct msghdr *h)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	uint32_t mtu = 0;
	int got = SKY_ERRQ_BATCH;

	for (int i = 0; i < DRAIN_BATCHES && got == SKY_ERRQ_BATCH; i++) {
		got = sky_errq_read(u->fd, e, data, SKY_ERRQ_BATCH);
		for (int j = 0; j < got; j++) {
			uint32_t told = keep(u, &e[j], data[j]);

			mtu = told ? told : mtu;
		}
	}
	u->stale = 0;
	wake(u, h);
	return mtu;
}

void
udp_relieve(struct udp *u, const struct msghdr *h)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	int got = 1;

	u->stale = 0;
	for (int i = 0; i < DRAIN_BATCHES && got > 0; i++) {
		uint32_t room = u->ring.n - sky_ring_count(&u->ring);

		if (!room)
			break;
		got = sky_errq_read(u->fd, e, data,
		    room < SKY_ERRQ_BATCH ? room : SKY_ERRQ_BATCH);
		for (int j = 0; j < got; j++)
			keep(u, &e[j], data[j]);
	}
	wake(u, h);
}
