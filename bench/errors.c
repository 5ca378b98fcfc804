/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors.c - every peer is dead: how fast does one thread learn it?
 *
 * Batches of 64 datagrams to 64 closed ports on loopback, where each answer is
 * there before the next datagram is sent: the worst case for a batch, because
 * the kernel stops at every one of them. Each error is read with its
 * destination and its quote. By hand: what was refused for the error of another
 * is sent again, and the error queue is read with recvmmsg.
 */
#include "gate.h"
#include "peers.h"
#include "place.h"
#include "stat.h"

#include <err.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <sockeye/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 21
#define BATCHES 400
#define QUOTE 512
#define CONTROL 256

struct sums {
	uint64_t sent, told;	/* datagrams; errors with the right destination */
	double seconds;
	struct gate gate;
};

static uint8_t payload[PEERS][PEERS_PAYLOAD];
static struct sockaddr_in dead[PEERS];

static void
make_peers(void)
{
	unsigned i;

	for (i = 0; i < PEERS; i++) {
		dead[i].sin_family = AF_INET;
		dead[i].sin_port = htons((uint16_t)(5000 + i));
		dead[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + i);
		peers_payload(payload[i], 0, i);
	}
}

/* The quote names the peer; the destination must be that peer's. */
static bool
is_right(const void *quote, size_t len, const struct sockaddr_in *dst)
{
	unsigned batch, peer;

	return peers_parse(quote, len, &batch, &peer) &&
	    dst->sin_port == dead[peer].sin_port &&
	    dst->sin_addr.s_addr == dead[peer].sin_addr.s_addr;
}

struct hand {
	int fd;
	struct mmsghdr out[PEERS], in[PEERS];
	struct iovec out_io[PEERS], in_io[PEERS];
	struct sockaddr_in dst[PEERS];
	uint8_t quote[PEERS][QUOTE];
	_Alignas(struct cmsghdr) uint8_t ctl[PEERS][CONTROL];
};

static void
hand_open(struct hand *h)
{
	int on = 1;
	unsigned i;

	h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (h->fd < 0)
		err(1, "socket");
	setsockopt(h->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	for (i = 0; i < PEERS; i++) {
		h->out_io[i] = (struct iovec){payload[i], PEERS_PAYLOAD};
		h->out[i].msg_hdr = (struct msghdr){.msg_name = &dead[i],
			.msg_namelen = sizeof(dead[i]), .msg_iov = &h->out_io[i], .msg_iovlen = 1};
		h->in_io[i] = (struct iovec){h->quote[i], QUOTE};
		h->in[i].msg_hdr = (struct msghdr){.msg_name = &h->dst[i],
			.msg_namelen = sizeof(h->dst[i]), .msg_iov = &h->in_io[i], .msg_iovlen = 1,
			.msg_control = h->ctl[i], .msg_controllen = CONTROL};
	}
}

static bool
hand_refused(struct msghdr *m)
{
	struct cmsghdr *c;
	struct sock_extended_err e;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == 3 && e.ee_code == 3;
	}
	return false;
}

static void
hand_batch(void *p, struct sums *s)
{
	struct hand *h = p;
	unsigned i = 0;
	int n, j;

	while (i < PEERS) {
		n = sendmmsg(h->fd, h->out + i, PEERS - i, MSG_DONTWAIT);
		if (n > 0)
			i += (unsigned)n;
		else if (errno != ECONNREFUSED)
			err(1, "sendmmsg");
	}
	s->sent += PEERS;
	while ((n = recvmmsg(h->fd, h->in, PEERS, MSG_ERRQUEUE | MSG_DONTWAIT, NULL)) > 0)
		for (j = 0; j < n; j++) {
			s->told += hand_refused(&h->in[j].msg_hdr) &&
			    is_right(h->quote[j], h->in[j].msg_len, &h->dst[j]);
			h->in[j].msg_hdr.msg_namelen = sizeof(h->dst[j]);
			h->in[j].msg_hdr.msg_controllen = CONTROL;
		}
}

