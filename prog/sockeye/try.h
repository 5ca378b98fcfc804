/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * try.h - the probes themselves. Each returns 0 or a negative errno, and may
 * write what it saw into detail, which always ends with a NUL.
 */
#ifndef SOCKEYE_TRY_H
#define SOCKEYE_TRY_H

#include <stddef.h>

int try_errors4(char *detail, size_t size);
int try_errors6(char *detail, size_t size);
int try_refused(char *detail, size_t size);
int try_rfc4884(char *detail, size_t size);
int try_meminfo(char *detail, size_t size);
int try_gso(char *detail, size_t size);
int try_gro(char *detail, size_t size);
int try_buffer(char *detail, size_t size);
int try_lowport(char *detail, size_t size);
int try_neighbour(char *detail, size_t size);
int try_namespaces(char *detail, size_t size);
int try_labtools(char *detail, size_t size);
int try_ping(char *detail, size_t size);
int try_raw(char *detail, size_t size);
int try_packet(char *detail, size_t size);
int try_icmpd(char *detail, size_t size);
int try_counters(char *detail, size_t size);
int try_icmprate(char *detail, size_t size);

/* What a lab needs, in its order; the first step that is refused is told. */
enum try_step {
	TRY_SPACES, TRY_USERS, TRY_MOUNTS, TRY_PROC, TRY_SYSCTL, TRY_PACKET, TRY_ALL,
};

struct try_lab {
	enum try_step step;	/* that was refused, with this error; or TRY_ALL */
	int error;
};
int try_lab(struct try_lab *found);

/* The first line of a file, without its newline. Returns 0 or a negative errno. */
int try_read_line(const char *file, char *line, size_t size);

#endif
