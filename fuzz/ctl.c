/* SPDX-License-Identifier: BSD-2-Clause */
/* Control messages: whatever their lengths say, only what is whole counts, the
 * addresses are of a family that exists, and none is v4-mapped. */
#include "fuzz.h"
#include "sys/msg.h"

static void
plain(const struct sky_addr *a, int none_allowed)
{
	struct sky_addr again = *a;

	must(a->u.sa.sa_family == AF_INET || a->u.sa.sa_family == AF_INET6 ||
	    (none_allowed && a->u.sa.sa_family == AF_UNSPEC));
	sky_msg_unmap(&again);
	must(memcmp(&again, a, sizeof(again)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sky_ctl c, twice;
	uint32_t have = sky_ctl_decode(&c, data, len);

	must(have == c.have);
	must(have == 0 || len >= CMSG_LEN(1));
	must(have == sky_ctl_decode(&twice, data, len));
	must(!(have & SKY_CTL_GROUP) || (have & SKY_CTL_LOCAL));
	must(!(have & SKY_CTL_SEG) || c.seg);
	if (have & SKY_CTL_LOCAL)
		plain(&c.local, 0);
	if (have & SKY_CTL_ERROR)
		plain(&c.by, 1);
	return 0;
}
