/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.h - the address and port of one end of a datagram.
 *
 * A value: copy it, compare it, keep it. IPv4 is always plain IPv4; an address
 * that the kernel hands over as v4-mapped (::ffff:1.2.3.4) is unmapped on the
 * way in and mapped again only on the way into an IPv6 socket. Nothing here
 * asks a name server, allocates or touches errno.
 */
#ifndef SOCKEYE_ADDR_H
#define SOCKEYE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 28 bytes. sa.sa_family is AF_UNSPEC (all bytes zero), AF_INET or AF_INET6;
 * port and address are in network byte order, as in the structs they mirror. */
struct sky_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
};

/* Room for the longest text sky_addr_format() writes, with its NUL:
 * "[", 45 of address, "%", 10 of interface index, "]:", 5 of port; and more. */
#define SKY_ADDRSTRLEN 72

/* Reads "192.0.2.1", "192.0.2.1:53", the older "192.0.2.1.53" (five numbers),
 * "2001:db8::1", "[2001:db8::1]:53", "fe80::1%eth0". Port 0 if none is given.
 * Returns 0, -EINVAL if the text is none of these, -ERANGE for a port above
 * 65535, -ENODEV for an interface that does not exist. */
int sky_addr_parse(struct sky_addr *a, const char *text);

/* From the kernel's form; unmaps v4-mapped. Returns 0, or -EAFNOSUPPORT. */
int sky_addr_from(struct sky_addr *a, const struct sockaddr *sa, socklen_t len);

/* Writes the address as a socket of the given family needs it (an IPv4 address
 * for AF_INET6 becomes v4-mapped). Returns the length, or -EAFNOSUPPORT. */
int sky_addr_to(const struct sky_addr *a, int family, struct sockaddr_storage *out);

/* "192.0.2.1:53", "[2001:db8::1]:53"; without a port when it is 0; "-" when
 * unspecified; a scope as the number of the interface ("fe80::1%2"), because
 * only the kernel knows its name. Always ends with a NUL; returns buf. */
char *sky_addr_format(const struct sky_addr *a, char *buf, size_t size);

/* The same without the port: "192.0.2.1", "fe80::1%2". */
char *sky_addr_format_host(const struct sky_addr *a, char *buf, size_t size);

int sky_addr_family(const struct sky_addr *a);
uint16_t sky_addr_port(const struct sky_addr *a);	/* host byte order */
void sky_addr_set_port(struct sky_addr *a, uint16_t port);
socklen_t sky_addr_len(const struct sky_addr *a);

/* Same family, address, port and scope (a scope of 0 equals any). */
bool sky_addr_equal(const struct sky_addr *a, const struct sky_addr *b);
/* The same without the port. */
bool sky_addr_same_host(const struct sky_addr *a, const struct sky_addr *b);
/* A number for hash tables: equal addresses have equal hashes (scope left out). */
uint32_t sky_addr_hash(const struct sky_addr *a);

bool sky_addr_is_any(const struct sky_addr *a);		/* 0.0.0.0, :: */
bool sky_addr_is_multicast(const struct sky_addr *a);
bool sky_addr_is_link_local(const struct sky_addr *a);
bool sky_addr_is_loopback(const struct sky_addr *a);

#ifdef __cplusplus
}
#endif
#endif
