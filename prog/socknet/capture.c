/* SPDX-License-Identifier: BSD-2-Clause */
/* capture.c - the packets of a host: see capture.h. */
#include "capture.h"

#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/icmpext.h"
#include "wire/link.h"
#include "wire/quote.h"
#include "wire/udphdr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME 2048u
#define BLOCK (64u * 1024)
#define RINGS (64u << 20)	/* bytes of all rings together */
#define FRAMES_LEAST 128u
#define FRAMES_MOST 2048u

enum { ND_SOLICIT = 135, ND_ADVERT = 136 };

/* A multiple of what fits into a block. */
static unsigned
frames_for(unsigned of)
{
	unsigned n = RINGS / FRAME / (of ? of : 1);

	n = n > FRAMES_MOST ? FRAMES_MOST : n < FRAMES_LEAST ? FRAMES_LEAST : n;
	return n / (BLOCK / FRAME) * (BLOCK / FRAME);
}

int
capture_open(struct capture *c, unsigned of)
{
	unsigned frames = frames_for(of);
	struct tpacket_req req = {
		.tp_block_size = BLOCK, .tp_block_nr = FRAME * frames / BLOCK,
		.tp_frame_size = FRAME, .tp_frame_nr = frames,
	};
	int version = TPACKET_V2, error;
	void *map;

	*c = (struct capture){ .fd = -1, .frames = frames };
	c->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (c->fd < 0)
		return -errno;
	if (!setsockopt(c->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) &&
	    !setsockopt(c->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req))) {
		map = mmap(NULL, (size_t)FRAME * frames, PROT_READ | PROT_WRITE,
		    MAP_SHARED, c->fd, 0);
		if (map != MAP_FAILED) {
			c->ring = map;
			return 0;
		}
	}
	error = errno;
	close(c->fd);
	c->fd = -1;
	return -error;
}

void
capture_skip(struct capture *c, const char *ifname)
{
	if (c->skips < CAPTURE_SKIPS)
		c->skip[c->skips++] = if_nametoindex(ifname);
}

void
capture_close(struct capture *c)
{
	if (c->fd < 0)
		return;
	munmap(c->ring, (size_t)FRAME * c->frames);
	close(c->fd);
	free(c->seen);
	c->fd = -1;
}

static void
decode_arp(struct seen *s, struct sky_rd *rd)
{
	struct sky_arp a;

	if (sky_arp_decode(&a, rd))
		return;
	s->kind = SEEN_ARP;
	s->type = (uint8_t)a.op;
	s->src = sky_ip_addr4(a.spa, 0);
	s->dst = sky_ip_addr4(a.tpa, 0);
}

static void
decode_ports(struct seen *s, const struct sky_ip *ip)
{
	struct sky_rd rd = ip->payload;
	struct sky_udphdr u;

	/* TCP's ports lie where UDP's do. */
	if (ip->off || sky_udphdr_decode(&u, &rd))
		return;
	s->kind = ip->proto == IPPROTO_UDP ? SEEN_UDP : SEEN_TCP;
	s->len = s->kind == SEEN_UDP && u.len >= SKY_UDPHDR_LEN ?
	    u.len - (uint32_t)SKY_UDPHDR_LEN : ip->payload_len;
	sky_addr_set_port(&s->src, u.sport);
	sky_addr_set_port(&s->dst, u.dport);
}

static void
decode_neighbour(struct seen *s, struct sky_rd *rd)
{
	const uint8_t *target = sky_rd_take(rd, 16);

	if (!target)
		return;
	s->kind = SEEN_ARP;
	s->type = s->type == ND_SOLICIT ? SKY_ARP_REQUEST : SKY_ARP_REPLY;
	s->dst = sky_ip_addr6(target, 0);
}

static uint32_t
first_label(const struct sky_icmpext *ext)
{
	struct sky_rd objects = sky_icmpext_objects(ext);
	struct sky_icmpext_obj o;

	while (sky_icmpext_next(&objects, &o) > 0) {
		struct sky_rd stack = sky_rd_of(o.data, o.len);
		struct sky_mpls l;

		if (o.class == SKY_ICMPEXT_MPLS && sky_mpls_next(&stack, &l) > 0)
			return l.label;
	}
	return 0;
}

