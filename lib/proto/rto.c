/* SPDX-License-Identifier: BSD-2-Clause */
/* rto.c - the retransmission timer of RFC 6298, whose sections are cited. */
#include <sockeye/rto.h>

#include <errno.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define K 4				/* (2) */
#define LONGEST (UINT64_C(1) << 56)	/* two years: sums cannot overflow */

static uint64_t
or_default(uint64_t given, uint64_t by_default)
{
	if (!given)
		return by_default;
	return given < LONGEST ? given : LONGEST;
}

/* (2.4) and (2.5) */
static uint64_t
bound(const struct sky_rto *r, uint64_t ns)
{
	if (ns < r->min_ns)
		return r->min_ns;
	return ns > r->max_ns ? r->max_ns : ns;
}

int
sky_rto_init(struct sky_rto *r, const struct sky_rto_conf *c)
{
	static const struct sky_rto_conf none = { .size = sizeof(none) };

	if (!c)
		c = &none;
	memset(r, 0, sizeof(*r));
	r->min_ns = or_default(c->min_ns, SECOND);		/* (2.4) */
	r->max_ns = or_default(c->max_ns, 60 * SECOND);		/* (2.5) */
	r->granularity_ns = or_default(c->granularity_ns, SECOND / 1000);
	r->rto_ns = bound(r, or_default(c->initial_ns, SECOND));	/* (2.1) */
	return c->size != sizeof(*c) || r->min_ns > r->max_ns ? -EINVAL : 0;
}

/* (2.3): the variation first, it needs the old SRTT. */
static void
smooth(struct sky_rto *r, uint64_t rtt)
{
	uint64_t off = r->srtt_ns > rtt ? r->srtt_ns - rtt : rtt - r->srtt_ns;

	r->rttvar_ns = (3 * r->rttvar_ns + off) / 4;	/* beta = 1/4 */
	r->srtt_ns = (7 * r->srtt_ns + rtt) / 8;	/* alpha = 1/8 */
}

bool
sky_rto_sample(struct sky_rto *r, uint64_t rtt_ns, unsigned sent, bool told_apart)
{
	uint64_t rtt = rtt_ns < LONGEST ? rtt_ns : LONGEST;
	uint64_t var;

	if (sent > 1 && !told_apart)
		return false;			/* section 3: Karn */
	if (r->samples) {
		smooth(r, rtt);
	} else {
		r->srtt_ns = rtt;		/* (2.2) */
		r->rttvar_ns = rtt / 2;
	}
	if (r->samples < UINT32_MAX)
		r->samples++;
	r->backoffs = 0;
	var = K * r->rttvar_ns;
	r->rto_ns = bound(r, r->srtt_ns + (var > r->granularity_ns ? var : r->granularity_ns));
	return true;
}

void
sky_rto_backoff(struct sky_rto *r)
{
	r->rto_ns = bound(r, 2 * r->rto_ns);	/* (5.5) */
	if (r->backoffs < UINT32_MAX)
		r->backoffs++;
	if (r->backoffs >= SKY_RTO_CLEAR)	/* section 5, last paragraph */
		r->samples = 0;
}

uint64_t
sky_rto_value(const struct sky_rto *r)
{
	return r->rto_ns;
}
