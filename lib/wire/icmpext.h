/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpext.h - what routers append to an ICMP error: the extension structure of
 * RFC 4884, its objects, MPLS label stacks (RFC 4950) and interface
 * information (RFC 5837).
 *
 * Version 2, a checksum, then objects of a class and a type. Numbers are
 * native; pointers point into the caller's bytes. Pure.
 */
#ifndef SKY_WIRE_ICMPEXT_H
#define SKY_WIRE_ICMPEXT_H

#include "wire/icmp.h"

struct sky_icmpext {
	const uint8_t *at;	/* the structure, with its header of 4 bytes */
	size_t len;
	enum sky_cksum_state state; /* GOOD, BAD, or NONE: the field is 0, which
				 * says that no checksum was sent (RFC 4884, 7) */
	bool guessed;		/* found at byte 128 although the sender does not say
				 * how long the quote is (RFC 4884, 5.5) */
};

/* Divides body, all that follows the 8 bytes of an ICMP error's header, into the
 * quote and the extension: *quote_len is the length of the first. Returns 1 if
 * there is an extension, else 0 with the whole body as quote. A sender that does
 * not give a length is believed to have put an extension at byte 128 only when
 * its version and a checksum other than 0 are right. The whole body is needed:
 * of one that was cut no extension is guessed. */
int sky_icmpext_find(struct sky_icmpext *ext, size_t *quote_len, int family,
    const struct sky_icmp *m, const void *body, size_t len);

/* Looks at bytes known to be an extension (as the kernel's error queue says
 * where it begins). Returns 0, -EMSGSIZE if there are fewer than 4, -EINVAL if
 * the version is not 2. */
int sky_icmpext_decode(struct sky_icmpext *ext, const void *data, size_t len);

enum {
	SKY_ICMPEXT_MPLS = 1,		/* type 1: incoming label stack */
	SKY_ICMPEXT_INTERFACE = 2,	/* the type is bits, see below */
	SKY_ICMPEXT_QUERY = 3,		/* RFC 8335 */
};

struct sky_icmpext_obj {
	uint8_t class, type;
	uint16_t len;		/* of data; without the object's header of 4 bytes */
	const uint8_t *data;
};

/* A reader of the objects, for sky_icmpext_next(). */
struct sky_rd sky_icmpext_objects(const struct sky_icmpext *ext);
/* The next object: 1, 0 at the end, -EINVAL if its length is impossible. */
int sky_icmpext_next(struct sky_rd *objects, struct sky_icmpext_obj *obj);

/* One entry of a label stack (RFC 3032, 2.1). */
struct sky_mpls {
	uint32_t label;		/* 20 bits */
	uint8_t tc;		/* 3 bits */
	bool bottom;
	uint8_t ttl;
};
/* Returns 1, 0 at the end (a rest of fewer than 4 bytes is the end, and cut). */
int sky_mpls_next(struct sky_rd *stack, struct sky_mpls *out);
/* Returns 0 or -ENOSPC. */
int sky_mpls_encode(const struct sky_mpls *in, struct sky_wr *wr);

/* Which interface it was. */
enum sky_icmpext_role {
	SKY_IF_INCOMING, SKY_IF_SUB, SKY_IF_OUTGOING, SKY_IF_NEXT_HOP,
};
enum { SKY_IF_INDEX = 8, SKY_IF_ADDR = 4, SKY_IF_NAME = 2, SKY_IF_MTU = 1 };

#define SKY_IF_NAMESIZE 64	/* 63 bytes and the NUL */

struct sky_icmpext_if {
	uint8_t role;		/* enum sky_icmpext_role */
	uint8_t have;		/* SKY_IF_INDEX | ... */
	uint32_t index;
	struct sky_addr addr;	/* of the interface, or of the next hop; port 0 */
	char name[SKY_IF_NAMESIZE]; /* bytes as sent, ends at the first NUL */
	uint32_t mtu;
};

/* Reads an object of class SKY_ICMPEXT_INTERFACE. Returns 0, or -EINVAL if a
 * part is cut, an address is of no known family or a name has an impossible
 * length; then have says which parts before it are right. */
int sky_icmpext_if_decode(struct sky_icmpext_if *f, const struct sky_icmpext_obj *obj);
/* Writes such an object with its header. Returns 0, -EINVAL or -ENOSPC. */
int sky_icmpext_if_encode(const struct sky_icmpext_if *f, struct sky_wr *wr);

/* Making one: begin writes the header, obj an object (len a multiple of 4, else
 * -EINVAL), end puts the checksum; start is what sky_wr_len() was at begin.
 * Return 0 or -ENOSPC. */
int sky_icmpext_begin(struct sky_wr *wr);
int sky_icmpext_obj_encode(const struct sky_icmpext_obj *obj, struct sky_wr *wr);
int sky_icmpext_end(struct sky_wr *wr, size_t start);

#endif
