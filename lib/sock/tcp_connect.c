/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_connect.c - a connect that is explained; see sockeye/tcp.h.
 *
 * An ICMP error that arrives while the connect call itself runs (a firewall on
 * this host, a veth, the loopback: no round trip) is only noted by the kernel:
 * the socket reports an error, SO_ERROR reads it, and yet the state is still
 * SYN_SENT and the next SYN may well get through. Only TCP_INFO tells that
 * apart from a connect that failed.
 */
#include "sock/tcp.h"
#include "sys/clock.h"
#include "sys/route.h"
#include "sys/sockfd.h"
#include "sys/sockopt.h"
#include "sys/tcpinfo.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <string.h>

_Static_assert(sizeof(struct tcp) <= sizeof(struct sky_tcp), "the handle has room");

static void
learn_local(struct tcp *t)
{
	struct sockaddr_storage s;
	int r = sky_sockfd_name(t->fd, &s);

	if (r > 0)
		sky_addr_from(&t->local, (const struct sockaddr *)&s, (socklen_t)r);
}

static void
count_syns(struct tcp *t)
{
	struct sky_tcpinfo i;

	if (sky_tcpinfo_read(t->fd, &i) == 0)
		t->syns = 1 + i.total_retrans;
}

static int
settle(struct tcp *t, enum sky_tcp_state state, int err)
{
	t->state = (int)state;
	t->err = err;
	t->ended_ns = sky_clock_steady();
	return state == SKY_TCP_CONNECTED ? 1 : -err;
}

/* Errors are asked for only until now: see sockeye/tcp.h. One that was noted
 * meanwhile would fail the program's first send. */
static int
connected(struct tcp *t)
{
	struct sky_tcpinfo i = { .state = 0 };
	int ignored;

	t->softs += tcp_fate_drain(t, &t->soft);
	sky_sockopt_set(t->fd, t->carries, SKY_OPT_RECVERR, 0);
	if ((sky_sockfd_poll(t->fd, POLLOUT) & (POLLERR | POLLHUP)) == POLLERR &&
	    sky_tcpinfo_read(t->fd, &i) == 0 && i.state == SKY_TCPINFO_ESTABLISHED)
		sky_sockopt_get(t->fd, t->carries, SKY_OPT_ERROR, &ignored);
	count_syns(t);
	learn_local(t);
	settle(t, SKY_TCP_CONNECTED, 0);
	tcp_fate_begin(t, &t->fate, SKY_BY_REPLY);
	t->fate.what = SKY_ANSWERED;
	t->fate.by = t->dst;
	sky_addr_set_port(&t->fate.by, 0);
	t->fate.rtt_ns = t->ended_ns - t->began_ns;
	t->fate.have |= SKY_HAVE_BY | SKY_HAVE_RTT;
	return 1;
}

/* This host itself gives up when the neighbour has not answered. */
static void
count_probes(struct tcp *t)
{
	if (t->fate.what == SKY_NO_NEIGHBOUR && sky_route_neighbour(&t->dst, &t->probes) < 0)
		t->probes = 0;
}

/* The connection is over before it began, with this errno. */
static int
failed(struct tcp *t, int err)
{
	struct sky_fate f;
	unsigned n = tcp_fate_drain(t, &f);

	count_syns(t);
	if (n > 0)
		t->fate = f;
	else if (err == ETIMEDOUT)
		tcp_fate_silent(t, &t->fate);
	else
		tcp_fate_errno(t, &t->fate, err, false);
	if (err == ECONNRESET || err == EPIPE)
		t->flags |= SKY_TCP_RESET_LATER;
	count_probes(t);
	t->softs -= n > 1 && t->softs ? 1 : 0;
	return settle(t, SKY_TCP_FAILED, err);
}

/* connect() itself said no: nothing was sent. */
static int
refused_here(struct tcp *t, int err)
{
	tcp_fate_errno(t, &t->fate, err, true);
	return settle(t, SKY_TCP_FAILED, err);
}

static int
deadline(struct tcp *t)
{
	t->flags |= SKY_TCP_GAVE_UP;
	count_syns(t);
	tcp_fate_silent(t, &t->fate);
	if (t->softs && !(t->flags & SKY_TCP_UNRESOLVED))
		t->fate = t->soft;
	return settle(t, SKY_TCP_FAILED, ETIMEDOUT);
}

