/* SPDX-License-Identifier: BSD-2-Clause */
/* witness.c - does the network agree? See witness.h. */
#include "witness.h"
#include "expect.h"
#include "json.h"
#include "ledger.h"

#include <sockeye/fate.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ERRORS 8
#define WORDS 12

/* One kind of ICMP error about a destination, as captured at the sender. */
struct error {
	uint8_t type, code;
	uint32_t mtu;
	struct sky_addr by;
	uint64_t count;
	bool own;		/* said by the sender's own host */
};

/* What the network shows of one destination. */
struct tally {
	uint64_t left, replies, asked, at_routers, delivered, lost;
	struct error error[ERRORS];
	unsigned errors;
};

struct words {
	const char *word[WORDS];
	uint64_t count[WORDS];
	unsigned n;
};

/* What ICMP says, in the words of the records: RFC 792, 1812, 4443. Written
 * apart from the library's table, which is what is judged here. */
static const char *
word_of(int family, const struct error *e)
{
	static const struct {
		int family;
		uint8_t type, code;
		const char *word;
	} rows[] = {
		{ AF_INET, 3, 0, "net-unreachable" }, { AF_INET, 3, 1, "host-unreachable" },
		{ AF_INET, 3, 2, "no-protocol" }, { AF_INET, 3, 3, "refused" },
		{ AF_INET, 3, 4, "too-big" }, { AF_INET, 3, 9, "filtered" },
		{ AF_INET, 3, 10, "filtered" }, { AF_INET, 3, 13, "filtered" },
		{ AF_INET, 11, 0, "hop-limit" }, { AF_INET, 11, 1, "reassembly-timeout" },
		{ AF_INET6, 1, 0, "net-unreachable" }, { AF_INET6, 1, 1, "filtered" },
		{ AF_INET6, 1, 3, "host-unreachable" }, { AF_INET6, 1, 4, "refused" },
		{ AF_INET6, 1, 5, "filtered" }, { AF_INET6, 2, 0, "too-big" },
		{ AF_INET6, 3, 0, "hop-limit" }, { AF_INET6, 3, 1, "reassembly-timeout" },
	};
	bool host = family == AF_INET ? e->type == 3 && e->code == 1 :
	    e->type == 1 && e->code == 3;

	if (e->own && host)
		return "no-neighbour";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].family == family && rows[i].type == e->type &&
		    rows[i].code == e->code)
			return rows[i].word;
	return "unreachable";
}

static void
add_word(struct words *w, const char *word, uint64_t count)
{
	unsigned i;

	for (i = 0; i < w->n && strcmp(w->word[i], word); i++)
		;
	if (i == WORDS || !count)
		return;
	w->word[i] = word;
	w->count[i] = (i < w->n ? w->count[i] : 0) + count;
	w->n += i == w->n;
}

static uint64_t
word_count(const struct words *w, const char *word)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!strcmp(w->word[i], word))
			return w->count[i];
	return 0;
}

/* --- what the network shows --- */

static void
add_error(struct tally *t, const struct lab *lab, unsigned sender, const struct seen *s)
{
	const char *name = lab->host[sender].name;
	unsigned i;

	for (i = 0; i < t->errors; i++)
		if (t->error[i].type == s->type && t->error[i].code == s->code &&
		    t->error[i].mtu == s->mtu && sky_addr_same_host(&t->error[i].by, &s->src))
			break;
	if (i == ERRORS) {
		t->lost++;
		return;
	}
	if (i == t->errors)
		t->error[t->errors++] = (struct error){
			.type = s->type, .code = s->code, .mtu = s->mtu, .by = s->src,
			.own = expect_addr(lab, name, &s->src),
		};
	t->error[i].count++;
}

static void
tally_sender(struct tally *t, struct loop *l, unsigned sender, const struct sky_addr *dst)
{
	const struct capture *c = &l->capture[sender];

	t->lost += c->lost;
	for (unsigned i = 0; i < c->count; i++) {
		const struct seen *s = &c->seen[i];

		if (s->kind == SEEN_UDP && s->out)
			t->left += sky_addr_equal(&s->dst, dst);
		else if (s->kind == SEEN_UDP)
			t->replies += sky_addr_equal(&s->src, dst);
		else if (s->kind == SEEN_ARP && s->out && s->type == 1)
			t->asked += sky_addr_same_host(&s->dst, dst);
		else if (s->kind == SEEN_ICMP && !s->out && s->has_about &&
		    sky_addr_equal(&s->about, dst))
			add_error(t, l->lab, sender, s);
	}
}

