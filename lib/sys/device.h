/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - the interfaces of this host, as far as paths need them.
 */
#ifndef SKY_SYS_DEVICE_H
#define SKY_SYS_DEVICE_H

#include <stdint.h>

/* The MTU of an interface, or a negative errno. */
int sky_device_mtu(uint32_t ifindex);
/* The number of an interface with this name, 0 if there is none. */
uint32_t sky_device_find(const char *name);
/* 1 if it is up, 0 if not, or a negative errno. */
int sky_device_up(uint32_t ifindex);
/* n bytes that nobody can foretell; 0 or a negative errno. */
int sky_device_random(void *out, unsigned n);

#endif
