/* SPDX-License-Identifier: BSD-2-Clause */
/* crlf.h - -c: lines end with CR LF on the network and with newline here. */
#ifndef SOCK_CRLF_H
#define SOCK_CRLF_H

#include <stddef.h>

/* Room that len bytes may need once each newline is two bytes. */
#define CRLF_ROOM(len) (2 * (len))

/* Copies in to out, CR LF for each newline. Returns the new length. */
size_t crlf_put(void *out, const void *in, size_t len);
/* Takes every CR out, where the data lies. Returns the new length. */
size_t crlf_strip(void *data, size_t len);

#endif
