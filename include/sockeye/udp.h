/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.h - a UDP socket that reports what became of its datagrams.
 *
 * Three streams that are never mixed: data in (sky_udp_recv), data out
 * (sky_udp_send), and fates (sky_udp_errors). An asynchronous error never comes
 * out of the first two, and never costs another datagram.
 *
 * The caller owns the descriptor's life, the buffers, the message arrays and
 * the memory of the handle. No call blocks, allocates, logs, aborts, raises a
 * signal or touches errno; each returns a count or a negative errno value.
 *
 * Any event loop works: wait for sky_udp_fd() to be readable or in error, but
 * ask sky_udp_pending() before sleeping, then call sky_udp_recv() and
 * sky_udp_errors() until both return 0. Right with level and edge triggering.
 *
 * One thread may receive (recv, errors) while another sends. Everything else
 * on one handle needs the caller's lock. Handles are independent.
 *
 * The whole contract is in libsockeye(3).
 */
#ifndef SOCKEYE_UDP_H
#define SOCKEYE_UDP_H

#include <sockeye/fate.h>
#include <sockeye/icmpd.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque, of fixed size, checked at open. Zero it or not as you like. */
#define SKY_UDP_WORDS 1024
struct sky_udp {
	uint64_t opaque[SKY_UDP_WORDS];
};

/* What to learn about each datagram received, beside its sender. */
enum sky_want {
	SKY_WANT_LOCAL = 1u << 0,	/* address it was sent to, interface */
	SKY_WANT_TTL = 1u << 1,
	SKY_WANT_TOS = 1u << 2,
	SKY_WANT_TIME = 1u << 3,	/* kernel's receive time, ns */
	SKY_WANT_FRAGSIZE = 1u << 4,	/* largest fragment, if it came in pieces */
	SKY_WANT_DROPS = 1u << 5,	/* drop count carried by each datagram */
};

enum sky_udp_flag {
	/* No error queue: the socket behaves as a plain one, and a pending error
	 * comes back from the next send or recv. For showing what that is like. */
	SKY_UDP_PLAIN = 1u << 0,
	SKY_UDP_REUSEADDR = 1u << 1,
	SKY_UDP_REUSEPORT = 1u << 2,
	SKY_UDP_V6ONLY = 1u << 3,
	SKY_UDP_BROADCAST = 1u << 4,
	SKY_UDP_GRO = 1u << 5,		/* receive trains; buffers of 64 KiB needed */
	SKY_UDP_NO_GSO = 1u << 6,	/* never ask the kernel to segment */
	SKY_UDP_MULTICAST_ALL = 1u << 7, /* groups joined by other sockets too */
	SKY_UDP_DONTROUTE = 1u << 8,
	SKY_UDP_FREEBIND = 1u << 9,
	SKY_UDP_LOCAL_TWICE = 1u << 10,	/* deliver local errors by errors() too */
};

/* Path MTU discovery, IP_MTU_DISCOVER; 0 leaves the system's default. */
enum sky_pmtu {
	SKY_PMTU_DEFAULT,
	SKY_PMTU_DONT,		/* no DF: routers fragment */
	SKY_PMTU_WANT,		/* DF, fragment here once the path MTU is known */
	SKY_PMTU_DO,		/* DF, refuse what is larger than the path MTU */
	SKY_PMTU_PROBE,		/* DF, ignore the path MTU */
	SKY_PMTU_INTERFACE,	/* ignore errors, refuse above the interface MTU */
	SKY_PMTU_OMIT,		/* ignore errors, fragment above the interface MTU */
};

