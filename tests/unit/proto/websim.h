/* SPDX-License-Identifier: BSD-2-Clause */
/* websim.h - a simulated network of routers that balance over several next hops,
 * after the manner of Fakeroute: knows the truth, answers probes. It knows nothing
 * of the engines that are tested with it; times are ns of a clock of its own. */
#ifndef TEST_PROTO_WEBSIM_H
#define TEST_PROTO_WEBSIM_H

#include <stdbool.h>
#include <stdint.h>

#define WEB_ROUTERS 64
#define WEB_NEXTS 24
#define WEB_NEWS 2048
#define WEB_MS UINT64_C(1000000)

enum web_what { WEB_EXCEEDED, WEB_REACHED, WEB_TOO_BIG };

struct web_news {
	uint64_t at;
	uint32_t id, mtu;
	unsigned router;		/* who says so */
	enum web_what what;
	uint8_t ttl;			/* of the answer */
};

struct web_router {
	unsigned nexts, next[WEB_NEXTS];
	uint32_t mtu[WEB_NEXTS];	/* of the link to it; 0: 1500 */
	bool by_packet, in_turn;	/* each packet by chance, or one after the other */
	unsigned turn;
	bool silent, mute;	/* mute: no errors about size */
	bool lies;			/* tells an MTU of 0 */
	double tokens;
	uint64_t filled;
	unsigned alias;			/* of a router: their errors are limited together */
	unsigned asked, answered;
};

struct web {
	uint64_t random, salt;
	unsigned routers, end;		/* router 0 is the first hop; `end` the host */
	struct web_router router[WEB_ROUTERS];
	double burst, rate;		/* errors; rate 0: not limited */
	unsigned loss_there, loss_back;	/* of 1000 */
	uint64_t delay;			/* there and back */
	uint64_t jitter;
	unsigned sent;
	unsigned count;
	struct web_news news[WEB_NEWS];
};

void web_init(struct web *w, uint64_t seed);
/* A router more, with links from each of the routers from[0..n). */
unsigned web_add(struct web *w, unsigned n, const unsigned *from);
unsigned web_roll(struct web *w, unsigned n);
void web_send(struct web *w, uint64_t now, uint32_t id, unsigned flow, unsigned ttl, uint32_t len);
uint64_t web_next(const struct web *w);		/* when; UINT64_MAX: none */
struct web_news web_take(struct web *w);
/* Is there a link? And the place that a flow comes to at this hop (from 1). */
bool web_linked(const struct web *w, unsigned from, unsigned to);
unsigned web_at(const struct web *w, unsigned flow, unsigned ttl);

#endif
