/* SPDX-License-Identifier: BSD-2-Clause */
/* compat.c - see compat.h. */
#include "compat.h"
#include "compat_read.h"
#include "daemon.h"

#include "sys/clock.h"
#include "sys/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_MS 5000		/* so long a descriptor may take to be looked at */
#define BATCH 32
#define CLIENTS_MAX 1024u	/* a poll of all of them */

enum peer_state { PEER_FREE, PEER_WAITS, PEER_READ };

/* A client, or nobody. A stuck child keeps its place here, and so is counted
 * among those of its user, until it is gone. */
struct peer {
	enum peer_state state;
	int fd;				/* -1: gone, only its child is left */
	int pipe;			/* of the child that reads; -1: none */
	pid_t child;
	uid_t uid;
	uint64_t deadline_ms;		/* of the child */
	struct compat_facts facts;	/* good: errors are wanted */
};

struct compat {
	const char *path;		/* of icmpd itself */
	int listener;
	unsigned clients;		/* at most; an eighth of them of one user */
	uint64_t netns;
	struct sky_icmpd icmpd;
	struct peer *peer;
	struct pollfd *poll;
	bool end;
};

static uint64_t
now_ms(void)
{
	return sky_clock_steady() / 1000000;
}

/* --- events --- */

/* What the book's daemon made of each type; -1: it did not tell. */
static int
err_of(int family, uint8_t type, uint8_t code)
{
	static const struct { int family; uint8_t type; int code, err; } rows[] = {
		{ AF_INET, 3, 3, ECONNREFUSED }, { AF_INET, 3, 4, EMSGSIZE },
		{ AF_INET, 3, -1, EHOSTUNREACH }, { AF_INET, 11, -1, EHOSTUNREACH },
		{ AF_INET, 4, -1, EHOSTUNREACH },
		{ AF_INET6, 1, 4, ECONNREFUSED }, { AF_INET6, 1, -1, EHOSTUNREACH },
		{ AF_INET6, 2, -1, EMSGSIZE }, { AF_INET6, 3, -1, EHOSTUNREACH },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].family == family && rows[i].type == type &&
		    (rows[i].code == -1 || rows[i].code == code))
			return rows[i].err;
	return -1;
}

static void
peer_end(struct peer *p)
{
	if (p->fd >= 0)
		compat_read_close(p->fd);
	p->fd = -1;
	p->facts.good = false;
	if (p->pipe < 0)
		p->state = PEER_FREE;
}

/* A client that does not read loses events; half a one would end the framing. */
static void
peer_tell(struct peer *p, const struct sky_fate *f)
{
	struct compat_err e;
	int err = err_of(sky_addr_family(&f->dst), f->icmp_type, f->icmp_code), len;
	ssize_t n;

	if (err < 0)
		return;
	memset(&e, 0, sizeof(e));
	e.err = err;
	e.type = (char)f->icmp_type;
	e.code = (char)f->icmp_code;
	len = sky_addr_to(&f->dst, p->facts.family, &e.dest);
	if (len < 0)
		return;
	e.len = (socklen_t)len;
	n = send(p->fd, &e, sizeof(e), MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 ? n != (ssize_t)sizeof(e) : errno != EAGAIN)
		peer_end(p);
}

static void
take_fate(struct compat *c, const struct sky_icmpd_event *e)
{
	const unsigned need = SKY_HAVE_ICMP | SKY_HAVE_DST;

	if (!e->owner.known || (e->fate.have & need) != need || e->fate.proto != IPPROTO_UDP)
		return;
	for (unsigned i = 0; i < c->clients; i++) {
		struct peer *p = &c->peer[i];

		if (p->fd >= 0 && p->facts.good && p->facts.cookie == e->owner.cookie &&
		    p->uid == e->owner.uid)
			peer_tell(p, &e->fate);
	}
}

/* Ends with the daemon: what comes after it are errors that nobody hears. */
static void
take_events(struct compat *c)
{
	struct sky_icmpd_event e[BATCH];
	int n;

	do {
		n = sky_icmpd_recv(&c->icmpd, e, BATCH, NULL, 0);
		for (int i = 0; i < n; i++) {
			if (e[i].kind == SKY_ICMPD_FATE)
				take_fate(c, &e[i]);
			c->end |= e[i].kind == SKY_ICMPD_DOWN;
		}
	} while (n == BATCH && !c->end);
}

