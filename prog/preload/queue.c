/* SPDX-License-Identifier: BSD-2-Clause */
/* queue.c - see queue.h. */
#include "queue.h"
#include "next.h"
#include "second.h"
#include "tell.h"
#include "vouch.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sockeye/udp.h>

/* A queue that is refilled as fast as it is read must not hold a call. */
enum { ENTRIES = 4096, QUOTE = 64, CONTROL = 512 };

enum {
	RFC4884_V4 = 26,	/* IP_RECVERR_RFC4884 */
	RFC4884_V6 = 31,	/* IPV6_RECVERR_RFC4884 */
	MEMINFO = 55,		/* SO_MEMINFO */
};

/* Those that a UDP send can find by itself come last. */
static const struct {
	int err;
	bool only_icmp;
} stale[] = {
	{ ECONNREFUSED, true }, { ENOPROTOOPT, true }, { EHOSTDOWN, true }, { ENONET, true },
	{ EPROTO, true }, { EREMOTEIO, true }, { EHOSTUNREACH, false }, { ENETUNREACH, false },
	{ EMSGSIZE, false }, { EACCES, false }, { EOPNOTSUPP, false },
};

bool
queue_may_be_stale(int err)
{
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
		if (stale[i].err == err)
			return true;
	return false;
}

bool
queue_is_stale(int err)
{
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
		if (stale[i].err == err)
			return stale[i].only_icmp;
	return false;
}

static bool
is_set(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	return next()->getsockopt(fd, level, name, &value, &len) == 0 && value;
}

static void
set(int fd, bool six, int on)
{
	const struct next *n = next();

	n->setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	n->setsockopt(fd, IPPROTO_IP, RFC4884_V4, &on, sizeof(on));
	if (!six)
		return;
	n->setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	n->setsockopt(fd, IPPROTO_IPV6, RFC4884_V6, &on, sizeof(on));
}

/* The second option is our mark: hardly a program sets it, and it stays with the
 * socket through fork, exec and a Unix socket. */
uint32_t
queue_flags(int fd, bool six)
{
	uint32_t flags = six ? SOCK_SIX : 0;
	bool on = is_set(fd, IPPROTO_IP, IP_RECVERR) ||
	    (six && is_set(fd, IPPROTO_IPV6, IPV6_RECVERR));

	if (!on)
		return flags;
	return flags | (is_set(fd, IPPROTO_IP, RFC4884_V4) ? SOCK_ON : SOCK_HANDS_OFF);
}

void
queue_on(struct sock *s, int fd)
{
	int saved = errno;

	if (!sock_has(s, SOCK_ON | SOCK_HANDS_OFF)) {
		set(fd, sock_has(s, SOCK_SIX), 1);
		sock_set(s, SOCK_ON);
	}
	if (!sock_has(s, SOCK_HANDS_OFF)) {
		if (is_set(fd, SOL_SOCKET, SO_REUSEPORT))
			sock_set(s, SOCK_SHARED_PORT);
		second_join(s, fd);
	}
	sock_set(s, SOCK_READY);
	errno = saved;
}

bool
queue_is_ours(struct sock *s, int fd)
{
	int saved = errno;
	uint32_t now;

	if (sock_has(s, SOCK_HANDS_OFF))
		return false;
	now = queue_flags(fd, sock_has(s, SOCK_SIX));
	if (!(now & SOCK_ON) && sock_has(s, SOCK_ON))
		sock_closed((unsigned)fd, (unsigned)fd);
	else
		sock_set(s, now);
	errno = saved;
	return now & SOCK_ON;
}

/* An error that is pending is one that it had not seen. */
void
queue_give_back(struct sock *s, int fd)
{
	int saved = errno;

	if (sock_has(s, SOCK_HANDS_OFF))
		return;
	if (sock_has(s, SOCK_ON)) {
		set(fd, sock_has(s, SOCK_SIX), 0);
		if (!sock_has(s, SOCK_CONNECTED))
			(void)is_set(fd, SOL_SOCKET, SO_ERROR);
	}
	sock_set(s, SOCK_HANDS_OFF);
	errno = saved;
}

