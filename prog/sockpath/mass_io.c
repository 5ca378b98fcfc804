/* SPDX-License-Identifier: BSD-2-Clause */
/* mass_io.c - probes out, answers in by a thread of their own; see mass.h. */
#include "mass.h"

#include "cli/host.h"
#include "proto/hopin.h"
#include "sys/clock.h"
#include "sys/device.h"
#include "sys/route.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	HEADS4 = 28, HEADS6 = 48,
	MTU_MOST = 9000,
	BUFFER = 4 << 20,
	REST_US = 100,		/* not woken for each answer, but for some */
};

/* --- opening --- */

static int
refused(const struct opts *o, int family, int err)
{
	if (err == EADDRNOTAVAIL)
		run_say("-s '%s': not an address of this host", o->source);
	else if (err == ENODEV)
		run_say("-i '%s': no such interface", o->device);
	else if (err == EADDRINUSE)
		run_say("--sport %u: another program has it", o->sport);
	else
		run_say("IPv%d: %s", family == AF_INET6 ? 6 : 4, strerror(err));
	return err == EADDRNOTAVAIL || err == ENODEV ? STATUS_INPUT : STATUS_SYSTEM;
}

static int
source_of(const struct opts *o, int family, struct sky_addr *a)
{
	struct host_fault why;

	memset(a, 0, sizeof(*a));
	a->u.sa.sa_family = (sa_family_t)family;
	if (o->source && host_find(o->source, family, a, &why) < 0) {
		run_say("-s '%s': %s", why.text, why.what);
		return STATUS_INPUT;
	}
	if (o->sport)
		sky_addr_set_port(a, o->sport);
	return 0;
}

static int
open_family(struct mass_io *io, const struct opts *o, int family)
{
	struct sky_addr source;
	struct sky_volley_conf c = { .family = family, .source = &source, .device = o->device,
	    .buffer = BUFFER, .tos = o->have_tos ? o->tos : -1, .broadcast = o->broadcast };
	struct sky_volley *v = calloc(1, sizeof(*v));
	int rc;

	if (!v) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	rc = source_of(o, family, &source);
	if (rc) {
		free(v);
		return rc;
	}
	rc = sky_volley_open(v, &c);
	if (rc < 0) {
		free(v);
		return refused(o, family, -rc);
	}
	io->volley[family == AF_INET6] = v;
	return 0;
}

uint16_t
mass_io_mtu(const struct mass_io *io, const struct sky_addr *a)
{
	struct sky_route route;
	int mtu = -1;

	if (sky_route_find(a, NULL, io->device, &route) == 0)
		mtu = sky_device_mtu(route.ifindex);
	return mtu >= 80 && mtu < MTU_MOST ? (uint16_t)mtu : MTU_MOST;
}

/* What the device to the first of each family carries; of others it is found when
 * a packet is too large for them. */
static void
find_mtu(struct mass_io *io, const struct mass_list *l)
{
	struct sky_addr a;

	for (uint64_t i = 0; i < l->all.ranges; i++) {
		const struct sky_range *r = &l->all.range[i];

		if (io->mtu[r->v6])
			continue;
		sky_targets_at(&l->all, r->before, &a);
		io->mtu[r->v6] = mass_io_mtu(io, &a);
	}
}

int
mass_io_open(struct mass_io *io, const struct opts *o, const struct mass_list *l)
{
	int rc = 0;

	io->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	io->halt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	io->ring = calloc(MASS_RING, sizeof(*io->ring));
	if (io->wake < 0 || io->halt < 0 || !io->ring || sky_device_random(io->key, sizeof(io->key)) < 0) {
		run_say("%s", strerror(ENOMEM));
		return STATUS_SYSTEM;
	}
	io->port = opts_port(o);
	io->device = o->device ? sky_device_find(o->device) : 0;
	find_mtu(io, l);
	if (l->v4)
		rc = open_family(io, o, AF_INET);
	if (rc == 0 && l->v6)
		rc = open_family(io, o, AF_INET6);
	return rc;
}

/* --- sending --- */

static void
load(const struct mass_io *io, struct sky_volley_shot *s, const struct sky_mass_probe *p)
{
	uint16_t heads = sky_addr_family(&p->dst) == AF_INET6 ? HEADS6 : HEADS4;

	s->dst = p->dst;
	sky_addr_set_port(&s->dst, io->port);
	s->len = (uint16_t)(p->mark.len - heads);
	s->ttl = p->mark.ttl;
	sky_massmark_encode(&p->mark, io->key, s->head);
}

