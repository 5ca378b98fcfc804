/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_set.c - see tcp_set.h. */
#include "tcp_set.h"
#include "sockopts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

enum kind { FLAG, NUMBER, BUFFER, LINGER };

struct row {
	const char *option;	/* as typed */
	const char *text;	/* as told, a flag's with "set" behind it */
	enum kind kind;
	size_t at;		/* bool or int in the config; 0: not asked for */
	int level, name;
};

#define AT(member) offsetof(struct config, member)

static const struct row rows[] = {
	{ "-R", "SO_RCVBUF", BUFFER, AT(rcvbuf), SOL_SOCKET, SO_RCVBUF },
	{ "-S", "SO_SNDBUF", BUFFER, AT(sndbuf), SOL_SOCKET, SO_SNDBUF },
	{ "-D", "SO_DEBUG", FLAG, AT(debug), SOL_SOCKET, SO_DEBUG },
	{ "-K", "SO_KEEPALIVE", FLAG, AT(keepalive), SOL_SOCKET, SO_KEEPALIVE },
	{ "-L", "SO_LINGER", LINGER, AT(have_linger), SOL_SOCKET, SO_LINGER },
	{ "-N", "TCP_NODELAY", FLAG, AT(nodelay), IPPROTO_TCP, TCP_NODELAY },
	{ "-X", "TCP_MAXSEG", NUMBER, AT(maxseg), IPPROTO_TCP, TCP_MAXSEG },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int
asked(const struct config *c, const struct row *r)
{
	const char *at = (const char *)c + r->at;
	bool flag;
	int value;

	if (r->kind == NUMBER || r->kind == BUFFER) {
		memcpy(&value, at, sizeof(value));
		return value;
	}
	memcpy(&flag, at, sizeof(flag));
	return flag;
}

static int
set_row(const struct config *c, const struct row *r, int fd)
{
	struct linger l = { .l_onoff = 1, .l_linger = c->linger };
	int value = asked(c, r);
	const void *data = r->kind == LINGER ? (const void *)&l : &value;
	socklen_t len = r->kind == LINGER ? sizeof(l) : sizeof(value);

	if (!value)
		return 0;
	return setsockopt(fd, r->level, r->name, data, len) < 0 ? errno : 0;
}

static int
refuse(const struct row *r, int err)
{
	fflush(stdout);
	if (r->name == SO_DEBUG && (err == EACCES || err == EPERM))
		fprintf(stderr, "sock: -D: SO_DEBUG needs CAP_NET_ADMIN, and Linux records nothing "
		    "for it: look at the connection with \"ss -tie\" instead\n");
	else
		fprintf(stderr, "sock: %s: can't set %s: %s\n", r->option, r->text, strerror(err));
	return 1;
}

int
tcp_set(const struct config *c, int fd)
{
	int status = sockopts_set(fd, c, SOCKOPTS_BIND);
	size_t i;
	int err;

	if (!status)
		status = sockopts_set(fd, c, SOCKOPTS_CONNECT);
	for (i = 0; i < ROWS && !status; i++) {
		err = set_row(c, &rows[i], fd);
		if (err)
			status = refuse(&rows[i], err);
	}
	return status;
}

/* A buffer that is not twice what was asked for is said also without -v. */
static void
say_buffer(const struct config *c, struct out *out, const struct row *r, int got)
{
	int want = asked(c, r);

	if (got != 2 * want)
		out_line(out, "%s = %d (%d asked for, the kernel allows no %s)", r->text, got, want,
		    got > 2 * want ? "less" : "more");
	else if (c->verbose)
		out_line(out, "%s = %d (%d asked for, the kernel doubles it)", r->text, got, want);
}

static void
say_row(const struct config *c, struct out *out, const struct row *r, int fd)
{
	struct linger l = { 0 };
	int value = 0;
	void *data = r->kind == LINGER ? (void *)&l : &value;
	socklen_t len = r->kind == LINGER ? sizeof(l) : sizeof(value);

	if (getsockopt(fd, r->level, r->name, data, &len) < 0)
		out_line(out, "%s: %s", r->text, strerror(errno));
	else if (r->kind == BUFFER)
		say_buffer(c, out, r, value);
	else if (r->kind == LINGER && c->verbose)
		out_line(out, "linger on, time = %d", l.l_linger);
	else if (r->kind == FLAG && c->verbose)
		out_line(out, "%s set", r->text);
}

void
tcp_set_open(const struct config *c, struct out *out, int fd)
{
	socklen_t len = sizeof(int);
	int mss;
	size_t i;

	sockopts_set(fd, c, SOCKOPTS_OPEN);
	sockopts_say(fd, c, out);
	for (i = 0; i < ROWS; i++)
		if (asked(c, &rows[i]))
			say_row(c, out, &rows[i], fd);
	if (c->verbose && getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0)
		out_line(out, "TCP_MAXSEG = %d", mss);
}
