/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book.c - the table of names; see book.h.
 */
#include "book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYTIME_SERVER "-s", "--service", "daytime", "--iterative"
#define ECHO_SERVER "-s", "--service", "echo"
#define COUNTING "-u", "-s", "-i", "-r", "4096"
#define RUNNING "Server running...waiting for connections.\n"
#define REQUEST "Received request...\n"
#define RESENT "String received from and resent to the client:"

static const struct book table[] = {
	{ .name = "udpcli01", .operands = "<IPaddress>", .min = 1,
	  .first = { "-u", "-o" }, .last = "9877", .udp = book_lines_run },
	{ .name = "udpccli01", .operands = "<IPaddress>", .min = 1,	/* as one source prints it */
	  .first = { "-u", "-o" }, .last = "9877", .udp = book_lines_run },
	{ .name = "udpserv01", .operands = "",
	  .first = { "-u", ECHO_SERVER }, .last = "9877" },
	{ .name = "udpserv06", .operands = "",
	  .first = { COUNTING }, .last = "9877", .counts = true },
	{ .name = "dgecholoop1", .operands = "",
	  .first = { COUNTING }, .last = "9877", .counts = true },
	{ .name = "dgecholoop2", .operands = "",
	  .first = { COUNTING, "-R", "225280" }, .last = "9877", .counts = true },
	{ .name = "dgcliloop1", .operands = "<IPaddress>", .min = 1,
	  .first = { "-u", "-o", "-i", "-n", "2000", "-w", "1400" }, .last = "9877" },
	{ .name = "send_udp_recv_icmp", .operands = "hostname port", .min = 2,
	  .first = { "-u" }, .udp = book_once_run },
	{ .name = "daytimetcpcli", .operands = "<IPaddress>", .min = 1,
	  .last = "13", .tcp = book_read_run, .connect_error = "connect error" },
	{ .name = "daytimetcpsrv", .operands = "",
	  .first = { DAYTIME_SERVER }, .last = "13", .bind_error = "bind error" },
	{ .name = "daytimetcpsrv1", .operands = "",
	  .first = { DAYTIME_SERVER }, .last = "13", .bind_error = "bind error",
	  .from = true },
	{ .name = "echoClient", .operands = "<IP address of the server>", .min = 1,
	  .last = "3000", .tcp = book_echo_run,
	  .connect_error = "Problem in connecting to the server",
	  .echoed = "String received from the server: " },
	{ .name = "echoServer", .operands = "",
	  .first = { ECHO_SERVER, "--iterative" }, .last = "3000",
	  .started = RUNNING, .accepted = REQUEST, .echoed = RESENT },
	{ .name = "conEchoServer", .operands = "",
	  .first = { ECHO_SERVER, "-F" }, .last = "3000",
	  .started = RUNNING, .accepted = REQUEST, .echoed = RESENT,
	  .child = "Child created for dealing with client requests\n" },
};

const struct book *
book_at(unsigned i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

static const struct book *
named(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* Copies a word to *at, which moves behind it. Returns the copy. */
static char *
put(char **at, const char *word)
{
	char *copy = *at;

	*at = stpcpy(copy, word) + 1;
	return copy;
}

static size_t
room_of(const struct book *b)
{
	size_t room = b->last ? strlen(b->last) + 1 : 0;
	int i;

	for (i = 0; b->first[i]; i++)
		room += strlen(b->first[i]) + 1;
	return room;
}

/* Our words around the user's, in one piece of memory. NULL without memory. */
static char **
expand(const struct book *b, int skip, int *argc, char **argv)
{
	size_t most = (size_t)*argc + 12;
	char **all = calloc(1, most * sizeof(*all) + room_of(b));
	char *at = (char *)(all + most);
	int n = 0, i;

	if (!all)
		return NULL;
	all[n++] = argv[0];
	for (i = 0; b->first[i]; i++)
		all[n++] = put(&at, b->first[i]);
	for (i = 1 + skip; i < *argc; i++)
		all[n++] = argv[i];
	if (b->last)
		all[n++] = put(&at, b->last);
	*argc = n;
	return all;
}

const struct book *
book_find(int *argc, char ***argv)
{
	const char *slash, *name = *argc > 0 ? (*argv)[0] : "";
	const struct book *b;
	char **all;
	int skip = 0;

	if (*argc > 2 && strcmp((*argv)[1], "--as") == 0) {
		name = (*argv)[2];
		skip = 2;
	}
	slash = strrchr(name, '/');
	b = named(slash ? slash + 1 : name);
	all = b ? expand(b, skip, argc, *argv) : NULL;
	if (!all)
		return NULL;
	*argv = all;
	return b;
}
