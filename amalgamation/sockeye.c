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
sky_addr_0map(struct sockaddr_in6 *in6, const struct sky_addr *a)
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
		sky_addr_0map(&in6, a);
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
/* --- lib/fate/table.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* table.h - what the modules of this folder ask of the tables beside fate.h. */
#ifndef SKY_FATE_TABLE_H
#define SKY_FATE_TABLE_H



/* How the sentence about one datagram begins: "refused", "no route from this
 * host". Static. */
const char *sky_fate_head(enum sky_what what);

/* The row for the ICMP error that f carries, or NULL. */
const struct sky_icmp_row *sky_fate_icmp(const struct sky_fate *f);

/* True if f came from an ICMP error, even if no type and code are left. */
bool sky_fate_from_icmp(const struct sky_fate *f);

#endif


#include <errno.h>

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

bool
sky_fate_from_icmp(const struct sky_fate *f)
{
	return f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6;
}

static int
family_of(const struct sky_fate *f)
{
	if (sky_fate_from_icmp(f))
		return f->origin == SKY_ORIGIN_ICMP ? AF_INET : AF_INET6;
	if (f->have & SKY_HAVE_BY)
		return sky_addr_family(&f->by);
	return f->have & SKY_HAVE_DST ? sky_addr_family(&f->dst) : AF_UNSPEC;
}

const struct sky_icmp_row *
sky_fate_icmp(const struct sky_fate *f)
{
	if (!(f->have & SKY_HAVE_ICMP) || f->origin == SKY_ORIGIN_LOCAL)
		return NULL;
	return sky_icmp_find(family_of(f), f->icmp_type, f->icmp_code);
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
	const struct sky_icmp_row *row = sky_fate_icmp(f);

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
	else if (sky_fate_from_icmp(f))
		f->what = look_up(by_icmp, f->err);
	else
		f->what = sky_fate_from_errno(f->err);
	return f->what;
}

/* --- lib/fate/dest.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* dest.c - the destinations of a ledger; see book.h. */
/* --- lib/fate/book.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book.h - how the ledger lies in the caller's memory.
 *
 * Every datagram that is held one by one (struct held) is in exactly one list:
 * that of its destination and its final fate. So the oldest open one, or the
 * oldest silent one, is the head of a list, and a change of fate is a move.
 * What a destination counts under a final and its list does not hold was too
 * long ago to be told apart, and is older than all in the list.
 *
 * Indices are 32 bits and count from 1; 0 is none. Nothing is ever removed but
 * the oldest held datagram, when its place is needed.
 */
#ifndef SKY_FATE_BOOK_H
#define SKY_FATE_BOOK_H



struct list {
	uint32_t head, tail, length;
};

struct held {
	uint64_t seq, time_ns;
	uint32_t dest;
	uint32_t next, prev;		/* in the list of its destination and fate */
	uint32_t chain_next, chain_prev; /* in the hash table */
	uint32_t seen;			/* bit per enum sky_what that was told */
	uint8_t final;			/* enum sky_what; SKY_NOTHING: free */
	uint8_t answers[SKY_EVIDENCES];	/* how many, by each reporter */
};

struct dest {
	struct sky_ledger_dest sums;
	uint64_t rtt_sum_ns;
	struct list lists[SKY_WHATS];
	uint32_t chain_next;		/* same hash of address and port */
	uint32_t host_next;		/* same hash of address */
};

struct said {
	struct sky_ledger_row row;
	uint64_t exact;			/* events with a seq of their own */
	uint64_t told[SKY_EVIDENCES];	/* events each reporter told */
	uint32_t chain_next;
};

/* What struct sky_ledger really is: its words may be read as this. */
struct __attribute__((may_alias)) book {
	struct dest *dests;		/* [max_dests], then one for the rest */
	struct said *said;
	struct held *held;
	uint32_t *dest_heads, *host_heads, *said_heads, *held_heads;
	uint32_t max_dests, max_said, max_held;
	uint32_t dest_mask, said_mask, held_mask;
	uint32_t n_dests, n_said;
	uint32_t at;			/* the place in held[] that is next */
	uint64_t open, overflow;
	uint64_t (*lost_told)[SKY_EVIDENCES]; /* [SKY_WHATS]: sums.lost, by reporter */
};

_Static_assert(sizeof(struct book) <= sizeof(struct sky_ledger), "ledger.h: opaque too small");
_Static_assert(SKY_WHATS <= 32, "struct held: seen too small");

/* --- dest.c: destinations --- */

/* The destination of exactly this address, or NULL. */
struct dest *sky_dest_find(struct book *b, const struct sky_addr *dst);
/* The same; and for a dst without a port one of that host, if possible one with
 * open datagrams. */
struct dest *sky_dest_match(struct book *b, const struct sky_addr *dst);
/* Found or made; the one for the rest if there is no room. */
struct dest *sky_dest_get(struct book *b, const struct sky_addr *dst);
/* The one for all that have no room of their own. */
struct dest *sky_dest_rest(struct book *b);
uint32_t sky_dest_index(const struct book *b, const struct dest *d);	/* from 0 */

/* n datagrams of d from one final fate to another, in the sums. */
void sky_dest_recount(struct book *b, struct dest *d, enum sky_what from,
    enum sky_what to, uint64_t n);

/* --- held.c: datagrams --- */

/* Holds one more, with final fate what, in the place of the oldest; NULL if
 * none are held. Counts nothing. */
struct held *sky_held_add(struct book *b, struct dest *d, enum sky_what what,
    uint64_t seq, uint64_t time_ns);
/* The newest with this seq, or NULL. */
struct held *sky_held_find(struct book *b, const struct dest *d, uint64_t seq);
/* Gives it another final fate, in the sums as well. */
void sky_held_move(struct book *b, struct held *h, enum sky_what to);
/* Up to n datagrams of d from one final fate to another, the oldest first; only
 * such as are not held if loose. *last becomes the last one moved that is held,
 * if there is one. Returns how many. */
uint64_t sky_held_move_oldest(struct book *b, struct dest *d, enum sky_what from,
    enum sky_what to, uint64_t n, bool loose, struct held **last);

/* --- said.c: who said what --- */

/* The row for (d, what, by, type, code of f), made if need be; NULL if there is
 * no room. */
struct said *sky_said_get(struct book *b, const struct dest *d, enum sky_what what,
    const struct sky_fate *f);
/* f becomes the newest record of the row, without what it points at. */
void sky_said_keep(struct said *s, const struct sky_fate *f);
/* Reporter e tells n more events which cannot be told apart. Returns how many of
 * them nobody had told. */
uint64_t sky_said_more(struct said *s, enum sky_evidence e, uint64_t n);
/* Reporter e tells one event about a datagram; fresh if nobody had told it of
 * that datagram. Returns 1 if it is news, else 0. */
uint64_t sky_said_exact(struct said *s, enum sky_evidence e, bool fresh);

#endif


/* A host with a thousand ports must not make an error without a port slow. */
#define HOST_PROBES 16

static uint32_t
host_hash(const struct sky_addr *dst)
{
	struct sky_addr host = *dst;

	sky_addr_set_port(&host, 0);
	return sky_addr_hash(&host);
}

struct dest *
sky_dest_rest(struct book *b)
{
	return &b->dests[b->max_dests];
}

uint32_t
sky_dest_index(const struct book *b, const struct dest *d)
{
	return (uint32_t)(d - b->dests);
}

struct dest *
sky_dest_find(struct book *b, const struct sky_addr *dst)
{
	uint32_t i = b->dest_heads[sky_addr_hash(dst) & b->dest_mask];

	while (i && !sky_addr_equal(&b->dests[i - 1].sums.dst, dst))
		i = b->dests[i - 1].chain_next;
	return i ? &b->dests[i - 1] : NULL;
}

struct dest *
sky_dest_match(struct book *b, const struct sky_addr *dst)
{
	struct dest *found = sky_dest_find(b, dst), *d;
	uint32_t i;

	if (found || sky_addr_port(dst) != 0)
		return found;
	i = b->host_heads[host_hash(dst) & b->dest_mask];
	for (int probes = 0; i && probes < HOST_PROBES; i = d->host_next, probes++) {
		d = &b->dests[i - 1];
		if (!sky_addr_same_host(&d->sums.dst, dst))
			continue;
		if (d->sums.counts[SKY_SENT])
			return d;
		if (!found)
			found = d;
	}
	return found;
}

static struct dest *
make(struct book *b, const struct sky_addr *dst)
{
	uint32_t *head = &b->dest_heads[sky_addr_hash(dst) & b->dest_mask];
	uint32_t *host = &b->host_heads[host_hash(dst) & b->dest_mask];
	struct dest *d = &b->dests[b->n_dests++];

	d->sums.dst = *dst;
	d->chain_next = *head;
	d->host_next = *host;
	*head = *host = b->n_dests;
	return d;
}

struct dest *
sky_dest_get(struct book *b, const struct sky_addr *dst)
{
	struct dest *d = sky_dest_find(b, dst);

	if (d)
		return d;
	return b->n_dests < b->max_dests ? make(b, dst) : sky_dest_rest(b);
}

void
sky_dest_recount(struct book *b, struct dest *d, enum sky_what from, enum sky_what to, uint64_t n)
{
	d->sums.counts[from] -= n;
	d->sums.counts[to] += n;
	if (from == SKY_SENT)
		b->open -= n;
	if (to == SKY_SENT)
		b->open += n;
}

/* --- lib/fate/explain.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - one sentence about one datagram; the grammar is in fates(7).
 *
 * Programs and people match on these words: they are as stable as the words of
 * the table.
 */


#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is written so far; len goes on counting when the room is used up. */
struct text {
	char *buf;
	size_t size, len;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
put(struct text *t, const char *format, ...)
{
	size_t used = t->len < t->size ? t->len : t->size;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(t->size ? t->buf + used : NULL, t->size - used, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

static void
put_ms(struct text *t, const char *before, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);

	put(t, "%s%" PRIu64 ".%03u ms", before, us / 1000, (unsigned)(us % 1000));
}

static const char *
errno_name(int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EACCES, "EACCES" }, { EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		{ EAFNOSUPPORT, "EAFNOSUPPORT" }, { EAGAIN, "EAGAIN" },
		{ ECONNREFUSED, "ECONNREFUSED" }, { EHOSTDOWN, "EHOSTDOWN" },
		{ EHOSTUNREACH, "EHOSTUNREACH" }, { EINVAL, "EINVAL" },
		{ EMSGSIZE, "EMSGSIZE" }, { ENETDOWN, "ENETDOWN" },
		{ ENETUNREACH, "ENETUNREACH" }, { ENOBUFS, "ENOBUFS" },
		{ ENODEV, "ENODEV" }, { ENOMEM, "ENOMEM" }, { ENONET, "ENONET" },
		{ ENOPROTOOPT, "ENOPROTOOPT" }, { ENXIO, "ENXIO" }, { EPERM, "EPERM" },
		{ EPROTO, "EPROTO" }, { ETIMEDOUT, "ETIMEDOUT" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].err == err)
			return names[i].name;
	return NULL;
}

/* The errno is worth a word only where nothing better is known. */
static void
put_errno(struct text *t, const struct sky_fate *f)
{
	const char *name = errno_name(f->err);

	if (f->evidence != SKY_BY_CALL || f->have & SKY_HAVE_ICMP || f->err == 0)
		return;
	if (name)
		put(t, " (%s)", name);
	else
		put(t, " (errno %d)", (int)f->err);
}

/* RFC 1191 section 3: an old router's error has 0 in place of the MTU. The least
 * MTU is 68 (RFC 791) and 1280 (RFC 8200). */
static void
put_mtu(struct text *t, const struct sky_fate *f)
{
	const struct sky_addr *a = f->have & SKY_HAVE_BY ? &f->by : &f->dst;
	bool six = f->origin == SKY_ORIGIN_ICMP6 || sky_addr_family(a) == AF_INET6;
	unsigned least = six ? 1280 : 68;

	if (!(f->have & SKY_HAVE_MTU))
		return;
	if (f->mtu == 0)
		put(t, ", no MTU told, old format");
	else if (f->mtu < least)
		put(t, ", claims MTU %u, less than the minimum of %u", (unsigned)f->mtu, least);
	else
		put(t, ", path MTU %u", (unsigned)f->mtu);
}

/* The name in the ICMP table, unless it only repeats the beginning. */
static void
put_icmp(struct text *t, const struct sky_fate *f)
{
	const struct sky_icmp_row *row = sky_fate_icmp(f);

	if (!row || strcmp(row->name, sky_fate_head(f->what)) == 0)
		return;
	put(t, ", %s", row->name);
	if (f->what == SKY_UNREACHABLE)
		put(t, " (ICMP%s %u/%u)", f->origin == SKY_ORIGIN_ICMP6 ? "v6" : "",
		    (unsigned)f->icmp_type, (unsigned)f->icmp_code);
	if (f->what == SKY_BAD_HEADER && f->have & SKY_HAVE_POINTER)
		put(t, " at byte %u", (unsigned)f->pointer);
}

static void
put_detail(struct text *t, const struct sky_fate *f)
{
	switch (f->what) {
	case SKY_ANSWERED:
	case SKY_LATE:
		if (f->have & SKY_HAVE_RTT)
			put_ms(t, f->what == SKY_LATE ? ", after " : " in ", f->rtt_ns);
		break;
	case SKY_TOO_BIG:
		put_mtu(t, f);
		break;
	case SKY_TRUNCATED:
		if (f->have & SKY_HAVE_FULL_LEN)
			put(t, ", %u of %u bytes kept", (unsigned)f->len, (unsigned)f->full_len);
		break;
	case SKY_HOP_LIMIT:
	case SKY_NO_NEIGHBOUR:
		break;
	default:
		put_icmp(t, f);
	}
}

/* The kernel of this host, not somebody who sent an ICMP error. */
static bool
sky_explain_0is_own(const struct sky_fate *f)
{
	if (f->flags & SKY_FATE_OWN || f->origin == SKY_ORIGIN_LOCAL)
		return true;
	return f->evidence == SKY_BY_CALL && !sky_fate_from_icmp(f);
}

static void
put_by(struct text *t, const char *before, const struct sky_fate *f)
{
	char host[SKY_ADDRSTRLEN];

	if (f->have & SKY_HAVE_BY)
		put(t, "%s%s", before, sky_addr_format_host(&f->by, host, sizeof host));
}

/* An address of this host is named only when it was also the destination. */
static void
put_who(struct text *t, const struct sky_fate *f)
{
	bool to_itself = f->have & SKY_HAVE_BY && f->have & SKY_HAVE_DST &&
	    sky_addr_same_host(&f->by, &f->dst);

	if (f->what == SKY_STRAY)
		put_by(t, ", from ", f);
	else if (f->what == SKY_ANSWERED || sky_fate_class(f->what) == SKY_CLASS_NOTE)
		return;
	else if (!sky_explain_0is_own(f) || to_itself)
		put_by(t, ", says ", f);
	else if (!strstr(sky_fate_head(f->what), "this host"))
		put(t, ", says this host");
}

static void
put_doubt(struct text *t, const struct sky_fate *f)
{
	const uint32_t both = SKY_HAVE_BY | SKY_HAVE_DST;

	if (f->what == SKY_REFUSED && (f->have & both) == both && !sky_explain_0is_own(f) &&
	    !sky_addr_same_host(&f->by, &f->dst))
		put(t, ", by another address than the destination: "
		    "a firewall, or a second address of the host");
	if (f->trust == SKY_TRUST_MISMATCH)
		put(t, ", but the quote does not match what was sent");
	if (f->trust == SKY_TRUST_SHORT)
		put(t, ", but the quote is too short to tell whose it is");
	if (f->count > 1)
		put(t, ", %" PRIu64 " datagrams", f->count);
}

int
sky_fate_explain(const struct sky_fate *f, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };

	put(&t, "%s", sky_fate_head(f->what));
	put_errno(&t, f);
	put_detail(&t, f);
	put_who(&t, f);
	put_doubt(&t, f);
	return (int)t.len;
}

/* --- lib/fate/held.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* held.c - the datagrams that a ledger can tell apart; see book.h. */


static uint32_t *
bucket(struct book *b, uint32_t dest, uint64_t seq)
{
	uint64_t h = (seq ^ (uint64_t)dest << 40) * 0x9e3779b97f4a7c15u;

	return &b->held_heads[(h >> 32) & b->held_mask];
}

static uint32_t
index_of(const struct book *b, const struct held *h)
{
	return (uint32_t)(h - b->held) + 1;
}

static struct list *
list_of(struct book *b, const struct held *h)
{
	return &b->dests[h->dest].lists[h->final];
}

static void
append(struct book *b, struct held *h)
{
	struct list *l = list_of(b, h);
	uint32_t i = index_of(b, h);

	h->prev = l->tail;
	h->next = 0;
	if (l->tail)
		b->held[l->tail - 1].next = i;
	else
		l->head = i;
	l->tail = i;
	l->length++;
}

static void
take_out(struct book *b, struct held *h)
{
	struct list *l = list_of(b, h);

	if (h->prev)
		b->held[h->prev - 1].next = h->next;
	else
		l->head = h->next;
	if (h->next)
		b->held[h->next - 1].prev = h->prev;
	else
		l->tail = h->prev;
	l->length--;
}

static void
chain(struct book *b, struct held *h)
{
	uint32_t *head = bucket(b, h->dest, h->seq);

	h->chain_prev = 0;
	h->chain_next = *head;
	if (*head)
		b->held[*head - 1].chain_prev = index_of(b, h);
	*head = index_of(b, h);
}

static void
unchain(struct book *b, struct held *h)
{
	if (h->chain_prev)
		b->held[h->chain_prev - 1].chain_next = h->chain_next;
	else
		*bucket(b, h->dest, h->seq) = h->chain_next;
	if (h->chain_next)
		b->held[h->chain_next - 1].chain_prev = h->chain_prev;
}

struct held *
sky_held_add(struct book *b, struct dest *d, enum sky_what what, uint64_t seq, uint64_t time_ns)
{
	struct held *h;

	if (b->max_held == 0 || d == sky_dest_rest(b))
		return NULL;
	h = &b->held[b->at];
	b->at = b->at + 1 < b->max_held ? b->at + 1 : 0;
	if (h->final != SKY_NOTHING) {
		take_out(b, h);
		unchain(b, h);
	}
	*h = (struct held){ .seq = seq, .time_ns = time_ns, .final = (uint8_t)what };
	h->dest = sky_dest_index(b, d);
	append(b, h);
	chain(b, h);
	return h;
}

struct held *
sky_held_find(struct book *b, const struct dest *d, uint64_t seq)
{
	uint32_t dest = sky_dest_index(b, d);
	uint32_t i = *bucket(b, dest, seq);

	while (i && (b->held[i - 1].seq != seq || b->held[i - 1].dest != dest))
		i = b->held[i - 1].chain_next;
	return i ? &b->held[i - 1] : NULL;
}

void
sky_held_move(struct book *b, struct held *h, enum sky_what to)
{
	sky_dest_recount(b, &b->dests[h->dest], h->final, to, 1);
	take_out(b, h);
	h->final = (uint8_t)to;
	append(b, h);
}

uint64_t
sky_held_move_oldest(struct book *b, struct dest *d, enum sky_what from, enum sky_what to,
    uint64_t n, bool loose, struct held **last)
{
	const struct list *l = &d->lists[from];
	uint64_t older = d->sums.counts[from] - l->length;
	uint64_t done = older < n ? older : n;

	sky_dest_recount(b, d, from, to, done);
	if (loose)
		return done;
	for (; done < n && l->head; done++) {
		*last = &b->held[l->head - 1];
		sky_held_move(b, *last, to);
	}
	return done;
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
	    .name = "unassigned code of unreachable" },
	{ ONE(4, 0), .what = SKY_QUENCHED,
	    .name = "source quench" },
	{ ONE(11, 0), ERRS(0, EHOSTUNREACH), .what = SKY_HOP_LIMIT,
	    .name = "time to live exceeded" },
	{ ONE(11, 1), .what = SKY_REASSEMBLY_TIMEOUT,
	    .name = "reassembly time exceeded" },
	{ CODES(11, 2, 255), ERRS(0, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "unassigned code of time exceeded" },
	{ ONE(12, 0), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "parameter problem" },
	{ ONE(12, 1), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "required option missing" },
	{ ONE(12, 2), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "bad length" },
	{ CODES(12, 3, 255), ERRS(EPROTO, EPROTO), .what = SKY_BAD_HEADER,
	    .name = "unassigned code of parameter problem" },
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
	    .name = "unassigned code of unreachable" },
	{ CODES(2, 0, 255), ERRS(EMSGSIZE, EMSGSIZE), .what = SKY_TOO_BIG,
	    .name = "packet too big" },
	{ ONE(3, 0), ERRS(0, EHOSTUNREACH), .what = SKY_HOP_LIMIT,
	    .name = "hop limit exceeded" },
	{ ONE(3, 1), ERRS(0, EHOSTUNREACH), .what = SKY_REASSEMBLY_TIMEOUT,
	    .name = "reassembly time exceeded" },
	{ CODES(3, 2, 255), ERRS(0, EHOSTUNREACH), .what = SKY_UNREACHABLE,
	    .name = "unassigned code of time exceeded" },
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
	    .name = "unassigned code of parameter problem" },
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

