/* SPDX-License-Identifier: BSD-2-Clause */
/* sockeye.h - all of libsockeye. */
#ifndef SOCKEYE_SOCKEYE_H
#define SOCKEYE_SOCKEYE_H

#include <sockeye/addr.h>
#include <sockeye/call.h>
#include <sockeye/fate.h>
#include <sockeye/icmpd.h>
#include <sockeye/ledger.h>
#include <sockeye/measure.h>
#include <sockeye/pmtu.h>
#include <sockeye/rto.h>
#include <sockeye/tcp.h>
#include <sockeye/udp.h>
#include <sockeye/version.h>

#endif
