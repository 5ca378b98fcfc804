/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - the words: everything that can become of a datagram, one row each.
 *
 * Printed in fates(7); a test compares the two. Words are never renamed.
 *
 * rank orders the finals of one datagram: the higher wins, and of two equal
 * ones the first stays. Anything known beats `sent`; a quench does not say that
 * this datagram was lost, so every verdict beats it; a missing fragment is less
 * exact than a verdict on the whole; an answer proves arrival and beats all.
 *
 * head begins the sentence about one datagram (explain.c); sentence and advice
 * stand alone.
 */
#include "fate/table.h"

#include <string.h>

struct row {
	const char *word;
	uint8_t class;
	uint8_t rank;
	bool bad;
	const char *head;
	const char *sentence;
	const char *advice;
};

enum { NONE, WAITING, GAVE_UP, HINT, PART, VERDICT, PROOF };

#define FINAL(word, rank, bad, head, sentence, advice) \
	{ word, SKY_CLASS_FINAL, rank, bad, head, sentence, advice }
#define LOCAL(word, head, sentence, advice) \
	{ word, SKY_CLASS_LOCAL, VERDICT, true, head, sentence, advice }
#define NOTE(word, bad, head, sentence, advice) \
	{ word, SKY_CLASS_NOTE, NONE, bad, head, sentence, advice }

static const struct row rows[SKY_WHATS] = {
	[SKY_NOTHING] = NOTE("nothing", false,
	    "nothing known",
	    "nothing is known",
	    "there is no record to explain"),
	[SKY_ANSWERED] = FINAL("answered", PROOF, false,
	    "answered",
	    "answered",
	    "nothing: the datagram arrived and a reply came back"),
	[SKY_SENT] = FINAL("sent", WAITING, false,
	    "sent, no news yet",
	    "sent, no news yet",
	    "wait, or ask for an answer: UDP alone gives no receipt"),
	[SKY_SILENT] = FINAL("silent", GAVE_UP, true,
	    "silent, nothing came by the deadline",
	    "silent, nothing came by the deadline",
	    "look at the path with traceroute: lost, dropped by a filter without a word, "
	    "or the service does not answer"),
	[SKY_REFUSED] = FINAL("refused", VERDICT, true,
	    "refused",
	    "refused, no program has this port open",
	    "check that the service runs there, on this port and this address"),
	[SKY_NO_PROTOCOL] = FINAL("no-protocol", VERDICT, true,
	    "no protocol",
	    "the host does not speak this protocol",
	    "check the protocol: the host is up but has no UDP, or a filter pretends so"),
	[SKY_HOST_UNREACHABLE] = FINAL("host-unreachable", VERDICT, true,
	    "host unreachable",
	    "the last router cannot reach the host",
	    "check that the host is up and on that network: nobody answers for its address"),
	[SKY_NET_UNREACHABLE] = FINAL("net-unreachable", VERDICT, true,
	    "net unreachable",
	    "a router has no route to the network",
	    "check the address, then the routes of the router that says so"),
	[SKY_FILTERED] = FINAL("filtered", VERDICT, true,
	    "filtered",
	    "a filter on the way prohibits it",
	    "ask whoever runs the router that says so to permit this traffic"),
	[SKY_TOO_BIG] = FINAL("too-big", VERDICT, true,
	    "too big",
	    "too big for a link on the way",
	    "send smaller datagrams, or let the system fragment (path MTU mode want)"),
	[SKY_HOP_LIMIT] = FINAL("hop-limit", VERDICT, true,
	    "hop limit reached",
	    "the hop limit was reached",
	    "raise the TTL; if it was not small, look for a routing loop with traceroute"),
	[SKY_REASSEMBLY_TIMEOUT] = FINAL("reassembly-timeout", PART, true,
	    "fragments missing",
	    "fragments were missing at the destination",
	    "send datagrams that need no fragments: a piece was lost or filtered"),
	[SKY_BAD_HEADER] = FINAL("bad-header", VERDICT, true,
	    "bad header",
	    "a header or option was not understood",
	    "send without IP options or extension headers; the pointer tells which byte"),
	[SKY_QUENCHED] = FINAL("quenched", HINT, true,
	    "quenched",
	    "a router asks to send slower",
	    "send slower; only old equipment still says so (RFC 6633)"),
	[SKY_UNREACHABLE] = FINAL("unreachable", VERDICT, true,
	    "unreachable",
	    "unreachable for another reason",
	    "the ICMP type and code tell more; see the tables below"),
	[SKY_NO_ROUTE] = LOCAL("no-route",
	    "no route from this host",
	    "this host has no route there",
	    "look at \"ip route get ADDRESS\", the interface's state and the source address"),
	[SKY_NO_NEIGHBOUR] = LOCAL("no-neighbour",
	    "no neighbour answered",
	    "no neighbour answered for the next hop",
	    "check that the next hop is up and on this link: \"ip neighbour\" shows it failed"),
	[SKY_DENIED] = LOCAL("denied",
	    "denied by this host",
	    "this host does not allow it",
	    "a route says prohibit, or a broadcast address needs SO_BROADCAST"),
	[SKY_FILTERED_LOCAL] = LOCAL("filtered-local",
	    "filtered by this host",
	    "a filter on this host prohibits it",
	    "look at this host's own rules: \"nft list ruleset\", chain output"),
	[SKY_DROPPED_SENDING] = LOCAL("dropped-sending",
	    "dropped by this host on the way out",
	    "dropped by this host on the way out",
	    "send slower, or enlarge the send buffer or the interface's queue"),
	[SKY_DROPPED_RECEIVING] = LOCAL("dropped-receiving",
	    "dropped at a full receive buffer",
	    "the receiving socket's buffer was full",
	    "read faster, or enlarge the receive buffer (SO_RCVBUF)"),
	[SKY_BAD_CHECKSUM] = LOCAL("bad-checksum",
	    "bad checksum on arrival",
	    "the checksum was wrong on arrival",
	    "suspect hardware, an offload or a rewriting box on the way"),
	[SKY_NO_SOCKET] = LOCAL("no-socket",
	    "arrived where no socket wanted it",
	    "it arrived, but no socket wanted it",
	    "bind the port on the address it was sent to"),
	[SKY_NO_MEMORY] = LOCAL("no-memory",
	    "no memory on this host",
	    "this host had no memory for it",
	    "free memory, or raise net.ipv4.udp_mem"),
	[SKY_TRUNCATED] = NOTE("truncated", true,
	    "truncated",
	    "cut to fit the buffer",
	    "receive into a larger buffer: the real length is told"),
	[SKY_DUPLICATED] = NOTE("duplicated", false,
	    "duplicated",
	    "arrived more than once",
	    "make the service tolerate it: networks may duplicate"),
	[SKY_REORDERED] = NOTE("reordered", false,
	    "reordered",
	    "overtaken by one that was sent later",
	    "make the service tolerate it: networks may reorder"),
	[SKY_LATE] = NOTE("late", false,
	    "late",
	    "news came after the deadline",
	    "wait longer for it"),
	[SKY_CORRUPTED] = NOTE("corrupted", true,
	    "corrupted",
	    "what arrived is not what was sent",
	    "suspect hardware or a rewriting box on the way"),
	[SKY_UNREAD] = NOTE("unread", true,
	    "arrived but never read",
	    "arrived, but was never read",
	    "read until nothing is left before closing the socket"),
	[SKY_STRAY] = NOTE("stray", false,
	    "stray",
	    "from someone never asked, or about nothing that was sent",
	    "do not believe it; a second address of a host that was asked also looks so"),
};

