/* SPDX-License-Identifier: BSD-2-Clause */
/* targets.c - see targets.h. */
#include "proto/targets.h"

#include "base/num.h"
#include "base/sip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* An address as a number of 128 bits. */
struct wide {
	uint64_t hi, lo;
};

void
sky_targets_init(struct sky_targets *t, struct sky_range *range, uint64_t room)
{
	memset(t, 0, sizeof(*t));
	t->range = range;
	t->room = room;
}

void
sky_targets_move(struct sky_targets *t, struct sky_range *range, uint64_t room)
{
	if (t->ranges)
		memcpy(range, t->range, (size_t)t->ranges * sizeof(*range));
	t->range = range;
	t->room = room;
}

static uint64_t
big64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* All addresses of a length of prefix, less one: the bits behind it. */
static struct wide
behind(unsigned bits)
{
	struct wide w;

	w.hi = bits >= 64 ? 0 : UINT64_MAX >> bits;
	w.lo = bits >= 128 ? 0 : bits <= 64 ? UINT64_MAX : UINT64_MAX >> (bits - 64);
	return w;
}

struct block {
	struct wide first;
	unsigned bits;		/* of prefix, counted as IPv6 has them */
	bool v6;
};

/* Ranges that nobody probes. As IPv6 counts, IPv4 lies behind 96 zero bits. */
static const struct {
	struct block block;
	const char *name;
} refused[] = {
	{ { { 0, UINT64_C(0xe0000000) }, 100, false }, "multicast" },
	{ { { 0, UINT64_C(0xffffffff) }, 128, false }, "broadcast" },
	{ { { 0, 0 }, 104, false }, "of no host" },
	{ { { UINT64_C(0xff00000000000000), 0 }, 8, true }, "multicast" },
	{ { { 0, 0 }, 128, true }, "of no host" },
};

static bool
overlap(const struct block *a, const struct block *b)
{
	struct wide m = behind(a->bits < b->bits ? a->bits : b->bits);

	return a->v6 == b->v6 && (a->first.hi & ~m.hi) == (b->first.hi & ~m.hi) &&
	    (a->first.lo & ~m.lo) == (b->first.lo & ~m.lo);
}

