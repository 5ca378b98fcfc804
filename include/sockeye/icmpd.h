/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd.h - a client of icmpd(8): what the network said about the datagrams of
 * sockets that cannot hear it themselves, or not all of it.
 *
 * Say which sockets (sky_icmpd_add), wait for the one descriptor to be readable,
 * take events (sky_icmpd_recv) until there are none. An event that is an error
 * carries the same struct sky_fate as sky_udp_errors() gives, evidence
 * SKY_BY_ICMPD.
 *
 * The daemon is told a socket's cookie and never gets its descriptor; it asks the
 * kernel whose socket a quoted datagram belongs to at the moment the error comes,
 * and tells only clients of the user who owns that socket. So bind and connect
 * after sky_icmpd_add() are noticed by themselves.
 *
 * When the daemon goes away, the client says SKY_ICMPD_DOWN, tries again by
 * itself (woken through the same descriptor), adds all sockets again and says
 * SKY_ICMPD_UP: what came between the two was missed.
 *
 * No call blocks, allocates, logs, raises a signal or touches errno; each returns
 * a count, an identifier or 0, or a negative errno value. One handle is used by
 * one thread at a time; handles are independent.
 */
#ifndef SOCKEYE_ICMPD_H
#define SOCKEYE_ICMPD_H

#include <sockeye/fate.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKY_ICMPD_PATH "/run/icmpd/socket"

/* Opaque, of fixed size, checked at open. Zero it or not as you like. */
#define SKY_ICMPD_WORDS 4096
struct sky_icmpd {
	uint64_t opaque[SKY_ICMPD_WORDS];
};

enum sky_icmpd_flag {
	/* sky_icmpd_open() fails when nobody answers at the path now. */
	SKY_ICMPD_NOW = 1u << 0,
};

struct sky_icmpd_conf {
	uint32_t size;			/* sizeof(struct sky_icmpd_conf) */
	uint32_t flags;			/* enum sky_icmpd_flag */
	const char *path;		/* NULL: SKY_ICMPD_PATH; copied */
	void *room;			/* for sockets; must outlive the handle */
	size_t room_size;		/* see SKY_ICMPD_ROOM */
	uint32_t reserved[8];
};

/* Bytes of room for n sockets at a time; without room the handle holds 16 of
 * them itself. Align for uint64_t. */
#define SKY_ICMPD_SLOT 32
#define SKY_ICMPD_ROOM(n) ((size_t)(n) * SKY_ICMPD_SLOT)

/* Begins. conf may be NULL. Returns 0, also when the daemon is not there yet (it
 * is tried again; see SKY_ICMPD_NOW), -EINVAL for a conf that makes no sense,
 * -ENAMETOOLONG, -EMFILE and the like. */
int sky_icmpd_open(struct sky_icmpd *d, const struct sky_icmpd_conf *conf);
/* On a handle that is not open, a zeroed one too, nothing happens. */
void sky_icmpd_close(struct sky_icmpd *d);
/* After fork(2) in the child, instead of close: the parent's goes on. */
void sky_icmpd_forget(struct sky_icmpd *d);

/* The one descriptor to wait for, readable when sky_icmpd_recv() is to be called;
 * the same until close, whatever becomes of the daemon. -1 if not open. Level
 * triggering; with edge triggering call sky_icmpd_recv() until it returns 0. */
int sky_icmpd_fd(const struct sky_icmpd *d);

/* True if fd is one of those that the handle has open, for who closes many. */
bool sky_icmpd_has(const struct sky_icmpd *d, int fd);

/* From now on errors about what this socket sends are wanted: UDP, UDP-Lite or
 * TCP, of either family, bound or not, connected or not. The descriptor is only
 * asked questions, now and after a reconnection; remove the socket before it is
 * closed. tag comes back in its events. Returns an identifier, 0 or more, or
 * -EBADF, -ENOTSOCK, -EPROTOTYPE for another kind of socket, -ENOSPC without
 * room. What the daemon thinks of it comes as an event. Once for each socket. */
