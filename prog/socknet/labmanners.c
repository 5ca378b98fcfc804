/* SPDX-License-Identifier: BSD-2-Clause */
/* labmanners.c - how a router behaves, one table: see labmanners.h. */
#include "labmanners.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char all_words[] =
    "toward, answer, quote, mpls, interface-info, quench, reassemble, hide, copy-df, ttl, "
    "seed, balance; of an interface: too-big, from, nat, mru, delay, jitter, loss, duplicate, "
    "reorder, corrupt, rate, queue, drop-first or drop-every";

/* What a line is about; f: one interface of it. */
struct target {
	struct lab_router *r;
	struct rt_iface *f;
};

struct manner {
	const char *word;
	bool line;		/* of an interface, else of the router */
	int (*read)(struct parse *p, const struct target *t);
	size_t at;		/* in struct rt_harm or rt_manners, for the plain ones */
};

/* --- values --- */

/* "5%", "0.01%": millionths. */
static int
read_chance(struct parse *p, uint32_t *out)
{
	static const char expected[] = "a share up to 100%: 5%, 0.1%";
	const struct lex_word *w = parse_take(p, expected);
	char *end;
	double v;

	if (!w)
		return -1;
	v = isdigit((unsigned char)w->text[0]) ? strtod(w->text, &end) : -1;
	if (v < 0 || v > 100 || strcmp(end, "%") != 0)
		return parse_bad(p, w, "not such a share", expected);
	*out = (uint32_t)(v * 10000 + 0.5);
	return 0;
}

static int
read_rate(struct parse *p, const struct target *t)
{
	static const char expected[] = "bits per second: 9600, 64k, 10M";
	const struct lex_word *w = parse_take(p, expected);
	struct rt_harm *h = &t->f->harm;
	char *end;
	double v;

	if (!w)
		return -1;
	v = isdigit((unsigned char)w->text[0]) ? strtod(w->text, &end) : 0;
	if (v > 0 && (*end == 'k' || *end == 'M'))
		v *= *end++ == 'k' ? 1e3 : 1e6;
	if (v < 100 || v > 1e10 || *end)
		return parse_bad(p, w, "not such a rate", expected);
	h->rate_bps = (uint64_t)v;
	if (!h->queue)
		h->queue = 50000;
	return 0;
}

static int
read_number(struct parse *p, const char *expected, uint64_t min, uint64_t max, void *out,
    size_t size)
{
	uint64_t v;

	if (parse_number(p, expected, min, max, &v))
		return -1;
	if (size == 8)
		*(uint64_t *)out = v;
	else if (size == 4)
		*(uint32_t *)out = (uint32_t)v;
	else if (size == 2)
		*(uint16_t *)out = (uint16_t)v;
	else
		*(uint8_t *)out = (uint8_t)v;
	return 0;
}
#define NUMBER(p, expected, min, max, field) \
	read_number(p, expected, min, max, &(field), sizeof(field))

/* --- of an interface --- */

static const struct manner *find(const char *word);

static void *
harm_field(struct parse *p, const struct target *t)
{
	return (char *)&t->f->harm + find(p->line.word[p->at - 1].text)->at;
}

static int
read_harm_time(struct parse *p, const struct target *t)
{
	return parse_time(p, harm_field(p, t));
}

static int
read_harm_chance(struct parse *p, const struct target *t)
{
	return read_chance(p, harm_field(p, t));
}

static int
read_harm_count(struct parse *p, const struct target *t)
{
	uint32_t *out = harm_field(p, t);

	return NUMBER(p, "a number of packets or bytes, 1 to 1000000000", 1, 1000000000, *out);
}

static int
read_reorder(struct parse *p, const struct target *t)
{
	if (read_chance(p, &t->f->harm.reorder))
		return -1;
	if (!parse_keyword(p, "by"))
		return parse_refuse(p, "by TIME: how long such a packet is held back");
	return parse_time(p, &t->f->harm.reorder_ns);
}

static int
read_corrupt(struct parse *p, const struct target *t)
{
	if (read_chance(p, &t->f->harm.corrupt))
		return -1;
	t->f->harm.mend_sums = parse_keyword(p, "mended");
	return 0;
}

static int
read_toobig(struct parse *p, const struct target *t)
{
	static const char *const ways[] = { "tell", "old", "lie", "silent" };
	static const char expected[] = "tell, old, lie MTU or silent";

	for (uint8_t i = 0; i < 4; i++) {
		if (!parse_keyword(p, ways[i]))
			continue;
		t->f->toobig = i;
		return i != RT_TOOBIG_LIE ? 0 :
		    NUMBER(p, "the MTU to tell, 0 to 65535", 0, 65535, t->f->lie_mtu);
	}
	return parse_refuse(p, expected);
}