/* What is known while it goes on. */
static int
still_trying(struct tcp *t)
{
	unsigned n;
	int ignored;

	sky_sockopt_get(t->fd, t->carries, SKY_OPT_ERROR, &ignored);
	n = tcp_fate_drain(t, &t->soft);
	t->softs += n;
	if (sky_clock_steady() >= t->deadline_ns)
		return deadline(t);
	return 0;
}

int
sky_tcp_progress(struct sky_tcp *st)
{
	struct tcp *t = tcp_of(st);
	struct sky_tcpinfo i;
	int err = 0;
	int r;

	if (t->state != SKY_TCP_TRYING)
		return t->state == SKY_TCP_CONNECTED ? 1 : -t->err;
	r = sky_tcpinfo_read(t->fd, &i);
	if (r < 0)
		return refused_here(t, -r);
	if (i.state == SKY_TCPINFO_SYN_SENT || i.state == SKY_TCPINFO_SYN_RECV)
		return still_trying(t);
	if (i.state != SKY_TCPINFO_CLOSE)
		return connected(t);
	sky_sockopt_get(t->fd, t->carries, SKY_OPT_ERROR, &err);
	return failed(t, err ? err : ECONNRESET);
}

static int
init(struct tcp *t, int fd, const struct sky_addr *dst, uint64_t timeout_ns)
{
	int type, protocol, v6only = 0;
	int r;

	memset(t, 0, sizeof(*t));
	t->magic = SKY_TCP_MAGIC;
	t->fd = fd;
	t->dst = *dst;
	r = sky_sockopt_kind(fd, &t->family, &type, &protocol);
	if (r < 0)
		return r;
	if ((t->family != AF_INET && t->family != AF_INET6) || protocol != IPPROTO_TCP)
		return -EPROTOTYPE;
	if (t->family == AF_INET6)
		sky_sockopt_get(fd, SKY_CARRIES6, SKY_OPT_V6ONLY, &v6only);
	t->carries = t->family == AF_INET ? SKY_CARRIES4 :
	    v6only ? SKY_CARRIES6 : SKY_CARRIES4 | SKY_CARRIES6;
	t->began_ns = sky_clock_steady();
	t->deadline_ns = timeout_ns && timeout_ns < UINT64_MAX - t->began_ns ?
	    t->began_ns + timeout_ns : UINT64_MAX;
	return 0;
}

int
sky_tcp_begin(struct sky_tcp *st, int fd, const struct sky_addr *dst, uint64_t timeout_ns)
{
	struct tcp *t = tcp_of(st);
	struct sockaddr_storage s;
	int len, r = init(t, fd, dst, timeout_ns);

	if (r < 0)
		return r;
	len = sky_addr_to(dst, t->family, &s);
	if (len < 0)
		return len;
	r = sky_sockfd_nonblock(fd);
	if (r < 0)
		return r;
	sky_sockopt_set(fd, t->carries, SKY_OPT_RECVERR, 1);
	r = sky_sockfd_connect(fd, &s, (socklen_t)len);
	if (r == -EISCONN || r == -EALREADY)
		return r;
	learn_local(t);
	if (r == 0)
		connected(t);
	else if (r != -EINPROGRESS)
		refused_here(t, -r);
	return 0;
}

int
sky_tcp_fd(const struct sky_tcp *t)
{
	return tcp_of_const(t)->fd;
}

int
sky_tcp_want(const struct sky_tcp *t)
{
	return tcp_of_const(t)->state == SKY_TCP_TRYING ? POLLOUT : 0;
}

uint64_t
sky_tcp_deadline(const struct sky_tcp *t)
{
	return tcp_of_const(t)->deadline_ns;
}

int
sky_tcp_report(const struct sky_tcp *st, struct sky_tcp_report *out)
{
	const struct tcp *t = tcp_of_const(st);
	struct sky_tcp_report r = { .size = sizeof(r) };
	struct sky_tcpinfo i;

	if (out->size != sizeof(r))
		return -EINVAL;
	r.flags = t->flags;
	r.state = t->state;
	r.syns = t->syns;
	r.probes = t->probes;
	r.softs = t->softs;
	r.fate = t->fate;
	r.soft = t->soft;
	r.waited_ns = (t->ended_ns ? t->ended_ns : sky_clock_steady()) - t->began_ns;
	if (t->state == SKY_TCP_TRYING) {
		tcp_fate_begin(t, &r.fate, SKY_BY_NOBODY);
		r.fate.what = SKY_SENT;
		if (sky_tcpinfo_read(t->fd, &i) == 0)
			r.syns = 1 + i.total_retrans;
	}
	*out = r;
	return 0;
}
