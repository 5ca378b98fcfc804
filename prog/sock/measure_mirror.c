/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure_mirror.c - the reflector's side of --measure.
 *
 * Two sockets at one port: test packets wait in the one's queue, which a slow
 * reader may let overflow, messages in the other's, which is always read.
 */
#include "measure.h"
#include "run.h"

#include "cli/sig.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SESSIONS 64
#define CLOSE_NS UINT64_C(1500000000)	/* for thanks, at the end */
#define READ_ROUNDS 4096		/* a flood must not keep us from ending */
#define PROGRESS_NS UINT64_C(250000000)

struct mirror {
	struct run *x;
	struct sky_mirror m;
	void *room;
	struct sky_udp talk;			/* messages */
	uint64_t talk_room[SKY_UDP_ROOM(16) / sizeof(uint64_t)];
	unsigned char *buf;
	struct sky_msg answer[SESSIONS];	/* how to reach each peer */
	uint64_t read_at;			/* not before this: a slow reader */
	uint64_t start, interval_at, interval_from, progress_at;
	struct sky_mirror_sums then;
	bool empty;				/* the queue of test packets was */
};

static uint32_t
drops_now(struct mirror *m)
{
	struct sky_udp_info info = { .size = sizeof(info) };

	return sky_udp_info(&m->x->end.u, &info) < 0 ? 0 : (uint32_t)info.rx_drops;
}

static struct sky_mirror_in
in_of(const struct sky_msg *msg, uint32_t drops)
{
	return (struct sky_mirror_in){
		.size = sizeof(struct sky_mirror_in),
		.data = msg->data,
		.len = msg->len,
		.from = msg->peer,
		.ttl = msg->have & SKY_MSG_TTL ? msg->ttl : 0,
		.time_ns = msg->have & SKY_MSG_TIME ? msg->time_ns : run_now(),
		.drops = drops,
		.now = run_clock(),
	};
}

/* Returns true if the kernel took it. A full buffer is waited for, a while. */
static bool
send_to(struct mirror *m, struct sky_udp *u, int session, size_t len)
{
	struct pollfd p = { .fd = sky_udp_fd(u), .events = POLLOUT };
	struct sky_msg out = m->answer[session];
	int rc, tries = 0;

	out.data = m->buf;
	out.len = len;
	while ((rc = sky_udp_send(u, &out, 1)) == 0 || rc == -EAGAIN)
		if (tries++ == 10 || poll(&p, 1, 100) < 0)
			return false;
	return rc == 1 && out.status == 0;
}

static void
note_peer(struct mirror *m, const struct sky_msg *in, const struct sky_mirror_out *out)
{
	char text[SKY_ADDRSTRLEN];

	if (out->session < 0)
		return;
	memset(&m->answer[out->session], 0, sizeof(m->answer[0]));
	sky_udp_reply(&m->answer[out->session], in);
	if (out->opened && m->x->c->verbose)
		out_line(&m->x->out, "measured from %s", out_end_point(&in->peer, text, sizeof(text)));
}

static void
take_message(struct mirror *m, const struct sky_msg *msg)
{
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in = in_of(msg, drops_now(m));
	size_t len = sky_mirror_control(&m->m, &in, m->buf, &out);
	char text[SKY_ADDRSTRLEN];

	note_peer(m, msg, &out);
	if (out.what == SKY_MEASURED_STRAY)
		run_stray(m->x, msg);
	if (out.ending && m->x->c->verbose)
		out_line(&m->x->out, "%s has sent everything",
		    out_end_point(&msg->peer, text, sizeof(text)));
	if (len)
		send_to(m, &m->talk, out.session, len);
}

/* The counter is left out of a datagram while it is 0. */
static void
take(struct mirror *m, const struct sky_msg *msg, bool unread)
{
	struct sky_mirror_out out = { .size = sizeof(out) };
	struct sky_mirror_in in = in_of(msg, msg->have & SKY_MSG_DROPS ? msg->drops : 0);
	size_t len;

	if (sky_measure_is_message(msg->data, msg->len)) {
		take_message(m, msg);	/* came before there were two sockets */
		return;
	}
	in.unread = unread;
	len = sky_mirror_take(&m->m, &in, run_now(), m->buf, &out);
	if (out.what == SKY_MEASURED_STRAY)
		run_stray(m->x, msg);
	note_peer(m, msg, &out);
	if (len)
		sky_mirror_sent(&m->m, out.session, send_to(m, &m->x->end.u, out.session, len));
}

