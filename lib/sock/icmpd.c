/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd.c - a client of icmpd(8): see sockeye/icmpd.h. */
#include <sockeye/icmpd.h>

#include <errno.h>
#include <string.h>

int
sky_icmpd_open(struct sky_icmpd *d, const struct sky_icmpd_conf *conf)
{
	memset(d, 0, sizeof(*d));
	return conf && conf->size < sizeof(*conf) ? -EINVAL : -ENOSYS;
}

void
sky_icmpd_close(struct sky_icmpd *d)
{
	(void)d;
}

void
sky_icmpd_forget(struct sky_icmpd *d)
{
	(void)d;
}

int
sky_icmpd_fd(const struct sky_icmpd *d)
{
	(void)d;
	return -1;
}

int
sky_icmpd_add(struct sky_icmpd *d, int fd, uint64_t tag)
{
	(void)d, (void)fd, (void)tag;
	return -ENOSPC;
}

int
sky_icmpd_remove(struct sky_icmpd *d, int id)
{
	(void)d, (void)id;
	return -ENOENT;
}

int
sky_icmpd_recv_stride(struct sky_icmpd *d, struct sky_icmpd_event *e, unsigned n,
    size_t stride, void *buf, size_t size)
{
	(void)d, (void)e, (void)n, (void)stride, (void)buf, (void)size;
	return 0;
}

unsigned
sky_icmpd_pending(const struct sky_icmpd *d)
{
	(void)d;
	return 0;
}

int
sky_icmpd_watch(struct sky_icmpd *d, const struct sky_icmpd_filter *f)
{
	(void)d, (void)f;
	return -EINVAL;
}

int
sky_icmpd_ask(struct sky_icmpd *d, enum sky_icmpd_question q)
{
	(void)d, (void)q;
	return -ENOTCONN;
}

int
sky_icmpd_status(const struct sky_icmpd *d, struct sky_icmpd_status *out)
{
	(void)d, (void)out;
	return -EINVAL;
}
