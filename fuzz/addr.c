/* SPDX-License-Identifier: BSD-2-Clause */
/* An address from text: what is read is written so that it reads the same. */
#include "fuzz.h"
#include "base/addrtext.h"

#include <errno.h>

static void
written_reads_the_same(const struct sky_addr *a)
{
	char text[SKY_ADDRSTRLEN], again[SKY_ADDRSTRLEN], ifname[SKY_IFNAME];
	struct sockaddr_storage ss;
	struct sky_addr b;
	int len;

	sky_addr_format(a, text, sizeof text);
	must(strlen(text) < sizeof text - 1);
	must(sky_addr_scan(&b, ifname, text) == 0 && ifname[0] == '\0');
	must(memcmp(a, &b, sizeof b) == 0);
	must(sky_addr_equal(a, &b) && sky_addr_hash(a) == sky_addr_hash(&b));
	must(strcmp(sky_addr_format(&b, again, sizeof again), text) == 0);
	len = sky_addr_to(a, AF_INET6, &ss);
	must(len == (int)sizeof(struct sockaddr_in6));
	must(sky_addr_from(&b, (struct sockaddr *)&ss, (socklen_t)len) == 0);
	must(memcmp(a, &b, sizeof b) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[256], ifname[SKY_IFNAME];
	struct sky_addr a;
	int ret;

	if (len >= sizeof text)
		return 0;
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	ret = sky_addr_scan(&a, ifname, text);
	must(ret == 0 || ret == -EINVAL || ret == -ERANGE || ret == -ENODEV);
	must(strlen(ifname) < sizeof ifname);
	if (ret == 0)
		written_reads_the_same(&a);
	else
		must(sky_addr_family(&a) == AF_UNSPEC && ifname[0] == '\0');
	return 0;
}
