/* SPDX-License-Identifier: BSD-2-Clause */
/* ledger.c - the routers' ledgers, read and told: see ledger.h. */
#include "ledger.h"
#include "expect.h"

#include "cli/out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TAIL 8

/* The members of a record by their names: in lab files and in JSON. */
static const struct column {
	const char *key, *json;		/* json NULL: the same; "": none */
	size_t at, size;
} columns[] = {
	{ "len", NULL, offsetof(struct rt_record, len), 2 },
	{ "id", NULL, offsetof(struct rt_record, id), 2 },
	{ "off", NULL, offsetof(struct rt_record, off), 2 },
	{ "ttl", NULL, offsetof(struct rt_record, ttl), 1 },
	{ "mtu", NULL, offsetof(struct rt_record, mtu), 2 },
	{ "type", "icmp_type", offsetof(struct rt_record, type), 1 },
	{ "code", "icmp_code", offsetof(struct rt_record, code), 1 },
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const struct {
	const char *word;
	uint8_t number;
} protos[] = {
	{ "udp", IPPROTO_UDP }, { "tcp", IPPROTO_TCP }, { "icmp", IPPROTO_ICMP },
	{ "icmp6", IPPROTO_ICMPV6 },
};

static uint64_t
column_of(const struct column *c, const struct rt_record *rec)
{
	const char *at = (const char *)rec + c->at;
	uint16_t two;

	if (c->size == 1)
		return (uint8_t)*at;
	memcpy(&two, at, 2);
	return two;
}

static const char *
proto_word(uint8_t proto, char *buf, size_t size)
{
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (protos[i].number == proto)
			return protos[i].word;
	snprintf(buf, size, "%u", proto);
	return buf;
}

static const char *
interface(struct loop *l, unsigned router, uint8_t i)
{
	const struct rt_conf *c = l->lab->router[router].conf;

	return i < c->ifaces ? c->iface[i].name : "";
}

/* An odd host's lower half is that host. */
static const char *
name_of(struct loop *l, unsigned router)
{
	const struct lab_host *h = &l->lab->host[l->lab->router[router].host];

	return h->half_of ? l->lab->host[h->half_of - 1].name : h->name;
}

static bool
number_is(struct loop *l, const char *want, uint64_t have)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, have);
	return vars_is(&l->vars, want, text);
}

static bool
flag_is(const struct lab_field *f, const struct rt_record *rec)
{
	uint8_t bit = f->key[0] == 'd' ? RT_REC_DF : f->key[0] == 'm' ? RT_REC_MORE :
	    RT_REC_ANSWERED;

	return !strcmp(f->value, rec->flags & bit ? "yes" : "no");
}

static bool
meets(struct loop *l, unsigned router, const struct lab_field *f, const struct rt_record *rec)
{
	char buf[8];

	for (size_t i = 0; i < COLUMNS; i++)
		if (!strcmp(columns[i].key, f->key))
			return number_is(l, f->value, column_of(&columns[i], rec));
	if (!strcmp(f->key, "did"))
		return !strcmp(f->value, rt_did_word(rec->did));
	if (!strcmp(f->key, "proto"))
		return !strcmp(f->value, proto_word(rec->proto, buf, sizeof(buf)));
	if (!strcmp(f->key, "src"))
		return expect_end(l, f->value, &rec->src);
	if (!strcmp(f->key, "dst"))
		return expect_end(l, f->value, &rec->dst);
	if (!strcmp(f->key, "in"))
		return !strcmp(f->value, interface(l, router, rec->in));
	if (!strcmp(f->key, "out"))
		return !strcmp(f->value, interface(l, router, rec->out));
	return flag_is(f, rec);
}

uint64_t
ledger_count(struct loop *l, unsigned router, const struct lab_field *field, unsigned n)
{
	uint64_t found = 0, records = routers_records(&l->routers, router);
	struct rt_record rec;

	for (uint64_t i = 0; i < records; i++) {
		unsigned k = 0, bound = l->vars.n;

		if (!routers_record(&l->routers, router, i, &rec))
			continue;
		while (k < n && meets(l, router, &field[k], &rec))
			k++;
		found += k == n;
		if (k < n)
			l->vars.n = bound;
	}
	return found;
}

/* Done with a packet that came from outside: each has one such record, but for
 * what happened to it beside. */
static bool
is_verdict(const struct rt_record *rec)
{
	static const bool beside[RT_DIDS] = {
		[RT_ORIGINATED] = true, [RT_NEIGHBOUR] = true, [RT_DUPLICATED] = true,
		[RT_REORDERED] = true, [RT_CORRUPTED] = true, [RT_ERROR_LIMITED] = true,
		[RT_ERROR_SILENT] = true, [RT_FRAGMENTED] = true, [RT_NO_PORT] = true,
		[RT_REASSEMBLY_TIMEOUT] = true,
	};

	return !beside[rec->did];
}

uint64_t
ledger_arrived(struct loop *l, unsigned router, const struct sky_addr *dst)
{
	uint64_t found = 0, records = routers_records(&l->routers, router);
	struct rt_record rec;

	for (uint64_t i = 0; i < records; i++)
		found += routers_record(&l->routers, router, i, &rec) &&
		    rec.proto == IPPROTO_UDP && rec.off == 0 && is_verdict(&rec) &&
		    sky_addr_equal(&rec.dst, dst);
	return found;
}