static int
read_nat(struct parse *p, const struct target *t)
{
	bool has = false;

	for (unsigned i = 0; i < t->f->addrs; i++)
		has |= t->f->addr[i].addr.u.sa.sa_family == AF_INET;
	if (!has)
		return parse_bad(p, &p->line.word[p->at - 1], "no IPv4 address on that link",
		    "an address to put in place of the senders'");
	t->f->nat = true;
	return 0;
}

/* Behind toward: errors that go back that way; else all. */
static int
read_from(struct parse *p, const struct target *t)
{
	const struct lex_word *w = parse_take(p, "an address");
	struct lab_addr a;

	if (!w || parse_addr(p, w, false, &a))
		return -1;
	return sky_addr_parse(a.family == AF_INET ? &t->f->answer_from4 : &t->f->answer_from6,
	    w->text);
}

static int
read_mru(struct parse *p, const struct target *t)
{
	return NUMBER(p, "the largest packet taken in, 68 to 65535", 68, 65535, t->f->mru);
}

/* --- of the router --- */

static int
read_flag(struct parse *p, const struct target *t)
{
	const struct manner *m = find(p->line.word[p->at - 1].text);

	*((bool *)&t->r->conf->manners + m->at) = true;
	return 0;
}

static int
read_quote(struct parse *p, const struct target *t)
{
	struct rt_manners *m = &t->r->conf->manners;

	if (NUMBER(p, "bytes behind the quoted IP header, 8 to 1200", 8, 1200, m->quote4))
		return -1;
	m->quote6 = m->quote4;
	return 0;
}

static int
read_mpls(struct parse *p, const struct target *t)
{
	struct rt_manners *m = &t->r->conf->manners;
	uint32_t label = 0;

	m->labels = 0;
	do {
		if (m->labels == RT_LABELS)
			return parse_bad(p, parse_peek(p), "too many labels", "at most 4");
		if (NUMBER(p, "a label, 0 to 1048575", 0, 1048575, label))
			return -1;
		m->label[m->labels++] = label << 12 | 1;
	} while (parse_peek(p) && isdigit((unsigned char)parse_peek(p)->text[0]));
	return 0;
}

static int
read_ttl(struct parse *p, const struct target *t)
{
	return NUMBER(p, "a TTL, 1 to 255", 1, 255, t->r->conf->manners.ttl);
}

static int
read_seed(struct parse *p, const struct target *t)
{
	return NUMBER(p, "a number, the seed of every chance", 0, UINT64_MAX / 10, t->r->conf->seed);
}

static int
read_balance(struct parse *p, const struct target *t)
{
	struct rt_conf *c = t->r->conf;

	if (parse_keyword(p, "packet"))
		t->r->balance = RT_BALANCE_PACKET;
	else if (parse_keyword(p, "flow"))
		t->r->balance = RT_BALANCE_FLOW;
	else
		return parse_refuse(p, "flow or packet");
	for (unsigned i = 0; i < c->routes; i++)
		c->route[i].balance = t->r->balance;
	return 0;
}

/* "1/s", "20/s", then perhaps: burst 6. */
static int
answer_rate(struct parse *p, struct rt_manners *m)
{
	static const char expected[] = "errors per second: 1/s, 20/s";
	const struct lex_word *w = parse_take(p, expected);
	unsigned long rate;
	char *end;

	if (!w)
		return -1;
	rate = isdigit((unsigned char)w->text[0]) ? strtoul(w->text, &end, 10) : 0;
	if (rate < 1 || rate > 1000000 || strcmp(end, "/s") != 0)
		return parse_bad(p, w, "not such a rate", expected);
	m->limit = RT_LIMIT_BUCKET;
	m->limit_ns = 1000000000u / rate;
	m->limit_burst = 1;
	if (parse_keyword(p, "burst"))
		return NUMBER(p, "errors at once, 1 to 100000", 1, 100000, m->limit_burst);
	return 0;
}

static int
answer_all(struct parse *p, struct rt_manners *m)
{
	m->answer_all = true;
	m->answer_type = 3;
	m->answer_code = 1;
	for (;;) {
		if (parse_keyword(p, "type")) {
			if (NUMBER(p, "an ICMP type, 0 to 255", 0, 255, m->answer_type))
				return -1;
		} else if (parse_keyword(p, "code")) {
			if (NUMBER(p, "an ICMP code, 0 to 255", 0, 255, m->answer_code))
				return -1;
		} else if (parse_keyword(p, "mtu")) {
			if (NUMBER(p, "an MTU, 0 to 65535", 0, 65535, m->answer_mtu))
				return -1;
		} else {
			return 0;
		}
	}
}

