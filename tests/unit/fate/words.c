/* SPDX-License-Identifier: BSD-2-Clause */
/* Words, classification, sentences and the comparison of quotes. */
#include "base/addrtext.h"

#include <errno.h>
#include <setjmp.h>
#include <sockeye/fate.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct sky_addr
addr(const char *text)
{
	char ifname[SKY_IFNAME];
	struct sky_addr a;

	assert_int_equal(sky_addr_scan(&a, ifname, text), 0);
	return a;
}

/* The list of the design, by hand: the words are an interface. */
static void
the_words_are_those_of_the_design(void **unused)
{
	static const char *const words[SKY_WHATS] = {
		"nothing", "answered", "sent", "silent", "refused", "no-protocol",
		"host-unreachable", "net-unreachable", "filtered", "too-big", "hop-limit",
		"reassembly-timeout", "bad-header", "quenched", "unreachable", "no-route",
		"no-neighbour", "denied", "filtered-local", "dropped-sending",
		"dropped-receiving", "bad-checksum", "no-socket", "no-memory", "truncated",
		"duplicated", "reordered", "late", "corrupted", "unread", "stray",
	};

	for (unsigned i = 0; i < SKY_WHATS; i++) {
		assert_string_equal(sky_fate_word(i), words[i]);
		assert_int_equal(sky_fate_from_word(words[i]), i);
		assert_true(strlen(sky_fate_sentence(i)) > 5);
		assert_true(strlen(sky_fate_advice(i)) > 10);
		assert_int_equal(sky_fate_class(i), i == 0 || i >= SKY_TRUNCATED ? SKY_CLASS_NOTE :
		    i >= SKY_NO_ROUTE ? SKY_CLASS_LOCAL : SKY_CLASS_FINAL);
	}
	assert_string_equal(sky_fate_word(SKY_WHATS), "nothing");
	assert_string_equal(sky_fate_word(-1), "nothing");
	assert_int_equal(sky_fate_from_word("refuse"), SKY_NOTHING);
	assert_int_equal(sky_fate_from_word(""), SKY_NOTHING);
	assert_string_equal(sky_evidence_word(SKY_BY_QUEUE), "queue");
	assert_string_equal(sky_evidence_word(SKY_BY_DEADLINE), "deadline");
	assert_string_equal(sky_evidence_word(SKY_EVIDENCES), "nobody");
	assert_string_equal(sky_trust_word(SKY_TRUST_SHORT), "short");
	assert_string_equal(sky_trust_word(9), "unknown");
}

static void
which_fate_beats_which(void **unused)
{
	for (unsigned a = 1; a < SKY_WHATS; a++) {
		bool final = sky_fate_class(a) != SKY_CLASS_NOTE;

		assert_false(sky_fate_beats(a, a));
		assert_false(sky_fate_beats(a, SKY_ANSWERED));
		assert_int_equal(sky_fate_beats(a, SKY_SENT), final && a != SKY_SENT);
		assert_int_equal(sky_fate_beats(SKY_ANSWERED, a) && final,
		    final && a != SKY_ANSWERED);
		for (unsigned b = 1; b < SKY_WHATS; b++)
			assert_false(sky_fate_beats(a, b) && sky_fate_beats(b, a));
	}
	assert_true(sky_fate_beats(SKY_REFUSED, SKY_SILENT));
	assert_true(sky_fate_beats(SKY_REFUSED, SKY_QUENCHED));
	assert_false(sky_fate_beats(SKY_REFUSED, SKY_FILTERED));
	assert_false(sky_fate_is_bad(SKY_SENT));
	assert_false(sky_fate_is_bad(SKY_ANSWERED));
	assert_true(sky_fate_is_bad(SKY_SILENT));
	assert_true(sky_fate_is_bad(SKY_NO_NEIGHBOUR));
	assert_false(sky_fate_is_bad(SKY_LATE));
}

