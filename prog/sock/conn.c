/* SPDX-License-Identifier: BSD-2-Clause */
/* conn.c - one TCP connection: data in, data out, and how it ended; see tcp.h. */
#include "crlf.h"
#include "run.h"
#include "tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES 16

void
conn_init(struct conn *conn, int fd, const struct sky_addr *local, const struct sky_addr *peer)
{
	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
	conn->local = *local;
	conn->peer = *peer;
	conn->idle_ns = conn->stuck_ns = run_clock();
}

void
conn_put(struct tcp *t, struct conn *conn, const void *data, size_t len)
{
	conn->out = data;
	conn->len = len;
	conn->stuck_ns = run_clock();
	conn->piece = 0;
	if (t->c->pieces || t->c->writev)
		conn->piece = (len + PIECES - 1) / PIECES;
}

/* One write of what is left: all of it, a piece, or all pieces in one call. */
static ssize_t
write_some(const struct tcp *t, const struct conn *conn)
{
	struct iovec iov[PIECES];
	struct msghdr h = { .msg_iov = iov };
	size_t left = conn->len, piece = conn->piece ? conn->piece : left;
	char *at = (char *)(uintptr_t)conn->out;	/* not written to */
	size_t most = t->c->writev ? PIECES : 1;

	while (left && h.msg_iovlen < most) {
		iov[h.msg_iovlen++] = (struct iovec){ at, piece < left ? piece : left };
		at += piece < left ? piece : left;
		left -= piece < left ? piece : left;
	}
	return sendmsg(conn->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
conn_flush(struct tcp *t, struct conn *conn)
{
	ssize_t n;

	while (conn->len && !conn->err) {
		n = write_some(t, conn);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			conn->err = errno;
			break;
		}
		if (t->c->so.have_sndtimeo)
			conn->stuck_ns = run_clock();
		conn->out += n;
		conn->len -= (size_t)n;
		conn->sent += (size_t)n;
	}
	return conn->err ? -conn->err : 1;
}

int
conn_urgent(struct tcp *t, struct conn *conn, unsigned char value)
{
	struct pollfd p[2];

	while (!tcp_over(t)) {
		if (send(conn->fd, &value, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL) == 1) {
			conn->sent++;
			if (t->c->verbose)
				out_line(&t->out, "wrote 1 byte of urgent data");
			return 0;
		}
		if (errno != EAGAIN && errno != EINTR) {
			conn->err = errno;
			break;
		}
		p[1] = (struct pollfd){ .fd = conn->fd, .events = POLLOUT };
		tcp_wait(t, p, 2, TCP_FOREVER);
	}
	return -conn->err;
}

uint64_t
conn_deadline(const struct tcp *t, const struct conn *conn, bool reading)
{
	uint64_t read_by = TCP_FOREVER, write_by = TCP_FOREVER;

	if (reading && t->c->so.have_rcvtimeo)
		read_by = conn->idle_ns + t->c->so.rcvtimeo;
	if (conn->len && t->c->so.have_sndtimeo)
		write_by = conn->stuck_ns + t->c->so.sndtimeo;
	return read_by < write_by ? read_by : write_by;
}

void
conn_expire(struct tcp *t, struct conn *conn, bool reading)
{
	if (conn->err || run_clock() < conn_deadline(t, conn, reading))
		return;
	tcp_say(t, 1, "%s error: %s", conn_deadline(t, conn, false) <= run_clock() ? "write" :
	    "read", strerror(EAGAIN));
	conn->err = EAGAIN;
}

/* -Z: a look, before the read. */
static void
peek(struct tcp *t, struct conn *conn)
{
	ssize_t n = recv(conn->fd, t->in, t->c->read_size, MSG_PEEK | MSG_DONTWAIT);

	if (n > 0 && t->c->verbose)
		out_line(&t->out, "received %zd bytes (MSG_PEEK)", n);
}

void
conn_take_urgent(struct tcp *t, struct conn *conn)
{
	unsigned char value;

	if (recv(conn->fd, &value, 1, MSG_OOB | MSG_DONTWAIT) == 1 && t->c->verbose)
		out_line(&t->out, "received 1 byte of urgent data, value %u", value);
}

ssize_t
conn_read(struct tcp *t, struct conn *conn)
{
	ssize_t n;

	if (t->c->peek)
		peek(t, conn);
	/* TCP drops what is read so without copying it: it is only counted. */
	n = recv(conn->fd, t->in, t->c->read_size, MSG_DONTWAIT |
	    (t->c->source_sink ? MSG_TRUNC : 0));
	if (n > 0) {
		if (t->c->so.have_rcvtimeo)
			conn->idle_ns = run_clock();
		conn->received += (size_t)n;
		conn->answered = conn->sent;
		return n;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n < 0) {
		conn->err = errno;
		return -errno;
	}
	conn->fin_got = true;
	if (t->c->verbose)
		out_line(&t->out, "connection closed by peer");
	return 0;
}

void
conn_half_close(struct tcp *t, struct conn *conn)
{
	if (conn->fin_sent)
		return;
	conn->fin_sent = true;
	if (shutdown(conn->fd, SHUT_WR) < 0)
		conn->err = errno;
	else if (t->c->verbose)
		out_line(&t->out, "half closed: nothing more is sent");
}

/* --- how it ended --- */

enum how { BY_US, BY_PEER, RESET, ABORTED, TIMED_OUT, FAILED };

static const char *const end_words[] = {
	"closed", "closed-by-peer", "reset", "aborted", "timed-out", "failed",
};

static enum how
end_of(const struct tcp *t, const struct conn *conn)
{
	switch (conn->err) {
	case 0:
		if (conn->fin_got)
			return BY_PEER;
		return t->c->have_linger && t->c->linger == 0 ? ABORTED : BY_US;
	case ECONNRESET:
	case EPIPE:
		return RESET;
	case ETIMEDOUT:
		return TIMED_OUT;
	default:
		return FAILED;
	}
}

static void
say_end(struct tcp *t, const struct conn *conn, enum how end, const struct sky_tcp_info *i)
{
	unsigned long sent = (unsigned long)conn->sent, got = (unsigned long)conn->received;
	unsigned long open = (unsigned long)(conn->sent - conn->answered);
	char peer[SKY_ADDRSTRLEN];

	out_end_point(&conn->peer, peer, sizeof(peer));
	if (end == RESET)
		out_line(&t->out, "%s: reset by peer (RST), after %lu bytes sent and %lu received",
		    peer, sent, got);
	else if (end == TIMED_OUT)
		out_line(&t->out, "%s: timed out, no answer to %u retransmissions, %lu bytes sent "
		    "and %lu received", peer, (unsigned)i->retransmitted, sent, got);
	else if (end == FAILED && conn->err != EAGAIN)
		out_line(&t->out, "%s: connection lost: %s, after %lu bytes sent and %lu received",
		    peer, strerror(conn->err), sent, got);
	else if (end == BY_PEER && !t->c->server && !t->c->source_sink && open && !conn->fin_sent)
		out_line(&t->out, "%s: server terminated prematurely: it closed before it answered "
		    "the last %lu bytes", peer, open);
}

static void
record(struct tcp *t, const struct conn *conn, enum how end, const struct sky_tcp_info *i)
{
	if (!t->out.json)
		return;
	out_begin(&t->out, "connection", run_now());
	out_str(&t->out, "proto", "tcp");
	out_addr(&t->out, "src", "sport", t->c->server ? &conn->peer : &conn->local);
	out_addr(&t->out, "dst", "dport", t->c->server ? &conn->local : &conn->peer);
	out_u64(&t->out, "bytes_in", conn->received);
	out_u64(&t->out, "bytes_out", conn->sent);
	out_str(&t->out, "ended", end_words[end]);
	out_u64(&t->out, "mss", i->mss);
	out_u64(&t->out, "retransmitted", i->retransmitted);
	if (conn->err && strerrorname_np(conn->err))
		out_str(&t->out, "errno", strerrorname_np(conn->err));
	out_end(&t->out);
}

void
conn_tell(struct tcp *t, struct conn *conn)
{
	struct sky_tcp_info i = { .size = sizeof(i) };
	enum how end = end_of(t, conn);
	bool early = end == BY_PEER && !t->c->server && !t->c->source_sink &&
	    conn->sent > conn->answered && !conn->fin_sent;

	if (conn->told)
		return;
	conn->told = true;
	sky_tcp_info(conn->fd, &i);
	say_end(t, conn, end, &i);
	record(t, conn, end, &i);
	if ((end == RESET || end == TIMED_OUT || end == FAILED || early) && t->status == 0)
		t->status = 3;
}

void
conn_close(struct tcp *t, struct conn *conn)
{
	int unread = 0;

	if (conn->fd < 0)
		return;
	conn_tell(t, conn);
	if (t->c->close_pause && !tcp_over(t)) {
		if (t->c->verbose)
			out_line(&t->out, "pausing before close");
		tcp_pause(t, t->c->close_pause);
	}
	if (!conn->err && ioctl(conn->fd, FIONREAD, &unread) == 0 && unread > 0)
		out_line(&t->out, "%d bytes arrived and were not read: the peer gets a RST", unread);
	close(conn->fd);
	conn->fd = -1;
	free(conn->buf);
	conn->buf = NULL;
}