static int
answer_silent(struct parse *p, struct rt_manners *m)
{
	m->silent = true;
	return 0;
}

static int
answer_kernel(struct parse *p, struct rt_manners *m)
{
	m->limit = RT_LIMIT_KERNEL;
	return 0;
}

static int
read_answer(struct parse *p, const struct target *t)
{
	static const struct {
		const char *word;
		int (*read)(struct parse *p, struct rt_manners *m);
	} ways[] = {
		{ "silent", answer_silent }, { "kernel", answer_kernel },
		{ "rate", answer_rate }, { "all", answer_all },
	};
	static const char expected[] =
	    "silent, kernel, rate N/s [burst N] or all type N code N";

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (parse_keyword(p, ways[i].word))
			return ways[i].read(p, &t->r->conf->manners);
	return parse_refuse(p, expected);
}

#define FLAG(field) read_flag, offsetof(struct rt_manners, field)
#define HARM(kind, field) read_harm_##kind, offsetof(struct rt_harm, field)

static const struct manner manners[] = {
	{ "answer", false, read_answer, 0 },
	{ "quote", false, read_quote, 0 },
	{ "mpls", false, read_mpls, 0 },
	{ "interface-info", false, FLAG(tell_interface) },
	{ "quench", false, FLAG(quench) },
	{ "reassemble", false, FLAG(reassemble) },
	{ "hide", false, FLAG(no_decrement) },
	{ "copy-df", false, FLAG(copy_df) },
	{ "ttl", false, read_ttl, 0 },
	{ "seed", false, read_seed, 0 },
	{ "balance", false, read_balance, 0 },
	{ "too-big", true, read_toobig, 0 },
	{ "nat", true, read_nat, 0 },
	{ "mru", true, read_mru, 0 },
	{ "from", true, read_from, 0 },
	{ "delay", true, HARM(time, delay_ns) },
	{ "jitter", true, HARM(time, jitter_ns) },
	{ "loss", true, HARM(chance, loss) },
	{ "duplicate", true, HARM(chance, duplicate) },
	{ "reorder", true, read_reorder, 0 },
	{ "corrupt", true, read_corrupt, 0 },
	{ "rate", true, read_rate, 0 },
	{ "queue", true, HARM(count, queue) },
	{ "drop-first", true, HARM(count, drop_first) },
	{ "drop-every", true, HARM(count, drop_every) },
};

static const struct manner *
find(const char *word)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		if (!strcmp(manners[i].word, word))
			return &manners[i];
	return NULL;
}

/* For one interface, or one after the other for all: the same words are read. */
static int
read_line_manner(struct parse *p, const struct manner *m, struct target *t, unsigned only)
{
	struct rt_conf *c = t->r->conf;
	unsigned from = p->at;

	if (!c->ifaces)
		return parse_bad(p, &p->line.word[from - 1], "this router has no links yet",
		    "such a line after its link lines");
	for (unsigned i = 0; i < c->ifaces; i++) {
		if (only != LAB_NONE && only != i)
			continue;
		p->at = from;
		t->f = &c->iface[i];
		if (m->read(p, t))
			return -1;
	}
	return 0;
}

static int
read_toward(struct parse *p, const struct rt_conf *c, unsigned *only)
{
	const struct lex_word *w = parse_take(p, "the host at the other end of a link");

	if (!w)
		return -1;
	for (unsigned i = 0; i < c->ifaces; i++)
		if (!strcmp(c->iface[i].name, w->text)) {
			*only = i;
			return 0;
		}
	return parse_bad(p, w, "no link of this router leads there",
	    "the host at the other end of a link line above; a second link is HOST_2");
}

int
labmanners_read(struct parse *p, struct lab_router *r)
{
	struct target t = { .r = r };
	unsigned only = LAB_NONE;
	const struct lex_word *w;
	const struct manner *m;

	if (parse_keyword(p, "toward") && read_toward(p, r->conf, &only))
		return -1;
	do {
		if (!(w = parse_take(p, all_words)))
			return -1;
		m = w->quoted ? NULL : find(w->text);
		if (!m)
			return parse_bad(p, w, "nothing that a router does", all_words);
		if (!m->line && only != LAB_NONE)
			return parse_bad(p, w, "is of the whole router, not of one link",
			    "a line of its own, without toward");
		if (m->line ? read_line_manner(p, m, &t, only) : m->read(p, &t))
			return -1;
	} while (parse_peek(p));
	return 0;
}
