/* SPDX-License-Identifier: BSD-2-Clause */
/* state.c - see state.h. */
#include "state.h"
#include "next.h"
#include "queue.h"
#include "second.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sockeye/icmpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In state.of[]: unknown, seen and none of ours, else the number of a socket plus 1. */
enum { UNKNOWN = 0, FOREIGN = 0xffff };

struct state *
state(void)
{
	static struct state s;

	return &s;
}

static struct sock *
by_mark(struct state *st, uint16_t mark)
{
	return mark == UNKNOWN || mark == FOREIGN ? NULL : &st->sock[mark - 1];
}

static void
raise_to(_Atomic int *top, int value)
{
	int now = atomic_load(top);

	while (value > now && !atomic_compare_exchange_weak(top, &now, value))
		continue;
}

static void
lower(_Atomic int *bottom, int value)
{
	int now = atomic_load(bottom);

	while (value < now && !atomic_compare_exchange_weak(bottom, &now, value))
		continue;
}

static void
unref(struct state *st, uint16_t mark)
{
	struct sock *s = by_mark(st, mark);

	if (!s)
		return;
	if (atomic_load(&s->refs) == 1) {
		second_leave(s);
		if (atomic_exchange(&s->kept, 0))
			atomic_fetch_sub(&st->kept, 1);
	}
	if (atomic_fetch_sub(&s->refs, 1) == 1)
		lower(&st->sock_free, mark - 1);
}

static void
mark_fd(struct state *st, int fd, uint16_t mark)
{
	if (mark != UNKNOWN)
		raise_to(&st->fd_top, fd);
	unref(st, atomic_exchange(&st->of[fd], mark));
}

static bool
take_place(struct state *st, int i, uint32_t flags)
{
	struct sock *s = &st->sock[i];
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong(&s->refs, &none, 1))
		return false;
	atomic_fetch_add(&s->generation, 1);
	atomic_store(&s->kept, 0);
	atomic_store(&s->id, -1);
	for (int j = 0; j < RECENT; j++)
		atomic_store_explicit(&s->sent[j], 0, memory_order_relaxed);
	s->watch.epfd = -1;
	atomic_store(&s->flags, flags);
	raise_to(&st->sock_top, i + 1);
	raise_to(&st->sock_free, i + 1);
	return true;
}

/* A free socket, held once; FOREIGN when all are taken. Where two threads met, the
 * place to begin at may be too high: then all are looked at. */
static uint16_t
take_sock(struct state *st, uint32_t flags)
{
	for (int i = atomic_load(&st->sock_free); i < SOCKS; i++)
		if (take_place(st, i, flags))
			return (uint16_t)(i + 1);
	for (int i = 0; i < SOCKS; i++)
		if (take_place(st, i, flags))
			return (uint16_t)(i + 1);
	return FOREIGN;
}

static bool
is_udp(int type, int protocol)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	return type == SOCK_DGRAM &&
	    (protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE);
}

static int
ask(int fd, int what)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return next()->getsockopt(fd, SOL_SOCKET, what, &value, &len) < 0 ? -1 : value;
}

static uint16_t
identify(struct state *st, int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof(a);
	uint32_t flags;
	int family;

	if (!is_udp(ask(fd, SO_TYPE), ask(fd, SO_PROTOCOL)))
		return FOREIGN;
	family = ask(fd, SO_DOMAIN);
	if (family != AF_INET && family != AF_INET6)
		return FOREIGN;
	flags = queue_flags(fd, family == AF_INET6);
	if (getpeername(fd, (struct sockaddr *)&a, &len) == 0)
		flags |= SOCK_CONNECTED;
	return take_sock(st, flags);
}

struct sock *
sock_known(int fd)
{
	struct state *st = state();

	if (fd < 0 || fd >= FDS)
		return NULL;
	return by_mark(st, atomic_load_explicit(&st->of[fd], memory_order_relaxed));
}

struct sock *
sock_find(int fd)
{
	struct state *st = state();
	uint16_t mark;
	int saved = errno;

	if (fd < 0 || fd >= FDS)
		return NULL;
	mark = atomic_load_explicit(&st->of[fd], memory_order_relaxed);
	if (mark != UNKNOWN)
		return by_mark(st, mark);
	mark = identify(st, fd);
	mark_fd(st, fd, mark);
	errno = saved;
	return by_mark(st, mark);
}

