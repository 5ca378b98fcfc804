/* SPDX-License-Identifier: BSD-2-Clause */
/* early.c - see early.h. */
#include "early.h"
#include "run.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void
each(void (*action)(int))
{
	struct sigaction sa = { .sa_handler = action };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
}

/* Only what may be called in a signal handler. */
static void
ended(int sig)
{
	static const char text[] =
	    "{\"v\":1,\"type\":\"path\",\"reached\":false,\"stop\":\"interrupted\"}\n";
	ssize_t n = write(STDOUT_FILENO, text, sizeof(text) - 1);

	_exit(n < 0 ? 1 : sig == SIGINT ? 3 : 128 + sig);
}

void
early_begin(const struct opts *o)
{
	if (o->document)
		each(ended);
}

void
early_end(const struct opts *o)
{
	if (o->document)
		each(SIG_DFL);
}

void
early_failed(const struct opts *o, int status)
{
	struct out out;

	if (!o->document || out_open(&out, NULL, o->json_to) < 0)
		return;
	out_begin(&out, "path", run_wall());
	out_str(&out, "host", o->host);
	out_bool(&out, "reached", false);
	out_str(&out, "stop", "failed");
	out_u64(&out, "status", (uint64_t)status);
	out_end(&out);
	out_close(&out);
}
