/* SPDX-License-Identifier: BSD-2-Clause */
/* run.c - one lab from beginning to end: see run.h. */
#include "run.h"
#include "child.h"
#include "enter.h"
#include "expect.h"
#include "ledger.h"
#include "loop.h"
#include "witness.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- conditions to wait for --- */

static bool
has_ended(struct loop *l, void *arg)
{
	return l->proc[((const struct lab_step *)arg)->proc].ended;
}

/* A line of /proc/net/udp or tcp: "  0: 00000000:0007 00000000:0000 07 ...";
 * state 07 is bound (UDP), 0A listens (TCP). */
static bool
port_in(const char *path, uint16_t port, unsigned state)
{
	FILE *f = fopen(path, "re");
	unsigned have, st;
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &have, &st) == 2)
			found = have == port && st == state;
	if (f)
		fclose(f);
	return found;
}

static bool
port_bound(const struct lab_step *s, pid_t pid)
{
	const char *proto = s->ready == LAB_READY_UDP ? "udp" : "tcp";
	unsigned state = s->ready == LAB_READY_UDP ? 0x07 : 0x0a;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)pid, proto);
	if (port_in(path, s->port, state))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/net/%s6", (int)pid, proto);
	return port_in(path, s->port, state);
}

static bool
wrote(const struct loop_stream *s, const char *text)
{
	return s->len && strstr(s->text, text);
}

static bool
is_ready(struct loop *l, void *arg)
{
	const struct lab_step *s = arg;
	const struct loop_proc *p = &l->proc[s->proc];

	if (p->ended)
		return true;
	switch (s->ready) {
	case LAB_READY_UDP:
	case LAB_READY_TCP:
		return port_bound(s, p->pid);
	case LAB_READY_LINE:
		return wrote(&p->s[LOOP_STDOUT], s->text) || wrote(&p->s[LOOP_STDERR], s->text);
	default:
		return true;
	}
}

/* --- steps: 0, or -1 when nothing after it makes sense --- */

static int
give_up(struct loop *l, const struct lab_step *s, const char *what, const char *why)
{
	if (l->broken[0])
		report_result(l->report, false, s->line, "the lab runs to its end", l->broken);
	else if (!l->interrupted)
		report_result(l->report, false, s->line, what, why);
	else
		report_result(l->report, false, s->line, "the lab runs to its end",
		    "interrupted");
	return -1;
}

static int
do_server(struct loop *l, const struct lab_step *s)
{
	char what[200];
	int r;

	report_command(l->report, s);
	snprintf(what, sizeof(what), "the server '%s' on %s is ready",
	    s->args.argv[0], l->lab->host[s->host].name);
	if (loop_start(l, s, false))
		return give_up(l, s, what, l->error);
	r = loop_wait(l, is_ready, (void *)(uintptr_t)s, s->within_ns, 3);
	if (r)
		return give_up(l, s, what, "not in time");
	if (s->ready != LAB_READY_NOW && l->proc[s->proc].ended)
		return give_up(l, s, what, "it ended");
	return 0;
}

static int
do_start(struct loop *l, const struct lab_step *s)
{
	report_command(l->report, s);
	return loop_start(l, s, false) ? give_up(l, s, "the program starts", l->error) : 0;
}

static void
close_input(struct loop *l, const struct lab_step *s)
{
	struct loop_proc *p = &l->proc[s->proc];

	if (p->input >= 0)
		close(p->input);
	p->input = -1;
}

/* Waits for the end of a program, and judges its status. */
static int
do_wait(struct loop *l, const struct lab_step *s)
{
	const struct loop_proc *p = &l->proc[s->proc];
	char what[160], why[80];

	if (loop_wait(l, has_ended, (void *)(uintptr_t)s, s->within_ns, 0)) {
		if (!p->ended && p->pid > 0)
			kill(p->pid, SIGKILL);
		snprintf(why, sizeof(why), "still running after %.3g s",
		    (double)s->within_ns / 1e9);
		return give_up(l, s, "the program ends by itself", why);
	}
	snprintf(why, sizeof(why), "status %d", loop_status(p));
	if (WIFSIGNALED(p->status) && !s->has_status)
		return give_up(l, s, "the program ends by itself", why);
	snprintf(what, sizeof(what), "%s ends with status %d", p->step->args.argv[0],
	    s->status);
	if (s->has_status)
		report_result(l->report, loop_status(p) == s->status, s->line, what, why);
	return 0;
}

