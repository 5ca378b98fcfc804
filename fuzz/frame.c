/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames as the lab's captures see them: what is told is of one kind, and an
 * error's subject is of the family of the error. */
#include "fuzz.h"
#include "prog/socknet/capture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct seen s = { .kind = SEEN_OTHER };

	capture_decode(&s, data, len, len);
	must(s.kind <= SEEN_ARP);
	must(s.kind == SEEN_OTHER || sky_addr_family(&s.dst) != AF_UNSPEC);
	must(!s.has_about || s.kind == SEEN_ICMP);
	must(!s.has_about || sky_addr_family(&s.about) == sky_addr_family(&s.src));
	must(s.kind != SEEN_UDP || s.len <= 65535);
	return 0;
}
