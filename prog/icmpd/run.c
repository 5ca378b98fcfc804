/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - waits, and calls who is wanted; see daemon.h. */
#include "daemon.h"

#include "sys/clock.h"
#include "sys/poller.h"

#include <sys/signalfd.h>
#include <unistd.h>

enum { DEAF_MS = 100 };

static void
take_signal(struct daemon *d)
{
	struct signalfd_siginfo s;

	if (read(d->signals, &s, sizeof(s)) == (ssize_t)sizeof(s))
		d->ended = true;
}

static void
dispatch(struct daemon *d, uint32_t token)
{
	switch (token) {
	case TOKEN_RAW4:
		hear(d, AF_INET);
		break;
	case TOKEN_RAW6:
		hear(d, AF_INET6);
		break;
	case TOKEN_LISTENER:
		client_accept(d);
		break;
	case TOKEN_SIGNALS:
		take_signal(d);
		break;
	default:
		client_ready(d, token - TOKEN_CLIENTS);
	}
}

static bool
is_raw(uint32_t token)
{
	return token == TOKEN_RAW4 || token == TOKEN_RAW6;
}

/* Errors last: who registered a socket before it sent is to be told, even if all of
 * that happened while we were busy. */
static void
dispatch_all(struct daemon *d, const uint32_t *token, int n)
{
	for (int i = 0; i < n; i++)
		if (!is_raw(token[i]))
			dispatch(d, token[i]);
	for (int i = 0; i < n; i++)
		if (is_raw(token[i]))
			dispatch(d, token[i]);
}

void
run(struct daemon *d)
{
	uint32_t token[SKY_POLLER_BATCH];

	while (!d->ended) {
		int n;

		d->asleep_ns = sky_clock_wall();
		n = sky_poller_sleep(d->wait, token, d->deaf ? DEAF_MS : -1);
		dispatch_all(d, token, n);
		if (d->deaf)
			client_accept(d);
		client_flush_all(d);
	}
}
