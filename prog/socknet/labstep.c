/* SPDX-License-Identifier: BSD-2-Clause */
/* labstep.c - verbs that happen in order: see labfile.h. */
#include "labrouter.h"

#include <ctype.h>
#include <limits.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITHIN_NS 10000000000ull
#define EXPECT_NS 2000000000ull

static struct lab_step *
new_step(struct parse *p, enum lab_verb verb)
{
	struct lab *lab = p->lab;
	struct lab_step *s = parse_add(p, (void **)&lab->step, &lab->steps,
	    LAB_STEPS, sizeof(*s), p->line.word[0].text);

	if (!s)
		return NULL;
	s->verb = verb;
	s->line = p->line.line;
	s->host = s->proc = LAB_NONE;
	s->within_ns = verb == LAB_EXPECT ? EXPECT_NS : WITHIN_NS;
	return s;
}

static int
new_proc(struct parse *p, struct lab_step *s, const struct lex_word *name)
{
	struct lab *lab = p->lab;
	struct lab_proc *proc;

	if (name && !isalpha((unsigned char)name->text[0]))
		return parse_bad(p, name, "not a name for a program",
		    "a letter first");
	if (name && labfile_proc(lab, name->text) != LAB_NONE)
		return parse_bad(p, name, "this name is taken", "another name");
	s->proc = lab->procs;
	proc = parse_add(p, (void **)&lab->proc, &lab->procs, LAB_PROCS,
	    sizeof(*proc), "program");
	if (!proc)
		return -1;
	proc->name = name ? name->text : NULL;
	proc->host = s->host;
	proc->line = s->line;
	return 0;
}

static int
read_ready(struct parse *p, struct lab_step *s)
{
	static const char expected[] = "ready udp PORT, tcp PORT, line TEXT or now";
	const struct lex_word *w = parse_take(p, expected);
	uint64_t port;

	if (!w)
		return -1;
	if (!strcmp(w->text, "now"))
		return 0;
	if (!strcmp(w->text, "line")) {
		s->ready = LAB_READY_LINE;
		w = parse_take(p, "the text of the line");
		s->text = w ? w->text : NULL;
		return w ? 0 : -1;
	}
	if (strcmp(w->text, "udp") && strcmp(w->text, "tcp"))
		return parse_bad(p, w, "not a kind of readiness", expected);
	s->ready = w->text[0] == 'u' ? LAB_READY_UDP : LAB_READY_TCP;
	if (parse_number(p, "a port, 1 to 65535", 1, 65535, &port))
		return -1;
	s->port = (uint16_t)port;
	return 0;
}

static int
read_status(struct parse *p, struct lab_step *s)
{
	uint64_t v;

	if (parse_number(p, "an exit status, 0 to 255", 0, 255, &v))
		return -1;
	s->has_status = true;
	s->status = (int)v;
	return 0;
}

/* Words between the host and the command. */
static int
read_command(struct parse *p, struct lab_step *s)
{
	const struct lex_word *name = NULL;
	bool ready = false;

	for (;;) {
		if (parse_keyword(p, "as")) {
			name = parse_take(p, "a name for this program");
			if (!name)
				return -1;
		} else if (parse_keyword(p, "root")) {
			s->root = true;
		} else if (parse_keyword(p, "within")) {
			if (parse_time(p, &s->within_ns))
				return -1;
		} else if (s->verb == LAB_RUN && parse_keyword(p, "status")) {
			if (read_status(p, s))
				return -1;
			p->lab->expects++;
		} else if (s->verb == LAB_SERVER && parse_keyword(p, "ready")) {
			ready = true;
			if (read_ready(p, s))
				return -1;
		} else {
			break;
		}
	}
	if (s->verb == LAB_SERVER && !ready)
		return parse_peek(p) ?
		    parse_bad(p, parse_peek(p), "a server that nobody can wait for",
		    "ready udp PORT, tcp PORT, line TEXT or now, before the command") :
		    parse_take(p, "ready udp PORT") ? 0 : -1;
	if (new_proc(p, s, name))
		return -1;
	return parse_rest(p, "a command", &s->args);
}

static int
read_program(struct parse *p, enum lab_verb verb)
{
	struct lab_step *s = new_step(p, verb);

	if (!s || parse_host(p, &s->host))
		return -1;
	return read_command(p, s);
}

static int
read_server(struct parse *p)
{
	return read_program(p, LAB_SERVER);
}

static int
read_start(struct parse *p)
{
	return read_program(p, LAB_START);
}

static int
read_run(struct parse *p)
{
	return read_program(p, LAB_RUN);
}

static int
read_proc(struct parse *p, struct lab_step *s)
{
	const struct lex_word *w = parse_take(p, "the name of a program");

	if (!w)
		return -1;
	s->proc = labfile_proc(p->lab, w->text);
	if (s->proc == LAB_NONE)
		return parse_bad(p, w, "no such program",
		    "a name given by as NAME above");
	s->host = p->lab->proc[s->proc].host;
	return 0;
}

static int
read_wait(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_WAIT);

	if (!s || read_proc(p, s))
		return -1;
	while (parse_peek(p)) {
		if (parse_keyword(p, "within")) {
			if (parse_time(p, &s->within_ns))
				return -1;
		} else if (parse_keyword(p, "status")) {
			if (read_status(p, s))
				return -1;
			p->lab->expects++;
		} else {
			return parse_end(p);
		}
	}
	return 0;
}