/* One entry. True if there was one. */
static bool
read_entry(int fd, struct sky_fate *f)
{
	_Alignas(struct cmsghdr) uint8_t control[CONTROL];
	uint8_t quote[QUOTE];
	struct sockaddr_storage name;
	struct iovec iov = { quote, sizeof(quote) };
	struct msghdr m = {
		.msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = next()->recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return false;
	sky_udp_entry(f, &m, (size_t)n);
	f->quote = f->ext = NULL;
	f->quote_len = f->ext_len = 0;
	return true;
}

/* A local error was the return value of a send; stamps and completions are none. */
static bool
is_news(const struct sky_fate *f)
{
	return (f->origin == SKY_ORIGIN_ICMP || f->origin == SKY_ORIGIN_ICMP6) && f->err;
}

static bool
is_plain(const struct sky_fate *f)
{
	int family = f->origin == SKY_ORIGIN_ICMP ? AF_INET : AF_INET6;
	const struct sky_icmp_row *row = sky_icmp_find(family, f->icmp_type, f->icmp_code);

	return row && row->err_connected;
}

/* What was never sent is told, and not believed; where several sockets share a port
 * the kernel may have given us another one's. */
static bool
is_believed(struct sock *s, struct sky_fate *f)
{
	bool shared = sock_has(s, SOCK_SHARED_PORT) && !sock_has(s, SOCK_CONNECTED);
	enum vouch v = vouch_ask(s, &f->dst);

	if (f->evidence == SKY_BY_ICMPD)
		return true;
	if (v == VOUCH_NO && !shared)
		f->trust = SKY_TRUST_MISMATCH;
	return v != VOUCH_NO;
}

static bool
is_shown(struct sock *s, struct sky_fate *f)
{
	return !state()->log_only || (sock_has(s, SOCK_CONNECTED) && is_plain(f));
}

/* The queue's part of a shared port is left to icmpd, where that knows better. */
static bool
is_left(const struct sock *s)
{
	return sock_has(s, SOCK_SHARED_PORT) && !sock_has(s, SOCK_CONNECTED) && second_has(s);
}

/* The errno of a record, 0 if the program is not to see it. */
static int
judge(struct sock *s, struct sky_fate *f)
{
	bool believed;

	if (f->evidence == SKY_BY_QUEUE && (!is_news(f) || is_left(s)))
		return 0;
	believed = is_believed(s, f);
	if (believed || f->trust == SKY_TRUST_MISMATCH)
		tell(f);
	return believed && is_shown(s, f) ? f->err : 0;
}

/* The first one is kept. */
static void
keep(struct sock *s, int err)
{
	int none = 0;

	if (!err || !atomic_compare_exchange_strong(&s->kept, &none, err))
		return;
	atomic_fetch_add(&state()->kept, 1);
	sock_clear(s, SOCK_TOLD);
	sock_set(s, SOCK_WAITS);
}

static int
unkeep(struct sock *s)
{
	int err = atomic_exchange(&s->kept, 0);

	if (err)
		atomic_fetch_sub(&state()->kept, 1);
	return err;
}

int
queue_take(struct sock *s, int fd, bool *hidden)
{
	int saved = errno;
	int err = unkeep(s);
	struct sky_fate f;

	sock_clear(s, SOCK_WAITS);
	for (int i = 0; !err && i < ENTRIES && read_entry(fd, &f); i++) {
		err = judge(s, &f);
		*hidden |= !err;
	}
	if (err)
		sock_set(s, SOCK_WAITS);
	errno = saved;
	return err;
}

static void
look_for_one(struct sock *s, int fd)
{
	struct sky_fate f;

	for (int i = 0; !atomic_load(&s->kept) && i < ENTRIES && read_entry(fd, &f); i++)
		keep(s, judge(s, &f));
}

/* A record that found no room leaves its errno behind, and with it POLLERR. */
static void
take_errno(struct sock *s, int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (atomic_load(&s->kept) || next()->getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return;
	if (!err)
		return;
	look_for_one(s, fd);
	if (!state()->log_only || sock_has(s, SOCK_CONNECTED))
		keep(s, err);
}

bool
queue_peek(struct sock *s, int fd)
{
	int saved = errno;

	look_for_one(s, fd);
	take_errno(s, fd);
	errno = saved;
	return atomic_load(&s->kept);
}

void
queue_learn(struct sock *s, struct sky_fate *f)
{
	keep(s, judge(s, f));
}

void
queue_empty(struct sock *s, int fd)
{
	int saved = errno;
	struct sky_fate f;

	for (int i = 0; i < ENTRIES && read_entry(fd, &f); i++)
		keep(s, judge(s, &f));
	take_errno(s, fd);
	errno = saved;
}

int
queue_take_plain(struct sock *s, int fd)
{
	int saved = errno, first = 0;
	struct sky_fate f;

	for (int i = 0; i < ENTRIES && read_entry(fd, &f); i++) {
		int err = judge(s, &f);

		if (err && !first && is_plain(&f))
			first = err;
		else if (!is_plain(&f))
			keep(s, err);
	}
	errno = saved;
	return first;
}

void
queue_relieve(struct sock *s, int fd)
{
	enum { RMEM, RCVBUF, MEMBERS = 9, BATCH = 8 };
	uint32_t m[MEMBERS];
	socklen_t len = sizeof(m);
	int saved = errno;
	struct sky_fate f;
	bool more = true;

	for (int i = 0; more && i < ENTRIES / BATCH; i++) {
		if (next()->getsockopt(fd, SOL_SOCKET, MEMINFO, m, &len) < 0 ||
		    len < sizeof(m[0]) * (RCVBUF + 1) || m[RMEM] < m[RCVBUF] / 4)
			break;
		for (int j = 0; more && j < BATCH; j++) {
			more = read_entry(fd, &f);
			if (more)
				keep(s, judge(s, &f));
		}
	}
	errno = saved;
}