int sky_icmpd_add(struct sky_icmpd *d, int fd, uint64_t tag);
/* Returns 0, or -ENOENT. Events about it that are under way are not delivered. */
int sky_icmpd_remove(struct sky_icmpd *d, int id);

enum sky_icmpd_kind {
	SKY_ICMPD_NONE,
	SKY_ICMPD_FATE,			/* fate; watching: owner too */
	SKY_ICMPD_ADDED,		/* the daemon took the socket */
	SKY_ICMPD_REFUSED,		/* it did not; err says why: -EACCES another
					 * user's, -ESTALE no such socket there, -ENOSPC
					 * or -ENOMEM too many */
	SKY_ICMPD_LOST,			/* count errors were dropped because this client
					 * was slow, or more came than the daemon can take */
	SKY_ICMPD_DOWN,			/* the daemon is gone; err says how it was learnt */
	SKY_ICMPD_UP,			/* it is there; count is how often it has been */
	SKY_ICMPD_COUNTER,		/* counter and count: an answer to sky_icmpd_ask() */
	SKY_ICMPD_CLIENT,		/* client: another such answer */
	SKY_ICMPD_DONE,			/* the answer is complete; err 0, or -EPERM ... */
	SKY_ICMPD_KINDS
};

/* Whose socket it was; what the daemon was told by the kernel. A sender that is
 * gone has no inode. */
struct sky_icmpd_owner {
	uint64_t cookie;		/* SO_COOKIE */
	uint64_t cgroup;		/* its number, 0: not told */
	uint32_t inode;			/* of the socket, as in /proc/PID/fd; 0: gone */
	uint32_t uid;
	bool known;			/* uid and cookie mean something */
	bool delivered;			/* some client was told */
	uint8_t reserved[6];
};

/* A client of the daemon, for its operator. */
struct sky_icmpd_client {
	uint32_t pid, uid;		/* of the process that connected */
	uint32_t sockets;		/* that it registered */
	uint32_t waiting;		/* bytes in its queue */
	uint64_t delivered, dropped;	/* records */
	bool watching;
	uint8_t reserved[7];
};

struct sky_icmpd_event {
	uint32_t size;			/* sizeof(struct sky_icmpd_event) of the filler */
	uint8_t kind;			/* enum sky_icmpd_kind */
	uint8_t counter;		/* enum sky_icmpd_counter */
	uint16_t reserved0;
	int32_t id;			/* of sky_icmpd_add(), or -1 */
	int32_t err;			/* 0 or a negative errno */
	uint64_t tag;			/* of sky_icmpd_add(), or 0 */
	uint64_t count;
	struct sky_icmpd_owner owner;
	struct sky_icmpd_client client;
	struct sky_fate fate;
	uint32_t reserved[8];
};

/* Takes up to n events. Quotes and extensions are put into buf and pointed at by
 * the records (SKY_ICMPD_QUOTE bytes for each are enough; what does not fit is
 * cut and marked). Returns how many, 0 when there are no more for now; a negative
 * errno only for a fault of the call. */
#define SKY_ICMPD_QUOTE 576
int sky_icmpd_recv_stride(struct sky_icmpd *d, struct sky_icmpd_event *e, unsigned n,
    size_t stride, void *buf, size_t size);
#define sky_icmpd_recv(d, e, n, buf, size) \
	sky_icmpd_recv_stride((d), (e), (n), sizeof(struct sky_icmpd_event), (buf), (size))
/* Events that wait in the handle: the descriptor is not readable for these. 0
 * after sky_icmpd_recv() returned less than it was asked for. */
unsigned sky_icmpd_pending(const struct sky_icmpd *d);

/* Every error on this host about datagrams of this user's sockets (for root: of
 * all), registered or not, as SKY_ICMPD_FATE with id -1 and the owner. What is
 * zero in a filter does not matter. */
