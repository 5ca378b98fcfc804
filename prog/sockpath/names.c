/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - see names.h. */
#include "names.h"

#include <ares.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { SLOTS = 4096, PARALLEL = 64, TRIES = 2, PATIENCE_MS = 1000 };

enum state { FREE, WAITING, ASKED, KNOWN, NAMELESS };

struct entry {
	struct names *owner;
	struct sky_addr a;
	enum state state;
	bool missed;		/* asked for in vain */
	char *name;
};

struct names {
	ares_channel channel;
	bool on;
	unsigned used, asked, waiting;
	struct entry slot[SLOTS];	/* open addressing, never more than half full */
};

bool
names_built(void)
{
	return true;
}

struct names *
names_new(bool on)
{
	struct names *n = calloc(1, sizeof(*n));
	struct ares_options o = { .timeout = PATIENCE_MS, .tries = TRIES };

	if (!n || !on || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return n;
	n->on = ares_init_options(&n->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) ==
	    ARES_SUCCESS;
	if (!n->on)
		ares_library_cleanup();
	return n;
}

void
names_free(struct names *n)
{
	if (!n)
		return;
	if (n->on) {
		ares_destroy(n->channel);
		ares_library_cleanup();
	}
	for (unsigned i = 0; i < SLOTS; i++)
		free(n->slot[i].name);
	free(n);
}

static struct entry *
slot_of(struct names *n, const struct sky_addr *a)
{
	unsigned i = sky_addr_hash(a) % SLOTS;

	while (n->slot[i].state != FREE && !sky_addr_same_host(&n->slot[i].a, a))
		i = (i + 1) % SLOTS;
	return &n->slot[i];
}

/* What others put into the DNS is shown to a person: letters, digits, and the few
 * signs that host names have. */
static bool
is_name(const char *text)
{
	static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789-._";
	size_t len = strlen(text);

	return len > 0 && len < NAMES_SIZE && strspn(text, may) == len;
}

static void ask_next(struct names *n);

static void
answered(void *arg, int status, int timeouts, struct hostent *h)
{
	struct entry *e = arg;
	struct names *n = e->owner;

	(void)timeouts;
	n->asked--;
	e->state = NAMELESS;
	if (status == ARES_SUCCESS && h && h->h_name && is_name(h->h_name))
		e->name = strdup(h->h_name);
	if (e->name)
		e->state = KNOWN;
	if (status != ARES_EDESTRUCTION)
		ask_next(n);
}

static void
ask(struct names *n, struct entry *e)
{
	const struct sockaddr_in6 *in6 = &e->a.u.in6;
	bool v4 = sky_addr_family(&e->a) == AF_INET;
	const void *ip = v4 ? (const void *)&e->a.u.in.sin_addr : &in6->sin6_addr;

	e->state = ASKED;
	n->asked++;
	ares_gethostbyaddr(n->channel, ip, v4 ? 4 : 16, v4 ? AF_INET : AF_INET6, answered, e);
}

/* Not all at once: a name server is somebody's, too. */
static void
ask_next(struct names *n)
{
	for (unsigned i = 0; n->waiting && n->asked < PARALLEL && i < SLOTS; i++) {
		if (n->slot[i].state != WAITING)
			continue;
		n->waiting--;
		ask(n, &n->slot[i]);
	}
}

void
names_want(struct names *n, const struct sky_addr *a)
{
	struct entry *e;

	if (!n->on || n->used >= SLOTS / 2 || sky_addr_family(a) == AF_UNSPEC)
		return;
	e = slot_of(n, a);
	if (e->state != FREE)
		return;
	*e = (struct entry){ .owner = n, .a = *a, .state = WAITING };
	n->used++;
	n->waiting++;
	ask_next(n);
}

const char *
names_of(struct names *n, const struct sky_addr *a)
{
	struct entry *e = slot_of(n, a);

	e->missed |= e->state == WAITING || e->state == ASKED;
	return e->name;
}

const char *
names_late(struct names *n, unsigned *i, struct sky_addr *a)
{
	struct entry *e;

	for (; *i < SLOTS; ++*i) {
		e = &n->slot[*i];
		if (!e->missed || e->state != KNOWN)
			continue;
		*a = e->a;
		++*i;
		return e->name;
	}
	return NULL;
}

unsigned
names_pending(const struct names *n)
{
	return n->asked + n->waiting;
}

unsigned
names_poll(struct names *n, struct pollfd p[static NAMES_FDS], int *timeout)
{
	ares_socket_t s[ARES_GETSOCK_MAXNUM];
	struct timeval tv, *t;
	unsigned fds = 0;
	unsigned bits;
	int ms;

	if (!n->on || !n->asked)
		return 0;
	bits = (unsigned)ares_getsock(n->channel, s, ARES_GETSOCK_MAXNUM);
	for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM && fds < NAMES_FDS; i++) {
		short events = (bits >> i & 1 ? POLLIN : 0) |
		    (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0);

		if (events)
			p[fds++] = (struct pollfd){ .fd = s[i], .events = events };
	}
	t = ares_timeout(n->channel, NULL, &tv);
	ms = t ? (int)(t->tv_sec * 1000 + t->tv_usec / 1000 + 1) : -1;
	if (ms >= 0 && (*timeout < 0 || ms < *timeout))
		*timeout = ms;
	return fds;
}

void
names_serve(struct names *n, const struct pollfd *p, unsigned fds)
{
	if (!n->on || !n->asked)
		return;
	for (unsigned i = 0; i < fds; i++) {
		ares_socket_t in = p[i].revents & (POLLIN | POLLERR | POLLHUP) ? p[i].fd :
		    ARES_SOCKET_BAD;
		ares_socket_t out = p[i].revents & POLLOUT ? p[i].fd : ARES_SOCKET_BAD;

		if (p[i].revents)
			ares_process_fd(n->channel, in, out);
	}
	ares_process_fd(n->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
