/* SPDX-License-Identifier: BSD-2-Clause */
/* next.c - see next.h. */
#include "next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#define ROW(name) { #name, offsetof(struct next, name) }
static const struct {
	const char *name;
	size_t at;
} rows[] = {
	ROW(socket), ROW(connect), ROW(send), ROW(sendto), ROW(sendmsg), ROW(sendmmsg),
	ROW(write), ROW(writev), ROW(recv), ROW(recvfrom), ROW(recvmsg), ROW(recvmmsg),
	ROW(read), ROW(readv), ROW(poll), ROW(ppoll), ROW(select), ROW(pselect),
	ROW(epoll_ctl), ROW(epoll_wait), ROW(epoll_pwait), ROW(epoll_pwait2),
	ROW(setsockopt), ROW(getsockopt), ROW(accept), ROW(accept4), ROW(dup), ROW(dup2), ROW(dup3), ROW(fcntl),
	ROW(fcntl64), ROW(close), ROW(close_range), ROW(closefrom), ROW(syscall),
};

static void
find(struct next *n)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *f = dlsym(RTLD_NEXT, rows[i].name);

		memcpy((char *)n + rows[i].at, &f, sizeof(f));
	}
}

/* An interposer is called with what the program gives, which is no handle: what it
 * has to remember lies here, and in state.c. Another library's constructor may
 * call before ours has run; two that find the same at the same time do no harm. */
const struct next *
next(void)
{
	static struct next n;
	static _Atomic bool found;

	if (!atomic_load_explicit(&found, memory_order_acquire)) {
		find(&n);
		atomic_store_explicit(&found, true, memory_order_release);
	}
	return &n;
}
