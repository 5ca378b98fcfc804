/* SPDX-License-Identifier: BSD-2-Clause */
/* second.c - see second.h. */
#include "second.h"
#include "next.h"
#include "queue.h"
#include "vouch.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sockeye/icmpd.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENTS = 4, ROUNDS = 1024, PATIENCE = 200 };

struct second {
	_Atomic uintptr_t busy;		/* the one thread that is inside */
	_Atomic int fd;			/* of the handle, or -1 */
	struct sky_icmpd d;
	uint64_t room[SKY_ICMPD_ROOM(SOCKS) / sizeof(uint64_t)];
};

static struct second *
second(void)
{
	static struct second s = { .fd = -1 };

	return &s;
}

/* Bounded: who holds it may be the thread that a signal handler interrupted. */
static bool
lock(struct second *x, int tries)
{
	for (int i = 0; i < tries; i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&x->busy, &none, (uintptr_t)pthread_self()))
			return true;
		sched_yield();
	}
	return false;
}

static void
unlock(struct second *x)
{
	atomic_store(&x->busy, 0);
}

int
second_fd(void)
{
	return atomic_load_explicit(&second()->fd, memory_order_relaxed);
}

static bool
begin(struct second *x)
{
	struct sky_icmpd_conf c = {
		.size = sizeof(c), .flags = SKY_ICMPD_NOW, .path = state()->icmpd,
		.room = x->room, .room_size = sizeof(x->room),
	};

	if (atomic_load(&x->fd) >= 0)
		return true;
	if (access(c.path, W_OK) < 0 || sky_icmpd_open(&x->d, &c) < 0)
		return false;
	atomic_store(&x->fd, sky_icmpd_fd(&x->d));
	return true;
}

static uint64_t
tag_of(const struct sock *s)
{
	return (uint64_t)atomic_load(&s->generation) << 32 | (uint64_t)(s - state()->sock);
}

static struct sock *
by_tag(uint64_t tag)
{
	uint32_t i = (uint32_t)tag;
	struct sock *s = i < SOCKS ? &state()->sock[i] : NULL;

	return s && tag_of(s) == tag && atomic_load(&s->refs) ? s : NULL;
}

void
second_join(struct sock *s, int fd)
{
	struct second *x = second();
	int saved = errno, id = -1;

	if (!state()->icmpd[0] || atomic_load(&s->id) >= 0 || !lock(x, PATIENCE))
		return;
	if (begin(x))
		id = sky_icmpd_add(&x->d, fd, tag_of(s));
	atomic_store(&s->id, id);
	unlock(x);
	if (id >= 0 && s->watch.epfd >= 0)
		second_watch(s->watch.epfd);
	errno = saved;
}

void
second_leave(struct sock *s)
{
	struct second *x = second();
	int saved = errno, id = atomic_exchange(&s->id, -1);

	if (id < 0 || !lock(x, PATIENCE))
		return;
	if (atomic_load(&x->fd) >= 0)
		sky_icmpd_remove(&x->d, id);
	unlock(x);
	errno = saved;
}

bool
second_has(const struct sock *s)
{
	return atomic_load(&s->id) >= 0 && sock_has(s, SOCK_ACCEPTED);
}

/* The kernel has no errno for these; it calls a source quench EREMOTEIO where it
 * tells one at all, and the other kind of exceeded time EHOSTUNREACH. */
static int
errno_of(const struct sky_fate *f)
{
	if (f->err)
		return f->err;
	return f->what == SKY_QUENCHED ? EREMOTEIO : EHOSTUNREACH;
}

/* Is it news, or will the error queue have it, too? */
static bool
is_news(const struct sock *s, const struct sky_fate *f)
{
	int family = sky_addr_family(&f->dst);
	const struct sky_icmp_row *row = sky_icmp_find(family, f->icmp_type, f->icmp_code);

	if (!row || f->proto == IPPROTO_TCP)
		return false;
	if (sock_has(s, SOCK_SHARED_PORT) && !sock_has(s, SOCK_CONNECTED))
		return vouch_ask(s, &f->dst) == VOUCH_YES;
	return !row->err_queue && vouch_ask(s, &f->dst) != VOUCH_NO;
}

static void
take(const struct sky_icmpd_event *e)
{
	struct sock *s = by_tag(e->tag);
	struct sky_fate f = e->fate;

	if (!s || e->id < 0)
		return;
	if (e->kind == SKY_ICMPD_ADDED)
		sock_set(s, SOCK_ACCEPTED);
	if (e->kind == SKY_ICMPD_REFUSED)
		sock_clear(s, SOCK_ACCEPTED);
	if (e->kind != SKY_ICMPD_FATE || !is_news(s, &f))
		return;
	f.err = errno_of(&f);
	queue_learn(s, &f);
}

/* While icmpd is gone the queue is all there is. */
static void
all_refused(void)
{
	for (int i = 0; i < atomic_load(&state()->sock_top); i++)
		sock_clear(&state()->sock[i], SOCK_ACCEPTED);
}

void
second_take(void)
{
	struct second *x = second();
	struct sky_icmpd_event e[EVENTS];
	int saved = errno, n = EVENTS;

	if (second_fd() < 0 || !lock(x, 1))
		return;
	for (int i = 0; i < ROUNDS && n > 0 && atomic_load(&x->fd) >= 0; i++) {
		n = sky_icmpd_recv(&x->d, e, EVENTS, NULL, 0);
		for (int j = 0; j < n; j++) {
			if (e[j].kind == SKY_ICMPD_DOWN)
				all_refused();
			take(&e[j]);
		}
	}
	unlock(x);
	errno = saved;
}

void
second_watch(int epfd)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.u64 = SECOND_MARK };
	int saved = errno, fd = second_fd();

	if (fd >= 0)
		next()->epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &e);
	errno = saved;
}

/* The handle itself may close them. */
bool
second_owns(int fd)
{
	if (second_fd() < 0 || atomic_load(&second()->busy) == (uintptr_t)pthread_self())
		return false;
	return sky_icmpd_has(&second()->d, fd);
}

/* Sockets are registered again by their next send. */
static void
unjoin_all(void)
{
	for (int i = 0; i < atomic_load(&state()->sock_top); i++) {
		atomic_store(&state()->sock[i].id, -1);
		sock_clear(&state()->sock[i], SOCK_READY | SOCK_ACCEPTED);
	}
}

void
second_yield(void)
{
	struct second *x = second();
	int saved = errno;

	if (second_fd() < 0 || !lock(x, PATIENCE))
		return;
	if (atomic_exchange(&x->fd, -1) >= 0)
		sky_icmpd_close(&x->d);
	unjoin_all();
	unlock(x);
	errno = saved;
}

void
second_forget(void)
{
	struct second *x = second();

	if (atomic_exchange(&x->fd, -1) >= 0) {
		sky_icmpd_forget(&x->d);
		unjoin_all();
	}
	unlock(x);
}
