/* SPDX-License-Identifier: BSD-2-Clause */
/* expect.c - is what a lab file expects true now? See expect.h. */
#include "expect.h"
#include "child.h"
#include "json.h"
#include "ledger.h"
#include "packets.h"
#include "labfile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool
expect_compare(const struct lab_expect *x, uint64_t found)
{
	switch (x->compare) {
	case LAB_EQ:
		return found == x->count;
	case LAB_AT_MOST:
		return found <= x->count;
	case LAB_AT_LEAST:
		return found >= x->count;
	default:
		return found > 0;
	}
}

/* --- addresses --- */

static bool
host_has(const struct lab *lab, unsigned host, const struct sky_addr *addr)
{
	const void *bytes = sky_addr_family(addr) == AF_INET ?
	    (const void *)&addr->u.in.sin_addr : (const void *)&addr->u.in6.sin6_addr;
	size_t n = sky_addr_family(addr) == AF_INET ? 4 : 16;

	for (unsigned i = 0; i < lab->links * 2; i++) {
		const struct lab_link *l = &lab->link[i / 2];
		const struct lab_end *e = &l->end[i % 2];

		for (unsigned k = 0; e->host == host && k < lab_addrs(l, i % 2); k++)
			if (e->addr[k].family == sky_addr_family(addr) &&
			    !memcmp(e->addr[k].bytes, bytes, n))
				return true;
	}
	return false;
}

bool
expect_addr(const struct lab *lab, const char *words, const struct sky_addr *addr)
{
	const char *colon = strrchr(words, ':');
	struct sky_addr want;
	char name[LAB_NAME];
	size_t len;

	if (!sky_addr_parse(&want, words))
		return sky_addr_port(&want) ? sky_addr_equal(&want, addr) :
		    sky_addr_same_host(&want, addr);
	len = colon ? (size_t)(colon - words) : strlen(words);
	if (len >= sizeof(name))
		return false;
	memcpy(name, words, len);
	name[len] = 0;
	if (labfile_host(lab, name) == LAB_NONE ||
	    (colon && strtoul(colon + 1, NULL, 10) != sky_addr_port(addr)))
		return false;
	return host_has(lab, labfile_host(lab, name), addr);
}

/* "$h", "client:$port", "$h:$port"; bound by the first match. */
bool
expect_end(struct loop *l, const char *words, const struct sky_addr *addr)
{
	const char *colon = strstr(words, ":$");
	char host[VARS_TEXT], port[8];
	unsigned bound = l->vars.n;
	size_t len;

	if (words[0] != '$' && !colon)
		return expect_addr(l->lab, words, addr);
	snprintf(port, sizeof(port), "%u", sky_addr_port(addr));
	if (words[0] == '$') {
		len = colon ? (size_t)(colon - words) : strlen(words);
		snprintf(host, sizeof(host), "%.*s", (int)len, words);
		sky_addr_format_host(addr, l->text, sizeof(l->text));
		if (!vars_is(&l->vars, host, l->text))
			return false;
	} else {
		len = (size_t)(colon - words);
		if (words[0] == '[' && len > 2)
			snprintf(host, sizeof(host), "%.*s", (int)len - 2, words + 1);
		else
			snprintf(host, sizeof(host), "%.*s", (int)len, words);
		if (!expect_addr(l->lab, host, addr))
			return false;
	}
	if (!colon || vars_is(&l->vars, colon + 1, port))
		return true;
	l->vars.n = bound;
	return false;
}

/* --- what programs wrote --- */

static bool
line_matches(const struct lab_expect *x, const regex_t *re, const char *line)
{
	return x->regex ? regexec(re, line, 0, NULL, 0) == 0 : strstr(line, x->text) != NULL;
}

static uint64_t
count_lines(const struct lab_expect *x, const struct loop_stream *s)
{
	char line[4096];
	uint64_t found = 0;
	regex_t re;

	if (x->regex && regcomp(&re, x->text, REG_EXTENDED | REG_NOSUB))
		return 0;
	for (size_t at = 0; at < s->len;) {
		const char *nl = memchr(s->text + at, '\n', s->len - at);
		size_t n = nl ? (size_t)(nl - s->text) - at : s->len - at;

		snprintf(line, sizeof(line), "%.*s", (int)n, s->text + at);
		found += line_matches(x, &re, line);
		at += n + 1;
	}
	if (x->regex)
		regfree(&re);
	return found;
}

