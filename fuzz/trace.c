/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers to the probes of a path, in any order, true or not, at any time. Six
 * bytes are a step: what came, for which probe, with what number, from whom,
 * with what, when. Whatever comes, it ends, within its packets. */
#include "fuzz.h"

#include <proto/trace.h>

#include <errno.h>

#define MS UINT64_C(1000000)
#define STEPS 20000

static struct sky_trace t;
static struct sky_trace_conf c;
static uint64_t now;
static uint32_t sent;

static struct sky_addr
address(unsigned n)
{
	struct sky_addr a;

	memset(&a, 0, sizeof(a));
	a.u.in.sin_family = AF_INET;
	a.u.in.sin_addr.s_addr = htonl(0x0a000000u + n);
	return a;
}

static void
configure(const uint8_t *d)
{
	memset(&c, 0, sizeof(c));
	c.size = sizeof(c);
	c.dst = address(d[0] % 40);
	c.device_mtu = d[0] & 64 ? 9000 : 1500;
	c.first = d[1] % 3;
	c.max = d[1] & 8 ? 5 : 0;
	c.far = d[1] & 16 ? 255 : d[1] & 32 ? 3 : 0;
	c.probes = d[2] % 11;
	c.flying = d[2] & 16 ? 1 : d[2] & 32 ? 3 : 0;
	c.untagged = d[2] & 64;
	c.no_mtu = d[3] & 1;
	c.free_end = d[3] & 2;
	c.burst = d[3] & 4 ? 1 : 0;
	c.pause_ns = d[3] & 8 ? 3 * MS : 0;
	c.len = d[3] & 16 ? 1400 : 0;
	c.packets = d[3] & 32 ? 17 : 0;
	c.gap = d[3] & 64 ? 255 : 0;
	c.tries = d[3] & 128 ? 255 : 0;
}

static void
sound(void)
{
	struct sky_trace_path p;
	struct sky_trace_hop h;

	sky_trace_path(&t, &p);
	must(p.packets <= sent && p.mtu <= c.device_mtu && p.mtu <= p.mtu_most);
	must(p.certainty != SKY_TRACE_MTU_EXACT || (p.mtu && p.mtu == p.mtu_most));
	must(p.ended >= p.began && p.set_by_last >= p.set_by_hop);
	for (unsigned i = p.first; i < (unsigned)p.first + p.hops; i++) {
		must(sky_trace_hop(&t, i, &h) == 0);
		must(h.addrs <= SKY_TRACE_ADDRS && h.tries <= SKY_TRACE_TRIES);
		must(h.labels <= SKY_HOP_LABELS && h.passed <= c.device_mtu);
		for (unsigned j = 0; j < h.tries; j++)
			must(!h.try[j].rtt_ns || h.try[j].by < h.addrs);
	}
	must(sky_trace_hop(&t, 0, &h) == -ENOENT);
}

/* Returns false when it is done. */
static int
send_all(void)
{
	struct sky_hop_probe p;
	enum sky_trace_kind kind;

	while ((kind = sky_trace_poll(&t, now, &p)) == SKY_TRACE_SEND) {
		must(p.id == ++sent && p.flow == 0 && sent <= 1024);
		must(p.len >= 60 && p.len <= c.device_mtu && p.ttl > 0);
		if (sent % 16 == 0)
			sky_trace_sent(&t, p.id, now + 1000);
	}
	must(kind != SKY_TRACE_WAIT || sky_trace_deadline(&t) > now);
	must(kind != SKY_TRACE_WAIT || sky_trace_deadline(&t) != SKY_TRACE_NEVER);
	return kind == SKY_TRACE_WAIT;
}

static void
step(const uint8_t *b)
{
	static const int errors[] = { EMSGSIZE, ENOBUFS, EAGAIN, EPERM };
	struct sky_hop_answer a = { .what = b[0] & 7, .trust = b[0] >> 6, .mtu = b[2] * 6u,
	    .by = address(b[3] % 40), .ttl = b[4], .type = b[4] / 8, .labels = b[4] % 7,
	    .id = b[0] & 8 ? 0 : sent - b[1] % 64, .err = errors[b[4] % 4] };

	a.at = b[5] & 1 ? 0 : now - b[4] * 1000u;
	if (a.id > sent && b[0] & 16)
		a.id = 0;
	sky_trace_answer(&t, now, &a);
	if (b[5] > 127)
		now += (b[5] & 127) * (b[5] & 127) * MS / 20;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned steps = 0, line, last = 0;

	if (len < 4)
		return 0;
	configure(data);
	if (sky_trace_init(&t, &c) < 0)
		return 0;
	now = MS;
	sent = 0;
	for (data += 4, len -= 4; len >= 6 && send_all(); data += 6, len -= 6) {
		step(data);
		if (len % 8 < 2)
			sound();
		while ((line = sky_trace_next(&t)) > 0) {
			must(line > last);
			last = line;
		}
	}
	while (send_all()) {
		must(++steps < STEPS);
		now = sky_trace_deadline(&t);
	}
	sound();
	return 0;
}