/* --- lib/fate/ledger.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger.c - what was sent and what became of it; see ledger.h and book.h. */


#include <errno.h>

static struct book *
sky_ledger_0book_of(struct sky_ledger *l)
{
	return (struct book *)l->opaque;
}

/* Counts n as sent and open. Returns where, the rest if there is no room. */
static struct dest *
post(struct book *b, const struct sky_addr *dst, uint64_t n)
{
	struct dest *d = sky_dest_get(b, dst);

	d->sums.sent += n;
	d->sums.counts[SKY_SENT] += n;
	b->open += n;
	return d;
}

static int
room_for(struct book *b, const struct dest *d, uint64_t n)
{
	if (d != sky_dest_rest(b))
		return 0;
	b->overflow += n;
	return -ENOSPC;
}

int
sky_ledger_sent_many(struct sky_ledger *l, const struct sky_addr *dst,
    uint64_t seq, uint64_t n, uint64_t time_ns)
{
	struct book *b = sky_ledger_0book_of(l);
	struct dest *d = post(b, dst, n);
	uint64_t i = n > b->max_held ? n - b->max_held : 0;

	for (; i < n; i++)
		sky_held_add(b, d, SKY_SENT, seq + i, time_ns);
	return room_for(b, d, n);
}

int
sky_ledger_sent(struct sky_ledger *l, const struct sky_addr *dst, uint64_t seq, uint64_t time_ns)
{
	return sky_ledger_sent_many(l, dst, seq, 1, time_ns);
}

int
sky_ledger_heard(struct sky_ledger *l, const struct sky_addr *src, uint64_t n)
{
	struct book *b = sky_ledger_0book_of(l);
	struct dest *d = sky_dest_get(b, src);

	d->sums.received += n;
	return room_for(b, d, n);
}

static enum sky_evidence
evidence_of(const struct sky_fate *f)
{
	return f->evidence < SKY_EVIDENCES ? f->evidence : SKY_BY_NOBODY;
}

/* Fills in what the ledger knows of the datagram that f is about. */
static void
tell_apart(struct sky_fate *f, const struct held *h)
{
	if (!(f->have & SKY_HAVE_SEQ))
		f->seq = h->seq;
	f->have |= SKY_HAVE_SEQ;
	if (f->what != SKY_ANSWERED || f->have & SKY_HAVE_RTT)
		return;
	if (f->have & SKY_HAVE_TIME && f->time_ns >= h->time_ns) {
		f->rtt_ns = f->time_ns - h->time_ns;
		f->have |= SKY_HAVE_RTT;
	}
}

static void
measure(struct dest *d, const struct sky_fate *f)
{
	struct sky_ledger_dest *s = &d->sums;

	if (f->what != SKY_ANSWERED || !(f->have & SKY_HAVE_RTT))
		return;
	if (s->rtts == 0 || f->rtt_ns < s->rtt_min_ns)
		s->rtt_min_ns = f->rtt_ns;
	if (f->rtt_ns > s->rtt_max_ns)
		s->rtt_max_ns = f->rtt_ns;
	s->rtts++;
	d->rtt_sum_ns += f->rtt_ns;
}

/* News about one datagram that is held. */
static void
settle_one(struct book *b, struct held *h, struct sky_fate *f)
{
	struct dest *d = &b->dests[h->dest];

	tell_apart(f, h);
	if (sky_fate_beats(f->what, h->final)) {
		d->sums.counts[SKY_LATE] += h->final == SKY_SILENT;
		sky_held_move(b, h, f->what);
		measure(d, f);
	} else if (f->what == SKY_ANSWERED) {
		d->sums.counts[SKY_DUPLICATED]++;
	}
}

/* A first reply although every datagram has a verdict: one was wrong. */
static uint64_t
overrule(struct book *b, struct dest *d, bool loose, struct held **last)
{
	for (unsigned from = SKY_SILENT + 1; from < SKY_WHATS; from++)
		if (sky_fate_class(from) != SKY_CLASS_NOTE && d->sums.counts[from] &&
		    sky_held_move_oldest(b, d, from, SKY_ANSWERED, 1, loose, last))
			return 1;
	return 0;
}

/* News about n datagrams of d, nobody knows which; loose if f has a seq that is
 * not held any more, so that none of the held ones can be meant. */
static void
settle_oldest(struct book *b, struct dest *d, struct sky_fate *f, uint64_t n)
{
	static const uint8_t order[] = {
		SKY_SENT, SKY_SILENT, SKY_QUENCHED, SKY_REASSEMBLY_TIMEOUT,
	};
	bool loose = f->have & SKY_HAVE_SEQ && n == 1;
	bool first = f->what == SKY_ANSWERED && d->sums.counts[SKY_ANSWERED] == 0;
	struct held *last = NULL;
	uint64_t left = n;

	for (size_t i = 0; i < sizeof order && left; i++) {
		uint64_t done = 0;

		if (sky_fate_beats(f->what, order[i]))
			done = sky_held_move_oldest(b, d, order[i], f->what, left, loose, &last);
		d->sums.counts[SKY_LATE] += order[i] == SKY_SILENT ? done : 0;
		left -= done;
	}
	if (left == n && first)
		left -= overrule(b, d, loose, &last);
	if (last && n == 1)
		tell_apart(f, last);
	if (left < n)
		measure(d, f);
	d->sums.counts[f->what == SKY_ANSWERED ? SKY_DUPLICATED : SKY_STRAY] += left;
}

static void
apply(struct book *b, struct dest *d, struct held *h, enum sky_what what,
    struct sky_fate *f, uint64_t news)
{
	if (news == 0)
		return;
	if (what == SKY_ANSWERED)
		d->sums.received += news;
	if (sky_fate_class(what) == SKY_CLASS_NOTE)
		d->sums.counts[what] += news;
	else if (h)
		settle_one(b, h, f);
	else
		settle_oldest(b, d, f, news);
}

/* True if this reporter's event about h is one that nobody told of it yet. Each
 * reply is an event; an error is one however often it comes. */
static bool
is_fresh(struct held *h, enum sky_what what, enum sky_evidence e)
{
	bool seen = h->seen >> what & 1;
	uint8_t most = 0;

	h->seen |= 1u << what;
	if (what != SKY_ANSWERED)
		return !seen;
	for (unsigned i = 0; i < SKY_EVIDENCES; i++)
		if (h->answers[i] > most)
			most = h->answers[i];
	if (h->answers[e] < UINT8_MAX)
		h->answers[e]++;
	return h->answers[e] > most;
}

/* One of d's own fates, or h's if the datagram is held. */
static int
enter(struct book *b, struct dest *d, struct held *h, enum sky_what what,
    struct sky_fate *f, uint64_t n)
{
	enum sky_evidence e = evidence_of(f);
	struct said *s = sky_said_get(b, d, what, f);
	bool fresh = !h || is_fresh(h, what, e);
	uint64_t news = fresh ? n : 0;

	if (s)
		news = h ? sky_said_exact(s, e, fresh) : sky_said_more(s, e, n);
	apply(b, d, h, what, f, news);
	if (s)
		sky_said_keep(s, f);
	else
		b->overflow += news;
	return !s && news ? -ENOSPC : news > 0;
}

/* The call refused it: it never was in the queue of open ones. */
static int
enter_call(struct book *b, struct sky_fate *f, uint64_t n)
{
	struct dest *d = post(b, &f->dst, n);
	struct held *h = NULL;
	struct said *s;
	uint64_t news;

	if (f->have & SKY_HAVE_SEQ && n == 1)
		h = sky_held_add(b, d, SKY_SENT, f->seq, f->time_ns);
	if (h)
		return enter(b, d, h, f->what, f, 1);
	s = sky_said_get(b, d, f->what, f);
	news = s ? sky_said_more(s, SKY_BY_CALL, n) : n;
	sky_dest_recount(b, d, SKY_SENT, f->what, news);
	if (s)
		sky_said_keep(s, f);
	else
		b->overflow += n;
	return s ? news > 0 : -ENOSPC;
}

static bool
is_call(const struct sky_fate *f)
{
	if (f->evidence != SKY_BY_CALL || f->trust == SKY_TRUST_MISMATCH)
		return false;
	if (f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6)
		return false;
	return sky_fate_class(f->what) == SKY_CLASS_LOCAL || f->what == SKY_TOO_BIG;
}

/* Of no destination that is known. */
static int
enter_total(struct book *b, const struct sky_fate *f, uint64_t n)
{
	struct sky_ledger_dest *s = &sky_dest_rest(b)->sums;
	uint64_t *told = &b->lost_told[f->what][evidence_of(f)];
	bool news;

	if (sky_fate_class(f->what) == SKY_CLASS_NOTE) {
		s->counts[f->what] += n;
		return 1;
	}
	if (f->have & SKY_HAVE_DST || sky_fate_class(f->what) != SKY_CLASS_LOCAL) {
		s->counts[SKY_STRAY] += n;
		return 1;
	}
	*told += n;
	news = *told > s->lost[f->what];
	if (news)
		s->lost[f->what] = *told;
	return news;
}

/* The deadline of one, or of n, has passed: no event, so it has no row. */
static int
enter_silence(struct book *b, struct dest *d, struct held *h, struct sky_fate *f, uint64_t n)
{
	struct held *last = NULL;
	bool loose = f->have & SKY_HAVE_SEQ && n == 1;
	uint64_t done;

	if (h) {
		if (!sky_fate_beats(SKY_SILENT, h->final))
			return 0;
		sky_held_move(b, h, SKY_SILENT);
		return 1;
	}
	done = sky_held_move_oldest(b, d, SKY_SENT, SKY_SILENT, n, loose, &last);
	if (last && n == 1)
		tell_apart(f, last);
	return done > 0;
}

int
sky_ledger_take(struct sky_ledger *l, struct sky_fate *f)
{
	struct book *b = sky_ledger_0book_of(l);
	uint64_t n = f->count ? f->count : 1;
	struct held *h = NULL;
	struct dest *d;

	if (f->what == SKY_NOTHING || f->what == SKY_SENT || f->what >= SKY_WHATS)
		return 0;
	if (!(f->have & SKY_HAVE_DST))
		return enter_total(b, f, n);
	if (is_call(f))
		return enter_call(b, f, n);
	d = sky_dest_match(b, &f->dst);
	if (!d && sky_dest_rest(b)->sums.sent)
		d = sky_dest_rest(b);
	if (!d)
		return enter_total(b, f, n);
	if (f->trust == SKY_TRUST_MISMATCH)
		return enter(b, d, NULL, SKY_STRAY, f, n);
	if (f->have & SKY_HAVE_SEQ && n == 1)
		h = sky_held_find(b, d, f->seq);
	if (f->what == SKY_SILENT)
		return enter_silence(b, d, h, f, n);
	return enter(b, d, h, f->what, f, n);
}

void
sky_ledger_close(struct sky_ledger *l, bool answer_expected)
{
	struct book *b = sky_ledger_0book_of(l);

	if (!answer_expected)
		return;
	for (uint32_t i = 0; i < b->max_held; i++)
		if (b->held[i].final == SKY_SENT)
			sky_held_move(b, &b->held[i], SKY_SILENT);
	for (uint32_t i = 0; i <= b->max_dests; i++)
		sky_dest_recount(b, &b->dests[i], SKY_SENT, SKY_SILENT,
		    b->dests[i].sums.counts[SKY_SENT]);
}

/* --- lib/fate/ledgersum.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ledgersum.c - a ledger's room, and reading it; see ledger.h and book.h. */


#include <errno.h>
#include <string.h>

static const struct book *
sky_ledgersum_0book_of(const struct sky_ledger *l)
{
	return (const struct book *)l->opaque;
}

/* Buckets of a hash table for so many: a power of two. */
static uint32_t
buckets(unsigned n)
{
	uint32_t size = 1;

	while (size < n && size < 1u << 31)
		size *= 2;
	return size;
}

size_t
sky_ledger_room(unsigned dests, unsigned rows, unsigned recent)
{
	size_t heads = 2 * (size_t)buckets(dests) + buckets(rows) + buckets(recent);

	return ((size_t)dests + 1) * sizeof(struct dest) + rows * sizeof(struct said) +
	    recent * sizeof(struct held) + SKY_WHATS * sizeof(uint64_t[SKY_EVIDENCES]) +
	    heads * sizeof(uint32_t);
}

/* Cuts the next n bytes off the room. */
static void *
cut(char **room, size_t n)
{
	char *piece = *room;

	*room += n;
	return piece;
}

int
sky_ledger_init(struct sky_ledger *l, void *room, size_t size,
    unsigned dests, unsigned rows, unsigned recent)
{
	struct book *b = (struct book *)l->opaque;
	char *at = room;

	if (size < sky_ledger_room(dests, rows, recent) || !room)
		return -EINVAL;
	memset(l, 0, sizeof *l);
	memset(room, 0, sky_ledger_room(dests, rows, recent));
	b->max_dests = dests;
	b->max_said = rows;
	b->max_held = recent;
	b->dest_mask = buckets(dests) - 1;
	b->said_mask = buckets(rows) - 1;
	b->held_mask = buckets(recent) - 1;
	/* What needs the wider alignment comes first. */
	b->dests = cut(&at, ((size_t)dests + 1) * sizeof *b->dests);
	b->said = cut(&at, rows * sizeof *b->said);
	b->held = cut(&at, recent * sizeof *b->held);
	b->lost_told = cut(&at, SKY_WHATS * sizeof *b->lost_told);
	b->dest_heads = cut(&at, buckets(dests) * sizeof(uint32_t));
	b->host_heads = cut(&at, buckets(dests) * sizeof(uint32_t));
	b->said_heads = cut(&at, buckets(rows) * sizeof(uint32_t));
	b->held_heads = cut(&at, buckets(recent) * sizeof(uint32_t));
	return 0;
}

uint64_t
sky_ledger_open(const struct sky_ledger *l)
{
	return sky_ledgersum_0book_of(l)->open;
}

uint64_t
sky_ledger_overflow(const struct sky_ledger *l)
{
	return sky_ledgersum_0book_of(l)->overflow;
}

unsigned
sky_ledger_dests(const struct sky_ledger *l)
{
	return sky_ledgersum_0book_of(l)->n_dests;
}

unsigned
sky_ledger_rows(const struct sky_ledger *l)
{
	return sky_ledgersum_0book_of(l)->n_said;
}

int
sky_ledger_dest(const struct sky_ledger *l, unsigned i, struct sky_ledger_dest *out)
{
	const struct book *b = sky_ledgersum_0book_of(l);

	if (i >= b->n_dests)
		return -ENOENT;
	*out = b->dests[i].sums;
	if (out->rtts)
		out->rtt_mean_ns = b->dests[i].rtt_sum_ns / out->rtts;
	return 0;
}

int
sky_ledger_row(const struct sky_ledger *l, unsigned i, struct sky_ledger_row *out)
{
	const struct book *b = sky_ledgersum_0book_of(l);

	if (i >= b->n_said)
		return -ENOENT;
	*out = b->said[i].row;
	return 0;
}

static void
add(struct sky_ledger_dest *sum, const struct sky_ledger_dest *d)
{
	sum->sent += d->sent;
	sum->received += d->received;
	for (unsigned i = 0; i < SKY_WHATS; i++) {
		sum->counts[i] += d->counts[i];
		sum->lost[i] += d->lost[i];
	}
	if (d->rtts && (sum->rtts == 0 || d->rtt_min_ns < sum->rtt_min_ns))
		sum->rtt_min_ns = d->rtt_min_ns;
	if (d->rtt_max_ns > sum->rtt_max_ns)
		sum->rtt_max_ns = d->rtt_max_ns;
	sum->rtts += d->rtts;
}

void
sky_ledger_total(const struct sky_ledger *l, struct sky_ledger_dest *out)
{
	const struct book *b = sky_ledgersum_0book_of(l);
	uint64_t rtt_sum_ns = 0;

	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; i < b->n_dests; i++) {
		add(out, &b->dests[i].sums);
		rtt_sum_ns += b->dests[i].rtt_sum_ns;
	}
	add(out, &b->dests[b->max_dests].sums);
	rtt_sum_ns += b->dests[b->max_dests].rtt_sum_ns;
	if (out->rtts)
		out->rtt_mean_ns = rtt_sum_ns / out->rtts;
}

/* --- lib/fate/said.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * said.c - who said what about a destination, and which of it is news.
 *
 * One reporter that repeats itself means another datagram; two that say the
 * same mean one. So a row counts the largest of: what any one reporter told,
 * and the datagrams that were told apart.
 */


static uint8_t
type_of(const struct sky_fate *f)
{
	return f->have & SKY_HAVE_ICMP ? f->icmp_type : 0;
}

static uint8_t
code_of(const struct sky_fate *f)
{
	return f->have & SKY_HAVE_ICMP ? f->icmp_code : 0;
}

/* This host tells its own doings in different ways: the send call by an errno,
 * the error queue as an ICMP error from one of its addresses. */
static bool
is_plain(enum sky_what what, const struct sky_fate *f)
{
	return sky_fate_class(what) == SKY_CLASS_LOCAL || f->origin == SKY_ORIGIN_LOCAL;
}

static bool
same(const struct said *s, uint32_t dest, enum sky_what what, const struct sky_fate *f)
{
	const struct sky_fate *last = &s->row.last;

	if (s->row.dest != dest || s->row.what != what)
		return false;
	if (is_plain(what, f) || is_plain(what, last))
		return is_plain(what, f) == is_plain(what, last);
	if ((last->have ^ f->have) & SKY_HAVE_BY)
		return false;
	if (f->have & SKY_HAVE_BY && !sky_addr_same_host(&last->by, &f->by))
		return false;
	return type_of(last) == type_of(f) && code_of(last) == code_of(f);
}

static uint32_t
hash(uint32_t dest, enum sky_what what, const struct sky_fate *f)
{
	uint64_t h = (uint64_t)dest << 8 | (uint64_t)what;
	struct sky_addr by = f->by;

	if (!is_plain(what, f)) {
		sky_addr_set_port(&by, 0);
		h = h << 16 | (uint64_t)type_of(f) << 8 | code_of(f);
		if (f->have & SKY_HAVE_BY)
			h ^= (uint64_t)sky_addr_hash(&by) << 24;
	}
	return (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);
}

void
sky_said_keep(struct said *s, const struct sky_fate *f)
{
	s->row.last = *f;
	s->row.last.quote = s->row.last.ext = NULL;
	s->row.last.quote_len = s->row.last.ext_len = 0;
}

struct said *
sky_said_get(struct book *b, const struct dest *d, enum sky_what what, const struct sky_fate *f)
{
	uint32_t dest = sky_dest_index(b, d);
	uint32_t *head = &b->said_heads[hash(dest, what, f) & b->said_mask];
	uint32_t i = *head;
	struct said *s;

	if (dest == b->max_dests)
		return NULL;
	while (i && !same(&b->said[i - 1], dest, what, f))
		i = b->said[i - 1].chain_next;
	if (i == 0) {
		if (b->n_said == b->max_said)
			return NULL;
		s = &b->said[b->n_said++];
		s->row.dest = dest;
		s->row.what = (uint8_t)what;
		s->chain_next = *head;
		i = *head = b->n_said;
		sky_said_keep(s, f);
	}
	return &b->said[i - 1];
}

static uint64_t
raise(struct said *s, uint64_t to)
{
	uint64_t more = to > s->row.count ? to - s->row.count : 0;

	s->row.count += more;
	return more;
}

