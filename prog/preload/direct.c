/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct.c - syscall(2), by which libraries make calls that old C libraries lack.
 *
 * Those of them that are about sockets go the same way as the C library's.
 */
#include "next.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ARGS = 6 };

static void *
pointer(long a)
{
	return (void *)(intptr_t)a;
}

#define CALL(name) static long direct_##name(const long *a)
#define INT(i) ((int)a[i])
#define LEN(i) ((size_t)a[i])
#define PTR(i) pointer(a[i])

CALL(sendto) { return sendto(INT(0), PTR(1), LEN(2), INT(3), PTR(4), (socklen_t)a[5]); }
CALL(sendmsg) { return sendmsg(INT(0), PTR(1), INT(2)); }
CALL(sendmmsg) { return sendmmsg(INT(0), PTR(1), (unsigned)a[2], INT(3)); }
CALL(recvfrom) { return recvfrom(INT(0), PTR(1), LEN(2), INT(3), PTR(4), PTR(5)); }
CALL(recvmsg) { return recvmsg(INT(0), PTR(1), INT(2)); }
CALL(recvmmsg) { return recvmmsg(INT(0), PTR(1), (unsigned)a[2], INT(3), PTR(4)); }
CALL(connect) { return connect(INT(0), PTR(1), (socklen_t)a[2]); }
CALL(read) { return read(INT(0), PTR(1), LEN(2)); }
CALL(readv) { return readv(INT(0), PTR(1), INT(2)); }
CALL(write) { return write(INT(0), PTR(1), LEN(2)); }
CALL(writev) { return writev(INT(0), PTR(1), INT(2)); }
CALL(socket) { return socket(INT(0), INT(1), INT(2)); }
CALL(close) { return close(INT(0)); }
CALL(close_range) { return close_range((unsigned)a[0], (unsigned)a[1], INT(2)); }
CALL(dup) { return dup(INT(0)); }
CALL(dup3) { return dup3(INT(0), INT(1), INT(2)); }
CALL(fcntl) { return fcntl(INT(0), INT(1), a[2]); }
CALL(epoll_ctl) { return epoll_ctl(INT(0), INT(1), INT(2), PTR(3)); }
CALL(epoll_pwait) { return epoll_pwait(INT(0), PTR(1), INT(2), INT(3), PTR(4)); }
CALL(epoll_pwait2) { return epoll_pwait2(INT(0), PTR(1), INT(2), PTR(3), PTR(4)); }
CALL(setsockopt) { return setsockopt(INT(0), INT(1), INT(2), PTR(3), (socklen_t)a[4]); }
CALL(getsockopt) { return getsockopt(INT(0), INT(1), INT(2), PTR(3), PTR(4)); }

#define ROW(name) { SYS_##name, direct_##name }
/* Those that every machine has. */
static const struct {
	long number;
	long (*call)(const long *a);
} rows[] = {
	ROW(sendto), ROW(sendmsg), ROW(sendmmsg), ROW(recvfrom), ROW(recvmsg), ROW(recvmmsg),
	ROW(connect), ROW(read), ROW(readv), ROW(write), ROW(writev), ROW(socket), ROW(close),
	ROW(close_range), ROW(dup), ROW(dup3), ROW(fcntl), ROW(epoll_ctl), ROW(epoll_pwait),
	ROW(epoll_pwait2), ROW(setsockopt), ROW(getsockopt),
};

SHOWN long
syscall(long number, ...)
{
	long a[ARGS];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < ARGS; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].number == number)
			return rows[i].call(a);
	return next()->syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
