/* SPDX-License-Identifier: BSD-2-Clause */
/* client.c - connections: who comes, reads, is slow, goes; see daemon.h. */
#include "daemon.h"

#include "sys/clock.h"
#include "sys/local.h"
#include "sys/sockfd.h"
#include "sys/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many lines about bad clients, and then none until there was quiet for so long. */
#define LINES 10
#define QUIET_NS UINT64_C(10000000000)

enum {
	ACCEPTS = 64,			/* in one round */
	MESSAGES = 8,			/* of one client, in one round */
};

struct usage *
client_usage(struct daemon *d, uint32_t uid)
{
	struct usage *u;

	for (uint32_t i = 0; i < d->users; i++)
		if (d->usage[i].uid == uid)
			return &d->usage[i];
	/* who has nothing any more needs no row */
	for (uint32_t i = 0; i < d->users; i++)
		if (!d->usage[i].clients && !d->usage[i].sockets) {
			d->usage[i] = (struct usage){ .uid = uid };
			return &d->usage[i];
		}
	if (d->users == d->users_cap) {
		u = realloc(d->usage, (d->users_cap + 16) * sizeof(*u));
		if (!u)
			return NULL;
		d->usage = u;
		d->users_cap += 16;
	}
	d->usage[d->users] = (struct usage){ .uid = uid };
	return &d->usage[d->users++];
}

bool
client_lives(const struct client *c)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	return c->pidfd < 0 || poll(&p, 1, 0) == 0;
}

void
client_mark(struct daemon *d, struct client *c)
{
	if (c->dirty)
		return;
	c->dirty = true;
	c->next_dirty = d->dirty;
	d->dirty = c;
}

static void
release(struct client *c)
{
	queue_release(&c->queue);
	if (c->fd >= 0)
		close(c->fd);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c);
}

/* A client may misbehave as often as it likes, but fill no log. */
static bool
may_say(struct daemon *d)
{
	uint64_t now = sky_clock_steady();

	if (now - d->said_ns > QUIET_NS)
		d->said = 0;
	d->said_ns = now;
	return d->said++ < LINES;
}

/* The struct lives until the end of the round: it may be in the list of those that
 * are to be flushed, and its place in a batch of events. */
static struct usage *
forget(struct daemon *d, struct client *c, const char *why)
{
	struct usage *u = client_usage(d, c->uid);
	const struct table_owner o = { c->place, c->uid, &c->own };
	uint32_t n = table_remove_all(&d->table, &o);

	if (d->o.verbose || (why && may_say(d)))
		say(d, "client %u of user %u: %s", c->pid, c->uid, why ? why : "gone");
	c->leaving = true;
	d->count[SKY_ICMPD_C_SOCKETS] -= n;
	d->count[SKY_ICMPD_C_QUEUED] -= queue_bytes(&c->queue);
	d->watchers -= c->watching;
	d->client[c->place] = NULL;
	if (d->compat == (pid_t)c->pid)
		d->compat = 0;	/* the number may become another's */
	if (u)
		u->sockets -= n;
	client_mark(d, c);
	return u;
}

void
client_close(struct daemon *d, struct client *c, const char *why)
{
	struct usage *u = c->leaving ? NULL : forget(d, c, why);

	if (c->fd < 0)
		return;
	if (d->rights_pass && !sky_local_drain(c->fd)) {
		/* as client_abandon() */
		sky_poller_remove(d->wait, c->fd);
		c->fd = -1;
		return;
	}
	if (u)
		u->clients--;
	d->clients--;
	close(c->fd);
	c->fd = -1;
}

void
client_abandon(struct daemon *d, struct client *c)
{
	forget(d, c, "it passes descriptors");
	sky_poller_remove(d->wait, c->fd);
	c->fd = -1;
}