uint64_t
sky_said_more(struct said *s, enum sky_evidence e, uint64_t n)
{
	s->told[e] += n;
	return raise(s, s->told[e]);
}

uint64_t
sky_said_exact(struct said *s, enum sky_evidence e, bool fresh)
{
	if (fresh) {
		s->told[e]++;
		s->exact++;
		return raise(s, s->exact > s->told[e] ? s->exact : s->told[e]) > 0;
	}
	/* A reporter may repeat itself about one datagram; that is no event. */
	if (s->told[e] < s->row.count)
		s->told[e]++;
	return 0;
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
 *
 * head begins the sentence about one datagram (explain.c); sentence and advice
 * stand alone.
 */


#include <string.h>

struct sky_table_0row {
	const char *word;
	uint8_t class;
	uint8_t rank;
	bool bad;
	const char *head;
	const char *sentence;
	const char *advice;
};

enum { NONE, WAITING, GAVE_UP, HINT, PART, VERDICT, PROOF };

#define FINAL(word, rank, bad, head, sentence, advice) \
	{ word, SKY_CLASS_FINAL, rank, bad, head, sentence, advice }
#define LOCAL(word, head, sentence, advice) \
	{ word, SKY_CLASS_LOCAL, VERDICT, true, head, sentence, advice }
#define NOTE(word, bad, head, sentence, advice) \
	{ word, SKY_CLASS_NOTE, NONE, bad, head, sentence, advice }

static const struct sky_table_0row sky_table_0rows[SKY_WHATS] = {
	[SKY_NOTHING] = NOTE("nothing", false,
	    "nothing known",
	    "nothing is known",
	    "there is no record to explain"),
	[SKY_ANSWERED] = FINAL("answered", PROOF, false,
	    "answered",
	    "answered",
	    "nothing: the datagram arrived and a reply came back"),
	[SKY_SENT] = FINAL("sent", WAITING, false,
	    "sent, no news yet",
	    "sent, no news yet",
	    "wait, or ask for an answer: UDP alone gives no receipt"),
	[SKY_SILENT] = FINAL("silent", GAVE_UP, true,
	    "silent, nothing came by the deadline",
	    "silent, nothing came by the deadline",
	    "look at the path with sockpath: lost, dropped by a filter without a word, "
	    "or the service does not answer"),
	[SKY_REFUSED] = FINAL("refused", VERDICT, true,
	    "refused",
	    "refused, no program has this port open",
	    "check that the service runs there, on this port and this address"),
	[SKY_NO_PROTOCOL] = FINAL("no-protocol", VERDICT, true,
	    "no protocol",
	    "the host does not speak this protocol",
	    "check the protocol: the host is up but has no UDP, or a filter pretends so"),
	[SKY_HOST_UNREACHABLE] = FINAL("host-unreachable", VERDICT, true,
	    "host unreachable",
	    "the last router cannot reach the host",
	    "check that the host is up and on that network: nobody answers for its address"),
	[SKY_NET_UNREACHABLE] = FINAL("net-unreachable", VERDICT, true,
	    "net unreachable",
	    "a router has no route to the network",
	    "check the address, then the routes of the router that says so"),
	[SKY_FILTERED] = FINAL("filtered", VERDICT, true,
	    "filtered",
	    "a filter on the way prohibits it",
	    "ask whoever runs the router that says so to permit this traffic"),
	[SKY_TOO_BIG] = FINAL("too-big", VERDICT, true,
	    "too big",
	    "too big for a link on the way",
	    "send smaller datagrams, or let the system fragment (path MTU mode want)"),
	[SKY_HOP_LIMIT] = FINAL("hop-limit", VERDICT, true,
	    "hop limit reached",
	    "the hop limit was reached",
	    "raise the TTL; if it was not small, look for a routing loop with sockpath"),
	[SKY_REASSEMBLY_TIMEOUT] = FINAL("reassembly-timeout", PART, true,
	    "fragments missing",
	    "fragments were missing at the destination",
	    "send datagrams that need no fragments: a piece was lost or filtered"),
	[SKY_BAD_HEADER] = FINAL("bad-header", VERDICT, true,
	    "bad header",
	    "a header or option was not understood",
	    "send without IP options or extension headers; the pointer tells which byte"),
	[SKY_QUENCHED] = FINAL("quenched", HINT, true,
	    "quenched",
	    "a router asks to send slower",
	    "send slower; only old equipment still says so (RFC 6633)"),
	[SKY_UNREACHABLE] = FINAL("unreachable", VERDICT, true,
	    "unreachable",
	    "unreachable for another reason",
	    "the ICMP type and code tell more; see the tables below"),
	[SKY_NO_ROUTE] = LOCAL("no-route",
	    "no route from this host",
	    "this host has no route there",
	    "look at \"ip route get ADDRESS\", the interface's state and the source address"),
	[SKY_NO_NEIGHBOUR] = LOCAL("no-neighbour",
	    "no neighbour answered",
	    "no neighbour answered for the next hop",
	    "check that the next hop is up and on this link: \"ip neighbour\" shows it failed"),
	[SKY_DENIED] = LOCAL("denied",
	    "denied by this host",
	    "this host does not allow it",
	    "a route says prohibit, or a broadcast address needs SO_BROADCAST"),
	[SKY_FILTERED_LOCAL] = LOCAL("filtered-local",
	    "filtered by this host",
	    "a filter on this host prohibits it",
	    "look at this host's own rules: \"nft list ruleset\", chain output"),
	[SKY_DROPPED_SENDING] = LOCAL("dropped-sending",
	    "dropped by this host on the way out",
	    "dropped by this host on the way out",
	    "send slower, or enlarge the send buffer or the interface's queue"),
	[SKY_DROPPED_RECEIVING] = LOCAL("dropped-receiving",
	    "dropped at a full receive buffer",
	    "the receiving socket's buffer was full",
	    "read faster, or enlarge the receive buffer (SO_RCVBUF)"),
	[SKY_BAD_CHECKSUM] = LOCAL("bad-checksum",
	    "bad checksum on arrival",
	    "the checksum was wrong on arrival",
	    "suspect hardware, an offload or a rewriting box on the way"),
	[SKY_NO_SOCKET] = LOCAL("no-socket",
	    "arrived where no socket wanted it",
	    "it arrived, but no socket wanted it",
	    "bind the port on the address it was sent to"),
	[SKY_NO_MEMORY] = LOCAL("no-memory",
	    "no memory on this host",
	    "this host had no memory for it",
	    "free memory, or raise net.ipv4.udp_mem"),
	[SKY_TRUNCATED] = NOTE("truncated", true,
	    "truncated",
	    "cut to fit the buffer",
	    "receive into a larger buffer: the real length is told"),
	[SKY_DUPLICATED] = NOTE("duplicated", false,
	    "duplicated",
	    "arrived more than once",
	    "make the service tolerate it: networks may duplicate"),
	[SKY_REORDERED] = NOTE("reordered", false,
	    "reordered",
	    "overtaken by one that was sent later",
	    "make the service tolerate it: networks may reorder"),
	[SKY_LATE] = NOTE("late", false,
	    "late",
	    "news came after the deadline",
	    "wait longer for it"),
	[SKY_CORRUPTED] = NOTE("corrupted", true,
	    "corrupted",
	    "what arrived is not what was sent",
	    "suspect hardware or a rewriting box on the way"),
	[SKY_UNREAD] = NOTE("unread", true,
	    "arrived but never read",
	    "arrived, but was never read",
	    "read until nothing is left before closing the socket"),
	[SKY_STRAY] = NOTE("stray", false,
	    "stray",
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
sky_fate_head(enum sky_what what)
{
	return row_of(what)->head;
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
sky_vouch_0quotes(const unsigned char *quote, size_t quoted, const unsigned char *sent, size_t left)
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
	else if (!sky_vouch_0quotes(f->quote, quoted, left ? (const unsigned char *)sent + off : NULL, left))
		f->trust = SKY_TRUST_MISMATCH;
	else if (quoted < (left < 4 ? left : 4))
		f->trust = SKY_TRUST_SHORT;
	else
		f->trust = SKY_TRUST_MATCHED;
	return f->trust;
}

/* --- lib/sys/clock.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c - see clock.h. */
/* --- lib/sys/clock.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - what time it is; neither call enters the kernel on usual machines. */
#ifndef SKY_SYS_CLOCK_H
#define SKY_SYS_CLOCK_H

#include <stdint.h>

uint64_t sky_clock_wall(void);		/* CLOCK_REALTIME, ns */
uint64_t sky_clock_steady(void);	/* CLOCK_MONOTONIC_COARSE, ns; 4 ms steps */

#endif


#include <time.h>

static uint64_t
now(clockid_t id)
{
	struct timespec t = { 0 };

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t
sky_clock_wall(void)
{
	return now(CLOCK_REALTIME);
}

uint64_t
sky_clock_steady(void)
{
	return now(CLOCK_MONOTONIC_COARSE);
}

/* --- lib/sys/ctl.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ctl.c - control messages, in and out: see msg.h. */
/* --- lib/sys/msg.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msg.h - batches of datagrams and the control messages that travel with them.
 *
 * Control messages are the kernel's own structures, in native byte order; they
 * are copied in and out, never pointed into, and every length is checked.
 */
#ifndef SKY_SYS_MSG_H
#define SKY_SYS_MSG_H


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for every control message asked for on receive, both families'
 * packet information included; and for every one that is ever sent. */
#define SKY_CTL_IN 320
#define SKY_CTL_OUT 128

/* What the control messages of one datagram said. */
enum sky_ctl_have {
	SKY_CTL_LOCAL = 1u << 1,
	SKY_CTL_TTL = 1u << 2,
	SKY_CTL_TOS = 1u << 3,
	SKY_CTL_TIME = 1u << 4,
	SKY_CTL_FRAGSIZE = 1u << 5,
	SKY_CTL_DROPS = 1u << 6,
	SKY_CTL_SEG = 1u << 16,
	SKY_CTL_GROUP = 1u << 17,	/* local is a broadcast or multicast address */
	SKY_CTL_ERROR = 1u << 18,
};

/* Members are set only if their bit is in have. */
struct sky_ctl {
	uint32_t have;
	uint32_t ifindex;
	uint32_t fragsize;
	uint32_t drops;
	uint32_t seg;
	uint8_t ttl, tos;
	bool stamp;			/* time_ns is a transmit time stamp */
	uint64_t time_ns;
	struct sky_addr local;		/* port 0; v4-mapped undone */
	/* a struct sock_extended_err and the address behind it */
	int32_t err;
	uint8_t origin, type, code;
	uint32_t info, data;
	struct sky_addr by;
};

/* Decodes len bytes of control messages. What is cut or has an unexpected
 * length is left out. Returns have. */
uint32_t sky_ctl_decode(struct sky_ctl *c, const void *control, size_t len);

/* Appends one control message at offset at of buf, which has SKY_CTL_OUT bytes.
 * Returns the new offset; the same one if there is no room. */
size_t sky_ctl_put(void *buf, size_t at, int level, int type, const void *data, size_t len);
/* Source address (may be NULL) and interface (0: any) for a datagram to family. */
size_t sky_ctl_put_local(void *buf, size_t at, int family, const struct sky_addr *local,
    uint32_t ifindex);
size_t sky_ctl_put_ttl(void *buf, size_t at, int family, uint8_t ttl);
size_t sky_ctl_put_tos(void *buf, size_t at, int family, uint8_t tos);
size_t sky_ctl_put_segment(void *buf, size_t at, uint16_t seg);

/* Turns ::ffff:a.b.c.d into IPv4, where it lies. */
void sky_msg_unmap(struct sky_addr *a);

/* sendmmsg and recvmmsg, never blocking, repeated on EINTR: how many, or a
 * negative errno. Received lengths are the real ones, MSG_TRUNC tells. */
int sky_msg_send(int fd, struct mmsghdr *h, unsigned n);
int sky_msg_recv(int fd, struct mmsghdr *h, unsigned n);
/* Entries of the error queue. */
int sky_msg_errors(int fd, struct mmsghdr *h, unsigned n);

/* Would a datagram with this name and control find its way out? Does the
 * kernel's route and permission checks and sends nothing; a pending error of
 * another datagram does not show here. 0 or a negative errno. */
int sky_msg_probe(int fd, const struct msghdr *h);

/* Makes the socket report an error of its own (a local EMSGSIZE, because no
 * datagram is this long), so that whoever sleeps on it wakes up. */
void sky_msg_wake(int fd, const struct msghdr *h);

#endif


#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

enum {
	CTL_FRAGSIZE4 = 25,	/* IP_RECVFRAGSIZE */
	CTL_FRAGSIZE6 = 77,	/* IPV6_RECVFRAGSIZE */
	CTL_SEGMENT = 103,	/* UDP_SEGMENT */
	CTL_GRO = 104,		/* UDP_GRO */
};

static const uint8_t sky_ctl_0mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
addr4(struct sky_addr *a, const void *ip)
{
	memset(a, 0, sizeof(*a));
	a->u.in.sin_family = AF_INET;
	memcpy(&a->u.in.sin_addr, ip, 4);
}

static void
addr6(struct sky_addr *a, const uint8_t *ip, uint32_t scope)
{
	if (memcmp(ip, sky_ctl_0mapped, sizeof(sky_ctl_0mapped)) == 0) {
		addr4(a, ip + sizeof(sky_ctl_0mapped));
		return;
	}
	memset(a, 0, sizeof(*a));
	a->u.in6.sin6_family = AF_INET6;
	memcpy(&a->u.in6.sin6_addr, ip, 16);
	if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
		a->u.in6.sin6_scope_id = scope;
}

void
sky_msg_unmap(struct sky_addr *a)
{
	in_port_t port = a->u.in6.sin6_port;
	uint8_t ip[16];

	if (a->u.sa.sa_family != AF_INET6)
		return;
	memcpy(ip, &a->u.in6.sin6_addr, sizeof(ip));
	if (memcmp(ip, sky_ctl_0mapped, sizeof(sky_ctl_0mapped)) != 0)
		return;
	addr4(a, ip + sizeof(sky_ctl_0mapped));
	a->u.in.sin_port = port;
}

/* The value of a control message that is an int (TOS comes as one byte). */
static bool
int_of(const uint8_t *p, size_t len, uint32_t *v)
{
	int32_t n;

	if (len == 1) {
		*v = p[0];
		return true;
	}
	if (len != sizeof(n))
		return false;
	memcpy(&n, p, sizeof(n));
	*v = (uint32_t)n;
	return true;
}

static void
take_ttl(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	if (!int_of(p, len, &v))
		return;
	c->ttl = (uint8_t)v;
	c->have |= SKY_CTL_TTL;
}

static void
take_tos(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	uint32_t v;

	if (!int_of(p, len, &v))
		return;
	c->tos = (uint8_t)v;
	c->have |= SKY_CTL_TOS;
}

static void
take_fragsize(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	if (int_of(p, len, &c->fragsize))
		c->have |= SKY_CTL_FRAGSIZE;
}

static void
take_gro(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	if (len == sizeof(uint32_t) && int_of(p, len, &c->seg) && c->seg)
		c->have |= SKY_CTL_SEG;
}

static void
take_drops(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	if (len == sizeof(uint32_t) && int_of(p, len, &c->drops))
		c->have |= SKY_CTL_DROPS;
}

/* The kernel says with spec_dst what a reply should come from: where that is
 * not the address in the header, the header's was a group's. */
static void
take_pktinfo4(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct in_pktinfo i;

	if (len != sizeof(i))
		return;
	memcpy(&i, p, sizeof(i));
	addr4(&c->local, &i.ipi_addr);
	c->ifindex = (uint32_t)i.ipi_ifindex;
	c->have |= SKY_CTL_LOCAL;
	if (i.ipi_addr.s_addr != i.ipi_spec_dst.s_addr)
		c->have |= SKY_CTL_GROUP;
	else
		c->have &= ~(uint32_t)SKY_CTL_GROUP;
}

static void
take_pktinfo6(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct in6_pktinfo i;

	if (len != sizeof(i))
		return;
	memcpy(&i, p, sizeof(i));
	if ((c->have & SKY_CTL_LOCAL) && memcmp(&i.ipi6_addr, sky_ctl_0mapped, sizeof(sky_ctl_0mapped)) == 0)
		return;		/* IP_PKTINFO of the same datagram says more */
	addr6(&c->local, i.ipi6_addr.s6_addr, i.ipi6_ifindex);
	c->ifindex = i.ipi6_ifindex;
	c->have |= SKY_CTL_LOCAL;
	if (i.ipi6_addr.s6_addr[0] == 0xff)
		c->have |= SKY_CTL_GROUP;
}

static void
take_time(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct timespec t;

	if (len != sizeof(t))
		return;
	memcpy(&t, p, sizeof(t));
	c->time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	c->have |= SKY_CTL_TIME;
}

/* Transmit time stamps: software first, else the card's own clock. */
static void
take_stamp(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct timespec none = { 0 };
	size_t at = 0;

	if (len != 3 * sizeof(none))
		return;
	if (memcmp(p, &none, sizeof(none)) == 0)
		at = 2 * sizeof(none);
	take_time(c, p + at, sizeof(none));
	c->stamp = true;
}

static void
take_error(struct sky_ctl *c, const uint8_t *p, size_t len)
{
	struct sock_extended_err e;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family = AF_UNSPEC;

	if (len < sizeof(e))
		return;
	memcpy(&e, p, sizeof(e));
	c->err = (int32_t)e.ee_errno;
	c->origin = e.ee_origin;
	c->type = e.ee_type;
	c->code = e.ee_code;
	c->info = e.ee_info;
	c->data = e.ee_data;
	memset(&c->by, 0, sizeof(c->by));
	c->have |= SKY_CTL_ERROR;
	p += sizeof(e);
	len -= sizeof(e);
	if (len >= sizeof(family))
		memcpy(&family, p, sizeof(family));
	if (family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, p, sizeof(in));
		addr4(&c->by, &in.sin_addr);
	} else if (family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, p, sizeof(in6));
		addr6(&c->by, in6.sin6_addr.s6_addr, in6.sin6_scope_id);
	}
}

struct ctl_row {
	int level, type;
	void (*take)(struct sky_ctl *, const uint8_t *, size_t);
};

/* In the order of how often they come. */
static const struct ctl_row ctl_rows[] = {
	{ IPPROTO_IP, IP_PKTINFO, take_pktinfo4 },
	{ IPPROTO_IPV6, IPV6_PKTINFO, take_pktinfo6 },
	{ IPPROTO_UDP, CTL_GRO, take_gro },
	{ SOL_SOCKET, SCM_TIMESTAMPNS, take_time },
	{ IPPROTO_IP, IP_TTL, take_ttl },
	{ IPPROTO_IPV6, IPV6_HOPLIMIT, take_ttl },
	{ IPPROTO_IP, IP_TOS, take_tos },
	{ IPPROTO_IPV6, IPV6_TCLASS, take_tos },
	{ IPPROTO_IP, IP_RECVERR, take_error },
	{ IPPROTO_IPV6, IPV6_RECVERR, take_error },
	{ SOL_SOCKET, SO_RXQ_OVFL, take_drops },
	{ IPPROTO_IP, CTL_FRAGSIZE4, take_fragsize },
	{ IPPROTO_IPV6, CTL_FRAGSIZE6, take_fragsize },
	{ SOL_SOCKET, SCM_TIMESTAMPING, take_stamp },
};

static void
take_one(struct sky_ctl *c, const struct cmsghdr *h, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < sizeof(ctl_rows) / sizeof(ctl_rows[0]); i++) {
		const struct ctl_row *r = &ctl_rows[i];

		if (r->type == h->cmsg_type && r->level == h->cmsg_level) {
			r->take(c, p, len);
			return;
		}
	}
}

uint32_t
sky_ctl_decode(struct sky_ctl *c, const void *control, size_t len)
{
	const uint8_t *p = control;
	const size_t head = CMSG_LEN(0);
	struct cmsghdr h;

	c->have = 0;
	c->stamp = false;
	while (len >= head) {
		size_t step;

		memcpy(&h, p, sizeof(h));
		if (h.cmsg_len < head || h.cmsg_len > len)
			break;
		take_one(c, &h, p + head, h.cmsg_len - head);
		step = CMSG_ALIGN(h.cmsg_len);
		if (step >= len)
			break;
		p += step;
		len -= step;
	}
	return c->have;
}

size_t
sky_ctl_put(void *buf, size_t at, int level, int type, const void *data, size_t len)
{
	struct cmsghdr h = {
		.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type,
	};
	uint8_t *p = (uint8_t *)buf + at;

	if (at + CMSG_SPACE(len) > SKY_CTL_OUT)
		return at;
	memcpy(p, &h, sizeof(h));
	memcpy(p + CMSG_LEN(0), data, len);
	return at + CMSG_SPACE(len);
}

size_t
sky_ctl_put_local(void *buf, size_t at, int family, const struct sky_addr *local,
    uint32_t ifindex)
{
	struct in_pktinfo p4 = { .ipi_ifindex = (int)ifindex };
	struct in6_pktinfo p6 = { .ipi6_ifindex = ifindex };

	if (family == AF_INET) {
		if (local)
			p4.ipi_spec_dst = local->u.in.sin_addr;
		return sky_ctl_put(buf, at, IPPROTO_IP, IP_PKTINFO, &p4, sizeof(p4));
	}
	if (local)
		p6.ipi6_addr = local->u.in6.sin6_addr;
	return sky_ctl_put(buf, at, IPPROTO_IPV6, IPV6_PKTINFO, &p6, sizeof(p6));
}

static size_t
put_int(void *buf, size_t at, int family, int type4, int type6, int value)
{
	if (family == AF_INET)
		return sky_ctl_put(buf, at, IPPROTO_IP, type4, &value, sizeof(value));
	return sky_ctl_put(buf, at, IPPROTO_IPV6, type6, &value, sizeof(value));
}

size_t
sky_ctl_put_ttl(void *buf, size_t at, int family, uint8_t ttl)
{
	return put_int(buf, at, family, IP_TTL, IPV6_HOPLIMIT, ttl);
}

size_t
sky_ctl_put_tos(void *buf, size_t at, int family, uint8_t tos)
{
	return put_int(buf, at, family, IP_TOS, IPV6_TCLASS, tos);
}

/* Exactly two bytes: with four the kernel says EINVAL. */
size_t
sky_ctl_put_segment(void *buf, size_t at, uint16_t seg)
{
	return sky_ctl_put(buf, at, IPPROTO_UDP, CTL_SEGMENT, &seg, sizeof(seg));
}

/* --- lib/sys/errq.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* errq.c - see errq.h. */
/* --- lib/sys/errq.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errq.h - the socket's error queue, entry by entry.
 *
 * Both families, every origin: local errors, ICMP, ICMPv6, transmit time
 * stamps, zero-copy completions, missed transmit times. Nothing is judged here.
 */
#ifndef SKY_SYS_ERRQ_H
#define SKY_SYS_ERRQ_H


#include <stddef.h>
#include <stdint.h>

/* Entries fetched with one call, and bytes of quote kept of each: Linux routers
 * quote 520 bytes (IPv4) and 1184 (IPv6). */
#define SKY_ERRQ_BATCH 16
#define SKY_ERRQ_DATA 1280

enum sky_errq_flag {
	SKY_ERRQ_CUT = 1u << 0,		/* the quote was longer */
	SKY_ERRQ_EXT_BAD = 1u << 1,	/* RFC 4884: bad checksum or length */
	SKY_ERRQ_TTL = 1u << 2,
	SKY_ERRQ_TIME = 1u << 3,
	SKY_ERRQ_LOCAL = 1u << 4,	/* local and ifindex */
};

struct sky_errq {
	int32_t err;			/* positive errno */
	uint8_t origin;			/* SO_EE_ORIGIN_* */
	uint8_t type, code;
	uint8_t ttl;			/* of the ICMP packet */
	uint32_t info;			/* MTU, pointer, first of a range */
	uint32_t data;			/* id, last of a range */
	uint32_t flags;
	uint32_t ifindex;
	uint16_t len;			/* bytes of data, extensions included */
	uint16_t ext_at;		/* offset of the RFC 4884 structure; 0: none */
	struct sky_addr dest;		/* where the datagram was going */
	struct sky_addr by;		/* who said so; AF_UNSPEC for local errors */
	struct sky_addr local;		/* address that the ICMP packet came to */
	uint64_t time_ns;
};

/* Takes up to n (at most SKY_ERRQ_BATCH) entries off the queue. Returns how
 * many, 0 when it is empty, or a negative errno. */
int sky_errq_read(int fd, struct sky_errq *e, uint8_t (*data)[SKY_ERRQ_DATA], unsigned n);

#endif



#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/uio.h>

enum { EXT_INVALID = 1 };

/* The kernel puts {u16 offset, u8 flags, u8} where ee_data is. */
static void
find_extension(struct sky_errq *e)
{
	struct {
		uint16_t at;
		uint8_t flags, reserved;
	} ext;

	memcpy(&ext, &e->data, sizeof(ext));
	if (e->origin != SO_EE_ORIGIN_ICMP && e->origin != SO_EE_ORIGIN_ICMP6)
		return;
	if (ext.flags & EXT_INVALID)
		e->flags |= SKY_ERRQ_EXT_BAD;
	if (ext.at && ext.at < e->len)
		e->ext_at = ext.at;
}

static void
fill_meta(struct sky_errq *e, const struct sky_ctl *c)
{
	if (c->have & SKY_CTL_TTL) {
		e->ttl = c->ttl;
		e->flags |= SKY_ERRQ_TTL;
	}
	if (c->have & SKY_CTL_TIME) {
		e->time_ns = c->time_ns;
		e->flags |= SKY_ERRQ_TIME;
	}
	if (c->have & SKY_CTL_LOCAL) {
		e->local = c->local;
		e->ifindex = c->ifindex;
		e->flags |= SKY_ERRQ_LOCAL;
	}
}

static void
sky_errq_0fill(struct sky_errq *e, const struct mmsghdr *h, const struct sky_ctl *c)
{
	struct sky_addr dest = e->dest;

	memset(e, 0, sizeof(*e));
	if (h->msg_hdr.msg_namelen) {
		e->dest = dest;
		sky_msg_unmap(&e->dest);
	}
	e->len = (uint16_t)(h->msg_len < SKY_ERRQ_DATA ? h->msg_len : SKY_ERRQ_DATA);
	if (h->msg_hdr.msg_flags & MSG_TRUNC)
		e->flags |= SKY_ERRQ_CUT;
	if (c->have & SKY_CTL_ERROR) {
		e->err = c->err;
		e->origin = c->origin;
		e->type = c->type;
		e->code = c->code;
		e->info = c->info;
		e->data = c->data;
		e->by = c->by;
	}
	fill_meta(e, c);
	find_extension(e);
}

int
sky_errq_read(int fd, struct sky_errq *e, uint8_t (*data)[SKY_ERRQ_DATA], unsigned n)
{
	_Alignas(struct cmsghdr) uint8_t ctl[SKY_ERRQ_BATCH][SKY_CTL_IN + 128];
	struct mmsghdr h[SKY_ERRQ_BATCH];
	struct iovec iov[SKY_ERRQ_BATCH];
	struct sky_ctl c;
	int got;

	if (n > SKY_ERRQ_BATCH)
		n = SKY_ERRQ_BATCH;
	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ data[i], SKY_ERRQ_DATA };
		memset(&e[i].dest, 0, sizeof(e[i].dest));
		h[i].msg_hdr = (struct msghdr){
			.msg_name = &e[i].dest, .msg_namelen = sizeof(e[i].dest),
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = ctl[i], .msg_controllen = sizeof(ctl[i]),
		};
	}
	got = sky_msg_errors(fd, h, n);
	if (got == -EAGAIN)
		return 0;
	for (int i = 0; i < got; i++) {
		sky_ctl_decode(&c, ctl[i], h[i].msg_hdr.msg_controllen);
		sky_errq_0fill(&e[i], &h[i], &c);
	}
	return got;
}

