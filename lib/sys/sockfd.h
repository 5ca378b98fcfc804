/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockfd.h - the descriptor itself: make, bind, connect, ask, close.
 *
 * All return 0 or more, or a negative errno; none touches errno. Addresses are
 * in the form the socket's family wants (v4-mapped is not undone here).
 */
#ifndef SKY_SYS_SOCKFD_H
#define SKY_SYS_SOCKFD_H

#include <sys/socket.h>

/* A UDP socket of the family, close-on-exec and non-blocking. The descriptor. */
int sky_sockfd_open(int family);
/* The same of any type (SOCK_RAW, ...) and protocol. */
int sky_sockfd_make(int family, int type, int protocol);
/* O_NONBLOCK on. */
int sky_sockfd_nonblock(int fd);
/* accept4, close-on-exec and non-blocking; a becomes the peer's address. */
int sky_sockfd_accept(int fd, struct sockaddr_storage *a, socklen_t *len);
/* What poll(2) says of fd now, without waiting; 0 if nothing. */
int sky_sockfd_poll(int fd, short events);
int sky_sockfd_bind(int fd, const struct sockaddr_storage *a, socklen_t len);
int sky_sockfd_connect(int fd, const struct sockaddr_storage *a, socklen_t len);
int sky_sockfd_close(int fd);
/* The same for a TCP socket, with a reset instead of an orderly end. */
int sky_sockfd_abort(int fd);

/* Length of the local (peer) address put into a. */
int sky_sockfd_name(int fd, struct sockaddr_storage *a);
int sky_sockfd_peer(int fd, struct sockaddr_storage *a);

#endif
