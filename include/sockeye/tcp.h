/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.h - TCP connections that say why they failed, and listen queues that say
 * how full they are.
 *
 * connect(2) boils everything down to an errno. The kernel knows more: who sent
 * the ICMP error, how many SYNs went out, whether the neighbour was ever found,
 * whether an error was fatal or only noted. Here it is one record and one
 * sentence.
 *
 * The caller owns the descriptor and the memory. No call blocks, allocates,
 * logs, raises a signal or touches errno. Any event loop works: wait until
 * sky_tcp_fd() is ready for sky_tcp_want() or sky_tcp_deadline() has come, then
 * call sky_tcp_progress(). Right with level and edge triggering.
 */
#ifndef SOCKEYE_TCP_H
#define SOCKEYE_TCP_H

#include <sockeye/fate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- a connect that is explained --- */

/* Opaque; one per attempt, nothing to free. */
#define SKY_TCP_WORDS 128
struct sky_tcp {
	uint64_t opaque[SKY_TCP_WORDS];
};

enum sky_tcp_state {
	SKY_TCP_TRYING,
	SKY_TCP_CONNECTED,
	SKY_TCP_FAILED,
};

enum sky_tcp_flag {
	SKY_TCP_RESET_LATER = 1u << 0,	/* it was connected, and reset at once */
	SKY_TCP_GAVE_UP = 1u << 1,	/* by the caller's deadline; the kernel would go on */
	SKY_TCP_UNRESOLVED = 1u << 2,	/* the next hop's neighbour was still being asked for */
};

struct sky_tcp_report {
	uint32_t size;			/* set by the caller: sizeof */
	uint32_t flags;			/* enum sky_tcp_flag */
	int32_t state;			/* enum sky_tcp_state */
	uint32_t syns;			/* sent so far, as the kernel counts; 0: not known */
	uint32_t probes;		/* how often the neighbour was asked for; 0: not known */
	uint32_t softs;			/* errors that came and did not end it */
	uint64_t waited_ns;		/* from the first SYN to the end, or to now */
	struct sky_fate fate;		/* what it came to: SKY_ANSWERED if connected,
					 * SKY_SENT while there is no news, else what
					 * ended it. proto is TCP. */
	struct sky_fate soft;		/* the last of softs */
	uint32_t reserved[8];
};

/* Begins to connect fd, a TCP socket that is not connected. It is made
 * non-blocking and stays so; errors are asked for (IP_RECVERR, IPV6_RECVERR) and
 * no longer once it is connected, because on an established connection they make
 * passing errors fatal. timeout_ns 0: as long as the kernel tries, two minutes
 * or so. Returns 0 if it is under way or settled already: sky_tcp_progress()
 * tells. A negative errno is a fault of the call: -EBADF, -ENOTSOCK,
 * -EPROTOTYPE if it is not TCP, -EAFNOSUPPORT, -EISCONN, -EALREADY. The
 * descriptor stays the caller's: to close when it failed. */
int sky_tcp_begin(struct sky_tcp *t, int fd, const struct sky_addr *dst, uint64_t timeout_ns);

int sky_tcp_fd(const struct sky_tcp *t);
/* What to poll for: POLLOUT, or 0 when it is settled. */
int sky_tcp_want(const struct sky_tcp *t);
/* CLOCK_MONOTONIC ns at which to call sky_tcp_progress() whatever the
 * descriptor says; UINT64_MAX: never. */
uint64_t sky_tcp_deadline(const struct sky_tcp *t);

/* Returns 1 connected, 0 still trying, or the negative errno that ended it
 * (-ETIMEDOUT at the deadline). Once settled it says the same for ever. */
int sky_tcp_progress(struct sky_tcp *t);

/* What is known now. Returns 0, or -EINVAL for a wrong size. */
int sky_tcp_report(const struct sky_tcp *t, struct sky_tcp_report *r);

/* One sentence, no newline, stable wording: "refused by the host itself (RST)",
 * "filtered, administratively prohibited, says 198.51.100.1", "silent, no answer
 * to 3 SYNs in 3.000 s". Always ends with a NUL; returns the length it would
 * have had, as snprintf. */
int sky_tcp_explain(const struct sky_tcp_report *r, char *buf, size_t size);

/* What a 4.4BSD system would have made of the same, or NULL if the same. */
const char *sky_tcp_history(const struct sky_tcp_report *r);

/* --- a listening socket --- */

struct sky_tcp_queue {
	uint32_t size;			/* set by the caller: sizeof */
	uint32_t len;			/* connections that wait for accept */
	uint32_t limit;			/* backlog in force; Linux keeps one more */
	uint32_t drops;			/* SYNs and final ACKs that this socket dropped,
					 * mod 2^32 */
	bool have_drops, have_overflows;
	uint64_t overflows;		/* ListenOverflows, */
	uint64_t listen_drops;		/* ListenDrops of the whole namespace of the
					 * calling thread */
	uint32_t reserved[8];
};

/* Asks the kernel now. Returns 0, -EINVAL if fd does not listen or for a wrong
 * size, or what the kernel said. */
int sky_tcp_queue(int fd, struct sky_tcp_queue *q);

/* What an error of accept means for the loop that accepts. */
enum sky_accept {
	SKY_ACCEPT_NONE,	/* nobody waits: EAGAIN */
	SKY_ACCEPT_AGAIN,	/* that one connection went away: accept the next */
	SKY_ACCEPT_RESOURCE,	/* no descriptors or memory: the connection still
				 * waits and the socket stays readable; stop
				 * accepting until something was closed */
	SKY_ACCEPT_FATAL,	/* the socket does not listen, or the call is wrong */
};

/* Accepts one connection, close-on-exec and non-blocking; peer and local (each
 * may be NULL) are the two ends. The listening socket is made non-blocking, and
 * stays so. Returns the descriptor or a negative errno. */
int sky_tcp_accept(int fd, struct sky_addr *peer, struct sky_addr *local);
/* err: positive or negative. */
enum sky_accept sky_tcp_accept_class(int err);

/* --- a connection --- */

struct sky_tcp_info {
	uint32_t size;			/* set by the caller: sizeof */
	uint32_t state;			/* the kernel's: 1 ESTABLISHED, 7 CLOSE, 10 LISTEN */
	uint32_t mss;			/* bytes of payload per segment sent */
	uint32_t retransmits;		/* of the segment that waits now */
	uint32_t retransmitted;		/* segments in all */
	uint32_t rtt_us, rto_us;
	uint32_t unacked;		/* segments that are not acknowledged */
	uint32_t unsent;		/* bytes that were not sent yet */
	uint32_t unacked_bytes;		/* bytes that were not acknowledged, unsent ones included */
	uint64_t sent, received;	/* bytes acknowledged by the peer; taken from it */
	uint64_t reserved[8];
};
/* Returns 0 or a negative errno. What an old kernel does not tell is 0. */
int sky_tcp_info(int fd, struct sky_tcp_info *out);
/* "ESTABLISHED", "SYN-SENT", ...: as ss(8) writes them. */
const char *sky_tcp_state_word(unsigned state);

#ifdef __cplusplus
}
#endif
#endif
