/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hopin.h - what arrived, read as the answer to a probe of a path.
 *
 * A probe carries a tag: its id and a keyed hash of it, which nobody off the path
 * can foretell. Whoever quotes the tag or sends it back has seen the probe; whoever
 * quotes another has not, or guesses. Nothing is kept from call to call. Pure.
 */
#ifndef SKY_PROTO_HOPIN_H
#define SKY_PROTO_HOPIN_H

#include "proto/hop.h"
#include "wire/icmpext.h"

#define SKY_HOPTAG_LEN 12	/* id, hash; at the beginning of the payload */
#define SKY_HOPTAG_MIN 8	/* a shorter payload has no room for one */

/* What the probes looked like when they left. */
struct sky_hopin {
	uint64_t key[2];
	uint8_t proto;			/* IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6 */
	struct sky_addr dst;		/* with the port, 0 if there is none */
	uint32_t last_id;		/* the largest so far */
	struct sky_addr src;		/* unspecified: not known. The port is that of the
					 * flow, of ICMP the identifier */
};

/* A payload shorter than the tag gets its first bytes. */
void sky_hoptag_write(uint8_t out[static SKY_HOPTAG_LEN], const uint64_t key[2], uint32_t id);

/* The beginning of a payload that came back, of which len bytes are here. MATCHED:
 * *id is the probe's. SHORT: fewer than SKY_HOPTAG_MIN bytes, or zeros that pad a
 * quote. MISMATCH: nobody sent this. *id is 0 but for MATCHED. */
enum sky_trust sky_hoptag_read(const uint64_t key[2], const void *data, size_t len,
    uint32_t *id);

/* The kind of answer that an ICMP error is: sets what, type, code, mtu and by.
 * False for a message that says nothing about a datagram (a quench, a redirect).
 * Port unreachable is REACHED only if the destination itself says so. */
bool sky_hopin_error(struct sky_hop_answer *a, const struct sky_addr *dst, uint8_t type,
    uint8_t code, uint32_t mtu, const struct sky_addr *by);

/* The label stack out of an RFC 4884 structure; none if its checksum is bad. */
void sky_hopin_labels(struct sky_hop_answer *a, const void *ext, size_t len);
/* The same out of what follows the quote's first 128 bytes, where an older router
 * put it without saying so; past is how much of the quote is before data. */
void sky_hopin_guess(struct sky_hop_answer *a, const void *data, size_t len, size_t past);

/* A quote that ends before the tag has its checksum all the same, which covers it:
 * finds the probe of the last 256 with this checksum, if there is one alone, and
 * sets id and trust. m: the echo header that was quoted (IPv4: that of ICMPv6
 * covers a length that is not quoted). */
void sky_hopin_echo(struct sky_hop_answer *a, const struct sky_hopin *sent,
    const struct sky_icmp *m);

/* A whole ICMP message, as a raw socket gives it (without the IP header), from by.
 * True if it is about a probe: all but at, ttl, fragsize is set. A quote is taken
 * for ours if it has the tag, or ends before it and has the ends; rewritten if
 * the tag is right and the ends are not. An echo reply counts for ICMP probes. */
bool sky_hopin_icmp(struct sky_hop_answer *a, const struct sky_hopin *sent,
    const struct sky_addr *by, const void *data, size_t len);

#endif
