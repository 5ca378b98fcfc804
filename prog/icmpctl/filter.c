/* SPDX-License-Identifier: BSD-2-Clause */
/* filter.c - see filter.h. */
#include "filter.h"

#include "base/prefix.h"
#include "cli/host.h"
#include "cli/opt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOO_MANY "at most 16 of them"

static struct filter *
filter_of(void *config, const struct opt *o)
{
	return (struct filter *)((char *)config + o->at);
}

const char *
filter_process(void *config, const struct opt *o, const char *arg)
{
	struct filter *f = filter_of(config, o);

	if (!*arg)
		return "a command's name or a process's number";
	if (f->processes == FILTER_MAX)
		return TOO_MANY;
	f->process[f->processes++] = arg;
	return NULL;
}

const char *
filter_port(void *config, const struct opt *o, const char *arg)
{
	struct filter *f = filter_of(config, o);
	struct host_fault why;

	if (f->ports == FILTER_MAX)
		return TOO_MANY;
	if (host_port(arg, "udp", &f->port[f->ports], &why))
		return "a port, 1 to 65535, or a service's name";
	f->ports++;
	return NULL;
}

const char *
filter_fate(void *config, const struct opt *o, const char *arg)
{
	enum sky_what what = sky_fate_from_word(arg);

	if (what == SKY_NOTHING)
		return "a word of fates(7), such as refused or too-big";
	filter_of(config, o)->fates |= (uint64_t)1 << what;
	return NULL;
}

const char *
filter_prefix(void *config, const struct opt *o, const char *arg)
{
	struct filter *f = filter_of(config, o);
	const char *slash = strchr(arg, '/');
	char text[SKY_ADDRSTRLEN];
	struct sky_addr net;
	uint64_t bits;

	if (f->prefixes == FILTER_MAX)
		return TOO_MANY;
	snprintf(text, sizeof(text), "%.*s", slash ? (int)(slash - arg) : 60, arg);
	if (sky_addr_parse(&net, text) || sky_addr_port(&net))
		return "a network, such as 10.0.0.0/8 or 2001:db8::/32";
	bits = sky_addr_family(&net) == AF_INET ? 32 : 128;
	f->prefix[f->prefixes].bits = (unsigned)bits;
	if (slash && (opt_number(slash + 1, &bits) || bits > f->prefix[f->prefixes].bits))
		return "a length of 0 to 32, or to 128 for IPv6";
	f->prefix[f->prefixes].bits = (unsigned)bits;
	f->prefix[f->prefixes++].net = net;
	return NULL;
}

static bool
passes_port(const struct filter *f, const struct sky_fate *fate)
{
	uint16_t src = fate->have & SKY_HAVE_SRC ? sky_addr_port(&fate->src) : 0;
	uint16_t dst = fate->have & SKY_HAVE_DST ? sky_addr_port(&fate->dst) : 0;

	for (unsigned i = 0; i < f->ports; i++)
		if (f->port[i] == src || f->port[i] == dst)
			return true;
	return !f->ports;
}

static bool
passes_prefix(const struct filter *f, const struct sky_fate *fate)
{
	const struct { unsigned have; const struct sky_addr *a; } ends[] = {
		{ SKY_HAVE_SRC, &fate->src }, { SKY_HAVE_DST, &fate->dst },
		{ SKY_HAVE_BY, &fate->by },
	};

	for (unsigned i = 0; i < f->prefixes; i++)
		for (unsigned k = 0; k < 3; k++)
			if (fate->have & ends[k].have &&
			    sky_prefix_has(&f->prefix[i].net, f->prefix[i].bits, ends[k].a))
				return true;
	return !f->prefixes;
}

bool
filter_passes(const struct filter *f, const struct sky_fate *fate)
{
	if (f->fates && !(f->fates >> fate->what & 1))
		return false;
	return passes_port(f, fate) && passes_prefix(f, fate);
}

bool
filter_passes_process(const struct filter *f, uint32_t pid, const char *comm)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", pid);
	for (unsigned i = 0; i < f->processes && pid; i++)
		if (!strcmp(f->process[i], number) || !strcmp(f->process[i], comm))
			return true;
	return !f->processes;
}
