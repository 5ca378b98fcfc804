/* SPDX-License-Identifier: BSD-2-Clause */
/* layout.c - what the compiler makes of the public structs, for kit/sky.py. */
#include <sockeye/sockeye.h>
#include <stdio.h>

#define AT(name, type, field) \
	printf(name " " #field " %zu %zu\n", offsetof(type, field), sizeof(((type *)0)->field))
#define ALL(name, type) printf(name " - 0 %zu\n", sizeof(type))

int
main(void)
{
	ALL("Addr", struct sky_addr);
	ALL("Fate", struct sky_fate);
	ALL("Row", struct sky_icmp_row);
	ALL("Conf", struct sky_udp_conf);
	ALL("Msg", struct sky_msg);
	ALL("Info", struct sky_udp_info);
	AT("Fate", struct sky_fate, err);
	AT("Fate", struct sky_fate, by);
	AT("Fate", struct sky_fate, time_ns);
	AT("Fate", struct sky_fate, quote);
	AT("Fate", struct sky_fate, ext_len);
	AT("Row", struct sky_icmp_row, name);
	AT("Conf", struct sky_udp_conf, pmtu);
	AT("Conf", struct sky_udp_conf, room);
	AT("Conf", struct sky_udp_conf, icmpd_path);
	AT("Msg", struct sky_msg, peer);
	AT("Msg", struct sky_msg, tos);
	AT("Msg", struct sky_msg, tag);
	AT("Info", struct sky_udp_info, cap);
	AT("Info", struct sky_udp_info, v6only);
	AT("Info", struct sky_udp_info, rx);
	AT("Info", struct sky_udp_info, eperm);
	return 0;
}
