/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopts.h - the options of a socket: one table says which, when, for whom,
 * with what value, and the line of -v once it was set and read back.
 *
 * A UDP socket gets those of SOCKOPTS_BIND from sky_udp_open(); for a TCP
 * socket the caller comes here before bind, before connect or listen, and when
 * it is open.
 */
#ifndef SOCK_SOCKOPTS_H
#define SOCK_SOCKOPTS_H

#include <sockeye/addr.h>

struct config;
struct opt;
struct out;

#define SOCKOPTS_HOPS 9		/* what 40 bytes of IP options can hold */
#define SOCKOPTS_GROUPS 16

enum sockopts_when {
	SOCKOPTS_BIND,		/* bind or the route depends on it */
	SOCKOPTS_CONNECT,	/* connect, listen or the first packet do */
	SOCKOPTS_OPEN,
};

struct sockopts_group {
	struct sky_addr group, source;	/* source of AF_UNSPEC: any */
	unsigned ifindex;		/* 0: that of the route */
	bool implied;			/* the server's own address, not a -j */
};

/* What was asked for, beyond the older members of struct config. */
struct sockopts {
	bool reuseport, dontroute, no_checksum, sigio;
	bool have_tos, have_group_ttl, have_pmtu, have_rcvtimeo, have_sndtimeo;
	int tos, group_ttl;
	int pmtu;			/* enum sky_pmtu less one: IP_PMTUDISC_* */
	uint64_t rcvtimeo, sndtimeo;	/* ns */
	const char *device;
	bool strict;			/* the route's kind: that of the first flag */
	unsigned hops, groups;
	struct sky_addr hop[SOCKOPTS_HOPS];
	struct sockopts_group group[SOCKOPTS_GROUPS];
};

/* Sets what belongs to this time. Returns 0, or the exit status after a line
 * that says what could not be set. */
int sockopts_set(int fd, const struct config *c, enum sockopts_when when);
/* Reads everything that was asked for back: with -v the sources' lines; what
 * is not as asked is told also without. */
void sockopts_say(int fd, const struct config *c, struct out *out);

/* --- what the option table calls --- */
const char *sockopts_take_device(void *config, const struct opt *o, const char *arg);
const char *sockopts_take_hop(void *config, const struct opt *o, const char *arg);
const char *sockopts_take_group(void *config, const struct opt *o, const char *arg);
const char *sockopts_take_one_broadcast(void *config, const struct opt *o, const char *arg);
/* Fills in what the operands imply and refuses what cannot be had together, or
 * of this family; called when the operands are known. */
void sockopts_check(struct config *c);

/* The words of --pmtu. */
extern const char *const sockopts_pmtu_words[];

#endif