struct sky_icmpd_filter {
	uint32_t size;			/* sizeof(struct sky_icmpd_filter) */
	uint8_t proto;			/* IPPROTO_UDP, ... */
	uint8_t bits;			/* of prefix */
	uint16_t port;			/* of either end, host byte order */
	uint64_t fates;			/* 1 << enum sky_what, any of these */
	struct sky_addr prefix;		/* source, destination or who said so is in it */
	uint32_t reserved[8];
};
/* f may be NULL: everything. Again: another filter. It holds over a reconnection.
 * Returns 0 or -EINVAL. SKY_ICMPD_DONE says whether the daemon agreed. */
int sky_icmpd_watch(struct sky_icmpd *d, const struct sky_icmpd_filter *f);

/* What the daemon can be asked. Answers are events, the last SKY_ICMPD_DONE. */
enum sky_icmpd_question {
	SKY_ICMPD_COUNTERS = 1,
	SKY_ICMPD_CLIENTS = 2,		/* root: all, others: their own */
};
/* Returns 0, -EINVAL, or -ENOTCONN while the daemon is not there. The answer comes
 * after the daemon has heard all that was said before. */
int sky_icmpd_ask(struct sky_icmpd *d, enum sky_icmpd_question q);

/* Only grows. */
enum sky_icmpd_counter {
	SKY_ICMPD_C_STARTED,		/* CLOCK_REALTIME, seconds */
	SKY_ICMPD_C_HEARD4, SKY_ICMPD_C_HEARD6,	/* ICMP errors read */
	SKY_ICMPD_C_MALFORMED,		/* not what they say they are; checksums too */
	SKY_ICMPD_C_FOREIGN,		/* about another protocol, a fragment without ports */
	SKY_ICMPD_C_LOOKUPS, SKY_ICMPD_C_LOOKUP_ERRORS,
	SKY_ICMPD_C_NO_SOCKET,		/* nobody here has what was quoted */
	SKY_ICMPD_C_UNREGISTERED,	/* a socket has, but no client asked for it */
	SKY_ICMPD_C_OTHER_USER,		/* registered by one who does not own it */
	SKY_ICMPD_C_MATCHED,		/* errors told to who registered the socket */
	SKY_ICMPD_C_DELIVERED,		/* records queued for clients */
	SKY_ICMPD_C_DROPPED,		/* records dropped, their client being slow */
	SKY_ICMPD_C_OVERRUN,		/* errors dropped by the kernel before us */
	SKY_ICMPD_C_CLIENTS, SKY_ICMPD_C_WATCHERS, SKY_ICMPD_C_SOCKETS, /* now */
	SKY_ICMPD_C_CLIENTS_EVER, SKY_ICMPD_C_CLIENTS_REFUSED,
	SKY_ICMPD_C_SOCKETS_EVER, SKY_ICMPD_C_SOCKETS_REFUSED,
	SKY_ICMPD_C_BAD_MESSAGES,	/* of clients; each ended its connection */
	SKY_ICMPD_C_QUEUED,		/* bytes, now, in all queues */
	SKY_ICMPD_COUNTERS_N
};
/* One word ("heard4"), one sentence without a full stop; NULL past the end. */
const char *sky_icmpd_counter_word(enum sky_icmpd_counter c);
const char *sky_icmpd_counter_help(enum sky_icmpd_counter c);
/* True for what can fall, as the number of clients. */
bool sky_icmpd_counter_is_gauge(enum sky_icmpd_counter c);

/* What this side knows. */
struct sky_icmpd_status {
	uint32_t size;			/* sizeof(struct sky_icmpd_status), set by you */
	bool up;
	uint8_t reserved0[3];
	uint32_t uid, pid;		/* of the daemon, as the kernel says; 0 when down */
	uint32_t sockets, accepted;	/* added; taken by the daemon */
	uint64_t fates;			/* events delivered or waiting */
	uint64_t lost;			/* told by the daemon */
	uint64_t downs;			/* times it went away */
	uint32_t reserved[8];
};
/* Returns 0 or -EINVAL. */
int sky_icmpd_status(const struct sky_icmpd *d, struct sky_icmpd_status *out);

#ifdef __cplusplus
}
#endif
#endif
