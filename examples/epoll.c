/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll.c - an echo server in an epoll loop: epoll ADDRESS:PORT */
#include <err.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

static void
answer(struct sky_udp *udp)
{
	static char data[2048];
	struct sky_msg in = { .data = data, .cap = sizeof(data) }, out;

	while (sky_udp_recv(udp, &in, 1) == 1) {
		sky_udp_reply(&out, &in);	/* leaves from where it was sent to */
		out.data = in.data;
		out.len = in.len;
		if (sky_udp_send(udp, &out, 1) == 1 && out.status)
			warnx("answer: %s", strerror(-out.status));
	}
}

static void
tell(struct sky_udp *udp)
{
	struct sky_fate fate;
	char quote[256], what[200], to[SKY_ADDRSTRLEN];

	while (sky_udp_errors(udp, &fate, 1, quote, sizeof(quote)) == 1) {
		sky_fate_explain(&fate, what, sizeof(what));
		printf("to %s: %s\n", sky_addr_format(&fate.dst, to, sizeof(to)), what);
	}
}

int
main(int argc, char **argv)
{
	static struct sky_udp udp;
	struct sky_addr here;
	struct sky_udp_conf conf = { .size = sizeof(conf), .local = &here, .want = SKY_WANT_LOCAL };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC), rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || sky_addr_parse(&here, argv[1]))
		errx(2, "usage: epoll ADDRESS:PORT");
	rc = sky_udp_open(&udp, &conf);
	if (rc)
		errx(1, "%s: %s", argv[1], strerror(-rc));
	epoll_ctl(ep, EPOLL_CTL_ADD, sky_udp_fd(&udp), &ev);
	for (;;) {
		answer(&udp);
		tell(&udp);
		if (!sky_udp_pending(&udp))	/* sleep only on news not yet learnt */
			epoll_wait(ep, &ev, 1, -1);
	}
}
