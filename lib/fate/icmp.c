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
#include <sockeye/fate.h>

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