static const struct row *
row_of(unsigned what)
{
	return &rows[what < SKY_WHATS ? what : SKY_NOTHING];
}

const char *
sky_fate_word(enum sky_what what)
{
	return row_of(what)->word;
}

enum sky_what
sky_fate_from_word(const char *word)
{
	for (unsigned i = SKY_NOTHING + 1; i < SKY_WHATS; i++)
		if (strcmp(rows[i].word, word) == 0)
			return i;
	return SKY_NOTHING;
}

const char *
sky_fate_head(enum sky_what what)
{
	return row_of(what)->head;
}

const char *
sky_fate_sentence(enum sky_what what)
{
	return row_of(what)->sentence;
}

const char *
sky_fate_advice(enum sky_what what)
{
	return row_of(what)->advice;
}

enum sky_class
sky_fate_class(enum sky_what what)
{
	return row_of(what)->class;
}

bool
sky_fate_beats(enum sky_what a, enum sky_what b)
{
	return row_of(a)->rank > row_of(b)->rank;
}

bool
sky_fate_is_bad(enum sky_what what)
{
	return row_of(what)->bad;
}

const char *
sky_evidence_word(enum sky_evidence e)
{
	static const char *const words[SKY_EVIDENCES] = {
		"nobody", "reply", "queue", "icmpd", "capture", "kernel", "counter",
		"call", "deadline",
	};

	return words[(unsigned)e < SKY_EVIDENCES ? e : SKY_BY_NOBODY];
}

const char *
sky_trust_word(enum sky_trust t)
{
	static const char *const words[] = { "unknown", "matched", "mismatch", "short" };

	return words[(unsigned)t < sizeof words / sizeof *words ? t : SKY_TRUST_UNKNOWN];
}
