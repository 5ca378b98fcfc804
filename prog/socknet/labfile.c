/* SPDX-License-Identifier: BSD-2-Clause */
/* labfile.c - verbs that describe the network: see labfile.h. */
#include "lablink.h"
#include "labodd.h"
#include "labrouter.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned
labfile_host(const struct lab *lab, const char *name)
{
	for (unsigned i = 0; i < lab->hosts; i++)
		if (!strcmp(lab->host[i].name, name) && !lab->host[i].half_of)
			return i;
	return LAB_NONE;
}

unsigned
labfile_proc(const struct lab *lab, const char *name)
{
	for (unsigned i = 0; i < lab->procs; i++)
		if (lab->proc[i].name && !strcmp(lab->proc[i].name, name))
			return i;
	return LAB_NONE;
}

static int
read_lab(struct parse *p)
{
	const struct lex_word *w = parse_take(p, "a title");

	if (!w)
		return -1;
	if (p->file)
		return parse_end(p);
	if (p->lab->title)
		return parse_bad(p, w, "a second title", "one lab line");
	p->lab->title = w->text;
	return parse_end(p);
}

static int
read_needs(struct parse *p)
{
	const struct lex_word *w;

	if (parse_keyword(p, "root")) {
		w = parse_take(p, "why: what only root may do");
		p->lab->needs_root = w ? w->text : NULL;
		return w ? parse_end(p) : -1;
	}
	w = parse_take(p, "a program, or root WHY");
	for (; w; w = parse_peek(p) ? parse_take(p, NULL) : NULL) {
		if (p->lab->need_count == 16)
			return parse_bad(p, w, "too many programs", "at most 16");
		p->lab->needs[p->lab->need_count++] = w->text;
	}
	return p->lex.error[0] ? -1 : 0;
}

static bool
is_host_name(const char *s)
{
	static const char *const taken[] = { "lo", "all", "default", "localhost", "v4", "v6" };

	if (!isalpha((unsigned char)s[0]) || strlen(s) >= LAB_NAME - 2)
		return false;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!strcmp(s, taken[i]))
			return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-')
			return false;
	return true;
}

int
labfile_read_host(struct parse *p)
{
	const struct lex_word *w = parse_take(p, "the name of a host");

	for (; w; w = parse_peek(p) ? parse_take(p, NULL) : NULL) {
		struct lab_host *h = &p->lab->host[p->lab->hosts];

		if (!is_host_name(w->text))
			return parse_bad(p, w, "not a name for a host",
			    "a letter, then letters, digits, -; at most 13; "
			    "not lo, all, default, localhost, v4, v6");
		if (labfile_host(p->lab, w->text) != LAB_NONE)
			return parse_bad(p, w, "this host exists already", "another name");
		if (p->lab->hosts == LAB_HOSTS)
			return parse_bad(p, w, "too many hosts", "at most 256");
		snprintf(h->name, sizeof(h->name), "%s", w->text);
		h->line = w->line;
		p->lab->hosts++;
	}
	return p->lex.error[0] ? -1 : 0;
}

static struct lab_rule *
new_rule(struct parse *p, struct lab_rule **base, unsigned *count)
{
	struct lab_rule *r = parse_add(p, (void **)base, count, LAB_RULES,
	    sizeof(*r), p->line.word[0].text);

	if (r)
		r->line = p->line.line;
	return r;
}

/* "all" or one host. */
static int
read_hosts(struct parse *p, struct lab_rule *r)
{
	if (parse_keyword(p, "all")) {
		r->host = LAB_NONE;
		return 0;
	}
	return parse_host(p, &r->host);
}

static int
route_words(struct parse *p, struct lab_rule *r)
{
	static const char *const known[] = { "via", "dev", "mtu", "src", "metric", "advmss" };
	static const char expected[] = "via ADDRESS, dev NAME, mtu N, src ADDRESS, metric N";
	const struct lex_word *w, *v;
	struct lab_addr a;
	unsigned i;

	while ((w = parse_peek(p))) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(w->text, known[i]))
				break;
		if (i == sizeof(known) / sizeof(known[0]))
			return parse_bad(p, w, "not understood here", expected);
		p->at++;
		v = parse_take(p, expected);
		if (!v)
			return -1;
		if (i != 0)
			continue;
		if (parse_addr(p, v, false, &a))
			return -1;
		if (r->family && r->family != a.family)
			return parse_bad(p, v, "the other address family",
			    "a next hop of the destination's family");
		r->family = a.family;
	}
	return 0;
}

