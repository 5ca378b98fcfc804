/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip.h - SipHash-2-4: a number that nobody without the key can foretell.
 *
 * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012.
 */
#ifndef SKY_BASE_SIP_H
#define SKY_BASE_SIP_H

#include <stddef.h>
#include <stdint.h>

uint64_t sky_sip_hash(const uint64_t key[2], const void *data, size_t len);

#endif
