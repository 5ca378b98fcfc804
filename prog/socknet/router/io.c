/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io.c - frames between the kernel and the engine.
 *
 * The ring is TPACKET_V2: a reader is woken by the first frame, where V3 keeps
 * it until a block is full or a millisecond has passed, which would be seen in
 * every round trip.
 */
#include "io.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFERS 16384
#define BATCH 64
#define RING_FRAMES 4096u
#define RING_LARGE 256u			/* of frames larger than a block */
#define BLOCK (1u << 16)

struct port {
	int fd;
	uint8_t *ring;
	size_t ring_len, frame_len;
	unsigned frames, at;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned waiting;		/* messages to send */
	uint64_t refused;		/* by the kernel */
};

struct rt_io {
	uint64_t epoch;			/* time of day less steady time */
	unsigned ports;
	struct port port[RT_IFACES];
	struct pollfd poll[RT_IFACES + 1];
	const struct rt_io_engine *engine; /* while it runs */
	void *self;
};

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The time of day when the router started, and steady from then on. */
static uint64_t
now_ns(const struct rt_io *io)
{
	return io->epoch + clock_ns(CLOCK_MONOTONIC);
}

/* One frame to a block where several have no room in it. */
static void
size_ring(struct tpacket_req *req, unsigned frames, unsigned mtu)
{
	unsigned frame = 2048;

	while (frame < mtu + 128u && frame < BLOCK)
		frame *= 2;
	*req = (struct tpacket_req){ .tp_block_size = BLOCK, .tp_frame_size = frame,
		.tp_frame_nr = frames };
	if (frame < mtu + 128u) {
		req->tp_frame_size = req->tp_block_size = BLOCK + 4096;
		req->tp_frame_nr = frames < RING_LARGE ? frames : RING_LARGE;
	}
	req->tp_block_nr = req->tp_frame_nr / (req->tp_block_size / req->tp_frame_size);
}

