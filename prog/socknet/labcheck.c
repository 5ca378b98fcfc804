/* SPDX-License-Identifier: BSD-2-Clause */
/* labcheck.c - what only the whole lab file shows. */
#include "labodd.h"
#include "labrouter.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool
overlap(const struct lab_addr *a, const struct lab_addr *b)
{
	unsigned plen = a->plen < b->plen ? a->plen : b->plen;
	unsigned whole = plen / 8, bits = plen % 8;
	unsigned mask = bits ? 0xffu << (8 - bits) & 0xff : 0;

	return a->family == b->family && !memcmp(a->bytes, b->bytes, whole) &&
	    (whole == 16 || !((a->bytes[whole] ^ b->bytes[whole]) & mask));
}

static int
bad_pair(struct parse *p, const struct lab_link *l, const struct lab_addr *a,
    const char *what, unsigned other)
{
	char text[100];

	snprintf(text, sizeof(text), "%s line %u", what, LAB_LINE(other));
	return lex_bad(&p->lex, l->line, 1, a->text, text, "every address and network once");
}

/* One host must not have two links into one network: where a packet goes would
 * be chance. */
static int
check_ends(struct parse *p, const struct lab_link *l, unsigned le,
    const struct lab_link *o, unsigned oe)
{
	for (unsigned i = 0; i < lab_addrs(l, le); i++)
		for (unsigned j = 0; j < lab_addrs(o, oe); j++) {
			const struct lab_addr *a = &l->end[le].addr[i];
			const struct lab_addr *b = &o->end[oe].addr[j];

			if (l == o && le == oe && i <= j)
				continue;
			if (a->family == b->family && !memcmp(a->bytes, b->bytes, 16))
				return bad_pair(p, l, a, "this address was given before on",
				    o->line);
			if (l != o && l->end[le].host == o->end[oe].host && overlap(a, b))
				return bad_pair(p, l, a, "this host is in this network by",
				    o->line);
		}
	return 0;
}

static int
check_addrs(struct parse *p)
{
	const struct lab *lab = p->lab;

	for (unsigned i = 0; i < lab->links; i++)
		for (unsigned j = 0; j <= i; j++)
			for (unsigned e = 0; e < 4; e++)
				if (check_ends(p, &lab->link[i], e & 1,
				    &lab->link[j], e >> 1))
					return -1;
	return 0;
}

/* An expected filter must exist. */
static int
check_filter(struct parse *p, const struct lab_step *s)
{
	const struct lab *lab = p->lab;

	for (unsigned i = 0; i < lab->filters; i++)
		if (lab->filter[i].host == s->host && lab->filter[i].value &&
		    !strcmp(lab->filter[i].value, s->expect.text))
			return 0;
	return lex_bad(&p->lex, s->line, 1, s->expect.text, "no such filter at this host",
	    "a name given by: filter HOST PLACE as NAME RULE");
}

/* Of several, each must have a way to another one. */
static int
check_connected(struct parse *p)
{
	const struct lab *lab = p->lab;
	bool linked[LAB_HOSTS] = { false };

	for (unsigned i = 0; i < lab->links; i++)
		linked[lab->link[i].end[0].host] = linked[lab->link[i].end[1].host] = true;
	for (unsigned i = 0; i < lab->hosts && lab->hosts > 1; i++)
		if (!linked[i] && !lab->host[i].lan)
			return lex_bad(&p->lex, lab->host[i].line, 1, lab->host[i].name,
			    "a host that is not connected", "a link or lan line for it");
	return 0;
}

/* The kernel of a router of ours has no addresses: programs would talk to nobody. */
static int
check_programs(struct parse *p)
{
	const struct lab *lab = p->lab;

	for (unsigned i = 0; i < lab->procs; i++)
		if (lab->host[lab->proc[i].host].router)
			return lex_bad(&p->lex, lab->proc[i].line, 1,
			    lab->host[lab->proc[i].host].name, "a router runs no programs",
			    "a host; its kernel may forward: forward HOST");
	return 0;
}

int
parse_check(struct parse *p)
{
	struct lab *lab = p->lab;

	if (!lab->hosts)
		return lex_bad(&p->lex, 1, 1, NULL, "a lab without hosts", "a host line");
	if (check_addrs(p) || labodd_expand(p) || labrouter_check(p) || check_connected(p) ||
	    check_programs(p))
		return -1;
	for (unsigned i = 0; i < lab->steps; i++)
		if (lab->step[i].verb == LAB_EXPECT &&
		    lab->step[i].expect.what == LAB_EX_FILTER &&
		    check_filter(p, &lab->step[i]))
			return -1;
	return 0;
}