/* --- lib/sys/msg.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* msg.c - see msg.h. */

/* --- lib/sys/ret.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ret.h - what a system call returned, as 0 or more, or a negative errno. */
#ifndef SKY_SYS_RET_H
#define SKY_SYS_RET_H

#include <errno.h>

/* Callers save errno first, because the library promises not to touch it. */
static inline int
sky_ret(long r, int saved)
{
	if (r >= 0)
		return (int)r;
	r = -errno;
	errno = saved;
	return (int)r;
}

#endif


#include <string.h>
#include <sys/uio.h>

enum { WAKE_BLOCK = 4096, WAKE_BLOCKS = 16, MSG_PROBE_FLAG = 0x10 };

/* One call past EINTR; bounded, because a timer may fire for ever. */
enum { EINTR_TRIES = 100 };

int
sky_msg_send(int fd, struct mmsghdr *h, unsigned n)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < EINTR_TRIES; i++)
		r = sky_ret(sendmmsg(fd, h, n, MSG_DONTWAIT | MSG_NOSIGNAL), saved);
	return r == -EINTR ? -EAGAIN : r;
}

static int
receive(int fd, struct mmsghdr *h, unsigned n, int flags)
{
	int saved = errno;
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < EINTR_TRIES; i++)
		r = sky_ret(recvmmsg(fd, h, n, flags, NULL), saved);
	return r == -EINTR ? -EAGAIN : r;
}

int
sky_msg_recv(int fd, struct mmsghdr *h, unsigned n)
{
	return receive(fd, h, n, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
}

int
sky_msg_errors(int fd, struct mmsghdr *h, unsigned n)
{
	return receive(fd, h, n, MSG_DONTWAIT | MSG_ERRQUEUE | MSG_CMSG_CLOEXEC);
}

/* MSG_CONFIRM with MSG_PROBE and no data ends in udp_sendmsg after the route
 * was found, before sk_err is looked at and before anything is built. */
int
sky_msg_probe(int fd, const struct msghdr *h)
{
	struct msghdr p = *h;
	int saved = errno;

	p.msg_iov = NULL;
	p.msg_iovlen = 0;
	return sky_ret(sendmsg(fd, &p, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM | MSG_PROBE_FLAG),
	    saved);
}

void
sky_msg_wake(int fd, const struct msghdr *h)
{
	static const uint8_t block[WAKE_BLOCK];
	struct iovec iov[WAKE_BLOCKS];
	struct msghdr p = *h;
	int saved = errno;

	for (int i = 0; i < WAKE_BLOCKS; i++) {
		memcpy(&iov[i].iov_base, &(const void *){ block }, sizeof(void *));
		iov[i].iov_len = WAKE_BLOCK;
	}
	iov[0].iov_len--;	/* 65535: one more is refused without a record */
	p.msg_iov = iov;
	p.msg_iovlen = WAKE_BLOCKS;
	p.msg_control = NULL;
	p.msg_controllen = 0;
	(void)sky_ret(sendmsg(fd, &p, MSG_DONTWAIT | MSG_NOSIGNAL), saved);
}

/* --- lib/sys/route.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* route.c - see route.h. */
/* --- lib/sys/route.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.h - questions to the kernel's routing and neighbour tables, by netlink.
 *
 * Each opens a netlink socket, asks, closes; nothing is allocated, no call
 * waits. 0 or more is the answer, a negative errno means it cannot tell.
 */
#ifndef SKY_SYS_ROUTE_H
#define SKY_SYS_ROUTE_H



/* 1 if a is an address of this host (its route is of type local), else 0. */
int sky_route_is_own(const struct sky_addr *a);

/* 1 if the neighbour entry of the next hop towards dst is incomplete: asked
 * for, not answered, not given up. 0 if it is in any other state. */
int sky_route_unresolved(const struct sky_addr *dst);

#endif



#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

/* libmnl's own socket is allocated; only its message functions are used. */
enum { REPLY_SIZE = 8192 };

struct hop {
	int type;			/* RTN_* */
	uint32_t ifindex;
	uint8_t gateway[16];
	int gateway_family;		/* 0: the destination is on the link */
};

static const void *
ip_of(const struct sky_addr *a, size_t *len)
{
	if (a->u.sa.sa_family == AF_INET) {
		*len = 4;
		return &a->u.in.sin_addr;
	}
	*len = 16;
	return &a->u.in6.sin6_addr;
}

/* Sends h and puts the one answer into buf. Its length, or a negative errno. */
static int
ask(const struct nlmsghdr *h, void *buf, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int saved = errno;
	int fd = sky_ret(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), saved);
	int r;

	if (fd < 0)
		return fd;
	r = sky_ret(sendto(fd, h, h->nlmsg_len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
	    sizeof(kernel)), saved);
	if (r >= 0)
		r = sky_ret(recv(fd, buf, size, MSG_DONTWAIT), saved);
	close(fd);
	errno = saved;
	return r;
}

/* The answer as a message of the type, or an errno that it carries. */
static int
check(const struct nlmsghdr *h, int len, int type)
{
	const struct nlmsgerr *e;

	if (!mnl_nlmsg_ok(h, len))
		return -EBADMSG;
	if (h->nlmsg_type == NLMSG_ERROR) {
		e = mnl_nlmsg_get_payload(h);
		return e->error ? e->error : -ENOENT;
	}
	return h->nlmsg_type == type ? 0 : -EBADMSG;
}

static int
take_route(const struct nlattr *attr, void *data)
{
	struct hop *hop = data;
	size_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		if (len == sizeof(uint32_t))
			hop->ifindex = mnl_attr_get_u32(attr);
		break;
	case RTA_GATEWAY:
		if (len != 4 && len != 16)
			break;
		hop->gateway_family = len == 4 ? AF_INET : AF_INET6;
		memcpy(hop->gateway, mnl_attr_get_payload(attr), len);
		break;
	case RTA_VIA:
		if (len != 2 + 16 && len != 2 + 4)
			break;
		hop->gateway_family = len == 2 + 4 ? AF_INET : AF_INET6;
		memcpy(hop->gateway, (const char *)mnl_attr_get_payload(attr) + 2, len - 2);
		break;
	}
	return MNL_CB_OK;
}

static int
ask_route(const struct sky_addr *dst, struct hop *hop)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct rtmsg *m;
	size_t len;
	const void *ip = ip_of(dst, &len);
	int r;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = (unsigned char)dst->u.sa.sa_family;
	m->rtm_dst_len = (unsigned char)(len * 8);
	mnl_attr_put(h, RTA_DST, len, ip);
	if (dst->u.sa.sa_family == AF_INET6 && dst->u.in6.sin6_scope_id)
		mnl_attr_put_u32(h, RTA_OIF, dst->u.in6.sin6_scope_id);
	r = ask(h, buf, sizeof(buf));
	if (r < 0)
		return r;
	r = check(h, r, RTM_NEWROUTE);
	if (r < 0)
		return r;
	m = mnl_nlmsg_get_payload(h);
	*hop = (struct hop){ .type = m->rtm_type };
	mnl_attr_parse(h, sizeof(*m), take_route, hop);
	return 0;
}

static int
ask_neighbour(int family, const void *ip, size_t len, uint32_t ifindex)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct ndmsg *m;
	int r;

	h->nlmsg_type = RTM_GETNEIGH;
	h->nlmsg_flags = NLM_F_REQUEST;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ndm_family = (unsigned char)family;
	m->ndm_ifindex = (int)ifindex;
	mnl_attr_put(h, NDA_DST, len, ip);
	r = ask(h, buf, sizeof(buf));
	if (r < 0)
		return r;
	r = check(h, r, RTM_NEWNEIGH);
	if (r < 0)
		return r;
	m = mnl_nlmsg_get_payload(h);
	return m->ndm_state;
}

int
sky_route_is_own(const struct sky_addr *a)
{
	struct hop hop;
	int r = ask_route(a, &hop);

	return r < 0 ? r : hop.type == RTN_LOCAL;
}

int
sky_route_unresolved(const struct sky_addr *dst)
{
	struct hop hop;
	size_t len;
	const void *ip = ip_of(dst, &len);
	int family = dst->u.sa.sa_family;
	int r = ask_route(dst, &hop);

	if (r < 0)
		return r;
	if (hop.type != RTN_UNICAST)
		return 0;
	if (hop.gateway_family) {
		family = hop.gateway_family;
		ip = hop.gateway;
		len = family == AF_INET ? 4 : 16;
	}
	r = ask_neighbour(family, ip, len, hop.ifindex);
	return r < 0 ? r : !!(r & NUD_INCOMPLETE);
}

/* --- lib/sys/sockfd.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* sockfd.c - see sockfd.h. */
/* --- lib/sys/sockfd.h --- */
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
int sky_sockfd_bind(int fd, const struct sockaddr_storage *a, socklen_t len);
int sky_sockfd_connect(int fd, const struct sockaddr_storage *a, socklen_t len);
int sky_sockfd_close(int fd);

/* Length of the local (peer) address put into a. */
int sky_sockfd_name(int fd, struct sockaddr_storage *a);
int sky_sockfd_peer(int fd, struct sockaddr_storage *a);

#endif



#include <netinet/in.h>
#include <unistd.h>

int
sky_sockfd_open(int family)
{
	int saved = errno;

	return sky_ret(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP),
	    saved);
}

int
sky_sockfd_bind(int fd, const struct sockaddr_storage *a, socklen_t len)
{
	int saved = errno;

	return sky_ret(bind(fd, (const struct sockaddr *)a, len), saved);
}

int
sky_sockfd_connect(int fd, const struct sockaddr_storage *a, socklen_t len)
{
	int saved = errno;

	return sky_ret(connect(fd, (const struct sockaddr *)a, len), saved);
}

int
sky_sockfd_close(int fd)
{
	int saved = errno;

	return sky_ret(close(fd), saved);
}

int
sky_sockfd_name(int fd, struct sockaddr_storage *a)
{
	socklen_t len = sizeof(*a);
	int saved = errno;
	int r = sky_ret(getsockname(fd, (struct sockaddr *)a, &len), saved);

	return r < 0 ? r : (int)len;
}

int
sky_sockfd_peer(int fd, struct sockaddr_storage *a)
{
	socklen_t len = sizeof(*a);
	int saved = errno;
	int r = sky_ret(getpeername(fd, (struct sockaddr *)a, &len), saved);

	return r < 0 ? r : (int)len;
}

/* --- lib/sys/sockopt.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* sockopt.c - see sockopt.h. */
/* --- lib/sys/sockopt.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockopt.h - socket options by one name for both families.
 *
 * A row of the table knows the level and number of an option for IPv4 and for
 * IPv6; a dual-stack socket needs both set (IPV6_RECVERR alone delivers nothing
 * about v4-mapped peers). All return 0 or a negative errno and leave errno alone.
 */
#ifndef SKY_SYS_SOCKOPT_H
#define SKY_SYS_SOCKOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Which protocols a socket carries. */
enum sky_carries {
	SKY_CARRIES4 = 1,
	SKY_CARRIES6 = 2,
};

enum sky_opt {
	SKY_OPT_RECVERR, SKY_OPT_RECVERR_RFC4884, SKY_OPT_PKTINFO, SKY_OPT_RECVTTL,
	SKY_OPT_RECVTOS, SKY_OPT_FRAGSIZE, SKY_OPT_TTL, SKY_OPT_TOS,
	SKY_OPT_MULTICAST_TTL, SKY_OPT_MULTICAST_ALL, SKY_OPT_PMTU, SKY_OPT_FREEBIND,
	SKY_OPT_TIMESTAMPNS, SKY_OPT_RXQ_OVFL, SKY_OPT_REUSEADDR, SKY_OPT_REUSEPORT,
	SKY_OPT_BROADCAST, SKY_OPT_DONTROUTE, SKY_OPT_NO_CHECK,
	SKY_OPT_GRO, SKY_OPT_GSO, SKY_OPT_V6ONLY,
	SKY_OPTS
};

/* Sets an int option for what the socket carries; the first failure, if any. */
int sky_sockopt_set(int fd, unsigned carries, enum sky_opt opt, int value);
/* Asks the first row that applies. */
int sky_sockopt_get(int fd, unsigned carries, enum sky_opt opt, int *value);

/* SO_RCVBUFFORCE / SO_SNDBUFFORCE where allowed, else the plain option. */
int sky_sockopt_buffer(int fd, bool receive, int bytes);
int sky_sockopt_device(int fd, const char *name);
int sky_sockopt_multicast_if(int fd, unsigned carries, unsigned ifindex);
/* Joins or leaves; source may be NULL. Addresses of the group's own family. */
int sky_sockopt_group(int fd, bool join, const struct sockaddr *group,
    const struct sockaddr *source, socklen_t len, unsigned ifindex);

