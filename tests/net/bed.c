/* SPDX-License-Identifier: BSD-2-Clause */
/* bed.c - see bed.h. */
#include "bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static struct {
	int count, failed;
} tap;

static bool
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void
skip_all(const char *what)
{
	printf("1..0 # SKIP no namespaces here: %s: %s\n", what, strerror(errno));
	exit(0);
}

static void
isolate(void)
{
	char map[2][40];

	snprintf(map[0], sizeof(map[0]), "0 %u 1", geteuid());
	snprintf(map[1], sizeof(map[1]), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		skip_all("unshare");
	write_file("/proc/self/setgroups", "deny");
	if (!write_file("/proc/self/uid_map", map[0]) || !write_file("/proc/self/gid_map", map[1]))
		skip_all("uid_map");
}

static void
loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		skip_all("loopback");
	ifr.ifr_mtu = BED_MTU;
	if (ioctl(fd, SIOCSIFMTU, &ifr))
		skip_all("loopback's MTU");
	close(fd);
}

void
bed_enter(unsigned seconds)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!getenv("SKY_BED"))
		isolate();
	loopback_up();
	alarm(seconds);
}

bool
bed_ok(bool good, const char *situation, ...)
{
	va_list ap;

	tap.count++;
	tap.failed += !good;
	printf("%s %d - ", good ? "ok" : "not ok", tap.count);
	va_start(ap, situation);
	vprintf(situation, ap);
	va_end(ap);
	putchar('\n');
	return good;
}

int
bed_done(void)
{
	printf("1..%d\n", tap.count);
	return tap.failed ? 1 : 0;
}

uint64_t
bed_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The counters in statm are approximate by some pages for each processor;
 * these are added up from the page tables. */
long
bed_memory_kb(void)
{
	char text[4096] = "";
	const char *at;
	long kb = -1;
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	at = n > 0 ? strstr(text, "Anonymous:") : NULL;
	if (!at || sscanf(at, "Anonymous: %ld", &kb) != 1)
		return -1;
	return kb;
}

socklen_t
bed_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

int
bed_udp(int family, struct sockaddr_storage *at)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_in *in = (struct sockaddr_in *)at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)at;
	socklen_t len = sizeof(*at);

	memset(at, 0, sizeof(*at));
	at->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		in6->sin6_addr = in6addr_loopback;
	if (bind(fd, (struct sockaddr *)at, bed_len(at)) ||
	    getsockname(fd, (struct sockaddr *)at, &len))
		abort();
	return fd;
}

/* Below the ports that the kernel gives out, so nobody gets it later. */
void
bed_closed(int family, struct sockaddr_storage *at)
{
	static uint16_t port = 100;

	close(bed_udp(family, at));
	((struct sockaddr_in *)at)->sin_port = htons(port++);
}

int
bed_raw(int family)
{
	return socket(family, SOCK_RAW | SOCK_CLOEXEC,
	    family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* RFC 1071. */
static uint16_t
checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The quoted IP header (RFC 791, RFC 8200) at p; its length. */
static size_t
quote_ip(uint8_t *p, const struct sockaddr_storage *dst, size_t payload)
{
	if (dst->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)dst;

		p[0] = 0x60;
		put16(p + 4, (uint16_t)payload);
		p[6] = IPPROTO_UDP;
		p[7] = 64;
		memcpy(p + 8, &in6addr_loopback, 16);
		memcpy(p + 24, &in6->sin6_addr, 16);
		return 40;
	}
	p[0] = 0x45;
	put16(p + 2, (uint16_t)(20 + payload));
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	p[12] = 127;
	p[15] = 1;
	memcpy(p + 16, &((const struct sockaddr_in *)dst)->sin_addr, 4);
	put16(p + 10, checksum(p, 20));
	return 20;
}

bool
bed_forge(int raw, uint16_t sport, const struct sockaddr_storage *dst,
    const void *payload, size_t len)
{
	bool v6 = dst->ss_family == AF_INET6;
	uint8_t p[600] = { v6 ? 1 : 3, v6 ? 4 : 3 };
	struct sockaddr_storage to = { .ss_family = dst->ss_family };
	size_t at = 8;

	if (len > 400)
		len = 400;
	at += quote_ip(p + at, dst, 8 + len);
	put16(p + at, sport);
	memcpy(p + at + 2, &((const struct sockaddr_in *)dst)->sin_port, 2);
	put16(p + at + 4, (uint16_t)(8 + len));
	if (len)
		memcpy(p + at + 8, payload, len);
	at += 8 + len;
	if (v6)
		((struct sockaddr_in6 *)&to)->sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&to)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (!v6)
		put16(p + 2, checksum(p, at));
	return sendto(raw, p, at, 0, (struct sockaddr *)&to, bed_len(&to)) == (ssize_t)at;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BED_MALLOC 0
#elif defined(__has_feature)
#define BED_MALLOC (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define BED_MALLOC 1
#endif

static unsigned long mallocs;

unsigned long
bed_mallocs(void)
{
	return __atomic_load_n(&mallocs, __ATOMIC_RELAXED);
}

bool
bed_counts_mallocs(void)
{
	return BED_MALLOC;
}

#if BED_MALLOC
/* glibc's own, under the names that these hide. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static void
count(void)
{
	__atomic_add_fetch(&mallocs, 1, __ATOMIC_RELAXED);
}

void *
malloc(size_t n)
{
	count();
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	count();
	return __libc_realloc(p, n);
}

void
free(void *p)
{
	count();
	__libc_free(p);
}
#endif
