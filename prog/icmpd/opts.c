/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table of icmpd(8). */
#include "opts.h"

#include "cli/opt.h"

#include <sockeye/icmpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct opt rows[] = {
	{ .letter = 'c', .name = "clients", .arg = "N", .kind = OPT_U64, .min = 1, .max = 65536,
	  .at = offsetof(struct opts, clients), .help = "connected at once (1024), an eighth of "
	  "them by one user" },
	{ .letter = 'C', .name = "compat-socket", .arg = "PATH", .kind = OPT_STR,
	  .at = offsetof(struct opts, compat), .help = "speak the protocol of the book's icmpd "
	  "there, too" },
	{ .letter = 'f', .name = "foreground", .kind = OPT_FLAG,
	  .at = offsetof(struct opts, foreground), .help = "do not detach, say what happens on "
	  "standard error" },
	{ .letter = 'n', .name = "sockets", .arg = "N", .kind = OPT_U64, .min = 1, .max = 10000000,
	  .at = offsetof(struct opts, sockets), .help = "registered by one user (250000)" },
	{ .letter = 'q', .name = "queue", .arg = "BYTES", .kind = OPT_U64, .min = 16384,
	  .max = 1 << 30, .at = offsetof(struct opts, queue), .help = "that wait for one slow "
	  "client (1m)" },
	{ .letter = 's', .name = "socket", .arg = "PATH", .kind = OPT_STR,
	  .at = offsetof(struct opts, socket), .help = "where to listen (" SKY_ICMPD_PATH ")" },
	{ .letter = 'u', .name = "user", .arg = "NAME", .kind = OPT_STR,
	  .at = offsetof(struct opts, user), .help = "whose rights to take (icmpd)" },
	{ .letter = 'v', .name = "verbose", .kind = OPT_FLAG, .at = offsetof(struct opts, verbose),
	  .help = "say more: clients that come and go" },
	{ .name = NULL },
};

static const char *const synopsis[] = {
	"[-fv] [-c N] [-C PATH] [-n N] [-q BYTES] [-s PATH] [-u NAME]", NULL
};

static const struct opt_program program = {
	.name = "icmpd",
	.synopsis = synopsis,
	.about = "Tells each process what the network said about its datagrams",
	.opts = rows,
};

/* In the background the current folder is another one. */
static const char *
absolute(const char *path, char *room)
{
	size_t len;

	if (!path || path[0] == '/' || !path[0] || !getcwd(room, PATH_MAX))
		return path;
	len = strlen(room);
	if (strlen(path) >= PATH_MAX - len - 1)
		return path;
	snprintf(room + len, PATH_MAX - len, "/%s", path);
	return room;
}

void
opts_parse(struct opts *o, int argc, char **argv)
{
	int at;

	*o = (struct opts){ .socket = SKY_ICMPD_PATH, .user = "icmpd", .clients = 1024,
		.sockets = 250000, .queue = 1000000 };
	at = opt_parse(&program, o, argc, argv);
	if (at < argc)
		opt_bad(&program, argv[at], "one word too many", "options only");
	if (o->foreground)
		return;
	o->socket = absolute(o->socket, o->absolute[0]);
	o->compat = absolute(o->compat, o->absolute[1]);
}
