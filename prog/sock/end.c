/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * end.c - opens the socket and says what it got; see end.h.
 */
#include "reporter.h"
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)
#define ROOM_WAIT_NS (1000 * MS_NS)

void
end_say_error(const char *text, int err)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", text, strerror(err));
}

/* The family that serves all destinations; AF_INET6 serves both. */
static int
family_of(const struct config *c)
{
	int family = sky_addr_family(c->server ? &c->bind : &c->dests[0]);
	unsigned i;

	if (c->server && family == AF_UNSPEC)
		family = sky_addr_family(&c->foreign);
	if (family == AF_UNSPEC)
		family = c->only4 ? AF_INET : AF_INET6;
	for (i = 1; i < c->ndests; i++)
		if (sky_addr_family(&c->dests[i]) != family)
			return AF_INET6;
	return family;
}

/* Any address of a family, with a port that may be 0. */
static void
any(struct sky_addr *a, int family, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->u.sa.sa_family = (sa_family_t)family;
	sky_addr_set_port(a, port);
}

static void
own_end(const struct config *c, int family, struct sky_addr *a)
{
	if (c->server && sky_addr_family(&c->bind))
		*a = c->bind;
	else if (!c->server && sky_addr_family(&c->local))
		*a = c->local;
	else
		any(a, family, c->server ? c->bind_to_port : c->bind_port);
}

static const struct sky_addr *
peer_of(const struct config *c)
{
	if (c->server)
		return sky_addr_family(&c->foreign) ? &c->foreign : NULL;
	return c->ndests == 1 && !c->unconnected ? &c->dests[0] : NULL;
}

static bool
is_plain(const struct config *c)
{
	return c->errors == ERRORS_SOCKET || c->errors == ERRORS_NONE;
}

uint32_t
end_flags(const struct config *c)
{
	uint32_t flags = 0;

	if (is_plain(c))
		flags |= SKY_UDP_PLAIN;
	if (c->reuse)
		flags |= SKY_UDP_REUSEADDR;
	if (c->so.reuseport)
		flags |= SKY_UDP_REUSEPORT;
	if (c->broadcast)
		flags |= SKY_UDP_BROADCAST;
	if (c->so.dontroute)
		flags |= SKY_UDP_DONTROUTE;
	if (c->only6)
		flags |= SKY_UDP_V6ONLY;
	if (run_reads_trains(c))
		flags |= SKY_UDP_GRO;
	return flags;
}

/* Errors of connect() that are news about the destination, not a fault here. */
static bool
about_destination(int err)
{
	static const int errs[] = { ENETUNREACH, EHOSTUNREACH, EACCES, EPERM, ENETDOWN,
		EADDRNOTAVAIL, EINVAL };
	size_t i;

	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		if (errs[i] == err)
			return true;
	return false;
}

/* The open itself, with what can be mended mended. Returns 0 or -errno. */
static int
open_mended(struct end *e, const struct config *c, struct out *out, struct sky_udp_conf *conf)
{
	char text[SKY_ADDRSTRLEN];
	int rc = sky_udp_open(&e->u, conf);

	if (rc == -EACCES && conf->peer && !(conf->flags & SKY_UDP_BROADCAST)) {
		conf->flags |= SKY_UDP_BROADCAST;
		rc = sky_udp_open(&e->u, conf);
		if (rc < 0)
			conf->flags &= ~(uint32_t)SKY_UDP_BROADCAST;
		else
			out_line(out, "SO_BROADCAST set: %s is a broadcast address",
			    sky_addr_format_host(conf->peer, text, sizeof(text)));
	}
	if (rc < 0 && conf->peer && !c->server && !e->plain && about_destination(-rc)) {
		conf->peer = NULL;
		rc = sky_udp_open(&e->u, conf);
	}
	e->connected = conf->peer != NULL;
	e->broadcast = conf->flags & SKY_UDP_BROADCAST;
	return rc;
}

/* Every bound socket with this port must have asked to share it; the book's
 * systems were content when the later ones did. */
