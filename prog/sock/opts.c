/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts.c - the table of options, and what may not be combined; see opts.h.
 */
#include "inherit.h"
#include "opts.h"
#include "request.h"
#include "service.h"

#include "cli/host.h"
#include "cli/opt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define BACKLOG 5		/* of the sources */
#define AT(member) .at = offsetof(struct config, member)

static const char *
take_bind_port(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;
	struct host_fault why;

	if (host_port(arg, "udp", &c->bind_port, &why) < 0)
		return "a port, 1 to 65535, or a service name";
	return NULL;
}

/* -l and -f: the address and port go to o->at. */
static const char *
take_end(void *config, const struct opt *o, const char *arg)
{
	struct sky_addr a;
	struct host_fault why;

	if (host_end(arg, &a, &why) < 0)
		return "an address and a port, as 192.0.2.1.53 or [2001:db8::1]:53";
	memcpy((char *)config + o->at, &a, sizeof(a));
	return NULL;
}

static const char *
take_json(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;

	c->json = true;
	c->json_to = arg;
	return arg && !*arg ? "a file, a descriptor, or - for standard output" : NULL;
}

/* It was looked for before all others, and must be there. */
static const char *
take_as(void *config, const struct opt *o, const char *arg)
{
	(void)config;
	(void)o;
	(void)arg;
	return "as the first option, the name of a program: udpcli01, udpserv06, "
	    "daytimetcpcli, ...";
}

static const char *
take_listen(void *config, const struct opt *o, const char *arg)
{
	struct config *c = config;
	struct listen_at *at = &c->listen[c->listens];
	struct host_fault why;

	(void)o;
	if (c->listens == LISTENS_MAX - 1)
		return "at most 16 of them";
	if (host_is_end(arg) ? host_end(arg, &at->a, &why) :
	    host_port(arg, "udp", &at->port, &why))
		return "[address:]port, as 7, 192.0.2.1:7 or [2001:db8::1]:7";
	if (sky_addr_family(&at->a))
		at->port = sky_addr_port(&at->a);
	c->listens++;
	return NULL;
}

static const char *const truncation_words[] = { "reno", "bsd", NULL };
static const char *const errors_words[] = { "queue", "icmpd", "socket", "none", NULL };

#define FLAG(c, n, member, text) \
	{ .letter = c, .name = n, .kind = OPT_FLAG, .group = GROUP, AT(member), .help = text }
#define SIZE(c, n, member, least, text) \
	{ .letter = c, .name = n, .arg = "bytes", .kind = OPT_U64, .group = GROUP, AT(member), \
	  .min = least, .max = 1 << 24, .help = text }
#define BUFFER(c, n, member, text) \
	{ .letter = c, .name = n, .arg = "bytes", .kind = OPT_INT, .group = GROUP, AT(member), \
	  .min = 1, .max = 1 << 30, .help = text }
#define TIME(c, n, member, most, text) \
	{ .letter = c, .name = n, .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(member), \
	  .max = most, .help = text }
#define NUMBER(c, n, a, member, given, most, text) \
	{ .letter = c, .name = n, .arg = a, .kind = OPT_INT, .group = GROUP, AT(member), \
	  .max = most, .help = text, .set_at = offsetof(struct config, given) }
#define MSEC(c, n, member, given, text) \
	{ .letter = c, .name = n, .arg = "ms", .kind = OPT_MSEC, .group = GROUP, AT(member), \
	  .min = 1000, .max = 86400 * SECOND, .help = text, \
	  .set_at = offsetof(struct config, given) }

