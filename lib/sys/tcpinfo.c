/* SPDX-License-Identifier: BSD-2-Clause */
/* tcpinfo.c - see tcpinfo.h. */
#include "sys/tcpinfo.h"
#include "sys/ret.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The two lines "TcpExt:" of /proc/net/netstat, each about 3 KB, come first. */
enum { NETSTAT_ROOM = 16384 };

int
sky_tcpinfo_read(int fd, struct sky_tcpinfo *out)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);
	int saved = errno;
	int r;

	memset(&i, 0, sizeof(i));
	r = sky_ret(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &i, &len), saved);
	if (r < 0)
		return r;
	*out = (struct sky_tcpinfo){
		.state = i.tcpi_state, .unacked = i.tcpi_unacked, .sacked = i.tcpi_sacked,
		.retransmits = i.tcpi_retransmits, .total_retrans = i.tcpi_total_retrans,
		.mss = i.tcpi_snd_mss, .rtt_us = i.tcpi_rtt, .rto_us = i.tcpi_rto,
		.notsent = i.tcpi_notsent_bytes,
		.bytes_acked = i.tcpi_bytes_acked, .bytes_received = i.tcpi_bytes_received,
	};
	return 0;
}

int
sky_tcpinfo_outq(int fd)
{
	int saved = errno;
	int bytes = 0;
	int r = sky_ret(ioctl(fd, SIOCOUTQ, &bytes), saved);

	return r < 0 ? r : bytes;
}

static int
read_file(const char *name, char *buf, size_t size)
{
	int saved = errno;
	int fd = sky_ret(open(name, O_RDONLY | O_CLOEXEC), saved);
	size_t len = 0;
	int r = 1;

	if (fd < 0)
		return fd;
	while (r > 0 && len < size - 1) {
		r = sky_ret(read(fd, buf + len, size - 1 - len), saved);
		len += r > 0 ? (size_t)r : 0;
	}
	close(fd);
	errno = saved;
	buf[len] = '\0';
	return r < 0 ? r : 0;
}

/* The number in the second line below the name in the first. */
static int
column(const char *names, const char *values, const char *name, uint64_t *out)
{
	size_t len = strlen(name);

	while (*names && *names != '\n' && *values && *values != '\n') {
		if (strncmp(names, name, len) == 0 && (names[len] == ' ' || names[len] == '\n')) {
			*out = strtoull(values, NULL, 10);
			return 0;
		}
		names += strcspn(names, " \n");
		names += *names == ' ';
		values += strcspn(values, " \n");
		values += *values == ' ';
	}
	return -ENOENT;
}

int
sky_tcpinfo_listen_counters(uint64_t *overflows, uint64_t *drops)
{
	char buf[NETSTAT_ROOM];
	const char *values;
	int r = read_file("/proc/thread-self/net/netstat", buf, sizeof(buf));

	if (r < 0)
		return r;
	values = strchr(buf, '\n');
	if (!values)
		return -EBADMSG;
	r = column(buf, values + 1, "ListenOverflows", overflows);
	return r < 0 ? r : column(buf, values + 1, "ListenDrops", drops);
}