/* SO_DOMAIN, SO_TYPE, SO_PROTOCOL. */
int sky_sockopt_kind(int fd, int *family, int *type, int *protocol);

/* What SO_MEMINFO says now: no datagram is needed to learn of drops. */
struct sky_meminfo {
	uint32_t rmem, rcvbuf, wmem, sndbuf, drops;
};
int sky_sockopt_meminfo(int fd, struct sky_meminfo *out);

#endif



#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

/* Newer than some C libraries know; the kernel's numbers. */
enum {
	V4_RECVERR_RFC4884 = 26,
	V6_RECVERR_RFC4884 = 31,
	V6_MULTICAST_ALL = 29,
	V6_FREEBIND = 78,
	UDP_SEGMENT_OPT = 103,
	UDP_GRO_OPT = 104,
	MEMINFO_OPT = 55,
	ASK_MEMINFO_VARS = 9,
};

struct opt_row {
	int level4, name4;	/* name 0: none (IPPROTO_IP is level 0) */
	int level6, name6;
};

#define BOTH(a, b) { IPPROTO_IP, a, IPPROTO_IPV6, b }
#define ANY(level, name) { level, name, level, name }

static const struct opt_row sky_sockopt_0rows[SKY_OPTS] = {
	[SKY_OPT_RECVERR] = BOTH(IP_RECVERR, IPV6_RECVERR),
	[SKY_OPT_RECVERR_RFC4884] = BOTH(V4_RECVERR_RFC4884, V6_RECVERR_RFC4884),
	[SKY_OPT_PKTINFO] = BOTH(IP_PKTINFO, IPV6_RECVPKTINFO),
	[SKY_OPT_RECVTTL] = BOTH(IP_RECVTTL, IPV6_RECVHOPLIMIT),
	[SKY_OPT_RECVTOS] = BOTH(IP_RECVTOS, IPV6_RECVTCLASS),
	[SKY_OPT_FRAGSIZE] = BOTH(25, 77),
	[SKY_OPT_TTL] = BOTH(IP_TTL, IPV6_UNICAST_HOPS),
	[SKY_OPT_TOS] = BOTH(IP_TOS, IPV6_TCLASS),
	[SKY_OPT_MULTICAST_TTL] = BOTH(IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS),
	[SKY_OPT_MULTICAST_ALL] = BOTH(IP_MULTICAST_ALL, V6_MULTICAST_ALL),
	[SKY_OPT_PMTU] = BOTH(IP_MTU_DISCOVER, IPV6_MTU_DISCOVER),
	[SKY_OPT_FREEBIND] = BOTH(IP_FREEBIND, V6_FREEBIND),
	[SKY_OPT_TIMESTAMPNS] = ANY(SOL_SOCKET, SO_TIMESTAMPNS),
	[SKY_OPT_RXQ_OVFL] = ANY(SOL_SOCKET, SO_RXQ_OVFL),
	[SKY_OPT_REUSEADDR] = ANY(SOL_SOCKET, SO_REUSEADDR),
	[SKY_OPT_REUSEPORT] = ANY(SOL_SOCKET, SO_REUSEPORT),
	[SKY_OPT_BROADCAST] = ANY(SOL_SOCKET, SO_BROADCAST),
	[SKY_OPT_DONTROUTE] = ANY(SOL_SOCKET, SO_DONTROUTE),
	[SKY_OPT_NO_CHECK] = ANY(SOL_SOCKET, SO_NO_CHECK),
	[SKY_OPT_GRO] = ANY(IPPROTO_UDP, UDP_GRO_OPT),
	[SKY_OPT_GSO] = ANY(IPPROTO_UDP, UDP_SEGMENT_OPT),
	[SKY_OPT_V6ONLY] = { 0, 0, IPPROTO_IPV6, IPV6_V6ONLY },
};

static int
set_raw(int fd, int level, int name, const void *value, socklen_t len)
{
	int saved = errno;

	return sky_ret(setsockopt(fd, level, name, value, len), saved);
}

static int
get_raw(int fd, int level, int name, void *value, socklen_t *len)
{
	int saved = errno;

	return sky_ret(getsockopt(fd, level, name, value, len), saved);
}

int
sky_sockopt_set(int fd, unsigned carries, enum sky_opt opt, int value)
{
	const struct opt_row *o = &sky_sockopt_0rows[opt];
	int r = 0, r6 = 0;

	if ((carries & SKY_CARRIES4) && o->name4)
		r = set_raw(fd, o->level4, o->name4, &value, sizeof(value));
	if ((carries & SKY_CARRIES6) && o->name6 &&
	    !((carries & SKY_CARRIES4) && o->level6 == o->level4))
		r6 = set_raw(fd, o->level6, o->name6, &value, sizeof(value));
	return r ? r : r6;
}

int
sky_sockopt_get(int fd, unsigned carries, enum sky_opt opt, int *value)
{
	const struct opt_row *o = &sky_sockopt_0rows[opt];
	socklen_t len = sizeof(*value);

	if ((carries & SKY_CARRIES6) && o->name6)
		return get_raw(fd, o->level6, o->name6, value, &len);
	return get_raw(fd, o->level4, o->name4, value, &len);
}

int
sky_sockopt_buffer(int fd, bool receive, int bytes)
{
	int forced = receive ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;

	if (set_raw(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) == 0)
		return 0;
	return set_raw(fd, SOL_SOCKET, receive ? SO_RCVBUF : SO_SNDBUF, &bytes, sizeof(bytes));
}

int
sky_sockopt_device(int fd, const char *name)
{
	return set_raw(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1);
}

int
sky_sockopt_multicast_if(int fd, unsigned carries, unsigned ifindex)
{
	struct ip_mreqn q = { .imr_ifindex = (int)ifindex };
	int index = (int)ifindex;
	int r = 0, r6 = 0;

	if (carries & SKY_CARRIES4)
		r = set_raw(fd, IPPROTO_IP, IP_MULTICAST_IF, &q, sizeof(q));
	if (carries & SKY_CARRIES6)
		r6 = set_raw(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
	return r ? r : r6;
}

int
sky_sockopt_group(int fd, bool join, const struct sockaddr *group,
    const struct sockaddr *source, socklen_t len, unsigned ifindex)
{
	int level = group->sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	struct group_req q = { .gr_interface = ifindex };
	struct group_source_req s = { .gsr_interface = ifindex };

	if (!source) {
		memcpy(&q.gr_group, group, len);
		return set_raw(fd, level, join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
		    &q, sizeof(q));
	}
	memcpy(&s.gsr_group, group, len);
	memcpy(&s.gsr_source, source, len);
	return set_raw(fd, level, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
	    &s, sizeof(s));
}

int
sky_sockopt_kind(int fd, int *family, int *type, int *protocol)
{
	socklen_t len = sizeof(int);
	int r = get_raw(fd, SOL_SOCKET, SO_DOMAIN, family, &len);

	if (r == 0)
		r = get_raw(fd, SOL_SOCKET, SO_TYPE, type, &len);
	if (r == 0)
		r = get_raw(fd, SOL_SOCKET, SO_PROTOCOL, protocol, &len);
	return r;
}

int
sky_sockopt_meminfo(int fd, struct sky_meminfo *out)
{
	uint32_t v[ASK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(v);
	int r = get_raw(fd, SOL_SOCKET, MEMINFO_OPT, v, &len);

	if (r < 0)
		return r;
	*out = (struct sky_meminfo){
		.rmem = v[SK_MEMINFO_RMEM_ALLOC], .rcvbuf = v[SK_MEMINFO_RCVBUF],
		.wmem = v[SK_MEMINFO_WMEM_ALLOC], .sndbuf = v[SK_MEMINFO_SNDBUF],
		.drops = v[SK_MEMINFO_DROPS],
	};
	return 0;
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

/* --- lib/sock/conf.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.c - see conf.h. */
/* --- lib/sock/conf.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* conf.h - from struct sky_udp_conf to options in force; for udp.c alone. */
#ifndef SKY_SOCK_CONF_H
#define SKY_SOCK_CONF_H

/* --- lib/sock/handle.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle.h - what is inside struct sky_udp; for lib/sock alone.
 *
 * Two threads may be at work, one sending and one receiving. Members are grouped
 * by who writes them; counters have one writer each and are relaxed atomics, so
 * that reading them elsewhere is no race. What passes from the sender to the
 * receiver goes through the ring and local_mtu; there is no lock.
 *
 * Never to sleep upon an error: an entry leaves the kernel's queue, and with it
 * the event that would wake a sleeper, in two ways only. The receiving thread
 * takes it, and hands it to its caller. Or a send drains the queue into the
 * ring (rarely: see drain.c); if the thread that receives is the one that
 * sends, it asks sky_udp_pending() before it sleeps. If it is another one (or
 * none has received yet), it may be past that question: the sender first
 * makes the entries visible in the ring and then puts an error of its own into
 * the kernel's queue (sky_msg_wake), which wakes the receiver, who swallows it.
 */
#ifndef SKY_SOCK_HANDLE_H
#define SKY_SOCK_HANDLE_H

#include <pthread.h>
/* --- lib/sock/ring.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - errors that a send had to take off the kernel's queue, waiting.
 *
 * One thread puts (the sender), one takes (the receiver): two counters and no
 * lock. The memory is the caller's of sky_udp_open(). A slot also holds one
 * remembered refusal of segmentation (refusal.h), which only the sender uses.
 */
#ifndef SKY_SOCK_RING_H
#define SKY_SOCK_RING_H


#include <stdatomic.h>


struct sky_refusal {
	struct sky_addr dst;		/* AF_UNSPEC: this slot is free */
	uint64_t since_ns;
};

#define SKY_SLOT_DATA \
	(SKY_UDP_SLOT - sizeof(struct sky_errq) - sizeof(struct sky_refusal))

struct sky_slot {
	struct sky_errq e;
	struct sky_refusal refusal;
	uint8_t data[SKY_SLOT_DATA];
};

struct sky_ring {
	struct sky_slot *slot;
	uint32_t n;
	_Atomic uint32_t head;		/* next to take; the receiver's */
	_Atomic uint32_t tail;		/* next to put; the sender's */
};

void sky_ring_init(struct sky_ring *r, struct sky_slot *slot, uint32_t n);

/* False if there is no room. A quote longer than the slot is cut and marked. */
bool sky_ring_put(struct sky_ring *r, const struct sky_errq *e, const uint8_t *data);

/* The oldest entry where it lies, or NULL; sky_ring_drop() takes it away. */
const struct sky_slot *sky_ring_first(const struct sky_ring *r);
void sky_ring_drop(struct sky_ring *r);

static inline uint32_t
sky_ring_count(const struct sky_ring *r)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	return atomic_load_explicit(&r->tail, memory_order_acquire) - head;
}

#endif




#define SKY_UDP_MAGIC 0x736f636b65796531u
#define SKY_UDP_OWN_SLOTS 8
#define SKY_UDP_BATCH 64

typedef _Atomic uint64_t sky_count;

struct udp {
	/* written at open and by calls that need the caller's lock */
	uint64_t magic;
	int fd;
	int family;			/* of the socket: AF_INET or AF_INET6 */
	unsigned carries;
	bool v6only, connected, plain;
	uint32_t want, flags;
	uint32_t ctl_len;		/* room to offer for control messages */
	int32_t cap[SKY_CAPS];
	struct sky_addr local;		/* as bound at open; port 0 if not known */
	struct sky_addr peer;
	uint64_t gso_memory_ns;
	struct sky_ring ring;

	/* the sender's */
	uint32_t gso_max;		/* segments; falls to 64 on older kernels */
	uint32_t refusals;		/* destinations noted since the last clear */
	uint32_t stale;			/* stale errors since the last drain */
	sky_count tx, tx_retries, trains, refused, enobufs, eperm;
	sky_count lost;

	/* the receiver's */
	_Atomic uintptr_t receiver;	/* the thread that receives; 0: none yet */
	sky_count rx, rx_retries, truncated;
	sky_count taken;		/* errors handed over */
	sky_count maybe_lost;
	uint64_t drops;			/* 64 bit, of the kernel's 32 */
	uint32_t drops_seen;
	struct sky_addr own_asked;	/* the last question "is this ours?" */
	uint64_t own_ns;
	bool own;

	/* from one to the other */
	_Atomic uint32_t local_mtu;	/* of a local error that the receiver swallowed */
	_Atomic uint32_t wakes;		/* errors of our own in the kernel's queue */

	_Alignas(64) struct sky_slot own_slot[SKY_UDP_OWN_SLOTS];
} __attribute__((may_alias));

static inline struct udp *
udp_of(struct sky_udp *u)
{
	return (struct udp *)(void *)u;
}

static inline const struct udp *
udp_of_const(const struct sky_udp *u)
{
	return (const struct udp *)(const void *)u;
}

static inline void
udp_count(sky_count *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline uint64_t
udp_counted(const sky_count *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

static inline void
udp_receiving(struct udp *u)
{
	atomic_store_explicit(&u->receiver, (uintptr_t)pthread_self(), memory_order_relaxed);
}

static inline bool
udp_receives_here(const struct udp *u)
{
	return atomic_load_explicit(&u->receiver, memory_order_relaxed) ==
	    (uintptr_t)pthread_self();
}

static inline struct sky_msg *
udp_msg_at(struct sky_msg *m, unsigned i, size_t stride)
{
	return (struct sky_msg *)(void *)((char *)m + i * stride);
}

/* How many datagrams bytes make in trains of seg. */
static inline uint64_t
udp_parts(size_t bytes, uint32_t seg)
{
	return seg && bytes > seg ? (bytes + seg - 1) / seg : 1;
}

/* True for an errno that an ICMP error leaves behind for an unrelated call. */
bool udp_may_be_stale(int err);

/* drain.c: the error queue into the ring. Returns the MTU of a local EMSGSIZE
 * that was among the entries, else 0. h is a datagram, for the wake. */
uint32_t udp_drain(struct udp *u, const struct msghdr *h);
/* The same, as far as the ring has room, to keep the receive buffer free. */
void udp_relieve(struct udp *u, const struct msghdr *h);
/* True for a local error whose news a send's status was. */
bool udp_is_told_already(const struct udp *u, const struct sky_errq *e);
/* True (once per wake) for an entry that only was to wake the receiver. */
bool udp_is_wake(struct udp *u, const struct sky_errq *e);

#endif


/* A conf that makes sense? Takes what is known of it into known (a smaller or
 * NULL conf has defaults). 0 or -EINVAL. */
int sky_conf_read(struct sky_udp_conf *known, const struct sky_udp_conf *c);

/* Sets what must be set before bind, and what tells of fates and datagrams. A
 * missing option is noted in u->cap. 0, or what an option said without which
 * the socket would not be what was asked for. */
int sky_conf_apply(struct udp *u, const struct sky_udp_conf *c, bool adopted);

/* Asks for errors, or stops it (the queue is purged). */
void sky_conf_errors(struct udp *u, bool on);

#endif


#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

enum {
	WANTS = SKY_WANT_LOCAL | SKY_WANT_TTL | SKY_WANT_TOS | SKY_WANT_TIME |
		SKY_WANT_FRAGSIZE | SKY_WANT_DROPS,
	FLAGS = SKY_UDP_PLAIN | SKY_UDP_REUSEADDR | SKY_UDP_REUSEPORT | SKY_UDP_V6ONLY |
		SKY_UDP_BROADCAST | SKY_UDP_GRO | SKY_UDP_NO_GSO | SKY_UDP_MULTICAST_ALL |
		SKY_UDP_DONTROUTE | SKY_UDP_FREEBIND | SKY_UDP_LOCAL_TWICE,
};

static bool
is_zero(const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		if (b[i])
			return false;
	return true;
}

static bool
values_make_sense(const struct sky_udp_conf *c)
{
	if ((c->want & ~(uint32_t)WANTS) || (c->flags & ~(uint32_t)FLAGS))
		return false;
	if (c->family != AF_UNSPEC && c->family != AF_INET && c->family != AF_INET6)
		return false;
	if (c->rcvbuf < 0 || c->sndbuf < 0 || c->pmtu < 0 || c->pmtu > SKY_PMTU_OMIT)
		return false;
	if (c->ttl < 0 || c->ttl > 255 || c->tos < 0 || c->tos > 255)
		return false;
	if (c->room && (uintptr_t)c->room % sizeof(uint64_t))
		return false;
	return is_zero(c->reserved, sizeof(c->reserved));
}

/* A conf from a newer header may be longer: as long as it asks nothing new. */
int
sky_conf_read(struct sky_udp_conf *known, const struct sky_udp_conf *c)
{
	*known = (struct sky_udp_conf){ .size = sizeof(*known) };
	if (!c)
		return 0;
	if (c->size < sizeof(*c))
		return -EINVAL;
	if (!is_zero((const char *)c + sizeof(*c), c->size - sizeof(*c)))
		return -EINVAL;
	*known = *c;
	return values_make_sense(c) ? 0 : -EINVAL;
}

struct want_row {
	enum sky_want want;
	enum sky_cap cap;
	enum sky_opt opt;
};

static const struct want_row wants[] = {
	{ SKY_WANT_LOCAL, SKY_CAP_LOCAL, SKY_OPT_PKTINFO },
	{ SKY_WANT_TTL, SKY_CAP_TTL, SKY_OPT_RECVTTL },
	{ SKY_WANT_TOS, SKY_CAP_TOS, SKY_OPT_RECVTOS },
	{ SKY_WANT_TIME, SKY_CAP_TIME, SKY_OPT_TIMESTAMPNS },
	{ SKY_WANT_FRAGSIZE, SKY_CAP_FRAGSIZE, SKY_OPT_FRAGSIZE },
	{ SKY_WANT_DROPS, SKY_CAP_DROPS, SKY_OPT_RXQ_OVFL },
};

struct flag_row {
	enum sky_udp_flag flag;
	enum sky_opt opt;
	bool fatal;			/* bind would do something else without it */
};

static const struct flag_row flags[] = {
	{ SKY_UDP_REUSEADDR, SKY_OPT_REUSEADDR, true },
	{ SKY_UDP_REUSEPORT, SKY_OPT_REUSEPORT, true },
	{ SKY_UDP_FREEBIND, SKY_OPT_FREEBIND, true },
	{ SKY_UDP_BROADCAST, SKY_OPT_BROADCAST, true },
	{ SKY_UDP_DONTROUTE, SKY_OPT_DONTROUTE, true },
};

static int32_t
in_force(int r)
{
	return r < 0 ? r : 1;
}

void
sky_conf_errors(struct udp *u, bool on)
{
	u->plain = !on;
	u->cap[SKY_CAP_ERRORS4] = u->cap[SKY_CAP_ERRORS6] = u->cap[SKY_CAP_RFC4884] = 0;
	if (u->carries & SKY_CARRIES4)
		u->cap[SKY_CAP_ERRORS4] = in_force(sky_sockopt_set(u->fd,
		    SKY_CARRIES4, SKY_OPT_RECVERR, on));
	if (u->carries & SKY_CARRIES6)
		u->cap[SKY_CAP_ERRORS6] = in_force(sky_sockopt_set(u->fd,
		    SKY_CARRIES6, SKY_OPT_RECVERR, on));
	u->cap[SKY_CAP_RFC4884] = in_force(sky_sockopt_set(u->fd, u->carries,
	    SKY_OPT_RECVERR_RFC4884, on));
	if (!on)
		for (int i = SKY_CAP_ERRORS4; i <= SKY_CAP_RFC4884; i++)
			u->cap[i] = u->cap[i] < 0 ? u->cap[i] : 0;
}

static void
apply_wants(struct udp *u)
{
	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		if (u->want & wants[i].want)
			u->cap[wants[i].cap] = in_force(sky_sockopt_set(u->fd, u->carries,
			    wants[i].opt, 1));
	if (u->flags & SKY_UDP_GRO)
		u->cap[SKY_CAP_GRO] = in_force(sky_sockopt_set(u->fd, u->carries,
		    SKY_OPT_GRO, 1));
	u->ctl_len = u->want || (u->flags & SKY_UDP_GRO) ? SKY_CTL_IN : 0;
}

static void
ask_offers(struct udp *u)
{
	struct sky_meminfo m;
	int value;

	u->cap[SKY_CAP_MEMINFO] = in_force(sky_sockopt_meminfo(u->fd, &m));
	if (!(u->flags & SKY_UDP_NO_GSO))
		u->cap[SKY_CAP_GSO] = in_force(sky_sockopt_get(u->fd, u->carries,
		    SKY_OPT_GSO, &value));
}

static int
apply_flags(const struct udp *u, const struct sky_udp_conf *c)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int r;

		if (!(c->flags & flags[i].flag))
			continue;
		r = sky_sockopt_set(u->fd, u->carries, flags[i].opt, 1);
		if (r < 0 && flags[i].fatal)
			return r;
	}
	return c->device ? sky_sockopt_device(u->fd, c->device) : 0;
}

static int
apply_values(const struct udp *u, const struct sky_udp_conf *c)
{
	int r = 0;

	if (c->rcvbuf)
		r = sky_sockopt_buffer(u->fd, true, c->rcvbuf);
	if (r == 0 && c->sndbuf)
		r = sky_sockopt_buffer(u->fd, false, c->sndbuf);
	if (r == 0 && c->ttl)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_TTL, c->ttl);
	if (r == 0 && c->tos)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_TOS, c->tos);
	if (r == 0 && c->pmtu)
		r = sky_sockopt_set(u->fd, u->carries, SKY_OPT_PMTU, c->pmtu - SKY_PMTU_DONT);
	return r;
}

