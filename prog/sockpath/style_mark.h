/* SPDX-License-Identifier: BSD-2-Clause */
/* style_mark.h - what traceroute and tracepath put behind the time of an error. */
#ifndef SOCKPATH_STYLE_MARK_H
#define SOCKPATH_STYLE_MARK_H

#include "proto/hop.h"

#define STYLE_MARK 16

/* traceroute's: "!N", "!H", "!P", "!S", "!X", "!V", "!C", "!F-NUM", "!<code>",
 * "!<type-code>", or nothing. Writes STYLE_MARK bytes at most; returns out. */
char *style_mark(int family, const struct sky_hop_answer *a, char *out);

/* tracepath's, made of the errno that the kernel's error queue gives: "!N", "!H",
 * "!A", "!P". NULL: it has none for that *err. */
const char *style_errno_mark(int family, const struct sky_hop_answer *a, int *err);

#endif
