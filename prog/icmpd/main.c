/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd(8): parse, open, drop privileges, run. */
#include "daemon.h"

#include "sys/service.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In the background: who started us is held until it is known how it ends. */
struct start {
	int ready;			/* to be written to, once; -1: in the foreground */
	int null;			/* takes the place of the terminal */
};

/* Ends the one who started us with the status that the other one writes. */
static _Noreturn void
pass_on(int from)
{
	unsigned char status = 1;

	_exit(read(from, &status, 1) == 1 ? status : 1);
}

static int
detach(const struct daemon *d, struct start *s)
{
	int fds[2];
	pid_t pid;

	*s = (struct start){ -1, -1 };
	if (d->o.foreground)
		return 0;
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid = s->null >= 0 && pipe2(fds, O_CLOEXEC) == 0 ? fork() : -1;
	if (pid < 0 || (pid == 0 && (setsid() < 0 || chdir("/") < 0))) {
		perror("icmpd: detach");
		return 1;
	}
	if (pid > 0) {
		close(fds[1]);
		pass_on(fds[0]);
	}
	close(fds[0]);
	s->ready = fds[1];
	return 0;
}

static void
tell_ready(const struct start *s, int r)
{
	unsigned char status = (unsigned char)r;

	if (s->ready < 0)
		return;
	for (int fd = 0; fd <= 2; fd++)
		dup2(s->null, fd);
	if (write(s->ready, &status, 1) != 1)
		_exit(1);
	close(s->ready);
	close(s->null);
}

int
main(int argc, char **argv)
{
	struct daemon *d = calloc(1, sizeof(*d));
	struct start start = { -1, -1 };
	int r;

	if (!d) {
		perror("icmpd");
		return 1;
	}
	d->raw4 = d->raw6 = d->listener = d->wait = d->signals = d->notify = d->spare = -1;
	d->compat_listener = -1;
	d->diag.fd = -1;
	opts_parse(&d->o, argc, argv);
	r = begin(d);
	if (r == 0)
		r = detach(d, &start);
	if (r == 0)
		r = begin_confined(d);
	tell_ready(&start, r);
	if (r == 0) {
		sky_service_tell(d->notify, "READY=1");
		if (d->o.verbose)
			say(d, "listening at '%s'", d->listener_inherited ?
			    "the socket that was handed over" : d->o.socket);
		run(d);
		sky_service_tell(d->notify, "STOPPING=1");
	}
	begin_release(d);
	free(d);
	return r;
}
