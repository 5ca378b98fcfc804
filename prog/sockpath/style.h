/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * style.h - the path in the words of another program, for people and scripts that
 * know those.
 *
 *	traceroute	Debian's traceroute 2.1: three probes for each hop, 16 at once
 *	tracepath	iputils' tracepath: one packet for each hop, as large as can be
 *	book		the book's traceroute.pmtu: three probes for each hop, one at a
 *			time; packets that may not be fragmented, from the interface's
 *			MTU downward
 *
 * Each follows the procedure of its original (lib/proto/serial.h), so that the
 * lines are the same but for times. Where an original gives up because a router
 * tells no MTU or a false one, the book's table of sizes is gone through instead.
 */
#ifndef SOCKPATH_STYLE_H
#define SOCKPATH_STYLE_H

#include "opts.h"
#include "proto/serial.h"

#include <stdio.h>

/* What the lines show besides the events. */
struct style_conf {
	enum style style;
	const char *host;		/* as the first line shows it */
	struct sky_addr dst, src;	/* src: this end, for what did not leave */
	bool numeric, labels, back;
	bool both;			/* tracepath: names and numbers */
	uint8_t first, max;
	uint32_t len;			/* of the first packets */
};

struct style_page {
	const struct style_conf *conf;
	FILE *to;
	struct sky_addr last;		/* who answered the probe before, in this hop */
	struct sky_hop_label label[SKY_HOP_LABELS];
	uint32_t smaller;		/* F=, not printed yet */
	uint32_t len;			/* of packets now */
	uint8_t labels, ttl_back;	/* of that answer */
	uint8_t hop;			/* of the line begun; 0: none */
	uint8_t refused;		/* hop of which a size was refused: its line is told */
	uint8_t twice;			/* hop that is asked twice, once the interface spoke */
	uint8_t heard;			/* tracepath: the last hop that answered */
	uint8_t hops_to, hops_back;
	bool told_len, stopped;
	int err;			/* of writing, the first one; 0 */
};

/* conf, to and zeros are set by the caller. */
void style_begin(struct style_page *p);
/* The events of sky_serial_told(), in order; name is that of e->answer.by, or NULL.
 * Everything is flushed: who kills the program has what was known. */
void style_event(struct style_page *p, const struct sky_serial_event *e, const char *name);

#endif
