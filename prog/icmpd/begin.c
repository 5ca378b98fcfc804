/* SPDX-License-Identifier: BSD-2-Clause */
/* begin.c - opens everything, gives rights up; see daemon.h. */
#include "compat.h"
#include "daemon.h"

#include "sys/confine.h"
#include "sys/device.h"
#include "sys/local.h"
#include "sys/service.h"
#include "sys/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	RCVBUF = 8 << 20,
	BACKLOG = 128,
	OTHER_DESCRIPTORS = 32,
};

static int
fail(const char *what, int r, const char *more)
{
	fprintf(stderr, "icmpd: '%s': %s%s\n", what, strerror(-r), more);
	return 1;
}

static int
open_raw(struct daemon *d)
{
	const char *right = " (expected to be root, or to have CAP_NET_RAW)";

	d->raw4 = sky_rawicmp_open(AF_INET, RCVBUF);
	if (d->raw4 < 0)
		return fail("ICMP", d->raw4, d->raw4 == -EPERM ? right : "");
	d->raw6 = sky_rawicmp_open(AF_INET6, RCVBUF);
	/* a host without IPv6 has no ICMPv6 either */
	if (d->raw6 < 0 && d->raw6 != -EAFNOSUPPORT)
		return fail("ICMPv6", d->raw6, d->raw6 == -EPERM ? right : "");
	return 0;
}

static const char *
listen_advice(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return " (somebody listens there already)";
	case -ENOTSOCK:
		return " (expected a socket, or nothing)";
	case -EACCES:
		return " (expected a folder that only root or this user may write to)";
	default:
		return "";
	}
}

static int
open_listener(struct daemon *d, const struct sky_user *u)
{
	int r;

	if (sky_service_descriptors() > 0 &&
	    sky_service_is_listener(SKY_SERVICE_FD, AF_UNIX, SOCK_SEQPACKET)) {
		d->listener = SKY_SERVICE_FD;
		d->listener_inherited = true;
		fcntl(d->listener, F_SETFL, O_NONBLOCK);
		return 0;
	}
	r = sky_local_folder(d->o.socket, u->uid, u->gid);
	if (r < 0 && r != -EACCES)
		return fail(d->o.socket, r, "");
	d->listener = sky_local_listen(d->o.socket, SOCK_SEQPACKET, BACKLOG, u->uid);
	return d->listener < 0 ? fail(d->o.socket, d->listener, listen_advice(d->listener)) : 0;
}

static int
open_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals < 0 ? fail("signals", -errno, "") : 0;
}

static int
open_loop(struct daemon *d)
{
	const struct {
		int fd;
		uint32_t token;
	} all[] = {
		{ d->raw4, TOKEN_RAW4 }, { d->raw6, TOKEN_RAW6 },
		{ d->listener, TOKEN_LISTENER },
	};
	int r;

	d->wait = sky_poller_open();
	r = d->wait;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && r >= 0; i++)
		if (all[i].fd >= 0)
			r = sky_poller_add(d->wait, all[i].fd, 0, all[i].token);
	return r < 0 ? fail("epoll", r, "") : 0;
}

/* Each client needs two, and nobody else may have them. */
static int
raise_limit(struct daemon *d)
{
	rlim_t want = d->o.clients * 2 + OTHER_DESCRIPTORS;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return fail("RLIMIT_NOFILE", -errno, "");
	if (l.rlim_cur >= want)
		return 0;
	if (l.rlim_max < want && geteuid() == 0)
		l.rlim_max = want;
	l.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	return 0;
}

static int
open_tables(struct daemon *d)
{
	uint64_t key[2];
	int r = sky_device_random(key, sizeof(key));

	if (r == 0)
		r = table_init(&d->table, key);
	if (r < 0)
		return fail("memory", r, "");
	d->count[SKY_ICMPD_C_STARTED] = (uint64_t)time(NULL);
	d->spare = fcntl(d->signals, F_DUPFD_CLOEXEC, 0);
	return 0;
}

