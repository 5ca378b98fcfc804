/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * local.h - sockets of this host that carry messages (AF_UNIX, SOCK_SEQPACKET).
 *
 * Close-on-exec, never blocking, never raising SIGPIPE. All return 0 or more, or a
 * negative errno.
 *
 * A descriptor that a peer passes along is dropped unseen, but the last to drop one
 * may wait for it: a TCP socket that lingers holds up who did not ask for it. So a
 * listener and what it accepts take none (Linux 6.16); before that, see
 * sky_local_has_rights().
 */
#ifndef SKY_SYS_LOCAL_H
#define SKY_SYS_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Listens at path, open to all users (mode 0666). What lies there already and is
 * a socket at which nobody listens is removed first. -EADDRINUSE: somebody listens
 * there. -ENOTSOCK: something else lies there. -EACCES: others than root, this
 * user and uid may write to its folder. -ENAMETOOLONG. type is SOCK_SEQPACKET or
 * SOCK_STREAM. */
int sky_local_listen(const char *path, int type, int backlog, unsigned uid);
/* The folder of path is made if it is not there, for this user alone to write to,
 * and given to uid and gid. */
int sky_local_folder(const char *path, unsigned uid, unsigned gid);
int sky_local_unlink(const char *path);
/* Who connects from now on sees this process and its user behind fd (SO_PEERCRED),
 * not those who made it listen first. */
int sky_local_listen_again(int fd, int backlog);

/* -EAGAIN if the listener has no room just now. */
int sky_local_connect(const char *path);
int sky_local_accept(int fd);
/* Nobody can pass a descriptor through fd, nor through what it accepts. 0, or
 * -ENOPROTOOPT before Linux 6.16. */
int sky_local_no_rights(int fd);
/* True if a descriptor comes with the next message: not to be read, nor fd closed. */
bool sky_local_has_rights(int fd);
/* Shuts fd down and takes what waits in it, up to a message with a descriptor. True:
 * nothing is left, and nothing can come: to be closed. False: not to be closed. */
bool sky_local_drain(int fd);

struct sky_local_peer {
	uint32_t pid, uid, gid;		/* when it connected */
	int pidfd;			/* -1 if the kernel has none; to be closed */
};
int sky_local_peer(int fd, struct sky_local_peer *out);

/* One message. Send: 0, -EAGAIN when there is no room. Receive: its length, 0 for
 * the end, -EMSGSIZE if it was longer than size. */
int sky_local_send(int fd, const void *data, size_t len);
int sky_local_recv(int fd, void *data, size_t size);

#endif
