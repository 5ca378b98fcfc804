/* SPDX-License-Identifier: BSD-2-Clause */
/* flow.c - the two threads, and what is read off them. */
#include "flow.h"
#include "place.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_MS 2	/* how often a receiver without data asks whether it is over */
#define NAP_NS 20000

struct run {
	const struct way *way;
	const struct spec *spec;
	void *tx, *rx;
	double for_s;
	unsigned rounds;
	bool deaf;		/* there is no receiver to wait for */
	uint64_t window;	/* datagrams that may be under way */
	bool fifo;
	int tx_err, rx_err;
	pthread_barrier_t start;
	/* On lines of their own: one is written by each thread. */
	_Alignas(128) atomic_uint_fast64_t received;
	double last_s;		/* the last that was sent, or better: received */
	_Alignas(128) atomic_uint_fast64_t sent;
	double first_s;
	atomic_bool done;
	_Alignas(128) struct flow *out;
};

static double
clock_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
timeval_s(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void
settle(struct flow_end *e, unsigned cpu, bool fifo)
{
	e->cpu = place_pin(cpu);
	e->fifo = fifo && place_fifo() == 0;
}

static void
begin(struct flow_end *e)
{
	struct rusage r;

	getrusage(RUSAGE_THREAD, &r);
	e->user_s = -timeval_s(r.ru_utime);
	e->system_s = -timeval_s(r.ru_stime);
	e->cpu_s = -clock_s(CLOCK_THREAD_CPUTIME_ID);
	gate_count(&e->gate);
}

static void
end(struct flow_end *e)
{
	struct rusage r;

	gate_count(NULL);
	e->cpu_s += clock_s(CLOCK_THREAD_CPUTIME_ID);
	getrusage(RUSAGE_THREAD, &r);
	e->user_s += timeval_s(r.ru_utime);
	e->system_s += timeval_s(r.ru_stime);
}

static uint64_t
parts(const struct spec *s)
{
	return s->segs ? s->segs : 1;
}

/* How many datagrams surely fit in the receiver's buffer: the kernel accounts
 * its own overhead, well under the payload's size plus 1 KiB. */
static uint64_t
window(int fd, const struct spec *s)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);
	uint64_t messages;

	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len);
	messages = (uint64_t)bytes / (2 * way_len(s) + 1024);
	return (messages > 2 * s->batch ? messages - s->batch : s->batch) * parts(s);
}

static void
nap(void)
{
	const struct timespec t = {0, NAP_NS};

	nanosleep(&t, NULL);
	gate_skip();
}

/* False when the receiver has given up. */
static bool
wait_turn(struct run *r, uint64_t sent)
{
	bool waited = false;

	while (sent > atomic_load_explicit(&r->received, memory_order_relaxed) + r->window) {
		if (clock_s(CLOCK_MONOTONIC) > r->first_s + r->for_s + 1)
			return false;
		waited = true;
		nap();
	}
	r->out->stalls += waited;
	return true;
}

static int
send_all(struct run *r)
{
	uint64_t sent = 0;
	int n;

	while (clock_s(CLOCK_MONOTONIC) < r->first_s + r->for_s && wait_turn(r, sent)) {
		n = r->way->send(r->tx);
		if (n < 0)
			return n;
		if (n == 0)
			nap();
		sent += (uint64_t)n * parts(r->spec);
		atomic_store_explicit(&r->sent, sent, memory_order_relaxed);
	}
	return 0;
}

static void *
sender(void *p)
{
	struct run *r = p;

	settle(&r->out->tx, 0, r->fifo);
	pthread_barrier_wait(&r->start);
	r->first_s = clock_s(CLOCK_MONOTONIC);
	begin(&r->out->tx);
	r->tx_err = send_all(r);
	end(&r->out->tx);
	if (r->deaf)
		r->last_s = clock_s(CLOCK_MONOTONIC);
	atomic_store(&r->done, true);
	return NULL;
}

static bool
all_here(struct run *r, const struct taken *t)
{
	return atomic_load(&r->done) && t->datagrams >= atomic_load(&r->sent);
}

/* What was sent before `done` was seen is there: on loopback nothing is under
 * way. A wait without result after that is the end. */
static int
recv_all(struct run *r, struct taken *t)
{
	struct pollfd p = {.fd = r->way->fd(r->rx), .events = POLLIN};
	bool over, ready = true;
	int n;

	for (over = false; !all_here(r, t) && (ready || !over);) {
		over = atomic_load(&r->done);
		n = r->way->recv(r->rx, t);
		if (n < 0)
			return n;
		if (n > 0)
			r->last_s = clock_s(CLOCK_MONOTONIC);
		atomic_store_explicit(&r->received, t->datagrams, memory_order_relaxed);
		if (n < (int)r->spec->batch)
			ready = poll(&p, 1, LOOK_MS) > 0;
	}
	return 0;
}

