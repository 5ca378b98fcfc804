/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bed.h - what the C network tests lie on: a namespace with a loopback, TAP,
 * errors forged by hand. Shares no code with the library.
 */
#ifndef TESTS_NET_BED_H
#define TESTS_NET_BED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BED_MTU 1500

/* Enters a user and a network namespace of its own (unless SKY_BED is set: the
 * caller has done so) with the loopback up, BED_MTU wide, and arms an alarm that ends the
 * test. Where that is refused it prints a skipped plan and exits with 0. */
void bed_enter(unsigned seconds);

/* One line of TAP; returns good. */
bool bed_ok(bool good, const char *situation, ...) __attribute__((format(printf, 2, 3)));
/* The plan; returns the exit status. */
int bed_done(void);

uint64_t bed_now_ns(void);	/* CLOCK_MONOTONIC */
long bed_memory_kb(void);	/* of one's own, in use; -1 if not told */

/* A plain non-blocking UDP socket on the loopback of a family; *at is where. */
int bed_udp(int family, struct sockaddr_storage *at);
socklen_t bed_len(const struct sockaddr_storage *a);
/* A port of the loopback where nobody listens. */
void bed_closed(int family, struct sockaddr_storage *at);

/* A raw socket that may forge errors; -1 if refused. */
int bed_raw(int family);
/* Forges "port unreachable" about a datagram from a local port of the loopback
 * to dst, quoting payload. It has been taken in when this returns. Returns
 * false if it could not be sent. */
bool bed_forge(int raw, uint16_t sport, const struct sockaddr_storage *dst,
    const void *payload, size_t len);

/* How often malloc, calloc, realloc and free were called; 0 in a sanitizer
 * build, where they are not ours to count. */
unsigned long bed_mallocs(void);
bool bed_counts_mallocs(void);

#endif
