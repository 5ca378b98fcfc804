/* SPDX-License-Identifier: BSD-2-Clause */
/* reverse.c - --reverse: the MTU of the way back, by the fragments of echoes. */
#include "drive.h"

#include "proto/back.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ECHO_PORT = 7 };

static enum drive_kind
due(void *engine, uint64_t now, struct sky_hop_probe *out)
{
	static const enum drive_kind kinds[] = { DRIVE_WAIT, DRIVE_SEND, DRIVE_DONE };

	return kinds[sky_back_poll(engine, now, out)];
}

static uint64_t
deadline(const void *engine)
{
	return sky_back_deadline(engine);
}

static void
answer(void *engine, uint64_t now, const struct sky_hop_answer *a)
{
	sky_back_answer(engine, now, a);
}

static void
stop(void *engine, uint64_t now)
{
	sky_back_stop(engine, now);
}

static void why(struct path_back *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
why(struct path_back *out, const char *format, ...)
{
	size_t at = strlen(out->why);
	va_list ap;

	va_start(ap, format);
	vsnprintf(out->why + at, sizeof(out->why) - at, format, ap);
	va_end(ap);
}

/* The sockets: echo requests, or datagrams to the echo service. */
static int
open_echo(const struct run *r, struct sky_pathsock *sock, struct path_back *out)
{
	struct sky_pathsock_conf c = r->conf;
	int rc;

	c.fragment = true;
	c.raw = false;
	c.key[0] = c.key[1] = 0;
	sky_addr_set_port(&c.src, 0);
	c.method = SKY_PATHSOCK_ICMP;
	sky_addr_set_port(&c.dst, 0);
	out->method = "echo";
	rc = sky_pathsock_open(sock, &c);
	if (rc != -EACCES && rc != -EPERM)
		return rc;
	c.method = SKY_PATHSOCK_UDP;
	sky_addr_set_port(&c.dst, ECHO_PORT);
	out->method = "udp echo";
	why(out, "no ping socket is allowed here (net.ipv4.ping_group_range), so port 7 was asked");
	return sky_pathsock_open(sock, &c);
}

static void
explain(const struct run *r, const struct sky_back_result *b, struct path_back *out)
{
	bool udp = strcmp(out->method, "echo") != 0;

	out->mtu = b->mtu;
	out->most = b->most;
	if (udp && out->why[0] && b->how != SKY_BACK_WHOLE && b->how != SKY_BACK_FRAGMENTS)
		why(out, "; ");
	if (b->how == SKY_BACK_NOTHING && !b->interrupted)
		why(out, "nothing comes back from %s", udp ? "its UDP echo service" : "its echo");
	else if (b->how == SKY_BACK_LOST)
		why(out, "larger answers vanish, there or back");
	else if (b->how == SKY_BACK_REFUSED)
		why(out, udp ? "it has no UDP echo service" : "its echo is refused");
	else if (b->how == SKY_BACK_LOCAL)
		why(out, "cannot send: %s", strerror(b->err));
	else if (b->how == SKY_BACK_FRAGMENTS && b->mtu < b->most)
		why(out, "%s", b->interrupted ? "interrupted" : "answers differ from time to time");
}

bool
path_reverse(struct run *r, uint32_t forward, unsigned distance, uint64_t rtt,
    struct path_back *out)
{
	struct sky_back_conf c = { .size = sizeof(c), .rtt_ns = rtt, .wait_ns = r->o->wait };
	struct sky_back_result result;
	struct sky_pathsock sock;
	struct sky_back back;
	struct drive d = { .engine = &back, .poll = due, .deadline = deadline,
	    .answer = answer, .stop = stop, .sock = &sock };
	bool go;
	int rc;

	(void)forward;			/* requests may be cut on their way */
	*out = (struct path_back){ .method = "" };
	rc = open_echo(r, &sock, out);
	if (rc < 0) {
		why(out, "%s%s", out->why[0] ? "; " : "", strerror(-rc));
		return true;
	}
	c.high = sock.device_mtu;
	c.small = r->len > sky_pathsock_least(&sock) ? r->len : sky_pathsock_least(&sock);
	c.ttl = distance > 64 ? (uint8_t)distance : 64;
	rc = sky_back_init(&back, &c);
	if (rc == 0)
		go = drive_run(r, &d);
	else
		go = true;
	sky_pathsock_close(&sock);
	if (rc == 0) {
		sky_back_result(&back, &result);
		explain(r, &result, out);
		out->packets = result.packets;
		out->took = result.ended - result.began;
	}
	return go;
}
