/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * massnet.c - eight routers and all the hosts behind them, for bench/mass.py:
 * what a TUN device sends out is answered as they would.
 *
 * bench-massnet DEVICE ROUTERS [RATE BURST]: opens the device, says "ready" and
 * answers until it is killed. A probe whose TTL ends is answered by router i
 * (10.90.i-1.2), any other by its destination (port unreachable). With RATE each
 * router gives BURST errors and then RATE a second. Forwarding costs nothing here:
 * a chain of kernel routers on the same processors is what limits otherwise.
 */
#include "base/rd.h"
#include "base/wr.h"
#include "wire/cksum.h"

#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { ROUTERS = 60, PACKET = 2048, IP = 20, QUOTE = 52 };

struct bucket {
	double tokens;
	double last;
	unsigned long due, given;
};

struct world {
	unsigned routers;
	double rate, burst;		/* 0: no limit */
	struct bucket bucket[ROUTERS + 1];
};

static int
open_tun(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/net/tun");
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &r) < 0)
		err(1, "'%s'", name);
	return fd;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool
may_answer(struct world *w, unsigned i)
{
	struct bucket *b = &w->bucket[i];
	double t;

	b->due++;
	if (w->rate > 0) {
		t = now();
		b->tokens += (t - b->last) * w->rate;
		b->last = t;
		if (b->tokens > w->burst)
			b->tokens = w->burst;
		if (b->tokens < 1)
			return false;
		b->tokens -= 1;
	}
	b->given++;
	return true;
}

static uint16_t
sum(const uint8_t *data, size_t len)
{
	struct sky_cksum c = sky_cksum_start();

	sky_cksum_add(&c, data, len);
	return sky_cksum_finish(&c);
}

/* An ICMP error from `by` about the packet in[0..len). Its length. */
static size_t
make_error(uint8_t *out, const uint8_t *in, size_t len, uint32_t by, uint32_t to, uint8_t type,
    uint8_t code, uint8_t ttl)
{
	size_t quote = len < QUOTE ? len : QUOTE;
	struct sky_wr w = sky_wr_of(out, PACKET), at;

	sky_wr_u16(&w, 0x4500);
	sky_wr_u16(&w, (uint16_t)(IP + 8 + quote));
	sky_wr_u32(&w, 0);
	sky_wr_u16(&w, (uint16_t)(ttl << 8 | 1));
	sky_wr_u16(&w, 0);
	sky_wr_u32(&w, by);
	sky_wr_u32(&w, to);
	sky_wr_u16(&w, (uint16_t)(type << 8 | code));
	sky_wr_u16(&w, 0);
	sky_wr_u32(&w, 0);
	sky_wr_bytes(&w, in, quote);
	at = sky_wr_of(out + 10, 2);
	sky_wr_u16(&at, sum(out, IP));
	at = sky_wr_of(out + IP + 2, 2);
	sky_wr_u16(&at, sum(out + IP, 8 + quote));
	return sky_wr_len(&w);
}

static size_t
answer(struct world *w, const uint8_t *in, size_t len, uint8_t *out)
{
	struct sky_rd r = sky_rd_of(in, len);
	uint8_t version = sky_rd_u8(&r), ttl;
	uint32_t src, dst;

	sky_rd_take(&r, 7);
	ttl = sky_rd_u8(&r);
	sky_rd_take(&r, 3);
	src = sky_rd_u32(&r);
	dst = sky_rd_u32(&r);
	if (r.cut || version != 0x45 || !ttl)
		return 0;
	if (ttl > w->routers)
		return make_error(out, in, len, dst, src, 3, 3, (uint8_t)(64 - w->routers));
	if (!may_answer(w, ttl))
		return 0;
	return make_error(out, in, len, 0x0a5a0002 + ((uint32_t)ttl - 1) * 256, src, 11, 0,
	    (uint8_t)(64 - ttl + 1));
}

static volatile sig_atomic_t ended;

static void
end(int sig)
{
	ended = sig;
}

int
main(int argc, char **argv)
{
	struct sigaction a = { .sa_handler = end };
	static struct world w;
	uint8_t in[PACKET], out[PACKET];
	ssize_t n;
	size_t len;
	int fd;

	if (argc != 3 && argc != 5)
		errx(2, "usage: bench-massnet DEVICE ROUTERS [RATE BURST]");
	w.routers = (unsigned)strtoul(argv[2], NULL, 10);
	if (w.routers < 1 || w.routers > ROUTERS)
		errx(2, "'%s': not a number of routers (expected 1 to %d)", argv[2], ROUTERS);
	w.rate = argc == 5 ? strtod(argv[3], NULL) : 0;
	w.burst = argc == 5 ? strtod(argv[4], NULL) : 0;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigaction(SIGTERM, &a, NULL);
	fd = open_tun(argv[1]);
	puts("ready");
	fflush(stdout);
	while (!ended && (n = read(fd, in, sizeof(in))) >= 0) {
		len = answer(&w, in, (size_t)n, out);
		if (len && write(fd, out, len) < 0 && !ended)
			warn("%s", argv[1]);
	}
	for (unsigned i = 1; i <= w.routers; i++)
		printf("%u %lu %lu\n", i, w.bucket[i].due, w.bucket[i].given);
	return 0;
}
