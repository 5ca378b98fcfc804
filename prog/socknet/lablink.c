/* SPDX-License-Identifier: BSD-2-Clause */
/* lablink.c - links and lans of a lab file: see lablink.h. */
#include "lablink.h"
#include "labrouter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The interface is called after the host at its other end. */
static void
name_interfaces(const struct lab *lab, struct lab_link *l)
{
	unsigned same = 1;

	for (unsigned i = 0; i < lab->links; i++) {
		const struct lab_link *o = &lab->link[i];
		unsigned a = o->end[0].host, b = o->end[1].host;

		if (o == l)
			break;
		same += (a == l->end[0].host && b == l->end[1].host) ||
			(b == l->end[0].host && a == l->end[1].host);
	}
	for (unsigned i = 0; i < 2; i++) {
		const char *peer = lab->host[l->end[!i].host].name;

		if (same == 1)
			snprintf(l->end[i].ifname, LAB_NAME, "%s", peer);
		else
			snprintf(l->end[i].ifname, LAB_NAME, "%.12s_%u", peer, same % 100);
	}
}

static int
read_mtu(struct parse *p, struct lab_link *l)
{
	uint64_t mtu;

	if (parse_number(p, "an MTU, 68 to 65535", 68, 65535, &mtu))
		return -1;
	l->end[0].mtu = l->end[1].mtu = (unsigned)mtu;
	if (!parse_peek(p) || !isdigit((unsigned char)parse_peek(p)->text[0]))
		return 0;
	if (parse_number(p, "the MTU of the second end, 68 to 65535", 68, 65535, &mtu))
		return -1;
	l->end[1].mtu = (unsigned)mtu;
	return 0;
}

static bool
same_net(const struct lab_addr *a, const struct lab_addr *b)
{
	unsigned whole, bits, mask;

	if (a->family != b->family || a->plen != b->plen)
		return false;
	whole = a->plen / 8;
	bits = a->plen % 8;
	mask = bits ? 0xffu << (8 - bits) & 0xff : 0;
	return !memcmp(a->bytes, b->bytes, whole) &&
	    (whole == 16 || !((a->bytes[whole] ^ b->bytes[whole]) & mask));
}

static int
read_pair(struct parse *p, struct lab_link *l)
{
	const struct lex_word *w;

	for (unsigned i = 0; i < 2; i++) {
		w = parse_take(p, "the address of the other end");
		if (!w || parse_own_addr(p, w, &l->end[i].addr[l->addrs]))
			return -1;
	}
	if (!same_net(&l->end[0].addr[l->addrs], &l->end[1].addr[l->addrs]))
		return parse_bad(p, w, "not on the network of the other end",
		    "both ends of a link in one network, same prefix length");
	l->addrs++;
	return 0;
}

static const struct lab_addr *
first_on(const struct lab *lab, unsigned lan, int family)
{
	for (unsigned i = 0; i < lab->links; i++)
		for (unsigned k = 0; k < lab->link[i].addrs; k++)
			if (lab->link[i].end[1].host == lan &&
			    lab->link[i].end[0].addr[k].family == family)
				return &lab->link[i].end[0].addr[k];
	return NULL;
}

/* A host of a lan, and its addresses there. */
static int
read_member(struct parse *p, unsigned lan)
{
	struct lab_link *l = parse_add(p, (void **)&p->lab->link, &p->lab->links,
	    LAB_LINKS, sizeof(*l), "link");
	const struct lab_addr *first;
	const struct lex_word *w;
	struct lab_addr a;

	if (!l)
		return -1;
	l->lan = true;
	l->line = p->line.line;
	l->end[1].host = lan;
	l->end[0].mtu = l->end[1].mtu = 1500;
	if (parse_host(p, &l->end[0].host))
		return -1;
	snprintf(l->end[0].ifname, LAB_NAME, "%s", p->lab->host[lan].name);
	snprintf(l->end[1].ifname, LAB_NAME, "%s", p->lab->host[l->end[0].host].name);
	while ((w = parse_peek(p)) && strchr(w->text, '/') && l->addrs < LAB_ADDRS) {
		p->at++;
		if (parse_own_addr(p, w, &a))
			return -1;
		first = first_on(p->lab, lan, a.family);
		if (first && !same_net(first, &a))
			return parse_bad(p, w, "not on the network of the hosts before",
			    "all of a lan in one network, same prefix length");
		l->end[0].addr[l->addrs++] = a;
	}
	return 0;
}

static int
lan_mtu(struct parse *p, unsigned from)
{
	uint64_t mtu;

	if (parse_number(p, "an MTU, 68 to 65535", 68, 65535, &mtu))
		return -1;
	for (unsigned i = from; i < p->lab->links; i++)
		p->lab->link[i].end[0].mtu = p->lab->link[i].end[1].mtu = (unsigned)mtu;
	return 0;
}

int
lablink_read_lan(struct parse *p)
{
	unsigned lan = p->lab->hosts, from = p->lab->links;
	unsigned count = p->line.count;
	int r;

	/* its name is one of a host */
	p->line.count = count < 2 ? count : 2;
	r = labfile_read_host(p);
	p->line.count = count;
	if (r)
		return -1;
	p->lab->host[lan].lan = true;
	do {
		if (parse_keyword(p, "mtu") ? lan_mtu(p, from) : read_member(p, lan))
			return -1;
	} while (parse_peek(p));
	for (unsigned i = from; i < p->lab->links; i++)
		if (labrouter_link(p, &p->lab->link[i]))
			return -1;
	return 0;
}

/* What a link of a lab file cannot do, and people will try. */
static bool
is_harm(const char *word)
{
	static const char *const harms[] = { "rate", "delay", "jitter", "loss", "duplicate",
		"reorder", "corrupt", "queue", "bandwidth" };

	for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++)
		if (!strcmp(harms[i], word))
			return true;
	return false;
}

int
lablink_read(struct parse *p)
{
	struct lab_link *l = parse_add(p, (void **)&p->lab->link, &p->lab->links,
	    LAB_LINKS, sizeof(*l), "link");

	if (!l || parse_host(p, &l->end[0].host) || parse_host(p, &l->end[1].host))
		return -1;
	l->line = p->line.line;
	if (l->end[0].host == l->end[1].host)
		return parse_bad(p, &p->line.word[2], "the same host twice", "two hosts");
	l->end[0].mtu = l->end[1].mtu = 1500;
	name_interfaces(p->lab, l);
	while (parse_peek(p)) {
		if (parse_keyword(p, "mtu")) {
			if (read_mtu(p, l))
				return -1;
		} else if (is_harm(parse_peek(p)->text)) {
			return parse_bad(p, parse_peek(p), "a link alone is only a wire",
			    "a router between the two hosts, and: router NAME toward HOST "
			    "rate 9600 delay 10ms loss 1% ...");
		} else if (l->addrs == LAB_ADDRS) {
			return parse_bad(p, parse_peek(p), "too many addresses",
			    "at most 8 at each end");
		} else if (read_pair(p, l)) {
			return -1;
		}
	}
	return labrouter_link(p, l);
}
