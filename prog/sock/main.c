/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock - sends and receives datagrams, and tells what became of each.
 *
 * Parse, open, drop privileges, run.
 */
#include "opts.h"
#include "privileges.h"
#include "request.h"
#include "run.h"
#include "serve.h"
#include "tcp.h"
#include "terminal.h"

#include "cli/stdfd.h"

#include <errno.h>
#include <stdlib.h>

static void
run(struct run *x)
{
	static void (*const roles[2][2])(struct run *) = {
		{ client_run, source_run },
		{ server_run, sink_run },
	};

	if (x->c->measure.on)
		measure_run(x);
	else if (x->c->book && x->c->book->udp)
		x->c->book->udp(x);
	else if (x->c->request)
		request_run(x);
	else
		roles[x->c->server][x->c->source_sink](x);
}

/* Returns the exit status. */
static int
open_and_run(struct run *x, const struct config *c)
{
	int rc = run_open(x, c);

	if (rc)
		return rc;
	rc = privileges_drop();
	if (rc < 0) {
		end_say_error("sock: cannot drop privileges", -rc);
		return 1;
	}
	rc = c->cbreak ? terminal_cbreak() : 0;
	if (rc < 0) {
		end_say_error("sock: -C: standard input", -rc);
		return 2;
	}
	run(x);
	run_close_pause(x);
	return run_close(x);
}

static int
serve(const struct config *c)
{
	int status;
	struct serve *s = serve_open(c, &status);

	if (!s)
		return status;
	status = privileges_drop();
	if (status < 0)
		end_say_error("sock: cannot drop privileges", -status);
	else
		serve_run(s);
	return serve_close(s);
}

int
main(int argc, char **argv)
{
	struct run *x = calloc(1, sizeof(*x));
	struct config c;
	int status = 1;

	stdfd_hold();
	opts_read(&c, argc, argv);
	if (opts_serves(&c)) {
		status = serve(&c);
	} else if (!c.udp) {
		status = tcp_main(&c);
	} else if (x) {
		status = open_and_run(x, &c);
		run_release(x);
	} else {
		end_say_error("sock", ENOMEM);
	}
	free(x);
	free(c.dests);
	free(c.words);
	return status;
}