static bool
met_line(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct lab_expect *x = &s->expect;
	const struct loop_proc *p = &l->proc[s->proc];
	uint64_t found = 0;

	if (x->what != LAB_EX_STDERR)
		found += count_lines(x, &p->s[LOOP_STDOUT]);
	if (x->what != LAB_EX_STDOUT)
		found += count_lines(x, &p->s[LOOP_STDERR]);
	snprintf(why, size, "%" PRIu64 " such lines", found);
	return expect_compare(x, found);
}

/* A value is met by itself, or by any address of the host that it names. */
static bool
value_is(struct loop *l, const char *want, const struct json *j)
{
	char have[512];
	struct sky_addr a;

	json_text(j, have, sizeof(have));
	if (vars_is(&l->vars, want, have))
		return true;
	return labfile_host(l->lab, want) != LAB_NONE && !sky_addr_parse(&a, have) &&
	    expect_addr(l->lab, want, &a);
}

/* How many events a record stands for: 0 if it is not meant. */
static uint64_t
record_counts(struct loop *l, const struct lab_expect *x, const char *text, size_t n)
{
	unsigned bound = l->vars.n;
	struct json record, value;

	if (!json_of(&record, text, n))
		return 0;
	for (unsigned i = 0; i < x->fields; i++)
		if (!json_find(&record, x->field[i].key, &value) ||
		    !value_is(l, x->field[i].value, &value)) {
			l->vars.n = bound;
			return 0;
		}
	return json_find(&record, "count", &value) ? json_u64(&value) : 1;
}

static bool
met_json(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	static const unsigned streams[] = { LOOP_RECORDS, LOOP_STDOUT };
	const struct loop_proc *p = &l->proc[s->proc];
	uint64_t found = 0, lines = 0;

	for (unsigned i = 0; i < 2; i++) {
		const struct loop_stream *t = &p->s[streams[i]];

		for (size_t at = 0; at < t->len;) {
			const char *nl = memchr(t->text + at, '\n', t->len - at);
			size_t n = nl ? (size_t)(nl - t->text) - at : t->len - at;

			lines += t->text[at] == '{';
			if (t->text[at] == '{')
				found += record_counts(l, &s->expect, t->text + at, n);
			at += n + 1;
		}
	}
	snprintf(why, size, "%" PRIu64 " matching, of %" PRIu64 " records", found, lines);
	return expect_compare(&s->expect, found);
}

static bool
met_status(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct loop_proc *p = &l->proc[s->proc];

	if (!p->ended) {
		snprintf(why, size, "still running");
		return false;
	}
	snprintf(why, size, "status %d", loop_status(p));
	return loop_status(p) == (int)s->expect.count;
}

static bool
met_running(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct loop_proc *p = &l->proc[s->proc];

	snprintf(why, size, "it ended with status %d", p->ended ? loop_status(p) : 0);
	return p->pid > 0 && !p->ended;
}

/* --- counters and filters --- */

static bool
number_is(const char *want, uint64_t have)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, have);
	return !strcmp(want, text);
}

static char *
read_host_file(struct loop *l, unsigned host, const char *path, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 1;
	int fd;

	if (net_enter(&l->net, host))
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && used + 1 < size) {
		n = read(fd, buf + used, size - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	buf[used] = 0;
	if (fd >= 0)
		close(fd);
	net_enter(&l->net, LAB_NONE);
	return fd >= 0 ? buf : NULL;
}

/* /proc/net/snmp: a line of names, a line of values. */
static bool
snmp_find(const char *text, const char *section, const char *key, uint64_t *value)
{
	size_t len = strlen(section);
	const char *names = text, *values;

	while (names && !(strncasecmp(names, section, len) == 0 && names[len] == ':')) {
		names = strchr(names, '\n');
		names = names ? names + 1 : NULL;
	}
	values = names ? strchr(names, '\n') : NULL;
	if (!values)
		return false;
	values++;
	while (*names != '\n' && *values) {
		size_t n = strcspn(names, " \n");

		if (n == strlen(key) && !memcmp(names, key, n)) {
			*value = strtoull(values, NULL, 10);
			return true;
		}
		names += n + (names[n] == ' ');
		values += strcspn(values, " \n");
		values += *values == ' ';
	}
	return false;
}

/* /proc/net/snmp6: "Udp6NoPorts   3". */
static bool
snmp6_find(const char *text, const char *section, const char *key, uint64_t *value)
{
	size_t a = strlen(section), b = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncasecmp(at, section, a) && !strncmp(at + a, key, b) &&
		    isspace((unsigned char)at[a + b])) {
			*value = strtoull(at + a + b, NULL, 10);
			return true;
		}
	}
	return false;
}