static void
explain_in_use(const struct config *c, const struct sky_addr *local)
{
	unsigned port = sky_addr_port(local);

	if (c->so.reuseport)
		fprintf(stderr, "sock: port %u is held by a socket that was opened without -T, or "
		    "by another user: all that share it this way need -T, also the first\n", port);
	else if (c->reuse)
		fprintf(stderr, "sock: port %u is held by a socket that was opened without -A: "
		    "here every one of them needs -A, also the first; start that one again with -A\n",
		    port);
	else
		fprintf(stderr, "sock: port %u is taken; to share it, start every one of its "
		    "servers with -A, also the first\n", port);
}

/* Says which step failed. Returns the exit status. */
static int
explain_failure(const struct config *c, const struct sky_udp_conf *conf, int err)
{
	char text[SKY_ADDRSTRLEN];
	unsigned port = sky_addr_port(conf->local);

	if (err == EADDRINUSE || err == EADDRNOTAVAIL || (err == EACCES && port && port < 1024)) {
		end_say_error("can't bind local address", err);
		if (err == EADDRINUSE)
			explain_in_use(c, conf->local);
		else if (err == EADDRNOTAVAIL)
			fprintf(stderr, "sock: %s is not an address of this host\n",
			    sky_addr_format_host(conf->local, text, sizeof(text)));
		else
			fprintf(stderr, "sock: ports below 1024 need root\n");
		return 1;
	}
	if (conf->peer) {
		end_say_error("connect() error", err);
		return sky_fate_is_bad(sky_fate_from_errno(err)) ? 3 : 1;
	}
	end_say_error("socket() error", err);
	return 1;
}

/* A buffer that is not twice what was asked for is said also without -v. */
static void
say_buffer(struct out *out, const char *name, unsigned asked, unsigned got, bool verbose)
{
	if (!asked)
		return;
	if (got == 2 * asked) {
		if (verbose)
			out_line(out, "%s = %u (%u asked for, the kernel doubles it)", name, got,
			    asked);
		return;
	}
	out_line(out, "%s = %u (%u asked for, the kernel allows no %s)", name, got, asked,
	    got > 2 * asked ? "less" : "more");
}

static void
say_ends(const struct end *e, const struct config *c, struct out *out,
    const struct sky_addr *local)
{
	char here[SKY_ADDRSTRLEN], there[SKY_ADDRSTRLEN];
	unsigned i;

	if (!c->verbose)
		return;
	out_end_point(local, here, sizeof(here));
	for (i = 0; i < c->ndests; i++)
		out_line(out, "connected on %s to %s", here,
		    out_end_point(&c->dests[i], there, sizeof(there)));
	if (!c->server)
		return;
	if (e->connected)
		out_line(out, "connected on %s to %s", here,
		    out_end_point(&c->foreign, there, sizeof(there)));
	else if (sky_addr_is_any(local))
		out_line(out, "waiting on *.%u", sky_addr_port(local));
	else
		out_line(out, "waiting on %s", here);
}

static void
say_all(struct end *e, const struct config *c, struct out *out)
{
	struct sky_udp_info info = { .size = sizeof(info) };

	if (sky_udp_info(&e->u, &info) < 0)
		return;
	say_buffer(out, "SO_RCVBUF", (unsigned)c->rcvbuf, info.rcvbuf, c->verbose);
	say_buffer(out, "SO_SNDBUF", (unsigned)c->sndbuf, info.sndbuf, c->verbose);
	sockopts_say(sky_udp_fd(&e->u), c, out);
	say_ends(e, c, out, &info.local);
}

/* What did not have to be there before the bind. Returns the exit status. */
static int
set_rest(const struct end *e, const struct config *c)
{
	int fd = sky_udp_fd(&e->u);
	int rc = sockopts_set(fd, c, SOCKOPTS_CONNECT);

	return rc ? rc : sockopts_set(fd, c, SOCKOPTS_OPEN);
}

static int
adopt(struct end *e, const struct config *c, const struct sky_udp_conf *conf)
{
	struct sky_udp_conf own = *conf;

	own.local = own.peer = NULL;
	e->connected = c->inherited.connected;
	e->broadcast = c->broadcast;
	return sky_udp_adopt(&e->u, c->fd, &own);
}

