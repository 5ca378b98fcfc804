/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - which libsockeye this is. */
#ifndef SOCKEYE_VERSION_H
#define SOCKEYE_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0", of the library that runs, not of the headers; static. */
const char *sky_version(void);

#ifdef __cplusplus
}
#endif
#endif
