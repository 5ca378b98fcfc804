/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * out.h - the one writer: records as lines for people, and as JSON lines.
 *
 * A program makes a record field by field, in the order of the design's list,
 * and ends it; the text of a record for people is a line of its own. Both go
 * where out_open() was told. JSON is one object per line with "v":1 first;
 * what does not apply is left out, never null; 64-bit times are strings.
 * Strings that are not UTF-8 are escaped byte by byte as \u00XX.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <sockeye/ledger.h>
#include <stdio.h>

struct out {
	FILE *text;	/* records for people, or NULL */
	FILE *json;	/* JSON lines, or NULL */
	bool colour;	/* text is a terminal and NO_COLOR is not set */
	int failed;	/* errno of a write that failed, or 0: out_close() tells */
	char *at, *end, *line;	/* the JSON line being built */
	unsigned depth;
	bool first;
	bool terminal;	/* text is a terminal: progress may be shown */
	bool progress;	/* a progress line stands there and must be wiped */
	bool lazy;	/* JSON lines wait in their buffer: whoever sets it flushes */
};

/* json_to: NULL no JSON; "-" standard output; a number: that descriptor; else a
 * file name. text: where lines for people go, NULL for none. Returns 0 or a
 * negative errno. */
int out_open(struct out *o, FILE *text, const char *json_to);
/* Flushes. Returns 0, or a negative errno if anything could not be written. */
int out_close(struct out *o);

/* --- JSON, streaming; each is a no-op when there is no JSON target. --- */
void out_begin(struct out *o, const char *type, uint64_t time_ns); /* v, type, time */
void out_end(struct out *o);			/* newline, flushed */
void out_str(struct out *o, const char *key, const char *value);
void out_u64(struct out *o, const char *key, uint64_t value);
void out_i64(struct out *o, const char *key, int64_t value);
void out_bool(struct out *o, const char *key, bool value);
void out_addr(struct out *o, const char *key, const char *port_key, const struct sky_addr *a);
/* key NULL: an element of an array. */
void out_open_object(struct out *o, const char *key);
void out_close_object(struct out *o);
void out_open_array(struct out *o, const char *key);
void out_close_array(struct out *o);

/* A whole fate record: fate, proto, src, ..., in the documented order. */
void out_fate(struct out *o, const struct sky_fate *f);
/* The same with whose datagram it was, as far as that is known: comm beside pid, and
 * at the end uid and, where there is no pid, why. */
struct out_process {
	const char *comm;	/* or NULL */
	const char *none;	/* "gone", ...: why no process can be named; or NULL */
	unsigned others;	/* how many more processes share the socket */
	bool have_uid;
	bool connected;		/* the kernel says: to this destination */
	uint32_t uid;
};
void out_fate_of(struct out *o, const struct sky_fate *f, const struct out_process *p);
/* A whole summary record from a ledger, with one object per destination; what
 * this host lost on the way in is among the fates of the whole; at_least if that
 * may have been more. */
void out_summary(struct out *o, const struct sky_ledger *l, uint64_t time_ns, bool at_least);

/* --- text --- */
/* One line: "12:00:01.123 to 192.0.2.7.9: refused, port unreachable, says
 * 192.0.2.7". What arrived is told "from" its sender, a receive buffer that
 * overflowed "at" its own end. */
void out_fate_line(struct out *o, const struct sky_fate *f);
/* The same with the process and both ends: "12:00:01.123 dig[4242] udp
 * 10.0.0.2.40000 to 192.0.2.7.53: refused, port unreachable, says 192.0.2.7 [note]".
 * who and note are printed as they are. */
void out_fate_line_of(struct out *o, const struct sky_fate *f, const char *who, const char *note);
/* The table at the end, one block per destination or client; it has a column
 * for what was received where that is not the number of answers. */
void out_summary_text(struct out *o, const struct sky_ledger *l);
/* Any other line, flushed; wipes the progress line first. */
void out_line(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that the next one replaces; only where text is a terminal. */
void out_progress(struct out *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "140.252.13.35.9" and "[2001:db8::1]:9": how the sources write an end. Without a
 * port when it is 0. */
char *out_end_point(const struct sky_addr *a, char *buf, size_t size);
/* "udp", "tcp", "icmp", "icmp6", "udplite", or NULL. */
const char *out_proto(unsigned proto);
/* "1.23 ms", "12.0 us", "3.10 s": three digits. */
char *out_duration(uint64_t ns, char *buf, size_t size);

#endif