/* At the routers each datagram may pass more than once. */
static void
tally_others(struct tally *t, struct loop *l, unsigned sender, const struct sky_addr *dst)
{
	for (unsigned i = 0; i < l->routers.count; i++) {
		if (l->lab->router[i].odd)
			continue;	/* a part of its host */
		t->at_routers += ledger_arrived(l, i, dst);
		t->lost += routers_forgotten(&l->routers, i);
	}
	for (unsigned h = 0; h < l->lab->hosts; h++) {
		const struct capture *c = &l->capture[h];
		uint64_t in = 0;

		t->lost += h == sender ? 0 : c->lost;
		for (unsigned i = 0; h != sender && i < c->count; i++)
			in += c->seen[i].kind == SEEN_UDP && !c->seen[i].out &&
			    sky_addr_equal(&c->seen[i].dst, dst);
		if (l->lab->host[h].forward)
			t->at_routers += in;
		else
			t->delivered += in;
	}
}

/* An error must have left the host that it names, as often as it arrived. */
static bool
was_said(struct loop *l, const struct error *e, const struct sky_addr *dst)
{
	for (unsigned h = 0; h < l->lab->hosts; h++) {
		const struct capture *c = &l->capture[h];
		uint64_t said = 0;

		if (l->lab->host[h].router) {
			if (ledger_said(l, l->lab->host[h].router - 1, &e->by, dst, e->type,
			    e->code, e->mtu) == e->count)
				return true;
			continue;
		}
		if (!expect_addr(l->lab, l->lab->host[h].name, &e->by))
			continue;
		for (unsigned i = 0; i < c->count; i++) {
			const struct seen *s = &c->seen[i];

			said += s->kind == SEEN_ICMP && s->out && s->has_about &&
			    s->type == e->type && s->code == e->code && s->mtu == e->mtu &&
			    sky_addr_same_host(&s->src, &e->by) &&
			    sky_addr_equal(&s->about, dst);
		}
		return said == e->count;
	}
	return false;
}

/* The words that follow from a tally. Of what never left nothing can be counted:
 * `sent` is as many as the program says it tried. */
static void
conclude(struct words *w, const struct tally *t, int family, uint64_t sent, const char *open)
{
	uint64_t settled = t->replies;

	add_word(w, "answered", t->replies);
	for (unsigned i = 0; i < t->errors; i++) {
		add_word(w, word_of(family, &t->error[i]), t->error[i].count);
		settled += t->error[i].count;
	}
	if (t->left > settled)
		add_word(w, open, t->left - settled);
	if (!t->left && !t->errors && !t->asked)
		add_word(w, "no-route", sent);
}

/* --- what the program said --- */

static void
told_words(struct words *w, const struct json *dest)
{
	struct json fates, name, value;
	char text[40];

	if (!json_find(dest, "fates", &fates))
		return;
	for (unsigned i = 0; json_at(&fates, i, &name, &value); i++) {
		enum sky_what what = sky_fate_from_word(json_text(&name, text, sizeof(text)));

		if (sky_fate_class(what) != SKY_CLASS_NOTE)
			add_word(w, sky_fate_word(what), json_u64(&value));
	}
}

static uint64_t
told_number(const struct json *row, const char *key)
{
	struct json v;

	return json_find(row, key, &v) ? json_u64(&v) : 0;
}

static bool
told_by(const struct json *row, const struct sky_addr *by)
{
	struct sky_addr a;
	struct json v;
	char text[80];

	return json_find(row, "by", &v) && !sky_addr_parse(&a, json_text(&v, text, sizeof(text))) &&
	    sky_addr_same_host(&a, by);
}

/* Every captured error was told, with its reporter, code, MTU and count. */
static bool
errors_told(const struct json *dest, const struct tally *t)
{
	struct json told, row;

	for (unsigned i = 0; i < t->errors; i++) {
		const struct error *e = &t->error[i];
		bool found = false;

		if (!json_find(dest, "told", &told))
			return false;
		for (unsigned k = 0; json_at(&told, k, NULL, &row); k++)
			found |= told_by(&row, &e->by) &&
			    told_number(&row, "icmp_type") == e->type &&
			    told_number(&row, "icmp_code") == e->code &&
			    told_number(&row, "mtu") == e->mtu &&
			    told_number(&row, "count") == e->count;
		if (!found)
			return false;
	}
	return true;
}

/* --- both --- */

static bool
same_words(const struct words *a, const struct words *b)
{
	for (unsigned i = 0; i < a->n; i++)
		if (word_count(b, a->word[i]) != a->count[i])
			return false;
	for (unsigned i = 0; i < b->n; i++)
		if (word_count(a, b->word[i]) != b->count[i])
			return false;
	return a->n > 0;
}

static void
print_words(FILE *f, const struct words *w)
{
	for (unsigned i = 0; i < w->n; i++)
		fprintf(f, "%s%s %" PRIu64, i ? ", " : "", w->word[i], w->count[i]);
	if (!w->n)
		fputs("nothing", f);
}

