/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_quiet.c - an explained connect, a listen queue and an accept allocate
 * nothing and leave errno as it was, whatever comes of them.
 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <sockeye/tcp.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 500, MARK = 4711 };

static int
listener(struct sky_addr *at)
{
	struct sockaddr_storage s;
	socklen_t len = sizeof(s);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sky_addr_parse(at, "127.0.0.1");
	if (bind(fd, &at->u.sa, sizeof(at->u.in)) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&s, &len) < 0)
		return -1;
	sky_addr_from(at, (struct sockaddr *)&s, len);
	return fd;
}

/* One connect to its end, with everything that may be asked about it. */
static int
knock(const struct sky_addr *to, int *fd)
{
	struct sky_tcp_report r = { .size = sizeof(r) };
	struct sky_tcp t;
	struct pollfd p;
	char words[256];
	int rc;

	*fd = socket(AF_INET, SOCK_STREAM, 0);
	errno = MARK;
	rc = sky_tcp_begin(&t, *fd, to, 2000000000);
	while (rc == 0 && (rc = sky_tcp_progress(&t)) == 0) {
		p = (struct pollfd){ .fd = sky_tcp_fd(&t), .events = (short)sky_tcp_want(&t) };
		poll(&p, 1, 100);
	}
	sky_tcp_report(&t, &r);
	sky_tcp_explain(&r, words, sizeof(words));
	sky_tcp_history(&r);
	return rc;
}

int
main(void)
{
	struct sky_tcp_queue q = { .size = sizeof(q) };
	struct sky_tcp_info info = { .size = sizeof(info) };
	struct sky_addr at, none, peer, local;
	unsigned long before;
	unsigned made = 0, refused = 0, loud = 0;
	int l, fd, conn, gone;

	bed_enter(60);
	l = listener(&at);
	gone = listener(&none);
	close(gone);
	knock(&at, &fd);	/* what the C library sets up once */
	close(fd);
	conn = sky_tcp_accept(l, NULL, NULL);
	close(conn);
	before = bed_mallocs();
	for (int i = 0; i < ROUNDS; i++) {
		made += knock(&at, &fd) == 1;
		sky_tcp_queue(l, &q);
		conn = sky_tcp_accept(l, &peer, &local);
		sky_tcp_info(conn, &info);
		loud += errno != MARK;
		close(conn);
		close(fd);
		refused += knock(&none, &fd) == -ECONNREFUSED;
		loud += sky_tcp_accept(l, &peer, &local) != -EAGAIN || errno != MARK;
		close(fd);
	}
	before = bed_mallocs() - before;
	bed_ok(made == ROUNDS && refused == ROUNDS, "%u connects, %u refusals", made, refused);
	bed_ok(loud == 0, "errno is as it was");
	if (bed_counts_mallocs())
		bed_ok(before == 0, "no allocation, in %d rounds", ROUNDS);
	return bed_done();
}
