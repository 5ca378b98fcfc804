/* SPDX-License-Identifier: BSD-2-Clause */
/* version.h - which sockeye this is; the declaration is the public one. */
#ifndef SKY_BASE_VERSION_H
#define SKY_BASE_VERSION_H

#include <sockeye/version.h>

#endif