int
sky_conf_apply(struct udp *u, const struct sky_udp_conf *c, bool adopted)
{
	int r = apply_flags(u, c);

	if (r == 0)
		r = apply_values(u, c);
	if (r < 0)
		return r;
	/* Groups that other sockets joined are not this one's business; an
	 * adopted socket keeps what it receives. */
	if (!adopted)
		sky_sockopt_set(u->fd, u->carries, SKY_OPT_MULTICAST_ALL,
		    !!(u->flags & SKY_UDP_MULTICAST_ALL));
	if (!(u->flags & SKY_UDP_PLAIN))
		sky_conf_errors(u, true);
	u->plain = u->flags & SKY_UDP_PLAIN;
	apply_wants(u);
	ask_offers(u);
	return 0;
}

/* --- lib/sock/drain.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.c - a send that takes errors off the kernel's queue.
 *
 * It need not for a stale error: a send that fails with one has consumed it,
 * and the next works, so errors stay where they are, in order and with the
 * event that wakes a sleeper. Two reasons remain: a send that was too big left
 * its MTU there, and errors of a long series of sends fill the receive buffer,
 * where data and further errors want to be.
 */


#include <errno.h>
#include <linux/errqueue.h>

/* Drains fetch at most this many batches: an error storm cannot hold a send. */
enum { DRAIN_BATCHES = 64 };

bool
udp_may_be_stale(int err)
{
	switch (err) {
	case ENETUNREACH: case EHOSTUNREACH: case ENOPROTOOPT: case ECONNREFUSED:
	case EMSGSIZE: case EOPNOTSUPP: case EHOSTDOWN: case ENONET: case EACCES:
	case EPROTO: case EREMOTEIO:
		return true;
	}
	return false;
}

bool
udp_is_told_already(const struct udp *u, const struct sky_errq *e)
{
	return e->origin == SO_EE_ORIGIN_LOCAL && e->err == EMSGSIZE &&
	    !(u->flags & SKY_UDP_LOCAL_TWICE);
}

/* See handle.h: what is in the ring must not be slept upon by another thread. */
static void
wake(struct udp *u, const struct msghdr *h)
{
	if (udp_receives_here(u) || !sky_ring_count(&u->ring))
		return;
	atomic_fetch_add(&u->wakes, 1);
	sky_msg_wake(u->fd, h);
}

/* Those made by wake() look like those of real datagrams: told by their number. */
bool
udp_is_wake(struct udp *u, const struct sky_errq *e)
{
	uint32_t n = atomic_load(&u->wakes);

	if (e->origin != SO_EE_ORIGIN_LOCAL || e->err != EMSGSIZE || !n)
		return false;
	return atomic_compare_exchange_strong(&u->wakes, &n, n - 1);
}

static uint32_t
keep(struct udp *u, const struct sky_errq *e, const uint8_t *data)
{
	bool local = e->origin == SO_EE_ORIGIN_LOCAL && e->err == EMSGSIZE;

	if (udp_is_wake(u, e))
		return 0;
	if (!udp_is_told_already(u, e) && !sky_ring_put(&u->ring, e, data))
		udp_count(&u->lost, 1);
	return local ? e->info : 0;
}

uint32_t
udp_drain(struct udp *u, const struct msghdr *h)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	uint32_t mtu = 0;
	int got = SKY_ERRQ_BATCH;

	for (int i = 0; i < DRAIN_BATCHES && got == SKY_ERRQ_BATCH; i++) {
		got = sky_errq_read(u->fd, e, data, SKY_ERRQ_BATCH);
		for (int j = 0; j < got; j++) {
			uint32_t told = keep(u, &e[j], data[j]);

			mtu = told ? told : mtu;
		}
	}
	u->stale = 0;
	wake(u, h);
	return mtu;
}

void
udp_relieve(struct udp *u, const struct msghdr *h)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	int got = 1;

	u->stale = 0;
	for (int i = 0; i < DRAIN_BATCHES && got > 0; i++) {
		uint32_t room = u->ring.n - sky_ring_count(&u->ring);

		if (!room)
			break;
		got = sky_errq_read(u->fd, e, data,
		    room < SKY_ERRQ_BATCH ? room : SKY_ERRQ_BATCH);
		for (int j = 0; j < got; j++)
			keep(u, &e[j], data[j]);
	}
	wake(u, h);
}

/* --- lib/sock/errors.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errors.c - entries of the error queue become fates.
 *
 * First what a send had to take off the queue, then the queue itself: the
 * order in which the kernel learnt of them. Each is handed over once; a local
 * error that a send's status told already is swallowed.
 */




#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

/* An answer to "is this address ours?" is good for so long. */
static const uint64_t own_memory_ns = 1000000000u;

/* Swallowed entries must not make one call endless. */
enum { SWALLOW_MAX = 1024 };

/* The caller's buffer for quotes. */
struct sky_errors_0quotes {
	uint8_t *at;
	size_t left;
};

/* The neighbour that never answered is reported by this host itself. The
 * report then comes to the address it comes from; else the kernel is asked. */
static bool
sky_errors_0is_own(struct udp *u, const struct sky_errq *e, uint64_t now_ns)
{
	if ((e->flags & SKY_ERRQ_LOCAL) && sky_addr_same_host(&e->by, &e->local))
		return true;
	if (u->own_ns && now_ns - u->own_ns < own_memory_ns &&
	    sky_addr_equal(&u->own_asked, &e->by))
		return u->own;
	u->own_asked = e->by;
	u->own_ns = now_ns;
	u->own = sky_route_is_own(&e->by) == 1;
	return u->own;
}

static bool
is_host_unreachable(const struct sky_errq *e)
{
	if (e->origin == SO_EE_ORIGIN_ICMP)
		return e->type == 3 && e->code == 1;
	return e->origin == SO_EE_ORIGIN_ICMP6 && e->type == 1 && e->code == 3;
}

static void
set_icmp(struct udp *u, struct sky_fate *f, const struct sky_errq *e)
{
	bool six = e->origin == SO_EE_ORIGIN_ICMP6;

	f->have |= SKY_HAVE_ICMP;
	f->icmp_type = e->type;
	f->icmp_code = e->code;
	if (six ? e->type == 2 : e->type == 3 && e->code == 4) {
		f->mtu = e->info;
		f->have |= SKY_HAVE_MTU;
	}
	if (e->type == (six ? 4 : 12)) {
		/* the first byte of a word for IPv4, the whole word for IPv6 */
		f->pointer = e->info;
		f->have |= SKY_HAVE_POINTER;
	}
	if (is_host_unreachable(e) && sky_errors_0is_own(u, e, f->time_ns))
		f->flags |= SKY_FATE_OWN;
}

static void
set_other(struct sky_fate *f, const struct sky_errq *e)
{
	switch (e->origin) {
	case SO_EE_ORIGIN_LOCAL:
		if (e->err != EMSGSIZE)
			break;
		f->mtu = e->info;
		f->have |= SKY_HAVE_MTU;
		break;
	case SO_EE_ORIGIN_TIMESTAMPING:
		f->id = e->data;
		f->have |= SKY_HAVE_ID;
		break;
	case SO_EE_ORIGIN_ZEROCOPY:
		f->id = e->info;
		f->count = (uint64_t)(e->data - e->info) + 1;
		f->have |= SKY_HAVE_ID;
		break;
	}
}

static void
set_ends(const struct udp *u, struct sky_fate *f, const struct sky_errq *e)
{
	if (e->dest.u.sa.sa_family != AF_UNSPEC) {
		f->dst = e->dest;
		f->have |= SKY_HAVE_DST;
	}
	if (e->by.u.sa.sa_family != AF_UNSPEC) {
		f->by = e->by;
		f->have |= SKY_HAVE_BY;
	}
	if (e->flags & SKY_ERRQ_LOCAL) {
		f->src = e->local;
		sky_addr_set_port(&f->src, sky_addr_port(&u->local));
		f->ifindex = e->ifindex;
		f->have |= SKY_HAVE_SRC | SKY_HAVE_IFINDEX;
	}
	if (e->flags & SKY_ERRQ_TTL) {
		f->hop = e->ttl;
		f->have |= SKY_HAVE_HOP;
	}
}

/* Puts the quote into at most room bytes of the caller's buffer. */
static void
set_quote(struct sky_fate *f, const struct sky_errq *e, const uint8_t *data, struct sky_errors_0quotes *q,
    size_t room)
{
	size_t len = e->len < room ? e->len : room;
	size_t quote = e->ext_at && e->ext_at < len ? e->ext_at : len;

	if (len < e->len || (e->flags & SKY_ERRQ_CUT))
		f->flags |= SKY_FATE_QUOTE_CUT;
	if (e->flags & SKY_ERRQ_EXT_BAD)
		f->flags |= SKY_FATE_EXT_BAD;
	if (!len)
		return;
	memcpy(q->at, data, len);
	f->quote = q->at;
	f->quote_len = (uint32_t)quote;
	if (quote < len) {
		f->ext = q->at + quote;
		f->ext_len = (uint32_t)(len - quote);
	}
	q->at += len;
	q->left -= len;
}

static void
convert(struct udp *u, struct sky_fate *f, const struct sky_errq *e, uint64_t now_ns)
{
	memset(f, 0, sizeof(*f));
	f->size = sizeof(*f);
	f->evidence = SKY_BY_QUEUE;
	f->trust = SKY_TRUST_UNKNOWN;
	f->origin = e->origin;
	f->proto = IPPROTO_UDP;
	f->err = e->err;
	f->time_ns = (e->flags & SKY_ERRQ_TIME) ? e->time_ns : now_ns;
	f->have = SKY_HAVE_TIME;
	set_ends(u, f, e);
	if (e->origin == SO_EE_ORIGIN_ICMP || e->origin == SO_EE_ORIGIN_ICMP6)
		set_icmp(u, f, e);
	else
		set_other(f, e);
	sky_fate_classify(f);
}

static unsigned
from_ring(struct udp *u, struct sky_fate *f, unsigned n, struct sky_errors_0quotes *q, uint64_t *now_ns)
{
	const struct sky_slot *s;
	uint32_t waiting = sky_ring_count(&u->ring);
	unsigned done;

	for (done = 0; done < n && (s = sky_ring_first(&u->ring)); done++) {
		unsigned share = waiting > done && waiting < n ? waiting - done : n - done;

		if (!*now_ns)
			*now_ns = sky_clock_wall();
		convert(u, &f[done], &s->e, *now_ns);
		set_quote(&f[done], &s->e, s->data, q, q->left / share);
		sky_ring_drop(&u->ring);
	}
	return done;
}

/* What the status of a send has told is not news; its MTU may be the sender's
 * who is looking for it at this moment. */
static bool
swallow(struct udp *u, const struct sky_errq *e)
{
	if (e->origin != SO_EE_ORIGIN_LOCAL || e->err != EMSGSIZE)
		return false;
	if (udp_is_wake(u, e))
		return true;
	atomic_store(&u->local_mtu, e->info);
	return udp_is_told_already(u, e);
}

/* After a full batch: is there room for one more error? If not, some may have
 * been dropped, and nothing counts those. */
static void
check_room(struct udp *u)
{
	struct sky_meminfo m;

	if (sky_sockopt_meminfo(u->fd, &m) == 0 && m.rmem >= m.rcvbuf - m.rcvbuf / 8)
		udp_count(&u->maybe_lost, 1);
}

/* One batch of the kernel's queue: how many records, or -EAGAIN at its end.
 * *full: more may be there than was asked for. */
static int
from_kernel(struct udp *u, struct sky_fate *f, unsigned n, struct sky_errors_0quotes *q, uint64_t *now_ns,
    bool *full)
{
	struct sky_errq e[SKY_ERRQ_BATCH];
	uint8_t data[SKY_ERRQ_BATCH][SKY_ERRQ_DATA];
	unsigned ask = n < SKY_ERRQ_BATCH ? n : SKY_ERRQ_BATCH;
	int got = sky_errq_read(u->fd, e, data, ask);
	int done = 0;
	size_t room;

	*full = got == (int)ask;
	if (got == SKY_ERRQ_BATCH)
		check_room(u);
	if (got > 0 && !*now_ns)
		*now_ns = sky_clock_wall();
	room = *full && n > ask ? q->left / n * ask : q->left;
	for (int i = 0; i < got; i++) {
		size_t before = q->left;

		if (swallow(u, &e[i]))
			continue;
		convert(u, &f[done], &e[i], *now_ns);
		set_quote(&f[done], &e[i], data[i], q, room / (unsigned)(got - i));
		room -= before - q->left;
		done++;
	}
	return got < 0 ? got : done;
}

int
sky_udp_errors(struct sky_udp *su, struct sky_fate *f, unsigned n, void *buf, size_t size)
{
	struct udp *u = udp_of(su);
	struct sky_errors_0quotes q = { buf, buf ? size : 0 };
	uint64_t now_ns = 0;
	unsigned done, swallowed = 0;
	bool full = true;

	udp_receiving(u);
	done = from_ring(u, f, n, &q, &now_ns);
	while (done < n && full && swallowed < SWALLOW_MAX) {
		int r = from_kernel(u, f + done, n - done, &q, &now_ns, &full);

		if (r < 0 && !done)
			return r;
		if (r <= 0)
			swallowed += SKY_ERRQ_BATCH;
		done += r > 0 ? (unsigned)r : 0;
	}
	udp_count(&u->taken, done);
	return (int)done;
}

unsigned
sky_udp_pending(const struct sky_udp *su)
{
	return sky_ring_count(&udp_of_const(su)->ring);
}

/* --- lib/sock/judge.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - whose error is it?
 *
 * A send failed. Most codes settle it: some only come from ICMP (the error was
 * another datagram's, and is consumed now: repeat), some never do. Three can be
 * both: no route, host unreachable and access denied are found by the kernel
 * before it looks at the pending error, so asking for the route alone (nothing
 * is sent) says whether they are this datagram's. EMSGSIZE leaves a local
 * record in the error queue when it is the datagram's own, with the MTU.
 */
/* --- lib/sock/out.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - one batch on its way to the kernel; for udp_send.c and train.c.
 */
#ifndef SKY_SOCK_OUT_H
#define SKY_SOCK_OUT_H


#include <sys/uio.h>

struct out_batch {
	struct mmsghdr h[SKY_UDP_BATCH];
	struct iovec iov[SKY_UDP_BATCH];
	struct sockaddr_in6 name[SKY_UDP_BATCH];	/* v4-mapped ones */
	_Alignas(8) uint8_t ctl[SKY_UDP_BATCH][SKY_CTL_OUT];
};

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


#include <errno.h>

enum {
	TRIES = 1000,		/* then a storm has won: the status says so */
	TRIES_SIZE = 32,	/* no room in the receive buffer for the record */
	TRIES_PLAIN = 2,	/* before the kernel is asked */
	RELIEVE_EVERY = 64,	/* stale errors */
	GSO_OLD = 64,		/* segments, before Linux 6.10 */
	IP4_UDP = 28, IP6_UDP = 48, LEN_MAX = 65535,
};

static bool
may_be_the_route(int err)
{
	return err == ENETUNREACH || err == EHOSTUNREACH || err == EACCES;
}

static bool
is_refusal(int err)
{
	return err == EIO || err == EINVAL || err == EMSGSIZE || err == EOPNOTSUPP;
}

static enum out_verdict
judge_train(struct udp *u, struct out_cure *c, const struct sky_msg *m, int err)
{
	if (err == EINVAL && u->gso_max > GSO_OLD && udp_parts(m->len, m->seg) > GSO_OLD)
		u->gso_max = GSO_OLD;
	/* A stale EMSGSIZE or EOPNOTSUPP does not come three times in a row. */
	if ((err == EMSGSIZE || err == EOPNOTSUPP) && !u->plain && c->tries++ < TRIES_PLAIN) {
		udp_count(&u->tx_retries, 1);
		return OUT_AGAIN;
	}
	return OUT_REFUSED;
}

static enum out_verdict
judge_size(struct udp *u, struct out_cure *c, const struct msghdr *h, struct sky_msg *m)
{
	size_t head = sky_addr_family((m->have & SKY_MSG_PEER) ? &m->peer : &u->peer) == AF_INET ?
	    IP4_UDP : IP6_UDP;
	uint32_t mtu, swallowed;

	if (m->len > LEN_MAX)
		return OUT_OWN;		/* refused without a record */
	mtu = udp_drain(u, h);
	swallowed = atomic_exchange(&u->local_mtu, 0);
	mtu = mtu ? mtu : swallowed;
	if (mtu && m->len + head > mtu) {
		m->mtu = mtu;
		m->have |= SKY_MSG_MTU;
		return OUT_OWN;
	}
	return c->tries < TRIES_SIZE ? OUT_AGAIN : OUT_OWN;
}

enum out_verdict
out_judge(struct udp *u, struct out_cure *c, const struct msghdr *h, struct sky_msg *m,
    bool train, int *err)
{
	enum out_verdict v = OUT_AGAIN;
	int r;

	m->have &= ~(uint32_t)SKY_MSG_MTU;
	if (*err == EAGAIN)
		return OUT_FULL;
	if (train && is_refusal(*err))
		return judge_train(u, c, m, *err);
	if (u->plain || !udp_may_be_stale(*err) || c->tries++ >= TRIES)
		return OUT_OWN;
	if (*err == EMSGSIZE) {
		v = judge_size(u, c, h, m);
	} else if (may_be_the_route(*err) && c->tries > TRIES_PLAIN) {
		r = sky_msg_probe(u->fd, h);
		if (r < 0 && r != -EAGAIN) {
			*err = -r;
			return OUT_OWN;
		}
	}
	if (v == OUT_AGAIN)
		udp_count(&u->tx_retries, 1);
	if (++u->stale >= RELIEVE_EVERY)
		udp_relieve(u, h);
	return v;
}

/* --- lib/sock/refusal.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* refusal.c - see refusal.h. */
/* --- lib/sock/refusal.h --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal.h - the destinations for which segmentation was refused, and since when.
 *
 * Kept in the refusal part of the ring's slots, oldest overwritten first when
 * all are taken. Times come from the caller; one step is an open-addressing
 * table of all slots, so a lookup is asked only while `count` is not 0.
 */
#ifndef SKY_SOCK_REFUSAL_H
#define SKY_SOCK_REFUSAL_H



/* Remembers dst at now. Returns true if this destination is new. */
bool sky_refusal_note(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns);

/* True if dst was refused less than memory_ns ago; an older note is forgotten. */
bool sky_refusal_find(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns,
    uint64_t memory_ns);

void sky_refusal_clear(struct sky_ring *r);

#endif


#include <string.h>

/* How many slots are looked at for one destination. */
enum { WAYS = 8 };

static struct sky_refusal *
way(struct sky_ring *r, const struct sky_addr *dst, uint32_t i)
{
	struct sky_addr host = *dst;

	sky_addr_set_port(&host, 0);
	return &r->slot[(sky_addr_hash(&host) + i) % r->n].refusal;
}

static uint32_t
ways(const struct sky_ring *r)
{
	return r->n < WAYS ? r->n : WAYS;
}

