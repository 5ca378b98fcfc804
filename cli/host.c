/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c - names, addresses and ports as the user types them; see host.h.
 */
#include "cli/host.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fault(struct host_fault *why, const char *text, const char *what, const char *expected)
{
	snprintf(why->text, sizeof(why->text), "%s", text);
	snprintf(why->what, sizeof(why->what), "%s", what);
	why->expected = expected;
	return -1;
}

/* The services a test network speaks; used when the system's list has none of
 * that name (RFC 862 to 868, 1350 and the registry of ports). */
static const struct {
	const char *name;
	uint16_t port;
} classics[] = {
	{ "tcpmux", 1 }, { "echo", 7 }, { "discard", 9 }, { "systat", 11 },
	{ "daytime", 13 }, { "netstat", 15 }, { "qotd", 17 }, { "chargen", 19 },
	{ "ftp", 21 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "time", 37 },
	{ "domain", 53 }, { "bootps", 67 }, { "bootpc", 68 }, { "tftp", 69 },
	{ "finger", 79 }, { "http", 80 }, { "sunrpc", 111 }, { "ntp", 123 },
	{ "snmp", 161 }, { "snmp-trap", 162 }, { "https", 443 }, { "isakmp", 500 },
	{ "syslog", 514 }, { "route", 520 }, { "mdns", 5353 },
};

static bool
service(const char *name, const char *proto, uint16_t *port)
{
	const struct servent *s = getservbyname(name, proto);
	size_t i;

	if (s) {
		*port = ntohs((uint16_t)s->s_port);
		return true;
	}
	for (i = 0; i < sizeof(classics) / sizeof(classics[0]); i++) {
		if (strcmp(classics[i].name, name) != 0)
			continue;
		*port = classics[i].port;
		return true;
	}
	return false;
}

int
host_port(const char *text, const char *proto, uint16_t *port, struct host_fault *why)
{
	size_t len = strspn(text, "0123456789");
	unsigned long n;

	if (len && !text[len]) {
		n = len > 9 ? 0 : strtoul(text, NULL, 10);
		if (n < 1 || n > 65535)
			return fault(why, text, "not a port", "1 to 65535, or a service name");
		*port = (uint16_t)n;
		return 0;
	}
	if (service(text, proto, port))
		return 0;
	return fault(why, text, "unknown service", "a port, 1 to 65535, or a service name");
}

int
host_find_all(const char *text, int family, struct sky_addr *a, unsigned n,
    struct host_fault *why)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list, *at;
	struct sky_addr other;
	char what[128];
	unsigned i = 0;
	int rc;

	rc = getaddrinfo(text, NULL, &hints, &list);
	if (rc && family && sky_addr_parse(&other, text) == 0)
		return fault(why, text, family == AF_INET ? "an IPv6 address" : "an IPv4 address",
		    family == AF_INET ? "a name or an IPv4 address" :
		    "a name or an IPv6 address");
	if (rc) {
		snprintf(what, sizeof(what), "unknown host: %s", gai_strerror(rc));
		return fault(why, text, what,
		    family == AF_INET ? "a name or an IPv4 address" :
		    family == AF_INET6 ? "a name or an IPv6 address" : "a name or an address");
	}
	for (at = list; at && i < n; at = at->ai_next)
		i += sky_addr_from(&a[i], at->ai_addr, at->ai_addrlen) == 0;
	freeaddrinfo(list);
	return i ? (int)i : fault(why, text, "not an Internet address", NULL);
}

int
host_find(const char *text, int family, struct sky_addr *a, struct host_fault *why)
{
	return host_find_all(text, family, a, 1, why) < 0 ? -1 : 0;
}

bool
host_is_end(const char *text)
{
	struct sky_addr a;
	int rc = sky_addr_parse(&a, text);

	/* -ERANGE: all of it is there, with a port that cannot be. */
	return rc == -ERANGE || (rc == 0 && sky_addr_port(&a) != 0);
}

int
host_end(const char *text, struct sky_addr *a, struct host_fault *why)
{
	static const char *const form = "an address and a port, as 192.0.2.1.53 or [2001:db8::1]:53";
	int rc = sky_addr_parse(a, text);

	if (rc == -ERANGE)
		return fault(why, text, "not a port", "1 to 65535");
	if (rc)
		return fault(why, text, "not an address and a port", form);
	if (sky_addr_port(a) == 0)
		return fault(why, text, "a port is missing", form);
	return 0;
}
