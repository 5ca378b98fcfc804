/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopts.c - the table of socket options; see sockopts.h.
 */
#include "end.h"
#include "sockopts_own.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define SEND_UNSUMMED6 101	/* UDP_NO_CHECK6_TX, newer than some C libraries */
#define US_NS 1000

enum kind { FLAG, NUMBER, TIME };
enum protos { UDP = 1, TCP = 2, BOTH = 3 };
enum carries { V4 = 1, V6 = 2 };

struct row {
	const char *name;
	uint8_t when, protos, kind;
	int level4, name4, level6, name6;
	size_t at;		/* bool, int or uint64_t of struct config */
	size_t have;		/* its bool; 0: a value that is not 0 */
	const char *line;	/* of -v, a number follows if it has one; NULL: none */
};

#define AT(member) offsetof(struct config, member)
#define SOCKET(o) SOL_SOCKET, o, SOL_SOCKET, o
#define IP(a, b) IPPROTO_IP, a, IPPROTO_IPV6, b

static const struct row rows[] = {
	{ "SO_REUSEADDR", SOCKOPTS_BIND, BOTH, FLAG, SOCKET(SO_REUSEADDR), AT(reuse), 0, NULL },
	{ "SO_REUSEPORT", SOCKOPTS_BIND, BOTH, FLAG, SOCKET(SO_REUSEPORT), AT(so.reuseport), 0,
	  "SO_REUSEPORT set" },
	{ "SO_DONTROUTE", SOCKOPTS_BIND, BOTH, FLAG, SOCKET(SO_DONTROUTE), AT(so.dontroute), 0,
	  "SO_DONTROUTE set" },
	{ "SO_BROADCAST", SOCKOPTS_BIND, UDP, FLAG, SOCKET(SO_BROADCAST), AT(broadcast), 0,
	  "SO_BROADCAST set" },
	{ "IP_TOS", SOCKOPTS_CONNECT, BOTH, NUMBER, IP(IP_TOS, IPV6_TCLASS), AT(so.tos),
	  AT(so.have_tos), "IP_TOS set to " },
	{ "IP_TTL", SOCKOPTS_CONNECT, BOTH, NUMBER, IP(IP_TTL, IPV6_UNICAST_HOPS), AT(ttl), 0,
	  "IP_TTL set to " },
	{ "IP_MULTICAST_TTL", SOCKOPTS_CONNECT, UDP, NUMBER,
	  IP(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS), AT(so.group_ttl), AT(so.have_group_ttl),
	  "IP_MULTICAST_TTL set to " },
	{ "IP_MTU_DISCOVER", SOCKOPTS_CONNECT, BOTH, NUMBER,
	  IP(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER), AT(so.pmtu), AT(so.have_pmtu),
	  "IP_MTU_DISCOVER set to " },
	{ "SO_NO_CHECK", SOCKOPTS_CONNECT, UDP, FLAG, SOL_SOCKET, SO_NO_CHECK, IPPROTO_UDP,
	  SEND_UNSUMMED6, AT(so.no_checksum), 0, "SO_NO_CHECK set" },
	{ "SO_RCVTIMEO", SOCKOPTS_CONNECT, BOTH, TIME, SOCKET(SO_RCVTIMEO), AT(so.rcvtimeo),
	  AT(so.have_rcvtimeo), NULL },
	{ "SO_SNDTIMEO", SOCKOPTS_CONNECT, BOTH, TIME, SOCKET(SO_SNDTIMEO), AT(so.sndtimeo),
	  AT(so.have_sndtimeo), NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* What the row asks for, in its own unit; false if nothing. */
static bool
wanted(const struct config *c, const struct row *r, uint64_t *value)
{
	const char *at = (const char *)c + r->at;
	bool flag;
	int number;

	if (!(r->protos & (c->udp ? UDP : TCP)))
		return false;
	if (r->kind == FLAG) {
		memcpy(&flag, at, sizeof(flag));
		*value = flag;
	} else if (r->kind == NUMBER) {
		memcpy(&number, at, sizeof(number));
		*value = (unsigned)number;
	} else {
		memcpy(value, at, sizeof(*value));
	}
	if (!r->have)
		return *value != 0;
	memcpy(&flag, (const char *)c + r->have, sizeof(flag));
	return flag;
}

/* An IPv6 socket carries IPv4 too, unless it says otherwise; then both options
 * have to be set. */
static unsigned
carries(int fd)
{
	int family = AF_INET, only = 0;
	socklen_t len = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	if (family != AF_INET6)
		return V4;
	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len);
	return only ? V6 : V4 | V6;
}

/* For each family that the socket carries. */
static int
set_value(int fd, const struct row *r, const void *value, socklen_t len)
{
	unsigned both = carries(fd);
	int rc = 0;

	if (both & V6)
		rc = setsockopt(fd, r->level6, r->name6, value, len);
	if (rc == 0 && (both & V4) && (!(both & V6) || r->level4 != r->level6))
		rc = setsockopt(fd, r->level4, r->name4, value, len);
	return rc < 0 ? -errno : 0;
}

static int
set_row(int fd, const struct row *r, uint64_t value)
{
	struct timeval tv = {
		.tv_sec = (time_t)(value / 1000000000),
		.tv_usec = (suseconds_t)(value % 1000000000 / US_NS),
	};
	int number = (int)value;

	if (r->kind == TIME)
		return set_value(fd, r, &tv, sizeof(tv));
	return set_value(fd, r, &number, sizeof(number));
}

/* Where the kernel will not have it, the row says so and the rest goes on; only
 * what cannot be as asked at all ends the program. */
int
sockopts_set(int fd, const struct config *c, enum sockopts_when when)
{
	char text[64];
	uint64_t value;
	size_t i;
	int rc;

	for (i = 0; i < ROWS; i++) {
		if (rows[i].when != when || !wanted(c, &rows[i], &value))
			continue;
		rc = set_row(fd, &rows[i], value);
		if (rc == 0)
			continue;
		snprintf(text, sizeof(text), "can't set %s", rows[i].name);
		end_say_error(text, -rc);
		return 1;
	}
	return sockopts_set_own(fd, c, when);
}

static void
say_time(int fd, const struct row *r, const struct config *c, struct out *out)
{
	struct timeval tv = { .tv_sec = 0 };
	socklen_t len = sizeof(tv);

	if (getsockopt(fd, r->level4, r->name4, &tv, &len) < 0)
		out_line(out, "%s: %s", r->name, strerror(errno));
	else if (c->verbose)
		out_line(out, "%s: %ld.%06ld", r->name, (long)tv.tv_sec, (long)tv.tv_usec);
}

/* Reads back one family's option; returns true if it is as asked. */
static bool
as_asked(int fd, const struct row *r, bool six, int asked, struct out *out)
{
	int got = -1;
	socklen_t len = sizeof(got);

	if (getsockopt(fd, six ? r->level6 : r->level4, six ? r->name6 : r->name4, &got, &len) < 0)
		out_line(out, "%s: %s", r->name, strerror(errno));
	else if (r->kind == FLAG ? !got : got != asked)
		out_line(out, "%s = %d (%d asked for)", r->name, got, asked);
	else
		return true;
	return false;
}

static void
say_row(int fd, const struct row *r, uint64_t value, const struct config *c, struct out *out)
{
	unsigned both = carries(fd);
	bool fine = true;

	if (r->kind == TIME) {
		say_time(fd, r, c, out);
		return;
	}
	if (both & V6)
		fine = as_asked(fd, r, true, (int)value, out);
	if ((both & V4) && (!(both & V6) || r->level4 != r->level6))
		fine &= as_asked(fd, r, false, (int)value, out);
	if (!fine || !r->line || !c->verbose)
		return;
	if (r->kind == NUMBER)
		out_line(out, "%s%d", r->line, (int)value);
	else
		out_line(out, "%s", r->line);
}

void
sockopts_say(int fd, const struct config *c, struct out *out)
{
	uint64_t value;
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (wanted(c, &rows[i], &value))
			say_row(fd, &rows[i], value, c, out);
	sockopts_say_own(fd, c, out);
}
