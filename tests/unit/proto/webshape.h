/* SPDX-License-Identifier: BSD-2-Clause */
/* webshape.h - the shapes that are balanced over, and an engine run over one. */
#ifndef TEST_PROTO_WEBSHAPE_H
#define TEST_PROTO_WEBSHAPE_H

#include "websim.h"

#include <proto/paths.h>

enum web_shape {
	WEB_CHAIN,			/* no balancer */
	WEB_SIMPLEST,			/* one hop of two */
	WEB_FOUR,			/* one hop of four */
	WEB_LONG,			/* two ways of two routers each */
	WEB_NESTED,			/* a balancer behind a balancer */
	WEB_ASYMMETRIC,			/* one way is a hop longer */
	WEB_MESHED,			/* two hops of two, each linked with each */
	WEB_EIGHT,
	WEB_ALIAS,			/* as LONG, joined by a router of two addresses */
	WEB_SHAPES
};

extern const char *const web_shape_name[WEB_SHAPES];
void web_shape(struct web *w, enum web_shape shape);

struct web_run {
	struct sky_paths_result r;
	unsigned missing, claimed, false_links, unclaimed, silent;
	unsigned present;		/* routers that flows can be at */
	uint64_t took;			/* ns */
};

/* Runs to the end; compares with the truth. */
void web_run(struct web *w, struct sky_paths *p, struct sky_paths_conf *c, struct web_run *out);

#endif
