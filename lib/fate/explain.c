/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - one sentence about one datagram; the grammar is in fates(7).
 *
 * Programs and people match on these words: they are as stable as the words of
 * the table.
 */
#include "base/text.h"
#include "fate/table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static void
put_ms(struct sky_text *t, const char *before, uint64_t ns)
{
	uint64_t us = ns / 1000 + (ns % 1000 >= 500);

	sky_text_put(t, "%s%" PRIu64 ".%03u ms", before, us / 1000, (unsigned)(us % 1000));
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
put_errno(struct sky_text *t, const struct sky_fate *f)
{
	const char *name = errno_name(f->err);

	if (f->evidence != SKY_BY_CALL || f->have & SKY_HAVE_ICMP || f->err == 0)
		return;
	if (name)
		sky_text_put(t, " (%s)", name);
	else
		sky_text_put(t, " (errno %d)", (int)f->err);
}

/* RFC 1191 section 3: an old router's error has 0 in place of the MTU. The least
 * MTU is 68 (RFC 791) and 1280 (RFC 8200). */
static void
put_mtu(struct sky_text *t, const struct sky_fate *f)
{
	const struct sky_addr *a = f->have & SKY_HAVE_BY ? &f->by : &f->dst;
	bool six = f->origin == SKY_ORIGIN_ICMP6 || sky_addr_family(a) == AF_INET6;
	unsigned least = six ? 1280 : 68;

	if (!(f->have & SKY_HAVE_MTU))
		return;
	if (f->mtu == 0)
		sky_text_put(t, ", no MTU told, old format");
	else if (f->mtu < least)
		sky_text_put(t, ", claims MTU %u, less than the minimum of %u", (unsigned)f->mtu, least);
	else
		sky_text_put(t, ", path MTU %u", (unsigned)f->mtu);
}

/* The name in the ICMP table, unless it only repeats the beginning. */
static void
put_icmp(struct sky_text *t, const struct sky_fate *f)
{
	const struct sky_icmp_row *row = sky_fate_icmp(f);

	if (!row || strcmp(row->name, sky_fate_head(f->what)) == 0)
		return;
	sky_text_put(t, ", %s", row->name);
	if (f->what == SKY_UNREACHABLE)
		sky_text_put(t, " (ICMP%s %u/%u)", f->origin == SKY_ORIGIN_ICMP6 ? "v6" : "",
		    (unsigned)f->icmp_type, (unsigned)f->icmp_code);
	if (f->what == SKY_BAD_HEADER && f->have & SKY_HAVE_POINTER)
		sky_text_put(t, " at byte %u", (unsigned)f->pointer);
}

static void
put_detail(struct sky_text *t, const struct sky_fate *f)
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
			sky_text_put(t, ", %u of %u bytes kept", (unsigned)f->len, (unsigned)f->full_len);
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
is_own(const struct sky_fate *f)
{
	if (f->flags & SKY_FATE_OWN || f->origin == SKY_ORIGIN_LOCAL)
		return true;
	return f->evidence == SKY_BY_CALL && !sky_fate_from_icmp(f);
}

static void
put_by(struct sky_text *t, const char *before, const struct sky_fate *f)
{
	char host[SKY_ADDRSTRLEN];

	if (f->have & SKY_HAVE_BY)
		sky_text_put(t, "%s%s", before, sky_addr_format_host(&f->by, host, sizeof host));
}

/* An address of this host is named only when it was also the destination; the
 * heads of local fates name this host themselves, but for the neighbour's. */
static void
put_who(struct sky_text *t, const struct sky_fate *f)
{
	bool to_itself = f->have & SKY_HAVE_BY && f->have & SKY_HAVE_DST &&
	    sky_addr_same_host(&f->by, &f->dst);

	if (f->what == SKY_STRAY)
		put_by(t, ", from ", f);
	else if (f->what == SKY_ANSWERED || sky_fate_class(f->what) == SKY_CLASS_NOTE)
		return;
	else if (!is_own(f) || to_itself)
		put_by(t, ", says ", f);
	else if (sky_fate_class(f->what) != SKY_CLASS_LOCAL || f->what == SKY_NO_NEIGHBOUR)
		sky_text_put(t, ", says this host");
}

static void
put_doubt(struct sky_text *t, const struct sky_fate *f)
{
	const uint32_t both = SKY_HAVE_BY | SKY_HAVE_DST;

	if (f->what == SKY_REFUSED && (f->have & both) == both && !is_own(f) &&
	    !sky_addr_same_host(&f->by, &f->dst))
		sky_text_put(t, ", by another address than the destination: "
		    "a firewall, or a second address of the host");
	if (f->trust == SKY_TRUST_MISMATCH)
		sky_text_put(t, ", but the quote does not match what was sent");
	if (f->trust == SKY_TRUST_SHORT)
		sky_text_put(t, ", but the quote is too short to tell whose it is");
	if (f->flags & SKY_FATE_AT_LEAST)
		sky_text_put(t, ", at least %" PRIu64 " datagram%s", f->count ? f->count : 1,
		    f->count > 1 ? "s" : "");
	else if (f->count > 1)
		sky_text_put(t, ", %" PRIu64 " datagrams", f->count);
}

int
sky_fate_explain(const struct sky_fate *f, char *buf, size_t size)
{
	struct sky_text t = { buf, size, 0 };

	sky_text_put(&t, "%s", sky_fate_head(f->what));
	put_errno(&t, f);
	put_detail(&t, f);
	put_who(&t, f);
	put_doubt(&t, f);
	return (int)t.len;
}
