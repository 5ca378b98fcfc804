/* SPDX-License-Identifier: BSD-2-Clause */
/* libsockeye 0.1.0 in one file. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#define SKY_VERSION "0.1.0"
#include "sockeye.h"
/* --- lib/base/addr.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.c - addresses as values: kernel's form, comparison, kinds. */


#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static void
unmap(struct sky_addr *a, const struct sockaddr_in6 *in6)
{
	*a = (struct sky_addr){ 0 };
	a->u.in.sin_family = AF_INET;
	a->u.in.sin_port = in6->sin6_port;
	memcpy(&a->u.in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
}

int
sky_addr_from(struct sky_addr *a, const struct sockaddr *sa, socklen_t len)
{
	/* sin6_scope_id was added later: older, shorter forms are still met. */
	const size_t short6 = offsetof(struct sockaddr_in6, sin6_scope_id);
	struct sockaddr_in6 in6 = { 0 };
	sa_family_t family = AF_UNSPEC;

	*a = (struct sky_addr){ 0 };
	if (sa && len >= sizeof family)
		memcpy(&family, sa, sizeof family);
	if (family == AF_INET && len >= sizeof a->u.in) {
		memcpy(&a->u.in, sa, sizeof a->u.in);
		memset(a->u.in.sin_zero, 0, sizeof a->u.in.sin_zero);
		return 0;
	}
	if (family != AF_INET6 || len < short6)
		return -EAFNOSUPPORT;
	memcpy(&in6, sa, len < sizeof in6 ? short6 : sizeof in6);
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		unmap(a, &in6);
	else
		a->u.in6 = in6;
	return 0;
}

static void
map(struct sockaddr_in6 *in6, const struct sky_addr *a)
{
	*in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
	in6->sin6_port = a->u.in.sin_port;
	in6->sin6_addr.s6_addr[10] = in6->sin6_addr.s6_addr[11] = 0xff;
	memcpy(in6->sin6_addr.s6_addr + 12, &a->u.in.sin_addr, 4);
}

int
sky_addr_to(const struct sky_addr *a, int family, struct sockaddr_storage *out)
{
	struct sockaddr_in6 in6;
	int own = sky_addr_family(a);

	if (own == AF_INET && family == AF_INET6) {
		map(&in6, a);
		memcpy(out, &in6, sizeof in6);
		return sizeof in6;
	}
	if (own != family || own == AF_UNSPEC)
		return -EAFNOSUPPORT;
	memcpy(out, &a->u, sky_addr_len(a));
	return (int)sky_addr_len(a);
}

int
sky_addr_family(const struct sky_addr *a)
{
	return a->u.sa.sa_family;
}

uint16_t
sky_addr_port(const struct sky_addr *a)
{
	switch (sky_addr_family(a)) {
	case AF_INET:
		return ntohs(a->u.in.sin_port);
	case AF_INET6:
		return ntohs(a->u.in6.sin6_port);
	default:
		return 0;
	}
}

void
sky_addr_set_port(struct sky_addr *a, uint16_t port)
{
	if (sky_addr_family(a) == AF_INET)
		a->u.in.sin_port = htons(port);
	else if (sky_addr_family(a) == AF_INET6)
		a->u.in6.sin6_port = htons(port);
}

socklen_t
sky_addr_len(const struct sky_addr *a)
{
	switch (sky_addr_family(a)) {
	case AF_INET:
		return sizeof a->u.in;
	case AF_INET6:
		return sizeof a->u.in6;
	default:
		return 0;
	}
}

bool
sky_addr_same_host(const struct sky_addr *a, const struct sky_addr *b)
{
	uint32_t x, y;

	if (sky_addr_family(a) != sky_addr_family(b))
		return false;
	if (sky_addr_family(a) == AF_INET)
		return a->u.in.sin_addr.s_addr == b->u.in.sin_addr.s_addr;
	if (sky_addr_family(a) != AF_INET6)
		return true;
	x = a->u.in6.sin6_scope_id;
	y = b->u.in6.sin6_scope_id;
	if (x && y && x != y)
		return false;
	return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr, 16) == 0;
}

bool
sky_addr_equal(const struct sky_addr *a, const struct sky_addr *b)
{
	return sky_addr_port(a) == sky_addr_port(b) && sky_addr_same_host(a, b);
}

uint32_t
sky_addr_hash(const struct sky_addr *a)
{
	uint64_t h = (uint64_t)sky_addr_family(a) << 16 | sky_addr_port(a);
	uint32_t word[4] = { 0 };

	if (sky_addr_family(a) == AF_INET)
		word[0] = a->u.in.sin_addr.s_addr;
	else if (sky_addr_family(a) == AF_INET6)
		memcpy(word, &a->u.in6.sin6_addr, sizeof word);
	for (int i = 0; i < 4; i++) {
		h = (h ^ word[i]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return (uint32_t)h;
}

bool
sky_addr_is_any(const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET)
		return a->u.in.sin_addr.s_addr == 0;
	return sky_addr_family(a) == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

/* True if the IPv4 address begins with these bits, host byte order. */
static bool
begins4(const struct sky_addr *a, uint32_t mask, uint32_t bits)
{
	return sky_addr_family(a) == AF_INET && (ntohl(a->u.in.sin_addr.s_addr) & mask) == bits;
}

bool
sky_addr_is_multicast(const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(&a->u.in6.sin6_addr);
	return begins4(a, 0xf0000000, 0xe0000000);
}

bool
sky_addr_is_link_local(const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET6)
		return IN6_IS_ADDR_LINKLOCAL(&a->u.in6.sin6_addr);
	return begins4(a, 0xffff0000, 0xa9fe0000);
}

bool
sky_addr_is_loopback(const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&a->u.in6.sin6_addr);
	return begins4(a, 0xff000000, 0x7f000000);
}

/* --- lib/base/addrtext.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* addrtext.c - addresses from and to text, without the kernel. */
/* --- lib/base/addrtext.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrtext.h - addresses out of text, as far as that needs no kernel.
 *
 * The public sky_addr_parse() is this and a look at the names of interfaces.
 */
#ifndef SKY_BASE_ADDRTEXT_H
#define SKY_BASE_ADDRTEXT_H



/* Room for the name of an interface with its NUL (the kernel's IFNAMSIZ). */
#define SKY_IFNAME 16

/* Reads every form that sky_addr_parse() names, and "fe80::1%2" with the scope
 * as a number. A scope that is a name is put into ifname, with scope 0 in *a:
 * the caller looks it up; ifname is empty otherwise. "::ffff:192.0.2.1" gives
 * plain IPv4. Returns 0, -EINVAL, -ERANGE for a port above 65535, -ENODEV for a
 * name that is too long for an interface; *a is unspecified then. */
int sky_addr_scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text);

#endif


/* --- lib/base/num.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * num.h - numbers out of text, strictly: digits and nothing else.
 *
 * No sign, no space, no base prefix, no locale; the whole of the text is used
 * or it is refused.
 */
#ifndef SKY_BASE_NUM_H
#define SKY_BASE_NUM_H

#include <stddef.h>
#include <stdint.h>

/* Reads the len bytes at text as a decimal number of 0 .. max into *out. Returns
 * 0, -EINVAL if they are not all digits or there are none, -ERANGE if the number
 * is larger than max; *out is written only on success. */
int sky_num_parse(const char *text, size_t len, uint64_t max, uint64_t *out);

#endif


#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A piece of the text: nothing is changed or copied until it is understood. */
struct span {
	const char *at;
	size_t len;
};

static int
read_port(struct sky_addr *a, struct span s)
{
	uint64_t port;
	int r = sky_num_parse(s.at, s.len, 65535, &port);

	if (r == 0)
		sky_addr_set_port(a, (uint16_t)port);
	return r;
}

/* inet_pton() wants a string. Returns false if the span is no such address. */
static bool
read_bits(int family, struct span s, void *out)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof text)
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return inet_pton(family, text, out) == 1;
}

static bool
read_v4(struct sky_addr *a, struct span host)
{
	*a = (struct sky_addr){ 0 };
	if (!read_bits(AF_INET, host, &a->u.in.sin_addr))
		return false;
	a->u.in.sin_family = AF_INET;
	return true;
}

/* The part behind '%': a number, or a name for the caller. */
static int
read_scope(struct sky_addr *a, char ifname[SKY_IFNAME], struct span s)
{
	uint64_t scope;
	int r = sky_num_parse(s.at, s.len, UINT32_MAX, &scope);

	if (r == 0 && scope > 0) {
		a->u.in6.sin6_scope_id = (uint32_t)scope;
		return 0;
	}
	if (s.len == 0 || r == 0)
		return -EINVAL;
	if (r == -ERANGE || s.len >= SKY_IFNAME)
		return -ENODEV;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || strchr("/%[]\x7f", s.at[i]))
			return -EINVAL;
	memcpy(ifname, s.at, s.len);
	ifname[s.len] = '\0';
	return 0;
}

/* "2001:db8::1", "fe80::1%2", "fe80::1%eth0". */
static int
read_v6(struct sky_addr *a, char ifname[SKY_IFNAME], struct span host)
{
	const char *percent = memchr(host.at, '%', host.len);
	struct span bits = { host.at, percent ? (size_t)(percent - host.at) : host.len };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (!read_bits(AF_INET6, bits, &in6.sin6_addr))
		return -EINVAL;
	sky_addr_from(a, (struct sockaddr *)&in6, sizeof in6);
	if (!percent)
		return 0;
	if (sky_addr_family(a) == AF_INET)
		return -EINVAL;
	return read_scope(a, ifname,
	    (struct span){ percent + 1, host.len - bits.len - 1 });
}

/* "[2001:db8::1]", "[2001:db8::1]:53" */
static int
read_bracketed(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	const char *close = strchr(text, ']');
	int r;

	if (!close || (close[1] != '\0' && close[1] != ':'))
		return -EINVAL;
	r = read_v6(a, ifname, (struct span){ text + 1, (size_t)(close - text) - 1 });
	if (r == 0 && close[1] == ':')
		r = read_port(a, (struct span){ close + 2, strlen(close + 2) });
	return r;
}

/* "192.0.2.1:53" and "192.0.2.1.53": the last separator parts host and port. */
static int
read_v4_port(struct sky_addr *a, const char *text, char separator)
{
	const char *sep = strrchr(text, separator);

	if (!sep || !read_v4(a, (struct span){ text, (size_t)(sep - text) }))
		return -EINVAL;
	return read_port(a, (struct span){ sep + 1, strlen(sep + 1) });
}

static int
scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	const char *colon = strchr(text, ':');
	struct span all = { text, strlen(text) };

	if (text[0] == '[')
		return read_bracketed(a, ifname, text);
	if (colon && strchr(colon + 1, ':'))
		return read_v6(a, ifname, all);
	if (colon)
		return read_v4_port(a, text, ':');
	if (read_v4(a, all))
		return 0;
	return read_v4_port(a, text, '.');
}

int
sky_addr_scan(struct sky_addr *a, char ifname[SKY_IFNAME], const char *text)
{
	int r;

	ifname[0] = '\0';
	r = scan(a, ifname, text);
	if (r != 0) {
		*a = (struct sky_addr){ 0 };
		ifname[0] = '\0';
	}
	return r;
}

static void
write_host(const struct sky_addr *a, char out[SKY_ADDRSTRLEN])
{
	size_t n;

	if (sky_addr_family(a) == AF_INET) {
		inet_ntop(AF_INET, &a->u.in.sin_addr, out, SKY_ADDRSTRLEN);
	} else if (sky_addr_family(a) == AF_INET6) {
		inet_ntop(AF_INET6, &a->u.in6.sin6_addr, out, SKY_ADDRSTRLEN);
		n = strlen(out);
		if (a->u.in6.sin6_scope_id)
			snprintf(out + n, SKY_ADDRSTRLEN - n, "%%%u",
			    (unsigned)a->u.in6.sin6_scope_id);
	} else {
		snprintf(out, SKY_ADDRSTRLEN, "-");
	}
}

char *
sky_addr_format_host(const struct sky_addr *a, char *buf, size_t size)
{
	char host[SKY_ADDRSTRLEN];

	write_host(a, host);
	if (size)
		snprintf(buf, size, "%s", host);
	return buf;
}

char *
sky_addr_format(const struct sky_addr *a, char *buf, size_t size)
{
	bool six = sky_addr_family(a) == AF_INET6;
	char host[SKY_ADDRSTRLEN];

	if (sky_addr_port(a) == 0 || size == 0)
		return sky_addr_format_host(a, buf, size);
	write_host(a, host);
	snprintf(buf, size, "%s%s%s:%u", six ? "[" : "", host, six ? "]" : "",
	    (unsigned)sky_addr_port(a));
	return buf;
}

/* --- lib/base/num.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* num.c - strict numbers; see num.h. */


#include <errno.h>
#include <stdbool.h>

int
sky_num_parse(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	bool over = false;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9)
			return -EINVAL;
		over = over || digit > max || n > (max - digit) / 10;
		n = over ? 0 : n * 10 + digit;
	}
	if (over)
		return -ERANGE;
	*out = n;
	return 0;
}

/* --- lib/base/version.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* --- lib/base/version.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - which sockeye this is; the declaration is the public one. */
#ifndef SKY_BASE_VERSION_H
#define SKY_BASE_VERSION_H



#endif


const char *
sky_version(void)
{
	return SKY_VERSION;
}

/* --- lib/wire/arp.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* arp.c - ARP for IPv4 over Ethernet. */
/* --- lib/wire/arp.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp.h - ARP for IPv4 over Ethernet (RFC 826): 28 bytes.
 *
 * Addresses are bytes in network order. Other hardware and protocols are
 * refused. Pure.
 */
#ifndef SKY_WIRE_ARP_H
#define SKY_WIRE_ARP_H

/* --- lib/base/rd.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rd.h - the bounded reader: the only way packets are read.
 *
 * It cannot overrun: a read past the end gives 0 and sets cut, and every later
 * read gives 0 too; decoders ask once, at the end. Values are big-endian on the
 * wire (network byte order) and native when returned. Never read twice in one
 * expression: C leaves the order open.
 */
#ifndef SKY_RD_H
#define SKY_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sky_rd {
	const uint8_t *at, *end;
	bool cut;
};

static inline struct sky_rd
sky_rd_of(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct sky_rd){ .at = p, .end = p ? p + len : p, .cut = false };
}

static inline size_t
sky_rd_left(const struct sky_rd *r)
{
	return (size_t)(r->end - r->at);
}

/* n bytes where they lie, or NULL (and cut) if there are fewer; then the reader
 * is at its end. Taking 0 bytes never cuts. */
static inline const uint8_t *
sky_rd_take(struct sky_rd *r, size_t n)
{
	const uint8_t *p = r->at;

	if (sky_rd_left(r) < n) {
		r->cut = true;
		r->at = r->end;
		return NULL;
	}
	if (n)
		r->at += n;
	return p;
}

