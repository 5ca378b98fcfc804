/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload_uv.c - a client of libuv, which makes some of its calls by syscall(2).
 *
 *	preload-uv ADDRESS PORT
 *
 * Sends one datagram and prints what its receive callback is told: the name of an
 * error, "data", or "silence" after a while.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static void
give(uv_handle_t *h, size_t wanted, uv_buf_t *b)
{
	static char room[20 * 65536];

	(void)h;
	(void)wanted;
	*b = uv_buf_init(room, sizeof(room));
}

static void
told(uv_udp_t *h, ssize_t n, const uv_buf_t *b, const struct sockaddr *from, unsigned flags)
{
	(void)b;
	if ((n == 0 && !from) || (flags & UV_UDP_MMSG_FREE))
		return;
	puts(n < 0 ? uv_err_name((int)n) : "data");
	uv_stop(h->loop);
}

static void
too_late(uv_timer_t *t)
{
	puts("silence");
	uv_stop(t->loop);
}

int
main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	uv_buf_t b = uv_buf_init((char[]){ 'x' }, 1);
	struct sockaddr_in to;
	uv_timer_t timer;
	uv_udp_t u;

	if (argc != 3 || uv_ip4_addr(argv[1], (int)strtol(argv[2], NULL, 10), &to))
		return 2;
	uv_udp_init_ex(loop, &u, AF_INET | UV_UDP_RECVMMSG);
	uv_udp_recv_start(&u, give, told);
	uv_udp_try_send(&u, &b, 1, (const struct sockaddr *)&to);
	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, too_late, 400, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	return 0;
}
