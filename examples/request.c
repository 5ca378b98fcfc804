/* SPDX-License-Identifier: BSD-2-Clause */
/* request.c - asks some servers, all at once: request ADDRESS:PORT ... */
#include <err.h>
#include <poll.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static uint64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
tell(int kind, const struct sky_call_news *n)
{
	char what[200], to[SKY_ADDRSTRLEN];

	sky_fate_explain(&n->fate, what, sizeof(what));
	if (kind == SKY_CALL_ENDED)
		printf("%s: %s\n", sky_addr_format(&n->dst, to, sizeof(to)), what);
}

int
main(int argc, char **argv)
{
	static struct sky_udp udp;
	static uint64_t room[65536], id;
	struct sky_call_conf conf = { .size = sizeof(conf), .requests = 64, .peers = 64, .tries = 3 };
	struct pollfd p = { .events = POLLIN };
	struct sky_call call;
	struct sky_call_news n;
	struct sky_addr to;
	struct sky_fate f;
	char buf[2048];
	int kind, len;

	getrandom(conf.seed, sizeof(conf.seed), 0);
	if (sky_udp_open(&udp, NULL) || sky_call_init(&call, &conf, room, sizeof(room)))
		errx(1, "cannot open");
	for (p.fd = sky_udp_fd(&udp); *++argv; )
		if (sky_addr_parse(&to, *argv) || sky_call_start(&call, now(), &to, "ping", 4, 0, &id))
			errx(2, "usage: request ADDRESS:PORT ... (64 at most)");
	for (; sky_call_open(&call); poll(&p, 1, 1)) {	/* or at sky_call_deadline() */
		while ((kind = sky_call_poll(&call, now(), buf, sizeof(buf), &n)) == SKY_CALL_SEND)
			sky_udp_sendto(&udp, buf, n.len, &n.dst);
		tell(kind, &n);
		while ((len = (int)sky_udp_recvfrom(&udp, buf, sizeof(buf), &to)) >= 0)
			tell(sky_call_input(&call, now(), &to, buf, (size_t)len, &n), &n);
		while (sky_udp_errors(&udp, &f, 1, buf, sizeof(buf)) == 1)
			tell(sky_call_event(&call, now(), &f, &n), &n);
	}
	return 0;
}
