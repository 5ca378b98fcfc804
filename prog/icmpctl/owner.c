/* SPDX-License-Identifier: BSD-2-Clause */
/* owner.c - see owner.h. */
#include "owner.h"

#include "sys/clock.h"
#include "sys/diag.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 65536		/* a power of two; half of them are used at most */
#define FDS_MAX 2000000		/* of one reading of /proc */

/* Where a socket was seen. pid 0: in no process; fd is the enum owner_is then. */
struct place {
	uint64_t inode;		/* 0: free */
	uint32_t pid, others, last;	/* the first, how many more, the last one */
	int fd;
};

struct owners {
	unsigned used;
	bool all;		/* the last reading left nothing out */
	bool here;		/* our kernel's answers are about the same network */
	uint64_t again_ns;	/* not to be read before */
	struct sky_diag diag;
	struct place place[SLOTS];
};

struct owners *
owners_new(void)
{
	struct owners *o = calloc(1, sizeof(*o));

	if (o && sky_diag_open(&o->diag) < 0)
		o->diag.fd = -1;
	return o;
}

void
owners_here(struct owners *o)
{
	o->here = true;
}

void
owners_free(struct owners *o)
{
	if (o)
		sky_diag_close(&o->diag);
	free(o);
}

/* Its slot, or the free one where it belongs. */
static struct place *
slot_of(struct owners *o, uint64_t inode)
{
	uint32_t i = (uint32_t)(inode * 0x9e3779b97f4a7c15u >> 48);

	while (o->place[i % SLOTS].inode && o->place[i % SLOTS].inode != inode)
		i++;
	return &o->place[i % SLOTS];
}

static void
remember(struct owners *o, uint64_t inode, uint32_t pid, int fd)
{
	struct place *p = slot_of(o, inode);

	if (p->inode && p->pid) {
		p->others += p->last != pid;
		p->last = pid;
		return;
	}
	if (!p->inode && o->used >= SLOTS / 2)
		return;
	o->used += !p->inode;
	*p = (struct place){ .inode = inode, .pid = pid, .last = pid, .fd = fd };
}

/* The inode of a link "socket:[123]", or 0. A folder may be read whose links may
 * not: then *hidden is set. */
static uint64_t
inode_of(int dir, const char *name, bool *hidden)
{
	char text[64], *end;
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);
	uint64_t inode;

	if (n < 0) {
		*hidden |= errno == EACCES || errno == EPERM;
		return 0;
	}
	text[n] = '\0';
	if (strncmp(text, "socket:[", 8))
		return 0;
	inode = strtoull(text + 8, &end, 10);
	return *end == ']' ? inode : 0;
}

/* Returns how many descriptors were looked at, or a negative errno. */
static int
read_process(struct owners *o, const char *pid)
{
	char path[64];
	bool hidden = false;
	struct dirent *e;
	uint64_t inode;
	int n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	if (!d)
		return -errno;
	while ((e = readdir(d)) && n < FDS_MAX) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		inode = inode_of(dirfd(d), e->d_name, &hidden);
		if (inode)
			remember(o, inode, (uint32_t)strtoul(pid, NULL, 10),
			    (int)strtol(e->d_name, NULL, 10));
	}
	closedir(d);
	o->all &= !hidden;
	return n;
}

/* Reads all of /proc that this user may read. A process that ended meanwhile
 * had nothing; one that may not be read may have anything. */
static void
read_all(struct owners *o)
{
	struct dirent *e;
	int n, sum = 0;
	DIR *d = opendir("/proc");

	memset(o->place, 0, sizeof(o->place));
	o->used = 0;
	o->all = d != NULL;
	while (d && (e = readdir(d)) && sum < FDS_MAX) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9')
			continue;
		n = read_process(o, e->d_name);
		if (n < 0 && n != -ENOENT && n != -ESRCH)
			o->all = false;
		sum += n > 0 ? n : 0;
	}
	if (d)
		closedir(d);
	if (sum >= FDS_MAX || o->used >= SLOTS / 2)
		o->all = false;
}

/* Not more than a tenth of the time: a storm of errors from sockets that are
 * gone must not keep a processor busy. */