static void
decode_icmp(struct seen *s, const struct sky_ip *ip)
{
	struct sky_rd rd = ip->payload;
	struct sky_icmpext ext;
	struct sky_quote q;
	struct sky_icmp m;
	size_t quote_len;

	if (ip->off || sky_icmp_decode(&m, &rd))
		return;
	s->kind = SEEN_ICMP;
	s->type = m.type;
	s->code = m.code;
	s->len = ip->payload_len;
	if (ip->family == AF_INET6 && (m.type == ND_SOLICIT || m.type == ND_ADVERT)) {
		decode_neighbour(s, &rd);
		return;
	}
	s->mtu = sky_icmp_mtu(ip->family, &m);
	if (!sky_icmp_quotes(ip->family, m.type))
		return;
	if (sky_icmpext_find(&ext, &quote_len, ip->family, &m, rd.at, sky_rd_left(&rd)))
		s->mpls = first_label(&ext);
	if (sky_quote_decode(&q, ip->family, rd.at, quote_len))
		return;
	s->has_about = true;
	s->about = q.dst;
	s->about_src = q.src;
}

void
capture_decode(struct seen *s, const void *frame, size_t len, size_t full_len)
{
	struct sky_rd rd = sky_rd_of(frame, len);
	struct sky_link link;
	struct sky_ip ip;

	if (sky_link_decode(&link, &rd))
		return;
	s->len = (uint32_t)full_len;
	if (link.type == SKY_LINK_ARP)
		decode_arp(s, &rd);
	if ((link.type != SKY_LINK_IP4 && link.type != SKY_LINK_IP6) ||
	    sky_ip_decode(&ip, rd.at, sky_rd_left(&rd)))
		return;
	s->src = ip.src;
	s->dst = ip.dst;
	s->ttl = ip.ttl;
	s->df = ip.flags & SKY_IP_DF;
	s->more = ip.flags & SKY_IP_MORE;
	s->proto = ip.proto;
	s->off = ip.off;
	s->id = (uint16_t)ip.id;
	s->piece = ip.payload_len;
	if (ip.off)
		s->kind = SEEN_PIECE;
	s->sum = (uint8_t)sky_ip_check_payload(&ip);
	if (ip.proto == IPPROTO_UDP || ip.proto == IPPROTO_TCP)
		decode_ports(s, &ip);
	else if (ip.proto == IPPROTO_ICMP || ip.proto == IPPROTO_ICMPV6)
		decode_icmp(s, &ip);
}

static struct seen *
room_for(struct capture *c)
{
	struct seen *grown;

	if (c->count == c->room) {
		unsigned room = c->room ? c->room * 2 : 256;

		grown = room <= CAPTURE_MAX ? realloc(c->seen, room * sizeof(*grown)) : NULL;
		if (!grown) {
			c->lost++;
			return NULL;
		}
		c->seen = grown;
		c->room = room;
	}
	c->seen[c->count] = (struct seen){ .kind = SEEN_OTHER };
	return &c->seen[c->count++];
}

static void
take(struct capture *c, const struct tpacket2_hdr *h)
{
	const uint8_t *base = (const uint8_t *)h;
	const struct sockaddr_ll *ll =
	    (const void *)(base + TPACKET_ALIGN(sizeof(struct tpacket2_hdr)));
	struct seen *s;

	if (ll->sll_pkttype == PACKET_OTHERHOST)
		return;
	for (unsigned i = 0; i < c->skips; i++)
		if (c->skip[i] == (uint32_t)ll->sll_ifindex)
			return;
	s = room_for(c);
	if (!s)
		return;
	s->out = ll->sll_pkttype == PACKET_OUTGOING;
	s->time_ns = h->tp_sec * UINT64_C(1000000000) + h->tp_nsec;
	s->ifindex = (uint32_t)ll->sll_ifindex;
	capture_decode(s, base + h->tp_mac, h->tp_snaplen, h->tp_len);
}

void
capture_drain(struct capture *c)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	if (c->fd < 0)
		return;
	for (;;) {
		struct tpacket2_hdr *h = (void *)(c->ring + (size_t)c->next * FRAME);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		take(c, h);
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		c->next = (c->next + 1) % c->frames;
	}
	if (!getsockopt(c->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		c->lost += st.tp_drops;
}