bool
state_is_borrowed(void)
{
	return atomic_load_explicit(&state()->pid, memory_order_relaxed) != getpid();
}

void
sock_made(int fd, int family, int type, int protocol)
{
	struct state *st = state();
	bool ours = (family == AF_INET || family == AF_INET6) && is_udp(type, protocol);

	if (fd < 0 || fd >= FDS || state_is_borrowed())
		return;
	mark_fd(st, fd, ours ? take_sock(st, SOCK_MADE_HERE | (family == AF_INET6 ? SOCK_SIX : 0)) :
	    FOREIGN);
}

void
sock_copied(int from, int to)
{
	struct state *st = state();
	uint16_t mark = UNKNOWN;

	if (to < 0 || to >= FDS || from == to)
		return;
	if (from >= 0 && from < FDS)
		mark = atomic_load(&st->of[from]);
	if (mark == atomic_load(&st->of[to]) || state_is_borrowed())
		return;
	if (by_mark(st, mark))
		atomic_fetch_add(&st->sock[mark - 1].refs, 1);
	mark_fd(st, to, mark);
}

/* After the close, so that a descriptor which another thread gets in between is
 * made unknown at worst. */
void
sock_closed(unsigned first, unsigned last)
{
	struct state *st = state();
	unsigned top = (unsigned)atomic_load(&st->fd_top);

	if (last > top)
		last = top;
	for (unsigned fd = first; fd <= last; fd++) {
		uint16_t mark = atomic_load_explicit(&st->of[fd], memory_order_relaxed);

		if (mark == UNKNOWN)
			continue;
		if (state_is_borrowed())
			return;
		mark_fd(st, (int)fd, UNKNOWN);
	}
}

static bool
watch_lock(struct watch *w)
{
	uint32_t none = 0;

	return atomic_compare_exchange_strong(&w->busy, &none, 1);
}

void
watch_set(struct sock *s, int epfd, int fd, uint32_t events, uint64_t data)
{
	struct watch *w = &s->watch;

	if (!watch_lock(w))
		return;
	w->epfd = epfd;
	w->fd = fd;
	w->events = events;
	w->data = data;
	atomic_store(&w->busy, 0);
}

void
watch_drop(struct sock *s, int epfd)
{
	if (!watch_lock(&s->watch))
		return;
	if (s->watch.epfd == epfd)
		s->watch.epfd = -1;
	atomic_store(&s->watch.busy, 0);
}

struct sock *
watch_find(struct watch *out, int epfd, uint64_t data)
{
	struct state *st = state();
	int top = atomic_load(&st->fd_top);

	for (int fd = 0; fd <= top; fd++) {
		struct sock *s = sock_known(fd);

		if (!s || s->watch.epfd != epfd || s->watch.data != data)
			continue;
		if (!watch_lock(&s->watch))
			continue;
		out->epfd = s->watch.epfd;
		out->fd = s->watch.fd;
		out->events = s->watch.events;
		out->data = s->watch.data;
		atomic_store(&s->watch.busy, 0);
		if (out->epfd == epfd && out->data == data)
			return s;
	}
	return NULL;
}

static void
forked_here(void)
{
	atomic_store(&state()->forked, true);
}

static void
forked_there(void)
{
	atomic_store(&state()->forked, true);
	atomic_store(&state()->pid, getpid());
	second_forget();
}

/* A copy: some programs write over their environment. What is too long is nothing. */
static void
copy_env(char *out, size_t size, const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	if (snprintf(out, size, "%s", value ? value : otherwise) >= (int)size)
		out[0] = 0;
}

static void __attribute__((constructor))
begin(void)
{
	struct state *st = state();
	const char *deliver = getenv("SOCKEYE_DELIVER");
	struct stat err;

	(void)next();
	atomic_store(&st->pid, getpid());
	st->log_only = deliver && strcmp(deliver, "log") == 0;
	copy_env(st->log, sizeof(st->log), "SOCKEYE_DELIVER_LOG", "");
	copy_env(st->icmpd, sizeof(st->icmpd), "SOCKEYE_ICMPD", SKY_ICMPD_PATH);
	st->tells = st->log_only || st->log[0];
	if (fstat(STDERR_FILENO, &err) == 0) {
		st->err_dev = err.st_dev;
		st->err_ino = err.st_ino;
	}
	pthread_atfork(NULL, forked_here, forked_there);
}
