/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * book.h - the programs of the literature, by name: each is sock with arguments
 * of ours, the port it had, and the lines that it printed.
 *
 * sock is such a program when it is called by the name, as through a link, or
 * with --as NAME first. The user's own options may be added.
 */
#ifndef SOCK_BOOK_H
#define SOCK_BOOK_H

#include <stdbool.h>

struct run;
struct tcp;
struct conn;

struct book {
	const char *name;
	const char *operands;		/* what follows the name, for people */
	int min;			/* how many words that is */
	const char *first[10];		/* put before the user's arguments */
	const char *last;		/* and behind them; or NULL */
	/* A role of its own over UDP; or over TCP, when connected. NULL: ours. */
	void (*udp)(struct run *x);
	void (*tcp)(struct tcp *t, struct conn *conn);
	/* Lines on standard output, NULL: not printed. */
	const char *started;		/* a server is ready */
	const char *accepted;		/* a client came */
	bool from;			/* likewise, as "connection from A, port N" */
	const char *child;		/* its process began */
	const char *echoed;		/* before what is sent back or came back */
	bool counts;			/* the end, as "received N datagrams" */
	const char *bind_error;		/* before the reason, on standard error */
	const char *connect_error;
};

/* The program whose name argv has, or NULL. *argc and *argv become what our own
 * option table reads; *argv and its new words are one piece of memory then, the
 * caller's to free last. */
const struct book *book_find(int *argc, char ***argv);
/* All of them, for lists; NULL past the end. */
const struct book *book_at(unsigned i);

/* --- roles --- */
void book_read_run(struct tcp *t, struct conn *conn);	/* daytimetcpcli */
void book_echo_run(struct tcp *t, struct conn *conn);	/* echoClient */
void book_lines_run(struct run *x);	/* udpcli01: a line, its answer, the next */
void book_once_run(struct run *x);	/* send_udp_recv_icmp */

#endif
