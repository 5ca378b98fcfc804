/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - setsockopt(2) and getsockopt(2).
 *
 * A program that asks for the error queue, or for something that comes through it,
 * will read it: its socket is given back. SO_ERROR is a way to receive an error.
 */
#include "next.h"
#include "queue.h"

#include <errno.h>
#include <netinet/in.h>

/* By number: not every C library has the names. */
static const struct {
	int level, name;
} through_queue[] = {
	{ IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IPV6, IPV6_RECVERR },
	{ IPPROTO_IP, 26 },			/* IP_RECVERR_RFC4884 */
	{ IPPROTO_IPV6, 31 },			/* IPV6_RECVERR_RFC4884 */
	{ SOL_SOCKET, SO_TIMESTAMPING },
	{ SOL_SOCKET, 65 },			/* SO_TIMESTAMPING_NEW */
	{ SOL_SOCKET, SO_SELECT_ERR_QUEUE },
	{ SOL_SOCKET, 60 },			/* SO_ZEROCOPY */
	{ SOL_SOCKET, 61 },			/* SO_TXTIME */
};

SHOWN int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	for (size_t i = 0; i < sizeof(through_queue) / sizeof(through_queue[0]); i++) {
		struct sock *s;

		if (through_queue[i].level != level || through_queue[i].name != name)
			continue;
		s = sock_find(fd);
		if (s)
			queue_give_back(s, fd);
	}
	return next()->setsockopt(fd, level, name, value, len);
}

static bool
is_ours_to_hide(int level, int name)
{
	for (size_t i = 0; i < 4; i++)
		if (through_queue[i].level == level && through_queue[i].name == name)
			return true;
	return false;
}

SHOWN int
getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	bool error = level == SOL_SOCKET && name == SO_ERROR;
	bool hide = is_ours_to_hide(level, name);
	struct sock *s = error || hide ? sock_known(fd) : NULL;
	int r = next()->getsockopt(fd, level, name, value, len);
	int *v = value;

	if (r < 0 || !sock_is_ours(s) || *len != sizeof(*v))
		return r;
	if (hide) {
		*v = 0;
		return r;
	}
	sock_set(s, SOCK_LISTENS);
	if (*v && !queue_may_be_stale(*v))
		return r;
	if (*v || sock_has(s, SOCK_WAITS)) {
		bool hidden = state()->log_only;
		int err = queue_take(s, fd, &hidden);

		*v = err || hidden ? err : *v;
	}
	return r;
}
