/* SPDX-License-Identifier: BSD-2-Clause */
/* say.c - standard error in the foreground, else the system's log; see daemon.h. */
#include "daemon.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

void
say_open(const struct daemon *d)
{
	if (!d->o.foreground)
		openlog("icmpd", LOG_NDELAY, LOG_DAEMON);
}

void
say(const struct daemon *d, const char *format, ...)
{
	char line[300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (d->o.foreground)
		fprintf(stderr, "icmpd: %s\n", line);
	else
		syslog(LOG_NOTICE, "%s", line);
}
