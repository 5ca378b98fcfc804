/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd.c - a client of icmpd(8): the handle and its sockets; see sockeye/icmpd.h. */
#include "sock/icmpd.h"
#include "sys/alarm.h"
#include "sys/sockfd.h"
#include "sys/sockid.h"
#include "sys/poller.h"

#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct icmpd) <= sizeof(struct sky_icmpd), "the handle has room");

static int
read_conf(struct icmpd *d, const struct sky_icmpd_conf *c)
{
	const char *path = c->path ? c->path : SKY_ICMPD_PATH;
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(c->reserved) / sizeof(c->reserved[0]); i++)
		if (c->reserved[i])
			return -EINVAL;
	if ((c->flags & ~(uint32_t)SKY_ICMPD_NOW) || !len)
		return -EINVAL;
	if (c->room && (uintptr_t)c->room % sizeof(uint64_t))
		return -EINVAL;
	if (len >= sizeof(d->path))
		return -ENAMETOOLONG;
	memcpy(d->path, path, len);
	d->entry = c->room ? c->room : d->own;
	d->n = c->room ? (uint32_t)(c->room_size / SKY_ICMPD_SLOT) : SKY_ICMPD_OWN_ENTRIES;
	return 0;
}

static int
open_wait(struct icmpd *d)
{
	d->wait = sky_poller_open();
	if (d->wait < 0)
		return d->wait;
	d->alarm = sky_alarm_open();
	if (d->alarm < 0)
		return d->alarm;
	return sky_poller_add(d->wait, d->alarm, 0, 0);
}

int
sky_icmpd_open(struct sky_icmpd *sd, const struct sky_icmpd_conf *conf)
{
	static const struct sky_icmpd_conf none = { .size = sizeof(none) };
	struct icmpd *d = icmpd_of(sd);
	int r;

	memset(d, 0, sizeof(*d));
	d->fd = d->wait = d->alarm = -1;
	d->free = ICMPD_NO_ENTRY;
	if (conf && conf->size < sizeof(*conf))
		return -EINVAL;
	r = read_conf(d, conf ? conf : &none);
	d->magic = SKY_ICMPD_MAGIC;
	if (r == 0)
		r = open_wait(d);
	if (r == 0) {
		r = icmpd_connect(d);
		if (!conf || !(conf->flags & SKY_ICMPD_NOW))
			r = 0;
	}
	if (r < 0)
		sky_icmpd_close(sd);
	return r;
}

void
sky_icmpd_close(struct sky_icmpd *sd)
{
	struct icmpd *d = icmpd_of(sd);
	const int fds[] = { d->fd, d->alarm, d->wait };

	if (d->magic != SKY_ICMPD_MAGIC)
		return;
	d->magic = 0;
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			sky_sockfd_close(fds[i]);
}

/* The registrations belong to the connection, which the parent has, too. */
void
sky_icmpd_forget(struct sky_icmpd *d)
{
	sky_icmpd_close(d);
}

int
sky_icmpd_fd(const struct sky_icmpd *sd)
{
	const struct icmpd *d = icmpd_of_const(sd);

	return d->magic == SKY_ICMPD_MAGIC ? d->wait : -1;
}

bool
sky_icmpd_has(const struct sky_icmpd *sd, int fd)
{
	const struct icmpd *d = icmpd_of_const(sd);

	return d->magic == SKY_ICMPD_MAGIC && fd >= 0 &&
	    (fd == d->wait || fd == d->alarm || fd == d->fd);
}

static int
is_wanted(const struct sky_sockid *s)
{
	bool ip = s->family == AF_INET || s->family == AF_INET6;

	if (!ip)
		return -EPROTOTYPE;
	if (s->protocol == IPPROTO_UDP || s->protocol == IPPROTO_UDPLITE ||
	    s->protocol == IPPROTO_TCP)
		return 0;
	return -EPROTOTYPE;
}