static void
read_messages(struct mirror *m)
{
	unsigned char data[2048];
	struct sky_msg msg = { .data = data, .cap = sizeof(data) };
	unsigned rounds = 0;

	while (rounds++ < READ_ROUNDS && sky_udp_recv(&m->talk, &msg, 1) == 1)
		take_message(m, &msg);
}

/* Reads once; a slow reader then pauses. */
static void
read_packets(struct mirror *m)
{
	struct run *x = m->x;
	unsigned n = run_receive(x), i;

	for (i = 0; i < n; i++)
		take(m, &x->in[i], false);
	run_arrived(x, n);
	m->empty = n == 0;
	if (n && x->c->pause)
		m->read_at = run_clock() + x->c->pause;
	if (n < x->batch)
		run_drops(x);
}

static void
read_rest(struct mirror *m, bool unread)
{
	struct run *x = m->x;
	unsigned n, i, rounds = 0;

	while (rounds++ < READ_ROUNDS && (n = run_receive(x)) > 0) {
		for (i = 0; i < n; i++)
			take(m, &x->in[i], unread);
		if (!unread)
			run_arrived(x, n);
	}
}

/* --- telling --- */

static void
tell_session(struct mirror *m, const struct sky_addr *peer, struct sky_way *out,
    struct sky_way *back)
{
	struct out *o = &m->x->out;
	char text[SKY_ADDRSTRLEN];

	out_line(o, "measured from %s:", out_end_point(peer, text, sizeof(text)));
	measure_tell(o, SKY_WAY_OUT, out, false);
	out_line(o, "back   %lu sent, %lu refused by this host", (unsigned long)back->sent,
	    (unsigned long)back->lost[SKY_LOST_HOST]);
	out_begin(o, "summary", run_now());
	out_addr(o, "src", "sport", peer);
	out_u64(o, "received", out->received);
	out_open_array(o, "directions");
	measure_json(o, SKY_WAY_OUT, out);
	measure_json(o, SKY_WAY_BACK, back);
	out_close_array(o);
	out_end(o);
	m->x->bad |= measure_is_bad(out) || measure_is_bad(back);
}

/* What is due when the queue is empty: reports, and sessions that ended. */
static void
settle(struct mirror *m)
{
	struct sky_way out = { .size = sizeof(out) }, back = out;
	struct sky_addr peer;
	unsigned rounds = 0;
	size_t len;
	int session;

	while (rounds++ < 4 * SESSIONS &&
	    (len = sky_mirror_due(&m->m, run_clock(), drops_now(m), m->buf, &session)) > 0)
		send_to(m, &m->talk, session, len);
	while (sky_mirror_ended(&m->m, run_clock(), drops_now(m), &session, &peer, &out, &back))
		tell_session(m, &peer, &out, &back);
}

static void
tick(struct mirror *m)
{
	struct sky_mirror_sums now = { .size = sizeof(now) };
	struct measure_interval i = { .sends = false };
	uint64_t clock = run_clock(), each = m->x->c->measure.interval;

	sky_mirror_sums(&m->m, &now);
	if (each && clock >= m->interval_at) {
		i.start = m->interval_from - m->start;
		i.end = clock - m->start;
		i.received = now.received - m->then.received;
		i.bytes = now.bytes - m->then.bytes;
		measure_tell_interval(&m->x->out, &i, run_now());
		m->then = now;
		m->interval_from = clock;
		m->interval_at += each * ((clock - m->interval_at) / each + 1);
	}
	if (!m->x->out.terminal || clock < m->progress_at)
		return;
	m->progress_at = clock + PROGRESS_NS;
	out_progress(&m->x->out, "%lu received, %lu reflected, %u sessions",
	    (unsigned long)now.received, (unsigned long)now.reflected,
	    sky_mirror_sessions(&m->m));
}

