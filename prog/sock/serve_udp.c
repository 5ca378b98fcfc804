/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve_udp.c - a service over UDP: batches in, batches out.
 *
 * Each answer leaves from the address that was asked. A sender whose port is
 * that of such a service itself gets none: the two would never stop.
 */
#include "end.h"
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define FATES 16
#define QUOTES (FATES * 1280)
#define NEWS_NS UINT64_C(20000000) /* asking each time would cost as much as an answer */
#define NEWS_MS 20
#define SPINS 64		/* before others than clients are listened to */
#define ALONE_NS 10000		/* a flood's datagrams are closer, even one by one */
#define ROOM_ROUNDS 50		/* of 20 ms: then the queue is told to be full */

static bool
request(struct serve *s, struct sky_msg *in)
{
	return request_peer_answer(&s->requests, &in->peer, in->data, in->len);
}

static serve_hook *const hooks[] = { request };

static void
ask_hooks(struct serve *s, struct sky_msg *in)
{
	size_t i;

	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if (hooks[i](s, in))
			return;
}

/* Returns false if there is nothing to say to m. */
static bool
fill(struct serve *s, struct sky_msg *in, struct sky_msg *m, unsigned char *once,
    uint64_t now)
{
	if (sky_udp_reply(m, in) < 0)
		return false;
	m->data = once;
	m->cap = SERVICE_ONCE;
	if (s->service->copies) {
		ask_hooks(s, in);
		m->data = in->data;
		m->len = in->len;
	} else if (s->service->answer) {
		m->len = s->service->answer(once, (time_t)(now / 1000000000), serve_chance(s));
	} else {
		return false;
	}
	if (!service_answers_all(sky_addr_port(&in->peer)))
		return true;
	s->unanswered++;
	return false;
}

static void
refused(struct serve *s, const struct sky_msg *m)
{
	struct sky_fate f = {
		.size = sizeof(f), .evidence = SKY_BY_CALL, .proto = IPPROTO_UDP,
		.err = -m->status, .dst = m->peer, .len = (uint32_t)m->len,
		.time_ns = serve_now(), .origin = SKY_ORIGIN_LOCAL,
		.have = SKY_HAVE_TIME | SKY_HAVE_DST | SKY_HAVE_LEN,
	};

	if (m->have & SKY_MSG_MTU) {
		f.mtu = m->mtu;
		f.have |= SKY_HAVE_MTU;
	}
	sky_fate_classify(&f);
	serve_tell(s, &f);
}

/* The kernel took m[0..n-1], or said why not. */
static void
settled(struct serve *s, const struct sky_msg *m, unsigned n, uint64_t now)
{
	unsigned i, same;

	for (i = 0; i < n; i += same) {
		same = 1;
		if (m[i].status < 0) {
			refused(s, &m[i]);
			continue;
		}
		while (i + same < n && m[i + same].status == 0 &&
		    sky_addr_equal(&m[i].peer, &m[i + same].peer))
			same++;
		sky_ledger_sent_many(&s->ledger, &m[i].peer, s->seq, same, now);
		s->seq += same;
	}
}

/* Waits for room rather than lose an answer; not for ever. */
static void
send_all(struct serve *s, struct serve_udp *l, struct sky_msg *m, unsigned n, uint64_t now)
{
	struct pollfd p = { .fd = l->watch.fd, .events = POLLOUT };
	unsigned done = 0, rounds = 0;
	int r;

	while (done < n) {
		r = sky_udp_send(&l->u, m + done, n - done);
		if (r > 0) {
			settled(s, m + done, (unsigned)r, now);
			done += (unsigned)r;
			continue;
		}
		if ((r < 0 && r != -EAGAIN) || rounds++ == ROOM_ROUNDS) {
			m[done].status = r < 0 && r != -EAGAIN ? r : -ENOBUFS;
			refused(s, &m[done++]);
			continue;
		}
		poll(&p, 1, 20);
	}
}

static void
heard(struct serve *s, unsigned n)
{
	unsigned i, same;

	for (i = 0; i < n; i += same) {
		for (same = 1; i + same < n; same++)
			if (!sky_addr_equal(&s->in[i].peer, &s->in[i + same].peer))
				break;
		sky_ledger_heard(&s->ledger, &s->in[i].peer, same);
	}
	for (i = 0; i < n; i++)
		s->bytes += s->in[i].len;
	s->received += n;
}

static void
show_arrivals(struct serve *s, unsigned n)
{
	char from[SKY_ADDRSTRLEN], to[SKY_ADDRSTRLEN];
	const struct sky_msg *m;

	for (m = s->in; m < s->in + n; m++) {
		out_end_point(&m->peer, from, sizeof(from));
		if (s->c->show_dest && (m->have & SKY_MSG_LOCAL))
			out_line(&s->out, "received %zu bytes from %s, to %s", m->len, from,
			    sky_addr_format_host(&m->local, to, sizeof(to)));
		else
			out_line(&s->out, "received %zu bytes from %s", m->len, from);
	}
}

/* One batch. Returns how many came. Looking for a second one costs a client that
 * waits for its answer; who comes long after the last is alone. */
