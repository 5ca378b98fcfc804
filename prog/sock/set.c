/* SPDX-License-Identifier: BSD-2-Clause */
/* set.c - see set.h. */
#include "set.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

enum kind { FLAG, NUMBER, LINGER };

struct row {
	const char *option;	/* as typed */
	const char *name;	/* as told */
	const char *format;	/* how its value is told */
	enum kind kind;
	int type;		/* SOCK_STREAM, SOCK_DGRAM; 0: both */
	size_t at;		/* bool or int in the config; 0: not asked for */
	int level4, name4, level6, name6;	/* name 0: none there */
};

#define ANY(level, name) level, name, level, name
#define IP4_IP6(n4, n6) IPPROTO_IP, n4, IPPROTO_IPV6, n6
#define AT(member) offsetof(struct config, member)

static const struct row rows[] = {
	{ "-A", "SO_REUSEADDR", "%s set", FLAG, SOCK_STREAM, AT(reuse), ANY(SOL_SOCKET, SO_REUSEADDR) },
	{ "-R", "SO_RCVBUF", NULL, NUMBER, SOCK_STREAM, AT(rcvbuf), ANY(SOL_SOCKET, SO_RCVBUF) },
	{ "-S", "SO_SNDBUF", NULL, NUMBER, SOCK_STREAM, AT(sndbuf), ANY(SOL_SOCKET, SO_SNDBUF) },
	{ "-D", "SO_DEBUG", "%s set", FLAG, SOCK_STREAM, AT(debug), ANY(SOL_SOCKET, SO_DEBUG) },
	{ "-K", "SO_KEEPALIVE", "%s set", FLAG, SOCK_STREAM, AT(keepalive),
	  ANY(SOL_SOCKET, SO_KEEPALIVE) },
	{ "-L", "SO_LINGER", "linger on, time = %d", LINGER, SOCK_STREAM, AT(have_linger),
	  ANY(SOL_SOCKET, SO_LINGER) },
	{ "-N", "TCP_NODELAY", "%s set", FLAG, SOCK_STREAM, AT(nodelay),
	  ANY(IPPROTO_TCP, TCP_NODELAY) },
	{ "-X", "TCP_MAXSEG", NULL, NUMBER, SOCK_STREAM, AT(maxseg), ANY(IPPROTO_TCP, TCP_MAXSEG) },
	{ "-J", "IP_TTL", "%s set to %d", NUMBER, SOCK_STREAM, AT(ttl),
	  IP4_IP6(IP_TTL, IPV6_UNICAST_HOPS) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int
asked(const struct config *c, const struct row *r)
{
	const char *at = (const char *)c + r->at;
	bool flag;
	int value;

	if (r->kind == NUMBER) {
		memcpy(&value, at, sizeof(value));
		return value;
	}
	memcpy(&flag, at, sizeof(flag));
	return flag;
}

static int
set_one(const struct config *c, const struct row *r, int fd, int level, int name, int value)
{
	struct linger l = { .l_onoff = 1, .l_linger = c->linger };
	const void *data = r->kind == LINGER ? (const void *)&l : &value;
	socklen_t len = r->kind == LINGER ? sizeof(l) : sizeof(value);

	return setsockopt(fd, level, name, data, len) < 0 ? errno : 0;
}

static int
set_row(const struct config *c, const struct row *r, int fd, int family)
{
	int value = asked(c, r);
	int err = 0;

	if (!value)
		return 0;
	if (family == AF_INET6 && r->name6)
		err = set_one(c, r, fd, r->level6, r->name6, value);
	/* A dual-stack socket has both. */
	if (r->name4 && (family == AF_INET || (r->level4 != r->level6 && !c->only6 && !err)))
		err = set_one(c, r, fd, r->level4, r->name4, value);
	return err;
}

static int
refuse(const struct row *r, int err)
{
	fflush(stdout);
	if (strcmp(r->option, "-D") == 0 && (err == EACCES || err == EPERM))
		fprintf(stderr, "sock: -D: SO_DEBUG needs CAP_NET_ADMIN, and Linux records nothing "
		    "for it: look at the connection with \"ss -tie\" instead\n");
	else
		fprintf(stderr, "sock: %s: %s: %s\n", r->option, r->name, strerror(err));
	return 1;
}

int
set_apply(const struct config *c, int fd, int family, int type)
{
	size_t i;
	int err;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].type && rows[i].type != type)
			continue;
		err = set_row(c, &rows[i], fd, family);
		if (err)
			return refuse(&rows[i], err);
	}
	return 0;
}

/* A buffer that is not twice what was asked for is said also without -v. */
static void
say_buffer(const struct config *c, struct out *out, const struct row *r, int asked_for, int got)
{
	if (got != 2 * asked_for)
		out_line(out, "%s = %d (%d asked for, the kernel allows no %s)", r->name, got,
		    asked_for, got > 2 * asked_for ? "less" : "more");
	else if (c->verbose)
		out_line(out, "%s = %d (%d asked for, the kernel doubles it)", r->name, got,
		    asked_for);
}

static void
say_row(const struct config *c, struct out *out, const struct row *r, int fd, int family)
{
	bool six = family == AF_INET6 && r->name6;
	struct linger l = { 0 };
	int value = 0;
	void *data = r->kind == LINGER ? (void *)&l : &value;
	socklen_t len = r->kind == LINGER ? sizeof(l) : sizeof(value);

	if (getsockopt(fd, six ? r->level6 : r->level4, six ? r->name6 : r->name4, data, &len) < 0)
		return;
	if (r->level4 == SOL_SOCKET && (r->name4 == SO_RCVBUF || r->name4 == SO_SNDBUF))
		say_buffer(c, out, r, asked(c, r), value);
	else if (!c->verbose || !r->format)
		return;
	else if (r->kind == LINGER)
		out_line(out, "linger on, time = %d", l.l_linger);
	else if (r->kind == FLAG)
		out_line(out, "%s set", r->name);
	else
		out_line(out, "%s set to %d", r->name, value);
}

void
set_say(const struct config *c, struct out *out, int fd, int family, int type)
{
	socklen_t len = sizeof(int);
	int mss;
	size_t i;

	for (i = 0; i < ROWS; i++)
		if ((!rows[i].type || rows[i].type == type) && asked(c, &rows[i]))
			say_row(c, out, &rows[i], fd, family);
	if (c->verbose && type == SOCK_STREAM &&
	    getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0)
		out_line(out, "TCP_MAXSEG = %d", mss);
}
