/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd_site.h - places for the bench of icmpd: a network namespace with loopback
 * alone, in it a daemon or a reader without one, clients with sockets, and forged
 * errors about these. Everything ends the program when it cannot be had.
 */
#ifndef BENCH_ICMPD_SITE_H
#define BENCH_ICMPD_SITE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SITE_CLIENTS 8

/* Counted by one process, read by another. */
struct site_counts {
	_Alignas(64) volatile uint64_t told;	/* errors that reached the client */
	volatile uint64_t lost;		/* that it was told were dropped */
	volatile uint64_t at_ns;	/* CLOCK_REALTIME, when the last one was read */
	volatile int ready;
};

/* What a client does to hear of errors. */
enum site_way {
	SITE_QUEUE,	/* its own error queue, asleep in epoll; one socket */
	SITE_BARE,	/* a raw socket, recvmmsg in a loop; no socket to match */
	SITE_ICMPD,	/* icmpd, asleep in epoll */
};

struct site {
	enum site_way way;
	unsigned clients, sockets;	/* sockets: of all clients */
	unsigned cpu;			/* of daemon and clients; place.h counts */
	bool ack;			/* a byte into acks after each error */
	/* --- */
	int acks;			/* pipe to read, or -1 */
	int raw;			/* sends errors */
	int stamp;			/* a raw socket that only tells when they came, or -1 */
	pid_t daemon, client[SITE_CLIENTS];
	char path[64], dir[32];
	struct site_counts *counts;	/* one for each client */
	uint64_t empty_kib;		/* resident, before the first socket */
};

/* icmpd: the program. */
void site_open(struct site *s, const char *icmpd);
void site_close(struct site *s);

/* An error about a datagram of socket i to some port, not 0. */
void site_forge(struct site *s, unsigned i, uint16_t port);
/* When the last one arrived, as the kernel stamped it; 0 if there is none. */
uint64_t site_stamp(struct site *s);

uint64_t site_told(const struct site *s);
uint64_t site_lost(const struct site *s);
/* Waits until so many were told or lost; false after a second without news. */
bool site_await(const struct site *s, uint64_t n);

/* Of the daemon: processor time in ns, resident KiB, wake-ups. */
uint64_t site_cpu_ns(const struct site *s);
uint64_t site_kib(const struct site *s);
uint64_t site_wakes(const struct site *s);
/* One of its counters (enum sky_icmpd_counter). */
uint64_t site_counter(const struct site *s, int which);

uint64_t site_clock(void);	/* CLOCK_MONOTONIC, ns */

#endif
