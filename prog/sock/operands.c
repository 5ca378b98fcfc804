/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operands.c - the ends named after the options: a client's destinations, a
 * server's own end; and what depends on their families.
 */
#include "inherit.h"
#include "opts.h"

#include "cli/host.h"

#include <stdio.h>
#include <stdlib.h>

#define ADDRESSES 16	/* of one name, tried in turn */

_Noreturn static void
refuse(const struct host_fault *why)
{
	if (why->expected)
		opts_refuse("'%s': %s (expected %s)", why->text, why->what, why->expected);
	opts_refuse("'%s': %s", why->text, why->what);
}

static int
family_wanted(const struct config *c)
{
	int family = sky_addr_family(c->server ? &c->foreign : &c->local);

	if (c->only4 || c->only6)
		return c->only4 ? AF_INET : AF_INET6;
	return family;
}

static void
check_family(const struct config *c, const struct sky_addr *a, const char *text)
{
	int family = family_wanted(c);

	if (family == AF_UNSPEC || sky_addr_family(a) == family)
		return;
	opts_refuse("'%s': not the family of the other end, or of -4 or -6 (expected %s)", text,
	    family == AF_INET ? "IPv4" : "IPv6");
}

/* All zeros, as a destination, is this host: errors and answers will name it by
 * the address that the kernel makes of it. */
static void
this_host(struct sky_addr *a)
{
	uint16_t port = sky_addr_port(a);

	if (!sky_addr_is_any(a))
		return;
	sky_addr_parse(a, sky_addr_family(a) == AF_INET ? "127.0.0.1" : "::1");
	sky_addr_set_port(a, port);
}

/* One end, out of one word or two. Returns how many were used. */
static int
read_end(const struct config *c, struct sky_addr *a, int argc, char **argv)
{
	struct host_fault why;
	uint16_t port;

	if (host_is_end(argv[0])) {
		if (host_end(argv[0], a, &why) < 0)
			refuse(&why);
		check_family(c, a, argv[0]);
		return 1;
	}
	if (argc < 2)
		opts_refuse("'%s': a port is missing (expected host port)", argv[0]);
	if (host_port(argv[1], c->udp ? "udp" : "tcp", &port, &why) < 0)
		refuse(&why);
	if (host_find(argv[0], family_wanted(c), a, &why) < 0)
		refuse(&why);
	sky_addr_set_port(a, port);
	return 2;
}

static void
read_dests(struct config *c, int argc, char **argv)
{
	int used = 0;

	if (argc == 0)
		opts_refuse("no destination (expected host port; see --help)");
	c->dests = calloc((size_t)argc, sizeof(*c->dests));
	if (!c->dests)
		opts_refuse("too many destinations");
	while (used < argc) {
		used += read_end(c, &c->dests[c->ndests], argc - used, argv + used);
		this_host(&c->dests[c->ndests++]);
	}
}

/* TCP: one destination, and every address that its name has. */
static void
read_host(struct config *c, int argc, char **argv)
{
	struct host_fault why;
	struct sky_addr *all;
	unsigned i;
	int n;

	if (argc == 0)
		opts_refuse("no destination (expected host port; see --help)");
	c->dests = calloc(ADDRESSES, sizeof(*c->dests));
	if (!c->dests)
		opts_refuse("out of memory");
	n = read_end(c, &c->dests[0], argc, argv);
	if (n < argc)
		opts_refuse("'%s': TCP connects to one destination (expected host port)", argv[n]);
	c->ndests = 1;
	all = c->dests;
	if (n == 1)
		return;
	n = host_find_all(argv[0], family_wanted(c), all, ADDRESSES, &why);
	if (n < 0)
		refuse(&why);
	c->ndests = (unsigned)n;
	if (host_port(argv[1], "tcp", &c->bind_to_port, &why) < 0)
		refuse(&why);
	for (i = 0; i < c->ndests; i++)
		sky_addr_set_port(&all[i], c->bind_to_port);
}

static void
read_server(struct config *c, int argc, char **argv)
{
	struct host_fault why;

	if (argc == 0)
		opts_refuse("no port (expected [address] port; see --help)");
	if (argc > 2 || (argc == 2 && host_is_end(argv[0])))
		opts_refuse("'%s': one end too many (expected [address] port)", argv[argc - 1]);
	if (argc == 2 || host_is_end(argv[0])) {
		read_end(c, &c->bind, argc, argv);
		c->bind_to_port = sky_addr_port(&c->bind);
	} else if (host_port(argv[0], c->udp ? "udp" : "tcp", &c->bind_to_port, &why) < 0) {
		refuse(&why);
	}
}

/* The largest write that every destination's family can carry. */
static void
check_write_size(const struct config *c)
{
	bool ip4 = false;
	unsigned i;

	for (i = 0; i < c->ndests; i++)
		ip4 |= sky_addr_family(&c->dests[i]) == AF_INET;
	if (ip4 && c->write_size > 65507)
		opts_refuse("'-w %lu': too large for one datagram over IPv4 (expected 0 to 65507: "
		    "65535 less 20 of IP header and 8 of UDP header)",
		    (unsigned long)c->write_size);
	if (c->write_size > 65527)
		opts_refuse("'-w %lu': too large for one datagram over IPv6 (expected 0 to 65527: "
		    "65535 less 8 of UDP header)", (unsigned long)c->write_size);
}

/* -l or -f against -4, -6 and the destinations. */
static void
check_given(const struct config *c)
{
	const struct sky_addr *a = c->server ? &c->foreign : &c->local;
	int family = sky_addr_family(a);
	char letter = c->server ? 'f' : 'l';
	unsigned i;

	if (family == AF_UNSPEC)
		return;
	if ((c->only4 && family != AF_INET) || (c->only6 && family != AF_INET6))
		opts_refuse("-%c is not of the family that -4 or -6 asks for", letter);
	for (i = 0; i < c->ndests; i++)
		if (sky_addr_family(&c->dests[i]) != family)
			opts_refuse("-%c and a destination are of different families", letter);
}

/* What the operands say, if anything, is one more end to serve at. */
static void
read_service(struct config *c, int argc, char **argv)
{
	struct listen_at *at = &c->listen[c->listens];
	unsigned i;

	for (i = 0; i < c->listens; i++)
		if (sky_addr_family(&c->listen[i].a))
			check_family(c, &c->listen[i].a, "--listen");
	if (argc == 0 && c->listens)
		return;
	if (argc == 0 && !c->have_service)
		opts_refuse("no port (expected [address] port, or --listen; see --help)");
	c->listens++;
	if (argc == 0)
		return;
	read_server(c, argc, argv);
	at->a = c->bind;
	at->port = c->bind_to_port;
}

void
operands_read(struct config *c, int argc, char **argv)
{
	if (c->have_fd && !inherit_wants_operands(c, argc, argv))
		return;
	if (opts_serves(c))
		read_service(c, argc, argv);
	else if (c->server)
		read_server(c, argc, argv);
	else if (c->udp)
		read_dests(c, argc, argv);
	else
		read_host(c, argc, argv);
	check_given(c);
	if (!c->server && c->udp)
		check_write_size(c);
}
