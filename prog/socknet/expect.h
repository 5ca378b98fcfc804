/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect.h - is what a lab file expects true now?
 */
#ifndef SOCKNET_EXPECT_H
#define SOCKNET_EXPECT_H

#include "loop.h"

/* Judges an expect step by what is known now. why says what was found. */
bool expect_met(struct loop *l, const struct lab_step *s, char *why, size_t size);

/* Is it as many as the step wants? */
bool expect_compare(const struct lab_expect *x, uint64_t found);

/* As expect_addr(), and address or port may be a $variable. */
bool expect_end(struct loop *l, const char *words, const struct sky_addr *addr);

/* True if addr is what the words name: "10.1.0.1", "10.1.0.1:7", "fd01::1",
 * "[fd01::1]:7", "a", "a:7" (any address of host a). */
bool expect_addr(const struct lab *lab, const char *words, const struct sky_addr *addr);

#endif
