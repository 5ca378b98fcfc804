/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.h - a lab as it was written: hosts, links, what to run, what to expect.
 *
 * Made by labfile_parse() and const from then on. Indices point into the arrays
 * of the lab; texts lie in its pool. Lines are numbered from 1; those of included
 * files have the file's number above: LAB_LINE() and lab_file() take it apart.
 */
#ifndef SOCKNET_LAB_H
#define SOCKNET_LAB_H

#include "prog/socknet/odd/odd.h"
#include "prog/socknet/router/rt.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAB_NAME 16		/* a host's or interface's name with its NUL */
#define LAB_HOSTS 256
#define LAB_LINKS 512
#define LAB_ADDRS 8		/* per end of a link */
#define LAB_RULES 1024		/* routes, sysctls and filters, each */
#define LAB_STEPS 1024
#define LAB_PROCS 512
#define LAB_FIELDS 16		/* conditions of one expect line */
#define LAB_FILES 32		/* the file and what it includes */
#define LAB_PATTERNS 64		/* lines of one block of packets */
#define LAB_NONE UINT_MAX	/* no index */

#define LAB_LINE(line) ((line) & 0xffffffu)
#define LAB_FILE_SHIFT 24

struct lab_addr {
	int family;		/* AF_INET, AF_INET6 */
	uint8_t bytes[16];
	unsigned plen;
	const char *text;	/* as written, "10.1.0.1/24" */
};

struct lab_end {
	unsigned host;
	char ifname[LAB_NAME];	/* the peer's name; _2, _3 for further links */
	unsigned mtu;
	struct lab_addr addr[LAB_ADDRS];
};

struct lab_link {
	unsigned line;
	bool lan;		/* the second end is a port of a lan, without address */
	unsigned addrs;		/* as many at both ends: lab_addrs() */
	bool inner;		/* between an odd host's kernel and its lower half */
	struct lab_end end[2];
};

struct lab_host {
	char name[LAB_NAME];
	unsigned line;
	bool forward;
	bool captured;		/* a step looks at its packets */
	bool lan;		/* no host, but a switch */
	unsigned router;	/* 1 + index of a router; 0: a host of the kernel */
	unsigned odd;		/* 1 + index of the router that is its lower half */
	unsigned half_of;	/* such a lower half: 1 + index of the whole host */
};

/* A host that is a router of ours. Its interfaces are its links, in order. */
struct lab_router {
	unsigned host;
	uint8_t balance;	/* of its routes with several next hops */
	struct rt_conf *conf;
	struct odd_conf *odd;	/* the lower half of an odd host, and no router */
};

/* Words handed on to a tool or program; argv[argc] is NULL. */
struct lab_args {
	const char **argv;
	unsigned argc;
};

/* host LAB_NONE: every host. */
struct lab_rule {
	unsigned line, host;
	int family;		/* routes */
	const char *key;	/* sysctl's name, filter's chain */
	const char *value;	/* sysctl's value, filter's own name */
	struct lab_args args;	/* route's or filter's words */
};

/* A program that was given a name, or not. */
struct lab_proc {
	const char *name;
	unsigned host, line;
};

enum lab_verb {
	LAB_SERVER, LAB_START, LAB_RUN, LAB_WAIT, LAB_TYPE, LAB_EOF, LAB_SIGNAL,
	LAB_NOTE, LAB_EXPECT, LAB_WITNESS, LAB_PAUSE, LAB_BOOK,
};

enum lab_ready { LAB_READY_NOW, LAB_READY_UDP, LAB_READY_TCP, LAB_READY_LINE };

enum lab_expect_what {
	LAB_EX_STATUS, LAB_EX_RUNNING, LAB_EX_LINE, LAB_EX_STDOUT, LAB_EX_STDERR, LAB_EX_JSON,
	LAB_EX_CAPTURE, LAB_EX_COUNTER, LAB_EX_FILTER, LAB_EX_ROUTER,
	LAB_EX_PACKETS, LAB_EX_FRAGMENTS,
};

enum lab_compare { LAB_ANY, LAB_EQ, LAB_AT_LEAST, LAB_AT_MOST };

struct lab_field {
	const char *key, *value;
};

/* One line of a block of packets in order. */
struct lab_pattern {
	unsigned line;
	const char *text;	/* as written */
	const char *kind;
	bool out, timed;
	uint64_t after_min, after_max;	/* ns since the line before */
	struct lab_field *field;
	unsigned fields;
};

struct lab_expect {
	enum lab_expect_what what;
	const char *text;	/* pattern; kind of packet; section; filter's name */
	bool regex;
	enum lab_compare compare;	/* how `count` is meant */
	uint64_t count;
	struct lab_field field[LAB_FIELDS];
	unsigned fields;
	struct lab_pattern *pattern;
	unsigned patterns;
};

struct lab_step {
	enum lab_verb verb;
	unsigned line;
	unsigned host, proc;
	bool root;		/* keep the privileges that the lab has */
	bool has_status;
	int status;
	uint64_t within_ns;
	uint64_t pause_ns;	/* before what it does */
	enum lab_ready ready;
	uint16_t port;
	const char *text;	/* ready line, typed text, note, the line as written */
	int signal;
	struct lab_args args;
	struct lab_expect expect;
};

struct lab {
	const char *file;	/* as the user named it */
	const char *included[LAB_FILES];	/* the files; 0 is file */
	unsigned files;
	const char *title;
	struct lab_host host[LAB_HOSTS];
	unsigned hosts;
	struct lab_link *link;
	unsigned links;
	struct lab_router *router;
	unsigned routers;
	struct lab_rule *route, *sysctl, *filter;
	unsigned routes, sysctls, filters;
	struct lab_proc *proc;
	unsigned procs;
	struct lab_step *step;
	unsigned steps, expects;
	const char *needs_root;	/* why, or NULL */
	const char *needs[16];
	unsigned need_count;
	struct lab_pool *pool;
	const char *fault;	/* the file that a mistake is in */
};

static inline unsigned
lab_addrs(const struct lab_link *l, unsigned end)
{
	return l->lan && end ? 0 : l->addrs;
}

static inline const char *
lab_file(const struct lab *lab, unsigned line)
{
	return line >> LAB_FILE_SHIFT ? lab->included[line >> LAB_FILE_SHIFT] : lab->file;
}

#endif
