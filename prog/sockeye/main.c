/* SPDX-License-Identifier: BSD-2-Clause */
/* sockeye(1): the programs, the version, and what this user may use here. */
#include "opts.h"
#include "probe.h"

#include "cli/out.h"
#include "cli/stdfd.h"

#include <errno.h>
#include <inttypes.h>
#include <sockeye/version.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *name, *page, *what;
} programs[] = {
	{ "sock", "sock(1)", "send and receive datagrams, and say what became of each" },
	{ "sockpath", "sockpath(1)", "the hops to a host, and the largest packet the path carries" },
	{ "socknet", "socknet(8)", "a network in a box: labs, the demo, a shell in any host" },
	{ "icmpd", "icmpd(8)", "tell each process what the network said about its datagrams" },
	{ "icmpctl", "icmpctl(8)", "see and use what icmpd learns: status, watch, run" },
	{ "sockeye", "sockeye(1)", "this list; sockeye doctor says what works here" },
};

/* Reporters: who can tell a fate, and the probe that says whether he may. */
static const struct {
	const char *name, *probe, *what;
} reporters[] = {
	{ "reply", "errors4", "an answer came back" },
	{ "queue", "refused", "ICMP errors, from the socket's error queue" },
	{ "icmpd", "icmpd", "ICMP errors that the queue does not show, from icmpd(8)" },
	{ "counter", "meminfo", "what the kernel dropped at the socket" },
	{ "capture", "packet", "a second witness on the wire" },
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void
list_programs(struct out *o)
{
	if (o->text)
		fprintf(o->text, "sockeye %s: the fate of every datagram\n\n", sky_version());
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (o->text)
			fprintf(o->text, "  %-9s %s\n", programs[i].name, programs[i].what);
		out_begin(o, "program", now_ns());
		out_str(o, "name", programs[i].name);
		out_str(o, "version", sky_version());
		out_str(o, "manual", programs[i].page);
		out_str(o, "what", programs[i].what);
		out_end(o);
	}
}

static void
list_reporters(struct out *o)
{
	struct probe_result r;

	if (o->text)
		fputs("\nWho may report a fate to you here:\n", o->text);
	for (size_t i = 0; i < sizeof(reporters) / sizeof(reporters[0]); i++) {
		probe_run(probe_find(reporters[i].probe), &r);
		if (o->text)
			fprintf(o->text, "  %-9s %-8s %s\n", reporters[i].name,
				r.ret ? "refused" : "allowed", reporters[i].what);
		out_begin(o, "reporter", now_ns());
		out_str(o, "name", reporters[i].name);
		out_bool(o, "allowed", r.ret == 0);
		out_str(o, "what", reporters[i].what);
		out_end(o);
	}
	if (o->text)
		fputs("\nsockeye doctor tries everything, and says how to mend what is refused.\n",
		      o->text);
}

static void
show_probe(struct out *o, const struct probe *p, const struct probe_result *r)
{
	const char *why = r->detail;

	if (r->ret && !why[0])
		why = strerror(-r->ret);
	if (o->text)
		fprintf(o->text, "%-8s %-11s %s%s%s%s\n", r->ret ? "refused" : "allowed", p->name,
			p->what, why[0] ? " (" : "", why, why[0] ? ")" : "");
	if (o->text && r->ret)
		fprintf(o->text, "%20s for: %s\n%20s mend: %s\n", "", p->used_by, "",
			r->mend ? r->mend : "a newer kernel");
	out_begin(o, "check", now_ns());
	out_str(o, "name", p->name);
	out_bool(o, "allowed", r->ret == 0);
	out_str(o, "what", p->what);
	out_str(o, "for", p->used_by);
	if (why[0])
		out_str(o, "detail", why);
	if (r->ret)
		out_str(o, "errno", strerrorname_np(-r->ret));
	if (r->mend)
		out_str(o, "mend", r->mend);
	out_end(o);
}

static bool
wanted(char *const *names, const char *name)
{
	if (!names[0])
		return true;
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Returns the exit status: 1 if something is refused that sockeye cannot do
 * without, or that was asked for by name. */
static int
doctor(struct out *o, const struct sockeye_config *c)
{
	struct probe_result r;
	int status = 0;

	for (const struct probe *p = probes; p->name; p++) {
		if (!wanted(c->checks, p->name))
			continue;
		probe_run(p, &r);
		show_probe(o, p, &r);
		if (r.ret && (p->needed || c->checks[0]))
			status = 1;
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct sockeye_config c = { 0 };
	struct out o;
	int ret, status = 0;
	const char *to;

	stdfd_hold();
	sockeye_opts(&c, argc, argv);
	to = c.json ? c.json_to ? c.json_to : "-" : NULL;
	/* standard output holds JSON or lines for people, never both */
	ret = out_open(&o, to && strcmp(to, "-") == 0 ? NULL : stdout, to);
	if (ret < 0) {
		fprintf(stderr, "sockeye: cannot write to '%s': %s\n", to, strerror(-ret));
		return 1;
	}
	if (c.doctor) {
		status = doctor(&o, &c);
	} else {
		list_programs(&o);
		list_reporters(&o);
	}
	ret = out_close(&o);
	if (ret < 0) {
		fprintf(stderr, "sockeye: cannot write: %s\n", strerror(-ret));
		return 1;
	}
	return status;
}
