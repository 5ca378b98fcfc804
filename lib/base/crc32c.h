/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c.h - the CRC with the polynomial of Castagnoli, as SCTP and iSCSI use it
 * (RFC 3720, B.4): initial value and final complement all ones, reflected.
 */
#ifndef SKY_BASE_CRC32C_H
#define SKY_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of n bytes; by the processor's instruction where it has one. */
uint32_t sky_crc32c(const void *data, size_t n);
/* The same without it. */
uint32_t sky_crc32c_table(const void *data, size_t n);

#endif
