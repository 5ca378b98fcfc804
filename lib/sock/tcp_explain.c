/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_explain.c - one sentence about one connect.
 *
 * What an ICMP error says is said in the words of fates(7); a SYN has more to
 * tell: a RST, how many were sent, whether the kernel still tries.
 */
#include "base/text.h"
#include "sock/tcp.h"

#include <errno.h>
#include <inttypes.h>

static void
put_seconds(struct sky_text *t, uint64_t ns)
{
	uint64_t ms = ns / 1000000;

	sky_text_put(t, " in %" PRIu64 ".%03u s", ms / 1000, (unsigned)(ms % 1000));
}

static void
put_fate(struct sky_text *t, const struct sky_fate *f)
{
	char words[256];

	sky_fate_explain(f, words, sizeof(words));
	sky_text_put(t, "%s", words);
	if (f->have & SKY_HAVE_ICMP)
		sky_text_put(t, " (ICMP%s %u/%u)", f->origin == SKY_ORIGIN_ICMP6 ? "v6" : "",
		    (unsigned)f->icmp_type, (unsigned)f->icmp_code);
}

static void
put_syns(struct sky_text *t, const struct sky_tcp_report *r)
{
	sky_text_put(t, "no answer to %u SYN%s", (unsigned)r->syns, r->syns == 1 ? "" : "s");
	put_seconds(t, r->waited_ns);
}

static void
put_soft(struct sky_text *t, const struct sky_tcp_report *r)
{
	if (!r->softs)
		return;
	sky_text_put(t, ", soft error so far: ");
	put_fate(t, &r->soft);
}

static void
put_neighbour(struct sky_text *t, const struct sky_tcp_report *r)
{
	bool six = sky_addr_family(&r->fate.dst) == AF_INET6;

	sky_text_put(t, "no neighbour answered");
	if (r->probes)
		sky_text_put(t, " %u %s%s", (unsigned)r->probes, six ? "neighbour solicitation" :
		    "ARP request", r->probes == 1 ? "" : "s");
	put_seconds(t, r->waited_ns);
	if (r->flags & SKY_TCP_UNRESOLVED)
		sky_text_put(t, " so far");
	sky_text_put(t, ": nothing has left this host");
}

static void
put_refused(struct sky_text *t, const struct sky_tcp_report *r)
{
	const struct sky_fate *f = &r->fate;

	if (r->flags & SKY_TCP_RESET_LATER)
		sky_text_put(t, "connected, and reset at once by the host itself (RST)");
	else if (f->evidence == SKY_BY_REPLY)
		sky_text_put(t, "refused by the host itself (RST)");
	else
		put_fate(t, f);
	/* A host without a firewall answers a SYN with a RST, never with ICMP. */
	if (f->have & SKY_HAVE_ICMP && sky_addr_same_host(&f->by, &f->dst))
		sky_text_put(t, ", by a firewall on that host: without one it would have sent a RST");
}

static void
put_failed(struct sky_text *t, const struct sky_tcp_report *r)
{
	if (r->fate.what == SKY_NO_NEIGHBOUR) {
		put_neighbour(t, r);
	} else if (r->fate.what == SKY_SILENT) {
		sky_text_put(t, "silent, ");
		put_syns(t, r);
	} else if (r->flags & SKY_TCP_GAVE_UP) {
		put_syns(t, r);
		put_soft(t, r);
	} else if (r->fate.what == SKY_REFUSED) {
		put_refused(t, r);
	} else {
		put_fate(t, &r->fate);
	}
}

int
sky_tcp_explain(const struct sky_tcp_report *r, char *buf, size_t size)
{
	struct sky_text t = { buf, size, 0 };

	if (size)
		buf[0] = '\0';
	if (r->state == SKY_TCP_CONNECTED) {
		sky_text_put(&t, "connected");
		put_seconds(&t, r->waited_ns);
	} else if (r->state == SKY_TCP_TRYING) {
		sky_text_put(&t, "still trying, ");
		put_syns(&t, r);
		put_soft(&t, r);
	} else {
		put_failed(&t, r);
	}
	return (int)t.len;
}

/* RFC 1122 section 4.2.3.9: net and host unreachable, and source route failed,
 * are soft errors; protocol and port unreachable are hard. */
static bool
was_soft(const struct sky_fate *f)
{
	if (!(f->have & SKY_HAVE_ICMP))
		return false;
	if (f->origin == SKY_ORIGIN_ICMP6)
		return f->icmp_type >= 3 || (f->icmp_type == 1 && f->icmp_code != 1 &&
		    f->icmp_code != 4);
	return f->icmp_type >= 11 || (f->icmp_type == 3 && (f->icmp_code < 2 || f->icmp_code > 4));
}

const char *
sky_tcp_history(const struct sky_tcp_report *r)
{
	if (r->state != SKY_TCP_FAILED)
		return NULL;
	if (r->fate.what == SKY_NO_NEIGHBOUR)
		return "4.4BSD kept sending SYNs for 75 s and then said \"connection timed out\", or "
		    "\"no route to host\"";
	if (was_soft(&r->fate))
		return "4.4BSD kept sending SYNs for 75 s and then returned this error";
	if (r->fate.what == SKY_SILENT)
		return "4.4BSD sent SYNs 6 s and 24 s after the first, and gave up after 75 s";
	return NULL;
}
