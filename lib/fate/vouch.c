/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vouch.c - is what an error quotes what was really sent?
 *
 * Anybody can forge an ICMP error; only who saw the datagram can quote it.
 */
#include <sockeye/fate.h>

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