static unsigned
serve_batch(struct serve *s, struct serve_udp *l)
{
	int n = sky_udp_recv(&l->u, s->in, l->alone ? 1 : SERVE_BATCH);
	unsigned i, answers = 0;
	uint64_t now;

	l->alone = true;
	if (n <= 0)
		return 0;
	now = serve_now();
	l->alone = n == 1 && now > l->batch_at + ALONE_NS;
	l->batch_at = now;
	if (s->c->verbose || s->c->show_dest)
		show_arrivals(s, (unsigned)n);
	for (i = 0; i < (unsigned)n; i++)
		if (fill(s, &s->in[i], &s->answer[answers], s->once[i], now))
			answers++;
	send_all(s, l, s->answer, answers, now);
	heard(s, (unsigned)n);	/* who waits for an answer need not wait for this */
	return (unsigned)n;
}

static void
ready(struct serve *s, struct watch *w, uint32_t events)
{
	struct serve_udp *l = (struct serve_udp *)w;

	while (serve_batch(s, l) == SERVE_BATCH)
		;
	l->due = true;
	if (events & EPOLLERR || sky_udp_pending(&l->u))
		serve_udp_news(s, l);
}

void
serve_udp_spin(struct serve *s)
{
	unsigned i, n;

	for (n = 0; n < SPINS; n++)
		for (i = 0; i < s->udps; i++)
			if (serve_batch(s, s->udp[i]))
				s->udp[i]->due = true;
}

int
serve_udp_look(struct serve *s)
{
	uint64_t now = serve_now();
	unsigned i;
	int ms = -1;

	for (i = 0; i < s->udps; i++) {
		struct serve_udp *l = s->udp[i];

		if (l->due && (now >= l->news_at + NEWS_NS || now < l->news_at))
			serve_udp_news(s, l);
		if (l->due)
			ms = NEWS_MS;
	}
	return ms;
}

static void
drops(struct serve *s, struct serve_udp *l)
{
	struct sky_udp_info info = { .size = sizeof(info) };
	struct sky_fate f = {
		.size = sizeof(f), .what = SKY_DROPPED_RECEIVING, .evidence = SKY_BY_COUNTER,
		.proto = IPPROTO_UDP, .time_ns = serve_now(), .have = SKY_HAVE_TIME,
	};

	if (sky_udp_info(&l->u, &info) < 0 || info.rx_drops <= l->drops_seen)
		return;
	f.count = info.rx_drops - l->drops_seen;
	l->drops_seen = info.rx_drops;
	/* In the ledger it is this host's loss, of senders unknown; for the
	 * reader the destination is our own end. */
	sky_ledger_take(&s->ledger, &f);
	f.dst = l->local;
	f.have |= SKY_HAVE_DST;
	out_fate_line(&s->out, &f);
	out_fate(&s->out, &f);
}

void
serve_udp_news(struct serve *s, struct serve_udp *l)
{
	unsigned char quotes[QUOTES];
	struct sky_fate f[FATES];
	int n, i;

	l->due = false;
	l->news_at = serve_now();
	while ((n = sky_udp_errors(&l->u, f, FATES, quotes, sizeof(quotes))) > 0)
		for (i = 0; i < n; i++)
			if (f[i].what != SKY_NOTHING)
				serve_tell(s, &f[i]);
	drops(s, l);
}

/* What comes to one address of this host was sent to that; asking costs. */
static bool
knows_local(const struct config *c, const struct sky_addr *at)
{
	return at && !c->have_fd && !c->show_dest && !sky_addr_is_any(at) &&
	    !sky_addr_is_multicast(at) && !sky_addr_is_link_local(at);
}

/* Returns 0 or a negative errno. */
static int
open_or_adopt(struct serve *s, struct serve_udp *l, const struct sky_addr *at)
{
	const struct config *c = s->c;
	struct sky_udp_conf conf = {
		.size = sizeof(conf),
		.want = knows_local(c, at) ? 0 : SKY_WANT_LOCAL,
		.flags = end_flags(c),
		.local = at,
		.peer = sky_addr_family(&c->foreign) ? &c->foreign : NULL,
		.device = c->so.device,
		.rcvbuf = c->rcvbuf, .sndbuf = c->sndbuf, .ttl = c->ttl,
		.room = l->room, .room_size = sizeof(l->room),
	};
	int rc;

	if (c->have_fd)
		conf.local = conf.peer = NULL;
	rc = c->have_fd ? sky_udp_adopt(&l->u, c->fd, &conf) : sky_udp_open(&l->u, &conf);
	if (rc < 0)
		return rc;
	if (sockopts_set(sky_udp_fd(&l->u), c, SOCKOPTS_CONNECT) ||
	    sockopts_set(sky_udp_fd(&l->u), c, SOCKOPTS_OPEN))
		return -EINVAL;
	sockopts_say(sky_udp_fd(&l->u), c, &s->out);
	return 0;
}

int
serve_udp_open(struct serve *s, const struct sky_addr *at)
{
	struct serve_udp *l = calloc(1, sizeof(*l));
	struct sky_udp_info info = { .size = sizeof(info) };
	int rc = l ? open_or_adopt(s, l, at) : -ENOMEM;

	if (rc < 0) {
		free(l);
		return rc;
	}
	s->udp[s->udps++] = l;
	l->watch.ready = ready;
	if (sky_udp_info(&l->u, &info) == 0)
		l->local = info.local;
	return serve_watch(s, &l->watch, sky_udp_fd(&l->u), EPOLLIN);
}

void
serve_udp_close(struct serve_udp *l)
{
	sky_udp_close(&l->u);
	free(l);
}
