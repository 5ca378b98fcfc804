/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - names, addresses and ports as the user types them.
 *
 * Host names by the system's resolver (this may wait for a name server), port
 * numbers 1 to 65535, service names by the system's list or, where it has none,
 * by the classic ones built in. No function prints; each returns 0, or -1 with
 * the fault filled in: what was typed, what is wrong, what was expected, ready
 * for opt_bad().
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include <sockeye/addr.h>

struct host_fault {
	char text[256];
	char what[128];
	const char *expected;	/* static, or NULL */
};

/* "7", "echo". udp or tcp: which list of services. */
int host_port(const char *text, const char *proto, uint16_t *port, struct host_fault *why);
/* The first address of a host, of this family unless AF_UNSPEC; port 0. */
int host_find(const char *text, int family, struct sky_addr *a, struct host_fault *why);
/* All its addresses, at most n, in the order of the resolver (RFC 6724). Returns
 * how many, at least 1. */
int host_find_all(const char *text, int family, struct sky_addr *a, unsigned n,
    struct host_fault *why);
/* An end written as one word: "192.0.2.1.53", "192.0.2.1:53", "[v6]:53".
 * The port must be there. */
int host_end(const char *text, struct sky_addr *a, struct host_fault *why);
/* True if the text has the form of a whole end (so that no port follows it). */
bool host_is_end(const char *text);

#endif
