/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owner.h - which process has a socket, as far as this user may know.
 *
 * The kernel names a socket by its inode, and /proc/PID/fd says who has it open;
 * a user sees the processes that are his own there, root sees all. Nothing is
 * guessed: what is told was seen at that moment. The places where sockets were
 * seen are remembered and looked at first; only when a socket is not where it
 * was is /proc read again, whole, at most a tenth of the time. Memory is fixed.
 */
#ifndef ICMPCTL_OWNER_H
#define ICMPCTL_OWNER_H

#include <sockeye/fate.h>

#define OWNER_COMM 64

enum owner_is {
	OWNER_UNSEEN,	/* not found, and not all processes could be looked at */
	OWNER_FOUND,
	OWNER_NONE,	/* the socket is there, and no process has it */
	OWNER_GONE,	/* no process has it, and the kernel does not know it any more */
};

struct owner_ask {
	uint64_t inode;		/* 0: no question; UNSEEN is answered */
	uint64_t cookie;
	const struct sky_fate *fate; /* proto, src and dst lead the kernel to it */
};

struct owner {
	enum owner_is is;
	uint32_t pid;		/* the lowest, when several share it */
	unsigned others;	/* how many more processes have it */
	bool connected;		/* the kernel says that it is connected to where the
				 * datagram went: no port by chance */
	char comm[OWNER_COMM];	/* its command's name; printable ASCII */
};

struct owners;

/* NULL when there is no memory. */
struct owners *owners_new(void);
void owners_free(struct owners *o);
/* It is known that the sockets are of this process's own network namespace. Until
 * then the kernel is not asked, and nothing is GONE or connected. */
void owners_here(struct owners *o);

/* Who has the sockets with these inodes; /proc is read once at most for 32 of them. */
void owners_find(struct owners *o, const struct owner_ask *ask, struct owner *out, unsigned n);

#endif