static struct sky_refusal *
find(struct sky_ring *r, const struct sky_addr *dst)
{
	for (uint32_t i = 0; i < ways(r); i++) {
		struct sky_refusal *s = way(r, dst, i);

		if (s->dst.u.sa.sa_family != AF_UNSPEC && sky_addr_same_host(&s->dst, dst))
			return s;
	}
	return NULL;
}

static struct sky_refusal *
free_or_oldest(struct sky_ring *r, const struct sky_addr *dst)
{
	struct sky_refusal *best = way(r, dst, 0);

	for (uint32_t i = 0; i < ways(r); i++) {
		struct sky_refusal *s = way(r, dst, i);

		if (s->dst.u.sa.sa_family == AF_UNSPEC)
			return s;
		if (s->since_ns < best->since_ns)
			best = s;
	}
	return best;
}

bool
sky_refusal_note(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns)
{
	struct sky_refusal *s = find(r, dst);
	bool news = !s;

	if (!s)
		s = free_or_oldest(r, dst);
	s->dst = *dst;
	s->since_ns = now_ns;
	return news;
}

bool
sky_refusal_find(struct sky_ring *r, const struct sky_addr *dst, uint64_t now_ns,
    uint64_t memory_ns)
{
	struct sky_refusal *s = find(r, dst);

	if (!s)
		return false;
	if (now_ns - s->since_ns < memory_ns)
		return true;
	memset(s, 0, sizeof(*s));
	return false;
}

void
sky_refusal_clear(struct sky_ring *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		memset(&r->slot[i].refusal, 0, sizeof(r->slot[i].refusal));
}

/* --- lib/sock/ring.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* ring.c - see ring.h. */


#include <string.h>

_Static_assert(sizeof(struct sky_slot) == SKY_UDP_SLOT, "a slot is what udp.h says");
_Static_assert(SKY_SLOT_DATA >= 256, "a slot holds 256 bytes of quote");

void
sky_ring_init(struct sky_ring *r, struct sky_slot *slot, uint32_t n)
{
	r->slot = slot;
	r->n = n;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	for (uint32_t i = 0; i < n; i++)
		memset(&slot[i].refusal, 0, sizeof(slot[i].refusal));
}

/* An extension behind a quote that has to be cut is lost with it. */
static void
copy_cut(struct sky_slot *s, const uint8_t *data)
{
	if (s->e.len > SKY_SLOT_DATA) {
		s->e.len = SKY_SLOT_DATA;
		s->e.flags |= SKY_ERRQ_CUT;
	}
	if (s->e.ext_at > s->e.len)
		s->e.ext_at = 0;
	memcpy(s->data, data, s->e.len);
}

bool
sky_ring_put(struct sky_ring *r, const struct sky_errq *e, const uint8_t *data)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	struct sky_slot *s;

	if (tail - head >= r->n)
		return false;
	s = &r->slot[tail % r->n];
	s->e = *e;
	copy_cut(s, data);
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

const struct sky_slot *
sky_ring_first(const struct sky_ring *r)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (atomic_load_explicit(&r->tail, memory_order_acquire) == head)
		return NULL;
	return &r->slot[head % r->n];
}

void
sky_ring_drop(struct sky_ring *r)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	atomic_store_explicit(&r->head, head + 1, memory_order_release);
}

/* --- lib/sock/train.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - trains that do not leave as one.
 *
 * Longer than the kernel segments at once: as several trains. Refused (by the
 * route's MTU, a device, an option): as single datagrams, at once, and the
 * destination is remembered for a while so that the next train is not tried
 * first. One refusal says nothing about another destination.
 */




#include <errno.h>

static const struct sky_addr *
target(const struct udp *u, const struct sky_msg *m)
{
	return (m->have & SKY_MSG_PEER) ? &m->peer : &u->peer;
}

static bool
is_refused(struct udp *u, const struct sky_msg *m)
{
	return u->refusals && sky_refusal_find(&u->ring, target(u, m), sky_clock_steady(),
	    u->gso_memory_ns);
}

/* Bytes that one call may carry: whole segments, within both limits. */
static size_t
train_max(const struct udp *u, const struct sky_msg *m)
{
	size_t most = sky_udp_payload_max(sky_addr_family(target(u, m)));
	size_t segments = most / m->seg;

	return (segments < u->gso_max ? segments : u->gso_max) * m->seg;
}

bool
out_is_train(struct udp *u, const struct sky_msg *m)
{
	return !(u->flags & SKY_UDP_NO_GSO) && m->seg <= UINT16_MAX &&
	    m->len <= train_max(u, m) && !is_refused(u, m);
}

static void
advance(struct sky_msg *m, size_t bytes)
{
	m->data = (char *)m->data + bytes;
	m->len -= bytes;
}

/* One prepared datagram of m: 0 sent, a positive errno of its own, or -EAGAIN. */
static int
send_one(struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m)
{
	struct out_cure c = { 0 };
	struct sky_msg part = *m;
	enum out_verdict v = OUT_AGAIN;
	int err = 0;

	part.len = b->iov[i].iov_len;
	while (v == OUT_AGAIN) {
		err = -sky_msg_send(u->fd, b->h + i, 1);
		if (err < 0)
			return 0;
		v = out_judge(u, &c, &b->h[i].msg_hdr, &part, false, &err);
	}
	m->have = part.have;
	m->mtu = part.mtu;
	return v == OUT_FULL ? -EAGAIN : err;
}

static unsigned
fill_singles(const struct udp *u, struct out_batch *b, struct sky_msg *m, int *bad)
{
	char *at = m->data;
	size_t left = m->len;
	unsigned k;

	for (k = 0; k < SKY_UDP_BATCH && left; k++) {
		size_t len = left < m->seg ? left : m->seg;

		*bad = out_prepare(u, b, k, m, 0);
		if (*bad)
			break;
		b->iov[k] = (struct iovec){ at, len };
		at += len;
		left -= len;
	}
	return k;
}

/* Where the first failure goes: the status of the whole. */
static void
note_failure(struct udp *u, struct sky_msg *m, int *first, int err)
{
	int before = m->status;

	out_failed(u, m, err);
	m->status = before;
	if (!*first)
		*first = err;
}

/* One batch of single datagrams; m moves on. 0, or -EAGAIN. */
static int
singles_batch(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned k, int *first,
    uint64_t *sent)
{
	unsigned done = 0;

	while (done < k) {
		int r = sky_msg_send(u->fd, b->h + done, k - done);

		if (r <= 0) {
			r = send_one(u, b, done, m);
			if (r < 0)
				return r;
			if (r > 0)
				note_failure(u, m, first, r);
			*sent += r == 0;
			advance(m, b->iov[done].iov_len);
			done++;
			continue;
		}
		*sent += (unsigned)r;
		for (unsigned end = done + (unsigned)r; done < end; done++)
			advance(m, b->iov[done].iov_len);
	}
	return 0;
}

/* A refusal is worth remembering only if single datagrams do better. */
static void
remember(struct udp *u, const struct sky_msg *m)
{
	if (sky_refusal_note(&u->ring, target(u, m), sky_clock_steady()))
		u->refusals++;
}

int
out_singles(struct udp *u, struct out_batch *b, struct sky_msg *m, bool note)
{
	struct sky_msg whole = *m;
	uint64_t sent = 0;
	int first = 0, r = 0;

	while (m->len && r == 0) {
		int bad = 0;
		unsigned k = fill_singles(u, b, m, &bad);

		if (bad) {
			out_failed(u, m, -bad);
			return 0;
		}
		r = singles_batch(u, b, m, k, &first, &sent);
	}
	udp_count(&u->tx, sent);
	if (note) {
		udp_count(&u->refused, 1);
		if (sent)
			remember(u, m);
	}
	if (r < 0)
		return r;
	m->data = whole.data;
	m->len = whole.len;
	m->status = -first;
	return 0;
}

/* One piece of a longer train, whole or in singles: as out_singles(). */
static int
send_piece(struct udp *u, struct out_batch *b, struct sky_msg *m)
{
	struct out_cure c = { 0 };
	enum out_verdict v = OUT_AGAIN;
	int err = out_prepare(u, b, 0, m, m->len > m->seg ? m->seg : 0);

	if (err) {
		out_failed(u, m, -err);
		return 0;
	}
	while (v == OUT_AGAIN) {
		err = -sky_msg_send(u->fd, b->h, 1);
		if (err < 0) {
			udp_count(&u->tx, udp_parts(m->len, m->seg));
			udp_count(&u->trains, m->len > m->seg);
			m->status = 0;
			return 0;
		}
		v = out_judge(u, &c, &b->h[0].msg_hdr, m, m->len > m->seg, &err);
	}
	if (v == OUT_FULL)
		return -EAGAIN;
	if (v == OUT_REFUSED)
		return out_singles(u, b, m, true);
	out_failed(u, m, err);
	return 0;
}

/* The next part of m: a train, or all that is left when none can be made. */
static int
next_piece(struct udp *u, struct out_batch *b, struct sky_msg *part)
{
	size_t most = train_max(u, part);

	if ((u->flags & SKY_UDP_NO_GSO) || part->seg > UINT16_MAX || !most ||
	    is_refused(u, part))
		return out_singles(u, b, part, false);
	if (part->len > most)
		part->len = most;
	return send_piece(u, b, part);
}

int
out_pieces(struct udp *u, struct out_batch *b, struct sky_msg *m)
{
	struct sky_msg whole = *m;
	int first = 0;

	while (m->len) {
		struct sky_msg part = *m;
		int r = next_piece(u, b, &part);

		m->have = part.have;
		m->mtu = part.mtu;
		if (r < 0) {
			/* part.data is past what went out of it */
			advance(m, (size_t)((char *)part.data - (char *)m->data));
			return r;
		}
		if (part.status && !first)
			first = part.status;
		advance(m, part.len);
	}
	m->data = whole.data;
	m->len = whole.len;
	m->status = first;
	return 0;
}

/* --- lib/sock/udp.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* udp.c - opening and closing: see sockeye/udp.h. */



#include <errno.h>
#include <netinet/in.h>
#include <string.h>

_Static_assert(sizeof(struct udp) <= sizeof(struct sky_udp), "the handle has room");
_Static_assert(sizeof(struct sky_addr) == sizeof(struct sockaddr_in6), "addresses are 28 bytes");

static const uint64_t gso_memory_ns = 60000000000u;

static void
init(struct udp *u, int fd, int family, bool v6only, const struct sky_udp_conf *c)
{
	uint32_t slots = c->room ? (uint32_t)(c->room_size / SKY_UDP_SLOT) : 0;

	memset(u, 0, offsetof(struct udp, own_slot));
	u->magic = SKY_UDP_MAGIC;
	u->fd = fd;
	u->family = family;
	u->v6only = v6only;
	u->carries = family == AF_INET ? SKY_CARRIES4 :
	    v6only ? SKY_CARRIES6 : SKY_CARRIES4 | SKY_CARRIES6;
	u->want = c->want;
	u->flags = c->flags;
	u->gso_max = 128;
	u->gso_memory_ns = gso_memory_ns;
	if (slots)
		sky_ring_init(&u->ring, c->room, slots);
	else
		sky_ring_init(&u->ring, u->own_slot, SKY_UDP_OWN_SLOTS);
}

static int
addr_from(struct sky_addr *a, const struct sockaddr_storage *s, int len)
{
	memset(a, 0, sizeof(*a));
	return len < 0 ? len : sky_addr_from(a, (const struct sockaddr *)s, (socklen_t)len);
}

/* Learns the ends that the socket has by now. */
static void
learn_ends(struct udp *u)
{
	struct sockaddr_storage s;

	addr_from(&u->local, &s, sky_sockfd_name(u->fd, &s));
	u->connected = addr_from(&u->peer, &s, sky_sockfd_peer(u->fd, &s)) == 0 &&
	    sky_addr_family(&u->peer) != AF_UNSPEC;
}

static int
choose_family(const struct sky_udp_conf *c)
{
	if (c->family != AF_UNSPEC)
		return c->family;
	if (c->local)
		return sky_addr_family(c->local);
	if (c->peer)
		return sky_addr_family(c->peer);
	return AF_INET6;
}

/* Both ends must be of one family, and one the socket carries. */
static int
check_ends(const struct sky_udp_conf *c, int family)
{
	int local = c->local ? sky_addr_family(c->local) : AF_UNSPEC;
	int peer = c->peer ? sky_addr_family(c->peer) : AF_UNSPEC;

	if ((c->local && !local) || (c->peer && !peer) || !family)
		return -EINVAL;
	if (local && peer && local != peer)
		return -EAFNOSUPPORT;
	if (family == AF_INET && (local == AF_INET6 || peer == AF_INET6))
		return -EAFNOSUPPORT;
	if ((c->flags & SKY_UDP_V6ONLY) && (local == AF_INET || peer == AF_INET))
		return -EAFNOSUPPORT;
	return 0;
}

static int
bind_and_connect(struct udp *u, const struct sky_udp_conf *c)
{
	struct sockaddr_storage s;
	int r = 0;

	if (c->local) {
		r = sky_addr_to(c->local, u->family, &s);
		if (r >= 0)
			r = sky_sockfd_bind(u->fd, &s, (socklen_t)r);
	}
	if (r >= 0 && c->peer) {
		r = sky_addr_to(c->peer, u->family, &s);
		if (r >= 0)
			r = sky_sockfd_connect(u->fd, &s, (socklen_t)r);
	}
	return r < 0 ? r : 0;
}

/* A native IPv6 address, or the wish for it, keeps IPv4 out. */
static int
set_v6only(int fd, int family, const struct sky_udp_conf *c)
{
	if (family != AF_INET6)
		return 0;
	return sky_sockopt_set(fd, SKY_CARRIES6, SKY_OPT_V6ONLY, !!(c->flags & SKY_UDP_V6ONLY));
}

int
sky_udp_open(struct sky_udp *su, const struct sky_udp_conf *conf)
{
	struct udp *u = udp_of(su);
	struct sky_udp_conf c;
	int family, fd;
	int r = sky_conf_read(&c, conf);

	if (r < 0)
		return r;
	family = choose_family(&c);
	r = check_ends(&c, family);
	if (r < 0)
		return r;
	fd = sky_sockfd_open(family);
	if (fd == -EAFNOSUPPORT && c.family == AF_UNSPEC && !c.local && !c.peer) {
		family = AF_INET;
		fd = sky_sockfd_open(family);
	}
	if (fd < 0)
		return fd;
	init(u, fd, family, family == AF_INET6 && (c.flags & SKY_UDP_V6ONLY), &c);
	r = set_v6only(fd, family, &c);
	if (r == 0)
		r = sky_conf_apply(u, &c, false);
	if (r == 0)
		r = bind_and_connect(u, &c);
	if (r < 0) {
		sky_udp_close(su);
		return r;
	}
	learn_ends(u);
	return 0;
}

int
sky_udp_adopt(struct sky_udp *su, int fd, const struct sky_udp_conf *conf)
{
	struct udp *u = udp_of(su);
	struct sky_udp_conf c;
	int family, type, protocol, v6only = 0;
	int r = sky_conf_read(&c, conf);

	if (r == 0 && (c.local || c.peer))
		r = -EINVAL;
	if (r == 0)
		r = sky_sockopt_kind(fd, &family, &type, &protocol);
	if (r < 0)
		return r;
	if ((family != AF_INET && family != AF_INET6) || type != SOCK_DGRAM ||
	    protocol != IPPROTO_UDP)
		return -EPROTOTYPE;
	if (family == AF_INET6)
		sky_sockopt_get(fd, SKY_CARRIES6, SKY_OPT_V6ONLY, &v6only);
	init(u, fd, family, v6only, &c);
	r = sky_conf_apply(u, &c, true);
	if (r < 0)
		return r;
	learn_ends(u);
	return 0;
}

int
sky_udp_fd(const struct sky_udp *u)
{
	return udp_of_const(u)->fd;
}

int
sky_udp_fds(const struct sky_udp *u, int fds[2])
{
	fds[0] = udp_of_const(u)->fd;
	return 1;
}

int
sky_udp_release(struct sky_udp *su)
{
	struct udp *u = udp_of(su);
	int fd = u->fd;

	u->fd = -1;
	u->magic = 0;
	return fd;
}

void
sky_udp_close(struct sky_udp *su)
{
	int fd = sky_udp_release(su);

	if (fd >= 0)
		sky_sockfd_close(fd);
}

int
sky_fd_ask(int fd, struct sky_fd *out)
{
	struct sockaddr_storage s;
	int r;

	memset(out, 0, sizeof(*out));
	r = sky_sockopt_kind(fd, &out->family, &out->type, &out->protocol);
	if (r < 0)
		return r;
	addr_from(&out->local, &s, sky_sockfd_name(fd, &s));
	out->connected = addr_from(&out->peer, &s, sky_sockfd_peer(fd, &s)) == 0;
	return 0;
}

/* --- lib/sock/udp_recv.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_recv.c - datagrams in.
 *
 * A pending error that the kernel reports here belongs to some datagram that
 * was sent: it is consumed by being reported, its record stays in the error
 * queue, and the call is repeated. Names are received where the caller wants
 * them; control messages are parsed only when something was asked for.
 */


#include <errno.h>
#include <string.h>
#include <sys/uio.h>

/* A storm of errors ends a call at last; the next goes on. */
enum { STALE_TRIES = 1000 };

_Static_assert((int)SKY_CTL_LOCAL == (int)SKY_MSG_LOCAL && (int)SKY_CTL_TTL == (int)SKY_MSG_TTL &&
    (int)SKY_CTL_TOS == (int)SKY_MSG_TOS && (int)SKY_CTL_TIME == (int)SKY_MSG_TIME &&
    (int)SKY_CTL_FRAGSIZE == (int)SKY_MSG_FRAGSIZE && (int)SKY_CTL_DROPS == (int)SKY_MSG_DROPS,
    "control messages and messages use the same bits");

enum { CTL_MSG_BITS = SKY_CTL_LOCAL | SKY_CTL_TTL | SKY_CTL_TOS | SKY_CTL_TIME |
	SKY_CTL_FRAGSIZE | SKY_CTL_DROPS };

struct in_batch {
	struct mmsghdr h[SKY_UDP_BATCH];
	struct iovec iov[SKY_UDP_BATCH];
	_Alignas(8) uint8_t ctl[SKY_UDP_BATCH][SKY_CTL_IN];
};

static void
prepare(const struct udp *u, struct in_batch *b, unsigned i, struct sky_msg *m)
{
	struct msghdr *h = &b->h[i].msg_hdr;

	b->iov[i].iov_base = m->data;
	b->iov[i].iov_len = m->cap;
	h->msg_name = &m->peer;
	h->msg_namelen = sizeof(m->peer);
	h->msg_iov = &b->iov[i];
	h->msg_iovlen = 1;
	h->msg_control = u->ctl_len ? b->ctl[i] : NULL;
	h->msg_controllen = u->ctl_len;
	h->msg_flags = 0;
}

static void
take_ctl(struct sky_msg *m, const struct msghdr *h)
{
	struct sky_ctl c;
	uint32_t have = sky_ctl_decode(&c, h->msg_control, h->msg_controllen);

	m->have |= have & CTL_MSG_BITS;
	if (have & SKY_CTL_LOCAL) {
		m->local = c.local;
		m->ifindex = c.ifindex;
		if (have & SKY_CTL_GROUP)
			m->flags |= SKY_MSG_GROUP;
	}
	if (have & SKY_CTL_SEG)
		m->seg = c.seg;
	if (have & SKY_CTL_TTL)
		m->ttl = c.ttl;
	if (have & SKY_CTL_TOS)
		m->tos = c.tos;
	if (have & SKY_CTL_TIME)
		m->time_ns = c.time_ns;
	if (have & SKY_CTL_FRAGSIZE)
		m->fragsize = c.fragsize;
	if (have & SKY_CTL_DROPS)
		m->drops = c.drops;
}

static void
take_peer(struct sky_msg *m, const struct msghdr *h)
{
	const size_t in = sizeof(m->peer.u.in);

	if (h->msg_namelen == in)
		memset((char *)&m->peer + in, 0, sizeof(m->peer) - in);
	else if (h->msg_namelen == sizeof(m->peer.u.in6))
		sky_msg_unmap(&m->peer);
	else
		return;
	m->have |= SKY_MSG_PEER;
}

