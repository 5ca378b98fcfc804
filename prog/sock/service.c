/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service.c - see service.h.
 */
#include "service.h"

#include <stdio.h>

#define LINE 72
#define PRINTABLE 95
#define SECONDS_1900 UINT64_C(2208988800)	/* from 1900 to 1970, RFC 868 */

void
service_text(unsigned char *buf, size_t len, uint64_t at)
{
	uint64_t line = at / (LINE + 2) % PRINTABLE;
	unsigned column = (unsigned)(at % (LINE + 2));
	size_t i;

	for (i = 0; i < len; i++) {
		buf[i] = (unsigned char)(column == LINE ? '\r' : column > LINE ? '\n'
		    : ' ' + (line + column) % PRINTABLE);
		if (++column == LINE + 2) {
			column = 0;
			line = (line + 1) % PRINTABLE;
		}
	}
}

/* As ctime(3) writes it, whatever the locale, with CR LF. */
static size_t
daytime(unsigned char *buf, time_t now, uint32_t chance)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm t;

	(void)chance;
	if (!localtime_r(&now, &t))
		return 0;
	return (size_t)snprintf((char *)buf, SERVICE_ONCE, "%s %s %2d %02d:%02d:%02d %d\r\n",
	    days[t.tm_wday], months[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
	    t.tm_year + 1900);
}

/* It wraps in 2036, as the RFC says. */
static size_t
seconds(unsigned char *buf, time_t now, uint32_t chance)
{
	uint32_t since = (uint32_t)((uint64_t)now + SECONDS_1900);
	unsigned i;

	(void)chance;
	for (i = 0; i < 4; i++)
		buf[i] = (unsigned char)(since >> (24 - 8 * i));
	return 4;
}

/* A datagram has 0 to 512 characters, by chance. */
static size_t
chargen(unsigned char *buf, time_t now, uint32_t chance)
{
	size_t len = chance % (SERVICE_ONCE + 1);

	(void)now;
	service_text(buf, len, (uint64_t)(chance / (SERVICE_ONCE + 1) % PRINTABLE) * (LINE + 2));
	return len;
}

static const struct service table[] = {
	{ .name = "echo", .port = 7, .copies = true },
	{ .name = "discard", .port = 9 },
	{ .name = "daytime", .port = 13, .answer = daytime },
	{ .name = "time", .port = 37, .answer = seconds },
	{ .name = "chargen", .port = 19, .endless = true, .answer = chargen },
};

const char *const service_words[] = { "echo", "discard", "daytime", "time", "chargen", NULL };

const struct service *
service_at(unsigned i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

bool
service_answers_all(uint16_t port)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].port == port && (table[i].copies || table[i].answer))
			return true;
	return port == 17;	/* quote of the day, RFC 865 */
}