static int
do_run(struct loop *l, const struct lab_step *s)
{
	int r;

	report_command(l->report, s);
	l->foreground = s->proc;
	if (loop_start(l, s, false))
		return give_up(l, s, "the program starts", l->error);
	close_input(l, s);
	r = do_wait(l, s);
	l->foreground = LAB_NONE;
	return r;
}

static bool
never(struct loop *l, void *arg)
{
	return false;
}

/* A pause that the lab declares. Returns 0, or -EINTR. */
static int
pause_for(struct loop *l, uint64_t ns)
{
	int r = loop_wait(l, never, NULL, ns / (l->report->speed ? l->report->speed : 1), 0);

	return r == -EINTR ? r : 0;
}

static int
do_pause(struct loop *l, const struct lab_step *s)
{
	return pause_for(l, s->pause_ns) ? give_up(l, s, "the lab runs to its end", NULL) : 0;
}

static int
do_book(struct loop *l, const struct lab_step *s)
{
	l->book = s;
	return 0;
}

/* The source's figures beside what was measured here. */
static void
tell_book(struct loop *l, const char *here)
{
	char text[1400];

	snprintf(text, sizeof(text), "        book %s", l->book->text);
	report_note(l->report, text);
	snprintf(text, sizeof(text), "        here %s", here);
	report_note(l->report, text);
	l->book = NULL;
}

static int
do_type(struct loop *l, const struct lab_step *s)
{
	const struct loop_proc *p = &l->proc[s->proc];
	char line[4100];
	int n = snprintf(line, sizeof(line), "%s\n", s->text);

	if (pause_for(l, s->pause_ns))
		return give_up(l, s, "the lab runs to its end", NULL);
	if (n >= (int)sizeof(line) || p->input < 0 || p->ended || write(p->input, line, (size_t)n) != n)
		return give_up(l, s, "the program reads what is typed",
		    p->ended ? "it has ended" : "its input is closed");
	return 0;
}

static int
do_eof(struct loop *l, const struct lab_step *s)
{
	close_input(l, s);
	return 0;
}

static int
do_signal(struct loop *l, const struct lab_step *s)
{
	const struct loop_proc *p = &l->proc[s->proc];

	if (p->ended || p->pid <= 0 || kill(p->pid, s->signal))
		return give_up(l, s, "the program gets a signal", "it has ended");
	return 0;
}

static int
do_note(struct loop *l, const struct lab_step *s)
{
	report_note(l->report, s->text);
	return 0;
}

struct judged {
	const struct lab_step *step;
	char why[1300];
	bool met;
};

static bool
is_met(struct loop *l, void *arg)
{
	struct judged *j = arg;

	j->met = expect_met(l, j->step, j->why, sizeof(j->why));
	return j->met;
}

static int
do_expect(struct loop *l, const struct lab_step *s)
{
	struct judged j = { .step = s };
	bool ask = s->expect.what == LAB_EX_COUNTER || s->expect.what == LAB_EX_FILTER;
	unsigned tick = ask ? 50 : s->expect.what == LAB_EX_ROUTER ? 5 : 0;

	if (loop_wait(l, is_met, &j, s->within_ns, tick) == -EINTR)
		return give_up(l, s, s->text, NULL);
	report_result(l->report, j.met, s->line, s->text, j.why);
	if (l->book)
		tell_book(l, j.why);
	return 0;
}

static int
do_witness(struct loop *l, const struct lab_step *s)
{
	char what[400];
	bool ok;

	loop_drain(l);
	ok = witness_agrees(l, s, what, sizeof(what));
	if (l->report->style != REPORT_TAP)
		report_note(l->report, what);
	report_result(l->report, ok, s->line, ok ? s->text : what, NULL);
	return 0;
}