static void
detail(struct loop *l, const struct sky_addr *dst, const struct words *told,
    const struct words *shown, const struct tally *t, bool ok)
{
	char text[1000], a[SKY_ADDRSTRLEN];
	FILE *f = fmemopen(text, sizeof(text), "w");

	if (!f)
		return;
	fprintf(f, "%s %s: told ", ok ? "agreed  " : "DISPUTED",
	    sky_addr_format(dst, a, sizeof(a)));
	print_words(f, told);
	fputs("; shown ", f);
	print_words(f, shown);
	fprintf(f, " (%" PRIu64 " left, %" PRIu64 " at routers, %" PRIu64 " delivered, %"
	    PRIu64 " back, %" PRIu64 " ARP", t->left, t->at_routers, t->delivered,
	    t->replies, t->asked);
	for (unsigned i = 0; i < t->errors; i++)
		fprintf(f, ", ICMP %u/%u from %s x %" PRIu64, t->error[i].type,
		    t->error[i].code, sky_addr_format_host(&t->error[i].by, a, sizeof(a)),
		    t->error[i].count);
	fputs(")", f);
	fclose(f);
	if (ok)
		report_detail(l->report, text);
	else
		report_note(l->report, text);
}

static bool
judge(struct loop *l, const struct lab_step *s, const struct json *dest, struct words *all)
{
	struct words told = { .n = 0 }, shown = { .n = 0 };
	struct tally t = { .left = 0 };
	struct sky_addr dst;
	struct json v;
	char text[80];
	bool ok;

	if (!json_find(dest, "dst", &v) || sky_addr_parse(&dst, json_text(&v, text, sizeof(text))))
		return false;
	sky_addr_set_port(&dst, (uint16_t)told_number(dest, "dport"));
	tally_sender(&t, l, s->host, &dst);
	tally_others(&t, l, s->host, &dst);
	told_words(&told, dest);
	conclude(&shown, &t, sky_addr_family(&dst), told_number(dest, "sent"),
	    word_count(&told, "silent") ? "silent" : "sent");
	ok = same_words(&told, &shown) && errors_told(dest, &t) && !t.lost;
	for (unsigned i = 0; i < t.errors; i++)
		ok = ok && was_said(l, &t.error[i], &dst);
	/* Silence is only silence if it was seen on its way. */
	if (word_count(&shown, "silent") + word_count(&shown, "sent"))
		ok = ok && t.at_routers + t.delivered >= t.left;
	for (unsigned i = 0; i < shown.n; i++)
		add_word(all, shown.word[i], shown.count[i]);
	detail(l, &dst, &told, &shown, &t, ok);
	return ok;
}

/* The last summary record that the program wrote. */
static bool
find_summary(const struct loop_proc *p, struct json *summary)
{
	static const unsigned streams[] = { LOOP_RECORDS, LOOP_STDOUT };
	struct json record, type;
	bool found = false;
	char text[16];

	for (unsigned i = 0; i < 2 && !found; i++) {
		const struct loop_stream *t = &p->s[streams[i]];

		for (size_t at = 0; at < t->len;) {
			const char *nl = memchr(t->text + at, '\n', t->len - at);
			size_t n = nl ? (size_t)(nl - t->text) - at : t->len - at;

			if (json_of(&record, t->text + at, n) &&
			    json_find(&record, "type", &type) &&
			    !strcmp(json_text(&type, text, sizeof(text)), "summary")) {
				*summary = record;
				found = true;
			}
			at += n + 1;
		}
	}
	return found;
}

static void
name_routers(struct loop *l, char *buf, size_t size)
{
	size_t used = 0;

	*buf = 0;
	for (unsigned i = 0; i < l->lab->hosts && used < size; i++)
		if (l->lab->host[i].forward ||
		    (l->lab->host[i].router && !l->lab->host[i].half_of))
			used += (size_t)snprintf(buf + used, size - used, " %s",
			    l->lab->host[i].name);
}

bool
witness_agrees(struct loop *l, const struct lab_step *s, char *what, size_t size)
{
	struct words all = { .n = 0 };
	struct json summary, dests, dest;
	unsigned n = 0, agreed = 0;
	char routers[160];

	if (!find_summary(&l->proc[s->proc], &summary) ||
	    !json_find(&summary, "destinations", &dests)) {
		snprintf(what, size, "witness: the program wrote no summary record "
		    "(expected it with --json=3)");
		return false;
	}
	for (; json_at(&dests, n, NULL, &dest); n++)
		agreed += judge(l, s, &dest, &all);
	name_routers(l, routers, sizeof(routers));
	snprintf(what, size, "witness: %u of %u destinations agree, %u different fates "
	    "(%s%s, ICMP captured at %s)", agreed, n, all.n,
	    *routers ? "packets counted at routers" : "no router between", routers,
	    l->lab->host[s->host].name);
	return n > 0 && agreed == n;
}
