/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - the small services that labs talk to: echo, discard, daytime, dns.
 *
 * UDP, both families on one socket; answers leave from the address that was
 * asked. Runs until a signal ends it.
 */
#ifndef SOCKNET_SERVE_H
#define SOCKNET_SERVE_H

/* words: SERVICE PORT, once or several times; ends with NULL. Returns an exit
 * status after one line on standard error. */
int serve(const char *const *words);

#endif
