/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - one batch on its way to the kernel; for udp_send.c and train.c.
 */
#ifndef SKY_SOCK_OUT_H
#define SKY_SOCK_OUT_H

#include "sock/handle.h"
#include <sys/uio.h>

struct out_batch {
	struct mmsghdr h[SKY_UDP_BATCH];
	struct iovec iov[SKY_UDP_BATCH];
	struct sockaddr_in6 name[SKY_UDP_BATCH];	/* v4-mapped ones */
	_Alignas(8) uint8_t ctl[SKY_UDP_BATCH][SKY_CTL_OUT];
};

/* Where m goes. */
static inline const struct sky_addr *
out_target(const struct udp *u, const struct sky_msg *m)
{
	return (m->have & SKY_MSG_PEER) ? &m->peer : &u->peer;
}

/* Family of the datagram; the socket's if it was connected behind our back. */
static inline int
out_family(const struct udp *u, const struct sky_msg *m)
{
	int family = out_target(u, m)->u.sa.sa_family;

	return family ? family : u->family;
}

/* What is to be done about a send that failed. */
enum out_verdict {
	OUT_AGAIN,		/* the error was another datagram's: repeat */
	OUT_OWN,		/* the datagram's own: *err says which */
	OUT_FULL,		/* the socket's buffer is full: stop */
	OUT_REFUSED,		/* the train cannot be segmented */
};

/* The tries of one datagram; zero it for each. */
struct out_cure {
	unsigned tries;
};

/* Prepares entry i for m, as a train if seg is not 0. Returns 0, or a negative
 * errno if no such datagram can be sent on this socket. */
int out_prepare(const struct udp *u, struct out_batch *b, unsigned i,
    struct sky_msg *m, uint32_t seg);

/* *err is the positive errno of the failed send; h its datagram. */
enum out_verdict out_judge(struct udp *u, struct out_cure *c, const struct msghdr *h,
    struct sky_msg *m, bool train, int *err);

/* A batch stopped before h, most likely at another datagram's error, which is
 * consumed now: now and then the error queue is relieved. */
void out_stopped(struct udp *u, const struct msghdr *h);

/* Sets the status of a datagram that failed by itself and counts it. */
void out_failed(struct udp *u, struct sky_msg *m, int err);

/* True if m is to leave as one train with one entry of a batch. */
bool out_is_train(struct udp *u, const struct sky_msg *m);

/* Sends m, a train that out_is_train() said no to, in pieces. 0 when settled,
 * or -EAGAIN; then data and len of m are past what went out. */
int out_pieces(struct udp *u, struct out_batch *b, struct sky_msg *m);
/* The same for a train that was just refused. */
int out_singles(struct udp *u, struct out_batch *b, struct sky_msg *m, bool note);

#endif
