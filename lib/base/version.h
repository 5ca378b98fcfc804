/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - which sockeye this is. */
#ifndef SKY_BASE_VERSION_H
#define SKY_BASE_VERSION_H

/* "0.1.0"; static. */
const char *sky_version(void);

#endif