struct sky_udp_conf {
	uint32_t size;			/* sizeof(struct sky_udp_conf) */
	uint32_t want;			/* enum sky_want */
	uint32_t flags;			/* enum sky_udp_flag */
	int family;			/* AF_UNSPEC: of local, else of peer, else
					 * AF_INET6 serving both families */
	const struct sky_addr *local;	/* bind to; NULL: any address, any port */
	const struct sky_addr *peer;	/* connect to; NULL: unconnected */
	const char *device;		/* SO_BINDTODEVICE, or NULL */
	int rcvbuf, sndbuf;		/* bytes to ask for; 0: the default */
	int pmtu;			/* enum sky_pmtu */
	int ttl;			/* 1..255; 0: the default */
	int tos;			/* 0..255 */
	void *room;			/* for drained errors and refused offloads */
	size_t room_size;		/* see SKY_UDP_ROOM; must outlive the handle */
	struct sky_icmpd *icmpd;	/* memory for a client of icmpd(8) as the second
					 * reporter, or NULL; must outlive the handle */
	const char *icmpd_path;		/* NULL: SKY_ICMPD_PATH */
	uint32_t reserved[4];
};

/* Bytes of room that hold n drained errors with up to 256 bytes of quote each,
 * and n destinations that refused segmentation. Without room the handle holds 8
 * of each itself. Align for uint64_t. */
#define SKY_UDP_SLOT 512
#define SKY_UDP_ROOM(n) ((size_t)(n) * SKY_UDP_SLOT)

/* One datagram, or with seg one train of equal datagrams (the last may be
 * shorter) lying behind each other. */
enum sky_msg_have {
	SKY_MSG_PEER = 1u << 0,
	SKY_MSG_LOCAL = 1u << 1,	/* local and ifindex */
	SKY_MSG_TTL = 1u << 2,
	SKY_MSG_TOS = 1u << 3,
	SKY_MSG_TIME = 1u << 4,
	SKY_MSG_FRAGSIZE = 1u << 5,
	SKY_MSG_DROPS = 1u << 6,
	SKY_MSG_IFINDEX = 1u << 7,	/* sending: pin this interface */
	SKY_MSG_MTU = 1u << 8,		/* status is -EMSGSIZE and the MTU is known */
};

enum sky_msg_flag {
	SKY_MSG_TRUNC = 1u << 0,	/* full_len is the real length */
	SKY_MSG_CTRUNC = 1u << 1,	/* some of `have` is missing for want of room */
	SKY_MSG_GROUP = 1u << 2,	/* sent to a broadcast or multicast address */
};

struct sky_msg {
	void *data;		/* sending: not written to */
	size_t cap;		/* receiving: room at data */
	size_t len;		/* bytes at data: to send, or received */
	size_t full_len;	/* received: the real length, len or more */
	uint32_t seg;		/* 0: one datagram; else bytes of each in the train */
	uint32_t have;		/* enum sky_msg_have */
	uint32_t flags;		/* enum sky_msg_flag */
	int32_t status;		/* sent: 0, or a negative errno of its own */
	struct sky_addr peer;	/* to (if SKY_MSG_PEER), or from */
	struct sky_addr local;	/* from (if SKY_MSG_LOCAL), or to; port 0 when
				 * sending, the socket's own is used */
	uint32_t ifindex;
	uint8_t ttl, tos;	/* sending: used if in have */
	uint16_t reserved;
	uint32_t fragsize;	/* bytes of IP packet */
	uint32_t mtu;		/* bytes of IP packet */
	uint32_t drops;		/* kernel's counter when this was queued, mod 2^32 */
	uint64_t time_ns;	/* CLOCK_REALTIME */
	uint64_t tag;		/* the caller's */
};

/* Opens, sets, binds, connects. An option the kernel lacks is recorded in the
 * info call, not fatal. Returns 0 or a negative errno: -EINVAL for a conf whose
 * size or values make no sense, -EAFNOSUPPORT for local and peer of different
 * families, or what socket, bind or connect said. c may be NULL. */
int sky_udp_open(struct sky_udp *u, const struct sky_udp_conf *c);

/* Takes a descriptor that exists; family, v6only and peer are asked of it;
 * local and peer of c must be NULL. c may be NULL. The descriptor is made
 * non-blocking for our calls only by MSG_DONTWAIT, its flags stay as they are.
 * Returns 0, -ENOTSOCK, -EPROTOTYPE if it is not UDP. */
int sky_udp_adopt(struct sky_udp *u, int fd, const struct sky_udp_conf *c);

int sky_udp_fd(const struct sky_udp *u);
/* All descriptors to watch: one, and another when icmpd is the second reporter.
 * Returns how many. */
