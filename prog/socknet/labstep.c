/* SPDX-License-Identifier: BSD-2-Clause */
/* labstep.c - verbs that happen in order: see labfile.h. */
#include "labexpect.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WITHIN_NS 10000000000ull
#define EXPECT_NS 2000000000ull

struct lab_step *
labstep_new(struct parse *p, enum lab_verb verb)
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
	struct lab_step *s = labstep_new(p, verb);

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

int
labstep_proc(struct parse *p, struct lab_step *s)
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
	struct lab_step *s = labstep_new(p, LAB_WAIT);

	if (!s || labstep_proc(p, s))
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
	struct lab_step *s = labstep_new(p, LAB_TYPE);
	const struct lex_word *w;

	if (!s || labstep_proc(p, s))
		return -1;
	if (parse_keyword(p, "after") && parse_time(p, &s->pause_ns))
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
	struct lab_step *s = labstep_new(p, LAB_EOF);

	return !s || labstep_proc(p, s) ? -1 : parse_end(p);
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
	struct lab_step *s = labstep_new(p, LAB_SIGNAL);
	const struct lex_word *w;

	if (!s || labstep_proc(p, s))
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
	struct lab_step *s = labstep_new(p, LAB_NOTE);

	if (!s || !parse_peek(p))
		return s ? (parse_take(p, "a text") ? 0 : -1) : -1;
	s->text = parse_joined(p, p->at);
	return s->text ? 0 : -1;
}

static int
read_pause(struct parse *p)
{
	struct lab_step *s = labstep_new(p, LAB_PAUSE);

	return !s || parse_time(p, &s->pause_ns) ? -1 : parse_end(p);
}

/* Where in the source, and its figures. */
static int
read_book(struct parse *p)
{
	struct lab_step *s = labstep_new(p, LAB_BOOK);
	const struct lex_word *w;

	if (!s || !(w = parse_take(p, "where in the source: 11.15")))
		return -1;
	if (!parse_peek(p))
		return parse_take(p, "the figures") ? 0 : -1;
	s->text = parse_joined(p, 1);
	return s->text ? 0 : -1;
}

static int
read_witness(struct parse *p)
{
	struct lab_step *s = labstep_new(p, LAB_WITNESS);

	if (!s || labstep_proc(p, s))
		return -1;
	s->text = parse_joined(p, 0);
	p->lab->expects++;
	for (unsigned i = 0; i < p->lab->hosts; i++)
		p->lab->host[i].captured = !p->lab->host[i].router;
	return parse_end(p);
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
	{ "pause", read_pause, true },
	{ "book", read_book, true },
	{ "expect", labexpect_read, true },
	{ "witness", read_witness, true },
	{ NULL, NULL, false },
};
