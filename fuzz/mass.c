/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to the engine of many targets, in any order, true or not: nothing grows,
 * every target ends once, in a bounded number of probes and in bounded time. The
 * first bytes choose the manner, then five bytes are an answer; the rest is read as
 * a list of targets and as a quoted mark. */
#include "fuzz.h"

#include "proto/mass.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define MS UINT64_C(1000000)

enum { TARGETS = 24, WINDOW = 8, ROUTERS = 16, KEPT = 64, PROBES_EACH = 400 };

static struct sky_mass_probe kept[KEPT];	/* the last ones */
static unsigned sent, ended[TARGETS];

static void
look(const struct sky_mass_result *r)
{
	must(r->position < TARGETS && ended[r->position]++ == 0);
	must(r->hops <= SKY_MASS_HOPS && r->probes <= PROBES_EACH);
	must(r->end <= SKY_HOP_LOCAL && r->pmtu <= 1500);
	must(!r->pmtu_below || r->pmtu_below > r->pmtu);
	for (unsigned i = 0; i < r->hops; i++) {
		must(r->hop[i].ttl == i + 1 && r->hop[i].how <= SKY_MASS_ASSUMED);
		must((r->hop[i].how == SKY_MASS_SILENT) == (sky_addr_family(&r->hop[i].by) == 0));
	}
}

static void
say(struct sky_mass *m, const uint8_t *b, uint64_t now)
{
	const struct sky_mass_probe *p = &kept[(sent + KEPT - 1 - b[1] % KEPT) % KEPT];
	struct sky_mass_answer a = { .mark = p->mark, .dst = p->dst, .at = now,
	    .what = b[0] % 6, .type = b[2] & 0x0f, .code = b[2] >> 4, .ttl = b[3],
	    .mtu = b[4] * 7u, .err = b[0] & 64 ? 90 : 101 };

	a.by = p->dst;
	if (!(b[0] & 8))
		a.by.u.in.sin_addr.s_addr = htonl(0x64000000u + b[3] % 32);
	if (b[0] & 16)
		a.mark.position = SKY_MASSMARK_NONE;
	if ((b[0] & 32) && !(b[0] & 16)) {
		a.mark.slot += b[2] % 3;
		a.mark.ttl ^= b[4] & 63;
	}
	sky_mass_answer(m, &a, now);
}

static void
run(struct sky_mass *m, const uint8_t *data, size_t len)
{
	static struct sky_mass_result r;
	uint64_t now = 1000 * MS, deadline;
	unsigned turns = 0;

	while (!sky_mass_over(m) && turns++ < TARGETS * PROBES_EACH * 4) {
		while (sky_mass_next(m, now, &kept[sent % KEPT], &deadline)) {
			must(kept[sent % KEPT].mark.len >= 28 && kept[sent % KEPT].mark.len <= 1500);
			must(kept[sent % KEPT].mark.ttl && kept[sent % KEPT].mark.ttl <= SKY_MASS_FAR);
			sent++;
		}
		for (unsigned i = 0; i < 3 && sent && len >= 5; i++, data += 5, len -= 5)
			say(m, data, now);
		while (sky_mass_result(m, &r))
			look(&r);
		now = deadline == UINT64_MAX || deadline < now + MS ? now + MS : deadline;
	}
	must(sky_mass_over(m));
	must(sky_mass_hops(m)->ifaces <= ROUTERS && sky_mass_hops(m)->nodes <= 2 * ROUTERS);
}

static void
engine(const uint8_t *data, size_t len)
{
	static struct sky_range range = { .lo = 0x0a000001, .count = TARGETS };
	struct sky_targets list;
	struct sky_mass_conf c = { .targets = &list, .seed = data[0], .shards = 1, .window = WINDOW,
	    .routers = ROUTERS, .rate = 100000, .hop_rate = data[0] & 1 ? 6 : 0, .hop_burst = 6,
	    .mtu = data[0] & 2 ? 1500 : 0, .max_ttl = 4 + data[1] % 20, .split = 8,
	    .gap = 1 + (data[1] >> 5), .tries = 1 + data[0] % 3, .every_hop = data[0] & 4,
	    .patience_ns = data[0] & 8 ? 100 * MS : 0 };
	size_t size = sky_mass_size(&c);
	void *memory = malloc(size);

	sky_targets_init(&list, &range, 1);
	list.ranges = 1;
	must(sky_targets_seal(&list) == 0 && list.count == TARGETS);
	memset(ended, 0, sizeof(ended));
	memset(kept, 0, sizeof(kept));
	sent = 0;
	must(memory != NULL);
	run(sky_mass_init(memory, size, &c), data + 2, len - 2);
	for (unsigned i = 0; i < TARGETS; i++)
		must(ended[i] == 1);
	free(memory);
}

static void
list(const char *text)
{
	struct sky_range range[4];
	struct sky_targets t;
	struct sky_addr a;
	char word[32];
	const char *why = NULL;
	int rc;

	sky_targets_init(&t, range, 4);
	rc = sky_targets_add(&t, text, word, sizeof(word), &why);
	must(rc == 0 || (why && t.ranges == 0));
	must(strlen(word) < sizeof(word));
	must(sky_targets_seal(&t) == 0 && t.count <= SKY_TARGETS_MAX);
	if (!t.count)
		return;
	sky_targets_at(&t, t.count - 1, &a);
	must(sky_targets_find(&t, &a) == t.count - 1 && !sky_addr_is_multicast(&a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t key[2] = { 1, 2 };
	struct sky_massmark m;
	char text[64];
	size_t n = len < sizeof(text) - 1 ? len : sizeof(text) - 1;

	must(!sky_massmark_decode(&m, key, data, len < SKY_MASSMARK_LEN ? len : 23));
	memcpy(text, data, n);
	text[n] = '\0';
	list(text);
	if (len >= 2)
		engine(data, len);
	return 0;
}
