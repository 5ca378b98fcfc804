/* SPDX-License-Identifier: BSD-2-Clause */
/* addr.c - addresses as values: kernel's form, comparison, kinds. */
#include <sockeye/addr.h>

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