static int
read_type(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_TYPE);
	const struct lex_word *w;

	if (!s || read_proc(p, s))
		return -1;
	w = parse_take(p, "the text to type");
	if (!w)
		return -1;
	s->text = w->text;
	return parse_end(p);
}

static int
read_eof(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_EOF);

	return !s || read_proc(p, s) ? -1 : parse_end(p);
}

static int
read_signal(struct parse *p)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {
		{ "INT", SIGINT }, { "TERM", SIGTERM }, { "HUP", SIGHUP },
		{ "KILL", SIGKILL }, { "STOP", SIGSTOP }, { "CONT", SIGCONT },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	};
	struct lab_step *s = new_step(p, LAB_SIGNAL);
	const struct lex_word *w;

	if (!s || read_proc(p, s))
		return -1;
	w = parse_take(p, "INT, TERM, HUP, KILL, STOP, CONT, USR1 or USR2");
	if (!w)
		return -1;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, w->text))
			s->signal = names[i].number;
	if (!s->signal)
		return parse_bad(p, w, "not a signal",
		    "INT, TERM, HUP, KILL, STOP, CONT, USR1 or USR2");
	return parse_end(p);
}

static int
read_note(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_NOTE);

	if (!s || !parse_peek(p))
		return s ? (parse_take(p, "a text") ? 0 : -1) : -1;
	s->text = parse_joined(p, p->at);
	return s->text ? 0 : -1;
}

static int
read_witness(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_WITNESS);

	if (!s || read_proc(p, s))
		return -1;
	s->text = parse_joined(p, 0);
	p->lab->expects++;
	for (unsigned i = 0; i < p->lab->hosts; i++)
		p->lab->host[i].captured = !p->lab->host[i].router;
	return parse_end(p);
}

/* --- expect --- */

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
static int
read_field(struct parse *p, struct lab_expect *x, const struct lex_word *w)
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

static int
read_fields(struct parse *p, struct lab_step *s)
{
	const struct lex_word *w;

	while ((w = parse_peek(p))) {
		if (parse_keyword(p, "within")) {
			if (parse_time(p, &s->within_ns))
				return -1;
			continue;
		}
		p->at++;
		if (read_field(p, &s->expect, w))
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

static int
check_keys(struct parse *p, const struct lab_expect *x, const char *const *known,
    const char *expected)
{
	for (unsigned i = 0; i < x->fields; i++) {
		const char *const *k = known;

		while (*k && strcmp(*k, x->field[i].key))
			k++;
		if (!*k)
			return lex_bad(&p->lex, p->line.line, p->line.word[0].col,
			    x->field[i].key, "no such condition", expected);
	}
	return 0;
}

static int
expect_capture(struct parse *p, struct lab_step *s)
{
	static const char *const kinds[] = { "udp", "tcp", "icmp", "arp", NULL };
	static const char *const keys[] = {
		"src", "dst", "len", "dir", "type", "code", "by", "about", "mtu", "ttl", "sum", NULL
	};
	const struct lex_word *w;
	size_t i;

	if (parse_host(p, &s->host))
		return -1;
	if (p->lab->host[s->host].router || p->lab->host[s->host].odd)
		return parse_bad(p, &p->line.word[p->at - 1], "it keeps a ledger",
		    "expect router NAME did=... or expect odd NAME did=...");
	p->lab->host[s->host].captured = true;
	w = parse_take(p, "udp, tcp, icmp or arp");
	if (!w)
		return -1;
	for (i = 0; kinds[i] && strcmp(kinds[i], w->text); i++)
		;
	if (!kinds[i])
		return parse_bad(p, w, "not a kind of packet", "udp, tcp, icmp or arp");
	s->expect.text = kinds[i];
	return read_fields(p, s) || check_keys(p, &s->expect, keys,
	    "src= dst= len= dir=in|out type= code= by= about= mtu= ttl= sum= count=") ? -1 : 0;
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
	return read_fields(p, s);
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
	return read_fields(p, s) || check_keys(p, &s->expect, keys, "packets=N") ? -1 : 0;
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
	if (read_fields(p, s) || check_keys(p, &s->expect, keys, "did= src= dst= proto= type= "
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

	if (read_proc(p, s))
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
	return read_fields(p, s);
}

static int
read_expect(struct parse *p)
{
	struct lab_step *s = new_step(p, LAB_EXPECT);

	if (!s)
		return -1;
	p->lab->expects++;
	s->text = parse_joined(p, 0);
	if (!s->text)
		return -1;
	s->expect.what = LAB_EX_CAPTURE;
	if (parse_keyword(p, "capture"))
		return expect_capture(p, s);
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

const struct verb parse_step_verbs[] = {
	{ "server", read_server, true },
	{ "start", read_start, true },
	{ "run", read_run, true },
	{ "wait", read_wait, true },
	{ "type", read_type, true },
	{ "eof", read_eof, true },
	{ "signal", read_signal, true },
	{ "note", read_note, true },
	{ "expect", read_expect, true },
	{ "witness", read_witness, true },
	{ NULL, NULL, false },
};