static int
read_route(struct parse *p)
{
	static const char *const types[] = { "blackhole", "unreachable", "prohibit", "throw" };
	const struct lex_word *w;
	struct lab_addr a;
	struct lab_rule *r;
	unsigned from, host;

	if (parse_host(p, &host))
		return -1;
	if (labrouter_of(p->lab, host))
		return labrouter_route(p, labrouter_of(p->lab, host));
	r = new_rule(p, &p->lab->route, &p->lab->routes);
	if (!r)
		return -1;
	r->host = host;
	from = p->at;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (parse_keyword(p, types[i]))
			break;
	w = parse_take(p, "a destination: default, 10.0.0.0/8, fd00::/16, 10.1.0.1");
	if (!w)
		return -1;
	if (strcmp(w->text, "default")) {
		if (!strcmp(w->text, "0.0.0.0/0") || !strcmp(w->text, "::/0"))
			a.family = w->text[0] == ':' ? AF_INET6 : AF_INET;
		else if (parse_addr(p, w, strchr(w->text, '/') != NULL, &a))
			return -1;
		r->family = a.family;
	}
	if (route_words(p, r))
		return -1;
	if (!r->family)
		r->family = AF_INET;
	p->at = from;
	return parse_rest(p, "a destination", &r->args);
}

static int
read_forward(struct parse *p)
{
	unsigned host;

	do {
		if (parse_host(p, &host))
			return -1;
		if (labrouter_of(p->lab, host))
			return parse_bad(p, &p->line.word[p->at - 1], "forwards anyway",
			    "forward for hosts, router for routers of ours");
		p->lab->host[host].forward = true;
	} while (parse_peek(p));
	return 0;
}

static int
read_sysctl(struct parse *p)
{
	static const char expected[] = "net.NAME=VALUE, as sysctl(8) writes it";
	unsigned host;
	struct lab_rule *r, which = { .host = LAB_NONE };
	const struct lex_word *w;
	char *eq;

	if (read_hosts(p, &which))
		return -1;
	host = which.host;
	do {
		w = parse_take(p, expected);
		if (!w)
			return -1;
		eq = strchr(w->text, '=');
		if (strncmp(w->text, "net.", 4) || !eq || strstr(w->text, "..") ||
		    memchr(w->text, '/', (size_t)(eq - w->text)))
			return parse_bad(p, w, "not a setting of a network", expected);
		r = new_rule(p, &p->lab->sysctl, &p->lab->sysctls);
		if (!r)
			return -1;
		r->host = host;
		r->key = w->text;
		r->value = eq + 1;
		*eq = 0;
	} while (parse_peek(p));
	return 0;
}

static int
read_filter(struct parse *p)
{
	static const char *const chains[] = {
		"input", "output", "forward", "prerouting", "postrouting"
	};
	struct lab_rule *r = new_rule(p, &p->lab->filter, &p->lab->filters);
	const struct lex_word *w;
	size_t i;

	if (!r || parse_host(p, &r->host))
		return -1;
	w = parse_take(p, "input, output, forward, prerouting or postrouting");
	if (!w)
		return -1;
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		if (!strcmp(w->text, chains[i]))
			r->key = chains[i];
	if (!r->key)
		return parse_bad(p, w, "not a place to filter",
		    "input, output, forward, prerouting or postrouting");
	if (parse_keyword(p, "as")) {
		w = parse_take(p, "a name for this filter");
		if (!w)
			return -1;
		if (!is_host_name(w->text))
			return parse_bad(p, w, "not a name", "a letter, then letters, digits, -");
		r->value = w->text;
	}
	return parse_rest(p, "a rule as nft(8) writes it: ip daddr 10.9.0.1 drop", &r->args);
}

static int read_include(struct parse *p);

static const struct verb net_verbs[] = {
	{ "lab", read_lab, false },
	{ "include", read_include, false },
	{ "router", labrouter_read, false },
	{ "odd", labodd_read, false },
	{ "needs", read_needs, false },
	{ "host", labfile_read_host, false },
	{ "link", lablink_read, false },
	{ "lan", lablink_read_lan, false },
	{ "route", read_route, false },
	{ "forward", read_forward, false },
	{ "sysctl", read_sysctl, false },
	{ "filter", read_filter, false },
	{ NULL, NULL, false },
};

static const struct verb *
find_verb(const struct verb *table, const char *word)
{
	for (; table->word; table++)
		if (!strcmp(table->word, word))
			return table;
	return NULL;
}

