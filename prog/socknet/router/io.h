/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io.h - runs a router on the interfaces of this network namespace.
 *
 * One packet socket with a receive ring per interface; frames go out by
 * sendmmsg past the queueing discipline. The interfaces must be up and must
 * have no addresses, and their peers must have no offloads on (`tx gso tso gro
 * off`), or packets arrive that are larger than any link, or without checksums.
 */
#ifndef RT_IO_H
#define RT_IO_H

#include "rt.h"

struct rt_io;

/* Opens the sockets for c's interfaces by their names, fills in what only the
 * kernel knows (mac). Needs CAP_NET_RAW in the namespace that this process is
 * in; nothing afterwards does. Returns 0 or a negative errno; *what is then the
 * interface or step. */
int rt_io_open(struct rt_io **out, struct rt_conf *c, const char **what);

/* Forwards until stop_fd is readable. Returns 0 or a negative errno. */
int rt_io_run(struct rt_io *io, const struct rt_conf *c, struct rt_ledger *ledger,
    uint32_t slots, int stop_fd);

/* Whatever lives on interfaces and is not a router: takes frames and a time,
 * gives frames and a deadline, with the rules of rt_input(), rt_output(),
 * rt_recycle() and rt_deadline(). */
struct rt_io_engine {
	void (*input)(void *self, unsigned iface, void *frame, size_t len, uint64_t now);
	bool (*output)(void *self, uint64_t now, struct rt_frame *out);
	void (*recycle)(void *self);
	uint64_t (*deadline)(const void *self);
};

/* As rt_io_run(), for an engine of the caller. Of the ledger only ring_full and
 * link_full are written here. */
int rt_io_serve(struct rt_io *io, const struct rt_io_engine *engine, void *self,
    struct rt_ledger *ledger, int stop_fd);

void rt_io_close(struct rt_io *io);

#endif
