/* SPDX-License-Identifier: BSD-2-Clause */
/* names.c - words for numbers. */
#include "wire/names.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct row {
	uint16_t number;
	const char *word;
} protos[] = {
	{ 0, "hop-by-hop" }, { 1, "icmp" }, { 2, "igmp" }, { 4, "ipip" }, { 6, "tcp" },
	{ 17, "udp" }, { 33, "dccp" }, { 41, "ip6" }, { 43, "routing" }, { 44, "fragment" },
	{ 46, "rsvp" }, { 47, "gre" }, { 50, "esp" }, { 51, "ah" }, { 58, "icmp6" },
	{ 59, "no-next" }, { 60, "destination" }, { 89, "ospf" }, { 103, "pim" },
	{ 112, "vrrp" }, { 132, "sctp" }, { 136, "udplite" }, { 137, "mpls" },
}, ethertypes[] = {
	{ 0x0800, "ip" }, { 0x0806, "arp" }, { 0x8035, "rarp" }, { 0x8100, "vlan" },
	{ 0x86dd, "ip6" }, { 0x8847, "mpls" }, { 0x8848, "mpls-multicast" },
	{ 0x8863, "pppoe-discovery" }, { 0x8864, "pppoe" }, { 0x888e, "eapol" },
	{ 0x88a8, "qinq" }, { 0x88cc, "lldp" },
};

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const char *
word_of(const struct row *rows, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].number == number)
			return rows[i].word;
	return NULL;
}

const char *
sky_names_proto(uint8_t proto)
{
	return word_of(protos, ROWS(protos), proto);
}

int
sky_names_proto_find(const char *word)
{
	for (size_t i = 0; i < ROWS(protos); i++)
		if (strcmp(protos[i].word, word) == 0)
			return protos[i].number;
	return -ENOENT;
}

const char *
sky_names_ethertype(uint16_t type)
{
	return word_of(ethertypes, ROWS(ethertypes), type);
}
