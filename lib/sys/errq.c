/* SPDX-License-Identifier: BSD-2-Clause */
/* errq.c - see errq.h. */
#include "sys/errq.h"
#include "sys/msg.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>
#include <sys/uio.h>

enum { EXT_INVALID = 1 };

/* The kernel puts {u16 offset, u8 flags, u8} where ee_data is. */
static void
find_extension(struct sky_errq *e)
{
	struct {
		uint16_t at;
		uint8_t flags, reserved;
	} ext;

	memcpy(&ext, &e->data, sizeof(ext));
	if (e->origin != SO_EE_ORIGIN_ICMP && e->origin != SO_EE_ORIGIN_ICMP6)
		return;
	if (ext.flags & EXT_INVALID)
		e->flags |= SKY_ERRQ_EXT_BAD;
	if (ext.at && ext.at < e->len)
		e->ext_at = ext.at;
}

static void
fill_meta(struct sky_errq *e, const struct sky_ctl *c)
{
	if (c->have & SKY_CTL_TTL) {
		e->ttl = c->ttl;
		e->flags |= SKY_ERRQ_TTL;
	}
	if (c->have & SKY_CTL_TIME) {
		e->time_ns = c->time_ns;
		e->flags |= SKY_ERRQ_TIME;
	}
	if (c->have & SKY_CTL_LOCAL) {
		e->local = c->local;
		e->ifindex = c->ifindex;
		e->flags |= SKY_ERRQ_LOCAL;
	}
}

static void
fill(struct sky_errq *e, const struct msghdr *h, size_t len, const struct sky_ctl *c)
{
	struct sky_addr dest = e->dest;

	memset(e, 0, sizeof(*e));
	if (h->msg_namelen) {
		e->dest = dest;
		sky_msg_unmap(&e->dest);
	}
	e->len = (uint16_t)(len < SKY_ERRQ_DATA ? len : SKY_ERRQ_DATA);
	if (h->msg_flags & MSG_TRUNC)
		e->flags |= SKY_ERRQ_CUT;
	if (c->have & SKY_CTL_ERROR) {
		e->err = c->err;
		e->origin = c->origin;
		e->type = c->type;
		e->code = c->code;
		e->info = c->info;
		e->data = c->data;
		e->by = c->by;
	}
	fill_meta(e, c);
	find_extension(e);
}

int
sky_errq_read(int fd, struct sky_errq *e, uint8_t (*data)[SKY_ERRQ_DATA], unsigned n)
{
	_Alignas(struct cmsghdr) uint8_t ctl[SKY_ERRQ_BATCH][SKY_CTL_IN + 128];
	struct mmsghdr h[SKY_ERRQ_BATCH];
	struct iovec iov[SKY_ERRQ_BATCH];
	struct sky_ctl c;
	int got;

	if (n > SKY_ERRQ_BATCH)
		n = SKY_ERRQ_BATCH;
	for (unsigned i = 0; i < n; i++) {
		iov[i] = (struct iovec){ data[i], SKY_ERRQ_DATA };
		memset(&e[i].dest, 0, sizeof(e[i].dest));
		h[i].msg_hdr = (struct msghdr){
			.msg_name = &e[i].dest, .msg_namelen = sizeof(e[i].dest),
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = ctl[i], .msg_controllen = sizeof(ctl[i]),
		};
	}
	got = sky_msg_errors(fd, h, n);
	if (got == -EAGAIN)
		return 0;
	for (int i = 0; i < got; i++) {
		sky_ctl_decode(&c, ctl[i], h[i].msg_hdr.msg_controllen);
		fill(&e[i], &h[i].msg_hdr, h[i].msg_len, &c);
	}
	return got;
}

void
sky_errq_decode(struct sky_errq *e, const struct msghdr *h, size_t len)
{
	size_t name = h->msg_namelen < sizeof(e->dest) ? h->msg_namelen : sizeof(e->dest);
	struct sky_ctl c;

	memset(&e->dest, 0, sizeof(e->dest));
	if (name)
		memcpy(&e->dest, h->msg_name, name);
	sky_ctl_decode(&c, h->msg_control, h->msg_controllen);
	fill(e, h, len, &c);
}
