/* SPDX-License-Identifier: BSD-2-Clause */
/* serve.c - small services: see serve.h. */
#include "serve.h"
#include "dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define SERVICES 16
#define DATAGRAM 65536
#define SPARE 64		/* that an answer may be longer */

/* Length of the answer in buf, or -1 for none. */
struct service {
	const char *name;
	int (*answer)(char *buf, int len);
};

static int
echo(char *buf, int len)
{
	return len;
}

static int
discard(char *buf, int len)
{
	return -1;
}

static int
daytime(char *buf, int len)
{
	time_t now = time(NULL);
	struct tm tm;

	return (int)strftime(buf, DATAGRAM, "%a %b %e %H:%M:%S %Y\r\n", gmtime_r(&now, &tm));
}

static const struct service services[] = {
	{ "echo", echo }, { "discard", discard }, { "daytime", daytime },
	{ "dns", dns_answer },
};

static const struct service *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (!strcmp(services[i].name, name))
			return &services[i];
	return NULL;
}

static int
open_port(unsigned port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int s = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int off = 0, on = 1;

	if (s < 0)
		return -1;
	setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return bind(s, (const struct sockaddr *)&a, sizeof(a)) ? -1 : s;
}

/* One datagram; the control message that tells where it was sent to is the one
 * that makes the answer leave from there, but for the interface. */
static void
answer(int s, const struct service *v, char *buf)
{
	struct sockaddr_in6 from;
	_Alignas(struct cmsghdr) char control[256];
	struct iovec iov = { .iov_base = buf, .iov_len = DATAGRAM };
	struct msghdr m = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
		.msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n = recvmsg(s, &m, 0);
	struct in6_pktinfo info;
	int len;

	if (n < 0)
		return;
	len = v->answer(buf, (int)n);
	if (len < 0)
		return;
	iov.iov_len = (size_t)len;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
			info.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m.msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		m.msg_controllen = 0;
	}
	m.msg_flags = 0;
	sendmsg(s, &m, 0);
}

int
serve(const char *const *words)
{
	struct pollfd p[SERVICES];
	const struct service *v[SERVICES];
	char *buf = malloc(DATAGRAM + SPARE);
	nfds_t n = 0;

	for (; words[0] && words[1] && n < SERVICES; words += 2, n++) {
		char *end;
		unsigned long port = strtoul(words[1], &end, 10);

		v[n] = find(words[0]);
		if (!v[n] || *end || port < 1 || port > 65535) {
			fprintf(stderr, "socknet: '%s': not such a service (expected "
			    "echo, discard, daytime or dns, and a port)\n", words[!!v[n]]);
			return 2;
		}
		p[n] = (struct pollfd){ .fd = open_port((unsigned)port), .events = POLLIN };
		if (p[n].fd < 0) {
			fprintf(stderr, "socknet: port %lu: %s\n", port, strerror(errno));
			return 1;
		}
	}
	if (words[0]) {
		fprintf(stderr, "socknet: '%s': no port, or too many services (expected "
		    "SERVICE PORT, at most %d times)\n", words[0], SERVICES);
		return 2;
	}
	while (buf && poll(p, n, -1) >= 0)
		for (nfds_t i = 0; i < n; i++)
			if (p[i].revents)
				answer(p[i].fd, v[i], buf);
	free(buf);
	return 1;
}
