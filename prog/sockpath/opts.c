/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts.c - the table of options, and what may not be combined; see opts.h.
 */
#include "opts.h"

#include "cli/host.h"
#include "cli/opt.h"
#include "proto/mass.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define AT(member) .at = offsetof(struct opts, member)

enum { PORT_UDP = 33434, PORT_U = 53, PORT_TCP = 80, LARGEST = 65535, FAR = 64,
	FACTOR_HERE = 3000, FACTOR_NEAR = 10000 };

void
opts_refuse(const char *format, ...)
{
	va_list ap;

	fputs("sockpath: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static const char *
take_port(void *config, const struct opt *row, const char *arg)
{
	struct host_fault why;

	if (host_port(arg, "udp", (uint16_t *)((char *)config + row->at), &why) < 0)
		return "a port, 1 to 65535, or a service name";
	return NULL;
}

/* As traceroute has it: more than 10 is milliseconds. */
static const char *
take_pause(void *config, const struct opt *row, const char *arg)
{
	struct opts *o = config;
	uint64_t n;

	(void)row;
	if (opt_number(arg, &n) == 0 && n > 10 && n <= 3600000)
		o->pause = n * 1000000;
	else if (opt_duration(arg, SECOND, &o->pause) < 0 || o->pause > 3600 * SECOND)
		return "seconds, milliseconds if more than 10, or a time such as 200ms";
	return NULL;
}

static bool
factor(const char *text, uint32_t *out)
{
	char *end;
	double f = strtod(text, &end);

	if (end == text || *end || !(f >= 0 && f <= 1000))
		return false;
	*out = (uint32_t)(f * 1000 + 0.5);
	return true;
}

/* As traceroute has it: how long at most; how many times the round trip of the same
 * hop, and of a later one. */
static const char *
take_wait(void *config, const struct opt *row, const char *arg)
{
	static const char want[] = "1ms to 60s, perhaps with factors: 5,3,10";
	char text[64], *word[3] = { text, NULL, NULL };
	struct opts *o = config;
	unsigned n = 1;

	(void)row;
	if (snprintf(text, sizeof(text), "%s", arg) >= (int)sizeof(text))
		return want;
	for (char *at = text; (at = strpbrk(at, ",/")) != NULL; n++) {
		if (n == 3)
			return want;
		*at++ = '\0';
		word[n] = at;
	}
	o->have_factors = n > 1;
	o->here = FACTOR_HERE;
	o->near = FACTOR_NEAR;
	if ((word[1] && !factor(word[1], &o->here)) || (word[2] && !factor(word[2], &o->near)))
		return want;
	if (opt_duration(text, SECOND, &o->wait) < 0 || o->wait < SECOND / 1000 ||
	    o->wait > 60 * SECOND)
		return want;
	return NULL;
}

static const char *
take_router(void *config, const struct opt *row, const char *arg)
{
	struct opts *o = config;
	char *list = strdup(arg), *word;

	(void)row;
	while (list && (word = strsep(&list, ",")) != NULL) {	/* kept to the end */
		if (o->routers == SKY_PATHSOCK_ROUTERS)
			return "at most 8 of them";
		if (!*word)
			return "routers, with a comma between";
		o->router[o->routers++] = word;
	}
	return NULL;
}

static const char *
take_shard(void *config, const struct opt *row, const char *arg)
{
	struct opts *o = config;
	const char *slash = strchr(arg, '/');
	char first[12] = "";
	uint64_t i, n;

	(void)row;
	if (slash && slash - arg < (ptrdiff_t)sizeof(first))
		memcpy(first, arg, (size_t)(slash - arg));
	if (!slash || opt_number(first, &i) || opt_number(slash + 1, &n) || !i || i > n ||
	    n > 1000000)
		return "i/N: the i-th of N parts, as 1/4";
	o->shard = (uint32_t)i;
	o->shards = (uint32_t)n;
	return NULL;
}

static const char *
take_json(void *config, const struct opt *row, const char *arg)
{
	struct opts *o = config;

	(void)row;
	if (o->json)
		return "it once only, it is given twice";
	o->json = true;
	o->document = arg && strcmp(arg, "document") == 0;
	o->json_to = !arg || o->document ? "-" : arg;
	return *o->json_to ? NULL : "a file, a descriptor, -, or document";
}

static const char *
take_dead(void *config, const struct opt *row, const char *arg)
{
	static const struct {
		const char *name, *why;
	} dead[] = {
		{ "debug", "SO_DEBUG does nothing for UDP and ICMP on Linux; -v tells more" },
		{ "as-path-lookups", "no registry of routes is asked; give the addresses to whois" },
	};

	(void)config;
	(void)arg;
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
		if (strcmp(row->name, dead[i].name) == 0)
			opts_refuse("-%c, --%s: %s", row->letter, row->name, dead[i].why);
	return NULL;
}

static const char *const style_words[] = { "plain", "traceroute", "tracepath", "book", NULL };

#define FLAG(c, n, member, text) \
	{ .letter = c, .name = n, .kind = OPT_FLAG, .group = GROUP, AT(member), .help = text }
#define NUMBER(c, n, a, member, least, most, text) \
	{ .letter = c, .name = n, .arg = a, .kind = OPT_INT, .group = GROUP, AT(member), \
	  .min = least, .max = most, .help = text }
#define TIME(c, n, member, most, text) \
	{ .letter = c, .name = n, .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(member), \
	  .min = 1000000, .max = most, .help = text }
#define PORT(c, n, member, text) \
	{ .letter = c, .name = n, .arg = "port", .kind = OPT_CALL, .group = GROUP, AT(member), \
	  .call = take_port, .help = text }

static const struct opt rows[] = {
#define GROUP "Where to"
	FLAG('4', "ipv4", only4, "IPv4 only"),
	FLAG('6', "ipv6", only6, "IPv6 only"),
	PORT('p', "port", port, "UDP: 33434; TCP: 80"),
	FLAG(0, "broadcast", broadcast, "a group or broadcast address is meant"),
#undef GROUP
#define GROUP "Probes"
	FLAG('U', "udp", udp, "UDP to port 53 unless -p says another"),
	FLAG('I', "icmp", icmp, "ICMP echo requests"),
	FLAG('T', "tcp", tcp, "TCP SYN: hops, but no MTU"),
	FLAG(0, "raw", raw, "hear ICMP on a raw socket too: quoted TTL, translators"),
	{ .letter = 's', .name = "source", .arg = "host", .kind = OPT_STR, .group = GROUP,
	  AT(source), .help = "send from this address" },
	PORT(0, "sport", sport, "send from this port"),
	{ .letter = 'i', .name = "interface", .arg = "interface", .kind = OPT_STR,
	  .group = GROUP, AT(device), .help = "leave by this interface" },
	{ .letter = 'g', .name = "gateway", .arg = "router", .kind = OPT_CALL, .group = GROUP,
	  .call = take_router, .help = "go by there too (loose source route, IPv4); up to 8" },
	FLAG('r', "direct", direct, "to hosts on a link of this host only (SO_DONTROUTE)"),
	{ .letter = 't', .name = "tos", .arg = "number", .kind = OPT_INT, .group = GROUP,
	  AT(tos), .max = 255, .set_at = offsetof(struct opts, have_tos),
	  .help = "type of service, traffic class" },
	NUMBER('l', "flow-label", "number", label, 0, 0xfffff, "flow label, IPv6"),
#undef GROUP
#define GROUP "How many, how far"
	NUMBER('f', "first", "hop", first, 1, 255, "first TTL (1)"),
	{ .letter = 'm', .name = "max-hops", .arg = "hop", .kind = OPT_INT, .group = GROUP,
	  AT(max), .min = 1, .max = 255, .set_at = offsetof(struct opts, have_max),
	  .help = "last TTL (64; --style: 30)" },
	NUMBER('q', "queries", "number", probes, 1, 10, "probes of each hop (1)"),
	NUMBER('N', "sim-queries", "number", flying, 1, 64, "probes in flight, at most (64)"),
	{ .letter = 'w', .name = "wait", .arg = "time", .kind = OPT_CALL,
	  .group = GROUP, .call = take_wait,
	  .help = "for an answer, before any round trip is known (1)" },
	{ .letter = 'z', .name = "sendwait", .arg = "time", .kind = OPT_CALL, .group = GROUP,
	  .call = take_pause, .help = "between any two probes (0); more than 10 is ms" },
	NUMBER(0, "packets", "number", packets, 1, 100000, "send no more than this (about 100)"),
	FLAG(0, "no-mtu", no_mtu, "hops only, small packets only"),
#undef GROUP
#define GROUP "What else"
	FLAG(0, "reverse", reverse, "MTU of the way back, too"),
	FLAG(0, "paths", paths, "all balanced paths, and the MTU of each"),
	{ .name = "cycles", .arg = "number", .kind = OPT_INT, .group = GROUP, AT(cycles),
	  .max = INT32_MAX, .set_at = offsetof(struct opts, have_cycles),
	  .help = "again and again: loss and round trips; 0: until Ctrl-C" },
	{ .name = "interval", .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(interval),
	  .min = SECOND / 100, .max = 3600 * SECOND,
	  .set_at = offsetof(struct opts, have_interval), .help = "between cycles (1)" },
#undef GROUP
#define GROUP "Many targets"
	{ .name = "targets", .arg = "file", .kind = OPT_STR, .group = GROUP, AT(targets),
	  .help = "addresses and prefixes, one a line; - is standard input" },
	{ .name = "shard", .arg = "i/N", .kind = OPT_CALL, .group = GROUP, .call = take_shard,
	  .help = "the i-th of N parts of the work" },
	{ .name = "rate", .arg = "number", .kind = OPT_U64, .group = GROUP, AT(rate), .min = 1,
	  .max = 10000000, .help = "probes a second" },
	{ .name = "seed", .arg = "number", .kind = OPT_U64, .group = GROUP, AT(seed),
	  .max = INT64_MAX, .set_at = offsetof(struct opts, have_seed),
	  .help = "of the order of the probes" },
	{ .name = "resume", .arg = "file", .kind = OPT_STR, .group = GROUP, AT(resume),
	  .help = "go on where the run that wrote this ended" },
	{ .name = "hop-rate", .arg = "number", .kind = OPT_INT, .group = GROUP, AT(hop_rate),
	  .max = 100000, .set_at = offsetof(struct opts, have_hop_rate),
	  .help = "answers a second asked of one router, at most (6); 0: any number" },
	{ .name = "patience", .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(patience),
	  .max = 86400 * SECOND, .set_at = offsetof(struct opts, have_patience),
	  .help = "wait so long until a router may be asked (5)" },
	FLAG(0, "every-hop", every_hop, "ask all hops of each target, share nothing"),
	TIME(0, "progress", progress, 3600 * SECOND, "how often it is told (10)"),
#undef GROUP
#define GROUP "Output"
	{ .name = "style", .arg = "name", .kind = OPT_ENUM, .group = GROUP, AT(style),
	  .words = style_words, .help = "plain, traceroute, tracepath, book" },
	FLAG('n', "numeric", numeric, "no names"),
	{ .letter = 'v', .name = "verbose", .kind = OPT_COUNT, .group = GROUP, AT(verbose),
	  .help = "tell what is usually left out" },
	{ .name = "json", .arg = "[TARGET]", .kind = OPT_CALL, .group = GROUP,
	  .call = take_json, .help = "JSON lines to a file, descriptor or -; or document" },
	{ .name = "expect-mtu", .arg = "bytes", .kind = OPT_INT, .group = GROUP,
	  AT(expect_mtu), .min = 28, .max = LARGEST, .set_at = offsetof(struct opts, expect),
	  .help = "status 4 if the path carries less" },
#undef GROUP
#define GROUP "Known from elsewhere"
	FLAG('e', "extensions", labels, "labels of routers: always shown, but by --style"),
	FLAG('F', "dont-fragment", whole, "no fragments: always so, but by --style traceroute"),
	FLAG(0, "mtu", mtu, "the MTU: always found, but by --style traceroute"),
	FLAG(0, "back", back, "hops of the way back: always told, but by --style traceroute"),
	FLAG('b', "both", both, "names and numbers: always so, but by --style tracepath"),
	{ .letter = 'd', .name = "debug", .kind = OPT_CALL, .group = GROUP, .call = take_dead,
	  .help = "refused: does nothing on Linux; says what does" },
	{ .letter = 'A', .name = "as-path-lookups", .kind = OPT_CALL, .group = GROUP,
	  .call = take_dead, .help = "refused: no registry is asked" },
#undef GROUP
	{ .name = NULL },
};

static const char *const synopsis[] = {
	"[options] host [packetlen]", "[options] --targets file", NULL
};

static const struct opt_program program = {
	.name = "sockpath",
	.synopsis = synopsis,
	.about = "The path to a host: its hops, and the largest packet that it carries",
	.opts = rows,
};

enum sky_pathsock_method
opts_method(const struct opts *o)
{
	return o->icmp ? SKY_PATHSOCK_ICMP : o->tcp ? SKY_PATHSOCK_TCP : SKY_PATHSOCK_UDP;
}

uint16_t
opts_port(const struct opts *o)
{
	if (o->icmp)
		return 0;
	return o->port ? o->port : o->tcp ? PORT_TCP : o->udp ? PORT_U : PORT_UDP;
}

/* What one of them means nothing beside the other; NULL: alone. */
static void
check_pairs(const struct opts *o)
{
	const struct {
		bool a, b;
		const char *text;
	} pairs[] = {
		{ o->only4, o->only6, "-4 and -6: one of them" },
		{ o->udp, o->icmp, "-U and -I: one of them" },
		{ o->udp, o->tcp, "-U and -T: one of them" },
		{ o->icmp, o->tcp, "-I and -T: one of them" },
		{ o->icmp, o->port, "-p: ICMP has no ports" },
		{ o->icmp, o->sport, "--sport: ICMP has no ports" },
		{ o->tcp, o->sport, "--sport: each SYN leaves from a port of its own" },
		{ o->tcp, o->raw, "--raw: not with -T" },
		{ o->tcp && !o->style, o->len, "packetlen: with -T the kernel makes the SYN" },
		{ o->tcp, o->expect, "--expect-mtu: TCP SYN finds no MTU; use UDP or -I" },
		{ o->tcp, o->paths, "--paths: TCP SYN has no flows to compare; use UDP or -I" },
		{ o->no_mtu, o->expect, "--expect-mtu: not with --no-mtu" },
		{ o->only6, o->routers, "-g: IPv6 has no source routes any more (RFC 5095)" },
		{ o->only4, o->label, "-l: IPv4 has no flow label" },
		{ o->paths, o->have_cycles, "--paths and --cycles: one of them" },
		{ o->reverse, o->paths, "--reverse: not with --paths" },
		{ o->reverse, o->have_cycles, "--reverse: not with --cycles" },
		{ o->paths, o->first > 1, "-f: --paths begins at the first hop" },
		{ o->paths, o->probes, "-q: --paths decides itself how many" },
		{ o->paths, o->pause, "-z: not with --paths" },
		{ o->have_cycles, o->expect, "--expect-mtu: not with --cycles" },
		{ o->targets, o->paths, "--paths: not with --targets" },
		{ o->targets, o->reverse, "--reverse: not with --targets" },
		{ o->targets, o->have_cycles, "--cycles: not with --targets" },
		{ o->targets, o->style, "--style: not with --targets" },
		{ o->document, o->have_cycles && !o->cycles, "--json=document: needs an end; "
		    "give --cycles a number, or --json" },
		{ o->have_interval, !o->have_cycles, "--interval: only with --cycles" },
		{ o->style != STYLE_PLAIN, o->json, "--json: has a style of its own; not with "
		    "--style" },
		{ o->tcp, o->style > STYLE_TRACEROUTE || (o->style && o->mtu), "-T: TCP SYN finds "
		    "no MTU, which that style is about; use UDP or -I" },
		{ o->style != STYLE_PLAIN, o->reverse, "--reverse: not with --style" },
		{ o->style != STYLE_PLAIN, o->paths, "--paths: not with --style" },
		{ o->style != STYLE_PLAIN, o->have_cycles, "--cycles: not with --style" },
		{ o->style != STYLE_PLAIN, o->no_mtu, "--no-mtu: not with --style; traceroute's "
		    "is without one" },
		{ o->style != STYLE_PLAIN, o->packets > 0, "--packets: not with --style, which "
		    "is bounded by -q and -m" },
		{ o->have_factors, o->style == STYLE_PLAIN, "-w: factors only with --style; "
		    "otherwise waits follow the round trips" },
		{ o->shards, !o->targets, "--shard: only with --targets" },
		{ o->resume, !o->targets, "--resume: only with --targets" },
		{ o->have_seed, !o->targets, "--seed: only with --targets" },
		{ o->rate, !o->targets, "--rate: only with --targets; -z is a pause" },
		{ o->have_hop_rate, !o->targets, "--hop-rate: only with --targets" },
		{ o->have_patience, !o->targets, "--patience: only with --targets" },
		{ o->every_hop, !o->targets, "--every-hop: only with --targets" },
		{ o->progress, !o->targets, "--progress: only with --targets" },
		{ o->targets, o->icmp || o->tcp, "-I, -T: not with --targets; UDP only" },
		{ o->targets, o->raw || o->routers || o->direct || o->label,
		    "--raw, -g, -r, -l: not with --targets" },
		{ o->targets, o->first != 1 || o->probes || o->flying || o->pause || o->packets,
		    "-f, -q, -N, -z, --packets: not with --targets" },
		{ o->targets, o->have_max && o->max > SKY_MASS_HOPS, "-m: at most 60 with --targets" },
		{ o->targets, o->document, "--json=document: not with --targets; JSON lines only" },
		{ o->resume, o->json, "--json: not with --resume, which writes to its file" },
		{ o->first > o->max, true, "-f: more than -m" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (pairs[i].a && pairs[i].b)
			opts_refuse("%s", pairs[i].text);
}

static void
take_operands(struct opts *o, int n, char **word)
{
	uint64_t len;

	if (o->targets && n)
		opt_bad(&program, word[0], "one host beside --targets", "no operand");
	if (o->targets)
		return;
	if (!n)
		opts_refuse("a host is missing (expected host [packetlen]; see --help)");
	o->host = word[0];
	if (!*o->host)
		opt_bad(&program, "", "unknown host", "a name or an address");
	if (n > 2)
		opt_bad(&program, word[2], "one too many", "host [packetlen]");
	if (n < 2)
		return;
	if (opt_number(word[1], &len) || len < 28 || len > LARGEST)
		opt_bad(&program, word[1], "not a packet length",
		    "28 to 65535, bytes of the whole IP packet");
	o->len = (uint32_t)len;
}

/* Called by the name of another program, it is that one. True: that is tracepath. */
static bool
named(struct opts *o, const char *self)
{
	const char *slash = self ? strrchr(self, '/') : NULL;
	char name[16];
	size_t n;

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : self ? self : "");
	n = strlen(name);
	if (n && name[n - 1] == '6') {
		o->only6 = strncmp(name, "trace", 5) == 0;
		name[n - 1] = '\0';
	}
	for (int i = STYLE_TRACEROUTE; style_words[i]; i++)
		if (i != STYLE_BOOK && strcmp(name, style_words[i]) == 0)
			o->style = i;
	return o->style == STYLE_TRACEPATH;
}

/* To tracepath, -l is the length of packets. */
static void
take_length(struct opts *o)
{
	if (!o->label)
		return;
	if (o->label < 28 || o->label > LARGEST)
		opts_refuse("-l '%d': not a packet length (expected 28 to 65535)", o->label);
	if (!o->len)
		o->len = (uint32_t)o->label;
	o->label = 0;
}

void
opts_read(struct opts *o, int argc, char **argv)
{
	bool tracepath;
	int at;

	*o = (struct opts){ .first = 1, .max = 30 };
	tracepath = named(o, argv[0]);
	at = opt_parse(&program, o, argc, argv);
	take_operands(o, argc - at, argv + at);
	if (tracepath)
		take_length(o);
	/* what others stop at is not far enough for some paths; silence and loops end
	 * a trace by themselves */
	if (!o->have_max && o->style == STYLE_PLAIN)
		o->max = FAR;
	check_pairs(o);
}
