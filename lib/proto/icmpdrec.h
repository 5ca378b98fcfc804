/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmpdrec.h - the parts of which icmpd's messages are made; for icmpdmsg.c and
 * icmpdrec.c alone, see icmpdmsg.h.
 */
#ifndef SKY_PROTO_ICMPDREC_H
#define SKY_PROTO_ICMPDREC_H

#include "proto/icmpdmsg.h"

/* The next record without its length: 1, 0, -EBADMSG. */
int sky_icmpdrec_next(struct sky_icmpdmsg *m, struct sky_rd *rec);
/* An unknown family cuts the reader. */
struct sky_addr sky_icmpdrec_addr(struct sky_rd *r);
void sky_icmpdrec_put_addr(struct sky_wr *w, const struct sky_addr *a);
/* Between the two members are written; end undoes them if they did not fit. */
struct sky_wr sky_icmpdrec_begin(struct sky_icmpdmsg_out *o);
int sky_icmpdrec_end(struct sky_icmpdmsg_out *o, struct sky_wr before);

static inline uint64_t
sky_icmpdrec_u64(struct sky_rd *r)
{
	uint64_t high = sky_rd_u32(r);
	uint64_t low = sky_rd_u32(r);

	return high << 32 | low;
}

static inline void
sky_icmpdrec_put_u64(struct sky_wr *w, uint64_t v)
{
	sky_wr_u32(w, (uint32_t)(v >> 32));
	sky_wr_u32(w, (uint32_t)v);
}

#endif