static const struct opt rows[] = {
#define GROUP "What it is"
	FLAG('u', "udp", udp, "use UDP instead of TCP"),
	FLAG('s', "server", server, "server: print what arrives, send what is typed"),
	FLAG('i', "source-sink", source_sink, "send a pattern; with -s: count and discard"),
	FLAG(0, "all", all, "with -s, TCP: serve for ever, not one connection"),
	FLAG('4', "ipv4", only4, "IPv4 only"),
	FLAG('6', "ipv6", only6, "IPv6 only"),
#undef GROUP
#define GROUP "Services"
	{ .name = "fd", .arg = "number", .kind = OPT_INT, .group = GROUP, AT(fd),
	  .max = 1 << 20, .set_at = offsetof(struct config, have_fd),
	  .help = "use this socket, which somebody else opened" },
	{ .name = "service", .arg = "name", .kind = OPT_ENUM, .group = GROUP, AT(service),
	  .words = service_words, .set_at = offsetof(struct config, have_service),
	  .help = "with -s: echo, discard, daytime, time, chargen" },
	{ .name = "listen", .arg = "end", .kind = OPT_CALL, .group = GROUP,
	  .call = take_listen, .help = "serve at [address:]port too; repeatable" },
	FLAG(0, "iterative", iterative, "one client after the other"),
	FLAG('F', "fork", fork_each, "a process for each connection"),
	FLAG(0, "keep-connected", keep_connected, "with -F: do not close the parent's copy"),
	FLAG(0, "threads", threads, "a thread for each connection"),
	{ .name = "exec", .arg = "command", .kind = OPT_STR, .group = GROUP, AT(exec),
	  .help = "a command for each connection, on 0-2 or {fd}" },
	{ .name = "as", .arg = "name", .kind = OPT_CALL, .group = GROUP, .call = take_as,
	  .help = "first: be that program of the literature" },
	{ .name = "max-clients", .arg = "number", .kind = OPT_U64, .group = GROUP,
	  AT(max_clients), .min = 1, .max = 1 << 20,
	  .set_at = offsetof(struct config, have_max_clients),
	  .help = "served at once (512; events: no limit)" },
#undef GROUP
#define GROUP "Traffic"
	{ .letter = 'n', .name = "count", .arg = "number", .kind = OPT_U64, .group = GROUP,
	  AT(count), .min = 1, .max = INT64_C(1) << 40,
	  .help = "datagrams per destination (1024), with -i" },
	SIZE('w', "write-size", write_size, 0, "bytes in each (1024), with -i; 0 is allowed"),
	SIZE('r', "read-size", read_size, 1, "bytes read of each, and of the input (1024)"),
	TIME('p', "pause", pause, 86400 * SECOND, "pause after each write or read, with -i"),
	TIME('P', "initial-pause", initial_pause, 86400 * SECOND,
	    "pause before the first write or read"),
	FLAG(0, "spin", spin, "--request, --service with -u: busy, never asleep"),
	FLAG(0, "no-trains", no_trains, "with -i: no offloads, one datagram at a time"),
#undef GROUP
#define GROUP "Ends"
	{ .letter = 'b', .name = "bind-port", .arg = "port", .kind = OPT_CALL, .group = GROUP,
	  .call = take_bind_port, .help = "a client's own port" },
	{ .letter = 'l', .name = "local", .arg = "address.port", .kind = OPT_CALL,
	  .group = GROUP, AT(local), .call = take_end, .help = "a client's own address and port" },
	{ .letter = 'f', .name = "foreign", .arg = "address.port", .kind = OPT_CALL,
	  .group = GROUP, AT(foreign), .call = take_end,
	  .help = "a server hears this client only" },
	FLAG('o', "unconnected", unconnected, "do not connect a client's socket"),
	FLAG('A', "reuseaddr", reuse, "share the port with others that give -A too"),
	FLAG('B', "broadcast", broadcast, "SO_BROADCAST; turned on by itself where needed"),
	FLAG('T', "reuseport", so.reuseport, "share the port, each client with one of them"),
	FLAG('Y', "dontroute", so.dontroute, "to hosts on a link of this host only"),
	{ .name = "dev", .arg = "interface", .kind = OPT_CALL, .group = GROUP,
	  .call = sockopts_take_device, .help = "send and receive there only" },
	{ .letter = 'j', .name = "join", .arg = "group", .kind = OPT_CALL, .group = GROUP,
	  .call = sockopts_take_group, .help = "group, group%if, group@source; repeatable" },
	{ .letter = 'g', .name = "loose-route", .arg = "router", .kind = OPT_CALL,
	  .group = GROUP, .call = sockopts_take_hop, .help = "go by there too; up to 9 in order" },
	{ .letter = 'G', .name = "strict-route", .arg = "router", .kind = OPT_CALL,
	  .group = GROUP, .call = sockopts_take_hop, .help = "go by there and nowhere else" },
	{ .letter = '2', .name = "one-broadcast", .kind = OPT_CALL, .group = GROUP,
	  .call = sockopts_take_one_broadcast, .help = "refused: not in Linux; says what is" },
	FLAG('E', "dest-address", show_dest, "tell where each datagram was sent to, with -s"),
#undef GROUP
#define GROUP "Socket"
	BUFFER('R', "rcvbuf", rcvbuf, "ask for a receive buffer (SO_RCVBUF)"),
	BUFFER('S', "sndbuf", sndbuf, "ask for a send buffer (SO_SNDBUF)"),
	{ .letter = 'J', .name = "ttl", .arg = "hops", .kind = OPT_INT, .group = GROUP, AT(ttl),
	  .min = 1, .max = 255, .help = "hop limit of what is sent (IP_TTL)" },
	NUMBER('t', "multicast-ttl", "hops", so.group_ttl, so.have_group_ttl, 255,
	    "hop limit of what goes to groups"),
	NUMBER('H', "tos", "number", so.tos, so.have_tos, 255, "type of service, traffic class"),
	MSEC('x', "receive-timeout", so.rcvtimeo, so.have_rcvtimeo,
	    "a read that waited so long ends it"),
	MSEC('y', "send-timeout", so.sndtimeo, so.have_sndtimeo,
	    "a write that waited so long fails"),
	FLAG('I', "sigio", so.sigio, "let SIGIO tell when to read (FIOASYNC)"),
	FLAG('Z', "peek", peek, "look with MSG_PEEK, then read again"),
	FLAG('C', "cbreak", cbreak, "send each key at once"),
	{ .name = "no-checksum", .kind = OPT_FLAG, .group = GROUP, AT(so.no_checksum),
	  .help = "UDP without a checksum" },
	{ .name = "pmtu", .arg = "mode", .kind = OPT_ENUM, .group = GROUP, AT(so.pmtu),
	  .words = sockopts_pmtu_words, .set_at = offsetof(struct config, so.have_pmtu),
	  .help = "dont, want, do, probe, interface, omit" },
	{ .name = "truncation", .arg = "as", .kind = OPT_ENUM, .group = GROUP, AT(truncation),
	  .words = truncation_words, .help = "reno: cut and told (so); bsd: in silence" },
#undef GROUP
#define GROUP "Connections"
	FLAG('c', "crlf", crlf, "newline is CR LF on the network"),
	FLAG('h', "half-close", half_close, "at the end of input close one half, read on"),
	FLAG('k', "write-pieces", pieces, "send what is typed in up to 16 writes"),
	FLAG('V', "writev", writev, "send it in up to 16 pieces of one writev"),
	{ .letter = 'q', .name = "backlog", .arg = "number", .kind = OPT_INT, .group = GROUP,
	  AT(backlog), .set_at = offsetof(struct config, have_backlog),
	  .min = -1, .max = INT32_MAX, .help = "listen queue (5); -1: the most" },
	{ .letter = 'U', .name = "urgent", .arg = "number", .kind = OPT_U64, .group = GROUP,
	  AT(urgent), .min = 1, .max = INT64_C(1) << 40,
	  .help = "a byte of urgent data before that write, with -i" },
	FLAG('K', "keepalive", keepalive, "SO_KEEPALIVE"),
	FLAG('N', "nodelay", nodelay, "TCP_NODELAY: no waiting for small segments"),
	{ .letter = 'L', .name = "so-linger", .arg = "s", .kind = OPT_INT, .group = GROUP,
	  AT(linger), .max = 32767, .set_at = offsetof(struct config, have_linger),
	  .help = "SO_LINGER; 0: the close is a reset" },
	{ .letter = 'X', .name = "maxseg", .arg = "bytes", .kind = OPT_INT, .group = GROUP,
	  AT(maxseg), .min = 88, .max = 32767, .help = "TCP_MAXSEG" },
	FLAG('D', "so-debug", debug, "SO_DEBUG; needs CAP_NET_ADMIN"),
	TIME('O', "listen-pause", listen_pause, 86400 * SECOND, "pause before the first accept"),
	TIME('Q', "close-pause", close_pause, 86400 * SECOND, "pause before the close"),
	TIME(0, "timeout", timeout, 86400 * SECOND, "give a connect up after so long"),
	FLAG('W', "ignore-errors", ignore_errors, "as it is: an error does not end a source"),
	FLAG(0, "stop-on-error", stop_on_error, "the first bad news ends a source"),
	{ .name = "backlog-test", .arg = "number", .kind = OPT_INT, .group = GROUP,
	  AT(backlog_test), .max = 500, .set_at = offsetof(struct config, have_backlog_test),
	  .help = "how many connections queue, backlog 0 to this" },
#undef GROUP
#define GROUP "Measurement"
	FLAG(0, "measure", measure.on, "with UDP: STAMP, and where loss happened; with -s: reflect"),
	FLAG(0, "one-way", measure.one_way, "no reflections, only a report"),
	{ .name = "size", .arg = "a..b", .kind = OPT_CALL, .group = GROUP,
	  .call = measure_take_size, .help = "bytes, 44 or more; a..b/step in turn" },
	{ .name = "rate", .arg = "rate", .kind = OPT_CALL, .group = GROUP,
	  .call = measure_take_rate, .help = "1000, 20k datagrams or 10mbit a second (no limit)" },
	{ .name = "burst", .arg = "number", .kind = OPT_U64, .group = GROUP, AT(measure.burst),
	  .min = 1, .max = 1 << 20, .set_at = offsetof(struct config, measure.have_burst),
	  .help = "datagrams at each moment of --rate (1)" },
	{ .name = "duration", .arg = "time", .kind = OPT_TIME, .group = GROUP,
	  AT(measure.duration), .min = 1, .max = 86400 * SECOND,
	  .set_at = offsetof(struct config, measure.have_duration),
	  .help = "send for so long, whatever -n says" },
	{ .name = "interval", .arg = "time", .kind = OPT_TIME, .group = GROUP,
	  AT(measure.interval), .min = SECOND / 1000, .max = 86400 * SECOND,
	  .help = "a line each time" },
#undef GROUP
#define GROUP "Fates"
	{ .letter = 'v', .name = "verbose", .kind = OPT_COUNT, .group = GROUP, AT(verbose),
	  .help = "tell ends, options, and each read and write" },
	{ .name = "errors", .arg = "by", .kind = OPT_ENUM, .group = GROUP, AT(errors),
	  .words = errors_words, .help = "who reports: queue (so), icmpd, socket, none" },
	{ .name = "wait", .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(wait),
	  .max = 86400 * SECOND, .help = "wait so long for news at the end (1)",
	  .set_at = offsetof(struct config, have_wait) },
	FLAG(0, "expect-answer", expect_answer, "no answer is a bad fate: silent, status 3"),
	FLAG(0, "request", request, "ask by line or -i, check each answer, ask again if there is none"),
	{ .name = "tries", .arg = "number", .kind = OPT_INT, .group = GROUP, AT(tries),
	  .min = 1, .max = 32, .help = "copies of each request, at most (5)" },
	{ .name = "rto", .arg = "time", .kind = OPT_TIME, .group = GROUP, AT(rto),
	  .min = SECOND / 1000, .max = 60 * SECOND,
	  .help = "first and least time until a request is sent again (1)" },
	{ .name = "json", .arg = "[file]", .kind = OPT_CALL, .group = GROUP, .call = take_json,
	  .help = "records as JSON lines, here or to a file or FD" },
	FLAG(0, "no-colour", no_colour, "no colours on a terminal (also: NO_COLOR)"),
#undef GROUP
	{ .name = NULL }
};

