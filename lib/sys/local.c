/* SPDX-License-Identifier: BSD-2-Clause */
/* local.c - see local.h. */
#include "sys/local.h"
#include "sys/ret.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	PEERPIDFD = 77,			/* SO_PEERPIDFD, since Linux 6.5 */
	PASSRIGHTS = 83,		/* SO_PASSRIGHTS, since Linux 6.16 */
};

static int
set_path(struct sockaddr_un *a, const char *path)
{
	size_t len = strlen(path);

	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	if (!len)
		return -EINVAL;
	if (len >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, len);
	return 0;
}

static int
open_socket(int type)
{
	int saved = errno;

	return sky_ret(socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved);
}

static int
shut(int fd, int r)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return r;
}

/* The folder in which path is, in a buffer of sizeof sun_path. */
static void
folder_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (!slash)
		memcpy(out, ".", 2);
	else if (!len)
		memcpy(out, "/", 2);
	else if (len < size) {
		memcpy(out, path, len);
		out[len] = '\0';
	}
}

/* Where others may write, others may put a socket of that name before us, or in
 * our place. */
static int
check_folder(const char *path, unsigned uid)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int saved = errno;
	struct stat st;
	int r;

	folder_of(path, folder, sizeof(folder));
	r = sky_ret(stat(folder, &st), saved);
	if (r < 0)
		return r;
	if ((st.st_mode & 022) || (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != uid))
		return -EACCES;
	return 0;
}

static int
remove_stale(const char *path, int type)
{
	int saved = errno, fd, r;
	struct sockaddr_un a;
	struct stat st;

	if (lstat(path, &st) < 0)
		return sky_ret(-1, saved) == -ENOENT ? 0 : -EACCES;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	fd = open_socket(type);
	if (fd < 0)
		return fd;
	set_path(&a, path);
	r = shut(fd, sky_ret(connect(fd, (struct sockaddr *)&a, sizeof(a)), saved));
	/* of another type, or with a full backlog: somebody is there */
	if (r != -ECONNREFUSED)
		return -EADDRINUSE;
	return sky_ret(unlink(path), saved);
}

/* Born with its mode: a chmod(2) by name could hit what took its place. To connect
 * is to write. */
static int
bind_open(int fd, const struct sockaddr_un *a)
{
	int saved = errno;
	mode_t mask = umask(0111);
	int r = sky_ret(bind(fd, (const struct sockaddr *)a, sizeof(*a)), saved);

	umask(mask);
	return r;
}

int
sky_local_listen(const char *path, int type, int backlog, unsigned uid)
{
	int saved = errno;
	struct sockaddr_un a;
	int r = set_path(&a, path);
	int fd;

	if (r == 0)
		r = check_folder(path, uid);
	if (r == 0)
		r = remove_stale(path, type);
	if (r < 0)
		return r;
	fd = open_socket(type);
	if (fd < 0)
		return fd;
	r = bind_open(fd, &a);
	if (r == 0)
		r = sky_ret(listen(fd, backlog), saved);
	return r < 0 ? shut(fd, r) : fd;
}

int
sky_local_folder(const char *path, unsigned uid, unsigned gid)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct sockaddr_un a;
	int saved = errno;
	int r = set_path(&a, path);

	if (r < 0)
		return r;
	folder_of(path, folder, sizeof(folder));
	r = sky_ret(mkdir(folder, 0755), saved);
	if (r == -EEXIST)
		return 0;
	if (r == 0)
		r = sky_ret(lchown(folder, uid, gid), saved);
	return r;
}

int
sky_local_unlink(const char *path)
{
	int saved = errno;

	return sky_ret(unlink(path), saved);
}

int
sky_local_listen_again(int fd, int backlog)
{
	int saved = errno;

	return sky_ret(listen(fd, backlog), saved);
}

int
sky_local_connect(const char *path)
{
	int saved = errno;
	struct sockaddr_un a;
	int r = set_path(&a, path);
	int fd;

	if (r < 0)
		return r;
	fd = open_socket(SOCK_SEQPACKET);
	if (fd < 0)
		return fd;
	r = sky_ret(connect(fd, (struct sockaddr *)&a, sizeof(a)), saved);
	return r < 0 ? shut(fd, r) : fd;
}

int
sky_local_accept(int fd)
{
	int saved = errno;

	return sky_ret(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), saved);
}

int
sky_local_no_rights(int fd)
{
	int saved = errno, no = 0;

	return sky_ret(setsockopt(fd, SOL_SOCKET, PASSRIGHTS, &no, sizeof(no)), saved);
}

bool
sky_local_has_rights(int fd)
{
	struct msghdr h = { .msg_iovlen = 0 };
	int saved = errno;

	if (sky_ret(recvmsg(fd, &h, MSG_PEEK | MSG_DONTWAIT), saved) < 0)
		return false;
	return h.msg_flags & MSG_CTRUNC;
}

bool
sky_local_drain(int fd)
{
	enum { MESSAGES = 4096 };
	int saved = errno, on = 1, r = 1;
	char byte;

	(void)sky_ret(shutdown(fd, SHUT_RDWR), saved);
	for (int i = 0; i < MESSAGES && r != 0; i++) {
		if (sky_local_has_rights(fd))
			return false;
		r = sky_local_recv(fd, &byte, sizeof(byte));
		if (r == -EAGAIN)
			return false;
	}
	/* an empty message looks like the end; but what it would tell of its sender, and
	 * there is no room for, shows that there was one */
	(void)sky_ret(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), saved);
	return r == 0 && !sky_local_has_rights(fd);
}

int
sky_local_peer(int fd, struct sky_local_peer *out)
{
	struct ucred c;
	socklen_t len = sizeof(c), fdlen = sizeof(out->pidfd);
	int saved = errno;
	int r = sky_ret(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len), saved);

	if (r < 0)
		return r;
	*out = (struct sky_local_peer){ .pid = (uint32_t)c.pid, .uid = c.uid, .gid = c.gid,
		.pidfd = -1 };
	if (sky_ret(getsockopt(fd, SOL_SOCKET, PEERPIDFD, &out->pidfd, &fdlen), saved) < 0)
		out->pidfd = -1;
	return 0;
}

int
sky_local_send(int fd, const void *data, size_t len)
{
	int saved = errno, r = -EINTR;

	for (int i = 0; r == -EINTR && i < 100; i++)
		r = sky_ret(send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL), saved);
	return r == -EINTR ? -EAGAIN : r < 0 ? r : 0;
}

int
sky_local_recv(int fd, void *data, size_t size)
{
	int saved = errno, r = -EINTR;

	for (int i = 0; r == -EINTR && i < 100; i++)
		r = sky_ret(recv(fd, data, size, MSG_DONTWAIT | MSG_TRUNC), saved);
	if (r == -EINTR)
		return -EAGAIN;
	return r > 0 && (size_t)r > size ? -EMSGSIZE : r;
}