static int
do_steps(struct loop *l)
{
	static int (*const table[])(struct loop *, const struct lab_step *) = {
		[LAB_SERVER] = do_server, [LAB_START] = do_start, [LAB_RUN] = do_run,
		[LAB_WAIT] = do_wait, [LAB_TYPE] = do_type, [LAB_EOF] = do_eof,
		[LAB_SIGNAL] = do_signal, [LAB_NOTE] = do_note,
		[LAB_EXPECT] = do_expect, [LAB_WITNESS] = do_witness,
		[LAB_PAUSE] = do_pause, [LAB_BOOK] = do_book,
	};

	for (unsigned i = 0; i < l->lab->steps; i++)
		if (table[l->lab->step[i].verb](l, &l->lab->step[i]))
			return -1;
	return 0;
}

/* --- a program of the caller's, the lab's servers running --- */

static int
do_enter(struct loop *l, const struct run *r)
{
	l->report->lab = l->lab;
	for (unsigned i = 0; i < l->lab->steps; i++)
		if (l->lab->step[i].verb == LAB_SERVER && do_server(l, &l->lab->step[i]))
			return 1;
	return r->command ? enter_command(l, r->enter_host, r->command) :
	    enter_shell(l, r->enter_host);
}

/* --- */

/* Programs of this build come first. Returns the first one that is missing. */
static const char *
missing_program(const struct run *r)
{
	static const char *const tools[] = { "ip", "nft" };
	const struct lab *lab = r->lab;

	for (unsigned i = 0; i < 2; i++)
		if ((i == 0 || lab->filters) && !child_exists(tools[i]))
			return tools[i];
	for (unsigned i = 0; i < lab->steps; i++)
		if ((r->enter_host == LAB_NONE || lab->step[i].verb == LAB_SERVER) &&
		    lab->step[i].args.argc && !child_exists(lab->step[i].args.argv[0]))
			return lab->step[i].args.argv[0];
	return r->command && !child_exists(r->command[0]) ? r->command[0] : NULL;
}

static void
set_path(const char *first)
{
	const char *old = getenv("PATH");
	char path[8192];

	snprintf(path, sizeof(path), "%s%s%s:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin",
	    first, *first ? ":" : "", old && *old ? old : "/usr/bin");
	setenv("PATH", path, 1);
	setenv("SOCKNET", "1", 1);
}

static int
bad(const char *text, int status)
{
	fprintf(stderr, "socknet: %s\n", text);
	return status;
}

static int
do_lab(struct loop *l, struct run *r)
{
	report_begin(&r->report, r->lab);
	do_steps(l);
	if (r->report.failed)
		ledger_tail(l);
	return report_end(&r->report);
}

int
run_inside(void *arg)
{
	struct run *r = arg;
	struct loop l = { .epoll = -1 };
	char text[300];
	const char *missing;
	int status, error;

	set_path(r->program_path);
	for (unsigned i = 0; i < r->lab->need_count; i++)
		if (!child_exists(r->lab->needs[i])) {
			snprintf(text, sizeof(text), "no program %.100s here", r->lab->needs[i]);
			report_skip(&r->report, text);
			return 0;
		}
	missing = missing_program(r);
	if (missing) {
		snprintf(text, sizeof(text), "%.120s: no program '%.100s' (expected it on PATH)",
		    r->lab->file, missing);
		return bad(text, 2);
	}
	if (net_build(&l.net, r->lab))
		return bad(l.net.error, 2);
	if (routers_start(&l.routers, r->lab, &l.net))
		return bad(l.net.error, 1);
	if (loop_open(&l, r->lab, &r->report))
		return bad(l.error, 1);
	if (r->enter_host != LAB_NONE)
		status = do_enter(&l, r);
	else
		status = do_lab(&l, r);
	if (r->ledger && (error = ledger_write(&l, r->ledger)) < 0) {
		fprintf(stderr, "socknet: '%s': %s\n", r->ledger, strerror(-error));
		status = status ? status : 1;
	}
	if (l.interrupted && l.interrupted != SIGINT)
		status = 128 + l.interrupted;
	loop_close(&l);
	return report_written(status);
}