static int
read_line(struct parse *p)
{
	const struct lex_word *w = &p->line.word[0];
	const struct verb *v = find_verb(net_verbs, w->text);

	if (!v)
		v = find_verb(parse_step_verbs, w->text);
	if (!v || w->quoted)
		return parse_bad(p, w, "not a verb of a lab file",
		    "lab, include, needs, host, router, odd, link, lan, route, forward, sysctl, filter, server, "
		    "start, run, wait, type, eof, signal, expect, witness, note, pause or book");
	if (!v->step && p->lab->steps)
		return parse_bad(p, w, "comes too late",
		    "the whole network before the first step");
	for (unsigned i = 1; i < p->line.count; i++)
		if (p->line.word[i].text[0] == '$' && !p->line.word[i].quoted)
			return parse_bad(p, &p->line.word[i], "is kept for variables",
			    "quotes around a word that begins with $");
	p->at = 1;
	return v->read(p) ? -1 : 0;
}

/* One file, all its lines. The lab's newest memory gets its words. */
static int
read_text(struct parse *p, const char *text, size_t len, unsigned file)
{
	size_t room = len * 2 + 2;
	struct lab_pool *pool;
	int got;

	pool = len <= LABFILE_MAX ? parse_grow(p->lab, room + 64) : NULL;
	if (!pool)
		return lex_bad(&p->lex, 1, 1, NULL, "the file is too large",
		    "at most 1 MiB");
	pool->used = (room + 15) & ~(size_t)15;
	lex_init(&p->lex, text, len, pool->data, room);
	p->file = file;
	p->lex.line = file << LAB_FILE_SHIFT | 1;
	while ((got = lex_next(&p->lex, &p->line)) > 0)
		if (read_line(p))
			return -1;
	return got;
}

/* The lines of another file, as if they stood here; no steps. */
static int
read_include(struct parse *p)
{
	const struct lex_word *w = parse_take(p, "a file, relative to this one");
	struct lab *lab = p->lab;
	struct parse *in;
	char path[4096], *text;
	size_t len = 0;
	int r;

	if (!w || parse_end(p))
		return -1;
	if (lab->files == LAB_FILES)
		return parse_bad(p, w, "too many files", "at most 31 included, none by itself");
	text = p->reader ? p->reader(lab_file(lab, p->line.line), w->text, path, sizeof(path), &len) :
	    NULL;
	if (!text)
		return parse_bad(p, w, "no such file", "a file, relative to this one");
	in = calloc(1, sizeof(*in));
	r = in ? 0 : lex_bad(&p->lex, p->line.line, 1, NULL, "out of memory", NULL);
	if (in) {
		char *name = parse_alloc(p, strlen(path) + 1);

		in->lab = lab;
		in->reader = p->reader;
		if (name)
			memcpy(name, path, strlen(path));
		lab->included[lab->files] = name;
		r = name ? read_text(in, text, len, lab->files++) : -1;
		if (r && !p->lex.error[0]) {
			snprintf(p->lex.error, LEX_ERROR, "%s", in->lex.error);
			p->lex.bad_line = in->lex.bad_line;
		}
	}
	free(in);
	free(text);
	return r;
}

int
labfile_parse_with(struct lab *lab, const char *file, const char *text, size_t len,
    labfile_reader reader, char error[LEX_ERROR])
{
	struct parse *p = calloc(1, sizeof(*p));
	int got;

	*lab = (struct lab){ .file = file, .files = 1, .included[0] = file };
	if (!p) {
		snprintf(error, LEX_ERROR, "1:1: out of memory");
		return -1;
	}
	p->lab = lab;
	p->reader = reader;
	got = read_text(p, text, len, 0);
	if (got == 0 && parse_check(p))
		got = -1;
	lab->fault = lab_file(lab, p->lex.bad_line);
	snprintf(error, LEX_ERROR, "%s", p->lex.error);
	free(p);
	return got == 0 ? 0 : -1;
}

int
labfile_parse(struct lab *lab, const char *file, const char *text, size_t len,
    char error[LEX_ERROR])
{
	return labfile_parse_with(lab, file, text, len, NULL, error);
}

void
labfile_release(struct lab *lab)
{
	struct lab_pool *next;

	free(lab->link);
	free(lab->route);
	free(lab->sysctl);
	free(lab->filter);
	free(lab->proc);
	free(lab->step);
	for (unsigned i = 0; i < lab->routers; i++) {
		free(lab->router[i].conf);
		free(lab->router[i].odd);
	}
	free(lab->router);
	for (struct lab_pool *pool = lab->pool; pool; pool = next) {
		next = pool->next;
		free(pool);
	}
	lab->pool = NULL;
}
