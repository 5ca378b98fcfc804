/* SPDX-License-Identifier: BSD-2-Clause */
/* volley.c - see volley.h. */
#include "sys/volley.h"

#include "sys/sockfd.h"
#include "sys/sockopt.h"

#include <linux/errqueue.h>
#include <string.h>

enum { PROBE = 3 };	/* IP_PMTUDISC_PROBE: set DF, obey no cache */

static const uint8_t padding[SKY_VOLLEY_MOST];

static unsigned
carries(int family)
{
	return family == AF_INET6 ? SKY_CARRIES6 : SKY_CARRIES4;
}

/* What both sockets need before they are bound. */
static int
make(const struct sky_volley_conf *c, bool share)
{
	unsigned f = carries(c->family);
	int fd = sky_sockfd_open(c->family), r = fd;

	if (r >= 0 && c->family == AF_INET6)
		r = sky_sockopt_set(fd, f, SKY_OPT_V6ONLY, 1);
	if (r >= 0 && share)
		r = sky_sockopt_set(fd, f, SKY_OPT_REUSEADDR, 1);
	if (r >= 0)
		r = sky_sockopt_set(fd, f, SKY_OPT_PMTU, PROBE);
	if (r >= 0 && c->tos >= 0)
		r = sky_sockopt_set(fd, f, SKY_OPT_TOS, c->tos);
	if (r >= 0 && c->broadcast)
		r = sky_sockopt_set(fd, f, SKY_OPT_BROADCAST, 1);
	if (r >= 0 && c->device)
		r = sky_sockopt_device(fd, c->device);
	if (r < 0 && fd >= 0)
		sky_sockfd_close(fd);
	return r < 0 ? r : fd;
}

static int
listen_for_errors(int fd, const struct sky_volley_conf *c)
{
	unsigned f = carries(c->family);
	int r = sky_sockopt_set(fd, f, SKY_OPT_RECVERR, 1);

	if (r == 0)
		r = sky_sockopt_set(fd, f, SKY_OPT_RECVTTL, 1);
	if (r == 0)
		r = sky_sockopt_set(fd, f, SKY_OPT_TIMESTAMPNS, 1);
	if (r == 0)
		sky_sockopt_buffer(fd, true, c->buffer);
	return r;
}

static int
bind_to(int fd, const struct sky_volley_conf *c, uint16_t port)
{
	struct sky_addr any = { .u.sa.sa_family = (sa_family_t)c->family };
	const struct sky_addr *from = c->source ? c->source : &any;
	struct sky_addr at = *from;
	struct sockaddr_storage ss;
	int len;

	if (port)
		sky_addr_set_port(&at, port);
	len = sky_addr_to(&at, c->family, &ss);
	return len < 0 ? len : sky_sockfd_bind(fd, &ss, (socklen_t)len);
}

static uint16_t
port_of(int fd)
{
	struct sockaddr_storage ss;
	struct sky_addr a;
	int len = sky_sockfd_name(fd, &ss);

	if (len < 0 || sky_addr_from(&a, (const struct sockaddr *)&ss, (socklen_t)len) < 0)
		return 0;
	return sky_addr_port(&a);
}

/* Does a datagram to the shared port come to the socket that is to send only? Kernels
 * may choose otherwise some day. Where nothing arrives at all (no loopback, a
 * device to leave by) it is taken to be as it always was. */
static bool
wrong_way(const struct sky_volley *v, const struct sky_volley_conf *c)
{
	static const struct in6_addr lo6 = IN6ADDR_LOOPBACK_INIT;
	struct sky_addr to = { .u.sa.sa_family = (sa_family_t)c->family };
	struct sockaddr_storage ss;
	struct iovec iov[2] = { { .iov_len = 0 }, { .iov_len = 0 } };
	struct mmsghdr out, in;
	int len;

	if (c->source && !sky_addr_is_any(c->source))
		to = *c->source;
	else if (c->family == AF_INET6)
		to.u.in6.sin6_addr = lo6;
	else
		to.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sky_addr_set_port(&to, v->port);
	len = sky_addr_to(&to, c->family, &ss);
	if (len < 0)
		return false;
	out.msg_hdr = (struct msghdr){ .msg_name = &ss, .msg_namelen = (socklen_t)len,
	    .msg_iov = &iov[0], .msg_iovlen = 1 };
	in.msg_hdr = (struct msghdr){ .msg_iov = &iov[1], .msg_iovlen = 1 };
	sky_msg_send(v->tx, &out, 1);
	if (sky_msg_recv(v->tx, &in, 1) > 0)
		return true;
	sky_msg_recv(v->rx, &in, 1);
	return false;
}

/* Of sockets that share a port and differ in nothing else, the one bound last
 * gets what arrives. Once both are bound nobody else may join them. */
static int
share(struct sky_volley *v, const struct sky_volley_conf *c)
{
	int r;

	v->rx = make(c, true);
	if (v->rx < 0)
		return v->rx;
	r = listen_for_errors(v->rx, c);
	if (r == 0)
		r = bind_to(v->rx, c, v->port);
	sky_sockopt_set(v->tx, carries(c->family), SKY_OPT_REUSEADDR, 0);
	sky_sockopt_set(v->rx, carries(c->family), SKY_OPT_REUSEADDR, 0);
	if (r == 0 && !wrong_way(v, c))
		return 0;
	sky_sockfd_close(v->rx);
	v->rx = v->tx;
	return listen_for_errors(v->tx, c);
}

