/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_queue.c - listening sockets, and what a connection has come to. */
#include "sock/tcp.h"
#include "sys/sockfd.h"
#include "sys/sockopt.h"
#include "sys/tcpinfo.h"

#include <errno.h>

int
sky_tcp_queue(int fd, struct sky_tcp_queue *out)
{
	struct sky_tcp_queue q = { .size = sizeof(q) };
	struct sky_meminfo m;
	struct sky_tcpinfo i;
	int r;

	if (out->size != sizeof(q))
		return -EINVAL;
	r = sky_tcpinfo_read(fd, &i);
	if (r < 0)
		return r;
	if (i.state != SKY_TCPINFO_LISTEN)
		return -EINVAL;
	q.len = i.unacked;
	q.limit = i.sacked;
	if (sky_sockopt_meminfo(fd, &m) == 0) {
		q.drops = m.drops;
		q.have_drops = true;
	}
	q.have_overflows = sky_tcpinfo_listen_counters(&q.overflows, &q.listen_drops) == 0;
	*out = q;
	return 0;
}

int
sky_tcp_accept(int fd, struct sky_addr *peer, struct sky_addr *local)
{
	struct sockaddr_storage s;
	socklen_t len = sizeof(s);
	int r = sky_sockfd_nonblock(fd);
	int conn = r < 0 ? r : sky_sockfd_accept(fd, &s, &len);

	if (conn < 0)
		return conn;
	if (peer) {
		*peer = (struct sky_addr){ 0 };
		sky_addr_from(peer, (const struct sockaddr *)&s, len);
	}
	if (local) {
		*local = (struct sky_addr){ 0 };
		r = sky_sockfd_name(conn, &s);
		if (r > 0)
			sky_addr_from(local, (const struct sockaddr *)&s, (socklen_t)r);
	}
	return conn;
}

/* accept(2): Linux passes the network errors that a new socket already has. */
enum sky_accept
sky_tcp_accept_class(int err)
{
	static const struct {
		int err;
		enum sky_accept class;
	} rows[] = {
		{ 0, SKY_ACCEPT_NONE }, { EAGAIN, SKY_ACCEPT_NONE },
		{ EINTR, SKY_ACCEPT_AGAIN }, { ECONNABORTED, SKY_ACCEPT_AGAIN },
		{ ENETDOWN, SKY_ACCEPT_AGAIN }, { EPROTO, SKY_ACCEPT_AGAIN },
		{ ENOPROTOOPT, SKY_ACCEPT_AGAIN }, { EHOSTDOWN, SKY_ACCEPT_AGAIN },
		{ ENONET, SKY_ACCEPT_AGAIN }, { EHOSTUNREACH, SKY_ACCEPT_AGAIN },
		{ ENETUNREACH, SKY_ACCEPT_AGAIN }, { ETIMEDOUT, SKY_ACCEPT_AGAIN },
		{ ECONNRESET, SKY_ACCEPT_AGAIN }, { EPERM, SKY_ACCEPT_AGAIN },
		{ EMFILE, SKY_ACCEPT_RESOURCE }, { ENFILE, SKY_ACCEPT_RESOURCE },
		{ ENOBUFS, SKY_ACCEPT_RESOURCE }, { ENOMEM, SKY_ACCEPT_RESOURCE },
	};

	if (err < 0)
		err = -err;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].err == err)
			return rows[i].class;
	return SKY_ACCEPT_FATAL;
}

int
sky_tcp_info(int fd, struct sky_tcp_info *out)
{
	struct sky_tcp_info o = { .size = sizeof(o) };
	struct sky_tcpinfo i;
	int r;

	if (out->size != sizeof(o))
		return -EINVAL;
	r = sky_tcpinfo_read(fd, &i);
	if (r < 0)
		return r;
	o.state = i.state;
	o.mss = i.mss;
	o.retransmits = i.retransmits;
	o.retransmitted = i.total_retrans;
	o.rtt_us = i.rtt_us;
	o.rto_us = i.rto_us;
	o.unsent = i.notsent;
	o.received = i.bytes_received;
	if (i.state != SKY_TCPINFO_LISTEN) {
		o.unacked = i.unacked;
		r = sky_tcpinfo_outq(fd);
		o.unacked_bytes = r > 0 ? (uint32_t)r : 0;
		/* the SYN is counted as a byte */
		o.sent = i.bytes_acked ? i.bytes_acked - 1 : 0;
	}
	*out = o;
	return 0;
}

const char *
sky_tcp_state_word(unsigned state)
{
	static const char *const words[] = {
		"NONE", "ESTABLISHED", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
		"TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING",
	};

	return words[state < sizeof words / sizeof *words ? state : 0];
}