/* Who spins sees an answer when it comes, and each thing that is learnt costs. */
static uint32_t
want_of(const struct config *c)
{
	if (c->request && c->spin)
		return 0;
	return SKY_WANT_TIME | SKY_WANT_DROPS | (c->server ? SKY_WANT_LOCAL : 0) |
	    (c->measure.on ? SKY_WANT_TTL : 0);
}

int
end_open(struct end *e, const struct config *c, struct out *out)
{
	struct sky_addr local;
	struct sky_udp_conf conf = {
		.size = sizeof(conf),
		.want = want_of(c),
		.flags = end_flags(c),
		.family = family_of(c),
		.local = &local,
		.peer = peer_of(c),
		.rcvbuf = c->rcvbuf,
		.sndbuf = c->sndbuf,
		.device = c->so.device,
		.room = e->room,
		.room_size = sizeof(e->room),
	};
	int rc;

	if (c->errors == ERRORS_ICMPD) {
		conf.icmpd = &e->icmpd;
		conf.icmpd_path = reporter_path();
	}
	e->plain = is_plain(c);
	e->sndtimeo = c->so.have_sndtimeo ? c->so.sndtimeo : 0;
	own_end(c, conf.family, &local);
	rc = c->have_fd ? adopt(e, c, &conf) : open_mended(e, c, out, &conf);
	if (rc == -EAFNOSUPPORT && c->server && sky_addr_is_any(&local) && !c->only6) {
		/* a kernel without IPv6 */
		conf.family = AF_INET;
		own_end(c, conf.family, &local);
		rc = open_mended(e, c, out, &conf);
	}
	if (rc < 0)
		return explain_failure(c, &conf, -rc);
	rc = set_rest(e, c);
	if (rc == 0 && conf.icmpd)
		rc = reporter_await(e);
	if (rc)
		return rc;
	say_all(e, c, out);
	return 0;
}

/* Waits until there is room to send, for a second at most. Returns false when
 * the write has waited long enough. */
static bool
await_room(struct end *e)
{
	struct pollfd p = { .fd = sky_udp_fd(&e->u), .events = POLLOUT };
	uint64_t now = run_clock(), left = ROOM_WAIT_NS;

	if (!e->waiting_since)
		e->waiting_since = now;
	if (e->sndtimeo) {
		if (now - e->waiting_since >= e->sndtimeo)
			return false;
		left = e->waiting_since + e->sndtimeo - now;
	}
	left = left < ROOM_WAIT_NS ? left : ROOM_WAIT_NS;
	poll(&p, 1, (int)((left + MS_NS - 1) / MS_NS));
	return true;
}

/* True if m was refused only because nobody had asked for broadcasts. */
static bool
mend_broadcast(struct end *e, struct out *out, struct sky_msg *m)
{
	char text[SKY_ADDRSTRLEN];

	if (m->status != -EACCES || e->broadcast || !(m->have & SKY_MSG_PEER))
		return false;
	if (sky_udp_set(&e->u, SKY_SET_BROADCAST, 1) < 0)
		return false;
	if (sky_udp_send(&e->u, m, 1) != 1 || m->status == -EACCES) {
		m->status = -EACCES;	/* it was something else: a prohibited route */
		sky_udp_set(&e->u, SKY_SET_BROADCAST, 0);
		return false;
	}
	e->broadcast = true;
	out_line(out, "SO_BROADCAST set: %s is a broadcast address",
	    sky_addr_format_host(&m->peer, text, sizeof(text)));
	return true;
}

unsigned
end_send(struct end *e, struct out *out, struct sky_msg *m, unsigned n)
{
	int rc = sky_udp_send(&e->u, m, n);
	int i;

	if ((rc == 0 || rc == -EAGAIN) && await_room(e))
		return 0;
	e->waiting_since = 0;
	if (rc <= 0) {		/* a fault of the call: the first one tells it */
		m[0].status = rc ? rc : -EAGAIN;
		return 1;
	}
	for (i = 0; i < rc; i++)
		if (m[i].status < 0)
			mend_broadcast(e, out, &m[i]);
	return (unsigned)rc;
}