static const char *const synopsis[] = {
	"[options] host port",
	"-s [options] [address] port",
	"-u [options] host port [host port ...]",
	"-u -s [options] [address] port",
	"-u -s --service name [options] [[address] port]",
	"-s --service name | --exec command [options] [[address] port]",
	NULL
};

static const char *const epilogue[] = {
	"Times are seconds: 30, 0.5, 20ms, 100us; plain numbers of -x, -y milliseconds.",
	"host port may also be one word: 192.0.2.1.53, [2001:db8::1]:53.",
	"Status: 0 well, 1 this system failed, 2 bad command line, 3 a bad fate.",
	NULL
};

static const struct opt_program program = {
	.name = "sock",
	.synopsis = synopsis,
	.about = "Sends and receives over TCP and UDP, and tells what became of it",
	.opts = rows,
	.epilogue = epilogue,
	.dense = true,
};

void
opts_refuse(const char *format, ...)
{
	va_list ap;

	fputs("sock: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

bool
opts_json_on_stdout(const struct config *c)
{
	return c->json && (!c->json_to || strcmp(c->json_to, "-") == 0 ||
	    strcmp(c->json_to, "1") == 0);
}

bool
opts_serves(const struct config *c)
{
	return c->have_service || c->exec;
}

struct rule {
	bool wrong;
	const char *text;
};

static void
first_wrong(const struct rule *rules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (rules[i].wrong)
			opts_refuse("%s", rules[i].text);
}

/* What belongs to one of the two protocols alone. */
static void
check_protocol(const struct config *c)
{
	const struct rule rules[] = {
		{ c->udp && c->half_close, "-h closes one half of a TCP connection: UDP has none" },
		{ c->udp && c->debug, "-D is an option of TCP: leave -u out" },
		{ c->udp && c->have_linger, "-L is an option of TCP: leave -u out" },
		{ c->udp && c->nodelay, "-N is an option of TCP: leave -u out" },
		{ c->udp && c->keepalive, "-K is an option of TCP: leave -u out" },
		{ c->udp && c->maxseg, "-X is an option of TCP: leave -u out" },
		{ c->udp && (c->pieces || c->writev), "-k and -V cut up a stream: a datagram is "
		  "one piece; leave -u out" },
		{ c->udp && c->urgent, "-U is urgent data of TCP: leave -u out" },
		{ c->udp && (c->backlog != BACKLOG || c->listen_pause || c->have_backlog_test),
		  "-q, -O and --backlog-test are about TCP's listen queue: leave -u out" },
		{ c->udp && c->all, "--all is for TCP: a UDP server serves everybody anyway" },
		{ c->udp && c->timeout, "--timeout is of a TCP connect: with -u see --wait" },
		{ !c->udp && sky_addr_family(&c->foreign), "-f needs -u: TCP chooses its clients "
		  "by accept" },
		{ !c->udp && c->broadcast, "-B needs -u: TCP has no broadcast" },
		{ !c->udp && c->unconnected, "-o needs -u: TCP is always connected" },
		{ !c->udp && c->show_dest, "-E needs -u: with TCP -v tells both ends" },
		{ !c->udp && c->expect_answer, "--expect-answer needs -u" },
		{ !c->udp && c->errors != ERRORS_QUEUE, "--errors needs -u" },
		{ !c->udp && c->write_size == 0, "-w 0 needs -u: TCP has no empty writes" },
		{ c->urgent && !c->source_sink, "-U belongs to -i" },
		{ c->server && c->timeout, "--timeout is a client's" },
		{ c->stop_on_error && c->ignore_errors, "-W and --stop-on-error exclude each other" },
	};

	first_wrong(rules, sizeof(rules) / sizeof(rules[0]));
}

/* What may not be given together, first fault first. */
static void
check(const struct config *c)
{
	const struct rule rules[] = {
		{ c->have_service && !c->server, "--service is a server's: say -s too" },
		{ c->spin && !(c->udp && (c->request || (c->server && c->have_service))),
		  "--spin belongs to -u with --request or -s --service" },
		{ c->have_service && c->source_sink, "--service and -i exclude each other" },
		{ c->exec && !c->server, "--exec is a server's: say -s too" },
		{ c->exec && c->have_service, "--exec and --service exclude each other" },
		{ c->listens && !opts_serves(c), "--listen belongs to --service and --exec" },
		{ c->iterative + c->threads + c->fork_each + (c->exec != NULL) > 1,
		  "only one of --iterative, -F, --threads and --exec at a time" },
		{ c->udp && (c->iterative || c->threads || c->fork_each || c->exec),
		  "--iterative, -F, --threads and --exec serve connections: leave -u out "
		  "(a UDP service needs none of them)" },
		{ (c->iterative || c->threads) && !opts_serves(c),
		  "--iterative and --threads belong to --service" },
		{ c->fork_each && !c->server, "-F is a server's: say -s too" },
		{ c->keep_connected && !c->fork_each, "--keep-connected belongs to -F" },
		{ c->cbreak && (c->source_sink || opts_serves(c)),
		  "-C is about keys that are typed: -i and --service read none" },
		{ c->peek && opts_serves(c), "-Z and --service exclude each other" },
		{ c->only4 && c->only6, "-4 and -6 exclude each other" },
		{ c->server && c->bind_port, "-b is a client's: a server's port comes last" },
		{ c->server && sky_addr_family(&c->local),
		  "-l is a client's: a server's address and port come last" },
		{ c->server && c->unconnected, "-o is a client's: a server connects only for -f" },
		{ c->server && c->expect_answer, "--expect-answer is a client's" },
		{ !c->server && sky_addr_family(&c->foreign),
		  "-f is a server's: a client's other end comes last" },
		{ c->bind_port && sky_addr_family(&c->local), "-b and -l exclude each other" },
		{ c->errors == ERRORS_ICMPD && opts_serves(c),
		  "--errors icmpd is not for --service (expected queue, socket or none)" },
		{ opts_json_on_stdout(c) && !c->source_sink && !c->have_service &&
		  !c->have_backlog_test, "standard output carries data here: "
		  "say where with --json=FILE or --json=FD (or use -i)" },
	};

	first_wrong(rules, sizeof(rules) / sizeof(rules[0]));
}

/* LISTENQ overrides the backlog, as in the sources. */
static void
read_listenq(struct config *c)
{
	const char *text = getenv("LISTENQ");
	char *end;
	long n;

	if (!text || !c->server || c->udp)
		return;
	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || *end || errno || n < -1 || n > INT32_MAX)
		opts_refuse("'LISTENQ=%s' in the environment: not a number (expected -1 to %d, the "
		    "backlog of listen)", text, INT32_MAX);
	c->backlog = (int)n;
	c->have_backlog = true;
}

void
opts_read(struct config *c, int argc, char **argv)
{
	int first;

	memset(c, 0, sizeof(*c));
	c->book = book_find(&argc, &argv);
	c->words = c->book ? argv : NULL;
	c->count = c->write_size = c->read_size = 1024;
	c->backlog = BACKLOG;
	first = opt_parse(&program, c, argc, argv);
	if (c->have_fd)
		inherit_read(c);
	if (!c->have_wait)
		c->wait = SECOND;
	if (!c->have_max_clients && (c->threads || c->fork_each || c->exec))
		c->max_clients = 512;
	measure_prepare(c);
	measure_check(c);
	check(c);
	check_protocol(c);
	read_listenq(c);
	if (c->book && argc - first != c->book->min + (c->book->last != NULL))
		opts_refuse("usage: %s [options] %s", c->book->name, c->book->operands);
	request_opts(c);
	if (c->errors == ERRORS_NONE)
		c->unconnected = true;
	if (c->have_backlog_test && argc > first)
		opts_refuse("'%s': --backlog-test makes its own ends (expected nothing)",
		    argv[first]);
	if (!c->have_backlog_test)
		operands_read(c, argc - first, argv + first);
	measure_check_ends(c);
	sockopts_check(c);
}