/* A free place; -ENOMEM. */
static int
find_place(struct daemon *d, uint32_t *place)
{
	struct client **more;

	for (uint32_t i = 0; i < d->places; i++)
		if (!d->client[i]) {
			*place = i;
			return 0;
		}
	more = realloc(d->client, (d->places + 64) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + d->places, 0, 64 * sizeof(*more));
	d->client = more;
	*place = d->places;
	d->places += 64;
	return 0;
}

static int
admit(struct daemon *d, struct client *c, const struct sky_local_peer *peer)
{
	struct usage *u = client_usage(d, peer->uid);
	uint64_t of_one = d->o.clients / 8 ? d->o.clients / 8 : 1;
	int r = u ? 0 : -ENOMEM;

	c->pidfd = peer->pidfd;
	c->uid = peer->uid;
	c->pid = peer->pid;
	if (r == 0 && (d->clients >= d->o.clients || (c->uid && u->clients >= of_one)))
		r = -EUSERS;
	if (r == 0)
		r = find_place(d, &c->place);
	if (r == 0)
		r = sky_poller_add(d->wait, c->fd, 0, TOKEN_CLIENTS + c->place);
	if (r < 0)
		return r;
	c->reads = true;
	d->client[c->place] = c;
	d->clients++;
	u->clients++;
	d->count[SKY_ICMPD_C_CLIENTS_EVER]++;
	return 0;
}

void
client_release_all(struct daemon *d)
{
	for (uint32_t i = 0; i < d->places; i++)
		if (d->client[i])
			release(d->client[i]);
	free(d->client);
	free(d->usage);
}

/* Who is turned away is told why: the only message that is ever sent to it. Before
 * Linux 6.16 a descriptor in what it sent would hold us up: then its connection stays
 * open. When there are no more descriptors nobody new is let in; all others are served. */
static void
turn_away(struct daemon *d, int fd, int err)
{
	struct sky_icmpdmsg_out o;
	uint8_t buf[64];

	sky_icmpdmsg_begin(&o, SKY_ICMPDMSG_DONE, buf, sizeof(buf));
	sky_icmpdmsg_put_pair(&o, SKY_ICMPDMSG_HELLO, (uint64_t)-err);
	(void)sky_local_send(fd, buf, sky_icmpdmsg_end(&o));
	/* what is closed with something unread is reset, and the answer behind that */
	for (int i = 0; i < MESSAGES && !d->rights_pass; i++)
		if (sky_local_recv(fd, d->msg, sizeof(d->msg) - 1) <= 0)
			break;
	d->count[SKY_ICMPD_C_CLIENTS_REFUSED]++;
	if (!d->rights_pass || sky_local_drain(fd))
		close(fd);
}

static void
read_messages(struct daemon *d, struct client *c)
{
	for (int i = 0; i < MESSAGES && c->reads; i++) {
		int r;

		if (d->rights_pass && sky_local_has_rights(c->fd)) {
			d->count[SKY_ICMPD_C_BAD_MESSAGES]++;
			client_abandon(d, c);
			return;
		}
		r = sky_local_recv(c->fd, d->msg, sizeof(d->msg) - 1);

		if (r == -EAGAIN)
			return;
		if (r <= 0 && r != -EMSGSIZE) {
			client_close(d, c, NULL);
			return;
		}
		if (r < 0 || !answer(d, c, d->msg, (size_t)r)) {
			d->count[SKY_ICMPD_C_BAD_MESSAGES]++;
			client_close(d, c, "a message that makes no sense");
			return;
		}
	}
}

static void
welcome(struct daemon *d, int fd)
{
	struct sky_local_peer peer = { .pidfd = -1 };
	struct client *c = calloc(1, sizeof(*c));
	int r = c ? sky_local_peer(fd, &peer) : -ENOMEM;

	if (c)
		*c = (struct client){ .fd = fd, .pidfd = -1, .own = TABLE_NONE };
	if (r == 0)
		r = admit(d, c, &peer);
	if (r == 0) {
		if (d->o.verbose)
			say(d, "client %u of user %u: connected", c->pid, c->uid);
		/* what it registers may be why an error came that waits, too */
		read_messages(d, c);
		return;
	}
	turn_away(d, fd, r);
	if (c) {
		c->fd = -1;
		release(c);
	}
}