static void
take(struct udp *u, struct sky_msg *m, const struct mmsghdr *h)
{
	const struct msghdr *mh = &h->msg_hdr;

	m->full_len = h->msg_len;
	m->len = m->full_len < m->cap ? m->full_len : m->cap;
	m->seg = 0;
	m->have = 0;
	m->flags = 0;
	m->status = 0;
	take_peer(m, mh);
	if (mh->msg_flags & MSG_TRUNC) {
		m->flags |= SKY_MSG_TRUNC;
		udp_count(&u->truncated, 1);
	}
	if (mh->msg_flags & MSG_CTRUNC)
		m->flags |= SKY_MSG_CTRUNC;
	if (u->ctl_len)
		take_ctl(m, mh);
}

/* Up to SKY_UDP_BATCH with one call: how many, or a negative errno. */
static int
recv_batch(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	struct in_batch b;
	uint64_t parts = 0;
	int got = 0;

	for (unsigned i = 0; i < n; i++)
		prepare(u, &b, i, udp_msg_at(m, i, stride));
	for (int tries = 0; tries < STALE_TRIES; tries++) {
		got = sky_msg_recv(u->fd, b.h, n);
		if (got >= 0 || u->plain || !udp_may_be_stale(-got))
			break;
		udp_count(&u->rx_retries, 1);
		got = -EAGAIN;
	}
	for (int i = 0; i < got; i++) {
		struct sky_msg *at = udp_msg_at(m, (unsigned)i, stride);

		take(u, at, &b.h[i]);
		parts += udp_parts(at->full_len, at->seg);
	}
	udp_count(&u->rx, parts);
	return got;
}

int
sky_udp_recv_stride(struct sky_udp *su, struct sky_msg *m, unsigned n, size_t stride)
{
	struct udp *u = udp_of(su);
	unsigned done = 0;

	if (stride < sizeof(*m))
		return -EINVAL;
	udp_receiving(u);
	while (done < n) {
		unsigned ask = n - done < SKY_UDP_BATCH ? n - done : SKY_UDP_BATCH;
		int r = recv_batch(u, udp_msg_at(m, done, stride), ask, stride);

		if (r == -EAGAIN || (r < 0 && done))
			break;
		if (r < 0)
			return r;
		done += (unsigned)r;
		if ((unsigned)r < ask)
			break;
	}
	return (int)done;
}

ssize_t
sky_udp_recvfrom(struct sky_udp *u, void *data, size_t cap, struct sky_addr *src)
{
	struct sky_msg m = { .data = data, .cap = cap };
	int r = sky_udp_recv(u, &m, 1);

	if (r < 0)
		return r;
	if (r == 0)
		return -EAGAIN;
	if (src)
		*src = m.peer;
	return (ssize_t)m.len;
}

bool
sky_msg_next(const struct sky_msg *m, size_t *off, const void **at, size_t *len)
{
	size_t left;

	if (m->len == 0 && *off == 0) {
		*off = 1;
		*at = m->data;
		*len = 0;
		return true;
	}
	if (*off >= m->len)
		return false;
	left = m->len - *off;
	*at = (const char *)m->data + *off;
	*len = m->seg && m->seg < left ? m->seg : left;
	*off += *len;
	return true;
}

/* --- lib/sock/udp_send.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_send.c - datagrams out, each with a fate of its own.
 *
 * The kernel reports the ICMP error of one peer on the next send to any other,
 * and does not send that. sendmmsg stops there and says only how far it came.
 * So: what it took is settled; what it stopped at is tried by itself, and when
 * that fails, judged (judge.c): repeated if the error was another datagram's.
 */


#include <errno.h>
#include <string.h>

static const uint8_t sky_udp_send_0mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
sky_udp_send_0map(struct sockaddr_in6 *out, const struct sky_addr *a)
{
	memset(out, 0, sizeof(*out));
	out->sin6_family = AF_INET6;
	out->sin6_port = a->u.in.sin_port;
	memcpy(&out->sin6_addr, sky_udp_send_0mapped, sizeof(sky_udp_send_0mapped));
	memcpy((char *)&out->sin6_addr + sizeof(sky_udp_send_0mapped), &a->u.in.sin_addr, 4);
}

static int
prepare_name(const struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m)
{
	struct msghdr *h = &b->h[i].msg_hdr;
	int family = m->peer.u.sa.sa_family;

	h->msg_name = NULL;
	h->msg_namelen = 0;
	if (!(m->have & SKY_MSG_PEER))
		return 0;
	if (family == u->family) {
		h->msg_name = &m->peer;
		h->msg_namelen = family == AF_INET ? sizeof(m->peer.u.in) :
		    sizeof(m->peer.u.in6);
		return 0;
	}
	if (family != AF_INET)
		return -EAFNOSUPPORT;
	sky_udp_send_0map(&b->name[i], &m->peer);
	h->msg_name = &b->name[i];
	h->msg_namelen = sizeof(b->name[i]);
	return 0;
}

/* Control messages speak the family of the datagram, not of the socket. */
static int
prepare_ctl(const struct udp *u, void *ctl, size_t *len, const struct sky_msg *m, uint32_t seg)
{
	int family = sky_addr_family((m->have & SKY_MSG_PEER) ? &m->peer : &u->peer);
	const struct sky_addr *local = (m->have & SKY_MSG_LOCAL) ? &m->local : NULL;
	size_t at = 0;

	if (local && sky_addr_family(local) != family)
		return -EAFNOSUPPORT;
	if (m->have & (SKY_MSG_LOCAL | SKY_MSG_IFINDEX))
		at = sky_ctl_put_local(ctl, at, family, local,
		    (m->have & SKY_MSG_IFINDEX) ? m->ifindex : 0);
	if (m->have & SKY_MSG_TTL)
		at = sky_ctl_put_ttl(ctl, at, family, m->ttl);
	if (m->have & SKY_MSG_TOS)
		at = sky_ctl_put_tos(ctl, at, family, m->tos);
	if (seg)
		at = sky_ctl_put_segment(ctl, at, (uint16_t)seg);
	*len = at;
	return 0;
}

int
out_prepare(const struct udp *u, struct out_batch *b, unsigned i, struct sky_msg *m, uint32_t seg)
{
	const uint32_t with_ctl = SKY_MSG_LOCAL | SKY_MSG_IFINDEX | SKY_MSG_TTL | SKY_MSG_TOS;
	struct msghdr *h = &b->h[i].msg_hdr;
	size_t len = 0;
	int r;

	b->iov[i].iov_base = m->data;
	b->iov[i].iov_len = m->len;
	h->msg_iov = &b->iov[i];
	h->msg_iovlen = 1;
	h->msg_flags = 0;
	r = prepare_name(u, b, i, m);
	if (r < 0)
		return r;
	if ((m->have & with_ctl) || seg)
		r = prepare_ctl(u, b->ctl[i], &len, m, seg);
	h->msg_control = len ? b->ctl[i] : NULL;
	h->msg_controllen = len;
	return r;
}

void
out_failed(struct udp *u, struct sky_msg *m, int err)
{
	m->status = -err;
	if (err == ENOBUFS)
		udp_count(&u->enobufs, 1);
	else if (err == EPERM)
		udp_count(&u->eperm, 1);
}

/* Prepares as many of m[] as go out with one entry each; *bad is set if what
 * stopped it was a datagram that cannot be sent at all. */
static unsigned
sky_udp_send_0fill(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned n, size_t stride, int *bad)
{
	unsigned k;

	*bad = 0;
	for (k = 0; k < n; k++) {
		struct sky_msg *at = udp_msg_at(m, k, stride);
		uint32_t seg = 0;

		if (at->seg && at->len > at->seg) {
			if (!out_is_train(u, at))
				break;
			seg = at->seg;
		}
		*bad = out_prepare(u, b, k, at, seg);
		if (*bad)
			break;
	}
	return k;
}

static void
settle(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	uint64_t parts = 0, trains = 0;

	for (unsigned i = 0; i < n; i++) {
		struct sky_msg *at = udp_msg_at(m, i, stride);

		at->status = 0;
		if (at->seg && at->len > at->seg) {
			parts += udp_parts(at->len, at->seg);
			trains++;
		} else {
			parts++;
		}
	}
	udp_count(&u->tx, parts);
	if (trains)
		udp_count(&u->trains, trains);
}

/* The first of a batch failed. 1: settled; 0: repeat; or -EAGAIN. */
static int
cure(struct udp *u, struct out_cure *c, struct out_batch *b, unsigned i, struct sky_msg *m, int r)
{
	bool train = m->seg && m->len > m->seg;
	int err = -r;

	switch (out_judge(u, c, &b->h[i].msg_hdr, m, train, &err)) {
	case OUT_AGAIN:
		return 0;
	case OUT_FULL:
		return -EAGAIN;
	case OUT_REFUSED:
		return 2;
	case OUT_OWN:
		break;
	}
	out_failed(u, m, err);
	return 1;
}

/* Sends b's k entries, which are m[0..k-1]. Returns how many are settled, and
 * in *stop why there are not more: 0, -EAGAIN, or 2 for a refused train. */
static unsigned
send_batch(struct udp *u, struct out_batch *b, struct sky_msg *m, unsigned k, size_t stride,
    int *stop)
{
	struct out_cure c = { 0 };
	unsigned done = 0;

	*stop = 0;
	while (done < k) {
		struct sky_msg *at = udp_msg_at(m, done, stride);
		int r = sky_msg_send(u->fd, b->h + done, k - done);

		if (r > 0) {
			settle(u, at, (unsigned)r, stride);
			done += (unsigned)r;
			c.tries = 0;
			continue;
		}
		r = cure(u, &c, b, done, at, r);
		if (r < 0 || r > 1) {
			*stop = r;
			break;
		}
		if (r == 1)
			c.tries = 0;
		done += (unsigned)r;
	}
	return done;
}

/* At least one datagram, or a batch: how many are settled, or -EAGAIN. */
static int
send_some(struct udp *u, struct sky_msg *m, unsigned n, size_t stride)
{
	struct out_batch b;
	int bad, stop = 0;
	unsigned k = sky_udp_send_0fill(u, &b, m, n < SKY_UDP_BATCH ? n : SKY_UDP_BATCH, stride, &bad);
	unsigned done = k ? send_batch(u, &b, m, k, stride, &stop) : 0;
	struct sky_msg *at = udp_msg_at(m, done, stride);

	if (stop == 2 || (!k && !bad)) {
		stop = stop == 2 ? out_singles(u, &b, at, true) : out_pieces(u, &b, at);
		done += stop == 0;
	} else if (!k) {
		out_failed(u, at, -bad);
		done++;
	}
	return done ? (int)done : stop;
}

int
sky_udp_send_stride(struct sky_udp *su, struct sky_msg *m, unsigned n, size_t stride)
{
	struct udp *u = udp_of(su);
	unsigned done = 0;

	if (stride < sizeof(*m))
		return -EINVAL;
	while (done < n) {
		int r = send_some(u, udp_msg_at(m, done, stride), n - done, stride);

		if (r < 0)
			return done ? (int)done : r;
		done += (unsigned)r;
	}
	return (int)done;
}

ssize_t
sky_udp_sendto(struct sky_udp *u, const void *data, size_t len, const struct sky_addr *dst)
{
	struct sky_msg m = { .len = len };
	int r;

	memcpy(&m.data, &data, sizeof(data));
	if (dst) {
		m.peer = *dst;
		m.have = SKY_MSG_PEER;
	}
	r = sky_udp_send(u, &m, 1);
	if (r < 0)
		return r;
	return m.status ? m.status : (ssize_t)len;
}

/* --- lib/sock/udp_set.c --- */
/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_set.c - changing and asking an open socket; groups; replies. */





#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static int
set_gso(struct udp *u, int64_t value)
{
	int ask;

	sky_refusal_clear(&u->ring);
	u->refusals = 0;
	if (!value) {
		u->flags |= SKY_UDP_NO_GSO;
		u->cap[SKY_CAP_GSO] = 0;
		return 0;
	}
	ask = sky_sockopt_get(u->fd, u->carries, SKY_OPT_GSO, &(int){ 0 });
	u->cap[SKY_CAP_GSO] = ask < 0 ? ask : 1;
	if (ask < 0)
		return ask;
	u->flags &= ~(uint32_t)SKY_UDP_NO_GSO;
	return 0;
}

static int
set_errors(struct udp *u, int64_t value)
{
	sky_conf_errors(u, value);
	while (!value && sky_ring_first(&u->ring))
		sky_ring_drop(&u->ring);
	return value && u->cap[SKY_CAP_ERRORS4] < 0 ? u->cap[SKY_CAP_ERRORS4] : 0;
}

static int
set_memory(struct udp *u, int64_t value)
{
	u->gso_memory_ns = (uint64_t)value * 1000000u;
	return 0;
}

static int
set_rcvbuf(struct udp *u, int64_t value)
{
	return sky_sockopt_buffer(u->fd, true, (int)value);
}

static int
set_sndbuf(struct udp *u, int64_t value)
{
	return sky_sockopt_buffer(u->fd, false, (int)value);
}

static int
set_multicast_if(struct udp *u, int64_t value)
{
	return sky_sockopt_multicast_if(u->fd, u->carries, (unsigned)value);
}

static int
set_pmtu(struct udp *u, int64_t value)
{
	return sky_sockopt_set(u->fd, u->carries, SKY_OPT_PMTU, (int)value - SKY_PMTU_DONT);
}

struct set_row {
	int64_t min, max;
	int (*set)(struct udp *, int64_t);	/* NULL: the option, as it is */
	enum sky_opt opt;
};

static const struct set_row sets[] = {
	[SKY_SET_TTL] = { 1, 255, NULL, SKY_OPT_TTL },
	[SKY_SET_TOS] = { 0, 255, NULL, SKY_OPT_TOS },
	[SKY_SET_MULTICAST_TTL] = { 0, 255, NULL, SKY_OPT_MULTICAST_TTL },
	[SKY_SET_RCVBUF] = { 0, INT32_MAX, set_rcvbuf, 0 },
	[SKY_SET_SNDBUF] = { 0, INT32_MAX, set_sndbuf, 0 },
	[SKY_SET_PMTU] = { SKY_PMTU_DONT, SKY_PMTU_OMIT, set_pmtu, 0 },
	[SKY_SET_GSO] = { 0, 1, set_gso, 0 },
	[SKY_SET_ERRORS] = { 0, 1, set_errors, 0 },
	[SKY_SET_BROADCAST] = { 0, 1, NULL, SKY_OPT_BROADCAST },
	[SKY_SET_MULTICAST_IF] = { 0, INT32_MAX, set_multicast_if, 0 },
	[SKY_SET_NO_CHECKSUM] = { 0, 1, NULL, SKY_OPT_NO_CHECK },
	[SKY_SET_GSO_MEMORY_MS] = { 0, INT32_MAX, set_memory, 0 },
};

int
sky_udp_set(struct sky_udp *su, enum sky_udp_opt what, int64_t value)
{
	struct udp *u = udp_of(su);
	const struct set_row *row;

	if ((unsigned)what >= sizeof(sets) / sizeof(sets[0]))
		return -EINVAL;
	row = &sets[what];
	if (value < row->min || value > row->max)
		return -EINVAL;
	if (row->set)
		return row->set(u, value);
	return sky_sockopt_set(u->fd, u->carries, row->opt, (int)value);
}

static void
info_counters(const struct udp *u, struct sky_udp_info *out)
{
	out->rx = udp_counted(&u->rx);
	out->tx = udp_counted(&u->tx);
	out->rx_truncated = udp_counted(&u->truncated);
	out->rx_drops = u->drops;
	out->errors = udp_counted(&u->taken) + sky_ring_count(&u->ring);
	out->errors_lost = udp_counted(&u->lost);
	out->errors_maybe_lost = udp_counted(&u->maybe_lost);
	out->retries = udp_counted(&u->tx_retries) + udp_counted(&u->rx_retries);
	out->gso_trains = udp_counted(&u->trains);
	out->gso_refused = udp_counted(&u->refused);
	out->enobufs = udp_counted(&u->enobufs);
	out->eperm = udp_counted(&u->eperm);
}

/* Where data was dropped for want of room, an error would have been too. */
static void
info_memory(struct udp *u, struct sky_udp_info *out)
{
	struct sky_meminfo m;

	if (sky_sockopt_meminfo(u->fd, &m) < 0)
		return;
	if (m.drops != u->drops_seen || m.rmem >= m.rcvbuf - m.rcvbuf / 8)
		udp_count(&u->maybe_lost, !u->plain);
	u->drops += (uint32_t)(m.drops - u->drops_seen);
	u->drops_seen = m.drops;
	out->rcvbuf = m.rcvbuf;
	out->sndbuf = m.sndbuf;
	out->rcvbuf_used = m.rmem;
}

int
sky_udp_info(struct sky_udp *su, struct sky_udp_info *out)
{
	struct udp *u = udp_of(su);
	uint32_t size = out->size;
	struct sky_udp_info i = { .size = sizeof(i) };
	struct sky_fd fd;
	int r;

	if (size < sizeof(i))
		return -EINVAL;
	r = sky_fd_ask(u->fd, &fd);
	if (r < 0)
		return r;
	memcpy(i.cap, u->cap, sizeof(i.cap));
	i.family = u->family;
	i.connected = fd.connected;
	i.v6only = u->v6only;
	i.local = fd.local;
	i.peer = fd.peer;
	info_memory(u, &i);
	info_counters(u, &i);
	*out = i;
	out->size = size;
	return 0;
}

const char *
sky_cap_word(enum sky_cap c)
{
	static const char *const words[SKY_CAPS] = {
		[SKY_CAP_ERRORS4] = "errors4", [SKY_CAP_ERRORS6] = "errors6",
		[SKY_CAP_RFC4884] = "rfc4884", [SKY_CAP_LOCAL] = "local",
		[SKY_CAP_TTL] = "ttl", [SKY_CAP_TOS] = "tos", [SKY_CAP_TIME] = "time",
		[SKY_CAP_FRAGSIZE] = "fragsize", [SKY_CAP_DROPS] = "drops",
		[SKY_CAP_GSO] = "gso", [SKY_CAP_GRO] = "gro", [SKY_CAP_MEMINFO] = "meminfo",
	};

	return (unsigned)c < SKY_CAPS ? words[c] : "unknown";
}

static int
membership(struct sky_udp *su, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex, bool join)
{
	const struct udp *u = udp_of(su);
	int family = group ? sky_addr_family(group) : AF_UNSPEC;

	if (!group || !sky_addr_is_multicast(group))
		return -EINVAL;
	if (source && sky_addr_family(source) != family)
		return -EAFNOSUPPORT;
	if (!(u->carries & (family == AF_INET ? SKY_CARRIES4 : SKY_CARRIES6)))
		return -EAFNOSUPPORT;
	return sky_sockopt_group(u->fd, join, &group->u.sa, source ? &source->u.sa : NULL,
	    sky_addr_len(group), ifindex);
}

int
sky_udp_join(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex)
{
	return membership(u, group, source, ifindex, true);
}

int
sky_udp_leave(struct sky_udp *u, const struct sky_addr *group, const struct sky_addr *source,
    unsigned ifindex)
{
	return membership(u, group, source, ifindex, false);
}

/* From the address that was asked; a group's cannot be a source, there the
 * kernel chooses one of the interface. Pinning an interface elsewhere would
 * bypass the routing table. */
int
sky_udp_reply(struct sky_msg *out, const struct sky_msg *in)
{
	bool known = in->have & SKY_MSG_LOCAL;
	bool group = known && ((in->flags & SKY_MSG_GROUP) || sky_addr_is_multicast(&in->local));
	struct sky_msg m = { .tag = in->tag };

	if (!(in->have & SKY_MSG_PEER) || sky_addr_family(&in->peer) == AF_UNSPEC)
		return -EINVAL;
	m.peer = in->peer;
	m.have = SKY_MSG_PEER;
	if (known && !group) {
		m.local = in->local;
		sky_addr_set_port(&m.local, 0);
		m.have |= SKY_MSG_LOCAL;
	}
	if (known && (group || sky_addr_is_link_local(&in->local))) {
		m.ifindex = in->ifindex;
		m.have |= SKY_MSG_IFINDEX;
	}
	*out = m;
	return 0;
}

size_t
sky_udp_payload_max(int family)
{
	return family == AF_INET6 ? 65527 : 65507;
}

bool
sky_neighbour_unresolved(const struct sky_addr *dst)
{
	int family = sky_addr_family(dst);

	return (family == AF_INET || family == AF_INET6) && sky_route_unresolved(dst) == 1;
}