/* Of one family in a row; the caller comes again for the others. */
unsigned
mass_io_send(struct mass_io *io, const struct sky_mass_probe *p, unsigned n, int *err)
{
	struct sky_volley_shot shot[MASS_BATCH];
	int family = sky_addr_family(&p->dst);
	unsigned i;

	for (i = 0; i < n && i < MASS_BATCH && sky_addr_family(&p[i].dst) == family; i++)
		load(io, &shot[i], &p[i]);
	return sky_volley_send(io->volley[family == AF_INET6], shot, i, err);
}

/* --- listening --- */

/* Steady time of a wall clock's stamp. */
static uint64_t
when(uint64_t stamp, uint64_t wall, uint64_t steady)
{
	return stamp && stamp <= wall && wall - stamp < UINT64_C(10000000000) ?
	    steady - (wall - stamp) : steady;
}

/* No neighbour answered: this host says so of its own packet, as a router would.
 * Asked once for many that come from the same. Whoever has the lock. */
static bool
is_own(struct mass_io *io, const struct sky_volley_echo *e)
{
	bool v6 = sky_addr_family(&e->dst) == AF_INET6;

	if (e->type != (v6 ? 1 : 3) || e->code != (v6 ? 3 : 1) ||
	    sky_addr_same_host(&e->by, &e->dst))
		return false;
	if (!sky_addr_same_host(&e->by, &io->judged)) {
		io->judged = e->by;
		io->own = sky_route_is_own(&e->by) == 1;
	}
	return io->own;
}

/* A reply may be anything; an error must quote our seal, or too little for it. */
static bool
judge(struct mass_io *io, const struct sky_volley_echo *e, struct sky_mass_answer *a)
{
	struct sky_hop_answer h = { .what = SKY_HOP_REACHED, .by = e->by };

	if (e->err && e->origin != SKY_ORIGIN_ICMP && e->origin != SKY_ORIGIN_ICMP6)
		return false;
	if (e->err && !sky_hopin_error(&h, &e->dst, e->type, e->code, e->info, &e->by))
		return false;
	a->mark.position = SKY_MASSMARK_NONE;
	if (!sky_massmark_decode(&a->mark, io->key, e->head, e->len) && e->err &&
	    e->len >= SKY_MASSMARK_LEN) {
		atomic_fetch_add(&io->forged, 1);
		return false;
	}
	a->what = e->err && is_own(io, e) ? SKY_HOP_LOCAL : h.what;
	a->type = h.type;
	a->code = h.code;
	a->mtu = h.mtu;
	a->dst = e->dst;
	a->by = e->by;
	sky_addr_set_port(&a->by, 0);
	a->ttl = e->ttl;
	a->err = e->err;
	return true;
}

static void
pass_on(struct mass_io *io, const struct sky_mass_answer *a)
{
	uint32_t head = atomic_load_explicit(&io->head, memory_order_relaxed);
	const struct timespec rest = { .tv_nsec = REST_US * 1000 };

	while (head - atomic_load_explicit(&io->tail, memory_order_acquire) == MASS_RING) {
		if (atomic_load(&io->stop))
			return;
		nanosleep(&rest, NULL);
	}
	io->ring[head % MASS_RING] = *a;
	atomic_store_explicit(&io->head, head + 1, memory_order_release);
}

static void
signal_fd(int fd)
{
	uint64_t one = 1;
	ssize_t ignored = write(fd, &one, sizeof(one));

	(void)ignored;
}

static void
wake(struct mass_io *io)
{
	if (atomic_exchange(&io->asleep, false))
		signal_fd(io->wake);
}

/* What waits at one socket, up to a batch. Whoever has the lock. */
static unsigned
drain(struct mass_io *io, struct sky_volley *v, struct sky_mass_answer *a)
{
	struct sky_volley_echo e[SKY_VOLLEY_BATCH];
	unsigned n = sky_volley_take(v, e, SKY_VOLLEY_BATCH), kept = 0;
	uint64_t wall, steady;

	if (!n)
		return 0;
	wall = sky_clock_wall();
	steady = sky_clock_steady();
	for (unsigned i = 0; i < n; i++) {
		memset(&a[kept], 0, sizeof(a[kept]));
		a[kept].at = when(e[i].time_ns, wall, steady);
		kept += judge(io, &e[i], &a[kept]);
	}
	return kept;
}