/* --- clients --- */

static struct peer *
place_for(struct compat *c, uid_t uid)
{
	unsigned most = c->clients / 8 ? c->clients / 8 : 1, of_user = 0;
	struct peer *free_one = NULL;

	for (unsigned i = 0; i < c->clients; i++) {
		struct peer *p = &c->peer[i];

		if (p->state == PEER_FREE)
			free_one = free_one ? free_one : p;
		else
			of_user += p->uid == uid;
	}
	return of_user < most ? free_one : NULL;
}

static void
welcome(struct compat *c)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer *p;

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
	    !(p = place_for(c, who.uid))) {
		compat_read_close(fd);
		return;
	}
	*p = (struct peer){ .state = PEER_WAITS, .fd = fd, .pipe = -1, .uid = who.uid };
}

/* Looks without taking: what may lie there is for the child. */
static void
peer_hear(struct compat *c, struct peer *p)
{
	char byte;
	ssize_t n = recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n > 0)
		p->pipe = compat_read_start(p->fd, p->uid, c->netns, &p->child);
	if (n <= 0 || p->pipe < 0) {
		p->pipe = -1;
		peer_end(p);
		return;
	}
	p->state = PEER_READ;
	p->deadline_ms = now_ms() + READ_MS;
}

/* The child is done. A second descriptor replaces the first, as it did. */
static void
peer_settle(struct peer *p)
{
	ssize_t n = read(p->pipe, &p->facts, sizeof(p->facts));

	if (n < 0 && errno == EAGAIN)
		return;
	close(p->pipe);
	p->pipe = -1;
	p->state = PEER_WAITS;
	p->facts.good &= n == (ssize_t)sizeof(p->facts);
	if (p->fd < 0)
		p->state = PEER_FREE;
	else if (send(p->fd, p->facts.good ? "1" : "0", 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1 ||
		 !p->facts.good)
		peer_end(p);
}

/* A child that does not come back from what it was sent: the client goes, the
 * child is told to, and keeps the place until it has. */
static void
peer_expire(struct peer *p, uint64_t now)
{
	if (p->state != PEER_READ || p->fd < 0 || now < p->deadline_ms)
		return;
	kill(p->child, SIGKILL);
	peer_end(p);
}

/* --- the loop --- */

static int
wait_for(struct compat *c)
{
	int timeout = -1;

	c->poll[0] = (struct pollfd){ .fd = sky_icmpd_fd(&c->icmpd), .events = POLLIN };
	c->poll[1] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
	for (unsigned i = 0; i < c->clients; i++) {
		const struct peer *p = &c->peer[i];

		c->poll[2 + i] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (p->state == PEER_READ)
			c->poll[2 + i].fd = p->pipe;
		else if (p->state == PEER_WAITS)
			c->poll[2 + i].fd = p->fd;
		if (p->state == PEER_READ && p->fd >= 0)
			timeout = READ_MS;
	}
	return poll(c->poll, c->clients + 2, timeout);
}

static void
serve(struct compat *c)
{
	while (!c->end && wait_for(c) >= 0) {
		if (c->poll[0].revents)
			take_events(c);
		for (unsigned i = 0; i < c->clients; i++) {
			struct peer *p = &c->peer[i];

			if (c->poll[2 + i].revents && p->state == PEER_READ)
				peer_settle(p);
			else if (c->poll[2 + i].revents && p->state == PEER_WAITS)
				peer_hear(c, p);
			peer_expire(p, now_ms());
		}
		if (c->poll[1].revents)
			welcome(c);
	}
}

static int
prepare(struct compat *c)
{
	struct sky_icmpd_conf conf = { .size = sizeof(conf), .flags = SKY_ICMPD_NOW,
				       .path = c->path };
	int r;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	c->peer = calloc(c->clients, sizeof(*c->peer));
	c->poll = calloc(c->clients + 2, sizeof(*c->poll));
	if (!c->peer || !c->poll)
		return -ENOMEM;
	for (unsigned i = 0; i < c->clients; i++)
		c->peer[i].fd = c->peer[i].pipe = -1;
	r = sky_icmpd_open(&c->icmpd, &conf);
	return r < 0 ? r : sky_icmpd_watch(&c->icmpd, NULL);
}

static int
netns_here(uint64_t *cookie)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	*cookie = compat_netns(fd);
	close(fd);
	return *cookie ? 0 : -EOPNOTSUPP;
}

