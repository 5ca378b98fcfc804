/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - the network of a lab, in kernel: namespaces, links, routes, filters.
 *
 * To be called inside a box (box.h). Every host is a network namespace, known
 * to ip-netns(8) under its name; every link a veth pair with all offloads off,
 * so that captures show true checksums and true sizes; IPv6 addresses work at
 * once (no duplicate address detection). ICMP is not rate-limited and low ports
 * are free for everybody, unless a sysctl line says otherwise.
 */
#ifndef SOCKNET_NET_H
#define SOCKNET_NET_H

#include "lab.h"

struct net {
	int home;		/* the box's own namespace */
	int fd[LAB_HOSTS];	/* the hosts' */
	unsigned hosts;
	char error[600];	/* "FILE:LINE: ..." */
};

/* Returns 0, or -1 with error filled. */
int net_build(struct net *n, const struct lab *lab);

/* Moves this process into a host's namespace, or home (LAB_NONE). */
int net_enter(const struct net *n, unsigned host);

#endif