static void
prepare(struct sky_volley *v)
{
	for (unsigned i = 0; i < SKY_VOLLEY_BATCH; i++) {
		v->h[i].msg_hdr = (struct msghdr){ .msg_iov = v->iov[i], .msg_iovlen = 2,
		    .msg_control = v->ctl[i] };
		v->iov[i][0].iov_len = SKY_VOLLEY_HEAD;
		/* sendmsg only reads; its type does not say so. */
		memcpy(&v->iov[i][1].iov_base, &(const void *){ padding }, sizeof(void *));
	}
}

int
sky_volley_open(struct sky_volley *v, const struct sky_volley_conf *c)
{
	int r;

	memset(v, 0, sizeof(*v));
	v->family = c->family;
	v->rx = -1;
	v->tx = make(c, true);
	if (v->tx < 0)
		return v->tx;
	prepare(v);
	(void)sky_sockopt_buffer(v->tx, false, c->buffer);
	r = bind_to(v->tx, c, 0);
	if (r == 0) {
		v->port = port_of(v->tx);
		r = share(v, c);
	}
	if (r < 0)
		sky_volley_close(v);
	return r;
}

void
sky_volley_close(struct sky_volley *v)
{
	if (v->rx >= 0 && v->rx != v->tx)
		sky_sockfd_close(v->rx);
	if (v->tx >= 0)
		sky_sockfd_close(v->tx);
	v->tx = v->rx = -1;
}

static void
load(struct sky_volley *v, unsigned i, const struct sky_volley_shot *s)
{
	struct msghdr *m = &v->h[i].msg_hdr;

	memcpy(&m->msg_name, &(const void *){ &s->dst.u }, sizeof(void *));
	m->msg_namelen = sky_addr_len(&s->dst);
	memcpy(&v->iov[i][0].iov_base, &(const void *){ s->head }, sizeof(void *));
	v->iov[i][1].iov_len = s->len - SKY_VOLLEY_HEAD;
	m->msg_controllen = sky_ctl_put_ttl(v->ctl[i], 0, v->family, s->ttl);
}

/* An error of another datagram: once told, it is out of the way. */
static bool
foreign(int err)
{
	static const int local[] = { EAGAIN, ENOBUFS, ENOMEM, EMSGSIZE, EPERM, EACCES, EINVAL,
	    ENETUNREACH, EBADF, EADDRNOTAVAIL, ENETDOWN, EAFNOSUPPORT };

	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		if (err == -local[i])
			return false;
	return true;
}

unsigned
sky_volley_send(struct sky_volley *v, const struct sky_volley_shot *s, unsigned n, int *err)
{
	unsigned done = 0, tries = 0;
	int r = 0;

	if (n > SKY_VOLLEY_BATCH)
		n = SKY_VOLLEY_BATCH;
	for (unsigned i = 0; i < n; i++)
		load(v, i, &s[i]);
	while (done < n) {
		r = sky_msg_send(v->tx, v->h + done, n - done);
		if (r > 0) {
			done += (unsigned)r;
			tries = 0;
			v->pushed += done < n;
		} else if (r == 0 || tries++ || (v->tx != v->rx && !foreign(r))) {
			break;
		}
	}
	*err = done ? 0 : r;
	return done;
}

static void
ready_in(struct sky_volley_in *in, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		in->iov[i] = (struct iovec){ in->data[i], SKY_VOLLEY_HEAD };
		in->h[i].msg_hdr = (struct msghdr){ .msg_name = &in->name[i],
		    .msg_namelen = sizeof(in->name[i]), .msg_iov = &in->iov[i], .msg_iovlen = 1,
		    .msg_control = in->ctl[i], .msg_controllen = SKY_CTL_IN };
	}
}

static void
fill(struct sky_volley_echo *e, struct sky_volley_in *in, unsigned i)
{
	const struct mmsghdr *h = &in->h[i];
	struct sky_ctl c;

	sky_ctl_decode(&c, in->ctl[i], h->msg_hdr.msg_controllen);
	memset(e, 0, offsetof(struct sky_volley_echo, head));
	if (h->msg_hdr.msg_namelen) {
		e->dst = in->name[i];
		sky_msg_unmap(&e->dst);
	}
	e->len = (uint16_t)(h->msg_len < SKY_VOLLEY_HEAD ? h->msg_len : SKY_VOLLEY_HEAD);
	memcpy(e->head, in->data[i], e->len);
	e->by = e->dst;
	if (c.have & SKY_CTL_TTL)
		e->ttl = c.ttl;
	if (c.have & SKY_CTL_TIME)
		e->time_ns = c.time_ns;
	if (!(c.have & SKY_CTL_ERROR))
		return;
	e->err = c.err;
	e->origin = c.origin;
	e->type = c.type;
	e->code = c.code;
	e->info = c.info;
	e->by = c.by;
}

unsigned
sky_volley_take(struct sky_volley *v, struct sky_volley_echo *e, unsigned n)
{
	struct sky_volley_in *in = &v->in;
	int r, got = 0;

	if (n > SKY_VOLLEY_BATCH)
		n = SKY_VOLLEY_BATCH;
	ready_in(in, n);
	r = sky_msg_errors(v->rx, in->h, n);
	for (int i = 0; i < r; i++)
		fill(&e[got++], in, (unsigned)i);
	if ((unsigned)got == n)
		return n;
	ready_in(in, n - (unsigned)got);
	r = sky_msg_recv(v->rx, in->h, n - (unsigned)got);
	if (r < 0 && r != -EAGAIN)	/* told by the error queue already */
		r = sky_msg_recv(v->rx, in->h, n - (unsigned)got);
	for (int i = 0; i < r; i++)
		fill(&e[got++], in, (unsigned)i);
	return (unsigned)got;
}
