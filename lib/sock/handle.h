/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle.h - what is inside struct sky_udp; for lib/sock alone.
 *
 * Two threads may be at work, one sending and one receiving. Members are grouped
 * by who writes them; counters have one writer each and are relaxed atomics, so
 * that reading them elsewhere is no race. What passes from the sender to the
 * receiver goes through the ring and local_mtu; there is no lock.
 *
 * Never to sleep upon an error: an entry leaves the kernel's queue, and with it
 * the event that would wake a sleeper, in two ways only. The receiving thread
 * takes it, and hands it to its caller. Or a send drains the queue into the
 * ring (rarely: see drain.c); if the thread that receives is the one that
 * sends, it asks sky_udp_pending() before it sleeps. If it is another one (or
 * none has received yet), it may be past that question: the sender first
 * makes the entries visible in the ring and then puts an error of its own into
 * the kernel's queue (sky_msg_wake), which wakes the receiver, who swallows it.
 */
#ifndef SKY_SOCK_HANDLE_H
#define SKY_SOCK_HANDLE_H

#include <pthread.h>
#include "sock/ring.h"
#include "sys/msg.h"
#include "sys/sockopt.h"

#define SKY_UDP_MAGIC 0x736f636b65796531u
#define SKY_UDP_OWN_SLOTS 8
#define SKY_UDP_BATCH 64

typedef _Atomic uint64_t sky_count;

struct udp {
	/* written at open and by calls that need the caller's lock */
	uint64_t magic;
	int fd;
	int family;			/* of the socket: AF_INET or AF_INET6 */
	unsigned carries;
	bool v6only, connected, plain;
	uint32_t want, flags;
	uint32_t ctl_len;		/* room to offer for control messages */
	int32_t cap[SKY_CAPS];
	struct sky_addr local;		/* as bound at open; port 0 if not known */
	struct sky_addr peer;
	uint64_t gso_memory_ns;
	struct sky_ring ring;
	struct sky_icmpd *icmpd;	/* the second reporter, or NULL */

	uint8_t apart1[64];		/* two threads, two cache lines */
	/* the sender's */
	uint32_t gso_max;		/* segments; falls to 64 on older kernels */
	uint32_t refusals;		/* destinations noted since the last clear */
	uint32_t stale;			/* stale errors since the last drain */
	sky_count tx, tx_retries, trains, refused, enobufs, eperm;
	sky_count lost;

	uint8_t apart2[64];
	/* the receiver's */
	_Atomic uintptr_t receiver;	/* the thread that receives; 0: none yet */
	bool few;			/* the last call brought few datagrams */
	sky_count rx, rx_retries, truncated;
	sky_count taken;		/* errors handed over */
	sky_count maybe_lost, lost2;	/* lost2: by icmpd, for us */
	uint32_t rcvbuf;		/* as last seen; 0 if the kernel cannot tell */
	uint64_t run;			/* memory of the data taken since there was none */
	uint32_t errors_run;		/* errors taken since there were none */
	uint64_t deaf_since;		/* errors wait and nobody asks; 0: not known to */
	sky_count ignored;		/* errors thrown away for that */
	uint64_t drops;			/* 64 bit, of the kernel's 32 */
	uint32_t drops_seen;
	struct sky_addr own_asked;	/* the last question "is this ours?" */
	uint64_t own_ns;
	bool own;

	/* from one to the other */
	_Atomic bool errors_wait;	/* an error was met: the queue is not empty */
	_Atomic uint32_t local_mtu;	/* of a local error that the receiver swallowed */
	_Atomic uint32_t wakes;		/* errors of our own in the kernel's queue */

	struct sky_slot own_slot[SKY_UDP_OWN_SLOTS];
} __attribute__((may_alias));

/* The way of a datagram from our caller to the kernel and back is one function:
 * see sky_msg_send() for why. */
#define UDP_FLAT inline __attribute__((always_inline))

static inline struct udp *
udp_of(struct sky_udp *u)
{
	return (struct udp *)(void *)u;
}

static inline const struct udp *
udp_of_const(const struct sky_udp *u)
{
	return (const struct udp *)(const void *)u;
}

static inline void
udp_count(sky_count *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline uint64_t
udp_counted(const sky_count *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void
udp_met_error(struct udp *u)
{
	atomic_store_explicit(&u->errors_wait, true, memory_order_relaxed);
}

static inline void
udp_receiving(struct udp *u)
{
	atomic_store_explicit(&u->receiver, (uintptr_t)pthread_self(), memory_order_relaxed);
}

static inline bool
udp_receives_here(const struct udp *u)
{
	return atomic_load_explicit(&u->receiver, memory_order_relaxed) ==
	    (uintptr_t)pthread_self();
}

static inline struct sky_msg *
udp_msg_at(struct sky_msg *m, unsigned i, size_t stride)
{
	return (struct sky_msg *)(void *)((char *)m + i * stride);
}

/* How many datagrams bytes make in trains of seg. */
static inline uint64_t
udp_parts(size_t bytes, uint32_t seg)
{
	return seg && bytes > seg ? (bytes + seg - 1) / seg : 1;
}

/* True for an errno that an ICMP error leaves behind for an unrelated call. */
bool udp_may_be_stale(int err);

/* drain.c: the error queue into the ring. Returns the MTU of a local EMSGSIZE
 * that was among the entries, else 0. h is a datagram, for the wake. */
uint32_t udp_drain(struct udp *u, const struct msghdr *h);
/* The same, as far as the ring has room, to keep the receive buffer free. */
void udp_relieve(struct udp *u, const struct msghdr *h);
/* The most that the kernel accounts for one error about a common datagram. */
enum { SKY_ERROR_MEMORY = 2304 };

/* Filled to seven eighths, or no room for one more error: some may have been
 * dropped, and nothing counts those. */
static inline bool
udp_is_full(const struct sky_meminfo *m)
{
	return m->rmem >= m->rcvbuf - m->rcvbuf / 8 || m->rmem + SKY_ERROR_MEMORY > m->rcvbuf;
}

/* udp_recv.c: so much memory of data, waiting at once, left an error no room. */
bool udp_was_full(const struct udp *u, uint64_t memory);
/* errors.c: called by a receive while errors wait; see there. */
void udp_heed(struct udp *u);
/* True for a local error whose news a send's status was. */
bool udp_is_told_already(const struct udp *u, const struct sky_errq *e);
/* True (once per wake) for an entry that only was to wake the receiver. */
bool udp_is_wake(struct udp *u, const struct sky_errq *e);

#endif