static void
read_again(struct owners *o)
{
	uint64_t start = sky_clock_steady();
	struct timespec t;

	if (start < o->again_ns) {
		t.tv_sec = (time_t)((o->again_ns - start) / 1000000000);
		t.tv_nsec = (long)((o->again_ns - start) % 1000000000);
		nanosleep(&t, NULL);
		start = sky_clock_steady();
	}
	read_all(o);
	o->again_ns = sky_clock_steady();
	o->again_ns += 9 * (o->again_ns - start);
}

/* A name can hold anything; a terminal must not be told what to do by it. */
static void
read_comm(uint32_t pid, char *comm)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, OWNER_COMM - 1);
		close(fd);
	}
	comm[n > 0 ? n - 1 : 0] = '\0';		/* ends with a newline */
	for (; *comm; comm++)
		if (*comm < ' ' || *comm > '~')
			*comm = '?';
}

/* Is it still where it was? Then it is told. */
static bool
tell(struct owners *o, uint64_t inode, struct owner *out)
{
	struct place *p = slot_of(o, inode);
	bool hidden = false;
	char path[64];

	memset(out, 0, sizeof(*out));
	out->is = OWNER_UNSEEN;
	if (!p->inode)
		return false;
	if (!p->pid) {
		out->is = (enum owner_is)p->fd;
		return true;
	}
	snprintf(path, sizeof(path), "/proc/%u/fd/%d", p->pid, p->fd);
	if (inode_of(AT_FDCWD, path, &hidden) != inode)
		return false;
	out->is = OWNER_FOUND;
	out->pid = p->pid;
	out->others = p->others;
	read_comm(p->pid, out->comm);
	return true;
}

/* What the kernel says now of the sockets asked for. */
static void
ask_kernel(struct owners *o, const struct owner_ask *ask, struct sky_diag_answer *a, unsigned n)
{
	struct sky_diag_ask q[SKY_DIAG_BATCH];

	for (unsigned i = 0; i < n; i++) {
		a[i] = (struct sky_diag_answer){ .err = -ENODATA };
		q[i] = (struct sky_diag_ask){ .proto = IPPROTO_UDP };
		if (ask[i].inode)
			q[i] = (struct sky_diag_ask){ .proto = ask[i].fate->proto,
				.ifindex = ask[i].fate->ifindex, .local = ask[i].fate->src,
				.remote = ask[i].fate->dst };
	}
	if (o->here && o->diag.fd >= 0)
		sky_diag_ask(&o->diag, q, a, n);
}

/* Not known is not gone. */
static bool
still_there(const struct owner_ask *ask, const struct sky_diag_answer *a)
{
	return a->err == 0 ? a->cookie == ask->cookie : a->err != -ENOENT;
}

static bool
is_connected(const struct owner_ask *ask, const struct sky_diag_answer *a)
{
	return a->err == 0 && a->cookie == ask->cookie &&
	       sky_addr_family(&a->remote) != AF_UNSPEC &&
	       sky_addr_equal(&a->remote, &ask->fate->dst);
}

/* After /proc was read. */
static void
settle(struct owners *o, const struct owner_ask *ask, const struct sky_diag_answer *a,
    struct owner *out)
{
	if (tell(o, ask->inode, out))
		return;
	if (!still_there(ask, a))
		out->is = OWNER_GONE;
	else if (o->all)
		out->is = OWNER_NONE;
	if (out->is != OWNER_UNSEEN)
		remember(o, ask->inode, 0, out->is);
}

static void
find_some(struct owners *o, const struct owner_ask *ask, struct owner *out, unsigned n)
{
	struct sky_diag_answer a[SKY_DIAG_BATCH];
	bool known = true;
	unsigned i;

	for (i = 0; i < n; i++)
		known &= !ask[i].inode || tell(o, ask[i].inode, &out[i]);
	if (!known)
		read_again(o);
	ask_kernel(o, ask, a, n);
	for (i = 0; i < n && !known; i++)
		if (ask[i].inode)
			settle(o, &ask[i], &a[i], &out[i]);
	for (i = 0; i < n; i++)
		out[i].connected = ask[i].inode && is_connected(&ask[i], &a[i]);
}

void
owners_find(struct owners *o, const struct owner_ask *ask, struct owner *out, unsigned n)
{
	memset(out, 0, n * sizeof(*out));
	for (unsigned i = 0; i < n; i += SKY_DIAG_BATCH)
		find_some(o, ask + i, out + i, n - i < SKY_DIAG_BATCH ? n - i : SKY_DIAG_BATCH);
}