static const char *const calls[] = {
	"read", "write", "close", "close_range", "sendto", "sendmsg", "recvfrom",
	"recvmsg", "accept4", "getsockopt", "setsockopt", "getsockname", "shutdown",
	"ioctl", "poll", "ppoll", "epoll_wait", "epoll_pwait", "epoll_ctl",
	"timerfd_settime", "fcntl", "pipe2", "clone", "kill", "setitimer", "brk",
	"mmap", "munmap", "mremap", "madvise", "clock_gettime", "getpid", "gettid",
	"futex", "getrandom", "set_robust_list", "rseq", "rt_sigreturn",
	"rt_sigprocmask", "restart_syscall", "exit", "exit_group", "newfstatat",
	"fstat",
};

static int
drop(const struct sky_user *u)
{
	int r = sky_confine_bounding();

	r = r < 0 && r != -ENOSYS ? r : sky_confine_user(u);
	r = r < 0 && r != -ENOSYS ? r : sky_confine_capabilities();
	r = r < 0 && r != -ENOSYS ? r : sky_confine_privileges();
	/* a change of user forgets it, and the filter does not let it through */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	r = r < 0 && r != -ENOSYS ? r :
	    sky_confine_calls(calls, sizeof(calls) / sizeof(calls[0]));
	return r == -ENOSYS ? 0 : r;
}

/* Says how it went, once, and then serves to the end. The connection to icmpd is
 * made with the rights that let it watch everything, before they are given up. */
_Noreturn static void
child(struct compat *c, const struct sky_user *u, int report)
{
	sigset_t none;
	int r;

	compat_keep(c->listener, report);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, "icmpd-compat");
	r = netns_here(&c->netns);
	r = r < 0 ? r : prepare(c);
	r = r < 0 ? r : drop(u);
	if (write(report, &r, sizeof(r)) < 0 || r < 0)
		_exit(1);
	close(report);
	serve(c);
	_exit(0);
}

int
compat_begin(struct daemon *d, const struct sky_user *u)
{
	struct compat c = { .path = d->o.socket, .listener = d->compat_listener,
			    .clients = d->o.clients < CLIENTS_MAX ? (unsigned)d->o.clients : CLIENTS_MAX };
	int p[2], r = -EPIPE;

	if (c.listener < 0)
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	d->compat = fork();
	if (d->compat == 0) {
		close(p[0]);
		child(&c, u, p[1]);
	}
	close(p[1]);
	close(c.listener);
	d->compat_listener = -1;
	if (d->compat < 0)
		r = -EAGAIN;
	else if (read(p[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
		r = -EPIPE;
	close(p[0]);
	return r;
}

/* --- its place --- */

/* In a folder where all may write others may put what they like, but must not be
 * able to take away what we put there. */
static int
check_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[128];
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", slash > path ? (int)(slash - path) : 1,
	    slash ? path : ".");
	if (stat(folder, &st) < 0)
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return -EACCES;
	return (st.st_mode & 022) && !(st.st_mode & S_ISVTX) ? -EACCES : 0;
}

/* What an icmpd left behind when it was killed. */
static void
remove_stale(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0)
		return;
	if (lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
	    connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 && errno == ECONNREFUSED)
		unlink(a->sun_path);
	close(fd);
}

/* For all to connect to, from its birth: a chmod(2) by name could hit what took its
 * place. */
static int
bind_to(int fd, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int r = check_folder(path);
	mode_t mask;

	if (r < 0)
		return r;
	memcpy(a.sun_path, path, strlen(path));
	remove_stale(&a);
	mask = umask(0111);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

int
compat_open(struct daemon *d)
{
	const char *path = d->o.compat;
	int fd, r = -ENAMETOOLONG;

	if (!path)
		return 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		r = -errno;
	else if (strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path))
		r = bind_to(fd, path);
	if (r == 0) {
		d->compat_listener = fd;
		d->compat_bound = true;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	fprintf(stderr, "icmpd: '%s': %s%s\n", path, strerror(-r),
	    r == -EADDRINUSE ? " (expected nothing there, or a socket that icmpd left)" :
	    r == -EACCES ? " (expected a folder where others cannot take it away)" : "");
	return 1;
}
