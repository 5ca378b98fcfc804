/* SPDX-License-Identifier: BSD-2-Clause */
/* vouch.c - see vouch.h. */
#include "vouch.h"

#include <string.h>

/* 0 marks a free place. */
static uint32_t
hash_of(const struct sky_addr *a)
{
	uint32_t h = sky_addr_hash(a);

	return h ? h : 1;
}

void
vouch_sent(struct sock *s, const void *to, socklen_t len)
{
	struct sky_addr a;
	uint32_t h, was;

	if (!to)
		return;
	/* 0.0.0.0 is this host, by whatever address */
	if (sky_addr_from(&a, to, len) < 0 || sky_addr_is_any(&a)) {
		sock_set(s, SOCK_FORGOT);
		return;
	}
	h = hash_of(&a);
	was = atomic_load_explicit(&s->sent[h % RECENT], memory_order_relaxed);
	if (was == h)
		return;
	atomic_store_explicit(&s->sent[h % RECENT], h, memory_order_relaxed);
	if (was)
		sock_set(s, SOCK_FORGOT);
}

/* A socket that others have, too, sends what is not seen here. */
enum vouch
vouch_ask(const struct sock *s, const struct sky_addr *to)
{
	uint32_t h = hash_of(to);

	if (sky_addr_family(to) == AF_UNSPEC)
		return VOUCH_UNKNOWN;
	if (atomic_load_explicit(&s->sent[h % RECENT], memory_order_relaxed) == h)
		return VOUCH_YES;
	if (sock_has(s, SOCK_CONNECTED | SOCK_FORGOT) || !sock_has(s, SOCK_MADE_HERE) ||
	    atomic_load(&state()->forked))
		return VOUCH_UNKNOWN;
	return VOUCH_NO;
}
