/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compat.h - the protocol of the ancestor, for programs written after the book.
 *
 * A client connects to a stream socket, sends one byte with the descriptor of its
 * UDP socket, gets '1' or '0' back, and from then on one struct compat_err for each
 * ICMP error that the socket's datagrams met.
 *
 * A process of its own does that, because a descriptor that a stranger sends can
 * stop whoever closes it: a TCP socket that lingers, a file of a file system that
 * its owner does not serve. It is a client of icmpd like any other, one that may
 * watch all errors, and each descriptor is looked at by a child that lives no
 * longer: its questions are whether it is a UDP socket, of this network namespace,
 * of the user who sent it, and which cookie it has. The descriptor is closed before
 * the '1' is sent, and long before any ICMP. Cookie and owner are what the kernel
 * tells of the socket that a quoted datagram came from, so a client gets what is
 * about its own socket and nothing else. The port need not be bound, and is not.
 */
#ifndef ICMPD_COMPAT_H
#define ICMPD_COMPAT_H

#include <sys/socket.h>

/* One event, in this machine's own layout as in the book. */
struct compat_err {
	int err;			/* ECONNREFUSED, EMSGSIZE or EHOSTUNREACH */
	char type, code;		/* of ICMP, or of ICMPv6 for an IPv6 destination */
	socklen_t len;			/* of dest */
	struct sockaddr_storage dest;	/* of the datagram */
};

struct daemon;
struct sky_user;

/* Binds --compat-socket, open to all users; nothing if it was not given. A folder
 * that everybody may write to is allowed if it is sticky, as /tmp in the book: what
 * lies there already is replaced only if it is ours and nobody listens. Returns 0, or
 * an exit status after one line. */
int compat_open(struct daemon *d);

/* Starts the process, which gives its rights up and ends when icmpd does. Called
 * while still privileged, when clients can connect. Returns 0, or a negative errno. */
int compat_begin(struct daemon *d, const struct sky_user *u);

#endif