/* The word of a line, or an empty one. False: it is longer than any target. */
static bool
cut_word(const char *line, char *word, size_t size)
{
	bool whole;
	size_t n;

	line += strspn(line, " \t\r\n");
	n = strcspn(line, "#\r\n");
	while (n && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	whole = n < size;
	if (!whole)
		n = size - 1;
	memcpy(word, line, n);
	word[n] = '\0';
	return whole;
}

static int
read_block(struct block *b, const char *word)
{
	const char *slash = strchr(word, '/');
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	char text[INET6_ADDRSTRLEN];
	uint8_t raw[16];
	uint64_t bits;
	unsigned wide;

	if (n >= sizeof(text))
		return -EINVAL;
	memcpy(text, word, n);
	text[n] = '\0';
	b->v6 = strchr(text, ':') != NULL;
	memset(raw, 0, sizeof(raw));
	if (inet_pton(b->v6 ? AF_INET6 : AF_INET, text, b->v6 ? raw : raw + 12) != 1)
		return -EINVAL;
	b->first = (struct wide){ big64(raw), big64(raw + 8) };
	wide = b->v6 ? 128 : 32;
	bits = wide;
	if (slash && sky_num_parse(slash + 1, strlen(slash + 1), wide, &bits) < 0)
		return -EINVAL;
	b->bits = (unsigned)bits + 128 - wide;
	if (b->v6 && b->bits >= 96 && !b->first.hi && b->first.lo >> 32 == 0xffff) {
		b->v6 = false;		/* ::ffff:192.0.2.1 is IPv4 */
		b->first.lo &= UINT32_MAX;
	}
	return 0;
}

static int
judge(const struct block *b, const char **why)
{
	struct wide m = behind(b->bits);

	if ((b->first.hi & m.hi) || (b->first.lo & m.lo)) {
		*why = "a prefix without bits of a host";
		return -EDOM;
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (overlap(b, &refused[i].block)) {
			*why = "addresses of single hosts: nothing is sent to multicast or "
			    "broadcast";
			return -EADDRNOTAVAIL;
		}
	if (m.hi || m.lo >= SKY_TARGETS_MAX) {
		*why = "a prefix of at most 2^40 addresses";
		return -E2BIG;
	}
	return 0;
}

static int
push(struct sky_targets *t, const struct block *b)
{
	struct sky_range r = { b->first.hi, b->first.lo, behind(b->bits).lo + 1, 0, b->v6 };

	if (t->ranges == t->room)
		return -ENOSPC;
	if (!r.v6 && r.count > 2) {
		r.lo++;
		r.count -= 2;
	}
	t->range[t->ranges++] = r;
	t->named += r.count;
	return 0;
}

int
sky_targets_add(struct sky_targets *t, const char *line, char *word, size_t size, const char **why)
{
	struct block b;
	int rc;
	bool whole = cut_word(line, word, size);

	if (!word[0])
		return 0;
	*why = "an IPv4 or IPv6 address, or a prefix such as 192.0.2.0/24";
	rc = whole ? read_block(&b, word) : -EINVAL;
	if (!rc && !b.v6 && b.bits < 96)
		rc = -EINVAL;
	if (!rc)
		rc = judge(&b, why);
	return rc ? rc : push(t, &b);
}

static bool
less(const struct sky_range *a, const struct sky_range *b)
{
	if (a->v6 != b->v6)
		return b->v6;
	if (a->hi != b->hi)
		return a->hi < b->hi;
	return a->lo < b->lo;
}

static void
swap(struct sky_range *a, struct sky_range *b)
{
	struct sky_range was = *a;

	*a = *b;
	*b = was;
}

static void
sift(struct sky_range *r, uint64_t i, uint64_t n)
{
	for (uint64_t k = 2 * i + 1; k < n; k = 2 * i + 1) {
		if (k + 1 < n && less(&r[k], &r[k + 1]))
			k++;
		if (!less(&r[i], &r[k]))
			return;
		swap(&r[i], &r[k]);
		i = k;
	}
}

/* In place, never quadratic. Lists are often sorted: that is looked at first. */
static void
sort(struct sky_range *r, uint64_t n)
{
	uint64_t i = 1;

	while (i < n && !less(&r[i], &r[i - 1]))
		i++;
	if (i >= n)
		return;
	for (i = n / 2; i-- > 0; )
		sift(r, i, n);
	for (i = n; i-- > 1; ) {
		swap(&r[0], &r[i]);
		sift(r, 0, i);
	}
}

/* Ranges never wrap: none is at the end of all addresses (that is multicast, or
 * longer than 2^40). True if b begins inside a or right behind it. */
static bool
touches(const struct sky_range *a, const struct sky_range *b)
{
	return a->v6 == b->v6 && a->hi == b->hi && b->lo - a->lo <= a->count;
}

static void
join(struct sky_targets *t)
{
	uint64_t kept = 0, end;
	struct sky_range *a;

	for (uint64_t i = 0; i < t->ranges; i++) {
		const struct sky_range *b = &t->range[i];

		a = kept ? &t->range[kept - 1] : NULL;
		if (!a || !touches(a, b)) {
			t->range[kept++] = *b;
			continue;
		}
		end = b->lo - a->lo + b->count;
		if (end > a->count)
			a->count = end;
	}
	t->ranges = kept;
}

int
sky_targets_seal(struct sky_targets *t)
{
	static const uint64_t key[2] = { UINT64_C(0x746172676574732e), 1 };

	sort(t->range, t->ranges);
	join(t);
	t->count = 0;
	t->digest = 0;
	for (uint64_t i = 0; i < t->ranges; i++) {
		struct sky_range *r = &t->range[i];
		uint64_t words[5] = { t->digest, r->hi, r->lo, r->count, r->v6 };

		r->before = t->count;
		if (r->count > SKY_TARGETS_MAX - t->count)
			return -E2BIG;
		t->count += r->count;
		t->digest = sky_sip_hash(key, words, sizeof(words));
	}
	return 0;
}

static void
put_addr(const struct sky_range *r, uint64_t offset, struct sky_addr *out)
{
	uint64_t v[2] = { r->hi, r->lo + offset };

	memset(out, 0, sizeof(*out));
	out->u.sa.sa_family = r->v6 ? AF_INET6 : AF_INET;
	if (!r->v6) {
		out->u.in.sin_addr.s_addr = htonl((uint32_t)v[1]);
		return;
	}
	for (int i = 0; i < 16; i++)
		out->u.in6.sin6_addr.s6_addr[i] = (uint8_t)(v[i / 8] >> (56 - i % 8 * 8));
}

void
sky_targets_at(const struct sky_targets *t, uint64_t number, struct sky_addr *out)
{
	uint64_t lo = 0, hi = t->ranges;

	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (t->range[mid].before <= number)
			lo = mid;
		else
			hi = mid;
	}
	put_addr(&t->range[lo], number - t->range[lo].before, out);
}

uint64_t
sky_targets_find(const struct sky_targets *t, const struct sky_addr *a)
{
	struct sky_range want = { .v6 = sky_addr_family(a) == AF_INET6, .count = 1 };
	uint64_t lo = 0, hi = t->ranges;
	const struct sky_range *r;

	if (want.v6) {
		want.hi = big64(a->u.in6.sin6_addr.s6_addr);
		want.lo = big64(a->u.in6.sin6_addr.s6_addr + 8);
	} else {
		want.lo = ntohl(a->u.in.sin_addr.s_addr);
	}
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;

		if (less(&want, &t->range[mid]))
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == 0)
		return UINT64_MAX;
	r = &t->range[lo - 1];
	if (r->v6 != want.v6 || r->hi != want.hi || want.lo - r->lo >= r->count)
		return UINT64_MAX;
	return r->before + (want.lo - r->lo);
}
