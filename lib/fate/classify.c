/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classify.c - from what a reporter says to the one word for it.
 *
 * Where the errno of a send is a choice: a blackhole route is EINVAL, as is a
 * source address that is not ours (IPv6), so EINVAL is no-route. EAGAIN that a
 * caller gives up on is a full send buffer, as ENOBUFS is a full queue. What is
 * left (EIO, EPIPE, ...) did not leave this host either: dropped-sending.
 */
#include "fate/table.h"

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
