/* SPDX-License-Identifier: BSD-2-Clause */
/* labexpect.c - what a lab file expects: see labexpect.h. */
#include "labexpect.h"
#include "labpackets.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static int
read_count(struct parse *p, struct lab_expect *x, const struct lex_word *w, const char *v)
{
	char *end;

	x->compare = LAB_EQ;
	if (!isdigit((unsigned char)*v))
		return parse_bad(p, w, "not a count", "count=N, count>=N or count<=N");
	x->count = strtoull(v, &end, 10);
	return *end ? parse_bad(p, w, "not a count", "count=N, count>=N or count<=N") : 0;
}

/* KEY=VALUE, count>=N. Returns -1 after an error. */
int
labexpect_field(struct parse *p, struct lab_expect *x, const struct lex_word *w)
{
	char *eq = strchr(w->text, '=');
	struct lab_field *f = &x->field[x->fields];

	if (!eq || eq == w->text)
		return parse_bad(p, w, "not understood here", "NAME=VALUE");
	if (!strncmp(w->text, "count=", 6) || !strncmp(w->text, "count>=", 7) ||
	    !strncmp(w->text, "count<=", 7)) {
		if (read_count(p, x, w, eq + 1))
			return -1;
		if (eq[-1] != 't')
			x->compare = eq[-1] == '>' ? LAB_AT_LEAST : LAB_AT_MOST;
		return 0;
	}
	if (x->fields == LAB_FIELDS)
		return parse_bad(p, w, "too many conditions", "at most 16");
	*eq = 0;
	f->key = w->text;
	f->value = eq + 1;
	x->fields++;
	return 0;
}

int
labexpect_fields(struct parse *p, struct lab_step *s)
{
	const struct lex_word *w;

	while ((w = parse_peek(p))) {
		if (parse_keyword(p, "within")) {
			if (parse_time(p, &s->within_ns))
				return -1;
			continue;
		}
		p->at++;
		if (labexpect_field(p, &s->expect, w))
			return -1;
	}
	return 0;
}

/* /REGEX/ or a text. */
static int
read_pattern(struct parse *p, struct lab_expect *x)
{
	static const char expected[] = "a text, or /an extended regular expression/";
	const struct lex_word *w = parse_take(p, expected);
	size_t len = w ? strlen(w->text) : 0;
	char *body;
	regex_t re;

	if (!w)
		return -1;
	x->text = w->text;
	if (w->text[0] == '/' && !w->quoted && (len < 2 || w->text[len - 1] != '/'))
		return parse_bad(p, w, "an expression that does not end",
		    "quotes around one that has blanks, \"/a b/\"");
	if (len < 2 || w->text[0] != '/' || w->text[len - 1] != '/')
		return 0;
	x->regex = true;
	body = parse_alloc(p, len);
	if (!body)
		return -1;
	memcpy(body, w->text + 1, len - 2);
	x->text = body;
	/* Counted repetitions could make a short text very large. */
	if (len > 200 || strchr(x->text, '{') || regcomp(&re, x->text, REG_EXTENDED | REG_NOSUB))
		return parse_bad(p, w, "not a regular expression", expected);
	regfree(&re);
	return 0;
}

int
labexpect_check(struct parse *p, const struct lab_field *f, unsigned n,
    const char *const *known, const char *expected)
{
	for (unsigned i = 0; i < n; i++) {
		const char *const *k = known;

		while (*k && strcmp(*k, f[i].key))
			k++;
		if (!*k)
			return lex_bad(&p->lex, p->line.line, p->line.word[0].col, f[i].key, "no such condition", expected);
	}
	return 0;
}

const char *const labexpect_packet_kinds[] = { "udp", "tcp", "icmp", "arp", "piece", NULL };
const char *const labexpect_packet_keys[] = {
	"src", "dst", "len", "dir", "type", "code", "by", "about", "mtu", "ttl", "sum",
	"id", "off", "piece", "df", "more", "mpls", NULL
};
const char labexpect_packet_expected[] = "src= dst= len= dir=in|out type= code= by= about= mtu= "
    "ttl= sum= id= off= piece= df= more= mpls= count=";

static int
check_keys(struct parse *p, const struct lab_step *s, const char *const *known,
    const char *expected)
{
	return labexpect_check(p, s->expect.field, s->expect.fields, known, expected);
}

static int
expect_capture(struct parse *p, struct lab_step *s)
{
	const char *const *kinds = labexpect_packet_kinds;
	const struct lex_word *w;
	size_t i;

	if (parse_host(p, &s->host))
		return -1;
	if (p->lab->host[s->host].router)
		return parse_bad(p, &p->line.word[p->at - 1], "a router keeps a ledger",
		    "expect router NAME did=...");
	p->lab->host[s->host].captured = true;
	w = parse_take(p, "udp, tcp, icmp, arp or piece");
	if (!w)
		return -1;
	for (i = 0; kinds[i] && strcmp(kinds[i], w->text); i++)
		;
	if (!kinds[i])
		return parse_bad(p, w, "not a kind of packet", "udp, tcp, icmp, arp or piece");
	s->expect.text = kinds[i];
	return labexpect_fields(p, s) || check_keys(p, s, labexpect_packet_keys,
	    labexpect_packet_expected) ? -1 : 0;
}

