/* SPDX-License-Identifier: BSD-2-Clause */
/* Who refused? One socket, many destinations, and a name for each that is dead. */
#include <poll.h>
#include <sockeye/sockeye.h>
#include <stdio.h>

int
main(int argc, char **argv)
{
	char name[SKY_ADDRSTRLEN], text[256], quote[1024];
	struct sky_udp u;
	struct sky_fate f;

	if (sky_udp_open(&u, NULL) < 0)
		return 1;
	for (int i = 1; i < argc; i++) {
		struct sky_addr to;

		if (sky_addr_parse(&to, argv[i]) == 0)
			sky_udp_sendto(&u, "hello", 5, &to);
	}
	struct pollfd p = { .fd = sky_udp_fd(&u) };
	while (sky_udp_pending(&u) || poll(&p, 1, 1000) > 0)
		while (sky_udp_errors(&u, &f, 1, quote, sizeof(quote)) > 0) {
			sky_fate_explain(&f, text, sizeof(text));
			printf("%s: %s\n", sky_addr_format(&f.dst, name, sizeof(name)), text);
		}
	sky_udp_close(&u);
	return 0;
}
