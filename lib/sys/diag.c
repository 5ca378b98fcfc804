/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diag.c - see diag.h. All questions of a batch go out in one message; the kernel
 * has answered them all when the call returns.
 */
#include "sys/diag.h"
#include "sys/msg.h"
#include "sys/ret.h"
#include "sys/sockfd.h"
#include "sys/sockid.h"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	QUESTION = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct inet_diag_req_v2)),
	ANSWER = 1024,
	CGROUP_ID = 21,			/* INET_DIAG_CGROUP_ID, since Linux 5.8 */
	ALL_STATES = -1,
};

int
sky_diag_open(struct sky_diag *d)
{
	int saved = errno;

	d->seq = 0;
	d->fd = sky_ret(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_SOCK_DIAG), saved);
	return d->fd < 0 ? d->fd : 0;
}

void
sky_diag_close(struct sky_diag *d)
{
	int saved = errno;

	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	errno = saved;
}

static void
put_end(__be32 out[4], __be16 *port, const struct sky_addr *a)
{
	if (sky_addr_family(a) == AF_INET6)
		memcpy(out, &a->u.in6.sin6_addr, 16);
	else if (sky_addr_family(a) == AF_INET)
		memcpy(out, &a->u.in.sin_addr, 4);
	*port = sky_addr_family(a) == AF_UNSPEC ? 0 : a->u.in.sin_port;
}

static void
put_question(struct nlmsghdr *h, const struct sky_diag_ask *q, unsigned seq)
{
	struct inet_diag_req_v2 *r;
	/* UDP has the ends the other way round, "for historical reasons" */
	bool turned = q->proto != IPPROTO_TCP;

	h->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = seq;
	r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	r->sdiag_family = (__u8)sky_addr_family(&q->local);
	r->sdiag_protocol = q->proto;
	r->idiag_states = (__u32)ALL_STATES;
	put_end(turned ? r->id.idiag_dst : r->id.idiag_src,
	    turned ? &r->id.idiag_dport : &r->id.idiag_sport, &q->local);
	put_end(turned ? r->id.idiag_src : r->id.idiag_dst,
	    turned ? &r->id.idiag_sport : &r->id.idiag_dport, &q->remote);
	r->id.idiag_if = q->ifindex;
	r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = (__u32)INET_DIAG_NOCOOKIE;
}

static int
take_cgroup(const struct nlattr *attr, void *data)
{
	uint64_t *cgroup = data;

	if (mnl_attr_get_type(attr) == CGROUP_ID &&
	    mnl_attr_get_payload_len(attr) == sizeof(*cgroup))
		memcpy(cgroup, mnl_attr_get_payload(attr), sizeof(*cgroup));
	return MNL_CB_OK;
}

static void
take_remote(struct sky_addr *a, const struct inet_diag_msg *m)
{
	if (!m->id.idiag_dport)
		return;
	a->u.sa.sa_family = m->idiag_family;
	if (m->idiag_family == AF_INET)
		memcpy(&a->u.in.sin_addr, m->id.idiag_dst, 4);
	else
		memcpy(&a->u.in6.sin6_addr, m->id.idiag_dst, 16);
	a->u.in.sin_port = m->id.idiag_dport;
	sky_msg_unmap(a);
}

static void
take_socket(struct sky_diag_answer *a, const struct nlmsghdr *h)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(h);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return;
	*a = (struct sky_diag_answer){ .uid = m->idiag_uid, .inode = m->idiag_inode,
		.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0] };
	take_remote(&a->remote, m);
	mnl_attr_parse(h, sizeof(*m), take_cgroup, &a->cgroup);
}

static void
take_answer(struct sky_diag_answer *a, uint32_t first, unsigned n, const void *data, size_t len)
{
	const struct nlmsghdr *h = data;
	const struct nlmsgerr *e;
	int left = (int)len;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		uint32_t i = h->nlmsg_seq - first;

		if (i >= n)
			continue;
		if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
			take_socket(&a[i], h);
		} else if (h->nlmsg_type == NLMSG_ERROR &&
		    mnl_nlmsg_get_payload_len(h) >= sizeof(*e)) {
			e = mnl_nlmsg_get_payload(h);
			a[i].err = e->error ? e->error : -EPROTO;
		}
	}
}

static int
send_all(int fd, const void *data, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int saved = errno;

	return sky_ret(sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&kernel,
	    sizeof(kernel)), saved);
}

static void
read_answers(const struct sky_diag *d, struct sky_diag_answer *a, unsigned n)
{
	_Alignas(struct nlmsghdr) uint8_t data[SKY_DIAG_BATCH][ANSWER];
	struct mmsghdr m[SKY_DIAG_BATCH];
	struct iovec iov[SKY_DIAG_BATCH];
	unsigned done = 0;
	int got = 0;

	do {
		/* no more than there are: looking for one that is not costs as much */
		for (unsigned i = 0; i < n - done; i++) {
			iov[i] = (struct iovec){ data[i], ANSWER };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		got = sky_msg_recv(d->fd, m, n - done);
		for (int i = 0; i < got; i++)
			if (m[i].msg_len <= ANSWER)
				take_answer(a, d->seq, n, data[i], m[i].msg_len);
		done += got > 0 ? (unsigned)got : 0;
	} while (got > 0 && done < n);
}

void
sky_diag_ask(struct sky_diag *d, const struct sky_diag_ask *q, struct sky_diag_answer *a,
    unsigned n)
{
	_Alignas(struct nlmsghdr) uint8_t buf[SKY_DIAG_BATCH * QUESTION];
	int r;

	if (n > SKY_DIAG_BATCH)
		n = SKY_DIAG_BATCH;
	memset(buf, 0, sizeof(buf));
	for (unsigned i = 0; i < n; i++) {
		put_question(mnl_nlmsg_put_header(buf + i * QUESTION), &q[i], d->seq + i);
		a[i] = (struct sky_diag_answer){ .err = -ENOBUFS };
	}
	r = send_all(d->fd, buf, n * QUESTION);
	if (r >= 0)
		read_answers(d, a, n);
	for (unsigned i = 0; i < n && r < 0; i++)
		a[i].err = r;
	d->seq += n;
}

int
sky_diag_check(struct sky_diag *d)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	struct sky_diag_ask q = { .proto = IPPROTO_UDP };
	struct sky_diag_answer a;
	struct sockaddr_storage s;
	struct sky_sockid id;
	int fd = sky_sockfd_open(AF_INET);
	int r;

	if (fd < 0)
		return fd;
	memset(&s, 0, sizeof(s));
	memcpy(&s, &any, sizeof(any));
	r = sky_sockfd_bind(fd, &s, sizeof(any));
	if (r == 0)
		r = sky_sockid_ask(fd, &id);
	if (r == 0) {
		q.local = id.local;
		sky_diag_ask(d, &q, &a, 1);
		r = a.err ? a.err : a.cookie == id.cookie ? 0 : -EPROTONOSUPPORT;
	}
	sky_sockfd_close(fd);
	return r == -ENOENT ? -EPROTONOSUPPORT : r;
}