int sky_udp_fds(const struct sky_udp *u, int fds[2]);
/* Closes the descriptor (also an adopted one) / gives it back, undoing nothing.
 * On a handle that is not open, a zeroed one too, nothing happens / -1. */
void sky_udp_close(struct sky_udp *u);
int sky_udp_release(struct sky_udp *u);

/* Receives up to n datagrams or trains into m[]. Returns how many, 0 when there
 * is nothing to read; a negative errno only for a fault of the call. Each m[i]
 * needs data and cap. A zero-length datagram is one with len 0. */
int sky_udp_recv_stride(struct sky_udp *u, struct sky_msg *m, unsigned n, size_t stride);
#define sky_udp_recv(u, m, n) sky_udp_recv_stride((u), (m), (n), sizeof(struct sky_msg))

/* Sends m[0..n-1] in order. Returns r: m[0..r-1] are settled, each with its
 * status; m[r..] were not attempted because the socket's buffer is full (wait
 * until writable). A train that the kernel refuses to segment goes out as
 * single datagrams in the same call; its status is that of the first of them
 * that failed. Of a train that was partly sent when the buffer was full, data
 * and len have moved past what went out: send the rest. -EAGAIN when nothing is
 * settled. */
int sky_udp_send_stride(struct sky_udp *u, struct sky_msg *m, unsigned n, size_t stride);
#define sky_udp_send(u, m, n) sky_udp_send_stride((u), (m), (n), sizeof(struct sky_msg))

/* Drop-in for sendto(2) and recvfrom(2) on an adopted socket: the length, or a
 * negative errno (-EAGAIN when it would block); dst NULL sends to the peer. */
ssize_t sky_udp_sendto(struct sky_udp *u, const void *data, size_t len, const struct sky_addr *dst);
ssize_t sky_udp_recvfrom(struct sky_udp *u, void *data, size_t cap, struct sky_addr *src);

/* Walks a train: false at the end, else *at and *len are the next datagram.
 * Start with *off = 0. A zero-length datagram is visited once. */
bool sky_msg_next(const struct sky_msg *m, size_t *off, const void **at, size_t *len);

/* Fates that were learnt: ICMP errors, and what else the error queue holds
 * (origin tells). Quotes and extensions are put into buf and pointed at by the
 * records; 1280 bytes for each record hold whatever a Linux router quotes, what
 * does not fit is cut and marked. Returns how many, 0 when there are no more.
 * With icmpd as second reporter an error that both tell is one record, of the one
 * that told it first.
 * Who receives but does not ask for 100 ms, while errors fill half of the receive
 * buffer, does not want them: they make room for data, counted in errors_lost. */
int sky_udp_errors(struct sky_udp *u, struct sky_fate *f, unsigned n, void *buf, size_t size);

/* For a socket without a handle: makes a record of the entry that the caller's own
 * recvmsg(MSG_ERRQUEUE) took off the queue. m is the message as that call left it
 * (name, control, flags, one vector), len what it returned; quote and extension
 * point into the vector. Entries that are no errors become SKY_NOTHING. */
void sky_udp_entry(struct sky_fate *f, const struct msghdr *m, size_t len);

/* Errors waiting in the handle because a send or receive had to drain them: the
 * kernel raises nothing more for these. */
unsigned sky_udp_pending(const struct sky_udp *u);

/* out becomes an empty answer to in: to its sender, from the address it was
 * sent to; the interface is pinned only for link-local and group addresses.
 * The caller sets data and len. Returns 0, or -EINVAL without a peer. */
int sky_udp_reply(struct sky_msg *out, const struct sky_msg *in);

/* Opens second at u's own address and port: from now on what begins with the 8
 * bytes first8 (big endian) is queued there, all else with u, so that a flood of
 * the one cannot displace the other. u must be bound and unconnected; it is
 * opened without SKY_UDP_REUSEPORT, so that nobody holds the port already. c says
 * the rest as for sky_udp_open(), its local and peer are not looked at; it may be
 * NULL. Returns 0; -EINVAL if u is connected or has no port; or a negative errno. */
int sky_udp_split(struct sky_udp *u, struct sky_udp *second, uint64_t first8,
    const struct sky_udp_conf *c);

