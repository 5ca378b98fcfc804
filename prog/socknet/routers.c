/* SPDX-License-Identifier: BSD-2-Clause */
/* routers.c - the processes that are routers: see routers.h. */
#include "routers.h"
#include "oddhost.h"

#include "prog/socknet/router/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALL_RECORDS (1u << 19)	/* of all routers together: 48 MiB, if written */
#define ALL_BUFFERS (1u << 16)
#define ALL_FRAMES (1u << 15)	/* of all rings: 64 MiB at 2048 bytes */

/* What a router says before it forwards. */
struct said {
	int error;		/* negative errno, or 0 */
	char what[64];
};

/* So many of a common sum, a power of two within limits. */
static uint32_t
share(uint32_t sum, unsigned of, uint32_t min, uint32_t max)
{
	uint32_t n = max;

	while (n > min && n > sum / (of ? of : 1))
		n /= 2;
	return n;
}

/* The sockets are open: no privilege is needed any more. */
static int
drop_privileges(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, none))
		return -errno;
	return 0;
}

static _Noreturn void
be_router(const struct routers *r, struct net *n, unsigned i, int tell)
{
	struct rt_conf *c = r->lab->router[i].conf;
	struct said said = { 0 };
	const char *what = "namespace";
	struct rt_io *io = NULL;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);		/* Ctrl-C is for the lab, which then ends us */
	prctl(PR_SET_NAME, r->lab->host[r->lab->router[i].host].name);
	said.error = oddhost_prepare(r->lab, n, i);
	said.error = said.error ? said.error : net_enter(n, r->lab->router[i].host);
	if (!said.error && dup2(tell, 3) == 3) {
		close_range(4, ~0u, 0);
		fcntl(3, F_SETFD, FD_CLOEXEC);
		said.error = rt_io_open(&io, c, &what);
	}
	if (!said.error) {
		what = "dropping privileges";
		said.error = drop_privileges();
	}
	snprintf(said.what, sizeof(said.what), "%s", what);
	if (write(3, &said, sizeof(said)) != sizeof(said) || said.error)
		_exit(1);
	close(3);
	if (r->lab->router[i].odd)
		oddhost_run(io, &r->lab->router[i], r->ledger[i], r->slots);
	else
		rt_io_run(io, c, r->ledger[i], r->slots, -1);
	_exit(1);
}

static void *
shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int
fail(struct net *n, const struct lab *lab, unsigned i, const char *what, int error)
{
	const struct lab_host *h = &lab->host[lab->router[i].host];

	snprintf(n->error, sizeof(n->error), "%s:%u: router %s: %s: %s",
	    lab_file(lab, h->line), LAB_LINE(h->line), h->name, what, strerror(error));
	return -1;
}

static int
start(struct routers *r, struct net *n, unsigned i, int *tell)
{
	int p[2];

	r->ledger[i] = shared(sizeof(struct rt_ledger) + r->slots * sizeof(struct rt_record));
	if (!r->ledger[i] || pipe2(p, O_CLOEXEC))
		return fail(n, r->lab, i, "memory", errno);
	r->pid[i] = fork();
	if (r->pid[i] == 0)
		be_router(r, n, i, p[1]);
	close(p[1]);
	*tell = p[0];
	return r->pid[i] < 0 ? fail(n, r->lab, i, "fork", errno) : 0;
}

static void
size_all(const struct lab *lab)
{
	unsigned interfaces = 0;

	for (unsigned i = 0; i < lab->routers; i++)
		interfaces += lab->router[i].conf->ifaces;
	for (unsigned i = 0; i < lab->routers; i++) {
		lab->router[i].conf->buffers = share(ALL_BUFFERS, lab->routers, 1024, 16384);
		lab->router[i].conf->ring = share(ALL_FRAMES, interfaces, 256, 8192);
	}
}

int
routers_start(struct routers *r, const struct lab *lab, struct net *n)
{
	struct said said;
	int *tell;
	int bad = 0;

	*r = (struct routers){ .lab = lab, .count = lab->routers,
		.slots = share(ALL_RECORDS, lab->routers, 8192, 65536) };
	if (!lab->routers)
		return 0;
	size_all(lab);
	r->pid = calloc(r->count, sizeof(*r->pid));
	r->ledger = calloc(r->count, sizeof(struct rt_ledger *));
	tell = calloc(r->count, sizeof(*tell));
	if (!r->pid || !r->ledger || !tell) {
		free(tell);
		return fail(n, lab, 0, "memory", ENOMEM);
	}
	fflush(NULL);
	/* all at once, then the wait for each */
	for (unsigned i = 0; i < r->count && !bad; i++)
		bad = start(r, n, i, &tell[i]);
	for (unsigned i = 0; i < r->count && !bad; i++)
		if (read(tell[i], &said, sizeof(said)) != sizeof(said))
			bad = fail(n, lab, i, "it ended", ECHILD);
		else if (said.error)
			bad = fail(n, lab, i, said.what, -said.error);
	for (unsigned i = 0; i < r->count; i++)
		if (tell[i] > 0)
			close(tell[i]);
	free(tell);
	return bad;
}

unsigned
routers_find(const struct routers *r, pid_t pid)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->pid[i] == pid)
			return i;
	return LAB_NONE;
}

uint64_t
routers_records(const struct routers *r, unsigned router)
{
	uint64_t n = __atomic_load_n(&r->ledger[router]->next, __ATOMIC_ACQUIRE);

	return n < r->slots ? n : r->slots;
}

uint64_t
routers_forgotten(const struct routers *r, unsigned router)
{
	uint64_t n = __atomic_load_n(&r->ledger[router]->next, __ATOMIC_ACQUIRE);

	return n < r->slots ? 0 : n - r->slots;
}

bool
routers_record(const struct routers *r, unsigned router, uint64_t i, struct rt_record *out)
{
	const struct rt_ledger *l = r->ledger[router];
	uint64_t n = __atomic_load_n(&l->next, __ATOMIC_ACQUIRE), t;
	const struct rt_record *rec;

	if (n > r->slots)
		i += n - r->slots;
	if (i >= n)
		return false;
	rec = &l->record[i & (r->slots - 1)];
	t = __atomic_load_n(&rec->time_ns, __ATOMIC_ACQUIRE);
	*out = *rec;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return t && t == __atomic_load_n(&rec->time_ns, __ATOMIC_RELAXED) &&
	    i + r->slots >= __atomic_load_n(&l->next, __ATOMIC_ACQUIRE);
}