/* Without a descriptor nobody can be accepted, and none that waits be sent away:
 * the spare one makes room for one at a time. */
static void
accept_none(struct daemon *d)
{
	int fd;

	close(d->spare);
	fd = sky_local_accept(d->listener);
	if (fd >= 0)
		turn_away(d, fd, -EMFILE);
	d->spare = fcntl(d->listener, F_DUPFD_CLOEXEC, 0);
	d->deaf = fd < 0 || d->spare < 0;
	sky_poller_change(d->wait, d->listener, !d->deaf, 0, TOKEN_LISTENER);
}

void
client_accept(struct daemon *d)
{
	if (d->deaf) {
		d->deaf = false;
		sky_poller_change(d->wait, d->listener, 1, 0, TOKEN_LISTENER);
	}
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = sky_local_accept(d->listener);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
			accept_none(d);
			return;
		}
		if (fd < 0)
			return;
		welcome(d, fd);
	}
}

void
client_ready(struct daemon *d, uint32_t place)
{
	struct client *c = place < d->places ? d->client[place] : NULL;

	if (!c)
		return;
	if (c->writes)
		client_mark(d, c);
	if (c->reads)
		read_messages(d, c);
	/* it hung up while it was not read from */
	else if (sky_sockfd_poll(c->fd, 0) & (POLLHUP | POLLERR))
		client_close(d, c, NULL);
}

/* What was lost is told behind all that was not. */
static void
put_lost(struct daemon *d, struct client *c, uint64_t *lost, bool ours)
{
	struct sky_icmpdmsg_out o;

	if (!*lost || !queue_room(&c->queue, (uint32_t)d->o.queue, &o))
		return;
	sky_icmpdmsg_put_pair(&o, *lost, ours);
	queue_add(&c->queue, SKY_ICMPDMSG_LOST, &o);
	*lost = 0;
}

static int
send_some(struct daemon *d, struct client *c)
{
	uint32_t used;
	size_t len;
	int r = 0;

	while (r == 0 && (len = queue_message(&c->queue, d->msg, &used))) {
		r = sky_local_send(c->fd, d->msg, len);
		if (r == 0)
			queue_drop(&c->queue, used);
	}
	return r == -EAGAIN ? 0 : r;
}

/* Who does not take its answers is not asked for more questions. */
static void
set_waits(struct daemon *d, struct client *c)
{
	bool reads = queue_bytes(&c->queue) <= d->o.queue / 2;
	bool writes = queue_bytes(&c->queue) > 0;

	if (reads == c->reads && writes == c->writes)
		return;
	c->reads = reads;
	c->writes = writes;
	sky_poller_change(d->wait, c->fd, reads, writes, TOKEN_CLIENTS + c->place);
}

static void
flush(struct daemon *d, struct client *c)
{
	uint32_t before = queue_bytes(&c->queue);
	int r = send_some(d, c);

	if (r == 0 && !queue_bytes(&c->queue) && (c->lost || c->overrun)) {
		put_lost(d, c, &c->lost, false);
		put_lost(d, c, &c->overrun, true);
		d->count[SKY_ICMPD_C_QUEUED] += queue_bytes(&c->queue);
		before += queue_bytes(&c->queue);
		r = send_some(d, c);
	}
	d->count[SKY_ICMPD_C_QUEUED] -= before - queue_bytes(&c->queue);
	if (r < 0)
		client_close(d, c, NULL);
	else
		set_waits(d, c);
}

void
client_flush_all(struct daemon *d)
{
	while (d->dirty) {
		struct client *c = d->dirty;

		d->dirty = c->next_dirty;
		c->dirty = false;
		if (!c->leaving)
			flush(d, c);
		if (c->leaving && !c->dirty)
			release(c);
	}
}