struct ours {
	struct sky_udp u;
	struct sky_msg m[PEERS];
	struct sky_fate f[PEERS];
	uint8_t quotes[PEERS * QUOTE];
};

static void
ours_open(struct ours *o)
{
	struct sky_udp_conf c = {.size = sizeof(c), .family = AF_INET};
	unsigned i;

	errno = -sky_udp_open(&o->u, &c);
	if (errno != 0)
		err(1, "sky_udp_open");
	for (i = 0; i < PEERS; i++) {
		o->m[i].data = payload[i];
		o->m[i].len = PEERS_PAYLOAD;
		o->m[i].have = SKY_MSG_PEER;
		sky_addr_from(&o->m[i].peer, (const void *)&dead[i], sizeof(dead[i]));
	}
}

static void
ours_batch(void *p, struct sums *s)
{
	struct ours *o = p;
	int n, i;

	n = sky_udp_send(&o->u, o->m, PEERS);
	s->sent += n > 0 ? (unsigned)n : 0;
	while ((n = sky_udp_errors(&o->u, o->f, PEERS, o->quotes, sizeof(o->quotes))) > 0)
		for (i = 0; i < n; i++)
			s->told += o->f[i].what == SKY_REFUSED &&
			    is_right(o->f[i].quote, o->f[i].quote_len, &o->f[i].dst.u.in);
}

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct sums
run(void (*batch)(void *, struct sums *), void *sender)
{
	struct sums s = {0};
	unsigned i;

	s.seconds = -now_s();
	gate_count(&s.gate);
	for (i = 0; i < BATCHES; i++)
		batch(sender, &s);
	gate_count(NULL);
	s.seconds += now_s();
	if (s.sent != PEERS * BATCHES || s.told != s.sent)
		errx(1, "%llu datagrams sent, %llu errors told", (unsigned long long)s.sent,
		    (unsigned long long)s.told);
	return s;
}

static void
compare(struct hand *h, struct ours *o, unsigned pairs)
{
	static const char *const names[2] = {"by hand", "sockeye"};
	double rate[2][PAIRS];
	struct stat_range r;
	struct sums s[2];
	unsigned i, w;

	for (i = 0; i < pairs; i++)
		for (w = 0; w < 2; w++) {
			unsigned which = (w + i) % 2;

			s[which] = which ? run(ours_batch, o) : run(hand_batch, h);
			rate[which][i] = (double)s[which].told / s[which].seconds;
		}
	stat_ratio(rate[1], rate[0], pairs, 0.95, &r);
	for (w = 0; w < 2; w++)
		printf("%s: %.1f thousand errors per second, %.4f system calls each; all %llu of %llu"
		    " told\n", names[w], stat_median(rate[w], pairs) / 1e3,
		    (double)(s[w].gate.sends + s[w].gate.recvs + s[w].gate.others) /
		    (double)s[w].told, (unsigned long long)s[w].told,
		    (unsigned long long)s[w].sent);
	printf("ratio %.3f [%.3f, %.3f]\n", r.median, r.low, r.high);
}

int
main(int argc, char **argv)
{
	static struct hand h;
	static struct ours o;
	bool quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
	char machine[256];

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		printf("usage: bench-errors [--quick]\n  --quick  7 pairs instead of %u\n", PAIRS);
		return 0;
	}
	if (argc > 1 && !quick)
		errx(2, "\"%s\": no such argument; see --help", argv[1]);
	errno = -place_network();
	if (errno != 0)
		err(1, "no namespace of our own");
	printf("%s\n%u datagrams per batch, each to another dead peer on loopback; %u batches, %d"
	    " pairs\n", place_machine(machine, sizeof(machine)), PEERS, BATCHES,
	    quick ? 7 : PAIRS);
	place_pin(0);
	place_fifo();
	make_peers();
	hand_open(&h);
	ours_open(&o);
	compare(&h, &o, quick ? 7 : PAIRS);
	close(h.fd);
	sky_udp_close(&o.u);
	return 0;
}
