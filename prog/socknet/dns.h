/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h - a stand-in for a name server: one datagram in, one out (RFC 1035).
 *
 * It knows no names. Whatever is asked exists, and has the address 192.0.2.1
 * and 2001:db8::1 (the addresses that stand in documentation); of other types
 * there is nothing. No EDNS, no TCP, no zones.
 */
#ifndef SOCKNET_DNS_H
#define SOCKNET_DNS_H

/* The answer in place of the question, which is len bytes; buf has room for 64
 * more. Returns its length, or -1: not a question, so silence. */
int dns_answer(char *buf, int len);

#endif
