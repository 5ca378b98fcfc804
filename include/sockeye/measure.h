/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure.h - measuring a path with STAMP (RFC 8762), and where loss happened.
 *
 * Two pure machines: bytes and times in, bytes, times and counts out. The
 * prober makes numbered test packets and reads what comes back; the mirror
 * reflects them, for many sessions. They open no socket, read no clock and
 * allocate nothing: the caller carries the bytes, and says what each socket's
 * kernel said, above all the drop counter that travels with every datagram
 * (SKY_WANT_DROPS). Any STAMP reflector can answer the prober and any STAMP
 * sender can use the mirror. Between two of ours a few small messages beside
 * STAMP's carry the mirror's counts back over the same port.
 *
 * Every loss is counted where it happened, none is a difference of totals:
 *   host		the send call refused the datagram; it used no number
 *   receiver-queue	the far kernel's drop counter moved between two datagrams
 *			whose numbers leave a gap
 *   network		a gap in the numbers in which that counter stood still, or
 *			moved by less
 *   unread		in the queue when the receiver closed
 *   unexplained	what the evidence leaves open: drops between datagrams of
 *			several sessions on one socket, drops that match no gap,
 *			and all that a lost or foreign report would have told
 *
 * Times called now are of any monotonic clock, others CLOCK_REALTIME; all ns.
 */
#ifndef SOCKEYE_MEASURE_H
#define SOCKEYE_MEASURE_H

#include <sockeye/addr.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SKY_MEASURE_MIN 44	/* bytes of the smallest test packet */
#define SKY_MEASURE_CHECKED 52	/* from this size on ours carry a check */
#define SKY_MEASURE_MAGIC UINT64_C(0xff736b7974616c79) /* they begin with, big endian */
#define SKY_MEASURE_CONTROL 276	/* room for any message beside STAMP's */

/* True if a datagram is such a message. */
bool sky_measure_is_message(const void *data, size_t len);

enum sky_loss {
	SKY_LOST_HOST, SKY_LOST_NETWORK, SKY_LOST_QUEUE, SKY_LOST_UNREAD,
	SKY_LOST_UNEXPLAINED,
	SKY_LOSSES
};
/* "host", "network", "receiver-queue", "unread", "unexplained". */
const char *sky_loss_word(enum sky_loss l);

/* What is known of a direction; the rest was not told by the peer. */
enum sky_way_told {
	/* 1u << SKY_LOST_...: that class */
	SKY_WAY_SENT = 1u << 8,
	SKY_WAY_RECEIVED = 1u << 9,	/* received .. corrupted */
	SKY_WAY_DELAY = 1u << 10,	/* delay_..., jitter */
};

/* One direction. Where everything is told, sent = received + corrupted + the
 * sum of lost[] unless a corrupted one was a copy. */
struct sky_way {
	uint32_t size;			/* set by the caller: sizeof */
	uint32_t told;			/* enum sky_way_told */
	uint64_t sent;			/* what never left this host included */
	uint64_t received;		/* each number once, read by the program */
	uint64_t bytes;			/* of payload in these */
	uint64_t duplicated;		/* further copies */
	uint64_t reordered;		/* RFC 4737: lower number than one before it */
	uint64_t late;			/* came when already counted as lost, or too
					 * long ago to tell from a copy */
	uint64_t corrupted;		/* the check does not match */
	uint64_t lost[SKY_LOSSES];
	uint64_t delays;		/* how many delays were measured */
	int64_t delay_min, delay_median, delay_p99, delay_max;
	uint64_t jitter;		/* RFC 3550, 6.4.1, at the end */
};

enum sky_direction {
	SKY_WAY_OUT,		/* to the mirror */
	SKY_WAY_BACK,		/* from it */
	SKY_WAY_ROUND,		/* there and back: sent, received, lost, and delays
				 * without the time inside the mirror */
};

/* What a datagram that came was. */
enum sky_measured {
	SKY_MEASURED_STRAY,	/* nothing of this measurement */
	SKY_MEASURED_BACK,	/* a reflection; duplicates too */
	SKY_MEASURED_CORRUPTED,
	SKY_MEASURED_CONTROL,	/* a message beside STAMP's */
	SKY_MEASURED_ECHO,	/* to the prober: a test packet as it was sent; not a
				 * mirror, an echo service is there */
};

/* --- the prober --- */
struct sky_prober {
	uint64_t opaque[16384];
};

enum sky_prober_flag {
	SKY_PROBER_ONE_WAY = 1u << 0,	/* ask the mirror not to reflect */
};

/* session: a random number; drops: the socket's drop counter now. */
int sky_prober_init(struct sky_prober *p, uint32_t session, uint32_t flags, uint32_t drops);
/* Writes the next test packet, len bytes, that leaves at time_ns. Returns 0, or
 * -EINVAL for a len below SKY_MEASURE_MIN. It keeps its number until: */
int sky_prober_make(struct sky_prober *p, void *buf, size_t len, uint64_t time_ns);
/* the kernel took it (true), or refused it for good (false): lost in this host,
 * the number goes to the next one. */
void sky_prober_sent(struct sky_prober *p, bool taken);
/* Reads what came at time_ns with the drop counter it carries (the last known
 * one where it carries none). */
enum sky_measured sky_prober_take(struct sky_prober *p, const void *data, size_t len,
    uint64_t time_ns, uint32_t drops, uint64_t now);
