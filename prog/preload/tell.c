/* SPDX-License-Identifier: BSD-2-Clause */
/* tell.c - see tell.h. */
#include "tell.h"
#include "next.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Somebody may have closed it and opened his file in its place. */
static bool
is_still_stderr(const struct state *st)
{
	struct stat now;

	return fstat(STDERR_FILENO, &now) == 0 && now.st_dev == st->err_dev &&
	    now.st_ino == st->err_ino;
}

static void
put(const struct state *st, const char *line, size_t len)
{
	const struct next *n = next();
	int fd = STDERR_FILENO;

	if (st->log[0])
		fd = open(st->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	else if (!is_still_stderr(st))
		return;
	if (fd < 0)
		return;
	(void)!n->write(fd, line, len);
	if (st->log[0])
		n->close(fd);
}

void
tell(const struct sky_fate *f)
{
	const struct state *st = state();
	int saved = errno;
	char to[SKY_ADDRSTRLEN], what[400], line[600];
	int len;

	if (!st->tells)
		return;
	sky_fate_explain(f, what, sizeof(what));
	len = snprintf(line, sizeof(line), "%" PRIu64 ".%06" PRIu64 " %.64s[%d] to %s: %s\n",
	    f->time_ns / 1000000000, f->time_ns / 1000 % 1000000, program_invocation_short_name,
	    (int)getpid(), sky_addr_format(&f->dst, to, sizeof(to)), what);
	if (len >= (int)sizeof(line)) {
		len = sizeof(line) - 1;
		line[len - 1] = '\n';
	}
	put(st, line, (size_t)len);
	errno = saved;
}
