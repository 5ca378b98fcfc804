/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpd.h - what is inside struct sky_icmpd; for lib/sock alone.
 *
 * The caller's descriptor is an epoll that watches the connection, or, while there
 * is none, a timer for the next try. What the daemon has not been told yet is in
 * the state of each entry: a new connection makes all of them untold.
 */
#ifndef SKY_SOCK_ICMPD_H
#define SKY_SOCK_ICMPD_H

#include <sockeye/icmpd.h>
#include <stdatomic.h>
#include "proto/icmpdmsg.h"

#define SKY_ICMPD_MAGIC UINT64_C(0x736b7969636d7064)
#define SKY_ICMPD_OWN_ENTRIES 16
#define SKY_ICMPD_PATH_MAX 108

enum entry_state {
	ENTRY_FREE,
	ENTRY_UNTOLD,			/* the daemon is to be told of it */
	ENTRY_TOLD,
	ENTRY_ACCEPTED,
	ENTRY_REFUSED,
	ENTRY_LEAVING,			/* the daemon is to forget it */
};

struct icmpd_entry {
	uint64_t cookie, tag;
	int32_t fd;
	uint32_t next_free;
	uint8_t state;			/* enum entry_state */
	uint8_t pad[7];
};
_Static_assert(sizeof(struct icmpd_entry) == SKY_ICMPD_SLOT, "as promised");

/* For second.c: icmpd as the second reporter of one socket. */
#define SECOND_SENT 512			/* destinations, two in each place */
#define SECOND_SETS 128
#define SECOND_WAYS 8

struct unpaired {
	uint32_t tag;			/* of the error; what is not its set of places */
	uint32_t ms;			/* when it was told last */
	int32_t count;			/* 0: the place is free */
};

struct second {
	int id, err;			/* 0: the daemon has the socket */
	bool group;
	uint64_t others;		/* errors about what others of the group sent */
	_Atomic uint32_t sent[SECOND_SENT][2];
	struct unpaired unpaired[SECOND_SETS][SECOND_WAYS];
};

struct icmpd {
	uint64_t magic;
	int wait, alarm;
	int fd;				/* of the connection; -1: there is none */
	bool greeted;			/* the daemon has said hello */
	bool wants_room;		/* a send found none */
	int connect_err;		/* of the last try; 0: it succeeded */
	uint64_t next_try_ns, pause_ns;
	uint32_t uid, pid;

	struct icmpd_entry *entry;
	uint32_t n, touched;		/* of them; used at one time or another */
	uint32_t free, used;		/* first free; how many are not */
	uint32_t backlog, cursor;	/* untold or leaving; where to look next */
	uint32_t accepted;

	bool watching, watch_untold;
	uint32_t asks;			/* questions not yet sent, 1 << sky_icmpd_question */
	struct sky_icmpd_filter filter;

	bool news_down;			/* an event to give */
	int32_t down_err;
	uint64_t ups, downs, fates, lost;

	struct sky_icmpdmsg msg;	/* being read, in data */
	bool reading, full;		/* full: the message had all records it may have */
	char path[SKY_ICMPD_PATH_MAX];
	struct icmpd_entry own[SKY_ICMPD_OWN_ENTRIES];
	struct second second;
	uint8_t data[SKY_ICMPDMSG_MAX];
} __attribute__((may_alias));

static inline struct icmpd *
icmpd_of(struct sky_icmpd *d)
{
	return (struct icmpd *)(void *)d;
}

static inline const struct icmpd *
icmpd_of_const(const struct sky_icmpd *d)
{
	return (const struct icmpd *)(const void *)d;
}

#define ICMPD_NO_ENTRY UINT32_MAX

/* icmpd_link.c: the connection. Each returns 0 or a negative errno. */
int icmpd_connect(struct icmpd *d);
/* The connection is of no use any more: forgets it, tries again later. */
void icmpd_down(struct icmpd *d, int err);
/* Tells the daemon what it does not know yet, as far as there is room. */
void icmpd_tell(struct icmpd *d);
void icmpd_free_entry(struct icmpd *d, uint32_t i);

#endif