static void *
receiver(void *p)
{
	struct run *r = p;

	settle(&r->out->rx, 1, r->fifo);
	pthread_barrier_wait(&r->start);
	begin(&r->out->rx);
	r->rx_err = recv_all(r, &r->out->got);
	end(&r->out->rx);
	return NULL;
}

static int
open_both(struct run *r)
{
	r->rx = r->way->open_rx(r->spec);
	if (!r->rx)
		return -errno;
	r->tx = r->way->open_tx(r->spec);
	if (!r->tx) {
		int err = -errno;

		r->way->close(r->rx);
		return err;
	}
	r->window = window(r->way->fd(r->rx), r->spec);
	return 0;
}

static void
close_both(struct run *r)
{
	r->way->close(r->tx);
	r->way->close(r->rx);
}

/* Runs the threads that are given and waits for them. */
static int
threads(struct run *r, void *(*const body[])(void *), unsigned n)
{
	pthread_t id[2];
	unsigned i;
	int err;

	pthread_barrier_init(&r->start, NULL, n);
	for (i = 0; i < n; i++) {
		err = pthread_create(&id[i], NULL, body[i], r);
		if (err != 0)
			return -err;
	}
	for (i = 0; i < n; i++)
		pthread_join(id[i], NULL);
	pthread_barrier_destroy(&r->start);
	return r->tx_err ? r->tx_err : r->rx_err;
}

static int
run(struct run *r, void *(*const body[])(void *), unsigned n)
{
	int err;

	memset(r->out, 0, sizeof(*r->out));
	err = open_both(r);
	if (err != 0)
		return err;
	if (r->deaf)
		r->window = UINT64_MAX / 2;
	err = threads(r, body, n);
	close_both(r);
	r->out->sent = atomic_load(&r->sent);
	r->out->seconds = r->last_s - r->first_s;
	return err;
}

int
flow_flood(const struct way *w, const struct spec *s, unsigned ms, bool fifo,
    struct flow *out)
{
	void *(*const body[])(void *) = {receiver, sender};
	struct run r = {.way = w, .spec = s, .for_s = ms / 1e3, .fifo = fifo, .out = out};

	return run(&r, body, 2);
}

int
flow_deaf(const struct way *w, const struct spec *s, unsigned ms, bool fifo,
    struct flow *out)
{
	void *(*const body[])(void *) = {sender};
	struct run r = {.way = w, .spec = s, .for_s = ms / 1e3, .fifo = fifo, .out = out,
		.deaf = true};

	return run(&r, body, 1);
}

/* One batch there and back: on loopback what was sent can be read at once. */
static int
round_trip(struct run *r)
{
	int n;

	gate_count(&r->out->tx.gate);
	gate_open();
	n = r->way->send(r->tx);
	gate_shut();
	if (n < 0)
		return n;
	r->sent += (uint64_t)n * parts(r->spec);
	gate_count(&r->out->rx.gate);
	gate_open();
	n = r->way->recv(r->rx, &r->out->got);
	gate_shut();
	return n;
}

static void *
both(void *p)
{
	struct run *r = p;
	unsigned i;
	int n = 0;

	settle(&r->out->tx, 0, r->fifo);
	r->first_s = clock_s(CLOCK_MONOTONIC);
	begin(&r->out->tx);
	for (i = 0; i < r->rounds && n >= 0; i++)
		n = round_trip(r);
	end(&r->out->tx);
	r->last_s = clock_s(CLOCK_MONOTONIC);
	r->tx_err = n < 0 ? n : 0;
	return NULL;
}

int
flow_lockstep(const struct way *w, const struct spec *s, unsigned rounds,
    bool fifo, struct flow *out)
{
	void *(*const body[])(void *) = {both};
	struct run r = {.way = w, .spec = s, .rounds = rounds, .fifo = fifo, .out = out};

	return run(&r, body, 1);
}

double
flow_user_ns(const struct flow_end *e, uint64_t datagrams)
{
	const struct gate *g = &e->gate;

	return datagrams ? gate_gap(g) * (double)(g->gaps + g->cut) / (double)datagrams : 0;
}

double
flow_calls(const struct flow_end *e, uint64_t datagrams)
{
	const struct gate *g = &e->gate;
	uint64_t calls = g->sends + g->recvs + g->waits + g->others;

	return datagrams ? (double)calls / (double)datagrams : 0;
}

double
flow_rate(const struct flow *f)
{
	return f->seconds > 0 ? (double)f->got.datagrams / f->seconds : 0;
}
