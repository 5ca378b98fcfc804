/* SPDX-License-Identifier: BSD-2-Clause */
/* style_mark.c - what traceroute and tracepath put behind the time of an error. */
#include "style_mark.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

struct mark {
	uint8_t type, code;
	char text[4];
};

static const struct mark marks4[] = {
	{ 3, 0, "!N" }, { 3, 1, "!H" }, { 3, 2, "!P" }, { 3, 3, "" }, { 3, 5, "!S" },
	{ 3, 6, "!N" }, { 3, 7, "!H" }, { 3, 8, "!N" }, { 3, 9, "!X" }, { 3, 10, "!X" },
	{ 3, 11, "!N" }, { 3, 12, "!H" }, { 3, 13, "!X" }, { 3, 14, "!V" }, { 3, 15, "!C" },
};
static const struct mark marks6[] = {
	{ 1, 0, "!N" }, { 1, 1, "!X" }, { 1, 2, "!H" }, { 1, 3, "!H" }, { 1, 4, "" },
};

static const char *
find(int family, uint8_t type, uint8_t code)
{
	const struct mark *m = family == AF_INET6 ? marks6 : marks4;
	size_t n = family == AF_INET6 ? sizeof(marks6) : sizeof(marks4), i;

	for (i = 0; i < n / sizeof(*m); i++)
		if (m[i].type == type && m[i].code == code)
			return m[i].text;
	return NULL;
}

char *
style_mark(int family, const struct sky_hop_answer *a, char *out)
{
	uint8_t unreachable = family == AF_INET6 ? 1 : 3;
	const char *text = "";

	if (a->what == SKY_HOP_LOCAL)
		text = "!H";
	else if (a->what == SKY_HOP_UNREACHABLE)
		text = find(family, a->type, a->code);
	if (a->what == SKY_HOP_TOO_BIG)
		snprintf(out, STYLE_MARK, "!F-%u", a->mtu);
	else if (text)
		snprintf(out, STYLE_MARK, "%s", text);
	else if (a->type == unreachable)
		snprintf(out, STYLE_MARK, "!<%u>", a->code);
	else
		snprintf(out, STYLE_MARK, "!<%u-%u>", a->type, a->code);
	return out;
}

const char *
style_errno_mark(int family, const struct sky_hop_answer *a, int *err)
{
	static const struct { int err; const char *text; } marks[] = {
		{ ENETUNREACH, "!N" }, { EHOSTUNREACH, "!H" }, { EACCES, "!A" }, { EPROTO, "!P" },
	};
	const struct sky_icmp_row *row = sky_icmp_find(family, a->type, a->code);
	size_t i;

	*err = a->what == SKY_HOP_LOCAL ? a->err : row ? row->err_queue : EPROTO;
	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (marks[i].err == *err)
			return marks[i].text;
	return NULL;
}