static int
find_user(const struct daemon *d, struct sky_user *u)
{
	*u = (struct sky_user){ geteuid(), getegid() };
	if (geteuid() != 0 || sky_confine_find(d->o.user, u) == 0)
		return 0;
	fprintf(stderr, "icmpd: '%s': no such user (expected one whose rights are to be taken: "
	    "--user NAME)\n", d->o.user);
	return 2;
}

/* Linux before 6.16 has no way to keep descriptors out: see client_abandon(). */
static void
keep_rights_out(struct daemon *d)
{
	d->rights_pass = sky_local_no_rights(d->listener) < 0;
}

int
begin(struct daemon *d)
{
	struct sky_user u;
	int r = find_user(d, &u);
	int diag;

	if (r == 0)
		r = raise_limit(d);
	if (r == 0)
		r = open_raw(d);
	if (r == 0)
		r = open_listener(d, &u);
	if (r == 0)
		r = compat_open(d);
	if (r)
		return r;
	keep_rights_out(d);
	diag = sky_diag_open(&d->diag);
	if (diag == 0)
		diag = sky_diag_check(&d->diag);
	if (diag < 0)
		return fail("socket diagnostics", diag, " (expected a kernel with udp_diag)");
	d->notify = sky_service_open();
	r = open_signals(d);
	if (r == 0)
		r = open_loop(d);
	if (r == 0)
		r = open_tables(d);
	say_open(d);
	return r;
}

/* All that runs after this: reading, writing, memory, the clock, the end. */
static const char *const calls[] = {
	"read", "write", "close", "sendto", "sendmsg", "sendmmsg", "recvfrom",
	"recvmsg", "recvmmsg", "accept4", "getsockopt", "setsockopt", "getsockname",
	"epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll", "fcntl", "brk",
	"mmap", "munmap", "mremap", "madvise", "clock_gettime", "getpid", "gettid",
	"futex", "unlink", "getrandom", "rt_sigreturn", "rt_sigprocmask",
	"restart_syscall", "shutdown", "exit", "exit_group", "newfstatat", "dup3", "dup2",
	"fstat", "lseek",
};

/* What a build lacks is said, and gone without; what fails is the end. */
static int
check(struct daemon *d, const char *what, int r)
{
	if (r == -ENOSYS) {
		say(d, "%s: not in this build, gone without", what);
		return 0;
	}
	return r < 0 ? fail(what, r, "") : 0;
}

int
begin_confined(struct daemon *d)
{
	struct sky_user u;
	int r = find_user(d, &u);

	/* epoll tells of the signals of whoever added the descriptor: not of a parent */
	if (r == 0)
		r = check(d, "signals", sky_poller_add(d->wait, d->signals, 0, TOKEN_SIGNALS));
	if (r == 0)
		r = check(d, "--compat-socket", compat_begin(d, &u));
	if (r == 0)
		r = check(d, "capability bounding set", sky_confine_bounding());
	if (r == 0)
		r = check(d, d->o.user, sky_confine_user(&u));
	/* what clients see is not who opened it: root, systemd, a parent that is gone */
	if (r == 0)
		r = check(d, d->o.socket, sky_local_listen_again(d->listener,
		    d->listener_inherited ? SOMAXCONN : BACKLOG));
	if (r == 0)
		r = check(d, "capabilities", sky_confine_capabilities());
	if (r == 0)
		r = check(d, "no new privileges", sky_confine_privileges());
	if (r == 0)
		r = check(d, "system calls", sky_confine_calls(calls,
		    sizeof(calls) / sizeof(calls[0])));
	return r;
}

void
begin_release(struct daemon *d)
{
	if (d->listener >= 0 && !d->listener_inherited)
		(void)sky_local_unlink(d->o.socket);
	if (d->compat_bound)
		(void)sky_local_unlink(d->o.compat);
	client_release_all(d);
	table_release(&d->table);
}
