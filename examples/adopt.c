/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * adopt.c - an existing program made blameless: adopt ADDRESS:PORT PEER:PORT ...
 *
 * It was written with socket, bind, sendto and poll: every line that comes from
 * standard input goes to every peer, and what comes back is printed. One dead
 * peer made it lose datagrams for the others. Three calls mend it: [1] to [3].
 */
#include <err.h>
#include <poll.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PEERS 16

int
main(int argc, char **argv)
{
	static struct sky_udp udp;
	struct sky_addr here, peer[PEERS];
	struct sky_fate fate;
	struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };
	char line[1400], what[200];
	int peers = argc - 2;
	ssize_t n = -1;

	if (peers < 1 || peers > PEERS || sky_addr_parse(&here, argv[1]))
		errx(2, "usage: adopt ADDRESS:PORT PEER:PORT ...");
	for (int i = 0; i < peers; i++)
		if (sky_addr_parse(&peer[i], argv[i + 2]))
			errx(2, "%s: not an address", argv[i + 2]);
	p[1].fd = socket(here.u.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(p[1].fd, &here.u.sa, sky_addr_len(&here)))
		err(1, "%s", argv[1]);
	if (sky_udp_adopt(&udp, p[1].fd, NULL))			/* [1] */
		errx(1, "not a UDP socket");
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {	/* [3]: do not sleep on errors that a send has met already */
		int wait = sky_udp_pending(&udp) ? 0 : p[0].fd < 0 ? 1000 : -1;

		if (!poll(p, 2, wait) && wait)
			return 0;	/* no more input, and silence */
		if (p[0].revents && (n = read(0, line, sizeof(line))) <= 0)
			p[0].fd = -1;
		for (int i = 0; i < peers && p[0].revents && n > 0; i++)
			sky_udp_sendto(&udp, line, (size_t)n, &peer[i]);	/* [2]: was sendto() */
		while (sky_udp_errors(&udp, &fate, 1, NULL, 0) == 1) {
			sky_fate_explain(&fate, what, sizeof(what));
			printf("to port %u: %s\n", sky_addr_port(&fate.dst), what);
		}
		while ((n = sky_udp_recvfrom(&udp, line, sizeof(line), NULL)) >= 0)
			printf("%.*s", (int)n, line);
	}
}
