/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * routers.h - the processes that are a lab's routers, and their ledgers.
 *
 * Each runs in its host's namespace, without privileges once its packet sockets
 * are open, and writes what it did to every packet into memory that this process
 * reads. They end with the lab: the kernel ends them with its first process.
 */
#ifndef SOCKNET_ROUTERS_H
#define SOCKNET_ROUTERS_H

#include "net.h"

#include <sys/types.h>

struct routers {
	const struct lab *lab;
	unsigned count;
	pid_t *pid;
	struct rt_ledger **ledger;	/* as lab->router */
	uint32_t slots;
};

/* Returns 0 when all forward, or -1 with error ("FILE:LINE: ...") filled. */
int routers_start(struct routers *r, const struct lab *lab, struct net *n);

/* The index of the router that this process was, or LAB_NONE. */
unsigned routers_find(const struct routers *r, pid_t pid);

/* Copies record i (0 is the oldest still there) of a ledger; false: no such
 * record, or it is being written over. */
bool routers_record(const struct routers *r, unsigned router, uint64_t i, struct rt_record *out);
/* How many there are, and how many were forgotten for lack of room. */
uint64_t routers_records(const struct routers *r, unsigned router);
uint64_t routers_forgotten(const struct routers *r, unsigned router);

#endif
