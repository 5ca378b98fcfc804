/* SPDX-License-Identifier: BSD-2-Clause */
/* pathsim.h - a simulated path: links with MTUs, and routers before them that
 * tell, say nothing, tell the old way or lie. Knows nothing of the engine that is
 * tested with it; times are ns of a clock of its own. */
#ifndef TEST_PROTO_PATHSIM_H
#define TEST_PROTO_PATHSIM_H

#include <stdbool.h>
#include <stdint.h>

#define PATH_LINKS 10
#define PATH_NEWS 512
#define PATH_MS UINT64_C(1000000)

enum path_router { TELLS, MUTE, OLD, LIES_LARGE, LIES_SMALL, LIES_60, ROUTERS };

struct path_news {
	uint64_t at;
	uint32_t seq, mtu;
	unsigned hop;
	bool refused;			/* else answered */
	bool forged;			/* quotes nothing that was sent */
};

struct path {
	uint32_t random;
	unsigned links;
	uint32_t mtu[PATH_LINKS];
	uint32_t later[PATH_LINKS];	/* from change_at on */
	enum path_router router[PATH_LINKS];	/* before the link */
	uint64_t change_at;		/* UINT64_MAX: never */
	uint64_t dead_from, dead_until;	/* nothing passes between */
	uint64_t delay;			/* of one link, one way */
	uint64_t jitter;		/* of the whole way, at most */
	unsigned loss_there, loss_back;	/* of 1000 */
	unsigned twice;			/* of 1000 answers, doubled */
	unsigned forge;			/* of 1000 packets, met by a forger's error */
	unsigned sent;
	uint32_t highest;		/* size sent */
	unsigned count;
	struct path_news news[PATH_NEWS];
};

unsigned path_roll(struct path *p, unsigned n);
uint32_t path_mtu(const struct path *p, uint64_t now);	/* the truth */
void path_send(struct path *p, uint64_t now, uint32_t seq, uint32_t size);
/* When the next news come; UINT64_MAX: none. */
uint64_t path_next(const struct path *p);
/* Takes them. */
struct path_news path_take(struct path *p);

#endif
