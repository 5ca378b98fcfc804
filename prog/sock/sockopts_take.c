/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopts_take.c - arguments of the socket options, and what cannot be had
 * together or of this family; see sockopts.h.
 */
#include "opts.h"

#include "cli/opt.h"

#include <net/if.h>
#include <string.h>

const char *const sockopts_pmtu_words[] = {
	"dont", "want", "do", "probe", "interface", "omit", NULL
};

const char *
sockopts_take_device(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;

	(void)o;
	if (!if_nametoindex(arg))
		return "the name of an interface of this host";
	c->so.device = arg;
	return NULL;
}

const char *
sockopts_take_one_broadcast(void *config, const struct opt *o, const char *arg)
{
	(void)config, (void)o, (void)arg;
	return "255.255.255.255 as the host, with --dev to choose the interface: "
	    "Linux has no IP_ONESBCAST";
}

/* -g and -G; the first one given says which kind the whole route is. */
const char *
sockopts_take_hop(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;
	struct sky_addr a;

	if (c->so.hops == SOCKOPTS_HOPS)
		return "at most 9 hops: an IP header has room for no more";
	if (sky_addr_parse(&a, arg) < 0 || sky_addr_port(&a))
		return "the IPv4 address of a router";
	if (sky_addr_family(&a) != AF_INET)
		return "the IPv4 address of a router: IPv6 has no source routes any more, "
		    "RFC 5095";
	if (!c->so.hops)
		c->so.strict = o->letter == 'G';
	c->so.hop[c->so.hops++] = a;
	return NULL;
}

/* Takes "%if" off the end of a group's text. Returns false if there is no such. */
static bool
split_interface(char *text, unsigned *ifindex)
{
	char *percent = strchr(text, '%');

	if (!percent)
		return true;
	*percent = 0;
	*ifindex = if_nametoindex(percent + 1);
	return *ifindex != 0;
}

/* "group", "group%if", "group@source", "group%if@source". */
const char *
sockopts_take_group(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;
	struct sockopts_group g = { .ifindex = 0 };
	char text[128], *at;

	(void)o;
	if (c->so.groups == SOCKOPTS_GROUPS)
		return "at most 16 groups";
	if (strlen(arg) >= sizeof(text))
		return "the address of a group";
	memcpy(text, arg, strlen(arg) + 1);
	at = strchr(text, '@');
	if (at)
		*at++ = 0;
	if (!split_interface(text, &g.ifindex))
		return "group%interface, with the name of an interface of this host";
	if (sky_addr_parse(&g.group, text) < 0 || sky_addr_port(&g.group) ||
	    !sky_addr_is_multicast(&g.group))
		return "the address of a group, 224.0.0.0 to 239.255.255.255 or ff00::/8";
	if (at && (sky_addr_parse(&g.source, at) < 0 || sky_addr_port(&g.source) ||
	    sky_addr_family(&g.source) != sky_addr_family(&g.group)))
		return "group@source, with a sender's address of the group's family";
	c->so.group[c->so.groups++] = g;
	return NULL;
}

static bool
has_family(const struct config *c, int family)
{
	unsigned i;

	for (i = 0; i < c->ndests; i++)
		if (sky_addr_family(&c->dests[i]) == family)
			return true;
	return false;
}

/* A group that the server's socket, of one family only, cannot join. */
static void
check_groups(const struct config *c)
{
	int family = sky_addr_family(&c->bind);
	char text[SKY_ADDRSTRLEN];
	unsigned i;

	if (family == AF_UNSPEC && sky_addr_family(&c->foreign))
		family = sky_addr_family(&c->foreign);
	if (family == AF_UNSPEC && (c->only4 || c->only6))
		family = c->only4 ? AF_INET : AF_INET6;
	for (i = 0; i < c->so.groups && family != AF_UNSPEC; i++)
		if (sky_addr_family(&c->so.group[i].group) != family)
			opts_refuse("'-j %s': not the family of the server's own end (expected %s)",
			    sky_addr_format_host(&c->so.group[i].group, text, sizeof(text)),
			    family == AF_INET ? "IPv4" : "IPv6");
}

/* A server at a group's address is a member; --dev says where groups are. */
static void
fill_in(struct config *c)
{
	struct sockopts_group *g = &c->so.group[c->so.groups];
	unsigned i;

	if (c->server && c->udp && sky_addr_is_multicast(&c->bind) &&
	    c->so.groups < SOCKOPTS_GROUPS) {
		g->group = c->bind;
		g->ifindex = c->bind.u.sa.sa_family == AF_INET6 ? c->bind.u.in6.sin6_scope_id : 0;
		g->implied = true;
		sky_addr_set_port(&g->group, 0);
		c->so.groups++;
	}
	for (i = 0; i < c->so.groups && c->so.device; i++)
		if (!c->so.group[i].ifindex)
			c->so.group[i].ifindex = if_nametoindex(c->so.device);
}

void
sockopts_check(struct config *c)
{
	const struct { bool wrong; const char *text; } rules[] = {
		{ c->so.hops && c->server, "-g and -G are a client's: it chooses the route" },
		{ c->so.hops && (c->only6 || has_family(c, AF_INET6)),
		  "-g and -G need IPv4: IPv6 has no source routes any more, RFC 5095" },
		{ c->so.groups && !c->udp, "-j needs -u: TCP has no groups" },
		{ c->so.groups && !c->server, "-j is a server's: whoever sends to a group need "
		  "not join it" },
		{ c->so.have_group_ttl && !c->udp, "-t needs -u: TCP has no groups" },
		{ c->so.no_checksum && !c->udp, "--no-checksum needs -u: TCP always has one" },
		{ c->so.hops && c->so.dontroute, "-Y and source routes exclude each other: one "
		  "goes around all routers" },
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			opts_refuse("%s", rules[i].text);
	fill_in(c);
	check_groups(c);
}
