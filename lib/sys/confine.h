/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine.h - rights that are given up for good: user, capabilities, new
 * privileges, system calls. For programs; not a part of libsockeye.
 *
 * Each returns 0 or a negative errno, and what it could not take back is an error:
 * a program that is told so must end. -ENOSYS: built without the library that does it.
 */
#ifndef SKY_SYS_CONFINE_H
#define SKY_SYS_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sky_user {
	uint32_t uid, gid;
};
/* -ENOENT if there is no such user. Reads files, before the confinement. */
int sky_confine_find(const char *name, struct sky_user *out);

/* Nothing that is executed later can get a capability; before the user is changed. */
int sky_confine_bounding(void);
/* Becomes the user if this is root and it is not, without any other group. */
int sky_confine_user(const struct sky_user *u);
/* No capability is left in any set. */
int sky_confine_capabilities(void);
/* PR_SET_NO_NEW_PRIVS, no core dumps. */
int sky_confine_privileges(void);

/* System calls that stay allowed, by name; one that this machine does not have is
 * passed over. What is called beside them gives EPERM. */
int sky_confine_calls(const char *const *allowed, size_t n);

#endif