/* --- waiting --- */

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
wait_for(struct mirror *m, uint64_t deadline, bool packets)
{
	struct run *x = m->x;
	struct pollfd p[3] = {
		{ .fd = x->sig, .events = POLLIN },
		{ .fd = packets ? sky_udp_fd(&x->end.u) : -1, .events = POLLIN },
		{ .fd = sky_udp_fd(&m->talk), .events = POLLIN },
	};
	uint64_t now = run_clock(), left = deadline > now ? deadline - now : 0;
	struct timespec t = { .tv_sec = (time_t)(left / 1000000000),
		.tv_nsec = (long)(left % 1000000000) };

	if ((packets && sky_udp_pending(&x->end.u)) || sky_udp_pending(&m->talk))
		t.tv_sec = t.tv_nsec = 0;
	if (ppoll(p, 3, deadline == RUN_FOREVER ? NULL : &t, NULL) > 0 && p[0].revents)
		x->signal = sig_read(x->sig);
}

static void
drop_errors(struct mirror *m)
{
	unsigned char quotes[4096];
	struct sky_fate f[8];

	run_errors(m->x);
	while (sky_udp_errors(&m->talk, f, 8, quotes, sizeof(quotes)) > 0)
		;	/* about a report: it is asked for again */
}

static void
serve(struct mirror *m)
{
	struct run *x = m->x;
	bool paused;

	while (!run_over(x)) {
		paused = run_clock() < m->read_at;
		m->empty = false;
		read_messages(m);
		if (!paused)
			read_packets(m);
		else
			run_drops(x);
		drop_errors(m);
		if (m->empty)
			settle(m);
		tick(m);
		if (!paused && !m->empty)
			continue;
		wait_for(m, earlier(x->c->measure.interval ? m->interval_at : RUN_FOREVER,
		    paused ? earlier(m->read_at, run_clock() + PROGRESS_NS / 10) :
		    sky_mirror_deadline(&m->m)), !paused);
	}
}

static void
close_sessions(struct mirror *m)
{
	uint64_t end = run_clock() + CLOSE_NS;
	bool unread = run_clock() < m->read_at;

	sky_mirror_close(&m->m, run_clock());
	for (;;) {
		read_messages(m);
		read_rest(m, unread);
		drop_errors(m);
		settle(m);
		if (!sky_mirror_sessions(&m->m) || run_clock() >= end)
			break;
		wait_for(m, earlier(end, sky_mirror_deadline(&m->m)), true);
	}
	run_drops(m->x);
}

static void
tell_rest(struct mirror *m)
{
	struct sky_mirror_sums s = { .size = sizeof(s) };

	sky_mirror_sums(&m->m, &s);
	if (s.strays)
		out_line(&m->x->out, "%lu datagrams were not of a measurement",
		    (unsigned long)s.strays);
	if (s.refused)
		out_line(&m->x->out, "%lu of them for want of room: %d sessions at once",
		    (unsigned long)s.refused, SESSIONS);
}

static int
prepare(struct mirror *m)
{
	struct run *x = m->x;
	struct sky_udp_conf conf = {
		.size = sizeof(conf),
		.want = SKY_WANT_LOCAL,
		.flags = end_flags(x->c),
		.room = m->talk_room,
		.room_size = sizeof(m->talk_room),
	};
	size_t size = sky_mirror_room(SESSIONS);
	uint64_t secret;

	m->room = calloc(1, size);
	m->buf = malloc(65536);
	if (!m->room || !m->buf)
		return -ENOMEM;
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return -EIO;
	sky_mirror_init(&m->m, m->room, size, SESSIONS, secret,
	    x->c->measure.one_way ? SKY_MIRROR_SILENT : 0);
	return sky_udp_split(&x->end.u, &m->talk, SKY_MEASURE_MAGIC, &conf);
}

void
measure_mirror(struct run *x)
{
	struct mirror *m = calloc(1, sizeof(*m));
	int rc = m ? (m->x = x, prepare(m)) : -ENOMEM;

	if (rc < 0) {
		end_say_error("sock: --measure", -rc);
		x->failed = -rc;
	} else {
		if (x->c->pause)
			x->batch = 1;
		m->start = m->interval_from = run_clock();
		m->interval_at = m->start + x->c->measure.interval;
		m->read_at = m->start + x->c->initial_pause;
		if (x->c->verbose)
			out_line(&x->out, "mirror for %d sessions", SESSIONS);
		serve(m);
		close_sessions(m);
		tell_rest(m);
		sky_udp_close(&m->talk);
	}
	if (m) {
		free(m->room);
		free(m->buf);
	}
	free(m);
}
