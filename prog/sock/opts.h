/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opts.h - what the user asked for, read once and const from then on.
 *
 * The letters are those of the historical program, all 47 of them; a row that
 * this build cannot do yet is known and refused with its reason.
 */
#ifndef SOCK_OPTS_H
#define SOCK_OPTS_H

#include "book.h"
#include "measure.h"
#include "sockopts.h"

#include <sockeye/udp.h>

/* Who reports errors; the order of the words of --errors. */
enum errors_by { ERRORS_QUEUE, ERRORS_ICMPD, ERRORS_SOCKET, ERRORS_NONE };

/* What becomes of the rest of a datagram; the order of the words of --truncation. */
enum truncation { TRUNCATION_RENO, TRUNCATION_BSD };

/* An end to serve at; address of AF_UNSPEC: any. Port 0: the service's own. */
#define LISTENS_MAX 17
struct listen_at {
	struct sky_addr a;
	uint16_t port;
};

struct config {
	bool udp, server, source_sink;
	unsigned verbose;
	bool only4, only6;
	bool no_trains, spin;
	bool unconnected;		/* -o, or --errors none */
	bool reuse, broadcast, show_dest;
	bool expect_answer, no_colour;
	bool request;
	int tries;			/* of each request; 0: not given */
	uint64_t rto;			/* ns; 0: not given */
	uint64_t count, write_size, read_size;
	uint64_t pause, initial_pause, wait;	/* ns */
	bool have_wait;
	int rcvbuf, sndbuf, ttl;	/* 0: not asked for */
	int errors;			/* enum errors_by */
	uint16_t bind_port;
	struct sky_addr local;		/* -l, AF_UNSPEC if not given */
	struct sky_addr foreign;	/* -f, likewise */
	bool json;
	const char *json_to;		/* NULL: standard output */
	struct sockopts so;		/* see there */
	bool cbreak, peek;
	int truncation;			/* enum truncation */
	struct sky_addr *dests;		/* a client's, in the order given */
	unsigned ndests;
	struct sky_addr bind;		/* a server's own end; AF_UNSPEC: any address */
	uint16_t bind_to_port;		/* a server's port */
	int fd;				/* an inherited socket, if have_fd */
	bool have_fd, listening;
	struct sky_fd inherited;
	char **words;			/* of that program; to be freed last */
	const struct book *book;	/* the program of the literature that it is, or NULL */
	int service;			/* index of service_words, if have_service */
	bool have_service;
	struct listen_at listen[LISTENS_MAX];	/* what a service listens at */
	unsigned listens;
	const char *exec;		/* a command for each connection */
	bool iterative, threads, fork_each, keep_connected;
	bool crlf, half_close, pieces, writev, keepalive, nodelay, debug, all;
	bool ignore_errors, stop_on_error, have_linger, have_backlog, have_backlog_test;
	int linger, maxseg, backlog, backlog_test;
	uint64_t urgent;		/* before this write; 0: never */
	uint64_t listen_pause, close_pause, timeout;	/* ns */
	uint64_t max_clients;		/* at once; 0: no limit */
	bool have_max_clients;
	struct measure_config measure;
};

/* Reads everything; wrong input ends the program with status 2. What it
 * allocates lives as long as the program. */
void opts_read(struct config *c, int argc, char **argv);

/* "sock: TEXT" and status 2. */
_Noreturn void opts_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* True if this form of --json writes to standard output. */
bool opts_json_on_stdout(const struct config *c);

/* True if it is a service, or a command for each connection. */
bool opts_serves(const struct config *c);

/* The operands; called by opts_read(). */
void operands_read(struct config *c, int argc, char **argv);

#endif