static bool
drain_all(struct mass_io *io)
{
	struct sky_mass_answer a[SKY_VOLLEY_BATCH];
	unsigned n, most = 0;

	for (int i = 0; i < 2; i++) {
		if (!io->volley[i])
			continue;
		pthread_mutex_lock(&io->lock);
		n = drain(io, io->volley[i], a);
		pthread_mutex_unlock(&io->lock);
		for (unsigned k = 0; k < n; k++)
			pass_on(io, &a[k]);
		most = n > most ? n : most;
	}
	return most == SKY_VOLLEY_BATCH;
}

/* The thread may have no processor just now, and a receive buffer is small where
 * one has no privileges: whoever sends takes, too. */
unsigned
mass_io_help(struct mass_io *io, struct sky_mass_answer *a)
{
	unsigned n = 0;

	if (pthread_mutex_trylock(&io->lock))
		return 0;
	io->turn = !io->turn;
	if (io->volley[io->turn])
		n = drain(io, io->volley[io->turn], a);
	else
		n = drain(io, io->volley[!io->turn], a);
	pthread_mutex_unlock(&io->lock);
	return n;
}

static void *
listen_for_all(void *arg)
{
	struct mass_io *io = arg;
	const struct timespec rest = { .tv_nsec = REST_US * 1000 };
	struct pollfd p[3] = { { .fd = -1 }, { .fd = -1 }, { io->halt, POLLIN, 0 } };
	bool more;

	for (int i = 0; i < 2; i++)
		if (io->volley[i])
			p[i] = (struct pollfd){ io->volley[i]->rx, POLLIN | POLLERR, 0 };
	while (!atomic_load(&io->stop)) {
		if (poll(p, 3, -1) <= 0)
			continue;
		more = drain_all(io);
		wake(io);
		if (!more)
			nanosleep(&rest, NULL);
	}
	return NULL;
}

int
mass_io_start(struct mass_io *io)
{
	int rc = pthread_mutex_init(&io->lock, NULL);

	if (rc == 0)
		rc = pthread_create(&io->thread, NULL, listen_for_all, io);
	io->started = rc == 0;
	if (rc == 0)
		return 0;
	run_say("%s", strerror(rc));
	return STATUS_SYSTEM;
}

bool
mass_io_take(struct mass_io *io, struct sky_mass_answer *a)
{
	uint32_t tail = atomic_load_explicit(&io->tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&io->head, memory_order_acquire))
		return false;
	*a = io->ring[tail % MASS_RING];
	atomic_store_explicit(&io->tail, tail + 1, memory_order_release);
	return true;
}

bool
mass_io_wait(struct mass_io *io, int signals, uint64_t deadline)
{
	struct pollfd p[2] = { { io->wake, POLLIN, 0 }, { signals, POLLIN, 0 } };
	uint64_t now = sky_clock_steady(), left = deadline > now ? deadline - now : 0, sink;
	struct timespec t;
	ssize_t ignored;

	if (left > UINT64_C(1000000000))
		left = UINT64_C(1000000000);
	atomic_store(&io->asleep, true);
	if (atomic_load(&io->head) != atomic_load(&io->tail))
		left = 0;
	t.tv_sec = (time_t)(left / 1000000000);
	t.tv_nsec = (long)(left % 1000000000);
	ppoll(p, 2, &t, NULL);
	atomic_store(&io->asleep, false);
	if (p[0].revents) {
		ignored = read(io->wake, &sink, sizeof(sink));
		(void)ignored;
	}
	return p[1].revents != 0;
}

void
mass_io_close(struct mass_io *io)
{
	atomic_store(&io->stop, true);
	if (io->started) {
		signal_fd(io->halt);
		pthread_join(io->thread, NULL);
	}
	for (int i = 0; i < 2; i++) {
		if (io->volley[i])
			sky_volley_close(io->volley[i]);
		free(io->volley[i]);
	}
	free(io->ring);
	if (io->wake >= 0)
		close(io->wake);
	if (io->halt >= 0)
		close(io->halt);
}
