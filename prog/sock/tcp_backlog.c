/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_backlog.c - --backlog-test: how many connections the kernel queues for
 * each backlog, measured on the loopback, beside what other systems did.
 */
#include "tcp.h"
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MOST 1024		/* connections for one backlog */
#define PATIENCE_NS UINT64_C(200000000)

/* As published in 2003; 0 to 14. */
static const struct {
	const char *system;
	unsigned char queued[15];
} others[] = {
	{ "MacOS 10.2.6, AIX 5.1", { 1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22 } },
	{ "Linux 2.4.7", { 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } },
	{ "HP-UX 11.11", { 1, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21 } },
	{ "FreeBSD 4.8, 5.1", { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } },
	{ "Solaris 2.9", { 1, 2, 4, 5, 6, 8, 10, 11, 13, 14, 16, 17, 19, 20, 22 } },
};

#define OTHERS (sizeof(others) / sizeof(others[0]))

static int
listener(int backlog, struct sky_addr *a)
{
	struct sockaddr_storage s;
	socklen_t len = sizeof(s);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	sky_addr_parse(a, "127.0.0.1");
	if (fd < 0)
		return -errno;
	if (bind(fd, &a->u.sa, sizeof(a->u.in)) == 0 && listen(fd, backlog) == 0 &&
	    getsockname(fd, (struct sockaddr *)&s, &len) == 0) {
		sky_addr_from(a, (struct sockaddr *)&s, len);
		return fd;
	}
	close(fd);
	return -EIO;
}

/* A connection that the listener does not accept; true if it was let in. */
static bool
knock(struct tcp *t, const struct sky_addr *a, int *fd)
{
	struct linger abort = { .l_onoff = 1 };
	struct sky_tcp try;
	struct pollfd p[2];

	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return false;
	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	if (sky_tcp_begin(&try, *fd, a, PATIENCE_NS) < 0)
		return false;
	while (sky_tcp_progress(&try) == 0 && !tcp_over(t)) {
		p[1] = (struct pollfd){ .fd = *fd, .events = POLLOUT };
		tcp_wait(t, p, 2, sky_tcp_deadline(&try));
	}
	return sky_tcp_progress(&try) == 1;
}

/* How many wait when no more are let in; in *drops how many SYNs were dropped. */
static int
measure(struct tcp *t, int backlog, unsigned *drops)
{
	struct sky_tcp_queue q = { .size = sizeof(q) };
	int client[MOST], n = 0, i, rc = 0;
	struct sky_addr a;
	int fd = listener(backlog, &a);

	if (fd < 0)
		return fd;
	while (n < MOST && !tcp_over(t) && knock(t, &a, &client[n]))
		n++;
	if (n < MOST && client[n] < 0)
		rc = -EMFILE;
	if (sky_tcp_queue(fd, &q) < 0)
		rc = rc ? rc : -EIO;
	*drops = q.drops;
	for (i = 0; i <= n && i < MOST; i++)
		if (client[i] >= 0)
			close(client[i]);
	close(fd);
	return rc ? rc : (int)q.len;
}

static void
show(struct tcp *t, int backlog, int queued, unsigned drops)
{
	size_t i;

	if (!opts_json_on_stdout(t->c)) {
		printf("%7d %6d", backlog, queued);
		for (i = 0; i < OTHERS && backlog >= 0 && backlog < 15; i++)
			printf(" %*u", (int)strlen(others[i].system), others[i].queued[backlog]);
		putchar('\n');
		fflush(stdout);
	}
	if (!t->out.json)
		return;
	out_begin(&t->out, "backlog", run_now());
	out_i64(&t->out, "backlog", backlog);
	out_u64(&t->out, "queued", (uint64_t)queued);
	out_u64(&t->out, "drops", drops);
	out_end(&t->out);
}

int
tcp_backlog_test(struct tcp *t)
{
	unsigned drops = 0;
	size_t i;
	int backlog, n;

	if (!opts_json_on_stdout(t->c)) {
		printf("backlog   here");
		for (i = 0; i < OTHERS; i++)
			printf(" %s", others[i].system);
		putchar('\n');
	}
	for (backlog = 0; backlog <= t->c->backlog_test && !tcp_over(t); backlog++) {
		n = measure(t, backlog, &drops);
		if (n < 0) {
			tcp_say(t, 1, "backlog %d: %s", backlog, strerror(-n));
			break;
		}
		show(t, backlog, n, drops);
	}
	return t->status;
}