static int
expect_counter(struct parse *p, struct lab_step *s)
{
	const struct lex_word *w;

	if (parse_host(p, &s->host))
		return -1;
	w = parse_take(p, "ip, icmp, udp, tcp, ip6, icmp6 or udp6");
	if (!w)
		return -1;
	s->expect.text = w->text;
	if (!parse_peek(p))
		return parse_take(p, "NAME=VALUE, as in /proc/net/snmp") ? 0 : -1;
	return labexpect_fields(p, s);
}

static int
expect_filter(struct parse *p, struct lab_step *s)
{
	static const char *const keys[] = { "packets", NULL };
	const struct lex_word *w;

	if (parse_host(p, &s->host))
		return -1;
	w = parse_take(p, "the name of a filter");
	if (!w)
		return -1;
	s->expect.text = w->text;
	return labexpect_fields(p, s) || check_keys(p, s, keys, "packets=N") ? -1 : 0;
}

static int
check_did(struct parse *p, const char *value)
{
	for (unsigned d = 0; d < RT_DIDS; d++)
		if (!strcmp(rt_did_word(d), value))
			return 0;
	return lex_bad(&p->lex, p->line.line, p->line.word[0].col, value,
	    "nothing that a router does", "forwarded, ttl, too-big, lost ...: labfile(5)");
}

static int
expect_router(struct parse *p, struct lab_step *s)
{
	static const char *const keys[] = {
		"did", "src", "dst", "proto", "in", "out", "df", "more", "answered",
		"len", "id", "off", "ttl", "mtu", "type", "code", NULL
	};

	if (parse_host(p, &s->host))
		return -1;
	if (!p->lab->host[s->host].router && !p->lab->host[s->host].odd)
		return parse_bad(p, &p->line.word[p->at - 1], "is not a router, and not odd",
		    "a name from a router or odd line");
	if (labexpect_fields(p, s) || check_keys(p, s, keys, "did= src= dst= proto= type= "
	    "code= mtu= in= out= len= off= id= ttl= df= more= answered= count="))
		return -1;
	for (unsigned i = 0; i < s->expect.fields; i++)
		if (!strcmp(s->expect.field[i].key, "did") &&
		    check_did(p, s->expect.field[i].value))
			return -1;
	return 0;
}

static int
expect_program(struct parse *p, struct lab_step *s)
{
	static const struct {
		const char *word;
		enum lab_expect_what what;
	} kinds[] = {
		{ "status", LAB_EX_STATUS }, { "running", LAB_EX_RUNNING },
		{ "line", LAB_EX_LINE },
		{ "stdout", LAB_EX_STDOUT }, { "stderr", LAB_EX_STDERR },
		{ "json", LAB_EX_JSON },
	};
	static const char expected[] = "status, running, line, stdout, stderr or json";
	const struct lex_word *w;
	size_t i, n = sizeof(kinds) / sizeof(kinds[0]);

	if (labstep_proc(p, s))
		return -1;
	w = parse_take(p, expected);
	if (!w)
		return -1;
	for (i = 0; i < n && strcmp(kinds[i].word, w->text); i++)
		;
	if (i == n)
		return parse_bad(p, w, "nothing that can be expected", expected);
	s->expect.what = kinds[i].what;
	if (s->expect.what == LAB_EX_STATUS) {
		uint64_t v;

		if (parse_number(p, "an exit status, 0 to 255", 0, 255, &v))
			return -1;
		s->expect.count = v;
	} else if (s->expect.what == LAB_EX_RUNNING) {
		return parse_end(p);
	} else if (s->expect.what != LAB_EX_JSON && read_pattern(p, &s->expect)) {
		return -1;
	}
	return labexpect_fields(p, s);
}

int
labexpect_read(struct parse *p)
{
	struct lab_step *s = labstep_new(p, LAB_EXPECT);

	if (!s)
		return -1;
	p->lab->expects++;
	s->text = parse_joined(p, 0);
	if (!s->text)
		return -1;
	s->expect.what = LAB_EX_CAPTURE;
	if (parse_keyword(p, "capture"))
		return expect_capture(p, s);
	if (parse_keyword(p, "packets"))
		return labpackets_read(p, s);
	if (parse_keyword(p, "fragments"))
		return labpackets_fragments(p, s);
	s->expect.what = LAB_EX_COUNTER;
	if (parse_keyword(p, "counter"))
		return expect_counter(p, s);
	s->expect.what = LAB_EX_FILTER;
	if (parse_keyword(p, "filter"))
		return expect_filter(p, s);
	s->expect.what = LAB_EX_ROUTER;
	if (parse_keyword(p, "router") || parse_keyword(p, "odd"))
		return expect_router(p, s);
	return expect_program(p, s);
}