static struct icmpd_entry *
take_entry(struct icmpd *d)
{
	struct icmpd_entry *e;

	if (d->free != ICMPD_NO_ENTRY) {
		e = &d->entry[d->free];
		d->free = e->next_free;
	} else if (d->touched < d->n) {
		e = &d->entry[d->touched++];
	} else {
		return NULL;
	}
	d->used++;
	return e;
}

int
sky_icmpd_add(struct sky_icmpd *sd, int fd, uint64_t tag)
{
	struct icmpd *d = icmpd_of(sd);
	struct icmpd_entry *e;
	struct sky_sockid s;
	int r = sky_sockid_ask(fd, &s);

	if (r == 0)
		r = is_wanted(&s);
	if (r < 0)
		return r;
	e = take_entry(d);
	if (!e)
		return -ENOSPC;
	*e = (struct icmpd_entry){ .cookie = s.cookie, .tag = tag, .fd = fd,
		.state = ENTRY_UNTOLD };
	/* one of its own: no search for it */
	if (!d->backlog++)
		d->cursor = (uint32_t)(e - d->entry);
	if (!d->wants_room)
		icmpd_tell(d);
	return (int)(e - d->entry);
}

int
sky_icmpd_remove(struct sky_icmpd *sd, int id)
{
	struct icmpd *d = icmpd_of(sd);
	struct icmpd_entry *e = id >= 0 && (uint32_t)id < d->touched ? &d->entry[id] : NULL;

	if (!e || e->state == ENTRY_FREE || e->state == ENTRY_LEAVING)
		return -ENOENT;
	if (e->state == ENTRY_ACCEPTED)
		d->accepted--;
	if (e->state == ENTRY_UNTOLD) {
		icmpd_free_entry(d, (uint32_t)id);
		d->backlog--;
		return 0;
	}
	if (!d->backlog++)
		d->cursor = (uint32_t)id;
	e->state = ENTRY_LEAVING;
	if (!d->wants_room)
		icmpd_tell(d);
	return 0;
}

static bool
makes_sense(const struct sky_icmpd_filter *f)
{
	int family = sky_addr_family(&f->prefix);

	if (f->size < sizeof(*f))
		return false;
	for (size_t i = 0; i < sizeof(f->reserved) / sizeof(f->reserved[0]); i++)
		if (f->reserved[i])
			return false;
	return f->bits <= (family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0);
}

int
sky_icmpd_watch(struct sky_icmpd *sd, const struct sky_icmpd_filter *f)
{
	struct icmpd *d = icmpd_of(sd);

	if (f && !makes_sense(f))
		return -EINVAL;
	if (f)
		d->filter = *f;
	else
		memset(&d->filter, 0, sizeof(d->filter));
	d->watching = d->watch_untold = true;
	if (!d->wants_room)
		icmpd_tell(d);
	return 0;
}

int
sky_icmpd_ask(struct sky_icmpd *sd, enum sky_icmpd_question q)
{
	struct icmpd *d = icmpd_of(sd);

	if ((unsigned)q > 31)
		return -EINVAL;
	if (d->magic != SKY_ICMPD_MAGIC || d->fd < 0)
		return -ENOTCONN;
	d->asks |= 1u << q;
	if (!d->wants_room)
		icmpd_tell(d);
	return 0;
}

int
sky_icmpd_status(const struct sky_icmpd *sd, struct sky_icmpd_status *out)
{
	const struct icmpd *d = icmpd_of_const(sd);

	if (out->size < sizeof(*out) || d->magic != SKY_ICMPD_MAGIC)
		return -EINVAL;
	*out = (struct sky_icmpd_status){ .size = sizeof(*out), .up = d->greeted,
		.uid = d->uid, .pid = d->pid, .sockets = d->used, .accepted = d->accepted,
		.fates = d->fates, .lost = d->lost, .downs = d->downs };
	return 0;
}
