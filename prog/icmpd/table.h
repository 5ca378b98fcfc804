/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - which client wants to hear about which socket.
 *
 * A registration is found by its socket's cookie, and, if that shares its port
 * (SO_REUSEPORT), by protocol and port; what belongs to a client is a list. The cost
 * of each does not depend on how many there are. Hashes have a key, because cookies
 * and ports are what strangers choose. About 100 bytes for each.
 */
#ifndef ICMPD_TABLE_H
#define ICMPD_TABLE_H

#include "proto/icmpdmsg.h"

#define TABLE_NONE UINT32_MAX
/* Clients of one user that may ask for one socket. */
#define TABLE_SAME_COOKIE 8
/* Sockets of one user that may share a port: each of its errors is told to all. */
#define TABLE_GROUP 1024

struct reg {
	uint64_t cookie;
	uint32_t id;			/* the client's name for it */
	uint32_t client;		/* its place in the table of clients */
	uint32_t uid;			/* of the client */
	uint32_t next_cookie, next_port; /* in a bucket */
	uint32_t next_own, prev_own;	/* of the same client */
	uint32_t local;			/* hash of the address it is bound to; 0: any */
	uint16_t port;			/* local, if it is in a group */
	uint8_t proto;
	bool group;
};

struct table {
	struct reg *reg;
	uint32_t cap, touched, free, used;
	uint32_t groups;		/* registrations that are found by port */
	uint32_t *by_cookie, *by_port;
	uint32_t buckets;		/* a power of two */
	uint64_t key[2];
};

/* 0 or -ENOMEM. */
int table_init(struct table *t, const uint64_t key[2]);
void table_release(struct table *t);

/* Whose registration: its place, user, and the head of its list (TABLE_NONE). */
struct table_owner {
	uint32_t client, uid;
	uint32_t *own;
};

/* Returns 1, 0 if this client had the socket (its id and port are the new ones
 * now), -ENOMEM, or -ENOSPC if too many clients of that user have, or too many of its
 * sockets are in the group. */
int table_put(struct table *t, const struct table_owner *o, const struct sky_icmpdmsg_socket *s);
/* True if there was such a registration of this client. */
bool table_remove(struct table *t, const struct table_owner *o, uint32_t id, uint64_t cookie);
/* All of one client; how many. */
uint32_t table_remove_all(struct table *t, const struct table_owner *o);

/* These cookies will be looked for now: fetches what that reads into the cache, all
 * at once and not one after the other. */
void table_warm(const struct table *t, const uint64_t *cookie, unsigned n);

/* Walks: the first, then the next of reg; NULL at the end. */
const struct reg *table_by_cookie(const struct table *t, uint64_t cookie);
const struct reg *table_next_cookie(const struct table *t, const struct reg *r);
/* What an address is called in reg.local. */
uint32_t table_local(const struct sky_addr *a);
const struct reg *table_by_group(const struct table *t, uint8_t proto, uint16_t port);
const struct reg *table_next_group(const struct table *t, const struct reg *r);

#endif