static void
what_a_call_returns(void **unused)
{
	static const struct {
		int err;
		const char *word;
	} rows[] = {
		{ 0, "nothing" }, { ENETUNREACH, "no-route" }, { EHOSTUNREACH, "no-route" },
		{ EINVAL, "no-route" }, { EACCES, "denied" }, { EPERM, "filtered-local" },
		{ ENOBUFS, "dropped-sending" }, { EAGAIN, "dropped-sending" },
		{ ENOMEM, "no-memory" }, { EMSGSIZE, "too-big" }, { ECONNREFUSED, "refused" },
		{ EIO, "dropped-sending" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_string_equal(sky_fate_word(sky_fate_from_errno(rows[i].err)), rows[i].word);
}

static struct sky_fate
error(int origin, int type, int code, const char *dst, const char *by)
{
	struct sky_fate f = { .size = sizeof f, .evidence = SKY_BY_QUEUE };

	f.origin = (uint8_t)origin;
	if (type >= 0)
		f.have |= SKY_HAVE_ICMP;
	f.icmp_type = (uint8_t)type;
	f.icmp_code = (uint8_t)code;
	if (dst) {
		f.have |= SKY_HAVE_DST;
		f.dst = addr(dst);
	}
	if (by) {
		f.have |= SKY_HAVE_BY;
		f.by = addr(by);
	}
	return f;
}

static void
sentences(void **unused)
{
	enum { I4 = SKY_ORIGIN_ICMP, I6 = SKY_ORIGIN_ICMP6, LO = SKY_ORIGIN_LOCAL };
	static const char other[] = ", by another address than the destination: "
	    "a firewall, or a second address of the host";
	static const struct {
		int origin, type, code;
		const char *dst, *by;
		uint32_t flags, mtu, have, pointer;
		const char *word, *text;
	} rows[] = {
		{ I4, 3, 3, "10.0.0.2:9", "10.0.0.2", 0, 0, 0, 0, "refused",
		    "refused, port unreachable, says 10.0.0.2" },
		{ I6, 1, 4, "[2001:db8::2]:9", "2001:db8::2", 0, 0, 0, 0, "refused",
		    "refused, port unreachable, says 2001:db8::2" },
		{ I4, 3, 3, "10.0.0.2:9", "10.0.0.3", 0, 0, 0, 0, "refused",
		    "refused, port unreachable, says 10.0.0.3" },
		{ I4, 3, 3, "127.0.0.1:9", "127.0.0.1", SKY_FATE_OWN, 0, 0, 0, "refused",
		    "refused, port unreachable, says 127.0.0.1" },
		{ I4, 3, 3, "10.0.0.2:9", "10.0.0.1", SKY_FATE_OWN, 0, 0, 0, "filtered-local",
		    "filtered by this host, port unreachable" },
		{ I4, 3, 4, "10.0.0.2:9", "10.0.0.1", 0, 296, SKY_HAVE_MTU, 0, "too-big",
		    "too big, path MTU 296, says 10.0.0.1" },
		{ I4, 3, 4, "10.0.0.2:9", "10.0.0.1", 0, 0, SKY_HAVE_MTU, 0, "too-big",
		    "too big, no MTU told, old format, says 10.0.0.1" },
		{ I4, 3, 4, "10.0.0.2:9", "10.0.0.1", 0, 60, SKY_HAVE_MTU, 0, "too-big",
		    "too big, claims MTU 60, less than the minimum of 68, says 10.0.0.1" },
		{ I4, 3, 4, "10.0.0.2:9", "10.0.0.1", 0, 68, SKY_HAVE_MTU, 0, "too-big",
		    "too big, path MTU 68, says 10.0.0.1" },
		{ I6, 2, 0, "[2001:db8::2]:9", "2001:db8::1", 0, 1279, SKY_HAVE_MTU, 0, "too-big",
		    "too big, claims MTU 1279, less than the minimum of 1280, says 2001:db8::1" },
		{ I4, 11, 0, "10.0.0.2:9", "10.0.0.1", 0, 0, 0, 0, "hop-limit",
		    "hop limit reached, says 10.0.0.1" },
		{ I6, 3, 1, "[2001:db8::2]:9", "2001:db8::2", 0, 0, 0, 0, "reassembly-timeout",
		    "fragments missing, reassembly time exceeded, says 2001:db8::2" },
		{ I4, 3, 1, "10.0.0.2:9", "10.0.0.1", SKY_FATE_OWN, 0, 0, 0, "no-neighbour",
		    "no neighbour answered, says this host" },
		{ I6, 1, 3, "[2001:db8::2]:9", "2001:db8::1", SKY_FATE_OWN, 0, 0, 0,
		    "no-neighbour", "no neighbour answered, says this host" },
		{ I4, 3, 1, "10.0.0.2:9", "10.0.0.1", 0, 0, 0, 0, "host-unreachable",
		    "host unreachable, says 10.0.0.1" },
		{ I6, 1, 0, "[2001:db8::2]:9", "2001:db8::1", 0, 0, 0, 0, "net-unreachable",
		    "net unreachable, no route, says 2001:db8::1" },
		{ I4, 3, 13, "10.0.0.2:9", "10.0.0.1", 0, 0, 0, 0, "filtered",
		    "filtered, administratively prohibited, says 10.0.0.1" },
		{ I4, 12, 0, "10.0.0.2:9", "10.0.0.1", 0, 0, SKY_HAVE_POINTER, 21, "bad-header",
		    "bad header, parameter problem at byte 21, says 10.0.0.1" },
		{ I4, 3, 200, "10.0.0.2:9", "10.0.0.1", 0, 0, 0, 0, "unreachable",
		    "unreachable, unassigned code of unreachable (ICMP 3/200), says 10.0.0.1" },
		{ I6, 100, 1, "[2001:db8::2]:9", "2001:db8::1", 0, 0, 0, 0, "unreachable",
		    "unreachable, error of unassigned type (ICMPv6 100/1), says 2001:db8::1" },
		{ SKY_ORIGIN_TIMESTAMP, -1, 0, NULL, NULL, 0, 0, 0, 0, "nothing", "nothing known" },
		{ SKY_ORIGIN_ZEROCOPY, -1, 0, NULL, NULL, 0, 0, 0, 0, "nothing", "nothing known" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sky_fate f = error(rows[i].origin, rows[i].type, rows[i].code,
		    rows[i].dst, rows[i].by);
		char got[256], want[256];

		f.have |= rows[i].have;
		f.flags = rows[i].flags;
		f.mtu = rows[i].mtu;
		f.pointer = rows[i].pointer;
		assert_string_equal(sky_fate_word(sky_fate_classify(&f)), rows[i].word);
		sky_fate_explain(&f, got, sizeof got);
		snprintf(want, sizeof want, "%s%s", rows[i].text, i == 2 ? other : "");
		assert_string_equal(got, want);
	}
}

static struct sky_fate
call(int err, int origin)
{
	struct sky_fate f = { .size = sizeof f, .evidence = SKY_BY_CALL, .err = err };

	f.origin = (uint8_t)origin;
	sky_fate_classify(&f);
	return f;
}

static void
explains(const struct sky_fate *f, const char *want)
{
	char got[256];

	assert_int_equal(sky_fate_explain(f, got, sizeof got), strlen(want));
	assert_string_equal(got, want);
}

static void
sentences_of_this_host(void **unused)
{
	struct sky_fate f = call(ENETUNREACH, 0);

	explains(&f, "no route from this host (ENETUNREACH)");
	f = call(EACCES, 0);
	explains(&f, "denied by this host (EACCES)");
	f = call(EPERM, 0);
	explains(&f, "filtered by this host (EPERM)");
	f = call(ENOBUFS, 0);
	explains(&f, "dropped by this host on the way out (ENOBUFS)");
	f = call(4095, 0);
	explains(&f, "dropped by this host on the way out (errno 4095)");
	f = call(EMSGSIZE, SKY_ORIGIN_LOCAL);
	f.have |= SKY_HAVE_MTU;
	f.mtu = 1300;
	explains(&f, "too big (EMSGSIZE), path MTU 1300, says this host");
	f.evidence = SKY_BY_QUEUE;
	explains(&f, "too big, path MTU 1300, says this host");
	f = call(ECONNREFUSED, SKY_ORIGIN_ICMP);
	explains(&f, "refused (ECONNREFUSED)");
	f = call(EACCES, SKY_ORIGIN_ICMP6);
	assert_int_equal(f.what, SKY_FILTERED);
	f = call(EHOSTUNREACH, SKY_ORIGIN_ICMP);
	assert_int_equal(f.what, SKY_HOST_UNREACHABLE);
}

static void
sentences_of_what_arrived(void **unused)
{
	struct sky_fate f = { .what = SKY_ANSWERED, .evidence = SKY_BY_REPLY };

	explains(&f, "answered");
	f.have = SKY_HAVE_RTT;
	f.rtt_ns = 213400;
	explains(&f, "answered in 0.213 ms");
	f.rtt_ns = 1999999999;
	explains(&f, "answered in 2000.000 ms");
	f = (struct sky_fate){ .what = SKY_TRUNCATED, .len = 9, .full_len = 1000 };
	f.have = SKY_HAVE_FULL_LEN;
	explains(&f, "truncated, 9 of 1000 bytes kept");
	f = (struct sky_fate){ .what = SKY_DROPPED_RECEIVING, .count = 32 };
	f.evidence = SKY_BY_COUNTER;
	explains(&f, "dropped at a full receive buffer, 32 datagrams");
	f = (struct sky_fate){ .what = SKY_STRAY, .have = SKY_HAVE_BY };
	f.by = addr("10.0.0.5");
	explains(&f, "stray, from 10.0.0.5");
}

static void
doubtful_errors_say_so(void **unused)
{
	struct sky_fate f = error(SKY_ORIGIN_ICMP, 11, 0, "10.0.0.2:9", "10.0.0.1");
	char got[16];

	sky_fate_classify(&f);
	f.trust = SKY_TRUST_MISMATCH;
	explains(&f, "hop limit reached, says 10.0.0.1, but the quote does not match what was sent");
	f.trust = SKY_TRUST_SHORT;
	explains(&f, "hop limit reached, says 10.0.0.1, "
	    "but the quote is too short to tell whose it is");
	f.trust = SKY_TRUST_MATCHED;
	assert_int_equal(sky_fate_explain(&f, got, sizeof got), 32);
	assert_string_equal(got, "hop limit reach");
	assert_int_equal(sky_fate_explain(&f, NULL, 0), 32);
}

static void
quotes(void **unused)
{
	static const struct {
		const char *sent, *quote;
		size_t len, off, quoted;
		const char *trust;
	} rows[] = {
		{ "hello, world", "hello, world", 12, 0, 12, "matched" },
		{ "hello, world", "hell", 12, 0, 4, "matched" },
		{ "hello, world", "hel", 12, 0, 3, "short" },
		{ "hello, world", "", 12, 0, 0, "short" },
		{ "hello, world", "help", 12, 0, 4, "mismatch" },
		{ "hello, world", "x", 12, 0, 1, "mismatch" },
		{ "hello, world", "world", 12, 7, 5, "matched" },
		{ "hello, world", "hello", 12, 7, 5, "mismatch" },
		{ "hello, world", "d", 12, 11, 1, "matched" },
		{ "hello, world", "hello", 12, 13, 5, "mismatch" },
		{ "hi", "hi", 2, 0, 2, "matched" },
		{ "hi", "hi\0\0\0\0", 2, 0, 6, "matched" },
		{ "hi", "hi\0\0x\0", 2, 0, 6, "mismatch" },
		{ "", "", 0, 0, 0, "matched" },
		{ "", "x", 0, 0, 1, "mismatch" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sky_fate f = { .quote = rows[i].quote };

		f.quote_len = (uint32_t)rows[i].quoted;
		sky_fate_vouch(&f, rows[i].sent, rows[i].len, rows[i].off);
		assert_string_equal(sky_trust_word(f.trust), rows[i].trust);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_are_those_of_the_design),
		cmocka_unit_test(which_fate_beats_which),
		cmocka_unit_test(what_a_call_returns),
		cmocka_unit_test(sentences),
		cmocka_unit_test(sentences_of_this_host),
		cmocka_unit_test(sentences_of_what_arrived),
		cmocka_unit_test(doubtful_errors_say_so),
		cmocka_unit_test(quotes),
	};

	return cmocka_run_group_tests_name("fates", tests, NULL, NULL);
}