/* Membership; source NULL for any source. ifindex 0 is the interface of the
 * route to the group. Returns 0 or a negative errno. */
int sky_udp_join(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source, unsigned ifindex);
int sky_udp_leave(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source, unsigned ifindex);

enum sky_udp_opt {
	SKY_SET_TTL,		/* unicast, 1..255 */
	SKY_SET_TOS,
	SKY_SET_MULTICAST_TTL,
	SKY_SET_RCVBUF,		/* bytes; forced past rmem_max where allowed */
	SKY_SET_SNDBUF,
	SKY_SET_PMTU,		/* enum sky_pmtu */
	SKY_SET_GSO,		/* 0 off, 1 on (forgets refusals) */
	SKY_SET_ERRORS,		/* 0 off (queue is purged), 1 on */
	SKY_SET_BROADCAST,
	SKY_SET_MULTICAST_IF,	/* interface index */
	SKY_SET_NO_CHECKSUM,	/* send with a checksum of zero; over IPv6 only
				 * receivers that ask for these get them (RFC 6935) */
	SKY_SET_GSO_MEMORY_MS,	/* how long a refusal is remembered; 60000 */
};
/* Returns 0, -EINVAL, -ENOPROTOOPT if the kernel has no such option, -EPERM. */
int sky_udp_set(struct sky_udp *u, enum sky_udp_opt what, int64_t value);

/* What is in force, and why not. */
enum sky_cap {
	SKY_CAP_ERRORS4, SKY_CAP_ERRORS6, SKY_CAP_RFC4884, SKY_CAP_LOCAL,
	SKY_CAP_TTL, SKY_CAP_TOS, SKY_CAP_TIME, SKY_CAP_FRAGSIZE, SKY_CAP_DROPS,
	SKY_CAP_GSO, SKY_CAP_GRO, SKY_CAP_MEMINFO,
	SKY_CAP_ICMPD,		/* -ENOTCONN, -ENOENT: it is not there now */
	SKY_CAPS
};
struct sky_udp_info {
	uint32_t size;			/* set by the caller: sizeof */
	int32_t cap[SKY_CAPS];		/* 1 in force, 0 not asked, negative errno: why not */
	int32_t family;
	bool connected, v6only;
	struct sky_addr local, peer;
	uint32_t rcvbuf, sndbuf;	/* as the kernel accounts them, bytes */
	uint32_t rcvbuf_used;
	uint64_t rx, tx;		/* datagrams, trains counted by their parts */
	uint64_t rx_truncated;
	uint64_t rx_drops;		/* by the kernel, for want of room; 64 bit */
	uint64_t errors;		/* fates delivered or waiting */
	uint64_t errors_lost;		/* no room in the handle, or never asked for */
	uint64_t errors_maybe_lost;	/* times the receive buffer was found so full
					 * that the kernel may have dropped errors:
					 * asked here, and after a batch of errors */
	uint64_t retries;		/* sends and receives repeated after a stale error */
	uint64_t gso_trains, gso_refused;
	uint64_t enobufs, eperm;	/* datagrams refused by the queue, by a filter */
};
/* Asks the kernel now (SO_MEMINFO). Returns 0 or a negative errno. */
int sky_udp_info(struct sky_udp *u, struct sky_udp_info *out);
const char *sky_cap_word(enum sky_cap c);

/* Family, type, protocol, local and peer address of any descriptor: inherited,
 * passed or one's own. Returns 0 or -ENOTSOCK, -EBADF. */
struct sky_fd {
	int family, type, protocol;
	bool connected;
	struct sky_addr local, peer;
};
int sky_fd_ask(int fd, struct sky_fd *out);

/* The largest payload that one datagram of a family carries (65507, 65527). */
size_t sky_udp_payload_max(int family);

/* True while the neighbour entry of the next hop towards dst is unresolved: a
 * verdict (no-neighbour) is still to come, up to about 3 s after the first
 * datagram. Asks the kernel by netlink. False if it cannot tell. */
bool sky_neighbour_unresolved(const struct sky_addr *dst);

#ifdef __cplusplus
}
#endif
#endif
