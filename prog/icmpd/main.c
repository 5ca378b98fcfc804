/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpd(8): parse, open, drop privileges, run. */
#include "opts.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
	struct opts o;

	opts_parse(&o, argc, argv);
	fprintf(stderr, "icmpd: '%s': nothing listens here yet\n", o.socket);
	return 1;
}
