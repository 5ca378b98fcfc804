/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * measure.c - what --measure and its options mean; see measure.h.
 */
#include "measure.h"
#include "run.h"

#include "cli/opt.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define RATE_MOST UINT64_C(1000000000000)	/* a second */
#define SWEEP_SIZES 16
#define SIZE_MOST 65507

/* A number of bytes out of the len characters at text. */
static bool
bytes_of(const char *text, size_t len, uint64_t *out)
{
	char copy[24];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return opt_number(copy, out) == 0;
}

const char *
measure_take_size(void *config, const struct opt *o, const char *arg)
{
	static const char *const expected = "44 to 65507 bytes, because STAMP's packet (RFC 8762) "
	    "has 44, or two such and a step: 64..1400, 64..1400/8";
	struct measure_config *m = &((struct config *)config)->measure;
	const char *dots = strstr(arg, ".."), *slash = strchr(arg, '/');
	size_t end = slash ? (size_t)(slash - arg) : strlen(arg);
	bool fine;

	(void)o;
	m->have_size = true;
	fine = bytes_of(arg, dots ? (size_t)(dots - arg) : end, &m->from);
	m->to = m->from;
	if (fine && dots)
		fine = dots < arg + end && bytes_of(dots + 2, end - (size_t)(dots + 2 - arg), &m->to);
	if (!fine || m->from < SKY_MEASURE_MIN || m->to > SIZE_MOST || m->from > m->to)
		return expected;
	m->step = 0;
	if (slash && (!dots || !bytes_of(slash + 1, strlen(slash + 1), &m->step) || !m->step))
		return expected;
	return NULL;
}

const char *
measure_take_rate(void *config, const struct opt *o, const char *arg)
{
	static const char *const expected = "datagrams a second as 1000 or 20k, or bits of payload "
	    "a second as 64kbit, 10mbit, 1gbit";
	struct measure_config *m = &((struct config *)config)->measure;
	size_t len = strlen(arg);

	(void)o;
	m->bits = len > 3 && strcasecmp(arg + len - 3, "bit") == 0;
	m->have_rate = true;
	if (!bytes_of(arg, m->bits ? len - 3 : len, &m->rate))
		return expected;
	return m->rate && m->rate <= RATE_MOST ? NULL : expected;
}

void
measure_prepare(struct config *c)
{
	struct measure_config *m = &c->measure;

	if (!m->on)
		return;
	c->source_sink = true;
	c->read_size = 65535;
	if (!m->have_size)
		m->from = m->to = c->write_size;
	if (!m->have_burst)
		m->burst = 1;
	c->write_size = m->to;
}

/* First fault first. */
void
measure_check(const struct config *c)
{
	const struct measure_config *m = &c->measure;
	bool part = m->one_way || m->have_size || m->have_rate || m->have_burst || m->have_duration ||
	    m->interval;
	const struct { bool wrong; const char *text; } rules[] = {
		{ !m->on && part, "--one-way, --size, --rate, --burst, --duration and --interval "
		  "belong to --measure" },
		{ m->on && !c->udp, "--measure needs -u" },
		{ m->on && c->have_fd, "--measure opens its own socket: leave --fd out" },
		{ m->on && c->errors != ERRORS_QUEUE, "--measure needs the error queue: "
		  "leave --errors out" },
		{ m->on && c->server && sky_addr_family(&c->foreign),
		  "-f and --measure exclude each other: it serves many" },
		{ m->on && c->server && c->so.reuseport, "-T and --measure -s exclude each other: "
		  "it sorts what comes to its port itself" },
		{ m->on && (c->have_service || c->exec), "--measure and --service exclude each other" },
		{ m->on && c->server && (m->have_size || m->have_rate || m->have_burst ||
		  m->have_duration), "--size, --rate, --burst and --duration are a client's" },
		{ m->on && !c->server && c->pause, "-p is for the mirror (-s), which then reads "
		  "slowly: see --rate" },
		{ m->have_burst && !m->have_rate, "--burst belongs to --rate" },
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].wrong)
			opts_refuse("%s", rules[i].text);
	if (m->on && !c->server && c->write_size < SKY_MEASURE_MIN)
		opts_refuse("'-w %lu': too small for --measure (expected 44 or more: STAMP's packet, "
		    "RFC 8762, has 44 bytes)", (unsigned long)c->write_size);
}

void
measure_check_ends(const struct config *c)
{
	if (c->measure.on && !c->server && c->ndests > 1)
		opts_refuse("--measure measures the way to one destination (expected host port)");
}

uint64_t
measure_sizes(const struct measure_config *m)
{
	if (m->from == m->to)
		return 1;
	return m->step ? (m->to - m->from) / m->step + 1 : SWEEP_SIZES;
}

uint64_t
measure_size(const struct measure_config *m, uint64_t number)
{
	uint64_t turn = number % measure_sizes(m);

	if (m->step)
		return m->from + turn * m->step;
	return m->from + (m->to - m->from) * turn / (SWEEP_SIZES - 1);
}

void
measure_run(struct run *x)
{
	if (x->c->server)
		measure_mirror(x);
	else
		measure_probe(x);
}
