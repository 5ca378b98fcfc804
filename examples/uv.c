/* SPDX-License-Identifier: BSD-2-Clause */
/* uv.c - an echo server in a libuv loop: uv ADDRESS:PORT */
#include <err.h>
#include <sockeye/sockeye.h>
#include <stdio.h>
#include <uv.h>

static struct sky_udp udp;

/* libuv calls this also for an error that waits: both are read. */
static void
on_news(uv_poll_t *poll, int status, int events)
{
	static char data[2048], quote[256];
	struct sky_msg in = { .data = data, .cap = sizeof(data) }, out;
	struct sky_fate fate;
	char what[200], to[SKY_ADDRSTRLEN];

	(void)poll, (void)status, (void)events;
	while (sky_udp_recv(&udp, &in, 1) == 1) {
		sky_udp_reply(&out, &in);	/* leaves from where it was sent to */
		out.data = in.data;
		out.len = in.len;
		if (sky_udp_send(&udp, &out, 1) == 1 && out.status)
			warnx("answer: %s", uv_strerror(out.status));
	}
	while (sky_udp_errors(&udp, &fate, 1, quote, sizeof(quote)) == 1) {
		sky_fate_explain(&fate, what, sizeof(what));
		printf("to %s: %s\n", sky_addr_format(&fate.dst, to, sizeof(to)), what);
	}
}

/* A send may have met errors: look before the loop sleeps. */
static void
before_sleep(uv_prepare_t *prepare)
{
	(void)prepare;
	if (sky_udp_pending(&udp))
		on_news(NULL, 0, 0);
}

int
main(int argc, char **argv)
{
	struct sky_addr here;
	struct sky_udp_conf conf = { .size = sizeof(conf), .local = &here, .want = SKY_WANT_LOCAL };
	uv_poll_t poll;
	uv_prepare_t prepare;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || sky_addr_parse(&here, argv[1]) || sky_udp_open(&udp, &conf))
		errx(2, "usage: uv ADDRESS:PORT, an address of this host");
	uv_poll_init_socket(uv_default_loop(), &poll, sky_udp_fd(&udp));
	uv_poll_start(&poll, UV_READABLE, on_news);
	uv_prepare_init(uv_default_loop(), &prepare);
	uv_prepare_start(&prepare, before_sleep);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
