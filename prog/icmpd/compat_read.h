/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat_read.h - a descriptor that a stranger sent, looked at by a child process
 * that nothing depends on.
 */
#ifndef ICMPD_COMPAT_READ_H
#define ICMPD_COMPAT_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the child found; all zero: not a socket to watch. */
struct compat_facts {
	uint64_t cookie;
	int family;
	bool good;
};

/* Forks a child that takes one message from the connection, closes what came with
 * it, writes the facts into a pipe and ends. Returns the pipe's reading end, which
 * is at its end when the child is gone, or a negative errno; *pid is the child.
 * uid: of the peer. netns: cookie of the only network namespace that is served. */
int compat_read_start(int connection, uid_t uid, uint64_t netns, pid_t *pid);

/* Closes a connection without ever releasing, here, a descriptor that lies unread
 * in it: where there are such a child does it. */
void compat_read_close(int connection);

/* In a child: closes every descriptor above 2 but these two. */
void compat_keep(int a, int b);

/* The cookie of the network namespace of a socket, or 0. */
uint64_t compat_netns(int fd);

#endif