/* True if the last one taken was a reflection that came for the first time; *seq is
 * its number, counted from 0 in the order of sending. */
bool sky_prober_first(const struct sky_prober *p, uint64_t *seq);
/* True if a quote of a sent datagram is one of ours; *seq is its number. */
bool sky_prober_quoted(const struct sky_prober *p, const void *quote, size_t len, uint64_t *seq);
/* An error that quotes this number came: it was lost in the network or at a host
 * that said so, and not unexplained. Once each, within 65536 numbers. */
void sky_prober_lost(struct sky_prober *p, uint64_t seq);
/* A message to send now into buf of SKY_MEASURE_CONTROL bytes: its length, or 0.
 * Call when the deadline has come and after each sky_prober_take(). */
size_t sky_prober_control(struct sky_prober *p, uint64_t now, void *buf);
/* When something is to be done without a datagram coming; UINT64_MAX: never. */
uint64_t sky_prober_deadline(const struct sky_prober *p);
/* The greeting is over: a mirror of ours answered, or none did. */
bool sky_prober_ready(const struct sky_prober *p);
/* The last test packet was sent; from a foreign mirror wait so long for more. */
void sky_prober_end(struct sky_prober *p, uint64_t now, uint64_t wait);
bool sky_prober_over(const struct sky_prober *p);
/* True while a mirror of ours is reading on and the report waits for it. */
bool sky_prober_waits(const struct sky_prober *p);
/* A mirror of ours is there; its report came. */
bool sky_prober_knows(const struct sky_prober *p);
bool sky_prober_reported(const struct sky_prober *p);
/* The counts of a direction, so far or at the end; drops is the counter now. */
void sky_prober_way(const struct sky_prober *p, enum sky_direction d, uint32_t drops,
    struct sky_way *out);

/* --- the mirror --- */
struct sky_mirror {
	uint64_t opaque[64];
};

enum sky_mirror_flag {
	SKY_MIRROR_SILENT = 1u << 0,	/* reflect nothing, report only */
};

/* Bytes of room for so many sessions at once (about 34 KiB each). */
size_t sky_mirror_room(unsigned sessions);
/* room stays the caller's, aligned for uint64_t. secret: a random number that
 * strangers do not know. Returns 0, or -EINVAL if the room is too small. */
int sky_mirror_init(struct sky_mirror *m, void *room, size_t size, unsigned sessions,
    uint64_t secret, uint32_t flags);

struct sky_mirror_in {
	uint32_t size;			/* sizeof(struct sky_mirror_in) */
	const void *data;
	size_t len;
	struct sky_addr from;
	uint8_t ttl;			/* 0: not known */
	bool unread;			/* found in the queue at the end */
	uint64_t time_ns;		/* when it came */
	uint32_t drops;			/* counter of the socket it came to */
	uint64_t now;
};
struct sky_mirror_out {
	uint32_t size;			/* sizeof(struct sky_mirror_out) */
	enum sky_measured what;
	int session;			/* index, or -1 */
	bool opened;			/* the session is new */
	bool ending;			/* its sender has just said that it is over */
};
/* A test packet of len bytes came. Writes its reflection into buf (of len bytes or
 * more), leaving at time_ns. Returns its length; 0: nothing is to be sent. */
size_t sky_mirror_take(struct sky_mirror *m, const struct sky_mirror_in *in, uint64_t time_ns,
    void *buf, struct sky_mirror_out *out);
/* The kernel took the last reflection, or refused it. */
void sky_mirror_sent(struct sky_mirror *m, int session, bool taken);
/* A message came; in->drops is the drop counter of the socket of test packets,
 * now. Returns the length of the answer in buf (SKY_MEASURE_CONTROL bytes), or 0. */
size_t sky_mirror_control(struct sky_mirror *m, const struct sky_mirror_in *in, void *buf,
    struct sky_mirror_out *out);
/* The queue of test packets is empty (or closing: it has been emptied for good).
 * Call before sleeping: gives one message that is due, to the peer of *session.
 * Returns its length; 0: none is due. */
size_t sky_mirror_due(struct sky_mirror *m, uint64_t now, uint32_t drops, void *buf, int *session);
uint64_t sky_mirror_deadline(const struct sky_mirror *m);
/* The end: every session gets its report, those whose sender has not ended at once.
 * What still comes for the others is to be taken, as unread if so it is, until
 * sky_mirror_due() has nothing and the deadline is past. */
void sky_mirror_close(struct sky_mirror *m, uint64_t now);
/* The next session that is over, reported or long silent (all, after close):
 * its index, peer and counts; its place is free again. Returns false if none.
 * SKY_WAY_OUT is towards the mirror here as well. */
bool sky_mirror_ended(struct sky_mirror *m, uint64_t now, uint32_t drops, int *session,
    struct sky_addr *peer, struct sky_way *out, struct sky_way *back);
unsigned sky_mirror_sessions(const struct sky_mirror *m);	/* open ones */
/* Over all sessions: test packets, bytes, strays, sessions refused for room. */
struct sky_mirror_sums {
	uint32_t size;
	uint64_t received, bytes, reflected, strays, corrupted, refused, unread;
};
void sky_mirror_sums(const struct sky_mirror *m, struct sky_mirror_sums *out);

#ifdef __cplusplus
}
#endif
#endif
