/* SPDX-License-Identifier: BSD-2-Clause */
/* service.c - see service.h. */
#include "sys/service.h"
#include "sys/ret.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The number in an environment variable, -1 if it is none. */
static long
number_in(const char *name)
{
	const char *text = getenv(name);
	char *end = NULL;
	long n = text && *text ? strtol(text, &end, 10) : -1;

	return end && !*end && n >= 0 ? n : -1;
}

int
sky_service_descriptors(void)
{
	long pid = number_in("LISTEN_PID"), n = number_in("LISTEN_FDS");

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != (long)getpid() || n <= 0 || n > 64)
		return 0;
	for (int fd = SKY_SERVICE_FD; fd < SKY_SERVICE_FD + n; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return (int)n;
}

static int
option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

int
sky_service_is_listener(int fd, int family, int type)
{
	int saved = errno;
	bool is = option(fd, SO_DOMAIN) == family && option(fd, SO_TYPE) == type &&
	    option(fd, SO_ACCEPTCONN) == 1;

	errno = saved;
	return is;
}

int
sky_service_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(a.sun_path) || (*path != '/' && *path != '@'))
		return -1;
	memcpy(a.sun_path, path, len);
	if (*path == '@')
		a.sun_path[0] = '\0';
	unsetenv("NOTIFY_SOCKET");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int
sky_service_tell(int fd, const char *text)
{
	int saved = errno;

	if (fd < 0)
		return 0;
	return sky_ret(send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL), saved) < 0 ?
	    -EAGAIN : 0;
}
