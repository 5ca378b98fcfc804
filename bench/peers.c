/* SPDX-License-Identifier: BSD-2-Clause */
/* peers.c - see peers.h. */
#include "peers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that the kernel hands out by itself: nobody can take the dead
 * peer's by chance. */
#define FIRST_PORT 5000

static const char magic[8] = "sky-mix";

static const struct {
	const char *word;
	int af;
} families[PEERS_FAMILIES] = {
	[PEERS_V4] = {"IPv4", AF_INET},
	[PEERS_V6] = {"IPv6", AF_INET6},
	[PEERS_MAPPED] = {"v4-mapped", AF_INET6},
	[PEERS_BOTH] = {"both families", AF_INET6},
};

const char *
peers_word(enum peers_family f)
{
	return families[f].word;
}

int
peers_af(enum peers_family f)
{
	return families[f].af;
}

void
peers_payload(uint8_t out[PEERS_PAYLOAD], unsigned batch, unsigned peer)
{
	uint32_t n[2] = {batch, peer};

	memcpy(out, magic, sizeof(magic));
	memcpy(out + sizeof(magic), n, sizeof(n));
}

bool
peers_parse(const void *data, size_t len, unsigned *batch, unsigned *peer)
{
	uint32_t n[2];

	if (len != PEERS_PAYLOAD || memcmp(data, magic, sizeof(magic)) != 0)
		return false;
	memcpy(n, (const uint8_t *)data + sizeof(magic), sizeof(n));
	*batch = n[0];
	*peer = n[1];
	return n[0] < PEERS_BATCHES && n[1] < PEERS;
}

static bool
is_v4(enum peers_family f, unsigned i)
{
	return f == PEERS_V4 || f == PEERS_MAPPED || (f == PEERS_BOTH && i % 2 == 0);
}

static socklen_t
v4(struct sockaddr_storage *out, unsigned i)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(FIRST_PORT + i)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + i);
	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}

static socklen_t
v6(struct sockaddr_storage *out, unsigned i)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(FIRST_PORT + i),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};

	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}

static socklen_t
mapped(struct sockaddr_storage *out, unsigned i)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(FIRST_PORT + i)};
	uint32_t in = htonl(INADDR_LOOPBACK + 256 + i);

	a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&a.sin6_addr.s6_addr[12], &in, sizeof(in));
	memcpy(out, &a, sizeof(a));
	return sizeof(a);
}

static int
listen_at(const struct sockaddr_storage *at, socklen_t len)
{
	int err, fd = socket(at->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)at, len) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int
open_one(struct peers *p, unsigned i)
{
	struct sockaddr_storage at;
	socklen_t len;

	memset(&at, 0, sizeof(at));
	len = is_v4(p->family, i) ? v4(&at, i) : v6(&at, i);
	p->to[i] = at;
	p->to_len[i] = len;
	if (at.ss_family == AF_INET && peers_af(p->family) == AF_INET6)
		p->to_len[i] = mapped(&p->to[i], i);
	if (i == p->dead)
		return 0;
	p->fd[i] = listen_at(&at, len);
	return p->fd[i] < 0 ? p->fd[i] : 0;
}

int
peers_open(struct peers *p, enum peers_family f, unsigned dead)
{
	unsigned i;
	int err;

	memset(p, 0, sizeof(*p));
	p->family = f;
	p->dead = dead;
	for (i = 0; i < PEERS; i++)
		p->fd[i] = -1;
	for (i = 0; i < PEERS; i++) {
		err = open_one(p, i);
		if (err == 0)
			continue;
		peers_close(p);
		return err;
	}
	return 0;
}

void
peers_close(struct peers *p)
{
	unsigned i;

	for (i = 0; i < PEERS; i++)
		if (p->fd[i] >= 0)
			close(p->fd[i]);
}

static void
take(struct peers *p, unsigned i, const void *data, size_t len)
{
	unsigned batch, peer;

	if (!peers_parse(data, len, &batch, &peer) || peer != i) {
		p->strange++;
	} else if (p->seen[i][batch]) {
		p->twice++;
	} else {
		p->seen[i][batch] = true;
		p->arrived++;
	}
}

void
peers_read(struct peers *p)
{
	uint8_t data[PEERS_PAYLOAD + 1];
	unsigned i;
	ssize_t n;

	for (i = 0; i < PEERS; i++) {
		if (p->fd[i] < 0)
			continue;
		while ((n = recv(p->fd[i], data, sizeof(data), MSG_DONTWAIT)) >= 0)
			take(p, i, data, (size_t)n);
	}
}

double
peers_share(const struct peers *p, unsigned batches)
{
	return 100.0 * (double)p->arrived / ((PEERS - 1.0) * batches);
}
