/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd(8): parse, open, drop privileges, run. */
#include "daemon.h"

#include "sys/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Everything is open: who started us may go on, and learns if it did not work. */
static int
detach(const struct daemon *d)
{
	if (d->o.foreground)
		return 0;
	if (daemon(0, 0) == 0)
		return 0;
	perror("icmpd: daemon");
	return 1;
}

int
main(int argc, char **argv)
{
	struct daemon *d = calloc(1, sizeof(*d));
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
		r = detach(d);
	if (r == 0)
		r = begin_confined(d);
	if (r == 0) {
		sky_service_tell(d->notify, "READY=1");
		if (d->o.verbose)
			say(d, "listening at '%s'", d->o.socket);
		run(d);
		sky_service_tell(d->notify, "STOPPING=1");
	}
	begin_release(d);
	free(d);
	return r;
}