static bool
met_counter(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct lab_expect *x = &s->expect;
	bool six = strchr(x->text, '6') != NULL, met = true;
	char text[16384];
	uint64_t v;

	*why = 0;
	if (!read_host_file(l, s->host, six ? "/proc/self/net/snmp6" : "/proc/self/net/snmp",
	    text, sizeof(text)))
		return false;
	for (unsigned i = 0; i < x->fields; i++) {
		const struct lab_field *f = &x->field[i];
		size_t used = strlen(why);

		if (!(six ? snmp6_find : snmp_find)(text, x->text, f->key, &v)) {
			snprintf(why, size, "no counter %s %s in this kernel", x->text, f->key);
			return false;
		}
		snprintf(why + used, size - used, "%s=%" PRIu64 " ", f->key, v);
		met &= number_is(f->value, v);
	}
	return met;
}

static bool
met_filter(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	static const char *const list[] = { "nft", "list", "table", "inet", "lab", NULL };
	char text[16384] = "", comment[64];
	const char *line, *at;
	uint64_t packets = 0;

	snprintf(comment, sizeof(comment), "comment \"%s\"", s->expect.text);
	if (child_tool(list, l->net.fd[s->host], "", 0, text, sizeof(text)) ||
	    !(line = strstr(text, comment))) {
		snprintf(why, size, "nft does not list it");
		return false;
	}
	while (line > text && line[-1] != '\n')
		line--;
	at = strstr(line, "packets ");
	packets = at ? strtoull(at + 8, NULL, 10) : 0;
	snprintf(why, size, "packets=%" PRIu64, packets);
	if (!s->expect.fields)
		return expect_compare(&s->expect, packets);
	return number_is(s->expect.field[0].value, packets);
}

static bool
met_router(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	const struct lab_host *h = &l->lab->host[s->host];
	unsigned router = (h->odd ? h->odd : h->router) - 1;
	const struct lab_expect *x = &s->expect;
	uint64_t found = ledger_count(l, router, x->field, x->fields);
	uint64_t forgotten = routers_forgotten(&l->routers, router);

	snprintf(why, size, "%" PRIu64 " such packets, of %" PRIu64 " in the ledger", found,
	    routers_records(&l->routers, router));
	if (forgotten)
		snprintf(why, size, "the ledger has forgotten %" PRIu64 " packets", forgotten);
	return !forgotten && expect_compare(x, found);
}

bool
expect_met(struct loop *l, const struct lab_step *s, char *why, size_t size)
{
	static bool (*const table[])(struct loop *, const struct lab_step *, char *, size_t) = {
		[LAB_EX_STATUS] = met_status, [LAB_EX_RUNNING] = met_running,
		[LAB_EX_LINE] = met_line,
		[LAB_EX_STDOUT] = met_line, [LAB_EX_STDERR] = met_line,
		[LAB_EX_JSON] = met_json, [LAB_EX_CAPTURE] = packets_count_met, [LAB_EX_PACKETS] = packets_order_met,
		[LAB_EX_FRAGMENTS] = packets_fragments_met,
		[LAB_EX_COUNTER] = met_counter, [LAB_EX_FILTER] = met_filter,
		[LAB_EX_ROUTER] = met_router,
	};

	unsigned bound = l->vars.n;
	bool met = table[s->expect.what](l, s, why, size);

	/* what did not suffice binds nothing */
	if (!met)
		l->vars.n = bound;
	return met;
}