static int
map_ring(struct port *p, unsigned frames, unsigned mtu)
{
	struct tpacket_req req;
	int version = TPACKET_V2;

	size_ring(&req, frames, mtu);
	if (setsockopt(p->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	p->frames = req.tp_frame_nr;
	p->frame_len = req.tp_frame_size;
	p->ring_len = (size_t)req.tp_block_size * req.tp_block_nr;
	p->ring = mmap(NULL, p->ring_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
	    p->fd, 0);
	return p->ring == MAP_FAILED ? -errno : 0;
}

static int
ask_mac(int fd, struct rt_iface *f)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	memcpy(r.ifr_name, f->name, sizeof(f->name));
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
		return -errno;
	memcpy(f->mac, r.ifr_hwaddr.sa_data, 6);
	return 0;
}

/* The kernel lets in what its own MTU allows, which may be more than ours. */
static unsigned
largest(int fd, const struct rt_iface *f)
{
	unsigned max = f->mru > f->mtu ? f->mru : f->mtu;
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	memcpy(r.ifr_name, f->name, sizeof(f->name));
	if (ioctl(fd, SIOCGIFMTU, &r) == 0 && r.ifr_mtu > (int)max)
		max = (unsigned)r.ifr_mtu;
	return max;
}

static int
open_port(struct port *p, unsigned frames, struct rt_iface *f)
{
	struct sockaddr_ll sll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(f->name) };
	struct packet_mreq all = { .mr_ifindex = sll.sll_ifindex, .mr_type = PACKET_MR_PROMISC };
	int on = 1, ret;

	if (sll.sll_ifindex == 0)
		return -ENODEV;
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return -errno;
	if ((ret = map_ring(p, frames, largest(p->fd, f))) < 0 ||
	    (ret = ask_mac(p->fd, f)) < 0)
		return ret;
	/* without these it still works, only slower, or sees its own frames */
	if (setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0)
		return -errno;
	if (!f->shown)
		setsockopt(p->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	return bind(p->fd, (struct sockaddr *)&sll, sizeof(sll)) < 0 ? -errno : 0;
}

static int
open_all(struct rt_io **out, struct rt_iface *iface, unsigned n, unsigned frames, const char **what)
{
	struct rt_io *io = calloc(1, sizeof(*io));
	int ret;

	*what = "memory";
	if (!io)
		return -ENOMEM;
	io->epoch = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	io->ports = n;
	for (unsigned i = 0; i < io->ports; i++)
		io->port[i].fd = -1;
	for (unsigned i = 0; i < io->ports; i++) {
		*what = iface[i].name;
		if ((ret = open_port(&io->port[i], frames, &iface[i])) < 0) {
			rt_io_close(io);
			return ret;
		}
		io->poll[i] = (struct pollfd){ .fd = io->port[i].fd, .events = POLLIN };
	}
	*out = io;
	return 0;
}

int
rt_io_open(struct rt_io **out, struct rt_conf *c, const char **what)
{
	return open_all(out, c->iface, c->ifaces, c->ring ? c->ring : RING_FRAMES, what);
}

void
rt_io_close(struct rt_io *io)
{
	for (unsigned i = 0; io && i < io->ports; i++) {
		struct port *p = &io->port[i];

		if (p->ring && p->ring != MAP_FAILED)
			munmap(p->ring, p->ring_len);
		if (p->fd >= 0)
			close(p->fd);
	}
	free(io);
}

/* What the kernel has no room for is lost, as on a real line; counted. */
static void
flush_port(struct port *p)
{
	unsigned done = 0;

	while (done < p->waiting) {
		int n = sendmmsg(p->fd, p->msg + done, p->waiting - done, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			p->refused++;
		done += n < 0 ? 1 : (unsigned)n;
	}
	p->waiting = 0;
}

static void
flush(struct rt_io *io)
{
	for (unsigned i = 0; i < io->ports; i++)
		if (io->port[i].waiting)
			flush_port(&io->port[i]);
	io->engine->recycle(io->self);
}

static void
take_output(struct rt_io *io, uint64_t now)
{
	struct rt_frame f;

	while (io->engine->output(io->self, now, &f)) {
		struct port *p = &io->port[f.iface];

		if (p->waiting == BATCH)
			flush_port(p);
		p->iov[p->waiting] = (struct iovec){ (void *)(uintptr_t)f.data, f.len };
		memset(&p->msg[p->waiting].msg_hdr, 0, sizeof(p->msg[0].msg_hdr));
		p->msg[p->waiting].msg_hdr.msg_iov = &p->iov[p->waiting];
		p->msg[p->waiting].msg_hdr.msg_iovlen = 1;
		p->waiting++;
	}
}

static struct tpacket2_hdr *
slot(const struct port *p, unsigned i)
{
	return (struct tpacket2_hdr *)(void *)(p->ring + (size_t)(i % p->frames) * p->frame_len);
}

/* Up to a batch of frames from one ring; they go back to the kernel once what
 * was made of them is sent. Returns how many. */
static unsigned
take_input(struct rt_io *io, unsigned iface, uint64_t now)
{
	struct port *p = &io->port[iface];
	unsigned n;

	for (n = 0; n < BATCH; n++) {
		struct tpacket2_hdr *h = slot(p, p->at + n);

		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		if (h->tp_snaplen == h->tp_len)
			io->engine->input(io->self, iface, (uint8_t *)h + h->tp_mac,
			    h->tp_snaplen, now);
		take_output(io, now);
	}
	if (n == 0)
		return 0;
	flush(io);
	for (unsigned i = 0; i < n; i++)
		__atomic_store_n(&slot(p, p->at + i)->tp_status, TP_STATUS_KERNEL,
		    __ATOMIC_RELEASE);
	p->at = (p->at + n) % p->frames;
	return n;
}

static void
wait_for(struct rt_io *io)
{
	uint64_t due = io->engine->deadline(io->self), now = now_ns(io);
	struct timespec t = { 0 };

	if (due != RT_NEVER && due > now) {
		t.tv_sec = (time_t)((due - now) / 1000000000u);
		t.tv_nsec = (long)((due - now) % 1000000000u);
	}
	ppoll(io->poll, io->ports + 1, due == RT_NEVER ? NULL : &t, NULL);
}

static void
count_losses(struct rt_io *io, struct rt_ledger *ledger)
{
	for (unsigned i = 0; i < io->ports; i++) {
		struct tpacket_stats st = { 0 };
		socklen_t len = sizeof(st);

		if (getsockopt(io->port[i].fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
			ledger->ring_full += st.tp_drops;
		ledger->link_full += io->port[i].refused;
		io->port[i].refused = 0;
	}
}

int
rt_io_serve(struct rt_io *io, const struct rt_io_engine *engine, void *self,
    struct rt_ledger *ledger, int stop_fd)
{
	io->engine = engine;
	io->self = self;
	io->poll[io->ports] = (struct pollfd){ .fd = stop_fd, .events = POLLIN };
	for (unsigned turn = 1; !io->poll[io->ports].revents; turn++) {
		unsigned busy = 0;
		uint64_t now = now_ns(io);

		for (unsigned i = 0; i < io->ports; i++)
			busy += take_input(io, i, now);
		take_output(io, now);
		flush(io);
		if (busy == 0)
			wait_for(io);
		else if (turn % 256 == 0)
			poll(io->poll + io->ports, 1, 0);
		if (turn % 256 == 0 || busy == 0)
			count_losses(io, ledger);
	}
	count_losses(io, ledger);
	return 0;
}

static void
router_input(void *self, unsigned iface, void *frame, size_t len, uint64_t now)
{
	rt_input(self, iface, frame, len, now);
}

static bool
router_output(void *self, uint64_t now, struct rt_frame *out)
{
	return rt_output(self, now, out);
}

static void
router_recycle(void *self)
{
	rt_recycle(self);
}

static uint64_t
router_deadline(const void *self)
{
	return rt_deadline(self);
}

static const struct rt_io_engine router_engine = {
	router_input, router_output, router_recycle, router_deadline,
};

int
rt_io_run(struct rt_io *io, const struct rt_conf *c, struct rt_ledger *ledger,
    uint32_t slots, int stop_fd)
{
	unsigned buffers = c->buffers ? c->buffers : BUFFERS;
	void *mem = malloc(rt_room(c, buffers));
	const char *why;
	struct rt *r = mem ? rt_init(mem, c, buffers, ledger, slots, &why) : NULL;

	if (!r) {
		free(mem);
		return mem ? -EINVAL : -ENOMEM;
	}
	rt_io_serve(io, &router_engine, r, ledger, stop_fd);
	free(mem);
	return 0;
}
