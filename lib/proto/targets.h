/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * targets.h - a great many addresses: single ones and whole prefixes, without
 * duplicates, each with a number.
 *
 * Lines are read one by one into an array of ranges that the caller gives;
 * then they are sorted and joined, and an address costs nothing but its share
 * of a range. The numbers do not depend on the order of the lines, nor on how
 * often an address was named. Of an IPv4 prefix shorter than /31 the first and
 * last address are left out: those are the network and its broadcast. Pure.
 */
#ifndef SKY_PROTO_TARGETS_H
#define SKY_PROTO_TARGETS_H

#include <sockeye/addr.h>

#define SKY_TARGETS_MAX (UINT64_C(1) << 40)

struct sky_range {
	uint64_t hi, lo;	/* the first address; IPv4: ::a.b.c.d with v6 false */
	uint64_t count;		/* addresses, at most SKY_TARGETS_MAX */
	uint64_t before;	/* those of the ranges before; set by seal */
	bool v6;
};

struct sky_targets {
	struct sky_range *range;
	uint64_t room, ranges;	/* of range[] */
	uint64_t named;		/* addresses named, duplicates counted each time */
	uint64_t count;		/* addresses; set by seal */
	uint64_t digest;	/* of all of them: equal lists, equal digests */
};

void sky_targets_init(struct sky_targets *t, struct sky_range *range, uint64_t room);
/* Another array, larger, with what was in the old one. */
void sky_targets_move(struct sky_targets *t, struct sky_range *range, uint64_t room);

/* Reads one line: an address, a prefix ("192.0.2.0/24", "2001:db8::/120"), or
 * nothing; blanks around it and what follows # do not count. Returns 0;
 * -ENOSPC: range[] is full, nothing was done; else *why is what was expected:
 * -EINVAL: neither address nor prefix (nor has it an interface: that is one link); -EDOM: bits set behind the prefix;
 * -EADDRNOTAVAIL: multicast, broadcast, unspecified, or a prefix with such
 * addresses; -E2BIG: more than SKY_TARGETS_MAX addresses. word gets what the
 * fault is about, ends with NUL. */
int sky_targets_add(struct sky_targets *t, const char *line, char *word, size_t size,
    const char **why);

/* After the last line: sorts, joins, counts. Returns 0 or -E2BIG. May be called
 * before too, to make room by joining. */
int sky_targets_seal(struct sky_targets *t);

/* The address of a number below count. */
void sky_targets_at(const struct sky_targets *t, uint64_t number, struct sky_addr *out);
/* The number of an address; UINT64_MAX if it is not a target. */
uint64_t sky_targets_find(const struct sky_targets *t, const struct sky_addr *a);

#endif
