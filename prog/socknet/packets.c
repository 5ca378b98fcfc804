/* SPDX-License-Identifier: BSD-2-Clause */
/* packets.c - captured packets against what is expected: see packets.h. */
#include "packets.h"
#include "expect.h"

#include "wire/cksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool
field_is(struct loop *l, const struct lab_field *f, const struct seen *s)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "len", s->len }, { "type", s->type }, { "code", s->code },
		{ "mtu", s->mtu }, { "ttl", s->ttl }, { "id", s->id }, { "off", s->off },
		{ "piece", s->piece }, { "mpls", s->mpls },
	};
	const struct {
		const char *key, *value;
	} words[] = {
		{ "sum", sky_cksum_word(s->sum) }, { "df", s->df ? "yes" : "no" },
		{ "more", s->more ? "yes" : "no" }, { "dir", s->out ? "out" : "in" },
	};
	char text[24];

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (!strcmp(f->key, numbers[i].key)) {
			snprintf(text, sizeof(text), "%" PRIu64, numbers[i].value);
			return vars_is(&l->vars, f->value, text);
		}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(f->key, words[i].key))
			return !strcmp(f->value, words[i].value);
	if (!strcmp(f->key, "about"))
		return s->has_about && expect_end(l, f->value, &s->about);
	return expect_end(l, f->value, !strcmp(f->key, "dst") ? &s->dst : &s->src);
}

/* Nothing stays bound by a packet that is not meant. */
static bool
fields_are(struct loop *l, const struct lab_field *f, unsigned n, const struct seen *s)
{
	unsigned bound = l->vars.n;

	for (unsigned i = 0; i < n; i++)
		if (!field_is(l, &f[i], s)) {
			l->vars.n = bound;
			return false;
		}
	return true;
}

static bool
names_dir(const struct lab_expect *x)
{
	for (unsigned i = 0; i < x->fields; i++)
		if (!strcmp(x->field[i].key, "dir"))
			return true;
	return false;
}

static const char *
kind_word(const struct seen *s)
{
	static const char *const kinds[] = { "", "udp", "tcp", "icmp", "arp", "piece" };

	return kinds[s->kind];
}

static bool
lost_some(const struct capture *c, char *why, size_t size)
{
	if (c->lost)
		snprintf(why, size, "the capture lost %" PRIu64 " packets", c->lost);
	return c->lost;
}

bool
packets_count_met(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct capture *c = &l->capture[s->host];
	const struct lab_expect *x = &s->expect;
	bool both = names_dir(x);
	uint64_t found = 0;

	loop_drain(l);
	for (unsigned i = 0; i < c->count; i++)
		found += (both || !c->seen[i].out) && !strcmp(x->text, kind_word(&c->seen[i])) &&
		    fields_are(l, x->field, x->fields, &c->seen[i]);
	snprintf(why, size, "%" PRIu64 " such packets, of %u captured", found, c->count);
	return !lost_some(c, why, size) && expect_compare(x, found);
}

/* --- in order: each line is the first such packet behind the one before --- */

static bool
pattern_is(struct loop *l, const struct lab_pattern *t, const struct seen *s, uint64_t before)
{
	uint64_t after = s->time_ns - before;

	if (t->out != s->out || strcmp(t->kind, kind_word(s)) != 0)
		return false;
	if (t->timed && (!before || after < t->after_min || after > t->after_max))
		return false;
	return fields_are(l, t->field, t->fields, s);
}

bool
packets_order_met(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct capture *c = &l->capture[s->host];
	const struct lab_expect *x = &s->expect;
	uint64_t before = 0;
	unsigned line = 0;

	loop_drain(l);
	for (unsigned i = 0; i < c->count && line < x->patterns; i++)
		if (pattern_is(l, &x->pattern[line], &c->seen[i], before)) {
			before = c->seen[i].time_ns;
			line++;
		}
	snprintf(why, size, "%u of %u packets in this order", line, x->patterns);
	if (line < x->patterns)
		snprintf(why, size, "line %u: no such packet after the %u before it: %s",
		    LAB_LINE(x->pattern[line].line), line, x->pattern[line].text);
	return !lost_some(c, why, size) && line == x->patterns;
}

/* --- pieces of one packet: "552@0+ 106@552" --- */

static bool
same_packet(const struct seen *a, const struct seen *b)
{
	return a->out == b->out && a->id == b->id && a->ifindex == b->ifindex &&
	    a->proto == b->proto && sky_addr_same_host(&a->src, &b->src) &&
	    sky_addr_same_host(&a->dst, &b->dst);
}

/* All pieces of the packet that piece i is the first seen of; false if it is not. */
static bool
pieces_of(const struct capture *c, unsigned i, char *buf, size_t size)
{
	const struct seen *first = &c->seen[i];
	size_t used = 0;

	for (unsigned k = first->off || first->more ? 0 : i; k < i; k++)
		if (same_packet(&c->seen[k], first) && (c->seen[k].off || c->seen[k].more))
			return false;
	for (unsigned k = i; k < c->count && used < size; k++) {
		const struct seen *s = &c->seen[k];

		if (k != i && (!same_packet(s, first) || !(s->off || s->more)))
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%u@%u%s", used ? " " : "",
		    s->piece, s->off, s->more ? "+" : "");
		if (!first->off && !first->more)
			break;
	}
	return true;
}

bool
packets_fragments_met(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct capture *c = &l->capture[s->host];
	const struct lab_expect *x = &s->expect;
	bool both = names_dir(x);
	char pieces[1200], last[1200] = "nothing";
	uint64_t found = 0;

	loop_drain(l);
	for (unsigned i = 0; i < c->count; i++) {
		const struct seen *n = &c->seen[i];

		if ((n->out && !both) || !n->piece || !fields_are(l, x->field, x->fields, n) ||
		    !pieces_of(c, i, pieces, sizeof(pieces)))
			continue;
		if (!strcmp(pieces, x->text))
			found++;
		if (n->off || n->more || !strcmp(pieces, x->text))
			memcpy(last, pieces, sizeof(last));
	}
	snprintf(why, size, "%s", last);
	return !lost_some(c, why, size) && expect_compare(x, found);
}