static inline uint8_t
sky_rd_u8(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t
sky_rd_u16(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t
sky_rd_u32(struct sky_rd *r)
{
	const uint8_t *p = sky_rd_take(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* Copies n bytes to out; zeroes out when there are fewer. */
static inline void
sky_rd_copy(struct sky_rd *r, void *out, size_t n)
{
	const uint8_t *p = sky_rd_take(r, n);

	if (p)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

/* A reader of the next n bytes; this one moves past them. Cut if fewer: then
 * the part holds what there is. */
static inline struct sky_rd
sky_rd_part(struct sky_rd *r, size_t n)
{
	size_t have = sky_rd_left(r) < n ? sky_rd_left(r) : n;
	struct sky_rd part = sky_rd_of(r->at, have);

	if (have)
		r->at += have;
	if (have < n)
		r->cut = true;
	return part;
}

#endif

/* --- lib/base/wr.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wr.h - the bounded writer: the only way packets are made.
 *
 * A write past the end writes nothing (never a half) and sets full; every later
 * write of any length writes nothing too. Ask once, at the end.
 * Values are native and become big-endian (network byte order).
 */
#ifndef SKY_WR_H
#define SKY_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sky_wr {
	uint8_t *start, *at, *end;
	bool full;
};

static inline struct sky_wr
sky_wr_of(void *data, size_t size)
{
	uint8_t *p = data;

	return (struct sky_wr){ .start = p, .at = p,
	    .end = p ? p + size : p, .full = false };
}

static inline size_t
sky_wr_len(const struct sky_wr *w)
{
	return (size_t)(w->at - w->start);
}

/* Room for n bytes where they will lie, or NULL (and full). */
static inline uint8_t *
sky_wr_room(struct sky_wr *w, size_t n)
{
	uint8_t *p = w->at;

	if (w->full || (size_t)(w->end - w->at) < n) {
		w->full = true;
		return NULL;
	}
	if (n)
		w->at += n;
	return p;
}

static inline void
sky_wr_u8(struct sky_wr *w, uint8_t v)
{
	uint8_t *p = sky_wr_room(w, 1);

	if (p)
		p[0] = v;
}

static inline void
sky_wr_u16(struct sky_wr *w, uint16_t v)
{
	uint8_t *p = sky_wr_room(w, 2);

	if (p) {
		p[0] = (uint8_t)(v >> 8);
		p[1] = (uint8_t)v;
	}
}

static inline void
sky_wr_u32(struct sky_wr *w, uint32_t v)
{
	uint8_t *p = sky_wr_room(w, 4);

	if (p) {
		p[0] = (uint8_t)(v >> 24);
		p[1] = (uint8_t)(v >> 16);
		p[2] = (uint8_t)(v >> 8);
		p[3] = (uint8_t)v;
	}
}

static inline void
sky_wr_bytes(struct sky_wr *w, const void *data, size_t n)
{
	uint8_t *p = sky_wr_room(w, n);

	if (p && n)
		memcpy(p, data, n);
}

/* n bytes of zero: padding. */
static inline void
sky_wr_zero(struct sky_wr *w, size_t n)
{
	uint8_t *p = sky_wr_room(w, n);

	if (p && n)
		memset(p, 0, n);
}

#endif


#define SKY_ARP_LEN 28

enum { SKY_ARP_REQUEST = 1, SKY_ARP_REPLY = 2 };

struct sky_arp {
	uint16_t op;
	uint8_t sha[6], spa[4];	/* sender */
	uint8_t tha[6], tpa[4];	/* target */
};

/* Returns 0, -EMSGSIZE if cut, -EINVAL if it is not Ethernet (hardware 1 or 6,
 * six bytes) and IPv4. */
int sky_arp_decode(struct sky_arp *a, struct sky_rd *rd);
/* Writes hardware 1. Returns 0 or -ENOSPC. */
int sky_arp_encode(const struct sky_arp *a, struct sky_wr *wr);

#endif


/* --- lib/wire/link.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - what is before the IP header: Ethernet II with IEEE 802.1Q and
 * 802.1ad tags, or nothing.
 *
 * Numbers are native, addresses are bytes as sent. Pure.
 */
#ifndef SKY_WIRE_LINK_H
#define SKY_WIRE_LINK_H




#define SKY_LINK_TAGS 4		/* more are an error */

enum {
	SKY_LINK_IP4 = 0x0800, SKY_LINK_ARP = 0x0806, SKY_LINK_IP6 = 0x86dd,
	SKY_LINK_8021Q = 0x8100, SKY_LINK_8021AD = 0x88a8,
	SKY_LINK_MIN = 0x0600,	/* smaller is a length (IEEE 802.3) */
};

struct sky_link_tag {
	uint16_t tpid;		/* SKY_LINK_8021Q or SKY_LINK_8021AD */
	uint16_t tci;		/* priority, 3 bits; drop eligible, 1; VLAN, 12 */
};

struct sky_link {
	uint8_t dst[6], src[6];
	uint8_t tags;
	struct sky_link_tag tag[SKY_LINK_TAGS];	/* outermost first */
	uint16_t type;		/* Ethertype, or below SKY_LINK_MIN a length */
};

/* Reads an Ethernet header and its tags; leaves the reader behind. Returns 0,
 * -EMSGSIZE if cut, -EINVAL for more than SKY_LINK_TAGS tags. */
int sky_link_decode(struct sky_link *l, struct sky_rd *rd);
/* Returns 0, -EINVAL for too many tags, -ENOSPC. */
int sky_link_encode(const struct sky_link *l, struct sky_wr *wr);

/* The Ethertype of a packet without a link header (TUN, DLT_RAW), by its first
 * four bits; 0 if it is neither IPv4 nor IPv6, or empty. */
uint16_t sky_link_raw(const void *data, size_t len);

#endif


#include <errno.h>

int
sky_arp_decode(struct sky_arp *a, struct sky_rd *rd)
{
	uint16_t hardware = sky_rd_u16(rd);
	uint16_t protocol = sky_rd_u16(rd);
	uint16_t lengths = sky_rd_u16(rd);

	a->op = sky_rd_u16(rd);
	if (!rd->cut && lengths != (6 << 8 | 4))
		return -EINVAL;
	sky_rd_copy(rd, a->sha, 6);
	sky_rd_copy(rd, a->spa, 4);
	sky_rd_copy(rd, a->tha, 6);
	sky_rd_copy(rd, a->tpa, 4);
	if (rd->cut)
		return -EMSGSIZE;
	if ((hardware != 1 && hardware != 6) || protocol != SKY_LINK_IP4)
		return -EINVAL;
	return 0;
}

int
sky_arp_encode(const struct sky_arp *a, struct sky_wr *wr)
{
	sky_wr_u16(wr, 1);
	sky_wr_u16(wr, SKY_LINK_IP4);
	sky_wr_u8(wr, 6);
	sky_wr_u8(wr, 4);
	sky_wr_u16(wr, a->op);
	sky_wr_bytes(wr, a->sha, 6);
	sky_wr_bytes(wr, a->spa, 4);
	sky_wr_bytes(wr, a->tha, 6);
	sky_wr_bytes(wr, a->tpa, 4);
	return wr->full ? -ENOSPC : 0;
}

/* --- lib/wire/cksum.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* cksum.c - the Internet checksum. */
/* --- lib/wire/cksum.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cksum.h - the Internet checksum (RFC 1071) and what it covers.
 *
 * Sums may be collected piece by piece; a piece may have any length and any
 * alignment, an odd one goes on in the middle of a 16-bit word. Values taken
 * and given are native numbers: write them with sky_wr_u16(). Pure.
 */
#ifndef SKY_WIRE_CKSUM_H
#define SKY_WIRE_CKSUM_H



#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sky_cksum {
	uint64_t sum;
	bool odd;		/* an odd number of bytes so far */
};

static inline struct sky_cksum
sky_cksum_start(void)
{
	return (struct sky_cksum){ .sum = 0, .odd = false };
}

void sky_cksum_add(struct sky_cksum *c, const void *data, size_t len);
/* The same as adding its bytes, most significant first. */
void sky_cksum_add_u16(struct sky_cksum *c, uint16_t v);
void sky_cksum_add_u32(struct sky_cksum *c, uint32_t v);

/* The pseudo-header of IPv4 (RFC 768) or IPv6 (RFC 8200, 8.1), by the family of
 * the addresses; len is that of the transport header and its data. dst is the
 * final destination where a routing header or source route is present. Add it
 * before anything odd. Nothing is added for unspecified or mixed families. */
void sky_cksum_add_pseudo(struct sky_cksum *c, const struct sky_addr *src,
    const struct sky_addr *dst, uint8_t proto, uint32_t len);

/* The complement of the sum: what goes into a checksum field, and 0 when the
 * field was part of what was summed and was right. The sum can go on. */
uint16_t sky_cksum_finish(const struct sky_cksum *c);

/* finish() for a UDP field, where 0 would mean "not computed" (RFC 768): an
 * all-zero sum is sent as 0xffff. */
uint16_t sky_cksum_finish_udp(const struct sky_cksum *c);

/* The checksum of one piece. */
uint16_t sky_cksum_of(const void *data, size_t len);

/* The field sum after a 16-bit word that it covers changed (RFC 1624, eq. 3).
 * Not for a UDP field that is 0. */
uint16_t sky_cksum_update(uint16_t sum, uint16_t was, uint16_t is);

enum sky_cksum_state {
	SKY_CKSUM_NONE,		/* UDP field 0, not computed: fine over IPv4, over IPv6
				 * only for tunnels (RFC 6935); or no checksum known
				 * for the protocol */
	SKY_CKSUM_GOOD,
	SKY_CKSUM_BAD,
	SKY_CKSUM_PARTIAL,	/* only the pseudo-header is in it: the interface was
				 * to do the rest, as packets captured on the sending
				 * host or between its namespaces look */
	SKY_CKSUM_CUT,		/* not all bytes are here: nobody can tell */
};

/* Checks the checksum of UDP, TCP, ICMP, ICMPv6 or IGMP. data is the transport
 * header and what follows, of which have bytes are here; len is how many the IP
 * header says there are (a fragment: pass a len larger than have). Bytes behind
 * the UDP length are left out. A UDP length that is less than 8 or more than
 * len is BAD. */
enum sky_cksum_state sky_cksum_check(const struct sky_addr *src, const struct sky_addr *dst,
    uint8_t proto, const void *data, size_t have, size_t len);

/* "none", "good", "bad", "partial", "cut". */
const char *sky_cksum_word(enum sky_cksum_state s);

#endif




/*
 * Ones' complement addition does not care about the byte order of its words
 * (RFC 1071, 2 (B)) nor about their width (2 (C)): add native 64-bit words with
 * the carry brought round, and look at the bytes of the result.
 */
static inline uint64_t
add_carry(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < b);
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint16_t
fold(uint64_t sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

/* The folded sum as a big-endian number; a last odd byte is padded with 0. */
static uint16_t
sum_of(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0;
	uint8_t tail[8] = { 0 }, word[2];
	uint16_t native;

	for (; len >= 16; len -= 16, p += 16) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
	}
	if (len >= 8) {
		a = add_carry(a, load64(p));
		len -= 8;
		p += 8;
	}
	if (len)
		memcpy(tail, p, len);
	b = add_carry(b, load64(tail));
	native = fold(add_carry(a, b));
	memcpy(word, &native, sizeof(word));
	return (uint16_t)(word[0] << 8 | word[1]);
}

static inline uint16_t
swap16(uint16_t v)
{
	return (uint16_t)(v << 8 | v >> 8);
}

void
sky_cksum_add(struct sky_cksum *c, const void *data, size_t len)
{
	uint16_t sum = sum_of(data, len);

	c->sum += c->odd ? swap16(sum) : sum;
	c->odd ^= len & 1;
}

void
sky_cksum_add_u16(struct sky_cksum *c, uint16_t v)
{
	c->sum += c->odd ? swap16(v) : v;
}

void
sky_cksum_add_u32(struct sky_cksum *c, uint32_t v)
{
	sky_cksum_add_u16(c, (uint16_t)(v >> 16));
	sky_cksum_add_u16(c, (uint16_t)v);
}

void
sky_cksum_add_pseudo(struct sky_cksum *c, const struct sky_addr *src,
    const struct sky_addr *dst, uint8_t proto, uint32_t len)
{
	if (src->u.sa.sa_family != dst->u.sa.sa_family)
		return;
	if (src->u.sa.sa_family == AF_INET) {
		sky_cksum_add(c, &src->u.in.sin_addr, 4);
		sky_cksum_add(c, &dst->u.in.sin_addr, 4);
	} else if (src->u.sa.sa_family == AF_INET6) {
		sky_cksum_add(c, &src->u.in6.sin6_addr, 16);
		sky_cksum_add(c, &dst->u.in6.sin6_addr, 16);
	} else {
		return;
	}
	sky_cksum_add_u16(c, proto);
	sky_cksum_add_u32(c, len);
}

uint16_t
sky_cksum_finish(const struct sky_cksum *c)
{
	return (uint16_t)~fold(c->sum);
}

uint16_t
sky_cksum_finish_udp(const struct sky_cksum *c)
{
	uint16_t sum = sky_cksum_finish(c);

	return sum ? sum : 0xffff;
}

uint16_t
sky_cksum_of(const void *data, size_t len)
{
	return (uint16_t)~sum_of(data, len);
}

uint16_t
sky_cksum_update(uint16_t sum, uint16_t was, uint16_t is)
{
	return (uint16_t)~fold((uint64_t)(uint16_t)~sum + (uint16_t)~was + is);
}

static const struct covered {
	uint8_t proto;
	uint8_t at;		/* offset of the field */
	uint8_t head;		/* the least that a header has */
	bool pseudo;
} covereds[] = {
	{ IPPROTO_UDP,    6,  8,  true },
	{ IPPROTO_TCP,    16, 20, true },
	{ IPPROTO_ICMP,   2,  4,  false },
	{ IPPROTO_ICMPV6, 2,  4,  true },
	{ IPPROTO_IGMP,   2,  8,  false },
};

static const struct covered *
covered_find(uint8_t proto)
{
	for (size_t i = 0; i < sizeof(covereds) / sizeof(covereds[0]); i++)
		if (covereds[i].proto == proto)
			return &covereds[i];
	return NULL;
}

static uint16_t
field_at(const uint8_t *data, size_t have, size_t at)
{
	struct sky_rd rd = sky_rd_of(data, have);

	sky_rd_take(&rd, at);
	return sky_rd_u16(&rd);
}

/* What the host leaves for the interface to complete: the sum, not its
 * complement; with segmentation offload some stacks leave the length out. */
static bool
is_partial(uint16_t field, uint16_t pseudo, size_t len)
{
	return field == pseudo ||
	    field == fold((uint64_t)pseudo + (uint16_t)~fold(len));
}

enum sky_cksum_state
sky_cksum_check(const struct sky_addr *src, const struct sky_addr *dst,
    uint8_t proto, const void *data, size_t have, size_t len)
{
	const struct covered *cov = covered_find(proto);
	struct sky_cksum c = sky_cksum_start();
	uint16_t field, pseudo;

	if (!cov)
		return SKY_CKSUM_NONE;
	if (len < cov->head)
		return SKY_CKSUM_BAD;
	if (have < cov->head)
		return SKY_CKSUM_CUT;
	field = field_at(data, have, cov->at);
	if (proto == IPPROTO_UDP) {
		size_t told = field_at(data, have, 4);

		if (told < cov->head || told > len)
			return SKY_CKSUM_BAD;
		if (!field)
			return SKY_CKSUM_NONE;
		len = told;
	}
	if (have < len)
		return SKY_CKSUM_CUT;
	if (cov->pseudo)
		sky_cksum_add_pseudo(&c, src, dst, proto, (uint32_t)len);
	pseudo = fold(c.sum);
	sky_cksum_add(&c, data, len);
	if (sky_cksum_finish(&c) == 0)
		return SKY_CKSUM_GOOD;
	if (cov->pseudo && is_partial(field, pseudo, len))
		return SKY_CKSUM_PARTIAL;
	return SKY_CKSUM_BAD;
}

const char *
sky_cksum_word(enum sky_cksum_state s)
{
	static const char *const words[] = {
		[SKY_CKSUM_NONE] = "none", [SKY_CKSUM_GOOD] = "good",
		[SKY_CKSUM_BAD] = "bad", [SKY_CKSUM_PARTIAL] = "partial",
		[SKY_CKSUM_CUT] = "cut",
	};

	return (size_t)s < sizeof(words) / sizeof(words[0]) ? words[s] : "none";
}

/* --- lib/wire/icmp.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp.c - the ICMP and ICMPv6 header. */
/* --- lib/wire/icmp.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.h - the header that ICMP (RFC 792) and ICMPv6 (RFC 4443) share.
 *
 * Eight bytes: type, code, checksum and four bytes whose meaning depends on the
 * type. Numbers are native. What a type and code mean for a datagram is not
 * said here but in the table of <sockeye/fate.h>. Pure.
 */
#ifndef SKY_WIRE_ICMP_H
#define SKY_WIRE_ICMP_H





#define SKY_ICMP_LEN 8

struct sky_icmp {
	uint8_t type, code;
	uint16_t sum;
	uint32_t rest;
};

/* Returns 0 or -EMSGSIZE; what was cut is 0. */
int sky_icmp_decode(struct sky_icmp *m, struct sky_rd *rd);
/* Writes the members as they are. Returns 0 or -ENOSPC. */
int sky_icmp_encode(const struct sky_icmp *m, struct sky_wr *wr);

/* Puts the checksum into a whole ICMP message that lies at data, len bytes; for
 * ICMPv6 src and dst make the pseudo-header, for ICMP they may be NULL. Returns
 * 0, or -EMSGSIZE if len is less than 4. */
int sky_icmp_seal(void *data, size_t len, const struct sky_addr *src, const struct sky_addr *dst);

/* True if the message quotes the packet that it is about. */
bool sky_icmp_quotes(int family, uint8_t type);

/* The fields of rest, each where the type has it. */
static inline uint16_t
sky_icmp_id(const struct sky_icmp *m)			/* echo, echo reply */
{
	return (uint16_t)(m->rest >> 16);
}

static inline uint16_t
sky_icmp_seq(const struct sky_icmp *m)
{
	return (uint16_t)m->rest;
}

/* 3/4 has 16 bits of it (RFC 1191), packet too big 32; 0: not told, or another
 * type. Not judged: senders lie. */
uint32_t sky_icmp_mtu(int family, const struct sky_icmp *m);
/* Parameter problem: offset of the fault in the quoted packet. */
uint32_t sky_icmp_pointer(int family, const struct sky_icmp *m);
/* RFC 4884: bytes of quote before the extension; 0: the sender does not say, or
 * the type has no such field (it is 3, 11, 12 and ICMPv6 1, 3). */
size_t sky_icmp_quote_len(int family, const struct sky_icmp *m);
/* rest with such a length put in; bytes must be a multiple of the unit, 4 for
 * ICMP and 8 for ICMPv6. */
uint32_t sky_icmp_put_quote_len(int family, uint32_t rest, size_t bytes);
/* True if RFC 4884 lets the type be extended. */
bool sky_icmp_extends(int family, uint8_t type);

#endif


#include <errno.h>

enum use { QUOTES = 1, EXTENDS = 2, MTU = 4, POINTER = 8 };

static const struct sky_icmp_0row {
	int family;
	uint8_t type;
	uint8_t uses;
} sky_icmp_0rows[] = {
	{ AF_INET, 3, QUOTES | EXTENDS | MTU },		/* destination unreachable */
	{ AF_INET, 4, QUOTES },				/* source quench */
	{ AF_INET, 5, QUOTES },				/* redirect */
	{ AF_INET, 11, QUOTES | EXTENDS },		/* time exceeded */
	{ AF_INET, 12, QUOTES | EXTENDS | POINTER },	/* parameter problem */
	{ AF_INET6, 1, QUOTES | EXTENDS },		/* destination unreachable */
	{ AF_INET6, 2, QUOTES | MTU },			/* packet too big */
	{ AF_INET6, 3, QUOTES | EXTENDS },		/* time exceeded */
	{ AF_INET6, 4, QUOTES | POINTER },		/* parameter problem */
};

static unsigned
uses_of(int family, uint8_t type)
{
	for (size_t i = 0; i < sizeof(sky_icmp_0rows) / sizeof(sky_icmp_0rows[0]); i++)
		if (sky_icmp_0rows[i].family == family && sky_icmp_0rows[i].type == type)
			return sky_icmp_0rows[i].uses;
	/* RFC 4443 2.1: types below 128 are errors, and errors quote. */
	return family == AF_INET6 && type < 128 ? QUOTES : 0;
}

int
sky_icmp_decode(struct sky_icmp *m, struct sky_rd *rd)
{
	m->type = sky_rd_u8(rd);
	m->code = sky_rd_u8(rd);
	m->sum = sky_rd_u16(rd);
	m->rest = sky_rd_u32(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_icmp_encode(const struct sky_icmp *m, struct sky_wr *wr)
{
	sky_wr_u8(wr, m->type);
	sky_wr_u8(wr, m->code);
	sky_wr_u16(wr, m->sum);
	sky_wr_u32(wr, m->rest);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmp_seal(void *data, size_t len, const struct sky_addr *src, const struct sky_addr *dst)
{
	struct sky_wr wr = sky_wr_of(data, len), sum;
	struct sky_cksum c = sky_cksum_start();

	if (len < 4)
		return -EMSGSIZE;
	sky_wr_room(&wr, 2);
	sum = wr;
	sky_wr_u16(&wr, 0);
	if (src && dst && src->u.sa.sa_family == AF_INET6)
		sky_cksum_add_pseudo(&c, src, dst, IPPROTO_ICMPV6, (uint32_t)len);
	sky_cksum_add(&c, data, len);
	sky_wr_u16(&sum, sky_cksum_finish(&c));
	return 0;
}

bool
sky_icmp_quotes(int family, uint8_t type)
{
	return uses_of(family, type) & QUOTES;
}

bool
sky_icmp_extends(int family, uint8_t type)
{
	return uses_of(family, type) & EXTENDS;
}

uint32_t
sky_icmp_mtu(int family, const struct sky_icmp *m)
{
	if (!(uses_of(family, m->type) & MTU))
		return 0;
	if (family == AF_INET6)
		return m->rest;
	return m->code == 4 ? m->rest & 0xffff : 0;
}

uint32_t
sky_icmp_pointer(int family, const struct sky_icmp *m)
{
	if (!(uses_of(family, m->type) & POINTER))
		return 0;
	return family == AF_INET6 ? m->rest : m->rest >> 24;
}

size_t
sky_icmp_quote_len(int family, const struct sky_icmp *m)
{
	if (!sky_icmp_extends(family, m->type))
		return 0;
	return family == AF_INET6 ? (size_t)(m->rest >> 24) * 8 : (size_t)(m->rest >> 16 & 0xff) * 4;
}

uint32_t
sky_icmp_put_quote_len(int family, uint32_t rest, size_t bytes)
{
	if (family == AF_INET6)
		return (rest & 0x00ffffff) | (uint32_t)(bytes / 8 & 0xff) << 24;
	return (rest & 0xff00ffff) | (uint32_t)(bytes / 4 & 0xff) << 16;
}

/* --- lib/wire/icmperr.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* icmperr.c - makes ICMP and ICMPv6 errors. */
/* --- lib/wire/icmperr.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmperr.h - makes ICMP and ICMPv6 errors about a packet, as a router or the
 * destination would: for the userspace router and for forging in tests.
 *
 * Builds the whole IP packet: header, ICMP header, quote, extension; all
 * checksums right. Whether an error should be sent is asked apart. Pure.
 */
#ifndef SKY_WIRE_ICMPERR_H
#define SKY_WIRE_ICMPERR_H

/* --- lib/wire/icmpext.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpext.h - what routers append to an ICMP error: the extension structure of
 * RFC 4884, its objects, MPLS label stacks (RFC 4950) and interface
 * information (RFC 5837).
 *
 * Version 2, a checksum, then objects of a class and a type. Numbers are
 * native; pointers point into the caller's bytes. Pure.
 */
#ifndef SKY_WIRE_ICMPEXT_H
#define SKY_WIRE_ICMPEXT_H



struct sky_icmpext {
	const uint8_t *at;	/* the structure, with its header of 4 bytes */
	size_t len;
	enum sky_cksum_state state; /* GOOD, BAD, or NONE: the field is 0, which
				 * says that no checksum was sent (RFC 4884, 7) */
	bool guessed;		/* found at byte 128 although the sender does not say
				 * how long the quote is (RFC 4884, 5.5) */
};

/* Divides body, all that follows the 8 bytes of an ICMP error's header, into the
 * quote and the extension: *quote_len is the length of the first. Returns 1 if
 * there is an extension, else 0 with the whole body as quote. A sender that does
 * not give a length is believed to have put an extension at byte 128 only when
 * its version and a checksum other than 0 are right. The whole body is needed:
 * of one that was cut no extension is guessed. */
int sky_icmpext_find(struct sky_icmpext *ext, size_t *quote_len, int family,
    const struct sky_icmp *m, const void *body, size_t len);

/* Looks at bytes known to be an extension (as the kernel's error queue says
 * where it begins). Returns 0, -EMSGSIZE if there are fewer than 4, -EINVAL if
 * the version is not 2. */
int sky_icmpext_decode(struct sky_icmpext *ext, const void *data, size_t len);

enum {
	SKY_ICMPEXT_MPLS = 1,		/* type 1: incoming label stack */
	SKY_ICMPEXT_INTERFACE = 2,	/* the type is bits, see below */
	SKY_ICMPEXT_QUERY = 3,		/* RFC 8335 */
};

struct sky_icmpext_obj {
	uint8_t class, type;
	uint16_t len;		/* of data; without the object's header of 4 bytes */
	const uint8_t *data;
};

/* A reader of the objects, for sky_icmpext_next(). */
struct sky_rd sky_icmpext_objects(const struct sky_icmpext *ext);
/* The next object: 1, 0 at the end, -EINVAL if its length is impossible. */
int sky_icmpext_next(struct sky_rd *objects, struct sky_icmpext_obj *obj);

/* One entry of a label stack (RFC 3032, 2.1). */
struct sky_mpls {
	uint32_t label;		/* 20 bits */
	uint8_t tc;		/* 3 bits */
	bool bottom;
	uint8_t ttl;
};
/* Returns 1, 0 at the end (a rest of fewer than 4 bytes is the end, and cut). */
int sky_mpls_next(struct sky_rd *stack, struct sky_mpls *out);
/* Returns 0 or -ENOSPC. */
int sky_mpls_encode(const struct sky_mpls *in, struct sky_wr *wr);

/* Which interface it was. */
enum sky_icmpext_role {
	SKY_IF_INCOMING, SKY_IF_SUB, SKY_IF_OUTGOING, SKY_IF_NEXT_HOP,
};
enum { SKY_IF_INDEX = 8, SKY_IF_ADDR = 4, SKY_IF_NAME = 2, SKY_IF_MTU = 1 };

#define SKY_IF_NAMESIZE 64	/* 63 bytes and the NUL */

struct sky_icmpext_if {
	uint8_t role;		/* enum sky_icmpext_role */
	uint8_t have;		/* SKY_IF_INDEX | ... */
	uint32_t index;
	struct sky_addr addr;	/* of the interface, or of the next hop; port 0 */
	char name[SKY_IF_NAMESIZE]; /* bytes as sent, ends at the first NUL */
	uint32_t mtu;
};

/* Reads an object of class SKY_ICMPEXT_INTERFACE. Returns 0, or -EINVAL if a
 * part is cut, an address is of no known family or a name has an impossible
 * length; then have says which parts before it are right. */
int sky_icmpext_if_decode(struct sky_icmpext_if *f, const struct sky_icmpext_obj *obj);
/* Writes such an object with its header. Returns 0, -EINVAL or -ENOSPC. */
int sky_icmpext_if_encode(const struct sky_icmpext_if *f, struct sky_wr *wr);

/* Making one: begin writes the header, obj an object (len a multiple of 4, else
 * -EINVAL), end puts the checksum; start is what sky_wr_len() was at begin.
 * Return 0 or -ENOSPC. */
int sky_icmpext_begin(struct sky_wr *wr);
int sky_icmpext_obj_encode(const struct sky_icmpext_obj *obj, struct sky_wr *wr);
int sky_icmpext_end(struct sky_wr *wr, size_t start);

#endif

/* --- lib/wire/ip.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.h - an IP packet of either version, as the rest of the code wants it.
 *
 * One struct for both: ends, protocol, fragment, and the payload that is here.
 * Cut and damaged packets are normal (captures, quotes): as much as can be read
 * is told, and flags say what is wrong. Numbers are native. Pure.
 */
#ifndef SKY_WIRE_IP_H
#define SKY_WIRE_IP_H


/* --- lib/wire/ip4.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip4.h - the IPv4 header (RFC 791), its options and fragment fields.
 *
 * Numbers are native; lengths and offsets are bytes; addresses are four bytes
 * in network order. Pointers point into the caller's packet. Pure.
 */
#ifndef SKY_WIRE_IP4_H
#define SKY_WIRE_IP4_H





#define SKY_IP4_HLEN 20		/* without options */
#define SKY_IP4_HMAX 60		/* with all that fit */

struct sky_ip4 {
	uint8_t hlen;		/* header with options, 20..60 */
	uint8_t tos;
	uint16_t len;		/* of the packet, header included, as told */
	uint16_t id;
	bool reserved, df, mf;	/* the three flag bits */
	uint16_t off;		/* fragment offset in bytes, a multiple of 8 */
	uint8_t ttl, proto;
	uint16_t sum;		/* as read; encode computes its own */
	uint8_t src[4], dst[4];
	const uint8_t *opts;	/* hlen - 20 bytes, or NULL if there are none */
};

/* Reads a header and leaves the reader behind its options. Returns 0, -EMSGSIZE
 * if it is cut, -EINVAL if the version is not 4 or the header length is less
 * than 20. len is not judged: see sky_ip4_payload(). */
int sky_ip4_decode(struct sky_ip4 *ip, struct sky_rd *rd);

/* Writes hlen bytes with a right checksum. hlen - 20 bytes of opts are copied.
 * Returns 0, -EINVAL if hlen is no multiple of 4 in 20..60 or off no multiple
 * of 8 below 65536, -ENOSPC. */
int sky_ip4_encode(const struct sky_ip4 *ip, struct sky_wr *wr);

/* What len says of the payload, given a reader behind the header: *part is the
 * payload that is here, without padding of the link. Returns 0, -EMSGSIZE if
 * some is missing (part is what there is), -EINVAL if len is less than hlen
 * (part is empty). */
int sky_ip4_payload(const struct sky_ip4 *ip, struct sky_rd *rd, struct sky_rd *part);

/* Checks the header checksum of the packet that begins at data: GOOD, BAD, or
 * CUT if not all of the header is there. */
enum sky_cksum_state sky_ip4_check(const void *data, size_t len);

/* Gives the header at data another TTL and mends its checksum incrementally, as
 * a router does. Returns 0, or -EMSGSIZE with nothing changed. */
int sky_ip4_set_ttl(void *data, size_t len, uint8_t ttl);

/* Options (RFC 791, 3.1). */
enum {
	SKY_IP4_OPT_END = 0, SKY_IP4_OPT_NOP = 1, SKY_IP4_OPT_RR = 7,
	SKY_IP4_OPT_TS = 68, SKY_IP4_OPT_LSRR = 131, SKY_IP4_OPT_SSRR = 137,
	SKY_IP4_OPT_RA = 148,
	SKY_IP4_OPT_COPY = 0x80,	/* the bit: it goes into every fragment */
};

struct sky_ip4_opt {
	uint8_t type;
	uint8_t len;		/* whole option; 1 for NOP */
	const uint8_t *data;	/* len - 2 bytes behind type and length, or NULL */
};

/* A reader of the options of a decoded header. */
struct sky_rd sky_ip4_opts(const struct sky_ip4 *ip);

/* The next option: 1, 0 at the end (or at END), -EINVAL if its length is
 * impossible. NOPs are given as options. */
int sky_ip4_opt_next(struct sky_rd *opts, struct sky_ip4_opt *opt);

/* The address at the end of a source route that is not yet used up, which is
 * the destination that transport checksums cover; else dst. Four bytes. */
const uint8_t *sky_ip4_final(const struct sky_ip4 *ip);

#endif

/* --- lib/wire/ip6.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6.h - the IPv6 header and its chain of extension headers (RFC 8200).
 *
 * Numbers are native; lengths and offsets are bytes; addresses are sixteen
 * bytes in network order. Pointers point into the caller's packet. Pure.
 * Jumbograms (RFC 2675) are not followed: their payload length is told as 0.
 */
#ifndef SKY_WIRE_IP6_H
#define SKY_WIRE_IP6_H




#define SKY_IP6_HLEN 40
#define SKY_IP6_FRAGLEN 8
#define SKY_IP6_CHAIN_MAX 16	/* more extension headers are an error */

struct sky_ip6 {
	uint8_t tclass;
	uint32_t flow;		/* 20 bits */
	uint16_t plen;		/* of all that follows the 40 bytes, as told */
	uint8_t next;
	uint8_t hops;
	uint8_t src[16], dst[16];
};

/* Returns 0, -EMSGSIZE if cut, -EINVAL if the version is not 6. */
int sky_ip6_decode(struct sky_ip6 *ip, struct sky_rd *rd);
/* Writes 40 bytes. Returns 0 or -ENOSPC. */
int sky_ip6_encode(const struct sky_ip6 *ip, struct sky_wr *wr);

struct sky_ip6_frag {
	uint8_t next;
	uint16_t off;		/* bytes, a multiple of 8 */
	bool more;
	uint32_t id;
};

/* The fragment header (RFC 8200, 4.5), 8 bytes. decode: 0 or -EMSGSIZE; encode:
 * 0, -EINVAL if off is no multiple of 8, -ENOSPC. Reserved bits are sent as 0. */
int sky_ip6_frag_decode(struct sky_ip6_frag *f, struct sky_rd *rd);
int sky_ip6_frag_encode(const struct sky_ip6_frag *f, struct sky_wr *wr);

struct sky_ip6_chain {
	uint8_t proto;		/* what the chain ends with: IPPROTO_UDP, ..., or the
				 * header that could not be read */
	uint8_t count;		/* extension headers passed */
	uint32_t len;		/* their bytes: proto begins behind them */
	uint32_t unfrag_len;	/* of the part that every fragment repeats: up to the
				 * fragment header, or to where a sender would put one */
	uint32_t next_at;	/* offset, from the end of the 40 bytes, of the byte
				 * that names what follows the unfragmentable part;
				 * SKY_IP6_IN_BASE: it is in the base header */
	bool has_frag;
	struct sky_ip6_frag frag;
	const uint8_t *final;	/* last address of a routing header with segments left
				 * (types 0, 2, 4), which checksums cover; or NULL */
};
#define SKY_IP6_IN_BASE UINT32_MAX

/* Walks hop-by-hop, routing, destination, fragment and authentication headers,
 * given the next header of the base header and a reader behind it; leaves the
 * reader at proto. A fragment that is not the first ends the chain: what follows
 * is data. Returns 0, -EMSGSIZE if a header is cut, -EINVAL if there are more
 * than SKY_IP6_CHAIN_MAX or two fragment headers. After an error the members tell how far it came. */
int sky_ip6_chain_decode(struct sky_ip6_chain *c, uint8_t next, struct sky_rd *rd);

#endif


enum sky_ip_flag {
	SKY_IP_DF = 1u << 0,		/* always, for IPv6 */
	SKY_IP_FRAG = 1u << 1,		/* a fragment: off or more is not 0 */
	SKY_IP_MORE = 1u << 2,
	SKY_IP_CUT = 1u << 3,		/* fewer bytes here than len says */
	SKY_IP_BAD_LEN = 1u << 4,	/* len is less than the headers: payload is
					 * taken to be all that is here */
	SKY_IP_BAD_HEAD = 1u << 5,	/* options or extension headers do not end
					 * within the packet: there is no payload */
};

struct sky_ip {
	int family;			/* AF_INET, AF_INET6 */
	uint32_t flags;			/* enum sky_ip_flag */
	struct sky_addr src, dst;	/* ports 0 */
	struct sky_addr final;		/* dst, or the end of a source route */
	uint8_t proto;			/* of the payload */
	uint8_t ttl, tos;
	uint32_t id;			/* 16 bits; IPv6: of a fragment header, or 0 */
	uint16_t off;			/* of the fragment, bytes */
	uint32_t head_len;		/* all headers before the payload */
	uint32_t len;			/* of the packet, headers included, as told */
	uint32_t payload_len;		/* len - head_len, or 0 */
	struct sky_rd payload;		/* what is here of it, padding left out */
};

/* Returns 0, -EMSGSIZE if less than the fixed header is here, -EINVAL if it is
 * neither IPv4 nor IPv6. */
int sky_ip_decode(struct sky_ip *ip, const void *data, size_t len);

/* Checks the transport checksum. Fragments give CUT: the rest is elsewhere. */
enum sky_cksum_state sky_ip_check_payload(const struct sky_ip *ip);

/* Makes an address of four or sixteen bytes in network order. */
struct sky_addr sky_ip_addr4(const uint8_t bytes[static 4], uint16_t port);
struct sky_addr sky_ip_addr6(const uint8_t bytes[static 16], uint16_t port);

#endif


struct sky_icmperr {
	struct sky_addr from;	/* who says so: becomes the source; its family must be
				 * that of the packet */
	uint8_t type, code;
	uint32_t rest;		/* the last four bytes of the ICMP header: the MTU, or
				 * the pointer (<< 24 for ICMP); see icmp.h */
	uint8_t ttl;		/* 0: 64 */
	uint8_t tos;
	uint16_t id;		/* IPv4 identification */
	size_t limit;		/* bytes of IP packet; 0: 576 (RFC 1812, 4.3.2.3), 1280
				 * (RFC 4443, 2.4 (c)) */
	size_t quote_max;	/* at most so many bytes are quoted; 0: what fits */
	const void *ext;	/* extension structure (icmpext.h), or NULL */
	size_t ext_len;
	bool hide_length;	/* leave RFC 4884's length field 0, as senders older
				 * than it do; the quote is then made 128 bytes */
};

/* Writes the error about packet to out, to the packet's source. With an
 * extension the quote is padded with zeros to 128 bytes or cut so that both fit
 * (RFC 4884, 4.1 to 4.5). Returns the length of the IP packet, -EINVAL if packet
 * is not IP of the family of from, if a type that RFC 4884 does not extend is to
 * be, or if the limit leaves no room, -ENOSPC if size is too small. */
int sky_icmperr_build(const struct sky_icmperr *e, const void *packet, size_t len,
    void *out, size_t size);

/* True if a host or router may send such an error about the packet: never about
 * an ICMP error, a fragment other than the first, a packet to a group or
 * broadcast (except ICMPv6 2 and 4/2) or from what is no single host (RFC 1122,
 * 3.2.2; RFC 4443, 2.4 (e)). Link-layer broadcast is the caller's to know. */
bool sky_icmperr_may(uint8_t type, uint8_t code, const void *packet, size_t len);

#endif


#include <errno.h>

#define EXT_QUOTE_MIN 128

struct plan {
	size_t quote;		/* bytes of the packet */
	size_t pad;		/* zeros behind them */
	size_t icmp_len;
};

/* How much is quoted: RFC 4884 counts words of 4 bytes in ICMP, of 8 in ICMPv6,
 * in one byte. */
static int
plan_quote(struct plan *p, const struct sky_icmperr *e, int family, size_t len)
{
	size_t head = family == AF_INET6 ? SKY_IP6_HLEN : SKY_IP4_HLEN;
	size_t unit = family == AF_INET6 ? 8 : 4;
	size_t limit = e->limit ? e->limit : family == AF_INET6 ? 1280 : 576;
	size_t over = head + SKY_ICMP_LEN + e->ext_len;
	size_t room, told;

	if (limit > UINT16_MAX || over > limit)
		return -EINVAL;
	room = limit - over;
	p->quote = e->quote_max && e->quote_max < len ? e->quote_max : len;
	if (!e->ext) {
		p->quote = p->quote < room ? p->quote : room;
		p->icmp_len = SKY_ICMP_LEN + p->quote;
		return 0;
	}
	room = room < 255 * unit ? room / unit * unit : 255 * unit;
	if (e->hide_length && room > EXT_QUOTE_MIN)
		room = EXT_QUOTE_MIN;
	if (room < EXT_QUOTE_MIN)
		return -EINVAL;
	p->quote = p->quote < room ? p->quote : room;
	told = (p->quote + unit - 1) / unit * unit;
	if (told < EXT_QUOTE_MIN)
		told = EXT_QUOTE_MIN;
	p->pad = told - p->quote;
	p->icmp_len = SKY_ICMP_LEN + told + e->ext_len;
	return 0;
}

static int
write_ip(struct sky_wr *wr, const struct sky_icmperr *e, const struct sky_addr *to, size_t len)
{
	uint8_t ttl = e->ttl ? e->ttl : 64;
	struct sky_ip4 h4 = {
		.hlen = SKY_IP4_HLEN, .tos = e->tos, .len = (uint16_t)(SKY_IP4_HLEN + len),
		.id = e->id, .ttl = ttl, .proto = IPPROTO_ICMP,
	};
	struct sky_ip6 h6 = {
		.tclass = e->tos, .plen = (uint16_t)len, .next = IPPROTO_ICMPV6, .hops = ttl,
	};

	if (to->u.sa.sa_family == AF_INET) {
		memcpy(h4.src, &e->from.u.in.sin_addr, 4);
		memcpy(h4.dst, &to->u.in.sin_addr, 4);
		return sky_ip4_encode(&h4, wr);
	}
	memcpy(h6.src, &e->from.u.in6.sin6_addr, 16);
	memcpy(h6.dst, &to->u.in6.sin6_addr, 16);
	return sky_ip6_encode(&h6, wr);
}

int
sky_icmperr_build(const struct sky_icmperr *e, const void *packet, size_t len,
    void *out, size_t size)
{
	struct sky_icmp m = { .type = e->type, .code = e->code, .rest = e->rest };
	struct sky_wr wr = sky_wr_of(out, size);
	struct plan p = { 0 };
	struct sky_ip ip;
	size_t at;
	int ret = sky_ip_decode(&ip, packet, len);

	if (ret != 0 || ip.family != e->from.u.sa.sa_family)
		return -EINVAL;
	if (e->ext && !sky_icmp_extends(ip.family, e->type))
		return -EINVAL;
	if (plan_quote(&p, e, ip.family, len) != 0)
		return -EINVAL;
	if (e->ext && !e->hide_length)
		m.rest = sky_icmp_put_quote_len(ip.family, m.rest, p.quote + p.pad);
	ret = write_ip(&wr, e, &ip.src, p.icmp_len);
	if (ret != 0)
		return ret;
	at = sky_wr_len(&wr);
	sky_icmp_encode(&m, &wr);
	sky_wr_bytes(&wr, packet, p.quote);
	sky_wr_zero(&wr, p.pad);
	if (e->ext)
		sky_wr_bytes(&wr, e->ext, e->ext_len);
	if (wr.full)
		return -ENOSPC;
	sky_icmp_seal(wr.start + at, p.icmp_len, &e->from, &ip.src);
	return (int)sky_wr_len(&wr);
}

static bool
single_host4(uint32_t a)
{
	return a >> 24 != 0 && a >> 24 != 127 && a < 0xe0000000;
}

static bool
may4(const struct sky_ip *ip)
{
	struct sky_rd rd = ip->payload;
	uint32_t dst = ntohl(ip->dst.u.in.sin_addr.s_addr);

	if (ip->proto == IPPROTO_ICMP && sky_icmp_quotes(AF_INET, sky_rd_u8(&rd)))
		return false;
	if (ip->proto == IPPROTO_ICMP && rd.cut)
		return false;
	return dst < 0xe0000000 && single_host4(ntohl(ip->src.u.in.sin_addr.s_addr));
}

static bool
may6(const struct sky_ip *ip, uint8_t type, uint8_t code)
{
	struct sky_rd rd = ip->payload;
	const struct in6_addr *src = &ip->src.u.in6.sin6_addr;
	bool group_too = type == 2 || (type == 4 && code == 2);
	uint8_t icmp;

	if (IN6_IS_ADDR_UNSPECIFIED(src) || IN6_IS_ADDR_MULTICAST(src))
		return false;
	if (IN6_IS_ADDR_MULTICAST(&ip->dst.u.in6.sin6_addr) && !group_too)
		return false;
	if (ip->proto != IPPROTO_ICMPV6)
		return true;
	icmp = sky_rd_u8(&rd);
	/* 137: a redirect is not answered either (RFC 4443, 2.4 (e.2)). */
	return !rd.cut && icmp >= 128 && icmp != 137;
}

bool
sky_icmperr_may(uint8_t type, uint8_t code, const void *packet, size_t len)
{
	struct sky_ip ip;

	if (sky_ip_decode(&ip, packet, len) != 0 || ip.off)
		return false;
	return ip.family == AF_INET ? may4(&ip) : may6(&ip, type, code);
}

/* --- lib/wire/icmpext.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpext.c - the extension structure of ICMP errors. */


#include <errno.h>

#define LEGACY_AT 128
#define HEAD 4

int
sky_icmpext_decode(struct sky_icmpext *ext, const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t version = sky_rd_u8(&rd) >> 4;
	uint16_t sum;

	sky_rd_u8(&rd);
	sum = sky_rd_u16(&rd);
	*ext = (struct sky_icmpext){ .at = data, .len = len, .state = SKY_CKSUM_BAD };
	if (rd.cut)
		return -EMSGSIZE;
	if (!sum)
		ext->state = SKY_CKSUM_NONE;
	else if (sky_cksum_of(data, len) == 0)
		ext->state = SKY_CKSUM_GOOD;
	return version == 2 ? 0 : -EINVAL;
}

int
sky_icmpext_find(struct sky_icmpext *ext, size_t *quote_len, int family,
    const struct sky_icmp *m, const void *body, size_t len)
{
	size_t at = sky_icmp_quote_len(family, m);
	bool guess = !at && sky_icmp_extends(family, m->type);
	struct sky_rd rd = sky_rd_of(body, len);
	int ret;

	*quote_len = len;
	*ext = (struct sky_icmpext){ .state = SKY_CKSUM_NONE };
	if (guess)
		at = LEGACY_AT;
	if (!at || !sky_rd_take(&rd, at) || sky_rd_left(&rd) < HEAD)
		return 0;
	ret = sky_icmpext_decode(ext, rd.at, sky_rd_left(&rd));
	if (ret != 0 || (guess && ext->state != SKY_CKSUM_GOOD)) {
		*ext = (struct sky_icmpext){ .state = SKY_CKSUM_NONE };
		return 0;
	}
	ext->guessed = guess;
	*quote_len = at;
	return 1;
}

struct sky_rd
sky_icmpext_objects(const struct sky_icmpext *ext)
{
	struct sky_rd rd = sky_rd_of(ext->at, ext->at ? ext->len : 0);

	if (ext->at)
		sky_rd_take(&rd, HEAD);
	return rd;
}

int
sky_icmpext_next(struct sky_rd *objects, struct sky_icmpext_obj *obj)
{
	uint16_t len;

	if (!sky_rd_left(objects))
		return 0;
	len = sky_rd_u16(objects);
	obj->class = sky_rd_u8(objects);
	obj->type = sky_rd_u8(objects);
	if (objects->cut || len < HEAD || len - HEAD > (ptrdiff_t)sky_rd_left(objects))
		return -EINVAL;
	obj->len = (uint16_t)(len - HEAD);
	obj->data = sky_rd_take(objects, obj->len);
	return 1;
}

int
sky_mpls_next(struct sky_rd *stack, struct sky_mpls *out)
{
	uint32_t v;

	if (!sky_rd_left(stack))
		return 0;
	v = sky_rd_u32(stack);
	out->label = v >> 12;
	out->tc = v >> 9 & 7;
	out->bottom = v >> 8 & 1;
	out->ttl = (uint8_t)v;
	return stack->cut ? 0 : 1;
}

int
sky_mpls_encode(const struct sky_mpls *in, struct sky_wr *wr)
{
	sky_wr_u32(wr, in->label << 12 | (in->tc & 7u) << 9 | (uint32_t)in->bottom << 8 | in->ttl);
	return wr->full ? -ENOSPC : 0;
}

/* RFC 5837 4.2: address family number, reserved, address. */
static int
if_addr(struct sky_addr *a, struct sky_rd *rd)
{
	uint16_t afi = sky_rd_u16(rd);

	sky_rd_u16(rd);
	if (afi == 1) {
		a->u.in.sin_family = AF_INET;
		sky_rd_copy(rd, &a->u.in.sin_addr, 4);
	} else if (afi == 2) {
		a->u.in6.sin6_family = AF_INET6;
		sky_rd_copy(rd, &a->u.in6.sin6_addr, 16);
	} else {
		return -EINVAL;
	}
	return rd->cut ? -EINVAL : 0;
}

/* RFC 5837 4.3: a length that counts itself, at most 64, a multiple of 4. */
static int
if_name(char name[static SKY_IF_NAMESIZE], struct sky_rd *rd)
{
	uint8_t len = sky_rd_u8(rd);

	if (rd->cut || len < 1 || len > SKY_IF_NAMESIZE || len % 4)
		return -EINVAL;
	sky_rd_copy(rd, name, len - (size_t)1);
	return rd->cut ? -EINVAL : 0;
}

int
sky_icmpext_if_decode(struct sky_icmpext_if *f, const struct sky_icmpext_obj *obj)
{
	struct sky_rd rd = sky_rd_of(obj->data, obj->len);

	*f = (struct sky_icmpext_if){ .role = obj->type >> 6 };
	if (obj->class != SKY_ICMPEXT_INTERFACE)
		return -EINVAL;
	if (obj->type & SKY_IF_INDEX)
		f->index = sky_rd_u32(&rd);
	if (rd.cut)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_INDEX;
	if (obj->type & SKY_IF_ADDR && if_addr(&f->addr, &rd) != 0) {
		f->addr = (struct sky_addr){ .u.sa.sa_family = AF_UNSPEC };
		return -EINVAL;
	}
	f->have |= obj->type & SKY_IF_ADDR;
	if (obj->type & SKY_IF_NAME && if_name(f->name, &rd) != 0)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_NAME;
	if (obj->type & SKY_IF_MTU)
		f->mtu = sky_rd_u32(&rd);
	if (rd.cut)
		return -EINVAL;
	f->have |= obj->type & SKY_IF_MTU;
	return 0;
}

static void
if_addr_write(const struct sky_addr *a, struct sky_wr *wr)
{
	bool six = a->u.sa.sa_family == AF_INET6;

	sky_wr_u16(wr, six ? 2 : 1);
	sky_wr_u16(wr, 0);
	if (six)
		sky_wr_bytes(wr, &a->u.in6.sin6_addr, 16);
	else
		sky_wr_bytes(wr, &a->u.in.sin_addr, 4);
}

static void
if_name_write(const char *name, struct sky_wr *wr)
{
	size_t len = strnlen(name, SKY_IF_NAMESIZE - 1);
	size_t whole = (1 + len + 3) / 4 * 4;

	sky_wr_u8(wr, (uint8_t)whole);
	sky_wr_bytes(wr, name, len);
	sky_wr_zero(wr, whole - 1 - len);
}

int
sky_icmpext_if_encode(const struct sky_icmpext_if *f, struct sky_wr *wr)
{
	uint8_t buf[4 + 20 + 64 + 4];
	struct sky_wr body = sky_wr_of(buf, sizeof(buf));
	struct sky_icmpext_obj obj = { .class = SKY_ICMPEXT_INTERFACE, .data = buf };

	if (f->role > SKY_IF_NEXT_HOP || f->have & ~0xf)
		return -EINVAL;
	if (f->have & SKY_IF_INDEX)
		sky_wr_u32(&body, f->index);
	if (f->have & SKY_IF_ADDR)
		if_addr_write(&f->addr, &body);
	if (f->have & SKY_IF_NAME)
		if_name_write(f->name, &body);
	if (f->have & SKY_IF_MTU)
		sky_wr_u32(&body, f->mtu);
	obj.type = (uint8_t)(f->role << 6 | f->have);
	obj.len = (uint16_t)sky_wr_len(&body);
	return sky_icmpext_obj_encode(&obj, wr);
}

int
sky_icmpext_begin(struct sky_wr *wr)
{
	sky_wr_u32(wr, 2u << 28);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmpext_obj_encode(const struct sky_icmpext_obj *obj, struct sky_wr *wr)
{
	if (obj->len % 4 || obj->len > UINT16_MAX - HEAD)
		return -EINVAL;
	sky_wr_u16(wr, (uint16_t)(obj->len + HEAD));
	sky_wr_u8(wr, obj->class);
	sky_wr_u8(wr, obj->type);
	sky_wr_bytes(wr, obj->data, obj->len);
	return wr->full ? -ENOSPC : 0;
}

int
sky_icmpext_end(struct sky_wr *wr, size_t start)
{
	size_t len = sky_wr_len(wr) - start;
	struct sky_wr sum = sky_wr_of(wr->start + start, len);

	if (wr->full)
		return -ENOSPC;
	sky_wr_room(&sum, 2);
	sky_wr_u16(&sum, 0);
	sum = sky_wr_of(wr->start + start, len);
	sky_wr_room(&sum, 2);
	sky_wr_u16(&sum, sky_cksum_of(wr->start + start, len));
	return sum.full ? -EINVAL : 0;
}

/* --- lib/wire/ip.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ip.c - an IP packet of either version. */


#include <errno.h>

struct sky_addr
sky_ip_addr4(const uint8_t bytes[static 4], uint16_t port)
{
	struct sky_addr a = { .u.in = { .sin_family = AF_INET, .sin_port = htons(port) } };

	memcpy(&a.u.in.sin_addr, bytes, 4);
	return a;
}

struct sky_addr
sky_ip_addr6(const uint8_t bytes[static 16], uint16_t port)
{
	struct sky_addr a = { .u.in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) } };

	memcpy(&a.u.in6.sin6_addr, bytes, 16);
	return a;
}

/* rd is behind all headers; here is how much of the packet there is. */
static void
take_payload(struct sky_ip *ip, struct sky_rd *rd)
{
	if (ip->len < ip->head_len) {
		ip->flags |= SKY_IP_BAD_LEN;
		ip->payload = *rd;
		return;
	}
	ip->payload_len = ip->len - ip->head_len;
	if (sky_rd_left(rd) < ip->payload_len)
		ip->flags |= SKY_IP_CUT;
	ip->payload = sky_rd_part(rd, ip->payload_len);
}

static int
decode4(struct sky_ip *ip, struct sky_rd *rd)
{
	struct sky_ip4 h;
	struct sky_rd all = *rd;
	int ret = sky_ip4_decode(&h, rd);

	if (ret != 0 && (ret != -EMSGSIZE || sky_rd_left(&all) < SKY_IP4_HLEN))
		return ret;
	ip->family = AF_INET;
	ip->src = sky_ip_addr4(h.src, 0);
	ip->dst = sky_ip_addr4(h.dst, 0);
	ip->final = sky_ip_addr4(sky_ip4_final(&h), 0);
	ip->proto = h.proto;
	ip->ttl = h.ttl;
	ip->tos = h.tos;
	ip->id = h.id;
	ip->off = h.off;
	ip->head_len = h.hlen;
	ip->len = h.len;
	ip->flags = (h.df ? SKY_IP_DF : 0) | (h.mf ? SKY_IP_MORE : 0);
	if (h.mf || h.off)
		ip->flags |= SKY_IP_FRAG;
	if (ret != 0)
		ip->flags |= SKY_IP_BAD_HEAD;
	else
		take_payload(ip, rd);
	return 0;
}

static void
take_chain(struct sky_ip *ip, uint8_t next, struct sky_rd *rd)
{
	struct sky_ip6_chain c;
	int ret = sky_ip6_chain_decode(&c, next, rd);

	ip->proto = c.proto;
	ip->head_len = SKY_IP6_HLEN + c.len;
	if (c.final)
		ip->final = sky_ip_addr6(c.final, 0);
	if (c.has_frag) {
		ip->id = c.frag.id;
		ip->off = c.frag.off;
		ip->flags |= c.frag.more ? SKY_IP_MORE : 0;
		ip->flags |= c.frag.more || c.frag.off ? SKY_IP_FRAG : 0;
	}
	if (ret != 0)
		ip->flags |= SKY_IP_BAD_HEAD;
	else
		take_payload(ip, rd);
}

static int
decode6(struct sky_ip *ip, struct sky_rd *rd)
{
	struct sky_ip6 h;
	struct sky_rd within;
	int ret = sky_ip6_decode(&h, rd);

	if (ret != 0)
		return ret;
	ip->family = AF_INET6;
	ip->flags = SKY_IP_DF;
	ip->src = sky_ip_addr6(h.src, 0);
	ip->dst = sky_ip_addr6(h.dst, 0);
	ip->final = ip->dst;
	ip->ttl = h.hops;
	ip->tos = h.tclass;
	ip->len = SKY_IP6_HLEN + (uint32_t)h.plen;
	if (sky_rd_left(rd) < h.plen)
		ip->flags |= SKY_IP_CUT;
	/* Extension headers must lie within the payload length, too. */
	within = sky_rd_part(rd, h.plen);
	take_chain(ip, h.next, &within);
	return 0;
}

int
sky_ip_decode(struct sky_ip *ip, const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len), peek = rd;
	uint8_t version = sky_rd_u8(&peek) >> 4;

	*ip = (struct sky_ip){ .family = AF_UNSPEC };
	if (peek.cut)
		return -EMSGSIZE;
	if (version == 4)
		return decode4(ip, &rd);
	return version == 6 ? decode6(ip, &rd) : -EINVAL;
}

enum sky_cksum_state
sky_ip_check_payload(const struct sky_ip *ip)
{
	size_t have = sky_rd_left(&ip->payload);

	if (ip->flags & (SKY_IP_FRAG | SKY_IP_BAD_HEAD | SKY_IP_BAD_LEN))
		return SKY_CKSUM_CUT;
	return sky_cksum_check(&ip->src, &ip->final, ip->proto, ip->payload.at, have,
	    ip->payload_len);
}

/* --- lib/wire/ip4.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ip4.c - the IPv4 header. */


#include <errno.h>

int
sky_ip4_decode(struct sky_ip4 *ip, struct sky_rd *rd)
{
	uint8_t first = sky_rd_u8(rd);
	uint16_t frag;

	ip->hlen = (uint8_t)((first & 15) * 4);
	ip->tos = sky_rd_u8(rd);
	ip->len = sky_rd_u16(rd);
	ip->id = sky_rd_u16(rd);
	frag = sky_rd_u16(rd);
	ip->reserved = frag & 0x8000;
	ip->df = frag & 0x4000;
	ip->mf = frag & 0x2000;
	ip->off = (uint16_t)((frag & 0x1fff) * 8);
	ip->ttl = sky_rd_u8(rd);
	ip->proto = sky_rd_u8(rd);
	ip->sum = sky_rd_u16(rd);
	sky_rd_copy(rd, ip->src, 4);
	sky_rd_copy(rd, ip->dst, 4);
	ip->opts = NULL;
	if (rd->cut)
		return -EMSGSIZE;
	if (first >> 4 != 4 || ip->hlen < SKY_IP4_HLEN)
		return -EINVAL;
	if (ip->hlen > SKY_IP4_HLEN)
		ip->opts = sky_rd_take(rd, ip->hlen - (size_t)SKY_IP4_HLEN);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_ip4_encode(const struct sky_ip4 *ip, struct sky_wr *wr)
{
	uint8_t buf[SKY_IP4_HMAX];
	struct sky_wr head = sky_wr_of(buf, sizeof(buf));
	uint16_t flags = (uint16_t)(ip->reserved << 15 | ip->df << 14 | ip->mf << 13);
	struct sky_wr sum;

	if (ip->hlen < SKY_IP4_HLEN || ip->hlen > SKY_IP4_HMAX || ip->hlen % 4 || ip->off % 8)
		return -EINVAL;
	if (ip->hlen > SKY_IP4_HLEN && !ip->opts)
		return -EINVAL;
	sky_wr_u8(&head, (uint8_t)(4 << 4 | ip->hlen / 4));
	sky_wr_u8(&head, ip->tos);
	sky_wr_u16(&head, ip->len);
	sky_wr_u16(&head, ip->id);
	sky_wr_u16(&head, (uint16_t)(flags | ip->off / 8));
	sky_wr_u8(&head, ip->ttl);
	sky_wr_u8(&head, ip->proto);
	sum = head;
	sky_wr_u16(&head, 0);
	sky_wr_bytes(&head, ip->src, 4);
	sky_wr_bytes(&head, ip->dst, 4);
	sky_wr_bytes(&head, ip->opts, ip->hlen - (size_t)SKY_IP4_HLEN);
	sky_wr_u16(&sum, sky_cksum_of(buf, ip->hlen));
	sky_wr_bytes(wr, buf, ip->hlen);
	return wr->full ? -ENOSPC : 0;
}

int
sky_ip4_payload(const struct sky_ip4 *ip, struct sky_rd *rd, struct sky_rd *part)
{
	if (ip->len < ip->hlen) {
		*part = sky_rd_part(rd, 0);
		return -EINVAL;
	}
	*part = sky_rd_part(rd, (size_t)(ip->len - ip->hlen));
	return rd->cut ? -EMSGSIZE : 0;
}

enum sky_cksum_state
sky_ip4_check(const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	size_t hlen = (sky_rd_u8(&rd) & 15) * (size_t)4;

	if (rd.cut || len < hlen)
		return SKY_CKSUM_CUT;
	if (hlen < SKY_IP4_HLEN)
		return SKY_CKSUM_BAD;
	return sky_cksum_of(data, hlen) == 0 ? SKY_CKSUM_GOOD : SKY_CKSUM_BAD;
}

int
sky_ip4_set_ttl(void *data, size_t len, uint8_t ttl)
{
	struct sky_rd rd = sky_rd_of(data, len);
	struct sky_wr wr = sky_wr_of(data, len);
	uint16_t was, is, sum;

	sky_rd_take(&rd, 8);
	was = sky_rd_u16(&rd);
	sum = sky_rd_u16(&rd);
	if (rd.cut)
		return -EMSGSIZE;
	is = (uint16_t)(ttl << 8 | (was & 0xff));
	sky_wr_room(&wr, 8);
	sky_wr_u16(&wr, is);
	sky_wr_u16(&wr, sky_cksum_update(sum, was, is));
	return 0;
}

struct sky_rd
sky_ip4_opts(const struct sky_ip4 *ip)
{
	return sky_rd_of(ip->opts, ip->opts ? ip->hlen - (size_t)SKY_IP4_HLEN : 0);
}

int
sky_ip4_opt_next(struct sky_rd *opts, struct sky_ip4_opt *opt)
{
	if (!sky_rd_left(opts))
		return 0;
	*opt = (struct sky_ip4_opt){ .type = sky_rd_u8(opts), .len = 1 };
	if (opt->type == SKY_IP4_OPT_END)
		return 0;
	if (opt->type == SKY_IP4_OPT_NOP)
		return 1;
	opt->len = sky_rd_u8(opts);
	if (opts->cut || opt->len < 2)
		return -EINVAL;
	opt->data = sky_rd_take(opts, opt->len - (size_t)2);
	return opts->cut ? -EINVAL : 1;
}

/* data[0] is the pointer, counted from 1 at the option's type. */
static const uint8_t *
route_end(const struct sky_ip4_opt *opt)
{
	if (opt->type != SKY_IP4_OPT_LSRR && opt->type != SKY_IP4_OPT_SSRR)
		return NULL;
	if (opt->len < 7 || (opt->len - 3) % 4 || opt->data[0] > opt->len)
		return NULL;
	return opt->data + opt->len - 6;
}

const uint8_t *
sky_ip4_final(const struct sky_ip4 *ip)
{
	struct sky_rd opts = sky_ip4_opts(ip);
	struct sky_ip4_opt opt;

	while (sky_ip4_opt_next(&opts, &opt) > 0) {
		const uint8_t *end = route_end(&opt);

		if (end)
			return end;
	}
	return ip->dst;
}

/* --- lib/wire/ip6.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ip6.c - the IPv6 header and its extension headers. */


#include <errno.h>
#include <netinet/in.h>

int
sky_ip6_decode(struct sky_ip6 *ip, struct sky_rd *rd)
{
	uint32_t first = sky_rd_u32(rd);

	ip->tclass = (uint8_t)(first >> 20);
	ip->flow = first & 0xfffff;
	ip->plen = sky_rd_u16(rd);
	ip->next = sky_rd_u8(rd);
	ip->hops = sky_rd_u8(rd);
	sky_rd_copy(rd, ip->src, 16);
	sky_rd_copy(rd, ip->dst, 16);
	if (rd->cut)
		return -EMSGSIZE;
	return first >> 28 == 6 ? 0 : -EINVAL;
}

int
sky_ip6_encode(const struct sky_ip6 *ip, struct sky_wr *wr)
{
	sky_wr_u32(wr, 6u << 28 | (uint32_t)ip->tclass << 20 | (ip->flow & 0xfffff));
	sky_wr_u16(wr, ip->plen);
	sky_wr_u8(wr, ip->next);
	sky_wr_u8(wr, ip->hops);
	sky_wr_bytes(wr, ip->src, 16);
	sky_wr_bytes(wr, ip->dst, 16);
	return wr->full ? -ENOSPC : 0;
}

int
sky_ip6_frag_decode(struct sky_ip6_frag *f, struct sky_rd *rd)
{
	uint16_t bits;

	f->next = sky_rd_u8(rd);
	sky_rd_u8(rd);
	bits = sky_rd_u16(rd);
	f->off = bits & 0xfff8;
	f->more = bits & 1;
	f->id = sky_rd_u32(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_ip6_frag_encode(const struct sky_ip6_frag *f, struct sky_wr *wr)
{
	if (f->off % 8)
		return -EINVAL;
	sky_wr_u8(wr, f->next);
	sky_wr_u8(wr, 0);
	sky_wr_u16(wr, (uint16_t)(f->off | f->more));
	sky_wr_u32(wr, f->id);
	return wr->full ? -ENOSPC : 0;
}

/* RFC 8200 4.4 type 0, RFC 6275 type 2, RFC 8754 type 4 (listed backwards). */
static const uint8_t *
routing_final(struct sky_rd body)
{
	size_t n = sky_rd_left(&body) / 16;
	const uint8_t *head = sky_rd_take(&body, 8);
	const uint8_t *list = sky_rd_take(&body, n * 16);

	if (!head || !list || !n || !head[3])
		return NULL;
	if (head[2] == 0)
		return list + (n - 1) * 16;
	return head[2] == 2 || head[2] == 4 ? list : NULL;
}

/* One header other than a fragment header. */
static int
step(struct sky_ip6_chain *c, struct sky_rd *rd)
{
	struct sky_rd peek = *rd, body;
	uint8_t next = sky_rd_u8(&peek);
	uint8_t units = sky_rd_u8(&peek);
	size_t len = c->proto == IPPROTO_AH ? (units + (size_t)2) * 4 : (units + (size_t)1) * 8;

	if (peek.cut || sky_rd_left(rd) < len) {
		rd->cut = true;
		return -EMSGSIZE;
	}
	body = sky_rd_part(rd, len);
	if (c->proto == IPPROTO_ROUTING)
		c->final = routing_final(body);
	/* RFC 8200 4.5: through the routing header, else hop-by-hop. */
	if (!c->has_frag && (c->proto == IPPROTO_ROUTING || c->proto == IPPROTO_HOPOPTS)) {
		c->next_at = c->len;
		c->unfrag_len = c->len + (uint32_t)len;
	}
	c->len += (uint32_t)len;
	c->proto = next;
	return 0;
}

static int
step_frag(struct sky_ip6_chain *c, struct sky_rd *rd, uint32_t named_at)
{
	struct sky_rd peek = *rd;
	struct sky_ip6_frag frag;

	if (c->has_frag)
		return -EINVAL;
	if (sky_ip6_frag_decode(&frag, &peek) != 0) {
		rd->cut = true;
		return -EMSGSIZE;
	}
	*rd = peek;
	c->unfrag_len = c->len;
	c->next_at = named_at;
	c->frag = frag;
	c->has_frag = true;
	c->len += SKY_IP6_FRAGLEN;
	c->proto = frag.next;
	return 0;
}

static bool
is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING ||
	    proto == IPPROTO_DSTOPTS || proto == IPPROTO_FRAGMENT || proto == IPPROTO_AH;
}

int
sky_ip6_chain_decode(struct sky_ip6_chain *c, uint8_t next, struct sky_rd *rd)
{
	uint32_t named_at = SKY_IP6_IN_BASE;

	*c = (struct sky_ip6_chain){ .proto = next, .next_at = SKY_IP6_IN_BASE };
	while (is_extension(c->proto)) {
		uint32_t at = c->len;
		int ret;

		if (c->has_frag && c->frag.off)
			return 0;
		if (c->count == SKY_IP6_CHAIN_MAX)
			return -EINVAL;
		ret = c->proto == IPPROTO_FRAGMENT ? step_frag(c, rd, named_at) : step(c, rd);
		if (ret != 0)
			return ret;
		named_at = at;
		c->count++;
	}
	return 0;
}

/* --- lib/wire/link.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* link.c - Ethernet. */


#include <errno.h>

static bool
is_tag(uint16_t type)
{
	return type == SKY_LINK_8021Q || type == SKY_LINK_8021AD;
}

int
sky_link_decode(struct sky_link *l, struct sky_rd *rd)
{
	sky_rd_copy(rd, l->dst, 6);
	sky_rd_copy(rd, l->src, 6);
	l->type = sky_rd_u16(rd);
	for (l->tags = 0; is_tag(l->type); l->tags++) {
		if (l->tags == SKY_LINK_TAGS)
			return -EINVAL;
		l->tag[l->tags].tpid = l->type;
		l->tag[l->tags].tci = sky_rd_u16(rd);
		l->type = sky_rd_u16(rd);
	}
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_link_encode(const struct sky_link *l, struct sky_wr *wr)
{
	if (l->tags > SKY_LINK_TAGS)
		return -EINVAL;
	sky_wr_bytes(wr, l->dst, 6);
	sky_wr_bytes(wr, l->src, 6);
	for (uint8_t i = 0; i < l->tags; i++) {
		sky_wr_u16(wr, l->tag[i].tpid);
		sky_wr_u16(wr, l->tag[i].tci);
	}
	sky_wr_u16(wr, l->type);
	return wr->full ? -ENOSPC : 0;
}

uint16_t
sky_link_raw(const void *data, size_t len)
{
	struct sky_rd rd = sky_rd_of(data, len);
	uint8_t version = sky_rd_u8(&rd) >> 4;

	if (version == 4)
		return SKY_LINK_IP4;
	return version == 6 ? SKY_LINK_IP6 : 0;
}

/* --- lib/wire/names.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - words for numbers. */
/* --- lib/wire/names.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - words for IP protocols and Ethertypes (assigned by IANA and IEEE).
 * ICMP types and codes are not here: see the table of <sockeye/fate.h>. Pure.
 */
#ifndef SKY_WIRE_NAMES_H
#define SKY_WIRE_NAMES_H

#include <stdint.h>

/* "udp", "tcp", "icmp", "icmp6", ...; NULL if there is no word. Static. */
const char *sky_names_proto(uint8_t proto);
/* The protocol of a word, or -ENOENT. */
int sky_names_proto_find(const char *word);
/* "ip", "ip6", "arp", "vlan", ...; NULL if there is no word. Static. */
const char *sky_names_ethertype(uint16_t type);

#endif


#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct sky_names_0row {
	uint16_t number;
	const char *word;
} protos[] = {
	{ 0, "hop-by-hop" }, { 1, "icmp" }, { 2, "igmp" }, { 4, "ipip" }, { 6, "tcp" },
	{ 17, "udp" }, { 33, "dccp" }, { 41, "ip6" }, { 43, "routing" }, { 44, "fragment" },
	{ 46, "rsvp" }, { 47, "gre" }, { 50, "esp" }, { 51, "ah" }, { 58, "icmp6" },
	{ 59, "no-next" }, { 60, "destination" }, { 89, "ospf" }, { 103, "pim" },
	{ 112, "vrrp" }, { 132, "sctp" }, { 136, "udplite" }, { 137, "mpls" },
}, ethertypes[] = {
	{ 0x0800, "ip" }, { 0x0806, "arp" }, { 0x8035, "rarp" }, { 0x8100, "vlan" },
	{ 0x86dd, "ip6" }, { 0x8847, "mpls" }, { 0x8848, "mpls-multicast" },
	{ 0x8863, "pppoe-discovery" }, { 0x8864, "pppoe" }, { 0x888e, "eapol" },
	{ 0x88a8, "qinq" }, { 0x88cc, "lldp" },
};

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const char *
word_of(const struct sky_names_0row *rows, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].number == number)
			return rows[i].word;
	return NULL;
}

const char *
sky_names_proto(uint8_t proto)
{
	return word_of(protos, ROWS(protos), proto);
}

int
sky_names_proto_find(const char *word)
{
	for (size_t i = 0; i < ROWS(protos); i++)
		if (strcmp(protos[i].word, word) == 0)
			return protos[i].number;
	return -ENOENT;
}

const char *
sky_names_ethertype(uint16_t type)
{
	return word_of(ethertypes, ROWS(ethertypes), type);
}

/* --- lib/wire/quote.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* quote.c - the packet quoted inside an ICMP error. */
/* --- lib/wire/quote.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quote.h - the packet quoted inside an ICMP or ICMPv6 error.
 *
 * Quotes are cut (RFC 792 asks for the IP header and 8 bytes, RFC 1812 and 4443
 * for as much as fits), padded (RFC 4884) and changed on the way (TTL, checksum,
 * addresses behind a translator): what is there is told, nothing is demanded but
 * the IP header. A quote proves nothing; compare it with what was sent. Numbers
 * are native; pointers point into the caller's bytes. Pure.
 */
#ifndef SKY_WIRE_QUOTE_H
#define SKY_WIRE_QUOTE_H



enum sky_quote_have {
	SKY_QUOTE_PORTS = 1u << 0,	/* ports are in src and dst */
	SKY_QUOTE_EIGHT = 1u << 1,	/* at least 8 bytes of transport header */
	SKY_QUOTE_SEQ = 1u << 2,	/* TCP: seq is the sequence number; ICMP echo:
					 * id << 16 | sequence number */
	SKY_QUOTE_UDP = 1u << 3,	/* udp_len and udp_sum */
	SKY_QUOTE_PAYLOAD = 1u << 4,	/* the transport header is whole, and payload
					 * points behind it; 0 bytes may be left */
};

struct sky_quote {
	struct sky_ip ip;	/* as quoted: proto, ttl, id, len, fragment, flags */
	struct sky_addr src, dst; /* with ports, if have says so, else 0; dst is the
				 * final destination if there is a source route */
	uint32_t have;		/* enum sky_quote_have */
	uint32_t seq;
	uint16_t udp_len, udp_sum;
	const uint8_t *transport; /* what was quoted behind the IP headers */
	size_t transport_len;
	const uint8_t *payload;	/* what was quoted behind the transport header */
	size_t payload_len;
};

/* data is what follows the ICMP header, without an extension (see icmpext.h),
 * of an error of that family. Returns 0, -EMSGSIZE if not even the fixed IP
 * header is there, -EINVAL if it is no IP header of the family. The transport
 * of a fragment other than the first has no header: have is 0. */
int sky_quote_decode(struct sky_quote *q, int family, const void *data, size_t len);

#endif



/* --- lib/wire/tcphdr.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcphdr.h - the TCP header (RFC 9293, 3.1), as much as quotes, SYNs and resets
 * need. Numbers are native. Pure.
 */
#ifndef SKY_WIRE_TCPHDR_H
#define SKY_WIRE_TCPHDR_H




#define SKY_TCPHDR_LEN 20

enum {
	SKY_TCP_FIN = 0x01, SKY_TCP_SYN = 0x02, SKY_TCP_RST = 0x04, SKY_TCP_PSH = 0x08,
	SKY_TCP_ACK = 0x10, SKY_TCP_URG = 0x20, SKY_TCP_ECE = 0x40, SKY_TCP_CWR = 0x80,
	SKY_TCP_AE = 0x100,
};

struct sky_tcphdr {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t hlen;		/* header with options, 20..60 */
	uint16_t flags;		/* the twelve bits behind the header length */
	uint16_t window, sum, urgent;
	const uint8_t *opts;	/* hlen - 20 bytes, or NULL */
};

/* Returns 0 with the reader behind the options, -EMSGSIZE if cut (quotes often
 * are: the members that were there are right, the others 0), -EINVAL if the
 * header length is less than 20. */
int sky_tcphdr_decode(struct sky_tcphdr *t, struct sky_rd *rd);
/* Writes hlen bytes as they are; the checksum is the caller's. Returns 0,
 * -EINVAL if hlen is no multiple of 4 in 20..60, -ENOSPC. */
int sky_tcphdr_encode(const struct sky_tcphdr *t, struct sky_wr *wr);

#endif

/* --- lib/wire/udphdr.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* udphdr.h - the UDP header (RFC 768): eight bytes. Numbers are native. Pure. */
#ifndef SKY_WIRE_UDPHDR_H
#define SKY_WIRE_UDPHDR_H





#define SKY_UDPHDR_LEN 8

struct sky_udphdr {
	uint16_t sport, dport;
	uint16_t len;		/* header and payload, as told */
	uint16_t sum;		/* 0: not computed */
};

/* Returns 0 or -EMSGSIZE; what was cut is 0. len is not judged. */
int sky_udphdr_decode(struct sky_udphdr *u, struct sky_rd *rd);
/* Writes the members as they are. Returns 0 or -ENOSPC. */
int sky_udphdr_encode(const struct sky_udphdr *u, struct sky_wr *wr);

/* Writes a whole UDP datagram, header with a right checksum and payload, for
 * an IP packet from src to dst (same family; their ports are used). Returns 0,
 * -EINVAL for families that differ, -EMSGSIZE if len is above 65527, -ENOSPC. */
int sky_udphdr_build(struct sky_wr *wr, const struct sky_addr *src,
    const struct sky_addr *dst, const void *data, size_t len);

#endif


#include <errno.h>

static void
set_ports(struct sky_quote *q, uint16_t sport, uint16_t dport)
{
	bool six = q->ip.family == AF_INET6;

	*(six ? &q->src.u.in6.sin6_port : &q->src.u.in.sin_port) = htons(sport);
	*(six ? &q->dst.u.in6.sin6_port : &q->dst.u.in.sin_port) = htons(dport);
	q->have |= SKY_QUOTE_PORTS;
}

static void
set_payload(struct sky_quote *q, const struct sky_rd *rd)
{
	q->have |= SKY_QUOTE_PAYLOAD;
	q->payload = rd->at;
	q->payload_len = sky_rd_left(rd);
}

/* UDP, UDP-Lite, SCTP and DCCP all begin with two ports. */
static void
read_ports(struct sky_quote *q, struct sky_rd rd)
{
	uint16_t sport = sky_rd_u16(&rd);
	uint16_t dport = sky_rd_u16(&rd);

	if (!rd.cut)
		set_ports(q, sport, dport);
}

static void
read_udp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_udphdr u;

	read_ports(q, rd);
	if (sky_udphdr_decode(&u, &rd) != 0)
		return;
	q->udp_len = u.len;
	q->udp_sum = u.sum;
	q->have |= SKY_QUOTE_UDP;
	set_payload(q, &rd);
}

static void
read_tcp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_tcphdr t;
	bool whole;

	read_ports(q, rd);
	whole = sky_tcphdr_decode(&t, &rd) == 0;
	if (q->transport_len >= 8) {
		q->seq = t.seq;
		q->have |= SKY_QUOTE_SEQ;
	}
	if (whole)
		set_payload(q, &rd);
}

static void
read_icmp(struct sky_quote *q, struct sky_rd rd)
{
	struct sky_icmp m;

	if (sky_icmp_decode(&m, &rd) != 0)
		return;
	q->seq = m.rest;
	q->have |= SKY_QUOTE_SEQ;
	set_payload(q, &rd);
}

static const struct sky_quote_0row {
	uint8_t proto;
	void (*read)(struct sky_quote *q, struct sky_rd rd);
} sky_quote_0rows[] = {
	{ IPPROTO_UDP, read_udp },
	{ IPPROTO_TCP, read_tcp },
	{ IPPROTO_ICMP, read_icmp },
	{ IPPROTO_ICMPV6, read_icmp },
	{ IPPROTO_UDPLITE, read_ports },
	{ IPPROTO_SCTP, read_ports },
	{ IPPROTO_DCCP, read_ports },
};

int
sky_quote_decode(struct sky_quote *q, int family, const void *data, size_t len)
{
	int ret;

	*q = (struct sky_quote){ .have = 0 };
	ret = sky_ip_decode(&q->ip, data, len);
	if (ret != 0)
		return ret;
	if (q->ip.family != family)
		return -EINVAL;
	q->src = q->ip.src;
	q->dst = q->ip.final;
	q->transport = q->ip.payload.at;
	q->transport_len = sky_rd_left(&q->ip.payload);
	if (q->ip.off)
		return 0;
	if (q->transport_len >= 8)
		q->have |= SKY_QUOTE_EIGHT;
	for (size_t i = 0; i < sizeof(sky_quote_0rows) / sizeof(sky_quote_0rows[0]); i++)
		if (sky_quote_0rows[i].proto == q->ip.proto)
			sky_quote_0rows[i].read(q, q->ip.payload);
	return 0;
}

/* --- lib/wire/tcphdr.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* tcphdr.c - the TCP header. */


#include <errno.h>

int
sky_tcphdr_decode(struct sky_tcphdr *t, struct sky_rd *rd)
{
	uint16_t bits;

	t->sport = sky_rd_u16(rd);
	t->dport = sky_rd_u16(rd);
	t->seq = sky_rd_u32(rd);
	t->ack = sky_rd_u32(rd);
	bits = sky_rd_u16(rd);
	t->hlen = (uint8_t)((bits >> 12) * 4);
	t->flags = bits & 0xfff;
	t->window = sky_rd_u16(rd);
	t->sum = sky_rd_u16(rd);
	t->urgent = sky_rd_u16(rd);
	t->opts = NULL;
	if (rd->cut)
		return -EMSGSIZE;
	if (t->hlen < SKY_TCPHDR_LEN)
		return -EINVAL;
	if (t->hlen > SKY_TCPHDR_LEN)
		t->opts = sky_rd_take(rd, t->hlen - (size_t)SKY_TCPHDR_LEN);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_tcphdr_encode(const struct sky_tcphdr *t, struct sky_wr *wr)
{
	if (t->hlen < SKY_TCPHDR_LEN || t->hlen > 60 || t->hlen % 4)
		return -EINVAL;
	if (t->hlen > SKY_TCPHDR_LEN && !t->opts)
		return -EINVAL;
	sky_wr_u16(wr, t->sport);
	sky_wr_u16(wr, t->dport);
	sky_wr_u32(wr, t->seq);
	sky_wr_u32(wr, t->ack);
	sky_wr_u16(wr, (uint16_t)(t->hlen / 4 << 12 | (t->flags & 0xfff)));
	sky_wr_u16(wr, t->window);
	sky_wr_u16(wr, t->sum);
	sky_wr_u16(wr, t->urgent);
	sky_wr_bytes(wr, t->opts, t->hlen - (size_t)SKY_TCPHDR_LEN);
	return wr->full ? -ENOSPC : 0;
}

/* --- lib/wire/udphdr.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* udphdr.c - the UDP header. */


#include <errno.h>

int
sky_udphdr_decode(struct sky_udphdr *u, struct sky_rd *rd)
{
	u->sport = sky_rd_u16(rd);
	u->dport = sky_rd_u16(rd);
	u->len = sky_rd_u16(rd);
	u->sum = sky_rd_u16(rd);
	return rd->cut ? -EMSGSIZE : 0;
}

int
sky_udphdr_encode(const struct sky_udphdr *u, struct sky_wr *wr)
{
	sky_wr_u16(wr, u->sport);
	sky_wr_u16(wr, u->dport);
	sky_wr_u16(wr, u->len);
	sky_wr_u16(wr, u->sum);
	return wr->full ? -ENOSPC : 0;
}

static uint16_t
port_of(const struct sky_addr *a)
{
	return ntohs(a->u.sa.sa_family == AF_INET ? a->u.in.sin_port : a->u.in6.sin6_port);
}

int
sky_udphdr_build(struct sky_wr *wr, const struct sky_addr *src,
    const struct sky_addr *dst, const void *data, size_t len)
{
	struct sky_udphdr u = { .len = (uint16_t)(len + SKY_UDPHDR_LEN) };
	struct sky_cksum c = sky_cksum_start();
	uint8_t *head;

	if (src->u.sa.sa_family != dst->u.sa.sa_family)
		return -EINVAL;
	if (len > 65535 - SKY_UDPHDR_LEN)
		return -EMSGSIZE;
	u.sport = port_of(src);
	u.dport = port_of(dst);
	sky_cksum_add_pseudo(&c, src, dst, IPPROTO_UDP, u.len);
	sky_cksum_add_u16(&c, u.sport);
	sky_cksum_add_u16(&c, u.dport);
	sky_cksum_add_u16(&c, u.len);
	sky_cksum_add(&c, data, len);
	u.sum = sky_cksum_finish_udp(&c);
	head = sky_wr_room(wr, SKY_UDPHDR_LEN + len);
	if (!head)
		return -ENOSPC;
	*wr = (struct sky_wr){ wr->start, head, wr->end, false };
	sky_udphdr_encode(&u, wr);
	sky_wr_bytes(wr, data, len);
	return 0;
}

/* --- lib/fate/classify.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify.c - from what a reporter says to the one word for it.
 *
 * Where the errno of a send is a choice: a blackhole route is EINVAL, as is a
 * source address that is not ours (IPv6), so EINVAL is no-route. EAGAIN that a
 * caller gives up on is a full send buffer, as ENOBUFS is a full queue. What is
 * left (EIO, EPIPE, ...) did not leave this host either: dropped-sending.
 */


#include <errno.h>
#include <string.h>

struct errno_row {
	int err;
	uint8_t what;
};

/* The call's own errno: this host speaks. */
static const struct errno_row by_call[] = {
	{ ENETUNREACH, SKY_NO_ROUTE },
	{ EHOSTUNREACH, SKY_NO_ROUTE },
	{ EINVAL, SKY_NO_ROUTE },
	{ ENETDOWN, SKY_NO_ROUTE },
	{ ENODEV, SKY_NO_ROUTE },
	{ ENXIO, SKY_NO_ROUTE },
	{ EADDRNOTAVAIL, SKY_NO_ROUTE },
	{ EAFNOSUPPORT, SKY_NO_ROUTE },
	{ EACCES, SKY_DENIED },
	{ EPERM, SKY_FILTERED_LOCAL },
	{ ENOBUFS, SKY_DROPPED_SENDING },
	{ EAGAIN, SKY_DROPPED_SENDING },
	{ ENOMEM, SKY_NO_MEMORY },
	{ EMSGSIZE, SKY_TOO_BIG },
	{ ECONNREFUSED, SKY_REFUSED },
	{ EHOSTDOWN, SKY_HOST_UNREACHABLE },
	{ ENONET, SKY_UNREACHABLE },
	{ ENOPROTOOPT, SKY_NO_PROTOCOL },
	{ EPROTO, SKY_BAD_HEADER },
	{ ETIMEDOUT, SKY_SILENT },
	{ 0, SKY_DROPPED_SENDING },
};

/* An ICMP error that a plain connected socket boiled down to an errno. */
static const struct errno_row by_icmp[] = {
	{ ECONNREFUSED, SKY_REFUSED },
	{ EMSGSIZE, SKY_TOO_BIG },
	{ EHOSTUNREACH, SKY_HOST_UNREACHABLE },
	{ EHOSTDOWN, SKY_HOST_UNREACHABLE },
	{ ENETUNREACH, SKY_NET_UNREACHABLE },
	{ EACCES, SKY_FILTERED },
	{ ENOPROTOOPT, SKY_NO_PROTOCOL },
	{ EPROTO, SKY_BAD_HEADER },
	{ 0, SKY_UNREACHABLE },
};

static enum sky_what
look_up(const struct errno_row *row, int err)
{
	while (row->err && row->err != err)
		row++;
	return err ? row->what : SKY_NOTHING;
}

enum sky_what
sky_fate_from_errno(int err)
{
	return look_up(by_call, err);
}

static bool
says_icmp(const struct sky_fate *f)
{
	return f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6;
}

static int
family_of(const struct sky_fate *f)
{
	if (says_icmp(f))
		return f->origin == SKY_ORIGIN_ICMP ? AF_INET : AF_INET6;
	if (f->have & SKY_HAVE_BY)
		return sky_addr_family(&f->by);
	return f->have & SKY_HAVE_DST ? sky_addr_family(&f->dst) : AF_UNSPEC;
}

/* This host as the author of an ICMP error: of one to itself it speaks as any
 * destination would; of one to others it is the end of the way out. Measured:
 * a neighbour that does not answer is 3/1 or 1/3; what else there is comes from
 * a reject rule on the way out. */
static enum sky_what
by_this_host(const struct sky_fate *f, enum sky_what what)
{
	if (what == SKY_HOST_UNREACHABLE)
		return SKY_NO_NEIGHBOUR;
	if (!(f->have & SKY_HAVE_DST) || sky_addr_same_host(&f->by, &f->dst))
		return what;
	if (what == SKY_NET_UNREACHABLE)
		return SKY_NO_ROUTE;
	if (what == SKY_REFUSED || what == SKY_FILTERED || what == SKY_NO_PROTOCOL)
		return SKY_FILTERED_LOCAL;
	return what;
}

static enum sky_what
by_type(const struct sky_fate *f)
{
	const struct sky_icmp_row *row = sky_icmp_find(family_of(f), f->icmp_type, f->icmp_code);

	if (!row)
		return SKY_NOTHING;
	if (f->flags & SKY_FATE_OWN)
		return by_this_host(f, row->what);
	return row->what;
}

enum sky_what
sky_fate_classify(struct sky_fate *f)
{
	if (f->origin == SKY_ORIGIN_TIMESTAMP || f->origin == SKY_ORIGIN_ZEROCOPY)
		f->what = SKY_NOTHING;
	else if (f->origin == SKY_ORIGIN_TXTIME)
		f->what = SKY_DROPPED_SENDING;
	else if (f->have & SKY_HAVE_ICMP && f->origin != SKY_ORIGIN_LOCAL)
		f->what = by_type(f);
	else if (says_icmp(f))
		f->what = look_up(by_icmp, f->err);
	else
		f->what = sky_fate_from_errno(f->err);
	return f->what;
}

/* --- lib/fate/icmp.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - what ICMP errors mean for the datagram they quote, and what Linux
 * makes of them: measured with Linux 6.18, connected and with an error queue.
 *
 * Where the words are a choice:
 * 3/6 and 3/7 say "unknown" instead of "unreachable", which is the same to the
 * sender. 3/8, 3/14, 3/15 and codes nobody assigned have no word of their own.
 * 3/11 and 3/12 are about the network or host at this type of service: the
 * name says so. 1/6 is filtered: RFC 4443 section 3.1 calls codes 5 and 6 more
 * informative subsets of code 1. 4/1 is what IPv6 has in place of a protocol
 * unreachable: Linux sends it when nobody takes the protocol. The code of 2 is
 * ignored by receivers (RFC 4443 section 3.2). Unknown error types are errors
 * too (section 2.4 (a)).
 */


#include <errno.h>

#define ONE(t, c) .type = (t), .type_last = (t), .code = (c), .code_last = (c)
#define CODES(t, from, to) .type = (t), .type_last = (t), .code = (from), .code_last = (to)
#define TYPES(from, to) .type = (from), .type_last = (to), .code = 0, .code_last = 255
#define ERRS(connected, queue) .err_connected = (connected), .err_queue = (queue)

static const struct sky_icmp_row rows4[] = {
	{ ONE(3, 0), ERRS(0, ENETUNREACH), .what = SKY_NET_UNREACHABLE,
	    .name = "net unreachable" },
	{ ONE(3, 1), ERRS(0, EHOSTUNREACH), .what = SKY_HOST_UNREACHABLE,
	    .name = "host unreachable" },
	{ ONE(3, 2), ERRS(ENOPROTOOPT, ENOPROTOOPT), .what = SKY_NO_PROTOCOL,
	    .name = "protocol unreachable" },
	{ ONE(3, 3), ERRS(ECONNREFUSED, ECONNREFUSED), .what = SKY_REFUSED,
	    .name = "port unreachable" },
	{ ONE(3, 4), ERRS(EMSGSIZE, EMSGSIZE), .what = SKY_TOO_BIG,
	    .name = "fragmentation needed" },
	{ ONE(3, 5), ERRS(0, EOPNOTSUPP), .what = SKY_UNREACHABLE,
	    .name = "source route failed" },
	{ ONE(3, 6), ERRS(ENETUNREACH, ENETUNREACH), .what = SKY_NET_UNREACHABLE,
	    .name = "net unknown" },
	{ ONE(3, 7), ERRS(EHOSTDOWN, EHOSTDOWN), .what = SKY_HOST_UNREACHABLE,
	    .name = "host unknown" },
	{ ONE(3, 8), ERRS(ENONET, ENONET), .what = SKY_UNREACHABLE,
	    .name = "source host isolated" },
	{ ONE(3, 9), ERRS(ENETUNREACH, ENETUNREACH), .what = SKY_FILTERED,
	    .name = "net prohibited" },
	{ ONE(3, 10), ERRS(EHOSTUNREACH, EHOSTUNREACH), .what = SKY_FILTERED,
	    .name = "host prohibited" },
	{ ONE(3, 11), ERRS(0, ENETUNREACH), .what = SKY_NET_UNREACHABLE,
	    .name = "net unreachable for this type of service" },
	{ ONE(3, 12), ERRS(0, EHOSTUNREACH), .what = SKY_HOST_UNREACHABLE,
	    .name = "host unreachable for this type of service" },
	{ ONE(3, 13), ERRS(EHOSTUNREACH, EHOSTUNREACH), .what = SKY_FILTERED,
	    .name = "administratively prohibited" },
	{ ONE(3, 14), ERRS(EHOSTUNREACH, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "host precedence violation" },
	{ ONE(3, 15), ERRS(EHOSTUNREACH, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "precedence cutoff" },
	{ CODES(3, 16, 255), .what = SKY_UNREACHABLE,
	    .name = "unreachable, unassigned code" },
	{ ONE(4, 0), .what = SKY_QUENCHED,
	    .name = "source quench" },
	{ ONE(11, 0), ERRS(0, EHOSTUNREACH), .what = SKY_HOP_LIMIT,
	    .name = "time to live exceeded" },
	{ ONE(11, 1), .what = SKY_REASSEMBLY_TIMEOUT,
	    .name = "reassembly time exceeded" },
	{ CODES(11, 2, 255), ERRS(0, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "time exceeded, unassigned code" },
	{ ONE(12, 0), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "parameter problem" },
	{ ONE(12, 1), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "required option missing" },
	{ ONE(12, 2), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "bad length" },
	{ CODES(12, 3, 255), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "parameter problem, unassigned code" },
};

static const struct sky_icmp_row rows6[] = {
	{ TYPES(0, 0), ERRS(0, EPROTO), .what = SKY_UNREACHABLE,
	    .name = "error of reserved type" },
	{ ONE(1, 0), ERRS(0, ENETUNREACH), .what = SKY_NET_UNREACHABLE,
	    .name = "no route" },
	{ ONE(1, 1), ERRS(EACCES, EACCES), .what = SKY_FILTERED,
	    .name = "administratively prohibited" },
	{ ONE(1, 2), ERRS(0, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "beyond scope of source address" },
	{ ONE(1, 3), ERRS(0, EHOSTUNREACH), .what = SKY_HOST_UNREACHABLE,
	    .name = "address unreachable" },
	{ ONE(1, 4), ERRS(ECONNREFUSED, ECONNREFUSED), .what = SKY_REFUSED,
	    .name = "port unreachable" },
	{ ONE(1, 5), ERRS(EACCES, EACCES), .what = SKY_FILTERED,
	    .name = "source address failed policy" },
	{ ONE(1, 6), ERRS(EACCES, EACCES), .what = SKY_FILTERED,
	    .name = "reject route" },
	{ ONE(1, 7), ERRS(EPROTO, EPROTO), .what = SKY_UNREACHABLE,
	    .name = "error in source routing header" },
	{ ONE(1, 8), ERRS(EPROTO, EPROTO), .what = SKY_UNREACHABLE,
	    .name = "headers too long" },
	{ CODES(1, 9, 255), ERRS(EPROTO, EPROTO), .what = SKY_UNREACHABLE,
	    .name = "unreachable, unassigned code" },
	{ CODES(2, 0, 255), ERRS(EMSGSIZE, EMSGSIZE), .what = SKY_TOO_BIG,
	    .name = "packet too big" },
	{ ONE(3, 0), ERRS(0, EHOSTUNREACH), .what = SKY_HOP_LIMIT,
	    .name = "hop limit exceeded" },
	{ ONE(3, 1), ERRS(0, EHOSTUNREACH), .what = SKY_REASSEMBLY_TIMEOUT,
	    .name = "reassembly time exceeded" },
	{ CODES(3, 2, 255), ERRS(0, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "time exceeded, unassigned code" },
	{ ONE(4, 0), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "erroneous header field" },
	{ ONE(4, 1), ERRS(EPROTO, EPROTO), .what = SKY_NO_PROTOCOL,
	    .name = "unrecognized next header" },
	{ ONE(4, 2), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "unrecognized option" },
	{ ONE(4, 3), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "first fragment has not all headers" },
	{ ONE(4, 4), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "segment routing upper-layer header error" },
	{ ONE(4, 5), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "next header unrecognized on the way" },
	{ ONE(4, 6), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "extension header too big" },
	{ ONE(4, 7), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "extension header chain too long" },
	{ ONE(4, 8), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "too many extension headers" },
	{ ONE(4, 9), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "too many options in a header" },
	{ ONE(4, 10), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "option too big" },
	{ CODES(4, 11, 255), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "parameter problem, unassigned code" },
	{ TYPES(5, 127), ERRS(0, EPROTO), .what = SKY_UNREACHABLE,
	    .name = "error of unassigned type" },
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

const struct sky_icmp_row *
sky_icmp_row(int family, size_t i)
{
	if (family == AF_INET)
		return i < COUNT(rows4) ? &rows4[i] : NULL;
	if (family == AF_INET6)
		return i < COUNT(rows6) ? &rows6[i] : NULL;
	return NULL;
}

const struct sky_icmp_row *
sky_icmp_find(int family, uint8_t type, uint8_t code)
{
	const struct sky_icmp_row *row;

	for (size_t i = 0; (row = sky_icmp_row(family, i)); i++)
		if (type >= row->type && type <= row->type_last &&
		    code >= row->code && code <= row->code_last)
			return row;
	return NULL;
}

/* --- lib/fate/table.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - the words: everything that can become of a datagram, one row each.
 *
 * Printed in fates(7); a test compares the two. Words are never renamed.
 *
 * rank orders the finals of one datagram: the higher wins, and of two equal
 * ones the first stays. Anything known beats `sent`; a quench does not say that
 * this datagram was lost, so every verdict beats it; a missing fragment is less
 * exact than a verdict on the whole; an answer proves arrival and beats all.
 */


#include <string.h>

struct sky_table_0row {
	const char *word;
	uint8_t class;
	uint8_t rank;
	bool bad;
	const char *sentence;
	const char *advice;
};

enum { NONE, WAITING, GAVE_UP, HINT, PART, VERDICT, PROOF };

#define FINAL(word, rank, bad, sentence, advice) \
	{ word, SKY_CLASS_FINAL, rank, bad, sentence, advice }
#define LOCAL(word, sentence, advice) \
	{ word, SKY_CLASS_LOCAL, VERDICT, true, sentence, advice }
#define NOTE(word, bad, sentence, advice) \
	{ word, SKY_CLASS_NOTE, NONE, bad, sentence, advice }

static const struct sky_table_0row sky_table_0rows[SKY_WHATS] = {
	[SKY_NOTHING] = NOTE("nothing", false,
	    "nothing is known",
	    "there is no record to explain"),
	[SKY_ANSWERED] = FINAL("answered", PROOF, false,
	    "answered",
	    "nothing: the datagram arrived and a reply came back"),
	[SKY_SENT] = FINAL("sent", WAITING, false,
	    "sent, no news yet",
	    "wait, or ask for an answer: UDP alone gives no receipt"),
	[SKY_SILENT] = FINAL("silent", GAVE_UP, true,
	    "silent, nothing came by the deadline",
	    "look at the path with sockpath: lost, dropped by a filter without a word, "
	    "or the service does not answer"),
	[SKY_REFUSED] = FINAL("refused", VERDICT, true,
	    "refused, no program has this port open",
	    "check that the service runs there, on this port and this address"),
	[SKY_NO_PROTOCOL] = FINAL("no-protocol", VERDICT, true,
	    "the host does not speak this protocol",
	    "check the protocol: the host is up but has no UDP, or a filter pretends so"),
	[SKY_HOST_UNREACHABLE] = FINAL("host-unreachable", VERDICT, true,
	    "the last router cannot reach the host",
	    "check that the host is up and on that network: nobody answers for its address"),
	[SKY_NET_UNREACHABLE] = FINAL("net-unreachable", VERDICT, true,
	    "a router has no route to the network",
	    "check the address, then the routes of the router that says so"),
	[SKY_FILTERED] = FINAL("filtered", VERDICT, true,
	    "a filter on the way prohibits it",
	    "ask whoever runs the router that says so to permit this traffic"),
	[SKY_TOO_BIG] = FINAL("too-big", VERDICT, true,
	    "too big for a link on the way",
	    "send smaller datagrams, or let the system fragment (path MTU mode want)"),
	[SKY_HOP_LIMIT] = FINAL("hop-limit", VERDICT, true,
	    "the hop limit was reached",
	    "raise the TTL; if it was not small, look for a routing loop with sockpath"),
	[SKY_REASSEMBLY_TIMEOUT] = FINAL("reassembly-timeout", PART, true,
	    "fragments were missing at the destination",
	    "send datagrams that need no fragments: a piece was lost or filtered"),
	[SKY_BAD_HEADER] = FINAL("bad-header", VERDICT, true,
	    "a header or option was not understood",
	    "send without IP options or extension headers; the pointer tells which byte"),
	[SKY_QUENCHED] = FINAL("quenched", HINT, true,
	    "a router asks to send slower",
	    "send slower; only old equipment still says so (RFC 6633)"),
	[SKY_UNREACHABLE] = FINAL("unreachable", VERDICT, true,
	    "unreachable for another reason",
	    "the ICMP type and code tell more; see the tables below"),
	[SKY_NO_ROUTE] = LOCAL("no-route",
	    "this host has no route there",
	    "look at \"ip route get ADDRESS\", the interface's state and the source address"),
	[SKY_NO_NEIGHBOUR] = LOCAL("no-neighbour",
	    "no neighbour answered for the next hop",
	    "check that the next hop is up and on this link: \"ip neighbour\" shows it failed"),
	[SKY_DENIED] = LOCAL("denied",
	    "this host does not allow it",
	    "a route says prohibit, or a broadcast address needs SO_BROADCAST"),
	[SKY_FILTERED_LOCAL] = LOCAL("filtered-local",
	    "a filter on this host prohibits it",
	    "look at this host's own rules: \"nft list ruleset\", chain output"),
	[SKY_DROPPED_SENDING] = LOCAL("dropped-sending",
	    "dropped by this host on the way out",
	    "send slower, or enlarge the send buffer or the interface's queue"),
	[SKY_DROPPED_RECEIVING] = LOCAL("dropped-receiving",
	    "the receiving socket's buffer was full",
	    "read faster, or enlarge the receive buffer (SO_RCVBUF)"),
	[SKY_BAD_CHECKSUM] = LOCAL("bad-checksum",
	    "the checksum was wrong on arrival",
	    "suspect hardware, an offload or a rewriting box on the way"),
	[SKY_NO_SOCKET] = LOCAL("no-socket",
	    "it arrived, but no socket wanted it",
	    "bind the port on the address it was sent to"),
	[SKY_NO_MEMORY] = LOCAL("no-memory",
	    "this host had no memory for it",
	    "free memory, or raise net.ipv4.udp_mem"),
	[SKY_TRUNCATED] = NOTE("truncated", true,
	    "cut to fit the buffer",
	    "receive into a larger buffer: the real length is told"),
	[SKY_DUPLICATED] = NOTE("duplicated", false,
	    "arrived more than once",
	    "make the service tolerate it: networks may duplicate"),
	[SKY_REORDERED] = NOTE("reordered", false,
	    "overtaken by one that was sent later",
	    "make the service tolerate it: networks may reorder"),
	[SKY_LATE] = NOTE("late", false,
	    "news came after the deadline",
	    "wait longer for it"),
	[SKY_CORRUPTED] = NOTE("corrupted", true,
	    "what arrived is not what was sent",
	    "suspect hardware or a rewriting box on the way"),
	[SKY_UNREAD] = NOTE("unread", true,
	    "arrived, but was never read",
	    "read until nothing is left before closing the socket"),
	[SKY_STRAY] = NOTE("stray", false,
	    "from someone never asked, or about nothing that was sent",
	    "do not believe it; a second address of a host that was asked also looks so"),
};

static const struct sky_table_0row *
row_of(unsigned what)
{
	return &sky_table_0rows[what < SKY_WHATS ? what : SKY_NOTHING];
}

const char *
sky_fate_word(enum sky_what what)
{
	return row_of(what)->word;
}

enum sky_what
sky_fate_from_word(const char *word)
{
	for (unsigned i = SKY_NOTHING + 1; i < SKY_WHATS; i++)
		if (strcmp(sky_table_0rows[i].word, word) == 0)
			return i;
	return SKY_NOTHING;
}

const char *
sky_fate_sentence(enum sky_what what)
{
	return row_of(what)->sentence;
}

const char *
sky_fate_advice(enum sky_what what)
{
	return row_of(what)->advice;
}

enum sky_class
sky_fate_class(enum sky_what what)
{
	return row_of(what)->class;
}

bool
sky_fate_beats(enum sky_what a, enum sky_what b)
{
	return row_of(a)->rank > row_of(b)->rank;
}

bool
sky_fate_is_bad(enum sky_what what)
{
	return row_of(what)->bad;
}

const char *
sky_evidence_word(enum sky_evidence e)
{
	static const char *const words[SKY_EVIDENCES] = {
		"nobody", "reply", "queue", "icmpd", "capture", "kernel", "counter",
		"call", "deadline",
	};

	return words[(unsigned)e < SKY_EVIDENCES ? e : SKY_BY_NOBODY];
}

const char *
sky_trust_word(enum sky_trust t)
{
	static const char *const words[] = { "unknown", "matched", "mismatch", "short" };

	return words[(unsigned)t < sizeof words / sizeof *words ? t : SKY_TRUST_UNKNOWN];
}

/* --- lib/fate/vouch.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vouch.c - is what an error quotes what was really sent?
 *
 * Anybody can forge an ICMP error; only who saw the datagram can quote it.
 */


#include <string.h>

/* With extensions the quote is padded with zeros to 128 bytes (RFC 4884 section
 * 4.1): zeros behind the end of what was sent prove nothing either way. */
static bool
all_zero(const unsigned char *p, size_t n)
{
	while (n && *p == 0) {
		p++;
		n--;
	}
	return n == 0;
}

static bool
quotes(const unsigned char *quote, size_t quoted, const unsigned char *sent, size_t left)
{
	size_t both = quoted < left ? quoted : left;

	if (both && memcmp(quote, sent, both) != 0)
		return false;
	return quoted == both || all_zero(quote + both, quoted - both);
}

enum sky_trust
sky_fate_vouch(struct sky_fate *f, const void *sent, size_t len, size_t off)
{
	size_t left = off < len ? len - off : 0;
	size_t quoted = f->quote ? f->quote_len : 0;

	if (off > len)
		f->trust = SKY_TRUST_MISMATCH;
	else if (!quotes(f->quote, quoted, left ? (const unsigned char *)sent + off : NULL, left))
		f->trust = SKY_TRUST_MISMATCH;
	else if (quoted < (left < 4 ? left : 4))
		f->trust = SKY_TRUST_SHORT;
	else
		f->trust = SKY_TRUST_MATCHED;
	return f->trust;
}

/* --- lib/sock/addr.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.c - addresses from text, with the names of interfaces. */


#include <errno.h>
#include <net/if.h>

int
sky_addr_parse(struct sky_addr *a, const char *text)
{
	char ifname[SKY_IFNAME];
	int saved = errno;
	int r = sky_addr_scan(a, ifname, text);

	if (r != 0 || ifname[0] == '\0')
		return r;
	a->u.in6.sin6_scope_id = if_nametoindex(ifname);
	errno = saved;
	if (a->u.in6.sin6_scope_id)
		return 0;
	*a = (struct sky_addr){ 0 };
	return -ENODEV;
}
