/* SPDX-License-Identifier: BSD-2-Clause */
/* pathtcp.c - probes that are SYNs, one socket each; see pathsock.h. */
#include "sock/pathsock.h"
#include "sys/clock.h"
#include "sys/errq.h"
#include "sys/sockfd.h"
#include "sys/sockopt.h"
#include "sys/poller.h"

#include <errno.h>
#include <poll.h>

enum { SYN4 = 60, SYN6 = 80 };		/* with the options that Linux sends */

#define HEARD UINT64_C(950000000)	/* the kernel repeats a SYN after a second */

static void
hang_up(struct sky_pathsock_way *w)
{
	if (w->fd >= 0)
		sky_sockfd_abort(w->fd);
	w->fd = -1;
}

void
sky_pathsock_tend(struct sky_pathsock *s)
{
	uint64_t now = sky_clock_steady();

	for (unsigned i = 0; i < s->ways; i++)
		if (s->way[i].fd >= 0 && now - s->way[i].sent >= HEARD)
			hang_up(&s->way[i]);
}

static struct sky_pathsock_way *
slot(struct sky_pathsock *s)
{
	for (unsigned i = 0; i < s->ways; i++)
		if (s->way[i].fd < 0)
			return &s->way[i];
	if (s->ways == SKY_PATHSOCK_SYNS)
		return NULL;
	s->way[s->ways].fd = -1;
	return &s->way[s->ways++];
}

static int
bind_source(struct sky_pathsock *s, int fd)
{
	struct sockaddr_storage from;
	int len;

	if (sky_addr_family(&s->conf.src) == AF_UNSPEC)
		return 0;
	len = sky_addr_to(&s->conf.src, s->family, &from);
	return len < 0 ? len : sky_sockfd_bind(fd, &from, (socklen_t)len);
}

/* Without this host's repetitions, and with the TTL before the first SYN. */
static int
dial(struct sky_pathsock *s, struct sky_pathsock_way *w, const struct sky_hop_probe *p)
{
	struct sockaddr_storage to;
	int len = sky_addr_to(&s->conf.dst, s->family, &to);
	int r = sky_sockfd_make(s->family, SOCK_STREAM, 0);

	if (r < 0)
		return r;
	w->fd = r;
	w->id = p->id;
	w->sent = sky_clock_steady();
	r = sky_pathsock_options(s, w->fd);
	if (r == 0)
		r = sky_sockopt_set(w->fd, s->carries, SKY_OPT_TTL, p->ttl);
	if (r == 0)
		r = bind_source(s, w->fd);
	sky_sockopt_set(w->fd, s->carries, SKY_OPT_SYNCNT, 1);
	if (r == 0)
		r = sky_poller_add(s->wait, w->fd, 1, (uint32_t)(w - s->way));
	if (r == 0)
		r = sky_sockfd_connect(w->fd, &to, (socklen_t)len);
	return r == -EINPROGRESS ? 0 : r;
}

/* Errors that say: an answer came while the call itself ran. It waits at the
 * socket and is collected. */
static bool
is_answered(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH;
}

static bool
is_busy(const struct sky_pathsock *s)
{
	for (unsigned i = 0; i < s->ways; i++)
		if (s->way[i].fd >= 0)
			return true;
	return false;
}

unsigned
sky_pathsock_dial(struct sky_pathsock *s, const struct sky_hop_probe *p, unsigned n)
{
	struct sky_pathsock_way *w;
	unsigned i;
	int r;

	sky_pathsock_tend(s);
	for (i = 0; i < n && s->fails < SKY_PATHSOCK_BATCH; i++) {
		w = slot(s);
		if (!w)
			break;
		r = dial(s, w, &p[i]);
		if (r >= 0 || is_answered(-r)) {
			s->packets++;
			s->bytes += s->family == AF_INET ? SYN4 : SYN6;
			continue;
		}
		hang_up(w);
		if ((r == -EMFILE || r == -ENFILE) && is_busy(s))
			break;		/* until an answer frees one */
		sky_pathsock_failed(s, p[i].id, -r);
	}
	return i;
}

/* The answer of the destination itself, which the kernel has checked. */
static void
reached(const struct sky_pathsock *s, const struct sky_pathsock_way *w,
    struct sky_hop_answer *a)
{
	*a = (struct sky_hop_answer){
		.at = sky_clock_steady(), .id = w->id, .what = SKY_HOP_REACHED,
		.trust = SKY_TRUST_MATCHED, .by = s->conf.dst,
	};
	sky_addr_set_port(&a->by, 0);
}

unsigned
sky_pathsock_dialled(struct sky_pathsock *s, struct sky_pathsock_way *w,
    struct sky_hop_answer *a, unsigned n)
{
	unsigned got = sky_pathsock_errors(s, w, a, n);
	int events, err = 0;

	for (unsigned i = 0; i < got; i++) {
		a[i].id = w->id;
		a[i].trust = SKY_TRUST_MATCHED;
	}
	if (got == n)
		return got;
	events = sky_sockfd_poll(w->fd, POLLOUT);
	if (!(events & (POLLOUT | POLLHUP | POLLERR)))
		return got;
	sky_sockopt_get(w->fd, s->carries, SKY_OPT_ERROR, &err);
	if (got == 0 && (err == 0 || err == ECONNREFUSED))
		reached(s, w, &a[got++]);
	hang_up(w);
	return got;
}