uint64_t
ledger_said(struct loop *l, unsigned router, const struct sky_addr *by,
    const struct sky_addr *dst, uint8_t type, uint8_t code, uint32_t mtu)
{
	const struct lab_router *r = &l->lab->router[router];
	const struct rt_manners *m = &r->conf->manners;
	uint64_t found = 0, records = routers_records(&l->routers, router);
	struct rt_record rec;

	bool own = expect_addr(l->lab, l->lab->host[r->host].name, by) ||
	    sky_addr_same_host(by, &m->answer_from4) || sky_addr_same_host(by, &m->answer_from6);

	for (unsigned i = 0; i < r->conf->ifaces; i++)
		own |= sky_addr_same_host(by, &r->conf->iface[i].answer_from4) ||
		    sky_addr_same_host(by, &r->conf->iface[i].answer_from6);
	if (!own)
		return 0;
	for (uint64_t i = 0; i < records; i++)
		found += routers_record(&l->routers, router, i, &rec) &&
		    rec.flags & RT_REC_ANSWERED && rec.type == type && rec.code == code &&
		    rec.mtu == mtu && sky_addr_equal(&rec.dst, dst);
	return found;
}

static void
tell(struct loop *l, unsigned router, const struct rt_record *rec)
{
	char text[400], a[SKY_ADDRSTRLEN], b[SKY_ADDRSTRLEN], buf[8];
	int n = snprintf(text, sizeof(text), "%-8s %-12s %s -> %s %s len=%u id=%u off=%u ttl=%u",
	    name_of(l, router), rt_did_word(rec->did),
	    sky_addr_format(&rec->src, a, sizeof(a)), sky_addr_format(&rec->dst, b, sizeof(b)),
	    proto_word(rec->proto, buf, sizeof(buf)), rec->len, rec->id, rec->off, rec->ttl);

	if (rec->flags & RT_REC_ANSWERED)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", answered %u/%u mtu=%u",
		    rec->type, rec->code, rec->mtu);
	report_note(l->report, text);
}

/* Who has which address, and who speaks to groups, seldom does. */
static bool
matters(const struct rt_record *rec)
{
	return rec->did != RT_NEIGHBOUR && rec->did != RT_NOT_FOR_US;
}

void
ledger_tail(struct loop *l)
{
	struct rt_record rec;

	for (unsigned r = 0; r < l->routers.count; r++) {
		uint64_t n = routers_records(&l->routers, r), from = n;

		for (unsigned told = 0; from > 0 && told < TAIL; from--)
			told += routers_record(&l->routers, r, from - 1, &rec) && matters(&rec);
		for (; from < n; from++)
			if (routers_record(&l->routers, r, from, &rec) && matters(&rec))
				tell(l, r, &rec);
	}
}

/* --- JSON: sockeye-json(5), type passage --- */

static void
write_record(struct loop *l, unsigned router, const struct rt_record *rec, struct out *o)
{
	char buf[8];

	out_begin(o, "passage", rec->time_ns);
	out_str(o, "router", name_of(l, router));
	out_str(o, "did", rt_did_word(rec->did));
	out_str(o, "proto", proto_word(rec->proto, buf, sizeof(buf)));
	if (sky_addr_family(&rec->src) != AF_UNSPEC) {
		out_addr(o, "src", "sport", &rec->src);
		out_addr(o, "dst", "dport", &rec->dst);
	}
	for (size_t i = 0; i < COLUMNS; i++)
		if (strcmp(columns[i].key, "type") && strcmp(columns[i].key, "code") &&
		    (strcmp(columns[i].key, "mtu") || rec->mtu || rec->flags & RT_REC_ANSWERED))
			out_u64(o, columns[i].key, column_of(&columns[i], rec));
	out_bool(o, "df", rec->flags & RT_REC_DF);
	out_bool(o, "more", rec->flags & RT_REC_MORE);
	if (*interface(l, router, rec->in))
		out_str(o, "in", interface(l, router, rec->in));
	if (*interface(l, router, rec->out))
		out_str(o, "out", interface(l, router, rec->out));
	if (rec->due_ns > rec->time_ns)
		out_u64(o, "held_ns", rec->due_ns - rec->time_ns);
	if (rec->flags & RT_REC_ANSWERED && rec->did != RT_NEIGHBOUR) {
		out_u64(o, "icmp_type", rec->type);
		out_u64(o, "icmp_code", rec->code);
	}
	out_end(o);
}

int
ledger_write(struct loop *l, const char *file)
{
	int to = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	struct out o = { .text = NULL };
	struct rt_record rec;
	char fd[16];
	int r;

	if (to < 0)
		return -errno;
	snprintf(fd, sizeof(fd), "%d", to);
	r = out_open(&o, NULL, fd);
	for (unsigned k = 0; k < l->routers.count && !r; k++)
		for (uint64_t i = 0, n = routers_records(&l->routers, k); i < n; i++)
			if (routers_record(&l->routers, k, i, &rec))
				write_record(l, k, &rec, &o);
	return r ? r : out_close(&o);
}
